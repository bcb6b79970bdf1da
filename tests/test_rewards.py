"""Reports become rewards, and a failure of ours becomes none."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.errors import BadRequestError, InternalError
from scalebox.model import (
    AssertCase,
    AssertTests,
    CaseResult,
    Enforcement,
    Integrity,
    IsolationLevel,
    Report,
    StdioCase,
    StdioTests,
    Tests,
    Verdict,
)
from scalebox.rewards import Kind, RewardShape, pick_cases, reward_of

RIGHT, WRONG = Verdict.ACCEPTED, Verdict.WRONG_ANSWER
OURS, JUDGES, LATE = Verdict.INTERNAL_ERROR, Verdict.JUDGE_ERROR, Verdict.CANCELLED
FRACTION = RewardShape(kind="fraction")
WEIGHTED = RewardShape(kind="weighted")
OF_CASES = [verdict for verdict in Verdict if verdict is not Verdict.COMPILE_ERROR]
KINDS: tuple[Kind, ...] = ("all_or_nothing", "fraction", "weighted")


def report(*cases: Verdict | CaseResult, verdict: Verdict | None = None, **fields: Any) -> Report:
    results = [c if isinstance(c, CaseResult) else CaseResult(verdict=c) for c in cases]
    first = next((r.verdict for r in results if r.verdict is not RIGHT), RIGHT)
    return Report(
        verdict=verdict or first,
        passed=sum(r.verdict is RIGHT for r in results),
        total=len(results),
        cases=results,
        isolation=IsolationLevel.FULL,
        enforcement=Enforcement.CGROUP2,
        **fields,
    )


@pytest.mark.parametrize(
    ("cases", "whole", "part"),
    [
        ([RIGHT], 1.0, 1.0),
        ([RIGHT, RIGHT, WRONG, RIGHT], 0.0, 0.75),
        ([WRONG], 0.0, 0.0),
        ([RIGHT, Verdict.TIME_LIMIT_EXCEEDED], 0.0, 0.5),
        ([WRONG, Verdict.SKIPPED, Verdict.SKIPPED, Verdict.SKIPPED], 0.0, 0.0),
    ],
)
def test_cases_add_up(cases: list[Verdict], whole: float, part: float) -> None:
    assert reward_of(report(*cases)) == whole
    assert reward_of(report(*cases), FRACTION) == part
    assert reward_of(report(*cases), WEIGHTED) == part


def test_what_does_not_compile_is_worth_nothing() -> None:
    bad = report(Verdict.SKIPPED, Verdict.SKIPPED, verdict=Verdict.COMPILE_ERROR)
    assert [reward_of(bad, RewardShape(kind=kind)) for kind in KINDS] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verdict", [OURS, JUDGES, LATE])
def test_a_failure_of_ours_is_no_reward_unless_told_so(kind: Kind, verdict: Verdict) -> None:
    ours = report(RIGHT, verdict, Verdict.SKIPPED, message="a disk is full")
    with pytest.raises(InternalError, match=f"{verdict}.*a disk is full"):
        reward_of(ours, RewardShape(kind=kind))
    assert reward_of(ours, RewardShape(kind=kind, internal_error="none")) is None
    assert reward_of(ours, RewardShape(kind=kind, internal_error="zero")) == 0.0


def test_a_failure_of_ours_beside_a_wrong_answer_matters_to_a_fraction_alone() -> None:
    for mixed in (report(OURS, WRONG), report(WRONG, OURS)):
        assert reward_of(mixed) == 0.0
        with pytest.raises(InternalError):
            reward_of(mixed, FRACTION)


def test_tests_without_cases_prove_nothing() -> None:
    with pytest.raises(InternalError):
        reward_of(report())


def test_only_the_first_cases_count_where_they_are_capped() -> None:
    cases = [RIGHT] * 9 + [WRONG] * 6 + [OURS]
    assert reward_of(report(*cases), RewardShape(kind="fraction", max_cases=10)) == 0.9
    assert reward_of(report(*cases), RewardShape(max_cases=9)) == 1.0
    assert reward_of(report(*cases), RewardShape(max_cases=10)) == 0.0


def scored(verdict: Verdict, score: float | None) -> CaseResult:
    return CaseResult(verdict=verdict, score=score)


def test_weighted_takes_a_judges_points_for_what_is_rejected() -> None:
    assert reward_of(report(scored(WRONG, 0.25), RIGHT), WEIGHTED) == 0.625
    # Only a part of one is a part: other scales, and nonsense, are worth nothing.
    for score in (-1.0, 1.5, 60.0, float("nan"), float("inf"), None):
        assert reward_of(report(scored(WRONG, score), RIGHT), WEIGHTED) == 0.5
        assert reward_of(report(scored(RIGHT, score)), WEIGHTED) == 1.0
    # No kind but this one looks at points.
    assert reward_of(report(scored(WRONG, 0.25), RIGHT), FRACTION) == 0.5


def test_weighted_takes_weights() -> None:
    mixed = report(RIGHT, WRONG, scored(WRONG, 0.5))
    assert reward_of(mixed, WEIGHTED, weights=[3, 1, 4]) == 0.625
    assert reward_of(mixed, RewardShape(kind="weighted", max_cases=2), weights=[3, 1, 4]) == 0.75
    assert reward_of(report(RIGHT, WRONG), WEIGHTED, weights=(0, 1)) == 0.0


@pytest.mark.parametrize("weights", [[1.0], [0, 0], [-1, 2], [float("nan"), 1], [float("inf"), 1]])
def test_weights_that_fit_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(BadRequestError) as caught:
        reward_of(report(RIGHT, WRONG), WEIGHTED, weights=weights)
    assert caught.value.field == "weights"


def test_what_could_be_forged_is_worth_nothing_where_that_is_asked_for() -> None:
    weak = report(RIGHT, integrity=Integrity.WEAK)
    assert reward_of(weak) == 1.0
    assert reward_of(weak, RewardShape(weak="zero")) == 0.0
    assert reward_of(report(RIGHT), RewardShape(weak="zero")) == 1.0
    # That we failed is no fault of the program's here, either.
    ours = report(OURS, integrity=Integrity.WEAK)
    assert reward_of(ours, RewardShape(weak="zero", internal_error="none")) is None


@pytest.mark.parametrize(
    "fields", [{"kind": "half"}, {"internal_error": "ignore"}, {"weak": "no"}, {"max_cases": 0}]
)
def test_a_shape_that_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(fields))):
        RewardShape(**fields)


def test_a_shape_says_when_a_submission_may_stop() -> None:
    assert [RewardShape(kind=kind).stop for kind in KINDS] == ["first_failure", "never", "never"]


@given(
    st.lists(st.sampled_from(OF_CASES), min_size=1),
    st.sampled_from(KINDS),
    st.none() | st.integers(1, 5),
)
def test_a_reward_is_between_nothing_and_one_and_whole_only_for_what_is_right(
    cases: list[Verdict], kind: Kind, most: int | None
) -> None:
    shape = RewardShape(kind=kind, max_cases=most, internal_error="none")
    value = reward_of(report(*cases), shape)
    right = all(verdict is RIGHT for verdict in cases[:most])
    assert value is None or 0.0 <= value <= 1.0
    assert (value == 1.0) == right


# --- which cases are run -------------------------------------------------------------------------


def numbered(total: int) -> StdioTests:
    return StdioTests(cases=[StdioCase(name=str(place)) for place in range(total)])


def picked(total: int, most: int | None, how: Literal["first", "spread"]) -> list[int]:
    return [int(case.name or "") for case in pick_cases(numbered(total), most, how).cases]


def test_cases_are_the_first_or_spread_over_all() -> None:
    assert picked(10, 4, "first") == [0, 1, 2, 3]
    assert picked(10, 4, "spread") == [0, 3, 6, 9]
    assert picked(10, 1, "spread") == [0]
    assert picked(3, 4, "spread") == [0, 1, 2]
    assert picked(3, None, "first") == [0, 1, 2]


@given(st.integers(1, 200), st.integers(1, 200), st.sampled_from(["first", "spread"]))
def test_no_case_is_picked_twice(total: int, most: int, how: Literal["first", "spread"]) -> None:
    places = picked(total, most, how)
    assert len(places) == min(total, most)
    assert places == sorted(set(places))
    if how == "spread" and most > 1:
        assert {0, total - 1} <= set(places)


def test_all_else_about_the_tests_stays() -> None:
    tests: Tests = AssertTests(
        cases=[AssertCase(program="assert f(1)"), AssertCase(program="assert f(2)")],
        entry_point="f",
    )
    assert pick_cases(tests, 1) == AssertTests(cases=tests.cases[:1], entry_point="f")


def test_no_case_at_all_and_unknown_ways_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        pick_cases(numbered(3), 0)
    with pytest.raises(ValueError, match="no way"):
        pick_cases(numbered(3), 2, "random")  # type: ignore[arg-type]
