"""Rows of any data set: a mapping of fields, and what is found without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scalebox.client.sync import Client
from scalebox.model import (
    Comparison,
    InteractiveTests,
    Limits,
    ProgramJudge,
    StdioTests,
    Verdict,
)
from scalebox.suite.benchmarks.any_rows import AnyRows
from scalebox.suite.errors import SuiteError
from tests.suite.benchmarks.loading import graded, loaded, program_of, with_real, written

SUM = "print(sum(map(int, input().split())))"
MAPPING = {
    "id": "key",
    "prompt": "words",
    "inputs": "given",
    "outputs": "wanted",
    "time_limit_s": "seconds",
    "memory_limit_mb": "megabytes",
    "canonical": "answer",
    "group.topic": "about",
    "date": "day",
    "difficulty": "level",
}


def row(**fields: Any) -> dict[str, Any]:
    return {
        "key": 7,
        "words": "Print the sum.",
        "given": ["1 2", "3 4"],
        "wanted": ["3", "7"],
        "seconds": 1.5,
        "megabytes": 128,
        "answer": SUM,
        "about": "sums",
        "day": "2024-05-31T10:00",
        "level": 3,
        **fields,
    }


async def test_a_mapping_says_which_column_has_what(tmp_path: Path, client: Client) -> None:
    benchmark = loaded("rows", written(tmp_path, [row()]), fields=MAPPING)
    task = benchmark.tasks[0]
    assert (task.id, task.date, task.canonical) == ("7", "2024-05-31", SUM)
    assert task.groups == {"topic": "sums", "difficulty": "3", "month": "2024-05"}
    assert task.row.limits == Limits(cpu_time_s=1.5, memory_bytes=128 << 20)
    assert "Print the sum." in task.instruction
    assert (await graded(client, benchmark, SUM)).verdict is Verdict.ACCEPTED
    grade = await graded(client, benchmark, "print(3)")
    assert (grade.verdict, grade.passed) == (Verdict.WRONG_ANSWER, 1)
    assert grade.failing is not None
    assert (grade.failing.expected, grade.failing.got) == ("7", "3\n")


@pytest.mark.parametrize(
    ("tests", "program"),
    [
        ({"inputs": ["1 2"], "outputs": ["3"]}, SUM),
        ({"input_output": json.dumps({"inputs": ["1 2"], "outputs": ["3"]})}, SUM),
        ({"tests": json.dumps([{"input": "1 2", "output": "3"}])}, SUM),
        ({"tests": {"type": "stdio", "cases": [{"input": "1 2", "answer": "3"}]}}, SUM),
        ({"reward_model": {"ground_truth": {"inputs": ["1 2"], "outputs": ["3"]}}}, SUM),
        (
            {"inputs": ["[1]"], "outputs": ["2"], "fn_name": "f"},
            "def f(a):\n    return a[0] + 1",
        ),
        ({"test_list": ["assert f(1) == 2"]}, "def f(a):\n    return a + 1"),
    ],
)
async def test_tests_are_found_in_all_customary_forms(
    tests: dict[str, Any], program: str, tmp_path: Path, client: Client
) -> None:
    file = written(tmp_path, [{"task_id": "a", "question": "Do it.", **tests}])
    benchmark = loaded("rows", file)
    assert benchmark.tasks[0].id == "a"
    assert (await graded(client, benchmark, program)).verdict is Verdict.ACCEPTED
    assert (await graded(client, benchmark, "f = print")).verdict is not Verdict.ACCEPTED


async def test_functions_of_prompts_are_completed(tmp_path: Path, client: Client) -> None:
    asked = {
        "task_id": "H/0",
        "prompt": 'from math import sqrt\n\ndef f(a):\n    """The root."""\n',
        "test": "def check(f):\n    assert f(4) == 2",
        "entry_point": "f",
    }
    benchmark = loaded("rows", written(tmp_path, [asked]))
    for text, kind in (
        ("    return sqrt(a)\n", "completion"),
        ("```python\ndef f(a):\n    return sqrt(a)\n```", "answer"),
    ):
        program = program_of(benchmark, text, kind)
        assert program is not None
        assert (await graded(client, benchmark, program)).verdict is Verdict.ACCEPTED
    assert "Write this function" in benchmark.tasks[0].instruction
    assert program_of(benchmark, "no") is None


def test_a_chat_is_a_prompt_and_an_instruction_is_taken_as_it_is(tmp_path: Path) -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Sum."}]
    file = written(tmp_path, [{"prompt": chat, "inputs": ["1"], "outputs": ["1"]}])
    task = loaded("rows", file, fields={"instruction": "prompt"}).tasks[0]
    assert task.prompt == task.instruction == "Be brief.\n\nSum."
    assert task.id == "rows.jsonl:1"


def test_rows_may_have_a_language_each(tmp_path: Path) -> None:
    tests = {"prompt": "Sum.", "inputs": ["1"], "outputs": ["1"]}
    rows = [{"id": "a", "language": "CPP", **tests}, {"id": "b", **tests}]
    file = written(tmp_path, rows)
    first, second = loaded("rows", file).tasks
    assert (first.language, second.language) == ("cpp", "python")
    assert "C++" in first.instruction
    # A column of that name may mean another kind of language.
    assert {task.language for task in loaded("rows", file, language="java").tasks} == {"java"}
    named = loaded("rows", written(tmp_path, rows[:1]), language="java", fields={"language": "id"})
    assert named.tasks[0].language == "a"


async def test_what_is_in_a_column_can_be_named(tmp_path: Path, client: Client) -> None:
    asked = {
        "id": "a",
        "prompt": "Sum.",
        "verifier": {"tests": {"inputs": ["1"], "outputs": ["1"]}},
    }
    file = written(tmp_path, [asked])
    benchmark = loaded("rows", file, fields={"ground_truth": "verifier.tests"})
    assert (await graded(client, benchmark, "print(input())")).verdict is Verdict.ACCEPTED
    for wrong in ("verifier.test", "verifier.tests.inputs.0", "prompt.x"):
        with pytest.raises(SuiteError, match="no column"):
            loaded("rows", file, fields={"ground_truth": wrong})


def test_a_checker_decides_unless_comparison_alone_does(tmp_path: Path) -> None:
    asked = {"id": "a", "prompt": "Any.", "inputs": ["1"], "outputs": ["1"], "check": "int main;"}
    file = written(tmp_path, [asked])
    for judges, expected in (
        ("data", ProgramJudge(contract="testlib", language="cpp", source="int main;")),
        ("comparison", Comparison(case_sensitive=True)),
    ):
        benchmark = loaded("rows", file, fields={"checker": "check"}, judges=judges)
        assert isinstance(benchmark, AnyRows)
        tests = benchmark.tests(benchmark.tasks[0])
        assert isinstance(tests, StdioTests)
        assert (tests.cases[0].judge or tests.judge) == expected


async def test_tests_with_a_judge_of_their_own_keep_it(tmp_path: Path, client: Client) -> None:
    tests = {
        "type": "stdio",
        "cases": [{"input": "", "answer": "1.0"}],
        "judge": {"type": "compare", "float_absolute_tolerance": 0.5},
    }
    file = written(tmp_path, [{"id": "a", "prompt": "One.", "tests": tests}])
    assert (await graded(client, loaded("rows", file), "print(1.4)")).passed == 1
    alone = loaded("rows", file, judges="comparison")
    assert (await graded(client, alone, "print(1.4)")).passed == 0


def package_row(name: str, kind: str) -> dict[str, Any]:
    """A problem package as a row."""
    validator = {"v.py": "import sys\nsys.exit(42 if input() == 'yes' else 43)"}
    return {
        "id": name,
        "statement": "Say yes.",
        "problem_type": "pass-fail",
        "time_limit_s": 2,
        "judge": {
            "kind": kind,
            "flags": "",
            "folder": "output_validators",
            "files": {} if kind == "default" else validator,
        },
        "tests": [{"name": "1", "input": "", "answer": "yes", "flags": None}],
        "submissions": [],
    }


async def test_problem_packages_are_read(tmp_path: Path, client: Client) -> None:
    fields = {"prompt": "statement", "group.kind": "problem_type"}
    own = written(tmp_path, [package_row("a", "default"), package_row("b", "interactive")])
    for file in with_real(own, "problems.jsonl.gz"):
        benchmark = loaded("rows", file, fields=fields)
        assert isinstance(benchmark, AnyRows)
        kinds = {type(benchmark.tests(task)) for task in benchmark.tasks}
        assert kinds == {StdioTests, InteractiveTests}
        at = next(at for at, task in enumerate(benchmark.tasks) if task.row.limits.cpu_time_s)
        grade = await graded(client, benchmark, "print()", at)
        assert grade.verdict is Verdict.WRONG_ANSWER
    benchmark = loaded("rows", own, fields=fields)
    for at in (0, 1):
        grade = await graded(client, benchmark, "print('yes', flush=True)", at)
        assert grade.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("fields", "changed", "words"),
    [
        ({"promt": "words"}, {}, "is 'prompt' meant"),
        ({"group.": "words"}, {}, "fields has no 'group.'"),
        ({"prompt": "word"}, {}, "no column 'word', which fields.prompt names"),
        ({"prompt": "level"}, {}, "neither a text nor messages"),
        ({"prompt": "words", "canonical": "level"}, {}, "canonical"),
        ({"prompt": "words", "time_limit_s": "about"}, {}, "time limit"),
        ({"prompt": "words", "checker": "level"}, {}, "checker"),
        ({"prompt": "words", "outputs": "level"}, {}, "inputs and outputs"),
        ({"prompt": "words", "inputs": "given"}, {}, "ground truth"),
        ({"id": "key"}, {}, "which column is the prompt"),
        ({"prompt": "words"}, {"given": [], "wanted": []}, "without any case"),
    ],
)
def test_what_is_wrong_is_said_with_what_there_is(
    fields: dict[str, str], changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    base = {"inputs": "given", "outputs": "wanted"} if "inputs" not in fields else {}
    with pytest.raises(SuiteError, match=words):
        loaded("rows", written(tmp_path, [row() | changed]), fields=base | fields)


def test_rows_without_tests_are_refused_with_what_to_say(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"rows\.jsonl:1: it has no tests; say in fields"):
        loaded("rows", written(tmp_path, [{"id": "a", "prompt": "Sum."}]))
    with pytest.raises(SuiteError, match="no more than a name"):
        loaded(
            "rows",
            written(tmp_path, [{"prompt": "Sum.", "truth": "known-problem"}]),
            fields={"ground_truth": "truth"},
        )
