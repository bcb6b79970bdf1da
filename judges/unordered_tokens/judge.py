"""A multiset of tokens."""

from __future__ import annotations

CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    expected = sorted(_tokens(answer))
    got = _tokens(output, len(expected))
    if len(got) > len(expected):
        return False, "expected %d tokens, got more" % len(expected)
    got.sort()
    for mine, theirs in zip(got, expected):
        if mine < theirs:
            return False, "%s is there too often" % _show(mine)
        if mine > theirs:
            return False, "%s is missing" % _show(theirs)
    if len(got) < len(expected):
        return False, "%s is missing" % _show(expected[len(got)])
    return True


def _tokens(text: str, most: int = -1) -> list[bytes]:
    """Of bytes, because only ASCII's whitespace separates tokens.

    What comes after `most` of them is one more: a flood is not taken apart.
    """
    data = text.encode("utf-8", "surrogatepass")
    return (data if CASE_SENSITIVE else data.lower()).split(None, most)


def _show(token: bytes) -> str:
    return repr(token[:60].decode("utf-8", "replace"))
