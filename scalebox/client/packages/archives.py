"""Zip archives of a package: members read within bounds, and none that leads elsewhere.

Nothing is unpacked to disk.  What an archive says of itself is not believed: its table of contents
is bounded before it is read, and members while they are.
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from pathlib import Path
from types import TracebackType

from scalebox.client.folders import ProblemFileError
from scalebox.client.packages.files import MAX_FILE_BYTES, PackageFiles, printable

MAX_ARCHIVE_BYTES = 512 << 20
MAX_MEMBERS = 20_000
#: Of the archive's table of contents; each member takes 46 bytes and its name.
_MAX_CONTENTS_BYTES = 4 << 20
#: At the end of an archive: signature, four counts, size and place of the table, length of a
#: comment (PKWARE's APPNOTE, 4.3.16).
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LONGEST_COMMENT = 65_535
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
#: What zipfile raises about archives that are none.
_DAMAGED = (
    OSError, EOFError, ValueError, IndexError, NotImplementedError, RuntimeError,
    zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip


class Archive:
    """A zip archive, to be used as a context.

    Parameters:
        files: of the package that it is in; what is read counts there.
        path: where in it.

    Raises:
        ProblemFileError: it is not there, is none, or is over a bound.
    """

    def __init__(self, files: PackageFiles, path: str) -> None:
        self._files = files
        self._where = files.where(path)
        real = files.path(path)
        try:
            self._check_contents(real)
            self._zip = zipfile.ZipFile(real)
        except _DAMAGED as error:
            raise ProblemFileError(
                f"{self._where} cannot be read as a zip archive: {error}"
            ) from error
        try:
            self._members = {
                info.filename: info
                for info in self._zip.infolist()
                if not info.filename.endswith("/")
            }
            for info in self._members.values():
                self._check(info)
        except ProblemFileError:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def bytes(self, name: str) -> bytes:
        """A member's content.

        Raises:
            ProblemFileError: it is not there, is damaged, or is over a bound.
        """
        info = self._members.get(name)
        if info is None:
            raise ProblemFileError(f"{self._where} has no {printable(name)!r}")
        try:
            with self._zip.open(info) as member:
                content = member.read(MAX_FILE_BYTES + 1)
        except _DAMAGED as error:
            raise ProblemFileError(f"{self._where}, {printable(name)}: damaged: {error}") from error
        if len(content) > MAX_FILE_BYTES:
            raise self._too_large(name)
        self._files.count_bytes(len(content))
        return content

    def _check_contents(self, path: Path) -> None:
        """The table of contents has a size before it is read into memory."""
        size = path.stat().st_size
        if size > MAX_ARCHIVE_BYTES:
            raise ProblemFileError(f"{self._where} has more than {MAX_ARCHIVE_BYTES} bytes")
        with path.open("rb") as file:
            file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
            tail = file.read()
        # Without a comment it is the very end; else the last that looks like one.
        at = len(tail) - _END.size
        if at < 0 or tail[at : at + 4] != _END_SIGNATURE or tail[-2:] != b"\0\0":
            at = tail.rfind(_END_SIGNATURE)
        if at < 0 or at + _END.size > len(tail):
            raise ProblemFileError(f"{self._where} is no zip archive")
        _, _, _, _, members, contents, _, _ = _END.unpack_from(tail, at)
        # In archives of more than 4 GB or 65,534 members these are all ones.
        if members > MAX_MEMBERS or contents > _MAX_CONTENTS_BYTES:
            raise ProblemFileError(
                f"{self._where} has more than {MAX_MEMBERS} members, or "
                f"{_MAX_CONTENTS_BYTES} bytes of names"
            )

    def _check(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        shown = f"{self._where}, {printable(name)!r}"
        parts = name.split("/")
        if (
            not name
            or name.startswith("/")
            or "\\" in name
            or ".." in parts
            or not name.isprintable()
        ):
            raise ProblemFileError(f"{shown}: a name that leads out of the archive; rename it")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ProblemFileError(f"{shown} is a link; put a copy there")
        if info.flag_bits & _ENCRYPTED:
            raise ProblemFileError(f"{shown} is encrypted")
        if info.compress_type not in _METHODS:
            raise ProblemFileError(f"{shown} is packed in another way than deflate; repack it")
        if info.file_size > MAX_FILE_BYTES:
            raise self._too_large(name)

    def _too_large(self, name: str) -> ProblemFileError:
        return ProblemFileError(
            f"{self._where}, {printable(name)!r} has more than {MAX_FILE_BYTES} bytes unpacked"
        )
