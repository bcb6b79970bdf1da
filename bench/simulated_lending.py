"""Work of one node of the model: queue and slots, leases that it gives and leases that it has."""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from bench.simulated_leases import Batch, Case, Held, Lease
from scalebox.cluster import policy
from scalebox.cluster.records import Gossip

if TYPE_CHECKING:
    from bench.simulated_node import Node

#: A request for work that is not answered for so long has failed, and so have its like for a while.
_ANSWER_S = 2.0
#: A victim that had nothing is not asked again sooner.
_NOTHING_S = 0.1
_HINTS = 3
#: Requests are counted over so long, too.
FAN_IN_WINDOW_S = 0.1
_LOAD_BYTES = 120
#: Of each case that is sent home: its position.
_RETURNED_BYTES = 3
_numbers = itertools.count(1)


class Lending:
    """One node's work.

    Parameters:
        node: whose.

    Attributes:
        running: slots that run something.
        stealable: cases that wait and may be lent.
        own: batches that clients sent.
        leases: that it has given.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._simulation = node.simulation
        self._costs = node.costs
        self.running = 0
        self.stealable = 0
        self.own: list[Batch] = []
        #: By how often they were lent already; own slots take the most often lent first, because
        #: others can help with the rest.
        self._queues: list[deque[Batch]] = [deque() for _ in range(policy.MOST_HOPS + 1)]
        self._waiting = [0] * (policy.MOST_HOPS + 1)
        self.leases: dict[int, Lease] = {}
        self._held: dict[int, Held] = {}
        self._served = 0
        self._refusals: deque[float] = deque()
        self._requests: deque[float] = deque()
        self._unanswered = 0
        #: As a thief.
        self._asking = 0
        self._failures = 0
        self._not_before_s: dict[str, float] = {}
        self._wakes_at_s: float | None = None

    # --- queue and slots -------------------------------------------------------------------------

    def submit(self, batch: Batch) -> None:
        """A client sends cases."""
        self.own.append(batch)
        self._enqueue(batch)
        self._start()
        self._node.tell()

    def _enqueue(self, batch: Batch) -> None:
        self._queues[batch.depth].append(batch)
        self._count(batch.depth, len(batch.cases))

    def _count(self, depth: int, cases: int) -> None:
        self._waiting[depth] += cases
        if depth < policy.MOST_HOPS:
            self.stealable += cases

    def _start(self) -> None:
        node, simulation = self._node, self._simulation
        while self.running < node.slots:
            batch = self._front()
            if batch is None:
                break
            case = batch.cases.popleft()
            self._count(batch.depth, -1)
            self.running += 1
            simulation.seen.runs += 1
            took_s = simulation.durations_s[case] / node.speed + self._costs.run_s
            node.later(took_s, self._end, batch, case)
        if self.running < node.slots:
            self.wake()

    def _front(self) -> Batch | None:
        for queue in reversed(self._queues):
            while queue:
                if queue[0].cases:
                    return queue[0]
                queue.popleft()
        return None

    def _end(self, batch: Batch, case: int) -> None:
        self.running -= 1
        self._start()
        self._deliver(batch, case)

    def _deliver(self, batch: Batch, case: int) -> None:
        """A result goes to whoever the case came from."""
        held = batch.held
        if held is None:
            self._simulation.answer(case)
        elif not held.dropped:
            held.outbox.append((batch.part, case))
            if len(held.outbox) >= held.left:
                self._flush(held)
            elif not held.flushing:
                held.flushing = True
                # A victim says so with each answer; here it is looked up.
                each_s = policy.frame_each_s(len(held.victim.lending.leases))
                self._node.later(each_s, self._flush_due, held)

    # --- the thief -------------------------------------------------------------------------------

    def wake(self) -> None:
        """A slot has become free, and there is nothing to run: ask, if others have something."""
        node = self._node
        if self._asking or self._wakes_at_s is not None or not self._is_hungry():
            return
        if node.members.victims(self._simulation.now_s):
            self._wake_after(0.0)

    def _wake_after(self, pause_s: float) -> None:
        self._wakes_at_s = at_s = self._simulation.now_s + pause_s
        self._node.later(pause_s, self._wake_up, at_s)

    def _wake_up(self, at_s: float) -> None:
        if at_s == self._wakes_at_s:
            self._ask()

    def hear_rumour(self) -> None:
        """There is more to take than was known: failures are forgotten."""
        self._failures = 0
        if self._asking or not self._is_hungry():
            return
        pause_s = policy.pause_s(0, self._node.rng)
        if self._wakes_at_s is None or self._simulation.now_s + pause_s < self._wakes_at_s:
            self._wake_after(pause_s)

    def _is_hungry(self) -> bool:
        free = self._node.slots - self.running
        return policy.is_hungry(free, self._node.slots, sum(self._waiting), False, False)

    def _ask(self) -> None:
        self._wakes_at_s = None
        if self._asking or not self._is_hungry():
            return
        node, now_s = self._node, self._simulation.now_s
        victims = {
            name: left_s
            for name, left_s in node.members.victims(now_s).items()
            if self._not_before_s.get(name, 0.0) <= now_s
        }
        size = len(node.members)
        name = policy.choose_victim(victims, node.name, size, node.round_trip_s, node.rng)
        if name is None:
            # Others ask now, or all that is known is not to be asked yet.
            if node.members.victims(now_s):
                self._fail()
            return
        self._asking = request = next(_numbers)
        victim = self._simulation.nodes[name]
        self._simulation.send(
            node, victim, "request", _LOAD_BYTES, self._costs.request_s, victim.lending.lend,
            node, request, node.slots - self.running,
            policy.wanted_s(node.slots, node.round_trip_s(name)),
        )  # fmt: skip
        node.later(_ANSWER_S, self._give_up, name, request)

    def _fail(self) -> None:
        self._failures += 1
        if self._wakes_at_s is None:
            self._wake_after(policy.pause_s(self._failures, self._node.rng))

    def _give_up(self, victim: str, request: int) -> None:
        if self._asking == request:
            self._asking = 0
            self._not_before_s[victim] = self._simulation.now_s + _ANSWER_S
            self._fail()

    def take_nothing(self, request: int, gossip: Gossip, ask_again_s: float) -> None:
        """The victim has nothing, or no time."""
        self._node.hear(gossip)
        self._not_before_s[gossip.sender] = self._simulation.now_s + ask_again_s
        if self._asking == request:
            self._asking = 0
            self._fail()

    def take(
        self, request: int, number: int, victim: Node, depth: int, parts: list[list[int]],
        ttl_s: float, gossip: Gossip,
    ) -> None:  # fmt: skip
        """A lease has come."""
        now_s = self._simulation.now_s
        self._node.members.hear(gossip, now_s)
        if self._asking == request:
            self._asking = 0
        self._failures = 0
        held = Held(number, victim, depth, sum(map(len, parts)), now_s)
        self._held[number] = held
        held.batches = [Batch(part, held, place) for place, part in enumerate(parts)]
        for batch in held.batches:
            self._enqueue(batch)
        self._start()
        self._node.tell()
        self._node.later(ttl_s / 3, self._renew, held, ttl_s)

    def _renew(self, held: Held, ttl_s: float) -> None:
        if held.dropped or not held.left:
            return
        if self._simulation.now_s - held.sent_s >= ttl_s / 3:
            self._flush(held)
        self._node.later(ttl_s / 3, self._renew, held, ttl_s)

    def _flush_due(self, held: Held) -> None:
        held.flushing = False
        if held.outbox and not held.dropped:
            self._flush(held)

    def _flush(self, held: Held) -> None:
        results, held.outbox = held.outbox, []
        held.left -= len(results)
        held.sent_s = self._simulation.now_s
        if not held.left:
            del self._held[held.number]
        costs, node = self._costs, self._node
        node.refresh()
        cost_s = costs.frame_s + costs.result_s * len(results)
        node.work(cost_s, self._send_frame, held, results, cost_s)

    def _send_frame(self, held: Held, results: list[Case], cost_s: float) -> None:
        size = _LOAD_BYTES + self._costs.result_bytes * len(results)
        gossip = self._node.members.rumour([], self._simulation.now_s)
        self._simulation.send(
            self._node, held.victim, "frame", size, cost_s, held.victim.lending.hear_results,
            self._node, held, results, gossip,
        )  # fmt: skip

    def drop(self, held: Held) -> None:
        """The victim does not know the lease any more: what it holds is not run, nor lent on."""
        held.dropped = True
        self._held.pop(held.number, None)
        for depth, queue in enumerate(self._queues):
            for batch in queue:
                if batch.held is held:
                    self._count(depth, -len(batch.cases))
                    batch.cases.clear()

    # --- the victim ------------------------------------------------------------------------------

    def count_request(self) -> None:
        """A request has come, and waits for its turn."""
        now_s, requests, seen = self._simulation.now_s, self._requests, self._simulation.seen
        self._unanswered += 1
        requests.append(now_s)
        while requests[0] < now_s - FAN_IN_WINDOW_S:
            requests.popleft()
        seen.fan_in = max(seen.fan_in, self._unanswered)
        seen.fan_in_window = max(seen.fan_in_window, len(requests))

    def lend(self, thief: Node, request: int, free_slots: int, wanted_s: float) -> None:
        """A request has come to its turn."""
        node, simulation, now_s = self._node, self._simulation, self._simulation.now_s
        depth = max(range(policy.MOST_HOPS), key=lambda depth: self._waiting[depth])
        if self._send_home(thief, request, free_slots, wanted_s):
            return
        if self._served >= policy.MOST_SERVED:
            self._refuse(thief, request)
            return
        estimate_s = simulation.estimate_s
        count, seconds = policy.share(
            self._waiting[depth] * estimate_s, self._waiting[depth], node.slots, wanted_s,
            free_slots, node.round_trip_s(thief.name), hops_left=policy.MOST_HOPS - depth - 1,
        )  # fmt: skip
        if not count:
            self._answer(thief, "nothing", request, _NOTHING_S)
            return
        number = next(_numbers)
        parts, outstanding = self._cut(depth, count)
        ttl_s = policy.lease_ttl_s(seconds, thief.slots)
        lease = self.leases[number] = Lease(thief.name, outstanding, now_s, ttl_s)
        simulation.seen.leases += 1
        simulation.seen.lent_cases += count
        self._served += 1
        costs = self._costs
        cost_s = costs.lease_s + costs.part_s * len(parts) + costs.case_s * count
        node.work(cost_s, self._send_lease, thief, request, number, depth, parts, ttl_s, cost_s)
        node.later(ttl_s, self._look_at, number, lease)

    def _send_home(self, lender: Node, request: int, free_slots: int, wanted_s: float) -> bool:
        """One that has lent to this node asks for work: half of what is not begun is its own."""
        node, estimate_s = self._node, self._simulation.estimate_s
        batches = [
            batch
            for held in self._held.values()
            if held.victim is lender
            for batch in held.batches
            if batch.cases
        ]
        waiting = sum(len(batch.cases) for batch in batches)
        count, _ = policy.share(
            waiting * estimate_s, waiting, node.slots, wanted_s, free_slots,
            node.round_trip_s(lender.name), hops_left=policy.MOST_HOPS,
        )  # fmt: skip
        if not count:
            return False
        sent: list[tuple[int, Case]] = []
        while len(sent) < count:
            batch = batches[-1]
            held = batch.held
            assert held is not None
            sent.append((held.number, (batch.part, batch.cases.pop())))
            self._count(batch.depth, -1)
            held.left -= 1
            if not batch.cases:
                batches.pop()
        self._unanswered -= 1
        node.refresh()
        gossip = node.members.rumour([], self._simulation.now_s)
        size = _LOAD_BYTES + _RETURNED_BYTES * count
        self._simulation.send(
            node, lender, "home", size, self._costs.frame_s, lender.lending.come_home,
            request, sent, gossip,
        )  # fmt: skip
        for number in {number for number, _ in sent}:
            held = self._held[number]
            if held.outbox and len(held.outbox) >= held.left:
                self._flush(held)
            elif not held.left:
                del self._held[number]
        return True

    def come_home(self, request: int, sent: list[tuple[int, Case]], gossip: Gossip) -> None:
        """A thief sends back what it has not begun."""
        self._node.hear(gossip)
        if self._asking == request:
            self._asking = 0
        self._failures = 0
        by_batch: dict[Batch, list[int]] = {}
        for number, case in sent:
            lease = self.leases.get(number)
            if lease is not None and (batch := lease.outstanding.pop(case, None)) is not None:
                by_batch.setdefault(batch, []).append(case[1])
                if not lease.outstanding:
                    del self.leases[number]
        self._again(by_batch)

    def _cut(self, depth: int, count: int) -> tuple[list[list[int]], dict[Case, Batch]]:
        """Cases from the end of the queue: whole submissions, and a part of one at most."""
        queue = self._queues[depth]
        parts: list[list[int]] = []
        outstanding: dict[Case, Batch] = {}
        left = count
        while left:
            batch = queue[-1]
            if len(batch.cases) <= left:
                queue.pop()
                part = list(batch.cases)
                batch.cases.clear()
            else:
                part = [batch.cases.pop() for _ in range(left)]
            left -= len(part)
            if part:
                outstanding.update(((len(parts), case), batch) for case in part)
                parts.append(part)
        self._count(depth, -count)
        return parts, outstanding

    def _send_lease(
        self, thief: Node, request: int, number: int, depth: int, parts: list[list[int]],
        ttl_s: float, cost_s: float,
    ) -> None:  # fmt: skip
        node, costs = self._node, self._costs
        size = costs.part_bytes * len(parts) + costs.case_bytes * sum(map(len, parts))
        node.refresh()
        gossip = node.members.rumour(self._hints(), self._simulation.now_s)
        left_s = self._simulation.send(
            node, thief, "lease", size, cost_s, thief.lending.take, request, number, node,
            depth + 1, parts, ttl_s, gossip,
        )  # fmt: skip
        node.later(left_s - self._simulation.now_s, self._has_served)

    def _has_served(self) -> None:
        self._served -= 1
        self._unanswered -= 1

    def _refuse(self, thief: Node, request: int) -> None:
        now_s = self._simulation.now_s
        self._refusals.append(now_s)
        while self._refusals[0] < now_s - 1:
            self._refusals.popleft()
        again_s = policy.ask_again_s(self._served, len(self._refusals), self._node.rng)
        self._answer(thief, "busy", request, again_s)

    def _answer(self, thief: Node, kind: str, request: int, again_s: float) -> None:
        self._unanswered -= 1
        self._node.refresh()
        gossip = self._node.members.rumour(self._hints(), self._simulation.now_s)
        size = len(msgspec.msgpack.encode(gossip))
        self._simulation.send(
            self._node, thief, kind, size, self._costs.gossip_s, thief.lending.take_nothing,
            request, gossip, again_s,
        )  # fmt: skip

    def _hints(self) -> list[str]:
        """Thieves of this node that have something to lend, as far as it is known."""
        loads = self._node.members.loads(self._simulation.now_s)
        thieves = [lease.thief for lease in self.leases.values() if lease.thief in loads]
        return self._node.rng.sample(thieves, min(_HINTS, len(thieves)))

    def hear_results(self, thief: Node, held: Held, results: list[Case], gossip: Gossip) -> None:
        """A frame of results has come, perhaps an empty one."""
        self._node.hear(gossip)
        lease = self.leases.get(held.number)
        if lease is None:
            self._simulation.seen.late += len(results)
            self._simulation.send(
                self._node, thief, "unwanted", 50, self._costs.gossip_s, thief.lending.drop, held
            )
            return
        lease.expires_s = self._simulation.now_s + lease.ttl_s
        for case in results:
            self._deliver(lease.outstanding.pop(case), case[1])
        if not lease.outstanding:
            del self.leases[held.number]

    def _look_at(self, number: int, lease: Lease) -> None:
        if number not in self.leases:
            return
        left_s = lease.expires_s - self._simulation.now_s
        if left_s > 0:
            self._node.later(left_s, self._look_at, number, lease)
        else:
            self._take_back(number)

    def lose(self, name: str) -> None:
        """A node is dead, or has left: what it held is to be done by others, and what it lent is
        wanted by nobody."""
        for number in [one for one, lease in self.leases.items() if lease.thief == name]:
            self._take_back(number)
        for held in [one for one in self._held.values() if one.victim.name == name]:
            self.drop(held)

    def _take_back(self, number: int) -> None:
        lease = self.leases.pop(number)
        self._simulation.seen.expired += 1
        by_batch: dict[Batch, list[int]] = {}
        for (_, case), batch in lease.outstanding.items():
            by_batch.setdefault(batch, []).append(case)
        self._again(by_batch)

    def _again(self, by_batch: dict[Batch, list[int]]) -> None:
        """Cases wait here again."""
        for batch, cases in by_batch.items():
            if batch.held is not None and batch.held.dropped:
                continue
            batch.cases.extendleft(reversed(cases))
            self._queues[batch.depth].appendleft(batch)
            self._count(batch.depth, len(cases))
        self._start()
        self._node.tell()
