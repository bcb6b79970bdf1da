"""Lines that are never lost and never written twice: an append-only file of JSON records.

A record is one line, written at once, so whoever dies in the middle leaves at most a torn last
line, which is cut off when the file is opened again; its record is then made again.  A line that is
broken anywhere else was broken by somebody else, and is an error.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, TypeVar

import msgspec

from scalebox.suite.errors import SuiteError

T = TypeVar("T", bound=msgspec.Struct)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
#: Out of the page cache so often: a kill loses nothing, and a power cut this much.
_SYNC_EVERY = 64


class Journal(Generic[T]):
    """One file of records of one kind.  Use it as a context manager.

    Parameters:
        path: made if it is not there.
        kind: of the records.

    Attributes:
        records: those that were there when it was opened, in their order.
        repaired: whether a torn last line was cut off.

    Raises:
        SuiteError: a line is broken, or the file cannot be opened.
    """

    def __init__(self, path: Path, kind: type[T]) -> None:
        self.path = path
        self.repaired = False
        self.records: list[T] = []
        self._encoder = msgspec.json.Encoder()
        self._unsynced = 0
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise SuiteError(f"{path} cannot be opened: {error.strerror}") from error
        try:
            self._size = self._read(msgspec.json.Decoder(kind))
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Journal[T]:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            os.fsync(self._fd)
        os.close(self._fd)

    def append(self, record: T) -> None:
        """Write a record; what is written survives our death.

        Raises:
            SuiteError: the disk is full, or fails.  Nothing of the record is left in the file.
        """
        line = self._encoder.encode(record) + b"\n"
        done = 0
        try:
            while done < len(line):
                done += os.write(self._fd, line[done:])
            self._unsynced += 1
            if self._unsynced >= _SYNC_EVERY:
                os.fdatasync(self._fd)
                self._unsynced = 0
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._size)
            raise SuiteError(f"{self.path} cannot be written: {_why(error)}") from error
        self._size += len(line)

    def _read(self, decoder: msgspec.json.Decoder[T]) -> int:
        """Take in what is there; returns the size of what is whole."""
        size = number = 0
        with open(os.dup(self._fd), "rb") as file:
            file.seek(0)
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    os.ftruncate(self._fd, size)
                    self.repaired = True
                    break
                try:
                    self.records.append(decoder.decode(line))
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise SuiteError(
                        f"{self.path}, line {number} is broken ({error}); it was changed by "
                        "somebody else. Take the line out to have its record made again"
                    ) from error
                size += len(line)
        return size


def _why(error: OSError) -> str:
    if error.errno in _FULL:
        return (
            f"{error.strerror}. Nothing that was written is lost: make room and start the same "
            "command again, which goes on from here"
        )
    return f"{error.strerror}"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder for this process alone.

    Raises:
        SuiteError: another process works in it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SuiteError(f"{folder} cannot be used: {error.strerror}") from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SuiteError(f"another process works in {folder}; wait for it to end") from None
        yield
    finally:
        os.close(fd)


def write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file in such a way that it is there whole, or as it was before.

    Raises:
        SuiteError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        try:
            with beside.open("xb") as stream:
                for chunk in chunks:
                    stream.write(chunk)
                stream.flush()
                os.fsync(stream.fileno())
            beside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
    except OSError as error:
        raise SuiteError(f"{path} cannot be written: {_why(error)}") from error
