"""Judges asked about outputs, by way of a daemon: many at a time, each in a slot.

A failure of the daemon's own is asked again and then ends the work; it never becomes a decision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError, InternalError, RemoteError
from scalebox.model import (
    Blob,
    Judge,
    OutputCase,
    OutputTests,
    ProgramJudge,
    Report,
    StopRule,
    Submission,
    Verdict,
)
from scalebox.specialjudges.material import TestData

#: Of one request: outputs, and their bytes with inputs and answers.
_MOST_OUTPUTS = 64
_MOST_BYTES = 8 << 20
_ATTEMPTS = 3
#: Of a judge that may run out of patience.
_MOST_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Question:
    """An output of a test.

    Attributes:
        test: its number.
    """

    test: int
    output: bytes


@dataclass(frozen=True, slots=True)
class Decision:
    """What a judge said.

    Attributes:
        accepted: None: it failed, or was not asked because another answer was enough.
        asked: whether it was asked.
        message: its words, or how it failed.
    """

    accepted: bool | None
    message: str = ""
    asked: bool = True

    @property
    def failed(self) -> bool:
        """Whether the judge itself did."""
        return self.asked and self.accepted is None

    @property
    def word(self) -> str:
        """For people."""
        if self.accepted is None:
            return f"judge_error: {self.message}" if self.asked else "not asked"
        return "accepted" if self.accepted else "rejected"


class JudgeRefusedError(BadRequestError):
    """The daemon does not take a judge at all; the message says why."""

    code = "judge_refused"


async def decide(
    client: AsyncClient,
    judge: Judge,
    tests: Sequence[TestData],
    questions: Sequence[Question],
    *,
    stop: StopRule = "never",
    patience: int | None = None,
) -> list[Decision]:
    """What a judge says about outputs.

    Parameters:
        client: of the daemon that runs it.
        tests: of the problem.
        questions: the outputs.
        stop: `first_failure`: one that is not accepted is enough; what comes after it in the
            same request is not asked.
        patience: a judge that has failed so often is not asked any more: each time may take all
            of its limit.  None: it is asked about everything.

    Returns:
        One decision a question.

    Raises:
        JudgeRefusedError: the daemon does not take the judge.
        InternalError: the daemon failed.
    """
    decisions: list[Decision] = [Decision(None, asked=False)] * len(questions)
    begun = 0
    for size in _sizes(len(questions), patience):
        groups = list(_groups(tests, questions, range(begun, begun + size)))
        await _decide(client, judge, tests, questions, groups, stop, decisions)
        begun += size
        if patience is not None and sum(one.failed for one in decisions) >= patience:
            break
    return decisions


def _sizes(count: int, patience: int | None) -> Iterator[int]:
    """How many questions are put at a time: first as few as tell that a judge never decides."""
    if patience is None:
        yield count
        return
    size = patience
    while count > 0:
        yield min(size, count)
        count -= size
        size = _MOST_AT_ONCE


async def _decide(
    client: AsyncClient,
    judge: Judge,
    tests: Sequence[TestData],
    questions: Sequence[Question],
    groups: list[list[int]],
    stop: StopRule,
    decisions: list[Decision],
) -> None:
    """Note the decisions about some questions.

    Raises:
        JudgeRefusedError: the daemon does not take the judge.
        InternalError: the daemon failed.
    """
    for _ in range(_ATTEMPTS):
        left = []
        submissions = [_submission(judge, tests, questions, group, stop) for group in groups]
        stream = client.judge_many(submissions, on_error="return")
        async with aclosing(stream):
            async for index, outcome in stream:
                if not isinstance(outcome, Report):
                    raise _refused(outcome)
                if any(case.verdict is Verdict.INTERNAL_ERROR for case in outcome.cases):
                    left.append(groups[index])
                    continue
                for place, case in zip(groups[index], outcome.cases, strict=True):
                    decisions[place] = _decision(case.verdict, case.message)
        if not left:
            return
        groups = left
        await asyncio.sleep(0.5)
    raise InternalError("the daemon failed to run a judge, again and again; see its log")


def _refused(error: RemoteError) -> Exception:
    if 400 <= (error.http_status or 0) < 500:
        return JudgeRefusedError(f"the daemon refuses the judge: {error.message}")
    return error


def _decision(verdict: Verdict, message: str) -> Decision:
    if verdict is Verdict.SKIPPED:
        return Decision(None, asked=False)
    if verdict in (Verdict.ACCEPTED, Verdict.WRONG_ANSWER):
        return Decision(verdict is Verdict.ACCEPTED, message)
    return Decision(None, message or verdict.value)


def _groups(
    tests: Sequence[TestData], questions: Sequence[Question], places: Iterable[int]
) -> Iterator[list[int]]:
    """Places of questions that go into one request each."""
    group: list[int] = []
    size = 0
    for place in places:
        question = questions[place]
        test = tests[question.test]
        own = len(question.output) + len(test.input) + len(test.answer)
        if group and (len(group) == _MOST_OUTPUTS or size + own > _MOST_BYTES):
            yield group
            group, size = [], 0
        group.append(place)
        size += own
    if group:
        yield group


def _submission(
    judge: Judge,
    tests: Sequence[TestData],
    questions: Sequence[Question],
    group: Iterable[int],
    stop: StopRule,
) -> Submission:
    takes_flags = isinstance(judge, ProgramJudge) and judge.contract == "icpc"
    cases = []
    for place in group:
        question = questions[place]
        test = tests[question.test]
        cases.append(
            OutputCase(
                output=Blob(data=question.output),
                input=Blob(data=test.input),
                answer=Blob(data=test.answer),
                judge_flags=None if test.flags is None or not takes_flags else list(test.flags),
            )
        )
    return Submission(
        language="", source="", tests=OutputTests(cases=cases, judge=judge), stop=stop
    )
