"""The work of `scalebox eval`: runs with their progress, and what is said of them at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from scalebox.cli.render import first_line, printable
from scalebox.suite import config, report
from scalebox.suite.benchmarks import BENCHMARKS
from scalebox.suite.config import RunConfig
from scalebox.suite.errors import IncompleteError
from scalebox.suite.run import Outcome, Progress, run
from scalebox.suite.summary import Summary, percent
from scalebox.suite.verify import Verification, verify

T = TypeVar("T")
#: Where no terminal shows a bar, a line so often.
_LINE_EVERY_S = 30.0
_SHOWN = 20


def evaluate(file: Path, *, sample: bool, judge: bool, again: bool = False) -> None:
    """Run what a configuration describes, and print the numbers.

    Raises:
        IncompleteError: something is missing.
        SuiteError: as `scalebox.suite.run.run`.
    """
    runs = config.read(file)
    outcomes: list[tuple[RunConfig, Outcome]] = []
    for one in runs:
        outcome = _run(one, sample=sample, judge=judge, again=again)
        outcomes.append((one, outcome))
        for name in outcome.repaired:
            click.echo(f"{outcome.folder / name}: its last line was torn, and is made again")
        if judge:
            report.write(outcome.folder)
            click.echo(f"report: {outcome.folder / 'report.html'}")
    if judge:
        _print_table(outcomes)
    missing = [(one, outcome) for one, outcome in outcomes if outcome.missing]
    if missing and judge:
        for _, outcome in missing:
            first = outcome.missing[0]
            click.echo(
                f"{outcome.folder}: {len(outcome.missing):,} missing; the first is {first.task} "
                f"({first.index}): {first_line(first.why)}",
                err=True,
            )
        raise IncompleteError(
            "not complete: the numbers above are of what is there. The same command goes on from "
            "here"
        )


def verify_run(folder: Path, daemon: str | None, isolation: str) -> Verification:
    """Judge a run's samples anew, with a bar, and print what came of it."""
    with _bar(Console(stderr=True)) as bar:
        shown = bar.add_task("verifying", total=None, rate="")

        def watch(done: int, total: int) -> None:
            bar.update(shown, completed=done, total=total)

        found = _wait(verify(folder, daemon=daemon, isolation=isolation, watch=watch))
    _print_verification(found)
    return found


def print_benchmarks() -> None:
    """A table of them."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("name", "benchmark", "data"):
        table.add_column(name, overflow="fold")
    for name, kind in BENCHMARKS.items():
        table.add_row(name, kind.title, Text(kind.source))
    Console().print(table)


def _run(one: RunConfig, *, sample: bool, judge: bool, again: bool) -> Outcome:
    console = Console(stderr=True)
    name = f"{one.model.name} · {one.benchmark.title or one.benchmark.name}"
    with _Watch(console, name, sample=sample, judge=judge) as watch:
        return _wait(run(one, sample=sample, judge=judge, again=again, watch=watch))


def _wait(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _bar(console: Console) -> Bar:
    return Bar(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=console, transient=True,
    )  # fmt: skip


class _Watch:
    """Shows how far a run is: bars on a terminal, else a line now and then."""

    def __init__(self, console: Console, name: str, *, sample: bool, judge: bool) -> None:
        self._console = console
        self._name = name
        self._bar = _bar(console)
        self._shown = {
            key: self._bar.add_task(f"{name}: {key}", total=None, rate="")
            for key, wanted in (("sampled", sample), ("judged", judge))
            if wanted
        }
        self._began = self._said = time.monotonic()

    def __enter__(self) -> Callable[[Progress], None]:
        if self._console.is_terminal:
            self._bar.start()
        return self._watch

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def _watch(self, progress: Progress) -> None:
        now = time.monotonic()
        counts = {"sampled": progress.sampled, "judged": progress.judged}
        former = dict(zip(counts, progress.former, strict=True))
        spent_s = max(now - self._began, 1e-9)
        rates = {key: (counts[key] - former[key]) / spent_s for key in self._shown}
        if not self._console.is_terminal:
            if now - self._said >= _LINE_EVERY_S:
                self._said = now
                self._console.print(self._line(progress, rates), markup=False, highlight=False)
            return
        for key, shown in self._shown.items():
            self._bar.update(
                shown, completed=counts[key], total=progress.expected, rate=f"{rates[key]:.1f}/s"
            )

    def _line(self, progress: Progress, rates: dict[str, float]) -> str:
        key = "judged" if "judged" in rates else "sampled"
        done = progress.judged if key == "judged" else progress.sampled
        left = (progress.expected - done) / rates[key] if rates[key] > 0 else None
        words = f"{progress.sampled:,} sampled, {progress.judged:,} judged of {progress.expected:,}"
        if progress.undecided:
            words += f", {progress.undecided:,} undecided"
        return f"{self._name}: {words}, {rates[key]:.1f}/s" + (
            "" if left is None else f", about {left:,.0f} s left"
        )


def _print_table(outcomes: list[tuple[RunConfig, Outcome]]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("model", "benchmark"):
        table.add_column(name, overflow="fold")
    for name in ("samples", "pass@1", "interval", "fraction", "missing"):
        table.add_column(name, justify="right")
    for one, outcome in outcomes:
        found = outcome.summary
        table.add_row(
            Text(printable(one.model.name)),
            Text(printable(one.benchmark.title or one.benchmark.name)),
            *(_cells(found) if found else ("-",) * 4),
            str(len(outcome.missing)),
        )
    Console().print(table)


def _cells(found: Summary) -> tuple[str, ...]:
    rate, fraction = found.overall.pass_at.get(1), found.overall.fraction
    if rate is None:
        return ("0", "-", "-", "-")
    return (
        f"{found.overall.samples:,}",
        percent(rate.value),
        f"{percent(rate.low)} to {percent(rate.high)}",
        "-" if fraction is None else percent(fraction.value),
    )


def _print_verification(found: Verification) -> None:
    click.echo(
        f"{found.samples:,} samples judged anew at isolation {found.isolation}, limits by "
        f"{found.enforcement}: {len(found.flips)} flips, {len(found.undecided)} undecided"
    )
    for flip in [*found.flips, *found.undecided][:_SHOWN]:
        click.echo(
            f"  {printable(flip.task)} ({flip.index}): {flip.field} was {flip.was}, is {flip.now}"
            f"  {first_line(flip.message)}"
        )
    if found.changed:
        click.echo(f"otherwise than then: {', '.join(found.changed)}")
