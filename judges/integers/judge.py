"""Integers of any length, compared by value."""

from __future__ import annotations

import re

_INTEGER = re.compile(rb"[+-]?[0-9]+")


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    expected = _tokens(answer)
    got = _tokens(output, len(expected))
    for place, (mine, theirs) in enumerate(zip(got, expected), 1):
        if mine == theirs and _INTEGER.fullmatch(mine):
            continue
        value = _value(theirs)
        if value is None:
            raise ValueError("the answer's token %d is no integer: %s" % (place, _show(theirs)))
        if _value(mine) is None:
            return False, "integer %d: %s is none" % (place, _show(mine))
        if _value(mine) != value:
            words = "integer %d: expected %s, got %s"
            return False, words % (place, _show(theirs), _show(mine))
    if len(got) != len(expected):
        more = len(got) > len(expected)
        return False, "expected %d integers, got %s" % (len(expected), "more" if more else len(got))
    return True


def _tokens(text: str, most: int = -1) -> list[bytes]:
    """Of bytes, because only ASCII's whitespace separates tokens.

    What comes after `most` of them is one more: a flood is not taken apart.
    """
    return text.encode("utf-8", "surrogatepass").split(None, most)


def _value(token: bytes) -> bytes | None:
    """Equal for equal integers; `int` refuses long ones, and is slow for them."""
    if not _INTEGER.fullmatch(token):
        return None
    digits = token.lstrip(b"+-").lstrip(b"0")
    return b"-" + digits if digits and token[:1] == b"-" else digits


def _show(token: bytes) -> str:
    return repr(token[:60].decode("utf-8", "replace"))
