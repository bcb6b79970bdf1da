"""Version 2 with controllers: memory, processes and CPU exactly limited and measured.

Version 2 forbids processes in groups whose children have controllers (only the host's own top group
is exempt).  So a daemon that is alone in its group, as a service manager or a container starts it,
moves into a leaf beside its slots, and back when it ends.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from scalebox.model import Enforcement
from scalebox.sandbox.cgroups import (
    PIDS_SLACK,
    SlotCgroup,
    group_in,
    mounts,
    own_groups,
    own_name,
    remove_group_tree,
    remove_leftovers,
)

_NEEDED = ("memory", "pids")
#: With `cpu`, what many threads of one program take together weighs no more than another slot.
_WELCOME = ("cpu",)
#: The leaf that the daemon lives in.
_HOME = "scaleboxd"
_NAMED_STRANGERS = 3


class Cgroup2:
    """The slots' groups in the version 2 hierarchy.

    Parameters:
        parent: the group to work under, absolute path below the mount; empty: our own.

    Raises:
        OSError: this host does not delegate what is needed; the text says what.
    """

    enforcement = Enforcement.CGROUP2

    def __init__(self, parent: str) -> None:
        self.notes: list[str] = []
        mount = mounts().get("")
        if mount is None:
            raise OSError(errno.ENOENT, "no cgroup2 file system is mounted")
        own = group_in(mount, own_groups().get("", "/"))
        self._group = group = mount / parent.lstrip("/") if parent else own
        available = (group / "cgroup.controllers").read_text().split()
        missing = [name for name in _NEEDED if name not in available]
        if missing:
            raise OSError(
                errno.ENOENT,
                f"the controllers {', '.join(missing)} are not delegated to {group}",
            )
        remove_leftovers(group)
        self._home: Path | None = None
        self._enabled: list[str] = []
        self._base = group / own_name()
        wanted = [name for name in (*_NEEDED, *_WELCOME) if name in available]
        try:
            if group == own and (group / "cgroup.type").exists():
                self._move_home()
            self._enable(wanted)
            self._base.mkdir()
            (self._base / "cgroup.subtree_control").write_text(_each("+", wanted))
        except OSError:
            self.close()
            raise
        self._peak_resets = self._can_reset_peak()
        if not self._peak_resets:
            self.notes.append(
                "peak memory is the largest process's resident set, not the group's: "
                "resetting memory.peak needs Linux 6.12"
            )

    def _move_home(self) -> None:
        """Leave our group for a leaf."""
        home = self._group / _HOME
        home.mkdir(exist_ok=True)
        self._home = home
        (home / "cgroup.procs").write_text("0")

    def _enable(self, wanted: list[str]) -> None:
        """Give controllers to the children of our group; remember which were not given before."""
        control = self._group / "cgroup.subtree_control"
        before = control.read_text().split()
        new = [name for name in wanted if name not in before]
        for name in new:
            try:
                control.write_text(f"+{name}")
            except OSError as error:
                if name in _NEEDED:
                    raise self._explained(error) from error
                # Processes with real-time priorities keep `cpu` from being enabled.
                wanted.remove(name)
            else:
                self._enabled.append(name)

    def _explained(self, error: OSError) -> OSError:
        others = (self._group / "cgroup.procs").read_text().split()
        if error.errno != errno.EBUSY or not others:
            return error
        names = ", ".join(map(_process_name, others[:_NAMED_STRANGERS]))
        return OSError(
            errno.EBUSY,
            f"other processes are in {self._group} ({names}), where version 2 allows none: start "
            "scaleboxd as a service of its own, or name a group without processes in "
            "sandbox.cgroup_parent",
        )

    def _can_reset_peak(self) -> bool:
        """Whether the maximum can be started anew (Linux 6.12), found by doing it."""
        try:
            fd = os.open(self._base / "memory.peak", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            os.write(fd, b"reset")
        except OSError:
            return False
        else:
            return True
        finally:
            os.close(fd)

    def directories(self) -> list[Path]:
        """Every group that is ours."""
        return [self._base] if self._home is None else [self._base, self._home]

    def make(self, index: int, max_processes: int) -> SlotCgroup:
        """The group of slot `index`."""
        directory = self._base / f"slot-{index}"
        directory.mkdir(exist_ok=True)
        for name, text in (
            ("memory.swap.max", "0"),  # not there on kernels without swap accounting
            ("memory.oom.group", "0"),
            ("pids.max", str(max_processes + PIDS_SLACK)),
        ):
            file = directory / name
            if file.exists():
                file.write_text(text)
        files = {
            "cpu": "cpu.stat",
            "usage": "memory.current",
            "limit": "memory.max",
            "events": "memory.events",
            "pids": "pids.events",
            "pids_max": "pids.max",
        }
        if self._peak_resets:
            files["peak"] = "memory.peak"
        return SlotCgroup(
            directories=(directory,),
            files={name: str(directory / file) for name, file in files.items()},
            version=2,
            peak_resets=self._peak_resets,
        )

    def close(self) -> None:
        """Remove what was made, and go back to where we were."""
        remove_group_tree(self._base)
        if self._home is None:
            # What was given to the children of a group that is not ours alone stays: others may
            # rely on it by now.
            return
        try:
            if self._enabled:
                (self._group / "cgroup.subtree_control").write_text(_each("-", self._enabled))
            (self._group / "cgroup.procs").write_text("0")
        except OSError:
            return  # others work under the same group
        self._home.rmdir()
        self._home = None


def _each(sign: str, names: list[str]) -> str:
    return " ".join(sign + name for name in names)


def _process_name(pid: str) -> str:
    try:
        name = Path("/proc", pid, "comm").read_bytes().strip()
        return f"{pid} {name.decode('utf-8', 'backslashreplace')}"
    except OSError:
        return pid
