"""Datasets in files of JSON rows, for what is asked by dataset and id.

A file is gone over once at start: what is no row is refused there, with its line.  In memory stays
where each row is, and nothing of the rows; those are read when they are asked for.  A file that is
compressed is unpacked into one without a name in the daemon's store, which ends with the daemon.
"""

from __future__ import annotations

import gzip
import os
import tempfile
import zlib
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from scalebox.api.compat import rows
from scalebox.api.compat.evaluation import Wanted
from scalebox.api.compat.rows import Row
from scalebox.errors import BadRequestError, ConfigError, ScaleboxError

#: A row longer than that is none.
MAX_ROW_BYTES = 256 << 20
#: What a compressed file may become.
MAX_UNPACKED_BYTES = 32 << 30
#: Of a file so much has its tests read at start; what comes later has when it is asked for.
_READ_AT_START_BYTES = 64 << 20
_PIECE_BYTES = 1 << 20
#: Some rows leave the language to the request; for looking at them any will do.
_ANY_LANGUAGE = Wanted(language="python")


class BrokenRowError(ScaleboxError):
    """A row of a dataset cannot be used; that is no fault of a program's."""

    code = "broken_row"


class _Head(msgspec.Struct):
    """Of a row what tells it from others; the rest is passed over."""

    id: Any = None
    task_id: Any = None
    name: Any = None


class Dataset:
    """The rows of one file, by id.

    Parameters:
        name: of the dataset.
        path: a file whose lines are JSON objects; packed with gzip if its name ends in `.gz`.
        store: a directory for what is unpacked.

    Raises:
        ConfigError: it cannot be read, or a line is no row.
    """

    def __init__(self, name: str, path: Path, store: Path) -> None:
        self.name = name
        self.path = path
        self._starts = array("Q")
        self._lines: dict[int | str, int] = {}
        try:
            self._file = _opened(path, store)
            self._index()
        except ConfigError:
            raise
        except (OSError, EOFError, zlib.error) as error:
            words = getattr(error, "strerror", None) or str(error) or "it is cut off"
            raise ConfigError(f"{self._option()} cannot be read: {words}") from None
        # As a table is asked for, `ORDER BY id`.
        self.ids = sorted(self._lines, key=lambda id: (isinstance(id, str), id))

    def row(self, id: int | str) -> Row | None:
        """The row of that id, if there is one; blocks.

        Raises:
            BrokenRowError: it is not there any more as it was.
        """
        line = self._lines.get(id)
        if line is None and isinstance(id, str) and id.isdecimal() and len(id) < 19:
            line = self._lines.get(int(id))  # a client that has made text of it
        if line is None:
            return None
        start = self._starts[line]
        data = os.pread(self._file.fileno(), self._starts[line + 1] - start, start)
        try:
            found: Row = msgspec.json.decode(data, type=Row)
        except msgspec.MsgspecError:
            raise BrokenRowError(f"{self.name}: the file has changed; start again") from None
        return found

    def _index(self) -> None:
        numbers: list[int] = []
        read_bytes = 0
        for number, start, line in _lines(self._file):
            if not line.strip():
                continue
            read_bytes += len(line)
            try:
                if read_bytes > _READ_AT_START_BYTES:
                    head = msgspec.json.decode(line, type=_Head)
                    id = rows.id_of(msgspec.structs.asdict(head))
                else:
                    row = msgspec.json.decode(line, type=Row)
                    id = rows.id_of(row)
                    rows.task_of(row, _ANY_LANGUAGE)
                    rows.prompt_of(row, Wanted())
            except (msgspec.MsgspecError, BadRequestError, RecursionError) as error:
                words = f"{error.field}: " if isinstance(error, BadRequestError) else ""
                raise ConfigError(
                    f"{self._option()}, line {number}: {words}{str(error) or 'too deep'}"
                ) from None
            if id in self._lines:
                raise ConfigError(
                    f"{self._option()}, line {number}: the id {id!r} was on line "
                    f"{numbers[self._lines[id] // 2]}"
                )
            # Each row ends where the next line begins.
            self._lines[id] = len(self._starts)
            numbers.append(number)
            self._starts.append(start)
            self._starts.append(start + len(line))
        if not self._lines:
            raise ConfigError(f"{self._option()}: there are no rows")

    def _option(self) -> str:
        return f"compat.datasets.{self.name} = {self.path}"


def open_datasets(files: Mapping[str, str], store: Path) -> dict[str, Dataset]:
    """All datasets of a configuration, by name.

    Raises:
        ConfigError: as `Dataset`.
    """
    return {name: Dataset(name, Path(path), store) for name, path in files.items()}


def _opened(path: Path, store: Path) -> IO[bytes]:
    if path.suffix != ".gz":
        return path.open("rb")
    store.mkdir(parents=True, exist_ok=True)
    file = tempfile.TemporaryFile(dir=store)  # noqa: SIM115 - the dataset's, as long as it lives
    size = 0
    with gzip.open(path) as packed:
        while piece := packed.read(_PIECE_BYTES):
            size += len(piece)
            if size > MAX_UNPACKED_BYTES:
                raise OSError(None, f"it is over {MAX_UNPACKED_BYTES} bytes when unpacked")
            file.write(piece)
    file.flush()
    return file


def _lines(file: IO[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Number, place and content of each line."""
    file.seek(0)
    number, start = 0, 0
    while line := file.readline(MAX_ROW_BYTES + 1):
        number += 1
        if len(line) > MAX_ROW_BYTES:
            raise OSError(None, f"line {number} is over {MAX_ROW_BYTES} bytes")
        yield number, start, line
        start += len(line)
