"""NeMo-Skills' sandbox: `POST /execute`, with sessions of IPython that go on from call to call.

The messages are those of NVIDIA-NeMo/Skills:nemo_skills/code_execution/local_sandbox/
local_sandbox_server.py; its client, nemo_skills/code_execution/sandbox.py, waits for `timeout` and
five seconds, takes 502 and its own patience's end for a program's timeout, and builds a session
anew, from the cells that it remembers, when it is told that one was created.

There is no process here between two calls.  A session is the cells that it has run so far
(`sessions`); each call runs them again, without a word, before its own.  What a cell does with the
clock, chance or files outside of its run is not what it did before.
"""

from __future__ import annotations

import re

import anyio.to_thread
from aiohttp import web
from msgspec import Struct

from scalebox.api.compat import notebook, serving
from scalebox.api.compat.serving import Deadline, Protocol
from scalebox.api.compat.sessions import Kept, Sessions
from scalebox.api.context import CONTEXT, client_of
from scalebox.errors import (
    QueueFullError,
    ScaleboxError,
    TooLargeError,
    UnavailableError,
    UnknownLanguageError,
)
from scalebox.model import RunRequest, RunResult, RunStatus

#: How long the client waits beyond the time that it gives the program.
_CLIENT_EXTRA_S = 5.0
#: What waits is ended so long after what computes: before the client gives up.
_WALL_EXTRA_S = 2.0
_LEAST_S = 0.01
_CUT = "<output cut>"
#: Languages that run as a program; `ipython` is a notebook.
_PROGRAMS = {
    "python": "python", "python3": "python", "pypy3": "pypy3", "lean4": "lean", "shell": "bash",
}  # fmt: skip
_VERBOSITIES = ("Plain", "Context", "Verbose", "Minimal")
#: Tracebacks of these are without colours and without the places of cells.
_SHORT = ("Plain", "Minimal")
_ANSI = re.compile(r"\x1B(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])")
_OUT = re.compile(r"^Out\[\d+\]:\s*")

_SESSIONS = web.AppKey("nemo_skills", Sessions)


class Execute(Struct, kw_only=True):
    """The body of `/execute`.

    Attributes:
        generated_code: the cell, or the program.
        timeout: seconds of CPU time.
        language: see `_PROGRAMS`, and `ipython`.
        std_input: a program's standard input.
        max_output_characters: of either output; more is cut.
        traceback_verbosity: of IPython.
        session_id: as earlier clients sent what is now in the header `X-Session-ID`.
    """

    generated_code: str
    timeout: float = 10.0
    language: str = "ipython"
    std_input: str = ""
    max_output_characters: int = 1000
    traceback_verbosity: str = "Plain"
    session_id: str | None = None


class Executed(Struct, kw_only=True, omit_defaults=True):
    """The answer of `/execute`.

    Attributes:
        process_status: `completed`, `error`, `timeout`; a proof that does not hold is `failed`.
        new_session_created: of sessions: whether nothing of earlier calls is left.
    """

    process_status: str
    stdout: str
    stderr: str
    new_session_created: bool | None = None


async def execute(request: web.Request) -> web.StreamResponse:
    """`POST /execute`."""
    deadline = Deadline()
    wanted = await serving.read(request, Execute)
    deadline.after(wanted.timeout + _CLIENT_EXTRA_S)
    try:
        if wanted.language == "ipython":
            done = await _session(request, deadline, wanted)
        else:
            done = await _program(request, deadline, wanted)
    except (UnknownLanguageError, TooLargeError) as error:
        done = Executed(process_status="error", stdout="", stderr=f"{error.message}\n")
    most = max(wanted.max_output_characters, 0)
    done.stdout, done.stderr = _cut(done.stdout, most), _cut(done.stderr, most)
    return serving.answer(done)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + _CUT


# --- programs -------------------------------------------------------------------------------------


async def _program(request: web.Request, deadline: Deadline, wanted: Execute) -> Executed:
    """A program, without a session.

    Raises:
        UnknownLanguageError: there is no such language here.
    """
    language = _PROGRAMS.get(wanted.language)
    if language is None:
        raise UnknownLanguageError(
            f"no language {wanted.language!r} here; there are: ipython, {', '.join(_PROGRAMS)}"
        )
    work = RunRequest(
        language=language,
        source=wanted.generated_code,
        stdin=wanted.std_input,
        limits=serving.limits(
            request, cpu_time_s=_timeout_s(wanted), wall_time_s=_timeout_s(wanted) + _WALL_EXTRA_S
        ),
    )
    result = await serving.run(request, deadline, work)
    if result.status is RunStatus.INTERNAL_ERROR:
        raise UnavailableError(result.message)
    if language == "lean":
        return of_proof(wanted, result, request.app[CONTEXT].config.engine.excerpt_bytes)
    return _of_program(wanted, result)


def _timeout_s(wanted: Execute) -> float:
    """What is no number is nothing, too."""
    return wanted.timeout if wanted.timeout > _LEAST_S else _LEAST_S


def _of_program(wanted: Execute, result: RunResult) -> Executed:
    output, errors = _text(result.stdout), _text(result.stderr)
    if result.status is RunStatus.TIME_LIMIT_EXCEEDED:
        return Executed(process_status="timeout", stdout=output, stderr=errors + _late(wanted))
    if result.status is not RunStatus.FINISHED and not errors:
        errors = f"{result.message}\n"
    # A program in Python has always completed there, whatever its exit code.
    ended_well = result.status is RunStatus.FINISHED or wanted.language != "shell"
    status = "completed" if ended_well else "error"
    return Executed(process_status=status, stdout=output, stderr=errors)


def of_proof(wanted: Execute, result: RunResult, excerpt_bytes: int) -> Executed:
    """What Lean says of a file: all of it on standard output.

    Clients look there for `sorry`, of which Lean only warns (nemo_skills/code_execution/
    proof_utils.py: `determine_proof_status`).  So the word is never among what is cut, and where
    Lean has said more than is kept, nobody knows, and the proof does not count.

    Parameters:
        excerpt_bytes: how much is kept of what a compiler says.
    """
    said = result.compile.message if result.compile is not None else ""
    output = said + _text(result.stdout)
    errors = _text(result.stderr)
    if result.status is RunStatus.TIME_LIMIT_EXCEEDED:
        return Executed(process_status="timeout", stdout=output, stderr=errors + _late(wanted))
    if len(said.encode()) >= excerpt_bytes - 4:
        errors += "Lean says more than is kept of it, so whether this is a proof is not known\n"
        return Executed(process_status="failed", stdout=output, stderr=errors)
    if "sorry" in output.lower():
        output = f"declaration uses 'sorry'\n{output}"
    proven = result.status is RunStatus.FINISHED
    return Executed(
        process_status="completed" if proven else "failed", stdout=output, stderr=errors
    )


def _late(wanted: Execute) -> str:
    return f"Execution timed out after {wanted.timeout} seconds\n"


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")


# --- sessions -------------------------------------------------------------------------------------


async def _session(request: web.Request, deadline: Deadline, wanted: Execute) -> Executed:
    """The next cell of a session, or one without.

    Raises:
        TooLargeError: the session has had as many as it can.
    """
    name = request.headers.get("X-Session-ID") or wanted.session_id
    if not name:
        done, _ = await _cell(request, deadline, wanted, [])
        return done
    sessions = request.app[_SESSIONS]
    async with sessions.using(client_of(request).scope, name) as session:
        sessions.check_room(session, wanted.generated_code)
        is_new = not session.known
        done, ending = await _cell(request, deadline, wanted, list(session.cells))
        session.known = True
        # What was interrupted had its effects there up to then, and has none here.
        if ending in ("ok", "error"):
            sessions.add(session, Kept(wanted.generated_code, ending))
        elif ending != "late":
            sessions.forget(session)
            is_new = True
        done.new_session_created = is_new
        return done


async def _cell(
    request: web.Request, deadline: Deadline, wanted: Execute, before: list[Kept]
) -> tuple[Executed, str]:
    """Run a cell after others.

    Returns:
        the answer; and how it ended: as a notebook's cell does, or `diverged`: a cell before it
        came to another end than it had.

    Raises:
        UnknownLanguageError: there is no kernel here.
    """
    timeout_s = _timeout_s(wanted)
    verbosity = wanted.traceback_verbosity.capitalize()
    work = notebook.run_request(
        [*(kept.text for kept in before), wanted.generated_code],
        cell_timeout_s=timeout_s,
        cell_wall_s=timeout_s + _WALL_EXTRA_S,
        limits=serving.limits(request, cpu_time_s=timeout_s * (len(before) + 1) + notebook.START_S),
        traceback=verbosity if verbosity in _VERBOSITIES else "Plain",
        silent=len(before),
    )
    result = await serving.run(request, deadline, work)
    if result.status is RunStatus.INTERNAL_ERROR:
        raise UnavailableError(result.message)
    ran = await anyio.to_thread.run_sync(notebook.read, result)
    if ran.missing:
        raise UnknownLanguageError(ran.missing)
    again = [cell.ending for cell in ran.cells[: len(before)]]
    if again != [kept.ending for kept in before] or len(ran.cells) <= len(before):
        words = (
            "RuntimeError: the earlier cells of this session came to another end when they were "
            "run again; its state is lost\n"
        )
        return Executed(process_status="error", stdout="", stderr=words), "diverged"
    cell = ran.cells[-1]
    return _of_cell(cell, wanted, verbosity, result), cell.ending


def _of_cell(cell: notebook.Cell, wanted: Execute, verbosity: str, result: RunResult) -> Executed:
    """A cell's messages as a terminal shows them, where the original runs it."""
    shown, errors = [], cell.stream("stderr")
    for out in cell.outputs:
        match out.type:
            case "stream" if out.name == "stdout":
                shown.append(out.text)
            case "execute_result" | "display_data":
                shown.append(f"{out.data.get('text/plain', '')}\n")
            case "error":
                shown.append("\n".join(out.traceback) + "\n")
    output = _shortened("".join(shown), verbosity)
    errors = _shortened(errors, verbosity)
    if cell.ending == "late":
        return Executed(process_status="timeout", stdout=output, stderr=errors + _late(wanted))
    if cell.ending == "died":
        words = result.message or "the session's process ended"
        return Executed(process_status="error", stdout=output, stderr=f"{errors}\n{words}\n")
    status = "completed" if cell.ending == "ok" else "error"
    return Executed(process_status=status, stdout=output, stderr=errors)


def _shortened(text: str, verbosity: str) -> str:
    if verbosity not in _SHORT:
        return text
    lines = [
        _OUT.sub("", line)
        for line in _ANSI.sub("", text).split("\n")
        if not line.lstrip().startswith("File <ipython-")
    ]
    short = "\n".join(lines).lstrip("\n").rstrip()
    return f"{short}\n" if short else ""


# --- about sessions -------------------------------------------------------------------------------


async def health(_: web.Request) -> web.Response:
    """`GET /health`."""
    return serving.answer({"status": "healthy", "worker": "scalebox"})


async def list_sessions(request: web.Request) -> web.Response:
    """`GET /sessions`: those of the client that asks."""
    told = {
        session.name: {
            "backend": "ipython",
            "created": session.created_s,
            "last_used": session.used_s,
            "alive": True,
        }
        for session in request.app[_SESSIONS].of(client_of(request).scope)
    }
    return serving.answer({"sessions": told, "backend": "ipython"})


async def delete_session(request: web.Request) -> web.Response:
    """`DELETE /sessions/{session}`."""
    name = request.match_info["session"]
    if request.app[_SESSIONS].delete(client_of(request).scope, name):
        return serving.answer({"message": f"IPython session {name} deleted successfully"})
    return serving.answer({"error": f"IPython session {name} not found"}, status=404)


def _refuse(_: web.BaseRequest, error: ScaleboxError) -> web.Response:
    """502 for what says nothing about the program: the client's word for a time that ran out."""
    status = error.http_status
    if isinstance(error, QueueFullError | UnavailableError) or status >= 500:
        status = 502
    done = Executed(process_status="error", stdout="", stderr=f"{error.message}\n")
    return serving.answer(done, status=status)


def prepare(app: web.Application) -> None:
    """What the handlers keep."""
    app[_SESSIONS] = Sessions()


PROTOCOL = Protocol(
    "nemo_skills",
    (
        ("POST", "/execute", execute),
        ("GET", "/health", health),
        ("GET", "/sessions", list_sessions),
        ("DELETE", "/sessions/{session}", delete_session),
    ),
    _refuse,
    prepare,
)
