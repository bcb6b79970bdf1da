"""A sequence of lines, each a multiset of tokens."""

from __future__ import annotations

CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    expected = _lines(answer, len(answer))
    got = _lines(output, len(answer))
    for number, (mine, theirs) in enumerate(zip(got, expected), 1):
        if mine != theirs:
            words = "line %d: expected, in any order, %s, got %s"
            return False, words % (number, _show(theirs), _show(mine))
    if len(got) != len(expected):
        more = len(got) > len(expected)
        return False, "expected %d lines, got %s" % (len(expected), "more" if more else len(got))
    return True


def _lines(text: str, most: int) -> list[bytes]:
    """What comes after `most` lines is one more, and so within each: a flood is not taken apart.

    Of bytes, because only ASCII's whitespace separates tokens.
    """
    data = text.encode("utf-8", "surrogatepass").rstrip()
    lines = (data if CASE_SENSITIVE else data.lower()).split(b"\n", most)
    return [b" ".join(sorted(line.split(None, most))) for line in lines]


def _show(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", "replace"))
