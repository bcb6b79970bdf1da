"""An event loop on a thread of its own, with something open in it: the engine of `Client`.

anyio's portal would do, were it not for forks: a child has these objects, but not the thread, and
nothing that it lets go of here may wait for one.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Generic, TypeVar

import uvloop

from scalebox.errors import ScaleboxError

T = TypeVar("T")
#: What is open in the loop: an `AsyncClient`, say.
C = TypeVar("C")


class LoopThread(Generic[C]):
    """Runs from its making to `stop`.

    Parameters:
        make: gives the client, which is opened and closed here; called on the thread.

    Raises:
        Exception: whatever making or opening the client raised.
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[C]]) -> None:
        self._make = make
        self._pid = os.getpid()
        self._ready: Future[tuple[asyncio.AbstractEventLoop, C, asyncio.Event]] = Future()
        self._calls: set[Future[Any]] = set()
        # A daemon thread: a program that never closes its client ends all the same.
        self._thread = threading.Thread(target=self._run, name="scalebox-client", daemon=True)
        self._thread.start()
        self._loop, self._client, self._end = self._ready.result()

    def begin(self, function: Callable[[C], Awaitable[T]]) -> Future[T]:
        """Call on the thread, and do not wait for it; cancelling the future breaks the call off.

        Raises:
            ScaleboxError: the thread has ended or ends, or is the parent process's.
        """
        if os.getpid() != self._pid:
            raise ScaleboxError(
                "this was begun in the parent process, and a fork takes no threads along; begin "
                "anew in the child"
            )
        call = self._call(function)
        try:
            future = asyncio.run_coroutine_threadsafe(call, self._loop)
        except RuntimeError as error:
            call.close()
            raise ScaleboxError("this Client is closed; make a new one") from error
        self._calls.add(future)
        future.add_done_callback(self._calls.discard)
        return future

    def wait_for(self, function: Callable[[C], Awaitable[T]]) -> T:
        """Call on the thread, and wait for what comes of it.  Raises what the call raises.

        Raises:
            ScaleboxError: as `begin`; or this is the thread.
        """
        if threading.current_thread() is self._thread and os.getpid() == self._pid:
            raise ScaleboxError("the client's own thread cannot wait for itself")
        future = self.begin(function)
        try:
            return future.result()
        except CancelledError:
            raise ScaleboxError("the client was closed before the answer") from None
        except BaseException:
            # Ctrl-C in the caller's thread: the work must not go on behind its back.
            future.cancel()
            raise

    def stop(self) -> None:
        """Break off every call, close the client, end the thread.  May be repeated."""
        # Calls of other threads end at once, also those that wait to try again.
        for future in list(self._calls):
            future.cancel()
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._end.set)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    async def _call(self, function: Callable[[C], Awaitable[T]]) -> T:
        return await function(self._client)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._live())
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)

    async def _live(self) -> None:
        end = asyncio.Event()
        async with self._make() as client:
            self._ready.set_result((asyncio.get_running_loop(), client, end))
            await end.wait()
