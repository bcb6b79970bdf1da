"""Run a command as a pod with `hostUsers: false` runs it: `python pod.py UID CAPABILITIES -- …`.

A user namespace with 65,536 ids, in which the command is root with the capabilities named (joined
by commas), or another user without any, whom no exec gives more.  /proc is whole (`procMount:
Unmasked`); the file system is the host's, and there is no container engine's seccomp filter.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests import unprivileged

#: Nobody's, on any host.
FIRST_ID = 3_000_000
IDS = 65_536
_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWPID = 0x00020000, 0x10000000, 0x20000000
_MS_REC, _MS_PRIVATE = 16384, 1 << 18
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
#: include/uapi/linux/capability.h.
NUMBERS = {
    "DAC_OVERRIDE": 1,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_ADMIN": 12,
    "SYS_PTRACE": 19,
    "SYS_ADMIN": 21,
}
_LAST = 40

_libc = ctypes.CDLL(None, use_errno=True)


def command(uid: int, capabilities: list[str], words: list[str]) -> list[str]:
    """The same command in such a pod."""
    script = str(Path(__file__).resolve())
    return [sys.executable, "-I", script, str(uid), ",".join(capabilities), "--", *words]


def possible() -> bool:
    """Whether this process can make such a namespace; an ordinary user cannot."""
    if os.geteuid() != 0:
        return False
    words = command(0, [], [sys.executable, "-c", "import msgspec"])
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def main() -> None:
    """Make the namespaces, with the ids mapped from outside, and execute inside."""
    uid, capabilities, _, *words = sys.argv[1:]
    unprivileged.show([str(unprivileged.ROOT), sys.prefix, sys.base_prefix])
    unshared, tell_unshared = os.pipe()
    mapped, tell_mapped = os.pipe()
    inside = os.fork()
    if not inside:
        _check(_libc.unshare(_CLONE_NEWUSER), "unshare")
        os.write(tell_unshared, b"x")
        os.read(mapped, 1)
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        _check(_libc.unshare(_CLONE_NEWNS | _CLONE_NEWPID), "unshare")
        first = os.fork()
        if first:
            os._exit(os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) & 0xFF)
        _become(int(uid), [NUMBERS[name] for name in capabilities.split(",") if name])
        os.execvp(words[0], words)
    os.read(unshared, 1)
    for name in ("uid_map", "gid_map"):
        Path(f"/proc/{inside}/{name}").write_text(f"0 {FIRST_ID} {IDS}")
    os.write(tell_mapped, b"x")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(inside, 0)[1]) & 0xFF)


def _become(uid: int, kept: list[int]) -> None:
    _check(_libc.mount(b"none", b"/", b"none", _MS_REC | _MS_PRIVATE, b""), "mount")
    _check(_libc.mount(b"proc", b"/proc", b"proc", 0, b""), "mount")
    for number in range(_LAST + 1):
        if number not in kept:
            _check(_libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0), "prctl")
    if uid:
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def _check(result: int, what: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
