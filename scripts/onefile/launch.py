"""Where the single file's program begins: `scaleboxd`, or `scalebox` when started by that name.

Runs in the unpacked tree, by the tree's own Python, before anything of scalebox is imported.  Marks
the tree as in use, removes trees of other versions that nobody uses any more, and keeps the
caller's Python settings out.  That there is a tree is stub.sh's business.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
import time

#: A tree that was not started for so long, and from which nothing runs, is removed: long enough to
#: go back to the former version without unpacking it again.
UNUSED_S = 7 * 86_400.0
#: A draft that is older was left by an unpacking that was killed; a living one takes seconds.
DRAFT_S = 3600.0
_DRAFT = ".draft-"


def main() -> None:
    """Become the program that the file was called as (`sys.argv[1]`)."""
    tree = os.path.dirname(os.path.abspath(__file__))
    del sys.argv[0]
    # Held until this process ends, however it ends.
    _held = hold(tree)
    sweep(tree)
    keep_settings_out(tree)
    if os.path.basename(sys.argv[0]) == "scalebox":
        from scalebox.cli import main as command_line

        command_line()
    else:
        from scalebox.daemon import main as daemon

        daemon()


def hold(tree: str) -> int:
    """Mark a tree as in use while the descriptor that is returned stays open; -1: it cannot be."""
    try:
        lock = os.open(os.path.join(tree, "lock"), os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_SH)
    except OSError:
        return -1  # some network file systems know no locks
    return lock


def sweep(tree: str) -> None:
    """Remove the tree's neighbours that were abandoned; what cannot be removed is left."""
    base, own = os.path.split(tree)
    now = time.time()
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(base)):
            if entry.name == own:
                continue
            with contextlib.suppress(OSError):
                if entry.name.startswith(_DRAFT):
                    if now - entry.stat(follow_symlinks=False).st_mtime > DRAFT_S:
                        shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    _remove_unused(entry.path, now)


def _remove_unused(tree: str, now: float) -> None:
    lock = os.open(os.path.join(tree, "lock"), os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if now - os.fstat(lock).st_mtime > UNUSED_S:
            # Gone at once for anybody who looks; a removal that is cut short leaves a draft.
            head, tail = os.path.split(tree)
            doomed = os.path.join(head, f"{_DRAFT}{tail}-{os.getpid()}")
            os.rename(tree, doomed)
            shutil.rmtree(doomed, ignore_errors=True)
    finally:
        os.close(lock)


def keep_settings_out(tree: str) -> None:
    """Let PYTHON* of the caller's environment act on nothing that is started from here."""
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        del os.environ[name]
    # For `sys.executable -m scalebox...`: no packages of the user's, none of the directory at hand.
    os.environ |= {"PYTHONNOUSERSITE": "1", "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.executable = os.path.join(tree, "bin", "python3")


if __name__ == "__main__":
    main()
