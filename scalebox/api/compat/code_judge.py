"""code-judge: programs run or judged one by one or in batches, which run side by side.

The messages are those of 0xWJ/code-judge (app/model.py, app/main.py, README.md).  A result says
`success` if the program ended well and, where an output is expected, wrote it but for white space
at the ends (app/worker_manager.py); what was expected never enters the sandbox.  Of the clients
(microsoft/rStar:rstar2_agent/tools/code_judge_utils.py, RLinf/RLinf:rlinf/agents/rstar2/
http_code_judge_tool.py) the first asks again for each result whose reason is `queue_timeout`, and
both ask again for a whole batch whose HTTP status is none of success.

That server takes no limits from its clients; here they are the daemon's defaults.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated, Literal

from aiohttp import web
from anyio import to_thread
from msgspec import Meta, Struct

from scalebox.api.compat import serving
from scalebox.api.compat.serving import Deadline, DeadlineError, Protocol
from scalebox.api.context import CONTEXT
from scalebox.errors import QueueFullError, ScaleboxError, UnauthorizedError, UnavailableError
from scalebox.model import RunRequest, RunResult, RunStatus

#: Beyond the time limit, before a result of a short request is a `queue_timeout`
#: (app/config.py: MAX_QUEUE_WAIT_TIME).
_QUEUE_S = 5.0
#: Of a long batch (app/config.py: LONG_BATCH_MAX_QUEUE_WAIT_TIME).
_LONG_BATCH_S = 3600.0
#: Of what a program wrote (app/config.py: MAX_STDOUT_ERROR_LENGTH).
_EXCERPT_CHARACTERS = 1000
_MAX_SUBMISSIONS = 100_000
#: Comparing more takes over a millisecond, which the event loop does not have.
_INLINE_BYTES = 256 << 10

Reason = Literal["", "internal_error", "worker_timeout", "queue_timeout", "invalid_input"]

_NO_MATH = (
    "submissions of type math are not served: whether two formulas are equal is decided by a "
    "symbolic engine in the judge's own process, which this daemon does not have"
)


class Submission(Struct, kw_only=True):
    """One program; `options` are for `math` alone, and passed over."""

    type: Literal["python", "cpp", "math"]
    solution: str
    sub_id: str | None = None
    options: dict[str, str] | None = None
    input: str | None = None
    expected_output: str | None = None


class Batch(Struct, kw_only=True):
    """Several programs."""

    submissions: Annotated[list[Submission], Meta(min_length=1, max_length=_MAX_SUBMISSIONS)]
    sub_id: str = ""
    type: Literal["batch"] = "batch"


class Judged(Struct, kw_only=True):
    """A result of the `/judge` paths."""

    sub_id: str
    success: bool = False
    run_success: bool = False
    cost: float = 0.0
    reason: Reason = ""


class Ran(Judged, kw_only=True):
    """A result of the `/run` paths."""

    stdout: str | None = None
    stderr: str | None = None


class Results(Struct, kw_only=True):
    """The answer to a batch."""

    sub_id: str
    results: list[Judged]


async def run(request: web.Request) -> web.StreamResponse:
    """`POST /run`: one program, with what it wrote."""
    return await _one(request, with_output=True)


async def judge(request: web.Request) -> web.StreamResponse:
    """`POST /judge`: one program, without."""
    return await _one(request, with_output=False)


async def run_batch(request: web.Request) -> web.StreamResponse:
    """`POST /run/batch` and `POST /run/long-batch`."""
    return await _batch(request, with_output=True)


async def judge_batch(request: web.Request) -> web.StreamResponse:
    """`POST /judge/batch` and `POST /judge/long-batch`."""
    return await _batch(request, with_output=False)


async def ping(_: web.Request) -> web.StreamResponse:
    """`GET /ping`."""
    return serving.answer("pong")


async def status(request: web.Request) -> web.StreamResponse:
    """`GET /status`: how much waits, and for how many."""
    now = request.app[CONTEXT].engine.status()
    return serving.answer({"queue": now.queued_cases, "num_workers": len(now.slots)})


async def _one(request: web.Request, *, with_output: bool) -> web.StreamResponse:
    deadline = Deadline(_short_s(request))
    submission = await serving.read(request, Submission)
    result = await _result(request, deadline, submission)
    return serving.answer(result if with_output else _without_output(result))


async def _batch(request: web.Request, *, with_output: bool) -> web.StreamResponse:
    is_long = request.path.endswith("/long-batch")
    deadline = Deadline(_LONG_BATCH_S if is_long else _short_s(request))
    batch = await serving.read(request, Batch)

    async def work(submission: Submission) -> Judged:
        result = await _result(request, deadline, submission)
        return result if with_output else _without_output(result)

    results = await serving.each(batch.submissions, work)
    return serving.answer(Results(sub_id=batch.sub_id or str(uuid.uuid4()), results=results))


def _short_s(request: web.Request) -> float:
    return request.app[CONTEXT].config.limits.cpu_time_s + _QUEUE_S


async def _result(request: web.Request, deadline: Deadline, submission: Submission) -> Ran:
    """One result; what is wrong with one submission is no failure of the others.

    Raises:
        UnauthorizedError, UnavailableError: nothing can be done for any of them.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    id = submission.sub_id or str(uuid.uuid4())
    if submission.type == "math":
        return Ran(sub_id=id, reason="invalid_input", stderr=_NO_MATH)
    default_s = request.app[CONTEXT].config.limits.cpu_time_s
    wanted = RunRequest(
        language=submission.type,
        source=submission.solution,
        stdin=submission.input or "",
        # There the limit is one of the clock's time (app/libs/executors/python_executor.py).
        limits=serving.limits(request, wall_time_s=default_s),
    )
    try:
        result = await serving.run(request, deadline, wanted)
    except (UnauthorizedError, UnavailableError):
        raise
    except ScaleboxError as error:
        return Ran(sub_id=id, cost=loop.time() - began, reason=_reason(error), stderr=error.message)
    return await _ran(id, result, submission.expected_output)


def _reason(error: ScaleboxError) -> Reason:
    if isinstance(error, DeadlineError | QueueFullError):
        return "queue_timeout"
    return "internal_error" if error.http_status >= 500 else "invalid_input"


async def _ran(id: str, result: RunResult, expected: str | None) -> Ran:
    if result.status is RunStatus.INTERNAL_ERROR:
        return Ran(sub_id=id, reason="internal_error", stderr=result.message)
    ended_well = result.status is RunStatus.FINISHED
    success = ended_well
    if success and expected is not None:
        if len(result.stdout) + len(expected) > _INLINE_BYTES:
            success = await to_thread.run_sync(_equal, result.stdout, expected)
        else:
            success = _equal(result.stdout, expected)
    stderr = _excerpt(result.stderr)
    if result.status is RunStatus.COMPILE_ERROR and result.compile is not None:
        stderr = result.compile.message[:_EXCERPT_CHARACTERS]
    return Ran(
        sub_id=id,
        success=success,
        run_success=ended_well,
        cost=result.wall_time_s,
        reason="worker_timeout" if result.status is RunStatus.TIME_LIMIT_EXCEEDED else "",
        stdout=_excerpt(result.stdout),
        stderr=stderr,
    )


def _equal(output: bytes, expected: str) -> bool:
    """Whether they are the same but for white space at the ends, and ways to end lines."""
    # What is no text equals no text that is expected.
    text = output.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")
    return text.strip() == expected.strip()


def _excerpt(data: bytes) -> str:
    # No character takes more than four bytes.
    return data[: 4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace")[:_EXCERPT_CHARACTERS]


def _without_output(result: Ran) -> Judged:
    return Judged(
        sub_id=result.sub_id,
        success=result.success,
        run_success=result.run_success,
        cost=result.cost,
        reason=result.reason,
    )


PROTOCOL = Protocol(
    "code_judge",
    (
        ("POST", "/run", run),
        ("POST", "/run/batch", run_batch),
        ("POST", "/run/long-batch", run_batch),
        ("POST", "/judge", judge),
        ("POST", "/judge/batch", judge_batch),
        ("POST", "/judge/long-batch", judge_batch),
        ("GET", "/ping", ping),
        ("GET", "/status", status),
    ),
    serving.unprocessable,
)
