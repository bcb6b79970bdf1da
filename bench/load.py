"""Does every client get exactly one right report, however the crowd behaves, and is nothing left?

Many concurrent clients with connections of their own send a mix of well-behaved and hostile
programs; some break off in the middle.  Then the daemon is looked at from outside: its processes,
descriptors, files and memory must be what they were.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench import mix, processes, results
from bench.results import Promise, none_of
from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local
from scalebox.errors import ScaleboxError
from scalebox.model import Report

#: Reports kept for idempotency keys are memory that grows on purpose, up to a bound; with a small
#: one it is reached in the first half, and the second can be asked to be flat.
OVERRIDES = {"engine": {"idempotency_bytes": 4 << 20}}
#: In the store: what is kept on purpose, each with a bound of its own.
CACHES = ("artifacts/", "headers/", "blobs/", "problems/")
#: Files that are being made, or should have been taken away, in the caches.
_DRAFTS = (".partial", "incoming-")
_IN_FLIGHT = 16
_SAMPLE_S = 0.5
_SETTLE_S = 10.0
#: Of the clients, every so many-th breaks off again and again.
_QUITTER_EACH = 10
#: The allocator's own play.
_RSS_SLACK_BYTES = 6 << 20
_RSS_SLACK_SHARE = 0.08
#: A connection that was closed a moment ago, a memfd of a compiled program that is kept.
_DESCRIPTOR_SLACK = 8


@dataclass
class LoadResult:
    """What happened.

    Attributes:
        planned: submissions of all clients.
        answered: reports that came, of submissions whose client stayed.
        abandoned: submissions whose client broke off before their report came.
        missing, repeated: indices without a report, with more than one.
        wrong: reports that are not as expected, in words.
        kinds: answered, by kind.
        processes_left: below the daemon and not there before, beyond its slots; or escaped from it.
        descriptors_before, descriptors_after: of the daemon.
        new_descriptors: what the additional ones are.
        mounts_left: that the daemon sees and did not see before.
        files_left: in the daemon's store, outside its caches.
        rss_samples: (submissions settled, daemon's resident bytes).
    """

    planned: int
    answered: int = 0
    abandoned: int = 0
    missing: list[int] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    wall_s: float = 0.0
    client_cpu_s: float = 0.0
    restarts: int = 0
    slot_failures: int = 0
    processes_left: list[str] = field(default_factory=list)
    descriptors_before: int = 0
    descriptors_after: int = 0
    new_descriptors: dict[str, int] = field(default_factory=dict)
    mounts_left: list[str] = field(default_factory=list)
    files_left: list[str] = field(default_factory=list)
    cached_files: int = 0
    rss_samples: list[tuple[int, int]] = field(default_factory=list)
    slots_rss_samples: list[tuple[int, int]] = field(default_factory=list)

    @property
    def rss_halves(self) -> tuple[int, int]:
        """The daemon's memory at the end of the first half, and at the end."""
        return _halves(self.rss_samples)

    @property
    def slots_rss_halves(self) -> tuple[int, int]:
        """The same of all its slots together, when no program runs."""
        return _halves(self.slots_rss_samples)

    def promises(self) -> list[Promise]:
        """What must hold."""
        first, second = self.rss_halves
        bound = first + max(_RSS_SLACK_BYTES, int(first * _RSS_SLACK_SHARE))
        slots_first, slots_second = self.slots_rss_halves
        slots_bound = slots_first + max(_RSS_SLACK_BYTES, int(slots_first * _RSS_SLACK_SHARE))
        more = self.descriptors_after - self.descriptors_before
        return [
            none_of("every submission whose client stayed is answered", self.missing),
            none_of("no submission is answered twice", self.repeated),
            none_of("every report is right", self.wrong),
            Promise(
                "all submissions are accounted for",
                self.answered + self.abandoned == self.planned,
                f"{self.answered} answered, {self.abandoned} abandoned of {self.planned}",
            ),
            none_of("no process is left", self.processes_left),
            Promise(
                f"no descriptor is left (at most {_DESCRIPTOR_SLACK} more)",
                more <= _DESCRIPTOR_SLACK,
                f"{self.descriptors_before} before, {self.descriptors_after} after"
                + (f"; new: {self.new_descriptors}" if self.new_descriptors else ""),
            ),
            none_of("no mount is left", self.mounts_left),
            none_of(f"no file is left outside {', '.join(CACHES)}", self.files_left),
            _flat("the daemon's memory is flat", first, second, bound),
            _flat("the slots' memory is flat", slots_first, slots_second, slots_bound),
        ]


def _halves(samples: list[tuple[int, int]]) -> tuple[int, int]:
    end = samples[-1][0] if samples else 0
    first = [size for done, size in samples if 0.25 * end <= done <= 0.5 * end]
    second = [size for done, size in samples if done >= 0.75 * end]
    if not first or not second:
        return 0, 0  # too short a load to tell; `_flat` says so
    return sorted(first)[len(first) // 2], sorted(second)[len(second) // 2]


def _flat(text: str, first: int, second: int, bound: int) -> Promise:
    if not first or not second:
        return Promise(text, False, "not measured: too short a load")
    return Promise(text, second <= bound, _mib(first, second))


def _mib(first: int, second: int) -> str:
    return f"{first / 2**20:.1f} MiB in the first half, {second / 2**20:.1f} MiB in the second"


class _Book:
    """Who was answered, how often, and how."""

    def __init__(self, planned: list[mix.Planned]) -> None:
        self.result = LoadResult(planned=len(planned))
        self.settled = 0
        self._reports: Counter[int] = Counter()
        self._abandoned: set[int] = set()

    def report(self, planned: mix.Planned, report: Report) -> None:
        """A report came."""
        self._reports[planned.index] += 1
        self.settled += 1
        fault = planned.expected.fault(report)
        if not fault and report.id != planned.submission.id:
            fault = f"the report of {report.id} in place of {planned.submission.id}"
        if fault:
            self.result.wrong.append(f"#{planned.index} ({planned.kind}): {fault}")
        else:
            self.result.kinds[planned.kind] += 1

    def failed(self, planned: mix.Planned, error: ScaleboxError) -> None:
        """An error came in the place of a report."""
        self.settled += 1
        self._reports[planned.index] += 1
        self.result.wrong.append(f"#{planned.index} ({planned.kind}): {error}")

    def abandon(self, group: list[mix.Planned]) -> None:
        """The client broke off; what had no report by then needs none."""
        for planned in group:
            if not self._reports[planned.index]:
                self._abandoned.add(planned.index)
                self.settled += 1

    def close(self) -> LoadResult:
        """Count."""
        result = self.result
        result.answered = len(self._reports)
        result.abandoned = len(self._abandoned - self._reports.keys())
        result.repeated = [index for index, count in self._reports.items() if count > 1]
        known = self._reports.keys() | self._abandoned
        result.missing = [index for index in range(result.planned) if index not in known]
        return result


async def _stay(
    address: str, share: list[mix.Planned], book: _Book, leave_after: int | None = None
) -> None:
    """A client that sends all it has in one stream; perhaps it leaves after so many answers."""
    async with AsyncClient(address) as client:
        stream = client.judge_many(
            [planned.submission for planned in share], in_flight=_IN_FLIGHT, on_error="return"
        )
        async with aclosing(stream):
            answered = 0
            async for index, report in stream:
                if isinstance(report, Report):
                    book.report(share[index], report)
                else:
                    book.failed(share[index], report)
                answered += 1
                if answered == leave_after:
                    return


async def _ask_one_by_one(address: str, share: list[mix.Planned], book: _Book) -> None:
    """A client that asks as a reward function does: a few single requests at a time."""

    async def ask(client: AsyncClient, planned: mix.Planned) -> None:
        try:
            book.report(planned, await client.judge(planned.submission))
        except ScaleboxError as error:
            book.failed(planned, error)

    async with AsyncClient(address, connections=4) as client:
        for start in range(0, len(share), _IN_FLIGHT):
            async with asyncio.TaskGroup() as group:
                for planned in share[start : start + _IN_FLIGHT]:
                    group.create_task(ask(client, planned))


async def _quit(address: str, share: list[mix.Planned], book: _Book, rng: random.Random) -> None:
    """A client that breaks off two times of three: at any moment, or between two answers."""
    for number, start in enumerate(range(0, len(share), _IN_FLIGHT)):
        group = share[start : start + _IN_FLIGHT]
        if number % 3 == 0:
            try:
                async with asyncio.timeout(rng.uniform(0.0, 0.5)):
                    await _stay(address, group, book)
            except TimeoutError:
                book.abandon(group)
        elif number % 3 == 1:
            await _stay(address, group, book, rng.randrange(1, len(group)) if group[1:] else None)
            book.abandon(group)
        else:
            await _stay(address, group, book)


async def _watch(pid: int, slots: list[int], book: _Book) -> None:
    while True:
        await asyncio.sleep(_SAMPLE_S)
        result = book.result
        result.rss_samples.append((book.settled, processes.rss_bytes(pid)))
        size = sum(processes.rss_bytes(slot) for slot in slots)
        result.slots_rss_samples.append((book.settled, size))


async def _warm_up(address: str) -> None:
    """One of each kind: whatever is made once is made before the first look."""
    async with AsyncClient(address) as client:
        # Of the compiled ones every variant, so that their programs are in the cache.
        kinds = [*mix.KINDS, *(["cpp", "cpp_broken"] * 12)]
        planned = mix.plan(len(kinds), seed=-1, kinds=kinds)
        await client.judge_all([one.submission for one in planned])


async def run_load(
    address: str | Path,
    *,
    clients: int,
    submissions: int,
    seed: int,
    store: Path | None = None,
) -> LoadResult:
    """Send the load to a daemon that has nothing else to do; look at it before and after.

    Parameters:
        address: its Unix socket.
        clients: concurrent ones, each with connections of its own.
        submissions: of all clients together.
        seed: of the mix and of who breaks off when.
        store: its directory for files; None: `store` beside the socket.

    Raises:
        OSError: nobody listens there.
    """
    address = str(address).removeprefix("unix:")
    store = store or Path(address).parent / "store"
    pid = processes.daemon_pid(address)
    planned = mix.plan(submissions, seed)
    book = _Book(planned)
    rng = random.Random(seed)
    await _warm_up(address)
    async with AsyncClient(address) as client:
        before = await client.status()
    slots = [slot.pid for slot in before.slots]
    await settled(pid, set(slots))
    present = processes.descendants(pid)
    descriptors = processes.descriptors(pid)
    mounts = processes.mounts(pid, store.parent)
    files = processes.files(store)
    started, cpu = time.monotonic(), time.process_time()
    watch = asyncio.create_task(_watch(pid, slots, book))
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            share = planned[number::clients]
            if number % _QUITTER_EACH == _QUITTER_EACH - 1:
                group.create_task(_quit(address, share, book, random.Random(rng.random())))
            elif number % 2:
                group.create_task(_stay(address, share, book))
            else:
                group.create_task(_ask_one_by_one(address, share, book))
    watch.cancel()
    result = book.close()
    result.wall_s = time.monotonic() - started
    result.client_cpu_s = time.process_time() - cpu
    async with AsyncClient(address) as client:
        after = await client.status()
    result.restarts = sum(slot.restarts for slot in after.slots)
    result.slot_failures = int(after.counters.get("slot_failures", 0))
    present |= {slot.pid for slot in after.slots}
    await settled(pid, present)
    _look(result, pid, present, descriptors, store, files)
    result.mounts_left = sorted(processes.mounts(pid, store.parent) - mounts)
    return result


async def settled(pid: int, present: set[int]) -> None:
    """Wait until the last runs are cleaned up, a bounded time; what is left then is left.

    Parameters:
        pid: of the daemon.
        present: the processes below it that belong there.
    """
    deadline = time.monotonic() + _SETTLE_S
    while time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        if not processes.descendants(pid) - present and not processes.named(mix.MARK):
            return


def _look(
    result: LoadResult,
    pid: int,
    present: set[int],
    descriptors: list[str],
    store: Path,
    files: set[str],
) -> None:
    left = (processes.descendants(pid) - present) | processes.named(mix.MARK)
    result.processes_left = [processes.describe(one) for one in sorted(left)]
    now = processes.descriptors(pid)
    result.descriptors_before, result.descriptors_after = len(descriptors), len(now)
    result.new_descriptors = dict(Counter(now) - Counter(descriptors))
    new = processes.files(store) - files
    result.files_left = sorted(
        name for name in new if not name.startswith(CACHES) or any(mark in name for mark in _DRAFTS)
    )
    result.cached_files = len(new) - len(result.files_left)


async def run(*, clients: int, submissions: int, seed: int) -> int:
    """A private daemon, the load, the table; returns the exit status."""
    async with async_local(OVERRIDES) as client:
        status = await client.status()
        result = await run_load(client.address, clients=clients, submissions=submissions, seed=seed)
        pid = processes.daemon_pid(client.address.removeprefix("unix:"))
    promises = result.promises()
    survivors = [pid] if Path(f"/proc/{pid}").exists() else []
    promises.append(
        none_of("nothing survives the daemon", [*survivors, *processes.named(mix.MARK)])
    )
    promises.append(none_of("no cgroup is left", processes.cgroups(pid)))
    first, second = result.rss_halves
    figures: dict[str, float] = {
        "submissions": result.planned,
        "clients": clients,
        "answered": result.answered,
        "abandoned": result.abandoned,
        "wrong": len(result.wrong),
        "missing": len(result.missing),
        "repeated": len(result.repeated),
        "processes_left": len(result.processes_left),
        "descriptors_more": result.descriptors_after - result.descriptors_before,
        "files_left": len(result.files_left),
        "daemon_rss_first_half_bytes": first,
        "daemon_rss_second_half_bytes": second,
        # From the middle of the one sample to the middle of the other is half of the load.
        "daemon_growth_bytes_per_submission": (second - first) / (result.planned / 2),
        "slots_rss_first_half_bytes": result.slots_rss_halves[0],
        "slots_rss_second_half_bytes": result.slots_rss_halves[1],
        "slot_restarts": result.restarts,
        "slot_failures": result.slot_failures,
        "wall_s": result.wall_s,
        "submissions_per_s": result.answered / result.wall_s,
    }
    rows = [{"kind": kind, "right": count} for kind, count in sorted(result.kinds.items())]
    host = {"isolation": status.isolation.value, "enforcement": status.enforcement.value}
    results.write("load", figures, rows, promises=promises, host=host)
    results.show("Right reports by kind", rows)
    results.show("Load", [{"figure": name, "value": value} for name, value in figures.items()])
    return results.conclude(promises)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.load`."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--clients", type=int, default=200, metavar="N")
    parser.add_argument("--submissions", type=int, default=20_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    options = parser.parse_args(arguments)
    if options.clients < 1 or options.submissions < 1:
        parser.error("--clients and --submissions must be at least 1")
    return uvloop.run(
        run(clients=options.clients, submissions=options.submissions, seed=options.seed)
    )


if __name__ == "__main__":
    sys.exit(main())
