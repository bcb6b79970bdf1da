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
import sys
import time
import types
from typing import Any

from scalebox_common import Channel, Limit, TimeoutException, execute, guard, read_job
from scalebox_values import encode

_STARRED = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools "
    "operator io sys json builtins typing"
)
_PLAIN = _STARRED.split()[:-2]
PREAMBLE = (
    "".join(f"from {name} import *\n" for name in _STARRED.split())
    + "".join(f"import {name}\n" for name in _PLAIN)
    + "sys.setrecursionlimit(50000)\n"
)

_loads, _spent_now = json.loads, time.time


def _over() -> None:
    print("timeout occured: alarm went off")
    raise TimeoutException


limit = Limit(_over)


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
        empty = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
        function: Any = ast.FunctionDef(
            name="wrapped_function", args=empty, body=others, decorator_list=[], lineno=-1
        )
        return PREAMBLE + "\n" + ast.unparse(imports) + "\n" + ast.unparse(function)
    except Exception:
        return code


def load(code: str, timeout_s: float) -> Any:
    """Execute the text as a module; the module, or the `Solution()` of it."""
    limit(timeout_s)
    try:
        module = types.ModuleType("tmp_sol", "")
        execute(code, module.__dict__)
        return module.Solution() if "class Solution" in code else module
    finally:
        limit(0)


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
    opened = builtins.open
    mocked: Any = []

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
        limit(job["timeout_s"])
        try:
            begun = _spent_now()
            call_with_input(method, text)
            spent_s = _spent_now() - begun
            limit(0)
        except Exception as error:
            limit(0)
            channel.send(test=number, error=repr(error))
            return
        finally:
            limit(0)
            sys.stdout = kept
        channel.send(test=number, output=captured.getvalue(), spent_s=spent_s)


def try_calls(job: Any, channel: Channel) -> None:
    """All calls of the function, until one raises."""
    method = found(load(PREAMBLE + "\n\n" + job["code"], job["timeout_s"]), job["fn_name"])
    calls = [[_loads(line) for line in text.split("\n")] for text in job["inputs"]]
    for number, arguments in enumerate(calls):
        limit(job["timeout_s"])
        try:
            begun = _spent_now()
            value = method(*arguments)
            spent_s = _spent_now() - begun
            limit(0)
            if isinstance(value, tuple):
                value = list(value)
            shown = shortened(str(value))
        except Exception as error:
            channel.send(test=number, error=repr(error), arguments=shortened(str(arguments)))
            return
        finally:
            limit(0)
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
    """Everything."""
    job, _ = read_job()
    channel = Channel()
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(50000)
    guard("quit", "help")
    limit(job["timeout_s"])
    try:
        (try_stdio if job["fn_name"] is None else try_calls)(job, channel)
        channel.send(done=True)
    except Exception as error:
        channel.send(broken=str(error))
    channel.end()


main()
