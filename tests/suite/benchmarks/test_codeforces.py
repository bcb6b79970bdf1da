"""Problems of open-r1/codeforces: checkers in Python, files, generated tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from scalebox.client.sync import Client
from scalebox.model import Limits, ProgramJudge, Verdict
from scalebox.suite.errors import SuiteError
from tests.suite.benchmarks.loading import graded, loaded, written

#: Two numbers whose sum is the input: whichever.  It fails where the output is no numbers.
CHECKER = """
import sys

def main():
    given, answer, output = (open(name).read().split() for name in sys.argv[1:4])
    print(int(len(output) == 2 and sum(map(int, output)) == int(given[0])))

main()
"""
AS_THE_JURY = "print(1, int(input()) - 1)"
ANOTHER = "print(int(input()) - 1, 1)"


def row(**fields: Any) -> dict[str, Any]:
    """As in open-r1/codeforces, part `verifiable`."""
    return {
        "id": "852/A",
        "aliases": None,
        "contest_id": "852",
        "contest_name": "Bubble Cup",
        "contest_type": "ICPC",
        "contest_start": 1504432800,
        "contest_start_year": 2017,
        "index": "A",
        "time_limit": 2.0,
        "memory_limit": 256.0,
        "title": "Two numbers",
        "description": "Print two numbers whose sum is n.",
        "input_format": "The number n.",
        "output_format": "Two numbers.",
        "interaction_format": None,
        "note": "Any will do.",
        "examples": [{"input": "3\n", "output": "1 2\n"}],
        "editorial": None,
        "rating": 800,
        "tags": ["math"],
        "testset_size": 2,
        "official_tests": [
            {"input": "5\r\n", "output": "1 4\r\n"},
            {"input": "9\n", "output": "1 8\n"},
        ],
        "official_tests_complete": True,
        "input_mode": "stdio",
        "generated_checker": CHECKER,
        "executable": True,
        "generated_tests": 1,
        **fields,
    }


def test_a_task_says_what_the_row_says(tmp_path: Path) -> None:
    task = loaded("codeforces", written(tmp_path, [row()])).tasks[0]
    assert (task.id, task.date) == ("852/A", "2017-09-03")
    assert task.groups == {
        "tests": "complete",
        "input_mode": "stdio",
        "rating": "800",
        "month": "2017-09",
    }
    assert task.row.limits == Limits(cpu_time_s=2.0, memory_bytes=256 << 20)
    assert task.row.checker == ProgramJudge(contract="open-r1", language="python", source=CHECKER)
    for part in ("# Two numbers", "sum is n", "The number n.", "1 2", "Any will do."):
        assert part in task.instruction


async def test_the_rows_checker_decides(tmp_path: Path, client: Client) -> None:
    file = written(tmp_path, [row()])
    benchmark = loaded("codeforces", file)
    for program in (AS_THE_JURY, ANOTHER):
        grade = await graded(client, benchmark, program)
        assert (grade.verdict, grade.passed, grade.total) == (Verdict.ACCEPTED, 2, 2)
    grade = await graded(client, benchmark, "print(1, 4)")
    assert (grade.verdict, grade.passed) == (Verdict.WRONG_ANSWER, 1)
    assert grade.failing is not None
    assert (grade.failing.input, grade.failing.got) == ("9\n", "1 4\n")
    alone = loaded("codeforces", file, judges="comparison")
    assert (await graded(client, alone, AS_THE_JURY)).verdict is Verdict.ACCEPTED
    assert (await graded(client, alone, ANOTHER)).verdict is Verdict.WRONG_ANSWER


async def test_without_a_checker_outputs_are_compared(tmp_path: Path, client: Client) -> None:
    benchmark = loaded("codeforces", written(tmp_path, [row(generated_checker=None)]))
    assert (await graded(client, benchmark, AS_THE_JURY)).verdict is Verdict.ACCEPTED
    assert (await graded(client, benchmark, ANOTHER)).verdict is Verdict.WRONG_ANSWER


async def test_file_mode_reads_and_writes_the_sites_files(tmp_path: Path, client: Client) -> None:
    file = written(tmp_path, [row(input_mode="file")])
    benchmark = loaded("codeforces", file)
    assert "input.txt" in benchmark.tasks[0].instruction
    program = "n = int(open('input.txt').read())\nopen('output.txt', 'w').write(f'1 {n - 1}')"
    assert (await graded(client, benchmark, program)).verdict is Verdict.ACCEPTED
    with pytest.raises(SuiteError, match="Python alone"):
        loaded("codeforces", file, language="cpp")


def test_interactive_problems_and_those_without_tests_are_left_out(tmp_path: Path) -> None:
    rows = [
        row(),
        row(id="2/B", interaction_format="Ask."),
        row(id="3/C", official_tests=[]),
    ]
    benchmark = loaded("codeforces", written(tmp_path, rows))
    assert [task.id for task in benchmark.tasks] == ["852/A"]
    assert benchmark.left_out == {
        "rows.jsonl:2": "it is interactive",
        "rows.jsonl:3": "it has no tests",
    }


def generated(folder: Path, contest: str, rows: list[dict[str, str]]) -> None:
    """As in generated_tests/ of the data set."""
    (folder / "generated_tests").mkdir(exist_ok=True)
    table = pyarrow.Table.from_pylist(rows)
    parquet.write_table(table, folder / "generated_tests" / f"test_cases_{contest}.parquet")


async def test_generated_tests_are_added_where_they_are_asked_for(
    tmp_path: Path, client: Client
) -> None:
    rows = [row(), row(id="852/B", official_tests=None, official_tests_complete=False)]
    file = written(tmp_path, rows)
    cases = [
        {"problem_id": "852/A", "test_i": "1", "input": "20\n", "output": "1 19\n"},
        {"problem_id": "852/B", "test_i": "1", "input": "30\n", "output": "1 29\n"},
        {"problem_id": "852/C", "test_i": "1", "input": "no", "output": "no"},
    ]
    generated(tmp_path, "0852", cases)
    assert [task.id for task in loaded("codeforces", file).tasks] == ["852/A"]
    benchmark = loaded("codeforces", file, version="generated")
    assert "generated_tests/test_cases_0852.parquet" in benchmark.data_sha256
    first, second = benchmark.tasks
    assert second.groups["tests"] == "partial"
    assert (await graded(client, benchmark, ANOTHER)).total == 3
    grade = await graded(client, benchmark, AS_THE_JURY, 1)
    assert (grade.verdict, grade.total) == (Verdict.ACCEPTED, 1)
    only = loaded("codeforces", file, version="generated", tasks=["852/B"])
    assert [task.id for task in only.tasks] == [second.id]
    assert first.id == "852/A"


def test_missing_generated_tests_are_named_with_the_command_that_gets_them(tmp_path: Path) -> None:
    file = written(tmp_path, [row()])
    with pytest.raises(SuiteError, match=r"hf download open-r1/codeforces generated_tests/test_c"):
        loaded("codeforces", file, version="generated")
    with pytest.raises(SuiteError, match="official, generated"):
        loaded("codeforces", file, version="all")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"id": 3}, "'id'"),
        ({"input_mode": "mail"}, "input_mode"),
        ({"generated_checker": 3}, "generated_checker"),
        ({"description": None}, "description"),
        ({"examples": [3]}, "inputs and outputs"),
        ({"time_limit": "2"}, "time limit"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(
    changed: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SuiteError, match=words) as error:
        loaded("codeforces", written(tmp_path, [row() | changed]))
    assert "rows.jsonl:1" in str(error.value)
