"""What a killed daemon left on disk and in cgroups, found and removed by the next one.

A pool's directory is named after its process, `scalebox.<pid>.<start time>`, and so are its
cgroups; the directory holds a list of these, because the next daemon may look for groups elsewhere.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from scalebox.sandbox import cgroups, strays
from scalebox.sandbox.zygote.trees import remove_tree

_LIST = "cgroups"


def record(directory: Path, groups: Iterable[Path]) -> None:
    """Note which cgroups belong to the pool of a directory."""
    (directory / _LIST).write_bytes(b"".join(os.fsencode(group) + b"\n" for group in groups))


def remove(base: Path) -> None:
    """Remove the directories, and the groups, of pools below `base` whose process is gone.

    What cannot be removed (another user's, say) stays, and harms nobody.
    """
    if not base.is_dir():
        return
    for directory in base.glob(cgroups.PREFIX + "*.*"):
        if directory.name != cgroups.own_name() and cgroups.is_live(directory.name):
            continue
        strays.end_inhabitants(directory)
        with contextlib.suppress(OSError):
            for line in cgroups.kernel_lines(directory / _LIST):
                group = Path(line)
                if group.name == directory.name:
                    cgroups.remove_group_tree(group)
                else:
                    # The leaf that a daemon itself lived in; only if nobody is there now.
                    group.rmdir()
        with contextlib.suppress(OSError):
            remove_tree(str(directory))
