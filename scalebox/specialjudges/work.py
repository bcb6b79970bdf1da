"""What has been done already: one SQLite file of finished steps, so that work can be interrupted.

A step is a stage of a problem (`evidence`, `classify`, …).  Its result counts as long as the key is
the same, in which everything goes that the result depends on; otherwise the step is done again.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import msgspec

from scalebox.errors import BadRequestError

T = TypeVar("T")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS steps (
    stage TEXT NOT NULL, problem TEXT NOT NULL, key TEXT NOT NULL, result BLOB NOT NULL,
    PRIMARY KEY (stage, problem)
) WITHOUT ROWID
"""
#: PRAGMA application_id: tells our files from others'.
_APPLICATION = 0x5CA1EB08
_BUSY_S = 30.0


class WorkFileError(BadRequestError):
    """The file of finished steps cannot be used."""

    code = "work_file"


class Work:
    """Finished steps.

    Parameters:
        path: the file, made if it is not there; None: in memory.

    Raises:
        WorkFileError: it cannot be opened, or is something else.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        try:
            # Several commands may work on one file: each write is a transaction of its own.
            self._database = sqlite3.connect(
                path or ":memory:", timeout=_BUSY_S, isolation_level=None
            )
            self._open()
        except sqlite3.Error as error:
            raise WorkFileError(
                f"cannot use {path} as the file of finished steps: {error}; name another one, or "
                "remove it to begin again"
            ) from error

    def _open(self) -> None:
        (application,) = self._database.execute("PRAGMA application_id").fetchone()
        (tables,) = self._database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and application != _APPLICATION:
            raise sqlite3.DatabaseError("it is a database of something else")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(f"PRAGMA application_id = {_APPLICATION}")
        self._database.execute(_SCHEMA)

    def __enter__(self) -> Work:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def find(self, stage: str, problem: str, key: str, kind: type[T]) -> T | None:
        """The result of a step; None: it is to be done.

        Raises:
            WorkFileError: the file cannot be read.
        """
        try:
            row = self._database.execute(
                "SELECT key, result FROM steps WHERE stage = ? AND problem = ?", (stage, problem)
            ).fetchone()
        except sqlite3.Error as error:
            raise WorkFileError(f"cannot read {self._path}: {error}") from error
        if row is None or row[0] != key:
            return None
        try:
            return msgspec.msgpack.decode(zlib.decompress(row[1]), type=kind)
        except (zlib.error, msgspec.MsgspecError):
            return None  # of another version, or damaged: it is done again

    def put(self, stage: str, problem: str, key: str, result: object) -> None:
        """Remember a result.

        Raises:
            WorkFileError: it cannot be written.
        """
        data = zlib.compress(msgspec.msgpack.encode(result), 1)
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?)", (stage, problem, key, data)
            )
        except sqlite3.Error as error:
            raise WorkFileError(f"cannot write {self._path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def key_of(*parts: object) -> str:
    """Equal for equal parts."""
    return hashlib.sha256(msgspec.msgpack.encode(parts, order="deterministic")).hexdigest()
