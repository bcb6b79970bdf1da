"""Does the same submission get the same verdict on a busy machine as on a quiet one?

Real submissions are judged one at a time by a daemon with one slot; then, over and over, by one
with a slot a core and ten times as many submissions in flight; then again with as many spinning
processes as cores beside the daemon.  No verdict may differ, but of those whose quiet CPU time is
within a tenth of the limit (`choices`, `flips`).  What that is, is measured before the load, in
pauses of it, and after it; where most of them differ by more than their limits' distance the
machine is no place to tell.  The same runs tell what a limit on wall time would have made of them.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import choices, labels, results
from bench.choices import Choice
from bench.flips import Phase, Quiet, Run, percentile, ratio_percentiles
from bench.hogs import hogs
from bench.labels import Labelled
from bench.results import Promise, at_least, at_most
from scalebox.client.aio import AsyncClient
from scalebox.client.local import Overrides, async_local
from scalebox.model import Report, Verdict

#: Submissions in flight for each slot.
OVERLOAD = 10
#: What programs need is measured so often before the load …
QUIET_ROUNDS = 3
#: … and once in each of these pauses of it, of which the last is its end.
PAUSES, HOG_PAUSES = 8, 4
#: Of the choices with the nearest limits, at least: outside the band, so that they show something.
TELLING_SHARE = 0.5
#: Counters of the daemon that say what it did to keep verdicts still, and their names in the table.
_COUNTERS = {
    "confirmations": "run_again",
    "runs_alone": "alone",
    "runs_alone_refused": "not_alone",
    "retries": "retries",
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is judged.

    Attributes:
        runs: with ten times as many in flight as there are slots, at least.
        hog_runs: with hogs besides, at least.
        tests: of one submission, at most.
        every: of the submissions of the data, each so many-th.
    """

    runs: int = 1000
    hog_runs: int = 480
    tests: int = choices.MOST_TESTS
    every: int = 1


QUICK = Size(runs=60, hog_runs=30, tests=3, every=8)


@dataclass(frozen=True, slots=True)
class Measured:
    """What came out.

    Attributes:
        quiet: every choice, alone.
        phases: under load.
        quiet_wall_s: of all quiet runs.
        isolation, enforcement: of the daemon.
        slots: of the loaded daemon.
    """

    quiet: list[Quiet]
    phases: list[Phase]
    quiet_wall_s: float
    isolation: str
    enforcement: str
    slots: int

    @property
    def runs(self) -> list[Run]:
        """All runs under load."""
        return [run for phase in self.phases for run in phase.runs]

    def figures(self) -> dict[str, float]:
        """What issues and docs quote."""
        found: dict[str, float] = {
            "submissions": len({quiet.choice.name for quiet in self.quiet}),
            "choices": len(self.quiet),
            "choices_in_band": sum(quiet.in_band for quiet in self.quiet),
            **self._tight_figures(),
            "quiet_runs": len(self.quiet),
            "quiet_inconclusive": sum(
                not quiet.report.verdict.is_about_the_program for quiet in self.quiet
            ),
            "runs": len(self.runs),
            "flips": sum(len(phase.flips(in_band=False)) for phase in self.phases),
            "flips_in_band": sum(len(phase.flips(in_band=True)) for phase in self.phases),
            "wall_clock_flips": sum(len(phase.wall_clock_flips()) for phase in self.phases),
            "slots": self.slots,
            "quiet_wall_s": self.quiet_wall_s,
            **ratio_percentiles(self.runs),
        }
        for phase in self.phases:
            short = phase.name.replace(" ", "_")
            for name, value in phase.row().items():
                if isinstance(value, int | float):
                    found[f"{short}_{name}"] = value
        return found

    def _tight_figures(self) -> dict[str, float]:
        tight = [quiet for quiet in self.quiet if quiet.choice.needs_s]
        if not tight:
            return {}
        nearest = {choices.times_quiet(factor) for factor in choices.NEAR}
        near = [one for one in tight if one.choice.limit in nearest]
        spreads = [max(one.choice.needs_s) / min(one.choice.needs_s) for one in tight]
        return {
            "tight_choices": len(tight),
            # Of nothing none would be outside.
            "near_share_outside_band": sum(not one.in_band for one in near) / max(1, len(near)),
            "quiet_cpu_spread_p50": percentile(spreads, 50),
            "quiet_cpu_spread_p100": percentile(spreads, 100),
        }

    def quiet_row(self) -> dict[str, object]:
        """The quiet runs in the table; what a wall clock makes of them shows its own error."""
        itself = Phase("quiet", [Run(quiet, quiet.report) for quiet in self.quiet])
        return {
            "load": itself.name,
            "runs": len(itself.runs),
            "flips": 0,
            "flips_in_band": 0,
            "wall_clock_flips": len(itself.wall_clock_flips()),
            "wall_s": self.quiet_wall_s,
        }


def promises_of(figures: dict[str, float], size: Size) -> list[Promise]:
    """What must hold."""
    return [
        at_least("runs", figures.get("runs"), size.runs + size.hog_runs),
        at_most("quiet_inconclusive", figures.get("quiet_inconclusive"), 0),
        at_least("near_share_outside_band", figures.get("near_share_outside_band"), TELLING_SHARE),
        at_most("flips", figures.get("flips"), 0),
    ]


def rounds(wanted: int, available: int) -> int:
    """How often all choices are judged to make so many runs."""
    return math.ceil(wanted / max(1, available))


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=results.new_console(), transient=True,
    )  # fmt: skip


async def judge_quietly(
    labelled: Sequence[Labelled], tests: int, bar: Progress, overrides: Overrides
) -> tuple[list[Quiet], list[Choice]]:
    """Every submission under its own limit and, where it can be, under tight ones; one program at
    a time.

    Returns:
        All that; and the slowest tests that tight limits were made from.
    """
    quiet: list[Quiet] = []
    slowest: list[Choice] = []
    task = bar.add_task("quiet", total=len(labelled))
    async with async_local(overrides, sandbox={"slots": 1}) as client:
        for one in labelled:
            choice = choices.own(one, tests)
            report = await client.judge(choice.submission)
            quiet.append(Quiet(choice, report))
            if found := choices.slowest(choice, report):
                slowest.append(found)
            bar.advance(task)
        for _ in range(QUIET_ROUNDS):
            await measure_needs(client, slowest, bar)
        quiet += [
            Quiet(further, await client.judge(further.submission))
            for one in slowest
            for further in choices.tight(one)
        ]
    return quiet, slowest


async def measure_needs(client: AsyncClient, slowest: Sequence[Choice], bar: Progress) -> None:
    """Ask what programs need, one program at a time."""
    task = bar.add_task("quiet needs", total=len(slowest))
    for one in slowest:
        (case,) = (await client.judge(one.submission)).cases
        # Of one that was stopped it is known that it needs more.
        if case.verdict in choices.ENDED or case.verdict is Verdict.TIME_LIMIT_EXCEEDED:
            one.needs_s.append(case.cpu_time_s)
        bar.advance(task)


async def judge_loaded(
    client: AsyncClient, phase: Phase, order: Sequence[Quiet], bar: Progress
) -> None:
    """More runs of a phase, in this order, ten a slot in flight."""
    before = await client.status()
    task = bar.add_task(phase.name, total=len(order))
    started = time.monotonic()
    reports: dict[int, Report] = {}
    stream = client.judge_many(
        (
            msgspec.structs.replace(one.choice.submission, id=str(index))
            for index, one in enumerate(order)
        ),
        in_flight=OVERLOAD * len(before.slots),
    )
    async with aclosing(stream):
        async for index, report in stream:
            reports[index] = report
            bar.advance(task)
    phase.wall_s += time.monotonic() - started
    phase.runs += [Run(one, reports[index]) for index, one in enumerate(order)]
    after = await client.status()
    for name, short in _COUNTERS.items():
        more = after.counters.get(name, 0) - before.counters.get(name, 0)
        phase.notes[short] = phase.notes.get(short, 0) + more


def parts_of(phase: str, quiet: Sequence[Quiet], runs: int, parts: int) -> list[list[Quiet]]:
    """Every choice as often as makes so many runs, in a mixed order, cut into parts."""
    order = list(quiet) * rounds(runs, len(quiet))
    random.Random(phase).shuffle(order)
    return [order[place::parts] for place in range(parts)]


async def _loaded_phases(
    client: AsyncClient,
    alone: AsyncClient,
    quiet: Sequence[Quiet],
    slowest: Sequence[Choice],
    size: Size,
    bar: Progress,
) -> list[Phase]:
    overload, with_hogs = Phase("overload"), Phase("with hogs")
    for part in parts_of(overload.name, quiet, size.runs, PAUSES):
        await judge_loaded(client, overload, part, bar)
        await measure_needs(alone, slowest, bar)
    hogs_cpu_s = 0.0
    for part in parts_of(with_hogs.name, quiet, size.hog_runs, HOG_PAUSES):
        with hogs(len(os.sched_getaffinity(0))) as spinning:
            await judge_loaded(client, with_hogs, part, bar)
            hogs_cpu_s += spinning.cpu_s()
        await measure_needs(alone, slowest, bar)
    with_hogs.notes["hogs_cpu_s"] = hogs_cpu_s
    return [overload, with_hogs]


async def measure(
    labelled: Sequence[Labelled], size: Size, overrides: Overrides | None = None
) -> Measured:
    """Judge quietly and under load, with private daemons.

    Parameters:
        labelled: the submissions.
        size: how much of them.
        overrides: options of the daemons.

    Raises:
        ScaleboxError: a submission was refused, or a hog ended.
    """
    with _progress() as bar:
        started = time.monotonic()
        quiet, slowest = await judge_quietly(labelled, size.tests, bar, overrides or {})
        quiet_wall_s = time.monotonic() - started
        # Another daemon: it has everything to compile again, under load.
        async with (
            async_local(overrides) as client,
            async_local(overrides, sandbox={"slots": 1}) as alone,
        ):
            status = await client.status()
            phases = await _loaded_phases(client, alone, quiet, slowest, size, bar)
    return Measured(
        quiet, phases, quiet_wall_s,
        status.isolation.value, status.enforcement.value, len(status.slots),
    )  # fmt: skip


def chosen(labelled: Iterable[Labelled], every: int) -> list[Labelled]:
    """Of the Python and C++ submissions, each so many-th."""
    return [one for one in labelled if one.submission.language in choices.LANGUAGES][::every]


async def run(size: Size, *, pin: bool = True) -> int:
    """Judge, print, write; returns the exit status.

    Parameters:
        size: how much.
        pin: whether slots keep to a core each; what is measured without is shown, not kept.
    """
    labelled = chosen(
        labels.read(labels.data_directory() / labels.FILE, labels.KINDS[:1]), size.every
    )
    measured = await measure(labelled, size, {} if pin else {"sandbox": {"pin": False}})
    figures = measured.figures()
    promises = promises_of(figures, size)
    rows = [measured.quiet_row(), *(phase.row() for phase in measured.phases)]
    flipped = [
        {"load": phase.name, **one.row()}
        for phase in measured.phases
        for in_band in (False, True)
        for one in phase.flips(in_band=in_band)
    ]
    host = {"isolation": measured.isolation, "enforcement": measured.enforcement}
    if pin:
        path = results.write("stability", figures, [*rows, *flipped], promises=promises, host=host)
        print(f"wrote {path.name}")
    if flipped:
        results.show("Verdicts that moved", flipped)
    results.show("Verdicts under load; pN: CPU time over its quiet value", rows)
    results.show(
        "Stability",
        [{"figure": name, "value": figures[name]} for name in _SHOWN if name in figures],
    )
    return results.conclude(promises)


_SHOWN = (
    "submissions", "choices", "choices_in_band", "near_share_outside_band",
    "quiet_cpu_spread_p50", "quiet_cpu_spread_p100", "runs", "flips", "flips_in_band",
    "wall_clock_flips",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.stability`."""
    parser = argparse.ArgumentParser(prog="python -m bench.stability", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few submissions, few runs")
    parser.add_argument("--runs", type=int, metavar="N", help="with ten times as many in flight")
    parser.add_argument("--hog-runs", type=int, metavar="N", help="with hogs besides")
    parser.add_argument("--tests", type=int, metavar="N", help="of one submission, at most")
    parser.add_argument("--unpinned", action="store_true", help="without a core for each slot")
    options = parser.parse_args(arguments)
    size = QUICK if options.quick else Size()
    given = {
        name: value
        for name in ("runs", "hog_runs", "tests")
        if (value := getattr(options, name)) is not None
    }
    if any(value < 1 for value in given.values()):
        parser.error("--runs, --hog-runs and --tests must be at least 1")
    file = labels.data_directory() / labels.FILE
    if not file.is_file():
        parser.error(f"there is no {labels.FILE} in the data directory; name it in $SCALEBOX_DATA")
    return asyncio.run(run(replace(size, **given), pin=not options.unpinned))


if __name__ == "__main__":
    sys.exit(main())
