"""SandboxFusion's `/run_code`, as verl and those that copied its client ask it.

The messages are those of bytedance/SandboxFusion:sandbox/server/sandbox_api.py; what they mean
follows sandbox/runners/{base,major,minor}.py there.  Clients such as verl
(volcengine/verl:verl/utils/reward_score/sandbox_fusion/utils.py) wait for both limits and ten
seconds, ask again after 504 alone, and take every other failure for the program's.  Those that say
no `compile_timeout` never ask again (thinking-machines-lab/tinker-cookbook:tinker_cookbook/sandbox/
sandboxfusion.py), or go away when they have waited enough, as SkyRL-agent does after `run_timeout`
and two seconds (skyrl_agent/tasks/verifiers/coder1/sandboxfusion_exec.py): these are kept waiting
for as long as it takes, and whoever goes away ends its work.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
import shlex
from typing import Annotated

import anyio.to_thread
from aiohttp import web
from msgspec import Meta, Struct

from scalebox.api.compat import fusion_languages, jupyter, serving
from scalebox.api.compat.fusion_languages import Runner
from scalebox.api.compat.serving import Deadline, Protocol
from scalebox.api.context import CONTEXT
from scalebox.api.service import EngineService
from scalebox.errors import (
    BadRequestError,
    InternalError,
    QueueFullError,
    ScaleboxError,
    TooLargeError,
    UnknownLanguageError,
)
from scalebox.model import Blob, Data, Limits, RunRequest, RunResult, RunStatus

#: verl's clients wait for so long beyond the two limits (verl's `_call_api`).
_CLIENT_EXTRA_S = 10.0
_COMPILE_TIMEOUT_S = 10.0
_LEAST_S = 0.01
#: The limit is on CPU time.  What sleeps is ended by the clock: a little later, since what a
#: program waits for by itself (a file that has to be read) is not told apart from sleep.
_WALL_FACTOR, _WALL_EXTRA_S = 1.25, 1.0
#: SandboxFusion hands back so much of an output (`_MAX_CAPTURED_OUTPUT_BYTES`).  Here a standard
#: output within its limit comes whole, since it is compared with an answer.
_EXCERPT_BYTES = 1 << 20
#: Files with this in their names are not laid out (`restore_files`).
_IGNORED = "IGNORE_THIS_FILE"
#: More than this is encoded and decoded in a worker thread.
_LARGE_BYTES = 256 << 10


class RunCode(Struct, kw_only=True):
    """The body of `/run_code`; what else clients send (`expected_stdout`, say) is passed over.

    Attributes:
        code, language: the program.
        stdin: null as empty.
        compile_timeout, run_timeout: seconds.
        memory_limit_MB: -1: the daemon's own limit.
        files: path → base64; null: none.
        fetch_files: paths of files to hand back.
        args: for pytest.
        extra_args: the program's own, as in a shell
            (cai-jianfeng/CodeContests-O:src/codecontests_o/clients/sandbox_client.py).
    """

    code: str
    language: Annotated[str, Meta(max_length=64)] = "python"
    stdin: str = ""
    compile_timeout: float | None = None
    run_timeout: float = 10.0
    memory_limit_MB: int = -1
    files: dict[str, str | None] = {}
    fetch_files: list[str] = []
    args: list[str] = []
    extra_args: str = ""


class Command(Struct, kw_only=True):
    """One command that was run: the compiler, or the program.

    Attributes:
        status: `Finished`, `Error` or `TimeLimitExceeded`.
        execution_time: seconds by the clock.
        cpu_time: seconds of CPU time, which the limit is on (a field of later clients; PyPI's
            sandbox-fusion:sandbox_fusion/models.py).
        return_code: as Python's subprocess tells it: minus the number of a signal.
    """

    status: str
    execution_time: float = 0.0
    cpu_time: float = 0.0
    return_code: int | None = None
    stdout: str = ""
    stderr: str = ""


class Ran(Struct, kw_only=True):
    """The answer of `/run_code`.

    Attributes:
        status: `Success`, `Failed` or `SandboxError`, which says nothing about the program.
    """

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
    if wanted.compile_timeout is not None:
        deadline.after(wanted.compile_timeout + wanted.run_timeout + _CLIENT_EXTRA_S)
    runner = fusion_languages.runner(wanted.language)
    try:
        _check_needs(runner, request.app[CONTEXT].engine)
        work = await _work(request, wanted, runner)
        result = await serving.run(request, deadline, work)
    except UnknownLanguageError as error:
        if not runner.known:
            raise
        return _sandbox_error(error)
    except (BadRequestError, TooLargeError) as error:
        # The original would have tried, and failed: that is no matter of the request's form.
        return _sandbox_error(error)
    if result.status is RunStatus.INTERNAL_ERROR:
        raise InternalError(result.message)
    if len(result.stdout) + len(result.stderr) + _size(result.files) > _LARGE_BYTES:
        body = await anyio.to_thread.run_sync(lambda: serving.encode(_ran(result, runner, wanted)))
        return serving.answer_encoded(body)
    return serving.answer(_ran(result, runner, wanted))


# --- what is asked --------------------------------------------------------------------------------


def _check_needs(runner: Runner, engine: EngineService) -> None:
    if runner.needs:
        for language in engine.languages():
            if language.name == runner.needs and not language.available:
                raise UnknownLanguageError(language.missing)


async def _work(request: web.Request, wanted: RunCode, runner: Runner) -> RunRequest:
    """The run that a request means.

    Raises:
        BadRequestError, TooLargeError: it means none, or is over a bound.
    """
    sent = {path: text for path, text in wanted.files.items() if text is not None}
    size = sum(map(len, sent.values()))
    most = request.app[CONTEXT].config.engine.max_source_bytes
    if size * 3 // 4 > most + _LARGE_BYTES:
        raise TooLargeError(
            f"files of {size} characters in base64; source and files are at most {most} bytes "
            "(engine.max_source_bytes)"
        )
    if size > _LARGE_BYTES:
        files = await anyio.to_thread.run_sync(_decoded, sent)
    else:
        files = _decoded(sent)
    launched = runner.launch(wanted.code, files)
    return RunRequest(
        language=runner.language,
        source=launched.source,
        stdin=wanted.stdin,
        files={**files, **launched.files},
        fetch=[posixpath.normpath(path) for path in wanted.fetch_files],
        args=[*launched.args, *wanted.args] if runner.takes_args else _words(wanted.extra_args),
        limits=_limits(request, wanted),
        compile_cpu_time_s=_at_least(_LEAST_S, _compile_timeout_s(wanted)),
    )


def _decoded(files: dict[str, str]) -> dict[str, Data]:
    return {
        posixpath.normpath(path): Blob(data=_bytes(path, text))
        for path, text in files.items()
        if _IGNORED not in path
    }


def _bytes(path: str, text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        raise BadRequestError(f"the content of file {path[:100]!r} is not base64") from None


def _words(arguments: str) -> list[str]:
    try:
        return shlex.split(arguments) if arguments else []
    except ValueError:
        return arguments.split()


def _limits(request: web.Request, wanted: RunCode) -> Limits:
    """As asked for, as far as this daemon goes: the original knows no bounds."""
    return serving.limits(
        request,
        cpu_time_s=wanted.run_timeout,
        wall_time_s=_WALL_FACTOR * _at_least(_LEAST_S, wanted.run_timeout) + _WALL_EXTRA_S,
        memory_bytes=wanted.memory_limit_MB << 20,
    )


def _compile_timeout_s(wanted: RunCode) -> float:
    return _COMPILE_TIMEOUT_S if wanted.compile_timeout is None else wanted.compile_timeout


def _at_least(least: float, value: float) -> float:
    """What is no number (`"nan"`) is nothing, too."""
    return value if value > least else least


# --- what is answered -----------------------------------------------------------------------------


def _ran(result: RunResult, runner: Runner, wanted: RunCode) -> Ran:
    compiled = _compiled(result)
    if result.status is RunStatus.COMPILE_ERROR and compiled is not None:
        if runner.compiles:
            return Ran(status="Failed", compile_result=compiled)
        return Ran(status="Failed", run_result=compiled)
    late = result.status is RunStatus.TIME_LIMIT_EXCEEDED
    over = result.status is RunStatus.OUTPUT_LIMIT_EXCEEDED
    code = None if late else _return_code(result)
    run = Command(
        status="TimeLimitExceeded" if late else "Finished",
        execution_time=result.wall_time_s,
        cpu_time=result.cpu_time_s,
        return_code=code,
        stdout=_text(result.stdout[:_EXCERPT_BYTES] if over else result.stdout),
        stderr=_text(result.stderr[:_EXCERPT_BYTES]),
    )
    # Under the paths that they were asked for by.
    files = {
        path: base64.b64encode(result.files[found]).decode()
        for path in wanted.fetch_files
        if (found := posixpath.normpath(path)) in result.files
    }
    return Ran(
        status="Failed" if late or code != 0 else "Success",
        compile_result=compiled if runner.compiles else None,
        run_result=run,
        files=files,
    )


def _compiled(result: RunResult) -> Command | None:
    compiled = result.compile
    if compiled is None:
        return None
    late = compiled.timed_out
    return Command(
        status="TimeLimitExceeded" if late else "Finished",
        execution_time=compiled.cpu_time_s,
        cpu_time=compiled.cpu_time_s,
        return_code=None if late else 0 if compiled.ok else 1,
        stderr=compiled.message,
    )


def _return_code(result: RunResult) -> int:
    """Never 0 where the program did not end well."""
    if result.signal is not None:
        return -result.signal
    if result.exit_code:
        return result.exit_code
    return 0 if result.status is RunStatus.FINISHED else 1


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")


def _size(files: dict[str, bytes]) -> int:
    return sum(map(len, files.values()))


def _sandbox_error(error: ScaleboxError, *, status: int = 200) -> web.Response:
    return serving.answer(Ran(status="SandboxError", message=error.message), status=status)


def refuse(_: web.BaseRequest, error: ScaleboxError) -> web.Response:
    """504 for what is worth asking again, since verl asks again after nothing else.

    So is a failure of ours: the original answers 200, and verl takes that for a wrong program.
    """
    if error.http_status >= 500 or isinstance(error, QueueFullError):
        return _sandbox_error(error, status=504)
    if error.http_status != 400:
        return serving.answer({"detail": error.message}, status=error.http_status)
    # As FastAPI says what does not fit.
    place = ["body", error.field] if error.field else ["body"]
    detail = {"type": error.code, "loc": place, "msg": error.message}
    return serving.answer({"detail": [detail]}, status=422)


PROTOCOL = Protocol(
    "sandboxfusion",
    (("POST", "/run_code", run_code), ("POST", "/run_jupyter", jupyter.run_jupyter)),
    refuse,
)
