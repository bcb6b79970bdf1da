"""How much memory programs may use together, where the configuration does not say.

A share of what this daemon itself may use: the host's, or less where it lives in a container or a
service with a limit (cgroups of either version).
"""

from __future__ import annotations

import contextlib
import os

from scalebox.config import Config
from scalebox.sandbox import cgroups

#: The rest is for the daemon, its zygotes, and the host.
_MEMORY_SHARE = 0.8
#: Hierarchy → the file that holds the limit.
_LIMIT_FILES = {"": "memory.max", "memory": "memory.limit_in_bytes"}


def program_memory_bytes(config: Config) -> int:
    """`engine.memory_bytes`, or a share of what there is."""
    return config.engine.memory_bytes or int(_MEMORY_SHARE * available_bytes())


def available_bytes() -> int:
    """Memory that this process and its children may use together."""
    found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    mounts, groups = cgroups.mounts(), cgroups.own_groups()
    for hierarchy, name in _LIMIT_FILES.items():
        root = mounts.get(hierarchy)
        if root is None:
            continue
        # A limit of any group above holds too.  In a container the path may be the host's, and
        # only its last group be there, as the root.
        group = root / groups.get(hierarchy, "/").lstrip("/")
        for directory in (group, *group.parents):
            with contextlib.suppress(OSError, ValueError):
                found = min(found, int((directory / name).read_text()))
            if directory == root:
                break
    return found
