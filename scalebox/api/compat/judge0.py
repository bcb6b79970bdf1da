"""Judge0, as those clients ask it that wait for the answer: `POST /submissions/?wait=true`.

Messages, statuses and refusals are those of Judge0 CE 1.13 (judge0/judge0:
app/controllers/submissions_controller.rb, app/models/submission.rb, app/jobs/isolate_job.rb,
app/enumerations/status.rb, app/serializers/submission_serializer.rb).  ms-swift
(modelscope/ms-swift:examples/train/grpo/plugin/plugin.py) reads `status.description`, and nothing
but `Accepted` is a reward.  Nothing is kept: there are no tokens to ask for later.
"""

from __future__ import annotations

import base64
import binascii
import shlex
import uuid
from typing import Any

from aiohttp import web
from anyio import to_thread
from msgspec import Struct

import scalebox
from scalebox.api.compat import serving
from scalebox.api.compat.serving import Deadline, Protocol
from scalebox.api.context import CONTEXT
from scalebox.errors import (
    BadRequestError,
    QueueFullError,
    ScaleboxError,
    UnavailableError,
    UnknownLanguageError,
)
from scalebox.model import RunRequest, RunResult, RunStatus

#: judge0/judge0:db/languages/active.rb (to 89), and what https://ce.judge0.com/languages has beyond
#: that: id → Judge0's name, the daemon's language.  The tool chains are the daemon's own.
LANGUAGES: dict[int, tuple[str, str]] = {
    46: ("Bash (5.0.0)", "bash"),
    48: ("C (GCC 7.4.0)", "c"),
    49: ("C (GCC 8.3.0)", "c"),
    50: ("C (GCC 9.2.0)", "c"),
    51: ("C# (Mono 6.6.0.161)", "csharp"),
    52: ("C++ (GCC 7.4.0)", "cpp"),
    53: ("C++ (GCC 8.3.0)", "cpp"),
    54: ("C++ (GCC 9.2.0)", "cpp"),
    56: ("D (DMD 2.089.1)", "d"),
    60: ("Go (1.13.5)", "go"),
    61: ("Haskell (GHC 8.8.1)", "haskell"),
    62: ("Java (OpenJDK 13.0.1)", "java"),
    63: ("JavaScript (Node.js 12.14.0)", "javascript"),
    64: ("Lua (5.3.5)", "lua"),
    65: ("OCaml (4.09.0)", "ocaml"),
    67: ("Pascal (FPC 3.0.4)", "pascal"),
    68: ("PHP (7.4.1)", "php"),
    71: ("Python (3.8.1)", "python"),
    72: ("Ruby (2.7.0)", "ruby"),
    73: ("Rust (1.40.0)", "rust"),
    74: ("TypeScript (3.7.4)", "typescript"),
    75: ("C (Clang 7.0.1)", "c"),
    76: ("C++ (Clang 7.0.1)", "cpp"),
    78: ("Kotlin (1.3.70)", "kotlin"),
    80: ("R (4.0.0)", "r"),
    81: ("Scala (2.13.2)", "scala"),
    83: ("Swift (5.2.3)", "swift"),
    85: ("Perl (5.28.1)", "perl"),
    91: ("Java (JDK 17.0.6)", "java"),
    92: ("Python (3.11.2)", "python"),
    93: ("JavaScript (Node.js 18.15.0)", "javascript"),
    94: ("TypeScript (5.0.3)", "typescript"),
    95: ("Go (1.18.5)", "go"),
    97: ("JavaScript (Node.js 20.17.0)", "javascript"),
    98: ("PHP (8.3.11)", "php"),
    99: ("R (4.4.1)", "r"),
    100: ("Python (3.12.5)", "python"),
    101: ("TypeScript (5.6.2)", "typescript"),
    102: ("JavaScript (Node.js 22.08.0)", "javascript"),
    103: ("C (GCC 14.1.0)", "c"),
    104: ("C (Clang 18.1.8)", "c"),
    105: ("C++ (GCC 14.1.0)", "cpp"),
    106: ("Go (1.22.0)", "go"),
    107: ("Go (1.23.5)", "go"),
    108: ("Rust (1.85.0)", "rust"),
    109: ("Python (3.13.2)", "python"),
    110: ("C (Clang 19.1.7)", "c"),
    111: ("Kotlin (2.1.10)", "kotlin"),
    112: ("Scala (3.4.2)", "scala"),
    113: ("Python (3.14.0)", "python"),
}

STATUSES = {
    1: "In Queue",
    2: "Processing",
    3: "Accepted",
    4: "Wrong Answer",
    5: "Time Limit Exceeded",
    6: "Compilation Error",
    7: "Runtime Error (SIGSEGV)",
    8: "Runtime Error (SIGXFSZ)",
    9: "Runtime Error (SIGFPE)",
    10: "Runtime Error (SIGABRT)",
    11: "Runtime Error (NZEC)",
    12: "Runtime Error (Other)",
    13: "Internal Error",
    14: "Exec Format Error",
}
_ACCEPTED, _WRONG, _LATE, _UNCOMPILED = 3, 4, 5, 6
_TOO_MUCH, _EXIT, _OTHER, _INTERNAL = 8, 11, 12, 13
_SIGNALS = {11: 7, 25: 8, 8: 9, 6: 10}

#: Judge0's defaults (app/helpers/config.rb): seconds, seconds, kilobytes.
_CPU_TIME_S, _WALL_TIME_S, _MEMORY_KB = 2.0, 5.0, 128_000
_LEAST_MEMORY_KB = 2048
#: Its kilobytes are isolate's.
_KIBI = 1024
#: ms-swift's client waits for so long (aiohttp's default); then all its rewards are 0.
_HOLD_S = 300.0
#: Comparing more takes over a millisecond, which the event loop does not have.
_INLINE_BYTES = 256 << 10
_MAX_ARGUMENTS = 512

_FIELDS = (
    *("token", "time", "memory", "stdout", "stderr", "compile_output", "message", "status"),
    *("source_code", "language_id", "stdin", "expected_output", "exit_code", "exit_signal"),
    *("wall_time", "status_id", "language"),
)
_DEFAULT_FIELDS = _FIELDS[:8]
#: Of those, texts that come in base64 where it is asked for.
_TEXTS = (
    *("stdout", "stderr", "compile_output", "message"),
    *("source_code", "stdin", "expected_output"),
)


class Wanted(Struct, kw_only=True):
    """The body of `POST /submissions`; times in seconds, memory in kilobytes.

    `number_of_runs`, `stack_limit` and other bounds of Judge0's own sandbox are passed over.
    """

    source_code: str | None = None
    language_id: int | None = None
    stdin: str | None = None
    expected_output: str | None = None
    cpu_time_limit: float = _CPU_TIME_S
    wall_time_limit: float = _WALL_TIME_S
    memory_limit: float = _MEMORY_KB
    command_line_arguments: str = ""
    redirect_stderr_to_stdout: bool = False
    compiler_options: str = ""
    callback_url: str = ""
    additional_files: str = ""
    enable_network: bool = False


class FieldsError(BadRequestError):
    """What Rails calls errors of a model: field → words.  Judge0 answers 422."""

    http_status = 422

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name} {words}" for name, words in fields.items()))
        self.fields = {name: [words] for name, words in fields.items()}


class NoTokensError(ScaleboxError):
    """Nothing is kept under a token."""

    code = "unknown_submission"
    http_status = 404


async def submit(request: web.Request) -> web.StreamResponse:
    """`POST /submissions/?wait=true`: run a program, and compare its output if one is expected."""
    deadline = Deadline(_HOLD_S)
    if request.query.get("wait") != "true":
        raise BadRequestError(
            "only wait=true is served here: the answer comes at once, and nothing is kept that "
            "could be asked for later by a token"
        )
    encoded = request.query.get("base64_encoded") == "true"
    fields = _fields(request.query.get("fields", ""))
    wanted = await serving.read(request, Wanted)
    if encoded:
        wanted.source_code = _decoded("source_code", wanted.source_code)
        wanted.stdin = _decoded("stdin", wanted.stdin)
        wanted.expected_output = _decoded("expected_output", wanted.expected_output)
    program = _program(request, wanted)
    try:
        result = await serving.run(request, deadline, program)
    except UnknownLanguageError as error:
        raise FieldsError({"language_id": error.message}) from None
    status = await _status(result, wanted.expected_output)
    values = _values(wanted, result, status)
    try:
        shown = {name: _shown(name, values[name], encoded) for name in fields}
    except UnicodeDecodeError:
        shown = {
            "error": "some attributes for this submission cannot be converted to UTF-8, use "
            "base64_encoded=true query parameter",
            "token": values["token"],
        }
    return serving.answer(shown, status=201)


async def submit_batch(request: web.Request) -> web.StreamResponse:
    """`POST /submissions/batch`: Judge0's batches cannot be waited for, so they are not served."""
    raise BadRequestError("batched submissions are not allowed: nothing is kept to be asked for")


async def get_submission(_: web.Request) -> web.StreamResponse:
    """`GET /submissions/{token}`."""
    raise NoTokensError("no submission is kept here; ask with wait=true")


async def languages(request: web.Request) -> web.StreamResponse:
    """`GET /languages`: those of Judge0 that are here."""
    return serving.answer([{"id": id, "name": name} for id, name in _available(request)])


async def language(request: web.Request) -> web.StreamResponse:
    """`GET /languages/{id}`."""
    for id, name in _available(request):
        if request.match_info["id"] == str(id):
            return serving.answer({"id": id, "name": name, "is_archived": False})
    raise NoTokensError(f"no language {request.match_info['id'][:20]} here")


async def statuses(_: web.Request) -> web.StreamResponse:
    """`GET /statuses`."""
    return serving.answer(
        [{"id": id, "description": description} for id, description in STATUSES.items()]
    )


async def about(_: web.Request) -> web.StreamResponse:
    """`GET /about`: whose protocol this is, and who answers."""
    return serving.answer(
        {
            "version": "1.13.1",
            "homepage": "https://judge0.com",
            "maintainer": f"ScaleBox {scalebox.__version__}, by Judge0's protocol",
        }
    )


def _available(request: web.Request) -> list[tuple[int, str]]:
    known = request.app[CONTEXT].engine.languages()
    here = {info.name for info in known if info.available}
    return [(id, name) for id, (name, ours) in LANGUAGES.items() if ours in here]


def _fields(asked: str) -> tuple[str, ...]:
    """Judge0's parameter `fields`.

    Raises:
        BadRequestError: it names one that there is not.
    """
    names = tuple(name.strip() for name in asked[:1000].split(",") if name.strip())
    if not names:
        return _DEFAULT_FIELDS
    if "*" in names:
        return _FIELDS
    unknown = [name for name in names if name not in _FIELDS]
    if unknown:
        raise BadRequestError(f"invalid fields: [{', '.join(unknown)}]")
    return names


def _decoded(name: str, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return base64.b64decode(text).decode()
    except (binascii.Error, ValueError):
        raise FieldsError({name: "is not base64 of UTF-8 text"}) from None


def _program(request: web.Request, wanted: Wanted) -> RunRequest:
    """What is to be run.

    Raises:
        FieldsError: something is missing, or is not done here.
    """
    most = request.app[CONTEXT].config.limits
    wrong: dict[str, str] = {}
    if not wanted.source_code:
        wrong["source_code"] = "can't be blank"
    if wanted.language_id is None:
        wrong["language_id"] = "can't be blank"
    elif wanted.language_id not in LANGUAGES:
        wrong["language_id"] = f"language with id {wanted.language_id} doesn't exist"
    if len(wanted.command_line_arguments) > _MAX_ARGUMENTS:
        wrong["command_line_arguments"] = f"is too long (maximum is {_MAX_ARGUMENTS} characters)"
    refused = {
        "compiler_options": (wanted.compiler_options, "setting compiler options is not allowed"),
        "callback_url": (wanted.callback_url, "setting callback is not allowed"),
        "additional_files": (wanted.additional_files, "setting additional files is not allowed"),
        "enable_network": (wanted.enable_network, "enabling network is not allowed"),
    }
    wrong.update({name: words for name, (value, words) in refused.items() if value})
    for name, number, least, bound in (
        ("cpu_time_limit", wanted.cpu_time_limit, 0, most.max_cpu_time_s),
        ("wall_time_limit", wanted.wall_time_limit, 1, most.max_wall_time_s),
        ("memory_limit", wanted.memory_limit, _LEAST_MEMORY_KB, most.max_memory_bytes / _KIBI),
    ):
        if not number <= bound:
            wrong[name] = f"must be less than or equal to {bound:g}"
        elif number < least:
            wrong[name] = f"must be greater than or equal to {least}"
    try:
        arguments = shlex.split(wanted.command_line_arguments)
    except ValueError as error:
        wrong["command_line_arguments"] = f"cannot be read: {error}"
    if wrong:
        raise FieldsError(wrong)
    return RunRequest(
        language=LANGUAGES[wanted.language_id or 0][1],
        source=wanted.source_code or "",
        stdin=wanted.stdin or "",
        args=arguments,
        limits=serving.limits(
            request,
            cpu_time_s=wanted.cpu_time_limit,
            wall_time_s=max(wanted.wall_time_limit, wanted.cpu_time_limit),
            memory_bytes=int(wanted.memory_limit * _KIBI),
        ),
    )


async def _status(result: RunResult, expected: str | None) -> int:
    if result.status is RunStatus.FINISHED:
        if expected is None:
            return _ACCEPTED
        if len(result.stdout) + len(expected) > _INLINE_BYTES:
            equal = await to_thread.run_sync(_equal, result.stdout, expected)
        else:
            equal = _equal(result.stdout, expected)
        return _ACCEPTED if equal else _WRONG
    if result.status is RunStatus.RUNTIME_ERROR:
        return _EXIT if result.signal is None else _SIGNALS.get(result.signal, _OTHER)
    return {
        RunStatus.TIME_LIMIT_EXCEEDED: _LATE,
        RunStatus.COMPILE_ERROR: _UNCOMPILED,
        RunStatus.MEMORY_LIMIT_EXCEEDED: _OTHER,
        RunStatus.OUTPUT_LIMIT_EXCEEDED: _TOO_MUCH,
    }.get(result.status, _INTERNAL)


def _equal(output: bytes, expected: str) -> bool:
    """Judge0's rule: but for white space at the end of lines, and empty lines at the end."""
    return _stripped(output.decode("utf-8", "surrogateescape")) == _stripped(expected)


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip()


def _values(wanted: Wanted, result: RunResult, status: int) -> dict[str, Any]:
    """All that can be said of a submission; texts as bytes."""
    failed = status in (_UNCOMPILED, _INTERNAL)
    stdout, stderr = result.stdout, result.stderr
    if wanted.redirect_stderr_to_stdout:
        stdout, stderr = stdout + stderr, b""
    message: str | None = None
    if status == _LATE:
        message = "Time limit exceeded"
    elif result.status is RunStatus.MEMORY_LIMIT_EXCEEDED:
        message = "Memory limit exceeded"
    elif status == _EXIT:
        message = f"Exited with error status {result.exit_code}"
    elif result.signal is not None:
        message = f"Caught fatal signal {result.signal}"
    elif status == _INTERNAL:
        message = result.message
    compiled = result.compile.message.encode() if result.compile is not None else b""
    name = LANGUAGES[wanted.language_id or 0][0]
    return {
        "token": str(uuid.uuid4()),
        "time": None if failed else f"{result.cpu_time_s:.3f}",
        "wall_time": None if failed else f"{result.wall_time_s:.3f}",
        "memory": None if failed else result.memory_bytes // _KIBI,
        "stdout": None if failed else stdout or None,
        "stderr": None if failed else stderr or None,
        "compile_output": compiled or None,
        "message": message.encode() if message else None,
        "status": {"id": status, "description": STATUSES[status]},
        "status_id": status,
        "exit_code": None if failed else result.exit_code,
        "exit_signal": result.signal,
        "source_code": (wanted.source_code or "").encode(),
        "stdin": None if wanted.stdin is None else wanted.stdin.encode(),
        "expected_output": (
            None if wanted.expected_output is None else wanted.expected_output.encode()
        ),
        "language_id": wanted.language_id,
        "language": {"id": wanted.language_id, "name": name},
    }


def _shown(name: str, value: Any, encoded: bool) -> Any:
    """A value as JSON has it.

    Raises:
        UnicodeDecodeError: it is no text, and is to be shown as such.
    """
    if name not in _TEXTS or value is None:
        return value
    return base64.encodebytes(value).decode() if encoded else value.decode()


def refuse(_: web.BaseRequest, error: ScaleboxError) -> web.Response:
    """As Judge0 does it: `error`, or words a field."""
    if isinstance(error, FieldsError):
        return serving.answer(error.fields, status=422)
    status = error.http_status
    if isinstance(error, QueueFullError | UnavailableError):
        status = 503
    return serving.answer({"error": error.message}, status=status)


PROTOCOL = Protocol(
    "judge0",
    # Rails, which Judge0 is made with, takes a slash at the end for none.
    tuple(
        (method, path + slash, handler)
        for method, path, handler in (
            ("POST", "/submissions", submit),
            ("POST", "/submissions/batch", submit_batch),
            ("GET", "/submissions/{token}", get_submission),
            ("GET", "/languages", languages),
            ("GET", "/languages/{id}", language),
            ("GET", "/statuses", statuses),
            ("GET", "/about", about),
        )
        for slash in ("", "/")
    ),
    refuse,
)
