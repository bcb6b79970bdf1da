"""The side that borrows: asks for work when there is none, runs it, sends back what comes of it.

A node that could run something at once and has nothing to run asks one that is known to have work.
What it gets it judges as any other submission, under a client's name of its own, so that borrowed
work is fair with what comes meanwhile.  Results go back in frames; a frame that is not answered is
sent again until the lease must be over, and then the work is dropped: somebody else does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

import msgspec
import structlog

from scalebox.cluster import policy
from scalebox.cluster.data import named
from scalebox.cluster.messages import (
    MOST_RESULTS,
    CaseAnswer,
    Fetch,
    Lease,
    Results,
    ResultsAnswer,
    Returned,
    StealAnswer,
    StealRequest,
)
from scalebox.cluster.records import Facts, Gossip, Load
from scalebox.cluster.tasks import Tasks
from scalebox.cluster.transport import FETCH, RESULTS, STEAL, PeerError, Peers
from scalebox.engine.loan import Borrowed
from scalebox.engine.service import Engine
from scalebox.errors import ScaleboxError
from scalebox.model import CaseResult

#: In whose name borrowed work is run: fair with each of this daemon's own clients.
_CLIENT = "peers"
#: Whatever it waits for, a node looks again after this.
_LOOK_EACH_S = 1.0
#: Once its data are here, a lease's cases are queued within about this; or they are compiled.
_QUEUED_AFTER_S = 0.02
#: A request for work that takes longer than this will find another victim sooner.
_ASK_TIMEOUT_S = 5.0
#: One that does not answer is left alone as if it had had nothing so often.
_SILENT_FROM = 2
#: Data and programs may be large.
_FETCH_TIMEOUT_S = 120.0
_FETCHES_AT_ONCE = 4
#: A frame that is not answered is sent again after this.
_RETRY_S = 0.2
_LONGEST_RETRY_S = 2.0

log = structlog.get_logger("scalebox.cluster")
_encode = msgspec.msgpack.Encoder().encode
_steal_answer = msgspec.msgpack.Decoder(StealAnswer)
_results_answer = msgspec.msgpack.Decoder(ResultsAnswer)


class Borrower:
    """Takes work from others.

    Parameters:
        engine: that runs it.
        own: facts of this node.
        own_load: its load, now.
        victims: seconds of work that others are thought to have.
        gossip: what to tell others of this node.
        hear: what others tell.
        tell: has this node tell others that it has something to lend.
        come_home: takes back what a node sends home of a lease that it has from this one; how many
            cases that are.
        facts_of: a node's facts; None: it is not among the living.
        members: how many there are.
        peers: speaks to them.
        count: adds one to a counter of this name.
        tasks: the group that the work belongs to.
        rng: chance.
    """

    def __init__(
        self,
        engine: Engine,
        own: Facts,
        own_load: Callable[[], Load],
        victims: Callable[[], Mapping[str, float]],
        gossip: Callable[[], Gossip],
        hear: Callable[[Gossip], None],
        tell: Callable[[], None],
        come_home: Callable[[str, Returned], int],
        facts_of: Callable[[str], Facts | None],
        members: Callable[[], int],
        peers: Peers,
        count: Callable[[str], None],
        tasks: Tasks,
        rng: random.Random,
    ) -> None:
        self._engine = engine
        self._own = own
        self._own_load = own_load
        self._victims = victims
        self._gossip = gossip
        self._hear = hear
        self._tell = tell
        self._come_home = come_home
        #: Nodes that are not to be asked before then.
        self._not_before: dict[str, float] = {}
        #: How often nodes did not answer since they last did.
        self._silent: dict[str, int] = {}
        self._facts_of = facts_of
        self._members = members
        self._peers = peers
        self._count = count
        self._tasks = tasks
        self._rng = rng
        self._toolchains = sorted(engine.toolchains())
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        engine.when_idle(self._idle.set)
        self._starting = 0
        self._work: dict[str, Work] = {}
        self._fetching = Fetching()

    @property
    def borrowed(self) -> Mapping[str, int]:
        """How many cases of each node are here."""
        found: dict[str, int] = {}
        for work in self._work.values():
            found[work.lender.node] = found.get(work.lender.node, 0) + work.open
        return found

    def has_heard(self) -> None:
        """Somebody has work who had none."""
        self._news.set()

    @property
    def is_hungry(self) -> bool:
        """Whether to ask for work."""
        load = self._own_load()
        queued = self._engine.queued_runs + self._starting
        return policy.is_hungry(
            load.free_slots, self._own.slots, queued, load.draining, load.pressed
        )

    async def run(self) -> None:
        """Ask, for as long as the daemon runs."""
        failures = 0
        while True:
            if not self.is_hungry:
                failures = 0
                self._idle.clear()
                await _within(_LOOK_EACH_S, self._idle)
                continue
            victim = self._choose()
            if victim is not None and await self._take_from(victim):
                failures = 0
                continue
            if victim is not None or (failures and self._victims()):
                failures += 1
                pause_s = policy.pause_s(failures, self._rng)
            else:
                # Nobody has anything, or others are asking: until there is news.
                pause_s = _LOOK_EACH_S
            if await _within(pause_s, self._news):
                self._news.clear()
                failures = 0
                await asyncio.sleep(policy.pause_s(0, self._rng))

    def _choose(self) -> Facts | None:
        now = time.monotonic()
        self._not_before = {node: at for node, at in self._not_before.items() if at > now}
        able = {
            node: seconds
            for node, seconds in self._victims().items()
            if node not in self._not_before and self._suits(node)
        }
        own, members = self._own.node, self._members()
        chosen = policy.choose_victim(able, own, members, self._latency_s, self._rng)
        return None if chosen is None else self._facts_of(chosen)

    async def _take_from(self, victim: Facts) -> bool:
        """Ask a node for work; whether there was some."""
        answer = await self._ask(victim)
        if answer is None:
            self._silent[victim.node] = failures = self._silent.get(victim.node, 0) + 1
            pause_s = policy.pause_s(_SILENT_FROM + failures, self._rng)
            self._not_before[victim.node] = time.monotonic() + pause_s
            return False
        self._silent.pop(victim.node, None)
        if answer.gossip is not None and answer.gossip.sender == victim.node:
            self._hear(answer.gossip)
        # What was never lent is no work, however much of it is sent.
        if sum(self._come_home(victim.node, returned) for returned in answer.returned):
            return True
        if not answer.leases:
            self._not_before[victim.node] = time.monotonic() + answer.ask_again_s
            return False
        for lease in answer.leases:
            self._begin(victim, lease)
        self._tasks.start_soon(self._tell_soon)
        return True

    async def _tell_soon(self) -> None:
        """What was got can be lent on once it is queued."""
        await asyncio.sleep(2 * _QUEUED_AFTER_S)
        self._tell()

    def _suits(self, node: str) -> bool:
        """Whether the reports of a node could hold what is found here."""
        facts, own = self._facts_of(node), self._own
        if facts is None:
            return False
        return (facts.isolation, facts.enforcement) == (own.isolation, own.enforcement)

    def _latency_s(self, node: str) -> float:
        facts = self._facts_of(node)
        return 0.0 if facts is None else self._peers.round_trip_s(facts.address)

    async def _ask(self, victim: Facts) -> StealAnswer | None:
        round_trip_s = self._peers.round_trip_s(victim.address)
        request = StealRequest(
            slots=self._own.slots,
            free_slots=self._own_load().free_slots,
            seconds=policy.wanted_s(self._own.slots, round_trip_s),
            toolchains=self._toolchains,
            round_trip_s=round_trip_s,
        )
        self._count("cluster_steals_tried")
        try:
            content = await self._peers.ask(
                victim.address, STEAL, _encode(request), node=victim.node, timeout_s=_ASK_TIMEOUT_S
            )
            return _steal_answer.decode(content)
        except (PeerError, msgspec.MsgspecError) as error:
            log.debug("a node gives no work", node=victim.node, reason=str(error))
            return None

    def _begin(self, lender: Facts, lease: Lease) -> None:
        if lease.id in self._work:
            return  # no lender gives one twice, unless it means harm
        self._count("cluster_leases_taken")
        self._starting += 1
        work = self._work[lease.id] = Work(
            self._engine, self._peers, lender, lease, self._fetching, self._gossip, self._count
        )
        self._tasks.start_soon(self._do, work)

    async def _do(self, work: Work) -> None:
        waiting = True

        def begun() -> None:
            nonlocal waiting
            if waiting:
                waiting = False
                self._starting -= 1
                self._idle.set()

        try:
            await work.do(begun)
        finally:
            begun()
            del self._work[work.lease.id]

    def is_gone(self, node: str) -> None:
        """A node is dead: nobody waits for its cases here."""
        self._silent.pop(node, None)
        for work in list(self._work.values()):
            if work.lender.node == node:
                work.stop()

    def sent_home(self, lease: str, positions: Sequence[int]) -> None:
        """The lender of a lease does these of its cases itself."""
        if (work := self._work.get(lease)) is not None:
            work.is_spared(positions)


class Fetching:
    """Who fetches something while others wait for it: each is fetched once."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @contextlib.asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Nobody else is at it inside the block."""
        lock, waiting = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks[name]
            if waiting == 1:
                del self._locks[name]
            else:
                self._locks[name] = lock, waiting - 1


class Work:
    """One lease, from its data to its last result.

    Parameters:
        engine: runs it.
        peers: speaks to the lender.
        lender: facts of the node that it is from.
        lease: what is to be done.
        fetching: that all leases share.
        gossip: what to tell others of this node.
        count: adds one to a counter of this name.
    """

    def __init__(
        self,
        engine: Engine,
        peers: Peers,
        lender: Facts,
        lease: Lease,
        fetching: Fetching,
        gossip: Callable[[], Gossip],
        count: Callable[[str], None],
    ) -> None:
        self._fetching = fetching
        self._gossip = gossip
        self.lender = lender
        self.lease = lease
        tests = lease.submission.tests
        self._total = 0 if tests is None else len(tests.cases)
        self._engine = engine
        self._peers = peers
        self._count = count
        self._outbox: list[CaseAnswer] = []
        self._answered: set[int] = set()
        self._unwanted: set[int] = set()
        self._fill = asyncio.Event()
        self._judging: asyncio.Task[None] | None = None
        self._reason = ""
        self._done = False

    @property
    def open(self) -> int:
        """Cases without a result."""
        return self._total - len(self._answered | self._unwanted)

    def stop(self) -> None:
        """Nobody waits for it any more."""
        if self._judging is not None:
            self._judging.cancel()

    def is_spared(self, positions: Iterable[int]) -> None:
        """Nobody waits for some of the cases any more."""
        self._unwanted.update(positions)
        self._fill.set()

    async def do(self, begun: Callable[[], None]) -> None:
        """Do it; cancelling this drops it.

        Parameters:
            begun: called when its cases are queued.
        """
        self._judging = asyncio.create_task(self._judge(begun))
        try:
            await self._stream()
        finally:
            self._judging.cancel()
            await asyncio.wait([self._judging])

    async def _judge(self, begun: Callable[[], None]) -> None:
        try:
            await self._gather()
            asyncio.get_running_loop().call_later(_QUEUED_AFTER_S, begun)
            # What was lent most often first: the last of its borrowers has nobody to help it.
            via = tuple(self.lease.via)
            report = await self._engine.judge(
                msgspec.structs.replace(self.lease.submission, priority=len(via)),
                client=_CLIENT,
                borrowed=Borrowed(self.lease.id, via, self._heard),
            )
            if self.open:
                self._reason = f"{report.verdict.value}: {report.message}"[:1000]
        except (ScaleboxError, PeerError) as error:
            self._reason = str(error)[:1000]
            log.info("borrowed work is given back", node=self.lender.node, reason=self._reason)
        finally:
            self._done = True
            self._fill.set()

    def _heard(self, position: int, result: CaseResult, weak: bool) -> None:
        if position in self._answered:
            return
        self._answered.add(position)
        self._outbox.append(CaseAnswer(position=position, result=result, weak=weak))
        self._count("cluster_cases_run_for_others")
        self._fill.set()

    # --- what it needs ---------------------------------------------------------------------------

    async def _gather(self) -> None:
        """Fetch what is not here.

        Raises:
            PeerError: the lender does not give it.
            ScaleboxError: there is no room for it, or it is not what it should be.
        """
        limiter = asyncio.Semaphore(_FETCHES_AT_ONCE)

        async def fetch(sha256: str) -> None:
            async with limiter, self._fetching.of(sha256):
                if self._engine.blobs.has(sha256):
                    return
                content = await self._fetch(Fetch(lease=self.lease.id, sha256=sha256))
                await self._engine.blobs.put(sha256, content)
                self._count("cluster_blobs_fetched")

        await asyncio.gather(*(fetch(one) for one in named(self.lease.submission)))
        address = self.lease.artifact
        if not address:
            return
        async with self._fetching.of(address):
            if self._engine.builder.has(address):
                return
            try:
                program = await self._fetch(Fetch(lease=self.lease.id, artifact=address))
                await self._engine.builder.take_program(address, program)
                self._count("cluster_programs_fetched")
            except (PeerError, OSError) as error:
                log.debug("a program is compiled again", reason=str(error))

    async def _fetch(self, request: Fetch) -> bytes:
        return await self._peers.ask(
            self.lender.address, FETCH, _encode(request), node=self.lender.node,
            timeout_s=_FETCH_TIMEOUT_S,
        )  # fmt: skip

    # --- what comes of it ------------------------------------------------------------------------

    async def _stream(self) -> None:
        """Send results as they come, and signs of life between them."""
        each_s = self.lease.ttl_s / 3
        while True:
            if not self._outbox and not self._done:
                self._fill.clear()
                if await _within(each_s, self._fill):
                    await self._others()
            sending = self._outbox[:MOST_RESULTS]
            del self._outbox[:MOST_RESULTS]
            done = self._done and not self._outbox
            frame = Results(
                lease=self.lease.id,
                answers=sending,
                done=done,
                reason=self._reason,
                gossip=self._gossip(),
            )
            answer = await self._send(frame)
            if answer is None or not answer.held or done:
                return
            self._unwanted.update(answer.unwanted)
            if not self.open and not self._outbox:
                return

    async def _others(self) -> None:
        """Wait until more results can go in one frame with the first, or no more will come."""
        until = time.monotonic() + self.lease.frame_each_s
        while not self._done and self.open and (left_s := until - time.monotonic()) > 0:
            self._fill.clear()
            await _within(left_s, self._fill)

    async def _send(self, frame: Results) -> ResultsAnswer | None:
        """Send a frame until it is answered; None: the lease must be over by now."""
        give_up = time.monotonic() + self.lease.ttl_s
        pause_s = _RETRY_S
        while True:
            try:
                content = await self._peers.ask(
                    self.lender.address, RESULTS, _encode(frame), node=self.lender.node,
                    timeout_s=max(0.1, min(self.lease.ttl_s, give_up - time.monotonic())),
                )  # fmt: skip
                return _results_answer.decode(content)
            except (PeerError, msgspec.MsgspecError) as error:
                if time.monotonic() + pause_s >= give_up:
                    self._count("cluster_leases_lost")
                    log.info("a lender is not reached", node=self.lender.node, reason=str(error))
                    return None
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_RETRY_S)


async def _within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for something to happen, but not longer than this; whether it has."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await event.wait()
    return False
