"""The load test, small: what it demands of a daemon holds, and it notices what does not."""

from __future__ import annotations

import collections
from typing import Any

import msgspec
import pytest

from bench import load, mix
from scalebox.client.local import async_local
from scalebox.model import CaseResult, Enforcement, IsolationLevel, Report, Verdict

#: No precompiled header: making it would take longer than the load.
_OVERRIDES = {**load.OVERRIDES, "languages": {"cpp": {"precompiled_header": False}}}


def _report(verdict: Verdict, passed: int, total: int) -> Report:
    return Report(
        verdict=verdict,
        passed=passed,
        total=total,
        cases=[CaseResult(verdict=verdict)] * total,
        isolation=IsolationLevel.FULL,
        enforcement=Enforcement.CGROUP2,
    )


def test_the_same_seed_gives_the_same_submissions() -> None:
    assert mix.plan(50, seed=3) == mix.plan(50, seed=3)
    assert mix.plan(50, seed=3) != mix.plan(50, seed=4)


def test_every_kind_comes_and_waiting_is_rare() -> None:
    kinds = collections.Counter(planned.kind for planned in mix.plan(20_000, seed=1))
    assert set(kinds) == set(mix.KINDS)
    assert kinds["sleeping"] + kinds["spinning"] < 400


def test_sources_are_distinct_except_the_compiled_ones() -> None:
    planned = mix.plan(2_000, seed=1)
    sources = [p.submission.source for p in planned if p.submission.language == "python"]
    assert len(set(sources)) == len(sources)
    assert len({p.submission.source for p in planned if p.submission.language == "cpp"}) <= 8


@pytest.mark.parametrize(
    ("report", "fault"),
    [
        (_report(Verdict.ACCEPTED, 3, 3), ""),
        (_report(Verdict.INTERNAL_ERROR, 0, 3), "internal_error, 0/3 in place of accepted"),
        (_report(Verdict.ACCEPTED, 2, 3), "accepted, 2/3 in place of 3/3"),
        (
            msgspec.structs.replace(_report(Verdict.ACCEPTED, 3, 3), cases=[]),
            "0 cases in place of 3",
        ),
    ],
)
def test_a_report_that_is_not_right_is_noticed(report: Report, fault: str) -> None:
    expected = mix.Expected(frozenset({Verdict.ACCEPTED}), 3, 3)
    assert expected.fault(report).startswith(fault)
    assert bool(expected.fault(report)) == bool(fault)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, set()),
        ({"missing": [4]}, {"every submission whose client stayed is answered"}),
        ({"repeated": [4]}, {"no submission is answered twice"}),
        ({"wrong": ["x"]}, {"every report is right"}),
        ({"answered": 1}, {"all submissions are accounted for"}),
        ({"processes_left": ["12 (x)"]}, {"no process is left"}),
        ({"descriptors_after": 100}, {"no descriptor is left (at most 8 more)"}),
        ({"mounts_left": ["/x"]}, {"no mount is left"}),
        ({"rss_samples": []}, {"the daemon's memory is flat"}),
        ({"slots_rss_samples": [(10, 1 << 20)]}, {"the slots' memory is flat"}),
        ({"rss_samples": [(10, 50 << 20), (40, 50 << 20), (100, 70 << 20)]},
         {"the daemon's memory is flat"}),
    ],
)  # fmt: skip
def test_each_breach_is_named(change: dict[str, object], broken: set[str]) -> None:
    flat = [(30, 50 << 20), (100, 50 << 20)]
    samples = {"rss_samples": flat, "slots_rss_samples": flat}
    fields: dict[str, Any] = {"planned": 2, "answered": 2, **samples, **change}
    result = load.LoadResult(**fields)
    assert {promise.text for promise in result.promises() if not promise.holds} == broken


async def test_a_small_crowd_is_answered_rightly_and_leaves_nothing() -> None:
    async with async_local(_OVERRIDES) as client:
        result = await load.run_load(client.address, clients=10, submissions=200, seed=7)
    # Memory is told by a long run only.
    broken = [
        promise
        for promise in result.promises()
        if not promise.holds and "memory" not in promise.text
    ]
    assert broken == []
    assert result.answered >= 180
