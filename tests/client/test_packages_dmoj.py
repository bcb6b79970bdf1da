"""DMOJ's problem folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scalebox.client.problems import ProblemFileError, load_problem, submissions_of_folder
from scalebox.model import (
    Comparison,
    FunctionJudge,
    InteractiveTests,
    Judge,
    Limits,
    ProgramJudge,
    StdioCase,
    StdioTests,
)
from tests.client.laid import lay, zipped

FILES = {"1.in": "1\r\n2", "1.out": "3\r\n", "2.in": "x", "2.out": "y"}
CASES = "test_cases:\n- {in: 1.in, out: 1.out, points: 10}\n- {in: 2.in, out: 2.out, points: 5}\n"


def stdio_of(folder: Path, init: str, **files: str | bytes) -> StdioTests:
    tests = load_problem(lay(folder, {**FILES, **files, "init.yml": init})).tests
    assert isinstance(tests, StdioTests)
    return tests


def judge_of(folder: Path, checker: str, **files: str | bytes) -> Judge:
    return stdio_of(folder, f"{CASES}checker: {checker}\n", **files).judge


def decided(judge: Judge, output: str, answer: str) -> Any:
    """What a function says, in this process: these are ours."""
    assert isinstance(judge, FunctionJudge)
    space: dict[str, Any] = {}
    exec(str(judge.source), space)
    found = space["judge"]("", output, answer)
    return found[0] if isinstance(found, tuple) else found


def test_cases_in_files(tmp_path: Path) -> None:
    tests = stdio_of(tmp_path, CASES)
    # Line ends as the judge's: data is text unless it says that it is not.
    assert tests.cases == [
        StdioCase(input="1\n2", answer="3\n", name="1"),
        StdioCase(input="x", answer="y", name="2"),
    ]
    assert submissions_of_folder(tmp_path) == []
    raw = stdio_of(tmp_path, CASES + "binary_data: true\n")
    assert raw.cases[0].input == "1\r\n2"


def test_cases_in_an_archive(tmp_path: Path) -> None:
    packed = zipped({"data/a.in": "in", "data/a.out": "out", "1.in": "hidden by the folder's"})
    init = """
archive: all.zip
output_limit_length: 1000
checker: identical
test_cases:
- points: 0
  in: data/a.in
  out: data/a.out
- points: 10
  batched:
  - {in: 1.in, out: 1.out}
  - {in: 2.in, out: 2.out, checker: {name: floats, args: {precision: 3}}}
  dependencies: [1]
"""
    files = {**FILES, "all.zip": packed, "init.yml": init}
    problem = load_problem(lay(tmp_path, files))
    assert problem.limits == Limits(output_bytes=1000)
    tests = problem.tests
    assert isinstance(tests, StdioTests)
    assert tests.judge == Comparison(mode="exact")
    assert [case.name for case in tests.cases] == ["1", "2.1", "2.2"]
    assert [case.input for case in tests.cases] == ["in", "1\n2", "x"]
    assert [case.judge is None for case in tests.cases] == [True, True, False]


def test_a_batchs_checker_is_its_cases(tmp_path: Path) -> None:
    init = """
test_cases:
- {in: 1.in, out: 1.out}
- checker: identical
  batched:
  - {in: 1.in, out: 1.out}
  - {in: 2.in, out: 2.out, checker: standard}
"""
    tests = stdio_of(tmp_path, init)
    assert [case.judge for case in tests.cases] == [None, Comparison(mode="exact"), None]


RULES: dict[str, tuple[str, list[tuple[str, str, Any]]]] = {
    "standard": (
        "standard",
        [
            ("1  2\n\n \n3\n", "\n1 2\r\n3", True),
            ("1\n2\n3", "1 2\n3", False),
            ("a", "A", False),
            ("", "\n", True),
            ("1 2", "1 2 3", False),
            # A space that bytes do not know is part of a word.
            ("1\u00a02", "1 2", False),
            ("1\f2", "1 2", True),
        ],
    ),
    "easy": ("easy", [("b A\n", "ab", True), ("aab", "abb", False)]),
    "floats": (
        "floats",
        [
            ("1.0000001 x", "1 x", True),
            ("1.00001", "1", False),
            ("1000000.5", "1000000", True),
            ("nan", "nan", False),
            ("inf", "inf", False),
            ("x", "1", False),
            ("X", "x", False),
            ("1", "x", False),
            ("1 2", "1\n2", False),
            ("\n\n1e3\n", "1000", True),
            ("1", "1 2", False),
        ],
    ),
    "floats that are far": (
        "{name: floats, args: {precision: 2}}",
        [("1.009", "1", True), ("1.011", "1", False), ("100.9", "100", True)],
    ),
    "absolute": (
        "{name: floatsabs, args: {precision: 1}}",
        [("100.05", "100", True), ("100.2", "100", False)],
    ),
    "relative": (
        "{name: floats, args: {precision: 1, error_mode: relative}}",
        [("-109", "-100", True), ("0.00001", "0", False), ("0", "0", True), ("nan", "1", False)],
    ),
    "floatsrel": ("floatsrel", [("100.00001", "100", True), ("100.001", "100", False)]),
    "rstripped": (
        "rstripped",
        [("a  \nb", "a\nb\t", True), (" a", "a", False), ("a\n", "a", False)],
    ),
    "rstripped without empty lines": (
        "{name: rstripped, args: {filter_new_line: true}}",
        [("a\n\n", "\na ", True)],
    ),
    "sorted": (
        "sorted",
        [("2  b\n1 a\n", "1 a\n2 b", True), ("a 1", "1 a", False), ("1\n1", "1", False)],
    ),
    "sorted words": (
        "{name: sorted, args: {split_on: whitespace}}",
        [("3 1\n2", "1 2 3", True), ("1 1", "1", False)],
    ),
    "unordered": ("unordered", [("3 1\n2", "1 2 3", True), ("1 1 2", "1 2 2", False)]),
    "linecount": (
        "linecount",
        [
            ("a\n\n b ", "a\nb", True),
            ("a\nx", "a\nb", 0.5),
            ("a", "a\nb", 0.5),
            ("a\nb\nc", "a\nb", False),
            ("", "", True),
        ],
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_a_standard_checker_decides_as_its_original(tmp_path: Path, name: str) -> None:
    checker, decisions = RULES[name]
    judge = judge_of(tmp_path, checker)
    for output, answer, wanted in decisions:
        assert decided(judge, output, answer) == wanted, (output, answer)


def test_no_checker_is_the_standard_one(tmp_path: Path) -> None:
    assert stdio_of(tmp_path, CASES).judge == judge_of(tmp_path, "standard")


def test_a_checker_that_is_a_program(tmp_path: Path) -> None:
    checker = """
  name: bridged
  args:
    files: [lib/own.h, check.cpp, testlib.h]
    lang: CPP17
    type: testlib
    time_limit: 3
    memory_limit: 65536
"""
    files = {"check.cpp": "main", "lib/own.h": "own", "testlib.h": "not needed"}
    assert judge_of(tmp_path, checker, **files) == ProgramJudge(
        contract="testlib",
        language="cpp17",
        source="main",
        files={"own.h": "own"},
        limits=Limits(cpu_time_s=3, memory_bytes=64 << 20),
    )
    short = "{name: bridged, args: {files: check.cpp, type: testlib}}"
    judge = judge_of(tmp_path, short)
    assert isinstance(judge, ProgramJudge)
    assert judge.language == "cpp"


def test_an_interactor_that_is_a_program(tmp_path: Path) -> None:
    init = """
interactive: {files: talk.cpp, type: testlib, lang: CPP20}
test_cases:
- {in: 1.in, points: 5}
- {in: 2.in, out: 2.out, points: 5}
"""
    tests = load_problem(lay(tmp_path, {**FILES, "talk.cpp": "talk", "init.yml": init})).tests
    assert isinstance(tests, InteractiveTests)
    assert tests.judge == ProgramJudge(contract="testlib", language="cpp20", source="talk")
    assert [(case.input, case.answer) for case in tests.cases] == [("1\n2", ""), ("x", "y")]


TALK = "interactive: {files: talk.cpp, type: testlib}\n"
REFUSED: dict[str, tuple[str, str]] = {
    "a grader": (CASES + "custom_judge: g.py", "`custom_judge` cannot be had"),
    "a signature": (CASES + "signature_grader: {entry: a.c, header: a.h}", "`signature_grader`"),
    "a generator": ("test_cases:\n- {generator: g.cpp, in: 1.in}", r"test_cases\[0\]: `generator`"),
    "files of given names": (CASES + "file_io: {input: a.txt}", "`file_io`"),
    "patterns": ("test_cases: {input_format: '(a+)+$'}", "patterns.*write them out"),
    "no cases": ("archive: a.zip", "`test_cases` must be a list"),
    "empty": ("test_cases: []", "`test_cases` is empty"),
    "a batch in a batch": ("test_cases: [{batched: [{batched: [{in: a}]}]}]", "batch in a batch"),
    "a misspelt key": (CASES + "cheker: sorted", "probably meant to be `checker`"),
    "an unknown checker": (CASES + "checker: mine.py", r"checker: .*'mine.py'.*sorted"),
    "an unknown mode": (CASES + "checker: {name: floats, args: {error_mode: x}}", "`error_mode`"),
    "a precision": (CASES + "checker: {name: floats, args: {precision: 999}}", "`precision`"),
    "split on what": (CASES + "checker: {name: sorted, args: {split_on: a}}", "`split_on`"),
    "a program of another type": (
        CASES + "checker: {name: bridged, args: {files: check.cpp, type: coci}}",
        "'coci'.*testlib",
    ),
    "a program without a type": (
        CASES + "checker: {name: bridged, args: {files: check.cpp}}",
        "'default'",
    ),
    "a program with arguments": (
        CASES + "checker: {name: bridged, args: {files: check.cpp, type: testlib, args: x}}",
        "`args`",
    ),
    "a program without files": (
        CASES + "checker: {name: bridged, args: {type: testlib}}",
        "`files` is missing",
    ),
    "a program in another language": (
        CASES + "checker: {name: bridged, args: {files: check.cpp, type: testlib, lang: RUST}}",
        "RUST",
    ),
    "an interactor of another type": (
        "interactive: {files: talk.cpp}\n" + CASES,
        "interactor of type 'default'",
    ),
    "no flushing": (TALK + "unbuffered: true\n" + CASES, "`unbuffered`"),
    "a file that is not there": ("test_cases: [{in: 9.in, out: 1.out}]", "'9.in'.*not in the fol"),
    "a file outside": ("test_cases: [{in: ../9.in, out: 1.out}]", "no path inside"),
    "an absolute path": ("test_cases: [{in: /etc/passwd, out: 1.out}]", "no path inside"),
    "no answer": ("test_cases: [{in: 1.in}]", "no `out` to compare with"),
    "an answer that is no text": ("test_cases: [{in: 1.in, out: raw}]", "no UTF-8 text"),
    "an archive that is not there": ("archive: none.zip\n" + CASES, "none.zip is not there"),
    "an archive that is none": ("archive: raw\n" + CASES, "raw is no zip archive"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_judged_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    init, words = REFUSED[name]
    more = {"check.cpp": "", "talk.cpp": "", "raw": b"\xff", "init.yml": init}
    with pytest.raises(ProblemFileError, match=words) as caught:
        load_problem(lay(tmp_path, {**FILES, **more}))
    assert str(tmp_path) in caught.value.message


def test_an_answer_of_bytes_can_be_compared_exactly(tmp_path: Path) -> None:
    init = "checker: identical\ntest_cases: [{in: 1.in, out: raw}]"
    assert len(stdio_of(tmp_path, init, raw=b"\xff").cases) == 1
