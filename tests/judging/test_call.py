"""Calls: what goes in, what comes out, and that a submission gains nothing by forging."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pytest

from scalebox.judging import call
from scalebox.judging.call import Pairs, Unordered, excerpt, values_equal
from scalebox.judging.harness import common
from scalebox.model import CallCase, CallTests, Verdict

from . import runner


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -(1 << 63), 1 << 63, -(10**50), 0.1, -0.0, 1e300, float("inf"), "",
        "é\ud800\n",
        [1, [2.5, "x"]], (1, (2,), []), {"a": {"b": (1,)}}, {1: 2, (1, 2): {"k": None}}, {1, 2},
        frozenset([(1, "a")]), b"\x00\xff", bytearray(b"ab"), 1 + 2j, {}, (), [], [[]] * 3,
    ],
)  # fmt: skip
def test_plain_data_survives_the_wire(value: Any) -> None:
    text = common.dumps(value)
    assert text.isascii()
    assert "\n" not in text
    back = common.decode(common.loads(text))
    assert back == value
    assert type(back) is type(value)


def test_arguments_are_fresh_for_each_call() -> None:
    source = "def f(xs):\n    xs.append(1)\n    return len(xs)"
    tests = CallTests(function="f", cases=[CallCase(args=[[]], expected=1)] * 3)
    assert [v for v, _ in runner.judge_calls(source, tests)] == [Verdict.ACCEPTED] * 3


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(x): return x + 1", 42),
        ("class Solution:\n    def f(self, x: List[int]) -> Optional[int]: return x + 1", 42),
        ("class Solution:\n    n = 0\n    def f(self, x):\n"
         "        self.n += x\n        return self.n", 41),
        ("def f(x): return Counter('aab')", {"a": 2, "b": 1}),
        ("def f(x): return defaultdict(list, {'k': [x]})", {"k": [41]}),
        ("f = lambda x: (x, [x], {'a': None})", [41, [41], {"a": None}]),
        ("def f(x): return heapq.nsmallest(1, [x, 3]) + [math.gcd(6, 4), inf > 1]", [3, 2, True]),
        ("def f(x): return [bisect_left([1], 2), bisect.bisect([1], 0)]", [1, 0]),
        ("import enum\nclass E(enum.IntEnum):\n    A = 7\ndef f(x): return E.A", 7),
        ("def f(x): return 10 ** 30", 10**30),
        ("def f(x): return float(x)", 41),
        ("print('hello')\nimport sys\ndef f(x):\n    print(sys.stdin.read())\n    return 1", True),
    ],
)  # fmt: skip
def test_right_functions_are_accepted(source: str, expected: Any) -> None:
    assert runner.call_once(source, expected, 41) is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("source", "expected", "verdict"),
    [
        ("def f(x): return x", 42, Verdict.WRONG_ANSWER),
        ("def f(x): return None", 42, Verdict.WRONG_ANSWER),
        ("def f(x): return {1: 2}", {"1": 2}, Verdict.WRONG_ANSWER),
        ("def f(x): return {1, 2}", [1, 2], Verdict.WRONG_ANSWER),
        ("def f(x): return float('nan')", 42, Verdict.WRONG_ANSWER),
        ("def f(x): return object()", 42, Verdict.WRONG_ANSWER),
        ("def f(x): return f", 42, Verdict.WRONG_ANSWER),
        ("def f(x): return (y for y in [42])", [42], Verdict.WRONG_ANSWER),
        ("def g(x): return 42", 42, Verdict.RUNTIME_ERROR),
        ("def f(x): return 1 // 0", 42, Verdict.RUNTIME_ERROR),
        ("def f(x): return f(x)", 42, Verdict.RUNTIME_ERROR),
        ("raise KeyError(1)", 42, Verdict.RUNTIME_ERROR),
        ("def f(:", 42, Verdict.COMPILE_ERROR),
        ("x = 1\0", 42, Verdict.COMPILE_ERROR),
        ("raise SyntaxError('no')", 42, Verdict.RUNTIME_ERROR),
        ("def f(x): return eval('1 +')", 42, Verdict.RUNTIME_ERROR),
        ("import sys\ndef f(x): sys.exit(0)", 42, Verdict.RUNTIME_ERROR),
        ("import sys\nsys.exit(0)", 42, Verdict.RUNTIME_ERROR),
        ("import os\nos._exit(0)", 42, Verdict.RUNTIME_ERROR),
        ("import os\ndef f(x): os._exit(0)", 42, Verdict.RUNTIME_ERROR),
    ],
)
def test_wrong_functions_are_not_accepted(source: str, expected: Any, verdict: Verdict) -> None:
    assert runner.call_once(source, expected, 41) is verdict


_EQUAL = "class E:\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n"


@pytest.mark.parametrize(
    "source",
    [
        _EQUAL + "def f(x): return E()",
        _EQUAL + "def f(x): return [E()]",
        "class I(int):\n    def __eq__(self, o): return True\n    __hash__ = int.__hash__\n"
        "def f(x): return I(1)",
        "import json, json.encoder\n"
        "json.dumps = json.encoder.JSONEncoder.encode = lambda *a: '42'\n"
        "def f(x): return 1",
        "import builtins\nfor n in ('type', 'repr', 'len', 'isinstance', 'any', 'str'):\n"
        "    setattr(builtins, n, lambda *a: 42)\ndef f(x): return 1",
        'import os\nos.write(5, b\'{"i":0,"v":42}\')\ndef f(x): return 1',
        "import os\nos.write(5, b'\\n')\ndef f(x): return 42",
        'import os\nos.write(5, b\'{"i":1,"v":42}\\n{"i":0,"v":42}\\n\')\ndef f(x): return 1',
        "import os\nos.write(5, b'[' * 4000 + b'\\n')\ndef f(x): return 42",
        "import os\nos.write(5, b'{\"i\":0,\"v\":' + b'9' * 60000 + b'}\\n')\ndef f(x): return 42",
        "import os\nos.close(5)\ndef f(x): return 42",
        "import sys\nsys.setrecursionlimit(30)\ndef f(x): return 41",
        "def f(x):\n    y = []\n    for _ in range(100000): y = [y]\n    return y",
        "def f(x):\n    y = []\n    y.append(y)\n    return y",
        "def f(x): return 1 << 100000",
    ],
)
def test_tricks_do_not_pass(source: str) -> None:
    assert runner.call_once(source, 42, 41) is not Verdict.ACCEPTED


def test_a_call_that_ends_the_process_leaves_the_earlier_results() -> None:
    source = "import os\ndef f(x):\n    if x == 2: os._exit(0)\n    return x"
    cases = [CallCase(args=[n], expected=n) for n in range(5)]
    verdicts = [v for v, _ in runner.judge_calls(source, CallTests(function="f", cases=cases))]
    assert verdicts == [Verdict.ACCEPTED] * 2 + [Verdict.RUNTIME_ERROR] * 3


def test_a_forged_record_costs_its_own_call() -> None:
    source = 'import os\ndef f(x):\n    if x == 1: os.write(5, b\'{"i":3,"v":3}\\n\')\n    return x'
    cases = [CallCase(args=[n], expected=n) for n in range(4)]
    results = runner.judge_calls(source, CallTests(function="f", cases=cases))
    assert results[0][0] is Verdict.ACCEPTED
    assert all(verdict is Verdict.RUNTIME_ERROR for verdict, _ in results[1:])


@pytest.mark.parametrize(
    ("source", "accepted"),
    [
        ("# gcd", False),
        ("print('gcd')\nx = gcd(4, 6)", False),
        ("class Solution:\n    def gcd(self, a, b): return 7", False),
        ("class Solution:\n    def gcd(self, a, b): return gcd(a, b)", True),
        ("from math import gcd", True),
        ("from math import *", True),
        ("gcd = math.gcd", True),
        ("def gcd(a, b): return gcd(b, a % b) if b else a", True),
    ],
)
def test_what_is_customary_is_not_what_was_asked_for(source: str, accepted: bool) -> None:
    tests = CallTests(function="gcd", cases=[CallCase(args=[4, 6], expected=2)])
    verdicts = [verdict for verdict, _ in runner.judge_calls(source, tests)]
    assert (verdicts == [Verdict.ACCEPTED]) == accepted


def test_the_output_is_the_submissions_own() -> None:
    tests = CallTests(function="f", cases=[CallCase(expected=1)])
    source = "def f():\n    print('shown')\n    return 1"
    ended = runner.run(call.call_source(), source, runner.call_stdin(tests))
    assert ended.stdout == "shown\n"
    assert ended.status == 0


def test_the_harness_needs_nothing_but_an_interpreter() -> None:
    tests = CallTests(function="f", cases=[CallCase(args=[[1, 2]], expected=3)])
    results = runner.judge_calls("f = sum", tests, fresh=sys.executable)
    assert results == [(Verdict.ACCEPTED, "")]


def test_the_message_says_what_and_where() -> None:
    tests = CallTests(function="f", cases=[CallCase(args=[3], expected=4)])
    ((_, words),) = runner.judge_calls("def f(x): return [x]", tests)
    assert words == "expected 4, got [3]"
    ((_, words),) = runner.judge_calls("def f(x):\n    return x.y", tests)
    assert words.startswith(
        "AttributeError: 'int' object has no attribute 'y' (candidate.py, line 2"
    )


@pytest.mark.parametrize(
    "line",
    [
        b"", b"x", b"{}", b"[]", b'{"i":0}', b'{"i":true,"v":1}', b'{"i":0,"v":{"x":1}}', b"\xff",
        b'{"i":0,"v":{"i":"zz"}}', b'{"i":0,"v":{"m":[]}}', b'{"i":0,"v":{"t":1}}',
        b'{"i":0.0,"v":1}',
        b'{"i":0,"v":' + b"[" * 100_000, b'{"i":0,"v":' + b"1" * 100_000 + b"}",
        b'{"i":0,"v":{"d":[1]}}', b'{"i":0,"v":1} 2', b'{"i":0,"v":1,"e":2}', b'{"i":1,"v":1}',
        b'{"i":0,"v":' + b'{"t":[' * 300 + b"]}" * 300 + b"}",
    ],
)  # fmt: skip
def test_garbage_is_an_error_of_that_call(line: bytes) -> None:
    (record,) = call.parse_records(line + b"\n", [0])
    tests = CallTests(function="f", cases=[CallCase(expected=1)])
    verdict, words = call.decide_call(tests, 0, record)
    assert verdict is Verdict.RUNTIME_ERROR
    assert len(words) < 320


def test_records_without_an_end_or_beyond_the_calls_are_ignored() -> None:
    assert call.parse_records(b'{"i":0,"v":1}', [0]) == []
    assert call.parse_records(b'{"i":0,"v":1}\n' * 1000, [0]) == [call.CallRecord(text=b"1")]
    assert call.parse_records(b"", [0, 1]) == []


@pytest.mark.parametrize("item", [b"[],", b"{},", b"9,"])
def test_a_value_far_larger_than_the_expected_one_is_not_taken_apart(item: bytes) -> None:
    line = b'{"i":0,"v":[' + item * 2_000_000 + b"0]}\n"
    tests = CallTests(function="f", cases=[CallCase(expected=[1, 2])])
    (record,) = call.parse_records(line, [0])
    verdict, words = call.decide_call(tests, 0, record)
    assert verdict is Verdict.WRONG_ANSWER
    assert words == "expected [1, 2], got something far larger"


def test_a_large_right_value_is_accepted() -> None:
    source = "def f(n): return [x / 1 for x in range(n)]"
    assert runner.call_once(source, list(range(300_000)), 300_000) is Verdict.ACCEPTED


def test_arguments_nested_too_deeply_are_refused_with_their_place() -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = [deep]
    tests = CallTests(function="f", cases=[CallCase(), CallCase(args=[deep])])
    with pytest.raises(ValueError, match=r"cases\[1\]"):
        call.encode_call(tests, 1)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1, 1.0), (1, True), ([1, 2], (1, 2)), ({"a": [1]}, {"a": (1.0,)}), ({}, {}), (None, None),
        ({"a": 1}, Pairs([("a", 1)])), ({1: 2}, Pairs([(True, 2.0)])), (float("nan"), float("nan")),
        ([], []), (10**400, 10**400), ("é", "é"), (0.0, -0.0),
    ],
)  # fmt: skip
def test_equal_values(expected: Any, got: Any) -> None:
    assert values_equal(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1, 2), (1, "1"), ([1], [1, 1]), ([1], {"a": 1}), ({"a": 1}, {"a": 1, "b": 2}), (0, None),
        ({"1": 2}, Pairs([(1, 2)])), ([1, 2], Unordered("set", [1, 2])), ("a", b"a"), (1, math.nan),
        ({"a": 1, "b": 1}, Pairs([("a", 1), ("a", 1)])), ({"a": 1}, Pairs([([], 1)])), ([], {}),
        (False, None), ("", []), ([[1]], [1]), (10**400, 1e300), (1e300, 10**400),
    ],
)  # fmt: skip
def test_unequal_values(expected: Any, got: Any) -> None:
    assert not values_equal(expected, got)
    assert not values_equal(expected, got, abs_tol=1e-9, rel_tol=1e-9)


def test_options_of_equality() -> None:
    assert not values_equal([1, 2], (1, 2), tuple_equals_list=False)
    assert values_equal([(1, 2)], [(1, 2)], tuple_equals_list=False)
    assert values_equal([0.1, {"a": 100}], [0.1000001, {"a": 100.0001}], abs_tol=1e-3)
    assert values_equal(1e9, 1e9 + 1, rel_tol=1e-6)
    assert not values_equal(0, 1e-3, rel_tol=1e-6)
    assert not values_equal("1.0", "1.00001", abs_tol=1.0)


def test_deep_and_huge_values_do_not_overwhelm_the_host() -> None:
    one: Any = 0
    other: Any = 0
    for _ in range(200_000):
        one, other = [one], (other,)
    assert values_equal(one, other)
    assert len(excerpt(one)) < 150
    assert len(excerpt(10**100_000)) < 150
    assert len(excerpt({"k" * 10_000: ["v" * 10_000] * 10_000})) < 150
    assert excerpt({"a": (1,), "b": [None, "x"]}) == "{'a': (1,), 'b': [None, 'x']}"
    while one:  # taken apart by hand: freeing so deep a list recurses in some interpreters
        one, other = one[0], other[0]


def test_the_header_is_data() -> None:
    tests = CallTests(function='f"\n', cases=[])
    (line,) = call.encode_header(tests).splitlines()
    assert json.loads(line) == {"function": 'f"\n'}
