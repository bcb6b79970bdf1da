"""Changes to a text: what one replaces, its words for people, and a spread over many.

Knows nothing of languages; `cpp_mutations` and `python_mutations` find the places.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: Of a text, so much is shown to people.
_SHOWN = 80
#: A change of fewer characters says nothing without its line.
_SAYS_ITSELF = 6


@dataclass(frozen=True, slots=True)
class Edit:
    """One change.

    Attributes:
        operator: the kind of change.
        start, end: what is replaced, in characters.
        text: by what.
    """

    operator: str
    start: int
    end: int
    text: str

    def apply(self, source: str) -> str:
        """The text with the change."""
        return source[: self.start] + self.text + source[self.end :]

    def line(self, source: str) -> int:
        """The line at which it begins, from 1."""
        return source.count("\n", 0, self.start) + 1

    def words(self, source: str) -> str:
        """The change in one line for people."""
        before, after = shown(source[self.start : self.end]), shown(self.text)
        said = f"`{before}` became `{after}`" if after else f"`{before}` was deleted"
        if len(before) >= _SAYS_ITSELF:
            return said
        begin = max(source.rfind("\n", 0, self.start) + 1, self.start - _SHOWN // 2)
        end = source.find("\n", self.end)
        return f"{said} in `{shown(source[begin : end if end >= 0 else begin + 2 * _SHOWN])}`"


def shown(text: str) -> str:
    """A text for people: one line, not long."""
    if len(text) > 8 * _SHOWN:
        text = text[: 4 * _SHOWN] + " … " + text[-4 * _SHOWN :]
    words = " ".join(text.split())
    if len(words) <= _SHOWN:
        return words
    return words[: _SHOWN // 2] + "…" + words[-_SHOWN // 2 + 1 :]


def spread(edits: Iterable[Edit], seed: int) -> Iterator[tuple[int, Edit]]:
    """All of them, such that any beginning has many operators and places: by turns one of each
    operator, at a place drawn by lot.

    Returns:
        Pairs: which of its operator's it is, in the order of the text, from 0; and the edit.
    """
    groups: dict[str, list[tuple[int, Edit]]] = {}
    for edit in edits:
        group = groups.setdefault(edit.operator, [])
        group.append((len(group), edit))
    names = sorted(groups)
    random.Random(f"{seed}").shuffle(names)
    for name in names:
        random.Random(f"{seed} {name}").shuffle(groups[name])
    while names:
        for name in names:
            yield groups[name].pop()
        names = [name for name in names if groups[name]]
