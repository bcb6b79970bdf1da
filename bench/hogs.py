"""Other people's work: processes that do nothing but use CPU time, beside a daemon."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

from bench import processes
from scalebox.errors import ScaleboxError

# One whose parent was killed ends, too.
_SPIN = """
import os, sys
while os.getppid() == int(sys.argv[1]):
    for _ in range(1_000_000):
        pass
"""


class Hogs:
    """Spinning processes.  Made by `hogs`."""

    def __init__(self, spinning: list[subprocess.Popen[bytes]]) -> None:
        self._spinning = spinning

    def cpu_s(self) -> float:
        """CPU seconds that they have used.

        Raises:
            ScaleboxError: one has ended: there was less load than is said.
        """
        if any(hog.poll() is not None for hog in self._spinning):
            raise ScaleboxError("a process that was to keep a core busy has ended")
        return sum(processes.cpu_s(hog.pid, reaped=False) for hog in self._spinning)


@contextlib.contextmanager
def hogs(count: int) -> Iterator[Hogs]:
    """Start so many; stop them at the end of the block."""
    command = [sys.executable, "-I", "-S", "-c", _SPIN, str(os.getpid())]
    spinning: list[subprocess.Popen[bytes]] = []
    try:
        spinning.extend(subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(count))
        yield Hogs(spinning)
    finally:
        for hog in spinning:
            hog.kill()
        for hog in spinning:
            hog.wait()
