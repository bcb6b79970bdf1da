"""Trying to refute a judge: what cannot be refuted is proven, and the proof says what was tried.

The stages, each of which ends the trial if it finds something:

1. *right*: the jury's answers and everything that right programs wrote are accepted;
2. *wrong*: each program that is known to be wrong and ended well is rejected somewhere;
3. *garbage*: what no right program writes is rejected, and the judge neither fails nor hangs;
4. *damaged*: right outputs with something done to them are rejected;
5. *still*: asked again, it says the same.

A damaged output may be right after all.  So what a *reference* (a judge that is trusted) or a
*peer* (another judge of the problem that itself passes 1 to 3) accepts there is set aside, and not
counted.  A reference counts both ways: what it accepts must be accepted.  The same tokens with
other white space or in another case are for a reference alone to decide.
"""

from __future__ import annotations

import datetime
import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from scalebox.client.aio import AsyncClient
from scalebox.model import Judge, canonical_bytes
from scalebox.specialjudges.damage import RESPELLED, Damaged, damaged, garbage
from scalebox.specialjudges.deciding import Decision, JudgeRefusedError, Question, decide
from scalebox.specialjudges.evidence import Evidence
from scalebox.specialjudges.material import Material

Answers = Mapping[Question, Decision]
Stage = Literal["right", "wrong", "garbage", "damaged", "still"]
_SHOWN_EXAMPLES = 3
_SHOWN_BYTES = 400
_ASKED_AGAIN = 24
#: So many failures are enough to refute a judge.
PATIENCE = 4
#: Of the normal distribution: 95 % of it are within so many deviations.
_Z95 = 1.959964


class Example(Struct, frozen=True, kw_only=True):
    """An output that a judge decides wrongly.

    Attributes:
        stage, kind: where it comes from.
        test: the test's name.
        input, output, answer: excerpts, for people.
        decided: what the judge said.
        right: what it should have.
    """

    stage: Stage
    kind: str
    test: str
    input: str
    output: str
    answer: str
    decided: str
    right: str


class Count(Struct, frozen=True, kw_only=True):
    """Of one kind of outputs.

    Attributes:
        asked: how many there were.
        held: how many were decided as they must be.
        set_aside: how many may be right after all, and count for nothing.
        low: with 95 % confidence at least this share of such outputs is decided so (Wilson's
            interval).
    """

    stage: Stage
    kind: str
    asked: int
    held: int
    set_aside: int = 0
    low: float = 0.0


class Proof(Struct, frozen=True, kw_only=True):
    """What was tried to refute a judge, and what came of it.

    Attributes:
        judge_sha256: of the judge, in its canonical form.
        problem: its id.
        data_sha256: of what it was proven with.
        date: UTC, ISO 8601.
        holds: nothing speaks against it.
        refuted_by: in words, one for each reason.
        counts: by stage and kind of output.
        examples: that speak against it, few.
        other_outputs: so many accepted outputs differ from the jury's answer in more than white
            space and case: it does not merely compare.
        referee: `reference`, `peers`, or `none`: who could set outputs aside.
        seed: of the damage.
        asked: decisions, all in all.
        seconds: that it took.
    """

    judge_sha256: str
    problem: str
    data_sha256: str
    date: str
    holds: bool
    refuted_by: list[str]
    counts: list[Count]
    examples: list[Example]
    other_outputs: int
    referee: Literal["reference", "peers", "none"]
    seed: int
    asked: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Trial:
    """What a judge of a problem is asked.

    Attributes:
        right: outputs that must be accepted, with their kinds.
        wrong: for each wrong program its outputs on the tests.
        garbage, damaged: see `damage`.
    """

    material: Material
    right: list[Damaged]
    wrong: dict[str, list[Question]]
    garbage: list[Damaged]
    damaged: list[Damaged]
    other_outputs: int
    seed: int
    data_sha256: str

    def all_questions(self) -> list[Question]:
        """Each once."""
        asked = [one.question for one in (*self.right, *self.garbage, *self.damaged)]
        asked += [question for outputs in self.wrong.values() for question in outputs]
        return list(dict.fromkeys(asked))


def prepare(material: Material, evidence: Evidence, *, seed: int = 0) -> Trial:
    """Make everything that judges of a problem are asked; the same for the same seed."""
    tests = material.tests
    right = [Damaged("answer", test, data.answer) for test, data in enumerate(tests)]
    known = {one.question for one in right}
    right += [
        Damaged("output", question.test, question.output)
        for question in evidence.right_questions(len(tests))
        if question not in known
    ]
    other = sum(_tokens(one.output) != _tokens(tests[one.test].answer) for one in right)
    right_tokens = {(one.test, _tokens(one.output)) for one in right}
    wrong = {}
    for program in evidence.wrong_programs(len(tests)):
        # Whoever writes the tokens that right programs write is not known to be wrong by this.
        suspect = [
            Question(test, output)
            for test, output in enumerate(program.outputs)
            if (test, _tokens(output)) not in right_tokens
        ]
        if suspect:
            wrong[program.name] = suspect
    return Trial(
        material=material,
        right=right,
        wrong=wrong,
        garbage=garbage(tests, evidence),
        damaged=damaged(tests, evidence, seed=seed),
        other_outputs=other,
        seed=seed,
        data_sha256=material.sha256(),
    )


def _tokens(output: bytes) -> bytes:
    return b" ".join(output.lower().split())


async def ask(
    client: AsyncClient,
    judge: Judge,
    trial: Trial,
    questions: Sequence[Question],
    *,
    patience: int | None = PATIENCE,
) -> dict[Question, Decision]:
    """What a judge says to questions of a trial; each is asked once.

    Parameters:
        patience: see `decide`.

    Raises:
        JudgeRefusedError: the daemon does not take the judge.
        InternalError: the daemon failed.
    """
    different = list(dict.fromkeys(questions))
    tests = trial.material.tests
    decisions = await decide(client, judge, tests, different, patience=patience)
    return dict(zip(different, decisions, strict=True))


@dataclass(slots=True)
class _Findings:
    """What has been found so far."""

    trial: Trial
    counts: list[Count] = field(default_factory=list)
    against: list[str] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    asked: int = 0

    def look(
        self,
        stage: Stage,
        outputs: Sequence[Damaged],
        answers: Answers,
        expected: Mapping[Question, bool | None],
    ) -> None:
        """Count decisions about outputs.

        Parameters:
            expected: what is right; None: set aside.
        """
        kinds = dict.fromkeys(one.kind for one in outputs)
        bad: list[Damaged] = []
        for kind in kinds:
            own = [one for one in outputs if one.kind == kind and answers[one.question].asked]
            counted = [one for one in own if expected[one.question] is not None]
            wrong = [
                one
                for one in counted
                if answers[one.question].accepted is not expected[one.question]
            ]
            bad += wrong
            held = len(counted) - len(wrong)
            self.counts.append(
                Count(
                    stage=stage,
                    kind=kind,
                    asked=len(own),
                    held=held,
                    set_aside=len(own) - len(counted),
                    low=round(wilson_low(held, len(counted)), 4),
                )
            )
        # One that fails on an output is wrong there, whatever is right.
        failed = [
            one
            for one in outputs
            if answers[one.question].failed and expected[one.question] is None
        ]
        self._note(stage, bad, failed, answers, expected)

    def _note(
        self,
        stage: Stage,
        bad: Sequence[Damaged],
        failed: Sequence[Damaged],
        answers: Answers,
        expected: Mapping[Question, bool | None],
    ) -> None:
        failing = [one for one in (*bad, *failed) if answers[one.question].failed]
        rejecting = [one for one in bad if answers[one.question].accepted is False]
        accepting = [one for one in bad if answers[one.question].accepted is True]
        for group, words in (
            (failing, "fails on"), (rejecting, "rejects"), (accepting, "accepts"),
        ):  # fmt: skip
            if not group:
                continue
            kinds = ", ".join(dict.fromkeys(one.kind for one in group))
            self.against.append(f"{stage}: it {words} {len(group)} outputs ({kinds})")
            for one in group[:_SHOWN_EXAMPLES]:
                self.add_example(stage, one, answers[one.question], expected[one.question])

    def add_example(
        self, stage: Stage, one: Damaged, decision: Decision, right: bool | None
    ) -> None:
        """One that speaks against the judge."""
        test = self.trial.material.tests[one.test]
        self.examples.append(
            Example(
                stage=stage,
                kind=one.kind,
                test=test.name,
                input=_excerpt(test.input),
                output=_excerpt(one.output),
                answer=_excerpt(test.answer),
                decided=decision.word[:_SHOWN_BYTES],
                right={True: "accepted", False: "rejected", None: "any decision"}[right],
            )
        )


async def prove(
    client: AsyncClient,
    judge: Judge,
    trial: Trial,
    *,
    reference: Answers | None = None,
    peers: Sequence[Answers] = (),
) -> Proof:
    """Try to refute a judge.

    Parameters:
        client: of the daemon that runs it.
        trial: what it is asked.
        reference: what a judge that is trusted said to all questions of the trial.
        peers: what others of the same problem said, that pass the first three stages.

    Returns:
        The proof; `holds` says how it ended.

    Raises:
        InternalError: the daemon failed.
    """
    begun = time.monotonic()
    found = _Findings(trial)
    try:
        await _try(client, judge, trial, found, reference, peers)
    except JudgeRefusedError as error:
        found.against.append(error.message)
    return Proof(
        judge_sha256=hashlib.sha256(canonical_bytes(judge)).hexdigest(),
        problem=trial.material.id,
        data_sha256=trial.data_sha256,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        holds=not found.against,
        refuted_by=found.against,
        counts=found.counts,
        examples=found.examples,
        other_outputs=trial.other_outputs,
        referee="reference" if reference is not None else "peers" if peers else "none",
        seed=trial.seed,
        asked=found.asked,
        seconds=round(time.monotonic() - begun, 3),
    )


async def _try(
    client: AsyncClient,
    judge: Judge,
    trial: Trial,
    found: _Findings,
    reference: Answers | None,
    peers: Sequence[Answers],
) -> None:
    said: dict[Question, Decision] = {}
    for stage, outputs in (
        ("right", trial.right), ("wrong", _wrong(trial)),
        ("garbage", trial.garbage), ("damaged", trial.damaged),
    ):  # fmt: skip
        new = [one.question for one in outputs if one.question not in said]
        found.asked += len(set(new))
        said |= await ask(client, judge, trial, new)
        if stage == "wrong" and reference is None:
            _look_at_programs(trial, said, found)
        else:
            expected = _expected(stage, outputs, reference, peers)
            found.look(stage, outputs, said, expected)  # type: ignore[arg-type]
        if found.against:
            return
    again = _some(said, _ASKED_AGAIN)
    found.asked += len(again)
    _look_again(said, await ask(client, judge, trial, again), found)


def _wrong(trial: Trial) -> list[Damaged]:
    return [
        Damaged(name, question.test, question.output)
        for name, questions in trial.wrong.items()
        for question in questions
    ]


def _expected(
    stage: str, outputs: Sequence[Damaged], reference: Answers | None, peers: Sequence[Answers]
) -> dict[Question, bool | None]:
    """What is right about outputs; None: nobody knows."""
    if reference is not None:
        return {one.question: reference[one.question].accepted for one in outputs}
    if stage == "right":
        return {one.question: True for one in outputs}
    expected: dict[Question, bool | None] = {}
    for one in outputs:
        doubted = one.kind in RESPELLED or any(
            one.question in peer and peer[one.question].accepted for peer in peers
        )
        expected[one.question] = None if doubted else False
    return expected


def _look_at_programs(trial: Trial, said: Answers, found: _Findings) -> None:
    """Of a wrong program nobody knows where it is wrong: somewhere it has to be seen."""
    seen = 0
    for name, outputs in trial.wrong.items():
        questions = [one for one in outputs if said[one].asked]
        if not questions:
            continue  # it had failed too often before
        if any(said[question].accepted is False for question in questions):
            seen += 1
            continue
        failed = next((one for one in questions if said[one].failed), None)
        words = "fails on outputs of" if failed else "accepts all that is written by"
        found.against.append(f"wrong: it {words} {name}, which is known to be wrong")
        shown = failed or questions[0]
        example = Damaged(name, shown.test, shown.output)
        found.add_example("wrong", example, said[shown], False)
    found.counts.append(
        Count(
            stage="wrong",
            kind="programs",
            asked=len(trial.wrong),
            held=seen,
            low=round(wilson_low(seen, len(trial.wrong)), 4),
        )
    )


def _look_again(said: Answers, again: Answers, found: _Findings) -> None:
    held = 0
    for question, decision in again.items():
        if decision.accepted is said[question].accepted:
            held += 1
            continue
        if not found.against:
            words = f"{said[question].word}, then {decision.word}"
            found.against.append(f"still: asked twice it said two things ({words[:200]})")
        one = Damaged("again", question.test, question.output)
        found.add_example("still", one, decision, said[question].accepted)
    found.counts.append(
        Count(
            stage="still",
            kind="again",
            asked=len(again),
            held=held,
            low=round(wilson_low(held, len(again)), 4),
        )
    )


def _some(said: Answers, most: int) -> list[Question]:
    """Spread over what was asked, half of it accepted where there is so much."""
    chosen: list[Question] = []
    for accepted in (True, False):
        own = [question for question in said if said[question].accepted is accepted]
        step = max(1, len(own) // (most // 2))
        chosen += own[::step][: most // 2]
    return chosen


def wilson_low(held: int, counted: int) -> float:
    """Lower bound of a share, with 95 % confidence (Wilson 1927); 0 of nothing."""
    if counted == 0:
        return 0.0
    share, square = held / counted, _Z95 * _Z95
    middle = share + square / (2 * counted)
    width = _Z95 * math.sqrt(share * (1 - share) / counted + square / (4 * counted * counted))
    return max(0.0, (middle - width) / (1 + square / counted))


def _excerpt(data: bytes) -> str:
    text = data[:_SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return text if len(data) <= _SHOWN_BYTES else f"{text}… ({len(data)} bytes)"
