"""Submissions over several daemons that come and go; whoever dies, its work goes to another.

Theory of operation.  A *membership* says which daemons there are; a `Spread` holds a client of
each.  Submissions wait in one queue here.  A daemon has as many of them at a time as it answers
within a second, and no fewer than keep its slots busy: so one that is slow, or that others keep
busy, gets less, the last submissions end everywhere at about the same time, and little has to be
repeated when one dies.  What a dead daemon, or a draining or full one, leaves goes to the front of
the queue, with the idempotency key that it had: where the daemon lives after all, it is asked again
and nothing is judged twice.  A submission is answered once, whoever else still works on it.

Blobs and registered problems are known to the daemon that they were given to; what is submitted
here should carry its tests.
"""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import msgspec

from scalebox.client.aio import AsyncClient
from scalebox.client.retry import is_busy, is_transient
from scalebox.errors import BadRequestError, ConnectionFailedError, RemoteError, ScaleboxError
from scalebox.model import Report, Submission

#: A daemon's share is what it answers in this time.
_AHEAD_S = 1.0
#: … but no less than this many submissions a slot, so that none is idle between two answers …
_LEAST_A_SLOT = 4
#: … and no more than this, however fast it is.
_MOST_AT_ONE = 2048
_CONNECTIONS = 8
#: How often the membership is asked while there is work; sooner after a failure.
_REFRESH_S = 2.0
_REFRESH_AFTER_FAILURE_S = 0.25
#: A daemon that failed is left alone for a while, which doubles from the first to the second.
_FIRST_REST_S = 0.1
_LONGEST_REST_S = 5.0
#: A submission on which so many connections broke off is taken to be what breaks them.
_MOST_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class Contact:
    """How a daemon is reached.

    Attributes:
        address: as `AsyncClient` takes it.
        token: for TCP.
        slots: how many programs it runs at once.
        near: whether it is on this host: taken first where there is a choice.
    """

    address: str
    token: str | None
    slots: int
    near: bool = False


#: Which daemons there are now, by name.  It is told the names of those that have just failed, so
#: that what it remembers of them can be asked anew.  Raises ScaleboxError where there never will be
#: any; after other errors the daemons stay who they were.
Membership = Callable[[frozenset[str]], Awaitable[Mapping[str, Contact]]]


class Spread:
    """Several daemons as one.  Use it as an async context manager.

    Parameters:
        membership: which daemons there are.
        patience_s: after this time without an answer from anybody what waits is given up.
    """

    def __init__(self, membership: Membership, *, patience_s: float = 120.0) -> None:
        self._membership = membership
        self._patience_s = patience_s
        self._tasks = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()
        self._daemons: dict[str, _Daemon] = {}
        self._queue: deque[_Job] = deque()
        self._open = 0
        self._closed = False
        self._busy = asyncio.Event()
        self._doubt = asyncio.Event()
        self._last_sign = 0.0
        self._trouble = "there is none"
        self._key_prefix = uuid.uuid4().hex
        self._keys = 0

    async def __aenter__(self) -> Spread:
        await self._tasks.__aenter__()
        self._start(self._follow())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = True
        for task in list(self._running):
            task.cancel()
        await self._tasks.__aexit__(exc_type, exc, traceback)

    @property
    def daemons(self) -> frozenset[str]:
        """The names of those that work is given to."""
        return frozenset(self._daemons)

    def call(self) -> Call:
        """Begin to judge many; to be closed."""
        return Call(self)

    def _add(self, job: _Job) -> None:
        if job.submission.idempotency_key is None:
            self._keys += 1
            key = f"{self._key_prefix}-{self._keys}"
            job.submission = msgspec.structs.replace(job.submission, idempotency_key=key)
        if not self._open:
            self._last_sign = time.monotonic()
            self._busy.set()
        self._open += 1
        self._queue.append(job)

    def _end(self, job: _Job, outcome: Report | Exception | None) -> None:
        """What becomes of a job, once; None: nobody waits for it any more."""
        if job.ended:
            return
        job.ended = True
        self._open -= 1
        if not self._open:
            self._busy.clear()
        if outcome is not None:
            job.deliver(outcome)

    def _deal(self) -> None:
        """Give what waits to who has room."""
        now = time.monotonic()
        while self._queue and not self._closed:
            if self._queue[0].ended:
                self._queue.popleft()
                continue
            free = [daemon for daemon in self._daemons.values() if daemon.has_room(now)]
            if not free:
                return
            daemon = min(free, key=lambda d: (d.load(), not d.contact.near))
            job = self._queue.popleft()
            daemon.in_flight += 1
            job.task = self._start(self._carry(daemon, job))

    async def _carry(self, daemon: _Daemon, job: _Job) -> None:
        assert daemon.client is not None
        try:
            report = await daemon.client.judge(job.submission)
        except RemoteError as error:
            if is_busy(error.http_status) or is_transient(error.http_status):
                self._failed(daemon, job, error, error.retry_after_s)
            else:
                self._answered(daemon, job, error)
        except BadRequestError as error:
            # As if a daemon had refused it: one submission must not end the others.
            refusal = RemoteError(
                error.message, code=error.code, http_status=error.http_status, field=error.field
            )
            self._end(job, refusal)
        except ScaleboxError as error:  # the daemon is lost, or was taken off the list
            job.attempts += 1
            self._failed(daemon, job, error, None)
        except Exception as error:
            self._end(job, error)
        else:
            self._answered(daemon, job, report)
        finally:
            daemon.in_flight -= 1
            self._deal()

    def _answered(self, daemon: _Daemon, job: _Job, outcome: Report | Exception) -> None:
        self._last_sign = time.monotonic()
        daemon.answered(self._last_sign)
        self._end(job, outcome)

    def _failed(
        self, daemon: _Daemon, job: _Job, error: ScaleboxError, retry_after_s: float | None
    ) -> None:
        self._trouble = str(error)
        if job.attempts >= _MOST_ATTEMPTS:
            self._end(job, error)
            return
        self._queue.appendleft(job)
        rest_s = daemon.failed(time.monotonic(), retry_after_s)
        if rest_s is not None:
            self._doubt.set()
            asyncio.get_running_loop().call_later(rest_s, self._deal)

    async def _follow(self) -> None:
        """Keep the daemons those that the membership names, while there is work."""
        while True:
            await self._busy.wait()
            self._doubt.clear()
            doubted = frozenset(d.name for d in self._daemons.values() if d.failures)
            try:
                self._arrange(await self._membership(doubted))
            except ScaleboxError as error:
                self._give_up(error)
            except Exception as error:
                self._trouble = f"which daemons there are cannot be told: {error}"
            if self._is_hopeless():
                self._give_up(
                    ConnectionFailedError(
                        f"no daemon has answered for {self._patience_s:g} s ({self._trouble})"
                    )
                )
            await asyncio.sleep(_REFRESH_AFTER_FAILURE_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(_REFRESH_S):
                    await self._doubt.wait()

    def _arrange(self, contacts: Mapping[str, Contact]) -> None:
        for name, daemon in list(self._daemons.items()):
            if contacts.get(name) != daemon.contact:
                daemon.gone.set()
                del self._daemons[name]
        # Near ones are open first, and so get what waits already.
        for name, contact in sorted(contacts.items(), key=lambda item: not item[1].near):
            if name not in self._daemons:
                daemon = self._daemons[name] = _Daemon(name, contact)
                self._start(self._hold(daemon))

    async def _hold(self, daemon: _Daemon) -> None:
        contact = daemon.contact
        # Whom to ask again, and when, is decided here: a client's own patience would hold
        # submissions that another daemon could answer.
        async with AsyncClient(
            contact.address,
            token=contact.token,
            retries=0,
            busy_timeout_s=0.0,
            connections=_CONNECTIONS,
        ) as daemon.client:
            self._deal()
            await daemon.gone.wait()

    def _is_hopeless(self) -> bool:
        alive = any(daemon.in_flight and not daemon.failures for daemon in self._daemons.values())
        waited_s = time.monotonic() - self._last_sign
        return bool(self._queue) and not alive and waited_s >= self._patience_s

    def _give_up(self, error: ScaleboxError) -> None:
        while self._queue:
            self._end(self._queue.popleft(), error)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


class Call:
    """Submissions that one caller waits for.

    Parameters:
        spread: who carries them.
    """

    def __init__(self, spread: Spread) -> None:
        self._spread = spread
        self._jobs: set[_Job] = set()
        self._ready: list[tuple[int, Report | Exception]] = []
        self._news = asyncio.Event()

    async def submit(self, submissions: Iterable[tuple[int, Submission]]) -> None:
        """Queue submissions under the caller's numbers for them."""
        for index, submission in submissions:
            if not isinstance(submission, Submission):
                kind = type(submission).__name__
                raise BadRequestError(f"expected a scalebox.Submission, got {kind}")
            job = _Job(submission)
            job.deliver = self._receiver(index, job)
            self._jobs.add(job)
            self._spread._add(job)
        self._spread._deal()

    def _receiver(self, index: int, job: _Job) -> Callable[[Report | Exception], None]:
        def deliver(outcome: Report | Exception) -> None:
            self._jobs.discard(job)
            self._ready.append((index, outcome))
            self._news.set()

        return deliver

    async def take(self, *, wait: bool) -> list[tuple[int, Report | Exception]]:
        """What has been answered since; an empty list only if `wait` is false."""
        if wait:
            await self._news.wait()
        self._news.clear()
        ready, self._ready = self._ready, []
        return ready

    async def close(self) -> None:
        """Break off what is under way."""
        for job in self._jobs:
            self._spread._end(job, None)
            if job.task is not None:
                job.task.cancel()
        self._jobs.clear()


class _Job:
    """A submission on its way.

    Attributes:
        deliver: called once, with what came of it.
        attempts: connections that broke off with it.
        ended: it was delivered, or nobody waits for it.
        task: carries it, if one does.
    """

    __slots__ = ("attempts", "deliver", "ended", "submission", "task")

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.deliver: Callable[[Report | Exception], None]
        self.attempts = 0
        self.ended = False
        self.task: asyncio.Task[None] | None = None


class _Daemon:
    """One daemon as this process sees it.

    Attributes:
        client: open while the daemon is on the list.
        gone: set when it is not any more.
        in_flight: submissions that it has.
        failures: in a row.
    """

    def __init__(self, name: str, contact: Contact) -> None:
        self.name = name
        self.contact = contact
        self.client: AsyncClient | None = None
        self.gone = asyncio.Event()
        self.in_flight = 0
        self.failures = 0
        self._rests_until = 0.0
        self._share = self._least = _LEAST_A_SLOT * max(1, contact.slots)
        self._counted = 0
        self._counts_since = time.monotonic()

    def has_room(self, now: float) -> bool:
        """Whether it can be given one more."""
        open_ = self.client is not None and not self.gone.is_set()
        return open_ and now >= self._rests_until and self.in_flight < self._share

    def load(self) -> float:
        """How much of its share it has."""
        return self.in_flight / self._share

    def answered(self, now: float) -> None:
        """It lives, and this fast."""
        self.failures = 0
        self._counted += 1
        elapsed_s = now - self._counts_since
        if elapsed_s >= _AHEAD_S:
            share = int(self._counted * _AHEAD_S / elapsed_s)
            self._share = min(max(self._least, share), _MOST_AT_ONE)
            self._counted = 0
            self._counts_since = now

    def failed(self, now: float, retry_after_s: float | None) -> float | None:
        """It did not answer, or is busy.  Returns how long it rests; None: it does already."""
        if now < self._rests_until:
            return None
        self.failures += 1
        longest_s = min(_LONGEST_REST_S, _FIRST_REST_S * 2.0 ** min(self.failures - 1, 16))
        rest_s = random.uniform(longest_s / 2, longest_s)
        if retry_after_s is not None:
            rest_s = max(rest_s, min(retry_after_s, _LONGEST_REST_S))
        self._rests_until = now + rest_s
        return rest_s
