"""Does a problem need a special judge, and of which kind?  Evidence first, then words.

What right programs write is the strongest sign: where they differ, the answer is not the only right
output.  The statement's wording is the next one; a model's opinion, where one is asked, counts as
one more.  Signs are weighed by how often each was seen in problems with and without a special judge
(naive Bayes); the counts are data, and their origin is in them.
"""

from __future__ import annotations

import importlib.resources
import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import msgspec
from msgspec import Struct

from scalebox.specialjudges.evidence import Evidence
from scalebox.specialjudges.infer import stated_tolerance
from scalebox.specialjudges.material import Material
from scalebox.specialjudges.prompts import JudgeKind, ModelOpinion

#: Of these kinds the output alone decides, by a rule that is not the problem's own.
NEED_NO_JUDGE = ("exact", "float_tolerance", "format")
#: A model that is sure counts as much as a sign seen nine times as often on one side.
_OPINION_WEIGHT = math.log(9)
_CLOSE = 1e-2
_LONGEST_COMPARED_BYTES = 2 << 20

#: By sign, in the languages of the labelled problems: English, Swedish, French.
_WORDS = {
    "says that any will do": (
        r"\bany (one )?of (them|these|those|the (solutions|answers))"
        r"|\b(print|output|give|find|report|return|accept\w*) any\b"
        r"|\bany (one )?(\w+ )?(is|will be|are) (accepted|fine|ok|allowed)"
        r"|\bany (valid|correct|such|optimal|possible) |happy with any"
        r"|\barbitrary (one|solution|answer)"
        r"|(more than one|multiple|several|many)( different| possible| valid| optimal| correct)* "
        r"(solutions?|answers?|ways|codes|assignments|sequences|cycles|outputs|lines?)\b"
        r"|valid solutions|vilken som helst|valfri\b|någon av dem|flera lösningar"
        r"|flera (möjliga|olika) svar|n'importe (le|la)?quel|plusieurs (solutions|réponses)"
        r"|l'une d'entre elles|une quelconque"
    ),
    "says that it is interactive": (
        r"\binteracti(ve|on|vity)\b|\binteractor\b|\bflush\b"
        r"|\binteraktiv|\binteraktör|\binteractif|\binteracteur"
    ),
    "says that order does not matter": (
        r"in any order|in arbitrary order|order (does not|doesn't) matter|i valfri ordning"
        r"|i vilken ordning som helst|dans (n'importe quel|un) ordre"
    ),
}
_PATTERNS = {name: re.compile(words, re.IGNORECASE) for name, words in _WORDS.items()}
_DIFFER = "right programs write different things"
_NUMBERS = "they differ in numbers that are close"
_ORDER = "they differ in order alone"
_OTHERWISE = "they differ otherwise"
_TOLERANCE = "names a tolerance"
_ONE_TOKEN = "every answer is one token"
_ONE_LINE = "every answer is one line"
_SPELLING = "they differ in case or lines alone"
_NOT_WRITTEN = "no right program writes the jury's answer"
SIGNS = (
    _DIFFER, _NUMBERS, _ORDER, _OTHERWISE, *_WORDS, _TOLERANCE, _ONE_TOKEN, _ONE_LINE,
    _SPELLING, _NOT_WRITTEN,
)  # fmt: skip


class Classification(Struct, frozen=True, kw_only=True):
    """What a problem most likely needs.

    Attributes:
        needs_judge: whether a special judge.
        confidence: the probability of that, from 0.5 to 1.
        kind: what tells a right output from a wrong one.
        signs: for people: what was seen, the weightiest first.
        opinion: a model's, if one was asked.
    """

    needs_judge: bool
    confidence: float
    kind: JudgeKind
    signs: list[str]
    opinion: ModelOpinion | None = None


class Counts(Struct, frozen=True, kw_only=True):
    """How often signs were seen.

    Attributes:
        origin: in which problems.
        needing, plain: problems with and without a special judge.
        seen: sign → how many of each have it.
    """

    origin: str
    needing: int
    plain: int
    seen: dict[str, tuple[int, int]]

    def weight(self, sign: str, present: bool) -> float:
        """Logarithm of how much likelier this is with a special judge than without one."""
        needing, plain = self.seen.get(sign, (0, 0))
        if not present:
            needing, plain = self.needing - needing, self.plain - plain
        # One more of each: nothing is ruled out by not having been seen yet (Laplace).
        return math.log((needing + 1) / (self.needing + 2)) - math.log(
            (plain + 1) / (self.plain + 2)
        )


@cache
def shipped_counts() -> Counts:
    """Those that come with scalebox."""
    file = importlib.resources.files("scalebox.specialjudges") / "signs.json"
    return msgspec.json.decode(file.read_bytes(), type=Counts)


def count(problems: Iterable[tuple[Mapping[str, bool], bool]], origin: str) -> Counts:
    """Count signs.

    Parameters:
        problems: of each the signs, and whether it needs a special judge.
    """
    listed = list(problems)
    needing = sum(needs for _, needs in listed)
    return Counts(
        origin=origin,
        needing=needing,
        plain=len(listed) - needing,
        seen={
            sign: (
                sum(signs[sign] for signs, needs in listed if needs),
                sum(signs[sign] for signs, needs in listed if not needs),
            )
            for sign in SIGNS
        },
    )


def signs_of(material: Material, evidence: Evidence) -> dict[str, bool]:
    """Which signs a problem shows.

    Parameters:
        evidence: what its programs write; of an interactive problem nothing.
    """
    ways = _ways(material, evidence)
    answers = [test.answer for test in material.tests]
    told = {name: bool(pattern.search(material.statement)) for name, pattern in _PATTERNS.items()}
    return {
        _DIFFER: bool(ways),
        _NUMBERS: ways == {"numbers"},
        _ORDER: ways <= {"order", "numbers"} and "order" in ways,
        _OTHERWISE: "otherwise" in ways,
        **told,
        _TOLERANCE: stated_tolerance(material.statement) is not None,
        _ONE_TOKEN: all(len(answer.split(None, 2)) == 1 for answer in answers),
        _ONE_LINE: all(answer.strip().count(b"\n") == 0 for answer in answers),
        _SPELLING: not ways and _spelled_differently(material, evidence),
        _NOT_WRITTEN: _answer_not_written(material, evidence),
    }


def _ways(material: Material, evidence: Evidence) -> set[str]:
    """How right outputs of the same test differ."""
    ways: set[str] = set()
    for test, data in enumerate(material.tests):
        outputs = dict.fromkeys([data.answer, *evidence.of_right(test)])
        token_lists = list(
            dict.fromkeys(
                tuple(output.lower().split())
                for output in outputs
                if len(output) <= _LONGEST_COMPARED_BYTES
            )
        )
        ways.update(_way(one, other) for one, other in itertools.pairwise(token_lists))
    return ways


def _way(one: Sequence[bytes], other: Sequence[bytes]) -> str:
    if sorted(one) == sorted(other):
        return "order"
    if len(one) == len(other) and all(map(_is_close, one, other)):
        return "numbers"
    return "otherwise"


def _is_close(one: bytes, other: bytes) -> bool:
    if one == other:
        return True
    if b"." not in one + other and b"e" not in one + other:
        return False  # counts that differ are two things
    try:
        a, b = float(one), float(other)
    except ValueError:
        return False
    return math.isclose(a, b, rel_tol=_CLOSE, abs_tol=_CLOSE)


def _spelled_differently(material: Material, evidence: Evidence) -> bool:
    """Whether right outputs have the same tokens, but not in the same letters and lines."""

    def lines(output: bytes) -> list[bytes]:
        return [b" ".join(line.split()) for line in output.split(b"\n") if line.split()]

    return any(
        lines(output) != lines(data.answer)
        for test, data in enumerate(material.tests)
        for output in evidence.of_right(test)
    )


def _answer_not_written(material: Material, evidence: Evidence) -> bool:
    """Whether on most tests no program writes the answer's tokens."""
    nobodys = 0
    for test, data in enumerate(material.tests):
        tokens = data.answer.lower().split()
        outputs = evidence.of_right(test)
        nobodys += bool(outputs) and all(output.lower().split() != tokens for output in outputs)
    return nobodys * 2 > len(material.tests)


def classify(
    signs: Mapping[str, bool], *, counts: Counts | None = None, opinion: ModelOpinion | None = None
) -> Classification:
    """Weigh the signs.

    Parameters:
        signs: of a problem.
        counts: by which they are weighed; None: those that ship.
        opinion: a model's.
    """
    counts = counts or shipped_counts()
    weights = {sign: counts.weight(sign, signs[sign]) for sign in SIGNS}
    odds = math.log((counts.needing + 1) / (counts.plain + 1)) + sum(weights.values())
    if opinion is not None:
        odds += _OPINION_WEIGHT * opinion.confidence * (1 if opinion.needs else -1)
    probability = 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))
    needs = probability >= 0.5
    present = sorted((sign for sign in SIGNS if signs[sign]), key=lambda sign: -abs(weights[sign]))
    return Classification(
        needs_judge=needs,
        confidence=round(max(probability, 1 - probability), 4),
        kind=_kind(signs, needs, opinion),
        signs=present,
        opinion=opinion,
    )


def _kind(signs: Mapping[str, bool], needs: bool, opinion: ModelOpinion | None) -> JudgeKind:
    if needs:
        if signs["says that it is interactive"] and not signs[_DIFFER]:
            return "interactive"
        if opinion is not None and opinion.kind not in NEED_NO_JUDGE:
            return opinion.kind
        order = signs["says that order does not matter"] and not signs[_OTHERWISE]
        return "order" if signs[_ORDER] or order else "any_valid"
    if signs[_NUMBERS] or signs[_TOLERANCE]:
        return "float_tolerance"
    return "format" if signs[_SPELLING] else "exact"
