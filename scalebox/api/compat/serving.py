"""What compatible protocols share: tolerant bodies, deadlines, held work, their own refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from scalebox.api import codec
from scalebox.api.context import CONTEXT, Refusal, client_of
from scalebox.api.edge import Handler
from scalebox.errors import BadRequestError, QueueFullError, ScaleboxError
from scalebox.model import Limits, Report, RunRequest, RunResult, RunStatus, Submission, Verdict

T = TypeVar("T")
Item = TypeVar("Item")

#: The longest that anybody is kept waiting, whatever a request says.
MAX_HOLD_S = 3600.0
#: How long before a client gives up it is answered: what the answer's way to it may take.
ANSWER_S = 0.5
#: Parts of one request that are in the engine at once; as many as of a native batch.
WINDOW = 512
_LEAST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0
#: Less is no limit, but a mistake in its unit; see `model.RunSeconds` and `model.RunMemory`.
_LEAST_S = 0.01
_LEAST_MEMORY_BYTES = 4 << 20


class DeadlineError(ScaleboxError):
    """The client is about to give up, and its work is not done."""

    code = "deadline"
    http_status = 504


@dataclass(frozen=True)
class Protocol:
    """One protocol.

    Attributes:
        name: of its option in `[compat]`.
        routes: method, path under where it is mounted, handler.
        refuse: a refusal as its clients understand it.
        prepare: puts into the application what its handlers keep between requests; may raise
            `ConfigError`.
    """

    name: str
    routes: tuple[tuple[str, str, Handler], ...]
    refuse: Refusal
    prepare: Callable[[web.Application], None] | None = None


class Deadline:
    """When a client gives up.  Its clock starts when this is made: first thing in a handler.

    Parameters:
        seconds: from now on; None: it waits for as long as it takes.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._began = asyncio.get_running_loop().time()
        self.seconds = MAX_HOLD_S
        if seconds is not None:
            self.after(seconds)

    def after(self, seconds: float) -> None:
        """Say it once the request tells, counted from when this was made."""
        self.seconds = min(max(seconds, 0.0), MAX_HOLD_S)

    @property
    def left_s(self) -> float:
        """Seconds until it has to be answered; may be negative."""
        margin_s = min(ANSWER_S, self.seconds / 4)
        return self._began + self.seconds - margin_s - asyncio.get_running_loop().time()

    def require(self) -> float:
        """Seconds left.

        Raises:
            DeadlineError: there are none.
        """
        left_s = self.left_s
        if left_s < 0.01:
            raise DeadlineError(
                f"not done within the {self.seconds:g} s that the client waits; ask again"
            )
        return left_s


async def read(request: web.Request, kind: type[T], *, nulls: bool = False) -> T:
    """The request's body as a structure, as tolerantly as pydantic's servers read it.

    Unknown fields are passed over, numbers may come as text, and null stands for a field's default.
    What is held while the queue is full is in no queue that has a bound, so the body counts among
    all bodies in memory until the request is answered.

    Parameters:
        request: its body is JSON; other types are refused, since a web page may send those.
        kind: a structure that does not forbid unknown fields.
        nulls: whether null is told apart from a field that is missing.

    Raises:
        BadRequestError: it is not JSON, or does not fit.
        ScaleboxError: as `codec.whole_body`.
    """
    context = request.app[CONTEXT]
    coding, _ = codec.request_coding(request)
    limit = context.config.server.max_request_bytes
    async with codec.whole_body(request, limit, context.bodies) as body:
        document: Any = await codec.decode_bounded(coding, object, body)
        size = len(body)
    context.keep_counted(request, size)
    return fit(document, kind, nulls=nulls)


def fit(document: Any, kind: type[T], *, nulls: bool = False) -> T:
    """A decoded document as a structure; see `read`.

    Raises:
        BadRequestError: it does not fit.
    """
    if isinstance(document, dict) and not nulls:
        document = {name: value for name, value in document.items() if value is not None}
    try:
        return msgspec.convert(document, kind, strict=False)
    except msgspec.ValidationError as error:
        raise codec.explain(str(error)) from None
    except RecursionError:
        raise BadRequestError("the document is nested too deeply") from None


def limits(
    request: web.Request,
    *,
    cpu_time_s: float | None = None,
    wall_time_s: float | None = None,
    memory_bytes: int | None = None,
) -> Limits:
    """What a client asks for, brought within what this daemon allows.

    Parameters:
        request: for the daemon's bounds.
        cpu_time_s, wall_time_s, memory_bytes: None: the daemon's default; so is memory of no bytes
            or fewer, by which these protocols say that there is no limit.
    """
    most = request.app[CONTEXT].config.limits
    if memory_bytes is not None:
        memory_bytes = (
            min(max(memory_bytes, _LEAST_MEMORY_BYTES), most.max_memory_bytes)
            if memory_bytes > 0
            else None
        )
    return Limits(
        cpu_time_s=_within(cpu_time_s, most.max_cpu_time_s),
        wall_time_s=_within(wall_time_s, most.max_wall_time_s),
        memory_bytes=memory_bytes,
    )


def _within(seconds: float | None, most_s: float) -> float | None:
    if seconds is None:
        return None
    # What is no number is not above the least either.
    return min(seconds, most_s) if seconds > _LEAST_S else _LEAST_S


async def each(items: Sequence[Item], work: Callable[[Item], Awaitable[T]]) -> list[T]:
    """Work on the parts of one request side by side; the results in their order.

    Parameters:
        items: the parts.
        work: on one; what it raises ends the others.

    Raises:
        Exception: the first that any work raised.
    """
    results: dict[int, T] = {}

    async def worker(todo: Iterable[tuple[int, Item]]) -> None:
        for index, item in todo:
            results[index] = await work(item)

    todo = enumerate(items)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(WINDOW, len(items))):
                group.create_task(worker(todo))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [results[index] for index in range(len(items))]


async def hold(deadline: Deadline, work: Callable[[float], Awaitable[T]]) -> T:
    """Do work, waiting for as long as the queue is full.

    Parameters:
        deadline: when the client gives up.
        work: told how many seconds are left; may be begun again after a `QueueFullError`.

    Raises:
        DeadlineError: the client is about to give up.
        ScaleboxError: as the work raises.
    """
    while True:
        left_s = deadline.require()
        try:
            return await work(left_s)
        except QueueFullError as error:
            pause_s = min(max(error.retry_after_s, _LEAST_PAUSE_S), _LONGEST_PAUSE_S)
        await asyncio.sleep(min(pause_s, max(deadline.left_s, 0.0)))


async def run(request: web.Request, deadline: Deadline, wanted: RunRequest) -> RunResult:
    """Run a program, held while the queue is full.

    Raises:
        DeadlineError: not done in time.
        ScaleboxError: as `EngineService.run`.
    """
    context, client = request.app[CONTEXT], client_of(request)

    async def work(left_s: float) -> RunResult:
        timed = msgspec.structs.replace(wanted, deadline_s=left_s)
        return await context.engine.run(timed, client=client.name)

    result = await hold(deadline, work)
    if result.status is RunStatus.CANCELLED:
        raise DeadlineError(result.message)
    return result


async def judge(
    request: web.Request, deadline: Deadline, submission: Submission, *, partial: bool = False
) -> Report:
    """Judge a submission, held while the queue is full.

    Parameters:
        request: whose client is counted.
        deadline: when the client gives up.
        submission: what is judged.
        partial: whether a report is wanted, too, whose verdict is that time ran out.

    Raises:
        DeadlineError: not done in time.
        ScaleboxError: as `EngineService.judge`.
    """
    context, client = request.app[CONTEXT], client_of(request)

    async def work(left_s: float) -> Report:
        timed = msgspec.structs.replace(submission, deadline_s=left_s)
        return await context.engine.judge(timed, client=client.name)

    report = await hold(deadline, work)
    if report.verdict is Verdict.CANCELLED and not partial:
        raise DeadlineError(report.message or "not done in time")
    return report


def unprocessable(_: web.BaseRequest, error: ScaleboxError) -> web.Response:
    """A refusal as FastAPI words it: `detail`, a list of places and words where a body is wrong.

    What is worth asking again is a status of the server's, since that is what clients ask again
    after: 503 where there is no room.
    """
    if error.http_status == 400:
        where = ["body", *(error.field.split(".") if error.field else ())]
        detail = [{"type": error.code, "loc": where, "msg": error.message}]
        return answer({"detail": detail}, status=422)
    status = 503 if isinstance(error, QueueFullError) else error.http_status
    return answer({"detail": error.message}, status=status)


def answer(value: Any, *, status: int = 200) -> web.Response:
    """An answer in JSON."""
    return web.Response(
        body=codec.JSON.encode(value), status=status, headers={"Content-Type": codec.JSON_TYPE}
    )
