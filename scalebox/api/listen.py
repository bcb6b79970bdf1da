"""Making the sockets that the API listens on.

Answers for: one daemon a socket path (a lock beside the socket decides; the kernel drops it with
its holder, however that ended), no stale socket in the way, none left behind, and no TCP to
strangers without tokens.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from scalebox.config import default_socket_path
from scalebox.errors import ConfigError

#: (family, address as `bind` takes it)
Bound = tuple[socket.AddressFamily, Any]


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


def parse_tcp(text: str) -> tuple[str, int] | None:
    """`host:port`, with IPv6 addresses in brackets; None for an empty text.

    Raises:
        ConfigError: it is something else.
    """
    if not text:
        return None
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ConfigError(
            f"server.tcp must be host:port, such as 127.0.0.1:8765 or [::1]:8765; it is {text!r}"
        )
    return host, int(port)


async def resolve(address: tuple[str, int] | None, has_tokens: bool) -> list[Bound]:
    """The addresses to bind.

    Parameters:
        address: from `parse_tcp`.
        has_tokens: whether server.tokens names any; without, only loopback is allowed.

    Raises:
        ConfigError: the name does not resolve, or strangers could connect without a token.
    """
    if address is None:
        return []
    host, port = address
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise ConfigError(f"server.tcp: {host} does not resolve: {error.strerror}") from error
    bound: list[Bound] = list(dict.fromkeys((family, where) for family, _, _, _, where in found))
    for _, where in bound:
        if not has_tokens and not ip_address(str(where[0]).partition("%")[0]).is_loopback:
            raise ConfigError(
                f"server.tcp = {host}:{port} would let everybody who reaches {where[0]} run "
                "programs here; set server.tokens, or listen on 127.0.0.1"
            )
    return bound


@contextmanager
def tcp_socket(family: socket.AddressFamily, address: Any) -> Iterator[socket.socket]:
    """A bound TCP socket, closed when the block ends.

    Raises:
        ConfigError: the address is taken or not ours.
    """
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            sock.bind(address)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {address[0]} port {address[1]}: {error.strerror}; set "
                "server.tcp to a free address of this host"
            ) from error
        yield sock
