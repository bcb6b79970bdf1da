"""Rows from files and from a hub; what cannot be read is said with its place and the remedy."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
import types
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from scalebox.suite import rows
from scalebox.suite.config import BenchmarkConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub
from scalebox.suite.spool import Aside

SOURCE = "hf download somebody/something gets it"
HUB = Hub("somebody/something", "c0ffee", ("*.jsonl",))
ROWS = [{"id": "a", "n": 1}, {"id": "b", "n": 2}]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS)


def read(path: Path | str = "", own: Hub | None = HUB, **fields: Any) -> rows.Rows:
    return rows.read(BenchmarkConfig(name="some", path=str(path), **fields), own, SOURCE)


def as_parquet(file: Path, given: list[dict[str, Any]], **options: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(given), file, **options)
    return file


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("rows.jsonl", LINES.encode()),
        ("rows.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("rows.json", json.dumps(ROWS).encode()),
        ("rows.json.gz", gzip.compress(json.dumps(ROWS).encode(), mtime=0)),
        ("rows.json", json.dumps({"first": ROWS[0], "second": ROWS[1]}).encode()),
        ("rows.jsonl", f"\n{LINES}\n  \n".encode()),
    ],
)
def test_every_format_is_read_and_hashed(name: str, data: bytes, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(data)
    found = read(file)
    assert [row for _, row in found.rows] == ROWS
    assert found.sha256 == {name: hashlib.sha256(data).hexdigest()}
    assert all(place.startswith(f"{name}:") for place, _ in found.rows)


def test_parquet_is_read_a_few_rows_at_a_time(tmp_path: Path) -> None:
    file = as_parquet(tmp_path / "rows.parquet", ROWS * 100, row_group_size=7)
    found = read(file)
    assert [row for _, row in found.rows] == ROWS * 100
    assert found.rows[-1][0] == "rows.parquet:199"


def test_large_rows_of_parquet_are_fewer_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = as_parquet(tmp_path / "rows.parquet", [{"text": str(n) * 5000} for n in range(9)])
    sizes = []
    real = parquet.ParquetFile.iter_batches

    def batches(self: Any, batch_size: int, **options: Any) -> Any:
        sizes.append(batch_size)
        return real(self, batch_size=batch_size, **options)

    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", batches)
    monkeypatch.setattr(rows, "_BATCH_BYTES", 20_000)
    assert len(read(file).rows) == 9
    assert 1 <= sizes[0] < 9


def test_the_files_of_a_folder_are_read_by_their_names(tmp_path: Path) -> None:
    for name, row in (("b.jsonl", ROWS[1]), ("a.jsonl", ROWS[0])):
        (tmp_path / name).write_text(json.dumps(row))
    (tmp_path / "README.md").write_text("nothing")
    found = read(tmp_path)
    assert [row["id"] for _, row in found.rows] == ["a", "b"]
    assert list(found.sha256) == ["a.jsonl", "b.jsonl"]


def test_a_folder_has_subsets_and_splits(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    for name in ("train-0.jsonl", "test-0.jsonl"):
        (tmp_path / "one" / name).write_text(json.dumps({"id": name}))
    assert len(read(tmp_path, subset="one").rows) == 2
    assert ids(read(tmp_path, subset="one", split="test")) == ["test-0.jsonl"]
    with pytest.raises(SuiteError, match="no file of split 'valid'"):
        read(tmp_path, subset="one", split="valid")
    with pytest.raises(SuiteError, match=r"there is no .*two\. hf download"):
        read(tmp_path, subset="two")


def test_fields_are_left_out_and_put_aside(tmp_path: Path) -> None:
    row = {"id": "a", "large": "x" * 100_000, "small": "y", "useless": "z" * 100_000}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    as_parquet(tmp_path / "b.parquet", [row])
    config = BenchmarkConfig(name="some", path=str(tmp_path))
    found = list(
        rows.stream(
            config, None, SOURCE, {}, aside=("large", "small", "none"), skip=("useless", "none")
        )
    )
    assert len(found) == 2
    for _, kept in found:
        assert set(kept) == {"id", "large", "small"}
        assert isinstance(kept["large"], Aside)
        assert kept["large"].value() == row["large"]
        assert kept["small"] == "y"


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(f"{LINES}no JSON")
    stream = rows.stream(BenchmarkConfig(name="some", path=str(file)), None, SOURCE, {})
    assert next(stream)[1] == ROWS[0]
    assert next(stream)[1] == ROWS[1]
    with pytest.raises(SuiteError, match="line 3 is no JSON"):
        next(stream)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("rows.jsonl", b'{"id": 1}\n{"id": \n', r"rows\.jsonl, line 2 is no JSON"),
        ("rows.jsonl", b"3\n", r"line 1 is no row: an object with named fields"),
        ("rows.json", b"[1]", r"rows\.json: 0 is no row"),
        ("rows.json", b"{", r"rows\.json is no JSON"),
        ("rows.json", b"3", r"is no list of rows"),
        ("rows.jsonl", b"[" * 100_000, "is no JSON"),
        ("rows.jsonl", b'{"a": "\xff"}', "cannot be read.*utf-8"),
        ("rows.jsonl.gz", gzip.compress(LINES.encode() * 99, mtime=0)[:-20], "cannot be read"),
        ("rows.jsonl.gz", b"no gzip", "cannot be read"),
        ("rows.jsonl.gz", gzip.compress(b"x", mtime=0)[:10] + b"\xff" * 40, "cannot be read"),
        ("rows.parquet", b"PAR1 and no more", "cannot be read as Parquet"),
        ("rows.parquet", b"", "cannot be read as Parquet"),
        ("rows.jsonl", b"", "there is no row in rows.jsonl"),
        ("rows.json", b"[]", "there is no row in rows.json"),
        ("rows.csv", b"id\n1\n", r"files of rows end in \.jsonl"),
    ],
)
def test_a_bad_file_is_said_with_its_place(
    name: str, data: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SuiteError, match=words):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.jsonl.gz"])
def test_what_unpacks_to_too_much_is_refused_before_it_is_in_memory(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_MAX_CHARACTERS", 1000)
    data = b'{"a": "' + b"0" * 10_000_000
    (tmp_path / name).write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
    with pytest.raises(SuiteError, match="more than 1,000 characters"):
        read(tmp_path / name)


def test_a_missing_file_is_said_with_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"there is no .*nowhere\.jsonl\. hf download somebody"):
        read(tmp_path / "nowhere.jsonl")


def test_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(SuiteError, match=r"has no file that ends in \.jsonl"):
        read(tmp_path)


def test_a_data_set_on_no_hub_needs_a_path() -> None:
    with pytest.raises(SuiteError, match="say where its rows are with `path`"):
        read(own=None)


class FakeHub:
    """`huggingface_hub`: the files of one snapshot, of which a fetch adds those that it asks for.

    Attributes:
        asked: of each fetch its arguments.
    """

    def __init__(self, there: dict[str, str], folder: Path) -> None:
        self.there = there
        self.folder = folder
        self.asked: list[dict[str, Any]] = []

    def snapshot_download(self, repo_id: str, **options: Any) -> str:
        self.asked.append({"id": repo_id, **options})
        for name, text in self.there.items():
            if any(fnmatch(name, pattern) for pattern in options["allow_patterns"]):
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_text(text)
        return str(self.folder)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeHub]:
    def make(**there: str) -> FakeHub:
        fake = FakeHub({name.replace("__", "/"): text for name, text in there.items()}, tmp_path)
        module = types.ModuleType("huggingface_hub")
        module.snapshot_download = fake.snapshot_download  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "huggingface_hub", module)
        return fake

    return make


def line(name: str) -> str:
    return json.dumps({"id": name})


def ids(found: rows.Rows) -> list[str]:
    return [row["id"] for _, row in found.rows]


def test_files_are_fetched_at_the_benchmarks_revision(hub: Callable[..., FakeHub]) -> None:
    fake = hub(**{"a.jsonl": line("a"), "script.py": "import os"})
    found = read()
    assert ids(found) == ["a"]
    assert fake.asked == [
        {
            "id": "somebody/something",
            "repo_type": "dataset",
            "revision": "c0ffee",
            "allow_patterns": ["*.jsonl"],
        }
    ]


def test_the_configuration_names_another_data_set(hub: Callable[..., FakeHub]) -> None:
    fake = hub(**{"x__rows.json": f"[{line('a')}]"})
    assert ids(read(hub="me/mine")) == ["a"]
    assert (fake.asked[0]["id"], fake.asked[0]["revision"]) == ("me/mine", "main")
    assert ids(read(hub="me/mine", revision="v2", split="rows")) == ["a"]
    assert fake.asked[1]["revision"] == "v2"


def test_subsets_are_folders_and_splits_names(hub: Callable[..., FakeHub]) -> None:
    texts = {
        f"{subset}__{split}-0.jsonl": line(f"{subset}-{split}")
        for subset in ("one", "two")
        for split in ("train", "test")
    }
    hub(**texts)
    own = Hub("somebody/something", "c0ffee", ("*.jsonl",), subset="one", split="test")
    assert ids(read(own=own)) == ["one-test"]
    # What an earlier fetch has brought is not read.
    assert ids(read(own=own, subset="two")) == ["two-test"]
    assert ids(read(own=own, subset="two", split="train")) == ["two-train"]
    found = read(own=Hub("somebody/something", "c0ffee", ("*.jsonl",)))
    assert ids(found) == ["one-test", "one-train", "two-test", "two-train"]
    assert set(found.sha256) == {name.replace("__", "/") for name in texts}


def test_a_data_set_without_such_files_is_said_with_what_was_looked_for(
    hub: Callable[..., FakeHub],
) -> None:
    hub(**{"a.csv": "id"})
    with pytest.raises(SuiteError, match=r"at c0ffee has no file like \*\.jsonl of split 'test'"):
        read(split="test")


def test_errors_of_the_hub_are_said_with_how_to_get_the_data(
    hub: Callable[..., FakeHub], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = hub()

    def failing(*_: Any, **__: Any) -> str:
        raise ConnectionError("no route")

    monkeypatch.setattr(sys.modules["huggingface_hub"], "snapshot_download", failing)
    with pytest.raises(SuiteError, match=r"cannot be fetched: no route\. hf download"):
        read()
    assert fake.asked == []


def test_without_the_hubs_library_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SuiteError, match=r"pip install 'scalebox\[eval\]'"):
        read()


def test_without_pyarrow_its_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = as_parquet(tmp_path / "rows.parquet", ROWS)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SuiteError, match=r"reading rows\.parquet needs pyarrow"):
        read(file)
