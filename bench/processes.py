"""What a daemon holds of the machine: processes, descriptors, memory, files.

Read from /proc, from outside: the daemon's own word is not taken for it.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

_PEER = struct.Struct("3i")
_PROC = Path("/proc")


def daemon_pid(address: str | Path) -> int:
    """The process that listens on a Unix socket.

    Raises:
        OSError: nobody listens there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(address).removeprefix("unix:"))
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    return int(_PEER.unpack(raw)[0])


def _pids() -> Iterator[int]:
    for entry in os.listdir(_PROC):
        if entry.isdigit():
            yield int(entry)


def _stat(pid: int) -> tuple[str, str, int] | None:
    """Name, state, and parent; None: it is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name is in parentheses and may hold any character.
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return name, fields[0], int(fields[1])


def descendants(pid: int) -> set[int]:
    """Every process below one, zombies included."""
    children: dict[int, list[int]] = {}
    for candidate in _pids():
        if (stat := _stat(candidate)) is not None:
            children.setdefault(stat[2], []).append(candidate)
    found: set[int] = set()
    todo = [pid]
    while todo:
        for child in children.get(todo.pop(), ()):
            if child not in found:
                found.add(child)
                todo.append(child)
    return found


def named(name: str) -> set[int]:
    """Every process of this name, wherever it hangs in the tree."""
    return {pid for pid in _pids() if (stat := _stat(pid)) is not None and stat[0] == name}


def describe(pid: int) -> str:
    """A process in words, for a message."""
    stat = _stat(pid)
    if stat is None:
        return f"{pid} (gone)"
    return f"{pid} ({stat[0]}, state {stat[1]}, parent {stat[2]})"


def descriptors(pid: int) -> list[str]:
    """What the process' descriptors refer to, sorted; kernel-made numbers left out."""
    targets = []
    directory = _PROC / str(pid) / "fd"
    for entry in os.listdir(directory):
        try:
            target = os.readlink(directory / entry)
        except OSError:
            continue
        targets.append(target.split(":[")[0] if ":[" in target else target)
    return sorted(targets)


def cpu_s(pid: int, *, reaped: bool) -> float:
    """CPU seconds of a process by the kernel's accounting; 0: it is gone.

    Parameters:
        reaped: with those of its children that it has waited for, and of theirs.
    """
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    # utime, stime, cutime, cstime: fields 14 to 17 of proc(5); the name before may hold spaces.
    ticks = text.rpartition(")")[2].split()[11 : 15 if reaped else 13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid: int) -> int:
    """Resident memory; 0: the process is gone."""
    try:
        fields = (_PROC / str(pid) / "statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def pss_bytes(pid: int) -> int:
    """Memory with shared pages counted once over all sharers; 0: it cannot be read."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def files(directory: Path) -> set[str]:
    """Every file below a directory, as relative paths."""
    found = set()
    for parent, _, names in os.walk(directory):
        for name in names:
            found.add(str((Path(parent) / name).relative_to(directory)))
    return found


def mounts(pid: int, below: Path) -> set[str]:
    """Mount points below a directory, as a process sees them; none: it is gone."""
    try:
        text = (_PROC / str(pid) / "mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    # Elsewhere the host mounts and unmounts as it likes.
    return {
        point for line in text.splitlines() if (point := line.split()[4]).startswith(f"{below}/")
    }


def mount_count(pid: int) -> int:
    """Everything mounted, as a process sees it; 0: it is gone, or its view may not be read."""
    try:
        return (_PROC / str(pid) / "mountinfo").read_bytes().count(b"\n")
    except OSError:
        return 0


def threads(pid: int) -> int:
    """Threads of a process; 0: it is gone."""
    try:
        return len(os.listdir(_PROC / str(pid) / "task"))
    except OSError:
        return 0


def cgroups(pid: int) -> list[str]:
    """The groups that a daemon of this id made, and that are still there."""
    return sorted(map(str, Path("/sys/fs/cgroup").glob(f"**/scalebox.{pid}.*")))


def machine_cpu_s() -> float:
    """CPU seconds that this machine has worked since its start, all processes together."""
    first = (_PROC / "stat").read_text(encoding="ascii").splitlines()[0]
    # user, nice, system, idle, iowait, irq, softirq, steal; guest time is within user's.
    ticks = [int(field) for field in first.split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4] - ticks[7]) / os.sysconf("SC_CLK_TCK")
