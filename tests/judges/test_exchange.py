"""Judges in folders that live in git: out and in again they are the same, twice out changes
nothing, and a folder that somebody prepared is refused, with the reason."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.judges import exchange
from scalebox.judges.exchange import read_records, write_records
from scalebox.judges.folder import JudgeFolderError
from scalebox.model import (
    Comparison,
    FunctionJudge,
    JudgeRecord,
    Limits,
    NamedJudge,
    ProgramJudge,
    Provenance,
)

from .storing import ACTIVE, CANDIDATE, PROOF, PROVEN, QUARANTINED, function, named, new, opened, to

JUDGES = [
    new(function(), "apps/train/17", state=ACTIVE, reason="proven"),
    new(function(2), "apps/train/17"),
    new(
        ProgramJudge(
            contract="testlib",
            language="cpp20",
            source="// ü\r\nint main() {}",
            files={"lib/deep/a.h": "\n\n", "data": ""},
            limits=Limits(cpu_time_s=2.5, memory_bytes=64 << 20),
        ),
        "a" * 200,
        state=PROVEN,
    ),
    new(ProgramJudge(contract="icpc", language="c", source="", flags=["-x", "1"]), "c"),
    new(ProgramJudge(contract="scalebox", language="rust", source="fn main() {}"), "r"),
    new(
        NamedJudge(name="floats", parameters={"relative": 0.0, "absolute": 1e-6}),
        None,
        provenance=Provenance(source="inferred", data_sha256="0" * 64, date="2026-01-31"),
    ),
]


@pytest.fixture
def records(tmp_path: Path) -> list[JudgeRecord]:
    """What a store makes of them; one is quarantined."""
    store = opened(tmp_path / "judges.sqlite")
    for one in JUDGES:
        store.add(one)
    store.change(named(f"problem:{'a' * 200}#1"), to(QUARANTINED, reason="fails"))
    found = [store.record(named(name)) for name, _, _ in store.stored()]
    store.close()
    return found


@pytest.fixture
def folder(tmp_path: Path, records: list[JudgeRecord]) -> Path:
    assert write_records(tmp_path / "out", records) == len(JUDGES)
    return tmp_path / "out"


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def one(folder: Path, start: str) -> Path:
    """The folder of the judge whose problem begins so."""
    (found,) = [path for path in folder.iterdir() if path.name.startswith(start)]
    return found


# --- out ------------------------------------------------------------------------------------------


def test_people_can_read_what_is_written(folder: Path, records: list[JudgeRecord]) -> None:
    cpp = one(folder, "aaa")
    assert {path.name for path in cpp.iterdir()} == {
        "judge.json", "judge.cpp", "proof.json", "files",
    }  # fmt: skip
    assert (cpp / "judge.cpp").read_bytes() == "// ü\r\nint main() {}".encode()
    assert (cpp / "files/lib/deep/a.h").read_bytes() == b"\n\n"
    assert json.loads((cpp / "proof.json").read_text()) == PROOF
    table = json.loads((cpp / "judge.json").read_text())
    assert table["judge"]["source"] == "judge.cpp"
    assert (table["state"], table["reason"]) == ("quarantined", "fails")
    assert "int main" not in (cpp / "judge.json").read_text()
    assert (one(folder, "c-") / "judge.c").exists()
    assert (one(folder, "r-") / "judge.txt").exists()
    assert {path.name for path in one(folder, "any-").iterdir()} == {"judge.json"}
    assert sum(path.name.startswith("apps_train_17-") for path in folder.iterdir()) == 2
    assert all(name.endswith(b"\n") for path, name in tree(folder).items() if ".json" in path)


def test_twice_out_changes_no_byte_and_touches_no_file(
    folder: Path, records: list[JudgeRecord]
) -> None:
    before = tree(folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    write_records(folder, reversed(records))
    assert tree(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


def test_out_and_in_and_out_again_is_the_same(tmp_path: Path, folder: Path) -> None:
    store = opened(tmp_path / "other.sqlite")
    for found in read_records(folder):
        assert store.add(found)[1]
    for found in read_records(folder):
        assert not store.add(found)[1], "the second time nothing is new"
    again = [store.record(named(name)) for name, _, _ in store.stored()]
    write_records(tmp_path / "again", again)
    store.close()
    assert tree(tmp_path / "again") == tree(folder)


def test_what_changed_is_written_over(folder: Path, records: list[JudgeRecord]) -> None:
    (record,) = [record for record in records if record.problem == "c"]
    changed = msgspec.structs.replace(record, state=PROVEN, proof={"a": "b" * 100}, version=7)
    write_records(folder, [changed])
    write_records(folder, [msgspec.structs.replace(changed, proof={"a": 1})])
    table = json.loads((one(folder, "c-") / "judge.json").read_text())
    assert (table["state"], table["version"]) == ("proven", 7)
    assert json.loads((one(folder, "c-") / "proof.json").read_text()) == {"a": 1}


def test_a_proof_nested_deeply_does_not_become_gigabytes(
    folder: Path, records: list[JudgeRecord]
) -> None:
    deep: Any = []
    for _ in range(200):
        deep = [deep, *range(100)]
    (record,) = [record for record in records if record.problem == "c"]
    write_records(folder, [msgspec.structs.replace(record, proof={"deep": deep})])
    size = (one(folder, "c-") / "proof.json").stat().st_size
    assert size <= exchange.MAX_FILE_BYTES + 1
    (found,) = [new for new in read_records(folder) if new.problem == "c"]
    assert found.proof == {"deep": deep}


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a//b", "a/./b", "a/../../b", "", "a\0b"])
def test_nothing_is_written_elsewhere(
    tmp_path: Path, records: list[JudgeRecord], path: str
) -> None:
    """A daemon could say anything."""
    judge = FunctionJudge(source="", files={path: "x"})
    record = msgspec.structs.replace(records[0], judge=judge)
    with pytest.raises(JudgeFolderError, match="relative path"):
        write_records(tmp_path / "w" / "x", [record])
    assert not (tmp_path / "w").exists()


def test_no_link_is_written_through(tmp_path: Path, folder: Path, records: Any) -> None:
    elsewhere = tmp_path / "precious"
    elsewhere.write_text("precious")
    place = one(folder, "c-")
    (place / "judge.json").unlink()
    (place / "judge.json").symlink_to(elsewhere)
    with pytest.raises(JudgeFolderError, match="cannot write"):
        write_records(folder, records)
    assert elsewhere.read_text() == "precious"
    shutil.move(place, tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    with pytest.raises(JudgeFolderError, match="link"):
        write_records(folder, records)


def test_what_is_no_judge_of_a_store_is_not_written(tmp_path: Path, records: Any) -> None:
    record = msgspec.structs.replace(records[0], judge=Comparison())
    with pytest.raises(JudgeFolderError, match="no judge of the store"):
        write_records(tmp_path / "w", [record])


# --- in -------------------------------------------------------------------------------------------


def test_what_is_read_is_what_registers_it(folder: Path) -> None:
    found = read_records(folder)
    assert [one.problem for one in found] == [
        None, "a" * 200, "apps/train/17", "apps/train/17", "c", "r",
    ]  # fmt: skip
    assert found[2].judge == JUDGES[0].judge, "the first version comes first"
    assert [one.state for one in found] == [
        CANDIDATE, QUARANTINED, ACTIVE, CANDIDATE, CANDIDATE, CANDIDATE,
    ]  # fmt: skip
    assert found[0].provenance == JUDGES[5].provenance


def test_what_else_lies_there_is_left_alone(folder: Path) -> None:
    before = read_records(folder)
    (folder / ".git" / "hooks").mkdir(parents=True)
    (folder / "README.md").write_text("mine")
    (one(folder, "c-") / "NOTES").write_text("mine")
    os.mkfifo(folder / "pipe")
    assert read_records(folder) == before


def change_table(**changes: Any) -> Callable[[Path], None]:
    """Rewrites judge.json; a dictionary is merged into what is there."""

    def change(place: Path) -> None:
        table = json.loads((place / "judge.json").read_text())
        for name, value in changes.items():
            table[name] = {**table[name], **value} if isinstance(value, dict) else value
        (place / "judge.json").write_text(json.dumps(table))

    return change


def put(path: str, content: bytes) -> Callable[[Path], Any]:
    return lambda place: (place / path).write_bytes(content)


def link(path: str, to: str) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        target = place / path
        if target.is_dir():
            shutil.move(target, place.parent.parent / "away")
            to_link = str(place.parent.parent / "away")
        else:
            target.unlink()
            to_link = to
        target.symlink_to(to_link)

    return change


def pipe(path: str) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        (place / path).unlink()
        os.mkfifo(place / path)

    return change


HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "another source": (put("judge.cpp", b"int main() { return 1; }"), "a file was changed"),
    "another file": (put("files/data", b"x"), "a file was changed"),
    "another hash": (change_table(hash="0" * 64), "says 0000"),
    "another limit": (change_table(judge={"limits": {}}), "a file was changed"),
    "a linked source": (link("judge.cpp", "/etc/passwd"), "is a link"),
    "a linked table": (link("judge.json", "/etc/passwd"), "is a link"),
    "a linked proof": (link("proof.json", "/etc/passwd"), "is a link"),
    "a linked folder of files": (link("files", ""), "is a link"),
    "a linked folder within": (link("files/lib", ""), "is a link"),
    "a pipe": (pipe("judge.cpp"), "is no file"),
    "a file above": (change_table(judge={"files": ["../../x"]}), "relative path"),
    "an absolute file": (change_table(judge={"files": ["/etc/passwd"]}), "relative path"),
    "a source above": (change_table(judge={"source": "../judge.cpp"}), "no source's name"),
    "a source elsewhere": (change_table(judge={"source": "/etc/passwd"}), "no source's name"),
    "very many files": (change_table(judge={"files": ["data"] * 2000}), "more than"),
    "a file that is not there": (change_table(judge={"files": ["none"]}), "cannot read"),
    "a deep file": (change_table(judge={"files": ["d/" * 490 + "x"]}), "cannot read"),
    "a large source": (put("judge.cpp", b"x" * (exchange.MAX_FILE_BYTES + 1)), "larger than"),
    "bytes": (put("judge.cpp", b"\xff\xfe"), "not UTF-8"),
    "no JSON": (put("judge.json", b"{"), "judge.json"),
    "deep JSON": (put("judge.json", b"[" * 100_000), "judge.json"),
    "a deep proof": (put("proof.json", b'{"a":' * 100_000), "proof.json"),
    "a proof that is a list": (put("proof.json", b"[]"), "proof.json"),
    "a surplus key": (change_table(colour="red"), "colour"),
    "an odd problem": (change_table(problem="../x y"), "problem"),
    "an odd state": (change_table(state="best"), "state"),
    "an odd contract": (change_table(judge={"contract": "mine"}), "contract"),
    "an odd kind": (change_table(judge={"type": "compare"}), "judge"),
    "an odd source of it": (change_table(provenance={"source": "heaven"}), "provenance"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_refused_with_the_reason(folder: Path, name: str) -> None:
    change, words = HOSTILE[name]
    change(one(folder, "aaa"))
    with pytest.raises(JudgeFolderError, match=words) as caught:
        read_records(folder)
    assert len(caught.value.message) < 1000


def test_a_linked_judge_is_refused(tmp_path: Path, folder: Path) -> None:
    shutil.move(one(folder, "c-"), tmp_path / "moved")
    (folder / "c-link").symlink_to(tmp_path / "moved")
    with pytest.raises(JudgeFolderError, match="is a link"):
        read_records(folder)
    linked = tmp_path / "linked"
    linked.symlink_to(folder)
    (folder / "c-link").unlink()
    assert read_records(linked), "the folder that the user names may be one"


def test_a_folder_without_judges_is_no_mistake_of_nobody(tmp_path: Path) -> None:
    with pytest.raises(JudgeFolderError, match="holds no judges"):
        read_records(tmp_path)
    with pytest.raises(JudgeFolderError, match="cannot read"):
        read_records(tmp_path / "none")


def test_many_files_together_are_bounded(tmp_path: Path, records: Any) -> None:
    half = "x" * (exchange.MAX_FILE_BYTES // 2 + 1)
    judge = FunctionJudge(source="", files={"a": half, "b": half})
    write_records(tmp_path / "w", [msgspec.structs.replace(records[0], judge=judge)])
    with pytest.raises(JudgeFolderError, match="more than"):
        read_records(tmp_path / "w")
