"""Packages that mean harm, or are damaged: every one is refused, in words."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from scalebox.client.packages import archives, documents, files
from scalebox.client.packages.documents import read_xml, read_yaml
from scalebox.client.problems import ProblemFileError, load_problem
from tests.client.laid import lay, zipped

PACKAGE = {"problem.yaml": "name: n", "data/secret/1.in": "", "data/secret/1.ans": ""}


def refused(folder: Path, words: str) -> None:
    with pytest.raises(ProblemFileError, match=words):
        load_problem(folder)


@pytest.mark.parametrize("path", ["data/secret/1.in", "data/secret", "data", "problem.yaml"])
def test_a_link_that_leads_outside(tmp_path: Path, path: str) -> None:
    lay(tmp_path / "package", PACKAGE)
    inside = tmp_path / "package" / path
    outside = tmp_path / "outside"
    inside.rename(outside)
    inside.symlink_to(outside)
    refused(tmp_path / "package", "leads out of the package")


def test_a_link_that_leads_nowhere_or_to_itself(tmp_path: Path) -> None:
    lay(tmp_path, PACKAGE)
    answer = tmp_path / "data/secret/1.ans"
    for target in ("nowhere", "1.ans"):
        answer.unlink()
        answer.symlink_to(target)
        refused(tmp_path, "1.ans is not there")


def test_a_folder_that_holds_itself(tmp_path: Path) -> None:
    lay(tmp_path, PACKAGE)
    (tmp_path / "data/secret/again").symlink_to("../secret")
    refused(tmp_path, "deep")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    lay(tmp_path, PACKAGE)
    (tmp_path / "data/secret/1.in").unlink()
    os.mkfifo(tmp_path / "data/secret/1.in")
    refused(tmp_path, "1.in is not there, or is no file")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    lay(tmp_path, PACKAGE)
    for name in (b"\xff.in", b"a\n.in"):
        path = os.fsencode(tmp_path / "data/secret") + b"/" + name
        with open(path, "w"):
            pass
        refused(tmp_path, r"a name that is no text: (\\udcff|a\\n)\.in")
        os.unlink(path)


def test_sizes_and_counts_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, {**PACKAGE, "data/secret/1.in": "x" * 100, "data/secret/1.ans": "y" * 100})
    load_problem(tmp_path)
    for name, value, words in (
        ("MAX_FILE_BYTES", 99, "1.in has more than 99 bytes"),
        ("MAX_PACKAGE_BYTES", 150, "more than 150 bytes of tests"),
        ("MAX_TEXT_BYTES", 5, "problem.yaml has more than 5 bytes"),
        ("MAX_ENTRIES", 1, "more than 1 files"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(files, name, value)
            refused(tmp_path, words)


def test_what_one_description_says_of_many_cases_is_counted_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = {f"data/secret/{n}.{end}": "" for n in range(100) for end in ("in", "ans")}
    flags = {"data/secret/testdata.yaml": "output_validator_flags: " + "x" * 10_000}
    validator = {"problem.yaml": "validation: custom", "output_validators/v.py": "v"}
    lay(tmp_path / "kattis", {**cases, **flags, **validator})
    batch = "checker: {name: bridged, args: {files: c.cpp, type: testlib}}\n  batched:\n"
    init = f"test_cases:\n- {batch}" + "  - {in: i, out: o}\n" * 100
    lay(tmp_path / "dmoj", {"init.yml": init, "c.cpp": "c" * 10_000, "i": "", "o": ""})
    for name in ("kattis", "dmoj"):
        load_problem(tmp_path / name)
    monkeypatch.setattr(files, "MAX_PACKAGE_BYTES", 100_000)
    for name in ("kattis", "dmoj"):
        refused(tmp_path / name, "more than 100000 bytes")


def test_a_folder_of_two_formats(tmp_path: Path) -> None:
    lay(tmp_path, {**PACKAGE, "init.yml": "test_cases: []"})
    refused(tmp_path, "problem.yaml and init.yml")
    # A description of ours comes first.
    lay(tmp_path, {"problem.toml": 'name = "plain"', "1.in": "", "1.ans": ""})
    assert load_problem(tmp_path).name == "plain"


# --- YAML ----------------------------------------------------------------------------------------

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LAUGHS, "more than"),
        ("a: &a [*a]", "alias of nothing complete"),
        ("a: *b", "not YAML|nothing complete"),
        ("a: " + "[" * 100_000, "deep|not YAML"),
        ("- " * 60 + "x", "deep"),
        ("a: 1\na: 2", "`a` twice"),
        ("a: 1\n---\nb: 2", "several documents"),
        ("{[1]: 2}", "key that is no text"),
        ("b: &b {c: 1}\na: {<<: *b}", "merge"),
        ("a: !!python/object/apply:os.getpid []", None),
        ("a: \0", "not YAML"),
        (r'a: "\ud800"', "not YAML"),
        (r'a: "\UFFFFFFFF"', "not YAML"),
        ("just text", "expected a table"),
    ],
)
@pytest.mark.parametrize("parser", sorted({documents._PARSER, yaml.BaseLoader}, key=str))
def test_yaml_is_bounded_and_plain(
    parser: object, text: str, words: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "_PARSER", parser)
    if words is None:
        # A tag means nothing here, and nothing is made of it.
        assert read_yaml(text, "w").values == {"a": []}
        return
    with pytest.raises(ProblemFileError, match=words) as caught:
        read_yaml(text, "here.yaml")
    assert caught.value.message.startswith("here.yaml")


def test_aliases_within_bounds_are_what_they_stand_for() -> None:
    table = read_yaml("a: &a {x: 1}\nb: [*a, *a]\nc: &c no\nd: *c\n", "w")
    assert table.values == {"a": {"x": "1"}, "b": [{"x": "1"}, {"x": "1"}], "c": "no", "d": "no"}
    assert read_yaml("", "w").values == {}
    assert read_yaml("# nothing", "w").values == {}


def test_aliases_that_make_values_deep_are_counted() -> None:
    deep = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 80))
    with pytest.raises(ProblemFileError, match="deep"):
        read_yaml(deep, "w")
    assert documents.MAX_DEPTH < 80


# --- zip archives --------------------------------------------------------------------------------

INIT = "archive: a.zip\nchecker: identical\ntest_cases: [{in: i, out: o}]\n"


def archive_of(folder: Path, packed: bytes) -> Path:
    return lay(folder, {"init.yml": INIT, "a.zip": packed})


@pytest.mark.parametrize("name", ["../i", "/i", "x/../../i", "x\\i"])
def test_a_member_that_leads_elsewhere(tmp_path: Path, name: str) -> None:
    packed = zipped({"i": "", "o": "", name: ""})
    refused(archive_of(tmp_path, packed), "leads out of the archive")


def test_a_member_that_is_a_link(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("i")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("o", "")
    refused(archive_of(tmp_path, packed.getvalue()), "'i' is a link")


def test_members_that_unpack_to_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = zipped({"i": "0" * 5_000_000, "o": ""})
    assert len(packed) < 20_000
    archive_of(tmp_path, packed)
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 1_000_000)
    refused(tmp_path, "'i' has more than 1000000 bytes unpacked")
    monkeypatch.undo()
    monkeypatch.setattr(files, "MAX_PACKAGE_BYTES", 1_000_000)
    refused(tmp_path, "more than 1000000 bytes of tests")


def test_a_member_that_says_that_it_is_small(tmp_path: Path) -> None:
    packed = bytearray(zipped({"i": "0" * 100_000, "o": ""}))
    size = struct.pack("<L", 100_000)
    while (at := packed.find(size)) >= 0:
        packed[at : at + 4] = struct.pack("<L", 10)
    refused(archive_of(tmp_path, bytes(packed)), "damaged")


def test_an_archive_of_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive_of(tmp_path, zipped({name: "" for name in ("i", "o", "p")}))
    load_problem(tmp_path)
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    refused(tmp_path, "more than 2 members")
    monkeypatch.undo()
    monkeypatch.setattr(archives, "MAX_ARCHIVE_BYTES", 100)
    refused(tmp_path, "a.zip has more than 100 bytes")


@pytest.mark.parametrize("cut", [0, 1, 21, 60])
def test_a_damaged_archive(tmp_path: Path, cut: int) -> None:
    packed = zipped({"i": "x" * 100, "o": ""})
    damaged = packed[: len(packed) - cut] if cut else packed[:10] + b"\xff" * 40 + packed[50:]
    refused(archive_of(tmp_path, damaged), "a.zip")


def test_a_member_packed_otherwise_or_encrypted(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("i", "x")
        archive.writestr("o", "")
    refused(archive_of(tmp_path, packed.getvalue()), "repack")
    secret = bytearray(zipped({"i": "x", "o": ""}))
    at = secret.find(b"PK\x01\x02")
    secret[at + 8] |= 1
    refused(archive_of(tmp_path, bytes(secret)), "encrypted")


# --- whatever it is ------------------------------------------------------------------------------

_YAML = b"a: &x [1, 'b']\nc: {d: *x}\ne: |\n  text\nf: \"\\u00e9\"\n"
_XML = b'<?xml version="1.0" encoding="utf-8"?><problem a="b"><!-- c -->d<e/>&amp;</problem>'
_ZIP = zipped({"i": "x" * 50, "o": "y"})


def damaged(base: bytes) -> st.SearchStrategy[bytes]:
    """A document with some of its bytes replaced by others."""
    size = len(base)
    changes = st.lists(
        st.tuples(st.integers(0, size), st.integers(0, 4), st.binary(max_size=6)),
        min_size=1, max_size=4,
    )  # fmt: skip

    def apply(parts: list[tuple[int, int, bytes]]) -> bytes:
        raw = bytearray(base)
        for at, length, put in parts:
            raw[at : at + length] = put
        return bytes(raw)

    return changes.map(apply)


@settings(deadline=None)
@given(st.one_of(st.text(), damaged(_YAML).map(lambda raw: raw.decode("utf-8", "replace"))))
def test_every_text_is_a_table_or_refused(text: str) -> None:
    with contextlib.suppress(ProblemFileError):
        str(read_yaml(text, "w").values).encode()


@settings(deadline=None)
@given(damaged(_XML))
def test_every_document_is_elements_or_refused(raw: bytes) -> None:
    with contextlib.suppress(ProblemFileError):
        read_xml(raw, "w")


def test_every_archive_is_members_or_refused(tmp_path: Path) -> None:
    lay(tmp_path, {"init.yml": INIT})

    @settings(deadline=None)
    @given(damaged(_ZIP))
    def attempt(raw: bytes) -> None:
        (tmp_path / "a.zip").write_bytes(raw)
        with contextlib.suppress(ProblemFileError):
            load_problem(tmp_path)

    attempt()
