"""A cluster as a discrete-event model: time, links, event loops and slots are numbers.

What decides is not modelled: each node has the daemon's own `Members`, and asks, lends, waits and
tells by the daemon's own `policy`.  `bench.simulated_node` is one node, `bench.simulate` makes the
scenarios.  Everything follows from the seed.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.simulated_leases import Batch
from bench.simulated_node import Node
from scalebox.cluster.membership import Members
from scalebox.cluster.records import Facts

#: Fan-in is also counted over windows of this length.
WINDOW_S = 0.1


@dataclass(frozen=True, slots=True)
class Costs:
    """What things take.  Times of an event loop are of one core, in seconds.

    Attributes:
        delay_s, jitter_s: one way between two hosts of a rack; the jitter is exponential.
        bytes_per_s: of a host's link (10 Gbit/s).
        slow_delay_s, slow_bytes_per_s: of slow links (100 Mbit/s, another site).
        message_bytes: of each message besides its content: HTTP, and the seal.
        gossip_s, request_s: loop's time for a probe or rumour, and a request for work.
        lease_s, part_s, case_s: for a lease, each submission in it and each case of these, at both
            ends.
        frame_s, result_s: for a frame of results, and each result in it, at both ends.
        case_bytes, part_bytes, result_bytes: on the wire.
        run_s: what a run takes beside the program's own time.
        submit_s, submit_each_s: loop's time for a client's submission, and between two of a burst.
        resubmit_s: from the death of a daemon until its client has sent the rest to another.
    """

    delay_s: float = 0.0005
    jitter_s: float = 0.0002
    bytes_per_s: float = 1.25e9
    slow_delay_s: float = 0.02
    slow_bytes_per_s: float = 12.5e6
    message_bytes: int = 400
    gossip_s: float = 0.0003
    request_s: float = 0.0005
    lease_s: float = 0.002
    part_s: float = 0.0001
    case_s: float = 0.00001
    frame_s: float = 0.0005
    result_s: float = 0.00003
    case_bytes: int = 2_000
    part_bytes: int = 2_000
    result_bytes: int = 250
    run_s: float = 0.002
    submit_s: float = 0.0004
    submit_each_s: float = 0.001
    resubmit_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Host:
    """One node to be: its slots, how fast they are, and whether its link is slow."""

    slots: int
    speed: float = 1.0
    slow: bool = False


@dataclass
class Seen:
    """What happened in a simulation.

    Attributes:
        makespan_s: from the burst to the last report.
        ideal_s: all work over all speed.
        cases, reported, duplicates: of them were answered, and answered again (and dropped).
        runs: how often a program ran.
        leases, lent_cases: granted, and how many cases these held, each time one was lent.
        expired: leases that were taken back.
        late: results that came after that, and were dropped.
        messages, sent_bytes: by kind.
        fan_in: most requests for work at one node that it had not answered.
        fan_in_window: most that came to one node within `WINDOW_S`.
        loop_share: of the busiest node's event loop that was in use.
    """

    makespan_s: float = 0.0
    ideal_s: float = 0.0
    cases: int = 0
    reported: int = 0
    duplicates: int = 0
    runs: int = 0
    leases: int = 0
    lent_cases: int = 0
    expired: int = 0
    late: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    sent_bytes: Counter[str] = field(default_factory=Counter)
    fan_in: int = 0
    fan_in_window: int = 0
    loop_share: float = 0.0


class Simulation:
    """Nodes, the time, and what is to happen.

    Parameters:
        hosts: of the nodes that are there at the beginning, and know each other.
        seed: everything follows from it.
        costs: see there.
        period_s: of membership.
    """

    def __init__(
        self, hosts: Sequence[Host], seed: int, costs: Costs | None = None, period_s: float = 1.0
    ) -> None:
        self.costs = costs or Costs()
        self.rng = random.Random(seed)
        self.now_s = 0.0
        self.seen = Seen()
        self.nodes: dict[str, Node] = {}
        self.estimate_s = 1.0
        self._period_s = period_s
        self._events: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._numbers = itertools.count()
        self.durations_s: list[float] = []
        self._answered: set[int] = set()
        for host in hosts:
            self._add(host)
        self._introduce()
        for node in self.nodes.values():
            self.at(self.rng.random() * period_s, node.tick)

    # --- time ------------------------------------------------------------------------------------

    def at(self, time_s: float, action: Callable[..., object], *arguments: Any) -> None:
        """Something is to happen."""
        heapq.heappush(self._events, (time_s, next(self._numbers), action, arguments))

    def run(self, until_s: float) -> None:
        """Let it happen until all cases are answered, or so long."""
        events = self._events
        while events and events[0][0] <= until_s:
            self.now_s, _, action, arguments = heapq.heappop(events)
            action(*arguments)
            if self.durations_s and len(self._answered) == len(self.durations_s):
                break
        else:
            self.now_s = until_s

    # --- nodes -----------------------------------------------------------------------------------

    def _add(self, host: Host) -> Node:
        name = f"node-{len(self.nodes)}"
        facts = Facts(
            node=name,
            address=f"10.0.{len(self.nodes) // 250}.{len(self.nodes) % 250}:8321",
            version="0.1.0",
            isolation="user",
            enforcement="cgroup2",
            cpu="Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz",
            slots=host.slots,
            languages={name: 32 * "0" for name in ("python", "c", "cpp")},
        )
        rng = random.Random(self.rng.random())
        node = Node(self, host, Members(facts, rng, period_s=self._period_s), rng)
        self.nodes[name] = node
        return node

    def _introduce(self) -> None:
        """All know all, and that is no news any more."""
        first, *others = self.nodes.values()
        for other in others:
            first.members.hear(other.members.gossip(first.name, 0.0), 0.0)
        while first.members.gossip("", 0.0).updates:
            pass
        first.members.changes()
        for other in others:
            other.members.take_over(first.members)

    def join(self, host: Host) -> Node:
        """A node comes, and knows the address of another one."""
        node = self._add(host)
        self.introduce(node)
        self.at(self.now_s + self.rng.random() * self._period_s, node.tick)
        return node

    def introduce(self, node: Node) -> None:
        """A node that knows nobody asks one whose address it was given."""
        seeds = [one for one in self.nodes.values() if one.alive and one is not node]
        if seeds:
            node.begin_exchange(self.rng.choice(seeds))

    def kill(self, node: Node) -> None:
        """A node is dead from now on; clients send what it had not answered elsewhere."""
        node.alive = False
        for batch in node.lending.own:
            left = [case for case in batch.came if case not in self._answered]
            if left:
                self.at(self.now_s + self.costs.resubmit_s, self._resubmit, left)

    def _resubmit(self, cases: list[int]) -> None:
        living = [one for one in self.nodes.values() if one.alive]
        self.rng.choice(living).lending.submit(Batch(cases))

    def silence(self) -> None:
        """Forget what was counted so far."""
        self.seen.messages.clear()
        self.seen.sent_bytes.clear()

    # --- work ------------------------------------------------------------------------------------

    def burst(self, node: Node, durations_s: Sequence[float], each: int) -> None:
        """Submissions come to a node, one right after the other.

        Parameters:
            durations_s: CPU seconds of the cases, at speed 1.
            each: cases of one submission.
        """
        first = len(self.durations_s)
        self.durations_s.extend(durations_s)
        numbers = range(first, len(self.durations_s))
        for turn, start in enumerate(range(0, len(numbers), each)):
            batch = Batch(numbers[start : start + each])
            come_s = self.now_s + turn * self.costs.submit_each_s
            self.at(come_s, node.receive, "", self.costs.submit_s, node.lending.submit, batch)

    def answer(self, case: int) -> None:
        """The node that was given a case by a client has its result."""
        if case in self._answered:
            self.seen.duplicates += 1
        else:
            self._answered.add(case)

    # --- the network -----------------------------------------------------------------------------

    def send(
        self,
        sender: Node,
        to: Node,
        kind: str,
        content_bytes: int,
        cost_s: float,
        action: Callable[..., None],
        *arguments: Any,
    ) -> float:
        """A message goes to another node, which does something when its loop comes to it.

        Returns:
            When the last byte has left.
        """
        size = content_bytes + self.costs.message_bytes
        self.seen.messages[kind] += 1
        self.seen.sent_bytes[kind] += size
        speed = min(sender.bytes_per_s, to.bytes_per_s)
        left_s = max(self.now_s, sender.link_free_s) + size / speed
        sender.link_free_s = left_s
        delay_s = max(sender.delay_s, to.delay_s) + self.rng.expovariate(1 / self.costs.jitter_s)
        self.at(left_s + delay_s, to.receive, kind, cost_s, action, *arguments)
        return left_s

    def finish(self) -> Seen:
        """What happened."""
        seen = self.seen
        seen.makespan_s = self.now_s
        seen.cases, seen.reported = len(self.durations_s), len(self._answered)
        seen.loop_share = max(node.loop_s for node in self.nodes.values()) / self.now_s
        return seen
