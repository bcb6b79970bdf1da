"""One of the answer's lines, by tokens."""

from __future__ import annotations

CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    right = {b" ".join(line.split()) for line in _bytes(answer).split(b"\n")}
    if len(right) > 1:
        right.discard(b"")
    # What comes after as many tokens as there are bytes cannot be: a flood is not taken apart.
    got = b" ".join(_bytes(output).split(None, max(map(len, right))))
    if got in right:
        return True
    return False, "%s is none of the %d answers" % (_show(got), len(right))


def _bytes(text: str) -> bytes:
    # Because only ASCII's whitespace separates tokens.
    data = text.encode("utf-8", "surrogatepass")
    return data if CASE_SENSITIVE else data.lower()


def _show(text: bytes) -> str:
    return repr(text[:60].decode("utf-8", "replace"))
