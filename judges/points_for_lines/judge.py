"""The share of lines that are right."""

from __future__ import annotations

CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> float | tuple[float, str]:
    if output == answer:
        return 1.0
    got, expected = _lines(output), _lines(answer)
    right = sum(mine == theirs for mine, theirs in zip(got, expected))
    most = max(len(got), len(expected))
    if right == most:
        return 1.0
    return right / most, "%d of %d lines are right" % (right, most)


def _lines(text: str) -> list[bytes]:
    # Of bytes, because only ASCII's whitespace separates tokens.
    data = text.encode("utf-8", "surrogatepass").rstrip()
    lines = (data if CASE_SENSITIVE else data.lower()).split(b"\n")
    return [b" ".join(line.split()) for line in lines]
