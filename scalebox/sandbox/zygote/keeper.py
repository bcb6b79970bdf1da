"""The keeper of a slot that has no pid namespace: nothing that the slot started outlives it.

Where there is a pid namespace, the kernel kills all in it with its pid 1.  Elsewhere the launcher
stays between the daemon and the zygote as a child subreaper, asleep until either is gone, or until
the daemon says so by SIGTERM; then it kills every descendant and waits for it, and ends.  It never
runs anything, reads nothing that a program could write, and no program can signal it: Landlock
keeps signals inside, or the filter does.
"""

from __future__ import annotations

import os
import select
import signal
import time

from . import kernel, meter

#: Between two looks at what is left; at first dying processes need some time.
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.05


def watched_parent() -> int:
    """A descriptor that tells the end of this process's parent.

    Raises:
        OSError: the parent has ended already, or this kernel has no such descriptors.
    """
    parent = os.getppid()
    pidfd = kernel.pidfd_open(parent)
    if os.getppid() != parent:
        raise OSError("the daemon is gone")
    return pidfd


def keep(zygote: int, daemon: int) -> None:
    """Wait for the end of either, and end all the rest; does not return.

    Parameters:
        zygote: its process id, a child of this process.
        daemon: descriptor from `watched_parent`.
    """
    os.setsid()  # a terminal's Ctrl-C is the daemon's to hear
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    told, tell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGTERM, _ignore)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    kept = {0, 1, 2, told, tell, daemon}
    for fd in range(max(kept) + 1):
        if fd not in kept:
            try:
                os.close(fd)
            except OSError:
                continue
    os.closerange(max(kept) + 1, 1 << 16)
    poll = select.poll()
    for fd in (kernel.pidfd_open(zygote), daemon, told):
        poll.register(fd, select.POLLIN)
    poll.poll()
    end_descendants()
    os._exit(0)


def _ignore(*_: object) -> None:
    """The wake-up descriptor is what tells."""


def end_descendants() -> None:
    """Kill all descendants, and theirs, until there is none.

    This process must be a child subreaper: whoever loses its parent then becomes our child, so that
    having no child means that there are no descendants.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        _stop_all()
        for pid, born in meter.descendants(os.getpid()).items():
            meter.send_signal(pid, born, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)


def _stop_all() -> None:
    """Stop first what may be forking: killing one by one would only make room for more."""
    stopped = set()  # type: set[tuple[int, str]]
    while True:
        found = [one for one in meter.descendants(os.getpid()).items() if one not in stopped]
        if not found:
            return
        for pid, born in found:
            meter.send_signal(pid, born, signal.SIGSTOP)
        stopped.update(found)
