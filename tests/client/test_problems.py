"""Problems from folders and rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.client.problems import (
    ProblemFileError,
    comparison_of_flags,
    load_problem,
    load_problems,
    read_rows,
    submissions_of_row,
)
from scalebox.model import (
    AssertTests,
    Blob,
    CallTests,
    Comparison,
    InteractiveTests,
    NamedJudge,
    Problem,
    ProgramJudge,
    StdioCase,
    StdioTests,
)

PACKAGE: dict[str, Any] = {
    "id": "sums",
    "name": "Sums",
    "time_limit_s": 1.5,
    "memory_limit_mb": 64,
    "judge": {"kind": "default", "flags": "float_tolerance 1e-6", "folder": None},
    "tests": [
        {"name": "a", "input": "1 2", "answer": "3", "flags": None},
        {"name": "b", "input": "1 2", "answer": "3", "flags": "float_absolute_tolerance 0.1"},
    ],
    "submissions": [
        {
            "name": "accepted/x",
            "label": "accepted",
            "language": "cpp",
            "label_check": "ok",
            "files": {"data.txt": "d", "main.cpp": "m", "help.cpp": "h"},
        }
    ],
}
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": "def f():\n",
    "canonical_solution": "    return 1\n",
    "entry_point": "f",
    "test": "def check(candidate):\n    assert candidate() == 1\n",
}
MBPP = {
    "task_id": 7,
    "text": "",
    "code": "def f():\r\n  return 1",
    "test_setup_code": "x = 1",
    "test_list": ["assert f() == x", "assert f()"],
    "challenge_test_list": [],
}


def write_rows(path: Path, *rows: object) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def test_a_folder_of_files_in_their_natural_order(tmp_path: Path) -> None:
    for name in ("2", "10", "1"):
        (tmp_path / f"{name}.in").write_text(name)
        (tmp_path / f"{name}.{'out' if name == '1' else 'ans'}").write_text("a" + name)
    (tmp_path / "10.in").write_bytes(b"\xff\x00")
    problem = load_problem(tmp_path)
    assert isinstance(problem.tests, StdioTests)
    assert [case.name for case in problem.tests.cases] == ["1", "2", "10"]
    assert problem.tests.cases[0].answer == "a1"
    assert problem.tests.cases[2].input == Blob(data=b"\xff\x00")
    assert load_problems(tmp_path) == [(tmp_path.name, problem)]


def test_a_folder_with_limits_and_judge(tmp_path: Path) -> None:
    (tmp_path / "1.in").write_text("x")
    (tmp_path / "1.ans").write_text("x")
    (tmp_path / "problem.toml").write_text(
        'name = "N"\n[limits]\ncpu_time_s = 2\n[judge]\nmode = "exact"\n'
    )
    problem = load_problem(tmp_path)
    assert problem.name == "N"
    assert problem.limits.cpu_time_s == 2
    assert isinstance(problem.tests, StdioTests)
    assert problem.tests.judge == Comparison(mode="exact")


def test_a_folder_that_names_a_judge(tmp_path: Path) -> None:
    (tmp_path / "1.in").write_text("x")
    (tmp_path / "1.ans").write_text("x")
    (tmp_path / "problem.toml").write_text(
        '[judge]\ntype = "named"\nname = "floats"\nparameters = { absolute = 0.5 }\n'
    )
    tests = load_problem(tmp_path).tests
    assert isinstance(tests, StdioTests)
    assert tests.judge == NamedJudge(name="floats", parameters={"absolute": 0.5})


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no tests"),
        ({"1.in": ""}, "no answer"),
        ({"1.in": "", "1.ans": "", "problem.toml": "[limits]\ncpu = 1"}, "limits.*cpu"),
        ({"1.in": "", "1.ans": "", "problem.toml": "= 1"}, "problem.toml"),
        ({"1.in": "", "1.ans": "", "problem.toml": '[judge]\nmode = "fuzzy"'}, "fuzzy"),
        ({"problem.toml": '[tests]\ntype = "guess"'}, "guess"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ProblemFileError, match=words):
        load_problem(tmp_path)


def test_a_problem_package_row(tmp_path: Path) -> None:
    problem = load_problem(write_rows(tmp_path / "p.jsonl.gz", PACKAGE))
    assert problem.limits.cpu_time_s == 1.5
    assert problem.limits.memory_bytes == 64 << 20
    assert isinstance(problem.tests, StdioTests)
    assert problem.tests.judge == Comparison(
        float_absolute_tolerance=1e-6, float_relative_tolerance=1e-6
    )
    assert [case.judge for case in problem.tests.cases] == [
        None,
        Comparison(float_absolute_tolerance=0.1),
    ]


VALIDATOR = {
    "kind": "custom",
    "flags": "a 1",
    "folder": "output_validators",
    "files": {"v/check.cc": "main", "v/check.h": "head"},
}


def test_a_package_row_with_a_validator(tmp_path: Path) -> None:
    tests = [{"name": n, "input": "", "answer": "", "flags": n} for n in (None, "a 1", "b", "")]
    row = {**PACKAGE, "judge": VALIDATOR, "tests": tests}
    problem = load_problem(write_rows(tmp_path / "p.jsonl", row))
    assert isinstance(problem.tests, StdioTests)
    assert problem.tests.judge == ProgramJudge(
        contract="icpc",
        language="cpp",
        source="main",
        files={"check.h": "head"},
        flags=["a", "1"],
    )
    assert [case.judge_flags for case in problem.tests.cases] == [None, None, ["b"], []]


@pytest.mark.parametrize(
    ("folder", "files", "main"),
    [
        ("output_validators", {"v.py": "one"}, "one"),
        ("output_validator", {"a/main.py": "one", "a/b.py": "two"}, "one"),
        ("output_validator", {"main.py": "one", "b.py": "two"}, "one"),
    ],
)
def test_a_package_row_that_talks(
    tmp_path: Path, folder: str, files: dict[str, str], main: str
) -> None:
    judge = {**VALIDATOR, "kind": "interactive", "folder": folder, "files": files}
    problem = load_problem(write_rows(tmp_path / "p.jsonl", {**PACKAGE, "judge": judge}))
    assert isinstance(problem.tests, InteractiveTests)
    assert problem.tests.judge.source == main
    assert problem.tests.judge.language == "python"


@pytest.mark.parametrize("kind", ["custom", "interactive"])
def test_a_package_row_of_several_passes(tmp_path: Path, kind: str) -> None:
    judge = {**VALIDATOR, "kind": kind, "multi_pass": True}
    tests = load_problem(write_rows(tmp_path / "p.jsonl", {**PACKAGE, "judge": judge})).tests
    assert isinstance(tests, InteractiveTests if kind == "interactive" else StdioTests)
    assert isinstance(tests.judge, ProgramJudge)
    assert tests.judge.passes == 2


def test_the_submissions_of_a_package_row(tmp_path: Path) -> None:
    (row,) = read_rows(write_rows(tmp_path / "p.jsonl", PACKAGE))
    (found,) = row.submissions()
    assert (found.name, found.label, found.label_check) == ("accepted/x", "accepted", "ok")
    assert found.submission.source == "m"
    assert found.submission.files == {"data.txt": "d", "help.cpp": "h"}
    assert found.submission.tests == row.problem().tests


def test_humaneval_and_mbpp_rows(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "p.jsonl", HUMANEVAL, MBPP)
    problem = load_problem(file, "HumanEval/0")
    assert isinstance(problem.tests, AssertTests)
    assert problem.tests.entry_point == "f"
    assert problem == load_problem(file, 0) == load_problem(file, "0")
    mbpp = load_problem(file, "7")
    assert isinstance(mbpp.tests, AssertTests)
    assert [case.program for case in mbpp.tests.cases] == [
        "x = 1\nassert f() == x",
        "x = 1\nassert f()",
    ]
    assert submissions_of_row(HUMANEVAL)[0].submission.source == "def f():\n    return 1\n"
    assert "\r" not in submissions_of_row(MBPP)[0].submission.source


def test_our_own_rows_round_trip(tmp_path: Path) -> None:
    problem = Problem(tests=StdioTests(cases=[StdioCase(input="1", answer="2")]), name="n")
    row = {"id": "mine", **json.loads(msgspec.json.encode(problem))}
    assert load_problem(write_rows(tmp_path / "p.jsonl", row), "mine") == problem
    single = tmp_path / "p.json"
    single.write_bytes(msgspec.json.encode(problem))
    assert load_problem(single) == problem
    call = {"tests": {"type": "call", "function": "f", "cases": [{"args": [1], "expected": 2}]}}
    assert isinstance(load_problem(write_rows(tmp_path / "c.jsonl", call)).tests, CallTests)


def test_apps_rows_over_standard_input(tmp_path: Path) -> None:
    row = {"input_output": json.dumps({"inputs": ["1\n", ["2", "3"]], "outputs": ["1", "5"]})}
    problem = load_problem(write_rows(tmp_path / "p.jsonl", row))
    assert isinstance(problem.tests, StdioTests)
    assert problem.tests.cases[1].input == "2\n3"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            {**PACKAGE, "judge": {"kind": "default", "flags": "", "multi_pass": True}},
            "several passes, and the default validator",
        ),
        ({**PACKAGE, "judge": {**VALIDATOR, "files": {"v/a.rb": ""}}}, "unknown language: a.rb"),
        (
            {**PACKAGE, "judge": {**VALIDATOR, "files": {"v/a.py": "", "w/a.py": ""}}},
            "2 output validators: v, w",
        ),
        ({**PACKAGE, "judge": {"kind": "default", "flags": "float_tolerance"}}, "number"),
        ({**PACKAGE, "tests": [{}]}, "input"),
        ({"base_input": [], "plus_input": []}, "expected values"),
        ({"input_output": {"inputs": [1], "outputs": []}}, "1 inputs, but 0"),
        ({"input_output": {"inputs": [], "outputs": [], "fn_name": "f"}}, "fn_name"),
        ({"tests": {"type": "stdio", "cases": [{"inptu": ""}]}}, "inptu"),
        ({"question": 1}, "question"),
        ([1], "list"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(tmp_path: Path, row: object, words: str) -> None:
    with pytest.raises(ProblemFileError, match=words) as caught:
        load_problem(write_rows(tmp_path / "p.jsonl", row))
    assert "line 1" in str(caught.value)


def test_which_row_must_be_said_where_there_are_many(tmp_path: Path) -> None:
    file = write_rows(tmp_path / "p.jsonl", HUMANEVAL, MBPP)
    with pytest.raises(ProblemFileError, match="HumanEval/0"):
        load_problem(file)
    with pytest.raises(ProblemFileError, match="no row"):
        load_problem(file, "nothing")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProblemFileError, match=r"nowhere.jsonl"):
        load_problem(tmp_path / "nowhere.jsonl")
    (tmp_path / "p.jsonl").write_text("{")
    with pytest.raises(ProblemFileError, match="line 1 is not JSON"):
        load_problem(tmp_path / "p.jsonl")
    (tmp_path / "p.jsonl.gz").write_text("no gzip")
    with pytest.raises(ProblemFileError, match=r"p.jsonl.gz"):
        load_problem(tmp_path / "p.jsonl.gz")


def test_a_corrupt_archive_and_a_nest_without_end_are_told_in_words(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(json.dumps({"x": "y" * 1000}).encode()))
    packed[12:20] = b"\xff" * 8
    (tmp_path / "p.jsonl.gz").write_bytes(packed)
    with pytest.raises(ProblemFileError, match=r"p.jsonl.gz"):
        load_problem(tmp_path / "p.jsonl.gz")
    (tmp_path / "p.jsonl").write_text("[" * 100_000)
    with pytest.raises(ProblemFileError, match="line 1 is not JSON"):
        load_problem(tmp_path / "p.jsonl")


def test_a_byte_order_mark_is_no_part_of_a_row(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(HUMANEVAL).encode())
    assert load_problem(file) == load_problem(write_rows(tmp_path / "q.jsonl", HUMANEVAL))


def test_a_folder_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "1.in").write_text("1")
    (tmp_path / "1.ans").write_text("1")
    with pytest.raises(ProblemFileError, match="no rows"):
        load_problem(tmp_path, "3")


@pytest.mark.parametrize("key", ["limit", "Limits", "judges", "test"])
def test_a_misspelt_table_is_never_ignored(tmp_path: Path, key: str) -> None:
    (tmp_path / "1.in").write_text("1")
    (tmp_path / "1.ans").write_text("1")
    (tmp_path / "problem.toml").write_text(f"statement = 'x'\n[{key}]\n")
    with pytest.raises(ProblemFileError, match=f"`{key}` is probably meant"):
        load_problem(tmp_path)


def test_judge_flags() -> None:
    assert comparison_of_flags("") == Comparison()
    assert comparison_of_flags("case_sensitive space_change_sensitive") == Comparison(
        case_sensitive=True, space_sensitive=True
    )
    assert comparison_of_flags("float_relative_tolerance 1e-3") == Comparison(
        float_relative_tolerance=1e-3
    )
    with pytest.raises(ProblemFileError, match="sorted"):
        comparison_of_flags("sorted")
