"""One run of a judge decides about several outputs, and nobody can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from scalebox.engine.asking import _SHORT_S, _Queue
from scalebox.engine.service import Engine
from scalebox.judging.function import only_computes
from scalebox.model import (
    FunctionJudge,
    Limits,
    OutputCase,
    OutputTests,
    StdioCase,
    StdioTests,
    StopRule,
    Submission,
)

from .conftest import StartsEngine, verdicts
from .test_faults import killed_now_and_then
from .test_outputs import report_of

ECHO = "print(input())"
#: Accepts what is below 1000; rejects what it has seen before in its process.
COUNTING = """
seen = []

def judge(input, output, answer):
    seen.append(output)
    return int(output) < 1000 and len(seen) == 1
"""
COUNT = 60


def numbers(count: int = COUNT) -> list[OutputCase]:
    return [OutputCase(output=str(number)) for number in range(count)]


def judged(source: str, inputs: Iterable[str], judge: str, stop: StopRule = "never") -> Submission:
    cases = [StdioCase(input=text) for text in inputs]
    tests = StdioTests(cases=cases, judge=FunctionJudge(source=judge))
    return Submission(language="python", source=source, tests=tests, stop=stop)


def runs(engine: Engine) -> float:
    return engine.status().counters["runs"]


async def test_several_are_decided_in_one_run_and_none_sees_another(engine: Engine) -> None:
    before = runs(engine)
    report = await report_of(engine, numbers(), FunctionJudge(source=COUNTING))
    assert report.passed == COUNT
    assert runs(engine) - before < COUNT / 3


async def test_outputs_of_programs_wait_for_each_other(engine: Engine) -> None:
    inputs = [f"{number}\n" for number in range(COUNT)]
    submission = judged(ECHO, inputs, COUNTING)
    before = runs(engine)
    report = await engine.judge(submission, client="test")
    assert report.accepted, report.message
    judge_runs = runs(engine) - before - COUNT
    assert judge_runs < COUNT / 2
    assert all(case.cpu_time_s > 0 for case in report.cases), "the program's, not the judge's"


async def test_one_that_waits_is_asked_when_the_others_have_failed(engine: Engine) -> None:
    """Programs that end without an output, after those that have one."""
    source = "import time\nn = int(input())\nif n > 4:\n    time.sleep(0.1)\n    exit(1)\nprint(n)"
    submission = judged(source, map(str, range(8)), COUNTING)
    report = await engine.judge(submission, client="test")
    assert verdicts(report) == ["accepted"] * 5 + ["runtime_error"] * 3


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ("raise SystemExit(3)", "ended before it had decided"),
        ("raise KeyboardInterrupt", "ended before it had decided"),
        ("1 / 0", "ZeroDivisionError"),
        ("while True: pass", "CPU time"),
        ("[0] * 10**9", "memory"),
        ("f = lambda: f() + f()\n        f()", "RecursionError"),
    ],
)
async def test_one_that_the_judge_cannot_decide_costs_the_others_nothing(
    engine: Engine, ends: str, words: str
) -> None:
    source = (
        "def judge(input, output, answer):\n    if output == '40':\n"
        f"        {ends}\n    return int(output) % 7 > 0\n"
    )
    limits = Limits(cpu_time_s=0.4, memory_bytes=128 << 20)
    report = await report_of(engine, numbers(), FunctionJudge(source=source, limits=limits))
    expected = ["accepted" if number % 7 else "wrong_answer" for number in range(COUNT)]
    expected[40] = "judge_error"
    assert verdicts(report) == expected
    assert words in report.cases[40].message
    assert engine.status().counters["judge_errors"] == 1


async def test_points_and_words_are_each_outputs_own(engine: Engine) -> None:
    source = "def judge(input, output, answer):\n    return int(output) / 100, f'got {output}'\n"
    report = await report_of(engine, numbers(), FunctionJudge(source=source))
    assert [case.score for case in report.cases] == [number / 100 for number in range(COUNT)]
    assert [case.message for case in report.cases] == [f"got {number}" for number in range(COUNT)]


@pytest.mark.parametrize(
    "source",
    [
        # Both fail for whoever comes second into the same sandbox.
        "def judge(input, output, answer):\n    open('mine', 'x').write(output)\n    return True\n",
        "import os\n\ndef judge(input, output, answer):\n    os.mkdir('mine')\n    return True\n",
    ],
    ids=["open", "os"],
)
async def test_what_may_leave_something_behind_has_each_run_to_itself(
    engine: Engine, source: str
) -> None:
    before = runs(engine)
    report = await report_of(engine, numbers(20), FunctionJudge(source=source))
    assert report.passed == 20, report.message
    assert runs(engine) - before >= 20


async def test_a_slow_judge_uses_every_slot(engine: Engine) -> None:
    source = (
        "import time\n\ndef judge(input, output, answer):\n    end = time.process_time() + 0.05\n"
        "    while time.process_time() < end:\n        pass\n    return True\n"
    )
    before = runs(engine)
    report = await report_of(engine, numbers(12), FunctionJudge(source=source))
    assert report.passed == 12
    assert runs(engine) - before >= 12


async def test_large_and_small_outputs_beside_each_other(engine: Engine) -> None:
    source = "def judge(input, output, answer):\n    return len(output) == int(answer)\n"
    sizes = [1, 5_000, 3, 300_000, 9_000, 7] * 6
    cases = [OutputCase(output="x" * size, answer=str(size)) for size in sizes]
    cases[20] = OutputCase(output="", answer="1")
    report = await report_of(engine, cases, FunctionJudge(source=source))
    assert [i for i, verdict in enumerate(verdicts(report)) if verdict != "accepted"] == [20]


async def test_killed_slots_change_no_decision(start_engine: StartsEngine) -> None:
    source = (
        "import time\n\ndef judge(input, output, answer):\n    time.sleep(0.01)\n"
        "    return int(output) % 7 > 0\n"
    )
    tests = OutputTests(cases=numbers(200), judge=FunctionJudge(source=source))
    submission = Submission(language="", source="", tests=tests, stop="never")
    async with start_engine(engine={"retries": 10}) as engine:
        judging = asyncio.create_task(engine.judge(submission, client="t"))
        assert await killed_now_and_then(engine, judging, most=4) >= 2
        report = await judging
        expected = ["accepted" if number % 7 else "wrong_answer" for number in range(200)]
        assert verdicts(report) == expected
        assert engine.status().counters["retries"] >= 2
        assert engine.status().queued_cases == 0


async def test_the_first_failure_is_the_same_however_they_are_asked(engine: Engine) -> None:
    source = "def judge(input, output, answer):\n    return int(output) not in (11, 13, 30)\n"
    submission = judged(ECHO, map(str, range(COUNT)), source, stop="first_failure")
    for _ in range(5):
        report = await engine.judge(submission, client="test")
        assert verdicts(report) == ["accepted"] * 11 + ["wrong_answer"] + ["skipped"] * 48


def test_what_only_computes_is_known_by_its_text() -> None:
    assert only_computes(b"import math, re, sys\ndef judge(a, b, c):\n    return reopened == b")
    for text in (b"open('x')", b"import os", b"__import__('o' + 's')", b"import subprocess as s",
                 b"eval(output)", b"judge.__globals__", b"import threading"):  # fmt: skip
        assert not only_computes(b"def judge(a, b, c):\n    " + text), text


def test_never_more_wait_than_were_decided() -> None:
    queue, decided = _Queue(), 0
    for _ in range(10):
        assert queue.size <= max(1, decided + 1)
        decided += queue.size
        queue.learn(_SHORT_S / 2, 8)
    assert queue.size == 8
    queue.learn(2 * _SHORT_S, 8)
    assert queue.size == 4
    for _ in range(4):
        queue.learn(2 * _SHORT_S, 8)
    assert queue.size == 1
