"""Many submissions over few connections: batching, resubmission, pacing.

Theory of operation.  A `Pipeline` holds a queue of encoded submissions.  `submit` starts senders (at
most `connections` of them); each takes what waits, up to a batch's size, posts it to
`/v1/judge/batch` and delivers the answers as the frames arrive.  A sender keeps its batch until every
submission in it is answered: after a broken connection it posts those that are not, with the
idempotency keys that they had, so that the daemon joins them to the work it may already have done.
A batch refused as a whole, because one submission in it is malformed, is halved until that one is
found.  A sender ends when nothing waits, so an idle pipeline costs nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from scalebox.client.retry import Patience, RetryPolicy, is_busy, is_transient, status_of_code
from scalebox.client.transport import BrokenConnection, Refusal, Transport
from scalebox.errors import ConnectionFailedError, RemoteError, ScaleboxError
from scalebox.model import BatchItem, Report

#: Answers that condemn the session rather than one submission: wrong token, no such API.
_FATAL_STATUSES = frozenset({401, 403, 405, 406, 415})
BATCH_PATH = "/v1/judge/batch"
# msgpack: a map of one entry whose key is the 11-byte string "submissions".
_BATCH_HEAD = b"\x81\xabsubmissions"


class Item:
    """One encoded submission on its way.

    Attributes:
        index: the caller's number for it.
        payload: its msgpack.
        deliver: called once, with the item and a report, a refusal, or what ended all hope.
        abandoned: nobody waits for the answer any more.
    """

    __slots__ = ("abandoned", "batch", "deliver", "index", "payload")

    def __init__(self, index: int, payload: bytes, deliver: Deliver) -> None:
        self.index = index
        self.payload = payload
        self.deliver = deliver
        self.abandoned = False
        self.batch: _Batch | None = None


#: A `RemoteError` is about this submission; any other error is about the daemon or the client.
Outcome = Report | ScaleboxError
Deliver = Callable[[Item, Outcome], None]


class Pipeline:
    """A queue and its senders.

    Parameters:
        transport: the open session.
        tasks: the group that the senders belong to.
        policy: when to ask again.
        connections: how many batches may be under way at once.
        batch_items, batch_bytes: bounds of one batch (a single submission may be larger).
    """

    def __init__(
        self,
        transport: Transport,
        tasks: asyncio.TaskGroup,
        policy: RetryPolicy,
        *,
        connections: int,
        batch_items: int = 64,
        batch_bytes: int = 8 << 20,
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
        self._closed = False

    def submit(self, item: Item) -> None:
        """Queue a submission; its `deliver` is called from the event loop later."""
        if self._closed:
            raise ScaleboxError("the client is closed; make a new one, or use `with`")
        self._queue.append(item)
        # One sender takes a whole batch, so a burst needs one new sender a batch, not one an item.
        if (
            len(self._senders) < self._connections
            and len(self._queue) > self._fresh * self._batch_items
        ):
            self._fresh += 1
            task = self._tasks.create_task(self._send_all())
            self._senders.add(task)
            task.add_done_callback(self._senders.discard)

    def abandon(self, item: Item) -> None:
        """Forget an item; a batch whose items are all forgotten is broken off."""
        item.abandoned = True
        if item.batch is not None:
            item.batch.abandon()
        else:
            self._queue.remove(item)

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
        fresh = True
        try:
            # Let a burst of submits in the same turn of the loop gather into whole batches.
            await asyncio.sleep(0)
            while self._queue:
                batch = self._take()
                if fresh:
                    fresh = False
                    self._fresh -= 1
                await self._carry(batch)
        finally:
            if fresh:
                self._fresh -= 1

    def _take(self) -> list[Item]:
        taken: list[Item] = []
        size = 0
        queue = self._queue
        while queue and len(taken) < self._batch_items:
            size += len(queue[0].payload)
            if taken and size > self._batch_bytes:
                break
            taken.append(queue.popleft())
        return taken

    async def _carry(self, items: list[Item]) -> None:
        """Bring one batch to its end, whatever it takes."""
        groups = [items]
        patience = Patience(self._policy)
        while groups:
            batch = _Batch([item for item in groups[-1] if not item.abandoned])
            if not batch.waiting:
                groups.pop()
                continue
            trouble = await batch.attempt(self._transport)
            if batch.answered:
                patience.progress()
            left = groups[-1] = [item for item in batch.waiting.values() if not item.abandoned]
            for item in left:
                item.batch = None
            if not left:
                groups.pop()
                continue
            # From here on the items belong to no batch and are not in the queue either.
            parked = _Parked.of(left)
            if isinstance(trouble, Refusal) and not is_busy(trouble.status):
                if trouble.status in _FATAL_STATUSES or _is_no_daemon(trouble):
                    _fail(groups, Fatal(trouble.as_remote_error()))
                    return
                if not is_transient(trouble.status):
                    groups.pop()
                    if len(left) == 1:
                        parked.release()
                        left[0].deliver(left[0], trouble.as_remote_error())
                    else:
                        middle = len(left) // 2
                        groups += [left[middle:], left[:middle]]
                    continue
            delay = _delay(patience, trouble)
            if delay is None:
                _fail(groups, _give_up(self._transport, trouble, patience))
                return
            await asyncio.sleep(delay)


class Fatal(ConnectionFailedError):
    """A refusal that every submission would meet; carries it.

    Attributes:
        cause: what the user is to see.
    """

    def __init__(self, cause: RemoteError) -> None:
        super().__init__(cause.message, field=cause.field)
        self.cause = cause
