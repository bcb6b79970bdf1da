"""Real clients are put to their checks, and every way to fail is seen as one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import clients, compat_test
from bench.clients import Client, Environment, NotInstalledError, Served
from bench.results import ROOT
from scalebox.api.compat.protocols import PROTOCOLS

SERVED = Served("http://127.0.0.1:1", "/nowhere/s")

#: A client's module, laid where its packages are.
SAMPLE = '''
import os

def check_what_is_told(served):
    """Where the daemon is."""
    assert served.url == "http://127.0.0.1:1"
    assert os.environ["SCALEBOX_SOCKET"] == served.socket == "/nowhere/s"

async def check_a_coroutine(served):
    """It is awaited."""
    print("scalebox", end="")
    raise ValueError("it was")

def check_a_broken_connection(served):
    """It raises what is no Exception of Python's own."""
    raise ConnectionResetError("gone")

def check_a_crash(served):
    """The process ends."""
    os._exit(0)

def check_after_it(served):
    """Never comes."""

def helper(served):
    raise AssertionError
'''


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """This one's Python, which has scalebox and what it needs."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return Environment(tmp_path)


def test_each_check_tells_how_it_went(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = environment.folder("sample_client")
    folder.mkdir(parents=True)
    (folder / "sample_client.py").write_text(SAMPLE)
    monkeypatch.syspath_prepend(str(folder))
    told, awaited, broken, crash, after = environment.run("sample_client", SERVED)
    assert (told.name, told.exercised, told.passed) == (
        "what is told",
        "Where the daemon is.",
        True,
    )
    assert not awaited.passed
    assert "ValueError: it was" in awaited.message
    assert "ConnectionResetError: gone" in broken.message
    assert (crash.passed, after.passed) == (False, False)
    assert crash.message == after.message == "ended with 0"


def test_a_client_that_does_not_come_is_told(environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(NotInstalledError, match="no-such-package"):
        environment.install(
            "sample_client", Client("sample", requirement=str(tmp_path / "no-such-package"))
        )


def test_a_module_comes_without_the_packages_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "heavy_client" / "rewards"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent):
        (folder / "__init__.py").write_text("raise ImportError('a GPU stack')\n")
    (inner / "numbers.py").write_text("SEVEN = 7\n")
    (inner / "code.py").write_text("from .numbers import SEVEN\nfrom heavy_client import rewards\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert clients.import_alone("heavy_client.rewards.code").SEVEN == 7
    with pytest.raises(ImportError, match="no_such"):
        clients.import_alone("heavy_client.no_such.code")


def test_every_client_has_checks_that_say_what_they_exercise() -> None:
    for module in clients.all_of_them():
        checks = [check for check, _ in clients.checks_of(module).values()]
        assert checks, module
        assert all(len(check.exercised) > 10 for check in checks), module


@pytest.mark.parametrize(
    ("passed", "tests_passed", "status"), [(True, 2, 0), (False, 2, 1), (True, 1, 1)]
)
def test_one_that_fails_is_the_exit_status(
    passed: bool,
    tests_passed: int,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SCALEBOX_BENCH_RESULTS", str(tmp_path))
    row = {
        "client": "sample",
        "version": "1",
        "check": "what it does",
        "passed": passed,
        "installed": "in part: a GPU stack",
        "exercised": "",
        "message": "it did not",
    }
    tested = [{"tests of": "sandboxfusion", "checks": 2, "passed": tests_passed}]
    assert compat_test.conclude([row], tested, whole=False) == status
    said = capsys.readouterr().out
    assert "sample is here in part: a GPU stack" in said
    assert ("it did not" in said) is not passed


@pytest.mark.parametrize(
    ("outcome", "checks", "passed"),
    [("assert True", 2, 2), ("assert False", 2, 1), ("raise SystemExit", 2, 1), ("(", 1, 0)],
)
def test_what_pytest_reports_is_counted(
    outcome: str, checks: int, passed: int, tmp_path: Path
) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    text = f"def test_one(): pass\ndef test_other(): {outcome}\n"
    (folder / "test_sample.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "tests", "--junitxml=report.xml"]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    [row] = compat_test.counted((tmp_path / "report.xml").read_bytes())
    assert row == {"tests of": "sample", "checks": checks, "passed": passed}


def test_the_tests_of_a_protocol_bear_its_name() -> None:
    folder = ROOT / "tests" / "api" / "compat"
    for protocol in PROTOCOLS:
        assert (folder / f"test_{protocol.name}.py").exists(), protocol.name
