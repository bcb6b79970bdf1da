"""What is no code in a source, by what is looked for, and in time that grows with its length."""

from __future__ import annotations

import re

import pytest

from scalebox import asides

PURPOSES = ("units", "names", "definitions")
#: Source, and what is left of it where units, names and definitions are looked for.
LEFT = [
    ("a // b\nc", "a ~\nc", "a ~\nc", "a ~\nc"),
    ("a /* b\n */ c", "a ~ c", "a ~ c", "a ~ c"),
    ("a /* b\nc", "a ~", "a ~", "a ~"),
    ('a "b\\" // c" d', "a ~ d", "a ~ d", "a ~ d"),
    ('a "b\nc', "a ~\nc", "a ~\nc", "a ~"),
    ('a "b\\\nc" d', "a ~ d", "a ~ d", "a ~ d"),
    ('a """b\n" c""" d', "a ~ d", "a ~~\n~~ d", "a ~~ c~~"),
    ('R"x(a)" b)x" c', "R~ b)x~", "~ c", "~ c"),
    ('R"(a', "R~", "~", "~"),
    ("`a\nb` c", "`a\nb` c", "`a\nb` c", "~ c"),
    ("'{' a", "~ a", "~ a", "~ a"),
    ("'\\'' a", "~ a", "~ a", "~ a"),
    ("&'a b", "&~", "&'a b", "&'a b"),
    ("'some text' a", "~ a", "~ a", "'some text' a"),
    ("1'000'000 a", "1~000 a", "~ a", "1'000'000 a"),
    ("a1 b", "a1 b", "a1 b", "a1 b"),
]


@pytest.mark.parametrize(("source", "units", "names", "definitions"), LEFT)
def test_what_is_left(source: str, units: str, names: str, definitions: str) -> None:
    found = [re.sub(asides.pattern(one), "~", source, flags=re.DOTALL) for one in PURPOSES]
    assert found == [units, names, definitions]
    # The same of bytes, as which submissions arrive.
    for purpose, text in zip(PURPOSES, found, strict=True):
        pattern = re.compile(asides.pattern(purpose).encode(), re.DOTALL)
        assert pattern.sub(b"~", source.encode()).decode() == text


@pytest.mark.parametrize("piece", ["/*", '"', '"\\', "'", "'\\", "`", '"""', 'R"(', 'R"a(', "1'"])
def test_no_source_makes_the_search_longer_than_itself(piece: str) -> None:
    # In steps that grew with the square of the length, this would take hours.
    for purpose in PURPOSES:
        for text in (piece * 200_000, piece + "a " * 200_000):
            re.sub(asides.pattern(purpose), " ", text, flags=re.DOTALL)
