"""A multiset of lines, each a multiset of tokens."""

from __future__ import annotations

import re

CASE_SENSITIVE = False

_LINE = re.compile(rb"[^\n]+")


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    expected = sorted(_lines(answer, len(answer)))
    got = sorted(_lines(output, len(answer)))
    if len(got) > len(expected):
        return False, "expected %d lines, got more" % len(expected)
    for mine, theirs in zip(got, expected):
        if mine < theirs:
            return False, "the line %s, in any order, is there too often" % _show(mine)
        if mine > theirs:
            return False, "the line %s, in any order, is missing" % _show(theirs)
    if len(got) < len(expected):
        return False, "the line %s, in any order, is missing" % _show(expected[len(got)])
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
            found.append(b" ".join(sorted(tokens)))
            if len(found) > most:
                break
    return found


def _show(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", "replace"))
