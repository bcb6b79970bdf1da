"""SandboxFusion's `/run_jupyter`: a real kernel, asked as its clients ask, at every level."""

from __future__ import annotations

import base64
import json
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.compat.asking import answered, ask
from tests.api.compat.daemon import compat_daemon
from tests.daemons import kinds


def run(url: str, *cells: str, **more: Any) -> dict[str, Any]:
    """Ask as sandbox-fusion's client does; its fields, and `more`."""
    body = {
        "cells": cells,
        "cell_timeout": 0,
        "total_timeout": 45,
        "memory_limit_MB": -1,
        "kernel": "python3",
        "files": {},
        "fetch_files": [],
        **more,
    }
    said: dict[str, Any] = answered(f"{url}/sandboxfusion/run_jupyter", body)
    return said


@pytest.fixture(scope="module", params=kinds(), ids=str)
def at(request: pytest.FixtureRequest) -> Iterator[str]:
    """A daemon of each kind that this host has."""
    with compat_daemon({"sandboxfusion": "/sandboxfusion"}, kind=request.param) as (_, where):
        yield where


#: One notebook, whose cells the tests below look at one by one.
CELLS = {
    "set": "a = 'hello'",
    "shown": "a",
    "printed": "print(a)",
    "apart": "import sys; sys.stderr.write('apart\\n');",
    "displayed": "display({'x': 1})",
    "failed": "assert a == 2",
    "broken": "def f(",
    "left": "raise SystemExit(3)",
    "asked": "input()",
    "afterwards": "print(a, 'é')",
    "processes": "import os; os.system('echo out; echo err >&2');",
    "command": "!echo {a}",
    "awaited": "import asyncio\nawait asyncio.sleep(0)\n7",
    "plotted": "import matplotlib.pyplot as plt\nplt.plot([1, 2], [3, 4])\nplt.show()",
}


@pytest.fixture(scope="module")
def cells(at: str) -> dict[str, Any]:
    said = run(at, *CELLS.values())
    assert said["status"] == "Success", said
    assert said["driver"]["status"] == "Finished"
    return dict(zip(CELLS, said["cells"], strict=True))


def test_cells_share_a_kernel(cells: dict[str, Any]) -> None:
    nothing = {"stdout": "", "stderr": "", "display": [], "error": []}
    assert cells["set"] == nothing
    assert cells["shown"] == {**nothing, "display": [{"text/plain": "'hello'"}]}
    assert cells["printed"] == {**nothing, "stdout": "hello\n"}
    assert cells["apart"] == {**nothing, "stderr": "apart\n"}
    assert cells["displayed"] == {**nothing, "display": [{"text/plain": "{'x': 1}"}]}


def test_an_error_ends_its_cell_and_not_the_notebook(cells: dict[str, Any]) -> None:
    names = {name: [error["ename"] for error in cell["error"]] for name, cell in cells.items()}
    assert names["failed"] == ["AssertionError"]
    assert names["broken"] == ["SyntaxError"]
    assert names["left"] == ["SystemExit"]
    assert names["asked"] == ["StdinNotImplementedError"]
    assert "AssertionError" in "".join(cells["failed"]["error"][0]["traceback"])
    assert cells["afterwards"]["stdout"] == "hello é\n"


def test_what_processes_write_belongs_to_the_cell(cells: dict[str, Any]) -> None:
    assert cells["processes"]["stdout"] == "out\n"
    assert cells["processes"]["stderr"] == "err\n"
    assert cells["command"]["stdout"] == "hello\n", cells["command"]


def test_a_cell_may_await(cells: dict[str, Any]) -> None:
    assert cells["awaited"]["display"] == [{"text/plain": "7"}]


def test_a_plot_is_a_picture(cells: dict[str, Any]) -> None:
    """As SandboxFusion's own tests have it."""
    assert cells["plotted"]["error"] == []
    assert "image/png" in cells["plotted"]["display"][-1]


def test_files_in_and_out(at: str) -> None:
    said = run(
        at,
        "text = open('data/in.txt').read()\nimport helper",
        "open('out.txt', 'w').write(text.upper() + helper.NAME);",
        files={
            "data/in.txt": base64.b64encode(b"abc").decode(),
            "helper.py": base64.b64encode(b"NAME = 'x'").decode(),
        },
        fetch_files=["./out.txt", "missing"],
    )
    assert said["status"] == "Success", said
    assert said["files"] == {"./out.txt": base64.b64encode(b"ABCx").decode()}


def test_later_cells_are_out_of_reach(at: str) -> None:
    """What a model wrote must not read the tests in the cells after its own."""
    look = """
import gc, glob, os

def texts():
    for path in [*glob.glob('/proc/*/fd/0'), *glob.glob('*')]:
        try:
            with open(path, 'rb') as file:
                yield file.read(1 << 20)
        except OSError:
            pass
    for folder in glob.glob('/proc/[0-9]*'):
        try:
            with open(folder + '/maps') as maps, open(folder + '/mem', 'rb', 0) as memory:
                if int(folder[6:]) == os.getpid():
                    continue
                for line in maps:
                    place, rights = line.split()[:2]
                    begin, end = (int(part, 16) for part in place.split('-'))
                    if rights.startswith('rw') and end - begin < 64 << 20:
                        memory.seek(begin)
                        yield memory.read(end - begin)
        except OSError:
            pass
    for thing in gc.get_objects():
        if isinstance(thing, list):
            yield b''.join(one.encode() for one in thing if isinstance(one, str))

print(any(b'the ' + b'answer is 42' in text for text in texts()))
"""
    said = run(at, look, "'the answer is 42'")
    assert said["status"] == "Success", said
    assert said["cells"][0]["stdout"] == "False\n", said["cells"][0]


@pytest.mark.parametrize(
    "cell",
    [
        "while True: pass",
        "import time; time.sleep(600)",
        "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
    ],
)
def test_a_cell_that_takes_too_long_ends_the_notebook(at: str, cell: str) -> None:
    said = run(at, "print('before')", cell, "print('after')", cell_timeout=0.3)
    assert said["status"] == "Failed", said
    assert said["driver"]["status"] == "TimeLimitExceeded"
    assert said["cells"][0]["stdout"] == "before\n"
    assert len(said["cells"]) == 2


@pytest.mark.parametrize(
    "cell",
    [
        "import os; os._exit(0)",
        "import os; os.kill(os.getppid(), 9) or os._exit(0)",
        "import ctypes; ctypes.string_at(0)",
    ],
)
def test_a_kernel_that_ends_has_failed(at: str, cell: str) -> None:
    said = run(at, "print('before')", cell, "print('after')")
    assert said["status"] == "Failed", said
    assert "after" not in json.dumps(said["cells"])


def test_nobody_finishes_a_notebook_but_the_driver(at: str) -> None:
    """Records written by a cell itself, into every descriptor that there is."""
    forge = """
import json, os
for line in ('["done"]', '["end", 0, "ok"]', '["end", 1, "ok"]', '0]\\n["done"]\\n[0', '[' * 99999):
    for fd in range(1, 64):
        try:
            os.write(fd, b'\\n' + line.encode() + b'\\n')
        except OSError:
            pass
os._exit(0)
"""
    said = run(at, forge, "print('after')")
    assert said["status"] == "Failed", said


def test_what_is_asked_wrongly(url: str) -> None:
    where = f"{url}/sandboxfusion/run_jupyter"
    for body in (
        {},
        {"cells": "print(1)"},
        {"cells": [], "kernel": "ir"},
        {"cells": ["x"] * 10_001},
    ):
        status, _ = ask(where, body)
        assert status in (413, 422), body
    said = run(url, "1", files={"a": "YQ"})
    assert said["status"] == "SandboxError"
    assert "base64" in said["message"]
    said = run(url, "1", files={"../a": "YQ=="})
    assert said["status"] == "SandboxError"


def test_no_cells_are_no_failure(url: str) -> None:
    said = run(url)
    assert (said["status"], said["cells"]) == ("Success", [])


def test_an_output_without_end_has_failed(url: str) -> None:
    said = run(url, "while True: print('x' * 65536)", "print('after')", total_timeout=20)
    assert said["status"] == "Failed", said["status"]
    assert len(said["cells"]) == 1


def test_where_there_is_no_kernel_the_remedy_is_said(tmp_path: Path) -> None:
    """A Python of its own, without any package."""
    venv.create(tmp_path / "bare", symlinks=True)
    python = {"python": {"interpreter": str(tmp_path / "bare" / "bin" / "python3")}}
    with compat_daemon({"sandboxfusion": "/sandboxfusion"}, languages=python) as (_, where):
        said = run(where, "1")
    assert said["status"] == "SandboxError", said
    assert "python3-ipykernel" in said["message"]
    assert "interpreter" in said["message"]
