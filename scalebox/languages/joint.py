"""Test programs made of asserts beside the submission: one text of both, and the program it makes.

The test program follows the submission in one file, as datasets have it (MultiPL-E's even closes
the submission's last function).  What the language's `asserts` add to it says how the test program
ended.  Both share a process, so that what is said is `weak`; what can be done for it here is that
nothing which the submission leaves open, or defines, takes the tests' own words away.
"""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import replace

import msgspec

from scalebox.languages import build
from scalebox.languages.table import AssertRule
from scalebox.languages.toolchains import Language

#: What only looks like a name in the languages that have a `main`: comments, texts, numbers (their
#: digits may be set apart by a quotation mark).
_NO_NAMES = (
    r"//[^\n]*|/\*.*?\*/|"
    r"""R"([^(\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\b\d[\w'.]*|'(?:\\.|[^'\\\n])*'"""
)


def joined(source: bytes, program: str, rule: AssertRule) -> bytes:
    """One text of a submission and a test program.

    A `main` of the submission's own, which models like to add, is renamed: it is not under test.
    (By a macro of C it would cost a second of compilation: gcc takes no precompiled header after
    one.)
    """
    own = source
    if rule.main:
        renamed = f"{rule.main}_of_submission".encode()
        own = _own_main(rule.main).sub(lambda found: renamed if found["main"] else found[0], source)
    # An empty one ends the submission's last line.
    parts = [part for part in (rule.before.rstrip("\n"), program, rule.after) if part]
    return own + "\n".join(["", *parts, ""]).encode()


@functools.cache
def _own_main(name: str) -> re.Pattern[bytes]:
    pattern = rf"{_NO_NAMES}|\b(?P<main>{re.escape(name)})(?=\s*\()"
    return re.compile(pattern.encode(), re.DOTALL)


def language_of(language: Language, source: bytes, program: str) -> Language:
    """The language in which a submission joined with a test program is compiled and started."""
    entry, rule = language.entry, language.entry.asserts
    assert rule is not None
    run = rule.run or entry.run
    if "{unit}" in run:
        # What begins last is the test program, whatever the submission has before it.
        text = joined(source, program, msgspec.structs.replace(rule, after=""))
        unit = build.names(entry, text, last=True).unit
        run = tuple(unit if word == "{unit}" else word for word in run)
    made = msgspec.structs.replace(entry, compile=rule.compile or entry.compile, run=run)
    if not rule.compile:
        return replace(language, entry=made)
    # What the same text is without the tests' command is another program.
    facts = "\0".join([language.identity, *rule.compile])
    return replace(language, entry=made, identity=hashlib.sha256(facts.encode()).hexdigest())
