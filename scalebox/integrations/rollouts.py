"""Rollouts → rewards: what the files for the trainers have in common.

A rollout is a model's answer and the ground truth of its problem.  The program in the answer is
found (`scalebox.extraction`), judged by the tests in the ground truth (`truths`), and its report
becomes a number (`scalebox.rewards`).

Trainers call from threads, event loops, forked and spawned workers, and pickle what they call.  So
what they are given holds settings alone, and the client is found when it is needed: one a process
and daemon, whose own thread serves all callers; a fork begins anew.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import msgspec

from scalebox.client.address import Addresses
from scalebox.client.sync import Client
from scalebox.errors import BadRequestError, InternalError, ScaleboxError
from scalebox.extraction import Rule, extract_code
from scalebox.integrations.truths import Truth, truth_of
from scalebox.model import Comparison, Judge, Report, StdioTests, Submission
from scalebox.rewards import (
    InternalErrorRule,
    Kind,
    Pick,
    RewardShape,
    WeakRule,
    pick_cases,
    reward_of,
)

_logger = logging.getLogger("scalebox.integrations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How rollouts are judged, and what their reports are worth.

    Attributes:
        address: of the daemon, or of several, as `Client` takes it; None: `$SCALEBOX_ADDRESS`, else
            the host's own.
        token: for TCP; None: `$SCALEBOX_TOKEN`.
        ca: for `https://`; None: `$SCALEBOX_CA`.
        language: of programs whose rollout says no other.
        rule: which of several blocks of code is the program.
        kind, max_cases, internal_error, weak: as in `RewardShape`.
        pick: which cases are run, where there are more than `max_cases`.
        judge: decides about outputs where the ground truth says no judge; None: `Comparison()`.
        cpu_time_s, wall_time_s, memory_bytes: limits of each case; None: the ground truth's, else
            the daemon's.
        deadline_s: for a rollout as a whole, waiting included; None: it has time.
        priority: higher is judged earlier among this process's own.
    """

    address: Addresses = None
    token: str | None = None
    ca: str | None = None
    language: str = "python"
    rule: Rule = "last"
    kind: Kind = "all_or_nothing"
    max_cases: int | None = None
    pick: Pick = "first"
    internal_error: InternalErrorRule = "raise"
    weak: WeakRule = "accept"
    judge: Judge | None = None
    cpu_time_s: float | None = None
    wall_time_s: float | None = None
    memory_bytes: int | None = None
    deadline_s: float | None = None
    priority: int = 0

    @property
    def shape(self) -> RewardShape:
        """What a report is worth."""
        return RewardShape(
            kind=self.kind,
            max_cases=self.max_cases,
            internal_error=self.internal_error,
            weak=self.weak,
        )


_NAMES = frozenset(field.name for field in fields(Settings))


def settings_of(given: Mapping[str, Any], **defaults: Any) -> Settings:
    """Settings from keyword arguments, as trainers' configurations have them.

    Parameters:
        given: by name.
        defaults: where they are not given.

    Raises:
        BadRequestError: one of them is unknown, or cannot be.
    """
    unknown = sorted(given.keys() - _NAMES)
    if unknown:
        raise BadRequestError(
            f"no setting {', '.join(unknown)}; there are {', '.join(sorted(_NAMES))}"
        )
    known = {**defaults, **given}
    try:
        if isinstance(known.get("judge"), Mapping):
            known["judge"] = msgspec.convert(dict(known["judge"]), Judge)
        settings = Settings(**known)
        _ = settings.shape
        extract_code("", rule=settings.rule)
    except ValueError as error:
        raise BadRequestError(str(error)) from error
    return settings


@dataclass(frozen=True, slots=True)
class Rollout:
    """One answer to be judged.

    Attributes:
        completion: the text, or messages of which the last one is the answer.
        truth: the problem's ground truth, as `truth_of` takes it.
        language: of the program; None: the settings'.
    """

    completion: Any
    truth: Any
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one.

    Attributes:
        reward: from 0 to 1; None: there is none, because we failed and `internal_error` is `none`.
        code: the program; None: there is none in the answer, or the rollout could not be read.
        report: the daemon's; None: it was not asked, or refused.
        trouble: why there is no report, or why it says nothing; empty: all is well.
    """

    reward: float | None
    code: str | None = None
    report: Report | None = None
    trouble: str = ""

    @property
    def accepted(self) -> bool:
        """Whether every case that was run was accepted."""
        return self.report is not None and self.report.accepted

    def details(self) -> dict[str, Any]:
        """For a trainer's log: the same fields, of the same types, for every rollout."""
        report = self.report
        return {
            "acc": float(self.accepted),
            "passed": 0 if report is None else report.passed,
            "total": 0 if report is None else report.total,
            "has_code": float(self.code is not None),
            "verdict": "none" if report is None else report.verdict.value,
        }


def grade(rollouts: Sequence[Rollout], settings: Settings) -> list[Outcome]:
    """Judge rollouts; the outcomes are in their order.

    Raises:
        ScaleboxError: with `internal_error="raise"`: whatever kept one of them from a reward.
    """
    work = _Work(rollouts, settings)
    if not work.submissions:
        return work.settle([])
    try:
        future = client_of(settings).begin_all(work.submissions)
        try:
            answers: Sequence[Report | ScaleboxError] = future.result()
        except BaseException:
            future.cancel()
            raise
    except ScaleboxError as error:
        answers = [error] * len(work.submissions)
    return work.settle(answers)


async def grade_async(rollouts: Sequence[Rollout], settings: Settings) -> list[Outcome]:
    """As `grade`, from any event loop; cancelling it breaks the work off."""
    work = _Work(rollouts, settings)
    if not work.submissions:
        return work.settle([])
    answers: Sequence[Report | ScaleboxError]
    try:
        future = client_of(settings).begin_all(work.submissions)
        # Cancelled, it cancels that one, too.
        awaitable: asyncio.Future[Any] = asyncio.wrap_future(future)
        answers = await awaitable
    except ScaleboxError as error:
        answers = [error] * len(work.submissions)
    return work.settle(answers)


class _Work:
    """Rollouts on their way to the daemon and back."""

    def __init__(self, rollouts: Sequence[Rollout], settings: Settings) -> None:
        self._settings = settings
        self._shape = settings.shape
        #: What is known already, or the program that the daemon is asked about.
        self._begun: list[Outcome | str] = []
        self.submissions: list[Submission] = []
        # Of a batch's texts, each is read once, however large.
        self._truths: dict[str, Truth] = {}
        for rollout in rollouts:
            self._begun.append(self._begin(rollout))

    def _begin(self, rollout: Rollout) -> Outcome | str:
        settings = self._settings
        language = rollout.language or settings.language
        try:
            truth = self._truth(rollout.truth)
            code = extract_code(
                answer_text(rollout.completion), language=language, rule=settings.rule
            )
            if code is None or not _is_text(code):
                return Outcome(0.0)
            self.submissions.append(self._submission(code, language, truth))
        except ScaleboxError as error:
            return self._failed(error)
        return code

    def _truth(self, given: Any) -> Truth:
        if not isinstance(given, str):
            return truth_of(given)
        found = self._truths.get(given)
        if found is None:
            found = self._truths[given] = truth_of(given)
        return found

    def _submission(self, code: str, language: str, truth: Truth) -> Submission:
        settings, tests = self._settings, truth.tests
        if tests is not None:
            tests = pick_cases(tests, settings.max_cases, settings.pick)
            if truth.plain and isinstance(tests, StdioTests):
                tests = msgspec.structs.replace(tests, judge=settings.judge or Comparison())
        limits = {
            name: value
            for name in ("cpu_time_s", "wall_time_s", "memory_bytes")
            if (value := getattr(settings, name)) is not None
        }
        return Submission(
            language=language,
            source=code,
            tests=tests,
            problem=truth.problem,
            limits=msgspec.structs.replace(truth.limits, **limits),
            stop=self._shape.stop,
            priority=settings.priority,
            deadline_s=settings.deadline_s,
        )

    def settle(self, answers: Sequence[Report | ScaleboxError]) -> list[Outcome]:
        """The outcomes, in the rollouts' order."""
        rest = iter(answers)
        outcomes = [
            begun if isinstance(begun, Outcome) else self._outcome(begun, next(rest))
            for begun in self._begun
        ]
        troubles = [outcome.trouble for outcome in outcomes if outcome.trouble]
        if troubles:
            _logger.warning(
                "%d of %d rollouts were not judged: %s",
                len(troubles),
                len(outcomes),
                troubles[0],
            )
        return outcomes

    def _outcome(self, code: str, answer: Report | ScaleboxError) -> Outcome:
        if isinstance(answer, ScaleboxError):
            return self._failed(answer, code)
        try:
            reward = reward_of(answer, self._shape)
        except InternalError as error:
            return self._failed(error, code, answer)
        undecided = reward is None or not answer.verdict.is_about_the_program
        trouble = f"{answer.verdict}: {answer.message}" if undecided else ""
        return Outcome(reward, code, answer, trouble)

    def _failed(
        self, error: ScaleboxError, code: str | None = None, report: Report | None = None
    ) -> Outcome:
        """Raises it, unless the settings say what to give in its place."""
        if self._shape.internal_error == "raise":
            raise error
        reward = 0.0 if self._shape.internal_error == "zero" else None
        return Outcome(reward, code, report, str(error))


_clients: dict[tuple[str, ...], Client] = {}


def client_of(settings: Settings) -> Client:
    """This process's client of the daemons that the settings name.

    Raises:
        BadRequestError: the address is none.
    """
    address = settings.address or os.environ.get("SCALEBOX_ADDRESS") or None
    token = settings.token or os.environ.get("SCALEBOX_TOKEN") or None
    ca = settings.ca or os.environ.get("SCALEBOX_CA") or None
    key = (repr(address), token or "", ca or "", os.environ.get("SCALEBOX_SOCKET", ""))
    found = _clients.get(key)
    if found is None:
        # Of two threads that come here at once, one makes a client that is never used.
        found = _clients.setdefault(key, Client(address, token=token, ca=ca))
    return found


def answer_text(completion: Any) -> str:
    """The text of an answer: itself, or that of the last message that has any.

    Parameters:
        completion: a text; a message; or a list of messages (dictionaries or objects with
            `content`, a text or a list of parts of which those of type `text` count).

    Raises:
        BadRequestError: it is neither.
    """
    if isinstance(completion, str):
        return completion
    if isinstance(completion, Sequence):
        texts = (answer_text(one) for one in reversed(completion) if _role(one) == "assistant")
        return next((text for text in texts if text.strip()), "")
    is_message = isinstance(completion, Mapping) or hasattr(completion, "content")
    content = _field(completion, "content")
    if is_message and (content is None or isinstance(content, str)):
        return content or ""
    if isinstance(content, Sequence):
        parts = (one if isinstance(one, str) else _field(one, "text") for one in content)
        return "".join(part for part in parts if isinstance(part, str))
    raise BadRequestError(
        f"a completion is a text, or messages with a content; this is a {type(completion).__name__}"
    )


def _role(message: Any) -> str:
    return str(_field(message, "role") or "assistant")


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _is_text(code: str) -> bool:
    """Whether any file can hold it: half of a character is in no program that runs."""
    try:
        code.encode()
    except UnicodeEncodeError:
        return False
    return True


def language_in(row: Any) -> str | None:
    """The language that a row, or what a trainer has beside it, states; None: it states none."""
    found = _field(row, "language") if row is not None else None
    return found if isinstance(found, str) and found else None
