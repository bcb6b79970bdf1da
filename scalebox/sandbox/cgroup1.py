"""Version 1 controllers beside a version 2 hierarchy without any, as on hybrid hosts.

Memory and processes are limited by version 1; CPU time and the kill of a whole slot come from
version 2, whose `cpu.stat` and `cgroup.kill` need no controller.
"""

from __future__ import annotations

import errno
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


class Cgroup1:
    """The slots' groups in three hierarchies.

    Parameters:
        parent: ignored; it names a version 2 group.

    Raises:
        OSError: a hierarchy is missing or not writable.
    """

    enforcement = Enforcement.CGROUP1

    def __init__(self, parent: str) -> None:
        self.notes: list[str] = []
        mounted, own = mounts(), own_groups()
        self._bases: dict[str, Path] = {}
        for controller in ("memory", "pids", ""):
            if controller not in mounted or controller not in own:
                name = controller or "version 2"
                self.close()
                raise OSError(errno.ENOENT, f"no {name} hierarchy is mounted")
            group = group_in(mounted[controller], own[controller])
            remove_leftovers(group)
            base = group / own_name()
            try:
                base.mkdir()
            except OSError:
                self.close()
                raise
            self._bases[controller] = base

    def make(self, index: int, max_processes: int) -> SlotCgroup:
        """The groups of slot `index`."""
        at = {name: base / f"slot-{index}" for name, base in self._bases.items()}
        for directory in at.values():
            directory.mkdir(exist_ok=True)
        (at["pids"] / "pids.max").write_text(str(max_processes + PIDS_SLACK))
        files = {
            "cpu": at[""] / "cpu.stat",
            "usage": at["memory"] / "memory.usage_in_bytes",
            "peak": at["memory"] / "memory.max_usage_in_bytes",
            "limit": at["memory"] / "memory.limit_in_bytes",
            "events": at["memory"] / "memory.oom_control",
            "pids": at["pids"] / "pids.events",
            "pids_max": at["pids"] / "pids.max",
        }
        return SlotCgroup(
            # Version 2 first: its cgroup.kill is the one that cannot be outrun.
            directories=(at[""], at["memory"], at["pids"]),
            files={name: str(path) for name, path in files.items() if path.exists()},
            version=1,
            peak_resets=True,
        )

    def directories(self) -> list[Path]:
        """Every group that is ours."""
        return list(self._bases.values())

    def close(self) -> None:
        """Remove what was made."""
        for base in self._bases.values():
            remove_group_tree(base)
