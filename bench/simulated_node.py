"""One node of the model: an event loop, slots, a queue, leases both ways, and gossip.

It does what a daemon of a cluster does, with the same `Members` and the same `policy`; what takes
time there takes time here, as `simulated.Costs` says.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from bench.simulated_lending import Lending
from scalebox.cluster import policy
from scalebox.cluster.membership import Members
from scalebox.cluster.records import Exchange, Gossip, Load

if TYPE_CHECKING:
    from bench.simulated import Host, Simulation

#: Pages of one exchange: a joining node needs some; where more are needed, a later one goes on.
_MOST_PAGES = 32
_encode = msgspec.msgpack.Encoder().encode


class Node:
    """A daemon.

    Parameters:
        simulation: which it is part of.
        host: what it runs on.
        members: its view of the others.
        rng: for the policy.
    """

    def __init__(
        self, simulation: Simulation, host: Host, members: Members, rng: random.Random
    ) -> None:
        costs = simulation.costs
        self.simulation = simulation
        self.costs = costs
        self.members = members
        self.name = members.node
        self.rng = rng
        self.slots = host.slots
        self.speed = host.speed
        self.alive = True
        self.delay_s = costs.slow_delay_s if host.slow else costs.delay_s
        self.bytes_per_s = costs.slow_bytes_per_s if host.slow else costs.bytes_per_s
        self.link_free_s = 0.0
        #: Until when the event loop is busy, and how long it has been.
        self.busy_until_s = 0.0
        self.loop_s = 0.0
        self.lending = Lending(self)
        self._told: Load | None = None
        self._told_s = -policy.RUMOUR_EACH_S

    # --- the event loop --------------------------------------------------------------------------

    def receive(
        self, kind: str, cost_s: float, action: Callable[..., None], *arguments: Any
    ) -> None:
        """A message has come: its turn is after those before it."""
        if self.alive:
            if kind == "request":
                self.lending.count_request()
            self.work(cost_s, action, *arguments)

    def work(self, cost_s: float, action: Callable[..., None], *arguments: Any) -> None:
        """The loop does something, and it is done when its time has passed."""
        self.busy_until_s = max(self.simulation.now_s, self.busy_until_s) + cost_s
        self.loop_s += cost_s
        self.simulation.at(self.busy_until_s, self._act, action, arguments)

    def later(self, delay_s: float, action: Callable[..., None], *arguments: Any) -> None:
        """Something is to happen here, if the node lives then."""
        self.simulation.at(self.simulation.now_s + delay_s, self._act, action, arguments)

    def _act(self, action: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        if self.alive:
            action(*arguments)

    def round_trip_s(self, node: str) -> float:
        """To another one, as probes would have shown."""
        other = self.simulation.nodes[node]
        return 2 * (max(self.delay_s, other.delay_s) + self.costs.jitter_s)

    # --- load ------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """What `members` tell of this node is what is."""
        lending = self.lending
        before = self.members.load
        free = self.slots - lending.running
        if before.cases != lending.stealable or before.free_slots != free:
            backlog_s = lending.stealable * self.simulation.estimate_s
            load = Load(free_slots=free, cases=lending.stealable, backlog_s=backlog_s)
            self.members.set_load(load)

    def tell(self) -> None:
        """The backlog may be worth a rumour."""
        self.refresh()
        load, now_s = self.members.load, self.simulation.now_s
        if not load.cases:
            self._told = None
        if now_s - self._told_s >= policy.RUMOUR_EACH_S and policy.is_news(self._told, load):
            self._told, self._told_s = load, now_s
            self._push([], "", policy.rumour_hops(load, len(self.members)))

    def _push(self, about: list[str], but: str, hops: int) -> None:
        self.refresh()
        rumour = self.members.rumour(about, self.simulation.now_s, hops)
        for target in self.members.some(policy.FAN_OUT, but=but):
            self._send(target, "rumour", rumour, Node.hear_rumour)

    # --- gossip ----------------------------------------------------------------------------------

    def _send(
        self,
        target: str,
        kind: str,
        content: Gossip | Exchange,
        action: Callable[..., None],
        *arguments: Any,
    ) -> None:
        other = self.simulation.nodes[target]
        size = len(_encode(content))
        cost_s = self.costs.gossip_s
        self.simulation.send(self, other, kind, size, cost_s, action, other, content, *arguments)

    def tick(self) -> None:
        """A period begins."""
        if not self.alive:
            return
        now_s = self.simulation.now_s
        for target in self.members.tick(now_s):
            self._probe(target)
        self._notice()
        if len(self.members) == 1:
            self.simulation.introduce(self)
        self.simulation.at(now_s + self.members.period_s, self.tick)

    def _notice(self) -> None:
        for update in self.members.changes():
            if update.state in ("dead", "left"):
                self.lending.lose(update.node)

    def _probe(self, target: str) -> None:
        waiting = {"answered": False}
        self.refresh()
        gossip = self.members.gossip(target, self.simulation.now_s)
        self._send(target, "probe", gossip, Node.hear_probe, self, waiting)
        self.later(self.members.probe_timeout_s, self._missed, target, waiting)

    def hear_probe(self, gossip: Gossip, prober: Node, waiting: dict[str, bool]) -> None:
        """A probe has come: it is answered with the same kind of thing."""
        self.hear(gossip)
        self.refresh()
        answer = self.members.gossip(gossip.sender, self.simulation.now_s)
        self._send(prober.name, "answer", answer, Node._hear_answer, waiting)

    def _hear_answer(self, gossip: Gossip, waiting: dict[str, bool]) -> None:
        if not waiting["answered"]:
            waiting["answered"] = True
            self.members.answered()
        self.hear(gossip)

    def _missed(self, target: str, waiting: dict[str, bool]) -> None:
        if waiting["answered"] or not self.members.is_living(target):
            return
        helpers = self.members.helpers(target)
        heard = {"none": 0}
        for helper in helpers:
            other = self.simulation.nodes[helper]
            self.simulation.send(
                self, other, "indirect", 100, self.costs.gossip_s, other.help, self, target,
                waiting, heard,
            )  # fmt: skip
        # A helper waits once as long itself, and the way to it and back is no part of that.
        self.later(2 * self.members.probe_timeout_s, self._accuse, target, waiting, heard, helpers)

    def _accuse(
        self, target: str, waiting: dict[str, bool], heard: dict[str, int], helpers: list[str]
    ) -> None:
        if not waiting["answered"]:
            self.members.accuse(
                target, self.simulation.now_s, asked=len(helpers), heard=heard["none"]
            )

    def help(
        self, asker: Node, target: str, waiting: dict[str, bool], heard: dict[str, int]
    ) -> None:
        """Another node asks to probe one that did not answer it."""
        own = {"answered": False}
        gossip = self.members.gossip(target, self.simulation.now_s)
        self._send(target, "probe", gossip, Node.hear_probe, self, own)
        timeout_s = self.members.probe_timeout_s
        self.later(timeout_s, self._report_back, asker, own, waiting, heard)

    def _report_back(
        self, asker: Node, own: dict[str, bool], waiting: dict[str, bool], heard: dict[str, int]
    ) -> None:
        def tell() -> None:
            if own["answered"]:
                waiting["answered"] = True
            else:
                heard["none"] += 1

        self.simulation.send(self, asker, "indirect", 100, self.costs.gossip_s, tell)

    def hear(self, gossip: Gossip) -> list[str]:
        """Whatever came; returns whose loads are news."""
        now_s = self.simulation.now_s
        newer = self.members.hear(gossip, now_s)
        if self.members.wants_exchange(gossip, now_s):
            self.begin_exchange(self.simulation.nodes[gossip.sender])
        self._notice()
        if newer and gossip.load.cases:
            # Whoever speaks has something this moment: that is worth a new beginning.
            self.lending.hear_rumour()
        return newer

    def hear_rumour(self, gossip: Gossip) -> None:
        """A rumour has come: it goes on, unless it is known here."""
        newer = self.hear(gossip)
        about = [node for node in gossip.loads or (gossip.sender,) if node in newer]
        if about:
            self.lending.hear_rumour()
        if about and gossip.hops and policy.passes_on(self.members.load):
            self._push(about, gossip.sender, gossip.hops - 1)

    # --- exchange --------------------------------------------------------------------------------

    def begin_exchange(self, other: Node) -> None:
        """Ask for all that the other one knows and this one does not, and the other way round."""
        self._send(
            other.name, "exchange", self.members.exchange(None), Node._answer_exchange, self, 0
        )

    def _answer_exchange(self, theirs: Exchange, asker: Node, page: int) -> None:
        self.members.hear_exchange(theirs, self.simulation.now_s)
        answer = self.members.exchange(theirs)
        self._send(asker.name, "exchange", answer, Node._go_on, self, page)

    def _go_on(self, theirs: Exchange, other: Node, page: int) -> None:
        more = self.members.hear_exchange(theirs, self.simulation.now_s)
        self._notice()
        if more and page < _MOST_PAGES:
            ours = self.members.exchange(theirs)
            self._send(other.name, "exchange", ours, Node._answer_exchange, self, page + 1)
