"""Programs that talk with their judge, on real slots: both contracts, and every way to end."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError
from scalebox.model import (
    InteractiveCase,
    InteractiveTests,
    Limits,
    ProgramJudge,
    Report,
    Submission,
)
from tests.load import other_load

from .conftest import LEVELS, StartsEngine, stdio, verdicts

#: Holds a secret number; says `less`, `more` or `right`; ten questions.
ICPC = """
#include <fstream>
#include <iostream>
#include <string>
int main(int argc, char **argv) {
    int secret, guess;
    std::ifstream(argv[1]) >> secret;
    std::string feedback = argv[3];
    for (int n = 1; n <= 10; n++) {
        if (!(std::cin >> guess)) {
            std::ofstream(feedback + "judgemessage.txt") << "no number";
            return 43;
        }
        std::cout << (guess == secret ? "right" : guess < secret ? "more" : "less") << std::endl;
        if (guess == secret) {
            std::ofstream(feedback + "judgemessage.txt") << "in " << n;
            std::ofstream(feedback + "score.txt") << 11 - n;
            return 42;
        }
    }
    std::ofstream(feedback + "judgemessage.txt") << "too many";
    return 43;
}
"""
TESTLIB = """
#include <stdio.h>
int main(int argc, char **argv) {
    int secret, guess;
    if (fscanf(fopen(argv[1], "r"), "%d", &secret) != 1) return 3;
    for (int n = 0; n < 10 && scanf("%d", &guess) == 1; n++) {
        printf("%s\\n", guess == secret ? "right" : guess < secret ? "more" : "less");
        fflush(stdout);
        if (guess == secret) { fprintf(stderr, "found"); return 0; }
    }
    fprintf(stderr, "not found");
    return 1;
}
"""
PYTHON_JUDGE = """
import sys
secret = int(open(sys.argv[1]).read())
for line in sys.stdin:
    guess = int(line)
    print('right' if guess == secret else 'more' if guess < secret else 'less', flush=True)
    if guess == secret:
        sys.exit(42)
sys.exit(43)
"""
SEARCH = """
low, high = 0, 1000
while True:
    middle = (low + high) // 2
    print(middle, flush=True)
    word = input()
    if word == 'right':
        break
    if word == 'more':
        low = middle + 1
    else:
        high = middle - 1
"""
SEARCH_CPP = """
#include <iostream>
#include <string>
int main() {
    int low = 0, high = 1000;
    std::string word;
    for (;;) {
        int middle = (low + high) / 2;
        std::cout << middle << std::endl;
        if (!(std::cin >> word)) return 9;
        if (word == "right") return 0;
        if (word == "more") low = middle + 1; else high = middle - 1;
    }
}
"""
JUDGE = ProgramJudge(contract="icpc", language="cpp", source=ICPC)
QUICK = Limits(cpu_time_s=1, wall_time_s=2)


async def talked(
    engine: Engine, source: str, *secrets: int, judge: ProgramJudge = JUDGE, **more: Any
) -> Report:
    tests = InteractiveTests(
        cases=[InteractiveCase(input=str(secret)) for secret in secrets], judge=judge
    )
    submission = Submission(source=source, tests=tests, **{"language": "python", **more})
    async with asyncio.timeout(60):
        return await engine.judge(submission, client="t")


@pytest.mark.parametrize("level", LEVELS)
async def test_both_contracts_at_every_level(start_engine: StartsEngine, level: str) -> None:
    judges = [
        JUDGE,
        ProgramJudge(contract="testlib", language="c", source=TESTLIB),
        ProgramJudge(contract="icpc", language="python", source=PYTHON_JUDGE),
    ]
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        for judge in judges:
            for language, source in (("python", SEARCH), ("cpp", SEARCH_CPP)):
                report = await talked(engine, source, 7, 1000, 0, judge=judge, language=language)
                assert verdicts(report) == ["accepted"] * 3, report
        assert (await engine.judge(stdio("print(1)", [("", "1")]), client="t")).accepted


async def test_words_and_points_are_told(engine: Engine) -> None:
    report = await talked(engine, SEARCH, 500)
    assert (report.cases[0].message, report.cases[0].score) == ("in 1", 10)
    assert report.cases[0].cpu_time_s > 0
    report = await talked(engine, "for n in range(10): print(n, flush=True)\ninput()", 500)
    assert report.message == "case 0: too many"


#: Program → verdict, with a judge that is right.
ENDS = {
    "says nothing and ends": ("pass", "wrong_answer"),
    "says what is no number": ("print('x', flush=True)\ninput()", "wrong_answer"),
    "goes on after being rejected": (
        "import os\nos.write(1, b'x\\n')\nwhile True: pass",
        "wrong_answer",
    ),
    "writes into the closed pipe": (
        "print('x', flush=True)\nwhile True: print('x', flush=True)",
        "wrong_answer",
    ),
    "waits for ever": ("input()", "time_limit_exceeded"),
    "closes its output and waits": (
        "import os, time\nos.close(1)\ntime.sleep(60)",
        "wrong_answer",
    ),
    "spins": ("while True: pass", "time_limit_exceeded"),
    "crashes": ("import os\nos.kill(os.getpid(), 11)", "runtime_error"),
    "fails after it was accepted": (SEARCH + "\nraise SystemExit(3)", "runtime_error"),
    "sleeps after it was accepted": (
        SEARCH + "\nimport time\ntime.sleep(60)",
        "time_limit_exceeded",
    ),
    "leaves a child with the pipe": (
        "import os, time\nif os.fork() == 0:\n    time.sleep(60)\n",
        "wrong_answer",
    ),
    "eats memory": ("x = bytearray(1 << 30)", "memory_limit_exceeded"),
}


@pytest.mark.parametrize("name", ENDS)
async def test_how_a_program_ends(engine: Engine, name: str) -> None:
    source, verdict = ENDS[name]
    limits = Limits(cpu_time_s=1, wall_time_s=2, memory_bytes=128 << 20)
    report = await talked(engine, source, 7, limits=limits)
    assert report.verdict.value == verdict, report
    assert report.cases[0].attempts == 1
    assert (await talked(engine, SEARCH, 7)).accepted


#: Judge → verdict of a program that asks once, hears, and ends well.
JUDGES = {
    "crashes at once": ("import os\nos.kill(os.getpid(), 11)", "judge_error"),
    "ends with 0": ("raise SystemExit(0)", "judge_error"),
    "raises": ("raise ValueError('mine')", "judge_error"),
    "rejects at once": ("raise SystemExit(43)", "wrong_answer"),
    "accepts without looking": ("raise SystemExit(42)", "runtime_error"),
    "spins": ("while True: pass", "judge_error"),
    "never answers": ("import time\ninput()\ntime.sleep(600)", "time_limit_exceeded"),
    "accepts": ("input()\nprint('right', flush=True)\nraise SystemExit(42)", "accepted"),
    "accepts late": (
        "import time\ninput()\nprint('right', flush=True)\ntime.sleep(1)\nraise SystemExit(42)",
        "accepted",
    ),
}


@pytest.mark.parametrize("name", JUDGES)
async def test_how_a_judge_ends(engine: Engine, name: str) -> None:
    source, verdict = JUDGES[name]
    judge = ProgramJudge(
        contract="icpc", language="python", source=source, limits=Limits(cpu_time_s=0.5)
    )
    asks = "print(1, flush=True)\nassert input() == 'right'"
    # Only one of them is to be ended by the program's wall limit; others may be short of a core.
    limits = QUICK if name == "never answers" else Limits(cpu_time_s=1, wall_time_s=30)
    report = await talked(engine, asks, 7, judge=judge, limits=limits)
    assert report.verdict.value == verdict, report
    assert (await talked(engine, SEARCH, 7)).accepted


@pytest.mark.parametrize("language", ["python", "c"])
async def test_a_judge_that_is_not_heard_out(engine: Engine, language: str) -> None:
    talks = {
        "python": "import time\ntime.sleep(0.3)\nwhile True: print('hear me', flush=True)",
        "c": "#include <stdio.h>\n#include <unistd.h>\n"
        'int main(void) { usleep(300000); for (;;) { puts("hear me"); fflush(stdout); } }',
    }
    judge = ProgramJudge(contract="icpc", language=language, source=talks[language])
    report = await talked(engine, "pass", 7, judge=judge)
    assert report.verdict.value == "wrong_answer", report
    assert "ended before the judge" in report.message


async def test_a_judge_that_does_not_compile(engine: Engine) -> None:
    judge = ProgramJudge(contract="icpc", language="cpp", source="int main( {}")
    report = await talked(engine, SEARCH, 7, judge=judge)
    assert report.verdict.value == "judge_error"
    assert "does not compile" in report.message
    report = await talked(engine, "while", 7)
    assert report.verdict.value == "compile_error"


async def test_the_first_failure_stops_the_rest(engine: Engine) -> None:
    wrong = "print(7, flush=True)\ninput()"
    report = await talked(engine, wrong, 7, 8, *range(20))
    assert verdicts(report)[:2] == ["accepted", "wrong_answer"]
    assert set(verdicts(report)[2:]) == {"skipped"}
    report = await talked(engine, wrong, 8, 7, 7, stop="never")
    assert verdicts(report) == ["wrong_answer", "accepted", "accepted"]


async def test_a_deadline_ends_a_conversation(engine: Engine) -> None:
    report = await talked(engine, "input()", 7, 8, deadline_s=1.0)
    assert verdicts(report) == ["cancelled", "cancelled"]
    assert (await talked(engine, SEARCH, 7)).accepted


async def test_beside_others(engine: Engine) -> None:
    """Pairs of slots are had although others take every slot that is idle."""
    plain = [stdio("print(input())", [(str(n), str(n)) for n in range(20)]) for _ in range(10)]
    found = await asyncio.gather(
        *(talked(engine, SEARCH, 7, 8, 9) for _ in range(5)),
        *(engine.judge(one, client=f"c{n % 3}") for n, one in enumerate(plain)),
    )
    assert all(report.accepted for report in found)


async def test_nothing_is_left_open(engine: Engine) -> None:

    await talked(engine, SEARCH, 7)
    before = len(os.listdir("/proc/self/fd"))
    for source in (SEARCH, "input()", "pass", "import os\nos.kill(os.getpid(), 11)"):
        await talked(engine, source, 7, 8, limits=QUICK)
    await talked(engine, "input()", 7, 8, deadline_s=0.3)
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_answers_do_not_reach_the_program(engine: Engine) -> None:
    hunt = (
        "import os\nfound = []\n"
        "for top in ('.', '/tmp', '/dev/shm'):\n    for _, _, names in os.walk(top):\n"
        "        found += names\nprint(len([n for n in found if n.endswith('.txt')]), flush=True)\n"
    )
    judge = ProgramJudge(
        contract="icpc", language="python", source="raise SystemExit(42 if input() == '0' else 43)"
    )
    assert (await talked(engine, hunt, 7, judge=judge)).accepted


async def test_one_slot_is_not_enough(start_engine: StartsEngine) -> None:
    async with start_engine(sandbox={"slots": 1}) as engine:
        with pytest.raises(BadRequestError, match="two slots"):
            await talked(engine, SEARCH, 7)


async def test_other_contracts_do_not_talk(engine: Engine) -> None:
    judge = ProgramJudge(contract="scalebox", language="python", source="")
    with pytest.raises(BadRequestError) as caught:
        await talked(engine, SEARCH, 7, judge=judge)
    assert caught.value.field == "tests.judge.contract"


@pytest.mark.alone
async def test_a_judge_waits_for_a_program_that_other_load_keeps_from_its_core(
    engine: Engine,
) -> None:
    spins = "import time\nwhile time.process_time() < 0.6: pass\n" + SEARCH
    with other_load(14):
        began = time.monotonic()
        report = await talked(engine, spins, 7, limits=Limits(cpu_time_s=1, wall_time_s=1))
        took_s = time.monotonic() - began
    assert report.accepted, report
    # Six seconds were all that the judge would have had, were they not told apart.
    assert took_s > 7.0


#: Burns a third of a second of CPU time before each of its two answers.
BURNS = """
import sys, time
for line in sys.stdin:
    end = time.process_time() + 0.3
    while time.process_time() < end: pass
    print('right', flush=True)
    if line == 'last\\n':
        sys.exit(42)
"""
ASKS = "print('first', flush=True)\ninput()\nprint('last', flush=True)\nassert input() == 'right'\n"


@pytest.mark.alone
async def test_a_program_waits_for_a_judge_that_other_load_keeps_from_its_core(
    engine: Engine,
) -> None:
    judge = ProgramJudge(contract="icpc", language="python", source=BURNS)
    limits = Limits(cpu_time_s=1, wall_time_s=1)
    assert (await talked(engine, ASKS, 7, judge=judge, limits=limits)).accepted
    with other_load(6):
        report = await talked(engine, ASKS, 7, judge=judge, limits=limits)
    assert report.accepted, report
    assert report.cases[0].attempts == 1
    # More than the limit allows without a judge that was kept from its core.
    assert report.cases[0].wall_time_s > 1.5


@pytest.mark.alone
@pytest.mark.parametrize("sleeps", ["program", "judge"])
async def test_time_for_a_slow_judge_is_not_for_who_sleeps(engine: Engine, sleeps: str) -> None:
    nap = "import time\ntime.sleep(1.3)\n"
    judge = ProgramJudge(
        contract="icpc", language="python", source=(sleeps == "judge") * nap + BURNS
    )
    limits = Limits(cpu_time_s=1, wall_time_s=1)
    with other_load(6):
        report = await talked(
            engine, ASKS + (sleeps == "program") * nap, 7, judge=judge, limits=limits
        )
    assert report.verdict.value == "time_limit_exceeded", report
