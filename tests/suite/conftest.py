"""A small benchmark of our own, a daemon, and runs of the one with the other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import scalebox
from scalebox.client.sync import Client
from scalebox.suite.config import (
    BenchmarkConfig,
    JudgeConfig,
    ModelConfig,
    OutputConfig,
    RunConfig,
    SamplingConfig,
)
from scalebox.suite.run import Outcome, run

#: Name → body, and what it gives for 3.
FUNCTIONS = {
    "double": ("return 2 * n", 6),
    "square": ("return n * n", 9),
    "negative": ("return -n", -3),
    "half": ("return n / 2", 1.5),
    "digits": ("return [int(d) for d in str(n)]", [3]),
}
WRONG = "return None"


def row_of(name: str) -> dict[str, Any]:
    """A task in HumanEval's form."""
    body, value = FUNCTIONS[name]
    return {
        "task_id": f"Own/{name}",
        "prompt": f'def {name}(n):\n    """The {name} of n."""\n',
        "entry_point": name,
        "canonical_solution": f"    {body}\n",
        "test": f"def check(candidate):\n    assert candidate(3) == {value!r}\n",
    }


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as a file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def solution(name: str, *, right: bool = True) -> str:
    """A whole program."""
    return f"def {name}(n):\n    {FUNCTIONS[name][0] if right else WRONG}\n"


@pytest.fixture(scope="package")
def client() -> Iterator[Client]:
    """Of a private daemon."""
    with scalebox.local(sandbox={"slots": 2}) as opened:
        yield opened


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """The file of the benchmark."""
    return write_jsonl(tmp_path / "rows.jsonl", [row_of(name) for name in FUNCTIONS])


@pytest.fixture
def plan(rows: Path, tmp_path: Path, client: Client) -> RunConfig:
    """The benchmark, judged by the daemon, with answers from `samples.jsonl`."""
    return RunConfig(
        benchmark=BenchmarkConfig(name="humaneval", path=str(rows)),
        model=ModelConfig(name="m", samples=str(tmp_path / "samples.jsonl")),
        judge=JudgeConfig(daemon=client.address, in_flight=4),
        output=OutputConfig(directory=str(tmp_path / "runs")),
        sampling=SamplingConfig(n=2),
    )


def changed(plan: RunConfig, table: str, **values: Any) -> RunConfig:
    """The plan with other values in one of its tables."""
    replaced = msgspec.structs.replace(getattr(plan, table), **values)
    return msgspec.structs.replace(plan, **{table: replaced})


def evaluate(plan: RunConfig, **options: Any) -> Outcome:
    """Run it to its end."""
    return asyncio.run(run(plan, **options))
