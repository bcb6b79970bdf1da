"""Does a daemon still cost and hold after a million cases what it did after the first thousand?

Trivial Python programs, each with a source of its own, go through a private daemon until there were
enough cases or minutes.  CPU time per case is taken over windows of some seconds; once a minute the
load pauses and everything that the daemon holds is counted from outside (`holdings`).  In the end a
fresh daemon does the same work in turns with it: an hour changes the machine more than the daemon,
so what a case costs is compared side by side.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import uvloop
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import holdings, load, measure, processes, results, workloads
from bench.holdings import Holdings, Window
from bench.results import Promise, at_least, at_most, none_of
from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local
from scalebox.model import StdioTests, Submission

CASES = 1_000_000
MINUTES = 30.0
#: The load pauses so often for a look.
LOOK_EACH_S = 60.0
#: Long enough for the kernel's clock ticks, short enough for many in a tenth of the soak.
WINDOW_S = 5.0
#: Whatever is made once is made before the first look.  Also the cache of compiled code is full by
#: then, which is a matter of how many programs there were, not cases.
_WARM_UP_CASES = 2000
_WARM_UP_PROGRAMS = 30_000
_WARM_UP_SHARE = 0.05
_MOST_DRIFT = 0.05
#: Allocators' play: of the daemon, and of each slot.
_DAEMON_GROWTH_MB = 6.0
_SLOT_GROWTH_MB = 1.0
#: Submissions: all slots have work, and a pause begins within seconds.
_IN_FLIGHT = 100
#: Of a submission of `workloads.TRIVIAL`.
_CASES_EACH = 20
_REFERENCE_STEPS = 300_000
#: In the end, with a fresh daemon: some seconds each.
_PAIRS = 12
_PAIR_SUBMISSIONS = 200


@dataclass
class Soak:
    """What happened.

    Attributes:
        slots: of the daemon.
        cases: judged, all of them.
        wall_s: of the load, pauses left out.
        wrong: reports that are not `accepted`, in words.
        windows, samples: see `holdings`.
        pairs: CPU seconds a case of the daemon in the end, and of a fresh one beside it.
        replaced: slots that are not those of the beginning.
        left: what the daemon left behind when it ended.
    """

    slots: int = 0
    cases: int = 0
    wall_s: float = 0.0
    wrong: list[str] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    samples: list[Holdings] = field(default_factory=list)
    pairs: list[tuple[float, float]] = field(default_factory=list)
    replaced: int = 0
    left: list[str] = field(default_factory=list)

    @property
    def leaks(self) -> list[str]:
        """What has become more."""
        return holdings.leaks(self.samples, self.slots)

    def figures(self) -> dict[str, float]:
        """What issues and docs quote; what could not be measured is missing."""
        found: dict[str, float] = {
            "cases": self.cases,
            "cases_per_s": self.cases / self.wall_s if self.wall_s else 0.0,
            "wrong": len(self.wrong),
            "leaks": len(self.leaks),
            "slots_replaced": self.replaced,
            "windows": len(self.windows),
        }
        costs = [window.cpu_per_case_s for window in self.windows]
        if (moved := holdings.drift(costs)) is not None:
            found["cpu_ms_per_case"] = 1000 * statistics.median(costs)
            machine = holdings.drift([window.reference_s for window in self.windows])
            assert machine is not None
            found["first_to_last_tenth"] = moved
            found["machine_drift"] = machine
        if self.pairs:
            ratios = [soaked / fresh for soaked, fresh in self.pairs]
            found["cpu_per_case_drift"] = statistics.median(ratios) - 1
        if (growth := holdings.growth_bytes(self.samples)) is not None:
            daemon, slots = growth
            found["daemon_growth_mb"] = daemon / 1e6
            found["slots_growth_mb"] = slots / 1e6
            found["memory_growth_mb"] = (daemon + slots) / 1e6
        return found

    def promises(self) -> list[Promise]:
        """What must hold."""
        figures = self.figures()
        moved = figures.get("cpu_per_case_drift")
        return [
            at_least("cases", figures["cases"], 1),
            none_of("every case is accepted", self.wrong),
            at_most(
                "|cpu_per_case_drift|", None if moved is None else abs(moved), _MOST_DRIFT
            ),
            at_most(
                "memory_growth_mb",
                figures.get("memory_growth_mb"),
                _DAEMON_GROWTH_MB + _SLOT_GROWTH_MB * self.slots,
            ),
            none_of("nothing becomes more", self.leaks),
            at_most("slots_replaced", figures["slots_replaced"], 0),
            none_of("nothing is left by the daemon", self.left),
        ]  # fmt: skip


def submissions(seed: int) -> Iterator[Submission]:
    """Trivial ones of twenty cases, without end."""
    rng = random.Random(seed)
    while True:
        for unit in workloads.TRIVIAL.make(rng, 50):
            yield unit.submission


def reference_s() -> float:
    """CPU seconds of a piece of work that is always the same."""
    started = time.thread_time()
    total = 0
    for number in range(_REFERENCE_STEPS):
        total += number
    return time.thread_time() - started


@dataclass
class _Run:
    """A soak under way."""

    address: str
    pid: int
    slots: list[int]
    store: Path
    soak: Soak
    source: Iterator[Submission]
    window_s: float
    progress: Callable[[int], None] = lambda cases: None

    async def fill_caches(self, programs: int) -> None:
        """As many programs as a cache holds, in as few cases as have one compiled for them."""
        small = (
            msgspec.structs.replace(one, tests=StdioTests(cases=one.tests.cases[:2]))
            for one in itertools.islice(self.source, programs)
            if isinstance(one.tests, StdioTests)
        )
        async with (
            AsyncClient(self.address) as client,
            aclosing(client.judge_many(small, in_flight=_IN_FLIGHT)) as stream,
        ):
            async for _, report in stream:
                if not report.accepted:
                    self.soak.wrong.append(f"{report.verdict.value}: {report.message}")

    async def judge(self, cases: int, deadline: float) -> None:
        """Send until so many cases are judged, or the time has come; then wait for the rest."""
        soak, target = self.soak, self.soak.cases + cases
        started = opened = time.monotonic()
        at = cpu_s = None
        # Clients come and go; the connections that one keeps would be held when all is at rest.
        async with (
            AsyncClient(self.address) as client,
            aclosing(
                client.judge_many(self._until(target, deadline), in_flight=_IN_FLIGHT)
            ) as stream,
        ):
            async for _, report in stream:
                soak.cases += report.total
                self.progress(soak.cases)
                if not report.accepted:
                    soak.wrong.append(f"{report.verdict.value}: {report.message}")
                now = time.monotonic()
                if at is not None and now - opened < self.window_s:
                    continue
                reached = measure.kernel_cpu_s(self.pid, self.slots)
                # The first reports come while nothing is in flight yet: no window begins before.
                if at is not None and cpu_s is not None and now < deadline:
                    soak.windows.append(Window(soak.cases - at, reached - cpu_s, reference_s()))
                at, cpu_s, opened = soak.cases, reached, now
        soak.wall_s += time.monotonic() - started

    def _until(self, target: int, deadline: float) -> Iterator[Submission]:
        sent = self.soak.cases
        for submission in self.source:
            if sent >= target or time.monotonic() >= deadline:
                return
            yield submission
            sent += _CASES_EACH

    async def look(self, minutes: float) -> None:
        """Let it come to rest, and count."""
        await load.settled(self.pid, set(self.slots))
        one = holdings.look(self.pid, self.slots, self.store, self.soak.cases, minutes)
        self.soak.samples.append(one)


async def soak_daemon(
    client: AsyncClient,
    *,
    cases: int,
    minutes: float,
    bar: Progress,
    look_each_s: float = LOOK_EACH_S,
    window_s: float = WINDOW_S,
) -> Soak:
    """Soak a daemon that has nothing else to do.

    Parameters:
        client: of a daemon on this host, with its store beside its socket.
        cases, minutes: whichever comes first.
        bar: shows how far it is.
        look_each_s, window_s: see `LOOK_EACH_S`, `WINDOW_S`.

    Raises:
        ScaleboxError: a submission was refused, or the daemon is lost.
    """
    address = client.address.removeprefix("unix:")
    status = await measure.all_slots_up(client)
    slots = [slot.pid for slot in status.slots]
    soak = Soak(slots=len(slots))
    run = _Run(
        address, processes.daemon_pid(address), slots, Path(address).parent / "store", soak,
        submissions(seed=1), window_s,
    )  # fmt: skip
    await run.fill_caches(min(_WARM_UP_PROGRAMS, int(_WARM_UP_SHARE * cases)))
    await run.judge(min(cases, _WARM_UP_CASES), time.monotonic() + 60 * minutes)
    soak.cases, soak.wall_s, soak.windows = 0, 0.0, []
    began = time.monotonic()
    await run.look(0.0)
    task = bar.add_task("cases", total=cases)
    run.progress = lambda done: bar.update(task, completed=done)
    while soak.cases < cases and time.monotonic() < began + 60 * minutes:
        deadline = min(time.monotonic() + look_each_s, began + 60 * minutes)
        await run.judge(cases - soak.cases, deadline)
        await run.look((time.monotonic() - began) / 60)
    after = await client.status()
    soak.replaced = len({slot.pid for slot in after.slots} - set(slots))
    return soak


async def compare(
    soaked: AsyncClient, fresh: AsyncClient, source: Iterator[Submission], rounds: int, each: int
) -> list[tuple[float, float]]:
    """CPU seconds a case of both, in turns.

    Parameters:
        source: of submissions.
        rounds: pairs.
        each: submissions of one turn.
    """
    pairs = []
    await measure.judge(fresh, list(itertools.islice(source, each)))  # whatever is made once
    for turn in range(rounds):
        order = (soaked, fresh) if turn % 2 else (fresh, soaked)
        costs = {}
        for client in order:
            done = await measure.judge(client, list(itertools.islice(source, each)))
            costs[client] = done.service_s / done.cases
        pairs.append((costs[soaked], costs[fresh]))
    return pairs


async def run(*, cases: int, minutes: float) -> int:
    """A private daemon, the soak, the table; returns the exit status."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    console = results.new_console()
    # Reports kept for idempotency keys are memory that grows on purpose: see `load.OVERRIDES`.
    async with async_local(load.OVERRIDES) as client:
        status = await client.status()
        pid = processes.daemon_pid(client.address)
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
            soak = await soak_daemon(client, cases=cases, minutes=minutes, bar=bar)
            bar.add_task("beside a fresh daemon", total=None)
            async with async_local(load.OVERRIDES) as fresh:
                soak.pairs = await compare(client, fresh, submissions(2), _PAIRS, _PAIR_SUBMISSIONS)
        family = processes.descendants(pid) | {pid}
    soak.left = [
        *(processes.describe(one) for one in sorted(family) if Path(f"/proc/{one}").exists()),
        *processes.cgroups(pid),
    ]
    promises = soak.promises()
    figures = soak.figures()
    host = {"isolation": status.isolation.value, "enforcement": status.enforcement.value}
    windows = [
        {
            "window": number,
            "cases": window.cases,
            "cpu_ms_per_case": 1000 * window.cpu_per_case_s,
            "reference_ms": 1000 * window.reference_s,
        }
        for number, window in enumerate(soak.windows)
    ]
    samples = [sample.row() for sample in soak.samples]
    path = results.write("soak", figures, [*samples, *windows], promises=promises, host=host)
    print(f"wrote {path.name}")
    results.show("What is held, once a minute", samples)
    results.show("Soak", [{"figure": name, "value": value} for name, value in figures.items()])
    return results.conclude(promises)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.soak`."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, metavar="N", help="at most")
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="M", help="at most")
    options = parser.parse_args(arguments)
    if options.cases < 1 or options.minutes <= 0:
        parser.error("--cases must be at least 1, --minutes more than 0")
    return uvloop.run(run(cases=options.cases, minutes=options.minutes))


if __name__ == "__main__":
    sys.exit(main())
