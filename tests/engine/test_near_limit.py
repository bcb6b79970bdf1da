"""Programs near their CPU limit: measured again alone before they are called slow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from scalebox.engine.jobs import Job
from scalebox.engine.service import Engine
from scalebox.model import Limits
from scalebox.sandbox.slot import Slot
from scalebox.sandbox.spec import RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire

from .conftest import asserted, calls, stdio, verdicts
from .test_passes import COUNTS, ECHO, judged_by, report_of

LIMITS = Limits(cpu_time_s=10.0)
SLOW_S = 11.0

#: Given a run's number (from 0), what is found of its outcome is changed.
Distorts = Callable[[int, RunOutcome], None]


class Host:
    """Measures of real runs as a loaded host would give them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs = 0
        self.beside: list[int] = []
        self.busy = 0
        self.distort: Distorts = lambda number, outcome: None
        run = Slot.run

        def measured(slot: Slot, spec: RunSpec, done: Callable[[RunOutcome | None], None]) -> None:
            if spec.program == wire.PYTHON_COMPILE:
                run(slot, spec, done)
                return
            number, self.runs = self.runs, self.runs + 1
            self.beside.append(self.busy)
            self.busy += 1

            def ended(outcome: RunOutcome | None) -> None:
                self.busy -= 1
                if outcome is not None:
                    self.distort(number, outcome)
                done(outcome)

            run(slot, spec, ended)

        monkeypatch.setattr(Slot, "run", measured)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """Must come before the engine."""
    return Host(monkeypatch)


def slow_at_first(runs: int) -> Distorts:
    def distort(number: int, outcome: RunOutcome) -> None:
        if number < runs:
            outcome.cpu_s = SLOW_S

    return distort


async def test_what_load_made_slow_is_accepted_when_run_alone(host: Host, engine: Engine) -> None:
    host.distort = slow_at_first(3)
    source = "import time\nn = input()\ntime.sleep(0.02)\nprint(n)"
    cases = [(str(n), str(n)) for n in range(8)]
    report = await engine.judge(stdio(source, cases, limits=LIMITS), client="t")
    assert report.accepted, report.message
    assert {case.attempts for case in report.cases} == {1}
    assert host.runs == 8 + 3
    counters = engine.status().counters
    assert counters["confirmations"] == 3
    assert counters["runs_alone"] == 3
    assert max(host.beside) == 1, "two slots"


async def test_it_is_alone_indeed(host: Host, engine: Engine) -> None:
    host.distort = slow_at_first(1)
    near = stdio("print(1)", [("", "1")], limits=LIMITS)
    others = stdio("import time\ntime.sleep(0.05)", [("", "")] * 20)
    beside_alone = []
    run = Slot.run

    def watched(slot: Slot, spec: RunSpec, done: Callable[[RunOutcome | None], None]) -> None:
        if engine._room.scheduler._alone is not None:
            beside_alone.append(host.busy)
        run(slot, spec, done)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Slot, "run", watched)
        reports = await asyncio.gather(
            engine.judge(near, client="a"), engine.judge(others, client="b")
        )
    assert all(report.accepted for report in reports)
    assert beside_alone == [0]


async def test_what_is_slow_alone_is_slow(host: Host, engine: Engine) -> None:
    host.distort = slow_at_first(1000)
    report = await engine.judge(stdio("print(1)", [("", "1")], limits=LIMITS), client="t")
    assert verdicts(report) == ["time_limit_exceeded"]
    assert report.cases[0].message == "used 11.000 s of CPU time; 10 s allowed"
    assert report.cases[0].attempts == 1
    assert host.runs == 2, "one run alone settles it"


async def test_without_a_run_alone_it_is_asked_twice(
    host: Host, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = engine._room.scheduler
    submit = scheduler.submit

    def refused(jobs: Sequence[Job]) -> None:
        for job in jobs:
            job.alone = False  # as it is where others have waited enough
        submit(jobs)

    monkeypatch.setattr(scheduler, "submit", refused)
    host.distort = slow_at_first(1000)
    report = await engine.judge(stdio("print(1)", [("", "1")], limits=LIMITS), client="t")
    assert verdicts(report) == ["time_limit_exceeded"]
    assert host.runs == 3
    assert engine.status().counters["confirmations"] == 2


async def test_what_had_to_be_stopped_is_slow_at_once(host: Host, engine: Engine) -> None:
    limits = Limits(cpu_time_s=0.2)
    report = await engine.judge(stdio("while True: pass", [("", "")], limits=limits), client="t")
    assert verdicts(report) == ["time_limit_exceeded"]
    assert host.runs == 1
    assert report.cases[0].cpu_time_s > 0.2


async def test_a_crash_is_not_run_again_for_being_slow(host: Host, engine: Engine) -> None:
    host.distort = slow_at_first(1000)
    report = await engine.judge(stdio("1 / 0", [("", "")], limits=LIMITS), client="t")
    assert verdicts(report) == ["runtime_error"]
    assert host.runs == 1


async def test_only_the_calls_that_were_slow_are_called_again(host: Host, engine: Engine) -> None:
    def distort(number: int, outcome: RunOutcome) -> None:
        if number == 0:
            outcome.record_cpu_s[3] = outcome.record_cpu_s[5] = SLOW_S

    host.distort = distort
    # What was called in a process is seen in its results: `called` starts anew in a fresh one.
    source = "called = []\ndef f(n):\n    called.append(n)\n    return called"
    everything = [list(range(n + 1)) for n in range(8)]
    everything[2], everything[4] = [2], [2, 4]
    cases = [([n], everything[n]) for n in range(8)]
    report = await engine.judge(calls(source, cases, limits=LIMITS), client="t")
    assert report.accepted, report.message
    assert host.runs == 2
    assert {case.attempts for case in report.cases} == {1}
    assert engine.status().counters["runs_alone"] == 1


async def test_calls_that_stay_slow_are_slow(host: Host, engine: Engine) -> None:
    def distort(number: int, outcome: RunOutcome) -> None:
        outcome.record_cpu_s[1] = SLOW_S

    host.distort = distort
    submission = calls(
        "def f(n): return n", [([n], n) for n in range(3)], stop="never", limits=LIMITS
    )
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == ["time_limit_exceeded", "accepted", "accepted"]
    assert report.cases[0].cpu_time_s == SLOW_S
    assert host.runs == 2


async def test_a_submission_that_was_slow_to_load_is_loaded_again(
    host: Host, engine: Engine
) -> None:
    def distort(number: int, outcome: RunOutcome) -> None:
        if number == 0:
            outcome.record_cpu_s[0] = SLOW_S

    host.distort = distort
    submission = calls("def f(n): return n", [([n], n) for n in range(3)], limits=LIMITS)
    assert (await engine.judge(submission, client="t")).accepted
    assert host.runs == 2


async def test_a_test_program_that_was_slow_is_run_again(host: Host, engine: Engine) -> None:
    host.distort = slow_at_first(1)
    report = await engine.judge(
        asserted("def f(): return 1", "assert f() == 1", limits=LIMITS), client="t"
    )
    assert report.accepted
    assert host.runs == 2
    host.distort = slow_at_first(1000)
    report = await engine.judge(
        asserted("def f(): return 1", "assert f() == 1", limits=LIMITS), client="t"
    )
    assert verdicts(report) == ["time_limit_exceeded"]


async def test_each_pass_of_a_case_is_measured_again_by_itself(host: Host, engine: Engine) -> None:
    def distort(number: int, outcome: RunOutcome) -> None:
        # In each of three passes: a slow run, the same alone, and the judge's.
        if number % 3 == 0:
            outcome.cpu_s = SLOW_S

    host.distort = distort
    judge = judged_by(COUNTS, passes=3)
    report = await report_of(engine, judge, ECHO, ("1", "3"), limits=LIMITS)
    assert report.accepted, report
    assert report.cases[0].message == "[1: 1][2: 2][3: 3]"
    assert (host.runs, report.cases[0].attempts) == (9, 1)
    assert report.cases[0].cpu_time_s < 10
    assert engine.status().counters["confirmations"] == 3
