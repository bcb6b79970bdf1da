"""`Client`: the same as `AsyncClient`, for code that does not await.

One background thread with an event loop of its own serves all calls, from any thread, also inside
a notebook whose own loop is running.  The thread starts with the first call and ends with `close`
or the interpreter.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Sequence, Sized
from concurrent.futures import Future
from contextlib import aclosing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

import anyio.to_thread

from scalebox.client.address import Addresses, parse_addresses
from scalebox.client.aio import (
    DEFAULT_CONNECTIONS,
    DEFAULT_IN_FLIGHT,
    DEFAULT_IN_FLIGHT_BYTES,
    DEFAULT_KEPT_BYTES,
    DEFAULT_UNRESPONSIVE_S,
    AsyncClient,
    Progress,
)
from scalebox.client.loop import LoopThread
from scalebox.client.stream import Stream
from scalebox.errors import RemoteError, ScaleboxError
from scalebox.model import (
    ClusterView,
    JudgeInfo,
    JudgeRecord,
    JudgeState,
    LanguageInfo,
    LanguageTest,
    Problem,
    Provenance,
    Report,
    RunRequest,
    RunResult,
    Status,
    StorableJudge,
    Submission,
)

T = TypeVar("T")

#: A lazy source is read in a worker thread, at most so many items or so many seconds a hop: large
#: enough to make the hop cheap, short enough that a slow generator's items go out at once.
_CHUNK_ITEMS = 64
_CHUNK_S = 0.005


class Client:
    """A daemon, or several that stand in for each other.  Use it as a context manager, or call
    `close` when done.

    Parameters:
        address, token, ca, retries, busy_timeout_s, timeout_s, connections, unresponsive_s,
            kept_bytes: as for `AsyncClient`.

    Raises:
        BadRequestError: the address is none.
    """

    def __init__(
        self,
        address: Addresses = None,
        *,
        token: str | None = None,
        ca: str | Path | None = None,
        retries: int = 8,
        busy_timeout_s: float = 600.0,
        timeout_s: float | None = None,
        connections: int = DEFAULT_CONNECTIONS,
        unresponsive_s: float = DEFAULT_UNRESPONSIVE_S,
        kept_bytes: int = DEFAULT_KEPT_BYTES,
    ) -> None:
        self._address = ",".join(map(str, parse_addresses(address)))
        self._make = lambda: AsyncClient(
            address,
            token=token,
            ca=ca,
            retries=retries,
            busy_timeout_s=busy_timeout_s,
            timeout_s=timeout_s,
            connections=connections,
            unresponsive_s=unresponsive_s,
            kept_bytes=kept_bytes,
        )
        self._closed = False
        self._begin()
        _clients.add(self)

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._threads: list[LoopThread[AsyncClient]] = []  # none before the first call, then one
        # Runs at `close`, when the object is collected, and before the interpreter ends.
        self._finalizer = weakref.finalize(self, _stop, self._threads, self._pid)

    @property
    def address(self) -> str:
        """Where the daemon is, for people; several with commas between them."""
        return self._address

    def __enter__(self) -> Client:
        self._thread()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Break off what is under way, close the connections, end the thread.  May be repeated."""
        with self._lock:
            self._closed = True
            self._finalizer()

    def judge(self, submission: Submission | None = None, /, **fields: Any) -> Report:
        """Judge one submission; see `AsyncClient.judge`."""
        return self._call(lambda client: client.judge(submission, **fields))

    @overload
    def judge_many(
        self,
        submissions: Iterable[Submission],
        *,
        ordered: bool = ...,
        progress: Progress | None = ...,
        in_flight: int = ...,
        in_flight_bytes: int = ...,
        on_error: Literal["raise"] = ...,
    ) -> Generator[tuple[int, Report], None, None]: ...

    @overload
    def judge_many(
        self,
        submissions: Iterable[Submission],
        *,
        ordered: bool = ...,
        progress: Progress | None = ...,
        in_flight: int = ...,
        in_flight_bytes: int = ...,
        on_error: Literal["return"],
    ) -> Generator[tuple[int, Report | RemoteError], None, None]: ...

    def judge_many(
        self,
        submissions: Iterable[Submission],
        *,
        ordered: bool = False,
        progress: Progress | None = None,
        in_flight: int = DEFAULT_IN_FLIGHT,
        in_flight_bytes: int = DEFAULT_IN_FLIGHT_BYTES,
        on_error: Literal["raise", "return"] = "raise",
    ) -> Generator[tuple[int, Report | RemoteError], None, None]:
        """Judge many submissions; yields (index, report) as each is ready.

        As `AsyncClient.judge_many`, except that a lazy source is read in a worker thread, and
        `progress` is called in the caller's.
        """
        total = len(submissions) if isinstance(submissions, Sized) else None
        lazy = not isinstance(submissions, Sequence)

        async def start(client: AsyncClient) -> Stream:
            return client.open_stream(
                _read_in_thread(submissions) if lazy else submissions,
                ordered=ordered,
                in_flight=in_flight,
                in_flight_bytes=in_flight_bytes,
                raise_refusals=on_error == "raise",
            )

        thread = self._thread()
        stream = thread.wait_for(start)
        try:
            reported = -1
            while True:
                taken = thread.wait_for(lambda _: stream.take())
                if progress is not None and taken.done != reported:
                    reported = taken.done
                    progress(reported, total)
                yield from taken.results
                if taken.finished:
                    return
        finally:
            # The garbage collector may end this generator on the client's own thread, after
            # `close`, or in a forked child: then there is nobody to wait for, and the client closes
            # its streams itself.
            with suppress(ScaleboxError):
                thread.wait_for(lambda client: client.close_stream(stream))

    def judge_all(
        self,
        submissions: Sequence[Submission],
        *,
        progress: Progress | None = None,
        in_flight: int = DEFAULT_IN_FLIGHT,
    ) -> list[Report]:
        """Judge a list; returns the reports in its order.  Raises as `judge_many` does."""
        reports: list[Report | None] = [None] * len(submissions)
        for index, report in self.judge_many(submissions, progress=progress, in_flight=in_flight):
            reports[index] = report
        return [report for report in reports if report is not None]

    def begin_all(
        self, submissions: Sequence[Submission], *, in_flight: int = DEFAULT_IN_FLIGHT
    ) -> Future[list[Report | RemoteError]]:
        """Begin to judge a list, for those who wait elsewhere: `asyncio.wrap_future` makes the
        future one that any event loop can await, and cancelling it breaks the work off.

        Returns:
            the reports in the list's order, with a refused submission's error in its place.  The
            future raises as `judge_many` does where all daemons are lost.
        """

        async def judge(client: AsyncClient) -> list[Report | RemoteError]:
            many = client.judge_many(submissions, in_flight=in_flight, on_error="return")
            async with aclosing(many):
                outcomes = {index: outcome async for index, outcome in many}
            return [outcomes[index] for index in range(len(submissions))]

        return self._thread().begin(judge)

    def run(self, request: RunRequest | None = None, /, **fields: Any) -> RunResult:
        """Just run a program; see `AsyncClient.run`."""
        return self._call(lambda client: client.run(request, **fields))

    def put_blob(self, data: bytes) -> str:
        """Upload bytes; see `AsyncClient.put_blob`."""
        return self._call(lambda client: client.put_blob(data))

    def put_problem(self, problem_id: str, problem: Problem) -> None:
        """Register a problem; see `AsyncClient.put_problem`."""
        self._call(lambda client: client.put_problem(problem_id, problem))

    def cluster(self) -> ClusterView:
        """The daemon's view of the others."""
        return self._call(lambda client: client.cluster())

    def status(self) -> Status:
        """The daemon's slots, queue and counters."""
        return self._call(lambda client: client.status())

    def languages(self) -> list[LanguageInfo]:
        """What this daemon can run."""
        return self._call(lambda client: client.languages())

    def language_tests(self) -> list[LanguageTest]:
        """Submissions that show whether the languages that are there work."""
        return self._call(lambda client: client.language_tests())

    def judges(self) -> list[JudgeInfo]:
        """The judges that a `NamedJudge` can name: those that ship, then the store's."""
        return self._call(lambda client: client.judges())

    def judge_record(self, name: str) -> JudgeRecord:
        """All that is known of a judge; see `AsyncClient.judge_record`."""
        return self._call(lambda client: client.judge_record(name))

    def add_judge(
        self,
        judge: StorableJudge,
        *,
        provenance: Provenance,
        problem: str | None = None,
        proof: dict[str, Any] | None = None,
        state: JudgeState = JudgeState.CANDIDATE,
        reason: str = "",
    ) -> JudgeRecord:
        """Put a judge into the daemon's store; see `AsyncClient.add_judge`."""
        return self._call(
            lambda client: client.add_judge(
                judge,
                provenance=provenance,
                problem=problem,
                proof=proof,
                state=state,
                reason=reason,
            )
        )

    def set_judge_state(
        self,
        name: str,
        state: JudgeState,
        *,
        reason: str = "",
        force: bool = False,
        proof: dict[str, Any] | None = None,
    ) -> JudgeRecord:
        """Promote, retire or quarantine a judge; see `AsyncClient.set_judge_state`."""
        return self._call(
            lambda client: client.set_judge_state(
                name, state, reason=reason, force=force, proof=proof
            )
        )

    def _after_fork(self) -> None:
        """In the child: connections and thread are the parent's."""
        self._finalizer.detach()
        self._begin()

    def _thread(self) -> LoopThread[AsyncClient]:
        with self._lock:
            if self._closed:
                raise ScaleboxError("this Client is closed; make a new one")
            if not self._threads:
                self._threads.append(LoopThread(self._make))
            return self._threads[0]

    def _call(self, function: Callable[[AsyncClient], Awaitable[T]]) -> T:
        return self._thread().wait_for(function)


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _after_fork() -> None:
    for client in list(_clients):
        client._after_fork()


os.register_at_fork(after_in_child=_after_fork)


def _stop(threads: list[LoopThread[AsyncClient]], pid: int) -> None:
    if os.getpid() == pid:
        for thread in threads:
            thread.stop()


async def _read_in_thread(source: Iterable[T]) -> AsyncIterator[T]:
    iterator = iter(source)
    finished = False

    def pull() -> list[T]:
        nonlocal finished
        chunk: list[T] = []
        until = time.monotonic() + _CHUNK_S
        while len(chunk) < _CHUNK_ITEMS:
            try:
                chunk.append(next(iterator))
            except StopIteration:
                finished = True
                break
            if time.monotonic() >= until:
                break
        return chunk

    while not finished:
        for item in await anyio.to_thread.run_sync(pull):
            yield item
