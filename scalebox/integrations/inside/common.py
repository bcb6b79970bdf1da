"""What programs that try submissions out share: the job they read, where records go, time, and what
the harnesses in whose places they stand take away from a submission.

Standard library only, on Python 3.9 and newer.
"""

import builtins
import json
import os
import shutil
import signal
import subprocess
import sys
from typing import Any

#: Bound here, out of reach of a submission that changes modules.
_write, _exit, _dumps = os.write, os._exit, json.dumps

#: LiveCodeBench/LiveCodeBench:lcb_runner/evaluation/testing_util.py and
#: evalplus/evalplus:evalplus/eval/utils.py, `reliability_guard`.
_GONE_FROM_OS = (
    "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames "
    "truncate replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir"
)
_GONE_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")
#: Sleepers are ended by wall time, of which a test has as much as a daemon gives where nobody asks.
_WALL_FACTOR, _WALL_EXTRA_S = 2.0, 5.0


class TimeoutException(Exception):
    """What a submission over its time finds raised in itself."""


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

    def end(self) -> None:
        """End the process, whatever the submission left running."""
        _exit(0)


def read_job() -> Any:
    """What there is to do; of standard input nothing is left."""
    with open(0, "rb", closefd=False) as file:
        return json.loads(file.read())


def on_time_out(handler: Any) -> None:
    """Say what happens when `limit` is over."""
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, handler)


def limit(seconds: float) -> None:
    """From here on so many CPU seconds; 0: no limit."""
    wall_s = seconds * _WALL_FACTOR + _WALL_EXTRA_S if seconds else 0.0
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, wall_s)


def guard(*names: str) -> None:
    """Take away what `reliability_guard` takes away, and these builtins."""
    for name in names:
        setattr(builtins, name, None)
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in _GONE_FROM_OS.split():
        setattr(os, name, None)
    for name in ("rmtree", "move", "chown"):
        setattr(shutil, name, None)
    setattr(subprocess, "Popen", None)  # noqa: B010
    modules: Any = sys.modules
    for name in _GONE_MODULES:
        modules[name] = None


def execute(code: str, names: Any) -> None:
    """Execute a submission's text there; nothing of how ours was compiled counts for it."""
    exec(compile(code, "<string>", "exec", dont_inherit=True), names)
