"""Rows of a data set: from local files, or from the Hugging Face hub.

Files are JSON lines, JSON, or Parquet, gzipped or not.  Of the hub single files are fetched at a
revision (`huggingface_hub`, extra `eval`), never a program: what a data set's own script would do
is done by the benchmark that reads the rows.  Every file that is read is hashed.  Fields that are
too large to be held for every row at once (a contest's tests) can be put aside (`spool`).
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from scalebox.suite.config import BenchmarkConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.spool import Spool

Row = dict[str, Any]
ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".parquet")
#: Of a line of JSON, or of a file that is one JSON text.
_MAX_CHARACTERS = 1 << 30
#: Rows of a Parquet file that are decoded at once: so many, and no more than have so many bytes.
_BATCH_ROWS = 64
_BATCH_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Hub:
    """Where a benchmark's rows are on the hub.

    Attributes:
        id: of the data set.
        revision: a commit, tag or branch.
        files: patterns of the files that have the rows, as `fnmatch` has them; below the subset's
            folder, if there are subsets.
        subset: the folder that is taken where the configuration names none; empty: there are none.
        split: that is taken where the configuration names none; empty: all.
    """

    id: str
    revision: str
    files: tuple[str, ...]
    subset: str = ""
    split: str = ""


@dataclass(slots=True)
class Rows:
    """What was read.

    Attributes:
        rows: in the order of files (by name) and lines, each with its place for messages.
        sha256: of the files, by name.
    """

    rows: list[tuple[str, Row]] = field(default_factory=list)
    sha256: dict[str, str] = field(default_factory=dict)


def read(config: BenchmarkConfig, hub: Hub | None, source: str) -> Rows:
    """All rows that a configuration names, at once; parameters and errors as of `stream`."""
    found = Rows()
    found.rows += stream(config, hub, source, found.sha256)
    return found


def stream(
    config: BenchmarkConfig,
    hub: Hub | None,
    source: str,
    sha256: dict[str, str],
    *,
    only: Sequence[str] = (),
    aside: Collection[str] = (),
    skip: Collection[str] = (),
) -> Iterator[tuple[str, Row]]:
    """The rows that a configuration names, one after another, each with its place for messages.

    Parameters:
        config: `path`, else `hub` and `revision`, else the benchmark's own.  Of a folder, `subset`
            is a folder in it, and `split` a part of the files' names.
        hub: the benchmark's own; None: it is on no hub.
        source: how people get the data, for the message where it is missing.
        sha256: becomes the files' hashes, by name.
        only: names of the files in a folder that are read; none: all.
        aside: fields that are put aside (`spool.Aside`) where they are large.
        skip: fields that are left out.

    Raises:
        SuiteError: there is no such file or no row, a file cannot be read, or there is no room to
            put fields aside.
    """
    spool = Spool()
    empty = True
    for name, file in _files(config, hub, source, only):
        sha256[name] = sha256_of(file)
        for place, row in rows_of(file, skip):
            empty = False
            kept = {key: value for key, value in row.items() if key not in skip}
            for key in aside:
                if key in kept:
                    kept[key] = spool.aside(kept[key])
            yield f"{name}:{place}", kept
    if empty:
        raise SuiteError(f"benchmark {config.name}: there is no row in {', '.join(sha256)}")


def rows_of(file: Path, skip: Collection[str] = ()) -> Iterator[tuple[str, Row]]:
    """The rows of one file with their places.

    Parameters:
        skip: fields that need not be read, where the format lets them be passed over.

    Raises:
        SuiteError: it cannot be read as its ending says.
    """
    try:
        yield from _parquet(file, skip) if file.suffix == ".parquet" else _json(file)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SuiteError(f"{file} cannot be read: {error}") from error


def _json(file: Path) -> Iterator[tuple[str, Row]]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as stream:
        if ".jsonl" not in file.name:
            data = _parsed(_bounded(stream.read(_MAX_CHARACTERS + 1), str(file)), str(file))
            if not isinstance(data, list | dict):
                raise SuiteError(f"{file} is no list of rows, and no object of them")
            items = data.items() if isinstance(data, dict) else enumerate(data)
            for place, row in items:
                yield str(place), _checked(row, f"{file}: {place}")
            return
        number = 0
        while line := stream.readline(_MAX_CHARACTERS + 1):
            number += 1
            place = f"{file}, line {number}"
            if _bounded(line, place).strip():
                yield str(number), _checked(_parsed(line, place), place)


def _bounded(text: str, place: str) -> str:
    if len(text) > _MAX_CHARACTERS:
        raise SuiteError(f"{place} has more than {_MAX_CHARACTERS:,} characters")
    return text


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{place} is no JSON: {error}") from error


def _checked(row: Any, place: str) -> Row:
    if not isinstance(row, dict):
        raise SuiteError(f"{place} is no row: an object with named fields")
    return row


def _parquet(file: Path, skip: Collection[str]) -> Iterator[tuple[str, Row]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise SuiteError(
            f"reading {file.name} needs pyarrow: pip install 'scalebox[eval]'"
        ) from None
    number = 0
    try:
        with parquet.ParquetFile(file) as opened:
            names = [name for name in opened.schema_arrow.names if name not in skip]
            size = _rows_at_once(opened.metadata)
            for batch in opened.iter_batches(batch_size=size, columns=names):
                for row in batch.to_pylist():
                    yield str(number), row
                    number += 1
    except pyarrow.ArrowException as error:
        raise SuiteError(f"{file} cannot be read as Parquet: {error}") from error


def _rows_at_once(metadata: Any) -> int:
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    rows = sum(group.num_rows for group in groups)
    mean = sum(group.total_byte_size for group in groups) / rows if rows else 0
    return max(1, min(_BATCH_ROWS, int(_BATCH_BYTES / mean))) if mean else _BATCH_ROWS


def _files(
    config: BenchmarkConfig, hub: Hub | None, source: str, only: Sequence[str]
) -> list[tuple[str, Path]]:
    """The files with the names that they go by."""
    if config.path:
        found = _local(config, source, only)
        return [(file.name, file) for file in found]
    return _fetched(config, hub_of(config, hub, source), source)


def hub_of(config: BenchmarkConfig, hub: Hub | None, source: str) -> Hub:
    """Where on the hub the rows are that a configuration names.

    Raises:
        SuiteError: neither it nor the benchmark names a data set.
    """
    own = hub if not config.hub or (hub and hub.id == config.hub) else None
    if not config.hub and own is None:
        raise SuiteError(f"benchmark {config.name}: say where its rows are with `path` ({source})")
    return Hub(
        config.hub or (own.id if own else ""),
        config.revision or (own.revision if own else "main"),
        own.files if own else tuple(f"*{ending}" for ending in ENDINGS),
        config.subset or (own.subset if own else ""),
        config.split or (own.split if own else ""),
    )


def _local(config: BenchmarkConfig, source: str, only: Sequence[str]) -> list[Path]:
    path, name = Path(config.path), config.name
    if path.is_dir() and config.subset:
        path /= config.subset
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.endswith(ENDINGS))
        files = [file for file in files if config.split in file.name]
        if not files:
            split = f" of split {config.split!r}" if config.split else ""
            raise SuiteError(f"{path} has no file{split} that ends in {', '.join(ENDINGS)}")
        if missing := [one for one in only if not (path / one).is_file()]:
            raise SuiteError(f"benchmark {name}: {path} has no {missing[0]}. {source}")
        return [path / one for one in only] or files
    if not path.exists():
        raise SuiteError(f"benchmark {name}: there is no {path}. {source}")
    if not path.name.endswith(ENDINGS):
        raise SuiteError(f"{path}: files of rows end in {', '.join(ENDINGS)}")
    return [path]


def _fetched(config: BenchmarkConfig, hub: Hub, source: str) -> list[tuple[str, Path]]:
    patterns = [f"{hub.subset}/{one}" if hub.subset else one for one in hub.files]
    folder = fetched(config, hub, patterns, source)
    # The folder has what was ever fetched at that revision.
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))
    files = [
        (name, folder / name)
        for name in names
        if name.endswith(ENDINGS)
        and any(fnmatchcase(name, pattern) for pattern in patterns)
        and hub.split in name.rpartition("/")[2]
    ]
    if not files:
        raise SuiteError(
            f"benchmark {config.name}: {hub.id} at {hub.revision} has no file like "
            f"{', '.join(patterns)}{f' of split {hub.split!r}' if hub.split else ''}"
        )
    return files


def fetched(config: BenchmarkConfig, hub: Hub, patterns: Sequence[str], source: str) -> Path:
    """The folder with those files of a data set.

    Raises:
        SuiteError: they cannot be fetched.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise SuiteError(
            f"benchmark {config.name}: without `path` its rows come from the hub ({hub.id}), which "
            f"needs huggingface_hub: pip install 'scalebox[eval]'. {source}"
        ) from None
    try:
        return Path(
            snapshot_download(
                hub.id, repo_type="dataset", revision=hub.revision, allow_patterns=list(patterns)
            )
        )
    except Exception as error:  # its errors are those of several libraries
        raise SuiteError(
            f"benchmark {config.name}: {hub.id} at {hub.revision} cannot be fetched: {error}. "
            f"{source}"
        ) from error


def sha256_of(file: Path) -> str:
    """A file's hash.  Raises SuiteError: it cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise SuiteError(f"{file} cannot be read: {error.strerror}") from error
