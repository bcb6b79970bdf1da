"""APPS and TACO: standard input and calls, limits in words, canonical solutions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scalebox.client.sync import Client
from scalebox.model import Limits, Verdict
from scalebox.suite.errors import SuiteError
from tests.suite.benchmarks.loading import graded, loaded, written

SUM = "print(sum(map(int, input().split())))"


def row(**fields: Any) -> dict[str, Any]:
    """As in codeparrot/apps."""
    return {
        "problem_id": 0,
        "question": "Print the sum of two numbers.",
        "solutions": json.dumps([SUM, "print(0)"]),
        "input_output": json.dumps({"inputs": ["1 2\n", "3 4\n"], "outputs": ["3\n", "7\n"]}),
        "difficulty": "interview",
        "url": "",
        "starter_code": "",
        **fields,
    }


def call_row(**fields: Any) -> dict[str, Any]:
    tests = {"fn_name": "twice", "inputs": [[2], [5]], "outputs": [[4], [10]]}
    code = "def twice(n):\n    return 2 * n"
    return row(
        problem_id=1,
        input_output=json.dumps(tests),
        starter_code="def twice(n):\n\t",
        solutions=json.dumps([code]),
        **fields,
    )


def taco_row(**fields: Any) -> dict[str, Any]:
    """As in BAAI/TACO."""
    given = row(source="codeforces", date="2019-12-31", difficulty="EASY")
    given |= {"time_limit": "2.0 seconds", "memory_limit": "256.0 megabytes"} | fields
    del given["problem_id"]
    return given


async def test_canonical_solutions_are_accepted_and_others_not(
    tmp_path: Path, client: Client
) -> None:
    benchmark = loaded("apps", written(tmp_path, [row(), call_row()]))
    for at, task in enumerate(benchmark.tasks):
        assert task.canonical is not None
        grade = await graded(client, benchmark, task.canonical, at)
        assert (grade.verdict, grade.passed, grade.total) == (Verdict.ACCEPTED, 2, 2)
    grade = await graded(client, benchmark, "print(3)")
    assert (grade.verdict, grade.passed) == (Verdict.WRONG_ANSWER, 1)
    assert grade.failing is not None
    assert (grade.failing.input, grade.failing.expected, grade.failing.got) == (
        "3 4\n",
        "7\n",
        "3\n",
    )
    grade = await graded(client, benchmark, "def twice(n):\n    return 4", 1)
    assert (grade.verdict, grade.passed) == (Verdict.WRONG_ANSWER, 1)
    assert grade.failing is not None
    assert (grade.failing.input, grade.failing.expected) == ("5", "10")


def test_what_is_called_is_asked_for_with_its_starter_code(tmp_path: Path) -> None:
    first, second = loaded("apps", written(tmp_path, [row(), call_row()])).tasks
    assert (first.id, first.groups) == ("0", {"difficulty": "interview"})
    assert "standard input" in first.instruction
    assert "def twice(n):" in second.instruction
    bare = loaded("apps", written(tmp_path, [call_row() | {"starter_code": ""}])).tasks[0]
    assert "def twice(...)" in bare.instruction


def test_limits_of_taco_are_words(tmp_path: Path) -> None:
    rows = [taco_row(), taco_row(time_limit="500 ms", memory_limit="1.5 gigabytes")]
    first, second = loaded("taco", written(tmp_path, rows)).tasks
    assert first.row.limits == Limits(cpu_time_s=2.0, memory_bytes=256 << 20)
    assert second.row.limits == Limits(cpu_time_s=0.5, memory_bytes=1536 << 20)
    # Rows have no ids of their own.
    assert (first.id, second.id) == ("rows.jsonl:1", "rows.jsonl:2")
    assert (first.date, first.groups) == (
        "2019-12-31",
        {"difficulty": "EASY", "source": "codeforces"},
    )
    assert loaded("taco", written(tmp_path, [taco_row(time_limit=None)])).tasks[0].row.limits == (
        Limits(memory_bytes=256 << 20)
    )


def test_rows_without_tests_are_left_out(tmp_path: Path) -> None:
    rows = [row(), row(problem_id=2, input_output=""), row(problem_id=3, input_output="{}")]
    benchmark = loaded("apps", written(tmp_path, rows))
    assert [task.id for task in benchmark.tasks] == ["0"]
    assert set(benchmark.left_out.values()) == {"it has no tests"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"problem_id": None}, "problem_id"),
        ({"question": None}, "question"),
        ({"input_output": "{"}, "no JSON"),
        ({"input_output": "[1]"}, "no object"),
        ({"input_output": '{"inputs": [1], "outputs": [1], "fn_name": 3}'}, "fn_name"),
        ({"solutions": "[3]"}, "no list of programs"),
        ({"solutions": "["}, "no JSON"),
        ({"time_limit": "soon"}, "no limit"),
        ({"memory_limit": "3 parsecs"}, "no limit"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    file = written(tmp_path, [row(problem_id=7), row() | changed])
    with pytest.raises(SuiteError, match=words) as error:
        loaded("apps", file)
    assert "rows.jsonl:2" in str(error.value)


async def test_unequal_inputs_and_outputs_are_an_error_of_the_data(
    tmp_path: Path, client: Client
) -> None:
    tests = json.dumps({"inputs": ["1"], "outputs": []})
    benchmark = loaded("apps", written(tmp_path, [row(input_output=tests)]))
    with pytest.raises(SuiteError, match="task 0"):
        await graded(client, benchmark, SUM)
