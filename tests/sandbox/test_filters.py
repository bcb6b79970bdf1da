"""The seccomp filters: their numbers against the kernel's headers, what they decide on both
machines, and what they keep programs from doing to others."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
from pathlib import Path

import pytest

from scalebox.model import IsolationLevel
from scalebox.sandbox.zygote import filters, kernel
from tests.sandbox.conftest import Bench

#: From here on a call has the same number everywhere.
_FIRST_COMMON = 424
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_ERRNO = 0x00050000
_ARCHITECTURES = {False: 0xC000003E, True: 0xC00000B7}
#: What the kernel's own <asm/unistd.h> says on arm64 before it includes the generic table.
_ARM64 = (
    "".join(
        f"#define __ARCH_WANT_{name}\n"
        for name in (
            "RENAMEAT",
            "NEW_STAT",
            "SET_GET_RLIMIT",
            "TIME32_SYSCALLS",
            "SYS_CLONE3",
            "MEMFD_SECRET",
        )
    )
    + "#include <asm-generic/unistd.h>\n"
)


def _header_numbers(text: str) -> dict[str, int]:
    words = ["cc", "-E", "-dM", "-D__BITS_PER_LONG=64", "-x", "c", "-"]
    said = subprocess.run(words, input=text, capture_output=True, text=True, check=True).stdout
    raw = dict(re.findall(r"#define (__NR\w+) (\w+)", said))
    found = {}
    for name, value in raw.items():
        resolved = raw.get(value, value)
        if name.startswith("__NR_") and resolved.isdigit():
            found[name.removeprefix("__NR_")] = int(resolved)
    return found


@pytest.mark.parametrize("arm64", [False, True], ids=["of this machine", "arm64"])
def test_numbers_are_those_of_the_kernels_headers(arm64: bool) -> None:
    column = 1 if arm64 or kernel.IS_ARM64 else 0
    header = _header_numbers(_ARM64 if arm64 else "#include <asm/unistd.h>\n")
    newest = max(number for name, number in header.items() if name != "syscalls")
    wrong = {}
    for name, numbers in kernel.NUMBERS.items():
        number = numbers[column]
        if name in header:
            if header[name] != number:
                wrong[name] = number, header[name]
        elif number >= 0 and not (number > newest and number >= _FIRST_COMMON):
            wrong[name] = number, None  # neither known to the headers nor newer than they are
    assert not wrong
    for name, (x86, arm) in kernel.NUMBERS.items():
        if max(x86, arm) >= _FIRST_COMMON:
            assert x86 == arm, name


def test_filters_name_only_calls_of_the_table() -> None:
    named = {*filters.DENIED, *filters.UNKNOWN, *filters.METADATA, *filters.ATTRIBUTES}
    assert named <= set(kernel.NUMBERS)
    assert max(max(numbers) for numbers in kernel.NUMBERS.values()) < filters.FIRST_UNKNOWN


def _decision(program: bytes, number: int, *arguments: int, table: int) -> int:
    """What the kernel would answer, by the rules of classic BPF."""
    data = struct.pack("IIQ6Q", number, table, 0, *[*arguments, *[0] * (6 - len(arguments))])
    code = [struct.unpack_from("HBBI", program, at) for at in range(0, len(program), 8)]
    accumulator = at = 0
    while True:
        operation, jump_true, jump_false, value = code[at]
        at += 1
        if operation == 0x20:
            [accumulator] = struct.unpack_from("I", data, value)
        elif operation == 0x54:
            accumulator &= value
        elif operation == 0x05:
            at += value
        elif operation == 0x06:
            return int(value)
        else:
            holds = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[operation]
            at += jump_true if holds else jump_false


class Machine:
    """Filters as they are on one of the two architectures."""

    def __init__(self, arm64: bool) -> None:
        self.table = _ARCHITECTURES[arm64]
        self.column = 1 if arm64 else 0
        self.header = _header_numbers(_ARM64 if arm64 else "#include <asm/unistd.h>\n")

    def asks(self, program: bytes, name: str, *arguments: int) -> int:
        number = kernel.NUMBERS[name][self.column] if name in kernel.NUMBERS else self.header[name]
        return _decision(program, number, *arguments, table=self.table)

    def has(self, name: str) -> bool:
        return kernel.NUMBERS[name][self.column] >= 0


@pytest.fixture(
    params=sorted({kernel.IS_ARM64, True}), ids=["this", "arm64"][-len({kernel.IS_ARM64, True}) :]
)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """This machine, and arm64 where this is another one."""
    monkeypatch.setattr(kernel, "IS_ARM64", request.param)
    monkeypatch.setattr(filters, "_AUDIT_ARCH", _ARCHITECTURES[request.param])
    return Machine(request.param)


@pytest.mark.parametrize("own_network", [True, False])
def test_slot_filter_decides_as_it_says(machine: Machine, own_network: bool) -> None:
    program = filters.slot_filter(own_network)
    for name in filter(machine.has, filters.DENIED):
        assert machine.asks(program, name) == _ERRNO | filters.EPERM, name
    for name in filter(machine.has, filters.UNKNOWN):
        assert machine.asks(program, name) == _ERRNO | filters.ENOSYS, name
    for name in (
        "read",
        "write",
        "openat",
        "execve",
        "mmap",
        "futex",
        "wait4",
        "exit_group",
        "kill",
        "mount",
        "umount2",
        "statx",
        "getdents64",
        "fchmodat",
        "sched_getaffinity",
    ):
        assert machine.asks(program, name) == _ALLOW, name
    assert machine.asks(program, "clone", 17) == _ALLOW
    assert machine.asks(program, "clone", 0x10000000 | 17) == _ERRNO | filters.EPERM
    assert _decision(program, 470, table=machine.table) == _ERRNO | filters.ENOSYS
    assert _decision(program, 0x40000000 | 1, table=machine.table) == _ERRNO | filters.ENOSYS
    assert _decision(program, 0, table=0x40000003) == _KILL


def test_a_process_changes_only_itself(machine: Machine) -> None:
    program = filters.slot_filter(True)
    for name in filters.ON_ITSELF:
        assert machine.asks(program, name, 0, 3) == _ALLOW
        assert machine.asks(program, name, 1, 3) == _ERRNO | filters.EPERM
    assert machine.asks(program, "sched_setscheduler", 0, 0) == _ALLOW
    assert machine.asks(program, "sched_setscheduler", 1, 0) == _ERRNO  # success, and nothing done
    assert machine.asks(program, "prlimit64", 0, 7, 1 << 20) == _ALLOW
    assert machine.asks(program, "prlimit64", 1, 7) == _ERRNO | filters.EPERM
    for name, kind in filters.ON_ITSELF_OF_A_KIND.items():
        assert machine.asks(program, name, kind, 0) == _ALLOW
        assert machine.asks(program, name, kind, 1) == _ERRNO | filters.EPERM
        assert machine.asks(program, name, kind + 1, 0) == _ERRNO | filters.EPERM


def test_the_limit_of_core_files_stays(machine: Machine) -> None:
    program, core = filters.slot_filter(True), filters.RLIMIT_CORE
    assert machine.asks(program, "setrlimit", core, 0x7000) == _ERRNO
    assert machine.asks(program, "setrlimit", core + 1, 0x7000) == _ALLOW
    for new in (0x7000, 1 << 32, (1 << 32) + 8):
        assert machine.asks(program, "prlimit64", 0, core, new) == _ERRNO
        assert machine.asks(program, "prlimit64", 0, core + 1, new) == _ALLOW
    assert machine.asks(program, "prlimit64", 0, core, 0) == _ALLOW


def test_only_ordinary_sockets_are_made(machine: Machine) -> None:
    program = filters.slot_filter(True)
    nonblocking = 0o4000
    for allowed in (
        (1, 1, 0), (1, 5, 0), (2, 1, 0), (2, 2 | nonblocking, 17), (10, 1, 6), (16, 3, 0),
    ):  # fmt: skip
        assert machine.asks(program, "socket", *allowed) == _ALLOW, allowed
    for refused in (
        (2, 3, 1), (2, 1, 132), (2, 1, 262), (2, 5, 0), (10, 3, 58), (16, 3, 9), (17, 3, 0),
        (38, 5, 0), (40, 1, 0),
    ):  # fmt: skip
        assert machine.asks(program, "socket", *refused) & _ERRNO, refused
    walls_less = filters.slot_filter(False)
    assert machine.asks(walls_less, "socket", 1, 1, 0) == _ERRNO | filters.EAFNOSUPPORT
    assert machine.asks(walls_less, "socketpair", 1, 1, 0) == _ALLOW


def test_files_of_others_keep_mode_owner_times_and_attributes(machine: Machine) -> None:
    program = filters.files_of_others_filter()
    for name in filter(machine.has, filters.METADATA):
        assert machine.asks(program, name) == _ERRNO, name  # success, and nothing done
    for name in filter(machine.has, filters.ATTRIBUTES):
        assert machine.asks(program, name) == _ERRNO | filters.EOPNOTSUPP, name
    assert machine.asks(program, "ioctl", 0, 0x40086602) == _ERRNO | filters.EOPNOTSUPP
    assert machine.asks(program, "ioctl", 0, 0x5401) == _ALLOW
    assert machine.asks(program, "inotify_add_watch") == _ERRNO | filters.EPERM
    assert machine.asks(program, "openat") == _ALLOW


def test_signals_go_to_oneself_only(machine: Machine) -> None:
    program = filters.own_signals_only_filter(4321)
    for name in ("kill", "tgkill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"):
        assert machine.asks(program, name, 4321) == _ALLOW
        assert machine.asks(program, name, 4322) == _ERRNO | filters.EPERM
    for name in ("pidfd_open", "pidfd_send_signal"):
        assert machine.asks(program, name) == _ERRNO | filters.EPERM
    assert machine.asks(program, "fcntl", 3, 8) == _ERRNO | filters.EPERM
    assert machine.asks(program, "fcntl", 3, 3) == _ALLOW
    assert machine.asks(program, "ioctl", 3, 0x8901) == _ERRNO | filters.EPERM


async def test_pid_1_keeps_its_priority_and_scheduling(bench: Bench) -> None:
    source = """
import os
for pid in {1, os.getppid()}:
    for change in (lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
                   lambda: os.setpriority(os.PRIO_PGRP, pid, 19),
                   lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))):
        try:
            change()
            print('changed', pid)
        except PermissionError:
            pass
try:
    os.setpriority(os.PRIO_USER, os.getuid(), 19)
    print('changed everything')
except PermissionError:
    pass
os.nice(1)
print('done')
"""
    outcome = await bench.python(source)
    assert outcome.stdout == b"done\n"


async def test_no_descriptor_of_ours_is_inherited(bench: Bench) -> None:
    source = """
import fcntl
for fd in range(3, 200):
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
        print(fd)
    except OSError:
        pass
"""
    assert (await bench.python(source)).stdout == b""


async def test_files_of_the_host_are_not_changed(bench: Bench, tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)  # in sight, where there are no walls
    target = tmp_path / "theirs"
    target.write_text("text")
    target.chmod(0o600)
    before = target.stat()
    source = f"""
import os
for change in (lambda: os.chmod({str(target)!r}, 0o777), lambda: os.utime({str(target)!r}, (1, 1)),
               lambda: os.setxattr({str(target)!r}, 'user.left', b'left')):
    try:
        change()
    except OSError:
        pass
"""
    await bench.python(source)
    after = target.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert not os.listxattr(target)


async def test_folders_of_the_host_are_not_watched(bench: Bench, tmp_path: Path) -> None:
    source = f"""
import ctypes
libc = ctypes.CDLL(None)
own = libc.inotify_init1(0)
print(libc.inotify_add_watch(own, {os.fsencode(tmp_path)!r}, 0xfff))
"""
    assert (await bench.python(source)).stdout == b"-1\n"


async def test_changes_of_ones_own_files_do_not_fail(bench: Bench) -> None:
    source = """
import os, shutil
open('mine', 'w').write('x')
os.chmod('mine', 0o755)
os.utime('mine', (1, 1))
shutil.copy2('mine', 'copy')
print(open('copy').read(), oct(os.stat('mine').st_mode & 0o777))
"""
    outcome = await bench.python(source)
    # Without a mount namespace it is as on a file system that knows no modes.
    mode = b"0o644" if bench.level is IsolationLevel.MINIMAL else b"0o755"
    assert outcome.stdout == b"x " + mode + b"\n"


async def test_raw_sockets_and_odd_protocols_are_refused(bench: Bench) -> None:
    source = """
import socket
odd = (2, 3, 1), (2, 1, 132), (2, 1, 262), (16, 3, 9), (17, 3, 3), (40, 1, 0)
for family, kind, protocol in odd:
    try:
        socket.socket(family, kind, protocol)
        print(family, kind, protocol)
    except OSError as error:
        assert not isinstance(error, PermissionError), error
"""
    outcome = await bench.python(source)
    assert (outcome.stdout, outcome.stderr) == (b"", b"")
    assert socket.AF_VSOCK == 40
