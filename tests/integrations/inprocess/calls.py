"""Solutions that are called with inputs, and what EvalPlus's own checker says of each.

Said by evalplus 0.3.1 (`evalplus.eval.untrusted_check`) on 2026-11-26.  Left out is where it
differs here: see docs/integrations.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

NAN, INF = math.nan, math.inf


@dataclass(frozen=True)
class Case:
    """One of them.

    Attributes:
        body: of the function, whose arguments are `a`; or a whole program.
        inputs, expected: the calls.
        status, details: what is said.
        atol, name, dataset, fast: as `untrusted_check` has them.
        whole: whether `body` is a program.
    """

    body: str
    inputs: list[Any]
    expected: list[Any]
    status: str
    details: list[bool]
    atol: float = 0
    name: str = "f"
    dataset: str = "mbpp"
    fast: bool = False
    whole: bool = False

    @property
    def code(self) -> str:
        return self.body if self.whole else f"def {self.name}(*a):\n    {self.body}\n"


CASES = [
    Case("return a[0]", [[1], [2]], [1, 2], "pass", [True, True]),
    Case("return a[0]", [[1], [2], [3]], [1, 3, 3], "fail", [True, False, True]),
    Case("return a[0]", [[1], [2], [3]], [1, 3, 3], "fail", [True, False], fast=True),
    Case("return (1,2)", [[1]], [[1, 2]], "fail", [False]),
    Case("return [1,2]", [[1]], [(1, 2)], "fail", [False]),
    Case("return {1,2}", [[1]], [{1, 2}], "pass", [True]),
    Case("return True", [[1]], [1], "pass", [True]),
    Case("return 1.0", [[1]], [1], "pass", [True]),
    Case("return 0.1+0.2", [[1]], [0.3], "pass", [True]),
    Case("return 0.3001", [[1]], [0.3], "fail", [False]),
    Case("return [0.1+0.2,1.0]", [[1]], [[0.3, 1.0]], "pass", [True]),
    Case("return (0.1+0.2,1.0)", [[1]], [[0.3, 1.0]], "fail", [False]),
    Case("return [0.3000001]", [[1]], [[0.3]], "pass", [True], atol=0.001),
    Case("return [[0.3000001,1],[2,3]]", [[1]], [[[0.3, 1], [2, 3]]], "pass", [True], atol=0.001),
    Case("return [[0.3000001],[2,3]]", [[1]], [[[0.3], [2, 3]]], "fail", [False], atol=0.001),
    Case("return 3", [[1]], [3.0], "pass", [True]),
    Case("return 3", [[1]], [3.0000001], "fail", [False]),
    Case("return float('nan')", [[1]], [NAN], "fail", [False]),
    Case("return float('inf')", [[1]], [INF], "pass", [True]),
    Case("return None", [[1]], [None], "pass", [True]),
    Case("return None", [[1]], [1.0], "fail", [False]),
    Case("return 'a'", [[1]], ["b"], "fail", [False], atol=1e-06),
    Case("return {'a':0.1}", [[1]], [{"a": 0.1000000001}], "fail", [False], atol=0.001),
    Case("return 1.0000000001 if a[0]==2 else 1.0", [[1], [2]], [1.0, 1.0], "pass", [True, True]),
    Case(
        "return [1, 2] if a[0]==2 else 1.0",
        [[1], [2]],
        [1.0, [1, 2.0000000001]],
        "pass",
        [True, True],
    ),
    Case("return 5", [[1], [2]], [5, 6], "fail", [True, False], atol=1e-06),
    Case("return 6.0000000001", [[1]], [6], "fail", [False]),
    Case("raise ValueError", [[1]], [1], "fail", [False]),
    Case("raise SystemExit", [[1]], [1], "fail", [False]),
    Case("import os; os._exit(0)", [[1]], [1], "timeout", []),
    Case("print('x'); return 1", [[1]], [1], "pass", [True]),
    Case("return input()", [[1]], [1], "fail", [False]),
    Case("return open('x')", [[1]], [1], "fail", [False]),
    Case("exit()", [[1]], [1], "fail", [False]),
    Case("import sys\nsys.exit(0)", [[1]], [1], "fail", [], whole=True),
    Case("x=", [[1]], [1], "fail", [], whole=True),
    Case("y=1", [[1]], [1], "fail", [], whole=True),
    Case(
        "print(1)\nif __name__=='__main__': 1/0\ndef f(*a):\n    return 1\n",
        [[1]],
        [1],
        "pass",
        [True],
        whole=True,
    ),
    Case("a[0].append(1); return 0", [[[]]], [0], "pass", [True]),
    Case("while 1: pass", [[1], [2]], [1, 2], "fail", [False, False]),
    Case("while 1: pass", [[1], [2]], [1, 2], "fail", [False], fast=True),
    Case("return 5", [[1, 2]], [False], "pass", [True], name="are_equivalent"),
    Case("raise ValueError", [[1, 2]], [False], "fail", [False], name="are_equivalent"),
    Case("return 0", [[8]], [7], "pass", [True], name="sum_div"),
    Case("return 1", [[8]], [7], "fail", [False], name="sum_div"),
    Case("return 33", [[3, 4]], [33], "pass", [True], name="surface_Area"),
    Case("return 35", [[3, 4]], [33], "pass", [True], name="surface_Area"),
    Case("return 'x'", [[3, 4]], [33], "fail", [False], name="surface_Area"),
    Case("return 6", [[23, 56]], [7], "pass", [True], name="digit_distance_nums"),
    Case("return 7", [[23, 56]], [7], "pass", [True], name="digit_distance_nums"),
    Case("return 8", [[23, 56]], [7], "fail", [False], name="digit_distance_nums"),
    Case("return [2,1,1]", [[1]], [(1, 2)], "pass", [True], name="Diff"),
    Case("return {1,2}", [[1]], [(1, 2)], "pass", [True], name="Diff"),
    Case("return 5", [[1]], [(1, 2)], "fail", [False], name="Diff"),
    Case("return [1,2,3]", [[1]], [(1, 2)], "fail", [False], name="Diff"),
    Case("return 'ab'", [[1]], [["a", "b"]], "pass", [True], name="Diff"),
    Case("return [[1]]", [[1]], [(1, 2)], "fail", [False], name="Diff"),
    Case("return {1:3,2:4}", [[1]], [(1, 2)], "pass", [True], name="Diff"),
    Case("import re; return re.match('a','a')", [[1]], [True], "pass", [True], name="check_str"),
    Case("return None", [[1]], [True], "fail", [False], name="check_str"),
    Case("return None", [[1]], [False], "pass", [True], name="check_str"),
    Case("return True", [[1]], [True], "pass", [True], name="check_str"),
    Case("return False", [[1]], [True], "fail", [False], name="check_str"),
    Case("return 'no'", [[1]], [True], "pass", [True], name="check_str"),
    Case(
        "return -2.1",
        [[[2, 1]]],
        [-2.0],
        "fail",
        [False],
        atol=0.0001,
        name="find_zero",
        dataset="humaneval",
    ),
    Case(
        "return 'x'",
        [[[2, 1]]],
        [-2.0],
        "fail",
        [False],
        atol=0.0001,
        name="find_zero",
        dataset="humaneval",
    ),
    Case(
        "return 10.0**300",
        [[[2, 1, 3]]],
        [-2.0],
        "fail",
        [False],
        atol=0.0001,
        name="find_zero",
        dataset="humaneval",
    ),
    Case("return 1+1e-9j", [[1]], [(1 + 0j)], "pass", [True], atol=1e-06),
    Case("return b'a'", [[1]], [b"a"], "pass", [True]),
    Case("return 10**400", [[1]], [1.5], "fail", [False], atol=1e-06),
    Case("return frozenset([1])", [[1]], [{1}], "pass", [True]),
    Case("return (x for x in [1])", [[1]], [[1]], "fail", [False]),
    Case("return range(3)", [[1]], [[0, 1, 2]], "fail", [False]),
    Case("return []", [[1]], [[]], "pass", [True], atol=1e-06),
    Case("return [1.0]", [[1]], [[]], "fail", [False], atol=1e-06),
    Case("return True", [[1]], [False], "pass", [True], atol=2.0),
    Case("return [True]", [[1]], [[False]], "pass", [True], atol=2.0),
    Case("return ['a']", [[1]], [[1.0]], "fail", [False], atol=2.0),
    Case(
        "return a[0]",
        [[INF], [(1, {2})], [{"a": {3: (4,)}}]],
        [INF, (1, {2}), {"a": {3: (4,)}}],
        "pass",
        [True, True, True],
    ),
    Case("return 1", [], [], "pass", []),
    Case("import subprocess as s; return s.Popen", [[1], [2]], [None, None], "pass", [True, True]),
    Case("import subprocess as s; return callable(s.run)", [[1]], [True], "pass", [True]),
    Case("from shutil import rmtree, move, chown, copy; return rmtree, move, chown, callable(copy)",
         [[1]], [(None, None, None, True)], "pass", [True]),
    Case("import asyncio, subprocess as s; return s.Popen", [[1]], [None], "pass", [True]),
]  # fmt: skip
