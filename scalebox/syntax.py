"""Python's own parser for many threads at once.

CPython 3.11 counts the depth of the trees that it makes for the interpreter, not for each call:
where another thread comes in between and parses, too, one of the two can end with `SystemError: AST
constructor recursion depth mismatch` (seen with 3.11.7; python/cpython issue 106905).
"""

from __future__ import annotations

import ast
import threading

_lock = threading.Lock()
#: The lock holds our own threads; somebody else's in this process may parse, too.
_TRIES = 20


def parsed(source: str, oldest: tuple[int, int] | None = None) -> ast.Module:
    """A module's tree.

    Parameters:
        oldest: version of Python whose syntax it may have; None: this one's.

    Raises:
        SyntaxError: it does not parse.
        ValueError: it holds NUL bytes, or a number of thousands of digits.
        RecursionError: it is nested too deep.
        MemoryError: so deep that the parser's own stack does not hold it.
    """
    for _ in range(_TRIES - 1):
        try:
            with _lock:
                return ast.parse(source, feature_version=oldest)
        except SystemError:
            continue
    return ast.parse(source, feature_version=oldest)
