"""Test data as a program reads it: bytes, or a descriptor of content that nobody can change."""

from __future__ import annotations

import os
from collections import OrderedDict

from scalebox.engine.blobs import BlobStore
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
        self._kept: OrderedDict[str, tuple[int, int]] = OrderedDict()
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
            return known[0]
        if self._seal:
            content = self._blobs.read(data.sha256)
            self._keep(data.sha256, sealed_memfd(content), len(content))
        else:
            self._keep(data.sha256, self._blobs.open(data.sha256), 0)
        return self._kept[data.sha256][0]

    def _keep(self, sha256: str, fd: int, size: int) -> None:
        while self._kept and (
            self._kept_bytes + size > _KEPT_BYTES or len(self._kept) >= _KEPT_COUNT
        ):
            _, (oldest, oldest_size) = self._kept.popitem(last=False)
            self._kept_bytes -= oldest_size
            os.close(oldest)
        self._kept[sha256] = (fd, size)
        self._kept_bytes += size

    def size(self, data: Data) -> int:
        """Bytes of some test data.

        Raises:
            UnknownBlobError: there is no such blob.
        """
        if isinstance(data, str):
            return len(data)
        if data.data is not None:
            return len(data.data)
        assert data.sha256 is not None
        return self._blobs.size(data.sha256)

    async def content(self, data: Data) -> bytes:
        """The bytes."""
        if isinstance(data, str):
            return to_bytes(data)
        if data.data is not None:
            return data.data
        assert data.sha256 is not None
        return await self._blobs.load(data.sha256)

    def close(self) -> None:
        """Close what is kept."""
        for fd, _ in self._kept.values():
            os.close(fd)
        self._kept.clear()


def blob_hashes(items: list[Data]) -> list[str]:
    """The hashes of uploaded blobs among some data."""
    return [item.sha256 for item in items if isinstance(item, Blob) and item.sha256 is not None]
