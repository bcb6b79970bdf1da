"""`POST /v1/judge/batch`: many submissions in, their reports streamed out as each gets ready.

Theory of operation.  The request is cut into undecoded submissions.  A bounded number of workers
takes them in order; each decodes one, has it judged and appends the encoded answer to a buffer.
The handler itself is the one writer: it takes everything that is ready and sends it in one write.
When the reader is slow the buffer fills and the workers wait, so a batch holds at most its body,
one submission a worker and the buffer, however large it is.  When the reader goes away the handler
is cancelled, and its workers and their submissions with it.

Over the queue's bound an item waits its turn here: refusing one item of a batch that was taken as a
whole would only make the client send it again.  It gives up after `QUEUE_PATIENCE_S`.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated

import msgspec
from aiohttp import web
from anyio import to_thread
from msgspec import Meta, Struct

from scalebox.api import codec
from scalebox.api.auth import Client
from scalebox.api.codec import MSGPACK, Coding
from scalebox.api.context import CONTEXT, ApiContext, client_of
from scalebox.api.edge import error_body, internal_error
from scalebox.errors import BadRequestError, QueueFullError, ScaleboxError, TooLargeError
from scalebox.model import BatchItem, Report, Submission

#: Submissions of one batch that are in the engine at once: enough to fill the slots of a large host
#: and to let the scheduler see what is coming.
WINDOW = 512
#: Each submission costs an index entry before it is looked at.
MAX_SUBMISSIONS = 100_000
#: Of a batch that is one JSON document; lines and msgpack tell how many they are.
MAX_ENVELOPE_BYTES = 16 << 20
#: Ready answers beyond this wait for the reader.
BUFFER_BYTES = 1 << 20
#: How long an item waits for room in the queue.
QUEUE_PATIENCE_S = 30.0
#: Cutting a larger body takes over a millisecond, which the event loop does not have.
_CUT_INLINE_BYTES = 512 << 10

_LENGTH = struct.Struct(">I")
_Undecoded = msgspec.Raw | memoryview


class _Envelope(Struct, frozen=True, forbid_unknown_fields=True):
    submissions: Annotated[list[msgspec.Raw], Meta(max_length=MAX_SUBMISSIONS)]


async def judge_batch(request: web.Request) -> web.StreamResponse:
    """The endpoint."""
    context = request.app[CONTEXT]
    coding, streamed = codec.request_coding(request, streams=True)
    answer = codec.answer_coding(request)
    limit = context.config.server.max_request_bytes
    async with codec.whole_body(request, limit, context.bodies) as body:
        if len(body) > _CUT_INLINE_BYTES:
            submissions = await to_thread.run_sync(_cut, coding, streamed, body)
        else:
            submissions = _cut(coding, streamed, body)
        response = web.StreamResponse(headers={"Content-Type": answer.stream_type})
        await response.prepare(request)
        batch = _Batch(context, client_of(request), coding, answer)
        await batch.answer(submissions, response)
    return response


def _cut(coding: Coding, streamed: bool, body: bytes) -> list[_Undecoded]:
    """The body as one piece a submission.

    Raises:
        BadRequestError: the envelope or the framing is broken.
        TooLargeError: too many submissions, or a JSON envelope over its bound.
    """
    if not streamed:
        if coding is not MSGPACK and len(body) > MAX_ENVELOPE_BYTES:
            # How many pieces it has is known only when all are there, each at seventy bytes.
            raise TooLargeError(
                f"a batch as one JSON document has at most {MAX_ENVELOPE_BYTES} bytes; send "
                f"{codec.NDJSON_TYPE} (one submission a line), msgpack, or several batches"
            )
        return list(codec.decode(coding, _Envelope, body).submissions)
    pieces: list[_Undecoded] = []
    for piece in _frames(body) if coding is MSGPACK else _lines(body):
        pieces.append(piece)
        if len(pieces) > MAX_SUBMISSIONS:
            raise TooLargeError(
                f"a batch holds at most {MAX_SUBMISSIONS} submissions; send several batches",
                field="submissions",
            )
    return pieces


def _lines(body: bytes) -> Iterator[memoryview]:
    view = memoryview(body)
    start = 0
    while start < len(body):
        end = body.find(b"\n", start)
        if end < 0:
            end = len(body)
        if body[start : min(end, start + 16)].strip() or body[start:end].strip():
            yield view[start:end]
        start = end + 1


def _frames(body: bytes) -> Iterator[memoryview]:
    view = memoryview(body)
    start = 0
    while start < len(body):
        if len(body) - start >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(body, start)
            end = start + _LENGTH.size + size
            if end <= len(body):
                yield view[start + _LENGTH.size : end]
                start = end
                continue
        raise BadRequestError(
            f"the frame at byte {start} is cut short; a frame is a 4-byte big-endian length and "
            "that many bytes of msgpack"
        )


def _framer(answer: Coding) -> Callable[[BatchItem], bytes]:
    encode = answer.encode
    if answer is MSGPACK:

        def frame(item: BatchItem) -> bytes:
            data = encode(item)
            return _LENGTH.pack(len(data)) + data

        return frame
    return lambda item: encode(item) + b"\n"


class _Ready:
    """Answers between the workers and the writer."""

    def __init__(self, workers: int) -> None:
        self._frames: list[bytes] = []
        self._bytes = 0
        self._workers = workers
        self._something = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        if not workers:
            self._something.set()

    async def add(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._bytes += len(frame)
        self._something.set()
        if self._bytes > BUFFER_BYTES:
            self._room.clear()
            await self._room.wait()

    def worker_done(self) -> None:
        self._workers -= 1
        self._something.set()

    async def take(self) -> bytes:
        """Everything that is ready, at least one frame; empty when nothing will come any more."""
        while not self._frames:
            if not self._workers:
                return b""
            self._something.clear()
            await self._something.wait()
        data = b"".join(self._frames)
        self._frames.clear()
        self._bytes = 0
        self._room.set()
        return data


class _Batch:
    """One batch being answered."""

    def __init__(self, context: ApiContext, client: Client, coding: Coding, answer: Coding) -> None:
        self._context = context
        self._client = client
        self._coding = coding
        self._frame = _framer(answer)

    async def answer(self, submissions: list[_Undecoded], response: web.StreamResponse) -> None:
        """Judge all, write each answer, end the response.

        Raises:
            ConnectionError: the reader went away.
        """
        count = min(WINDOW, len(submissions))
        ready = _Ready(count)
        todo = enumerate(submissions)
        broken: ConnectionError | None = None
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(self._work(todo, ready)) for _ in range(count)]
            try:
                while data := await ready.take():
                    await response.write(data)
            except ConnectionError as error:
                broken = error
                for worker in workers:
                    worker.cancel()
        if broken is not None:
            raise broken
        await response.write_eof()

    async def _work(self, todo: Iterable[tuple[int, _Undecoded]], ready: _Ready) -> None:
        try:
            for index, data in todo:
                item = await self._one(index, data)
                if item.error is not None:
                    # A batch full of nonsense must not keep the loop from everybody else.
                    await asyncio.sleep(0)
                    self._context.batch_items[item.error.error] += 1
                else:
                    self._context.batch_items["report"] += 1
                await ready.add(self._frame(item))
        finally:
            ready.worker_done()

    async def _one(self, index: int, data: _Undecoded) -> BatchItem:
        try:
            submission = await codec.decode_bounded(self._coding, Submission, data)
            report = await self._judge(submission)
        except ScaleboxError as error:
            return BatchItem(index=index, error=error_body(error))
        except Exception as error:
            failure = internal_error(error, route="/v1/judge/batch", index=index)
            return BatchItem(index=index, error=error_body(failure))
        return BatchItem(index=index, report=report)

    async def _judge(self, submission: Submission) -> Report:
        loop = asyncio.get_running_loop()
        patience_ends = loop.time() + QUEUE_PATIENCE_S
        while True:
            try:
                return await self._context.judge(submission, self._client)
            except QueueFullError as error:
                delay = min(max(error.retry_after_s, 0.05), 5.0)
                if loop.time() + delay > patience_ends:
                    raise
                await asyncio.sleep(delay)
