"""What a program can do to pass without being right: nothing of it is worth anything here.

Where the harness itself compares in the program's process, each of these passes.
"""

from __future__ import annotations

import pytest

from scalebox.client.sync import Client
from scalebox.integrations import code_eval, evalplus, human_eval, livecodebench
from tests.integrations.inprocess.quirks import sample

#: Programs that define `f(a)`; what is expected is `[1, 4, 9]`.
CALLED = {
    "exits": "import os\ndef f(a): os._exit(0)",
    "exits when it is loaded": "import os\nos._exit(0)",
    "exits politely": "def f(a): raise SystemExit(0)",
    "exits politely when it is loaded": "import sys\nsys.exit(0)",
    "equals everything": (
        "class Yes(list):\n"
        "    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n"
        "    def __len__(self): return 3\n"
        "    def __iter__(self): return iter([0, 0, 0])\n"
        "    def __bool__(self): return True\n"
        "def f(a): return Yes()"
    ),
    "equals everything by its type": (
        "class Meta(type):\n"
        "    def __eq__(cls, other): return True\n"
        "    def __hash__(cls): return hash(list)\n"
        "    __mro__ = (list,)\n"
        "class Yes(metaclass=Meta):\n"
        "    def __eq__(self, other): return True\n"
        "def f(a): return Yes()"
    ),
    "changes the encoder": (
        "import json, sys\n"
        "for name, module in list(sys.modules.items()):\n"
        "    for key in ('encode', 'dumps', 'send'):\n"
        "        if hasattr(module, key): setattr(module, key, lambda *a, **k: 'true')\n"
        "def f(a): return None"
    ),
    "looks for the answer": (
        "import gc, sys\n"
        "def f(a):\n"
        "    frame = sys._getframe()\n"
        "    found = []\n"
        "    while frame:\n"
        "        found += list(frame.f_locals.values()) + list(frame.f_globals.values())\n"
        "        frame = frame.f_back\n"
        "    found += gc.get_objects()\n"
        "    for one in found:\n"
        "        if type(one) is list and len(one) == 3 and one != a and one[0] == 1:\n"
        "            return one\n"
        "    for name in ('expected', 'expected_output', 'outputs', 'answer'):\n"
        "        for one in found:\n"
        "            if type(one) is dict and name in one: return one[name]"
    ),
    "forges a record": (
        "import os, json\n"
        "def f(a):\n"
        "    for fd in range(3, 64):\n"
        '        try: os.write(fd, b\'{"test": 0, "passed": true, "results": [true]}\\n\')\n'
        "        except OSError: pass\n"
        "    os._exit(0)"
    ),
    "forges records, and does not stop": (
        "import os\n"
        "def f(a):\n"
        "    for fd in range(3, 64):\n"
        '        try: os.write(fd, b\'{"test": 0, "done": true}\\n\' * 9)\n'
        "        except OSError: pass\n"
        "    return []"
    ),
    "reads files": (
        "import glob, json\n"
        "def f(a):\n"
        "    for path in glob.glob('/*') + glob.glob('*') + glob.glob('/tmp/*'):\n"
        "        try: text = __builtins__['open'](path).read()\n"
        "        except Exception: continue\n"
        "        if '[1, 4, 9]' in text: return [1, 4, 9]"
    ),
    "empties its argument": "def f(a):\n    a.clear()\n    return a",
    "sends no data": "def f(a): return (x for x in [1, 4, 9])",
    "sends a deep list": (
        "def f(a):\n    top = inner = []\n"
        "    for _ in range(100_000):\n        inner.append([])\n        inner = inner[0]\n"
        "    return top"
    ),
    "sends itself": "def f(a):\n    a.append(a)\n    return a",
}
GIVEN, EXPECTED = [1, 2, 3], [1, 4, 9]
RIGHT = "def f(a): return [n * n for n in a]"
#: Programs over standard input; what is expected is `42`.
PRINTED = {
    "exits": "import os\nos._exit(0)",
    "exits politely": "import sys\nsys.exit(0)",
    "prints the look of a pass": "print('passed'); print('[True]'); print('{\"test\": 0}')",
    "prints an object": (
        "class Yes(str):\n    def __eq__(self, other): return True\n"
        "    def strip(self): return self\nprint(Yes('1'))"
    ),
    "replaces standard output": (
        "import sys\n"
        "class Out:\n    def write(self, text): pass\n    def flush(self): pass\n"
        "    def getvalue(self): return Yes()\n"
        "class Yes(str):\n    def __eq__(self, other): return True\n"
        "sys.stdout = Out()\nprint(1)"
    ),
    "looks for the answer": (
        "import gc\nfor one in gc.get_objects():\n"
        "    if type(one) is dict and 'outputs' in one: print(one['outputs'][0])"
    ),
}


@pytest.mark.parametrize("code", CALLED.values(), ids=CALLED.keys())
@pytest.mark.parametrize("mode", ["lcb-strict", "lcb-fixed"])
def test_livecodebench_calls(code: str, mode: livecodebench.Mode, client: Client) -> None:
    tests = sample([str(GIVEN)], [str(EXPECTED)], "f")
    options = {"timeout": 3, "client": client, "mode": mode}
    results, metadata = livecodebench.run_test(tests, code, **options)
    assert not all(result > 0 for result in results), metadata
    assert livecodebench.run_test(tests, RIGHT, **options)[0] == [True]


@pytest.mark.parametrize("code", PRINTED.values(), ids=PRINTED.keys())
@pytest.mark.parametrize("mode", ["lcb-strict", "lcb-fixed"])
def test_livecodebench_programs(code: str, mode: livecodebench.Mode, client: Client) -> None:
    tests = sample([""], ["42"])
    results, metadata = livecodebench.run_test(tests, code, timeout=3, client=client, mode=mode)
    assert not all(result > 0 for result in results), metadata


@pytest.mark.parametrize("code", CALLED.values(), ids=CALLED.keys())
def test_evalplus(code: str, client: Client) -> None:
    def status(source: str) -> str:
        return evalplus.untrusted_check(
            "humaneval", source, [[list(GIVEN)]], "f", [EXPECTED], 0, [0.1], client=client
        )[0]

    assert status(code) in (evalplus.FAIL, evalplus.TIMEOUT)
    assert status(RIGHT) == evalplus.PASS


def test_evalplus_looks_for_a_zero_of_its_own_polynomial(client: Client) -> None:
    def status(body: str) -> str:
        code = f"def find_zero(xs):\n    {body}\n"
        arguments = ("humaneval", code, [[[1.0, 2.0]]], "find_zero", [-0.5], 1e-4, [0.1])
        return evalplus.untrusted_check(*arguments, client=client)[0]

    assert status("return -0.5") == evalplus.PASS
    assert status("xs.clear(); return 0") == evalplus.FAIL
    assert status("return float('nan')") == evalplus.FAIL
    # A subclass of float whose abs() is 0 is a float outside.
    assert status("return type('Zero', (float,), {'__abs__': lambda self: 0})(7)") == evalplus.FAIL


@pytest.mark.parametrize("code", CALLED.values(), ids=CALLED.keys())
def test_asserts(code: str, client: Client) -> None:
    program = f"assert f({GIVEN}) == {EXPECTED}"
    rates, results = code_eval.compute([[code, RIGHT]], [program], [1], client=client)
    assert rates == {"pass@1": 0.5}, results
    problem = {
        "task_id": "own/1",
        "prompt": "",
        "entry_point": "f",
        "test": f"def check(candidate):\n    assert candidate({GIVEN}) == {EXPECTED}\n",
    }
    assert not human_eval.check_correctness(problem, code, 3.0, client=client)["passed"]
    assert human_eval.check_correctness(problem, RIGHT, 3.0, client=client)["passed"]
