"""The seccomp filters: which system calls a slot's programs never get.

What is denied is never needed by a program under test, and is a way out, a leak between runs, a
hold on others, or kernel surface.  Calls newer than this table are unknown, not allowed.
"""

from __future__ import annotations

import struct

from . import kernel
from .kernel import number

_LD_ABS = 0x20
_AND = 0x54
_JA = 0x05
_JEQ = 0x15
_JGE = 0x35
_JSET = 0x45
_RET = 0x06
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL_PROCESS = 0x80000000
EPERM = 1
ENOSYS = 38
EPROTONOSUPPORT = 93
EOPNOTSUPP = 95
EAFNOSUPPORT = 97

_AUDIT_ARCH = 0xC00000B7 if kernel.IS_ARM64 else 0xC000003E
#: Places in what a filter sees (struct seccomp_data): the call, the table, and the low half of each
#: argument; both machines are little-endian.
_CALL, _TABLE = 0, 4
_FIRST, _SECOND, _THIRD = 16, 24, 32
_HIGH_HALF = 4
#: The first number that this table knows nothing of (Linux 6.17); also below that of x32's calls,
#: which would slip past every comparison.
FIRST_UNKNOWN = 470

#: Never needed by a program under test.
DENIED = (
    "_sysctl", "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime",
    "delete_module", "fanotify_init", "fanotify_mark", "finit_module", "fsconfig", "fsmount",
    "fsopen", "fspick", "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load",
    "keyctl", "listmount", "lookup_dcookie", "lsm_set_self_attr", "mbind", "memfd_secret",
    "migrate_pages", "modify_ldt", "mount_setattr", "move_mount", "move_pages", "mq_open",
    "mq_unlink", "msgctl", "msgget", "name_to_handle_at", "nfsservctl", "open_by_handle_at",
    "open_tree", "open_tree_attr", "perf_event_open", "pidfd_getfd", "pivot_root",
    "process_madvise", "process_mrelease", "process_vm_readv", "process_vm_writev", "ptrace",
    "quotactl", "quotactl_fd", "reboot", "request_key", "sched_setaffinity", "semctl", "semget",
    "set_mempolicy", "set_mempolicy_home_node", "setdomainname", "sethostname", "setns",
    "settimeofday", "shmctl", "shmget", "statmount", "swapoff", "swapon", "sysfs", "syslog",
    "uselib", "ustat", "vhangup",
)  # fmt: skip
#: Answered with ENOSYS so that libraries fall back to the calls that can be filtered.
UNKNOWN = ("clone3", "io_setup", "io_uring_enter", "io_uring_register", "io_uring_setup",
           "userfaultfd")  # fmt: skip
#: Calls whose first argument is the process that they change: only the caller itself, which is 0.
ON_ITSELF = ("sched_setattr", "sched_setparam", "sched_setscheduler")
#: The policy that everything here has.  Setting it for another thread succeeds without effect:
#: libzmq does that to each of its own, by their numbers, and aborts where it cannot
#: (zeromq/libzmq:src/thread.cpp).
_SCHED_OTHER = 0
#: As those, with what the second argument means before it, and what it must be: a process.
ON_ITSELF_OF_A_KIND = {"ioprio_set": 1, "setpriority": 0}
#: The limit of core files: what pid 1 made it, for all programs.
RLIMIT_CORE = 4
_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOCK_STREAM, _SOCK_DGRAM, _SOCK_TYPE = 1, 2, 0xF
#: The default, TCP, UDP; of netlink only what tells of interfaces.  Others would make the kernel
#: load modules, or (raw, SCTP, MPTCP, …) are surface that nothing here needs.
_IP_PROTOCOLS = (0, 6, 17)
_NETLINK_ROUTE = 0

#: Change what the file system says of a file; see `files_of_others_filter`.
METADATA = (
    "chmod", "chown", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "futimesat",
    "lchown", "utime", "utimensat", "utimes",
)  # fmt: skip
ATTRIBUTES = (
    "file_setattr", "fremovexattr", "fsetxattr", "lremovexattr", "lsetxattr", "removexattr",
    "removexattrat", "setxattr", "setxattrat",
)  # fmt: skip
_SIGNALS = ("kill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "tgkill", "tkill")
#: FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR.
_IOCTL_ATTRIBUTES = (0x40086602, 0x401C5820)
#: F_SETOWN, F_SETOWN_EX; FIOSETOWN, SIOCSPGRP: whom a descriptor sends signals to.
_FCNTL_OWNER = (8, 15)
_IOCTL_OWNER = (0x8901, 0x8902)


def slot_filter(own_network: bool) -> bytes:
    """The program of a slot, installed once in pid 1 and inherited by every run.

    Parameters:
        own_network: whether the slot has a network namespace.  Without one no socket but a pair can
            be made: Landlock stops neither UDP nor connections to the host's pathname sockets.

    Installing a filter costs about 1 µs an instruction, so what can be is installed here and not
    per run; what differs between pid 1 and a program (mount, umount2, unshare of the network) rests
    on capabilities alone, which the program cannot regain: namespaces that would give them back are
    denied here.
    """
    body = [_op(_JGE, 0, 1, FIRST_UNKNOWN), _fail(ENOSYS)]
    namespaces = [
        _load(_FIRST),
        _op(_JSET, 0, 1, kernel.CLONE_NEW_ANY),
        _fail(EPERM),
        _op(_RET, 0, 0, _ALLOW),
    ]
    body += _if_call("clone", namespaces)
    for name in ON_ITSELF:
        usual = name == "sched_setscheduler"
        body += _if_call(name, [*(_usual_policy() if usual else ()), *_only_itself()])
    for name, kind in ON_ITSELF_OF_A_KIND.items():
        this_kind = [_load(_FIRST), _op(_JEQ, 1, 0, kind), _fail(EPERM)]
        body += _if_call(name, [*this_kind, _load(_SECOND), *_only((0,), EPERM)])
    body += _if_call("prlimit64", _limits_of_itself())
    # Under a lower limit, 0, the kernel would start the host's handler for a crash.
    no_core = [_load(_FIRST), _op(_JEQ, 0, 1, RLIMIT_CORE), _fail(0), _op(_RET, 0, 0, _ALLOW)]
    body += _if_call("setrlimit", no_core)
    body += _if_call("socket", _socket() if own_network else [_fail(EAFNOSUPPORT)])
    body += _if_call("socketpair", [_load(_FIRST), *_only((_AF_UNIX,), EAFNOSUPPORT)])
    # Pid 1 gives the slot another network; a program has not the capabilities.
    another = [_load(_FIRST), *_only((kernel.CLONE_NEWNET,), EPERM)]
    body += _if_call("unshare", another if own_network else [_fail(EPERM)])
    return _head() + b"".join([*body, *_refuse({ENOSYS: UNKNOWN, EPERM: DENIED})])


def _only_itself() -> list[bytes]:
    return [_load(_FIRST), *_only((0,), EPERM)]


def _usual_policy() -> list[bytes]:
    return [
        _load(_FIRST),
        _op(_JEQ, 3, 0, 0),
        _load(_SECOND),
        _op(_JEQ, 0, 1, _SCHED_OTHER),
        _fail(0),
    ]


def _limits_of_itself() -> list[bytes]:
    """Any limit is told; that of core files is set without effect."""
    return [
        _load(_FIRST),
        _op(_JEQ, 1, 0, 0),
        _fail(EPERM),
        _load(_SECOND),
        _op(_JEQ, 0, 5, RLIMIT_CORE),
        # Whether there is a new value: an address, of which either half may be zero.
        _load(_THIRD),
        _op(_JEQ, 0, 2, 0),
        _load(_THIRD + _HIGH_HALF),
        _op(_JEQ, 1, 0, 0),
        _fail(0),
        _op(_RET, 0, 0, _ALLOW),
    ]


def _socket() -> list[bytes]:
    internet = [
        _load(_SECOND),
        _op(_AND, 0, 0, _SOCK_TYPE),
        _op(_JEQ, 2, 0, _SOCK_STREAM),
        _op(_JEQ, 1, 0, _SOCK_DGRAM),
        _fail(EPROTONOSUPPORT),
        _load(_THIRD),
        *_only(_IP_PROTOCOLS, EPROTONOSUPPORT),
    ]
    netlink = [_load(_THIRD), *_only((_NETLINK_ROUTE,), EPROTONOSUPPORT)]
    return [
        _load(_FIRST),
        _op(_JEQ, 0, 1, _AF_UNIX),
        _op(_RET, 0, 0, _ALLOW),
        _op(_JEQ, 0, len(netlink), _AF_NETLINK),
        *netlink,
        _op(_JEQ, 2, 0, _AF_INET),
        _op(_JEQ, 1, 0, _AF_INET6),
        _fail(EAFNOSUPPORT),
        *internet,
    ]


def files_of_others_filter() -> bytes:
    """Where the host's files are in sight: none is changed or watched that cannot be opened.

    Landlock decides who opens a file, and not yet who changes its mode, owner, times and
    attributes, nor who is told of changes.  No filter sees paths, so the calls do nothing to a
    program's own files either: changes of mode, owner and times succeed without effect, as on file
    systems that have none, and attributes are not supported.
    """
    by_argument = _if_call("ioctl", [_load(_SECOND), *_none_of(_IOCTL_ATTRIBUTES, EOPNOTSUPP)])
    refused = {0: METADATA, EOPNOTSUPP: ATTRIBUTES, EPERM: ("inotify_add_watch",)}
    return b"".join([_load(_CALL), *by_argument, *_refuse(refused)])


def own_signals_only_filter(pid: int) -> bytes:
    """Where program and bystanders share a uid and a pid namespace: signals to itself only."""
    body = [_load(_CALL)]
    body += _if_call("fcntl", [_load(_SECOND), *_none_of(_FCNTL_OWNER, EPERM)])
    body += _if_call("ioctl", [_load(_SECOND), *_none_of(_IOCTL_OWNER, EPERM)])
    for name in _SIGNALS:
        body += _if_call(name, [_load(_FIRST), *_only((pid, 0), EPERM)])
    return b"".join([*body, *_refuse({EPERM: ("pidfd_open", "pidfd_send_signal")})])


def _head() -> bytes:
    return b"".join(
        [
            _load(_TABLE),
            _op(_JEQ, 1, 0, _AUDIT_ARCH),
            _op(_RET, 0, 0, _KILL_PROCESS),
            _load(_CALL),
        ]
    )


def _op(code: int, jump_true: int, jump_false: int, value: int) -> bytes:
    return struct.pack("HBBI", code, jump_true, jump_false, value)


def _load(place: int) -> bytes:
    return _op(_LD_ABS, 0, 0, place)


def _fail(error: int) -> bytes:
    return _op(_RET, 0, 0, _ERRNO | error)


def _if_call(name: str, block: list[bytes]) -> list[bytes]:
    """What decides about one call; the number is loaded."""
    if number(name) < 0:
        return []
    return [_op(_JEQ, 0, len(block), number(name)), *block]


def _only(allowed: tuple[int, ...], error: int) -> list[bytes]:
    """Decide by what is loaded."""
    tests = [_op(_JEQ, len(allowed) - at, 0, value) for at, value in enumerate(allowed)]
    return [*tests, _fail(error), _op(_RET, 0, 0, _ALLOW)]


def _none_of(denied: tuple[int, ...], error: int) -> list[bytes]:
    tests = [_op(_JEQ, len(denied) - at, 0, value) for at, value in enumerate(denied)]
    return [*tests, _op(_RET, 0, 0, _ALLOW), _fail(error)]


def _refuse(by_error: dict[int, tuple[str, ...]]) -> list[bytes]:
    """The end of a filter: these calls fail, all others are allowed; the number is loaded."""
    body = []  # type: list[bytes]
    for error, names in by_error.items():
        numbers = sorted(n for n in map(number, names) if n >= 0)
        # All of these jump to the one answer after them: 255 instructions is the farthest jump.
        body += [_op(_JEQ, len(numbers) - at, 0, n) for at, n in enumerate(numbers)]
        body += [_op(_JA, 0, 0, 1), _fail(error)]
    return [*body, _op(_RET, 0, 0, _ALLOW)]
