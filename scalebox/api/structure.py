"""A bound on what a document becomes in memory, found before it is decoded.

Text costs in memory what it costs on the wire; an empty list or a test case without fields is one
to three bytes there and seventy here.  So the bytes that are not inside texts (or binary strings)
are bounded apart from the document's size.  Only large documents are looked at, and in a worker
thread.
"""

from __future__ import annotations

import re

from scalebox.errors import TooLargeError

#: Documents up to this size need not be looked at.
MAX_STRUCTURE_BYTES = 16 << 20
#: What a text counts, whatever its length.
_TEXT = 8

# Possessive, so that a text of megabytes leaves nothing to go back to.
_JSON_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_BACKSLASH = 0x5C
#: A run of msgpack values without a content of their own: numbers, constants, heads of containers.
_MSGPACK_RUN = re.compile(
    rb"(?:[\x00-\x9f\xc0\xc2\xc3\xe0-\xff]++|[\xcc\xd0].|[\xcd\xd1\xdc\xde]..|"
    rb"[\xca\xce\xd2\xdd\xdf].{4}|[\xcb\xcf\xd3].{8})++",
    re.DOTALL,
)
#: Head → bytes of the length that follows it, bytes between that and the content.
_LENGTHS = {
    **{0xC4 + place: (1 << place, 0) for place in range(3)},  # bin
    **{0xC7 + place: (1 << place, 1) for place in range(3)},  # ext
    **{0xD9 + place: (1 << place, 0) for place in range(3)},  # str
}


def check_structure(coding: str, data: bytes | memoryview) -> None:
    """Refuse a document with too much structure; what is malformed passes, the decoder refuses it.

    Parameters:
        coding: `json` or `msgpack`.
        data: the document.

    Raises:
        TooLargeError: more than `MAX_STRUCTURE_BYTES` of it are outside of texts.
    """
    if len(data) <= MAX_STRUCTURE_BYTES:
        return
    found = _of_json(bytes(data)) if coding == "json" else _of_msgpack(data)
    if found > MAX_STRUCTURE_BYTES:
        raise TooLargeError(
            f"more than {MAX_STRUCTURE_BYTES} bytes of the document are not text (numbers, lists, "
            "objects): split it into several"
        )


def _of_json(data: bytes) -> int:
    found = end = 0
    while found <= MAX_STRUCTURE_BYTES:
        start = data.find(b'"', end)
        if start < 0:
            return found + len(data) - end
        found += start - end + _TEXT
        # Most texts hold no quote: a search for the next one is ten times as fast as the pattern.
        end = data.find(b'"', start + 1) + 1
        if not end or data[end - 2] == _BACKSLASH:
            text = _JSON_TEXT.match(data, start)
            if text is None:
                return found  # no end: no JSON
            end = text.end()
    return found


def _of_msgpack(data: bytes | memoryview) -> int:
    found = position = 0
    end = len(data)
    while position < end and found <= MAX_STRUCTURE_BYTES:
        run = _MSGPACK_RUN.match(data, position, position + MAX_STRUCTURE_BYTES - found + 1)
        if run is not None:
            found += run.end() - position
            position = run.end()
            continue
        found += _TEXT
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
