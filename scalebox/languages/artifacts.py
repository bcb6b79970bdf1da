"""The artifact cache: compiled programs on disk, addressed by what they were made from.

Bounded in bytes and in files (the least recently used go first), kept over a restart.  A file is
complete or not there: it is written beside, synced and renamed.  Its name holds a digest of its
content, and what was not written by this process, or was changed since, is compared with it before
its next use, so that a damaged file is compiled again and never executed.  Programs are executed
from a descriptor, so a file may be evicted while it runs.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

_OPEN_AT_MOST = 64
_COPY_BYTES = 1 << 20
#: The index lives in memory, and is read from the directory at start.
MAX_ARTIFACTS = 100_000
#: A file up to this size is checked in less time than a worker thread takes to be asked.
_SMALL_BYTES = 64 << 10
_DIGEST_BYTES = 16
_NEVER = (-1, -1)
#: The daemon lacks something; nothing is wrong with the file.
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@dataclass(slots=True)
class _Entry:
    """A file that is there.

    Attributes:
        size: in bytes.
        digest: of its content, as its name says.
        checked: whether the content is known to be that.
        seen: size and time of its last change when it was opened.
    """

    size: int
    digest: str
    checked: bool
    seen: tuple[int, int] = _NEVER


@dataclass(frozen=True, slots=True)
class Stored:
    """A program written beside its place; `ArtifactCache.adopt` puts it there."""

    path: Path
    size: int
    digest: str


class ArtifactCache:
    """Programs by address.

    Parameters:
        directory: where; made, private to this user.
        limit_bytes: bound on the sum of the files' sizes.
        in_memory: execute sealed copies in memory.  Needed where programs run as our own user, who
            could change the mode of a file that it owns, and then its content.

    Attributes:
        total_bytes: of all files.
        damaged: files that did not hold what was written, since the start.

    Not thread-safe, except `store` and `verify`, which touch no shared state.
    """

    def __init__(self, directory: Path, limit_bytes: int, *, in_memory: bool = False) -> None:
        self._directory = directory
        self._limit_bytes = limit_bytes
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._open: OrderedDict[str, int] = OrderedDict()
        self.total_bytes = 0
        self.damaged = 0
        self._index()
        self._copy_to_memory = in_memory or bool(os.statvfs(directory).f_flag & os.ST_NOEXEC)
        self._evict()

    def _index(self) -> None:
        found = []
        for file in os.scandir(self._directory):
            address, _, digest = file.name.partition(".")
            if len(digest) != 2 * _DIGEST_BYTES or not file.is_file(follow_symlinks=False):
                # Left by a writer that was killed, or by something else.
                with contextlib.suppress(OSError):
                    os.unlink(file.path)
                continue
            status = file.stat(follow_symlinks=False)
            found.append((status.st_mtime, address, digest, status.st_size))
        for _, address, digest, size in sorted(found):
            self._forget(address)
            self._entries[address] = _Entry(size, digest, checked=False)
            self.total_bytes += size

    # --- reading ---------------------------------------------------------------------------------

    def has(self, address: str) -> bool:
        """Whether there is such a program, sound or not."""
        return address in self._entries

    def unchecked(self, address: str) -> bool:
        """Whether to `verify` a program in a worker thread before `open` is asked for it."""
        entry = self._entries.get(address)
        if entry is None or entry.size <= _SMALL_BYTES:
            return False
        self._notice_change(address, entry)
        return not entry.checked

    def verify(self, address: str) -> bool:
        """Whether a program's file still holds what was written; slow, for a worker thread.

        Raises:
            OSError: it cannot be looked at now, for want of descriptors or memory.
        """
        entry = self._entries.get(address)
        if entry is None:
            return False
        try:
            fd = os.open(self._path(address, entry.digest), os.O_RDONLY | os.O_CLOEXEC)
            try:
                return _digest(fd) == entry.digest
            finally:
                os.close(fd)
        except OSError as error:
            if error.errno in _SHORTAGES:
                raise
            return False

    def verified(self, address: str, sound: bool) -> None:
        """What `verify` said; an unsound program is forgotten."""
        entry = self._entries.get(address)
        if entry is not None and sound:
            entry.checked = True
        elif entry is not None:
            self.damaged += 1
            self._drop(address)

    def open(self, address: str) -> int | None:
        """A descriptor of the program, which the cache owns; duplicate it to keep it.

        Raises:
            OSError: for want of descriptors or memory.
        """
        entry = self._entries.get(address)
        if entry is not None:
            self._notice_change(address, entry)
        fd = self._open.get(address)
        if fd is not None:
            self._open.move_to_end(address)
            if entry is not None:
                self._entries.move_to_end(address)
            return fd
        if entry is None:
            return None
        if not entry.checked:
            self.verified(address, self.verify(address))
        if not entry.checked:
            return None
        path = self._path(address, entry.digest)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in _SHORTAGES:
                raise
            self._forget(address)
            return None
        with contextlib.suppress(OSError):
            os.utime(fd)  # carries the order of use over a restart
        self._entries.move_to_end(address)
        entry.seen = _seen(fd)
        if self._copy_to_memory:
            fd = to_memory(fd)
        self._remember_open(address, fd)
        return fd

    def _notice_change(self, address: str, entry: _Entry) -> None:
        """Nobody writes to a file that is there: one that was changed is looked at again."""
        fd = self._open.get(address)
        if not entry.checked or entry.seen == _NEVER or (fd is not None and self._copy_to_memory):
            return  # a copy in memory cannot change
        try:
            changed = _seen(self._path(address, entry.digest) if fd is None else fd) != entry.seen
        except OSError:
            return  # whoever opens it will hear of it
        if changed:
            entry.checked = False
            if fd is not None:
                del self._open[address]
                os.close(fd)

    # --- writing ---------------------------------------------------------------------------------

    def store(self, address: str, source_fd: int) -> Stored:
        """Write a program beside its place; slow, for a worker thread; then `adopt` it.

        Raises:
            OSError: the disk refused.
        """
        handle, name = tempfile.mkstemp(suffix=".partial", dir=self._directory)
        try:
            digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
            size = 0
            while chunk := os.pread(source_fd, _COPY_BYTES, size):
                digest.update(chunk)
                size += len(chunk)
                view = memoryview(chunk)
                while view:
                    view = view[os.write(handle, view) :]
            os.fchmod(handle, 0o555)
            os.fdatasync(handle)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        finally:
            os.close(handle)
        return Stored(Path(name), size, digest.hexdigest())

    def adopt(self, address: str, stored: Stored) -> int:
        """Put a stored program in its place; returns a descriptor that the cache owns.

        Raises:
            OSError: the directory refused.
        """
        old = self._entries.get(address)
        if old is not None and old.digest != stored.digest:
            self._drop(address)
        try:
            os.rename(stored.path, self._path(address, stored.digest))
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(stored.path)
            raise
        self._forget(address)
        self._entries[address] = _Entry(stored.size, stored.digest, checked=True)
        self.total_bytes += stored.size
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

    # --- within the bounds -----------------------------------------------------------------------

    def _path(self, address: str, digest: str) -> Path:
        return self._directory / f"{address}.{digest}"

    def _remember_open(self, address: str, fd: int) -> None:
        self._open[address] = fd
        while len(self._open) > _OPEN_AT_MOST:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)

    def _forget(self, address: str) -> None:
        entry = self._entries.pop(address, None)
        if entry is not None:
            self.total_bytes -= entry.size

    def _drop(self, address: str) -> None:
        entry = self._entries.get(address)
        if entry is not None:
            self._forget(address)
            with contextlib.suppress(OSError):
                self._path(address, entry.digest).unlink()
        fd = self._open.pop(address, None)
        if fd is not None:
            # An open file keeps its blocks on the disk.
            os.close(fd)

    def _evict(self) -> None:
        while len(self._entries) > 1 and (
            self.total_bytes > self._limit_bytes or len(self._entries) > MAX_ARTIFACTS
        ):
            self._drop(next(iter(self._entries)))


def _digest(fd: int) -> str:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    offset = 0
    while chunk := os.pread(fd, _COPY_BYTES, offset):
        digest.update(chunk)
        offset += len(chunk)
    return digest.hexdigest()


def _seen(file: int | Path) -> tuple[int, int]:
    status = os.stat(file)
    return status.st_size, status.st_mtime_ns


#: From Linux 6.3 on.  Without the seal a program that runs as the daemon's user can take its own
#: artifact's mode away, and no later case can execute it.
_MFD_EXEC = 0x10
_F_SEAL_EXEC = 0x20


def _executable_memfd() -> tuple[int, bool]:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create("program", flags | _MFD_EXEC), True
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.memfd_create("program", flags), False


def to_memory(fd: int) -> int:
    """The same content, sealed, and where execution is allowed whatever the store's mount says.

    Parameters:
        fd: of a file; closed.

    Returns:
        another descriptor, for reading.

    Raises:
        OSError: there is no room.
    """
    memory = -1
    try:
        memory, mode_is_sealed = _executable_memfd()
        offset = 0
        while count := os.sendfile(memory, fd, offset, _COPY_BYTES):
            offset += count
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        if mode_is_sealed:
            seals |= _F_SEAL_EXEC
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
        # Opened afresh for reading: nobody may execute a file that is open for writing.
        return os.open(f"/proc/self/fd/{memory}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        if memory >= 0:
            os.close(memory)
        os.close(fd)
