"""The last resort at level `minimal`: processes of a slot whose keeper was itself killed.

They have become children of the daemon, a child subreaper; or, if that was killed too, of the
system's first process.  They are known by what no program can take off: more seccomp filters than
the daemon has.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from scalebox.sandbox.zygote import meter

_KEY = b"Seccomp_filters:"
_PATIENCE_S = 2.0
_PAUSE_S = 0.005


class Strays:
    """Finds, kills and reaps them, a step at a time."""

    def __init__(self) -> None:
        self._killed: set[int] = set()

    def end(self) -> bool:
        """Kill those that there are, reap those that are dead; whether there may be more."""
        try:
            found = _find()
        except OSError:
            return True  # no descriptor left to look with; at the next step perhaps
        for pid in found:
            self._killed.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in list(self._killed):
            try:
                ended = os.waitpid(pid, os.WNOHANG)[0]
            except ChildProcessError:
                ended = pid
            if ended:
                self._killed.remove(pid)
        # What those leave behind becomes ours, and is found the next time.
        return bool(found or self._killed)


def end_inhabitants(directory: Path) -> None:
    """Kill what lives in, or was born into, a folder that a dead daemon's slots had.

    Unlike its own children, these are not certain to be found: a program can leave its folder, and
    execute another with an environment that does not name it.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while (found := _inhabitants(directory)) and time.monotonic() < deadline:
        for pid in found:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_S)


def _inhabitants(directory: Path) -> list[int]:
    own_filters = _filters("self")
    place = os.fsencode(directory)
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                facts = os.readlink(b"/proc/%s/cwd" % name.encode()) + b"/"
                facts += Path(f"/proc/{name}/environ").read_bytes()
                if place + b"/" in facts and _filters(name) > own_filters:
                    found.append(int(name))
    return found


def _find() -> list[int]:
    own_pid, own_filters = os.getpid(), _filters("self")
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = meter.stat_fields(int(name))
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if fields and int(fields[1]) == own_pid and _filters(name) > own_filters:
                    found.append(int(name))
    return found


def _filters(pid: str) -> int:
    """How many seccomp filters a process has; -1 if the kernel (< 5.9) does not say.

    Raises:
        OSError: the process is gone, or there is no descriptor left to look with.
    """
    # Of bytes: a program may have any name.
    for line in Path(f"/proc/{pid}/status").read_bytes().split(b"\n"):
        if line.startswith(_KEY):
            return int(line[len(_KEY) :])
    return -1
