"""Tests written for pytest, with what belongs to them, as submissions."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scalebox.config import LanguagesConfig, PythonConfig
from scalebox.languages.toolchains import Toolchains, Versions
from scalebox.model import RunRequest
from tests.engine.conftest import LEVELS, StartsEngine, stdio
from tests.languages.conftest import HERE

MODULE = "def add(a, b):\n    return a + b\n"
TESTS = """
import sys
import pytest
from solution import add

class TestAdd:
    def test_small(self, capfd, tmp_path):
        (tmp_path / "out").write_text(str(add(3, 4)))
        assert (tmp_path / "out").read_text() == "7"
        print("caught")
        assert capfd.readouterr().out == "caught\\n"

    @pytest.mark.parametrize("a", range(3))
    def test_many(self, a):
        assert add(a, 1) == a + 1

def test_of_the_case():
    print(add(*map(int, input().split())))
"""
CASES = [("3 4\n", "7\n"), ("100 23\n", "123\n")]
#: Further files, and the verdict of the same tests with them.
FILES = {
    "module": ({"solution.py": MODULE}, "accepted"),
    "wrong module": ({"solution.py": MODULE.replace("+", "-")}, "runtime_error"),
    "no module": ({}, "runtime_error"),
    "module that is no program": ({"solution.py": "def add(\n"}, "runtime_error"),
    "tests of others": (
        {"solution.py": MODULE, "test_other.py": "def test_other(): assert False\n"},
        "accepted",
    ),
    "conftest": (
        {"conftest.py": "import sys, types\nsys.modules['solution'] = made = "
         f"types.ModuleType('solution')\nexec({MODULE!r}, made.__dict__)\n"},
        "accepted",
    ),
    "settings": (
        {"solution.py": MODULE, "pytest.ini": "[pytest]\npython_functions = none_of_these\n"
         "python_classes = None\n"},
        "runtime_error",
    ),
    "other settings": (
        {"solution.py": MODULE, "pyproject.toml": "[tool.pytest.ini_options]\n"
         "addopts = '-k small'\n"},
        "wrong_answer",
    ),
}  # fmt: skip
#: Messages of what fails, and what they hold.
FAILING = {
    "def test_sum(): assert 3 + 4 == 8\n": "exit code 1: FAILED test_solution.py::test_sum",
    "def sum_test(): assert False\n": "exit code 5",
    "import nothing_of_the_kind\n": "exit code 2: ERROR test_solution.py",
    "def test_end():\n    import os\n    os._exit(3)\n": "exit code 3",
}


@pytest.mark.parametrize("level", LEVELS if "pytest" in HERE else [])
async def test_files_beside_the_tests(
    start_engine: StartsEngine, tmp_path: Path, level: str
) -> None:
    # What is above a program's folder is no setting of its own.
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    (tmp_path / "conftest.py").write_text("raise SystemExit('not this one')\n")
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        for what, (files, verdict) in FILES.items():
            submission = stdio(TESTS, CASES, language="pytest", files=files)
            report = await engine.judge(submission, client="t")
            assert report.verdict.value == verdict, (what, report)


@pytest.mark.parametrize("source", FAILING if "pytest" in HERE else [])
async def test_what_fails_is_named(start_engine: StartsEngine, source: str) -> None:
    async with start_engine() as engine:
        report = await engine.judge(stdio(source, CASES, language="pytest"), client="t")
        assert report.verdict.value == "runtime_error"
        assert FAILING[source] in report.cases[0].message


@pytest.mark.parametrize("language", ["pytest"] if "pytest" in HERE else [])
async def test_what_pytest_says_is_no_output_and_takes_arguments(
    start_engine: StartsEngine, language: str
) -> None:
    request = RunRequest(
        source=TESTS, language=language, files={"solution.py": MODULE}, args=["-k", "many", "-vv"]
    )
    async with start_engine() as engine:
        result = await engine.run(request, client="t")
        assert (result.exit_code, result.stdout) == (0, b"")
        assert b"TestAdd::test_many[2] PASSED" in result.stderr
        assert b"3 passed, 2 deselected" in result.stderr


def test_a_python_without_pytest_says_what_brings_it(tmp_path: Path) -> None:
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    interpreter = str(tmp_path / "v" / "bin" / "python")
    tools = Toolchains(LanguagesConfig(python=PythonConfig(interpreter=interpreter)))
    info = {one.name: one for one in tools.infos()}["pytest"]
    assert not info.available
    assert f"needs pytest, which {interpreter} does not have" in info.missing
    assert "python3-pytest" in info.missing
    assert tools.find("python").version == info.toolchain.removeprefix("pytest , ")


def test_another_pytest_is_another_tool_chain(tmp_path: Path) -> None:
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    library = next((tmp_path / "v" / "lib").glob("python3*")) / "site-packages"
    identities, versions = [], Versions(None)
    config = PythonConfig(interpreter=str(tmp_path / "v" / "bin" / "python"))
    (library / "pytest.py").touch()
    for version in ("7.1", "7.2", "7.2"):
        (library / "pytest.dist-info").mkdir(exist_ok=True)
        (library / "pytest.dist-info" / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: pytest\nVersion: {version}\n"
        )
        found = Toolchains(LanguagesConfig(python=config), versions).find("pytest")
        assert found.version.startswith(f"pytest {version}, Python 3.")
        identities.append(found.identity)
    assert identities[0] != identities[1] == identities[2]
