"""Strangers' texts as parts of a prompt: cut to a bound, marked as data, with no way out.

Statements, test data and programs' outputs are written by people and models that may want
something of the model that reads them.  What is done here makes it plain where such a text begins
and ends, and takes the words of chat templates apart; whether a model then keeps to it is never
certain, which is why nothing that it writes is believed.
"""

from __future__ import annotations

import hashlib
import re

#: Words with which templates of chat models part the turns.  A server that reads them in a message
#: would take what follows for somebody else's; a space makes them plain text.
_TEMPLATE_WORDS = re.compile(
    r"<(?=\|)|\|(?=>)|<(?=/?s>)|\[(?=/?(?:INST|SYSTEM_PROMPT|TOOL_CALLS|AVAILABLE_TOOLS)\])"
    r"|<(?=<SYS>>|</SYS>>)|<(?=(?:start|end)_of_turn>)|<(?=/?think>)"
    r"|<(?=\uff5c)|\uff5c(?=>)"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MARK = 12


def excerpt(data: str | bytes, most: int) -> str:
    """A text, or what of it fits, with what was left out said in its place.

    Parameters:
        data: bytes are shown as UTF-8, those that are none as `\\xNN`.
        most: characters, or bytes, that are kept: two thirds of the beginning, a third of the end.
    """
    if len(data) <= most:
        return _plain(data)
    tail = most // 3
    head, end = data[: most - tail], data[len(data) - tail :]
    unit = "bytes" if isinstance(data, bytes) else "characters"
    return f"{_plain(head)}\n[... {len(data) - most:,} {unit} left out ...]\n{_plain(end)}"


def fenced(label: str, data: str | bytes, most: int) -> str:
    """An excerpt between two lines that it cannot itself contain.

    The lines hold a hash of the text: who writes the text cannot know it, and the same text gives
    the same prompt each time.

    Parameters:
        label: our own words for what it is.
        data, most: as of `excerpt`.
    """
    text = excerpt(data, most)
    mark = _hash(text)
    while mark in text:
        mark = _hash(mark + text)
    size = f"{len(data):,} {'bytes' if isinstance(data, bytes) else 'characters'}"
    return f"[BEGIN {label} ({size}) {mark}]\n{text}\n[END {label} {mark}]"


def in_line(text: str, most: int) -> str:
    """A stranger's words within a sentence: one line, in quotes, cut."""
    line = " ".join(_plain(text[:most]).split())
    return f'"{line}{" ..." if len(text) > most else ""}"'


def _plain(data: str | bytes) -> str:
    if isinstance(data, bytes):
        text = data.decode("utf-8", "backslashreplace")
    else:
        # Half a surrogate pair goes over no wire.
        text = data.encode("utf-8", "backslashreplace").decode("utf-8")
    text = text.replace("\r\n", "\n")
    text = _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)
    return _TEMPLATE_WORDS.sub(lambda found: f"{found.group()} ", text)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_MARK]
