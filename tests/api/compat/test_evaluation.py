"""What a report says about the program, and when it says nothing."""

from __future__ import annotations

import pytest

from scalebox.api.compat.evaluation import FailedError, JudgeFailedError, Wanted, settle
from scalebox.api.compat.serving import DeadlineError
from scalebox.model import CaseResult, Enforcement, IsolationLevel, Report, Verdict

OK, WRONG, SLOW = Verdict.ACCEPTED, Verdict.WRONG_ANSWER, Verdict.TIME_LIMIT_EXCEEDED
OURS, JUDGE, LATE = Verdict.INTERNAL_ERROR, Verdict.JUDGE_ERROR, Verdict.CANCELLED
ALL = Wanted(extra={"run_all_cases": True})
FIRST = Wanted()


def settled(wanted: Wanted, *verdicts: Verdict, budget_s: float = 30, case_s: float = 10) -> None:
    """Each case has taken a second."""
    cases = [CaseResult(verdict=one, cpu_time_s=0.0 if one is LATE else 1.0) for one in verdicts]
    report = Report(
        verdict=next((one for one in verdicts if one is not OK), OK),
        passed=verdicts.count(OK),
        total=len(verdicts),
        cases=cases,
        isolation=IsolationLevel.FULL,
        enforcement=Enforcement.CGROUP2,
    )
    settle(report, wanted, budget_s=budget_s, case_s=case_s)


@pytest.mark.parametrize("wanted", [ALL, FIRST])
def test_what_is_about_the_program(wanted: Wanted) -> None:
    settled(wanted, OK, OK)
    settled(wanted, OK, WRONG)
    settled(wanted, SLOW, Verdict.SKIPPED)


@pytest.mark.parametrize("wanted", [ALL, FIRST])
def test_failures_of_ours_and_of_judges_are_not(wanted: Wanted) -> None:
    with pytest.raises(FailedError) as failed:
        settled(wanted, OK, OURS)
    assert failed.value.http_status == 504  # after which every client asks again
    with pytest.raises(JudgeFailedError) as judge:
        settled(wanted, OK, JUDGE)
    assert judge.value.http_status == 500


def test_a_share_is_of_all_cases_or_of_none() -> None:
    """One case decides that it is not accepted, but not how many of them pass."""
    for verdict in (OURS, JUDGE, LATE):
        settled(FIRST, verdict, WRONG)
    with pytest.raises(FailedError):
        settled(ALL, OURS, WRONG)
    with pytest.raises(JudgeFailedError):
        settled(ALL, JUDGE, WRONG)


def test_time_that_others_took_is_not_the_programs() -> None:
    for wanted in (ALL, FIRST):
        with pytest.raises(DeadlineError):
            settled(wanted, OK, OK, LATE)
    with pytest.raises(DeadlineError):
        settled(ALL, OK, WRONG, LATE)
    with pytest.raises(DeadlineError):
        settled(ALL, SLOW, SLOW, LATE)  # of thirty seconds
    settled(ALL, SLOW, SLOW, SLOW, LATE)
    settled(ALL, WRONG, *[OK] * 29, LATE)


def test_a_right_program_is_not_made_wrong_by_a_clock() -> None:
    with pytest.raises(DeadlineError):
        settled(ALL, *[OK] * 100, LATE)
