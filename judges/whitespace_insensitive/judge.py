"""Everything but whitespace."""

from __future__ import annotations

CASE_SENSITIVE = False

_SPACE = b" \t\n\r\x0b\x0c"


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    got, expected = _solid(output), _solid(answer)
    if got == expected:
        return True
    # The first difference, by halves: slices are compared at memory speed.
    low, high = 0, min(len(got), len(expected))
    while low < high:
        middle = (low + high) // 2
        if got[low : middle + 1] == expected[low : middle + 1]:
            low = middle + 1
        else:
            high = middle
    words = "byte %d without whitespace: expected %s, got %s"
    return False, words % (low + 1, _show(expected[low:]), _show(got[low:]))


def _solid(text: str) -> bytes:
    # Of bytes, because only ASCII's whitespace counts.
    data = text.encode("utf-8", "surrogatepass")
    return (data if CASE_SENSITIVE else data.lower()).translate(None, _SPACE)


def _show(rest: bytes) -> str:
    return repr(rest[:60].decode("utf-8", "replace")) if rest else "the end"
