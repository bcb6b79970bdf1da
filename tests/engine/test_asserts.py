"""Test programs, on real slots: what must not pass, and what the report says of its integrity."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError
from scalebox.judging.asserts import AssertOutcome
from scalebox.model import AssertCase, AssertTests, Limits, Report, Submission

from .conftest import LEVELS, StartsEngine, asserted, verdicts

CHECK = "def check(candidate):\n    assert candidate(3) == 9\n    assert candidate(4) == 16\n"
RIGHT = "def square(x): return x * x"
#: Needs one process: it makes a class out of one of the submission's.
WEAK = "class Mine(Base):\n    pass\nassert Mine().square(3) == 9\n"
WEAK_RIGHT = "class Base:\n    def square(self, x): return x * x"

YES = (
    "class Yes:\n"
    "    def __eq__(self, other): return True\n"
    "    def __ne__(self, other): return False\n"
    "    def __bool__(self): return True\n"
    "    __hash__ = None\n"
)
CHEATS = {
    "sys.exit while loading": "import sys\nsys.exit(0)",
    "os._exit while loading": "import os\nos._exit(0)",
    "sys.exit in the call": "import sys\ndef square(x): sys.exit(0)",
    "os._exit in the call": "import os\ndef square(x): os._exit(0)",
    "exec of true": "import os\ndef square(x): os.execv('/bin/true', ['true'])",
    "always equal": YES + "def square(x): return Yes()",
    "atexit": "import atexit, os, sys\natexit.register(os._exit, 0)\ndef square(x): sys.exit()",
    "an exit in a thread": "import os, threading\n"
    "def square(x):\n    threading.Thread(target=os._exit, args=(0,)).start()\n"
    "    while True: pass",
    "patched builtins": "import builtins\nbuiltins.AssertionError = Exception\n"
    "builtins.len = builtins.abs = lambda *a: 9\ndef square(x): return 0",
    "patched json": 'import json\njson.dumps = lambda *a, **k: \'{"state": "passed"}\'\n'
    "def square(x): return 0",
    "a forged record": "import os\nfor fd in range(3, 20):\n    try:\n"
    '        os.write(fd, b\'{"nonce":"","state":"passed","message":""}\\n\')\n'
    "    except OSError: pass\ndef square(x): return 0",
    "a child that answers": "import os\nif os.fork(): os._exit(0)\ndef square(x): return 0",
    "closed descriptors": "import os\nos.closerange(3, 50)\ndef square(x): return 9",
    "a signal to everyone": "import os, signal\nos.kill(-1, signal.SIGKILL)",
    "a signal to its parent": "import os, signal\n"
    "def square(x): os.kill(os.getppid(), signal.SIGKILL)",
    "own check": "def check(candidate): pass\ndef square(x): return 0",
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("form", ["strong", "weak"])
async def test_cheats_do_not_pass(start_engine: StartsEngine, level: str, form: str) -> None:
    limits = Limits(cpu_time_s=1, wall_time_s=3)
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:

        async def report_of(source: str) -> Report:
            if form == "strong":
                submission = asserted(source, CHECK, entry_point="square", limits=limits)
            else:
                program = "class Mine(Base): pass\n" + CHECK + "check(square)\n"
                submission = asserted("class Base: pass\n" + source, program, limits=limits)
            return await engine.judge(submission, client="t")

        reports = await asyncio.gather(*map(report_of, CHEATS.values()))
        found = dict(zip(CHEATS, reports, strict=True))
        assert [name for name, report in found.items() if report.accepted] == []
        # It is the program's doing, and is said to be.
        others = {
            name: (report.verdict.value, report.message)
            for name, report in found.items()
            if not report.verdict.is_about_the_program or report.cases[0].attempts != 1
        }
        assert others == {}
        assert (await report_of(RIGHT)).accepted
        assert [slot.restarts for slot in engine.status().slots] == [0, 0]


async def test_the_kinds_of_verdicts(engine: Engine) -> None:
    programs = [
        "assert square(2) == 4", "assert square(2) == 5", "assert missing(1)",
        "assert square('x') == 1", "assert square(", "while True: square(1)", "square(10**8)",
    ]  # fmt: skip
    source = "def square(x):\n    return x * x if x != 10**8 else square(x) + 1"
    submission = asserted(
        source, *programs, stop="never", limits=Limits(cpu_time_s=0.3, wall_time_s=3)
    )
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == [
        "accepted", "wrong_answer", "runtime_error", "runtime_error", "judge_error",
        "time_limit_exceeded", "runtime_error",
    ]  # fmt: skip
    assert report.integrity == "strong"
    assert "test line 1: assert square(2) == 5" in report.cases[1].message


async def test_a_source_that_does_not_compile(engine: Engine) -> None:
    for program, entry_point in ((CHECK, "square"), (WEAK, None)):
        submission = asserted("def square(:", program, entry_point=entry_point)
        report = await engine.judge(submission, client="t")
        assert report.verdict == "compile_error"
        assert verdicts(report) == ["skipped"]
        assert "SyntaxError" in report.message


async def test_tests_that_nobody_runs_are_no_verdict_about_a_submission(engine: Engine) -> None:
    for source in ("def square(x): return 0", RIGHT, "def square(:"):
        report = await engine.judge(asserted(source, CHECK), client="t")
        assert report.verdict == "judge_error"
        assert "say in `entry_point`" in report.message


async def test_the_weak_form_is_named_weak_and_costs_no_attempt(engine: Engine) -> None:
    report = await engine.judge(asserted(WEAK_RIGHT, WEAK), client="t")
    assert report.accepted
    assert report.integrity == "weak"
    assert report.cases[0].attempts == 1
    report = await engine.judge(asserted(RIGHT, CHECK, entry_point="square"), client="t")
    assert report.integrity == "strong"


async def test_a_test_that_trusts_the_submission_is_named_weak_where_it_passes(
    engine: Engine,
) -> None:
    source = "def square(x): return 0\ndef right(x): return True"
    trusting = "def check(candidate):\n    assert right(candidate(3)){}\n"
    for program, verdict, integrity in (
        (trusting.format(""), "accepted", "weak"),
        (trusting.format(" is False"), "wrong_answer", "strong"),
    ):
        report = await engine.judge(asserted(source, program, entry_point="square"), client="t")
        assert (report.verdict, report.integrity) == (verdict, integrity)


async def test_integrity_does_not_depend_on_what_else_came_to_run(engine: Engine) -> None:
    # The first case is slow and fails, the second needs the weak form and may be over before.
    slow = "import time\ntime.sleep(0.3)\nassert False"
    for _ in range(3):
        report = await engine.judge(asserted(WEAK_RIGHT, slow, WEAK), client="t")
        assert verdicts(report) == ["wrong_answer", "skipped"]
        assert report.integrity == "strong"
    report = await engine.judge(asserted(WEAK_RIGHT, slow, WEAK, stop="never"), client="t")
    assert verdicts(report) == ["wrong_answer", "accepted"]
    assert report.integrity == "weak"


@pytest.mark.parametrize("state", ["unproxiable", "invalid"])
async def test_a_submission_cannot_choose_not_to_be_judged(
    engine: Engine, monkeypatch, state: str
) -> None:
    # In one process it may find the nonce; then it can say what only the tester may.
    from scalebox.engine import asserts as module

    answers = [AssertOutcome("unproxiable"), AssertOutcome(state)]  # type: ignore[arg-type]
    monkeypatch.setattr(module.asserts, "parse_assert_record", lambda *_: answers.pop(0))
    report = await engine.judge(asserted(WEAK_RIGHT, WEAK), client="t")
    assert report.verdict == "runtime_error"
    assert answers == []


async def test_the_test_program_does_not_run_in_the_submissions_process(engine: Engine) -> None:
    source = "import os\nPID = os.getpid()\ndef square(x): return PID"
    program = "import os\nassert square(1) == PID and os.getpid() != PID"
    report = await engine.judge(asserted(source, program), client="t")
    assert report.accepted, report.message
    assert report.integrity == "strong"


async def test_few_descriptors_and_further_files(engine: Engine) -> None:
    submission = asserted(
        "from helper import square",
        CHECK,
        entry_point="square",
        files={"helper.py": RIGHT},
        limits=Limits(open_files=4),
    )
    report = await engine.judge(submission, client="t")
    assert report.accepted, report.message


async def test_other_languages_are_refused(start_engine: StartsEngine, tmp_path: Path) -> None:
    entry = (
        'name = "plain"\nmain_file = "a.c"\nrunner = "native"\ntool = "cc"\npackage = "gcc"\n'
        'source_suffixes = [".c"]\ncompile = ["{tool}", "-o", "{program}", "{sources}"]\n'
    )
    (tmp_path / "plain.toml").write_text(entry)
    tests = AssertTests(cases=[AssertCase(program="")])
    async with start_engine(languages={"directories": [str(tmp_path)]}) as engine:
        with pytest.raises(BadRequestError, match="no `assert` tests in plain"):
            await engine.judge(Submission(language="plain", source="", tests=tests), client="t")
