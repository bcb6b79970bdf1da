"""Load of others on this host, for tests of what it must not change."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

_SPIN = "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    sum(range(100_000))"


@contextlib.contextmanager
def other_load(per_core: int) -> Iterator[None]:
    """Processes that do nothing but use CPU time.

    Parameters:
        per_core: so many for each core of this process.
    """
    command = [sys.executable, "-c", _SPIN, str(os.getpid())]
    count = per_core * len(os.sched_getaffinity(0))
    # Each a session of its own: else they would share what the kernel gives to one.
    hogs = [subprocess.Popen(command, start_new_session=True) for _ in range(count)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
        for hog in hogs:
            hog.wait()
