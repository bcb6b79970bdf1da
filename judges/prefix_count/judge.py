"""A count and a multiset of so many items."""

from __future__ import annotations

import re

ITEMS = "tokens"
CASE_SENSITIVE = False

_LINE = re.compile(rb"[^\n]+")
#: `int` is slow for long ones, and nothing that fits into memory has so many items.
_COUNT = re.compile(rb"[+]?[0-9]{1,40}")


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    expected = _items(answer, len(answer))
    if not expected or _count(expected[0]) != len(expected) - 1:
        raise ValueError("the answer does not begin with the number of its items")
    got = _items(output, len(answer))
    if not got or _count(got[0]) is None:
        return False, "the output does not begin with a count"
    if _count(got[0]) != _count(expected[0]):
        return False, "expected the count %s, got %s" % (_show(expected[0]), _show(got[0]))
    if len(got) != len(expected):
        more = "more" if len(got) > len(expected) else "%d" % (len(got) - 1)
        return False, "the count is %s, and %s items follow" % (_show(got[0]), more)
    for mine, theirs in zip(sorted(got[1:]), sorted(expected[1:])):
        if mine < theirs:
            return False, "%s is there too often" % _show(mine)
        if mine > theirs:
            return False, "%s is missing" % _show(theirs)
    return True


def _items(text: str, most: int) -> list[bytes]:
    """At most one more than `most`, and of a line as many tokens: a flood is not taken apart.

    Of bytes, because only ASCII's whitespace separates tokens.
    """
    data = text.encode("utf-8", "surrogatepass")
    data = data if CASE_SENSITIVE else data.lower()
    if ITEMS == "tokens":
        return data.split(None, most)
    found: list[bytes] = []
    for line in _LINE.finditer(data):
        tokens = line.group().split(None, most)
        if tokens:
            found.append(b" ".join(tokens))
            if len(found) > most:
                break
    return found


def _count(item: bytes) -> int | None:
    return int(item) if _COUNT.fullmatch(item) else None


def _show(item: bytes) -> str:
    return repr(item[:60].decode("utf-8", "replace"))
