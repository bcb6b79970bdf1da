"""What is no code in a source: comments, texts, characters, numbers.

One table for all who look for names in sources without a parser.  What does not end reaches to the
end of all, or of its line, so that no source makes a search longer than itself.
"""

from __future__ import annotations

from typing import Literal

#: Each is one alternative; they are meant for `re.DOTALL`.
_PIECES = {
    "line comment": r"//[^\n]*",
    "comment": r"/\*(?:.*?\*/|.*)",
    "raw text": r'R"(?P<mark>[^(\s]{0,16})\((?:.*?\)(?P=mark)"|.*)',
    "text block": r'"""(?:.*?(?<!\\)"""|.*)',
    "text in a line": r'"(?:\\.|[^"\\\n])*+"?',
    "text": r'"(?:\\.|[^"\\])*+"?',
    "template": r"`[^`]*`?",
    # Its digits may be set apart by a quotation mark, which begins no character.
    "number": r"\b\d[\w'.]*",
    # A quotation mark by itself is a lifetime in Rust, or sets digits apart.
    "character": r"'(?:\\[^\n][^'\n]{0,7}|[^'\\\n])'",
    "characters": r"'(?:\\.|[^'\\\n]){0,40}'",
    "quoted": r"'(?:\\.|[^'\\\n])*+'?",
}
#: What is looked for → what is none, the first that fits: units (classes and the like) of Java's
#: kin; names of functions of languages that have a `main`; definitions of functions of C's kin.
_ASIDE = {
    "units": ("text block", "text in a line", "quoted", "line comment", "comment"),
    "names": (
        "line comment", "comment", "raw text", "text in a line", "number", "characters",
    ),
    "definitions": (
        "line comment", "comment", "raw text", "text", "template", "character",
    ),
}  # fmt: skip


def pattern(looked_for: Literal["units", "names", "definitions"]) -> str:
    """A regular expression, for `re.DOTALL`, of what must not be taken for what is looked for."""
    return "|".join(_PIECES[name] for name in _ASIDE[looked_for])
