"""Functions that are called, on real slots: equality, processes that end, limits of each call."""

from __future__ import annotations

from typing import Any

import pytest

from scalebox.engine import calls as engine_calls
from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError
from scalebox.model import CallCase, CallTests, Limits, Submission

from .conftest import calls, verdicts


async def judged(engine: Engine, submission: Submission) -> list[str]:
    return verdicts(await engine.judge(submission, client="t"))


async def test_functions_methods_and_keywords(engine: Engine) -> None:
    cases = [([1, 2], 3), ([5, 5], 10)]
    assert await judged(engine, calls("def f(a, b): return a + b", cases)) == ["accepted"] * 2
    solution = "class Solution:\n    seen = 0\n    def f(self, a, b):\n"
    solution += "        self.seen += a\n        return self.seen + b"
    assert await judged(engine, calls(solution, cases)) == ["accepted"] * 2
    tests = CallTests(
        function="f",
        cases=[
            CallCase(args=[7], kwargs={"b": 2}, expected=5),
            CallCase(kwargs={"a": 1}, expected=0),
        ],
    )
    submission = Submission(language="python", source="def f(a, *, b=1): return a - b", tests=tests)
    assert await judged(engine, submission) == ["accepted"] * 2


EQUAL = [
    ("1.0", 1), ("True", 1), ("1", True), ("(1, 2)", [1, 2]), ("float('nan')", float("nan")),
    ("__import__('collections').OrderedDict(a=1)", {"a": 1}), ("{'a': (1,)}", {"a": [1.0]}),
]  # fmt: skip
UNEQUAL = [
    ("'1'", 1), ("[1]", 1), ("None", 0), ("(x for x in [1])", [1]), ("iter([1])", [1]),
    ("map(int, '1')", [1]), ("object()", None), ("dict(a=1).keys()", ["a"]), ("range(2)", [0, 1]),
    ("{1: 2}", {"1": 2}), ("{1, 2}", [1, 2]), ("float('nan')", 1), ("f", None), ("b'a'", "a"),
]  # fmt: skip


async def test_pythons_equality_over_plain_data(engine: Engine) -> None:
    for pairs, verdict in ((EQUAL, "accepted"), (UNEQUAL, "wrong_answer")):
        values = ", ".join(f"lambda: {returned}" for returned, _ in pairs)
        source = f"values = [{values}]\ndef f(n): return values[n]()"
        cases = [([n], expected) for n, (_, expected) in enumerate(pairs)]
        found = await judged(engine, calls(source, cases, stop="never"))
        assert dict(zip([one for one, _ in pairs], found, strict=True)) == {
            returned: verdict for returned, _ in pairs
        }


async def test_a_tuple_is_no_list_where_that_is_asked_for(engine: Engine) -> None:
    submission = calls("def f(): return (1, 2)", [([], [1, 2])], tuple_equals_list=False)
    assert await judged(engine, submission) == ["wrong_answer"]


async def test_a_process_that_ends_costs_the_call_at_hand(engine: Engine) -> None:
    source = (
        "import os, sys, time\n"
        "def f(n):\n"
        "    if n == 1: os._exit(0)\n"
        "    if n == 3: sys.exit(0)\n"
        "    if n == 4: os.kill(os.getpid(), 9)\n"
        "    if n == 6:\n"
        "        while True: pass\n"
        "    if n == 7: time.sleep(60)\n"
        "    if n == 8: return bytearray(1 << 30)\n"
        "    if n == 9:\n"
        "        while True: print('x' * 1000)\n"
        "    return n\n"
    )
    limits = Limits(cpu_time_s=0.2, wall_time_s=0.6, memory_bytes=128 << 20, output_bytes=1 << 20)
    cases = [([n], n) for n in range(11)]
    report = await engine.judge(calls(source, cases, stop="never", limits=limits), client="t")
    found = dict(enumerate(verdicts(report)))
    assert [n for n in found if found[n] == "accepted"] == [0, 2, 5, 10]
    # sys.exit is an exception like others: the process goes on.
    assert {found[n] for n in (1, 3, 4)} == {"runtime_error"}
    assert "ended by SIGKILL" in report.cases[4].message
    assert found[6] == found[7] == "time_limit_exceeded"
    assert found[8] in ("memory_limit_exceeded", "runtime_error")
    # A write over the limit may fail before the process is ended.
    assert found[9] in ("output_limit_exceeded", "runtime_error")
    assert {case.attempts for case in report.cases} == {1}
    assert report.passed == 4


async def test_each_call_may_write_as_much_as_the_limit(engine: Engine) -> None:
    source = "def f(n):\n    print('x' * 600_000, flush=True)\n    return n"
    cases = [([n], n) for n in range(5)]
    report = await engine.judge(
        calls(source, cases, limits=Limits(output_bytes=1 << 20)), client="t"
    )
    assert report.accepted, report.message
    source = "def f(n):\n    print('x' * 2_000_000, flush=True)\n    return n"
    submission = calls(source, cases[:2], stop="never", limits=Limits(output_bytes=1 << 20))
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == ["output_limit_exceeded"] * 2


async def test_limits_are_of_each_call(engine: Engine) -> None:
    source = "def f(n):\n    s = 0\n    for i in range(n): s += i\n    return n"
    # Together they use several times the limit.
    report = await engine.judge(
        calls(source, [([600_000], 600_000)] * 60, limits=Limits(cpu_time_s=0.4)), client="t"
    )
    assert report.accepted, report.message
    assert sum(case.cpu_time_s for case in report.cases) > 0.4


async def test_loading_has_a_limit_of_its_own(engine: Engine) -> None:
    source = "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.3: pass\n"
    source += "def f(n):\n    t = time.process_time()\n"
    source += "    while time.process_time() - t < 0.3: pass\n    return n"
    cases = [([n], n) for n in range(2)]
    report = await engine.judge(calls(source, cases, limits=Limits(cpu_time_s=0.5)), client="t")
    assert report.accepted, report.message


@pytest.mark.parametrize(
    ("source", "verdict", "words"),
    [
        ("while True: pass", "time_limit_exceeded", "stopped after"),
        ("import os\nos._exit(0)", "runtime_error", "ended while it was loaded: exit code 0"),
        ("raise ValueError('no')", "runtime_error", "ValueError: no (candidate.py, line 1)"),
        ("def g(n): return n", "runtime_error", "defines no function f"),
    ],
)
async def test_what_does_not_load_is_not_loaded_again_for_each_call(
    engine: Engine, source: str, verdict: str, words: str
) -> None:
    before = engine.status().counters["runs"]
    cases = [([n], n) for n in range(50)]
    submission = calls(source, cases, stop="never", limits=Limits(cpu_time_s=0.2))
    report = await engine.judge(submission, client="t")
    assert verdicts(report) == [verdict] * 50
    assert words in report.cases[49].message
    # The harness is compiled in a run of its own.
    assert engine.status().counters["runs"] - before <= 2


@pytest.mark.parametrize("source", ["def f(:", "x = 1\0", "(" * 500 + ")" * 500])
async def test_a_source_that_does_not_compile(engine: Engine, source: str) -> None:
    report = await engine.judge(calls(source, [([], 1)] * 3), client="t")
    assert report.verdict == "compile_error"
    assert verdicts(report) == ["skipped"] * 3
    assert report.compile is not None
    assert "Error" in report.compile.message


async def test_a_syntax_error_that_a_call_raises_is_that_calls(engine: Engine) -> None:
    source = "def f(s): return eval(s)"
    submission = calls(source, [(["1 +"], 1), (["1"], 1)], stop="never")
    assert await judged(engine, submission) == ["runtime_error", "accepted"]


async def test_a_submission_too_large_for_its_limits_is_over_them(engine: Engine) -> None:
    source = "def f(): return 1\n" + "".join(f"def f{n}(): pass\n" for n in range(100_000))
    limits = Limits(memory_bytes=16 << 20)
    report = await engine.judge(calls(source, [([], 1)] * 3, limits=limits), client="t")
    assert not report.accepted
    assert report.verdict.is_about_the_program, report.message
    assert engine.status().counters["runs"] <= 2


async def test_many_calls_go_in_several_processes(engine: Engine) -> None:
    count = engine_calls.CALLS_PER_RUN * 2 + 10
    source = "calls = 0\ndef f(n):\n    global calls\n    calls += 1\n    return [n, calls <= 200]"
    cases = [([n], [n, True]) for n in range(count)]
    report = await engine.judge(calls(source, cases), client="t")
    assert report.passed == count


async def test_large_arguments_and_results(engine: Engine) -> None:
    values = list(range(100_000))
    cases = [([values], values[::-1]), ([["x" * 300_000]], ["x" * 300_000]), ([[]], [])]
    report = await engine.judge(calls("def f(xs): return xs[::-1]", cases), client="t")
    assert report.accepted, report.message


async def test_more_records_than_results_are_called_so(engine: Engine) -> None:
    floods = "import os\ndef f():\n    for _ in range(9): os.write(5, b'{}\\n')\n    return 1"
    prints = "def f():\n    while True: print('x' * 1000)"
    limits = Limits(output_bytes=1 << 20)
    for source, words in ((floods, "more records"), (prints, "1048576 bytes of output")):
        report = await engine.judge(calls(source, [([], 1)], limits=limits), client="t")
        assert verdicts(report) == ["output_limit_exceeded"], report
        assert words in report.message
        assert report.cases[0].attempts == 1


async def test_a_result_beyond_the_channel_is_stopped(engine: Engine) -> None:
    source = "def f(n): return 'x' * n"
    cases = [([10], "x" * 10), ([50_000_000], ""), ([3], "xxx")]
    submission = calls(source, cases, stop="never", limits=Limits(output_bytes=1 << 20))
    found = await judged(engine, submission)
    assert found == ["accepted", "output_limit_exceeded", "accepted"]


FORGED = [
    r'{"i":-1,"v":null}\n', r'{"i":0,"v":42}\n', r"\n" * 5, r'{"i":-1,"c":"x"}\n', r"\xff\n",
    r'{"i":-1,"v":null}\n{"i":0,"v":42}\n{"i":1,"v":42}\n', "x" * 100,
]  # fmt: skip


async def test_forged_records_gain_nothing(engine: Engine) -> None:
    for forged in FORGED:
        # What is expected is not there to be forged: 42 is a guess.
        source = f"import os\nos.write(5, b'{forged}')\ndef f(n): return -1"
        submission = calls(source, [([0], 1), ([1], 2)], stop="never")
        report = await engine.judge(submission, client="t")
        assert report.passed == 0
        assert report.verdict.is_about_the_program, forged


async def test_numbers_of_an_array_library_are_numbers(engine: Engine) -> None:
    # Stands for numpy, which is not everywhere: a scalar has `shape` and `item`.
    source = (
        "import sys, types\n"
        "class float64:\n"
        "    shape = ()\n"
        "    def item(self): return 1.5\n"
        "float64.__module__ = 'numpy'\n"
        "def f(): return [float64()]"
    )
    assert await judged(engine, calls(source, [([], [1.5])])) == ["accepted"]


async def test_few_descriptors_are_no_ones_runtime_error(engine: Engine) -> None:
    submission = calls("def f(): return 1", [([], 1)], limits=Limits(open_files=4))
    assert await judged(engine, submission) == ["accepted"]


async def test_other_languages_and_odd_arguments_are_refused_with_their_place(
    engine: Engine,
) -> None:
    submission = Submission(
        language="c", source="", tests=CallTests(function="f", cases=[CallCase()])
    )
    with pytest.raises(BadRequestError, match="no `call` tests for c") as caught:
        await engine.judge(submission, client="t")
    assert caught.value.field == "tests"
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    with pytest.raises(BadRequestError, match=r"cases\[1\]\.args") as caught:
        await engine.judge(calls("def f(x): return x", [([1], 1), ([deep], 1)]), client="t")
    assert caught.value.field == "tests.cases"
    assert engine.status().queued_cases == 0
