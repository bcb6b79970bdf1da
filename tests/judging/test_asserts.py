"""Test programs made of asserts: the strong form, the weak form, what must pass in neither."""

from __future__ import annotations

import json
import secrets
import sys

import pytest

from scalebox.judging import asserts
from scalebox.judging.asserts import AssertOutcome, parse_assert_record
from scalebox.model import AssertCase, AssertTests, Verdict

from . import runner

CHECK = "def check(candidate):\n    assert candidate(3) == 9\n    assert candidate(4) == 16\n"
RIGHT = "def square(x):\n    return x * x\n"


@pytest.mark.parametrize("fresh", [None, sys.executable], ids=["forked", "started"])
def test_a_right_submission_passes_in_both_forms(fresh: str | None) -> None:
    for form in (runner.judge_strong, runner.judge_weak):
        assert form(RIGHT, CHECK, "square", fresh=fresh) == AssertOutcome("passed")


def test_a_failed_assert_is_shown_with_its_line() -> None:
    outcome = runner.judge_strong("def square(x): return 9", CHECK, "square")
    assert outcome.state == "failed"
    assert outcome.verdict is Verdict.WRONG_ANSWER
    assert "test line 3: assert candidate(4) == 16" in outcome.message


_EQUAL = "class E:\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n"
_EQUAL += "    __hash__ = None\n"

#: None of them computes a square.
TRICKS = {
    "returns None": "def square(x): return None",
    "missing": "x = 1",
    "raises": "def square(x): raise ValueError(x)",
    "raises AssertionError": "def square(x): raise AssertionError",
    "sys.exit at import": "import sys\nsys.exit(0)",
    "os._exit at import": "import os\nos._exit(0)",
    "sys.exit in the call": "import sys\ndef square(x): sys.exit(0)",
    "os._exit in the call": "import os\ndef square(x): os._exit(0)",
    "KeyboardInterrupt": "def square(x): raise KeyboardInterrupt",
    "atexit": "import atexit, sys\natexit.register(print, 'passed')\ndef square(x): sys.exit()",
    "always equal": _EQUAL + "def square(x): return E()",
    "always equal class": _EQUAL + "square = lambda x: E",
    "always equal metaclass": "class M(type):\n    def __eq__(self, o): return True\n"
    "    __hash__ = None\nclass square(metaclass=M):\n    def __init__(self, x): pass\n"
    "    def __eq__(self, o): return True",
    "always equal instance": _EQUAL + "class square(E):\n    def __init__(self, x): pass",
    "always equal int": "class I(int):\n    def __eq__(self, o): return True\n"
    "    __hash__ = int.__hash__\ndef square(x): return I(1)",
    "always equal list": "class L(list):\n    def __eq__(self, o): return True\n"
    "def square(x): return L()",
    "always equal inside": _EQUAL + "def square(x): return (E(),)",
    "ANY": "import unittest.mock\ndef square(x): return unittest.mock.ANY",
    "user list": _EQUAL + "import collections\nclass U(collections.UserList):\n"
    "    def __init__(self, data): self.data = data\ndef square(x): return U(E())",
    "weak proxy": _EQUAL + "import weakref\nE.x = E()\ndef square(x): return weakref.proxy(E.x)",
    "mapping proxy": _EQUAL + "import types\nE.__getitem__ = E.keys = None\n"
    "def square(x): return types.MappingProxyType(E())",
    "patched builtins": "import builtins\nfor n in ('len', 'abs', 'isinstance', 'type', 'bool'):\n"
    "    setattr(builtins, n, lambda *a: True)\nbuiltins.AssertionError = Exception\n"
    "def square(x): return 0",
    "patched json": 'import json\njson.dumps = lambda *a, **k: \'{"state": "passed"}\'\n'
    "def square(x): return 0",
    "patched exit": "import os\nos._exit = lambda *a: None\ndef square(x): return 0",
    "printed marker": "print('passed')\ndef square(x): return 0",
    "forged record": "import os\nfor fd in (3, 4, 5):\n    try:\n"
    '        os.write(fd, b\'{"nonce":"","state":"passed","message":""}\\n\')\n'
    "    except OSError: pass\ndef square(x): return 0",
    "garbage": "import os\n"
    "os.write(5 if os.path.exists('/proc/self/fd/5') else 4, b'\\xff' * 100)\n"
    "def square(x): return 0",
    "closed descriptors": "import os\nos.closerange(3, 20)\ndef square(x): return 9",
    "nan": "def square(x): return float('nan')",
    "deep": "def square(x):\n    y = []\n    for _ in range(100000): y = [y]\n    return y",
    "cyclic": "def square(x):\n    y = []\n    y.append(y)\n    return y",
    "giant": "def square(x): return 1 << 10 ** 6",
    "generator": "def square(x): yield 9",
    "own check": "def check(candidate): pass\ndef square(x): return 0",
    "function": "def square(x): return square",
    "reads stdin": "import sys\nTASK = sys.stdin.read()\ndef square(x): return TASK",
    "killed": "import os\ndef square(x): os.kill(os.getpid(), 9)",
    "patched module": "import math\nmath.isclose = lambda *a, **k: True\ndef square(x): return 0",
    "trace": "import sys\nsys.settrace(lambda *a: None)\ndef square(x): return 0",
}


@pytest.mark.parametrize("name", TRICKS)
def test_tricks_pass_in_neither_form(name: str) -> None:
    for form in (runner.judge_strong, runner.judge_weak):
        outcome = form(TRICKS[name], CHECK, "square")
        assert outcome.state not in ("passed", "invalid"), form


@pytest.mark.parametrize("name", TRICKS)
def test_tricks_do_not_pass_bare_asserts(name: str) -> None:
    program = "import math\nassert square(3) == 9\nassert math.isclose(square(4), 16)\n"
    assert runner.judge(TRICKS[name], program).state not in ("passed", "invalid")


@pytest.mark.parametrize("name", ["os._exit in the call", "killed", "sys.exit in the call"])
def test_a_test_that_swallows_everything_does_not_hide_an_early_end(name: str) -> None:
    program = "def check(candidate):\n    try:\n        candidate(3)\n    except:\n        pass\n"
    for form in (runner.judge_strong, runner.judge_weak):
        outcome = form(TRICKS[name], program, "square")
        if name.startswith("sys.exit") and form is runner.judge_weak:
            continue  # in one process it is an exception like others, and the test catches it
        assert outcome.state in ("error", "missing")


@pytest.mark.parametrize(
    "value",
    [
        "defaultdict(None, {1: E()})", "OrderedDict({1: E()})", "L([E()])", "N(E())", "[E()]",
        "deque([E()])", "{1: L([E()])}", "U([E()])",
    ],
)  # fmt: skip
def test_what_is_equal_to_everything_is_not_hidden_in_a_container(value: str) -> None:
    source = _EQUAL + (
        "from collections import *\nN = namedtuple('N', 'x')\nclass L(list): pass\n"
        f"class U(UserList): pass\ndef f(): return {value}\n"
    )
    for wanted in ("{1: 9}", "[9]", "(9,)", "{1: [9]}", "deque([9])"):
        program = f"from collections import deque\nassert f() == {wanted}"
        for form in (runner.judge_strong, runner.judge_weak):
            assert form(source, program).state == "failed", wanted


_FORGED_ANSWERS = [
    '{"v":{"T":["timedelta",[1e999,0,0]]}}', '{"v":{"N":["a b",["x"],[1]]}}',
    '{"v":{"P":"eval"}}', '{"v":{"D":"x"}}', '{"v":{"o":[[],1]}}', '{"v":{"L":["os","system"]}}',
    '{"v":{"E":[["os","system"]]}}', '{"e":1}', '{"e":[[],"",null]}', "[]", "1", '{"v":',
    '{"e":[[["builtins","SystemExit"]],"",null]}', '{"a":[[9,[]]],"v":9}', '{"a":[[0,5]],"v":9}',
    '{"e":[[["builtins","AssertionError"]],"x",null]}', '{"v":' + "9" * 90_000 + "}",
    '{"v":' + "[" * 90_000, '{"u":"no"}', '{"v":{"X":["|O",[9]]}}', '{"v":{"M":"antigravity"}}',
    '{"v":{"F":[1,0]}}', '{"v":{"Q":[-1,[]]}}', '{"v":{"R":[{"o":[0,"x"]},1,1]}}',
    '{"v":{"T":["timedelta",[{"o":[0,"x"]},1,1]]}}', '{"v":{"F":[{"o":[0,"x"]},2]}}',
    '{"v":{"o":[0,"coroutine"]}}', '{"v":{"Q":[{"o":[0,"x"]},[]]}}',
]  # fmt: skip


@pytest.mark.parametrize("answer", _FORGED_ANSWERS, ids=range(len(_FORGED_ANSWERS)))
def test_forged_answers_do_not_pass(answer: str) -> None:
    # The submission's process, taken over: it defines the function, and lies about each call.
    main = (
        "import os\nanswer = " + repr(answer.encode()) + "\n"
        "os.write(4, b'{\"v\":null}\\n')\n"
        'os.read(3, 1 << 16)\nos.write(4, b\'{"v":{"o":[0,"function"]}}\\n\')\n'
        "while os.read(3, 1 << 16): os.write(4, answer + b'\\n')\n"
    )
    tests = AssertTests(cases=[AssertCase(program=CHECK)], entry_point="square")
    nonce = secrets.token_hex(16)
    stdin = asserts.encode_assert(tests, 0, nonce)
    ended = runner.run_strong("", stdin, main=main.encode())
    assert parse_assert_record(ended.channel, nonce).state in ("error", "failed")


def test_no_function_of_the_library_is_taken_for_one_of_the_submissions() -> None:
    forged = b'{"v":null}\n{"v":{"L":["typing","final"]}}\n'  # returns its argument
    main = f"import os\nos.write(4, {forged!r})\nwhile os.read(3, 1 << 16): pass\n"
    tests = AssertTests(cases=[AssertCase(program="assert same(9) == 9")])
    ended = runner.run_strong("", asserts.encode_assert(tests, 0, "n1"), main=main.encode())
    assert parse_assert_record(ended.channel, "n1").state == "error"


def test_the_expected_values_never_reach_the_submissions_process() -> None:
    seen = (
        "import gc, os, sys\ndef square(x):\n"
        "    return [o for o in gc.get_objects() if isinstance(o, (list, tuple, dict)) and\n"
        "            any(type(i) is int and i == int('987654321') for i in o)] == []\n"
    )
    program = "def check(candidate):\n    assert candidate(1) is True\n    wanted = [987654321]\n"
    outcome = runner.judge_strong(seen, program, "square", fresh=sys.executable)
    assert outcome.state == "passed"


def test_a_builtin_that_the_test_uses_cannot_be_replaced() -> None:
    source = "def ordered(xs): return xs\ndef sorted(xs): return [1, 2, 3]\n"
    program = "assert sorted(ordered([5, 4])) == [1, 2, 3]"
    for form in (runner.judge_strong, runner.judge_weak):
        assert form(source, program).state == "failed"


def test_modules_that_the_submission_imported_are_there() -> None:
    source = "import math\nimport collections as c\nfrom os import path\ndef f(x): return x"
    assert runner.judge_strong(source, "assert math.sqrt(f(4)) == 2").state == "passed"
    # `c` is not a customary name: the tester does not import what a submission chooses.
    assert runner.judge_strong(source, "assert c.Counter(f('a'))").state == "unproxiable"


def test_a_module_that_is_not_there_is_not_the_submissions() -> None:
    source = "import sys, types\nfake = sys.modules['mytest'] = types.ModuleType('mytest')\n"
    source += "fake.approx = lambda value: 0\ndef half(x): return 0\n"
    program = "try:\n    from mytest import approx\nexcept ImportError:\n    approx = float\n"
    for form in (runner.judge_strong, runner.judge_weak):
        assert form(source, program + "assert half(3) == approx(1.5)").state == "failed"


def test_an_equality_in_a_class_of_the_librarys_is_the_submissions_if_it_put_it_there() -> None:
    program = "from fractions import Fraction\nassert half(3.0) == Fraction(3, 2)"
    patched = "import fractions\nfractions.Fraction.__eq__ = lambda *_: True\n"
    for form in (runner.judge_strong, runner.judge_weak):
        assert form("def half(x): return x / 2", program).state == "passed"
        assert form(patched + "def half(x): return 0.0", program).state == "failed"


def test_a_test_may_import_the_submission() -> None:
    assert runner.judge_weak(RIGHT, "import candidate\nassert candidate.square(3) == 9") == (
        AssertOutcome("passed")
    )


def test_plain_data_of_the_submission_is_there() -> None:
    source = "LIMIT = {'a': (1, 2)}\ndef f(): return LIMIT"
    assert runner.judge_strong(source, "assert LIMIT == {'a': (1, 2)} == f()").state == "passed"


def test_a_missing_name_is_an_error_of_the_submission() -> None:
    outcome = runner.judge_strong("x = 1", "assert f(1) == 1")
    assert outcome.state == "error"
    assert "'f' is not defined" in outcome.message


def test_a_broken_test_program_is_nobodys_wrong_answer() -> None:
    for form in (runner.judge_strong, runner.judge_weak):
        outcome = form(RIGHT, "assert square(")
        assert outcome.state == "invalid"
        assert outcome.verdict is Verdict.JUDGE_ERROR


@pytest.mark.parametrize(
    ("program", "entry_point"),
    [
        ("def check(candidate):\n    assert candidate(3) == 9", None),
        ("def check(candidate):\n    assert candidate(3) == 9", "square"),
        ("def test():\n    assert square(3) == 9", "square"),
        ("import unittest\nclass Test(unittest.TestCase):\n    def test(self): self.fail()", None),
        ('"""Of squares."""\nMETADATA = {"a": 1}\nINF = float("inf")\ndef test(): pass', None),
        ("", None),
        ("pass", "square"),
    ],
)
def test_a_program_that_runs_no_test_is_refused(program: str, entry_point: str | None) -> None:
    refused = entry_point is None or "def check" not in program
    for judge in (runner.judge_strong, runner.judge_weak):
        for submission in ("def square(x): return x * x", "def square(x): return 0"):
            outcome = judge(submission, program, entry_point)
            if refused:
                assert outcome.state == "invalid"
                assert "runs no test" in outcome.message
            else:
                assert outcome.state == ("passed" if "x * x" in submission else "failed")


@pytest.mark.parametrize(
    "program",
    [
        "def check(f):\n    assert f(3) == 9\ncheck(square)",
        "square(3)",
        "found = square(3)",
        "def test():\n    assert square(3) == 9\nif __name__ == '__main__':\n    test()",
        "def now(test):\n    test()\n@now\ndef test():\n    assert square(3) == 9",
        "check = lambda f: f(3)",
        "def test(found=square(3)): pass",
        "class Test:\n    assert square(3) == 9",
        "def test():\n    square(3)\nfound = list(map(lambda test: test(), [test]))",
    ],
)
def test_a_program_that_runs_something_is_not_refused(program: str) -> None:
    entry_point = "square" if "lambda" in program else None
    for judge in (runner.judge_strong, runner.judge_weak):
        assert judge("def square(x): return x * x", program, entry_point).state == "passed"
        assert judge("def cube(x): return x ** 3", program, entry_point).state == "error"


@pytest.mark.parametrize(
    "program",
    [
        "class T:\n    solution = Solution()\nassert T.solution.f(3) == 9",
        "class T:\n    assert Solution().f(3) == 9",
        "class T:\n    limit = LIMIT\n    def test(self, s: Solution = Solution()):\n"
        "        assert s.f(3) == 9 == self.limit\nT().test()",
        "def test():\n    class T:\n        x = Solution().f\n    assert T.x(3) == 9\ntest()",
        "import unittest\nclass T(unittest.TestCase):\n    s = Solution()\n"
        "    def test(self): self.assertEqual(self.s.f(3), 9)\n"
        "found = unittest.TestResult()\n"
        "unittest.defaultTestLoader.loadTestsFromTestCase(T).run(found)\n"
        "assert found.wasSuccessful()",
    ],
)
def test_a_class_of_the_tests_finds_the_submission(program: str) -> None:
    right = "LIMIT = 9\nclass Solution:\n    def f(self, x): return x * x\n"
    for judge in (runner.judge_strong, runner.judge_weak):
        assert judge(right, program).state == "passed", judge
        assert judge(right.replace("x * x", "x"), program).state == "failed", judge


@pytest.mark.parametrize(
    "call", ["eval('square(3)')", "eval('square')(3)", "globals()['square'](3)"]
)
def test_names_that_are_looked_up_otherwise_are_found_in_one_process(call: str) -> None:
    program = f"def test():\n    assert {call} == 9\ntest()"
    assert runner.judge(RIGHT, program).state == "passed"
    assert runner.judge("def square(x): return x", program).state == "failed"
    assert runner.judge("def cube(x): return x ** 3", program).state in ("error", "failed")


def test_a_submission_that_lacks_a_name_itself_stays_where_it_is() -> None:
    lacking = "def square(x): return other(x)\ndef other(x): return nowhere"
    outcome = runner.judge_strong(lacking, "assert square(3) == 9")
    assert outcome.state == "error"
    faked = "def square(x): raise NameError(\"name 'square' is not defined\", name='square')"
    assert runner.judge_strong(faked, "assert square(3) == 9").state == "error"


def test_a_name_that_comes_late_does_not_bring_the_test_into_the_same_process() -> None:
    late = (
        "import threading, time\ndef bring():\n    time.sleep(0.1)\n"
        "    globals()['square'] = lambda x: x * x\nthreading.Thread(target=bring).start()"
    )
    program = "import time\ntry:\n    square\nexcept NameError:\n    time.sleep(0.5)\n    raise"
    assert runner.judge_strong(late, program).state == "error"


def test_a_submission_that_does_not_compile_is_said_to_be_so() -> None:
    for form in (runner.judge_strong, runner.judge_weak):
        outcome = form("def square(:", CHECK, "square")
        assert outcome.state == "uncompilable"
        assert outcome.message.startswith("SyntaxError: ")
        assert outcome.verdict is Verdict.COMPILE_ERROR


def test_the_main_part_of_a_submission_does_not_run() -> None:
    source = RIGHT + "if __name__ == '__main__':\n    raise SystemExit(1)\n"
    assert runner.judge(source, CHECK, "square").state == "passed"


def test_only_a_record_with_the_nonce_counts() -> None:
    good = json.dumps({"nonce": "n1", "state": "failed", "message": "m"}).encode()
    forged = json.dumps({"nonce": "x", "state": "passed", "message": ""}).encode()
    noise = b"n1\n" + b"[" * 100_000 + b"n1\n" + b'{"nonce":"n1","state":[]}\n\xff\n'
    channel = forged + b"\n" + noise + good + b"\n"
    assert parse_assert_record(channel, "n1") == AssertOutcome("failed", "m")
    assert parse_assert_record(good, "n1").state == "missing"
    assert parse_assert_record(b"", "n1").state == "missing"
    assert parse_assert_record(b"\n" * 10_000_000 + good + b"\n", "n1").state == "failed"


_LIST_LIKE = """class L:
    def __init__(self, xs): self.xs = xs
    def __len__(self): return len(self.xs) - {0}
    def __iter__(self): return iter(self.xs)
    def __getitem__(self, place): return self.xs[place]
    def __eq__(self, other): return True
    def add(self, x): self.xs.append(x)
def f(): return L([1, 2, 3])
def made(): yield from [1, 2, 3]
"""


@pytest.mark.parametrize(
    ("program", "trusting"),
    [
        ("assert list(f()) == [1, 2, 3]", False),
        ("assert sorted(made()) == [1, 2, 3]", False),
        ("r = f()\nassert len(r) == 3 and sorted(r) == [1, 2, 3]", False),
        ("r = f()\nr.add(4)\nassert len(r) == 4\nr.add(5)\nassert r[4] == 5", False),
        ("r = made()\nassert next(r) == 1 and list(r) == [2, 3]", False),
        ("r = f()\nassert r[0] <= r[1]", True),
        ("r = f()\nassert sorted(r) == list(r)", True),
        ("assert f() == f()", True),
    ],
)
def test_looking_twice_at_an_object_is_trusting_in_it(program: str, trusting: bool) -> None:
    outcome = runner.judge_strong(_LIST_LIKE.format(0), program)
    assert outcome == AssertOutcome("passed", trusting=trusting)


def test_an_object_that_is_shorter_than_it_says_is_trusted_and_not_believed() -> None:
    program = "r = f()\nassert len(r) == 2\nassert sorted(r) == [1, 2, 3]"
    outcome = runner.judge_strong(_LIST_LIKE.format(1), program)
    assert outcome == AssertOutcome("passed", trusting=True)


def test_a_function_beside_the_one_under_test_is_trusted() -> None:
    source = "def f(x): return 0\ndef helper(x): return True\nLIMIT = 0\n"
    for test in ("helper(candidate(3))", "candidate(3) == LIMIT"):
        program = f"def check(candidate):\n    assert {test}\n"
        assert runner.judge_strong(source, program, "f") == AssertOutcome("passed", trusting=True)
    source = "def abs(x): return 0\ndef round(x): return 0\n"
    program = "assert abs(round(2.6) - 3) == 0"
    assert runner.judge_strong(source, program) == AssertOutcome("passed", trusting=True)


def test_the_library_is_meant_where_the_test_uses_what_only_it_has() -> None:
    source = "class math:\n    isclose = lambda *a: True\n    own = 5\ndef f(): return 0\n"
    assert runner.judge_strong(source, "assert math.isclose(f(), 1)").state == "failed"
    assert runner.judge_strong(source, "assert math.own == 5").state == "passed"
    program = "def check(candidate):\n    assert math.isclose(candidate(), 1)\n"
    assert runner.judge_strong(source, program, "f").state == "failed"


def test_a_call_that_raises_stop_iteration_does_not_end_the_tests_cases() -> None:
    source = "def f(x): raise StopIteration"
    program = "assert all(map(lambda x: f(x) == 1, [1, 2]))"
    assert runner.judge_strong(source, program).state == "error"
    program = "try:\n    f(1)\nexcept StopIteration:\n    pass\nelse:\n    assert False"
    assert runner.judge_strong(source, program).state == "passed"


@pytest.mark.parametrize("base", ["BaseException", "SystemExit", "KeyboardInterrupt"])
def test_what_no_test_may_swallow_ends_it(base: str) -> None:
    source = f"class X({base}): pass\ndef f(x): raise X"
    program = "try:\n    f(1)\nexcept Exception:\n    pass"
    assert runner.judge_strong(source, program).state == "error"


def test_a_coroutine_needs_one_process_where_the_test_runs_coroutines() -> None:
    source = "async def f(x): return x * x"
    program = "import asyncio\nassert asyncio.run(f(3)) == 9"
    assert runner.judge_strong(source, program).state == "unproxiable"
    assert runner.judge_weak(source, program).state == "passed"
    assert runner.judge_strong(source, "assert f(3) == 9").state == "failed"


@pytest.mark.parametrize(
    "use",
    [
        "typing.get_type_hints(f)", "inspect.signature(f)", "f.__annotations__", "vars(f)",
        "f().__array_interface__", "f.__globals__", "copy.deepcopy(f())",
    ],
)  # fmt: skip
def test_what_libraries_believe_in_is_not_asked_of_the_submission(use: str) -> None:
    source = (
        "class F:\n    __globals__ = {}\n    __signature__ = __wrapped__ = None\n"
        "    __annotations__ = {'x': '__import__(\"os\")._exit(0)'}\n"
        "    __array_interface__ = {'data': (4096, False), 'shape': (1,), 'typestr': '<i8'}\n"
        "    def __call__(self): return self\nf = F()\n"
    )
    program = f"import copy, inspect, typing\ntry:\n    {use}\nexcept Exception:\n    pass"
    assert runner.judge_strong(source, program).state == "unproxiable"


def test_private_names_of_a_class_are_its_own() -> None:
    source = "class C:\n    def __init__(self): self._name, self._link, self._ask = 'n', 1, 2\n"
    program = "c = C()\nc._number = 3\nassert (c._name, c._link, c._ask, c._number) == "
    assert runner.judge_strong(source, program + "('n', 1, 2, 3)").state == "passed"
    assert runner.judge_strong(source, "assert C.__name__ == 'C'").state == "passed"


def test_no_value_brings_the_weak_form_about() -> None:
    deep = "def f(x):\n    y = []\n    for _ in range(5000): y = [y]\n    return y\n"
    for source in (deep, "import os as f", "import json.decoder as f", "def f(x): return f"):
        assert runner.judge_strong(source, "assert f(3) == 9").state == "failed"
