"""Many submissions over few connections: batching, resubmission, pacing.

Theory of operation.  A `Pipeline` holds a queue of encoded submissions.  `submit` starts senders
(at most `connections` of them); each takes what waits, up to a batch's size, posts it to
`/v1/judge/batch` and delivers the answers as the frames arrive.  A sender keeps its batch until
every submission in it is answered: after a broken connection it posts those that are not, with the
idempotency keys that they had, so that the daemon joins them to the work it may already have done.
Which daemon that is, the first time and after each failure, is its `Course`'s matter.  A batch
refused as a whole, because one submission in it is malformed, is halved until that one is found.  A
sender ends when nothing waits, so an idle pipeline costs nothing.  One that is left with a few slow
submissions does not hold up the others: there may be another in its place.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable

from scalebox.client.course import (
    Course,
    GivenUp,
    condemns_the_session,
    is_worth_repeating,
    lost,
)
from scalebox.client.daemons import Daemon, Daemons, Trouble
from scalebox.client.encode import MSGPACK, Encoded
from scalebox.client.item import GRACE_S, Item
from scalebox.client.kept import Kept, is_missing
from scalebox.client.retry import RetryPolicy, is_busy, status_of_code
from scalebox.client.transport import BrokenConnection, Refusal
from scalebox.errors import ScaleboxError
from scalebox.model import BatchItem, Report

BATCH_PATH = "/v1/judge/batch"
NDJSON = "application/x-ndjson"
#: With no more than this many answers outstanding each is told as it comes, and the sender no
#: longer counts as one of `connections` …
_FEW = 4
#: … as long as there are no more than this many times `connections` altogether.
_MOST = 4
#: In which `GRACE_S` is given.
_GRACE_STEPS = 5
# msgpack: a map of one entry whose key is the 11-byte string "submissions".
_BATCH_HEAD = b"\x81\xabsubmissions"


class Pipeline:
    """A queue and its senders.

    Parameters:
        daemons: with open sessions.
        kept: what this client has registered with some of them.
        tasks: the group that the senders belong to.
        policy: when to ask again.
        connections: how many batches may be under way at once, those with a few slow submissions
            left not counted.
        batch_items, batch_bytes: bounds of one batch (a single submission may be larger).
    """

    def __init__(
        self,
        daemons: Daemons,
        kept: Kept,
        tasks: asyncio.TaskGroup,
        policy: RetryPolicy,
        *,
        connections: int,
        batch_items: int,
        batch_bytes: int,
    ) -> None:
        self._daemons = daemons
        self._kept = kept
        self._tasks = tasks
        self._policy = policy
        self._connections = connections
        self._batch_items = batch_items
        self._batch_bytes = batch_bytes
        self._queue: deque[Item] = deque()
        self._senders: set[asyncio.Task[None]] = set()
        self._fresh = 0  # senders that were started and have not yet taken anything
        self._slow = 0  # senders that wait for a few answers only
        self._closed = False

    def submit(self, item: Item) -> None:
        """Queue a submission; its `deliver` is called from the event loop later."""
        if self._closed:
            raise ScaleboxError("the client is closed; make a new one, or use `with`")
        self._queue.append(item)
        self._start_sender()

    def _start_sender(self) -> None:
        # One sender takes a whole batch, so a burst needs one new sender a batch, not one an item.
        if (
            len(self._senders) - self._slow < self._connections
            and len(self._senders) < self._connections * _MOST
            and len(self._queue) > self._fresh * self._batch_items
        ):
            self._fresh += 1
            task = self._tasks.create_task(self._send_all())
            self._senders.add(task)
            task.add_done_callback(self._senders.discard)

    def _few_left(self, batch: _Batch) -> None:
        batch.slow = True
        self._slow += 1
        self._start_sender()

    async def close(self) -> None:
        """Break off everything; nothing more is delivered."""
        self._closed = True
        self._queue.clear()
        senders = list(self._senders)
        for task in senders:
            task.cancel()
        if senders:
            await asyncio.wait(senders)

    async def _send_all(self) -> None:
        # The senders of a burst start in the turn after it, so the first finds a whole batch.
        self._fresh -= 1
        while batch := self._take():
            try:
                await self._carry(batch)
            finally:
                for item in batch:
                    item.stop_clock()

    def _take(self) -> list[Item]:
        taken: list[Item] = []
        size = 0
        queue = self._queue
        while queue and len(taken) < self._batch_items:
            if queue[0].abandoned:
                queue.popleft()
                continue
            if taken and queue[0].content_type != taken[0].content_type:
                break
            size += len(queue[0].payload)
            if taken and size > self._batch_bytes:
                break
            taken.append(queue.popleft())
        return taken

    async def _carry(self, items: list[Item]) -> None:
        """Bring one batch to its end: answered, refused, or given up."""
        groups = [items]
        course = Course(self._daemons, self._policy)
        was_busy = False
        while groups:
            group = [item for item in groups.pop() if not item.abandoned]
            if not group:
                continue
            if not was_busy:  # who is asked to wait is not late
                self._start_clocks(group)
            try:
                daemon = await course.next()
            except GivenUp as end:
                for item in itertools.chain(group, *groups):
                    item.answer(end.error, fatal=end.fatal)
                return
            self._start_clocks(group)
            trouble = await self._at(daemon, group, course)
            was_busy = isinstance(trouble, Refusal) and is_busy(trouble.status)
            left = [item for item in group if not (item.answered or item.abandoned)]
            if not left:
                continue
            groups.append(left)
            if trouble is None:
                continue
            if (
                isinstance(trouble, BrokenConnection)
                or is_worth_repeating(trouble)
                or condemns_the_session(trouble)
            ):
                course.met(daemon, trouble)
            elif len(left) == 1:
                groups.pop()[0].answer(trouble.as_remote_error(self._daemons.name(daemon)))
            else:
                middle = len(left) // 2
                groups[-1:] = [left[middle:], left[:middle]]

    async def _at(self, daemon: Daemon, items: list[Item], course: Course) -> Trouble | None:
        """One attempt at one daemon.  Returns why items are left; None: just ask again."""
        for item in items:
            item.at = daemon
        try:
            if (trouble := await self._introduce(daemon, items)) is not None:
                return trouble
            batch = _Batch(daemon, self._daemons.name(daemon), items, self._few_left)
            if not batch.waiting:
                return None
            try:
                trouble = await batch.attempt()
            finally:
                self._slow -= batch.slow
            if batch.answered:
                course.progress()
            return await self._supply(daemon, batch) or trouble
        finally:
            for item in items:
                item.at = None

    async def _introduce(self, daemon: Daemon, items: list[Item]) -> Trouble | None:
        """Tell a daemon what the items go by the name of; refuse those that it does not take."""
        for key in {key for item in items for key in item.names}:
            try:
                await self._kept.tell(daemon, key)
            except BrokenConnection as trouble:
                return trouble
            except Refusal as refusal:
                if is_worth_repeating(refusal):
                    return refusal
                error = refusal.as_remote_error(self._daemons.name(daemon))
                for item in items:
                    if key in item.names and not item.answered:
                        item.answer(error)
        return None

    async def _supply(self, daemon: Daemon, batch: _Batch) -> Trouble | None:
        """Give a daemon what it lacked for items; refuse those for which there is nothing."""
        done: set[object] = set()
        for item, refusal in batch.lacking:
            if item.abandoned:
                continue
            request = Encoded(item.payload, item.content_type)
            item.supplied_by = daemon
            try:
                if await self._kept.supply(daemon, refusal, request, done):
                    continue
            except (BrokenConnection, Refusal) as trouble:
                if isinstance(trouble, BrokenConnection) or is_worth_repeating(trouble):
                    item.supplied_by = None
                    return trouble
                refusal = trouble
            item.answer(refusal.as_remote_error(self._daemons.name(daemon)))
        return None

    def _start_clocks(self, items: list[Item]) -> None:
        loop = asyncio.get_running_loop()
        for item in items:
            if item.has_deadline and item.start_clock(loop.time()):
                assert item.expires_at is not None
                item.timer = loop.call_at(item.expires_at, self._expired, item, _GRACE_STEPS)

    def _expired(self, item: Item, steps: int) -> None:
        if item.at is not None and steps:
            # In steps: where the program held up the event loop, the answer may be there, unread.
            loop = asyncio.get_running_loop()
            pause_s = GRACE_S / _GRACE_STEPS
            item.timer = loop.call_later(pause_s, self._expired, item, steps - 1)
            return
        item.answer(lost(self._daemons.troubles({}), late=True), fatal=True)
        item.abandon()


class _Batch:
    """One request: the items that it carries, and what came back.

    Attributes:
        waiting: what has no answer yet, by its place in the request.
        lacking: those for which the daemon does not have what they refer to.
        answered: how many have been.
        slow: whether `few_left` was called.
    """

    __slots__ = (
        "_daemon",
        "_few_left",
        "_name",
        "_scope",
        "_trouble",
        "answered",
        "lacking",
        "slow",
        "waiting",
    )

    def __init__(
        self, daemon: Daemon, name: str, items: list[Item], few_left: Callable[[_Batch], None]
    ) -> None:
        self.slow = False
        self._daemon = daemon
        self._name = name
        self._few_left = few_left
        live = [item for item in items if not (item.abandoned or item.answered)]
        self.waiting = dict(enumerate(live))
        self.lacking: list[tuple[Item, Refusal]] = []
        self.answered = 0
        self._trouble: Refusal | None = None
        self._scope: asyncio.Timeout | None = None

    async def attempt(self) -> Trouble | None:
        """Post it once.  Returns why items are still waiting; None if it was not needed, or if all
        of them lack something.
        """
        items = list(self.waiting.values())
        for item in items:
            item.batch = self
            item.take_time_off()
        body, content_type = _body_of(items)
        if len(items) <= _FEW:
            self._few_left(self)
        try:
            async with asyncio.timeout(None) as self._scope:
                await self._daemon.transport.batch(BATCH_PATH, body, content_type, self._receive)
        except TimeoutError:
            return None  # nobody was interested any more
        except Refusal as refusal:
            if is_busy(refusal.status):
                for item in items:
                    item.stop_clock()
            return refusal
        except BrokenConnection as error:
            return error
        finally:
            self._scope = None
            for item in self.waiting.values():
                item.batch = None
            self.waiting = {k: item for k, item in self.waiting.items() if not item.abandoned}
        if self._trouble is None and len(self.lacking) >= len(self.waiting):
            return None
        return self._trouble or BrokenConnection("the answer ended before it was complete")

    def lose_interest(self) -> None:
        """As `Carrier` says."""
        if self._scope is not None and all(item.abandoned for item in self.waiting.values()):
            self._scope.reschedule(asyncio.get_running_loop().time())

    def _receive(self, answers: list[BatchItem]) -> bool:
        for answer in answers:
            item = self.waiting.get(answer.index)
            if item is None:
                continue
            outcome: Report | ScaleboxError
            if answer.report is not None:
                outcome = answer.report
            elif answer.error is not None:
                refusal = Refusal(status_of_code(answer.error.error), answer.error)
                if is_worth_repeating(refusal):
                    self._trouble = refusal
                    if is_busy(refusal.status):
                        item.stop_clock()
                    continue
                if is_missing(refusal) and item.supplied_by is not self._daemon:
                    self.lacking.append((item, refusal))
                    continue
                outcome = refusal.as_remote_error(self._name)
            else:
                continue
            del self.waiting[answer.index]
            self.answered += 1
            item.batch = None
            item.answer(outcome)
        if not self.slow and len(self.waiting) <= _FEW:
            self._few_left(self)
        return len(self.waiting) > _FEW


def _body_of(items: list[Item]) -> tuple[bytes, str]:
    """The request's body and its media type; the items are of one coding."""
    if items[0].content_type == MSGPACK:
        parts = [_BATCH_HEAD, _array_head(len(items)), *(item.payload for item in items)]
        return b"".join(parts), MSGPACK
    return b"\n".join(item.payload for item in items), NDJSON


def _array_head(count: int) -> bytes:
    """The msgpack head of an array."""
    if count < 16:
        return bytes([0x90 | count])
    return (
        b"\xdc" + count.to_bytes(2, "big")
        if count < 1 << 16
        else (b"\xdd" + count.to_bytes(4, "big"))
    )
