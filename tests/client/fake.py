"""A tiny daemon of the tests' own: real sockets, the native protocol, and faults on demand.

It judges nothing: a submission is accepted if its source is `ok`, and its `id` says which fault it
wants, if any.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
from aiohttp import web

from scalebox.model import (
    BatchItem,
    CallTests,
    Enforcement,
    ErrorBody,
    IsolationLevel,
    JudgeInfo,
    JudgeParameter,
    LanguageInfo,
    Report,
    RunRequest,
    RunResult,
    RunStatus,
    Status,
    Submission,
    Verdict,
)

MSGPACK = "application/msgpack"
NDJSON = "application/x-ndjson"


class _Batch(msgspec.Struct):
    submissions: list[Submission]


def report_for(submission: Submission) -> Report:
    accepted = submission.source == "ok"
    return Report(
        verdict=Verdict.ACCEPTED if accepted else Verdict.WRONG_ANSWER,
        passed=int(accepted),
        total=1,
        cases=[],
        isolation=IsolationLevel.MINIMAL,
        enforcement=Enforcement.RLIMIT,
        id=submission.id,
    )


class FakeDaemon:
    """State and handlers.

    Attributes:
        keys, answered: how often each idempotency key was posted, and answered.
        sizes: the number of submissions of each batch.
        requests: what was asked, in order; `tokens` are the batches' Authorization headers.
        refuse: status and Retry-After that the next requests are refused with.
        break_after: frames after which the next batches are cut off, one entry a batch.
        item_errors: error codes that submissions of an id get before they get their report.
        shuffle: whether a batch is answered backwards.
        arguments: of the calls in submissions.
        deadlines: of the submissions, as they come.
        open_batches, received: batches now being answered; submissions read so far.
        gate: answers wait for it.
        slow: submissions of these ids are answered last, when `release` is set.
    """

    def __init__(self) -> None:
        self.keys: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.sizes: list[int] = []
        self.requests: list[str] = []
        self.tokens: list[str | None] = []
        self.refuse: list[tuple[int, str | None]] = []
        self.break_after: list[int] = []
        self.item_errors: dict[str, list[str]] = {}
        self.shuffle = False
        self.arguments: list[object] = []
        self.deadlines: list[float | None] = []
        self.open_batches = 0
        self.received = 0
        self.slow: set[str] = set()
        self.release = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.blobs: dict[str, bytes] = {}
        self.problems: dict[str, bytes] = {}

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 30)
        app.router.add_post("/v1/judge/batch", self.batch)
        app.router.add_post("/v1/run", self.run)
        app.router.add_get("/v1/status", self.status)
        app.router.add_get("/v1/languages", self.languages)
        app.router.add_get("/v1/judges", self.judges)
        app.router.add_get("/healthz", self.health)
        app.router.add_route("HEAD", "/v1/blobs/{sha}", self.has_blob)
        app.router.add_put("/v1/blobs/{sha}", self.put_blob)
        app.router.add_put("/v1/problems/{id}", self.put_problem)
        app.router.add_get("/v1/problems/{id}", self.get_problem)
        return app

    async def batch(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.requests.append("batch")
        self.tokens.append(request.headers.get("Authorization"))
        if self.refuse:
            status, retry_after = self.refuse.pop(0)
            return _error(status, "queue_full", "not now", retry_after=retry_after)
        try:
            if request.content_type == NDJSON:
                submissions = msgspec.json.Decoder(Submission).decode_lines(raw)
            else:
                submissions = msgspec.msgpack.decode(raw, type=_Batch).submissions
        except msgspec.ValidationError as error:
            return _error(400, "bad_request", str(error), field="submissions")
        self.sizes.append(len(submissions))
        self.received += len(submissions)
        cut = self.break_after.pop(0) if self.break_after else None
        response = web.StreamResponse(headers={"Content-Type": "application/x-msgpack-stream"})
        await response.prepare(request)
        self.open_batches += 1
        try:
            for submission in submissions:
                self.keys[submission.idempotency_key or ""] += 1
                self.deadlines.append(submission.deadline_s)
                if isinstance(submission.tests, CallTests):
                    for case in submission.tests.cases:
                        self.arguments += case.args
            await self.gate.wait()
            order = list(enumerate(submissions))
            if self.shuffle:
                order.reverse()
            order.sort(key=lambda pair: pair[1].id in self.slow)
            for written, (index, submission) in enumerate(order):
                if cut is not None and written == cut:
                    # Half a frame, then the line is dead.
                    await response.write(b"\x00\x00\x01\x00half")
                    assert request.transport is not None
                    request.transport.close()
                    return response
                if submission.id in self.slow:
                    await self.release.wait()
                await response.write(_frame(self._answer(index, submission)))
        finally:
            self.open_batches -= 1
        await response.write_eof()
        return response

    def _answer(self, index: int, submission: Submission) -> BatchItem:
        errors = self.item_errors.get(submission.id or "")
        if errors:
            return BatchItem(index=index, error=ErrorBody(error=errors.pop(0), message="no"))
        if submission.language == "cobol":
            error = ErrorBody(error="unknown_language", message="no cobol", field="language")
            return BatchItem(index=index, error=error)
        self.answered[submission.idempotency_key or ""] += 1
        return BatchItem(index=index, report=report_for(submission))

    async def run(self, request: web.Request) -> web.Response:
        wanted = msgspec.msgpack.decode(await request.read(), type=RunRequest)
        result = RunResult(
            status=RunStatus.FINISHED,
            isolation=IsolationLevel.MINIMAL,
            enforcement=Enforcement.RLIMIT,
            stdout=f"{wanted.source} {wanted.args} {wanted.stdin}".encode(),
            exit_code=0,
        )
        return _msgpack(result)

    async def status(self, request: web.Request) -> web.Response:
        if self.refuse:
            status, retry_after = self.refuse.pop(0)
            return _error(status, "unavailable", "starting", retry_after=retry_after)
        found = Status(
            version="0",
            node="fake",
            uptime_s=1.0,
            isolation=IsolationLevel.MINIMAL,
            enforcement=Enforcement.RLIMIT,
            notes=["a note"],
            slots=[],
            queued_cases=0,
            running_cases=0,
            queue_limit_cases=10,
            draining=False,
            counters={"cases": 3.0},
        )
        # As JSON, though msgpack was asked for: the client goes by the answer's own type.
        return web.Response(body=msgspec.json.encode(found), content_type="application/json")

    async def languages(self, request: web.Request) -> web.Response:
        return _msgpack(
            [
                LanguageInfo(name="python", aliases=["py"], available=True, toolchain="3.11"),
                LanguageInfo(name="cpp", aliases=[], available=False, missing="install g++"),
            ]
        )

    async def judges(self, request: web.Request) -> web.Response:
        parameter = JudgeParameter(name="items", default="tokens", description="what an item is")
        return _msgpack(
            [JudgeInfo(name="some", title="S", accepts="anything", parameters=[parameter])]
        )

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def has_blob(self, request: web.Request) -> web.Response:
        self.requests.append("HEAD blob")
        return web.Response(status=200 if request.match_info["sha"] in self.blobs else 404)

    async def put_blob(self, request: web.Request) -> web.Response:
        self.requests.append("PUT blob")
        self.blobs[request.match_info["sha"]] = await request.read()
        return web.Response(status=201)

    async def put_problem(self, request: web.Request) -> web.Response:
        self.requests.append("PUT problem")
        self.problems[request.match_info["id"]] = await request.read()
        return _msgpack({"id": request.match_info["id"], "version": self._version(request)})

    async def get_problem(self, request: web.Request) -> web.Response:
        if request.match_info["id"] not in self.problems:
            return _error(404, "unknown_problem", "no such problem", field="id")
        return web.Response(headers={"ETag": f'"{self._version(request)}"'})

    def _version(self, request: web.Request) -> str:
        return hashlib.sha256(self.problems[request.match_info["id"]]).hexdigest()


def _frame(item: BatchItem) -> bytes:
    raw = msgspec.msgpack.encode(item)
    return struct.pack(">I", len(raw)) + raw


def _msgpack(value: object) -> web.Response:
    return web.Response(body=msgspec.msgpack.encode(value), content_type=MSGPACK)


def _error(
    status: int,
    code: str,
    message: str,
    *,
    field: str | None = None,
    retry_after: str | None = None,
) -> web.Response:
    body = msgspec.msgpack.encode(ErrorBody(error=code, message=message, field=field))
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return web.Response(status=status, body=body, content_type=MSGPACK, headers=headers)


@contextlib.asynccontextmanager
async def serving(
    daemon: FakeDaemon,
    socket: Path,
    *,
    tcp: bool = False,
    on_port: Callable[[int], None] | None = None,
) -> AsyncIterator[None]:
    """Serve on the Unix socket, and on a free TCP port if asked."""
    runner = web.AppRunner(
        daemon.app(), handle_signals=False, shutdown_timeout=0.5, handler_cancellation=True
    )
    await runner.setup()
    try:
        await web.UnixSite(runner, str(socket)).start()
        if tcp:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            if on_port is not None:
                on_port(runner.addresses[-1][1])
        yield
    finally:
        await runner.cleanup()
