"""A permutation as long as the answer."""

from __future__ import annotations

import re

FIRST = 1

#: `int` is slow for long ones, and no permutation that fits into memory has them.
_INTEGER = re.compile(rb"[+-]?[0-9]{1,40}")


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    count = len(_tokens(answer))
    tokens = _tokens(output, count)
    if len(tokens) != count:
        words = "expected %d integers, got %s"
        return False, words % (count, "more" if len(tokens) > count else len(tokens))
    seen = bytearray(count)
    for place, token in enumerate(tokens, 1):
        value = int(token) if _INTEGER.fullmatch(token) else None
        if value is None or not 0 <= value - FIRST < count:
            words = "token %d: %s is no integer from %d to %d"
            return False, words % (place, _show(token), FIRST, FIRST + count - 1)
        if seen[value - FIRST]:
            return False, "token %d: %d is there twice" % (place, value)
        seen[value - FIRST] = 1
    return True


def _tokens(text: str, most: int = -1) -> list[bytes]:
    """Of bytes, because only ASCII's whitespace separates tokens.

    What comes after `most` of them is one more: a flood is not taken apart.
    """
    return text.encode("utf-8", "surrogatepass").split(None, most)


def _show(token: bytes) -> str:
    return repr(token[:60].decode("utf-8", "replace"))
