"""Functions whose last braces their test program brings, as MultiPL-E's do.

A model writes a whole program: its function's last braces, and often a `main`, must go before such
a test program can follow.  Texts are gone over once; comments and texts with lone braces in them
are beyond this.
"""

from __future__ import annotations

import re

#: Headers of a program's beginning in the languages whose test programs bring one.
_MAINS = (
    "int main(", "public static void main(", "static void Main(", "static int Main(", "fn main(",
    "def main(",
)  # fmt: skip
# A quote that nothing closes takes the rest of its line: nothing is gone over twice.
_PART = re.compile(r"""'\\?"'|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?|[{}]""")


def closed_by(program: str) -> int:
    """How many braces a test program closes that it has not opened."""
    depth = lowest = 0
    for found in _PART.finditer(program):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        lowest = min(lowest, depth)
    return -lowest


def left_open(code: str, braces: int) -> str:
    """A program without its beginning, and without its last braces.

    Parameters:
        code: the program.
        braces: how many; 0: nothing is changed.
    """
    if not braces:
        return code
    lines = _without_main(code).splitlines(keepends=True)
    while lines and (not (last_line := lines[-1].lstrip()) or last_line.startswith(("//", "#"))):
        lines.pop()  # examples in comments have braces, too
    code = "".join(lines)
    end = len(code)
    for _ in range(braces):
        last = code.rfind("}", 0, end)
        if last < 0:
            break
        end = last
    return code[:end]


def _without_main(code: str) -> str:
    for header in _MAINS:
        found = code.find(header)
        if found >= 0:
            start = code.rfind("\n", 0, found) + 1
            return code[:start] + code[_end_of_block(code, found) :]
    return code


def _end_of_block(code: str, start: int) -> int:
    """Behind the block whose header is at `start`."""
    depth = 0
    for found in _PART.finditer(code, start):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth <= 0 and found[0] == "}":
            return found.end()
    return len(code)
