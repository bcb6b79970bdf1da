"""System calls that Python's standard library does not offer, through ctypes.

Thin and literal: each function is one kernel facility, raises OSError with the facility's name, and
knows nothing of slots or runs.  Numbers are from the kernel's uapi headers.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)

# mount(2)
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

# unshare(2), clone(2)
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_NEWTIME = 0x00000080
CLONE_NEW_ANY = (
    CLONE_NEWNS
    | CLONE_NEWCGROUP
    | CLONE_NEWUTS
    | CLONE_NEWIPC
    | CLONE_NEWUSER
    | CLONE_NEWPID
    | CLONE_NEWNET
)

# prctl(2)
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2

IS_ARM64 = os.uname().machine == "aarch64"

#: System-call numbers (x86-64, arm64); -1 where the architecture lacks the call.
NUMBERS = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "capset": (126, 91),
    "chmod": (90, -1),
    "chown": (92, -1),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close_range": (436, 436),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "fcntl": (72, 25),
    "file_setattr": (469, 469),
    "finit_module": (313, 273),
    "fremovexattr": (199, 16),
    "fsconfig": (431, 431),
    "fsetxattr": (190, 7),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "futimesat": (261, -1),
    "getdents64": (217, 61),
    "init_module": (175, 105),
    "inotify_add_watch": (254, 27),
    "io_setup": (206, 0),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioperm": (173, -1),
    "iopl": (172, -1),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "lchown": (94, -1),
    "listmount": (458, 458),
    "lookup_dcookie": (212, 18),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "lsm_set_self_attr": (460, 460),
    "mbind": (237, 235),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, -1),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "removexattr": (197, 14),
    "removexattrat": (466, 466),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semctl": (66, 191),
    "semget": (64, 190),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setpriority": (141, 140),
    "setrlimit": (160, 164),
    "settimeofday": (164, 170),
    "setxattr": (188, 5),
    "setxattrat": (463, 463),
    "shmctl": (31, 195),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "statmount": (457, 457),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "_sysctl": (156, -1),
    "sysfs": (139, -1),
    "syslog": (103, 116),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "unshare": (272, 97),
    "uselib": (134, -1),
    "userfaultfd": (323, 282),
    "ustat": (136, -1),
    "utime": (132, -1),
    "utimensat": (280, 88),
    "utimes": (235, -1),
    "vhangup": (153, 58),
}


def number(name: str) -> int:
    """The number of a system call on this machine; -1 where it has none."""
    return NUMBERS[name][1 if IS_ARM64 else 0]


def _check(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, "%s: %s" % (what, os.strerror(code)))
    return result


def syscall(name: str, *args: object) -> int:
    """Call by number; raises OSError."""
    return _check(libc.syscall(ctypes.c_long(number(name)), *args), name)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    """mount(2)."""
    result = libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), data.encode()
    )
    _check(result, "mount %s on %s" % (source, target))


def umount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    _check(libc.umount2(os.fsencode(target), flags), "umount " + target)


def unshare(flags: int) -> None:
    """unshare(2)."""
    _check(libc.unshare(flags), "unshare")


def pivot_root(new_root: str, put_old: str) -> None:
    """pivot_root(2)."""
    syscall("pivot_root", os.fsencode(new_root), os.fsencode(put_old))


def prctl(option: int, value: int = 0) -> None:
    """prctl(2) with one argument."""
    _check(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), "prctl %d" % option)


def drop_bounding_set() -> None:
    """Remove every capability from the bounding set (what an exec could ever give back)."""
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) < 0:
            break


_CAP_HEADER = struct.pack("Ii", 0x20080522, 0)
_CAP_NONE = bytes(24)


def drop_capabilities() -> None:
    """Empty the permitted, effective and inheritable sets of this thread."""
    syscall("capset", _CAP_HEADER, _CAP_NONE)


def drop_handler(number: int) -> None:
    """A signal's default action, behind Python's back: it goes on to know its own handler."""
    libc.signal(number, None)


def flush_c_streams() -> None:
    """fflush(NULL): what exit(3) would write for C code in this process."""
    libc.fflush(None)


# --- folders whose entries must not become objects -----------------------------------------------


def getdents(folder: int, address: int, size: int) -> int:
    """getdents64(2): read entries of a folder to an address; how many bytes these are."""
    return syscall("getdents64", folder, ctypes.c_void_p(address), ctypes.c_size_t(size))


def openat(folder: int, address: int, flags: int) -> int:
    """openat(2) of the name at an address; the descriptor."""
    return _check(libc.openat(folder, ctypes.c_void_p(address), flags), "openat")


# --- seccomp -------------------------------------------------------------------------------------


class _SockFprog(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def install_filter(program: bytes) -> None:
    """Install a seccomp filter on this thread (no_new_privs must be set)."""
    fprog = _SockFprog(len(program) // 8, program)
    result = libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(fprog), 0, 0)
    _check(result, "seccomp filter")


# --- Landlock ------------------------------------------------------------------------------------

_LANDLOCK_READ = 0b1101  # execute, read_file, read_dir
_LANDLOCK_FS_V1 = (1 << 13) - 1
_LANDLOCK_FILE = 0b111 | (1 << 14) | (1 << 15)  # … write_file; truncate, ioctl_dev


def landlock_abi() -> int:
    """The Landlock ABI version of this kernel; 0 where there is none."""
    nr = ctypes.c_long(number("landlock_create_ruleset"))
    version = libc.syscall(nr, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    return max(0, version)


def landlock_ruleset(readable: list[str], writable: list[str], abi: int) -> int:
    """A ruleset that allows reading and executing under some paths and everything under others.

    From ABI 4 on no TCP, from ABI 6 on no abstract sockets and no signals to outside.

    Returns:
        the ruleset's descriptor, for `landlock_restrict`.
    """
    handled = _LANDLOCK_FS_V1
    if abi >= 2:
        handled |= 1 << 13
    if abi >= 3:
        handled |= 1 << 14
    if abi >= 5:
        handled |= 1 << 15
    attr = struct.pack("QQQ", handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    fd = syscall("landlock_create_ruleset", attr, ctypes.c_size_t(size), ctypes.c_uint32(0))
    for paths, access in ((readable, _LANDLOCK_READ), (writable, handled)):
        for path in paths:
            try:
                parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue
            allowed = access
            if not os.path.isdir(path):
                allowed &= _LANDLOCK_FILE
            rule = struct.pack("=Qi", allowed & handled, parent)
            syscall("landlock_add_rule", fd, 1, rule, ctypes.c_uint32(0))
            os.close(parent)
    return fd


def landlock_restrict(ruleset: int) -> None:
    """Enter the ruleset, for good, and let go of its descriptor: programs must not inherit it."""
    syscall("landlock_restrict_self", ruleset, ctypes.c_uint32(0))
    os.close(ruleset)


# --- memfds --------------------------------------------------------------------------------------

_F_ADD_SEALS = 1033
_SEAL_ALL = 0b1111  # seal, shrink, grow, write


def sealed_memfd(content: memoryview) -> int:
    """A descriptor at offset 0 of a file whose content nobody can ever change."""
    fd = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    done = 0
    while done < len(content):
        done += os.write(fd, content[done:])
    fcntl.fcntl(fd, _F_ADD_SEALS, _SEAL_ALL)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _pidfd_open(pid: int) -> int:
    return syscall("pidfd_open", pid, 0)


#: A descriptor that becomes readable when the process ends (Python 3.8 has no os.pidfd_open).
pidfd_open = getattr(os, "pidfd_open", _pidfd_open)


def pidfd_send_signal(pidfd: int, number: int) -> None:
    """Send a signal to a process by its descriptor (Python 3.8 has no such function).

    Raises:
        OSError: it has ended, or is another user's.
    """
    syscall("pidfd_send_signal", pidfd, number, ctypes.c_void_p(None), 0)


def python_is_supported() -> bool:
    """Whether this interpreter can host a slot."""
    return sys.version_info >= (3, 8) and hasattr(os, "memfd_create")
