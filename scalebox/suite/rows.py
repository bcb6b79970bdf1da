"""Rows of a data set: from local files, or from the Hugging Face hub.

Files are JSON lines, JSON, or Parquet, gzipped or not.  Of the hub single files are fetched at a
revision (`huggingface_hub`, extra `eval`), never a program: what a data set's own script would do
is done by the benchmark that reads the rows.  Every file that is read is hashed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scalebox.suite.config import BenchmarkConfig
from scalebox.suite.errors import SuiteError

Row = dict[str, Any]
ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".parquet")
_BATCH_ROWS = 64


@dataclass(frozen=True, slots=True)
class Hub:
    """Where a benchmark's rows are on the hub.

    Attributes:
        id: of the data set.
        revision: a commit, tag or branch.
        files: patterns of the files that have the rows, as `fnmatch` has them.
    """

    id: str
    revision: str
    files: tuple[str, ...]


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
    """All rows that a configuration names.

    Parameters:
        config: `path`, else `hub` and `revision`, else the benchmark's own.
        hub: the benchmark's own; None: it is on no hub.
        source: how people get the data, for the message where it is missing.

    Raises:
        SuiteError: there is no such file, or it cannot be read.
    """
    found = Rows()
    for file in _files(config, hub, source):
        found.sha256[file.name] = _sha256(file)
        found.rows += ((f"{file.name}:{place}", row) for place, row in rows_of(file))
    if not found.rows:
        raise SuiteError(f"benchmark {config.name}: there is no row in {', '.join(found.sha256)}")
    return found


def rows_of(file: Path) -> Iterator[tuple[str, Row]]:
    """The rows of one file with their places.

    Raises:
        SuiteError: it cannot be read as its ending says.
    """
    try:
        yield from _parquet(file) if file.suffix == ".parquet" else _json(file)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SuiteError(f"{file} cannot be read: {error}") from error


def _json(file: Path) -> Iterator[tuple[str, Row]]:
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rt", encoding="utf-8") as stream:
        if ".jsonl" not in file.name:
            data = _parsed(stream.read(), str(file))
            items = data.items() if isinstance(data, dict) else enumerate(data)
            for place, row in items:
                yield str(place), _checked(row, f"{file}: {place}")
            return
        for number, line in enumerate(stream, 1):
            if line.strip():
                place = f"{file}, line {number}"
                yield str(number), _checked(_parsed(line, place), place)


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{place} is no JSON: {error}") from error


def _checked(row: Any, place: str) -> Row:
    if not isinstance(row, dict):
        raise SuiteError(f"{place} is no row: an object with named fields")
    return row


def _parquet(file: Path) -> Iterator[tuple[str, Row]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise SuiteError(
            f"reading {file.name} needs pyarrow: pip install 'scalebox[eval]'"
        ) from None
    number = 0
    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=_BATCH_ROWS):
            for row in batch.to_pylist():
                yield str(number), row
                number += 1
    except pyarrow.ArrowException as error:
        raise SuiteError(f"{file} cannot be read as Parquet: {error}") from error


def _files(config: BenchmarkConfig, hub: Hub | None, source: str) -> list[Path]:
    if config.path:
        return _local(Path(config.path), config.name, source)
    own = hub if not config.hub or (hub and hub.id == config.hub) else None
    chosen = Hub(
        config.hub or (own.id if own else ""),
        config.revision or (own.revision if own else "main"),
        own.files if own else tuple(f"*{ending}" for ending in ENDINGS),
    )
    if not chosen.id:
        raise SuiteError(f"benchmark {config.name}: say where its rows are with `path` ({source})")
    return _fetched(config, chosen, source)


def _local(path: Path, name: str, source: str) -> list[Path]:
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.endswith(ENDINGS))
        if files:
            return files
        raise SuiteError(f"{path} has no file that ends in {', '.join(ENDINGS)}")
    if not path.exists():
        raise SuiteError(f"benchmark {name}: there is no {path}. {source}")
    if not path.name.endswith(ENDINGS):
        raise SuiteError(f"{path}: files of rows end in {', '.join(ENDINGS)}")
    return [path]


def _fetched(config: BenchmarkConfig, hub: Hub, source: str) -> list[Path]:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise SuiteError(
            f"benchmark {config.name}: without `path` its rows come from the hub ({hub.id}), which "
            f"needs huggingface_hub: pip install 'scalebox[eval]'. {source}"
        ) from None
    patterns = list(hub.files)
    if config.subset:
        patterns = [f"{config.subset}/{pattern}" for pattern in patterns]
    try:
        folder = snapshot_download(
            hub.id, repo_type="dataset", revision=hub.revision, allow_patterns=patterns
        )
    except Exception as error:  # its errors are those of several libraries
        raise SuiteError(
            f"benchmark {config.name}: {hub.id} at {hub.revision} cannot be fetched: {error}. "
            f"{source}"
        ) from error
    files = sorted(file for file in Path(folder).rglob("*") if file.name.endswith(ENDINGS))
    if config.split:
        files = [file for file in files if config.split in file.name]
    if not files:
        raise SuiteError(
            f"benchmark {config.name}: {hub.id} at {hub.revision} has no file like "
            f"{', '.join(patterns)}{f' of split {config.split!r}' if config.split else ''}"
        )
    return files


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
