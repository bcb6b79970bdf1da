"""How a submission joined with a test program made of asserts is compiled and started.

The text of both is `judging.joining`'s; the language's entry (`asserts`) says how it differs from a
submission's own program.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec

from scalebox.languages import build
from scalebox.languages.toolchains import Language


def language_of(language: Language, text: bytes) -> Language:
    """The language in which such a text is compiled and started.

    Parameters:
        text: of both, without what the entry puts after them.
    """
    entry, rule = language.entry, language.entry.asserts
    assert rule is not None
    run = rule.run or entry.run
    if "{unit}" in run:
        # What begins last is the test program, whatever the submission has before it.
        unit = build.names(entry, text, last=True).unit
        run = tuple(unit if word == "{unit}" else word for word in run)
    made = msgspec.structs.replace(entry, compile=rule.compile or entry.compile, run=run)
    if not rule.compile:
        return replace(language, entry=made)
    # What the same text is without the tests' command is another program.
    facts = "\0".join([language.identity, *rule.compile])
    return replace(language, entry=made, identity=hashlib.sha256(facts.encode()).hexdigest())
