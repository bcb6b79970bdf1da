"""Programs over standard streams, judged on real slots: one verdict of every kind, and stopping."""

from __future__ import annotations

import hashlib

import pytest

from scalebox.engine.service import Engine
from scalebox.model import Blob, Comparison, Enforcement, Limits, StdioCase, StdioTests, Submission

from .conftest import stdio, verdicts

ECHO = {
    "python": "print(input())",
    "c": '#include <stdio.h>\nint main(){char s[99]; scanf("%s", s); puts(s);}',
    "cpp": "#include <bits/stdc++.h>\nint main(){std::string s; std::cin >> s; std::cout << s;}",
}
#: Language → verdict → a program that earns it with the input `7` and the answer `7`.
PROGRAMS = {
    "python": {
        "accepted": ECHO["python"],
        "wrong_answer": "print(8)",
        "runtime_error": "print(7); raise SystemExit(3)",
        "time_limit_exceeded": "while True: pass",
        "memory_limit_exceeded": "a = bytearray(1 << 30)",
        "output_limit_exceeded": "while True: print('7' * 1000)",
        "compile_error": "print(7",
    },
    "c": {
        "accepted": ECHO["c"],
        "wrong_answer": "int main(){}",
        "runtime_error": "#include <stdlib.h>\nint main(){abort();}",
        "time_limit_exceeded": "int main(){for (volatile int i = 0; ; i++);}",
        "memory_limit_exceeded": "#include <stdlib.h>\n#include <string.h>\n"
        "int main(){for (;;) memset(malloc(1 << 20), 1, 1 << 20);}",
        "output_limit_exceeded": '#include <stdio.h>\nint main(){for (;;) puts("7777777777");}',
        "compile_error": "int main(){return x;}",
    },
    "cpp": {
        "accepted": ECHO["cpp"],
        "wrong_answer": "int main(){}",
        "runtime_error": "#include <vector>\nint main(){std::vector<int>().at(1);}",
        "time_limit_exceeded": "int main(){for (volatile int i = 0; ; i++);}",
        "memory_limit_exceeded": "#include <vector>\n"
        "int main(){std::vector<std::vector<char>> v;"
        " for (;;) v.emplace_back(1 << 20, 'x');}",
        "output_limit_exceeded": '#include <cstdio>\nint main(){for (;;) puts("7777777777");}',
        "compile_error": "int main(){return x;}",
    },
}
LIMITS = Limits(cpu_time_s=0.5, memory_bytes=128 << 20, output_bytes=1 << 20)


@pytest.mark.parametrize("language", PROGRAMS)
async def test_every_kind_of_verdict(engine: Engine, language: str) -> None:
    for wanted, source in PROGRAMS[language].items():
        submission = stdio(source, [("7", "7"), ("7", "7")], language=language, limits=LIMITS)
        report = await engine.judge(submission, client="t")
        found = report.verdict.value
        if wanted == "memory_limit_exceeded" and report.enforcement is Enforcement.RLIMIT:
            # Only looked at now and then there: a failed allocation may come first.
            assert found in (wanted, "runtime_error")
        else:
            assert found == wanted, report.message
        if wanted == "compile_error":
            assert verdicts(report) == ["skipped", "skipped"]
            assert report.compile is not None
            assert not report.compile.ok
            assert report.message
        elif wanted == "accepted":
            assert report.passed == report.total == 2
        else:
            assert verdicts(report)[1] == "skipped"
            assert report.cases[0].message


async def test_a_sleeper_is_ended_by_the_wall_clock(engine: Engine) -> None:
    limits = Limits(cpu_time_s=0.5, wall_time_s=0.3)
    submission = stdio("import time\ntime.sleep(60)", [("", "")], limits=limits)
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == ["time_limit_exceeded"]
    assert "waits for something" in report.cases[0].message


FAILS_AT = """
import sys, time
n = int(input())
if n < 3: time.sleep(0.2)  # the later ones end first
print(n)
sys.exit(n in (1, 4))
"""


@pytest.mark.parametrize("slots", [1, 2, 5])
async def test_the_first_failure_does_not_depend_on_the_order_of_completion(
    start_engine, slots: int
) -> None:
    cases = [(str(n), str(n)) for n in range(6)]
    async with start_engine(sandbox={"slots": slots}) as engine:
        report = await engine.judge(stdio(FAILS_AT, cases), client="t")
        assert verdicts(report) == ["accepted", "runtime_error"] + ["skipped"] * 4
        assert (report.passed, report.total) == (1, 6)
        assert report.message.startswith("case 1: ")
        assert all(case.cpu_time_s == 0 for case in report.cases[2:])
        report = await engine.judge(stdio(FAILS_AT, cases, stop="never"), client="t")
        assert [v == "accepted" for v in verdicts(report)] == [True, False, True, True, False, True]
        assert report.passed == 4
        assert report.verdict == "runtime_error"


async def test_a_comparison_of_its_own_for_one_case(engine: Engine) -> None:
    tests = StdioTests(
        cases=[
            StdioCase(answer="0.5"),
            StdioCase(answer="0.5", judge=Comparison(float_absolute_tolerance=0.1)),
        ]
    )
    submission = Submission(language="python", source="print(.51)", tests=tests, stop="never")
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == ["wrong_answer", "accepted"]


async def test_inputs_and_answers_of_every_kind_and_size(engine: Engine) -> None:
    large = "x" * 300_000 + "\n"
    data = bytes(range(256)) * 4
    blob = large.encode()
    sha256 = hashlib.sha256(blob).hexdigest()
    await engine.blobs.put(sha256, blob)
    exact = Comparison(mode="exact")
    tests = StdioTests(
        cases=[
            StdioCase(input="é\ud800", answer="é\ud800"),
            StdioCase(input=large, answer=large),
            StdioCase(input=Blob(data=data), answer=Blob(data=data)),
            StdioCase(input=Blob(sha256=sha256), answer=Blob(sha256=sha256)),
            StdioCase(input=Blob(sha256=sha256), answer=large + "y"),
            StdioCase(input=large, answer=""),
        ],
        judge=exact,
    )
    source = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    submission = Submission(language="python", source=source, tests=tests, stop="never")
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == ["accepted"] * 4 + ["wrong_answer"] * 2
    assert not engine.blobs._entries[sha256].pins


async def test_output_is_returned_if_asked_for(engine: Engine) -> None:
    source = "import sys\nprint(input())\nprint('e' * 10_000, file=sys.stderr)"
    cases = [("1", "1"), ("2", "1")]
    shown = {}
    for wants in ("none", "failed", "all"):
        submission = stdio(source, cases, stop="never", return_output=wants)
        report = await engine.judge(submission, client="t")
        shown[wants] = [(case.output, len(case.error_output or "")) for case in report.cases]
    assert shown["none"] == [(None, 0), (None, 0)]
    assert shown["failed"] == [(None, 0), ("2\n", 4096)]
    assert shown["all"] == [("1\n", 4096), ("2\n", 4096)]


async def test_a_crash_is_told_with_the_last_words(engine: Engine) -> None:
    source = "import sys\nprint('x' * 300_000, file=sys.stderr)\nraise ValueError('the reason')"
    report = await engine.judge(stdio(source, [("", "")]), client="t")
    assert report.cases[0].message == "exit code 1: ValueError: the reason"


async def test_a_python_program_with_one_case_is_compiled_in_its_run(engine: Engine) -> None:
    report = await engine.judge(stdio("print(1)", [("", "1")]), client="t")
    assert report.accepted
    assert report.compile is None
    assert engine.status().counters["compilations"] == 0


@pytest.mark.parametrize("cases", [1, 2])
async def test_a_program_too_large_for_its_limits_is_over_them(engine: Engine, cases: int) -> None:
    # Its code alone, loaded, takes more than the program may have; compiling it is not its doing.
    source = "".join(f"def f{n}(): pass\n" for n in range(100_000))
    limits = Limits(memory_bytes=16 << 20)
    report = await engine.judge(stdio(source, [("", "")] * cases, limits=limits), client="t")
    assert not report.accepted
    assert report.verdict.is_about_the_program, report.message
    assert report.verdict != "compile_error"
    assert report.cases[0].attempts == 1
    assert engine.status().counters["runs"] <= 2 + cases
    assert [slot.restarts for slot in engine.status().slots] == [0, 0]


async def test_tight_limits_of_a_single_case_do_not_make_its_source_uncompilable(
    engine: Engine,
) -> None:
    # Compiling this takes more CPU time than running it may.
    source = "x = 0\n" + "x = x + 1 if x else 2\n" * 20_000 + "print(x)"
    limits = Limits(cpu_time_s=0.1)
    report = await engine.judge(stdio(source, [("", "20001")], limits=limits), client="t")
    assert report.verdict in ("accepted", "time_limit_exceeded")
    assert report.verdict != "compile_error"
    assert report.compile is not None
    assert report.compile.ok
