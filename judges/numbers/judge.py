"""Decimal numbers: integers by value, others within a tolerance."""

from __future__ import annotations

import re

ABSOLUTE = 1e-6
RELATIVE = 1e-6

_INTEGER = re.compile(rb"[+-]?[0-9]+")
_DECIMAL = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    expected = _tokens(answer)
    got = _tokens(output, len(expected))
    for place, (mine, theirs) in enumerate(zip(got, expected), 1):
        if not _DECIMAL.fullmatch(theirs):
            raise ValueError("the answer's token %d is no number: %s" % (place, _show(theirs)))
        if not _DECIMAL.fullmatch(mine):
            return False, "number %d: %s is none" % (place, _show(mine))
        if not _equal(mine, theirs):
            words = "number %d: expected %s, got %s"
            return False, words % (place, _show(theirs), _show(mine))
    if len(got) != len(expected):
        more = len(got) > len(expected)
        return False, "expected %d numbers, got %s" % (len(expected), "more" if more else len(got))
    return True


def _tokens(text: str, most: int = -1) -> list[bytes]:
    """Of bytes, because only ASCII's whitespace separates tokens.

    What comes after `most` of them is one more: a flood is not taken apart.
    """
    return text.encode("utf-8", "surrogatepass").split(None, most)


def _equal(mine: bytes, theirs: bytes) -> bool:
    if mine == theirs:
        return True
    if _INTEGER.fullmatch(theirs):
        return bool(_INTEGER.fullmatch(mine)) and _value(mine) == _value(theirs)
    one, other = float(mine), float(theirs)
    if one - one != 0 or other - other != 0:  # beyond what a double can hold
        return False
    return abs(one - other) <= max(ABSOLUTE, RELATIVE * abs(other))


def _value(integer: bytes) -> bytes:
    """Equal for equal integers; `int` refuses long ones, and is slow for them."""
    digits = integer.lstrip(b"+-").lstrip(b"0")
    return b"-" + digits if digits and integer[:1] == b"-" else digits


def _show(token: bytes) -> str:
    return repr(token[:60].decode("utf-8", "replace"))
