"""A sequence of tokens that is a rotation of the answer's."""

from __future__ import annotations

REVERSED = False
CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    expected = _tokens(answer)
    got = _tokens(output, len(expected))
    if len(got) != len(expected):
        more = len(got) > len(expected)
        return False, "expected %d tokens, got %s" % (len(expected), "more" if more else len(got))
    if sorted(got) != sorted(expected):
        return False, "the tokens are not the answer's"
    if _least(got) == _least(expected) or (REVERSED and _least(got[::-1]) == _least(expected)):
        return True
    return False, "the tokens are the answer's, but not in that order"


def _least(tokens: list[bytes]) -> list[bytes]:
    """The rotation that comes first in order, which equal circles share.

    Two candidates advance together; where they differ, the later one jumps over all that it has
    compared, so that the time is linear.
    """
    size, one, other, length = len(tokens), 0, 1, 0
    while one < size and other < size and length < size:
        mine, theirs = tokens[(one + length) % size], tokens[(other + length) % size]
        if mine == theirs:
            length += 1
            continue
        if mine > theirs:
            one += length + 1
        else:
            other += length + 1
        if one == other:
            other += 1
        length = 0
    start = min(one, other)
    return tokens[start:] + tokens[:start]


def _tokens(text: str, most: int = -1) -> list[bytes]:
    """Of bytes, because only ASCII's whitespace separates tokens.

    What comes after `most` of them is one more: a flood is not taken apart.
    """
    data = text.encode("utf-8", "surrogatepass")
    return (data if CASE_SENSITIVE else data.lower()).split(None, most)
