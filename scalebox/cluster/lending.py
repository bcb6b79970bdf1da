"""The side that lends: leases, what becomes of them, and what their holders may fetch.

A lease is given to one node, renewed by each frame that it sends, and over when the node is silent
for too long, is known to be dead, or says that it is done; what has no result then is queued here
again.  A result counts once, and only from the node that holds the lease.
"""

from __future__ import annotations

import random
import secrets
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anyio.to_thread
import msgspec
import structlog

from scalebox.cluster import policy
from scalebox.cluster.data import Held, has_large, lighten, named
from scalebox.cluster.messages import (
    MOST_LEASES,
    MOST_RETURNED,
    Fetch,
    Lease,
    Results,
    ResultsAnswer,
    Returned,
    StealAnswer,
    StealRequest,
)
from scalebox.cluster.records import Facts, Gossip, Load
from scalebox.config import ClusterConfig
from scalebox.engine.loan import Backlog, Loan, Trust
from scalebox.engine.service import Engine
from scalebox.errors import UnknownBlobError
from scalebox.model import CaseResult

#: Leases that are over, remembered: what comes late for one is no offence.
_REMEMBERED = 20_000
#: A node whose results were found wrong so often gets nothing more, for so long.
_MOST_DISAGREEMENTS = 3
_DISTRUST_S = 600.0
#: Nodes that are named in the log for results that nobody wanted of them.
_MOST_OFFENDERS = 1_000
#: Those that were sent away are expected back within about this.
_EXPECTED_BACK_S = 1.0
_MOST_HINTS = 3

_encode = msgspec.msgpack.Encoder().encode
log = structlog.get_logger("scalebox.cluster")


class NotHeldError(Exception):
    """A node asked for what no lease of its own names."""


@dataclass(slots=True)
class _Given:
    """A lease that somebody holds.

    Attributes:
        loan: of the engine's.
        facts: of the holder.
        ttl_s: that it may be silent.
        data: that it may fetch, besides what the store has.
        named: hashes in the store that it may fetch.
    """

    loan: Loan
    facts: Facts
    ttl_s: float
    data: dict[str, bytes]
    named: frozenset[str]


class Lender:
    """Lends what waits here.

    Parameters:
        engine: whose cases.
        own: facts of this node.
        gossip: what to tell of this node, and of others that are named.
        loads: of others that have something to take.
        sent_home: called with a lease of which cases went back to their lender, and which did.
        config: bounds, and the share of results that is run again here.
        count: adds one to a counter of this name.
        rng: chance.
    """

    def __init__(
        self,
        engine: Engine,
        own: Facts,
        gossip: Callable[[Sequence[str]], Gossip],
        loads: Callable[[], Mapping[str, Load]],
        sent_home: Callable[[str, Sequence[int]], None],
        config: ClusterConfig,
        count: Callable[[str], None],
        rng: random.Random,
    ) -> None:
        self._engine = engine
        self._own = own
        self._gossip = gossip
        self._loads = loads
        self._sent_home = sent_home
        self._recheck = config.recheck
        self._most_bytes = config.max_lease_bytes
        self._count = count
        self._rng = rng
        self._given: dict[str, _Given] = {}
        self._over: OrderedDict[str, str] = OrderedDict()
        self._held = Held()
        self._serving = 0
        self._sent_away: deque[float] = deque(maxlen=4096)
        self._disagreements: Counter[str] = Counter()
        self._offenders: set[str] = set()
        self._distrusted_until: dict[str, float] = {}
        engine.lending.on_disagreement = self._disagreed

    def __len__(self) -> int:
        """How many leases are held."""
        return len(self._given)

    def lent_cases(self) -> Mapping[str, int]:
        """How many cases each node is at."""
        found: Counter[str] = Counter()
        for given in self._given.values():
            found[given.facts.node] += given.loan.open_cases
        return found

    # --- requests --------------------------------------------------------------------------------

    async def steal(self, borrower: Facts, request: StealRequest) -> StealAnswer:
        """A node asks for work.

        Parameters:
            borrower: its facts, as membership knows them.
        """
        self._count("cluster_steals_asked")
        if self._serving >= policy.MOST_SERVED:
            return self._sends_away()
        if returned := self._send_home(borrower.node, request):
            return StealAnswer(returned=returned, gossip=self._gossip([]))
        self._serving += 1
        try:
            leases = await self._lend(borrower, request)
        finally:
            self._serving -= 1
        return StealAnswer(leases=leases, gossip=self._gossip(self._hints(borrower.node)))

    def _sends_away(self) -> StealAnswer:
        now = time.monotonic()
        while self._sent_away and now - self._sent_away[0] > _EXPECTED_BACK_S:
            self._sent_away.popleft()
        self._sent_away.append(now)
        self._count("cluster_steals_sent_away")
        again_s = policy.ask_again_s(self._serving, len(self._sent_away), self._rng)
        return StealAnswer(ask_again_s=again_s, gossip=self._gossip(self._hints("")))

    def _hints(self, but: str) -> list[str]:
        """Holders of leases that have something to lend, as far as it is known."""
        loads = self._loads()
        holders = {given.facts.node for given in self._given.values()}
        able = sorted(node for node in holders if node in loads and node != but)
        return self._rng.sample(able, min(_MOST_HINTS, len(able)))

    def _send_home(self, lender: str, request: StealRequest) -> list[Returned]:
        """A node that lent to this one has run out of work: half of what is not begun is its."""
        backlog = self._engine.lending.backlog_of(lender)
        cases, _ = policy.share(
            backlog.seconds, backlog.cases, self._own.slots, request.seconds, request.free_slots,
            request.round_trip_s, hops_left=policy.MOST_HOPS,
        )  # fmt: skip
        if not cases:
            return []
        returned = []
        for lease, positions in self._engine.lending.send_home(lender, cases, MOST_RETURNED):
            self._count("cluster_leases_sent_home")
            self._sent_home(lease, positions)
            returned.append(Returned(lease=lease, positions=positions))
        return returned

    def come_home(self, sender: str, returned: Returned) -> int:
        """A node that was asked for work sends back what it has not begun of a lease; how much."""
        given = self._given.get(returned.lease)
        if given is None or given.facts.node != sender:
            if self._over.get(returned.lease) != sender:
                self._offence(sender)
            return 0
        came = given.loan.come_home(returned.positions)
        self._count("cluster_leases_come_home")
        if given.loan.is_over:
            self._end(returned.lease, "")
        return came

    async def _lend(self, borrower: Facts, request: StealRequest) -> list[Lease]:
        own = self._own
        if (borrower.isolation, borrower.enforcement) != (own.isolation, own.enforcement):
            # The report says which walls stood and what measured: for all of its cases.
            return []
        if self._distrusted_until.get(borrower.node, 0.0) > time.monotonic():
            return []
        # Of what was lent equally often before, so that each gets as much as it can pass on.
        backlogs = self._engine.lending.backlogs()
        depth = max(backlogs, key=lambda depth: backlogs[depth].seconds, default=0)
        backlog = backlogs.get(depth, Backlog())
        cases, seconds = policy.share(
            backlog.seconds, backlog.cases, own.slots, request.seconds, request.free_slots,
            request.round_trip_s, hops_left=policy.MOST_HOPS - depth - 1,
        )  # fmt: skip
        toolchains = frozenset(request.toolchains)
        leases: list[Lease] = []
        size = 0
        while cases > 0 and len(leases) < MOST_LEASES and size < self._most_bytes:
            loan = self._engine.lending.take(borrower.node, cases, seconds, toolchains, depth)
            if loan is None:
                break
            cases -= loan.open_cases
            seconds -= loan.seconds
            try:
                lease = await self._give(borrower, loan)
                leases.append(lease)
                size += len(_encode(lease))
                size += sum(map(len, self._given[lease.id].data.values()))
            except BaseException:
                loan.give_back()
                raise
            if seconds <= 0:
                break
        return leases

    async def _give(self, borrower: Facts, loan: Loan) -> Lease:
        submission = loan.submission()
        blobs = frozenset(named(submission))
        data: dict[str, bytes] = {}
        if has_large(submission):
            submission, data = await anyio.to_thread.run_sync(lighten, submission)
        lease = Lease(
            id=secrets.token_hex(16),
            submission=submission,
            via=[*loan.via, self._own.node],
            artifact=loan.artifact,
            ttl_s=policy.lease_ttl_s(loan.seconds, borrower.slots),
            frame_each_s=policy.frame_each_s(len(self._given) + 1),
        )
        loan.renew()
        self._count("cluster_leases_given")
        self._held.hold(data)
        self._given[lease.id] = _Given(loan, borrower, lease.ttl_s, data, blobs)
        return lease

    def results(self, sender: str, frame: Results) -> ResultsAnswer:
        """A frame of results.

        Parameters:
            sender: the node whose seal it bears.
        """
        given = self._given.get(frame.lease)
        if given is None or given.facts.node != sender:
            if self._over.get(frame.lease) == sender:
                self._count("cluster_results_late")
            else:
                self._offence(sender)
            return ResultsAnswer(held=False)
        loan = given.loan
        for answer in frame.answers:
            result = answer.result
            if not result.node:
                result = msgspec.structs.replace(result, node=sender)
            trust = self._trust(given, result)
            if loan.answer(answer.position, result, weak=answer.weak, trust=trust):
                self._count("cluster_cases_returned")
            else:
                self._count("cluster_results_repeated")
        loan.renew()
        unwanted = loan.unwanted()
        if frame.done or loan.is_over:
            self._end(frame.lease, frame.reason)
        return ResultsAnswer(held=frame.lease in self._given, unwanted=unwanted)

    def _trust(self, given: _Given, result: CaseResult) -> Trust:
        limit_s = given.loan.limits.cpu_ns / 1e9
        cpu = given.facts.cpu
        if policy.confirm_at_home(result.cpu_time_s, limit_s, cpu, self._own.cpu):
            self._count("cluster_cases_confirmed")
            return "confirm"
        if self._recheck and policy.recheck(self._recheck, self._rng):
            self._count("cluster_cases_checked")
            return "check"
        return "take"

    def _offence(self, sender: str) -> None:
        """Results for a lease that the sender never held."""
        self._count("cluster_results_refused")
        if sender not in self._offenders and len(self._offenders) < _MOST_OFFENDERS:
            self._offenders.add(sender)
            log.warning("a node sent results for a lease that it never held", node=sender)

    async def fetch(self, sender: str, request: Fetch) -> bytes:
        """What a lease of the sender's names.

        Raises:
            NotHeldError: no lease of the sender's names it, or it is gone.
        """
        given = self._given.get(request.lease)
        if given is None or given.facts.node != sender:
            raise NotHeldError
        given.loan.renew()
        if request.artifact:
            if request.artifact != given.loan.artifact:
                raise NotHeldError
            program = await self._engine.builder.program(request.artifact)
            if program is None:
                raise NotHeldError
            return program
        if request.sha256 in given.data:
            return given.data[request.sha256]
        if request.sha256 not in given.named:
            raise NotHeldError
        try:
            return await self._engine.blobs.load(request.sha256)
        except UnknownBlobError:
            raise NotHeldError from None

    # --- ends ------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """Called now and then: what nobody is heard of comes back."""
        now = time.monotonic()
        for lease, given in list(self._given.items()):
            if given.loan.is_over:
                self._end(lease, "")
            elif now - given.loan.heard > given.ttl_s:
                self._count("cluster_leases_expired")
                self._end(lease, f"nothing was heard for {given.ttl_s:.0f} s")

    def is_gone(self, node: str) -> None:
        """A node is dead, or has left: what it holds comes back."""
        for lease, given in list(self._given.items()):
            if given.facts.node == node:
                self._count("cluster_leases_of_the_dead")
                self._end(lease, "it is gone")

    def close(self) -> None:
        """All that is lent comes back."""
        for lease in list(self._given):
            self._end(lease, "")

    def _end(self, lease: str, reason: str) -> None:
        given = self._given.pop(lease)
        self._held.let_go(given.data)
        self._over[lease] = given.facts.node
        if len(self._over) > _REMEMBERED:
            self._over.popitem(last=False)
        if back := given.loan.give_back():
            self._count("cluster_leases_unfinished")
            log.info("lent cases came back", node=given.facts.node, cases=back, reason=reason)

    def _disagreed(self, borrower: str, said: CaseResult, found: CaseResult) -> None:
        """A sample was run again, and came to something else."""
        self._count("cluster_disagreements")
        self._disagreements[borrower] += 1
        log.warning(
            "a node's result is not what was found here",
            node=borrower, case=found.name, said=said.verdict.value, found=found.verdict.value,
        )  # fmt: skip
        if self._disagreements[borrower] >= _MOST_DISAGREEMENTS:
            self._disagreements[borrower] = 0
            self._distrusted_until[borrower] = time.monotonic() + _DISTRUST_S
            log.error("nothing more is lent to a node", node=borrower, for_s=_DISTRUST_S)
