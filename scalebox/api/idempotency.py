"""Idempotency keys: the same question asked again joins the work at hand or gets its answer.

Answers for: one piece of work a (client, key), however often and over however many connections it
is asked for; it goes on as long as anybody waits for it and is cancelled when nobody does; finished
answers are kept for a stated time in a stated amount of memory.  Failures of ours are not kept: a
retry is meant to run again.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import msgspec
from anyio import to_thread

from scalebox.errors import IdempotencyConflictError, UnavailableError
from scalebox.model import (
    Report,
    RunRequest,
    RunResult,
    RunStatus,
    Submission,
    Verdict,
    canonical_bytes,
)

Answer = TypeVar("Answer", Report, RunResult)

#: (what was asked for, the client's scope, its key)
Key = tuple[str, str, str]

#: Larger requests are hashed in a worker thread: a millisecond is the event loop's limit.
_HASH_INLINE_BYTES = 256 << 10
#: What an entry takes beside the encoded answer.
_ENTRY_BYTES = 400

_NOT_KEPT = frozenset({Verdict.INTERNAL_ERROR, Verdict.CANCELLED})
_NOT_KEPT_RUNS = frozenset({RunStatus.INTERNAL_ERROR, RunStatus.CANCELLED})


async def work_digest(work: Submission | RunRequest) -> bytes:
    """What two requests must share to count as the same work: SHA-256 of the canonical bytes.

    How long the answer may take is no part of it: who asks again has less time left.
    """
    if work.deadline_s is not None:
        work = msgspec.structs.replace(work, deadline_s=None)
    try:
        data = canonical_bytes(work)
    except (OverflowError, TypeError, ValueError):
        # Integers beyond 64 bits, in the arguments of calls, have no msgpack form.
        data = repr(work).encode("utf-8", "surrogatepass")
    if len(data) <= _HASH_INLINE_BYTES:
        return hashlib.sha256(data).digest()
    return (await to_thread.run_sync(hashlib.sha256, data)).digest()


@dataclass(slots=True)
class _Flight(Generic[Answer]):
    digest: bytes
    answer: asyncio.Future[Answer]
    waiters: int = 0
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class _Finished:
    digest: bytes
    encoded: bytes
    kind: type[Report] | type[RunResult]
    expires: float

    @property
    def size(self) -> int:
        return len(self.encoded) + _ENTRY_BYTES


class IdempotencyStore:
    """Work under way and answers kept, by key.  Owns its tasks: `aclose` ends them all."""

    def __init__(
        self, ttl_s: float, limit_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Parameters:
            ttl_s: seconds that an answer is kept after it was ready.
            limit_bytes: memory for kept answers; the oldest go first.
            clock: monotonic seconds.
        """
        self._ttl_s = ttl_s
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._flights: dict[Key, _Flight[Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # Every answer is kept equally long, so the order of insertion is that of expiry.
        self._finished: OrderedDict[Key, _Finished] = OrderedDict()
        self._kept_bytes = 0
        self._closed = False

    @property
    def kept_bytes(self) -> int:
        """Memory of the answers kept now."""
        return self._kept_bytes

    @property
    def in_flight(self) -> int:
        """Pieces of work under way."""
        return len(self._flights)

    async def join(
        self, key: Key, digest: bytes, start: Callable[[], Coroutine[Any, Any, Answer]]
    ) -> Answer:
        """The answer to the work of that key, started unless it is under way or done.

        Parameters:
            key: who asks, for what, under which key.
            digest: of the work, from `work_digest`.
            start: begins the work; called at most once, in a task of this store.

        Raises:
            IdempotencyConflictError: the key stands for other work.
            UnavailableError: the work was cancelled by a shutdown.
            Whatever the work raises, to everybody who waits for it.
        """
        self._expire()
        if (done := self._finished.get(key)) is not None:
            _same(done.digest, digest)
            return cast(Answer, msgspec.msgpack.decode(done.encoded, type=done.kind))
        flight = self._flights.get(key)
        if flight is not None:
            _same(flight.digest, digest)
        else:
            if self._closed:
                raise UnavailableError("the daemon is shutting down; ask again when it is back")
            flight = _Flight(digest, asyncio.get_running_loop().create_future())
            flight.task = asyncio.create_task(self._fly(key, flight, start))
            self._tasks.add(flight.task)
            flight.task.add_done_callback(self._tasks.discard)
            self._flights[key] = flight
        flight.waiters += 1
        try:
            return cast(Answer, await asyncio.shield(flight.answer))
        except asyncio.CancelledError:
            asking = asyncio.current_task()
            if flight.answer.cancelled() and not (asking and asking.cancelling()):
                raise UnavailableError(
                    "the work was given up because the daemon is shutting down; ask again"
                ) from None
            raise
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.answer.done():
                # Nobody is left who wants it.  Whoever asks from now on starts anew.
                self._remove(key, flight)
                if flight.task is not None:
                    flight.task.cancel()

    async def aclose(self) -> None:
        """Cancel all work under way and wait until it has ended."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fly(
        self,
        key: Key,
        flight: _Flight[Answer],
        start: Callable[[], Coroutine[Any, Any, Answer]],
    ) -> None:
        try:
            answer = await start()
        except asyncio.CancelledError:
            flight.answer.cancel()
            raise
        except Exception as error:
            if not flight.answer.done():
                flight.answer.set_exception(error)
                flight.answer.exception()  # somebody has seen it: asyncio need not complain
        else:
            if not flight.answer.done():
                flight.answer.set_result(answer)
                if self._flights.get(key) is flight:
                    self._keep(key, flight.digest, answer)
        finally:
            if not flight.answer.done():
                flight.answer.cancel()
            self._remove(key, flight)

    def _remove(self, key: Key, flight: _Flight[Any]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _keep(self, key: Key, digest: bytes, answer: Report | RunResult) -> None:
        if not _worth_keeping(answer):
            return
        encoded = msgspec.msgpack.encode(answer)
        entry = _Finished(digest, encoded, type(answer), self._clock() + self._ttl_s)
        if entry.size > self._limit_bytes:
            return
        self._finished[key] = entry
        self._kept_bytes += entry.size
        while self._kept_bytes > self._limit_bytes:
            self._kept_bytes -= self._finished.popitem(last=False)[1].size

    def _expire(self) -> None:
        now = self._clock()
        while self._finished:
            key = next(iter(self._finished))
            if self._finished[key].expires > now:
                return
            self._kept_bytes -= self._finished.pop(key).size


def _worth_keeping(answer: Report | RunResult) -> bool:
    if isinstance(answer, RunResult):
        return answer.status not in _NOT_KEPT_RUNS
    return answer.verdict not in _NOT_KEPT and not any(
        case.verdict in _NOT_KEPT for case in answer.cases
    )


def _same(known: bytes, asked: bytes) -> None:
    if known != asked:
        raise IdempotencyConflictError(
            "this idempotency key was used for other work; use a new key for a new request",
            field="idempotency_key",
        )
