"""A multiset of numbers: by value if they are integers, else sorted and within a tolerance."""

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
    whole = all(map(_INTEGER.fullmatch, expected))
    if not whole:
        for theirs in expected:
            if not _DECIMAL.fullmatch(theirs):
                raise ValueError("the answer has a token that is no number: " + _show(theirs))
    if len(got) != len(expected):
        more = len(got) > len(expected)
        return False, "expected %d numbers, got %s" % (len(expected), "more" if more else len(got))
    kind = _INTEGER if whole else _DECIMAL
    for mine in got:
        if not kind.fullmatch(mine):
            return False, "%s is no %s" % (_show(mine), "integer" if whole else "number")
    return _integers(got, expected) if whole else _decimals(got, expected)


def _integers(got: list[bytes], expected: list[bytes]) -> bool | tuple[bool, str]:
    for mine, theirs in zip(sorted(map(_value, got)), sorted(map(_value, expected))):
        if mine < theirs:
            return False, "%s is there too often" % _show(mine or b"0")
        if mine > theirs:
            return False, "%s is missing" % _show(theirs or b"0")
    return True


def _decimals(got: list[bytes], expected: list[bytes]) -> bool | tuple[bool, str]:
    for mine, theirs in zip(sorted(map(float, got)), sorted(map(float, expected))):
        finite = mine - mine == 0 and theirs - theirs == 0  # else beyond what a double can hold
        if not finite or abs(mine - theirs) > max(ABSOLUTE, RELATIVE * abs(theirs)):
            return False, "sorted by value, %r is where %r is expected" % (mine, theirs)
    return True


def _tokens(text: str, most: int = -1) -> list[bytes]:
    """Of bytes, because only ASCII's whitespace separates tokens.

    What comes after `most` of them is one more: a flood is not taken apart.
    """
    return text.encode("utf-8", "surrogatepass").split(None, most)


def _value(integer: bytes) -> bytes:
    """Equal for equal integers; `int` refuses long ones, and is slow for them."""
    digits = integer.lstrip(b"+-").lstrip(b"0")
    return b"-" + digits if digits and integer[:1] == b"-" else digits


def _show(token: bytes) -> str:
    return repr(token[:60].decode("utf-8", "replace"))
