"""What attacks in Python share: what they were told, and what got through."""

import errno
import json
import os
import sys

told = json.loads(sys.stdin.readline())
_got = []

#: What refuses: no permission, not there, no such call, nobody to be seen, and nowhere to go.
REFUSALS = {
    errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOENT, errno.ESRCH, errno.EROFS, errno.EOPNOTSUPP,
    errno.EAFNOSUPPORT, errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENOTDIR,
    errno.ELOOP, errno.EXDEV, errno.ETXTBSY, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT,
}  # fmt: skip


def got(what, *details):
    """Something got through."""
    _got.append(": ".join([what, *(repr(detail)[:300] for detail in details)]))


def attempt(what, function, *arguments):
    """Call; anything but a refusal has got through.  What came back, or None."""
    try:
        result = function(*arguments)
    except OSError as error:
        if error.errno not in REFUSALS:
            got(what, error)
        return None
    got(what, result)
    return result


def quietly(function, *arguments):
    """Call, for what it does to others; None where it fails."""
    try:
        return function(*arguments)
    except OSError:
        return None


def read(path, size=4096):
    """The first bytes of a file."""
    with open(path, "rb", buffering=0) as file:
        return file.read(size)


def write(path, text="0"):
    """Write to a file that is there; nothing is emptied."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        return os.write(fd, text.encode())
    finally:
        os.close(fd)


def look_into(pid):
    """What /proc says of another process to those who may look into it."""
    place = f"/proc/{pid}/"
    for name in ("environ", "mem", "maps", "smaps", "auxv", "io", "stack", "syscall", "personality",
                 "mountstats", "pagemap", "timers", "patch_state", "seccomp_cache"):
        attempt(place + name, read, place + name)
    for name in ("cwd", "root", "exe", "ns/net", "ns/mnt", "ns/user"):
        attempt(place + name, os.readlink, place + name)
        attempt(place + name, os.stat, place + name)
    for name in ("fd", "fdinfo", "map_files", "cwd", "root"):
        attempt(place + name, os.listdir, place + name)
    for name in range(32):
        attempt(f"{place}fd/{name}", read, f"{place}fd/{name}")
    for name in ("mem", "oom_score_adj", "comm", "clear_refs", "coredump_filter", "timerslack_ns",
                 "loginuid", "setgroups", "uid_map", "autogroup", "timens_offsets"):
        attempt("writing " + place + name, write, place + name)


def is_own(path):
    """Whether a path leads to the run's own file system: folders of the host's names are there, too."""
    return os.getcwd().startswith("/scratch/") and os.stat(path).st_dev == os.stat(".").st_dev


def end():
    """Say what got through."""
    print("; ".join(_got)[:3000] or "contained")
