"""A sequence of lines, each a sequence of tokens."""

from __future__ import annotations

import re

CASE_SENSITIVE = False

_LINE = re.compile(rb"[^\n]+")


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    expected = _lines(answer, len(answer))
    got = _lines(output, len(answer))
    for number, (mine, theirs) in enumerate(zip(got, expected), 1):
        if mine != theirs:
            words = "line %d, empty ones left out: expected %s, got %s"
            return False, words % (number, _show(theirs), _show(mine))
    if len(got) != len(expected):
        more = len(got) > len(expected)
        return False, "expected %d lines, got %s" % (len(expected), "more" if more else len(got))
    return True


def _lines(text: str, most: int) -> list[bytes]:
    """At most one more than `most`, and of each as many tokens: a flood is not taken apart.

    Of bytes, because only ASCII's whitespace separates tokens.
    """
    data = text.encode("utf-8", "surrogatepass")
    found: list[bytes] = []
    for line in _LINE.finditer(data if CASE_SENSITIVE else data.lower()):
        tokens = line.group().split(None, most)
        if tokens:
            found.append(b" ".join(tokens))
            if len(found) > most:
                break
    return found


def _show(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", "replace"))
