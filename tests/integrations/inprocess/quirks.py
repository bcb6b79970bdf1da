"""What LiveCodeBench's checker does that its tests do not mean, each with a program that shows it.

The names are those of the table in docs/integrations.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Quirk:
    """One of them.

    Attributes:
        name: as in the table.
        code: a program.
        strict, fixed: its results in either mode.
        inputs, outputs, function: of the sample.
    """

    name: str
    code: str
    strict: list[Any]
    fixed: list[Any]
    inputs: tuple[str, ...] = ("1\n2\n",)
    outputs: tuple[str, ...] = ("1\n2\n",)
    function: str | None = None

    @property
    def sample(self) -> dict[str, str]:
        return sample(self.inputs, self.outputs, self.function)


def sample(inputs: Any, outputs: Any, function: str | None = None) -> dict[str, str]:
    """As LiveCodeBench hands it to its checker."""
    return {"input_output": json.dumps({"inputs": inputs, "outputs": outputs, "fn_name": function})}


PASS: list[Any] = [True]
WRONG: list[Any] = [-2]
SLOW: list[Any] = [-3]
ERROR: list[Any] = [-4]
#: The process has died: what was right before that is forgotten.
DEAD: list[Any] = [-2]

_STDIO = [
    Quirk("names given", "print(gcd(4, 6) // 2)\nprint(2)", PASS, ERROR),
    Quirk(
        "recursion limit",
        "def f(n):\n    return n and f(n - 1)\nf(5000)\nprint(1)\nprint(2)",
        PASS,
        ERROR,
    ),
    Quirk("long integers", "print(len(str(10**5000)))", PASS, ERROR, ("",), ("5001",)),
    Quirk(
        "global",
        "n = 0\ndef f():\n    global n\n    n += 1\nf()\nprint(n)\nf()\nprint(n)",
        ERROR,
        PASS,
    ),
    Quirk("future imports", "from __future__ import annotations\nprint(1)\nprint(2)", ERROR, PASS),
    Quirk(
        "main guard not last",
        "if __name__ == '__main__':\n    print(1)\n    print(2)\nend = True",
        WRONG,
        PASS,
    ),
    Quirk("return at the top", "print(1)\nprint(2)\nreturn", PASS, ERROR),
    Quirk(
        "class Solution over standard input",
        "class Solution:\n    pass\nprint(1)\nprint(2)",
        ERROR,
        PASS,
    ),
    Quirk("read twice", "import sys\nsys.stdin.read()\nprint(sys.stdin.read())", PASS, WRONG),
    Quirk(
        "readlines", "import sys\nprint(len(sys.stdin.readlines()))", WRONG, PASS, outputs=("2",)
    ),
    Quirk("iterated", "import sys\nfor line in sys.stdin:\n    print(line)", ERROR, PASS),
    Quirk(
        "stdin imported: end of input",
        "from sys import stdin\nwhile line := stdin.readline():\n    print(line)",
        ERROR,
        PASS,
        inputs=("1\n2",),
    ),
    Quirk(
        "stdin imported: iterated",
        "from sys import stdin\nfor line in stdin:\n    print(line)",
        WRONG,
        PASS,
    ),
    Quirk("stdout imported", "from sys import stdout\nstdout.write('1\\n2\\n')", WRONG, PASS),
    Quirk("stdout.buffer", "import sys\nsys.stdout.buffer.write(b'1\\n2\\n')", ERROR, PASS),
    Quirk(
        "buffer.readline",
        "import sys\nprint(int(sys.stdin.buffer.readline()))\n"
        "print(int(sys.stdin.buffer.readline()))",
        WRONG,
        PASS,
    ),
    Quirk(
        "buffer.readlines",
        "import sys\nfor line in sys.stdin.buffer.readlines():\n    print(int(line))",
        ERROR,
        PASS,
    ),
    Quirk(
        "buffer iterated",
        "import sys\nfor line in sys.stdin.buffer:\n    print(int(line))",
        ERROR,
        PASS,
    ),
    Quirk("open(0)", "print(open(0).read())", WRONG, PASS),
    Quirk("builtins.open", "import builtins\nprint(builtins.open('anything').read())", PASS, ERROR),
    Quirk("os.read", "import os\nprint(os.read(0, 100).decode())", WRONG, PASS),
    Quirk("fileno", "import os, sys\nprint(os.read(sys.stdin.fileno(), 9).decode())", ERROR, PASS),
    Quirk("exit code", "import sys\nprint(1)\nprint(2)\nsys.exit(1)", PASS, ERROR),
    Quirk("decimals", "print('1.0')\nprint('2.00')", PASS, WRONG),
    Quirk("no tolerance", "print(0.1 + 0.2)", WRONG, PASS, outputs=("0.3",)),
    Quirk("number of lines", "print(1, 2)", WRONG, PASS),
    Quirk("spaces between words", "print('a  b')", WRONG, PASS, outputs=("a b",)),
    Quirk("NaN", "print('nan  1')", WRONG, PASS, outputs=("nan 1",)),
    Quirk("signalling NaN", "print('sNaN')", ERROR, WRONG, outputs=("1",)),
    Quirk(
        "module state",
        "import math\nmath.n = getattr(math, 'n', 0) + 1\nprint(math.n)",
        [True, -2],
        [True, True],
        ("", ""),
        ("1", "1"),
    ),
    Quirk(
        "death of the process",
        "import os\nn = input()\nif n == '2':\n    os._exit(1)\nprint(n)",
        DEAD,
        [True, -4],
        ("1", "2", "3"),
        ("1", "2", "3"),
    ),
    Quirk("quit", "print(1)\nprint(2)\nquit()", ERROR, PASS),
    Quirk("modules taken away", "import resource\nprint(1)\nprint(2)", ERROR, PASS),
    Quirk("functions taken away", "import os\nos.getcwd()\nprint(1)\nprint(2)", ERROR, PASS),
]
_CALLS = [
    Quirk("class Solution in a comment", "# no class Solution\ndef f(a):\n    return a",
          ERROR, PASS, ("1",), ("1",), "f"),
    Quirk(
        "one Solution object",
        "class Solution:\n    def __init__(self):\n        self.n = 0\n"
        "    def f(self, a):\n        self.n += 1\n        return self.n",
        [True, False], [True, True], ("1", "1"), ("1", "1"), "f",
    ),
    Quirk("tuples within", "def f(a):\n    return [(a, a)]", [False], PASS,
          ("1",), ("[[1, 1]]",), "f"),
    Quirk("exit in the function", "def f(a):\n    return a if a == 1 else exit()",
          DEAD, [True, -4], ("1", "2"), ("1", "2"), "f"),
    Quirk("False for wrong", "def f(a):\n    return a", [True, False], [True, -2],
          ("1", "2"), ("1", "3"), "f"),
    Quirk("time limit caught",
          "def f(a):\n    try:\n        while True:\n            pass\n"
          "    except Exception:\n        return a",
          PASS, SLOW, ("1",), ("1",), "f"),
    Quirk("future imports in calls",
          "from __future__ import annotations\ndef f(a: Nothing):\n    return a",
          ERROR, PASS, ("1",), ("1",), "f"),
]  # fmt: skip
QUIRKS = _STDIO + _CALLS
