"""A set of tokens."""

from __future__ import annotations

import re

CASE_SENSITIVE = False

_TOKEN = re.compile(rb"[^ \t\n\r\x0b\x0c]+")


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    expected = set(_bytes(answer).split())
    missing = set(expected)
    # One by one, so that a flood is not taken apart.
    for match in _TOKEN.finditer(_bytes(output)):
        token = match.group()
        if token not in expected:
            return False, "%s is not in the answer" % _show(token)
        missing.discard(token)
    return (False, "%s is missing" % _show(min(missing))) if missing else True


def _bytes(text: str) -> bytes:
    # Because only ASCII's whitespace separates tokens.
    data = text.encode("utf-8", "surrogatepass")
    return data if CASE_SENSITIVE else data.lower()


def _show(token: bytes) -> str:
    return repr(token[:60].decode("utf-8", "replace"))
