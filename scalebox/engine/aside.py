"""Slow work on results, beside the event loop: in few worker threads, within a bound of memory.

A program can write faster than its output can be compared.  What waits here to be looked at keeps
the scheduler from starting further runs once it is too much, so that outputs never pile up.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import anyio.to_thread
import structlog
from anyio.abc import TaskGroup

from scalebox.engine.scheduler import Scheduler
from scalebox.sandbox.spec import RunOutcome

T = TypeVar("T")
#: The interpreter's lock lets one thread compare at a time; a second one reads meanwhile.
_THREADS = 2

log = structlog.get_logger(__name__)


class Aside:
    """Results that wait for, or are in, slow work.

    Parameters:
        scheduler: starts no runs while too much waits here.
        tasks: the group that the work belongs to.
    """

    def __init__(self, scheduler: Scheduler, tasks: TaskGroup) -> None:
        self._scheduler = scheduler
        self._tasks = tasks
        self._limiter = anyio.CapacityLimiter(_THREADS)

    def start(self, outcome: RunOutcome, work: Callable[[], Awaitable[None]]) -> None:
        """Do some work on an outcome, which is closed at its end."""
        size = result_bytes(outcome)
        self._scheduler.hold_result(size)
        self._tasks.start_soon(self._work, outcome, size, work)

    async def _work(
        self, outcome: RunOutcome, size: int, work: Callable[[], Awaitable[None]]
    ) -> None:
        try:
            await work()
        except Exception:
            log.exception("work on a result failed")
        finally:
            outcome.close()
            self._scheduler.release_result(size)

    def decide(
        self,
        outcome: RunOutcome,
        decide: Callable[[], T],
        settle: Callable[[T], None],
        fail: Callable[[Exception], None],
    ) -> None:
        """Decide in a worker thread about an outcome, which is closed afterwards.

        Parameters:
            decide: the slow part, in the thread.
            settle: called on the loop with what it returned.
            fail: called on the loop in its place if one of the two fails.
        """

        async def work() -> None:
            try:
                settle(await self.call(decide))
            except Exception as error:
                log.exception("judging a run failed")
                fail(error)

        self.start(outcome, work)

    async def result(self, outcome: RunOutcome, function: Callable[[], T]) -> T:
        """What a slow function makes of an outcome, which is closed when it is done, also if
        nobody waits any more."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def work() -> None:
            try:
                value = await self.call(function)
                if not future.done():
                    future.set_result(value)
            except Exception as error:
                if not future.done():
                    future.set_exception(error)
            finally:
                if not future.done():
                    future.cancel()

        self.start(outcome, work)
        return await future

    async def call(self, function: Callable[[], T]) -> T:
        """Call a slow function in a worker thread, when one is free."""
        return await anyio.to_thread.run_sync(function, limiter=self._limiter)


def result_bytes(outcome: RunOutcome) -> int:
    """Memory that a result holds until it is closed."""
    size = len(outcome.channel)
    for item in (outcome.stdout, outcome.stderr, *outcome.files.values()):
        size += len(item) if isinstance(item, bytes) else os.fstat(item).st_size
    return size
