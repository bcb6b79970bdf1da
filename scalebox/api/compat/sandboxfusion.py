"""SandboxFusion's `/run_code`, as verl and those that copied its client ask it.

The messages are those of bytedance/SandboxFusion:sandbox/server/sandbox_api.py.  Clients such as
verl (verl/utils/reward_score/sandbox_fusion/utils.py) wait for both limits and ten seconds, ask
again after 504 alone, and take every other failure for the program's.
"""

from __future__ import annotations

import base64
import binascii

from aiohttp import web
from msgspec import Struct

from scalebox.api.compat import jupyter, serving
from scalebox.api.compat.serving import Deadline, DeadlineError, Protocol
from scalebox.errors import BadRequestError, QueueFullError, ScaleboxError, UnavailableError
from scalebox.model import Blob, Data, Limits, RunRequest, RunResult, RunStatus

#: verl's clients wait for so long beyond the two limits (verl's `_call_api`).
_CLIENT_EXTRA_S = 10.0
_LEAST_S, _MOST_S = 0.01, 600.0
_LEAST_MEMORY_BYTES = 4 << 20


class RunCode(Struct, kw_only=True):
    """The body of `/run_code`; what else clients send (`expected_stdout`, say) is passed over."""

    code: str
    language: str = "python"
    stdin: str = ""
    compile_timeout: float = 10.0
    run_timeout: float = 10.0
    memory_limit_MB: int = -1
    files: dict[str, str | None] = {}
    fetch_files: list[str] = []
    args: list[str] = []


class Command(Struct, kw_only=True):
    """One command that was run: the compiler, or the program."""

    status: str
    execution_time: float = 0.0
    return_code: int | None = None
    stdout: str = ""
    stderr: str = ""


class Ran(Struct, kw_only=True):
    """The answer of `/run_code`."""

    status: str
    message: str = ""
    compile_result: Command | None = None
    run_result: Command | None = None
    executor_pod_name: str | None = None
    files: dict[str, str] = {}


async def run_code(request: web.Request) -> web.StreamResponse:
    """`POST /run_code`: one program, one input."""
    deadline = Deadline()
    wanted = await serving.read(request, RunCode)
    deadline.after(wanted.compile_timeout + wanted.run_timeout + _CLIENT_EXTRA_S)
    return serving.answer(_ran(await serving.run(request, deadline, _run_request(wanted))))


def _run_request(wanted: RunCode) -> RunRequest:
    limits = Limits(cpu_time_s=min(max(wanted.run_timeout, _LEAST_S), _MOST_S))
    if wanted.memory_limit_MB > 0:
        size = max(wanted.memory_limit_MB << 20, _LEAST_MEMORY_BYTES)
        limits = Limits(cpu_time_s=limits.cpu_time_s, memory_bytes=size)
    files: dict[str, Data] = {
        path: Blob(data=_bytes(path, text)) for path, text in wanted.files.items() if text
    }
    return RunRequest(
        language=wanted.language,
        source=wanted.code,
        stdin=wanted.stdin,
        files=files,
        fetch=wanted.fetch_files,
        args=wanted.args,
        limits=limits,
    )


def _bytes(path: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequestError(
            f"the content of file {path[:100]!r} is not base64", field=f"files.{path[:100]}"
        ) from None


def _ran(result: RunResult) -> Ran:
    compiled = None
    if result.compile is not None:
        compiled = Command(
            status="Finished",
            execution_time=result.compile.cpu_time_s,
            return_code=0 if result.compile.ok else 1,
            stderr=result.compile.message,
        )
    if result.status is RunStatus.COMPILE_ERROR and compiled is not None:
        return Ran(status="Failed", compile_result=compiled)
    if result.status is RunStatus.INTERNAL_ERROR:
        return Ran(status="SandboxError", message=result.message, compile_result=compiled)
    late = result.status is RunStatus.TIME_LIMIT_EXCEEDED
    code = None if late else _return_code(result)
    run = Command(
        status="TimeLimitExceeded" if late else "Finished",
        execution_time=result.cpu_time_s,
        return_code=code,
        stdout=result.stdout.decode("utf-8", "replace"),
        stderr=result.stderr.decode("utf-8", "replace"),
    )
    files = {path: base64.b64encode(data).decode() for path, data in result.files.items()}
    status = "Failed" if late or code != 0 else "Success"
    return Ran(status=status, compile_result=compiled, run_result=run, files=files)


def _return_code(result: RunResult) -> int:
    """As Python's subprocess tells it: minus the signal's number."""
    if result.signal is not None:
        return -result.signal
    return result.exit_code if result.exit_code is not None else 1


def refuse(_: web.BaseRequest, error: ScaleboxError) -> web.Response:
    """504 for what is worth asking again, since verl asks again after nothing else."""
    if isinstance(error, DeadlineError | QueueFullError | UnavailableError):
        return serving.answer(Ran(status="SandboxError", message=error.message), status=504)
    if error.http_status >= 500:
        return serving.answer(Ran(status="SandboxError", message=error.message))
    status = 422 if error.http_status == 400 else error.http_status
    return serving.answer(
        {"detail": [{"loc": ["body", error.field or ""], "msg": error.message}]}, status=status
    )


PROTOCOL = Protocol(
    "sandboxfusion",
    (("POST", "/run_code", run_code), ("POST", "/run_jupyter", jupyter.run_jupyter)),
    refuse,
)
