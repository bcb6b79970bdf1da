"""Small problems of every kind, with programs that are right and wrong, and judges for them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from scalebox.model import Comparison, FunctionJudge, Judge, Submission
from scalebox.specialjudges.material import Material, Program, TestData

SPLIT_STATEMENT = (
    "Given n, write two positive integers whose sum is n. If there are multiple solutions, print "
    "any of them."
)
#: Input n: two positive integers whose sum is n, any of them.
SPLIT_TESTS = [(b"%d\n" % n, b"1 %d\n" % (n - 1)) for n in (2, 3, 7, 10, 25, 100, 1000, 4096)]
SPLIT_RIGHT = {
    "one": "n = int(input())\nprint(1, n - 1)\n",
    "half": "n = int(input())\nprint(n // 2, n - n // 2)\n",
    "lines": "n = int(input())\nprint(n - 1)\nprint(1)\n",
}
SPLIT_WRONG = {
    "zero": "n = int(input())\nprint(0, n)\n",
    "more": "n = int(input())\nprint(n // 2, n - n // 2 + (n > 50))\n",
    "three": "n = int(input())\nprint(1, 1, n - 2)\n",
    "crash": "raise SystemExit(1)\n",
}
SPLIT_JUDGE = """
import re

def judge(input, output, answer):
    tokens = output.split(None, 3)
    if len(tokens) != 2 or not all(re.fullmatch("[0-9]{1,20}", token) for token in tokens):
        return False, "these are not two positive integers"
    a, b = map(int, tokens)
    return a > 0 and b > 0 and a + b == int(input)
"""
SPLIT_ICPC = """
import re, sys
tokens = sys.stdin.buffer.read(100).split(None, 3)
if len(tokens) != 2 or not all(re.fullmatch(b"[0-9]{1,20}", token) for token in tokens):
    sys.exit(43)
a, b = map(int, tokens)
sys.exit(42 if a > 0 and b > 0 and a + b == int(open(sys.argv[1]).read()) else 43)
"""

SUM_TESTS = [
    (b"%d %d\n" % pair, b"%d\n" % sum(pair)) for pair in ((1, 2), (5, 5), (-3, 10), (0, 0))
]
SUM_RIGHT = {
    "sum": "print(sum(map(int, input().split())))\n",
    "add": "a, b = input().split()\nprint(int(a) + int(b))\n",
}
SUM_WRONG = {"abs": "print(sum(abs(int(x)) for x in input().split()))\n"}

ROOT_TESTS = [(b"%d\n" % n, b"%.9f\n" % n**0.5) for n in (2, 3, 5, 10, 99)]
ROOT_RIGHT = {
    "nine": "print('%.9f' % int(input()) ** 0.5)\n",
    "seven": "print('%.7f' % int(input()) ** 0.5)\n",
}
ROOT_WRONG = {"two": "print('%.2f' % int(input()) ** 0.5)\n"}

SET_TESTS = [(b"%d\n" % n, b"\n".join(b"%d" % i for i in range(n)) + b"\n") for n in (3, 4, 6, 9)]
SET_RIGHT = {
    "up": "for i in range(int(input())): print(i)\n",
    "down": "for i in range(int(input()))[::-1]: print(i)\n",
    "odd": "n = int(input())\nfor i in sorted(range(n), key=lambda i: i % 2): print(i)\n",
}
SET_WRONG = {"short": "for i in range(int(input()) - 1): print(i)\n"}


def material(
    name: str,
    tests: Sequence[tuple[bytes, bytes]],
    right: dict[str, str],
    wrong: dict[str, str],
    *,
    statement: str = "",
    own: Judge | None = None,
    interactive: bool = False,
) -> Material:
    programs = [
        Program(key, label, Submission(language="python", source=source))
        for label, sources in (("accepted", right), ("wrong_answer", wrong))
        for key, source in sources.items()
    ]
    return Material(
        id=name,
        statement=statement,
        tests=tuple(
            TestData(str(number), given, answer, sample=number == 0)
            for number, (given, answer) in enumerate(tests)
        ),
        programs=tuple(programs),
        own=own,
        interactive=interactive,
    )


def split() -> Material:
    return material(
        "split", SPLIT_TESTS, SPLIT_RIGHT, SPLIT_WRONG, statement=SPLIT_STATEMENT,
        own=FunctionJudge(source=SPLIT_JUDGE),
    )  # fmt: skip


def add() -> Material:
    return material("add", SUM_TESTS, SUM_RIGHT, SUM_WRONG, own=Comparison())


def root(statement: str = "") -> Material:
    return material("root", ROOT_TESTS, ROOT_RIGHT, ROOT_WRONG, statement=statement)


def numbers_in_any_order() -> Material:
    return material(
        "set", SET_TESTS, SET_RIGHT, SET_WRONG, statement="Print the numbers in any order."
    )


def row(
    name: str,
    tests: Iterable[tuple[bytes, bytes]],
    right: dict[str, str],
    wrong: dict[str, str],
    *,
    statement: str = "",
    validator: str | None = None,
) -> dict[str, Any]:
    """As in the labelled problems."""
    judge: dict[str, Any] = {"kind": "default", "flags": "", "folder": None}
    if validator is not None:
        judge = {
            "kind": "custom", "flags": "", "folder": "output_validators",
            "files": {"validate.py": validator}, "exec": [], "language": "python",
        }  # fmt: skip
    return {
        "id": name,
        "name": name,
        "statement": statement,
        "time_limit_s": 2,
        "memory_limit_mb": None,
        "judge": judge,
        "tests": [
            {"name": str(number), "input": given.decode(), "answer": answer.decode(),
             "sample": number == 0, "flags": None}
            for number, (given, answer) in enumerate(tests)
        ],
        "submissions": [
            {"name": key, "label": label, "language": "python", "label_check": "ok",
             "files": {f"{key}.py": source}}
            for label, sources in (("accepted", right), ("wrong_answer", wrong))
            for key, source in sources.items()
        ],
    }  # fmt: skip


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(one) + "\n" for one in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path
