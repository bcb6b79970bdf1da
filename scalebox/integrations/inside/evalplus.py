"""Calls a function with EvalPlus's inputs, inside the sandbox: one process for all of a task.

Written from what evalplus/evalplus:evalplus/eval/__init__.py (`unsafe_execute`) does; what it does
there with the expected outputs is done outside (`..evalplus`).  Reads one JSON object: `code`,
`entry_point`, `inputs` (encoded), `time_limits_s`, `guarded`.
"""

import builtins
import contextlib
import faulthandler
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import Any, Iterator

from scalebox_values import decode, encode

_GONE_FROM_OS = (
    "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames "
    "truncate replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir"
).split()
_GONE_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")
#: There is such a limit on wall time, too, as a daemon has it where nobody asks for another.
_WALL_FACTOR, _WALL_EXTRA_S = 2.0, 5.0

_write, _exit, _dumps, _loads, _now = os.write, os._exit, json.dumps, json.loads, time.process_time


class TimeoutException(Exception):
    """What a function over its time finds raised in itself."""


def _expired(signum: int, frame: Any) -> None:
    raise TimeoutException("Timed out!")


def _limit(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(
        signal.ITIMER_REAL, seconds * _WALL_FACTOR + _WALL_EXTRA_S if seconds else 0.0
    )


class WriteOnlyStringIO(io.StringIO):
    """All three standard streams: nothing can be read there."""

    def read(self, *_: Any) -> str:
        raise OSError

    def readline(self, *_: Any) -> str:  # type: ignore[override]
        raise OSError

    def readlines(self, *_: Any) -> Any:
        raise OSError

    def readable(self) -> bool:
        return False


@contextlib.contextmanager
def swallowed() -> Iterator[None]:
    """What is printed goes nowhere."""
    kept = sys.stdin, sys.stdout, sys.stderr
    sys.stdin = sys.stdout = sys.stderr = WriteOnlyStringIO()
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = kept


def guard() -> None:
    """Take away what their `reliability_guard` takes away."""
    faulthandler.disable()
    for name in ("exit", "quit", "help", "open"):
        setattr(builtins, name, None)
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in _GONE_FROM_OS:
        setattr(os, name, None)
    for name in ("rmtree", "move", "chown"):
        setattr(shutil, name, None)
    setattr(subprocess, "Popen", None)  # noqa: B010
    modules: Any = sys.modules
    for name in _GONE_MODULES:
        modules[name] = None


def main() -> None:
    """Everything; ends the process, whatever the function left running."""
    with open(0, "rb", closefd=False) as file:
        job = _loads(file.read())
    inputs = [decode(one) for one in job["inputs"]]
    channel = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)

    def send(**record: Any) -> None:
        left = (_dumps(record) + "\n").encode("ascii")
        while left:
            left = left[_write(channel, left) :]

    signal.signal(signal.SIGPROF, _expired)
    signal.signal(signal.SIGALRM, _expired)
    if job["guarded"]:
        guard()
    try:
        names: Any = {}
        with swallowed():
            exec(compile(job["code"], "<string>", "exec", dont_inherit=True), names)
            function = names[job["entry_point"]]
    except BaseException as error:
        send(broken=repr(error))
        _exit(0)
    for number, arguments in enumerate(inputs):
        try:
            with swallowed():
                begun = _now()
                _limit(job["time_limits_s"][number])
                try:
                    value = function(*arguments)
                finally:
                    _limit(0)
                spent_s = _now() - begun
            send(test=number, value=encode(value), spent_s=spent_s)
        except BaseException as error:
            send(test=number, error=repr(error)[:1000])
    _exit(0)


main()
