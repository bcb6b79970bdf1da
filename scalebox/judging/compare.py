"""Comparing a program's output with the jury's answer, outside the sandbox.

The rules are the ICPC default output validator's (problem package specification 2025-09): tokens
separated by whitespace, in any case unless told otherwise, numbers within a tolerance where one is
given.  An output is hostile: every comparison takes time linear in both texts and memory bounded by
a window, and a message never holds more than short excerpts.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import msgspec

from scalebox.model import Comparison

#: Output and answer up to this size together are looked at in less than a millisecond, if what is
#: to be seen is that they are equal …
QUICK_BYTES = 128 * 1024
#: … if they have to be gone through token by token …
_QUICK_TOKENS_BYTES = 16 * 1024
#: … and if each token takes more than a comparison of bytes.
_QUICK_SLOW_TOKENS_BYTES = 4 * 1024

#: Texts are taken apart in pieces of this size, so that tokens of a huge output never coexist.
_WINDOW_BYTES = 1 << 20
_EXCERPT = 60
#: Only decimal numbers are numbers: no hexadecimal, no underscores, no nan, no inf.
_DECIMAL = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(rb"[+-]?[0-9]{1,300}")
_SPACE = re.compile(rb"[ \t\n\r\x0b\x0c]")
_PIECE = re.compile(rb"[ \t\n\r\x0b\x0c]+|[^ \t\n\r\x0b\x0c]+")
_TOKEN = re.compile(rb"[^ \t\n\r\x0b\x0c]+")
_LARGEST_LOCATED = 1_000_000


class Outcome(msgspec.Struct, frozen=True):
    """What a comparison found.

    Attributes:
        accepted: whether the output is right.
        message: for people, at most about 300 characters: where the first difference is.
    """

    accepted: bool
    message: str = ""


_ACCEPTED = Outcome(True)


def compare(rule: Comparison, output: bytes, answer: bytes) -> Outcome:
    """Decide whether an output is right.

    Bytes that are not UTF-8 are compared as they are; letters without case are those of ASCII.
    With a tolerance, a token that differs from the answer's is compared as a number if both are
    decimal numbers (`-1.5`, `.5`, `1e5`); either tolerance suffices.  `nan`, `inf`, hexadecimal
    numbers and numbers beyond the range of a double are words: they match the same text only.
    In `lines`, a tolerance holds within lines that have equally many tokens.

    Parameters:
        rule: how to compare.
        output: what the program wrote.
        answer: what the jury expects.
    """
    if output == answer:
        return _ACCEPTED
    if rule.mode == "exact":
        return _compare_exact(output, answer)
    if rule.mode == "lines":
        return _compare_lines(rule, output, answer)
    if rule.space_sensitive:
        return _compare_pieces(rule, output, answer)
    if len(output) + len(answer) <= _WINDOW_BYTES:
        got, expected = output.split(), answer.split()
        if got == expected:
            return _ACCEPTED
    return _compare_tokens(rule, output, answer)


def compare_quickly(rule: Comparison, output: bytes, answer: bytes) -> Outcome | None:
    """As `compare`, if that takes no more than about a millisecond; None: it may take longer, and
    is for a worker thread."""
    size = len(output) + len(answer)
    if size > QUICK_BYTES:
        return None
    if output == answer:
        return _ACCEPTED
    if rule.mode == "tokens" and not rule.space_sensitive and output.split() == answer.split():
        return _ACCEPTED
    has_tolerance = (
        rule.float_absolute_tolerance is not None or rule.float_relative_tolerance is not None
    )
    slow = has_tolerance or rule.space_sensitive
    if size > (_QUICK_SLOW_TOKENS_BYTES if slow else _QUICK_TOKENS_BYTES):
        return None
    return compare(rule, output, answer)


def _compare_exact(output: bytes, answer: bytes) -> Outcome:
    low, high = 0, min(len(output), len(answer))
    while low < high:  # the first difference, by halves: slices are compared at memory speed
        middle = (low + high) // 2
        if output[low : middle + 1] == answer[low : middle + 1]:
            low = middle + 1
        else:
            high = middle
    line = answer.count(b"\n", 0, low) + 1
    return Outcome(
        False,
        f"byte {low + 1} (line {line}): expected {_rest(answer, low)}, got {_rest(output, low)}",
    )


def _rest(text: bytes, start: int) -> str:
    return _excerpt(text[start : start + _EXCERPT + 1]) if start < len(text) else "the end"


def _windows(text: bytes) -> Iterator[bytes]:
    """The text in pieces that end at whitespace."""
    start, size = 0, len(text)
    while start < size:
        end = start + _WINDOW_BYTES
        if end < size:
            match = _SPACE.search(text, end)
            end = match.end() if match else size
        else:
            end = size
        yield text[start:end]
        start = end


def _chunks_of_lines(text: bytes) -> Iterator[list[bytes]]:
    start, size = 0, len(text)
    while start < size:
        end = start + _WINDOW_BYTES
        end = text.find(b"\n", end) if end < size else -1
        end = size if end < 0 else end
        yield [line.rstrip() for line in text[start:end].split(b"\n")]
        start = end + 1


def _compare_tokens(rule: Comparison, output: bytes, answer: bytes) -> Outcome:
    found = _first_difference(
        rule,
        (window.split() for window in _windows(output)),
        (window.split() for window in _windows(answer)),
        _tokens_equal,
    )
    if found is None:
        return _ACCEPTED
    index, got, expected = found
    place = f"token {index + 1}"
    if expected is not None and index < _LARGEST_LOCATED:
        match = next(itertools.islice(_TOKEN.finditer(answer), index, None))
        line = answer.count(b"\n", 0, match.start()) + 1
        place += f" (line {line} of the answer)"
    return _difference(place, got, expected)


def _compare_lines(rule: Comparison, output: bytes, answer: bytes) -> Outcome:
    found = _first_difference(
        rule,
        _chunks_of_lines(output.rstrip()),
        _chunks_of_lines(answer.rstrip()),
        _lines_equal,
    )
    if found is None:
        return _ACCEPTED
    index, got, expected = found
    return _difference(f"line {index + 1}", got, expected)


def _compare_pieces(rule: Comparison, output: bytes, answer: bytes) -> Outcome:
    tokens = 0
    pieces = itertools.zip_longest(_PIECE.finditer(output), _PIECE.finditer(answer))
    for mine, theirs in pieces:
        got = mine[0] if mine else None
        expected = theirs[0] if theirs else None
        if got is not None and expected is not None:
            is_space = expected[:1].isspace()
            if got == expected or (
                not is_space and not got[:1].isspace() and _tokens_equal(rule, got, expected)
            ):
                tokens += not is_space
                continue
        return _difference(f"after {tokens} equal tokens", got, expected)
    return _ACCEPTED


def _difference(place: str, got: bytes | None, expected: bytes | None) -> Outcome:
    if expected is None:
        return Outcome(False, f"{place}: got {_excerpt(got or b'')} after the end of the answer")
    if got is None:
        return Outcome(False, f"{place}: expected {_excerpt(expected)}, but the output ended")
    return Outcome(False, f"{place}: expected {_excerpt(expected)}, got {_excerpt(got)}")


def _tokens_equal(rule: Comparison, got: bytes, expected: bytes) -> bool:
    if got == expected or (not rule.case_sensitive and got.lower() == expected.lower()):
        return True
    absolute, relative = rule.float_absolute_tolerance, rule.float_relative_tolerance
    if absolute is None and relative is None:
        return False
    return _numbers_equal(got, expected, absolute, relative)


def _lines_equal(rule: Comparison, got: bytes, expected: bytes) -> bool:
    if got == expected or (not rule.case_sensitive and got.lower() == expected.lower()):
        return True
    if rule.float_absolute_tolerance is None and rule.float_relative_tolerance is None:
        return False
    mine, theirs = got.split(), expected.split()
    return len(mine) == len(theirs) and all(
        _tokens_equal(rule, one, other) for one, other in zip(mine, theirs, strict=True)
    )


def _numbers_equal(
    got: bytes, expected: bytes, absolute: float | None, relative: float | None
) -> bool:
    if not _DECIMAL.fullmatch(expected) or not _DECIMAL.fullmatch(got):
        return False
    mine: float
    theirs: float
    if _INTEGER.fullmatch(expected) and _INTEGER.fullmatch(got):
        # Exact: as doubles, neighbours beyond 2**53 would be equal.
        mine, theirs = int(got), int(expected)
    else:
        mine, theirs = float(got), float(expected)
        if mine - mine != 0 or theirs - theirs != 0:
            return False
    error = abs(mine - theirs)
    if absolute is not None and error <= absolute:
        return True
    return relative is not None and error <= relative * abs(theirs)


def _first_difference(
    rule: Comparison,
    got: Iterator[list[bytes]],
    expected: Iterator[list[bytes]],
    same: Callable[[Comparison, bytes, bytes], bool],
) -> tuple[int, bytes | None, bytes | None] | None:
    """Compare two streams of lists item by item: (index, got, expected) or None."""
    index = 0
    mine: list[bytes] = []
    theirs: list[bytes] = []
    while True:
        while not mine:
            piece = next(got, None)
            if piece is None:
                break
            mine = piece
        while not theirs:
            piece = next(expected, None)
            if piece is None:
                break
            theirs = piece
        if not mine or not theirs:
            if not mine and not theirs:
                return None
            return index, mine[0] if mine else None, theirs[0] if theirs else None
        count = min(len(mine), len(theirs))
        head, other = mine[:count], theirs[:count]
        if head != other:
            for place, (one, two) in enumerate(zip(head, other, strict=True)):
                if one is not two and one != two and not same(rule, one, two):
                    return index + place, one, two
        index += count
        mine, theirs = mine[count:], theirs[count:]


def _excerpt(text: bytes) -> str:
    shown = repr(text[:_EXCERPT].decode("utf-8", "backslashreplace"))
    if len(shown) > 2 * _EXCERPT:
        shown = shown[: 2 * _EXCERPT] + "'"
    return shown if len(text) <= _EXCERPT else shown + "…"
