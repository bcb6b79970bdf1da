"""`/run_code` and rewards: what a program does to be taken for a right one, and is not."""

from __future__ import annotations

import pytest

from tests.api.compat.fusion import run_code

EXPECTED = "1729-is-the-answer"

EXITS = {
    "os._exit": "import os\nos._exit(0)",
    "sys.exit": "import sys\nsys.exit(0)",
    "exit before it writes": "import atexit, os\natexit.register(os._exit, 0)\nraise ValueError",
    "an answer of its own": (
        "import json, sys\n"
        "sys.stdout.write(json.dumps({'status': 'Success', 'run_result': {'status': 'Finished',"
        " 'return_code': 0, 'stdout': '*'}}))"
    ),
    "an HTTP answer of its own": (
        "import os\n"
        "for fd in range(1, 64):\n"
        "    try:\n"
        "        os.write(fd, b'HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}')\n"
        "    except OSError:\n"
        "        pass\n"
    ),
    "equal to all": (
        "class Equal(str):\n"
        "    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n"
        "    __hash__ = str.__hash__\n"
        "print(Equal('anything'))"
    ),
    "replaced builtins": (
        "import builtins\n"
        "builtins.str = builtins.repr = lambda *_: 'same'\n"
        "builtins.print = lambda *_, **__: None\n"
        "print('wrong')"
    ),
}

#: Looks for text wherever a program can read, and prints where it is; the text itself is put
#: together only here.
SEARCH = """
import os, sys
wanted = "-".join(["1729", "is", "the", "answer"]).encode()
own = open(__file__, "rb").read()
found = []

def look(where, read):
    try:
        if wanted in read():
            found.append(where)
    except OSError:
        pass

def content(path):
    def read():
        with open(path, "rb") as file:
            return file.read(1 << 20)
    return read

look("arguments", lambda: "\\0".join(sys.argv).encode())
look("environment", lambda: repr(os.environ).encode())
look("input", sys.stdin.buffer.read)
for fd in range(3, 64):
    look(f"descriptor {fd}", lambda: os.pread(fd, 1 << 20, 0))
for place in (".", "..", "/tmp", "/scratch", "/var/tmp", "/dev/shm", "/run"):
    for folder, _, names in os.walk(place):
        for name in names:
            look(os.path.join(folder, name), content(os.path.join(folder, name)))
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline"):
        look(f"/proc/{pid}/{name}", content(f"/proc/{pid}/{name}"))
print("found", found)
"""


def earns(url: str, **body: object) -> bool:
    """What verl makes of an answer (`_process_single_case`)."""
    said = run_code(url, **body)
    if said["status"] != "Success" or said["run_result"]["status"] != "Finished":
        return False
    return str(said["run_result"]["stdout"]).rstrip("\n") == EXPECTED


def test_a_right_program_earns(url: str) -> None:
    assert earns(url, code="print(input())", stdin=EXPECTED)


@pytest.mark.parametrize("code", EXITS.values(), ids=EXITS)
def test_a_program_that_cheats_earns_nothing(url: str, code: str) -> None:
    assert not earns(url, code=code, stdin="2", expected_stdout=EXPECTED)


def test_a_program_that_wrote_and_failed_earns_nothing(url: str) -> None:
    # Flushed or not, and whatever it says of its end.
    for end in ("raise SystemExit(1)", "import os; os._exit(1)", "import os; os.abort()"):
        assert not earns(url, code=f"print({EXPECTED!r}, flush=True)\n{end}")


def test_the_expected_output_is_nowhere_to_be_read(url: str) -> None:
    # ROLL sends it along.
    said = run_code(url, code=SEARCH, stdin="2", expected_stdout=EXPECTED)
    assert said["run_result"]["stdout"] == "found []\n", said
    # It would have been found.
    said = run_code(url, code=SEARCH, stdin=EXPECTED)
    assert said["run_result"]["stdout"] == "found ['input']\n", said
