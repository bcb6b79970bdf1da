"""A bound on what a document becomes in memory, found before it is decoded.

Text costs in memory what it costs on the wire; an empty list or a test case without fields is one
to three bytes there and seventy here.  So the number of values in a document is bounded apart from
its size.  Only documents large enough to hold so many are looked at, and in a worker thread.
"""

from __future__ import annotations

import re

from scalebox.errors import TooLargeError

#: Test data of function calls has tens of thousands of numbers a case, and tens of cases.
MAX_VALUES = 4_000_000

_BACKSLASH = 0x5C
#: Between two texts, so few bytes are a comma and perhaps one value.
_SHORT = 3
# Possessive, so that a text of megabytes leaves nothing to go back to.
_JSON_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
#: Runs of msgpack values that have no content of their own (numbers, constants, heads of lists and
#: dictionaries), by the bytes that each takes.
_MSGPACK_RUN = re.compile(
    rb"([\x00-\x9f\xc0\xc2\xc3\xe0-\xff]++)|((?:[\xcc\xd0].)++)|((?:[\xcd\xd1\xdc\xde]..)++)|"
    rb"((?:[\xca\xce\xd2\xdd\xdf].{4})++)|((?:[\xcb\xcf\xd3].{8})++)",
    re.DOTALL,
)
_RUN_SIZES = (0, 1, 2, 3, 5, 9)
#: Head → bytes of the length that follows it, bytes between that and the content.
_LENGTHS = {
    **{0xC4 + place: (1 << place, 0) for place in range(3)},  # bin
    **{0xC7 + place: (1 << place, 1) for place in range(3)},  # ext
    **{0xD9 + place: (1 << place, 0) for place in range(3)},  # str
}


def may_hold_too_much(data: bytes | memoryview) -> bool:
    """Whether a document is large enough to be looked at by `check_structure`."""
    return len(data) > MAX_VALUES


def check_structure(coding: str, data: bytes | memoryview) -> None:
    """Refuse a document with too many values; what is malformed passes, the decoder refuses it.

    Parameters:
        coding: `json` or `msgpack`.
        data: the document.

    Raises:
        TooLargeError: it holds more than about `MAX_VALUES`.
    """
    found = _of_json(bytes(data)) if coding == "json" else _of_msgpack(data)
    if found > MAX_VALUES:
        raise TooLargeError(
            f"the document holds more than {MAX_VALUES} values (numbers, texts, lists, objects): "
            "split it into several"
        )


def _of_json(data: bytes) -> int:
    found = end = 0
    find = data.find
    while found <= MAX_VALUES:
        start = find(b'"', end)
        stop = len(data) if start < 0 else start
        found += 1
        if stop - end > _SHORT:
            # Values are parted by commas, or are the first of what holds them.
            found += data.count(b",", end, stop) + data.count(b"[", end, stop)
            found += data.count(b"{", end, stop)
        if start < 0:
            return found
        # Most texts hold no quote: a search for the next one is ten times as fast as the pattern.
        end = find(b'"', start + 1) + 1
        if not end or data[end - 2] == _BACKSLASH:
            text = _JSON_TEXT.match(data, start)
            if text is None:
                return found  # no end: no JSON
            end = text.end()
    return found


def _of_msgpack(data: bytes | memoryview) -> int:
    found = position = 0
    end = len(data)
    while position < end and found <= MAX_VALUES:
        run = _MSGPACK_RUN.match(data, position)
        if run is not None:
            found += (run.end() - position) // _RUN_SIZES[run.lastindex or 0]
            position = run.end()
            continue
        found += 1
        head = data[position]
        position += 1
        if 0xA0 <= head <= 0xBF:
            position += head & 0x1F
        elif 0xD4 <= head <= 0xD8:  # ext of 1, 2, 4, 8, 16 bytes, after its type
            position += 1 + (1 << (head - 0xD4))
        elif head in _LENGTHS:
            size, between = _LENGTHS[head]
            position += size + between + int.from_bytes(data[position : position + size], "big")
        else:
            return found  # cut short, or no msgpack
    return found
