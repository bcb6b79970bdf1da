"""What programs that try submissions out share: the job they read, where records go, time, and what
the harnesses in whose places they stand take away from a submission.

Standard library only, on Python 3.9 and newer.
"""

import builtins
import contextlib
import importlib.machinery
import io
import json
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

#: Bound here, out of reach of a submission that changes modules.
_write, _exit, _dumps = os.write, os._exit, json.dumps
_cpu_now, _now, _set_alarm = time.process_time, time.monotonic, signal.setitimer

#: LiveCodeBench/LiveCodeBench:lcb_runner/evaluation/testing_util.py and
#: evalplus/evalplus:evalplus/eval/utils.py, `reliability_guard`.
_GONE_FROM_OS = (
    "kill system putenv remove removedirs rmdir fchdir setuid fork forkpty killpg rename renames "
    "truncate replace unlink fchmod fchown chmod chown chroot lchflags lchmod lchown getcwd chdir"
)
_GONE_MODULES = ("ipdb", "joblib", "resource", "psutil", "tkinter")
#: Sleepers are ended by wall time, of which a test has as much as a daemon gives where nobody asks.
_WALL_FACTOR, _WALL_EXTRA_S = 2.0, 5.0
_SHORTEST_S = 0.005


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
    """What there is to do, and what is attached to it; of standard input nothing is left."""
    with open(0, "rb", closefd=False) as file:
        job, _, attached = file.read().partition(b"\n")
    return json.loads(job), attached


class Limit:
    """A limit of CPU time, by an alarm.  When it rings, the process may have had less of the core
    than the clock has gone on: then it is set again, for what is left.  (A timer of CPU time is fed
    by the kernel's ticks, which count a process beside others for more than it had.)

    Parameters:
        over: what happens when the time is over; raises.
    """

    def __init__(self, over: Any) -> None:
        self._over = over
        self._until_cpu_s = self._until_wall_s = math.inf
        signal.signal(signal.SIGALRM, self._rung)

    def __call__(self, seconds: float) -> None:
        """From here on so many CPU seconds; 0: no limit."""
        # First of all, so that an alarm that rings just now finds nothing over.
        self._until_cpu_s = self._until_wall_s = math.inf
        _set_alarm(signal.ITIMER_REAL, seconds)
        if seconds:
            self._until_wall_s = _now() + seconds * _WALL_FACTOR + _WALL_EXTRA_S
            self._until_cpu_s = _cpu_now() + seconds

    def _rung(self, signum: int, frame: Any) -> None:
        left_s = min(self._until_cpu_s - _cpu_now(), self._until_wall_s - _now())
        if left_s <= 0:
            self._over()
        if left_s < math.inf:
            _set_alarm(signal.ITIMER_REAL, max(left_s, _SHORTEST_S))


class _Without:
    """Finds a module and takes names away from it as soon as somebody imports it: to import it just
    for that would cost more than most submissions do.

    Parameters:
        module: its name.
        gone: of it.
    """

    def __init__(self, module: str, gone: Any) -> None:
        self._module = module
        self._gone = gone

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """As a finder of `sys.meta_path` does; of one module alone."""
        if name != self._module:
            return None
        spec: Any = importlib.machinery.PathFinder.find_spec(name)
        if spec is None:
            return None
        fill = spec.loader.exec_module

        def fill_and_take(module: Any) -> None:
            fill(module)
            self.take(module)

        spec.loader.exec_module = fill_and_take
        return spec

    def take(self, module: Any) -> None:
        """Take the names away."""
        for name in self._gone:
            setattr(module, name, None)


def _take_away(module: str, *gone: str) -> None:
    taker = _Without(module, gone)
    if module in sys.modules:
        taker.take(sys.modules[module])
    finders: Any = sys.meta_path
    finders.insert(0, taker)


def guard(*names: str) -> None:
    """Take away what `reliability_guard` takes away, and these builtins."""
    for name in names:
        setattr(builtins, name, None)
    os.environ["OMP_NUM_THREADS"] = "1"
    for name in _GONE_FROM_OS.split():
        setattr(os, name, None)
    _take_away("shutil", "rmtree", "move", "chown")
    _take_away("subprocess", "Popen")
    modules: Any = sys.modules
    for name in _GONE_MODULES:
        modules[name] = None


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


def execute(code: str, names: Any) -> None:
    """Execute a submission's text there; nothing of how ours was compiled counts for it."""
    exec(compile(code, "<string>", "exec", dont_inherit=True), names)
