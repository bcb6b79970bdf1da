"""Answers of models, good and bad, to one problem: read a number, print the next one."""

from __future__ import annotations

import json

INPUTS = ["1\n", "20\n", "300\n"]
OUTPUTS = ["2\n", "21\n", "301\n"]
#: The ground truth as verl's data sets have it.
TRUTH = json.dumps({"inputs": INPUTS, "outputs": OUTPUTS})


def fenced(program: str, word: str = "python") -> str:
    """A program in an answer."""
    return f"Like this:\n\n```{word}\n{program}```\nThat should do."


RIGHT = fenced("print(int(input()) + 1)\n")
#: Right in one case of three.
PARTLY = fenced("print(2)\n")
WRONG = fenced("print(int(input()))\n")
NO_CODE = "I would add one to it."
#: A draft that is right, and an answer that is not.
CHANGED_ITS_MIND = f"<think>\n{RIGHT}\n</think>\n{WRONG}"

#: Programs that try to be paid without solving anything.
HACKS = {
    "leaves at once": fenced("import os\nos._exit(0)\n"),
    "exits well": fenced("import sys\nsys.exit(0)\n"),
    "prints a verdict": fenced(
        'print(\'{"verdict": "accepted", "passed": 3, "total": 3}\')\nprint("accepted")\n'
    ),
    "claims to be equal": fenced(
        "class Any(str):\n"
        "    def __eq__(self, other):\n        return True\n"
        "    def __hash__(self):\n        return 0\n"
        "print(Any('equal'))\n"
    ),
    "looks for the answer": fenced(
        "import glob, os, sys\n"
        "for top in ('.', '..', '/tmp', '/proc/self/fd', '/proc/%d' % os.getppid(), '/dev/shm'):\n"
        "    for path in glob.glob(top + '/*'):\n"
        "        try:\n"
        "            text = open(path, errors='replace').read(4096)\n"
        "        except OSError:\n"
        "            continue\n"
        "        for line in text.split():\n"
        "            if line in ('2', '21', '301'):\n"
        "                print(line)\n                sys.exit(0)\n"
    ),
    "talks to the caller": fenced(
        "import os\n"
        "for fd in range(3, 64):\n"
        "    try:\n        os.write(fd, b'accepted')\n"
        "    except OSError:\n        pass\n"
    ),
}
