"""Who is there: SWIM membership as a state machine, without clock, network or chance of its own.

`Members` is one node's view of all.  Whoever drives it (`gossip` in the daemon, the simulator) asks
once a period whom to probe, sends what `gossip` gives, hands in what comes, and says what was not
answered.  What a message carries is bounded; no message costs work in the number of members.

After Das, Gupta and Motivala, "SWIM: Scalable Weakly-consistent Infection-style Process Group
Membership Protocol" (DSN 2002): round-robin probes over a shuffled list, indirect probes, suspicion
that incarnation numbers refute, news carried by probes.  From Dadgar, Phillips and Currey,
"Lifeguard: Local Health Awareness for More Accurate Failure Detection" (arXiv:1707.00788): a node
that gets few answers doubts itself first, and whoever is suspected is told so by all that meet it.
"""

from __future__ import annotations

import functools
import hashlib
import math
import random
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator

import msgspec

from scalebox.cluster.loads import Loads
from scalebox.cluster.records import (
    BUCKETS,
    MOST_LOADS,
    MOST_UPDATES,
    PAGE_UPDATES,
    Exchange,
    Facts,
    Gossip,
    Heard,
    Load,
    State,
    Update,
)
from scalebox.cluster.turns import Turns

#: Others that are asked to probe a node that did not answer (SWIM's k).
HELPERS = 3
#: Each update is sent 3 log2(n) times: a member misses it with a probability that falls with n
#: (SWIM, section 4.1), and exchanges repair the rest.
_TELL_TIMES = 3
#: Loads in a message: 2 log2(n).
_LOADS_SHARE = 2
#: Periods from suspicion to death, times log10(n): the suspicion must reach the suspect and its
#: answer come back, each in some log2(n) periods at most, mostly in two or three.
_SUSPICION_PERIODS = 4
#: A dead node is probed each so many periods: how a partition notices that it is over.
_PROBE_DEAD_EACH = 5
#: For longer than a partition should last; afterwards only its provider brings a node back.
REMEMBER_DEAD_S = 3600.0
#: More of the dead and of those that left are not remembered.
MOST_ENDED = 10_000
#: Of a period, as the wait for an answer; twice this, and all is known within the period.
_TIMEOUT_SHARE = 0.3
#: Lifeguard's bound for how much longer a node waits that doubts itself.
_MOST_DOUBT = 8
#: Views that differ for so many periods, times log2(n), do so not because news is under way.
_DIFFER_PERIODS = 2
#: Between two full exchanges that one node begins.
_EXCHANGE_EACH = 5
_LARGEST = 1 << 53
_ORDER: dict[State, int] = {"alive": 0, "suspect": 1, "dead": 2, "left": 3}
_LIVING = ("alive", "suspect")


def bucket(node: str) -> int:
    """Into which part of the members a node falls."""
    return zlib.crc32(node.encode()) % BUCKETS


@functools.lru_cache(maxsize=16_384)
def _hash(node: str, incarnation: int, state: State) -> int:
    text = f"{node}\0{incarnation}\0{state}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


class Members:
    """One node's view of the cluster.

    Parameters:
        facts: of the node itself.
        rng: all chance comes from it.
        period_s: between two probes.
        incarnation: must be higher than any that a node of this name had before (seconds since
            1970 will do), else it takes longer to be believed.

    Attributes:
        node: its name.
        incarnation: its own, now.
        load: its own, now; see `set_load`.
        digest: of all members that are taken for living.
        doubt: 0 to 8; the higher, the longer the node waits for others before it accuses them.
        has_left: whether it said that it leaves.
        namesake: address of another node that uses the same name; empty: none was heard of.
    """

    def __init__(
        self, facts: Facts, rng: random.Random, *, period_s: float = 1.0, incarnation: int = 1
    ) -> None:
        self.node = facts.node
        self.period_s = period_s
        self.incarnation = incarnation
        self.load = Load()
        self.digest = 0
        self.doubt = 0
        self.has_left = False
        self.namesake = ""
        self._rng = rng
        self._loads = Loads()
        self._table: dict[str, Update] = {}
        self._buckets = [0] * BUCKETS
        #: The living others.
        self._others = Turns(rng)
        self._periods = 0
        self._ticked_s = -math.inf
        #: Since when nodes are suspected, and dead or gone; those of longest standing first.
        self._suspects: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        #: The dead, to be probed in turn.
        self._dead: OrderedDict[str, None] = OrderedDict()
        #: News, and how often it was sent; what is due next comes first.
        self._news: OrderedDict[str, int] = OrderedDict()
        self._changed: dict[str, Update] = {}
        self._differs_since_s: float | None = None
        self._exchange_from_s = -math.inf
        self._put(Update(node=facts.node, incarnation=incarnation, facts=facts), 0.0)

    # --- looking ---------------------------------------------------------------------------------

    @property
    def facts(self) -> Facts:
        """The node's own."""
        facts = self._table[self.node].facts
        assert facts is not None
        return facts

    def __len__(self) -> int:
        """How many are taken for living, the node itself included."""
        return len(self._others) + (not self.has_left)

    def __iter__(self) -> Iterator[Update]:
        """All that are known, the dead and those that left included."""
        return iter(self._table.values())

    def get(self, node: str) -> Update | None:
        """What is known of a node."""
        return self._table.get(node)

    def is_living(self, node: str) -> bool:
        """Whether a node is known, and neither dead nor gone."""
        known = self._table.get(node)
        return known is not None and known.state in _LIVING

    def loads(self, now_s: float) -> dict[str, Load]:
        """Of others that live and said of late that they have cases to take: a bounded number."""
        return {node: load for node, load, _ in self._loads.victims(now_s) if self._is_alive(node)}

    def victims(self, now_s: float) -> dict[str, float]:
        """The same, and how many CPU seconds of work are thought to be there still."""
        return {
            node: left_s
            for node, _, left_s in self._loads.victims(now_s)
            if self._is_alive(node)
        }  # fmt: skip

    def _is_alive(self, node: str) -> bool:
        known = self._table.get(node)
        return known is not None and known.state == "alive"

    def some(self, count: int, but: str = "") -> list[str]:
        """So many living others at random, or as many as there are, in no order.

        Parameters:
            but: one that is not wanted.
        """
        there = but != self.node and self.is_living(but)
        return self._others.some(count, but if there else "")

    def changes(self) -> list[Update]:
        """What became of others since this was last asked, each once."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    @property
    def probe_timeout_s(self) -> float:
        """How long to wait for an answer before others are asked to probe, and for theirs."""
        return _TIMEOUT_SHARE * self.period_s * (1 + self.doubt)

    @property
    def suspicion_s(self) -> float:
        """How long a suspect has to show that it lives."""
        size = max(1.0, math.log10(len(self) or 1))
        return _SUSPICION_PERIODS * self.period_s * size * (1 + self.doubt / _MOST_DOUBT)

    def _log2(self) -> int:
        return len(self).bit_length()

    # --- once a period ---------------------------------------------------------------------------

    def tick(self, now_s: float) -> list[str]:
        """A period begins: suspects die, those that ended long ago are forgotten.

        Returns:
            Whom to probe: one member, if there is another, and now and then a dead one.
        """
        late_s = now_s - self._ticked_s - self.period_s
        self._ticked_s = now_s
        if self.period_s < late_s < math.inf:
            # This node did not run: what refutes its suspicions may be waiting to be read.
            self._suspects = {node: since_s + late_s for node, since_s in self._suspects.items()}
        due_s = now_s - self.suspicion_s
        while self._suspects:
            node, since_s = next(iter(self._suspects.items()))
            if since_s > due_s:
                break
            self._put(msgspec.structs.replace(self._table[node], state="dead"), now_s)
        while self._ended:
            node, since_s = next(iter(self._ended.items()))
            if since_s > now_s - REMEMBER_DEAD_S and len(self._ended) <= MOST_ENDED:
                break
            self._forget(node)
        self._periods += 1
        probed = [node] if (node := self._others.next()) else []
        if self._dead and self._periods % _PROBE_DEAD_EACH == 0:
            lost = next(iter(self._dead))
            self._dead.move_to_end(lost)
            probed.append(lost)
        return probed

    def _forget(self, node: str) -> None:
        del self._ended[node], self._table[node]
        self._dead.pop(node, None)
        self._news.pop(node, None)

    def answered(self) -> None:
        """A member that was probed has answered in time."""
        self.doubt = max(0, self.doubt - 1)

    def helpers(self, node: str) -> list[str]:
        """A member that was probed did not answer in time: whom to ask to probe it."""
        return self.some(HELPERS, but=node)

    def accuse(self, node: str, now_s: float, *, asked: int, heard: int) -> None:
        """Nobody got an answer of a member.

        Parameters:
            node: which.
            asked: how many helpers were asked.
            heard: how many of them said that they had none; where some said nothing at all, the
                fault may be this node's own.
        """
        if heard < asked:
            self.doubt = min(_MOST_DOUBT, self.doubt + 1)
        known = self._table.get(node)
        if node != self.node and known is not None and known.state == "alive":
            self._put(msgspec.structs.replace(known, state="suspect"), now_s)

    # --- telling ---------------------------------------------------------------------------------

    def set_load(self, load: Load) -> None:
        """What the node has to do has changed; its number is given here."""
        self.load = msgspec.structs.replace(load, number=self.load.number + 1)

    def leave(self, now_s: float) -> None:
        """The node is to end: whoever hears it does not take it for dead."""
        self.has_left = True
        own = self._table[self.node]
        self._put(msgspec.structs.replace(own, state="left"), now_s)

    def gossip(self, to: str, now_s: float) -> Gossip:
        """What to tell a node now, as a probe or an answer."""
        times = self._log2()
        known = self._table.get(to)
        # Whoever is suspected learns it from all that it meets (Lifeguard's buddy system).
        updates = [known] if known is not None and known.state != "alive" else []
        for _ in range(min(len(self._news), MOST_UPDATES - len(updates))):
            node, told = next(iter(self._news.items()))
            self._news.move_to_end(node)
            if node == to:
                continue
            updates.append(self._table[node])
            if told + 1 < _TELL_TIMES * times:
                self._news[node] = told + 1
            else:
                del self._news[node]
        return self._message(
            updates,
            self._loads.tell(min(MOST_LOADS, _LOADS_SHARE * times), _TELL_TIMES * times, to, now_s),
        )

    def rumour(self, about: Iterable[str], now_s: float, hops: int = 0) -> Gossip:
        """What to push at once: the node's own load, and those of others.

        Parameters:
            about: the others.
            hops: how often it is to be pushed on.
        """
        return self._message([], self._loads.of(about, now_s), hops)

    def _message(self, updates: list[Update], loads: dict[str, Heard], hops: int = 0) -> Gossip:
        return Gossip(
            sender=self.node,
            incarnation=self.incarnation,
            load=self.load,
            updates=updates,
            loads=loads,
            members=len(self),
            digest=self.digest,
            hops=hops,
        )

    # --- hearing ---------------------------------------------------------------------------------

    def hear(self, gossip: Gossip, now_s: float) -> list[str]:
        """A probe, an answer or a rumour has come.

        Returns:
            Whose loads are newer than those known before.
        """
        sender = gossip.sender
        if sender == self.node:
            return []
        for update in gossip.updates:
            self._merge(update, now_s, spread_new=True)
        newer = [
            node
            for node, heard in gossip.loads.items()
            if node != self.node and self._loads.hear(node, heard, now_s)
        ]
        own = Heard(incarnation=gossip.incarnation, load=gossip.load)
        if self._loads.hear(sender, own, now_s):
            newer.append(sender)
        # One that knows the same proves nothing of the others: two camps may each be of one mind.
        if gossip.digest != self.digest and self._differs_since_s is None:
            self._differs_since_s = now_s
        return newer

    def wants_exchange(self, gossip: Gossip, now_s: float) -> bool:
        """Whether to exchange all with the sender of what was just heard; asked once a message.

        So it is with one that is not known, that knows many more, or where the two have known
        different things for longer than news takes.
        """
        known = self._table.get(gossip.sender)
        since_s, differs = self._differs_since_s, gossip.digest != self.digest
        news_s = _DIFFER_PERIODS * self.period_s * self._log2()
        if now_s < self._exchange_from_s or not (
            known is None
            or known.incarnation < gossip.incarnation
            or gossip.members > 2 * len(self)
            or (differs and since_s is not None and now_s - since_s > news_s)
        ):
            return False
        self._exchange_from_s = now_s + _EXCHANGE_EACH * self.period_s
        self._differs_since_s = None
        return True

    def exchange(self, theirs: Exchange | None) -> Exchange:
        """A page of an exchange to send: as its beginning, its continuation, or an answer.

        Parameters:
            theirs: what came last, which was handed to `hear_exchange`; None: this begins it.
        """
        updates = [self._table[self.node]]
        more = False
        if theirs is not None:
            pairs = zip(self._buckets, theirs.digests, strict=True)
            differing = {number for number, (one, other) in enumerate(pairs) if one != other}
            found = [
                update
                for update in (self._table.values() if differing else ())
                if update.node != self.node and bucket(update.node) in differing
            ]
            more = len(found) >= PAGE_UPDATES
            # Any of them: the next page is of what differs then.
            updates += self._rng.sample(found, PAGE_UPDATES - 1) if more else found
        return Exchange(
            sender=self.node, digests=list(self._buckets), updates=updates, more=more
        )  # fmt: skip

    def hear_exchange(self, theirs: Exchange, now_s: float) -> bool:
        """A page of an exchange has come.

        Returns:
            Whether another page is worth asking for.
        """
        for update in theirs.updates:
            # One that comes late learns of all: that is no news to others.
            self._merge(update, now_s, spread_new=False)
        return theirs.more or theirs.digests != self._buckets

    def take_over(self, other: Members) -> None:
        """Know at once all that another member knows, as after a full exchange.

        Parameters:
            other: with this node among its members.
        """
        self._table = other._table.copy()
        self._buckets = other._buckets.copy()
        self.digest = other.digest
        self._others.take_over(other._others, without=self.node, also=other.node)
        self._suspects, self._ended = other._suspects.copy(), other._ended.copy()
        self._dead = other._dead.copy()
        self._news.clear()

    def _merge(self, update: Update, now_s: float, *, spread_new: bool) -> None:
        """Somebody tells something of a member: the newest counts."""
        node = update.node
        if node == self.node:
            self._hear_of_itself(update, now_s)
            return
        known = self._table.get(node)
        if known is None:
            # Nobody can be reached without an address; and one who is gone need not be known.
            if update.facts is not None and update.state in _LIVING:
                self._put(update, now_s, news=spread_new)
        elif (update.incarnation, _ORDER[update.state]) > (known.incarnation, _ORDER[known.state]):
            if update.facts is None:
                update = msgspec.structs.replace(update, facts=known.facts)
            self._put(update, now_s)

    def _hear_of_itself(self, update: Update, now_s: float) -> None:
        if self.has_left or update.incarnation < self.incarnation:
            return
        facts = update.facts
        if update.state == "alive" and facts is not None and facts.address != self.facts.address:
            self.namesake = facts.address
        if update.incarnation == self.incarnation and update.state == "alive":
            return
        if update.state == "suspect":
            self.doubt = min(_MOST_DOUBT, self.doubt + 1)
        self.incarnation = min(_LARGEST, update.incarnation + 1)
        own = self._table[self.node]
        self._put(msgspec.structs.replace(own, incarnation=self.incarnation), now_s)

    def _put(self, update: Update, now_s: float, *, news: bool = True) -> None:
        """What is known of a node is this, and everything that follows from it."""
        node = update.node
        before = self._table.get(node)
        was_living = before is not None and before.state in _LIVING
        is_living = update.state in _LIVING
        if was_living and before is not None:
            self._count(before)
        if is_living:
            self._count(update)
        self._table[node] = update
        if news:
            self._news[node] = 0
            self._news.move_to_end(node, last=False)
        if node == self.node:
            return
        self._changed[node] = update
        for place in (self._suspects, self._ended, self._dead):
            place.pop(node, None)
        if update.state == "suspect":
            self._suspects[node] = now_s
        if is_living and not was_living:
            self._others.add(node)
        elif not is_living:
            self._loads.forget(node)
            self._ended[node] = now_s
            if update.state == "dead":
                self._dead[node] = None
            if was_living:
                self._others.remove(node)

    def _count(self, update: Update) -> None:
        """A living member comes into the digests, or goes: the same operation."""
        hashed = _hash(update.node, update.incarnation, update.state)
        self.digest ^= hashed
        self._buckets[bucket(update.node)] ^= hashed
