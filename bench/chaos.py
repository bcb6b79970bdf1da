"""Is every case answered, rightly and once, whatever happens to the nodes meanwhile?

One client, which knows all daemons, sends 20,000 cases of right and wrong programs; all work starts
at one node and the others steal.  In the middle of it nodes are killed (thieves, the victim, both
in turn), the network is cut in two for ten seconds and healed, one node becomes ten times slower,
and all are restarted one by one.  A fault begins when so much of the load is answered, and must be
over before the rest is; what each node ran before, during and after it is in the rows.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import uvloop

from bench import clustered, results, storm
from bench.results import Promise, none_of
from bench.storm import Planned
from scalebox.client.aio import AsyncClient
from scalebox.errors import ScaleboxError
from scalebox.model import Report
from tests.cluster.hosts import Host, Hosts, HostsError

NODES = 6
CASES = 20_000
#: Of each case: long enough for the load to outlast the faults, and for the machine to have time
#: for what dies and starts again.
SLEEP_S = 0.08
_PARTITION_S = 10.0
#: A node that was killed stays away for so long: longer than it takes the others to find out.
_AWAY_S = 8.0
_SLOW_S = 15.0
#: Ten times slower: its processes have a tenth of the time, and its line is one to another site.
_SLOW_SHARE, _SLOW_DELAY_S = 0.1, 0.02
#: Submissions that the client has under way.
_IN_FLIGHT = 256


@dataclass
class Book:
    """What came back.

    Attributes:
        planned: all submissions.
        reports: by index, how often one came.
        wrong: cases that are not as they must be, in words; and errors in the place of a report.
        nodes: where cases ran; empty: on the node that was asked.
        retried: cases that were tried more than once.
    """

    planned: Sequence[Planned]
    reports: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    nodes: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def cases(self) -> int:
        """Of all submissions."""
        return sum(len(one.verdicts) for one in self.planned)

    @property
    def share(self) -> float:
        """Which part of the submissions is answered."""
        return len(self.reports) / len(self.planned)

    @property
    def lost(self) -> list[int]:
        """Submissions without a report."""
        return [one.index for one in self.planned if one.index not in self.reports]

    @property
    def duplicated(self) -> list[int]:
        """Submissions with more than one."""
        return [index for index, count in self.reports.items() if count > 1]

    def cases_of(self, indices: Sequence[int]) -> int:
        """How many cases these submissions have."""
        return sum(len(self.planned[index].verdicts) for index in indices)

    async def enter(self, index: int, outcome: Report | ScaleboxError) -> None:
        """A report, or an error in its place."""
        self.reports[index] += 1
        if isinstance(outcome, Report):
            self.wrong += self.planned[index].faults(outcome)
            for case in outcome.cases:
                self.nodes[case.node] += 1
                self.retried += case.attempts > 1
        else:
            self.wrong += [f"#{index}: {outcome}"] * len(self.planned[index].verdicts)
        async with self._changed:
            self._changed.notify_all()

    async def until(self, share: float) -> None:
        """Wait until such a part is answered."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.share >= share)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that happens.

    Attributes:
        name: for people.
        at: which part of the load is answered when it begins.
        work: does it, and undoes it.
    """

    name: str
    at: float
    work: Callable[[Hosts], Awaitable[None]]


async def victim_of(hosts: Hosts) -> Host:
    """The node with the most to do: where the client's work is, which the others take."""
    running = [host for host in hosts if host.runs]
    found = zip(running, await clustered.statuses(running), strict=True)
    return max(found, key=lambda pair: pair[1].queued_cases)[0]


async def _others(hosts: Hosts) -> list[Host]:
    victim = await victim_of(hosts)
    return [host for host in hosts if host is not victim]


async def kill_thieves(hosts: Hosts) -> None:
    """Two at once."""
    await _kill_for_a_while(hosts, (await _others(hosts))[:2])


async def kill_victim(hosts: Hosts) -> None:
    """Where the client's work is."""
    await _kill_for_a_while(hosts, [await victim_of(hosts)])


async def kill_in_turn(hosts: Hosts) -> None:
    """A thief, its victim, and who took over from that one."""
    killed = []
    for choose in (_first_thief, victim_of, victim_of):
        host = await choose(hosts)
        host.kill()
        killed.append(host)
        await asyncio.sleep(_AWAY_S / 4)
    await _bring_back(hosts, killed)


async def _first_thief(hosts: Hosts) -> Host:
    return next(host for host in await _others(hosts) if host.runs)


async def _kill_for_a_while(hosts: Hosts, doomed: Sequence[Host]) -> None:
    for host in doomed:
        host.kill()
    await asyncio.sleep(_AWAY_S)
    await _bring_back(hosts, doomed)


async def _bring_back(hosts: Hosts, gone: Sequence[Host]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for host in gone:
            tasks.create_task(host.up())
    await clustered.meeting(hosts)


async def cut_in_two(hosts: Hosts) -> None:
    """Half of the thieves on one side, the victim with the rest on the other."""
    others = await _others(hosts)
    hosts.partition({host.number for host in others[: len(others) // 2]})
    await asyncio.sleep(_PARTITION_S)
    hosts.heal()
    await clustered.meeting(hosts)


async def slow_one(hosts: Hosts) -> None:
    """A thief."""
    host = (await _others(hosts))[-1]
    host.line(delay_s=_SLOW_DELAY_S)
    host.slow(_SLOW_SHARE)
    await asyncio.sleep(_SLOW_S)
    host.slow(1)
    host.line()
    await clustered.meeting(hosts)


async def restart_all(hosts: Hosts) -> None:
    """One by one, in good order; the next when the last one is among the others again."""
    for host in hosts:
        await host.restart()
        await clustered.meeting(hosts)


FAULTS = (
    Fault("kill -9 of two thieves", 0.04, kill_thieves),
    Fault("kill -9 of the victim", 0.16, kill_victim),
    Fault("kill -9 of thief, victim, next victim", 0.28, kill_in_turn),
    Fault("partition for 10 s, and its healing", 0.42, cut_in_two),
    Fault("a node ten times slower", 0.54, slow_one),
    Fault("rolling restart of all nodes", 0.67, restart_all),
)


async def strike(
    hosts: Hosts, book: Book, faults: Sequence[Fault], rows: list[dict[str, Any]]
) -> None:
    """Let one after the other happen; a row for each that is over."""
    for fault in faults:
        await book.until(fault.at)
        began, share, retried, nodes = time.monotonic(), book.share, book.retried, book.nodes.copy()
        await fault.work(hosts)
        ran = book.nodes - nodes
        rows.append(
            {
                "fault": fault.name,
                "from_share": share,
                "to_share": book.share,
                "lasted_s": time.monotonic() - began,
                "cases_meanwhile": ran.total(),
                "retried_meanwhile": book.retried - retried,
                "by_node": ", ".join(
                    f"{name or 'asked'}: {count}" for name, count in sorted(ran.items())
                ),
            }
        )
        print(f"chaos: {fault.name}: {share:.0%} to {book.share:.0%} answered", flush=True)


async def send(hosts: Hosts, book: Book) -> None:
    """The client: one stream over all daemons."""
    address = ",".join(str(host.socket) for host in hosts)
    async with AsyncClient(address, retries=12) as client:
        stream = client.judge_many(
            [one.submission for one in book.planned], in_flight=_IN_FLIGHT, on_error="return"
        )
        async with aclosing(stream):
            async for index, outcome in stream:
                await book.enter(index, outcome)


async def storm_over(
    hosts: Hosts, book: Book, faults: Sequence[Fault]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Send everything while faults happen.

    Returns:
        A row for each fault, and what is left to do somewhere although all is answered.
    """
    rows: list[dict[str, Any]] = []
    async with asyncio.TaskGroup() as tasks:
        striking = tasks.create_task(strike(hosts, book, faults, rows))
        await send(hosts, book)
        if book.share < 1:
            # It would wait for answers that do not come.
            striking.cancel()
    return rows, await clustered.busy_nodes([host for host in hosts if host.runs])


def promises_of(
    book: Book, rows: Sequence[dict[str, Any]], faults: Sequence[Fault], left: Sequence[str]
) -> list[Promise]:
    """What must hold."""
    late = [row["fault"] for row in rows if row["to_share"] >= 1]
    late += [fault.name for fault in faults[len(rows) :]]
    return [
        none_of("every report arrives", book.lost),
        none_of("none arrives twice", book.duplicated),
        none_of("every case is right, none an internal_error", book.wrong),
        none_of("every fault is over before the load is", late),
        Promise(
            "faults were felt: cases were tried again",
            book.retried > 0,
            f"{book.retried} of {book.cases}",
        ),
        none_of("nothing is left to do on any node", left),
    ]


async def run(*, cases: int, nodes: int, seed: int) -> int:
    """The cluster, the load, the faults, the table; returns the exit status."""
    book = Book(storm.plan(cases, seed, SLEEP_S))
    async with Hosts(nodes, cluster={}) as hosts:
        await clustered.start(hosts)
        started = time.monotonic()
        rows, left = await storm_over(hosts, book, FAULTS)
        wall_s = time.monotonic() - started
    promises = promises_of(book, rows, FAULTS, left)
    figures: dict[str, float] = {
        "cases": book.cases,
        "lost": book.cases_of(book.lost),
        "duplicated": book.cases_of(book.duplicated),
        "wrong": len(book.wrong),
        "retried": book.retried,
        "nodes": nodes,
        "wall_s": wall_s,
        "cases_per_s": book.cases / wall_s,
    }
    results.write("cluster-chaos", figures, rows, promises=promises)
    results.show("Faults", rows)
    results.show("Chaos", [{"figure": name, "value": value} for name, value in figures.items()])
    return results.conclude(promises)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.chaos`."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, metavar="N")
    parser.add_argument("--nodes", type=int, default=NODES, metavar="N", help="4 at least")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    options = parser.parse_args(arguments)
    if options.nodes < 4 or options.cases < 1:
        parser.error("--nodes must be at least 4, --cases at least 1")
    try:
        return uvloop.run(run(cases=options.cases, nodes=options.nodes, seed=options.seed))
    except* (ScaleboxError, HostsError) as group:
        for error in group.exceptions:
            print(f"cluster-chaos: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
