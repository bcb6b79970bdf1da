"""Flawed variants of a problem's own judge: an output validator → validators that err.

Text → text: nothing is compiled or run.  A variant is one change to the source (`cpp_mutations`,
`python_mutations`), or a wrapper that changes the output before the judge sees it or decides itself
(`flawed.cpp`, `flawed.py`).  Whether it decides any output otherwise, and is refused, is for others
to find.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import cpp_mutations, python_mutations
from bench.cpp_text import CppText
from bench.edits import Edit, spread
from scalebox.model import ProgramJudge

#: Of one judge, however much there is of it; and of what its variants hold together.
MOST = 2000
MOST_CHARACTERS = 64 << 20
_CPP = re.compile(r"(?:cpp|c\+\+|cxx|cc|g\+\+)(?:\d\d)?")
_PYTHON = re.compile(r"(?:c?python|py)3?(?:\.\d+)?")
#: Where it is precompiled, it must come first.
_ALL_HEADERS = "bits/stdc++.h"

#: Wrappers, in words for people.
WRAPPERS = {
    "constant_accept": "accepts whatever the output is",
    "constant_reject": "rejects whatever the output is",
    "answer_only": "accepts the tokens of the answer, and nothing else",
    "empty_accepted": "accepts an output without a token",
    "crash_on_odd": "crashes on an output without a token, or with bytes that are not printable",
    "accept_on_crash": "accepts where the judge fails",
    "first_line_only": "looks at the first line, and takes the others from the answer",
    "first_token_only": "looks at the first token, and takes the others from the answer",
    "count_ignored": "drops tokens beyond as many as the answer has",
    "garbage_dropped": "drops lines beyond as many as the answer has",
    "lines_sorted": "sorts the lines of the output",
    "tokens_sorted": "sorts the tokens of each line of the output",
    "line_order_ignored": "takes the answer's lines in another order for the answer",
    "token_order_ignored": "takes the answer's tokens in another order for the answer",
    "case_ignored": "gives letters the case that the answer's have",
    "sign_ignored": "gives numbers the sign that the answer's have at their place",
    "numbers_near": "takes numbers within a hundredth of the answer's for the answer's",
}
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Mutant:
    """A flawed judge.

    Attributes:
        name: operator, which of its places, and the line of the source there; or the wrapper.
        operator: the kind of flaw.
        judge: the flawed one.
        change: one line for people.
    """

    name: str
    operator: str
    judge: ProgramJudge
    change: str


def mutants_of(judge: ProgramJudge, *, most: int | None = None, seed: int = 0) -> list[Mutant]:
    """Flawed variants of an output validator, the changed sources first, then the wrapped ones.

    All differ in their text from the judge and from each other.  The same arguments give the same
    ones.

    Parameters:
        judge: of contract `icpc`, in C++ or Python, its source given as text or bytes of UTF-8.
        most: so many are chosen, half of them wrapped where there are enough of both, over many
            operators and places; None: all, up to `MOST`.
        seed: of the choice.

    Raises:
        ValueError: it is another kind of judge.
    """
    source = _source_of(judge)
    most = MOST if most is None else max(0, min(most, MOST))
    wrapped = [
        _with(judge, name, name, text, change) for name, text, change in _wrapped(judge, source)
    ]
    found: list[Mutant] = []
    seen, characters = {source}, 0
    for number, edit in spread(_edits(judge, source), seed):
        if len(found) >= max(most - len(wrapped), (most + 1) // 2):
            break
        text = edit.apply(source)
        if text in seen or not (_is_cpp(judge) or python_mutations.is_python(text)):
            continue
        characters += len(text)
        if found and characters > MOST_CHARACTERS:
            break
        seen.add(text)
        name = f"{edit.operator}#{number} line {edit.line(source)}"
        found.append(_with(judge, name, edit.operator, text, edit.words(source)))
    return found + _drawn(wrapped, most - len(found), seed)


def _source_of(judge: ProgramJudge) -> str:
    if judge.contract != "icpc":
        raise ValueError(f"a judge of contract {judge.contract}; only icpc has variants")
    if not (_is_cpp(judge) or _PYTHON.fullmatch(judge.language)):
        raise ValueError(f"a judge in {judge.language}; only C++ and Python have variants")
    if isinstance(judge.source, str):
        return judge.source
    if judge.source.data is None:
        raise ValueError("a judge whose source is a blob that was uploaded")
    return judge.source.data.decode()


def _is_cpp(judge: ProgramJudge) -> bool:
    return _CPP.fullmatch(judge.language) is not None


def _edits(judge: ProgramJudge, source: str) -> Iterator[Edit]:
    if not _is_cpp(judge):
        return python_mutations.edits(source)
    names: set[str] = set()
    for content in judge.files.values():
        if isinstance(content, str):
            names |= CppText(content).words()
    return cpp_mutations.edits(source, names)


def _wrapped(judge: ProgramJudge, source: str) -> Iterator[tuple[str, str, str]]:
    """Name, text and words of each wrapped variant."""
    if _is_cpp(judge):
        wrapper = (_FOLDER / "flawed.cpp").read_text(encoding="utf-8")
        first = f"#include <{_ALL_HEADERS}>\n" if _ALL_HEADERS in source else ""
        for name, change in WRAPPERS.items():
            yield name, f"{first}#define FLAW {name}\n{wrapper}#line 1\n{source}", change
    else:
        wrapper = (_FOLDER / "flawed.py").read_text(encoding="utf-8")
        for name, change in WRAPPERS.items():
            yield name, f"{wrapper}\n\njudge({name!r}, {source!r})\n", change


def _with(judge: ProgramJudge, name: str, operator: str, source: str, change: str) -> Mutant:
    return Mutant(name, operator, msgspec.structs.replace(judge, source=source), change)


def _drawn(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """So many of them at most, by lot, in their order."""
    places = random.Random(f"{seed}").sample(range(len(mutants)), min(len(mutants), count))
    return [mutants[place] for place in sorted(places)]
