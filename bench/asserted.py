"""Are the canonical solutions of HumanEval and MBPP accepted, and the same with hollow bodies not?

Part of `make labels`.  A hollow solution has the body of every function replaced by `return None`:
a judge that accepts one was fooled by nothing at all.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import Progress

from bench import results
from bench.results import Promise
from scalebox.client.aio import AsyncClient
from scalebox.client.problems import read_rows
from scalebox.model import Integrity, Report, Submission

#: Figure's prefix → file.
SETS = {"humaneval": "HumanEval.jsonl.gz", "mbpp": "mbpp.jsonl.gz"}


@dataclass(frozen=True, slots=True)
class Task:
    """One task: a right submission, and a hollow one."""

    name: str
    canonical: Submission
    hollow: Submission


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one set.

    Attributes:
        name: of the set.
        canonical, hollow: reports, in the order of the tasks.
    """

    name: str
    tasks: list[Task]
    canonical: list[Report]
    hollow: list[Report]

    def figures(self) -> dict[str, float]:
        """Counts, named by the set."""
        right = [report for report in self.canonical if report.accepted]
        return {
            f"{self.name}_tasks": len(self.tasks),
            f"{self.name}_accepted": len(right),
            f"{self.name}_strong": sum(report.integrity is Integrity.STRONG for report in right),
            f"{self.name}_hollow_accepted": sum(report.accepted for report in self.hollow),
        }

    def promises(self) -> list[Promise]:
        """Every canonical solution is accepted, no hollow one."""
        found, name = self.figures(), self.name
        return [
            results.at_least(f"{name}_tasks", found[f"{name}_tasks"], 1),
            results.at_least(f"{name}_accepted", found[f"{name}_accepted"], found[f"{name}_tasks"]),
            results.at_most(f"{name}_hollow_accepted", found[f"{name}_hollow_accepted"], 0),
        ]

    def wrong(self) -> list[dict[str, Any]]:
        """What does not agree, for a table."""
        rows = []
        for task, canonical, hollow in zip(self.tasks, self.canonical, self.hollow, strict=True):
            for kind, report, wanted in (("canonical", canonical, True), ("hollow", hollow, False)):
                if report.accepted is not wanted or not report.verdict.is_about_the_program:
                    rows.append(
                        {
                            "task": task.name,
                            "solution": kind,
                            "verdict": report.verdict.value,
                            "message": report.message[:200],
                        }
                    )
        return rows


def hollow(source: str) -> str:
    """The program with every function's body replaced by `return None`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some public solutions have odd escape sequences
        tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Return(value=ast.Constant(value=None))]
    return ast.unparse(ast.fix_missing_locations(tree))


def read(path: Path) -> list[Task]:
    """The tasks of a set.

    Raises:
        ProblemFileError: the file is not there, or not as its README says.
    """
    tasks = []
    for row in read_rows(path):
        (found,) = row.submissions()
        tasks.append(
            Task(
                row.id,
                found.submission,
                msgspec.structs.replace(found.submission, source=hollow(found.submission.source)),
            )
        )
    return tasks


async def judge(client: AsyncClient, name: str, path: Path) -> Outcome:
    """Judge a set both ways, with a progress bar."""
    tasks = read(path)
    submissions = [task.canonical for task in tasks] + [task.hollow for task in tasks]
    reports = await _judge_all(client, name, submissions)
    return Outcome(name, tasks, reports[: len(tasks)], reports[len(tasks) :])


async def _judge_all(
    client: AsyncClient, name: str, submissions: Sequence[Submission]
) -> list[Report]:
    found: dict[int, Report] = {}
    with Progress(console=results.new_console(), transient=True) as bar:
        task = bar.add_task(name, total=len(submissions))
        stream = client.judge_many(submissions)
        async with aclosing(stream):
            async for index, report in stream:
                found[index] = report
                bar.advance(task)
    return [found[index] for index in range(len(submissions))]
