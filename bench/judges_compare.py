"""One problem: what different judges make of its programs' outputs.

Only programs that ended well on every test count: the others are rejected by whatever judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.judging_rules import RULES
from scalebox.client.aio import AsyncClient
from scalebox.judges.directory import shipped
from scalebox.model import Comparison, Judge, NamedJudge
from scalebox.specialjudges import classify
from scalebox.specialjudges.curation import Curator
from scalebox.specialjudges.deciding import Question, decide
from scalebox.specialjudges.evidence import Evidence, Written
from scalebox.specialjudges.infer import DEFAULT, Inference, infer
from scalebox.specialjudges.material import Material
from scalebox.specialjudges.prove import prepare

_RULE_NAMES = {"original": "original_rule"}


@dataclass(slots=True)
class Compared:
    """What was found about a problem.

    Attributes:
        kind: of its own judge: `default`, `custom`, `interactive`.
        right, wrong: programs that count.
        false_rejects, false_accepts: by judge, of those.
        own_disagrees: decisions in which the inferred judge is not of the package's opinion.
        wrong_outputs_accepted: outputs that the package's judge rejects and the inferred accepts.
        solved: whether the inferred judge is always of the package's opinion.
        made_looser: whether the inferred judge is looser than a default one.
    """

    problem: str
    kind: str
    signs: Mapping[str, bool]
    inference: Inference | None = None
    right: int = 0
    wrong: int = 0
    false_rejects: dict[str, int] = field(default_factory=dict)
    false_accepts: dict[str, int] = field(default_factory=dict)
    own_disagrees: int = 0
    wrong_outputs_accepted: int = 0
    solved: bool = False
    made_looser: bool = False

    @property
    def needs_judge(self) -> bool:
        """By the package itself."""
        return self.kind != "default"

    def row(self) -> dict[str, Any]:
        """For tables and files."""
        judge = self.inference.judge if self.inference else None
        return {
            "problem": self.problem,
            "own judge": self.kind,
            "right": self.right,
            "wrong": self.wrong,
            **{f"{name} rejects": count for name, count in self.false_rejects.items()},
            **{f"{name} accepts": count for name, count in self.false_accepts.items()},
            "inferred": shown(judge) if self.inference else "",
            "solved": self.solved,
        }


def shown(judge: NamedJudge | None) -> str:
    """A judge in few words."""
    if judge is None:
        return "none"
    given = ", ".join(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}"
                      for name, value in judge.parameters.items())  # fmt: skip
    return f"{judge.name}({given})" if given else judge.name


def kind_of(material: Material) -> str:
    """Of the judge that comes with it."""
    if material.interactive:
        return "interactive"
    return "default" if isinstance(material.own, Comparison) else "custom"


async def compare(client: AsyncClient, curator: Curator, material: Material) -> Compared:
    """Find out about one problem.

    Raises:
        ScaleboxError: the daemon failed.
    """
    evidence = await curator.evidence(material)
    found = Compared(material.id, kind_of(material), classify.signs_of(material, evidence))
    if material.interactive:
        return found
    assert material.own is not None
    count = len(material.tests)
    whole = [one for one in evidence.programs if len(one.outputs) == count]
    found.right = sum(one.is_right for one in whole)
    found.wrong = len(whole) - found.right
    for name, rule in RULES.items():
        verdicts = [
            all(
                rule(output, test.answer)
                for output, test in zip(one.outputs, material.tests, strict=True)
            )
            for one in whole
        ]
        _count(found, _RULE_NAMES.get(name, name), whole, verdicts)
    own = await _said(client, material.own, material, whole)
    _count(found, "own", whole, _verdicts(own, whole))
    found.inference = await curator.infer(material)
    if found.inference.judge is not None:
        said = await _said(client, found.inference.judge, material, whole)
        _count(found, "inferred", whole, _verdicts(said, whole))
        wrong = [question for question in own if own[question] is False]
        found.wrong_outputs_accepted = sum(said[question] is True for question in wrong)
        found.own_disagrees = sum(said[question] is not own[question] for question in own)
        found.solved = found.own_disagrees == 0
        found.made_looser = found.kind == "default" and _is_looser(
            found.inference.judge, material.own
        )
    await _hold_out(client, material, evidence, whole, found)
    return found


async def _hold_out(
    client: AsyncClient,
    material: Material,
    evidence: Evidence,
    whole: Sequence[Written],
    found: Compared,
) -> None:
    """What a judge makes of right programs that it was not inferred from."""
    right = [one for one in evidence.programs if one.is_right]
    held = {one.name for one in right[1::2]}
    if not held:
        return
    rest = Evidence(programs=[one for one in evidence.programs if one.name not in held])
    inference = await infer(client, prepare(material, rest), shipped())
    unseen = [one for one in whole if one.name in held]
    if inference.judge is None or not unseen:
        return
    said = await _said(client, inference.judge, material, unseen)
    _count(found, "held_out", unseen, _verdicts(said, unseen))


async def _said(
    client: AsyncClient, judge: Judge, material: Material, programs: Sequence[Written]
) -> dict[Question, bool | None]:
    questions = list(
        dict.fromkeys(
            Question(test, output) for one in programs for test, output in enumerate(one.outputs)
        )
    )
    decisions = await decide(client, judge, material.tests, questions)
    return {
        question: decision.accepted for question, decision in zip(questions, decisions, strict=True)
    }


def _verdicts(said: Mapping[Question, bool | None], programs: Sequence[Written]) -> list[bool]:
    return [
        all(said[Question(test, output)] for test, output in enumerate(one.outputs))
        for one in programs
    ]


def _count(
    found: Compared, name: str, programs: Sequence[Written], verdicts: Sequence[bool]
) -> None:
    pairs = list(zip(programs, verdicts, strict=True))
    found.false_rejects[name] = sum(one.is_right and not accepted for one, accepted in pairs)
    found.false_accepts[name] = sum(not one.is_right and accepted for one, accepted in pairs)


def _is_looser(judge: NamedJudge, own: Judge) -> bool:
    """Than the comparison of a package."""
    assert isinstance(own, Comparison)
    if judge == DEFAULT:
        return False
    if judge.name != "floats":
        return True
    # The packages' own bounds have a little room for rounding.
    return any(
        float(judge.parameters[name]) > (bound or 0) * 1.001
        for name, bound in (
            ("absolute", own.float_absolute_tolerance),
            ("relative", own.float_relative_tolerance),
        )
    )
