"""A multiset of lines, each a sequence of tokens."""

from __future__ import annotations

CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    got, expected = sorted(_lines(output)), sorted(_lines(answer))
    if got == expected:
        return True
    for mine, theirs in zip(got, expected):
        if mine < theirs:
            return False, "the line %s is there too often" % _show(mine)
        if mine > theirs:
            return False, "the line %s is missing" % _show(theirs)
    return False, "expected %d lines, got %d" % (len(expected), len(got))


def _lines(text: str) -> list[bytes]:
    # Of bytes, because only ASCII's whitespace separates tokens.
    data = text.encode("utf-8", "surrogatepass")
    lines = (data if CASE_SENSITIVE else data.lower()).split(b"\n")
    return [line for line in (b" ".join(line.split()) for line in lines) if line]


def _show(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", "replace"))
