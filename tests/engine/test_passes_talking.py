"""Judges that talk with the program in several passes, on real slots."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from scalebox.engine.service import Engine
from scalebox.model import (
    InteractiveCase,
    InteractiveTests,
    Limits,
    ProgramJudge,
    Report,
    Submission,
)

from .conftest import LEVELS, StartsEngine, until, verdicts
from .test_faults import killed_now_and_then
from .test_passes import judged_by

#: Tells the program two numbers and takes their sum, in each pass; then asks for the sum of all.
SUMS = """
import os, sys
folder, n = sys.argv[3], int(open(sys.argv[1]).read())
sums = open(folder + 'sums').read().split() if os.path.exists(folder + 'sums') else []
message = open(folder + 'judgemessage.txt', 'a')
if n:
    print(n, n + 1, flush=True)
else:
    print(*sums, flush=True)
said, wanted = sys.stdin.readline().strip(), 2 * n + 1 if n else sum(map(int, sums))
message.write(f'[{said}]')
if said != str(wanted):
    sys.exit(43)
if n:
    open(folder + 'sums', 'w').write(' '.join([*sums, said]))
    open(folder + 'nextpass.in', 'w').write(str(n - 1))
sys.exit(42)
"""
ADDS = "print(sum(map(int, input().split())), flush=True)"
ADDS_CPP = """
#include <iostream>
#include <sstream>
#include <string>
int main() {
    std::string line;
    std::getline(std::cin, line);
    std::istringstream words(line);
    long sum = 0;
    for (long n; words >> n; ) sum += n;
    std::cout << sum << std::endl;
}
"""


async def talked(
    engine: Engine, judge: ProgramJudge, source: str, *given: str, **more: Any
) -> Report:
    tests = InteractiveTests(cases=[InteractiveCase(input=one) for one in given], judge=judge)
    submission = Submission(source=source, tests=tests, **{"language": "python", **more})
    async with asyncio.timeout(120):
        return await engine.judge(submission, client="t")


@pytest.mark.parametrize("level", LEVELS)
async def test_conversations_at_every_level(start_engine: StartsEngine, level: str) -> None:
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        judge = judged_by(SUMS, passes=4)
        for language, source in (("python", ADDS), ("cpp", ADDS_CPP)):
            report = await talked(engine, judge, source, "3", "1", language=language)
            assert verdicts(report) == ["accepted"] * 2, report
            assert report.cases[0].message == "[7][5][3][15]"
            assert report.cases[0].attempts == 1


async def test_how_conversations_of_several_passes_end(engine: Engine) -> None:
    judge = judged_by(SUMS, passes=4)
    limits = Limits(cpu_time_s=0.5, wall_time_s=2)
    once = "words = input().split()\nif words == ['5', '3']: {}\nprint(sum(map(int, words)))"
    ends = {
        "raise SystemExit(3)": ("wrong_answer", "in pass 3: [5][3][]"),
        "exec('while True: pass')": ("time_limit_exceeded", "in pass 3: stopped"),
        "print(0, flush=True); raise SystemExit(3)": ("wrong_answer", "in pass 3: [5][3][0]"),
        "print(8, flush=True); raise SystemExit(3)": ("runtime_error", "in pass 3: exit code 3"),
    }
    for failing, (verdict, words) in ends.items():
        report = await talked(engine, judge, once.format(failing), "2", limits=limits)
        assert report.verdict.value == verdict, (failing, report)
        assert report.message.startswith(f"case 0: {words}"), report.message
    report = await talked(engine, judge, ADDS, "4")
    assert report.verdict.value == "judge_error"
    assert "in pass 4: the judge asks for another pass" in report.message
    left = judged_by(SUMS.replace("sys.exit(42)", "os.symlink('x', folder + 'l'); sys.exit(42)"))
    report = await talked(engine, left, ADDS, "1")
    assert report.verdict.value == "judge_error"
    assert "cannot be kept" in report.message


async def test_killed_slots_change_no_conversation(start_engine: StartsEngine) -> None:
    judge = judged_by("import time\ntime.sleep(0.05)\n" + SUMS, passes=4)
    async with start_engine(engine={"retries": 10}) as engine:
        judging = asyncio.create_task(talked(engine, judge, ADDS, *["3"] * 6, stop="never"))
        kills = await killed_now_and_then(engine, judging, most=4)
        report = await judging
        assert kills >= 2
        assert report.accepted, report
        assert {case.message for case in report.cases} == {"[7][5][3][15]"}


async def test_a_deadline_ends_conversations_between_passes(engine: Engine) -> None:
    judge = judged_by(SUMS, passes=1000)
    assert (await talked(engine, judge, ADDS, "1")).accepted
    before = len(os.listdir("/proc/self/fd"))
    report = await talked(engine, judge, ADDS, "900", "900", deadline_s=1.0)
    assert set(verdicts(report)) == {"cancelled"}
    assert (await talked(engine, judge, ADDS, "1")).accepted
    await until(lambda: len(os.listdir("/proc/self/fd")) <= before)
