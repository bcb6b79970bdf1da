"""A report becomes a reward: a number for the trainer, or the word that there is none.

A failure of ours, of a judge, or of time (`internal_error`, `judge_error`, `cancelled`) says
nothing about the program.  As a reward of 0 it would teach the model that right programs are wrong,
so it raises or gives None unless it is told to be 0.  Which tests are run, where there are too
many, is decided here as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from scalebox.errors import BadRequestError, InternalError
from scalebox.model import CaseResult, Integrity, Report, StopRule, Tests, Verdict

Kind = Literal["all_or_nothing", "fraction", "weighted"]
InternalErrorRule = Literal["raise", "none", "zero"]
WeakRule = Literal["accept", "zero"]
Pick = Literal["first", "spread"]

_UNDECIDED = frozenset({Verdict.INTERNAL_ERROR, Verdict.JUDGE_ERROR, Verdict.CANCELLED})


class RewardShape(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a report becomes a number from 0 to 1.

    Attributes:
        kind: `all_or_nothing`: 1 if every case is accepted, else 0.  `fraction`: accepted cases
            over cases.  `weighted`: the mean of the cases' points, weighted if weights are given;
            a case has 1 point if it is accepted, else its judge's `score` where that is between 0
            and 1, else none.
        max_cases: only so many of the first cases count; None: all.  With `fraction` and 10 it is
            verl's continuous reward
            (volcengine/verl:verl/utils/reward_score/sandbox_fusion/__init__.py).
        internal_error: what comes of a report that says nothing about the program: an exception,
            None, or 0.
        weak: whether a report counts whose result a hostile program could have forged; `zero`: it
            is worth nothing.
    """

    kind: Kind = "all_or_nothing"
    max_cases: int | None = None
    internal_error: InternalErrorRule = "raise"
    weak: WeakRule = "accept"

    def __post_init__(self) -> None:
        for name, choices in (
            ("kind", Kind),
            ("internal_error", InternalErrorRule),
            ("weak", WeakRule),
        ):
            value = getattr(self, name)
            if value not in get_args(choices):
                raise ValueError(f"{name} is {value!r}; it can be {', '.join(get_args(choices))}")
        if self.max_cases is not None and self.max_cases < 1:
            raise ValueError(f"max_cases is {self.max_cases}; at least one case must count")

    @property
    def stop(self) -> StopRule:
        """What submissions ask for: the later cases are needed unless one failure decides."""
        return "first_failure" if self.kind == "all_or_nothing" else "never"


_PLAIN = RewardShape()


def reward_of(
    report: Report, shape: RewardShape = _PLAIN, *, weights: Sequence[float] | None = None
) -> float | None:
    """The reward for a report, from 0 to 1; None: there is none.

    A case that failed for reasons of ours matters only where it could change the number: a
    submission with a wrong answer is worth 0 as `all_or_nothing` whatever the other cases would
    have been.

    Parameters:
        report: the answer to a submission.  Cases that were `skipped` after one that is not
            accepted count as not accepted, so for anything but `all_or_nothing` ask with
            `stop="never"` (`shape.stop`).
        shape: how.
        weights: one a case, for `weighted`; equal ones if left out.

    Raises:
        InternalError: the report says nothing about the program, and `shape.internal_error` is
            `raise`.
        BadRequestError: the weights do not fit the cases.
    """
    cases = report.cases[: shape.max_cases]
    shares = _shares(weights, len(report.cases), len(cases)) if shape.kind == "weighted" else None
    value = 0.0 if report.verdict is Verdict.COMPILE_ERROR else _value(cases, shape.kind, shares)
    if value is not None:
        weak = report.integrity is Integrity.WEAK and shape.weak == "zero"
        return 0.0 if weak else value
    if shape.internal_error == "none":
        return None
    if shape.internal_error == "zero":
        return 0.0
    why = report.message or f"{report.verdict} of {report.total} cases"
    raise InternalError(
        f"no reward: {report.verdict} says nothing about the program ({why}); "
        "RewardShape(internal_error=...) says what to give in its place"
    )


def _value(cases: list[CaseResult], kind: Kind, shares: Sequence[float] | None) -> float | None:
    """The number, or None where it is not known."""
    if not cases:
        return None
    if kind == "all_or_nothing":
        if any(
            case.verdict is not Verdict.ACCEPTED and case.verdict.is_about_the_program
            for case in cases
        ):
            return 0.0
        return 1.0 if all(case.verdict is Verdict.ACCEPTED for case in cases) else None
    if any(case.verdict in _UNDECIDED for case in cases):
        return None
    if shares is None:
        return sum(case.verdict is Verdict.ACCEPTED for case in cases) / len(cases)
    whole = math.fsum(shares)
    points = math.fsum(share * _points(c) for share, c in zip(shares, cases, strict=True))
    return min(1.0, points / whole)


def _points(case: CaseResult) -> float:
    if case.verdict is Verdict.ACCEPTED:
        return 1.0
    score = case.score
    # A scale of the judge's own (0 to 100, or points that a person gave) says nothing here.
    return score if score is not None and 0.0 <= score <= 1.0 else 0.0


def _shares(weights: Sequence[float] | None, total: int, counted: int) -> list[float]:
    if weights is None:
        return [1.0] * counted
    if len(weights) != total:
        raise BadRequestError(
            f"there are {len(weights)} weights for {total} cases", field="weights"
        )
    shares = [float(weight) for weight in weights[:counted]]
    if not all(math.isfinite(share) and share >= 0.0 for share in shares) or (
        shares and not 0.0 < math.fsum(shares) < math.inf
    ):
        raise BadRequestError(
            "weights must be finite, none below 0, and not all of them 0", field="weights"
        )
    return shares


def pick_cases(tests: Tests, max_cases: int | None, how: Pick = "first") -> Tests:
    """The same tests with at most so many cases, the same ones each time.

    Parameters:
        tests: of any kind.
        max_cases: None: all.
        how: the `first` ones, or some evenly `spread` over all, the first and the last among them
            (as data sets often have their largest inputs last).

    Raises:
        ValueError: fewer than one case, or no such way.
    """
    if how not in get_args(Pick):
        raise ValueError(f"no way {how!r} to pick cases; there are {', '.join(get_args(Pick))}")
    if max_cases is None:
        return tests
    if max_cases < 1:
        raise ValueError(f"max_cases is {max_cases}; at least one case must be left")
    total = len(tests.cases)
    if total <= max_cases:
        return tests
    if how == "first" or max_cases == 1:
        places = list(range(max_cases))
    else:
        places = [place * (total - 1) // (max_cases - 1) for place in range(max_cases)]
    return msgspec.structs.replace(tests, cases=[tests.cases[place] for place in places])
