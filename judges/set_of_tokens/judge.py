"""A set of tokens."""

from __future__ import annotations

CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    got, expected = set(_tokens(output)), set(_tokens(answer))
    for missing in expected - got:
        return False, "%s is missing" % _show(missing)
    for more in got - expected:
        return False, "%s is not in the answer" % _show(more)
    return True


def _tokens(text: str) -> list[bytes]:
    # Of bytes, because only ASCII's whitespace separates tokens.
    data = text.encode("utf-8", "surrogatepass")
    return (data if CASE_SENSITIVE else data.lower()).split()


def _show(token: bytes) -> str:
    return repr(token[:60].decode("utf-8", "replace"))
