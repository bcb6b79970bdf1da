"""What fails on our side changes no verdict: killed slots, cancelled requests, deadlines."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal

import pytest

from scalebox.engine import service
from scalebox.engine.service import Engine
from scalebox.errors import InternalError
from scalebox.model import Blob, Limits, Report, RunRequest, StdioCase, StdioTests, Submission

from .conftest import StartsEngine, asserted, calls, stdio, until, verdicts

pytestmark = pytest.mark.alone

SLOW_ECHO = "import time\nn = input()\ntime.sleep(0.05)\nprint(n)"
CASES = [(str(n), str(n)) for n in range(40)]


def kill_a_busy_slot(engine: Engine) -> bool:
    """kill -9 of the zygote of a slot that is at work."""
    for slot in engine.status().slots:
        if slot.state == "busy" and slot.pid:
            os.kill(slot.pid, signal.SIGKILL)
            return True
    return False


async def killed_now_and_then(engine: Engine, judging: asyncio.Task[Report], most: int) -> int:
    """Kill busy slots, so many or more until a case's run was hit; how many."""
    kills = 0
    while not judging.done():
        # Later and later: on a busy machine all would hit a compilation or its like otherwise.
        await asyncio.sleep(min(0.02 * 3**kills, 2.0))
        was_hit = engine.status().counters.get("retries", 0) > 0
        if (kills < most or not was_hit) and kill_a_busy_slot(engine):
            kills += 1
            restarts = sum(slot.restarts for slot in engine.status().slots)
            await until(
                lambda before=restarts: (
                    judging.done() or sum(slot.restarts for slot in engine.status().slots) > before
                )
            )
    return kills


@pytest.mark.parametrize("kind", ["python", "c", "call", "assert"])
async def test_killed_slots_change_no_verdict(start_engine: StartsEngine, kind: str) -> None:
    source = "import time\ndef f(n):\n    time.sleep(0.05)\n    return n"
    submission = {
        "python": stdio(SLOW_ECHO, CASES),
        "c": stdio(
            "#include <stdio.h>\n#include <unistd.h>\n"
            "int main(){char s[9]; scanf(\"%8s\", s); usleep(50000); puts(s);}",
            CASES, language="c",
        ),
        "call": calls(source, [([n], n) for n in range(40)]),
        "assert": asserted(source, *[f"assert f({n}) == {n}" for n in range(30)]),
    }[kind]  # fmt: skip
    # A case is unlucky once or twice: more retries than kills, and none can be lost.
    async with start_engine(engine={"retries": 10}) as engine:
        judging = asyncio.create_task(engine.judge(submission, client="t"))
        kills = await killed_now_and_then(engine, judging, most=4)
        report = await judging
        assert kills >= 2
        assert report.accepted, report.message
        assert report.passed == report.total
        attempts = [case.attempts for case in report.cases]
        assert max(attempts) > 1, "somebody's run was killed"
        assert engine.status().counters["slot_failures"] >= 1
        assert engine.status().queued_cases == 0


async def test_a_case_that_fails_too_often_is_our_failure_and_nothing_else(
    start_engine: StartsEngine,
) -> None:
    async with start_engine(engine={"retries": 1}, sandbox={"slots": 1}) as engine:
        submission = stdio("import time\ntime.sleep(30)", [("", "")])
        judging = asyncio.create_task(engine.judge(submission, client="t"))
        await killed_now_and_then(engine, judging, most=2)
        report = await judging
        assert report.verdict == "internal_error"
        assert not report.verdict.is_about_the_program
        assert report.cases[0].attempts == 2
        assert "failed 2 times for reasons of ours" in report.message
        assert (await engine.judge(stdio("print(1)", [("", "1")]), client="t")).accepted


async def test_a_slot_that_sets_no_run_up_is_replaced(
    start_engine: StartsEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Files in each other's way cannot be laid out; the engine refuses them before.
    monkeypatch.setattr(service, "check_files", lambda *_: None)
    async with start_engine(sandbox={"slots": 1}) as engine:
        impossible = stdio("", [("", "")] * 2, files={"a": "", "a/b": ""}, stop="never")
        report = await engine.judge(impossible, client="t")
        assert verdicts(report) == ["internal_error"] * 2
        assert [case.attempts for case in report.cases] == [4, 4]
        await until(lambda: engine.status().slots[0].restarts >= 1)
        assert (await engine.judge(stdio("print(1)", [("", "1")]), client="t")).accepted


async def test_a_compilation_that_fails_too_often_is_our_failure(
    start_engine: StartsEngine,
) -> None:
    async with start_engine(engine={"retries": 0}, sandbox={"slots": 1}) as engine:
        slow = "#include <bits/stdc++.h>\nint main(){}"
        submission = stdio(slow, [("", "")], language="cpp")
        judging = asyncio.create_task(engine.judge(submission, client="t"))
        await until(lambda: kill_a_busy_slot(engine))
        with pytest.raises(InternalError, match="reasons of ours"):
            await judging
        # Nothing of it is remembered.
        assert (await engine.judge(submission, client="t")).accepted


async def test_a_request_that_is_cancelled_lets_go_of_its_slots_at_once(engine: Engine) -> None:
    runs = engine.status().counters["runs"]
    submission = stdio("import time\ntime.sleep(600)", [("", "")] * 50)
    judging = asyncio.create_task(engine.judge(submission, client="t"))
    await until(lambda: engine.status().running_cases == 2)
    assert engine.status().queued_cases == 48
    judging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await judging
    assert engine.status().queued_cases == 0
    report = await engine.judge(stdio("print(1)", [("", "1")] * 4), client="t")
    assert report.accepted
    await until(lambda: engine.status().running_cases == 0)
    # The two that ran (and were stopped), a compilation each time, and the four.
    assert engine.status().counters["runs"] - runs == 2 + 2 + 4
    assert [slot.restarts for slot in engine.status().slots] == [0, 0]


async def test_cancelled_compilations_are_stopped_when_nobody_waits_any_more(
    engine: Engine,
) -> None:
    # Template recursion that takes the compiler a while.
    source = (
        "template<int N> struct F { static constexpr long v = F<N-1>::v + F<N-2>::v; };\n"
        "template<> struct F<0> { static constexpr long v = 0; };\n"
        "template<> struct F<1> { static constexpr long v = 1; };\n"
        "constexpr long fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }\n"
        "constexpr long a = fib(24), b = fib(25), c = fib(26);\n"
        "int main(){ return a + b + c == 0; }\n"
    )
    submission = stdio("#include <bits/stdc++.h>\n" + source, [("", "")], language="cpp")
    one, other = (asyncio.create_task(engine.judge(submission, client="t")) for _ in range(2))
    await until(lambda: engine.status().running_cases >= 1)
    one.cancel()
    await asyncio.sleep(0)
    await until(one.done)
    assert engine.status().running_cases >= 1, "the other one still waits for it"
    other.cancel()
    await until(other.done)
    await until(lambda: engine.status().running_cases == 0)
    assert engine._room.builder._flights == {}
    assert engine.status().queued_cases == 0


async def test_a_deadline_leaves_what_is_not_done(engine: Engine) -> None:
    source = "import time\nn = int(input())\ntime.sleep(600 if n else 0)\nprint(n)"
    cases = [("0", "0"), ("1", "1"), ("1", "1"), ("1", "1")]
    report = await engine.judge(stdio(source, cases, deadline_s=2.0), client="t")
    assert verdicts(report) == ["accepted"] + ["cancelled"] * 3
    assert report.verdict == "cancelled"
    assert not report.verdict.is_about_the_program
    assert "deadline of 2 s" in report.message
    await until(lambda: engine.status().running_cases == 0)
    assert engine.status().queued_cases == 0


async def test_a_deadline_includes_the_compilation(engine: Engine) -> None:
    submission = stdio(
        "#include <bits/stdc++.h>\nint main(){}", [("", "")] * 2, language="cpp", deadline_s=0.05
    )
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == ["cancelled"] * 2


async def test_a_deadline_of_a_plain_run(engine: Engine) -> None:
    request = RunRequest(language="python", source="import time\ntime.sleep(600)", deadline_s=0.3)
    result = await engine.run(request, client="t")
    assert result.status == "cancelled"
    assert "deadline" in result.message
    await until(lambda: engine.status().running_cases == 0)


async def test_results_that_come_after_the_end_change_nothing(engine: Engine) -> None:
    # The output is compared in a thread while the deadline passes.
    tests = StdioTests(cases=[StdioCase(answer="x " * 4_000_000)])
    submission = Submission(
        language="python",
        source="print('y ' * 4_000_000)",
        tests=tests,
        deadline_s=0.15,
        limits=Limits(output_bytes=16 << 20),
    )
    reports = await asyncio.gather(*(engine.judge(submission, client="t") for _ in range(4)))
    assert {report.verdict.value for report in reports} <= {"cancelled", "wrong_answer"}
    room = engine._room.scheduler
    await until(lambda: room._result_bytes == 0 and room.running == 0)
    assert room.admitted == 0


async def test_a_deadline_before_the_data_is_ready_is_a_deadline(
    start_engine: StartsEngine,
) -> None:
    # Where programs run as the daemon's user, uploaded data is copied before anything is run.
    async with start_engine(sandbox={"slots": 1, "isolation": "user"}) as engine:
        data = b"x" * (8 << 20)
        sha256 = hashlib.sha256(data).hexdigest()
        await engine.blobs.put(sha256, data)
        tests = StdioTests(cases=[StdioCase(input=Blob(sha256=sha256))])
        submission = Submission(language="python", source="", tests=tests, deadline_s=1e-6)
        assert verdicts(await engine.judge(submission, client="t")) == ["cancelled"]
