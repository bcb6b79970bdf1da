"""One call of `judge_many`: feed a pipeline from an iterable, hand the answers out in bounds.

At most `in_flight` submissions (and about `in_flight_bytes` of their encodings) are anywhere
between being read from the source and being taken by the caller; a slow caller therefore stops the
reading.  Owns a pipeline, so that ending the call early breaks its connections and with them the
daemon's work on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import dataclass

from scalebox.client.item import Item, Parcel
from scalebox.client.pipeline import Pipeline
from scalebox.errors import BadRequestError, RemoteError, ScaleboxError
from scalebox.model import Report, Submission

#: A source's items are read this many at a time before the event loop gets its turn.
_READ_AHEAD = 64


@dataclass(slots=True)
class Taken:
    """What `Stream.take` found.

    Attributes:
        results: (index, outcome) pairs, in order if the stream is ordered.
        done: submissions answered so far, handed out or not.
        finished: nothing will follow.
    """

    results: list[tuple[int, Report | RemoteError]]
    done: int
    finished: bool


class Stream:
    """The state of one call.

    Parameters:
        pipeline: its own pipeline; closed with it.
        encode: a submission → bytes, with its idempotency key.
        source: the submissions.
        ordered: whether results come in the order of the source.
        raise_refusals: whether a refused submission ends the stream with its `RemoteError`.
        in_flight, in_flight_bytes: the bounds.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        encode: Callable[[Submission], Parcel],
        source: Iterable[Submission] | AsyncIterable[Submission],
        *,
        ordered: bool,
        raise_refusals: bool,
        in_flight: int,
        in_flight_bytes: int,
    ) -> None:
        self._pipeline = pipeline
        self._encode = encode
        self._source = source
        self._ordered = ordered
        self._raise_refusals = raise_refusals
        self._in_flight = max(1, in_flight)
        self._in_flight_bytes = in_flight_bytes
        self._room = asyncio.Event()
        self._news = asyncio.Event()
        self._ready: dict[int, Report | RemoteError] = {}
        self._failure: BaseException | None = None
        self._reader: asyncio.Task[None] | None = None
        self._read = 0
        self._read_all = False
        self._answered = 0
        self._handed_out = 0
        self._bytes = 0

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Begin to read the source."""
        self._reader = tasks.create_task(self._read_source())

    async def take(self) -> Taken:
        """Wait for news; return all results that can be handed out now.

        Returns at every news, with an empty list if the only news is that `done` grew.

        Raises:
            RemoteError: a submission was refused, and refusals are to be raised.
            ConnectionFailedError: the daemon is lost.
            Exception: whatever the source raised.
        """
        await self._news.wait()
        self._news.clear()
        results = self._take_ready()
        self._handed_out += len(results)
        self._room.set()
        if self._raise_refusals:
            for position, (_, outcome) in enumerate(results):
                if isinstance(outcome, RemoteError):
                    self._fail(outcome)
                    del results[position:]
                    break
        if self._failure is not None:
            if not results:
                raise self._failure
            # What was ready before the failure is handed out before it is raised.
            self._news.set()
            return Taken(results, self._answered, False)
        finished = self._read_all and self._handed_out == self._read
        return Taken(results, self._answered, finished)

    async def close(self) -> None:
        """Stop reading and break off what is under way; a waiting `take` fails."""
        self._fail(ScaleboxError("the client was closed before all results were taken"))
        if self._reader is not None:
            await asyncio.wait([self._reader])
        await self._pipeline.close()
        self._ready.clear()

    def _take_ready(self) -> list[tuple[int, Report | RemoteError]]:
        if not self._ordered:
            results = list(self._ready.items())
            self._ready.clear()
            return results
        results = []
        index = self._handed_out
        while (outcome := self._ready.pop(index, None)) is not None:
            results.append((index, outcome))
            index += 1
        return results

    async def _read_source(self) -> None:
        try:
            if isinstance(self._source, AsyncIterable):
                async for submission in self._source:
                    await self._accept(submission)
            else:
                for submission in self._source:
                    await self._accept(submission)
                    if self._read % _READ_AHEAD == 0:
                        await asyncio.sleep(0)
        except Exception as error:
            self._fail(error)
        finally:
            self._read_all = True
            self._news.set()

    async def _accept(self, submission: Submission) -> None:
        while (
            self._read - self._handed_out >= self._in_flight or self._bytes > self._in_flight_bytes
        ):
            self._room.clear()
            await self._room.wait()
        index = self._read
        self._read += 1
        try:
            parcel = self._encode(submission)
        except BadRequestError as error:
            # As if the daemon had refused it: one submission must not end the others.
            self._answered += 1
            self._ready[index] = RemoteError(
                error.message, code=error.code, http_status=error.http_status, field=error.field
            )
            self._news.set()
            return
        item = Item(index, parcel, self._deliver)
        self._bytes += item.size
        self._pipeline.submit(item)

    def _deliver(self, item: Item, outcome: Report | ScaleboxError, fatal: bool) -> None:
        self._bytes -= item.size
        self._answered += 1
        if fatal or not isinstance(outcome, Report | RemoteError):
            assert isinstance(outcome, ScaleboxError)
            self._fail(outcome)
            return
        self._ready[item.index] = outcome
        self._news.set()
        if self._bytes <= self._in_flight_bytes:
            self._room.set()

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
        if self._reader is not None and self._reader is not asyncio.current_task():
            self._reader.cancel()
        self._news.set()
