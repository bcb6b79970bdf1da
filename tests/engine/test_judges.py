"""Judges that are programs, on real slots: every contract, and everything that a judge can do."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError, ScaleboxError
from scalebox.model import (
    Blob,
    Comparison,
    FunctionJudge,
    Judge,
    Limits,
    ProgramJudge,
    Report,
    StdioCase,
    StdioTests,
    Submission,
)

from .conftest import LEVELS, StartsEngine, verdicts

ECHO = "import sys\nsys.stdout.write(sys.stdin.read())"
#: Input and output hold the same numbers, in any order; the answer is looked at, too.
SORTED = (
    "def judge(input, output, answer):\n"
    "    if sorted(output.split()) != sorted(answer.split()):\n"
    "        return False, f'{output.strip()} is not {answer.strip()} in some order'\n"
    "    return True\n"
)
ICPC_CPP = """
#include <fstream>
#include <iostream>
#include <string>
int main(int argc, char **argv) {
    std::ifstream answer(argv[2]);
    std::string dir = argv[3], a, b;
    answer >> a;
    std::cin >> b;
    std::ofstream(dir + "judgemessage.txt") << "got " << b << ", flags " << argc - 4;
    std::ofstream(dir + "score.txt") << 7.5;
    return a == b ? 42 : 43;
}
"""
ICPC_PYTHON = """
import os, sys
with open(sys.argv[2]) as answer:
    right = answer.read().split() == sys.stdin.read().split()
with open(os.path.join(sys.argv[3], 'judgemessage.txt'), 'w') as message:
    message.write('right' if right else 'not so')
sys.exit(42 if right else 43)
"""
TESTLIB = """
#include <stdio.h>
int main(int argc, char **argv) {
    int a = 0, b = 0;
    FILE *output = fopen(argv[2], "r"), *answer = fopen(argv[3], "r");
    if (fscanf(answer, "%d", &a) != 1) return 3;
    if (fscanf(output, "%d", &b) != 1) { fprintf(stderr, "no number"); return 2; }
    fprintf(stderr, "expected %d, found %d", a, b);
    return a == b ? 0 : b == a + 1 ? 16 + 30 : 1;
}
"""
SCRIPT = """
import sys
answer, output = open('stdout.txt').read(), open('answer.txt').read()
assert open('stdin.txt').read()
sys.exit(0 if answer.split() == output.split() else 1)
"""
OPEN_R1 = """
import sys
given, correct, found = (open(name).read() for name in sys.argv[1:])
print(1 if correct.split() == found.split() else 0)
"""
EVERY: dict[str, Judge] = {
    "function": FunctionJudge(source=SORTED),
    "icpc in C++": ProgramJudge(contract="icpc", language="cpp", source=ICPC_CPP),
    "icpc in Python": ProgramJudge(contract="icpc", language="python", source=ICPC_PYTHON),
    "testlib": ProgramJudge(contract="testlib", language="c", source=TESTLIB),
    "scalebox": ProgramJudge(contract="scalebox", language="python", source=SCRIPT),
    "open-r1": ProgramJudge(contract="open-r1", language="python", source=OPEN_R1),
}


async def report_of(
    engine: Engine, judge: Judge, *cases: tuple[str, str], source: str = ECHO, **more: Any
) -> Report:
    tests = StdioTests(
        cases=[StdioCase(input=given, answer=answer) for given, answer in cases], judge=judge
    )
    submission = Submission(language="python", source=source, tests=tests, **more)
    return await engine.judge(submission, client="t")


@pytest.mark.parametrize("level", LEVELS)
async def test_every_contract_accepts_and_rejects(start_engine: StartsEngine, level: str) -> None:
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        for name, judge in EVERY.items():
            report = await report_of(engine, judge, ("5", "5"), ("5", "9"), stop="never")
            assert verdicts(report) == ["accepted", "wrong_answer"], name
            assert report.integrity == "strong"


async def test_words_and_points_are_told(engine: Engine) -> None:
    report = await report_of(engine, EVERY["icpc in C++"], ("5", "5"))
    assert (report.cases[0].message, report.cases[0].score) == ("got 5, flags 0", 7.5)
    report = await report_of(engine, EVERY["testlib"], ("6", "5"))
    assert report.verdict == "wrong_answer"
    assert (report.cases[0].message, report.cases[0].score) == ("expected 5, found 6", 30)
    report = await report_of(engine, EVERY["function"], ("1 2", "2 3"))
    assert report.message == "case 0: 1 2 is not 2 3 in some order"


@pytest.mark.parametrize(
    ("returned", "verdict", "score"),
    [
        ("True", "accepted", None),
        ("False", "wrong_answer", None),
        ("1.0", "accepted", 1.0),
        ("1", "accepted", 1.0),
        ("0.5, 'half'", "wrong_answer", 0.5),
        ("0", "wrong_answer", 0.0),
        ("None", "judge_error", None),
        ("'yes'", "judge_error", None),
        ("2", "judge_error", None),
        ("float('nan')", "judge_error", None),
        ("[True]", "judge_error", None),
    ],
)
async def test_what_a_function_returns(
    engine: Engine, returned: str, verdict: str, score: float | None
) -> None:
    judge = FunctionJudge(source=f"def judge(input, output, answer): return {returned}")
    report = await report_of(engine, judge, ("", ""))
    assert (report.verdict.value, report.cases[0].score) == (verdict, score)


BROKEN = {
    "does not compile": "def judge(input, output, answer) return True",
    "raises": "def judge(input, output, answer):\n    raise KeyError('no')",
    "raises at import": "raise ValueError('early')",
    "lacks the function": "def other(): pass",
    "exits": "import sys\ndef judge(input, output, answer): sys.exit(0)",
    "exits hard": "import os\ndef judge(input, output, answer): os._exit(0)",
    "loops": "def judge(input, output, answer):\n    while True: pass",
    "sleeps": "import time\ndef judge(input, output, answer): time.sleep(60)",
    "eats memory": "def judge(input, output, answer): return bytearray(1 << 30)",
    "floods": "def judge(input, output, answer):\n    while True: print('x' * 1000)",
    "floods the channel": "import os\ndef judge(input, output, answer):\n"
    "    while True: os.write(5, b'x' * 1000 + b'\\n')",
    "recurses": "def judge(input, output, answer): return judge(input, output, answer)",
    "kills": "import os, signal\ndef judge(*texts): os.kill(os.getpid(), signal.SIGSEGV)",
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_judge_that_fails_says_nothing_about_the_program(engine: Engine, name: str) -> None:
    limits = Limits(cpu_time_s=0.5, wall_time_s=2, memory_bytes=128 << 20)
    judge = FunctionJudge(source=BROKEN[name], limits=limits)
    report = await report_of(engine, judge, ("1", "1"))
    assert report.verdict.value == "judge_error", report
    assert report.cases[0].message.startswith("the judge ")
    assert report.cases[0].attempts == 1
    fine = await report_of(engine, FunctionJudge(source=SORTED), ("1", "1"))
    assert fine.accepted


async def test_a_judge_that_fails_by_its_contract(engine: Engine) -> None:
    for code in ("0", "1", "44"):
        judge = ProgramJudge(contract="icpc", language="python", source=f"raise SystemExit({code})")
        assert (await report_of(engine, judge, ("1", "1"))).verdict.value == "judge_error"
    broken = ProgramJudge(contract="testlib", language="cpp", source="int main( {}")
    report = await report_of(engine, broken, ("1", "1"))
    assert report.verdict.value == "judge_error"
    assert "does not compile" in report.message


async def test_the_program_comes_before_its_judge(engine: Engine) -> None:
    """What fails by itself is not the judge's to decide, whatever that would say."""
    yes = FunctionJudge(source="def judge(input, output, answer): return True")
    report = await report_of(engine, yes, ("", ""), source="raise SystemExit(3)")
    assert report.verdict.value == "runtime_error"
    broken = FunctionJudge(source="def judge(")
    report = await report_of(engine, broken, ("", ""), source="raise SystemExit(3)")
    assert report.verdict.value == "runtime_error"


async def test_cases_have_judges_and_flags_of_their_own(engine: Engine) -> None:
    flags = "import sys\nsys.exit(42 if sys.argv[4:] == sys.stdin.read().split() else 43)"
    judge = ProgramJudge(contract="icpc", language="python", source=flags, flags=["a", "b"])
    cases = [
        StdioCase(input="a b"),
        StdioCase(input="c", judge_flags=["c"]),
        StdioCase(input="", judge_flags=[]),
        StdioCase(input="x", answer="X", judge=Comparison()),
        StdioCase(input="2 1", answer="1 2", judge=FunctionJudge(source=SORTED)),
        StdioCase(input="c"),
    ]
    tests = StdioTests(cases=cases, judge=judge)
    submission = Submission(language="python", source=ECHO, tests=tests, stop="never")
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == ["accepted"] * 5 + ["wrong_answer"]


async def test_files_of_judges(engine: Engine) -> None:
    python = FunctionJudge(
        source="import helper\ndef judge(*texts): return helper.same(texts[1], texts[2])",
        files={"helper.py": "def same(a, b): return a == b"},
    )
    assert (await report_of(engine, python, ("1", "1"))).accepted
    cpp = ProgramJudge(
        contract="icpc",
        language="cpp",
        source='#include "ends.h"\nint main() { return end(); }',
        files={"ends.h": "int end();", "ends.cpp": "int end() { return 42; }"},
    )
    assert (await report_of(engine, cpp, ("1", "2"))).accepted


async def test_large_outputs_and_uploaded_data(engine: Engine) -> None:
    text = "word " * 400_000
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    await engine.blobs.put(sha256, text.encode())
    tests = StdioTests(
        cases=[StdioCase(input=Blob(data=text.encode()), answer=Blob(sha256=sha256))],
        judge=FunctionJudge(source="def judge(input, output, answer): return output == answer"),
    )
    submission = Submission(language="python", source=ECHO, tests=tests)
    assert (await engine.judge(submission, client="t")).accepted
    icpc = ProgramJudge(
        contract="icpc",
        language="python",
        source="import sys\nsame = sys.stdin.read() == open(sys.argv[2]).read()\n"
        "sys.exit(42 if same else 43)",
    )
    tests = StdioTests(cases=tests.cases, judge=icpc)
    submission = Submission(language="python", source=ECHO, tests=tests)
    assert (await engine.judge(submission, client="t")).accepted


async def test_outputs_that_are_no_text(engine: Engine) -> None:
    source = "import sys\nsys.stdout.buffer.write(bytes(range(256)) + b'\\0' * 10)"
    judge = FunctionJudge(
        source="def judge(input, output, answer): return len(output) > 100 and '\\x00' in output"
    )
    assert (await report_of(engine, judge, ("", ""), source=source)).accepted


REFUSED: dict[str, tuple[Judge, str]] = {
    "a language": (
        ProgramJudge(contract="icpc", language="cobol", source=""),
        "tests.judge.language",
    ),
    "a file's name": (
        ProgramJudge(contract="icpc", language="python", source="", files={"input.txt": ""}),
        "tests.judge.files.input.txt",
    ),
    "a path": (FunctionJudge(source="", files={"../x": ""}), "tests.judge.files.../x"),
    "a limit": (
        FunctionJudge(source="", limits=Limits(memory_bytes=1 << 40)),
        "tests.judge.limits.memory_bytes",
    ),
    "a flag": (
        ProgramJudge(contract="icpc", language="python", source="", flags=["a\0b"]),
        "tests.judge.flags[0]",
    ),
    "a blob": (FunctionJudge(source=Blob(sha256="0" * 64)), ""),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused(engine: Engine, name: str) -> None:
    judge, field = REFUSED[name]
    with pytest.raises(ScaleboxError) as caught:
        await report_of(engine, judge, ("1", "1"))
    assert caught.value.http_status == 400
    if field:
        assert caught.value.field == field


async def test_flags_without_a_program_are_refused(engine: Engine) -> None:
    tests = StdioTests(cases=[StdioCase(judge_flags=["case_sensitive"])])
    submission = Submission(language="python", source=ECHO, tests=tests)
    with pytest.raises(BadRequestError) as caught:
        await engine.judge(submission, client="t")
    assert caught.value.field == "tests.cases[0].judge_flags"


async def test_answers_are_not_where_programs_run(engine: Engine) -> None:
    """A slot that has judged keeps nothing of what the judge was given."""
    hunt = (
        "import os\nfound = []\nfor top in ('.', '/tmp', '/dev/shm'):\n"
        "    for folder, _, names in os.walk(top):\n        found += names\nprint(sorted(found))"
    )
    judge = ProgramJudge(
        contract="icpc",
        language="python",
        source="import sys, os\nopen('/tmp/left', 'w').write('x')\nopen('mine', 'w').write('x')\n"
        "sys.exit(42 if 'left' not in sys.stdin.read() else 43)",
    )
    for _ in range(6):
        report = await report_of(
            engine, judge, ("", "secret"), ("", "secret"), source=hunt, return_output="all"
        )
        assert report.accepted
        for case in report.cases:
            assert case.output is not None
            assert "mine" not in case.output
            assert "answer.txt" not in case.output


async def test_dropped_cases_drop_their_judges(engine: Engine) -> None:
    slow = FunctionJudge(
        source="import time\ndef judge(input, output, answer):\n"
        "    time.sleep(float(input))\n    return input != '0'",
        limits=Limits(wall_time_s=30),
    )
    async with asyncio.timeout(15):
        report = await report_of(engine, slow, ("0", ""), *[("20", "")] * 5)
    assert verdicts(report) == ["wrong_answer"] + ["skipped"] * 5
    async with asyncio.timeout(15):
        late = await report_of(engine, slow, ("20", ""), ("20", ""), deadline_s=1.0)
    assert verdicts(late) == ["cancelled", "cancelled"]
    assert (await report_of(engine, slow, ("0.1", ""))).accepted


async def test_a_judge_is_compiled_once(engine: Engine) -> None:
    before = engine.status().counters["compilations"]
    judge = EVERY["testlib"]
    await asyncio.gather(*(report_of(engine, judge, ("5", "5"), ("6", "6")) for _ in range(8)))
    # And the submission, which has two cases.
    assert engine.status().counters["compilations"] - before == 2


async def test_a_message_in_a_file_that_is_left_open_is_kept(engine: Engine) -> None:
    source = (
        "import sys\nfile = open(sys.argv[3] + 'judgemessage.txt', 'w')\n"
        "file.write('left open')\nsys.exit(43)\n"
    )
    judge = ProgramJudge(contract="icpc", language="python", source=source)
    report = await report_of(engine, judge, ("1", "1"))
    assert report.cases[0].message == "left open"
