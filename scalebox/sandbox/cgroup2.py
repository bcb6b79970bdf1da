"""Version 2 with controllers: memory, processes and CPU exactly limited and measured.

Version 2 forbids processes in groups that have children with controllers, so the daemon moves
itself into a leaf beside its slots.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from scalebox.model import Enforcement
from scalebox.sandbox.cgroups import (
    PIDS_SLACK,
    SlotCgroup,
    mounts,
    own_groups,
    own_name,
    remove_group,
    remove_leftovers,
)

_NEEDED = ("memory", "pids")


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
        root = mounts().get("")
        if root is None:
            raise OSError(errno.ENOENT, "no cgroup2 file system is mounted")
        group = root / (parent or own_groups().get("", "/")).lstrip("/")
        available = (group / "cgroup.controllers").read_text().split()
        missing = [name for name in _NEEDED if name not in available]
        if missing:
            raise OSError(
                errno.ENOENT,
                f"the controllers {', '.join(missing)} are not delegated to {group}",
            )
        remove_leftovers(group)
        self._home: Path | None = None
        if group != root and (group / "cgroup.procs").read_text().strip():
            # No internal processes: we leave for a leaf (others in there make the next step fail).
            self._home = group / "scaleboxd"
            self._home.mkdir(exist_ok=True)
            (self._home / "cgroup.procs").write_text("0")
        self._group = group
        self._base = group / own_name()
        try:
            wanted = [name for name in ("memory", "pids", "cpu") if name in available]
            enable = " ".join("+" + name for name in wanted)
            (group / "cgroup.subtree_control").write_text(enable)
            self._base.mkdir()
            (self._base / "cgroup.subtree_control").write_text(enable)
        except OSError:
            self.close()
            raise
        release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
        self._peak_resets = release >= (6, 12)
        if not self._peak_resets:
            self.notes.append(
                "peak memory is the largest process's resident set, not the group's: "
                "resetting memory.peak needs Linux 6.12"
            )

    def make(self, index: int, max_processes: int) -> SlotCgroup:
        """The group of slot `index`."""
        directory = self._base / f"slot-{index}"
        directory.mkdir(exist_ok=True)
        for name, text in (
            ("memory.swap.max", "0"),
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
        remove_group(self._base)
        if self._home is not None:
            try:
                (self._group / "cgroup.subtree_control").write_text("-memory -pids -cpu")
            except OSError:
                return  # others work under the same parent
            try:
                (self._group / "cgroup.procs").write_text("0")
            except OSError:
                return
            remove_group(self._home, within_s=0.0)
