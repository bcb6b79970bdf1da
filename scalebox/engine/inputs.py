"""Test data as a program reads it: bytes, or a descriptor of content that nobody can change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from io import FileIO

import anyio.to_thread

from scalebox.engine.blobs import SMALL_BYTES, BlobStore
from scalebox.model import Blob, Data, IsolationLevel, to_bytes
from scalebox.sandbox.spec import sealed_memfd

_KEPT_BYTES = 256 << 20
_KEPT_COUNT = 128


class Inputs:
    """Turns `Data` into what a run takes.

    Where programs run as another user (level `full`) an uploaded blob's own file is passed.  Where
    they run as the daemon's user they could change the mode of a file they own, and then its
    content; they get a sealed copy in memory, kept for the next case that wants it.

    Parameters:
        blobs: uploaded data.
        level: of isolation.
    """

    def __init__(self, blobs: BlobStore, level: IsolationLevel) -> None:
        self._blobs = blobs
        self._seal = level is not IsolationLevel.FULL
        # File objects: one that a cancelled `prepare` never gets is closed all the same.
        self._kept: OrderedDict[str, tuple[FileIO, int]] = OrderedDict()
        self._kept_bytes = 0

    def stdin(self, data: Data) -> bytes | int:
        """Content, or a descriptor that stays open until the next call at least.

        Raises:
            UnknownBlobError: the blob is gone.
        """
        if isinstance(data, str):
            return to_bytes(data)
        if data.data is not None:
            return data.data
        assert data.sha256 is not None
        known = self._kept.get(data.sha256)
        if known is not None:
            self._kept.move_to_end(data.sha256)
            return known[0].fileno()
        if self._seal:
            self._keep(data.sha256, *self._sealed(data.sha256))
        else:
            self._keep(data.sha256, FileIO(self._blobs.open(data.sha256)), 0)
        return self._kept[data.sha256][0].fileno()

    async def prepare(self, items: Iterable[Data]) -> None:
        """Make the copies of large uploaded blobs in a worker thread, before a slot waits for one.

        Raises:
            UnknownBlobError: a blob is gone.
        """
        if not self._seal:
            return
        for sha256 in dict.fromkeys(blob_hashes(items)):
            if sha256 in self._kept or self._blobs.size(sha256) <= SMALL_BYTES:
                continue
            file, size = await anyio.to_thread.run_sync(self._sealed, sha256)
            if sha256 in self._kept:
                file.close()
            else:
                self._keep(sha256, file, size)

    def _sealed(self, sha256: str) -> tuple[FileIO, int]:
        content = self._blobs.read(sha256)
        return FileIO(sealed_memfd(content)), len(content)

    def _keep(self, sha256: str, file: FileIO, size: int) -> None:
        while self._kept and (
            self._kept_bytes + size > _KEPT_BYTES or len(self._kept) >= _KEPT_COUNT
        ):
            _, (oldest, oldest_size) = self._kept.popitem(last=False)
            self._kept_bytes -= oldest_size
            oldest.close()
        self._kept[sha256] = (file, size)
        self._kept_bytes += size

    def size(self, data: Data) -> int:
        """Bytes of some data.

        Raises:
            UnknownBlobError: there is no such blob.
        """
        if isinstance(data, str):
            return len(data) if data.isascii() else len(to_bytes(data))
        if data.data is not None:
            return len(data.data)
        assert data.sha256 is not None
        return self._blobs.size(data.sha256)

    def read(self, data: Data) -> bytes:
        """The bytes; thread-safe, and for a worker thread where they may be many.

        Raises:
            UnknownBlobError: the blob is gone.
        """
        if isinstance(data, str):
            return to_bytes(data)
        if data.data is not None:
            return data.data
        assert data.sha256 is not None
        return self._blobs.read(data.sha256)

    async def content(self, data: Data) -> bytes:
        """The bytes, read in a worker thread where they are many.

        Raises:
            UnknownBlobError: the blob is gone.
        """
        if isinstance(data, Blob) and data.sha256 is not None:
            return await self._blobs.load(data.sha256)
        return self.read(data)

    def close(self) -> None:
        """Close what is kept."""
        for file, _ in self._kept.values():
            file.close()
        self._kept.clear()


def blob_hashes(items: Iterable[Data]) -> list[str]:
    """The hashes of uploaded blobs among some data."""
    return [item.sha256 for item in items if isinstance(item, Blob) and item.sha256 is not None]
