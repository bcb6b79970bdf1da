"""The file tree of a slot: an allow-list of read-only binds, never the host's root.

Only what is bound here exists for a program: pathname sockets of the host (a container engine's,
the daemon's own), other users' files and the daemon's configuration are not there to be opened.
"""

from __future__ import annotations

import _socket as socket
import fcntl
import os
import struct

from . import kernel

#: The only writable place: a fresh tmpfs per run, mounted here.
SCRATCH = "/scratch"
#: Where scratches of former runs wait until many are given up at once; no program can enter.
GONE = "/gone"
GONE_PLACES = 16
BOX = SCRATCH + "/box"
TMP = SCRATCH + "/tmp"
SHM = SCRATCH + "/shm"
#: Where binds from below the host's /tmp are; symbolic links in the run's /tmp lead there.
OUTSIDE = "/outside"

_DEVICES = ("null", "zero", "full", "random", "urandom")
_ETC_BINDS = (
    "R",
    "alternatives",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "matplotlibrc",
    "mime.types",
    "mono",
    "php",
    "racket",
)


def build(staging, binds, uids, hide_pids):  # type: ignore[no-untyped-def]
    """Make the tree, enter it, and let go of the host's.

    Parameters:
        staging: an existing directory, used as a mount point inside this mount namespace.
        binds: host paths, bound read-only at the same place; missing ones are left out.
        uids: users that /etc/passwd names.
        hide_pids: whether /proc shows a program only its own uid's processes.

    Returns:
        notes for the operator about what this kernel or container refused; and for binds below
        /tmp, which each run's own /tmp hides: path below /tmp → where it is instead.
    """
    notes = []
    hidden = {}  # type: dict[str, str]
    kernel.mount("none", "/", "none", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("slot", staging, "tmpfs", kernel.MS_NOSUID, "size=4m,nr_inodes=4096,mode=755")
    links = _usr_links()
    for path in _outermost(binds):
        if not os.path.exists(path) or path in links:
            continue
        target = path
        for temporary in ("/tmp/", "/var/tmp/"):
            if path.startswith(temporary):
                target = "%s/%d" % (OUTSIDE, len(hidden))
                hidden[path[len(temporary) :]] = target
        _bind(path, staging + target)
    for link, target in links.items():
        os.symlink(target, staging + link)
    _make_etc(staging, uids)
    _make_dev(staging)
    for directory in (SCRATCH, "/proc", "/var"):
        os.makedirs(staging + directory, exist_ok=True)
    os.mkdir(staging + GONE, 0)
    for place in range(GONE_PLACES):
        os.mkdir("%s%s/%d" % (staging, GONE, place))
    for link, target in (("/tmp", TMP), ("/var/tmp", TMP)):
        os.symlink(target, staging + link)
    note = _mount_proc(staging + "/proc", hide_pids)
    if note:
        notes.append(note)
    _make_read_only(staging)
    os.chdir(staging)
    kernel.pivot_root(".", ".")
    kernel.umount(".", kernel.MNT_DETACH)
    os.chdir("/")
    return notes, hidden


def _outermost(paths: list[str]) -> list[str]:
    """Without those inside another one: its bind brings them along, and they would hide in it."""
    return [
        path
        for path in dict.fromkeys(paths)
        if not any(path.startswith(other + "/") and os.path.exists(other) for other in paths)
    ]


def _usr_links() -> dict[str, str]:
    """/bin → usr/bin and its like, on systems with a merged /usr."""
    links = {}
    for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if os.path.islink(path):
            links[path] = os.readlink(path)
    return links


def _bind(source: str, target: str) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, 0o644))
    kernel.mount(source, target, "none", kernel.MS_BIND | kernel.MS_REC)


def _make_etc(staging: str, uids: list[int]) -> None:
    os.makedirs(staging + "/etc", exist_ok=True)
    passwd = "".join(
        "runner%s:x:%d:%d::%s:/bin/sh\n" % (i or "", u, u, BOX) for i, u in enumerate(uids)
    )
    group = "".join("runner%s:x:%d:\n" % (i or "", u) for i, u in enumerate(uids))
    for name, text in (
        ("passwd", "root:x:0:0:root:/:/bin/sh\n" + passwd),
        ("group", "root:x:0:\n" + group),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
        ("resolv.conf", ""),
    ):
        with open(staging + "/etc/" + name, "w") as file:
            file.write(text)
    for path in settings_of_tools():
        _bind(path, staging + path)


def settings_of_tools() -> list[str]:
    """What is in the host's /etc for everybody: how compilers and interpreters are set up."""
    return [
        "/etc/" + name
        for name in sorted(os.listdir("/etc"))
        if name in _ETC_BINDS or name.startswith(("java-", "fpc"))
    ]


def _make_dev(staging: str) -> None:
    os.makedirs(staging + "/dev", exist_ok=True)  # where a device of the operator's choice may be
    for name in _DEVICES:
        _bind("/dev/" + name, staging + "/dev/" + name)
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("shm", SHM),
    ):
        os.symlink(target, staging + "/dev/" + name)


def _mount_proc(target: str, hide_pids: bool) -> str:
    # Read-only: a program must not take itself off the OOM killer's list.
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC | kernel.MS_RDONLY
    for options in ("hidepid=2", "") if hide_pids else ("",):
        try:
            kernel.mount("proc", target, "proc", flags, options)
        except OSError as error:
            reason = error
        else:
            return "" if options or not hide_pids else "/proc does not hide other users' processes"
    return "no /proc inside slots: %s (the container masks its own)" % reason


def _make_read_only(staging: str) -> None:
    """Remount everything below `staging`, and itself, read-only.

    The flags that a mount already has are locked inside a user namespace and must be repeated.
    """
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        points = [_unescape(line.split(" ")[4]) for line in file]
    for point in sorted(p for p in points if p == staging or p.startswith(staging + "/")):
        inside = point[len(staging) :]
        if inside == "/proc":
            continue
        flags = os.statvfs(point).f_flag & 0b1110  # nosuid, nodev, noexec
        atime = os.statvfs(point).f_flag & (1024 | 2048)  # noatime, nodiratime
        if not os.statvfs(point).f_flag & 1024:
            atime |= os.statvfs(point).f_flag & 4096 and (1 << 21)  # relatime
        flags |= kernel.MS_BIND | kernel.MS_REMOUNT | kernel.MS_RDONLY | kernel.MS_NOSUID | atime
        if not inside.startswith("/dev/"):
            flags |= kernel.MS_NODEV
        kernel.mount("none", point, "none", flags)


def _unescape(field: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field


def mount_scratch(uid: int, gid: int, size_bytes: int) -> None:
    """The run's own tmpfs; bounded in size and in inodes, so that neither can fill the host."""
    kernel.mount(
        "scratch", SCRATCH, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV,
        "size=%d,nr_inodes=16384,mode=755,uid=%d,gid=%d" % (size_bytes, uid, gid),
    )  # fmt: skip


def unmount_scratch() -> None:
    """Drop the tmpfs with all that the run left in it."""
    try:
        kernel.umount(SCRATCH)
    except OSError:
        kernel.umount(SCRATCH, kernel.MNT_DETACH)


def bring_up_loopback() -> None:
    """The slot's network namespace has one interface, its own `lo`; bring it up."""
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    request = struct.pack("16sh14x", b"lo", 0)
    flags = struct.unpack("16sh14x", fcntl.ioctl(probe, 0x8913, request))[1]
    fcntl.ioctl(probe, 0x8914, struct.pack("16sh14x", b"lo", flags | 1))
    probe.close()
