"""`make check-dist`: does what `make dist` built work where nothing is installed?

The single file is run from an empty directory with a bare environment: as whoever runs this, and,
if that is root, as an ordinary user, too.  The wheel is installed into a fresh environment, and the
sdist is built from.  Writes bench/results/check-dist.json; the exit status says whether every
promise holds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import processes, results  # noqa: E402
from bench.results import Promise  # noqa: E402
from scripts import dist  # noqa: E402
from scripts.onefile.drive import CheckError, Daemon, Home, identities, survivors, wait_for  # noqa: E402
from scripts.onefile.tree import DistError  # noqa: E402

#: Ready to serve within this (DESIGN §8), once the file has been unpacked.
READY_S = 1.0
#: Times of starts: so many of each, the first ones and the later ones.
COLD_STARTS = 3
WARM_STARTS = 5
_ORDINARY_USER = "nobody"
_MARK = "sbdistleft"

_PROGRAMS = {
    ("python", "accepted"): "print(2 * int(input()))",
    ("python", "wrong_answer"): "print(int(input()) ** 2)",
    ("cpp", "accepted"): "#include <bits/stdc++.h>\n"
    "int main() { long long n; std::cin >> n; std::cout << 2 * n << '\\n'; }",
    ("cpp", "wrong_answer"): "#include <cstdio>\n"
    'int main() { long long n; scanf("%lld", &n); printf("%lld\\n", n + 3); }',
}
#: Stays, and leaves a child in a session of its own behind.
_STAYS = f"""
import ctypes, os, time
ctypes.CDLL(None).prctl(15, b"{_MARK}", 0, 0, 0)
if os.fork() == 0:
    os.setsid()
while True:
    time.sleep(60)
"""


class Check:
    """What was promised, what was measured, and the rows of the table.

    Attributes:
        host: facts about the host that the part at hand found.
    """

    def __init__(self) -> None:
        self.promises: list[Promise] = []
        self.figures: dict[str, float] = {}
        self.rows: list[dict[str, Any]] = []
        self.host: dict[str, str] = {}

    def part(self, name: str, body: Callable[[Check], None]) -> None:
        """One part: that it comes to its end is a promise, too."""
        print(f"check-dist: {name}", flush=True)
        began, first, self.host = time.perf_counter(), len(self.promises), {}
        try:
            body(self)
        except (CheckError, DistError, OSError, subprocess.SubprocessError) as error:
            self.promises.append(Promise(f"{name}: comes to its end", False, str(error)[-2000:]))
        held = [promise.holds for promise in self.promises[first:]]
        self.rows.append(
            {
                "part": name,
                "promises": len(held),
                "hold": sum(held),
                "seconds": time.perf_counter() - began,
                **self.host,
            }
        )

    def holds(self, text: str, holds: bool, found: object = "") -> None:
        """Record a promise; what was found is told where it does not hold."""
        self.promises.append(Promise(text, holds, "" if holds else str(found)[-2000:]))


# --- the single file ------------------------------------------------------------------------------


def single_file(user: str | None) -> Callable[[Check], None]:
    """The check of the file as a user (None: as whoever runs this)."""

    def body(check: Check) -> None:
        home = Home(dist.DIST / "scaleboxd", user)
        try:
            who = "root" if home.is_root else "an ordinary user"
            _commands(check, home, who)
            _judges(check, home, who)
            _killed(check, home, who)
        finally:
            home.close()

    return body


def _commands(check: Check, home: Home, who: str) -> None:
    """The file as a command, and what stands in its way."""
    version = f"scaleboxd {_version()}"
    for name in ("first", "second"):
        status, said = home.run("./scaleboxd", "--version")
        right = (status, said) == (0, version)
        check.holds(f"{who}: the {name} start prints the version", right, said)
    status, said = home.run("./scaleboxd", "--doctor")
    check.holds(f"{who}: --doctor finds a host that works", status == 0, said)
    status, said = home.run("./scaleboxd", "--no-such-option")
    check.holds(f"{who}: its exit status is the program's", status == 2, f"{status}: {said}")
    hostile = home.directory / "tmp" / "hostile"
    hostile.mkdir()
    for name in ("libz.so.1", "libcrypto.so.3", "asyncio.py", "msgspec.py"):
        (hostile / name).write_text("not what it seems")
    for library in home.cache.rglob("libpython*"):
        (hostile / library.name).write_text("not what it seems")
    settings = ("LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP")
    env = home.environment(**dict.fromkeys(settings, str(hostile)))
    status, said = home.run("./scaleboxd", "--version", env=env)
    check.holds(f"{who}: settings for other programs do not disturb it", said == version, said)
    shutil.rmtree(hostile)
    (home.directory / "scalebox").symlink_to("scaleboxd")
    status, said = home.run("./scalebox", "demo")
    check.holds(f"{who}: called scalebox, it is the command line; its demo runs", status == 0, said)
    check.holds(*_nothing_left(home, who, "commands", {}))


def _judges(check: Check, home: Home, who: str) -> None:
    """Judges, and ends at SIGTERM; once more with the file's own Python as the judge's."""
    daemon = Daemon(home)
    _, status = daemon.ask("GET", "/v1/status")
    check.host = {fact: status[fact] for fact in ("isolation", "enforcement")}
    for (language, expected), source in _PROGRAMS.items():
        found = daemon.verdict(language, source)
        check.holds(f"{who}: {language}: {expected}", found == expected, found)
    running = identities(daemon.everything())
    code = daemon.end(signal.SIGTERM)
    check.holds(f"{who}: SIGTERM: exit status 0", code == 0, code)
    check.holds(*_nothing_left(home, who, "SIGTERM", running))

    (own,) = home.cache.glob("scaleboxd-*/*/bin/python3")
    daemon = Daemon(home, f'[languages.python]\ninterpreter = "{own}"\n')
    found = daemon.verdict("python", _PROGRAMS["python", "accepted"])
    text = f"{who}: on a host without Python, the file's own runs submissions"
    check.holds(text, found == "accepted", found)
    daemon.end(signal.SIGTERM)
    (home.directory / "scalebox.toml").unlink()


def _killed(check: Check, home: Home, who: str) -> None:
    """kill -9 while a program and its orphan run; then a start over what is left."""
    daemon = Daemon(home)
    _, status = daemon.ask("GET", "/v1/status")
    before = processes.named(_MARK)
    request = {"language": "python", "source": _STAYS}
    asking = threading.Thread(target=_ask_in_vain, args=(daemon, request))
    asking.start()
    try:
        wait_for(lambda: len(processes.named(_MARK) - before) == 2, "the programs to run")
        running = identities(daemon.everything() | (processes.named(_MARK) - before))
    finally:
        daemon.end(signal.SIGKILL)
        asking.join()
    if status["isolation"] != "minimal":
        left = survivors(running)
        check.holds(f"{who}: kill -9: nothing that it started survives", not left, left)
    again = Daemon(home)
    left = survivors(running)
    check.holds(f"{who}: kill -9: nothing survives the next start", not left, left)
    found = again.verdict("python", _PROGRAMS["python", "accepted"])
    check.holds(f"{who}: kill -9: the next start judges", found == "accepted", found)
    groups = [
        str(group) for group in Path("/sys/fs/cgroup").rglob(f"scalebox.{daemon.process.pid}.*")
    ]
    check.holds(f"{who}: kill -9: the next start removes its cgroups", not groups, groups)
    running = identities(again.everything())
    again.end(signal.SIGTERM)
    check.holds(*_nothing_left(home, who, "kill -9 and another start", running))


def _ask_in_vain(daemon: Daemon, request: dict[str, str]) -> None:
    try:
        daemon.ask("POST", "/v1/run", request)
    except OSError:
        return  # the daemon was killed under it


def _nothing_left(
    home: Home, who: str, after: str, running: dict[int, int]
) -> tuple[str, bool, list[str]]:
    left = survivors(running | identities(home.processes())) + home.unexpected_files()
    return f"{who}: after {after} no process and no file is left", not left, left


# --- times ----------------------------------------------------------------------------------------


def start_times(check: Check) -> None:
    """How long starts take: first ones, later ones, and those of an installed wheel beside them."""
    home = Home(dist.DIST / "scaleboxd")
    try:
        times: dict[str, list[float]] = {}
        for name, first, count in (("cold", True, COLD_STARTS), ("warm", False, WARM_STARTS)):
            for _ in range(count):
                for what, measure in (("version", _version_s), ("ready", _ready_s)):
                    if first:
                        home.forget_cache()
                    times.setdefault(f"{what}_{name}_s", []).append(measure(home))
        unpacked = sum(path.lstat().st_size for path in home.cache.glob("scaleboxd-*/**/*"))
        installed = str(Path(sys.executable).with_name("scaleboxd"))
        times["ready_installed_s"] = [_ready_s(home, installed) for _ in range(WARM_STARTS)]
    finally:
        home.close()
    for name, samples in times.items():
        check.figures[name] = statistics.median(samples)
        check.figures[name.replace("_s", "_best_s")] = min(samples)
    check.figures["file_bytes"] = (dist.DIST / "scaleboxd").stat().st_size
    check.figures["unpacked_bytes"] = unpacked
    # The best: what a start costs, not what else the machine did.
    best = min(times["ready_warm_s"])
    check.promises.append(results.at_most("ready_warm_best_s", best, READY_S))


def _version_s(home: Home) -> float:
    began = time.perf_counter()
    home.run("./scaleboxd", "--version")
    return time.perf_counter() - began


def _ready_s(home: Home, *command: str) -> float:
    daemon = Daemon(home, "", *command)
    daemon.end(signal.SIGTERM)
    return daemon.ready_s


# --- wheel and sdist ------------------------------------------------------------------------------


def wheel(check: Check) -> None:
    """Complete, and it runs in an environment that has nothing else."""
    (built,) = dist.DIST.glob("*.whl")
    names = set(zipfile.ZipFile(built).namelist())
    wanted = {
        name.replace("judges/", "scalebox/_judges/", 1) if name.startswith("judges/") else name
        for name in tracked()
        if name.startswith(("scalebox/", "judges/"))
    }
    missing = sorted(wanted - names)
    check.holds("the wheel has every file of scalebox/ and of judges/", not missing, missing)
    with tempfile.TemporaryDirectory(prefix="scalebox-wheel-") as directory:
        environment = Path(directory) / "venv"
        # Debian's Python has no ensurepip without a further package; the pip at hand will do.
        for command in (
            ["-m", "venv", "--without-pip", str(environment)],
            ["-m", "pip", "--python", str(environment / "bin" / "python"), "--quiet",
             "--disable-pip-version-check", "install", str(built)],
        ):  # fmt: skip
            if subprocess.run([sys.executable, *command], check=False).returncode:
                raise CheckError(f"python {' '.join(command)} failed")
        empty = Path(directory) / "empty"
        empty.mkdir()
        for command, what in (
            (["demo"], "runs the demo"),
            (["judges", "test", "--local"], "decides the examples of its judges"),
        ):
            done = subprocess.run(
                [str(environment / "bin" / "scalebox"), *command],
                cwd=empty, env={"PATH": "/usr/bin:/bin", "HOME": str(empty)},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            )  # fmt: skip
            said = done.stdout + done.stderr
            check.holds(f"the wheel, installed alone, {what}", done.returncode == 0, said)


def sdist(check: Check) -> None:
    """Complete, and what is built from it is what was built from the tree."""
    (built,) = dist.DIST.glob("*.tar.gz")
    (original,) = dist.DIST.glob("*.whl")
    with tempfile.TemporaryDirectory(prefix="scalebox-sdist-") as directory:
        shutil.unpack_archive(built, directory)
        (root,) = Path(directory).iterdir()
        missing = sorted(name for name in tracked() if not (root / name).exists())
        check.holds("the sdist has every file of the tree", not missing, missing)
        rebuilt, _ = dist.build_packages(root, Path(directory) / "dist")
        first, second = _contents(original), _contents(rebuilt)
        different = sorted(
            name for name in first.keys() | second.keys() if first.get(name) != second.get(name)
        )
        check.holds("the wheel from the sdist is the wheel from the tree", not different, different)


def tracked() -> list[str]:
    """The files of the project; without git (an sdist), none are known to be missing."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [name for name in done.stdout.splitlines() if (ROOT / name).exists()]


def _contents(wheel_file: Path) -> dict[str, str]:
    with zipfile.ZipFile(wheel_file) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def _version() -> str:
    (built,) = dist.DIST.glob("*.whl")
    return built.name.split("-")[1]


def main() -> int:
    """Everything, the table, the file; returns the exit status."""
    if not (dist.DIST / "scaleboxd").exists():
        print("check-dist: there is nothing to check: `make dist` first", file=sys.stderr)
        return 1
    check = Check()
    check.part("single file", single_file(None))
    if os.geteuid() == 0:
        check.part("single file, unprivileged", single_file(_ORDINARY_USER))
    check.part("start times", start_times)
    check.part("wheel", wheel)
    check.part("sdist", sdist)
    host = {fact: check.rows[0].get(fact) for fact in ("isolation", "enforcement")}
    results.write("check-dist", check.figures, check.rows, promises=check.promises, host=host)
    results.show("Parts", check.rows)
    results.show("Figures", [{"figure": k, "value": v} for k, v in check.figures.items()])
    return results.conclude(check.promises)


if __name__ == "__main__":
    sys.exit(main())
