"""Large fields of rows, kept in a temporary file until they are needed.

The tests of a contest's problems have gigabytes together, and are used a problem at a time.  The
file has no name: it is gone with the process, however that ends.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from typing import IO, Any

from scalebox.suite.errors import SuiteError

#: What is smaller stays in memory.
SMALL_BYTES = 16 << 10


@dataclass(frozen=True, slots=True)
class Aside:
    """A value that was put aside.

    Attributes:
        size: of its JSON, in bytes.
    """

    size: int
    _at: int
    _file: IO[bytes]

    def value(self) -> Any:
        """The value, read anew each time; from any thread, but not on the event loop.

        Raises:
            SuiteError: it cannot be read.
        """
        try:
            text = os.pread(self._file.fileno(), self.size, self._at)
        except OSError as error:
            raise SuiteError(f"a temporary file cannot be read: {error.strerror}") from error
        while len(text) < self.size:  # a single read gives at most 2 GiB
            more = os.pread(self._file.fileno(), self.size - len(text), self._at + len(text))
            if not more:
                raise SuiteError("a temporary file of this process was cut")
            text += more
        return json.loads(text)


class Spool:
    """A temporary file for what is put aside; there once something is."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._size = 0

    def aside(self, value: Any) -> Any:
        """The value itself if it is small, else an `Aside`.

        Parameters:
            value: as in JSON; what is not (a date of Parquet) comes back as a text.

        Raises:
            SuiteError: there is no room for it.
        """
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str) and len(value) < SMALL_BYTES:
            return value
        data = json.dumps(value, default=str).encode()
        if len(data) < SMALL_BYTES:
            return value
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="scalebox-rows-")  # noqa: SIM115
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise SuiteError(
                f"there is no room for a benchmark's tests in {tempfile.gettempdir()}: "
                f"{error.strerror}; $TMPDIR names another folder"
            ) from error
        kept = Aside(len(data), self._size, self._file)
        self._size += len(data)
        return kept


def value_of(given: Any) -> Any:
    """A field's value, whether it was put aside or not."""
    return given.value() if isinstance(given, Aside) else given


def size_of(given: Any) -> int:
    """Its bytes, if it was put aside; else 0."""
    return given.size if isinstance(given, Aside) else 0
