"""The artifact cache: compiled programs on disk, addressed by what they were made from.

Bounded in bytes (the least recently used go first), kept over a restart.  A file is complete or not
there: it is written beside, synced and renamed.  Programs are executed from a descriptor, so a file
may be evicted while it runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections import OrderedDict
from pathlib import Path

_OPEN_AT_MOST = 64
_COPY_BYTES = 1 << 22


class ArtifactCache:
    """Programs by address.

    Parameters:
        directory: where; made, private to this user.
        limit_bytes: bound on the sum of the files' sizes.
        in_memory: execute sealed copies in memory.  Needed where programs run as our own user, who
            could change the mode of a file that it owns, and then its content.

    Not thread-safe, except `store`, which does its slow part without touching shared state.
    """

    def __init__(self, directory: Path, limit_bytes: int, *, in_memory: bool = False) -> None:
        self._directory = directory
        self._limit_bytes = limit_bytes
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._open: OrderedDict[str, int] = OrderedDict()
        found = []
        for path in directory.iterdir():
            if path.suffix == ".partial":
                path.unlink(missing_ok=True)
            elif path.is_file():
                status = path.stat()
                found.append((status.st_mtime, path.name, status.st_size))
        for _, name, size in sorted(found):
            self._sizes[name] = size
        self.total_bytes = sum(self._sizes.values())
        self._copy_to_memory = in_memory or bool(os.statvfs(directory).f_flag & os.ST_NOEXEC)
        self._evict()

    def open(self, address: str) -> int | None:
        """A descriptor of the program, which the cache owns; duplicate it to keep it."""
        fd = self._open.get(address)
        if fd is not None:
            self._open.move_to_end(address)
            if address in self._sizes:
                self._sizes.move_to_end(address)
            return fd
        if address not in self._sizes:
            return None
        path = self._directory / address
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            os.utime(path)
        except OSError:
            self._forget(address)
            return None
        self._sizes.move_to_end(address)
        if self._copy_to_memory:
            fd = _to_memory(fd)
        self._remember_open(address, fd)
        return fd

    def store(self, address: str, source_fd: int) -> Path:
        """Write a program beside its place; slow, for a worker thread; then `adopt` it."""
        handle, name = tempfile.mkstemp(suffix=".partial", dir=self._directory)
        try:
            offset = 0
            while count := os.sendfile(handle, source_fd, offset, _COPY_BYTES):
                offset += count
            os.fchmod(handle, 0o555)
            os.fdatasync(handle)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        finally:
            os.close(handle)
        return Path(name)

    def adopt(self, address: str, written: Path) -> int:
        """Put a stored program in its place; returns a descriptor that the cache owns."""
        size = written.stat().st_size
        written.rename(self._directory / address)
        self.total_bytes += size - self._sizes.pop(address, 0)
        self._sizes[address] = size
        fd = self.open(address)
        if fd is None:
            raise OSError(f"the artifact cache {self._directory} lost a file just written")
        self._evict()
        return fd

    def close(self) -> None:
        """Close all descriptors."""
        for fd in self._open.values():
            os.close(fd)
        self._open.clear()

    def _remember_open(self, address: str, fd: int) -> None:
        self._open[address] = fd
        while len(self._open) > _OPEN_AT_MOST:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)

    def _forget(self, address: str) -> None:
        self.total_bytes -= self._sizes.pop(address, 0)

    def _evict(self) -> None:
        while self.total_bytes > self._limit_bytes and len(self._sizes) > 1:
            address = next(iter(self._sizes))
            self._forget(address)
            with contextlib.suppress(FileNotFoundError):
                (self._directory / address).unlink()


def _to_memory(fd: int) -> int:
    """The same content, sealed, and where execution is allowed whatever the store's mount says."""
    memory = os.memfd_create("program", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        offset = 0
        while count := os.sendfile(memory, fd, offset, _COPY_BYTES):
            offset += count
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
        # Opened afresh for reading: nobody may execute a file that is open for writing.
        return os.open(f"/proc/self/fd/{memory}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(memory)
        os.close(fd)
