"""Code out of a model's answer: the judge in it, or the reason why there is none.

Nothing is run here: the text is parsed, with bounds on its size.  What the code does, and whether
it is right, a daemon finds out.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

from scalebox.extraction import fenced_blocks
from scalebox.specialjudges.exchange import UnusableAnswerError
from scalebox.syntax import parsed

#: A judge is a page or two of Python.
MAX_SOURCE_BYTES = 64 << 10
#: Judges run on any Python that can be the daemon's.
_OLDEST = (3, 8)
_LANGUAGES = frozenset({"", "python"})
#: Only the last blocks of an answer are looked at.
_MOST_BLOCKS = 20
_ARGUMENTS = 3
_CUT = "the code block does not end: the answer was cut off"


@dataclass(frozen=True, slots=True)
class Extracted:
    """A judge's source.

    Attributes:
        source: the module.
        note: what was noticed when it was taken; empty: nothing.
    """

    source: str
    note: str


def extract_judge(text: str) -> Extracted:
    """The last fenced block of Python that defines `judge` with three parameters.

    An answer without any fence that is such a module as a whole is taken, too.

    Raises:
        UnusableAnswerError: there is none; the message says why, and is fit to be told to the
            model.
    """
    blocks = [block for block in fenced_blocks(text) if block.language in _LANGUAGES]
    blocks = blocks[-_MOST_BLOCKS:]
    if not blocks:
        return _whole(text)
    troubles = [(block, _trouble(block.text) if block.closed else _CUT) for block in blocks]
    good = [block for block, trouble in troubles if not trouble]
    if good:
        several = f"the last of {len(good)} blocks that define judge was taken"
        return Extracted(good[-1].text, several if len(good) > 1 else "")
    # The one that was meant: the last that speaks of `judge`, else the last.
    meant = [trouble for block, trouble in troubles if "def judge" in block.text]
    trouble = (meant or [trouble for _block, trouble in troubles])[-1]
    if len(blocks) > 1:
        trouble = f"none of {len(blocks)} code blocks is a whole judge; of the last one: {trouble}"
    raise UnusableAnswerError(trouble)


def _whole(text: str) -> Extracted:
    if not text.strip():
        raise UnusableAnswerError("the answer is empty")
    trouble = _trouble(text) if "def judge" in text else "prose"
    if trouble:
        raise UnusableAnswerError("there is no fenced block of Python in the answer")
    return Extracted(text, "the answer has no fence and was taken as a whole")


def _trouble(source: str) -> str:
    """Why a text is no judge; empty: it may be one."""
    try:
        size = len(source.encode())
    except UnicodeEncodeError:
        return "the code holds characters that are no text (half a surrogate pair)"
    if size > MAX_SOURCE_BYTES:
        return f"the code has {size:,} bytes; at most {MAX_SOURCE_BYTES:,} are taken"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parsed(source, _OLDEST)
    except SyntaxError as error:
        return f"the code does not parse: {error.msg} (line {error.lineno})"
    except (ValueError, RecursionError, MemoryError) as error:
        # NUL bytes, numbers of thousands of digits, brackets in brackets in brackets.
        return f"the code does not parse: {type(error).__name__}: {error}"
    return _trouble_with_definition(tree)


def _trouble_with_definition(tree: ast.Module) -> str:
    found: ast.stmt | None = None
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found = statement if statement.name == "judge" else found
    if found is None:
        return "the code defines no function judge(input, output, answer) at its top level"
    if not isinstance(found, ast.FunctionDef):
        return "judge must be a plain function: neither a coroutine nor a class"
    given = found.args
    positional = len(given.posonlyargs) + len(given.args)
    required = positional - len(given.defaults)
    named = any(default is None for default in given.kw_defaults)
    enough = positional >= _ARGUMENTS or given.vararg is not None
    if required > _ARGUMENTS or not enough or named:
        return f"judge takes three arguments (input, output, answer); this one has {positional}"
    return ""
