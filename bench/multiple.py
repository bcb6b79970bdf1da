"""Are a model's answers to MultiPL-E's tasks accepted, in every language that is here?

Nobody says which of the answers are right: the share accepted is reported, and the first rejected
of each language with the reason, for somebody to read.  The same answers, hollow (`completions`),
must not be accepted; a hollow one that is may be one whose constant is right.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from rich.progress import Progress

from bench import completions, results
from bench.completions import Task
from bench.labels import data_directory, reason
from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local
from scalebox.model import AssertCase, AssertTests, Limits, Report, Submission

SETS = ("humaneval", "mbpp")
REJECTED_SHOWN = 20
_LIMITS = Limits(cpu_time_s=15.0, memory_bytes=1 << 30)


@dataclass(frozen=True, slots=True)
class Judged:
    """A task and its reports.

    Attributes:
        hollow: None where nobody knows how to make the answer hollow.
    """

    task: Task
    report: Report
    hollow: Report | None

    def row(self) -> dict[str, Any]:
        """For tables and files."""
        return {
            "language": self.task.language,
            "task": self.task.name,
            "verdict": self.report.verdict.value,
            "reason": "" if self.report.accepted else reason(self.report),
            "hollow": "" if self.hollow is None else self.hollow.verdict.value,
        }


def tasks(languages: Sequence[str], sample: int | None) -> list[Task]:
    """Those of all sets in these languages; of each set a sample, evenly spread, if asked."""
    found: list[Task] = []
    for ending, shape in completions.SHAPES.items():
        if shape.language not in languages:
            continue
        for name in SETS:
            rows = list(
                completions.read(data_directory() / "multipl_e" / f"{name}-{ending}.jsonl.gz")
            )
            step = max(1, len(rows) // sample) if sample else 1
            found += rows[::step][:sample]
    return found


def _submission(task: Task, source: str) -> Submission:
    tests = AssertTests(cases=[AssertCase(program=task.tests)])
    return Submission(language=task.language, source=source, tests=tests, limits=_LIMITS)


async def judge(client: AsyncClient, given: Sequence[Task]) -> list[Judged]:
    """Judge all, as they are and hollow, with a progress bar; in the order given."""
    whole = [_submission(task, task.source) for task in given]
    broken = {
        index: _submission(task, task.hollow) for index, task in enumerate(given) if task.hollow
    }
    reports: dict[int, Report] = {}
    with Progress(console=results.new_console(), transient=True) as bar:
        shown = bar.add_task("judging", total=len(whole) + len(broken))
        stream = client.judge_many([*whole, *broken.values()])
        async with aclosing(stream):
            async for index, report in stream:
                reports[index] = report
                bar.advance(shown)
    places = {index: len(whole) + place for place, index in enumerate(broken)}
    return [
        Judged(task, reports[index], reports[places[index]] if index in places else None)
        for index, task in enumerate(given)
    ]


def table(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """A row a language."""
    by_language: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        by_language[one.task.language].append(one)
    return [
        {
            "language": language,
            "tasks": len(every),
            "accepted": (right := sum(one.report.accepted for one in every)),
            "share": round(right / len(every), 3),
            "hollow": (broken := sum(one.hollow is not None for one in every)),
            "hollow_accepted": sum(one.hollow is not None and one.hollow.accepted for one in every),
            "not_broken": len(every) - broken,
        }
        for language, every in by_language.items()
    ]


async def run(*, only: Sequence[str], sample: int | None) -> int:
    """Judge, print, write; returns the exit status."""
    async with async_local() as client:
        here = [info.name for info in await client.languages() if info.available]
        wanted = [name for name in here if not only or name in only]
        judged = await judge(client, tasks(wanted, sample))
        status = await client.status()
    rows = table(judged)
    figures: dict[str, float] = {
        "languages": len(rows),
        "tasks": len(judged),
        "accepted": sum(one.report.accepted for one in judged),
        "hollow": sum(row["hollow"] for row in rows),
        "hollow_accepted": sum(row["hollow_accepted"] for row in rows),
    }
    figures |= {f"accepted_share_{row['language']}": row["share"] for row in rows}
    silent = [
        f"{one.task.language} {one.task.name}"
        for one in judged
        for report in (one.report, one.hollow)
        if report is not None and not report.verdict.is_about_the_program
    ]
    promises = [
        results.at_least("tasks", figures["tasks"], 1),
        results.none_of("every verdict is about the program", silent),
    ]
    host = {"isolation": status.isolation.value, "enforcement": status.enforcement.value}
    if not only and sample is None:
        path = results.write(
            "multipl-e", figures, [one.row() for one in judged], promises=promises, host=host
        )
        print(f"wrote {path.name}")
    for row in rows:
        own = [one for one in judged if one.task.language == row["language"]]
        rejected = [one.row() for one in own if not one.report.accepted][:REJECTED_SHOWN]
        if rejected:
            results.show(f"{row['language']}: the first rejected", rejected)
        fooled = [{"task": one.task.name} for one in own if one.hollow and one.hollow.accepted]
        if fooled:
            results.show(f"{row['language']}: hollow and accepted", fooled)
    results.show("MultiPL-E", rows)
    return results.conclude(promises)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.multiple`."""
    parser = argparse.ArgumentParser(prog="python -m bench.multiple", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="LANGUAGE")
    parser.add_argument("--sample", type=int, metavar="N", help="so many tasks of each file")
    options = parser.parse_args(arguments)
    if not (data_directory() / "multipl_e").is_dir():
        parser.error("there is no multipl_e in the data directory; name it in $SCALEBOX_DATA")
    return asyncio.run(run(only=options.only, sample=options.sample))


if __name__ == "__main__":
    sys.exit(main())
