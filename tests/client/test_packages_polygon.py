"""Polygon packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from scalebox.client.problems import ProblemFileError, load_problem, submissions_of_folder
from scalebox.model import (
    InteractiveCase,
    InteractiveTests,
    Limits,
    ProgramJudge,
    StdioCase,
    StdioTests,
)
from tests.client.laid import lay

CHECKER = '<checker name="std::wcmp.cpp" type="testlib"><source path="files/check.cpp" '
CHECKER += 'type="cpp.g++17"/><copy path="check.cpp"/></checker>'
INTERACTOR = '<interactor><source path="files/talk.cpp" type="cpp.g++17"/></interactor>'
SOLUTIONS = """<solutions>
<solution tag="main"><source path="solutions/a.cpp" type="cpp.g++20"/></solution>
<solution tag="accepted"><source path="solutions/b.py" type="python.3"/></solution>
<solution tag="wrong-answer"><source path="solutions/c.py" type="python.pypy2"/></solution>
<solution tag="rejected"><source path="solutions/d.d" type="d"/></solution>
</solutions>"""
FILES = {
    "files/check.cpp": '#include "testlib.h"\n',
    "files/talk.cpp": '#include "testlib.h"\nint tour;\n',
    "files/testlib.h": "not needed",
    "files/own.h": "own",
    "files/olymp.sty": "style",
    "tests/01": "1 2\n",
    "tests/01.a": "3\n",
    "tests/02": "4 5\r\n",
    "tests/02.a": "9\r\n",
    "solutions/a.cpp": "a",
    "solutions/b.py": "b",
    "solutions/c.py": "c",
}


def package(
    *,
    judging: str = 'input-file="" output-file=""',
    testset: str = "<test-count>2</test-count>",
    patterns: tuple[str, str] = ("tests/%02d", "tests/%02d.a"),
    limits: str = "<time-limit>2300</time-limit><memory-limit>268435456</memory-limit>",
    assets: str = CHECKER + SOLUTIONS,
) -> str:
    """A problem.xml as Polygon writes it."""
    return f"""<?xml version="1.0" encoding="utf-8" standalone="no"?>
<problem revision="7" short-name="sums" url="https://polygon.example/p/sums">
    <names><name language="russian" value="Суммы"/><name language="english" value="Sums"/></names>
    <judging {judging}>
        <testset name="pretests"><time-limit>1</time-limit></testset>
        <testset name="tests">
            {limits}
            {testset}
            <input-path-pattern>{patterns[0]}</input-path-pattern>
            <answer-path-pattern>{patterns[1]}</answer-path-pattern>
            <tests><test method="manual" sample="true"/><test cmd="gen 5"/></tests>
        </testset>
    </judging>
    <files><resources><file path="files/testlib.h" type="h.g++"/></resources></files>
    <assets>{assets}</assets>
</problem>
"""


def test_a_package_with_a_checker(tmp_path: Path) -> None:
    problem = load_problem(lay(tmp_path, {**FILES, "problem.xml": package()}))
    assert problem.name == "Sums"
    assert problem.limits == Limits(cpu_time_s=2.3, memory_bytes=256 << 20)
    assert problem.tests == StdioTests(
        cases=[
            StdioCase(input="1 2\n", answer="3\n", name="1"),
            StdioCase(input="4 5\r\n", answer="9\r\n", name="2"),
        ],
        # The daemon has a testlib.h of its own.
        judge=ProgramJudge(
            contract="testlib",
            language="cpp",
            source='#include "testlib.h"\n',
            files={"own.h": "own"},
        ),
    )


def test_an_interactive_package(tmp_path: Path) -> None:
    text = package(assets=INTERACTOR + CHECKER)
    tests = load_problem(lay(tmp_path, {**FILES, "problem.xml": text})).tests
    assert isinstance(tests, InteractiveTests)
    assert tests.judge.contract == "testlib"
    assert tests.judge.source == FILES["files/talk.cpp"]
    assert tests.cases[0] == InteractiveCase(input="1 2\n", answer="3\n", name="1")


@pytest.mark.parametrize("testset", ["", "<test-count>2</test-count>"])
def test_tests_are_counted_or_listed(tmp_path: Path, testset: str) -> None:
    problem = load_problem(lay(tmp_path, {**FILES, "problem.xml": package(testset=testset)}))
    assert len(problem.tests.cases) == 2


def test_other_patterns(tmp_path: Path) -> None:
    files = {**FILES, "in/1.txt": "x", "in/1.out": "y", "in/2.txt": "", "in/2.out": ""}
    text = package(patterns=("in/%d.txt", "in/%d.out"))
    tests = load_problem(lay(tmp_path, {**files, "problem.xml": text})).tests
    assert isinstance(tests, StdioTests)
    assert (tests.cases[0].input, tests.cases[0].answer) == ("x", "y")


def test_the_submissions_of_a_package(tmp_path: Path) -> None:
    found = submissions_of_folder(lay(tmp_path, {**FILES, "problem.xml": package()}))
    assert [(one.name, one.label, one.submission.language) for one in found] == [
        ("solutions/a.cpp", "accepted", "cpp"),
        ("solutions/b.py", "accepted", "python"),
        ("solutions/c.py", "wrong_answer", "python2"),
    ]
    assert found[0].submission.source == "a"


ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE problem [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">'
    '<!ENTITY f SYSTEM "file:///etc/passwd">]><problem>&b;&f;</problem>'
)
REFUSED: dict[str, tuple[str, str]] = {
    "files of a given name": (
        package(judging='input-file="sum.in" output-file="sum.out"'),
        "input-file is 'sum.in'.*standard input",
    ),
    "an output file alone": (package(judging='output-file="sum.out"'), "output-file"),
    "several passes": (package(judging='run-count="2"'), "several passes"),
    "no checker": (package(assets=""), "no assets/checker"),
    "a checker of another kind": (
        package(assets='<checker type="own"><source path="files/check.cpp"/></checker>'),
        "'own'.*testlib",
    ),
    "a checker in Pascal": (
        package(assets='<checker><source path="files/c.pas" type="pas.fpc"/></checker>'),
        "pas.fpc",
    ),
    "a checker without its source": (package(assets="<checker/>"), "no <source"),
    "a checker that is not there": (
        package(assets='<checker><source path="files/none.cpp" type="cpp.g++"/></checker>'),
        "files/none.cpp is not there",
    ),
    "an interactor that hands over": (
        package(
            assets='<interactor><source path="files/hand.cpp" type="cpp.g++17"/></interactor>'
            + CHECKER
        ),
        "tout.*two judges",
    ),
    "a path outside": (
        package(patterns=("../%02d", "tests/%02d.a")),
        "no path inside the package",
    ),
    "a pattern without a number": (package(patterns=("tests/x", "tests/%02d.a")), "one number"),
    "a pattern with more": (package(patterns=("tests/%02d%s", "tests/%02d.a")), "one number"),
    "too many tests": (package(testset="<test-count>99999999</test-count>"), "99999999 tests"),
    "tests that are not there": (
        package(patterns=("made/%02d", "made/%02d.a")),
        "made/01 is not there.*full packages",
    ),
    "a limit that is none": (package(limits="<time-limit>2 s</time-limit>"), "time-limit is '2 s'"),
    "a limit that is too low": (package(limits="<time-limit>1</time-limit>"), "cpu_time_s"),
    "entities": (ENTITIES, "document type"),
    "no XML": ("<problem>", "problem.xml is not XML"),
    "another document": ("<contest/>", "<contest>, not <problem>"),
    "a nest without end": ("<problem>" * 100_000, "deep"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_judged_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    text, words = REFUSED[name]
    files = {**FILES, "files/hand.cpp": "int main() { tout << 1; }", "problem.xml": text}
    with pytest.raises(ProblemFileError, match=words) as caught:
        load_problem(lay(tmp_path, files))
    assert str(tmp_path) in caught.value.message
