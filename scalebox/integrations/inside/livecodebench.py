"""Tries a program out as LiveCodeBench does: one process for all tests, standard input a stand-in.

Written from what LiveCodeBench/LiveCodeBench:lcb_runner/evaluation/testing_util.py does; what it
does there with the expected outputs is done outside (`..livecodebench.strict`).  Reads one JSON
object: `code`, `inputs`, `fn_name`, `timeout_s`.  Time is CPU time, with an alarm behind it that
ends sleepers.
"""

import ast
import builtins
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from typing import Any

from scalebox_values import encode

_STARRED = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools "
    "operator io sys json builtins typing"
).split()
PREAMBLE = (
    "".join("from %s import *\n" % name for name in _STARRED)
    + "".join("import %s\n" % name for name in _STARRED[:-2])
    + "sys.setrecursionlimit(50000)\n"
)
_GONE_FROM_OS = (
    "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames "
    "truncate replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir"
).split()
_GONE_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")
#: There is such a limit on wall time, too, as a daemon has it where nobody asks for another.
_WALL_FACTOR, _WALL_EXTRA_S = 2.0, 5.0

_write, _exit, _dumps, _loads, _now = os.write, os._exit, json.dumps, json.loads, time.time


class TimeoutException(Exception):
    """What a program over its time finds raised in itself."""


def _expired(signum: int, frame: Any) -> None:
    print("timeout occured: alarm went off")
    raise TimeoutException


def _limit(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(
        signal.ITIMER_REAL, seconds * _WALL_FACTOR + _WALL_EXTRA_S if seconds else 0.0
    )


class Channel:
    """Where records go: what was standard output; what is printed there later goes nowhere."""

    def __init__(self) -> None:
        self._fd = os.dup(1)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nowhere, fd)

    def send(self, **record: Any) -> None:
        """Write one line."""
        left = (_dumps(record) + "\n").encode("ascii")
        while left:
            left = left[_write(self._fd, left) :]


class MockBuffer:
    """`sys.stdin.buffer`: the whole input, or always its first line."""

    def __init__(self, text: str) -> None:
        self._data = text.encode("utf-8")

    def read(self, *_: Any) -> bytes:
        return self._data

    def readline(self, *_: Any) -> bytes:
        return self._data.split(b"\n")[0] + b"\n"


class MockStdinWithBuffer:
    """`sys.stdin`; the rest of its methods are those of a StringIO, but it is no iterator."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._stringio = io.StringIO(text)
        self.buffer = MockBuffer(text)

    def read(self, *_: Any) -> str:
        return self._text

    def readline(self, *arguments: Any) -> str:
        return self._stringio.readline(*arguments)

    def readlines(self, *_: Any) -> Any:
        return self._text.split("\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stringio, name)


def guard() -> None:
    """Take away what their `reliability_guard` takes away."""
    setattr(builtins, "quit", None)  # noqa: B010
    setattr(builtins, "help", None)  # noqa: B010
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in _GONE_FROM_OS:
        setattr(os, name, None)
    for name in ("rmtree", "move", "chown"):
        setattr(shutil, name, None)
    setattr(subprocess, "Popen", None)  # noqa: B010
    modules: Any = sys.modules
    for name in _GONE_MODULES:
        modules[name] = None


def wrapped(code: str) -> str:
    """A program over standard input as the body of `wrapped_function`, its imports before it."""
    try:
        body = ast.parse(code).body
        last = body[-1]
        if isinstance(last, ast.If) and ast.unparse(last.test) == "__name__ == '__main__'":
            code = ast.unparse(ast.Module(body[:-1] + last.body, []))
    except Exception:
        pass
    try:
        body = ast.parse(code).body
        imports: Any = [one for one in body if isinstance(one, (ast.Import, ast.ImportFrom))]
        others = [one for one in body if not isinstance(one, (ast.Import, ast.ImportFrom))]
        empty = ast.arguments(
            posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        function: Any = ast.FunctionDef(
            name="wrapped_function", args=empty, body=others, decorator_list=[], lineno=-1
        )
        return PREAMBLE + "\n" + ast.unparse(imports) + "\n" + ast.unparse(function)
    except Exception:
        return code


def load(code: str, timeout_s: float) -> Any:
    """Execute the text as a module; the module, or the `Solution()` of it."""
    _limit(timeout_s)
    try:
        module = types.ModuleType("tmp_sol", "")
        exec(compile(code, "<string>", "exec", dont_inherit=True), module.__dict__)
        return module.Solution() if "class Solution" in code else module
    finally:
        _limit(0)


def found(where: Any, name: str) -> Any:
    """The function of that name.

    Raises:
        TypeError: there is none; in the words of theirs.
    """
    method = getattr(where, name, None)
    if method is None:
        raise TypeError("cannot unpack non-iterable NoneType object")
    return method


def call_with_input(method: Any, text: Any) -> None:
    """Call the program with stand-ins in the places of standard input and `builtins.open`.

    The methods of the real standard input are replaced as well, because `from sys import stdin` was
    executed before this.
    """
    if isinstance(text, list):
        text = "\n".join(text)
    lines = iter(text.split("\n"))
    real: Any = sys.stdin
    opened, mocked = builtins.open, []

    def open_mock(*arguments: Any, **named: Any) -> Any:
        if not mocked:
            from unittest import mock  # slow to load, and rarely wanted

            mocked.append(mock.mock_open(read_data=text))
        return mocked[0](*arguments, **named)

    real.read = lambda *_: text
    real.readlines = lambda *_: text.split("\n")
    real.readline = lambda *_: next(lines)
    mocked_stdin: Any = MockStdinWithBuffer(text)
    sys.stdin = mocked_stdin
    builtins.open = open_mock
    try:
        method()
    except SystemExit:
        pass
    finally:
        builtins.open = opened
        sys.stdin = real
        del real.read, real.readlines, real.readline


def try_stdio(job: Any, channel: Channel) -> None:
    """All tests over standard input, until one raises."""
    method = found(load(wrapped(job["code"]), job["timeout_s"]), "wrapped_function")
    for number, text in enumerate(job["inputs"]):
        kept = sys.stdout
        captured: Any = io.StringIO()
        captured.close = lambda x: 1
        sys.stdout = captured
        _limit(job["timeout_s"])
        try:
            begun = _now()
            call_with_input(method, text)
            spent_s = _now() - begun
            _limit(0)
        except Exception as error:
            _limit(0)
            channel.send(test=number, error=repr(error))
            return
        finally:
            _limit(0)
            sys.stdout = kept
        channel.send(test=number, output=captured.getvalue(), spent_s=spent_s)


def try_calls(job: Any, channel: Channel) -> None:
    """All calls of the function, until one raises."""
    method = found(load(PREAMBLE + "\n\n" + job["code"], job["timeout_s"]), job["fn_name"])
    calls = [[_loads(line) for line in text.split("\n")] for text in job["inputs"]]
    for number, arguments in enumerate(calls):
        _limit(job["timeout_s"])
        try:
            begun = _now()
            value = method(*arguments)
            spent_s = _now() - begun
            _limit(0)
            if isinstance(value, tuple):
                value = list(value)
            shown = shortened(str(value))
        except Exception as error:
            channel.send(
                test=number, error=repr(error), arguments=shortened(str(arguments))
            )
            return
        finally:
            _limit(0)
        channel.send(
            test=number,
            value=encode(value),
            shown=shown,
            arguments=shortened(str(arguments)),
            spent_s=spent_s,
        )


def shortened(text: str) -> str:
    """As their `truncatefn` shortens what is shown."""
    return text if len(text) <= 300 else text[:150] + "...(truncated) ..." + text[-150:]


def main() -> None:
    """Everything; ends the process, whatever the program left running."""
    with open(0, "rb", closefd=False) as file:
        job = _loads(file.read())
    channel = Channel()
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(50000)
    signal.signal(signal.SIGPROF, _expired)
    signal.signal(signal.SIGALRM, _expired)
    guard()
    _limit(job["timeout_s"])
    try:
        (try_stdio if job["fn_name"] is None else try_calls)(job, channel)
        channel.send(done=True)
    except Exception as error:
        channel.send(broken=str(error))
    _exit(0)


main()
