"""The text of the harnesses, made self-contained: what is sent into a sandbox as a program.

A harness is written as a module of `scalebox.judging.harness` so that it can be checked and read
like any other; inside the sandbox there is no such package, so the modules that it imports from
there are put in the place of the import, each once.
"""

from __future__ import annotations

import functools
import importlib.resources
import re

_IMPORT = re.compile(
    r"^from scalebox\.judging\.harness\.(\w+) import (?:\([^)]*\)|[^\n]*)\n", re.MULTILINE
)
_FUTURE = "from __future__ import annotations\n"


@functools.cache
def harness_source(name: str) -> bytes:
    """The self-contained source of `harness/{name}.py`, UTF-8.

    Raises:
        FileNotFoundError: there is no such harness in this installation.
    """
    return _inline(name, set()).encode()


@functools.cache
def harness_file(name: str) -> bytes:
    """The text of a harness in another language than Python.

    Raises:
        FileNotFoundError: there is no such file in this installation.
    """
    return importlib.resources.files("scalebox.judging.harness").joinpath(name).read_bytes()


def _inline(name: str, done: set[str]) -> str:
    folder = importlib.resources.files("scalebox.judging.harness")
    text = folder.joinpath(f"{name}.py").read_text(encoding="utf-8")
    if done:
        # Only a file's first statement may be this one, and the first file has it.
        text = text.replace(_FUTURE, "")
    done.add(name)

    def put(match: re.Match[str]) -> str:
        return "" if match[1] in done else _inline(match[1], done)

    return _IMPORT.sub(put, text)
