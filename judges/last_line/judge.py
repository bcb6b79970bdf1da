"""The last line that is not empty, by tokens."""

from __future__ import annotations

CASE_SENSITIVE = False


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    expected = _line(answer, -1)
    got = _line(output, len(expected))
    if got == expected:
        return True
    return False, "the last line: expected %s, got %s" % (_show(expected), _show(got))


def _line(text: str, most: int) -> list[bytes]:
    """What comes after `most` tokens is one more: a flood is not taken apart.

    Of bytes, because only ASCII's whitespace separates tokens.
    """
    data = text.encode("utf-8", "surrogatepass")
    line = data.rstrip().rsplit(b"\n", 1)[-1]
    return (line if CASE_SENSITIVE else line.lower()).split(None, most)


def _show(tokens: list[bytes]) -> str:
    return repr(b" ".join(tokens[:20])[:60].decode("utf-8", "replace"))
