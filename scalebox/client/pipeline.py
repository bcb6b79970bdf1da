"""Many submissions over few connections: batching, resubmission, pacing.

Theory of operation.  A `Pipeline` holds a queue of encoded submissions.  `submit` starts senders
(at most `connections` of them); each takes what waits, up to a batch's size, posts it to
`/v1/judge/batch` and delivers the answers as the frames arrive.  A sender keeps its batch until
every submission in it is answered: after a broken connection it posts those that are not, with the
idempotency keys that they had, so that the daemon joins them to the work it may already have done.
A batch refused as a whole, because one submission in it is malformed, is halved until that one is
found.  A sender ends when nothing waits, so an idle pipeline costs nothing.  One that is left with
a few slow submissions does not hold up the others: there may be another in its place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from scalebox.client.encode import MSGPACK, Encoded
from scalebox.client.retry import Patience, RetryPolicy, is_busy, is_transient, status_of_code
from scalebox.client.transport import BrokenConnection, Refusal, Transport
from scalebox.errors import ConnectionFailedError, ScaleboxError
from scalebox.model import BatchItem, Report

#: Answers that condemn the session rather than one submission: wrong token, no such API.
_FATAL_STATUSES = frozenset({401, 403, 405, 406, 415})
BATCH_PATH = "/v1/judge/batch"
NDJSON = "application/x-ndjson"
#: With no more than this many answers outstanding each is told as it comes, and the sender no
#: longer counts as one of `connections` …
_FEW = 4
#: … as long as there are no more than this many times `connections` altogether.
_MOST = 4
# msgpack: a map of one entry whose key is the 11-byte string "submissions".
_BATCH_HEAD = b"\x81\xabsubmissions"


class Item:
    """One encoded submission on its way.

    Attributes:
        index: the caller's number for it.
        payload: its bytes.
        content_type: what they are.
        deliver: called once, with the answer.
        abandoned: nobody waits for the answer any more.
        batch: the request that carries it now.
    """

    __slots__ = ("abandoned", "batch", "content_type", "deliver", "index", "payload")

    def __init__(self, index: int, encoded: Encoded, deliver: Deliver) -> None:
        self.index = index
        self.payload = encoded.data
        self.content_type = encoded.content_type
        self.deliver = deliver
        self.abandoned = False
        self.batch: _Batch | None = None


#: Called with the item, a report or an error, and whether the error is about the daemon as a whole
#: (lost, wrong token) instead of this submission.
Deliver = Callable[[Item, Report | ScaleboxError, bool], None]


class Pipeline:
    """A queue and its senders.

    Parameters:
        transport: the open session.
        tasks: the group that the senders belong to.
        policy: when to ask again.
        connections: how many batches may be under way at once, those with a few slow submissions
            left not counted.
        batch_items, batch_bytes: bounds of one batch (a single submission may be larger).
    """

    def __init__(
        self,
        transport: Transport,
        tasks: asyncio.TaskGroup,
        policy: RetryPolicy,
        *,
        connections: int,
        batch_items: int,
        batch_bytes: int,
    ) -> None:
        self._transport = transport
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

    def abandon(self, item: Item) -> None:
        """Forget an item; a request whose items are all forgotten is broken off."""
        item.abandoned = True
        item.payload = b""
        if item.batch is not None:
            item.batch.lose_interest()

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
            await self._carry(batch)

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
        patience = Patience(self._policy)
        while groups:
            batch = _Batch(groups.pop(), self._few_left)
            if not batch.waiting:
                continue
            try:
                trouble = await batch.attempt(self._transport)
            finally:
                self._slow -= batch.slow
            if batch.answered:
                patience.progress()
            left = list(batch.waiting.values())
            if trouble is None or not left:
                continue
            groups.append(left)
            if isinstance(trouble, Refusal) and not _is_worth_repeating(trouble):
                if _condemns_the_session(trouble):
                    _fail(groups, trouble.as_remote_error(), fatal=True)
                elif len(left) == 1:
                    _fail([groups.pop()], trouble.as_remote_error(), fatal=False)
                else:
                    middle = len(left) // 2
                    groups[-1:] = [left[middle:], left[:middle]]
                continue
            if isinstance(trouble, Refusal) and is_busy(trouble.status):
                delay = patience.busy(trouble.retry_after_s)
            else:
                delay = patience.failed()
            if delay is not None:
                await asyncio.sleep(delay)
            elif isinstance(trouble, Refusal):
                _fail(groups, trouble.as_remote_error(), fatal=False)
            else:
                _fail(groups, lost(self._transport, trouble, patience), fatal=True)


class _Batch:
    """One request: the items that it carries, and what came back.

    Attributes:
        waiting: what has no answer yet, by its place in the request.
        answered: how many have.
        slow: whether `few_left` was called.
    """

    __slots__ = ("_few_left", "_scope", "_trouble", "answered", "slow", "waiting")

    def __init__(self, items: list[Item], few_left: Callable[[_Batch], None]) -> None:
        self.slow = False
        self._few_left = few_left
        self.waiting = {
            position: item
            for position, item in enumerate(item for item in items if not item.abandoned)
        }
        self.answered = 0
        self._trouble: Refusal | None = None
        self._scope: asyncio.Timeout | None = None

    async def attempt(self, transport: Transport) -> Refusal | BrokenConnection | None:
        """Post it once.  Returns why items are still waiting, or None if it was not needed."""
        items = list(self.waiting.values())
        body, content_type = _body_of(items)
        for item in items:
            item.batch = self
        if len(items) <= _FEW:
            self._few_left(self)
        try:
            async with asyncio.timeout(None) as self._scope:
                await transport.batch(BATCH_PATH, body, content_type, self._receive)
        except TimeoutError:
            return None  # nobody was interested any more
        except (Refusal, BrokenConnection) as error:
            return error
        finally:
            self._scope = None
            for item in self.waiting.values():
                item.batch = None
            self.waiting = {k: item for k, item in self.waiting.items() if not item.abandoned}
        return self._trouble or BrokenConnection("the answer ended before it was complete")

    def lose_interest(self) -> None:
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
                if _is_worth_repeating(refusal):
                    self._trouble = refusal
                    continue
                outcome = refusal.as_remote_error()
            else:
                continue
            del self.waiting[answer.index]
            self.answered += 1
            item.batch = None
            if not item.abandoned:
                item.deliver(item, outcome, False)
        if not self.slow and len(self.waiting) <= _FEW:
            self._few_left(self)
        return len(self.waiting) > _FEW


def lost(
    transport: Transport, trouble: BrokenConnection, patience: Patience
) -> ConnectionFailedError:
    """The error for a daemon that stayed away after all retries."""
    return ConnectionFailedError(
        f"no scaleboxd answers at {transport.address} ({trouble}); tried {patience.failures} "
        "time(s). Start one with `scaleboxd`, or give the address of one that runs"
    )


def _is_worth_repeating(refusal: Refusal) -> bool:
    return is_busy(refusal.status) or is_transient(refusal.status)


def _condemns_the_session(refusal: Refusal) -> bool:
    # A 404 without our own error body: something else listens there.
    return refusal.status in _FATAL_STATUSES or (
        refusal.status == 404 and refusal.body.error == "http_error"
    )


def _fail(groups: list[list[Item]], error: ScaleboxError, *, fatal: bool) -> None:
    for group in groups:
        for item in group:
            if not item.abandoned:
                item.deliver(item, error, fatal)
    groups.clear()


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
