"""What `make stability` chooses, and what it calls a verdict that moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from bench import choices, flips, stability
from bench.choices import Choice
from bench.flips import Phase, Quiet, Run
from bench.hogs import hogs
from bench.labels import Labelled
from scalebox.errors import ScaleboxError
from scalebox.model import (
    CaseResult,
    Enforcement,
    IsolationLevel,
    Limits,
    Report,
    StdioCase,
    StdioTests,
    Submission,
    Verdict,
)

ACCEPTED, WRONG, SLOW = (
    Verdict.ACCEPTED,
    Verdict.WRONG_ANSWER,
    Verdict.TIME_LIMIT_EXCEEDED,
)
_ADDS = "a, b = map(int, input().split())\nprint(a + b)\n"
_COUNTS = "a, b = map(int, input().split())\nfor _ in range(4 * 10**6): pass\nprint(a + b)\n"
_SPINS = "while True: pass\n"


def _labelled(source: str = _ADDS, cases: int = 3, limit_s: float | None = 10.0) -> Labelled:
    tests = StdioTests(
        cases=[
            StdioCase(input=f"{number} 1\n", answer=f"{number + 1}\n") for number in range(cases)
        ]
    )
    limits = Limits(cpu_time_s=limit_s)
    submission = Submission(language="python", source=source, tests=tests, limits=limits)
    return Labelled("sum", "one", "accepted", "ok", submission)


def _report(*cases: tuple[Verdict, float, float]) -> Report:
    """A report of cases with a verdict, CPU seconds and wall seconds each."""
    found = [
        CaseResult(verdict=verdict, cpu_time_s=cpu_s, wall_time_s=wall_s)
        for verdict, cpu_s, wall_s in cases
    ]
    verdict = next((case.verdict for case in found if case.verdict is not ACCEPTED), ACCEPTED)
    return Report(
        verdict=verdict,
        passed=sum(case.verdict is ACCEPTED for case in found),
        total=len(found),
        cases=found,
        isolation=IsolationLevel.FULL,
        enforcement=Enforcement.CGROUP2,
    )


def _quiet(*cases: tuple[Verdict, float, float], needs_s: Sequence[float] = ()) -> Quiet:
    """Under a limit of one second."""
    choice = choices.own(_labelled(cases=len(cases)))
    known = Choice(choice.name, choice.limit, choice.submission, [*needs_s])
    return Quiet(known, _report(*cases))


@pytest.mark.parametrize(
    ("count", "most", "kept"),
    [
        (3, 6, [0, 1, 2]),
        (6, 6, [0, 1, 2, 3, 4, 5]),
        (11, 6, [0, 2, 4, 6, 8, 10]),
        (9, 1, [0]),
        (0, 6, []),
    ],
)
def test_tests_are_spread_from_the_first_to_the_last(
    count: int, most: int, kept: list[int]
) -> None:
    assert choices.spread(range(count), most) == kept


@pytest.mark.parametrize(("stated_s", "limit_s"), [(0.5, 0.5), (10.0, 1.0), (None, 1.0)])
def test_the_datas_own_limit_is_kept_if_it_is_short(stated_s: float | None, limit_s: float) -> None:
    choice = choices.own(_labelled(cases=20, limit_s=stated_s))
    assert choice.limit_s == limit_s
    assert isinstance(choice.submission.tests, StdioTests)
    assert len(choice.submission.tests.cases) == choices.MOST_TESTS


def test_tight_limits_are_made_from_the_slowest_test_that_ended() -> None:
    quiet = _quiet((ACCEPTED, 0.1, 0.1), (WRONG, 0.4, 0.4), (SLOW, 1.25, 1.3))
    slowest = choices.slowest(quiet.choice, quiet.report)
    assert slowest is not None
    assert (slowest.limit_s, slowest.needs_s) == (1.0, [0.4])
    slowest.needs_s.extend([0.3, 0.9])
    wide, just, missed, far = choices.tight(slowest)
    limits_s = [one.limit_s for one in (wide, just, missed, far)]
    assert limits_s == pytest.approx([0.8, 0.52, 0.28, 0.2])
    slowest.needs_s.append(0.35)
    assert just.needs_s == missed.needs_s == [0.4, 0.3, 0.9, 0.35]
    assert isinstance(just.submission.tests, StdioTests)
    assert [case.input for case in just.submission.tests.cases] == ["1 1\n"]
    assert (just.limit, missed.limit, far.limit) == ("1.3 x quiet", "0.7 x quiet", "0.5 x quiet")


def test_a_limit_that_says_more_of_the_interpreter_than_of_the_program_is_left_out() -> None:
    quiet = _quiet((ACCEPTED, 0.021, 0.1))
    slowest = choices.slowest(quiet.choice, quiet.report)
    assert slowest is not None
    assert [one.limit for one in choices.tight(slowest)] == [
        "2 x quiet", "1.3 x quiet", "0.7 x quiet"
    ]  # fmt: skip


@pytest.mark.parametrize("case", [(ACCEPTED, 0.01, 0.01), (SLOW, 1.25, 1.3)])
def test_what_is_too_short_or_was_stopped_gets_no_tight_limits(
    case: tuple[Verdict, float, float],
) -> None:
    quiet = _quiet(case)
    assert choices.slowest(quiet.choice, quiet.report) is None


@pytest.mark.parametrize(
    ("cases", "needs_s", "in_band"),
    [
        ([(ACCEPTED, 0.5, 0.5)], [], False),
        ([(ACCEPTED, 0.5, 0.5), (ACCEPTED, 0.95, 0.95)], [], True),
        ([(SLOW, 1.05, 1.05)], [], True),
        ([(SLOW, 1.25, 1.25)], [], False),
        ([(SLOW, 1.25, 1.25)], [1.4, 1.2], False),
        ([(ACCEPTED, 0.5, 0.5)], [0.5, 0.92], True),
        ([(ACCEPTED, 0.5, 0.5)], [0.5, 0.88, 0.6], False),
        # Alone it needed less at one time and more at another.
        ([(SLOW, 1.25, 1.25)], [1.4, 0.7], True),
        # What comes after the first failure was not run.
        ([(WRONG, 0.1, 0.1), (Verdict.SKIPPED, 1.0, 1.0)], [], False),
    ],
)
def test_a_test_that_nearly_needs_its_limit_is_in_the_band(
    cases: list[tuple[Verdict, float, float]], needs_s: list[float], in_band: bool
) -> None:
    assert _quiet(*cases, needs_s=needs_s).in_band is in_band


@pytest.mark.parametrize(
    ("cases", "verdict"),
    [
        ([(ACCEPTED, 0.5, 0.5), (ACCEPTED, 0.5, 1.5)], SLOW),
        ([(ACCEPTED, 0.5, 0.5), (WRONG, 0.5, 0.9)], WRONG),
        ([(ACCEPTED, 0.5, 1.1), (WRONG, 0.5, 0.5)], SLOW),
        ([(WRONG, 0.5, 0.5), (Verdict.SKIPPED, 0.0, 3.0)], WRONG),
        ([(ACCEPTED, 0.5, 0.99)], ACCEPTED),
    ],
)
def test_a_wall_clock_looks_at_wall_times_alone(
    cases: list[tuple[Verdict, float, float]], verdict: Verdict
) -> None:
    assert flips.wall_clock_verdict(_report(*cases), 1.0) is verdict


def test_verdicts_that_move_are_counted_apart_from_those_in_the_band() -> None:
    safe, near = _quiet((ACCEPTED, 0.5, 0.5)), _quiet((ACCEPTED, 0.95, 0.95))
    phase = Phase(
        "x",
        [
            Run(safe, _report((ACCEPTED, 0.6, 2.0))),
            Run(safe, _report((SLOW, 1.2, 2.0))),
            Run(near, _report((SLOW, 1.1, 2.0))),
        ],
    )
    row = phase.row()
    assert (row["runs"], row["flips"], row["flips_in_band"]) == (3, 1, 1)
    assert row["wall_clock_flips"] == 2
    assert phase.flips(in_band=False)[0].row()["found"] == "time_limit_exceeded"


def test_ratios_are_of_tests_that_ended_both_times_and_took_some_time() -> None:
    quiet = _quiet((ACCEPTED, 0.5, 0.5), (ACCEPTED, 0.001, 0.1), (WRONG, 0.2, 0.2))
    run = Run(quiet, _report((ACCEPTED, 0.6, 0.6), (ACCEPTED, 0.9, 0.9), (WRONG, 0.1, 0.1)))
    assert run.ratios() == pytest.approx([1.2, 0.5])
    stopped = Run(quiet, _report((SLOW, 1.25, 1.3), (ACCEPTED, 0.9, 0.9), (ACCEPTED, 0.2, 0.2)))
    assert stopped.ratios() == pytest.approx([1.0])
    assert flips.ratio_percentiles([run])["cpu_ratio_p50"] == pytest.approx(0.5)
    assert flips.ratio_percentiles([]) == {}


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [flips.percentile(values, percent) for percent in (1, 50, 99, 100)] == [1, 50, 99, 100]
    assert flips.percentile([3.0], 1) == 3.0


def test_all_choices_are_judged_equally_often() -> None:
    assert stability.rounds(1000, 240) == 5
    assert stability.rounds(1, 240) == 1


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, set()),
        ({"runs": 89}, {"runs"}),
        ({"flips": 1}, {"flips"}),
        ({"quiet_inconclusive": 1}, {"quiet_inconclusive"}),
        ({"near_share_outside_band": 0.4}, {"near_share_outside_band"}),
    ],
)
def test_each_breach_is_named(change: dict[str, float], broken: set[str]) -> None:
    kept = {"runs": 90.0, "flips": 0.0, "quiet_inconclusive": 0.0, "near_share_outside_band": 0.5}
    figures = {**kept, **change}
    promises = stability.promises_of(figures, stability.QUICK)
    assert {promise.text.split()[0] for promise in promises if not promise.holds} == broken


def test_hogs_use_cpu_time_and_end_with_the_block() -> None:
    with hogs(2) as spinning:
        while spinning.cpu_s() < 0.1:
            pass
    with pytest.raises(ScaleboxError, match="has ended"):
        spinning.cpu_s()


async def test_a_small_crowd_is_judged_as_it_was_in_quiet() -> None:
    labelled = [_labelled(_ADDS), _labelled(_COUNTS), _labelled(_SPINS, limit_s=0.2)]
    size = stability.Size(runs=20, hog_runs=5, tests=2)
    overrides: dict[str, Any] = {"languages": {"cpp": {"precompiled_header": False}}}
    measured = await stability.measure(labelled, size, overrides)
    kinds = Counter(quiet.choice.limit for quiet in measured.quiet)
    assert kinds == {"own": 3, **{choices.times_quiet(factor): 1 for factor in choices.TIGHT}}
    found = measured.figures()
    assert found["submissions"] == 1  # by name: they are all called the same here
    assert found["tight_choices"] == len(choices.TIGHT)
    tight = [quiet for quiet in measured.quiet if quiet.choice.limit != "own"]
    # Once under the data's own tests, before the load, and in its pauses.
    assert {len(quiet.choice.needs_s) for quiet in tight} == {
        1 + stability.QUIET_ROUNDS + stability.PAUSES + stability.HOG_PAUSES
    }
    assert found["quiet_inconclusive"] == 0
    assert found["with_hogs_hogs_cpu_s"] > 0
    assert [len(phase.runs) for phase in measured.phases] == [21, 7]
    verdicts = {
        (run.quiet.choice.submission.source, run.report.verdict)
        for run in measured.runs
        if run.quiet.choice.limit == "own"
    }
    assert verdicts == {(_ADDS, ACCEPTED), (_COUNTS, ACCEPTED), (_SPINS, SLOW)}
