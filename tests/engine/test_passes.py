"""Judges that have the program run again, on real slots: what is kept, what is not, how it ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError
from scalebox.model import (
    Blob,
    InteractiveCase,
    InteractiveTests,
    Limits,
    ProgramJudge,
    Report,
    StdioCase,
    StdioTests,
    Submission,
)
from scalebox.sandbox.slot import Slot
from scalebox.sandbox.spec import RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire

from .conftest import LEVELS, StartsEngine, until, verdicts
from .test_faults import killed_now_and_then

#: The program encodes words as bits, which are handed back to it in a second run, to be decoded.
#: Which pass it is the judge knows from a file of its own.
CODEC_CPP = """
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
int main(int argc, char **argv) {
    std::string folder = argv[3], state = folder + "kept/words", said, word, words;
    std::string message = folder + "judgemessage.txt";
    std::ifstream given(argv[1]);
    std::getline(std::cin, said);
    if (!std::filesystem::exists(state)) {
        if (said.find_first_not_of("01") != said.npos) {
            std::ofstream(message, std::ios::app) << "not bits";
            return 43;
        }
        std::getline(given >> word, words);
        if (word != "encode") return 1;
        std::filesystem::create_directory(folder + "kept");
        std::ofstream(state) << words;
        std::ofstream(message, std::ios::app) << said.size() << " bits; ";
        std::ofstream(folder + "nextpass.in") << "decode " << said << std::endl;
        return 42;
    }
    std::getline(given >> word, words);
    if (word != "decode" || std::filesystem::exists(folder + "nextpass.in")) return 1;
    std::ifstream kept(state);
    std::getline(kept, words);
    std::ofstream(folder + "score.txt") << 7;
    std::ofstream(message, std::ios::app) << (" " + said == words ? "the same" : "not the same");
    return " " + said == words ? 42 : 43;
}
"""
CODEC_PYTHON = """
import os, sys
with open(sys.argv[1]) as file:
    word, given = file.read().split(None, 1)
folder, said = sys.argv[3], sys.stdin.read().strip()
state, message = folder + 'kept/words', open(folder + 'judgemessage.txt', 'a')
if not os.path.exists(state):
    assert word == 'encode'
    if set(said) - set('01'):
        message.write('not bits')
        sys.exit(43)
    os.mkdir(folder + 'kept')
    open(state, 'w').write(given.strip())
    open(folder + 'nextpass.in', 'w').write(f'decode {said}\\n')
    message.write(f'{len(said)} bits; ')
    sys.exit(42)
assert word == 'decode' and not os.path.exists(folder + 'nextpass.in')
same = said == open(state).read()
message.write('the same' if same else 'not the same')
open(folder + 'score.txt', 'w').write('7')
sys.exit(42 if same else 43)
"""
CODEC = """
word, _, given = input().partition(' ')
if word == 'encode':
    print(''.join(f'{byte:08b}' for byte in given.encode()))
else:
    print(bytes(int(given[i:i + 8], 2) for i in range(0, len(given), 8)).decode())
"""
CODEC_IN_C = """
#include <stdio.h>
#include <string.h>
int main(void) {
    static char line[10000];
    fgets(line, sizeof line, stdin);
    line[strcspn(line, "\\n")] = 0;
    char *at = line + 7;
    if (line[0] == 'e')
        for (; *at; at++)
            for (int bit = 7; bit >= 0; bit--) putchar('0' + (*at >> bit & 1));
    else
        for (; *at; at += 8) {
            int c = 0;
            for (int bit = 0; bit < 8; bit++) c = 2 * c + (at[bit] - '0');
            putchar(c);
        }
    putchar('\\n');
}
"""
#: Asks for passes until the program has said as many as the answer says; n is in the input.
COUNTS = """
import os, sys
n, most = int(open(sys.argv[1]).read()), int(open(sys.argv[2]).read())
said = sys.stdin.read().strip()
open(sys.argv[3] + 'judgemessage.txt', 'a').write(f'[{n}: {said}]')
if said != str(n):
    sys.exit(43)
if n < most:
    open(sys.argv[3] + 'nextpass.in', 'w').write(str(n + 1))
sys.exit(42)
"""
ECHO = "print(input())"


def judged_by(source: str, language: str = "python", **more: Any) -> ProgramJudge:
    settings = {"contract": "icpc", "passes": 2, **more}
    return ProgramJudge(language=language, source=source, **settings)


async def report_of(
    engine: Engine, judge: ProgramJudge, source: str, *cases: tuple[str, str], **more: Any
) -> Report:
    tests = StdioTests(
        cases=[StdioCase(input=given, answer=answer) for given, answer in cases], judge=judge
    )
    submission = Submission(source=source, tests=tests, **{"language": "python", **more})
    async with asyncio.timeout(120):
        return await engine.judge(submission, client="t")


@pytest.mark.parametrize("level", LEVELS)
async def test_two_passes_at_every_level(start_engine: StartsEngine, level: str) -> None:
    cases = [("encode to be", ""), ("encode or not to be", "")]
    lossy = CODEC.replace("given.encode()", "given[:5].encode()")
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        for judge in (judged_by(CODEC_CPP, "cpp"), judged_by(CODEC_PYTHON)):
            for language, source in (("python", CODEC), ("c", CODEC_IN_C)):
                report = await report_of(engine, judge, source, *cases, language=language)
                assert verdicts(report) == ["accepted"] * 2, report
                assert report.cases[0].message == "40 bits; the same"
                assert (report.cases[0].score, report.cases[0].attempts) == (7, 1)
            report = await report_of(engine, judge, lossy, *cases)
            assert verdicts(report) == ["accepted", "wrong_answer"]
            assert report.message == "case 1: in pass 2: 40 bits; not the same"
            report = await report_of(engine, judge, "print('words')", *cases)
            assert report.message == "case 0: not bits"


@pytest.mark.parametrize("passes", [2, 3, 9])
async def test_as_many_passes_as_there_may_be_and_no_more(engine: Engine, passes: int) -> None:
    judge = judged_by(COUNTS, passes=passes)
    report = await report_of(engine, judge, ECHO, ("1", str(passes)))
    assert report.accepted, report
    assert report.cases[0].message == "".join(f"[{n}: {n}]" for n in range(1, passes + 1))
    report = await report_of(engine, judge, ECHO, ("1", str(passes + 1)), ("1", "1"))
    assert verdicts(report) == ["judge_error", "skipped"]
    assert f"in pass {passes}: the judge asks for another pass" in report.message


async def test_a_single_pass_is_enough_where_the_judge_says_so(engine: Engine) -> None:
    report = await report_of(engine, judged_by(COUNTS), ECHO, ("1", "1"))
    assert report.accepted
    assert report.cases[0].message == "[1: 1]"


async def test_a_program_that_fails_in_a_later_pass(engine: Engine) -> None:
    judge = judged_by(COUNTS, passes=3)
    ends = {
        "if n == 2: raise SystemExit(5)": ("runtime_error", "in pass 2: exit code 5"),
        "if n == 3:\n    while True: pass": ("time_limit_exceeded", "in pass 3: stopped"),
        "if n == 2: x = bytearray(1 << 30)": ("memory_limit_exceeded", "in pass 2: used more"),
        "if n == 2: print('x' * (1 << 20))": ("output_limit_exceeded", "in pass 2: wrote more"),
        "if n == 1: raise SystemExit(5)": ("runtime_error", "exit code 5"),
    }
    limits = Limits(cpu_time_s=0.5, memory_bytes=128 << 20, output_bytes=100_000)
    for failing, (verdict, words) in ends.items():
        source = f"n = int(input())\n{failing}\nprint(n)"
        report = await report_of(engine, judge, source, ("1", "3"), limits=limits)
        assert report.verdict.value == verdict, (failing, report)
        assert report.message.startswith(f"case 0: {words}"), report.message


async def test_what_is_told_is_of_the_pass_that_took_most(engine: Engine) -> None:
    source = """
n = int(input())
held = bytearray((60 << 20) if n == 1 else 0)
for i in range(0, len(held), 4096): held[i] = 1
for i in range(3_000_000 if n == 2 else 0): pass
print(n)
"""
    judge = judged_by(COUNTS, passes=3)
    report = await report_of(engine, judge, source, ("1", "3"), limits=Limits(cpu_time_s=20))
    assert report.accepted, report
    third = await report_of(engine, judge, source, ("3", "3"), limits=Limits(cpu_time_s=20))
    assert report.cases[0].cpu_time_s > 2 * third.cases[0].cpu_time_s
    assert report.cases[0].wall_time_s > third.cases[0].wall_time_s
    if report.cases[0].memory_bytes:
        assert report.cases[0].memory_bytes > 50 << 20
    # The limit is of each pass: together they take twice as much.
    each = Limits(cpu_time_s=2.5 * report.cases[0].cpu_time_s)
    busy, judge = source.replace("if n == 2 else 0", ""), judged_by(COUNTS, passes=5)
    report = await report_of(engine, judge, busy, ("1", "5"), limits=each)
    assert report.accepted, report
    assert each.cpu_time_s is not None
    assert report.cases[0].cpu_time_s < each.cpu_time_s


async def test_a_next_pass_with_a_rejection_is_the_judges_failure(engine: Engine) -> None:
    for code, verdict in (("42", "accepted"), ("43", "judge_error"), ("0", "judge_error")):
        judge = judged_by(
            "import sys\nif open(sys.argv[1]).read() != 'again':\n"
            f"    open(sys.argv[3] + 'nextpass.in', 'w').write('again')\n    sys.exit({code})\n"
            "sys.exit(42)"
        )
        report = await report_of(engine, judge, ECHO, ("1", ""))
        assert report.verdict.value == verdict, report
    assert "the judge" in report.message


async def test_a_judge_that_fails_in_its_second_pass(engine: Engine) -> None:
    asks = "open(sys.argv[3] + 'nextpass.in', 'w').write('2'); sys.exit(42)"
    for failing in (
        "os.kill(os.getpid(), 11)",
        "raise ValueError('mine')",
        "sys.exit(0)",
        "exec('while True: pass')",
        "x = bytearray(1 << 30)",
    ):
        judge = judged_by(
            f"import os, sys\nif open(sys.argv[1]).read() == '2': {failing}\n{asks}",
            limits=Limits(cpu_time_s=0.5, memory_bytes=128 << 20),
            passes=5,
        )
        report = await report_of(engine, judge, ECHO, ("1", ""))
        assert report.verdict.value == "judge_error", (failing, report)
        assert report.message.startswith("case 0: in pass 2: the judge "), report.message
        assert report.cases[0].attempts == 1
    assert (await report_of(engine, judged_by(COUNTS), ECHO, ("1", "2"))).accepted


async def test_nothing_of_the_program_is_kept(engine: Engine) -> None:
    source = (
        "import os\nn = input()\nleft = 'left' in os.listdir() or os.path.exists('/tmp/left')\n"
        "open('left', 'w'); open('/tmp/left', 'w')\nprint('found' if left else n)"
    )
    report = await report_of(engine, judged_by(COUNTS, passes=4), source, ("1", "4"))
    assert report.accepted, report


async def test_the_feedback_folder_never_reaches_the_program(engine: Engine) -> None:
    judge = judged_by(
        "import os, sys\nfolder = sys.argv[3]\nif os.path.exists(folder + 'secret.txt'):\n"
        "    sys.exit(42 if sys.stdin.read() == '[]\\n' else 43)\n"
        "open(folder + 'secret.txt', 'w').write('x')\nopen(folder + 'nextpass.in', 'w')\n"
        "sys.exit(42)"
    )
    hunt = (
        "import os\nfound = []\nfor top in ('.', '/tmp', '/dev/shm'):\n"
        "    for _, _, names in os.walk(top):\n        found += names\n"
        "print([name for name in found if name.endswith('.txt')])"
    )
    for _ in range(3):
        report = await report_of(engine, judge, hunt, ("1", ""), ("2", ""))
        assert report.accepted, report


async def test_a_pass_with_much_to_read_and_to_keep(engine: Engine) -> None:
    judge = judged_by(
        "import sys\nfolder, given = sys.argv[3], open(sys.argv[1]).read()\n"
        "same = sys.stdin.read() == given\n"
        "if len(given) < 9:\n"
        "    open(folder + 'nextpass.in', 'w').write('word ' * 500_000)\n"
        "    for n in range(60): open(folder + str(n), 'w').write('x' * 50_000)\n"
        "else:\n"
        "    same = same and all(len(open(folder + str(n)).read()) == 50_000 for n in range(60))\n"
        "sys.exit(42 if same else 43)"
    )
    echo = "import sys\nsys.stdout.write(sys.stdin.read())"
    for given in ("small", Blob(data=b"small")):
        tests = StdioTests(cases=[StdioCase(input=given)], judge=judge)
        submission = Submission(language="python", source=echo, tests=tests)
        assert (await engine.judge(submission, client="t")).accepted
    report = await report_of(engine, judge, echo.replace("read()", "read(9)"), ("small", ""))
    assert (report.verdict.value, report.message) == ("wrong_answer", "case 0: in pass 2")


async def test_cases_have_judges_flags_and_passes_of_their_own(engine: Engine) -> None:
    flags = "import sys\n" + COUNTS.replace("int(open(sys.argv[2]).read())", "int(sys.argv[4])")
    cases = [
        StdioCase(input="1"),
        StdioCase(input="1", judge_flags=["3"]),
        StdioCase(input="1", judge=judged_by(flags, passes=3, flags=["3"])),
        StdioCase(input="1", judge=judged_by(flags, passes=1, flags=["3"])),
    ]
    tests = StdioTests(cases=cases, judge=judged_by(flags, flags=["2"]))
    submission = Submission(language="python", source=ECHO, tests=tests, stop="never")
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == ["accepted", "judge_error", "accepted", "accepted"]
    # Of a single pass: what it leaves for another means nothing.
    assert report.cases[3].message == "[1: 1]"


#: What a judge leaves beside `nextpass.in`, and whether it can be kept.
LEFT = {
    "files in folders": ("os.makedirs('a/b'); open('a/b/c', 'w'); open('d', 'w')", True),
    "a link": ("os.symlink('/etc/passwd', 'link')", False),
    "a pipe": ("os.mkfifo('pipe')", False),
    "a folder with nothing in it": ("os.mkdir('a')", False),
    "many files": (f"for n in range({wire.MAX_FETCHED_FILES - 4}): open(str(n), 'w')", True),
    "too many files": (f"for n in range({wire.MAX_FETCHED_FILES}): open(str(n), 'w')", False),
    "more files than anybody counts": ("for n in range(2000): open(str(n), 'w')", False),
    "sparse gigabytes": (
        "for n in range(40): os.truncate(os.open(str(n), os.O_CREAT | 2), 60 << 20)", False,
    ),
    "a deep folder": ("for n in range(600): os.mkdir('d'); os.chdir('d')", False),
    "a message that is a folder": (
        "os.unlink('judgemessage.txt'); os.mkdir('judgemessage.txt'); "
        "open('judgemessage.txt/x', 'w')", True,
    ),
    "no message": ("os.unlink('judgemessage.txt'); os.unlink('teammessage.txt')", True),
    "a link in its place": (
        "os.rename(box + '/feedback', box + '/was'); os.symlink('was', box + '/feedback')", False,
    ),
    "a name that is no text": ("open(b'\\xff\\n\\x01', 'w')", True),
}  # fmt: skip


@pytest.mark.parametrize("level", LEVELS)
async def test_hostile_feedback_folders(start_engine: StartsEngine, level: str) -> None:
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        for name, (making, kept) in LEFT.items():
            judge = judged_by(
                "import os, sys\nbox = os.getcwd()\nos.chdir(sys.argv[3])\n"
                "if os.path.exists('second'): sys.exit(42)\n"
                "open('second', 'w'); open('nextpass.in', 'w').write('2')\n"
                f"{making}\nsys.exit(42)"
            )
            report = await report_of(engine, judge, ECHO, ("1", ""))
            assert report.verdict.value == ("accepted" if kept else "judge_error"), (name, report)
            if not kept:
                assert "in its feedback folder" in report.message, report
            assert [slot.restarts for slot in engine.status().slots] == [0, 0], name
        assert (await report_of(engine, judged_by(COUNTS), ECHO, ("1", "2"))).accepted


async def test_cases_that_have_begun_go_before_those_that_have_not(
    start_engine: StartsEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept for a next pass is kept of few cases at a time."""
    inputs: list[bytes | int] = []
    run = Slot.run

    def spied(slot: Slot, spec: RunSpec, done: Callable[[RunOutcome | None], None]) -> None:
        if spec.program == wire.PYTHON_CODE and not spec.fetch:
            inputs.append(spec.stdin)
        run(slot, spec, done)

    monkeypatch.setattr(Slot, "run", spied)
    async with start_engine(sandbox={"slots": 1}) as engine:
        report = await report_of(engine, judged_by(COUNTS, passes=3), ECHO, *[("1", "3")] * 3)
        assert report.accepted, report
    assert inputs == [b"1", b"2", b"3"] * 3


async def test_the_first_failure_drops_the_passes_that_are_left(engine: Engine) -> None:
    source = "import time\nn = input()\ntime.sleep(0.05)\nprint(n)\nif n == '9': print(n)"
    cases = [("1", "1"), ("9", "9"), *[("10", "1000")] * 4]
    report = await report_of(engine, judged_by(COUNTS, passes=1000), source, *cases)
    assert verdicts(report) == ["accepted", "wrong_answer", *["skipped"] * 4]
    assert engine.status().queued_cases == 0
    assert (await report_of(engine, judged_by(COUNTS), ECHO, ("1", "2"))).accepted
    await until(lambda: engine.status().running_cases == 0)


async def test_a_deadline_and_a_cancelled_request_end_it_between_passes(engine: Engine) -> None:
    judge = judged_by(COUNTS, passes=1000)
    assert (await report_of(engine, judge, ECHO, ("1", "2"))).accepted
    before = len(os.listdir("/proc/self/fd"))
    report = await report_of(engine, judge, ECHO, *[("1", "1000")] * 3, deadline_s=1.0)
    assert set(verdicts(report)) == {"cancelled"}
    for wait_s in (0.05, 0.2, 0.31, 0.43):
        judging = asyncio.create_task(report_of(engine, judge, ECHO, *[("1", "1000")] * 3))
        await asyncio.sleep(wait_s)
        judging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await judging
        assert engine.status().queued_cases == 0
    await until(lambda: engine.status().running_cases == 0)
    assert (await report_of(engine, judged_by(COUNTS), ECHO, ("1", "2"))).accepted
    await until(lambda: len(os.listdir("/proc/self/fd")) <= before)


async def test_killed_slots_change_no_pass(start_engine: StartsEngine) -> None:
    """Each pass is tried again from what the one before left: the judge counts every pass once."""
    slow = "import time\nn = input()\ntime.sleep(0.03)\nprint(n)"
    judge = judged_by("import time\ntime.sleep(0.03)\n" + COUNTS, passes=6)
    async with start_engine(engine={"retries": 10}) as engine:
        judging = asyncio.create_task(
            report_of(engine, judge, slow, *[("1", "6")] * 8, stop="never")
        )
        kills = await killed_now_and_then(engine, judging, most=5)
        report = await judging
        assert kills >= 2
        assert report.accepted, report
        told = "".join(f"[{n}: {n}]" for n in range(1, 7))
        assert {case.message for case in report.cases} == {told}


async def test_a_pass_that_fails_too_often_is_our_failure(start_engine: StartsEngine) -> None:
    sleeps = "import time\nn = input()\ntime.sleep(30 if n == '2' else 0)\nprint(n)"
    async with start_engine(engine={"retries": 1}, sandbox={"slots": 1}) as engine:
        judging = asyncio.create_task(
            report_of(engine, judged_by(COUNTS), sleeps, ("1", "2"), limits=Limits(wall_time_s=60))
        )
        # Two compilations, the program's first run, and its judge's.
        await until(lambda: engine.status().counters["runs"] >= 4)
        await killed_now_and_then(engine, judging, most=2)
        report = await judging
        assert report.verdict == "internal_error"
        assert "in pass 2: failed 2 times for reasons of ours" in report.message
        assert report.cases[0].attempts == 2


REFUSED: dict[str, tuple[ProgramJudge, str]] = {
    "another contract": (
        ProgramJudge(contract="testlib", language="python", source="", passes=2),
        "tests.judge.passes",
    ),
    "a file where feedback is kept": (
        judged_by("", files={"feedback/nextpass.in": "1"}),
        "tests.judge.files.feedback/nextpass.in",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused(engine: Engine, name: str) -> None:
    judge, field = REFUSED[name]
    with pytest.raises(BadRequestError) as caught:
        await report_of(engine, judge, ECHO, ("1", ""))
    assert caught.value.field == field
    tests = InteractiveTests(cases=[InteractiveCase()], judge=judge)
    submission = Submission(language="python", source=ECHO, tests=tests)
    with pytest.raises(BadRequestError) as caught:
        await engine.judge(submission, client="t")
    assert caught.value.field == field
