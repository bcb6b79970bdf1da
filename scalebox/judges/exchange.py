"""Judges of the store in folders that can live in git: written, and read with suspicion.

    FOLDER/PROBLEM-KEY/
      judge.json     all but the source: hash, problem, version, state, provenance, limits …
      judge.py       the source (.c, .cpp …)
      files/…        further files
      proof.json

Equal judges give equal bytes, so that writing twice changes nothing.  A folder that is read may be
anybody's: no link is followed, nothing outside of it is opened, sizes are bounded, and a judge
whose content does not have the hash that it says is refused, and with it all.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from scalebox.judges.content import encode_proof
from scalebox.judges.folder import JudgeFolderError
from scalebox.model import (
    Contract,
    FunctionJudge,
    Identifier,
    JudgeRecord,
    JudgeState,
    Limits,
    NamedJudge,
    NewJudge,
    ProgramJudge,
    Provenance,
    StorableJudge,
    judge_hash,
)

_TABLE, _PROOF, _FILES = "judge.json", "proof.json", "files"
_SUFFIXES = {"python": ".py", "c": ".c", "cpp": ".cpp"}
_SOURCE_NAME = re.compile(r"judge\.[a-z]{1,8}")
#: Of one file, and of all files of one judge.
MAX_FILE_BYTES = 8 << 20
_READABLE_BYTES = 256 << 10
_MAX_FILES = 1_000
_MAX_FOLDERS = 200_000
_LONGEST_SLUG = 60
#: A pipe in the place of a file is seen, not waited for.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True,
               omit_defaults=True):  # fmt: skip
    """`judge` in `judge.json`: its text is in files beside it, whose names are here."""

    type: str
    contract: Contract | None = None
    language: str = ""
    source: str = ""
    files: list[str] = []
    flags: list[str] = []
    limits: Limits | None = None
    name: str = ""
    parameters: dict[str, Any] = {}


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True,
             omit_defaults=True):  # fmt: skip
    """`judge.json`."""

    hash: str
    problem: Identifier | None = None
    version: int
    state: JudgeState
    reason: str = ""
    provenance: Provenance
    judge: _Content


# --- writing --------------------------------------------------------------------------------------


def write_records(folder: Path, records: Iterable[JudgeRecord]) -> int:
    """Lay judges out in a folder; what is there already and equal is not touched.

    Returns:
        How many.

    Raises:
        JudgeFolderError: a file cannot be written, or a link is in its place.
    """
    count = 0
    for record in records:
        place = folder / _folder_name(record)
        for path, content in _laid_out(record).items():
            try:
                _write(place, path, content)
            except OSError as error:
                raise JudgeFolderError(
                    f"cannot write {place / path}: {error.strerror or error}"
                ) from error
        count += 1
    return count


def _folder_name(record: JudgeRecord) -> str:
    problem = record.problem or "any"
    slug = re.sub(r"[^A-Za-z0-9._-]", "_", problem)[:_LONGEST_SLUG]
    key = hashlib.sha256(f"{record.problem or ''}\n{record.hash}".encode()).hexdigest()
    return f"{slug}-{key[:12]}"


def _laid_out(record: JudgeRecord) -> dict[str, bytes]:
    """Path → content.

    Raises:
        JudgeFolderError: it is no judge of the store, or a path leads elsewhere.
    """
    content, files = _taken_apart(record)
    table = _Table(
        hash=record.hash,
        problem=record.problem,
        version=record.version,
        state=record.state,
        reason=record.history[-1].reason if record.history else "",
        provenance=record.provenance,
        judge=content,
    )
    files[_TABLE] = _readable(msgspec.json.encode(table))
    if record.proof is not None:
        files[_PROOF] = _readable(encode_proof(record.proof))
    return files


def _taken_apart(record: JudgeRecord) -> tuple[_Content, dict[str, bytes]]:
    judge = record.judge
    if isinstance(judge, NamedJudge):
        return _Content(type="named", name=judge.name, parameters=judge.parameters), {}
    if not isinstance(judge, FunctionJudge | ProgramJudge):
        raise JudgeFolderError(f"{record.name} is no judge of the store")
    language = "python" if isinstance(judge, FunctionJudge) else judge.language
    source = "judge" + next(
        (end for name, end in sorted(_SUFFIXES.items(), reverse=True) if language.startswith(name)),
        ".txt",
    )
    files = {}
    for path, data in {source: judge.source, **_below(judge.files)}.items():
        if not isinstance(data, str):
            raise JudgeFolderError(f"{record.name}: {path} is no text")
        files[path] = data.encode()
    kind = "function"
    more: dict[str, Any] = {}
    if isinstance(judge, ProgramJudge):
        kind = "program"
        more = {"contract": judge.contract, "language": judge.language, "flags": judge.flags}
    more["limits"] = None if judge.limits == Limits() else judge.limits
    return _Content(type=kind, source=source, files=sorted(judge.files), **more), files


def _below(files: dict[str, Any]) -> dict[str, Any]:
    for path in files:
        _check_path(path)
    return {f"{_FILES}/{path}": data for path, data in files.items()}


def _readable(encoded: bytes) -> bytes:
    """JSON as people read it, unless what its writer nested would make it many times as long."""
    laid_out = msgspec.json.format(encoded, indent=2) if len(encoded) <= _READABLE_BYTES else b""
    return (laid_out if 0 < len(laid_out) <= MAX_FILE_BYTES else encoded) + b"\n"


def _write(place: Path, path: str, content: bytes) -> None:
    """Write a file below a folder, by way of folders that are no links."""
    target = place
    for part in ("", *path.split("/")[:-1]):
        target = target / part
        target.mkdir(parents=part == "", exist_ok=True)
        if target.is_symlink():
            raise OSError(errno.ELOOP, "a link is in its place")
    target = place / path
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(target, flags, 0o644), "r+b") as file:
        if file.read(len(content) + 1) != content:
            file.seek(0)
            file.write(content)
            file.truncate()


# --- reading --------------------------------------------------------------------------------------


def read_records(folder: Path) -> list[NewJudge]:
    """Read the judges in a folder; what is no judge's folder in it is left alone.

    Returns:
        What registers each, by problem and version.

    Raises:
        JudgeFolderError: one cannot be read, or is not what it says; the message says which, why.
    """
    found: list[tuple[str, int, str, NewJudge]] = []
    with _opened(folder) as root:
        names = sorted(os.listdir(root))
        if len(names) > _MAX_FOLDERS:
            raise JudgeFolderError(f"{folder} holds more than {_MAX_FOLDERS} files and folders")
        for name in names:
            mode = os.stat(name, dir_fd=root, follow_symlinks=False).st_mode
            if stat.S_ISLNK(mode):
                raise JudgeFolderError(f"{folder / name} is a link, and none is followed")
            if not stat.S_ISDIR(mode):
                continue
            with _opened(name, root, folder / name) as descriptor:
                if not _is_there(descriptor, _TABLE):
                    continue
                version, new = _read(descriptor, folder / name)
            found.append((new.problem or "", version, name, new))
    if not found:
        raise JudgeFolderError(f"{folder} holds no judges: each is a folder with a {_TABLE}")
    return [new for *_, new in sorted(found, key=lambda one: one[:3])]


def _read(folder: int, shown: Path) -> tuple[int, NewJudge]:
    try:
        table = msgspec.json.decode(_content(folder, _TABLE, shown), type=_Table)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise JudgeFolderError(f"{shown / _TABLE}: {error}") from error
    judge = _put_together(table.judge, folder, shown)
    if judge_hash(judge) != table.hash:
        raise JudgeFolderError(
            f"{shown}: the judge there has the hash {judge_hash(judge)}, and {_TABLE} says "
            f"{table.hash}: a file was changed. A judge that was changed is another one: register "
            "it as new"
        )
    proof = None
    if _is_there(folder, _PROOF):
        try:
            proof = msgspec.json.decode(_content(folder, _PROOF, shown), type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise JudgeFolderError(f"{shown / _PROOF}: {error}") from error
    return table.version, NewJudge(
        judge=judge,
        problem=table.problem,
        provenance=table.provenance,
        proof=proof,
        state=table.state,
        reason=table.reason,
    )


def _put_together(content: _Content, folder: int, shown: Path) -> StorableJudge:
    fields: dict[str, Any] = msgspec.to_builtins(content)
    if content.type in ("function", "program"):
        if not _SOURCE_NAME.fullmatch(content.source):
            raise JudgeFolderError(f"{shown / _TABLE}: {content.source!r:.100} is no source's name")
        if len(content.files) > _MAX_FILES:
            raise JudgeFolderError(f"{shown / _TABLE}: more than {_MAX_FILES} files")
        fields["source"] = _text(folder, content.source, shown)
        files = {}
        left = MAX_FILE_BYTES
        for path in content.files:
            _check_path(path)
            files[path] = _text(folder, f"{_FILES}/{path}", shown)
            left -= len(files[path])
            if left < 0:
                raise JudgeFolderError(f"{shown}: the files take more than {MAX_FILE_BYTES} bytes")
        fields["files"] = files
    try:
        judge: StorableJudge = msgspec.convert(fields, StorableJudge)
    except msgspec.ValidationError as error:
        raise JudgeFolderError(f"{shown / _TABLE}, judge: {error}") from error
    return judge


def _check_path(path: str) -> None:
    parts = path.split("/")
    if "\0" in path or len(path) > 1_000 or any(part in ("", ".", "..") for part in parts):
        raise JudgeFolderError(f"{path[:100]!r} is not a relative path inside the judge's folder")


def _text(folder: int, path: str, shown: Path) -> str:
    try:
        return _content(folder, path, shown).decode()
    except UnicodeDecodeError as error:
        raise JudgeFolderError(f"{shown / path} is not UTF-8: {error}") from error


def _content(folder: int, path: str, shown: Path) -> bytes:
    """A file's content, if it is a file, by way of folders that are no links."""
    *parents, name = path.split("/")
    with ExitStack() as stack:
        for part in parents:
            shown = shown / part
            folder = stack.enter_context(_opened(part, folder, shown))
        try:
            descriptor = os.open(name, _OPEN, dir_fd=folder)
        except OSError as error:
            raise _unreadable(shown / name, error) from error
        file = stack.enter_context(open(descriptor, "rb"))
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise JudgeFolderError(f"{shown / name} is no file")
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise JudgeFolderError(f"{shown / name} is larger than {MAX_FILE_BYTES} bytes")
    return content


@contextmanager
def _opened(
    name: Path | str, within: int | None = None, shown: Path | None = None
) -> Iterator[int]:
    """A folder's descriptor.  The one that the user names may be a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags | (0 if within is None else os.O_NOFOLLOW), dir_fd=within)
    except OSError as error:
        raise _unreadable(shown or Path(name), error) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _is_there(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _unreadable(path: Path, error: OSError) -> JudgeFolderError:
    if error.errno in (errno.ELOOP, errno.ENOTDIR) and path.is_symlink():
        return JudgeFolderError(f"{path} is a link, and none is followed")
    return JudgeFolderError(f"cannot read {path}: {error.strerror}")
