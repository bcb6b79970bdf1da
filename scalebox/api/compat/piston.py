"""Piston, version 2: `/execute`, `/runtimes`, `/packages`.

The messages and the words of refusals are those of engineer-man/piston:api/src/api/v2.js and
api/src/job.js.  open-r1's client (huggingface/open-r1:src/open_r1/utils/competitive_programming/
piston_client.py) waits 30 s for an answer and asks again, up to five times, whenever the status is
not 200; after that it takes the program for wrong, so work is held until shortly before.

Languages are this daemon's.  The two packages that open-r1 adds to Piston have modules of their
own.
"""

from __future__ import annotations

import base64
import binascii
import re
import signal
from typing import Any

from aiohttp import web
from msgspec import Struct

from scalebox.api.compat import piston_codeforces, serving
from scalebox.api.compat.piston_codeforces import Codeforces
from scalebox.api.compat.piston_contests import VERSION, Contest, File, Stage
from scalebox.api.compat.piston_ioi import Ioi
from scalebox.api.compat.serving import Deadline, Protocol
from scalebox.api.context import CONTEXT
from scalebox.errors import (
    BadRequestError,
    InternalError,
    QueueFullError,
    ScaleboxError,
    UnavailableError,
)
from scalebox.model import (
    Blob,
    CompileResult,
    Data,
    LanguageInfo,
    RunRequest,
    RunResult,
    RunStatus,
)

#: Piston's own defaults (api/src/config.js): milliseconds.
_RUN_TIMEOUT_MS, _COMPILE_TIMEOUT_MS = 3000.0, 10_000.0
#: open-r1's client waits so long (`ClientTimeout(sock_read=30)`); others at least for the run.
_CLIENT_S, _BEYOND_RUN_S = 30.0, 10.0
_CONSTRAINTS = tuple(
    f"{stage}_{what}"
    for what in ("memory_limit", "timeout", "cpu_time")
    for stage in ("compile", "run")
)
#: Bounded, since a tool chain says its version in its own words.
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){0,3}")


class Execute(Struct, kw_only=True):
    """The body of `/execute`; its checks are made one by one, for Piston's own words.

    Attributes:
        run_timeout, compile_timeout, run_cpu_time, compile_cpu_time: milliseconds.
        run_memory_limit, compile_memory_limit: bytes; -1: the daemon's default.
    """

    language: Any = None
    version: Any = None
    files: Any = None
    stdin: str = ""
    args: list[str] = []
    run_timeout: Any = None
    compile_timeout: Any = None
    run_cpu_time: Any = None
    compile_cpu_time: Any = None
    run_memory_limit: Any = None
    compile_memory_limit: Any = None


class Package(Struct, kw_only=True):
    """The body of `POST` and `DELETE /packages`."""

    language: str
    version: str = "*"


class Executed(Struct, kw_only=True, omit_defaults=True):
    """The answer of `/execute`; `compile` is there where the language compiles."""

    language: str
    version: str
    run: Stage
    compile: Stage | None = None


class PackageError(ScaleboxError):
    """A package cannot be installed or removed."""

    code = "package"
    http_status = 500


class UnknownPackageError(PackageError):
    """There is no such package."""

    http_status = 404


async def execute(request: web.Request) -> web.StreamResponse:
    """`POST /execute`: run a program, or test it as the packages of open-r1 do."""
    deadline = Deadline(_CLIENT_S)
    wanted = await serving.read(request, Execute)
    files = _checked(request, wanted)
    run_s = (wanted.run_timeout or _RUN_TIMEOUT_MS) / 1000
    deadline.after(max(_CLIENT_S, run_s + _BEYOND_RUN_S))
    contest = _contest(wanted.language, wanted.version)
    if contest is not None:
        compiled, run = await contest.test(
            request, deadline, files, run_s, wanted.run_memory_limit or 0
        )
        return serving.answer(
            Executed(language=contest.language, version=contest.version, run=run, compile=compiled)
        )
    runtime = _runtime(request, wanted.language, wanted.version)
    result = await serving.run(request, deadline, _run_request(request, wanted, files, run_s))
    return serving.answer(_executed(runtime, result))


async def runtimes(request: web.Request) -> web.StreamResponse:
    """`GET /runtimes`: the languages that are here."""
    known = [
        {"language": one.name, "version": _version(one), "aliases": one.aliases}
        for one in request.app[CONTEXT].engine.languages()
        if one.available
    ]
    return serving.answer([*known, *_contests()])


async def packages(request: web.Request) -> web.StreamResponse:
    """`GET /packages`: all languages, here or not."""
    return serving.answer(
        [
            {
                "language": one.name,
                "language_version": _version(one),
                "installed": one.available,
            }
            for one in request.app[CONTEXT].engine.languages()
        ]
    )


async def install(request: web.Request) -> web.StreamResponse:
    """`POST /packages`: nothing is installed; whether it is here is said."""
    package = await serving.read(request, Package)
    contest = _contest(package.language, package.version)
    if contest is not None:
        return serving.answer({"language": contest.language, "version": contest.version})
    info = _language(request, package.language)
    if info is None:
        raise UnknownPackageError(
            f"Requested package {package.language[:100]}-{package.version[:100]} does not exist"
        )
    if not info.available:
        raise PackageError(f"nothing is installed over this API: {info.missing}")
    return serving.answer({"language": info.name, "version": _version(info)})


async def uninstall(request: web.Request) -> web.StreamResponse:
    """`DELETE /packages`: refused."""
    await serving.read(request, Package)
    raise PackageError("languages are the host's tool chains; they are not removed over this API")


def _contest(language: str, version: str) -> Contest | None:
    """The package of open-r1's that is asked for, if it is one."""
    if version.strip() not in ("*", VERSION):
        return None
    if language == "cms_ioi":
        return Ioi(language)
    return Codeforces(language) if language in piston_codeforces.LANGUAGES else None


def _contests() -> list[dict[str, Any]]:
    by_language: dict[str, list[str]] = {}
    for name, language in piston_codeforces.LANGUAGES.items():
        by_language.setdefault(language, []).append(name)
    known = [("cms_ioi", ["cms_ioi"]), *(("codeforces", one) for one in by_language.values())]
    return [
        {"language": names[0], "version": VERSION, "aliases": names[1:], "runtime": runtime}
        for runtime, names in known
    ]


def _checked(request: web.Request, wanted: Execute) -> list[File]:
    """The files, once all that Piston looks at has been looked at, in its order and words.

    Raises:
        BadRequestError: something is missing, or of the wrong kind, or over its bound.
    """
    for name in ("language", "version"):
        if not isinstance(getattr(wanted, name), str) or not getattr(wanted, name):
            raise BadRequestError(f"{name} is required as a string")
    if not isinstance(wanted.files, list):
        raise BadRequestError("files is required as an array")
    files = [_file(index, given) for index, given in enumerate(wanted.files)]
    if not any(file.is_text for file in files):
        raise BadRequestError("files must include at least one utf8 encoded file")
    limits = request.app[CONTEXT].config.limits
    most = {
        "run_timeout": limits.max_wall_time_s * 1000,
        "run_cpu_time": limits.max_cpu_time_s * 1000,
        "run_memory_limit": limits.max_memory_bytes,
    }
    for name in _CONSTRAINTS:
        value = getattr(wanted, name)
        if not value:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            raise BadRequestError(f"If specified, {name} must be a number")
        if value > most.get(name, value):
            raise BadRequestError(f"{name} cannot exceed the configured limit of {most[name]:g}")
        if value < 0 and not (value == -1 and name.endswith("memory_limit")):
            raise BadRequestError(f"{name} must be non-negative")
    return files


def _file(index: int, given: Any) -> File:
    content = given.get("content") if isinstance(given, dict) else None
    if not isinstance(content, str):
        raise BadRequestError(f"files[{index}].content is required as a string")
    name = given.get("name")
    if not isinstance(name, str) or not name:
        name = f"file{index}.code"
    encoding = given.get("encoding")
    try:
        if encoding == "base64":
            return File(name=name, data=base64.b64decode(content), is_text=False)
        if encoding == "hex":
            return File(name=name, data=bytes.fromhex(content), is_text=False)
    except (binascii.Error, ValueError):
        raise BadRequestError(f"files[{index}].content is not {encoding}") from None
    return File(name=name, data=content.encode("utf-8", "surrogatepass"))


def _language(request: web.Request, name: str) -> LanguageInfo | None:
    for info in request.app[CONTEXT].engine.languages():
        if name == info.name or name in info.aliases:
            return info
    return None


def _runtime(request: web.Request, name: str, version: str) -> LanguageInfo:
    info = _language(request, name)
    if info is None or not info.available or not _matches(_version(info), version):
        raise BadRequestError(f"{name[:100]}-{version[:100]} runtime is unknown")
    return info


def _version(info: LanguageInfo) -> str:
    """Three numbers, as Piston's versions are: what of them the tool chain says."""
    found = _VERSION.search(info.toolchain[:1000])
    numbers = found[0].split(".")[:3] if found else []
    return ".".join([*numbers, *["0"] * (3 - len(numbers))])


def _matches(version: str, wanted: str) -> bool:
    """Whether a version is among those that a range of npm's kind names; simple ranges only."""
    wanted = wanted.strip()
    operator = next((one for one in (">=", "^", "~", "=", "v", "") if wanted.startswith(one)), "")
    have = [int(number) for number in version.split(".")]
    asked: list[int] = []
    for part in wanted.removeprefix(operator).strip().split("."):
        if part in ("*", "x", "X", ""):
            break
        if not (part.isascii() and part.isdigit() and len(part) < 10):
            return False
        asked.append(int(part))
    if operator == ">=":
        return have >= asked
    kept = {"^": 1, "~": 2}.get(operator, len(asked))
    return have[:kept] == asked[:kept] and have >= asked


def _run_request(
    request: web.Request, wanted: Execute, files: list[File], run_s: float
) -> RunRequest:
    main = next(file for file in files if file.is_text)
    others: dict[str, Data] = {
        file.name: Blob(data=file.data) for file in files if file is not main
    }
    # Piston gives each program an end of line (api/src/job.js).
    stdin = wanted.stdin if wanted.stdin.endswith("\n") else wanted.stdin + "\n"
    return RunRequest(
        language=wanted.language,
        source=main.data.decode("utf-8", "replace"),
        files=others,
        stdin=stdin,
        args=wanted.args,
        limits=serving.limits(
            request,
            cpu_time_s=min(run_s, (wanted.run_cpu_time or run_s * 1000) / 1000),
            wall_time_s=run_s,
            memory_bytes=int(wanted.run_memory_limit or 0),
        ),
    )


def _executed(runtime: LanguageInfo, result: RunResult) -> Executed:
    if result.status is RunStatus.INTERNAL_ERROR:
        raise InternalError(result.message)
    compiled = None if result.compile is None else _compiled(result.compile)
    failed = result.status is RunStatus.COMPILE_ERROR
    # Where there is nothing to run, the compilation stands for the run, too (api/src/api/v2.js).
    run = compiled if failed and compiled is not None else _ran(result)
    return Executed(language=runtime.name, version=_version(runtime), run=run, compile=compiled)


def _compiled(result: CompileResult) -> Stage:
    return Stage(
        stderr=result.message,
        output=result.message,
        code=0 if result.ok else 1,
        status=None if result.ok else "RE",
        cpu_time=result.cpu_time_s * 1000,
    )


def _ran(result: RunResult) -> Stage:
    stdout = result.stdout.decode("utf-8", "replace")
    stderr = result.stderr.decode("utf-8", "replace")
    code, name, status, message = result.exit_code, None, None, None
    if result.status is RunStatus.TIME_LIMIT_EXCEEDED:
        code, name, status, message = None, "SIGKILL", "TO", "Time limit exceeded"
    elif result.status is RunStatus.OUTPUT_LIMIT_EXCEEDED:
        code, name, status, message = None, "SIGKILL", "OL", "stdout length exceeded"
    elif result.status is RunStatus.MEMORY_LIMIT_EXCEEDED:
        code, name, status, message = None, "SIGKILL", "SG", "Memory limit exceeded"
    elif result.signal is not None:
        code, name, status = None, _signal_name(result.signal), "SG"
        message = f"Caught fatal signal {result.signal}"
    elif result.exit_code != 0:
        code = result.exit_code if result.exit_code is not None else 1
        status, message = "RE", f"Exited with error status {code}"
    return Stage(
        stdout=stdout,
        stderr=stderr,
        output=stdout + stderr,
        code=code,
        signal=name,
        memory=result.memory_bytes,
        message=message,
        status=status,
        cpu_time=result.cpu_time_s * 1000,
        wall_time=result.wall_time_s * 1000,
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


def refuse(_: web.BaseRequest, error: ScaleboxError) -> web.Response:
    """As Piston does it: `message`; 503 and 504 where asking again may help."""
    status = error.http_status
    if isinstance(error, QueueFullError | UnavailableError):
        status = 503
    message = error.message
    if status == 415:
        message = "requests must be of type application/json"
    return serving.answer({"message": message}, status=status)


PROTOCOL = Protocol(
    "piston",
    # Express, which Piston is made with, takes a slash at the end for none.
    tuple(
        (method, path + slash, handler)
        for method, path, handler in (
            ("POST", "/execute", execute),
            ("GET", "/runtimes", runtimes),
            ("GET", "/packages", packages),
            ("POST", "/packages", install),
            ("DELETE", "/packages", uninstall),
        )
        for slash in ("", "/")
    ),
    refuse,
)
