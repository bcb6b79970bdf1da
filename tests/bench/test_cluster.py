"""The cluster benchmark: its loads are what they say; what was not measured is not promised."""

from __future__ import annotations

import random

import pytest

from bench import cluster
from bench.cluster import Measured
from bench.measure import UnexpectedReportError
from bench.workloads import Unit
from scalebox.client.local import async_local
from scalebox.model import (
    CaseResult,
    Enforcement,
    IsolationLevel,
    Report,
    StdioTests,
    Submission,
    Verdict,
)

GOOD = {
    "speedup_8_nodes_sleep": 7.5,
    "prediction_error": 0.1,
    "even_load_overhead": 0.01,
    "even_load_makespan_overhead": 0.0,
    "cpu_share_2_nodes": 0.97,
}


def _broken(**figures: float) -> set[str]:
    promises = Measured(cluster.NAMES, {**GOOD, **figures}).promises()
    return {promise.text.split()[0] for promise in promises if not promise.holds}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("speedup_8_nodes_sleep", 6.9),
        ("prediction_error", 0.16),
        ("even_load_overhead", 0.03),
        ("even_load_makespan_overhead", 0.03),
        ("cpu_share_2_nodes", 0.94),
    ],
)
def test_each_breach_is_named(name: str, value: float) -> None:
    assert _broken() == set()
    assert _broken(**{name: value}) == {name}


def test_what_was_asked_for_and_not_measured_breaks_its_promise() -> None:
    for name in cluster.NAMES:
        promises = Measured([name]).promises()
        assert promises
        assert not any(promise.holds for promise in promises)


def test_the_sleeping_load_has_sources_and_cases_of_its_own() -> None:
    made = cluster.sleeping(random.Random(1), 200)
    assert len(made) == 200 / cluster.EACH
    assert len({one.source for one in made}) == len(made)
    inputs = [
        case.input for one in made if isinstance(one.tests, StdioTests) for case in one.tests.cases
    ]
    assert len(set(inputs)) == 200


async def test_the_sleeping_load_sleeps() -> None:
    async with async_local() as client:
        (report,) = await cluster.judge(client, cluster.sleeping(random.Random(1), cluster.EACH))
    for case in report.cases:
        assert case.wall_time_s >= cluster.SLEEP_S
        assert case.cpu_time_s < cluster.SLEEP_S / 2


async def test_a_report_that_is_not_accepted_ends_the_benchmark() -> None:
    (submission,) = cluster.sleeping(random.Random(1), cluster.EACH)
    wrong = Submission(language="python", source="print(-1)", tests=submission.tests)
    async with async_local() as client:
        with pytest.raises(UnexpectedReportError, match="wrong_answer"):
            await cluster.judge(client, [wrong])


def test_cases_are_counted_where_they_ran() -> None:
    cases = [CaseResult(verdict=Verdict.ACCEPTED, node=node) for node in ("", "b", "b", "a")]
    report = Report(
        verdict=Verdict.ACCEPTED, passed=4, total=4, cases=cases,
        isolation=IsolationLevel.FULL, enforcement=Enforcement.CGROUP2,
    )  # fmt: skip
    assert cluster.nodes_of([report, report], "a") == {"a": 4, "b": 4}


def test_real_work_is_as_much_as_was_asked_for() -> None:
    sources = ("x", "y", "z")
    units = [Unit(Submission(language="python", source=one), "python", one, []) for one in sources]
    work = cluster.as_much(units, [1.0, 2.0, 3.0], 60.0, random.Random(1))
    spent = {"x": 1.0, "y": 2.0, "z": 3.0}
    total = sum(spent[one.source] for one in work)
    assert 60.0 <= total < 63.0
    assert {one.source for one in work} == set(sources)
