"""Benchmarks from rows that a test has written, and how one of their samples is graded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.suite import benchmarks
from scalebox.suite.config import BenchmarkConfig, JudgeConfig
from scalebox.suite.tasks import Benchmark, Grade, Sample
from tests.judging.datasets import data_folder

Rows = Iterable[Mapping[str, Any]]


def with_real(own: Path, real: str) -> list[Path]:
    """A file of our own, and one of the public data sets where it is at hand."""
    file = data_folder() / real
    return [own, file] if file.is_file() else [own]


def written(folder: Path, rows: Rows, name: str = "rows.jsonl") -> Path:
    """A file of JSON lines."""
    file = folder / name
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def loaded(name: str, path: Path, judge: JudgeConfig | None = None, **config: Any) -> Benchmark:
    """A benchmark of a file."""
    return benchmarks.load(
        BenchmarkConfig(name=name, path=str(path), **config), judge or JudgeConfig()
    )


async def graded(client: Client, benchmark: Benchmark, program: str, at: int = 0) -> Grade:
    """A program, as a solution of one of the tasks."""
    async with AsyncClient(client.address) as opened:
        await benchmark.prepare(opened)
        return await benchmark.grade(opened, benchmark.tasks[at], program)


def program_of(benchmark: Benchmark, text: str, kind: Any = "answer", at: int = 0) -> str | None:
    """What is taken for the program in what a model wrote."""
    task = benchmark.tasks[at]
    return benchmark.program(task, Sample(task=task.id, index=0, text=text, kind=kind))
