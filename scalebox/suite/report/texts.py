"""Texts of others, made fit to be shown: bounded, and with nothing in them that cannot be seen.

Samples, messages and outputs are hostile.  A control character, or one that turns the direction of
what follows, is shown by its name, so that a page shows what was written and not what it pretends.
"""

from __future__ import annotations

import html
import re

MAX_NAME_CHARS = 200
#: Control characters but tab and newline; invisible and directional ones; lone surrogates; tags.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)


def visible(text: str, chars: int) -> str:
    """A text of at most some `chars` characters, each of which can be seen.

    What is left out is left out of its middle: an answer's program is often at its end.
    """
    shown = _UNSEEN.sub(_named, _ends(text, chars))
    return _ends(shown, 2 * chars)


def name(text: str) -> str:
    """A name on one line, also where its middle was left out."""
    return " ".join(visible(" ".join(text.split()), MAX_NAME_CHARS).split("\n"))


def escaped(text: str) -> str:
    """A text that is one already, for a page or an attribute of it."""
    return html.escape(text, quote=True)


def _named(found: re.Match[str]) -> str:
    # One that is common enough to have a sign of its own; few fonts have those of the others.
    return "\u240d" if found[0] == "\r" else f"\u27e8U+{ord(found[0]):04X}\u27e9"


def _ends(text: str, chars: int) -> str:
    if len(text) <= chars:
        return text
    head = chars // 3
    left_out = len(text) - chars
    return f"{text[:head]}\n… ({left_out:,} more characters) …\n{text[len(text) - chars + head :]}"
