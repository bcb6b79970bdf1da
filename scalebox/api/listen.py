"""Making the Unix socket that the API listens on.

Answers for: one daemon a socket path (a lock beside the socket decides; the kernel drops it with
its holder, however that ended), no stale socket in the way, and none left behind.  TCP is `tcp`'s.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from scalebox.config import default_socket_path
from scalebox.errors import ConfigError


@contextmanager
def unix_socket(path: Path, mode: int) -> Iterator[socket.socket]:
    """A bound Unix socket at `path`; removed when the block ends.

    Parameters:
        path: its directory is made (0700) if missing.
        mode: permissions.

    Raises:
        ConfigError: a live daemon answers there, something else is in the way, or the path cannot
            be used.
    """
    with ExitStack() as held:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            default_socket_path()  # once more, should somebody have been faster in /tmp
            held.enter_context(_lock(path))
            sock = held.enter_context(socket.socket(socket.AF_UNIX))
            _remove_stale(path)
            sock.setblocking(False)
            sock.bind(os.fspath(path))
            held.callback(_remove, path, os.lstat(path))
            # Nobody can connect before `listen`, so the mode is in force from the start.
            os.chmod(path, mode)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {path}: {error.strerror or error}; set server.socket to a path "
                "of at most 107 bytes in a directory that the daemon's user can write"
            ) from error
        yield sock


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold `<path>.lock` exclusively: starts of two daemons at once must not both win."""
    name = f"{path}.lock"
    while True:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A daemon that ends removes the file that it holds; a lock on that means nothing.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(name)):
                    break
        except BlockingIOError:
            os.close(descriptor)
            raise _taken(path) from None
        os.close(descriptor)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
        os.close(descriptor)


def _remove_stale(path: Path) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ConfigError(
            f"{path} exists and is no socket; move it away or set server.socket to another path"
        )
    with socket.socket(socket.AF_UNIX) as probe:
        # A full backlog answers EAGAIN, at once: that, too, is somebody alive.
        probe.setblocking(False)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            pass
        except BlockingIOError:
            raise _taken(path) from None
        else:
            raise _taken(path)
    with suppress(FileNotFoundError):
        os.unlink(path)


def _taken(path: Path) -> ConfigError:
    return ConfigError(
        f"a daemon already listens on {path}; use it, stop it, or give this one another path in "
        "server.socket"
    )


def _remove(path: Path, made: os.stat_result) -> None:
    with suppress(FileNotFoundError):
        if os.path.samestat(os.lstat(path), made):
            os.unlink(path)
