"""What the handlers of one application share, and the way of a request into the engine."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from aiohttp import web

from scalebox.api import codec
from scalebox.api.auth import Authenticator, Client, connection_peer
from scalebox.api.codec import BodyBudget
from scalebox.api.idempotency import IdempotencyStore, work_digest
from scalebox.api.service import EngineService
from scalebox.config import Config
from scalebox.errors import ScaleboxError, UnknownBlobError
from scalebox.model import (
    Blob,
    OutputCase,
    OutputTests,
    Report,
    RunRequest,
    RunResult,
    StdioCase,
    StdioTests,
    Submission,
)

T = TypeVar("T")

#: How a protocol says no.
Refusal = Callable[[web.BaseRequest, ScaleboxError], web.Response]


class ApiContext:
    """The state of one application.

    Attributes:
        config: the daemon's.
        engine: judges and runs.
        auth: who may ask.
        bodies: bound on request bodies in memory.
        answers: idempotency keys.
        requests: finished requests by (route, method, status).
        batch_items: answered submissions of batches by `report` or an error's code.
        active: tasks of the requests being handled now.
        connections: how many are open.
        draining: whether new work is refused because the server is ending.
        refusals: routes of protocols that say no in words of their own.
    """

    def __init__(self, config: Config, engine: EngineService) -> None:
        self.config = config
        self.engine = engine
        self.auth = Authenticator(config.server.tokens)
        # Queued test data is bounded by the engine; beside it one largest request may arrive.
        self.bodies = BodyBudget(config.engine.max_queued_bytes + config.server.max_request_bytes)
        self.answers = IdempotencyStore(
            config.engine.idempotency_ttl_s, config.engine.idempotency_bytes
        )
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.batch_items: Counter[str] = Counter()
        self.active: set[asyncio.Task[object]] = set()
        self.connections: Callable[[], int] = lambda: 0
        self.draining = False
        #: Of requests that are not answered yet, by their identity.
        self._kept_bytes: Counter[int] = Counter()
        self.refusals: dict[web.AbstractRoute, Refusal] = {}

    def keep_counted(self, request: web.Request, size: int) -> None:
        """Count bytes among those of all bodies until the request is answered.

        Raises:
            QueueFullError: they would go over the bound.
        """
        self.bodies.take(size)
        self._kept_bytes[id(request)] += size

    def answered(self, request: web.Request) -> None:
        """Let go of what is counted for a request."""
        self.bodies.give(self._kept_bytes.pop(id(request), 0))

    async def judge(self, submission: Submission, client: Client) -> Report:
        """Judge, joining equal work under the same idempotency key.

        Raises:
            ScaleboxError: as `EngineService.judge`, and `IdempotencyConflictError`.
        """
        key = submission.idempotency_key
        try:
            if key is None:
                return await self.engine.judge(submission, client=client.name)
            return await self.answers.join(
                ("judge", client.scope, key),
                await work_digest(submission),
                lambda: self.engine.judge(submission, client=client.name),
            )
        except UnknownBlobError as error:
            error.field = error.field or self._place_of_missing_blob(submission)
            raise

    async def run(self, request: RunRequest, client: Client) -> RunResult:
        """Run, joining equal work under the same idempotency key; raises as `judge`."""
        key = request.idempotency_key
        try:
            if key is None:
                return await self.engine.run(request, client=client.name)
            return await self.answers.join(
                ("run", client.scope, key),
                await work_digest(request),
                lambda: self.engine.run(request, client=client.name),
            )
        except UnknownBlobError as error:
            error.field = error.field or self._place_of_missing_blob(request)
            raise

    def _place_of_missing_blob(self, work: Submission | RunRequest) -> str | None:
        places = [(f"files.{path[:100]}", data) for path, data in work.files.items()]
        if isinstance(work, RunRequest):
            places.append(("stdin", work.stdin))
        elif work.problem is not None:
            return "problem"
        elif isinstance(work.tests, StdioTests | OutputTests):
            cases: Sequence[StdioCase | OutputCase] = work.tests.cases
            for index, case in enumerate(cases):
                places.append((f"tests.cases[{index}].input", case.input))
                places.append((f"tests.cases[{index}].answer", case.answer))
                if isinstance(case, OutputCase):
                    places.append((f"tests.cases[{index}].output", case.output))
        for place, data in places:
            if isinstance(data, Blob) and data.sha256 and not self.engine.blobs.has(data.sha256):
                return place
        return None


CONTEXT = web.AppKey("context", ApiContext)


def client_of(request: web.Request) -> Client:
    """The request's client.

    Raises:
        UnauthorizedError: the edge has refused it, or would.
    """
    return request.app[CONTEXT].auth.identify(request, connection_peer(request))


async def document(request: web.Request, kind: type[T]) -> T:
    """The request's body as one structure; its bytes are let go of, the engine bounds the rest.

    Raises:
        ScaleboxError: as `codec.request_coding`, `codec.whole_body` and `codec.decode_bounded`.
    """
    context = request.app[CONTEXT]
    coding, _ = codec.request_coding(request)
    limit = context.config.server.max_request_bytes
    async with codec.whole_body(request, limit, context.bodies) as body:
        return await codec.decode_bounded(coding, kind, body)
