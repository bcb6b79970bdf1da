"""Cgroups, whichever kind this host gives: one group a slot, made, killed and removed here.

`find` tries version 2 with controllers (`cgroup2`), then version 1 controllers beside an empty
version 2 hierarchy (`cgroup1`), and says why where it gets neither.  The zygote reads and writes
the files of its group itself; nothing here is on the path of a run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scalebox.model import Enforcement

#: Groups of one daemon live below `scalebox.<pid>.<start time>`, so that the next one can tell
#: which were left behind.
PREFIX = "scalebox."
#: Processes of a slot beside the program's: pid 1, a tester, their passing helpers.
PIDS_SLACK = 16


@dataclass(frozen=True, slots=True)
class SlotCgroup:
    """The group, or groups, of one slot.

    Attributes:
        directories: one for each hierarchy.
        procs: files to write `0` into to join.
        files: name (as `zygote.meter` knows it) → path.
        version: 1 or 2, of the memory controller.
        peak_resets: whether the peak can be started anew.
    """

    directories: tuple[Path, ...]
    files: dict[str, str]
    version: int
    peak_resets: bool

    @property
    def procs(self) -> list[str]:
        """The files that a process joins by."""
        return [str(directory / "cgroup.procs") for directory in self.directories]

    def oom_kills(self) -> int:
        """How many of its processes the kernel has killed for memory; 0 if it does not say."""
        if "events" in self.files:
            with contextlib.suppress(OSError):
                for line in kernel_lines(Path(self.files["events"])):
                    name, _, count = line.partition(" ")
                    if name == "oom_kill":
                        return int(count)
        return 0

    def kill(self) -> None:
        """Kill every process in it."""
        for directory in self.directories:
            kill_group(directory)

    def remove(self) -> None:
        """Remove the emptied groups; dying processes are given a second."""
        for directory in self.directories:
            remove_group(directory)


class Hierarchy(Protocol):
    """Where the slots' groups are made."""

    enforcement: Enforcement
    notes: list[str]

    def directories(self) -> list[Path]:
        """Every group that is ours, for the daemon that cleans up after us if we are killed."""

    def make(self, index: int, max_processes: int) -> SlotCgroup:
        """The group of slot `index`."""

    def close(self) -> None:
        """Remove what was made."""


def kernel_text(path: Path) -> str:
    """A file of the kernel's, in which names may be of any bytes: a program chooses its own.

    Raises:
        OSError: it is not there.
    """
    return os.fsdecode(path.read_bytes())


def kernel_lines(path: Path) -> list[str]:
    """Its lines; what else Python takes for an end of one may be in a name."""
    return [line for line in kernel_text(path).split("\n") if line]


def kill_group(directory: Path) -> None:
    """SIGKILL to every process of a group: `cgroup.kill` where there is one, else one by one."""
    try:
        # Not created if it is missing: a directory of version 1 must stay empty.
        fd = os.open(directory / "cgroup.kill", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, b"1")
        finally:
            os.close(fd)
    except OSError:
        with contextlib.suppress(OSError):
            for pid in (directory / "cgroup.procs").read_text().split():
                with contextlib.suppress(OSError):
                    os.kill(int(pid), signal.SIGKILL)


def remove_group(directory: Path, within_s: float = 1.0) -> bool:
    """rmdir, again and again while the last processes die; whether it is gone."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return True
        except PermissionError:  # another user's, whom waiting does not change
            return False
        except OSError:
            if time.monotonic() > deadline:
                return False
            kill_group(directory)
            time.sleep(0.002)
        else:
            return True


def remove_group_tree(directory: Path, within_s: float = 1.0) -> bool:
    """Kill and remove a group with all groups below it; whether it is gone."""
    kill_group(directory)
    for inner in sorted(directory.rglob("*/"), reverse=True):
        remove_group(inner, within_s)
    return remove_group(directory, within_s)


def own_name() -> str:
    """The name of this daemon's groups."""
    return f"{PREFIX}{os.getpid()}.{start_time(os.getpid())}"


def start_time(pid: int) -> int:
    """Clock ticks after boot at which a process started; 0 if there is none, or only a zombie."""
    try:
        text = kernel_text(Path(f"/proc/{pid}/stat"))
    except OSError:
        return 0
    fields = text[text.rindex(")") + 2 :].split()
    return 0 if fields[0] in "ZX" else int(fields[19])


def is_live(name: str) -> bool:
    """Whether the daemon that a name from `own_name` says still runs; True for other names."""
    pid, _, started = name.removeprefix(PREFIX).partition(".")
    if not (pid + started).isascii() or not pid.isdigit() or not started.isdigit():
        return True
    return start_time(int(pid)) == int(started)


def remove_leftovers(parent: Path) -> list[str]:
    """Kill and remove the groups of daemons that are gone; their names."""
    return [
        group.name
        for group in parent.glob(PREFIX + "*.*")
        if not is_live(group.name) and remove_group_tree(group)
    ]


def group_in(mount: Path, path: str) -> Path:
    """A group's directory, from its path in /proc/<pid>/cgroup.

    Inside a container that has only its own part of the hierarchy mounted, that part's top is what
    there is of our group.
    """
    group = mount / path.lstrip("/")
    return group if group.is_dir() else mount


def own_groups() -> dict[str, str]:
    """Controllers (as /proc/self/cgroup lists them; "" is version 2) → path of our group."""
    groups = {}
    for line in kernel_lines(Path("/proc/self/cgroup")):
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = path
    return groups


def mounts() -> dict[str, Path]:
    """Where the hierarchies are mounted: controller ("" is version 2) → directory."""
    found: dict[str, Path] = {}
    for line in kernel_lines(Path("/proc/self/mounts")):
        _, target, kind, options = line.split(" ")[:4]
        if kind == "cgroup2":
            found.setdefault("", Path(target))
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, Path(target))
    return found


def find(parent: str) -> tuple[Hierarchy | None, list[str]]:
    """The best hierarchy that this host lets us use.

    Parameters:
        parent: a version 2 group to work under (`sandbox.cgroup_parent`); empty: our own.

    Returns:
        the hierarchy, or None; and for people, why a better one could not be had.
    """
    from scalebox.sandbox.cgroup1 import Cgroup1
    from scalebox.sandbox.cgroup2 import Cgroup2

    reasons: list[str] = []
    for kind in (Cgroup2, Cgroup1):
        try:
            return kind(parent), reasons
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            reasons.append(f"{kind.enforcement.value}: {error.strerror or error}{where}")
    return None, reasons
