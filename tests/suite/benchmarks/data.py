"""Rows in files, and benchmarks over them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scalebox.suite.benchmarks import load
from scalebox.suite.config import BenchmarkConfig, JudgeConfig
from scalebox.suite.tasks import Benchmark, Sample, SampleKind, Task


def of_rows(
    name: str, rows: Iterable[Any], folder: Path, *, judge: JudgeConfig | None = None, **config: Any
) -> Benchmark:
    """A benchmark over rows of our own."""
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return load(BenchmarkConfig(name=name, path=str(path), **config), judge or JudgeConfig())


def sample(task: Task, text: str, kind: SampleKind) -> Sample:
    """One of a task."""
    return Sample(task=task.id, index=0, text=text, kind=kind)


def canonical(benchmark: Benchmark, task: Task) -> str:
    """The program of a task's own solution."""
    assert task.canonical is not None
    program = benchmark.program(task, sample(task, task.canonical, "solution"))
    assert program is not None
    return program
