"""Compatible APIs and drop-ins against the clients that they are for: `make compat-test`.

Installs the real clients (`bench/clients.py`), starts a daemon that serves every compatible
protocol, puts each client to its checks, and has the protocols' own tests (`tests/api/compat`) run
beside them.  A client that cannot be installed has failed all its checks.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import clients, results
from bench.clients import Check, Client, Environment, NotInstalledError, Served
from bench.results import ROOT, at_least, none_of
from scalebox.api.compat.protocols import PROTOCOLS
from tests.api.compat.daemon import compat_daemon

_TESTS = "tests/api/compat"
_WHOLE = "whole"


def client_rows(wanted: dict[str, Client], environment: Environment) -> list[dict[str, Any]]:
    """Install the clients and put them to their checks: a row for each check."""
    console = results.new_console()
    versions: dict[str, str] = {}
    missing: dict[str, str] = {}
    for module, client in wanted.items():
        console.print(f"installing {client.name}", highlight=False)
        try:
            versions[module] = environment.install(module, client)
        except NotInstalledError as error:
            missing[module] = f"not installed: {error}"
    rows = []
    mounted = {protocol.name: f"/{protocol.name}" for protocol in PROTOCOLS}
    with compat_daemon(mounted) as (daemon, url):
        served = Served(url, str(daemon.place.socket))
        for module, client in wanted.items():
            console.print(f"checking {client.name}", highlight=False)
            if module in missing:
                checks = [
                    Check(check.name, check.exercised, message=missing[module])
                    for check, _ in clients.checks_of(module).values()
                ] or [Check("installation", "", message=missing[module])]
            else:
                checks = environment.run(module, served)
            rows += [
                {
                    "client": client.name,
                    "version": versions.get(module, ""),
                    "check": check.name,
                    "passed": check.passed,
                    "installed": f"in part: {client.alone}" if client.alone else _WHOLE,
                    "exercised": check.exercised,
                    "message": check.message.replace(f"{ROOT}/", ""),
                }
                for check in checks
            ]
    return rows


def test_rows() -> list[dict[str, Any]]:
    """Run the protocols' own tests: a row for each of their files."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", _TESTS, f"--junitxml={report}"]
        subprocess.run(command, cwd=ROOT, check=False)
        return counted(report.read_bytes() if report.exists() else b"<nothing/>")


def counted(report: bytes) -> list[dict[str, Any]]:
    """A row for each file of tests, of pytest's report in JUnit's form."""
    checks: Counter[str] = Counter()
    passed: Counter[str] = Counter()
    for case in ElementTree.fromstring(report).iter("testcase"):
        # A file that cannot be read has a name and no class.
        name = (case.get("classname") or case.get("name") or "").rpartition(".test_")[2]
        checks[name] += 1
        passed[name] += all(case.find(bad) is None for bad in ("failure", "error", "skipped"))
    return [
        {"tests of": name, "checks": checks[name], "passed": passed[name]}
        for name in sorted(checks)
    ]


def conclude(checked: list[dict[str, Any]], tested: list[dict[str, Any]], *, whole: bool) -> int:
    """Print and write; returns the exit status.

    Parameters:
        checked: a row for each check of a client.
        tested: a row for each file of the protocols' tests.
        whole: whether all of both was asked for.
    """
    names = {row["tests of"] for row in tested}
    untested = [protocol.name for protocol in PROTOCOLS if protocol.name not in names]
    figures = {
        "protocols": len(PROTOCOLS) - len(untested),
        "clients": len({row["client"] for row in checked}),
        "checks": len(checked) + sum(row["checks"] for row in tested),
        "passed": sum(row["passed"] for row in checked) + sum(row["passed"] for row in tested),
    }
    failed = [f"{row['client']}: {row['check']}" for row in checked if not row["passed"]]
    failed += [f"tests of {r['tests of']}" for r in tested if r["passed"] < r["checks"]]
    promises = [none_of("every check passes", failed), at_least("checks", figures["checks"], 1)]
    if whole:
        promises.append(none_of("every protocol has tests", untested))
    results.show("Clients", [_shown(row) for row in checked])
    results.show("The protocols' own tests", tested)
    results.show("Figures", [{"figure": key, "value": value} for key, value in figures.items()])
    console = results.new_console()
    for client, how in {row["client"]: row["installed"] for row in checked}.items():
        if how != _WHOLE:
            console.print(f"{client} is here {how}", markup=False, highlight=False)
    for row in checked:
        if not row["passed"]:
            text = f"{row['client']}: {row['check']}:\n{row['message']}"
            console.print(text, markup=False, highlight=False)
    results.write("compat-test", figures, [*checked, *tested], promises=promises)
    return results.conclude(promises)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a client for people."""
    part = "" if row["installed"] == _WHOLE else " (in part)"
    return {
        "client": f"{row['client']}{part}",
        "version": row["version"],
        "check": row["check"],
        "passed": "yes" if row["passed"] else "NO",
        "exercised": row["exercised"],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.compat_test`."""
    parser = argparse.ArgumentParser(prog="python -m bench.compat_test", description=__doc__)
    parser.add_argument(
        "--environment",
        type=Path,
        default=ROOT / ".venv-compat",
        help="the virtual environment in which clients are installed",
    )
    parser.add_argument("--only", metavar="TEXT", default="", help="clients whose name holds this")
    parser.add_argument(
        "--no-tests", action="store_true", help="clients alone, without the protocols' own tests"
    )
    options = parser.parse_args(arguments)
    wanted = {
        name: client
        for name, client in clients.all_of_them().items()
        if options.only in client.name
    }
    if not wanted:
        parser.error("no client has such a name")
    directory = options.environment.resolve()
    command = [sys.executable, str(ROOT / "scripts" / "bootstrap.py")]
    made = subprocess.run(command, env={**os.environ, "VENV": str(directory)}, check=False)
    if made.returncode:
        return made.returncode
    checked = client_rows(wanted, Environment(directory))
    tested = [] if options.no_tests else test_rows()
    return conclude(checked, tested, whole=not (options.only or options.no_tests))


if __name__ == "__main__":
    sys.exit(main())
