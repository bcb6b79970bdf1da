"""C++ as text in tokens: what is code, which brackets belong together, where a statement ends.

Not a parser.  Comments, strings, raw strings and preprocessor lines are told from code, and `<` of
a template from a comparison, as well as can be without knowing what a name means.  Whatever the
text is, however unbalanced, the time is linear in its length: where something has no end within a
bound, it is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

#: A condition, a head of a loop or a branch of more tokens is passed over.
MOST_TOKENS = 200
#: Of a statement, brackets counting as one.
_MOST_STEPS = 64
#: Of a template's arguments.
_MOST_ARGUMENTS = 64

# Possessive: what cannot match is not tried again in other ways.
_TOKEN = re.compile(
    r"""
      (?P<newline> \n )
    | (?P<space> [ \t\r\f\v]++ | \\\r?\n )
    | (?P<comment> //(?: [^\\\n] | \\[\s\S] )*+ | /\*[\s\S]*?(?: \*/ | \Z ) )
    | (?P<raw> (?: u8 | [uUL] )?R"(?P<mark> [^ ()\\\t\v\f\n"]{0,16} )\( )
    | (?P<string> (?: u8 | [uUL] )?"(?: [^"\\\n] | \\[\s\S] )*+"? )
    | (?P<number> \.?[0-9](?: [eEpP][+-] | '[0-9A-Za-z] | [\w.] )*+ )
    | (?P<char> (?: u8 | [uUL] )?'(?: [^'\\\n] | \\[\s\S] )*+'? )
    | (?P<word> [^\W\d]\w*+ )
    | (?P<punct> <=> | <<= | >>= | ->\*? | \.\.\. | :: | << | >> | <= | >= | == | != | && | \|\|
        | \+\+ | -- | [-+*/%&|^]= | [\s\S] )
    """,
    re.VERBOSE,
)
_OPENERS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = {closer: opener for opener, closer in _OPENERS.items()}
#: Statements that are followed by another one.
_HEADS = frozenset({"if", "for", "while", "switch"})
#: After these names of the standard library a `<` opens a list of arguments.
_TEMPLATES = frozenset({
    "template", "vector", "pair", "tuple", "array", "bitset", "deque", "list", "set", "multiset",
    "map", "multimap", "unordered_set", "unordered_map", "stack", "queue", "priority_queue",
    "function", "less", "greater", "hash", "numeric_limits", "optional", "variant", "complex",
    "basic_string", "unique_ptr", "shared_ptr", "make_unique", "make_shared", "initializer_list",
    "static_cast", "dynamic_cast", "const_cast", "reinterpret_cast", "get",
    "uniform_int_distribution", "is_same", "enable_if", "enable_if_t",
})  # fmt: skip
#: What ends the search for the `>` of a template.
_NOT_IN_TEMPLATES = frozenset({";", "{", "}", "&&", "||", "==", "!=", "<<", "=", "?"})


class Token(NamedTuple):
    """A piece of code.

    Attributes:
        kind: `word`, `number`, `string`, `char` or `punct`.
        text: as it is in the source.
        start: where it begins, in characters.
        directive: whether it is in a line of the preprocessor.
    """

    kind: str
    text: str
    start: int
    directive: bool

    @property
    def end(self) -> int:
        """Where what follows it begins."""
        return self.start + len(self.text)


def tokens(source: str) -> Iterator[Token]:
    """The code of a text, without spaces and comments."""
    position, length = 0, len(source)
    directive, line_begins = False, True
    match_at = _TOKEN.match
    while position < length:
        found = match_at(source, position)
        assert found is not None  # the last alternative takes anything
        kind, end = found.lastgroup or "punct", found.end()
        if kind == "raw":
            closing = f'){found["mark"]}"'
            close = source.find(closing, end)
            kind, end = "string", length if close < 0 else close + len(closing)
        if kind == "newline":
            directive, line_begins = False, True
        elif kind not in ("space", "comment"):
            text = source[position:end]
            if line_begins and text == "#":
                directive = True
            line_begins = False
            yield Token(kind, text, position, directive)
        position = end


class CppText:
    """A C++ source, taken apart.

    Parameters:
        source: any text.

    Attributes:
        source: as given.
        tokens: its code.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = list(tokens(source))

    def text(self, index: int) -> str:
        """Of a token; empty where there is none."""
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where two tokens, and all between them, begin and end in the source."""
        return self.tokens[first].start, self.tokens[last].end

    def segment(self, first: int, last: int) -> str:
        """Their text."""
        start, end = self.span(first, last)
        return self.source[start:end]

    def code(self) -> Iterator[tuple[int, Token]]:
        """Tokens outside the preprocessor's lines, with their indices."""
        return (pair for pair in enumerate(self.tokens) if not pair[1].directive)

    @cached_property
    def partners(self) -> list[int]:
        """The index of each bracket's other one; -1: none, or no bracket."""
        partners = [-1] * len(self.tokens)
        opened: list[int] = []
        for index, token in self.code():
            if token.text in _OPENERS:
                opened.append(index)
            elif opened and _CLOSERS.get(token.text) == self.tokens[opened[-1]].text:
                partners[index] = opened.pop()
                partners[partners[index]] = index
        return partners

    @cached_property
    def in_templates(self) -> frozenset[int]:
        """Indices of the tokens from a template's `<` to its `>`."""
        found: set[int] = set()
        known = set(_TEMPLATES)
        for index, token in self.code():
            if token.text != "<" or index in found:
                continue
            name = self.tokens[index - 1] if index else token
            close = self._closing_angle(index)
            if name.kind != "word" or close < 0:
                continue
            called = self.text(close + 1) == "(" and name.end == token.start
            if name.text in known or called:
                found.update(range(index, close + 1))
                if name.text == "template" and self.text(close + 1) in ("struct", "class"):
                    known.add(self.text(close + 2))
        return frozenset(found)

    def _closing_angle(self, opening: int) -> int:
        depth, index = 0, opening
        for _ in range(_MOST_ARGUMENTS):
            text = self.text(index)
            if not text or text in _NOT_IN_TEMPLATES:
                return -1
            if text in ("(", "["):
                index = self.partners[index]
                if index < 0:
                    return -1
            elif text in (")", "]"):
                return -1
            else:
                depth += {"<": 1, ">": -1, ">>": -2}.get(text, 0)
                if depth <= 0:
                    return index
            index += 1
        return -1

    def condition(self, head: int) -> tuple[int, int] | None:
        """The first and last token between the parentheses after an `if`, a `for` or a name; None:
        there are none, or too many."""
        opening = head + 1
        if self.text(opening) != "(":
            return None
        closing = self.partners[opening]
        if not opening + 1 < closing <= opening + MOST_TOKENS:
            return None
        return opening + 1, closing - 1

    def end_of_statement(self, index: int) -> int:
        """The last token of the statement that begins at a token; -1: not found within a bound."""
        choices = 0
        for _ in range(_MOST_STEPS):
            text = self.text(index)
            if text in _HEADS:
                choices += text == "if"
                index += 1 + (self.text(index + 1) == "constexpr")
                if self.text(index) != "(" or self.partners[index] < 0:
                    return -1
                index = self.partners[index] + 1
                continue
            end = self.partners[index] if text == "{" else self._semicolon(index)
            if end < 0 or not choices or self.text(end + 1) != "else":
                return end
            choices -= 1
            index = end + 2
        return -1

    def _semicolon(self, index: int) -> int:
        for _ in range(_MOST_STEPS):
            text = self.text(index)
            if text == ";":
                return index
            if text in _OPENERS:
                index = self.partners[index]
                if index < 0:
                    return -1
            elif not text or text in _CLOSERS:
                return -1
            index += 1
        return -1

    def parts(self, first: int, last: int, separator: str) -> list[tuple[int, int]]:
        """What stands between separators that are in no further brackets, from the first to the
        last of some tokens, as first and last tokens; empty parts have a last before the first."""
        parts: list[tuple[int, int]] = []
        begin = index = first
        while index <= last:
            text = self.text(index)
            if text == separator and index not in self.in_templates:
                parts.append((begin, index - 1))
                begin = index + 1
            elif text in _OPENERS and self.partners[index] > 0:
                index = self.partners[index]
            index += 1
        parts.append((begin, last))
        return parts

    def words(self) -> frozenset[str]:
        """All names in it."""
        return frozenset(token.text for token in self.tokens if token.kind == "word")
