"""Benchmarks over the public data sets where the machine has them, and over examples of our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.model import Verdict
from tests.judging.datasets import data_folder
from tests.suite.benchmarks.data import canonical
from tests.suite.benchmarks.loading import loaded

_EXAMPLES = Path(__file__).parent / "examples"
_HARD = "bigcodebench_hard.json.gz"
#: Benchmark, file, what the configuration says besides, and how many tasks there are.
READ: list[tuple[str, str, dict[str, Any], int]] = [
    ("humaneval", "HumanEval.jsonl.gz", {}, 164),
    ("humaneval+", "HumanEvalPlus.jsonl.gz", {}, 164),
    ("mbpp", "mbpp.jsonl.gz", {}, 974),
    ("mbpp", "mbpp.jsonl.gz", {"split": "test"}, 500),
    ("mbpp+", "MbppPlus.jsonl.gz", {}, 378),
    ("multipl-e", "multipl_e", {"language": "rust"}, 156),
    ("multipl-e", "multipl_e", {"language": "rs", "subset": "mbpp"}, 354),
    ("bigcodebench-hard", _HARD, {}, 148),
]
#: Benchmark, file, and the tasks whose own solutions are judged.
JUDGED: list[tuple[str, str, list[str]]] = [
    ("humaneval", "HumanEval.jsonl.gz", ["HumanEval/0", "HumanEval/38"]),
    ("humaneval+", "HumanEvalPlus.jsonl.gz", ["HumanEval/0", "HumanEval/32", "HumanEval/38"]),
    ("mbpp", "mbpp.jsonl.gz", ["MBPP/11", "MBPP/602"]),
    (
        "mbpp+", "MbppPlus.jsonl.gz",
        ["Mbpp/2", "Mbpp/124", "Mbpp/259", "Mbpp/580", "Mbpp/793"],
    ),
    ("bigcodebench-hard", _HARD, ["BigCodeBench/13", "BigCodeBench/15", "BigCodeBench/19"]),
]  # fmt: skip


def _there(file: str) -> bool:
    return (data_folder() / file).exists()


@pytest.mark.parametrize(
    ("name", "path", "config", "number"),
    [
        ("humaneval", _EXAMPLES / "functions.jsonl", {}, 2),
        ("humaneval+", _EXAMPLES / "inputs.jsonl", {}, 2),
        *((name, data_folder() / file, more, n) for name, file, more, n in READ if _there(file)),
    ],
)
def test_all_rows_are_tasks(name: str, path: Path, config: dict[str, Any], number: int) -> None:
    benchmark = loaded(name, path, **config)
    assert len(benchmark.tasks) == number
    assert all(task.prompt for task in benchmark.tasks)


@pytest.mark.parametrize(
    ("name", "path", "chosen"),
    [
        ("humaneval", _EXAMPLES / "functions.jsonl", ["Own/0", "Own/1"]),
        ("humaneval+", _EXAMPLES / "inputs.jsonl", ["Own/0", "Own/1"]),
        *((name, data_folder() / file, those) for name, file, those in JUDGED if _there(file)),
    ],
)
async def test_the_datas_own_solutions_are_accepted(
    name: str, path: Path, chosen: list[str], opened: AsyncClient
) -> None:
    benchmark = loaded(name, path, tasks=chosen)
    await benchmark.prepare(opened)
    for task in benchmark.tasks:
        grade = await benchmark.grade(opened, task, canonical(benchmark, task))
        assert (task.id, grade.verdict) == (task.id, Verdict.ACCEPTED)
