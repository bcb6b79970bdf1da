"""Errors from system calls, where and when a test wants them, in a daemon and all that it starts.

The daemon is started under a seccomp filter that stops some system calls and asks here what becomes
of each: nothing is there that the kernel would not do by itself on a host that has run out of
something.  Executed with the number of a socket and a command, this module installs the filter,
sends what listens to it over the socket, and becomes the command.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import errno
import os
import platform
import select
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.daemons import Daemon, Place

_TABLES = {
    "x86_64": {"clone": 56, "fork": 57, "vfork": 58, "clone3": 435, "mount": 165,
               "memfd_create": 319, "pipe2": 293},
    "aarch64": {"clone": 220, "clone3": 435, "mount": 40, "memfd_create": 279, "pipe2": 59},
}  # fmt: skip
NUMBERS = _TABLES[platform.machine()]
_SECCOMP = {"x86_64": 317, "aarch64": 277}[platform.machine()]

_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
_PR_SET_NO_NEW_PRIVS = 38
_RET_ALLOW, _RET_USER_NOTIF = 0x7FFF0000, 0x7FC00000
_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_CONTINUE = 1
_NOTICE = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")


class Injected(Place):
    """Where a daemon's system calls can be made to fail.

    Attributes:
        policy: from a process id and the name of a system call to an error number; 0: none.
        daemon: the one that is running.
    """

    policy: Callable[[int, str], int]
    _theirs: socket.socket

    def command(self, *arguments: str, **tables: Mapping[str, Any]) -> list[str]:
        number = str(self._theirs.fileno())
        words = super().command(*arguments, **tables)
        return [sys.executable, "-m", "tests.faults.injection", number, *words]

    daemon: Daemon

    @contextlib.contextmanager
    def failing(self, policy: Callable[[int, str], int]) -> Iterator[None]:
        """With this policy; afterwards nothing fails any more."""
        self.policy = policy
        try:
            yield
        finally:
            self.policy = _nothing

    @contextlib.contextmanager
    def started(self, **tables: Mapping[str, Any]) -> Iterator[Daemon]:
        """A daemon, from start to end, whose system calls are answered meanwhile."""
        self.policy = _nothing
        ours, self._theirs = socket.socketpair()
        self.pass_fds = (self._theirs.fileno(),)
        with ours:
            with self._theirs:
                process = self.begin(**tables)
            rights = array.array("i")
            _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
            rights.frombytes(ancillary[0][2])
        end, stop = os.pipe()
        answering = threading.Thread(target=self._answer, args=(rights[0], end))
        answering.start()
        try:
            with process as self.daemon:
                yield self.daemon.when_ready()
        finally:
            os.close(stop)
            answering.join()
            os.close(end)
            os.close(rights[0])

    def _answer(self, listener: int, end: int) -> None:
        names = {number: name for name, number in NUMBERS.items()}
        libc = ctypes.CDLL(None, use_errno=True)
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        poll.register(end, select.POLLHUP)
        while all(fd == listener for fd, _ in poll.poll()):
            notice = ctypes.create_string_buffer(_NOTICE.size)
            if libc.ioctl(listener, ctypes.c_ulong(_RECEIVE), notice) < 0:
                if ctypes.get_errno() in (errno.ENOENT, errno.EINTR):
                    continue  # whoever asked was killed meanwhile
                return
            number, pid, _, call = _NOTICE.unpack(notice)[:4]
            error = self.policy(pid, names[call])
            answer = _ANSWER.pack(number, 0, -error, 0 if error else _CONTINUE)
            libc.ioctl(listener, ctypes.c_ulong(_SEND), ctypes.create_string_buffer(answer, 24))


def _nothing(pid: int, name: str) -> int:
    return 0


def is_pid_1(pid: int) -> bool:
    """Whether a process is the first of a pid namespace inside ours: a zygote that is ready."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                ids = line.split()[1:]
                return len(ids) > 1 and ids[-1] == "1"
    return False


def _install() -> int:
    """The listener of a filter on this process and all that it becomes."""
    load, equal, give = 0x20, 0x15, 0x06
    numbers = list(NUMBERS.values())
    program = [struct.pack("=HBBI", load, 0, 0, 0)]
    for place, number in enumerate(numbers):
        program.append(struct.pack("=HBBI", equal, len(numbers) - place, 0, number))
    program.append(struct.pack("=HBBI", give, 0, 0, _RET_ALLOW))
    program.append(struct.pack("=HBBI", give, 0, 0, _RET_USER_NOTIF))
    code = ctypes.create_string_buffer(b"".join(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid():
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    given = Program(len(program), ctypes.addressof(code))
    listener = libc.syscall(_SECCOMP, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(given))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "no seccomp filter with a listener")
    return int(listener)


def main() -> None:
    """See the module."""
    control = socket.socket(fileno=int(sys.argv[1]))
    listener = _install()
    rights = array.array("i", [listener])
    control.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    control.close()
    os.close(listener)
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
