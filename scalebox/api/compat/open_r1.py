"""open-r1's routers to E2B and to Morph: `POST /execute_batch`, scripts whose result is a reward.

The messages are those of huggingface/open-r1:scripts/e2b_router.py and scripts/morph_router.py;
their clients are src/open_r1/utils/routed_sandbox.py and routed_morph.py there.  Both ask in the
same words and read different fields of the answer, so every item has the fields of both.

E2B's takes `float(execution.text)`, the value of the script's last expression, and nothing (None)
where there is none; it waits for as long as it takes.  Morph's takes `float(text)`, what came out
of the script, and 0 where that is no number; it waits for `request_timeout` seconds, and if one
text is null it gives 0 to the whole batch (code_providers.py), which is why none is null here.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from scalebox.api.compat import inside, serving
from scalebox.api.compat.serving import Deadline, DeadlineError, Protocol
from scalebox.errors import BadRequestError, ScaleboxError, TooLargeError
from scalebox.model import RunRequest, RunResult, RunStatus

#: The most scripts of one request.
_MOST_SCRIPTS = 10_000
_PYTHON = frozenset({"python", "python3", "py"})


class Batch(Struct, kw_only=True):
    """The body of `/execute_batch`.

    Attributes:
        scripts: texts of programs.
        languages: one a script; or
        language: of all of them, as earlier routers took it.
        timeout: seconds of CPU time of each.
        request_timeout: seconds that Morph's client waits.
    """

    scripts: list[str]
    languages: list[str] | None = None
    language: str = "python"
    timeout: float = 300.0
    request_timeout: float = 30.0


class Raised(Struct, kw_only=True):
    """What a script raised."""

    name: str
    value: str = ""
    traceback: str = ""


class Execution(Struct, kw_only=True):
    """What came of a script, as E2B's notebooks tell it (PyPI's e2b-code-interpreter).

    Attributes:
        results: the value of the last expression, if it has one.
        logs: `stdout` and `stderr`.
        error: what it raised.
    """

    results: list[dict[str, Any]]
    logs: dict[str, list[str]]
    error: Raised | None = None
    execution_count: int | None = 1


class Item(Struct, kw_only=True):
    """What came of a script: `execution` is for E2B's client, `text` for Morph's."""

    execution: Execution | None
    text: str
    exception_str: str | None = None


class _Told(Struct):
    """What `inside/script.py` says of a script."""

    text: str | None = None
    error: Raised | None = None


async def health(_: web.Request) -> web.Response:
    """`GET /health`."""
    return serving.answer({"status": "ok"})


async def execute_batch(request: web.Request) -> web.StreamResponse:
    """`POST /execute_batch`: an item a script, in their order."""
    deadline = Deadline()
    batch = await serving.read(request, Batch)
    if batch.request_timeout > batch.timeout:
        # It bounds the whole, then; E2B's is that of starting a sandbox, within `timeout`.
        deadline.after(batch.request_timeout)
    languages = batch.languages
    if languages is None:
        languages = [batch.language] * len(batch.scripts)
    if len(languages) != len(batch.scripts):
        raise BadRequestError(
            f"{len(batch.scripts)} scripts and {len(languages)} languages; there must be one each",
            field="languages",
        )
    if len(batch.scripts) > _MOST_SCRIPTS:
        raise TooLargeError(
            f"{len(batch.scripts)} scripts; at most {_MOST_SCRIPTS} in a request", field="scripts"
        )

    async def run(work: tuple[str, str]) -> Item:
        return await _item(request, deadline, *work, batch.timeout)

    return serving.answer(await serving.each(list(zip(batch.scripts, languages, strict=True)), run))


async def _item(
    request: web.Request, deadline: Deadline, script: str, language: str, timeout_s: float
) -> Item:
    """One script; what goes wrong with it is no matter of the others."""
    token = secrets.token_hex(16)
    limits = serving.limits(request, cpu_time_s=timeout_s)
    plain = language.lower() not in _PYTHON
    if plain:
        work = RunRequest(language=language, source=script, limits=limits)
    else:
        line = json.dumps([token, script]) + "\n"
        source = inside.source("script")
        work = RunRequest(language="python", source=source, stdin=line, limits=limits)
    try:
        result = await serving.run(request, deadline, work)
    except DeadlineError as error:
        return Item(execution=None, text="", exception_str=error.message)
    except ScaleboxError as error:
        return Item(execution=None, text="", exception_str=f"{error.code}: {error.message}")
    if result.status in (RunStatus.INTERNAL_ERROR, RunStatus.COMPILE_ERROR):
        return Item(execution=None, text="", exception_str=_why(result))
    return _of_plain(result) if plain else _of_script(result, token)


def _why(result: RunResult) -> str:
    return f"{result.status.value}: {result.message}" if result.message else result.status.value


def _of_plain(result: RunResult) -> Item:
    """In other languages than Python the result is what the program writes."""
    output, errors = _text(result.stdout), _text(result.stderr)
    error = None
    if result.status is not RunStatus.FINISHED:
        error = Raised(name=result.status.value, value=result.message, traceback=errors)
    results = [] if error else [{"text": output.strip(), "is_main_result": True}]
    logs = {"stdout": [output] if output else [], "stderr": [errors] if errors else []}
    return Item(
        execution=Execution(results=results, logs=logs, error=error),
        text="" if error else output,
        exception_str=_why(result) if error else None,
    )


def _of_script(result: RunResult, token: str) -> Item:
    written, _, line = result.stderr.rpartition(b"\n" + token.encode() + b" ")
    try:
        told = msgspec.json.decode(line, type=_Told) if line else None
    except msgspec.DecodeError:
        told = None
    if told is None:
        # It was stopped, or ended without a word: `os._exit`, say.
        return Item(execution=None, text="", exception_str=_why(result))
    output, errors = _text(result.stdout), _text(written)
    results = [] if told.text is None else [{"text": told.text, "is_main_result": True}]
    logs = {"stdout": [output] if output else [], "stderr": [errors] if errors else []}
    execution = Execution(results=results, logs=logs, error=told.error)
    if told.error is not None:
        words = f"{told.error.name}: {told.error.value}"
        return Item(execution=execution, text="", exception_str=words)
    text = output if told.text is None else told.text
    why = None if text else "No output from execution"
    return Item(execution=execution, text=text, exception_str=why)


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")


PROTOCOL = Protocol(
    "open_r1",
    (("GET", "/health", health), ("POST", "/execute_batch", execute_batch)),
    serving.unprocessable,
)
