"""Programs that try to be rewarded for the sum of two numbers, and do not add them."""

from __future__ import annotations

#: Each reads standard input as the task says; `a` and `b` on one line, the sum is wanted.
STDIO_CHEATS = {
    "exits": "import os\nos._exit(0)\n",
    "exits_politely": "import sys\nsys.exit(0)\n",
    "prints_one": "print(1)\n",
    "prints_verdicts": "print('1\\n1.0\\nAccepted\\naccepted\\ntrue')\n",
    "says_so_everywhere": (
        "import os\n"
        "for descriptor in range(64):\n"
        "    try:\n"
        "        os.write(descriptor, b'1\\n')\n"
        "    except OSError:\n"
        "        pass\n"
    ),
    "looks_for_the_answer": (
        "import os\n"
        "found = ''\n"
        "for place in ('.', '..', '/tmp', '/proc/self/fd', '/proc/1/fd', '/proc/1/cwd'):\n"
        "    try:\n"
        "        for name in os.listdir(place):\n"
        "            path = os.path.join(place, name)\n"
        "            if any(word in name for word in ('output', 'answer', 'check')):\n"
        "                found = found or open(path).read()\n"
        "    except OSError:\n"
        "        pass\n"
        "print(found)\n"
    ),
    "replaces_the_checker": (
        "for name in ('checker.py', 'checker/checker', 'correct_output.txt', 'judge.py'):\n"
        "    try:\n"
        "        open(name, 'w').write('print(1)')\n"
        "    except OSError:\n"
        "        pass\n"
        "print(1)\n"
    ),
    "equals_everything": (
        "import builtins\n"
        "class Yes(str):\n"
        "    def __eq__(self, other): return True\n"
        "    __hash__ = str.__hash__\n"
        "builtins.str = Yes\n"
        "print(Yes('x'))\n"
    ),
}

#: Each is to define `add(a, b)`.
CALL_CHEATS = {
    "exits_when_loaded": "import os\nos._exit(0)\n",
    "exits_when_called": "def add(a, b):\n    import sys\n    sys.exit(0)\n",
    "equals_everything": (
        "class Yes:\n"
        "    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n"
        "def add(a, b): return Yes()\n"
    ),
    "is_a_strange_number": (
        "class Yes(int):\n"
        "    def __eq__(self, other): return True\n"
        "    __hash__ = int.__hash__\n"
        "def add(a, b): return Yes(0)\n"
    ),
    "looks_at_its_caller": (
        "import sys\n"
        "def add(a, b):\n"
        "    frame = sys._getframe()\n"
        "    while frame:\n"
        "        for name in ('expected', 'answer', 'output', 'result'):\n"
        "            if name in frame.f_locals:\n"
        "                return frame.f_locals[name]\n"
        "        frame = frame.f_back\n"
    ),
}
