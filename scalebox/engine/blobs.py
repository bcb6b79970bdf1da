"""Uploaded test data, addressed by its SHA-256 and kept on disk within a bound.

Answers for: bytes go in once (hashed while they are written, published by one atomic rename), are
found again by hash, also after a restart, and never take more disk than was granted.  What has not
been used for longest goes first; what somebody has pinned or is reading never goes.  It knows
nothing of submissions: whoever queues work that refers to a blob pins it until that work is done.

On disk: `<directory>/<first two hex digits>/<sha256>`, and `<directory>/incoming/` for uploads
under way, which is emptied at start.  Directories are 0700 and files 0600: test data is secret.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread

from scalebox.errors import (
    BadRequestError,
    HostError,
    QueueFullError,
    TooLargeError,
    UnknownBlobError,
)

#: Reads up to this size cost less than handing them to a thread does (about 0.1 ms).
SMALL_BYTES = 256 << 10
#: An upload goes to its file in pieces of about this size, one thread hand-over each.
WRITE_BYTES = 1 << 20
#: The index lives in memory (about 250 bytes an entry), so the number of files is bounded too.
MAX_BLOBS = 200_000
#: Uses are written to the file's time stamp (it carries the order over a restart) this seldom.
_TOUCH_INTERVAL_S = 60.0
_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class _Entry:
    size: int
    pins: int = 0
    touched: float = 0.0


class _Incoming:
    """One upload: its temporary file, its hash so far, and the disk it has reserved."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._descriptor = -1
        self._hash = hashlib.sha256()
        self.path = ""
        self.size = 0

    def append(self, data: bytes) -> None:
        if self._descriptor < 0:
            # mkstemp makes the file 0600, whatever the umask.
            self._descriptor, self.path = tempfile.mkstemp(dir=self._directory)
        self._hash.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def finish(self, last: bytes, sha256: str, target: Path) -> None:
        """Write what is left, and publish the file if it is what it was said to be."""
        self.append(last)
        found = self._hash.hexdigest()
        if found != sha256:
            raise BadRequestError(
                f"the {self.size} bytes received have the SHA-256 {found}, not {sha256}; "
                "send the bytes that the address names, whole and unencoded",
                field="sha256",
            )
        # A name must never appear for contents that a power failure can still take away: a
        # truncated test would give wrong verdicts.
        os.fsync(self._descriptor)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(self.path, target)
        self.path = ""

    def discard(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self.path:
            with suppress(OSError):
                os.unlink(self.path)
            self.path = ""


class BlobStore:
    """Content-addressed files under a bound, least recently used out first."""

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        """Take over the directory: index what is there, remove what an earlier life left undone.

        Parameters:
            directory: made (0700) if missing; used by this store alone.
            limit_bytes: bound on the bytes of all blobs and uploads under way together.

        Raises:
            HostError: the directory cannot be made or written.
        """
        self._directory = directory
        self._limit_bytes = limit_bytes
        self._used_bytes = 0
        self._incoming_bytes = 0
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        # Reads come from worker threads as well as from the event loop.
        self._lock = threading.RLock()
        self._incoming = directory / "incoming"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chmod(directory, 0o700)
            shutil.rmtree(self._incoming, ignore_errors=True)
            self._incoming.mkdir(mode=0o700, exist_ok=True)
            self._index()
        except OSError as error:
            raise HostError(
                f"cannot keep uploaded test data in {directory}: {error.strerror}; make it "
                "writable for the daemon's user, or set store.directory to a place that is"
            ) from error

    @property
    def limit_bytes(self) -> int:
        """The bound, in bytes."""
        return self._limit_bytes

    @property
    def used_bytes(self) -> int:
        """Bytes held or being received now."""
        return self._used_bytes + self._incoming_bytes

    @property
    def count(self) -> int:
        """Number of blobs held."""
        return len(self._entries)

    def has(self, sha256: str) -> bool:
        """Whether the blob is here now (pin it if it must stay)."""
        return sha256 in self._entries

    def size(self, sha256: str) -> int:
        """The blob's size in bytes.

        Raises:
            UnknownBlobError: it is not here.
        """
        with self._lock:
            return self._entry(sha256).size

    def open(self, sha256: str) -> int:
        """A fresh read-only descriptor, at offset 0, which the caller closes.

        It stays readable even if the blob is evicted meanwhile.

        Raises:
            UnknownBlobError: the blob is not here.
        """
        with self._lock:
            self._use(sha256)
            try:
                return os.open(self._path(sha256), os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                self._forget(sha256)
                raise self._unknown(sha256) from None

    def read(self, sha256: str) -> bytes:
        """The blob's bytes; for large ones on the event loop use `load`.

        Raises:
            UnknownBlobError: the blob is not here.
        """
        with os.fdopen(self.open(sha256), "rb") as file:
            return file.read()

    async def load(self, sha256: str) -> bytes:
        """The blob's bytes, read in a worker thread when there are many.

        Raises:
            UnknownBlobError: the blob is not here.
        """
        if self.size(sha256) <= SMALL_BYTES:
            return self.read(sha256)
        with self.pinned((sha256,)):
            return await to_thread.run_sync(self.read, sha256)

    @contextmanager
    def pinned(self, hashes: Iterable[str]) -> Iterator[None]:
        """Keep these blobs from eviction while the block runs.

        Raises:
            UnknownBlobError: one of them is not here; then none is pinned.
        """
        held = self.pin(hashes)
        try:
            yield
        finally:
            self.unpin(held)

    def pin(self, hashes: Iterable[str]) -> tuple[str, ...]:
        """Keep these blobs from eviction until as many `unpin` calls; returns what to unpin.

        Raises:
            UnknownBlobError: one of them is not here; then none is pinned.
        """
        wanted = tuple(hashes)
        with self._lock:
            for sha256 in wanted:
                self._entry(sha256)
            for sha256 in wanted:
                self._use(sha256).pins += 1
        return wanted

    def unpin(self, hashes: Iterable[str]) -> None:
        """Undo one `pin` of each."""
        with self._lock:
            for sha256 in hashes:
                entry = self._entries.get(sha256)
                if entry is not None and entry.pins:
                    entry.pins -= 1

    async def put(self, sha256: str, data: AsyncIterator[bytes] | bytes) -> bool:
        """Store bytes under their hash; either all of them or nothing becomes visible.

        Parameters:
            sha256: lower-case hex SHA-256 of the bytes.
            data: the bytes, whole or as they arrive.  Not read when the blob is here already.

        Returns:
            True if the blob is new, False if it was here.

        Raises:
            BadRequestError: the name is no SHA-256, or the bytes have another one.
            TooLargeError: more bytes than the store may hold at all.
            QueueFullError: everything held is in use; there is room again when work finishes.
            HostError: the disk refused (full, read-only).
        """
        if not _NAME.fullmatch(sha256):
            raise BadRequestError(
                "a blob's address is its SHA-256: 64 hexadecimal digits, in lower case",
                field="sha256",
            )
        if self.has(sha256):
            with self._lock:
                self._use(sha256)
            return False
        upload = _Incoming(self._incoming)
        try:
            return await self._receive(sha256, data, upload)
        except OSError as error:
            if isinstance(error, ConnectionError):
                raise  # the sender went away; nothing is wrong with the disk
            raise HostError(
                f"cannot store a blob in {self._directory}: {error.strerror}"
            ) from error
        finally:
            with self._lock:
                self._incoming_bytes -= upload.size
            if upload.path:
                await to_thread.run_sync(upload.discard)
            else:
                upload.discard()

    async def _receive(
        self, sha256: str, data: AsyncIterator[bytes] | bytes, upload: _Incoming
    ) -> bool:
        last = b""
        if isinstance(data, bytes):
            self._reserve(upload, len(data))
            last = data
        else:
            pieces: list[bytes] = []
            waiting = 0
            async for chunk in data:
                self._reserve(upload, len(chunk))
                pieces.append(chunk)
                waiting += len(chunk)
                if waiting >= WRITE_BYTES:
                    await to_thread.run_sync(upload.append, b"".join(pieces))
                    pieces, waiting = [], 0
            last = b"".join(pieces)
        path = self._path(sha256)
        await to_thread.run_sync(upload.finish, last, sha256, path)
        with self._lock:
            if sha256 in self._entries:  # an equal upload was faster
                self._use(sha256)
                return False
            if not path.exists():  # that equal upload was evicted again, and this file with it
                return True
            self._entries[sha256] = _Entry(upload.size, touched=time.monotonic())
            self._used_bytes += upload.size
            self._incoming_bytes -= upload.size
            upload.size = 0
            self._make_room(0)
            return True

    def _reserve(self, upload: _Incoming, size: int) -> None:
        if upload.size + size > self._limit_bytes:
            raise TooLargeError(
                f"the blob is larger than all uploaded data may be together "
                f"({self._limit_bytes} bytes, store.blobs_bytes)"
            )
        with self._lock:
            self._make_room(size)
            if self.used_bytes + size > self._limit_bytes:
                raise QueueFullError(
                    f"no room for the blob: the store's {self._limit_bytes} bytes "
                    "(store.blobs_bytes) are all in use by work at hand; try again later",
                    retry_after_s=5.0,
                )
            self._incoming_bytes += size
            upload.size += size

    def _make_room(self, size: int) -> None:
        """Evict, oldest use first, until `size` more bytes fit or all that is left is pinned."""

        def full() -> bool:
            return self.used_bytes + size > self._limit_bytes or len(self._entries) > MAX_BLOBS

        if not full():
            return
        for sha256 in [name for name, entry in self._entries.items() if not entry.pins]:
            if not full():
                return
            self._forget(sha256)
            with suppress(OSError):
                os.unlink(self._path(sha256))

    def _index(self) -> None:
        found: list[tuple[float, str, int]] = []
        for folder in os.scandir(self._directory):
            if folder.path == str(self._incoming) or not folder.is_dir(follow_symlinks=False):
                continue
            for file in os.scandir(folder.path):
                facts = file.stat(follow_symlinks=False)
                if _NAME.fullmatch(file.name) and file.is_file(follow_symlinks=False):
                    found.append((facts.st_mtime, file.name, facts.st_size))
        for _, name, size in sorted(found):
            self._entries[name] = _Entry(size)
            self._used_bytes += size
        self._make_room(0)

    def _path(self, sha256: str) -> Path:
        return self._directory / sha256[:2] / sha256

    def _entry(self, sha256: str) -> _Entry:
        try:
            return self._entries[sha256]
        except KeyError:
            raise self._unknown(sha256) from None

    def _use(self, sha256: str) -> _Entry:
        entry = self._entry(sha256)
        self._entries.move_to_end(sha256)
        now = time.monotonic()
        if now - entry.touched > _TOUCH_INTERVAL_S:
            entry.touched = now
            with suppress(OSError):
                os.utime(self._path(sha256))
        return entry

    def _forget(self, sha256: str) -> None:
        entry = self._entries.pop(sha256, None)
        if entry is not None:
            self._used_bytes -= entry.size

    @staticmethod
    def _unknown(sha256: str) -> UnknownBlobError:
        return UnknownBlobError(
            f"no blob {sha256} here (never uploaded, or evicted since); upload it with "
            f"PUT /v1/blobs/{sha256} and ask again"
        )
