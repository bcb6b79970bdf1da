"""Drives `Members`: probes once a period, exchanges, rumours; the only clock that it has.

Whatever comes is handed to the state machine, and what it says is sent; nothing is decided here.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from scalebox.cluster import policy
from scalebox.cluster.membership import Members
from scalebox.cluster.messages import Reach, Reached
from scalebox.cluster.records import Exchange, Facts, Gossip, Load, Update
from scalebox.cluster.tasks import Tasks
from scalebox.cluster.transport import EXCHANGE, GOSSIP, REACH, RUMOUR, PeerError, Peers

#: Pages of one exchange, at most: more nodes than a cluster has.
_MOST_PAGES = 100
_EXCHANGE_TIMEOUT_S = 10.0
#: How often the node looks whether it has something new to tell.
_LOOK_EACH_S = 0.05
_RUMOUR_TIMEOUT_S = 1.0
#: Seeds are asked again after this, as long as nobody else is known; and otherwise after that.
_JOIN_EACH_S = 1.0
_SEEDS_EACH_S = 30.0
_LEAVE_TIMEOUT_S = 1.0

log = structlog.get_logger("scalebox.cluster")
_encode = msgspec.msgpack.Encoder().encode
_gossip = msgspec.msgpack.Decoder(Gossip)
_exchange = msgspec.msgpack.Decoder(Exchange)
_reached = msgspec.msgpack.Decoder(Reached)


class Gossiper:
    """One node's part in the gossip.

    Parameters:
        members: its view.
        peers: speaks to them.
        load: what the node has to do, now.
        changed: called with what became of another node.
        has_news: called when somebody has work.
        tasks: the group that conversations belong to.
        rng: chance.
    """

    def __init__(
        self,
        members: Members,
        peers: Peers,
        load: Callable[[], Load],
        changed: Callable[[Update], None],
        has_news: Callable[[], None],
        tasks: Tasks,
        rng: random.Random,
    ) -> None:
        self.members = members
        self._peers = peers
        self._load = load
        self._changed = changed
        self._has_news = has_news
        self._tasks = tasks
        self._rng = rng
        self._told: Load | None = None
        self._told_at = 0.0
        self._exchanging: set[str] = set()

    def facts_of(self, node: str) -> Facts | None:
        """Of a node that is taken for living."""
        known = self.members.get(node)
        if known is None or known.state not in ("alive", "suspect"):
            return None
        return known.facts

    # --- from here -------------------------------------------------------------------------------

    async def probe_regularly(self) -> None:
        """Once a period, for as long as the daemon runs."""
        members = self.members
        # Not all at the same moment.
        await asyncio.sleep(self._rng.random() * members.period_s)
        while True:
            began = time.monotonic()
            self._refresh()
            for node in members.tick(began):
                self._tasks.start_soon(self._probe, node)
            self._look_at_changes()
            await asyncio.sleep(max(0.01, began + members.period_s - time.monotonic()))

    async def tell_regularly(self) -> None:
        """Push a backlog that appears suddenly, for as long as the daemon runs."""
        while True:
            await asyncio.sleep(_LOOK_EACH_S)
            self.tell()

    async def join(self, seeds: Callable[[], Awaitable[Sequence[str]]]) -> None:
        """Look for others at the seeds, for as long as the daemon runs.

        Parameters:
            seeds: gives their addresses.
        """
        said = False
        while True:
            try:
                addresses = [one for one in await seeds() if one != self.members.facts.address]
            except (OSError, ValueError) as error:
                addresses = []
                log.warning("the seeds are not known", reason=str(error))
            known = {one.facts.address for one in self.members if one.facts and self._lives(one)}
            strangers = [one for one in addresses if one not in known]
            self._rng.shuffle(strangers)
            reached = False
            for address in strangers[:3]:
                reached = await self._exchange_all(address, "") or reached
            alone = len(self.members) < 2
            if alone and addresses and not reached and not said:
                said = True
                log.warning("no seed answers; asking again", seeds=addresses)
            await asyncio.sleep(_JOIN_EACH_S if alone and addresses else _SEEDS_EACH_S)

    def _lives(self, one: Update) -> bool:
        return one.state in ("alive", "suspect")

    async def leave(self) -> None:
        """Tell some others that this node goes."""
        members = self.members
        members.leave(time.monotonic())
        told = members.some(policy.FAN_OUT)
        await asyncio.gather(*(self._leave(node) for node in told))

    async def _leave(self, node: str) -> None:
        facts = self.facts_of(node)
        if facts is None:
            return
        message = self.members.gossip(node, time.monotonic())
        try:
            await self._peers.ask(
                facts.address, GOSSIP, _encode(message), node=node, timeout_s=_LEAVE_TIMEOUT_S
            )
        except PeerError as error:
            log.debug("a node does not hear that this one goes", node=node, reason=str(error))

    def _refresh(self) -> None:
        load = self._load()
        if msgspec.structs.replace(load, number=self.members.load.number) != self.members.load:
            self.members.set_load(load)

    async def _probe(self, node: str) -> None:
        known = self.members.get(node)
        if known is None or known.facts is None:
            return
        was_alive = self.members.is_living(node)
        timeout_s = self.members.probe_timeout_s
        if await self._ask(node, known.facts.address, timeout_s):
            if was_alive:
                self.members.answered()
            return
        if not was_alive:
            return
        helpers = self.members.helpers(node)
        found = await asyncio.gather(
            *(self._reach_by(helper, node, known.facts.address, timeout_s) for helper in helpers)
        )
        if True in found:
            return
        heard = sum(one is False for one in found)
        self.members.accuse(node, time.monotonic(), asked=len(helpers), heard=heard)
        self._look_at_changes()

    async def _ask(self, node: str, address: str, timeout_s: float) -> bool:
        message = self.members.gossip(node, time.monotonic())
        try:
            content = await self._peers.ask(
                address, GOSSIP, _encode(message), node=node, timeout_s=timeout_s
            )
            self._take(_gossip.decode(content), address)
        except (PeerError, msgspec.MsgspecError) as error:
            log.debug("no answer to a probe", node=node, reason=str(error))
            return False
        return True

    async def _reach_by(
        self, helper: str, node: str, address: str, timeout_s: float
    ) -> bool | None:
        """Whether a helper got an answer; None: the helper itself says nothing."""
        facts = self.facts_of(helper)
        if facts is None:
            return None
        request = Reach(node=node, address=address, timeout_s=timeout_s)
        try:
            content = await self._peers.ask(
                facts.address, REACH, _encode(request), node=helper, timeout_s=2 * timeout_s
            )
            return _reached.decode(content).alive
        except (PeerError, msgspec.MsgspecError):
            return None

    async def _exchange_all(self, address: str, node: str) -> bool:
        """Tell each other all that differs; whether the other one answered."""
        if address in self._exchanging:
            return False
        self._exchanging.add(address)
        try:
            page = self.members.exchange(None)
            for _ in range(_MOST_PAGES):
                content = await self._peers.ask(
                    address, EXCHANGE, _encode(page), node=node, timeout_s=_EXCHANGE_TIMEOUT_S
                )
                theirs = _exchange.decode(content)
                if not self.members.hear_exchange(theirs, time.monotonic()):
                    break
                page = self.members.exchange(theirs)
        except (PeerError, msgspec.MsgspecError) as error:
            log.debug("no exchange", address=address, reason=str(error))
            return False
        finally:
            self._exchanging.discard(address)
            self._look_at_changes()
        return True

    def _push(self, about: Sequence[str], but: str, hops: int) -> None:
        """Push a rumour: the node's own load, or those of others."""
        message = _encode(self.members.rumour(about, time.monotonic(), hops))
        for node in self.members.some(policy.FAN_OUT, but):
            if (facts := self.facts_of(node)) is not None:
                self._tasks.start_soon(self._tell, node, facts.address, message)

    async def _tell(self, node: str, address: str, message: bytes) -> None:
        try:
            await self._peers.ask(address, RUMOUR, message, node=node, timeout_s=_RUMOUR_TIMEOUT_S)
        except PeerError as error:
            log.debug("a rumour is not heard", node=node, reason=str(error))

    def rumour(self, about: Sequence[str] = ()) -> Gossip:
        """This node's load, and those of others that are named, to go along with something else."""
        self._refresh()
        return self.members.rumour(about, time.monotonic())

    def tell(self) -> None:
        """Push this node's backlog, if there is one that is news."""
        load = self._load()
        now = time.monotonic()
        if not load.cases:
            self._told = None
        elif now - self._told_at >= policy.RUMOUR_EACH_S and policy.is_news(self._told, load):
            self._refresh()
            self._told, self._told_at = load, now
            self._push((), but="", hops=policy.rumour_hops(load, len(self.members)))

    # --- from others -----------------------------------------------------------------------------

    def _take(self, message: Gossip, address: str) -> None:
        """Hear a probe, or the answer to one, of a node with this address; empty: nobody knows."""
        now = time.monotonic()
        news = self.members.hear(message, now)
        if address and self.members.wants_exchange(message, now):
            self._tasks.start_soon(self._exchange_all, address, message.sender)
        self._look_at_changes()
        if news and message.load.cases:
            # Whoever speaks has something this moment: that is worth a new beginning.
            self._has_news()

    def _address_of(self, node: str) -> str:
        known = self.members.get(node)
        return known.facts.address if known is not None and known.facts is not None else ""

    def hear_probe(self, message: Gossip) -> Gossip:
        """A probe; the answer."""
        self._take(message, self._address_of(message.sender))
        self._refresh()
        return self.members.gossip(message.sender, time.monotonic())

    def hear_rumour(self, message: Gossip) -> None:
        """A backlog that appeared suddenly; pushed on, if that is worth it."""
        now = time.monotonic()
        newer = self.members.hear(message, now)
        about = [node for node in message.loads or (message.sender,) if node in newer]
        if not about:
            return
        self._has_news()
        if message.hops and policy.passes_on(self._load()):
            self._push(about, but=message.sender, hops=message.hops - 1)

    def hear_aside(self, message: Gossip) -> None:
        """What came along with something else."""
        if self.members.hear(message, time.monotonic()) and message.load.cases:
            self._has_news()

    def hear_exchange(self, theirs: Exchange) -> Exchange:
        """A page of an exchange; the page that answers it."""
        self.members.hear_exchange(theirs, time.monotonic())
        self._look_at_changes()
        return self.members.exchange(theirs)

    async def reach(self, request: Reach) -> Reached:
        """Probe a node for somebody who gets no answer of it."""
        alive = await self._ask(request.node, request.address, request.timeout_s)
        return Reached(alive=alive)

    def _look_at_changes(self) -> None:
        for update in self.members.changes():
            log.info("node", node=update.node, state=update.state)
            self._changed(update)
