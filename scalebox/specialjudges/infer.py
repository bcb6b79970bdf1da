"""Without any model: the strictest judge that ships and agrees with the evidence.

A judge agrees that accepts everything that right programs wrote, and rejects what only programs
wrote that are known to be wrong (within a tolerance: some of what each wrote). Where the statement
names a tolerance, numbers within it are the first choice; else what is right by default (`tokens`,
the ICPC package format's rule), as long as it accepts all that is right. Of the others the
strictest is taken: the one that accepts fewest outputs which somebody damaged on purpose.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Sequence

import msgspec
from msgspec import Struct

from scalebox.client.aio import AsyncClient
from scalebox.judges.directory import Directory
from scalebox.model import NamedJudge
from scalebox.specialjudges.damage import REORDERED, RESPELLED
from scalebox.specialjudges.deciding import Question, decide
from scalebox.specialjudges.prove import Trial, ask

DEFAULT = NamedJudge(name="tokens")
#: Judges that take tolerances, both of them.
_TOLERANT = ("floats", "numbers", "unordered_numbers")
#: Tried where no tolerance is stated, the strictest first.
_TOLERANCES = (1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
#: Further parameters that come into question, by judge.
_VARIANTS: dict[str, list[dict[str, bool | int | float | str]]] = {
    "permutation": [{"first": 0}],
    "prefix_count": [{"items": "lines"}],
    "rotation": [{"reversed": True}],
}
#: `10^{-6}`, `10^-6`, `1e-6`, `10 ** -6`, `0.000001`, with what LaTeX puts around it.
_POWER = re.compile(
    r"(?:(?P<times>\d+(?:\.\d+)?)\s*(?:\\cdot|\\times|\*|\u00b7|\u00d7)\s*)?10\s*(?:\^|\*\*)\s*\{?\s*[-\u2212\u2013]\s*(?P<power>\d{1,2})"
    r"|(?P<plain>\b\d(?:\.\d+)?[eE]-\d{1,2}\b)|(?P<decimal>\b0[.,]0*[1-9]\d?\b)"
)
_TOLERANCE_WORDS = re.compile(
    r"\b(errors?|tolerance|precision|accura\w+|within|differ\w*|off by|erreur|précision|près|"
    r"fel|felmarginal|noggrannhet|avvik\w*)\b",
    re.IGNORECASE,
)
_ABSOLUTE_RELATIVE = (re.compile(r"\babsolut", re.I), re.compile(r"\brelati", re.I))
_NEAR_CHARACTERS = 160
_PROBE = 8
_LEAST, _MOST = 1e-15, 0.1


class Tolerance(Struct, frozen=True):
    """Of numbers.

    Attributes:
        size: the accepted distance.
        absolute, relative: which of them it is; with both either suffices.
    """

    size: float
    absolute: bool = True
    relative: bool = True

    @property
    def parameters(self) -> dict[str, bool | int | float | str]:
        """Of judges that take tolerances."""
        return {
            "absolute": self.size if self.absolute else 0.0,
            "relative": self.size if self.relative else 0.0,
        }


class Inference(Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        judge: None: no judge that ships agrees with the evidence.
        is_default: it is what is right by default: no special judge is needed.
        reason: in words.
        consistent: all judges that agree with the evidence, the strictest first.
        damaged_accepted: so many damaged outputs the judge accepts, of `damaged`.
        stated: the tolerance that was read in the statement.
    """

    judge: NamedJudge | None
    is_default: bool
    reason: str
    consistent: list[NamedJudge] = []
    damaged_accepted: int = 0
    damaged: int = 0
    stated: Tolerance | None = None


async def infer(client: AsyncClient, trial: Trial, judges: Directory) -> Inference:
    """Look for a judge.

    Parameters:
        client: of the daemon that runs the judges.
        trial: of the problem.
        judges: those that ship.

    Raises:
        InternalError: the daemon failed.
    """
    right = [one.question for one in trial.right]
    stated = stated_tolerance(trial.material.statement)
    if not any(b"." in test.answer for test in trial.material.tests):
        stated = None  # of something else than the output
    found = Inference(
        judge=None, is_default=False, reason="", damaged=len(trial.damaged), stated=stated
    )
    within = [NamedJudge(name="floats", parameters=stated.parameters)] if stated else []
    for judge, words in (
        *((one, "within the tolerance that the statement names") for one in within),
        (DEFAULT, "the same in tokens as the jury's answer"),
    ):
        if await _agrees(client, judge, trial, right):
            return msgspec.structs.replace(
                found,
                judge=judge,
                is_default=judge == DEFAULT,
                reason=f"all {len(right)} outputs that are right are {words}",
                consistent=[judge],
            )
    if await _accepts_all(client, DEFAULT, trial, right):
        return msgspec.structs.replace(
            found,
            judge=DEFAULT,
            is_default=True,
            reason="accepts all outputs that are right, and a program that is called wrong: no "
            "judge can tell, unless white space or case matter",
            consistent=[DEFAULT],
        )
    consistent = [
        judge async for judge in _consistent(client, trial, right, candidates(judges, stated))
    ]
    if not consistent:
        return msgspec.structs.replace(
            found,
            reason="no judge that ships accepts all outputs that are right and sees all programs "
            "that are wrong",
        )
    ranked = []
    damage = [one for one in trial.damaged if one.kind not in RESPELLED]
    for judge in consistent:
        said = await ask(client, judge, trial, [one.question for one in damage])
        accepted = [one for one in damage if said[one.question].accepted is True]
        # Another order may be right.  What is left out, put in or changed would be right by chance.
        if all(one.kind in REORDERED for one in accepted):
            looseness = len(_no_looser_than(judges, judge.name))
            ranked.append((len({one.question for one in accepted}), looseness, judge))
    if not ranked:
        return msgspec.structs.replace(
            found,
            reason="judges that ship and fit also accept outputs in which something is missing, "
            "more or changed",
            consistent=consistent,
        )
    ranked.sort(key=lambda one: one[:2])
    count, _, best = ranked[0]
    return msgspec.structs.replace(
        found,
        judge=best,
        reason=f"accepts all {len(right)} outputs that are right, sees all {len(trial.wrong)} "
        f"programs that are wrong, and accepts {count} of {len(damage)} damaged outputs",
        consistent=[judge for _, _, judge in ranked],
        damaged_accepted=count,
    )


async def _agrees(
    client: AsyncClient, judge: NamedJudge, trial: Trial, right: Sequence[Question]
) -> bool:
    return await _accepts_all(client, judge, trial, right) and await _sees_all(client, judge, trial)


async def _accepts_all(
    client: AsyncClient, judge: NamedJudge, trial: Trial, questions: Sequence[Question]
) -> bool:
    tests = trial.material.tests
    # Few refute most judges: outputs that are another than the answer.
    telling = sorted(questions, key=lambda one: _is_answer(trial, one))
    for some in (telling[:_PROBE], telling[_PROBE:]):
        said = await decide(client, judge, tests, some, stop="first_failure")
        if not all(one.accepted for one in said):
            return False
    return True


def _is_answer(trial: Trial, question: Question) -> bool:
    return question.output.split() == trial.material.tests[question.test].answer.split()


async def _consistent(
    client: AsyncClient,
    trial: Trial,
    right: Sequence[Question],
    judges: Iterator[list[NamedJudge]],
) -> AsyncIterator[NamedJudge]:
    """Of each family the first that agrees with the evidence."""
    for family in judges:
        for judge in family:
            if await _accepts_all(client, judge, trial, right):
                if await _sees_all(client, judge, trial):
                    yield judge
                break  # a looser one of the family sees no more


async def _sees_all(client: AsyncClient, judge: NamedJudge, trial: Trial) -> bool:
    # A number with other digits is a right output that nobody has written before.  Another order
    # that only wrong programs write is not to be believed.
    enough = any if judge.name in (*_TOLERANT, DEFAULT.name) else all
    for questions in trial.wrong.values():
        said = await ask(client, judge, trial, questions)
        if not enough(one.accepted is False for one in said.values()):
            return False
    return True


def candidates(judges: Directory, stated: Tolerance | None) -> Iterator[list[NamedJudge]]:
    """Judges that come into question beside the default, in families: one judge with different
    tolerances, the strictest first.

    Parameters:
        stated: a tolerance that the statement names: then no other one is tried.
    """
    no_looser = _no_looser_than(judges, DEFAULT.name)
    for info in judges.infos():
        if info.name in no_looser:
            continue
        if info.name in _TOLERANT:
            tolerances = [stated] if stated is not None else [
                Tolerance(size, absolute, relative)
                for size in _TOLERANCES
                for absolute, relative in ((True, False), (False, True), (True, True))
            ]  # fmt: skip
            yield [NamedJudge(name=info.name, parameters=one.parameters) for one in tolerances]
            continue
        yield [NamedJudge(name=info.name)]
        for parameters in _VARIANTS.get(info.name, ()):
            yield [NamedJudge(name=info.name, parameters=parameters)]


def _no_looser_than(judges: Directory, name: str) -> set[str]:
    """A judge, and all that are stricter."""
    found, open_names = {name}, [name]
    while open_names:
        for other in judges.get(open_names.pop()).info.looser_than:
            if other not in found:
                found.add(other)
                open_names.append(other)
    return found


def stated_tolerance(statement: str) -> Tolerance | None:
    """The loosest tolerance that a statement names near a word for it; None: it names none."""
    found = []
    for match in _POWER.finditer(statement):
        start, end = match.span()
        near = statement[max(0, start - _NEAR_CHARACTERS) : end + _NEAR_CHARACTERS // 4]
        if not _TOLERANCE_WORDS.search(near):
            continue
        if match["power"]:
            value = float(match["times"] or 1) * 10.0 ** -int(match["power"])
        else:
            value = float((match["plain"] or match["decimal"]).replace(",", "."))
        absolute, relative = (bool(word.search(near)) for word in _ABSOLUTE_RELATIVE)
        if _LEAST <= value <= _MOST:
            # One that says neither means the distance.
            found.append(Tolerance(value, absolute or not relative, relative))
    return max(found, key=lambda one: one.size, default=None)
