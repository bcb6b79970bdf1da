"""Removing what a program left on disk, whatever it made of it.

Programs take their own permissions away from folders and nest folders deeper than a recursion, a
path or the number of open descriptors can follow: here folders are moved up to one level before
they are emptied, so that neither matters.  The daemon uses this too.  Nothing that could still
change the tree may be alive.
"""

from __future__ import annotations

import os


def remove_tree(path: str) -> None:
    """Remove a folder with all that is in it; nothing happens if it is not there.

    Raises:
        OSError: something in it is not ours to remove.
    """
    try:
        empty_folder(path)
        os.rmdir(path)
    except FileNotFoundError:
        return


def empty_folder(path: str) -> None:
    """Remove all that is in a folder; links are removed, never followed.

    Raises:
        FileNotFoundError: there is no such folder.
        OSError: something in it is not ours to remove.
    """
    os.chmod(path, 0o700)
    root = _open(path, None)
    try:
        waiting = _clear(root, root, "", 0)
        if not waiting:
            return
        place = _new_folder(root)
        moved = 0
        while waiting:
            name = waiting.pop()
            folder = _open(name, root)
            try:
                deeper = _clear(folder, root, place, moved)
            finally:
                os.close(folder)
            moved += len(deeper)
            waiting += deeper
            os.rmdir(name, dir_fd=root)
        os.rmdir(place, dir_fd=root)
    finally:
        os.close(root)


def _clear(folder: int, root: int, place: str, moved: int) -> list[str]:
    """Remove files and empty folders; the others, moved below `place` if one is given.

    Returns:
        the paths of these, from `root`.
    """
    full = []  # type: list[str]
    for name in os.listdir(folder):
        try:
            os.unlink(name, dir_fd=folder)
            continue
        except (IsADirectoryError, PermissionError):
            os.chmod(name, 0o700, dir_fd=folder)
        try:
            os.rmdir(name, dir_fd=folder)
        except OSError:
            path = name
            if place:
                path = "%s/%d" % (place, moved + len(full))
                os.rename(name, path, src_dir_fd=folder, dst_dir_fd=root)
            full.append(path)
    return full


def _open(path: str, folder: int | None) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, dir_fd=folder)


def _new_folder(root: int) -> str:
    number = 0
    while True:
        name = ".removing-%d" % number
        try:
            os.mkdir(name, 0o700, dir_fd=root)
        except FileExistsError:
            number += 1
        else:
            return name
