"""A multiset of tokens."""

from __future__ import annotations

CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    got, expected = sorted(_tokens(output)), sorted(_tokens(answer))
    if got == expected:
        return True
    for mine, theirs in zip(got, expected):
        if mine < theirs:
            return False, "%s is there too often" % _show(mine)
        if mine > theirs:
            return False, "%s is missing" % _show(theirs)
    return False, "expected %d tokens, got %d" % (len(expected), len(got))


def _tokens(text: str) -> list[bytes]:
    # Of bytes, because only ASCII's whitespace separates tokens.
    data = text.encode("utf-8", "surrogatepass")
    return (data if CASE_SENSITIVE else data.lower()).split()


def _show(token: bytes) -> str:
    return repr(token[:60].decode("utf-8", "replace"))
