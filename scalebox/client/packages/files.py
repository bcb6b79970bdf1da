"""The files of a package: read within bounds, and never from outside its folder.

A package is somebody's: its links may lead anywhere, its files may be pipes or larger than memory.
What is read here is a regular file below the folder, of a size that is asked for first, and all of
them together have a bound.
"""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from pathlib import Path

from scalebox.client.folders import ProblemFileError
from scalebox.model import Blob, Data

#: Of one test's file; a request may not be larger (api.max_request_bytes), so nobody would take it.
MAX_FILE_BYTES = 256 << 20
#: Of everything that is read from one package.
MAX_PACKAGE_BYTES = 1 << 30
#: Of a source or a description: as much as a daemon takes of one program.
MAX_TEXT_BYTES = 4 << 20
#: Files and folders that are looked at.
MAX_ENTRIES = 50_000
#: Folders within folders.  Links to folders above would otherwise make an endless path.
MAX_DEPTH = 16


class PackageFiles:
    """What is in a package's folder.  Paths are relative to it, with `/`.

    Parameters:
        folder: of the package.

    Raises:
        ProblemFileError: it cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bytes = 0
        self._entries = 0
        try:
            self._root = folder.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise ProblemFileError(f"cannot read {folder}: {error}") from error

    def where(self, path: str) -> str:
        """A path as people are told it."""
        return printable(str(self.folder / path))

    def is_file(self, path: str) -> bool:
        """Whether it is there; a link that leads outside is refused."""
        return self._kind(path) == stat.S_IFREG

    def is_folder(self, path: str) -> bool:
        """Whether it is there; a link that leads outside is refused."""
        return self._kind(path) == stat.S_IFDIR

    def names(self, path: str) -> list[str]:
        """What is in a folder, sorted; empty if there is no such folder.  Hidden ones are left out.

        Raises:
            ProblemFileError: it cannot be read, has too much, or a name that is no text.
        """
        if not self.is_folder(path):
            return []
        if path.count("/") >= MAX_DEPTH:
            raise ProblemFileError(
                f"{self.where(path)}: folders are more than {MAX_DEPTH} deep; is a link among them?"
            )
        found = []
        try:
            for entry in (self._root / path).iterdir():
                self.count_entry()
                if not entry.name.startswith("."):
                    found.append(entry.name)
        except OSError as error:
            raise ProblemFileError(f"cannot read {self.where(path)}: {error.strerror}") from error
        for name in found:
            if not name.isprintable():
                raise ProblemFileError(
                    f"{self.where(path)} has a name that is no text: {printable(name)}; rename it"
                )
        return sorted(found)

    def below(self, path: str) -> Iterator[str]:
        """The files in a folder and in those inside it, relative to that folder, in order."""
        for name in self.names(path):
            inside = f"{path}/{name}"
            if self.is_folder(inside):
                yield from (f"{name}/{rest}" for rest in self.below(inside))
            elif self.is_file(inside):
                yield name

    def program(self, path: str) -> dict[str, str]:
        """The texts of a program: a file alone, or all files of a folder.

        Raises:
            ProblemFileError: it is not there, or is no text; all of it is too large.
        """
        if self.is_file(path):
            return {path.rsplit("/", 1)[-1]: self.text(path)}
        texts: dict[str, str] = {}
        size = 0
        for name in self.below(path):
            if name.endswith(_BUILT):
                continue
            texts[name] = self.text(f"{path}/{name}")
            size += len(texts[name])
            if size > MAX_TEXT_BYTES:
                raise ProblemFileError(
                    f"{self.where(path)} has more than {MAX_TEXT_BYTES} bytes of program"
                )
        if not texts:
            raise ProblemFileError(f"{self.where(path)} is not there, or has no files")
        return texts

    def text(self, path: str) -> str:
        """A source or a description.

        Raises:
            ProblemFileError: it cannot be read, is too large, or is not UTF-8.
        """
        raw = self.bytes(path, MAX_TEXT_BYTES)
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ProblemFileError(
                f"{self.where(path)} is not UTF-8 text ({error}); remove it if it is no source"
            ) from error

    def data(self, path: str) -> Data:
        """An input or an answer."""
        return as_data(self.bytes(path))

    def bytes(self, path: str, most: int | None = None) -> bytes:
        """A file's content, of at most so many bytes.

        Raises:
            ProblemFileError: it is not there, is no file of this folder, or is too large.
        """
        if not self.is_file(path):
            raise ProblemFileError(f"{self.where(path)} is not there, or is no file")
        most = MAX_FILE_BYTES if most is None else most
        try:
            with (self._root / path).open("rb") as file:
                content = file.read(most + 1)
        except OSError as error:
            raise ProblemFileError(f"cannot read {self.where(path)}: {error.strerror}") from error
        if len(content) > most:
            raise ProblemFileError(f"{self.where(path)} has more than {most} bytes")
        self.count_bytes(len(content))
        return content

    def path(self, path: str) -> Path:
        """Where a file of this folder is, for what reads it in pieces.

        Raises:
            ProblemFileError: it is not there, or is no file of this folder.
        """
        if not self.is_file(path):
            raise ProblemFileError(f"{self.where(path)} is not there, or is no file")
        return (self._root / path).resolve()

    def count_bytes(self, size: int) -> None:
        """So much more was read.

        Raises:
            ProblemFileError: it is too much.
        """
        self._bytes += size
        if self._bytes > MAX_PACKAGE_BYTES:
            raise ProblemFileError(
                f"{printable(str(self.folder))}: the package has more than {MAX_PACKAGE_BYTES} "
                "bytes of tests and programs; leave some tests out"
            )

    def count_entry(self) -> None:
        """One more file or folder was looked at.

        Raises:
            ProblemFileError: they are too many.
        """
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise ProblemFileError(
                f"{printable(str(self.folder))}: the package has more than {MAX_ENTRIES} files"
            )

    def _kind(self, path: str) -> int:
        """The type bits of a file's mode; 0: it is not there.

        Raises:
            ProblemFileError: it is outside.
        """
        if "\0" in path or path.startswith("/") or ".." in path.split("/"):
            raise ProblemFileError(
                f"{printable(str(self.folder))}: {printable(path)!r} is no path inside the package"
            )
        try:
            real = (self._root / path).resolve(strict=True)
            mode = real.stat().st_mode
        except (OSError, RuntimeError, ValueError):  # RuntimeError: a link to itself
            return 0
        if not real.is_relative_to(self._root):
            raise ProblemFileError(
                f"{self.where(path)} is a link that leads out of the package; put a copy there"
            )
        return stat.S_IFMT(mode)


#: What compilers and editors leave beside sources.
_BUILT = (".o", ".exe", ".pyc", ".class", "~")


@contextlib.contextmanager
def located(where: str) -> Iterator[None]:
    """Errors within the block say where."""
    try:
        yield
    except ProblemFileError as error:
        raise ProblemFileError(f"{where}: {error.message}") from error


def as_data(raw: bytes) -> Data:
    """Bytes as text where they are text."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return Blob(data=raw)


def printable(text: str, most: int = 300) -> str:
    """Text of a package, for a message: control characters and halves of characters written out."""
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text[:most]
    )
    return shown + ("…" if len(text) > most else "")
