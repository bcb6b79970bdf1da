"""The program in a completion: found here, or by code that the client sends.

SandboxFusion's `custom_extract_logic` is Python that its server executes in its own process
(bytedance/SandboxFusion:sandbox/utils/extraction.py).  Here it runs in a slot, like any program of
strangers, with the names that it finds there.
"""

from __future__ import annotations

from aiohttp import web
from msgspec import MsgspecError, Struct, json

from scalebox.api.compat import serving
from scalebox.api.compat.serving import Deadline
from scalebox.errors import BadRequestError
from scalebox.extraction import extract_code
from scalebox.model import Limits, RunRequest, RunStatus

#: What that server gives a block with a fence, which is more than one that is only likely.
_FENCED = 30
#: Programs are small; what hands in more is after something else.
_LIMITS = Limits(cpu_time_s=10.0, file_bytes=8 << 20)
_FOUND, _LOGIC = "blocks.json", "logic.py"
_MOST_WORDS = 500
#: What the code finds: the completion, blocks of code to be made, and how those are handed in.
_RUN = r"""
import json as _json
import re as _re
import sys as _sys

completion = _sys.stdin.buffer.read().decode("utf-8", "surrogatepass")


class CodeBlock:
    def __init__(self, priority, language="", code=""):
        self.priority, self.language, self.code = priority, language, code


def extract_fenced_code(text):
    found = _re.finditer(r"^```([^\n`]*)\n(.*?)\n[ \t]*```", text, _re.DOTALL | _re.MULTILINE)
    return [CodeBlock(30, one[1].strip().lower(), one[2]) for one in found]


def extract_heuristic_code(text, language=""):
    return []


_blocks = []


def submit_code_blocks(blocks):
    for one in blocks:
        _blocks.append({"priority": one.priority, "language": one.language, "code": one.code})


with open("logic.py", encoding="utf-8") as _file:
    _logic = _file.read()
_names = ("completion", "CodeBlock", "submit_code_blocks", "extract_fenced_code",
          "extract_heuristic_code")
exec(_logic, {name: globals()[name] for name in _names})
with open("blocks.json", "w", encoding="utf-8") as _file:
    _json.dump(_blocks, _file)
"""


class _Block(Struct):
    priority: float
    code: str
    language: str = ""


def found_in(completion: str, language: str) -> str:
    """The first block of the language, as those servers take it; empty: there is no code."""
    code = extract_code(completion, language=language, rule="first")
    # As they give it: without the line feed before the fence.
    return code.removesuffix("\n") if code is not None and code.strip() else ""


async def found_by(
    logic: str, request: web.Request, deadline: Deadline, completion: str, language: str
) -> str:
    """What the client's code hands in, where that has the highest priority.

    Parameters:
        logic: Python that calls `submit_code_blocks`.
        request: for its daemon.
        deadline: when the client gives up.
        completion: the model's answer.
        language: of the program.

    Raises:
        BadRequestError: the code fails.
        ScaleboxError: as `serving.run`.
    """
    wanted = RunRequest(
        language="python",
        source=_RUN,
        files={_LOGIC: logic},
        stdin=completion,
        fetch=[_FOUND],
        limits=_LIMITS,
    )
    result = await serving.run(request, deadline, wanted)
    if result.status is RunStatus.INTERNAL_ERROR:
        raise serving.DeadlineError(result.message or "the client's code could not be run")
    try:
        blocks = json.decode(result.files.get(_FOUND, b""), type=list[_Block])
    except MsgspecError:
        words = result.stderr.decode("utf-8", "replace").strip() or result.message
        raise BadRequestError(
            f"it hands in no blocks of code: {words[-_MOST_WORDS:]}",
            field="config.custom_extract_logic",
        ) from None
    highest = max((block.priority for block in blocks), default=0.0)
    fenced = found_in(completion, language)
    if fenced and highest < _FENCED:
        return fenced
    best = [block for block in blocks if block.priority == highest]
    of_language = [block for block in best if block.language == language]
    return next((block.code for block in of_language or best if block.code.strip()), "")
