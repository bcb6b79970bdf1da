"""The share of lines that are right."""

from __future__ import annotations

CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> float | tuple[float, str]:
    if output == answer:
        return 1.0
    got, expected = _text(output), _text(answer)
    count = expected.count(b"\n") + 1
    # What comes after so many is one more, and so within each: a flood is not taken apart.
    pairs = zip(got.split(b"\n", count), expected.split(b"\n"))
    right = sum(mine.split(None, len(theirs)) == theirs.split() for mine, theirs in pairs)
    most = max(got.count(b"\n") + 1, count)
    if right == most:
        return 1.0
    return right / most, "%d of %d lines are right" % (right, most)


def _text(text: str) -> bytes:
    # Of bytes, because only ASCII's whitespace separates tokens.
    data = text.encode("utf-8", "surrogatepass").rstrip()
    return data if CASE_SENSITIVE else data.lower()
