"""The file of the store of judges: one that is not ours is left as it is, whoever else has it open
sees what is written, and whatever dies loses nothing that was promised."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scalebox.errors import (
    JudgeStoreError,
    ScaleboxError,
    UnavailableError,
    UnknownJudgeError,
)
from scalebox.judges import database
from scalebox.judges.store import Count, JudgeStore

from .storing import ACTIVE, function, named, new, opened

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "inner" / "judges.sqlite"


@pytest.fixture
def store(file: Path) -> Iterator[JudgeStore]:
    made = opened(file)
    yield made
    made.close()


def test_the_file_is_its_owners_alone(store: JudgeStore, file: Path) -> None:
    store.add(new())
    for path in file.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE precious (x)")
    db.close()


def later(path: Path) -> None:
    opened(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {database.LAYOUT + 1}")
    db.close()


def torn(path: Path) -> None:
    store = opened(path)
    for number in range(200):
        store.add(new(function(number)))
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:-4096] = os.urandom(len(content) - 8192)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text("no database " * 1000), "damaged, or no database"),
        (foreign, "another program"),
        (later, "later ScaleBox"),
        (torn, "damaged"),
        (Path.mkdir, "is no file"),
        (os.mkfifo, "is no file"),
    ],
    ids=["text", "foreign", "later", "torn", "folder", "pipe"],
)
def test_what_is_not_ours_or_not_whole_is_refused_as_it_is(
    tmp_path: Path, make: Any, words: str
) -> None:
    path = tmp_path / "f"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(JudgeStoreError, match=words) as caught:
        opened(path)
    assert "judges.file" in caught.value.message
    assert before is None or path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JudgeStoreError, match=r"judges\.file"):
        opened(tmp_path / "file" / "judges.sqlite")
    with pytest.raises(JudgeStoreError, match=r"judges\.file"):
        opened(Path("/proc/none/judges.sqlite"))


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    store = opened(tmp_path / "f")
    store.add(new())
    store.close()


def test_a_flipped_bit_is_no_other_judge(store: JudgeStore, file: Path) -> None:
    record, _ = store.add(new())
    with sqlite3.connect(file) as db:
        db.execute(
            "UPDATE judges SET content = CAST(replace(content, X'54727565', X'54727566') AS BLOB)"
        )
    db.close()
    for ask in (store.record, store.lookup):
        with pytest.raises(JudgeStoreError, match=re.escape(record.name)):
            ask(named(record.hash))


def test_who_writes_for_long_is_waited_for_and_then_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0.2)
    store = opened(tmp_path / "f")
    store.add(new())
    other = sqlite3.connect(tmp_path / "f", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="ask again"):
        store.add(new(function(2)))
    assert store.lookup(named("problem:p#1")), "who reads does not wait"
    other.execute("COMMIT")
    store.add(new(function(2)))
    other.close()
    store.close()


def test_a_lookup_among_many_looks_at_few(store: JudgeStore, file: Path) -> None:
    record, _ = store.add(new(state=ACTIVE))
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.executemany(
            "INSERT INTO records (hash, problem, version, state, provenance) "
            "VALUES (?, ?, 1, 'active', '')",
            [(f"{number:064x}", f"q{number}") for number in range(20_000)],
        )
    db.close()
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    store._quick.set_progress_handler(step, 100)
    for name in ("problem:p", "problem:p#1", record.hash):
        assert store.lookup(named(name)).row.name == record.name
    with pytest.raises(UnknownJudgeError):
        store.lookup(named("problem:none"))
    assert steps < 20, "of 100 instructions each"


def test_threads_may_share_a_store(store: JudgeStore) -> None:
    def work(who: int) -> None:
        for number in range(20):
            record, _ = store.add(new(function((who, number)), "p", state=ACTIVE))
            assert store.lookup(named(record.name)).row.hash == record.hash
            store.count([Count(store.lookup(named("problem:p")).row.id, 1, 0)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    found = [summary for _, _, summary in store.stored()]
    assert sorted(one.version for one in found) == list(range(1, 81))
    assert sum(one.state is ACTIVE for one in found) == 1


# --- several processes, and their ends ------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from tests.judges.storing import function, new, opened, ACTIVE

store = opened(Path(sys.argv[1]), stored=100_000)
number = 0
print("ready", flush=True)
while number < int(sys.argv[3]):
    record, _ = store.add(new(function((sys.argv[2], number)), "p", state=ACTIVE))
    print(record.hash, flush=True)
    number += 1
"""


def writer(file: Path, who: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file), who, str(count)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_another_process_lays_out_meanwhile_is_not_taken_for_another_programs(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connects, came = database._connect, []

    def watched(path: Path, busy_s: float) -> sqlite3.Connection:
        connection = connects(path, busy_s)

        def lay_out(statement: str) -> None:
            if statement.startswith("SELECT count(*)") and not came:
                came.append(statement)
                other = sqlite3.connect(path, timeout=0)
                try:
                    with other:
                        other.execute("CREATE TABLE judges (name TEXT)")
                        other.execute(f"PRAGMA application_id = {database.APPLICATION_ID}")
                        other.execute("PRAGMA user_version = 1")
                except sqlite3.OperationalError as error:
                    came.append(str(error))
                finally:
                    other.close()

        connection.set_trace_callback(lay_out)
        return connection

    monkeypatch.setattr(database, "_connect", watched)
    store = opened(file)
    assert came == ["SELECT count(*) FROM sqlite_master", "database is locked"]
    record, _ = store.add(new())
    assert record.version == 1
    store.close()


def test_several_processes_write_to_a_new_file_at_once(file: Path) -> None:
    writers = [writer(file, str(who), 25) for who in range(3)]
    hashes = [line for one in writers for line in one.communicate(timeout=120)[0].split()[1:]]
    assert all(one.returncode == 0 for one in writers)
    assert len(set(hashes)) == 75
    store = opened(file)
    found = store.stored()
    assert {summary.hash for _, _, summary in found} == set(hashes)
    assert sorted(summary.version for _, _, summary in found) == list(range(1, 76))
    assert [summary.state for _, _, summary in found].count(ACTIVE) == 1
    store.close()


def test_what_another_process_writes_is_noticed(store: JudgeStore, file: Path) -> None:
    store.look()
    before = store.generation
    store.count([])
    store.look()
    assert store.generation == before
    other = opened(file)
    other.add(new())
    other.close()
    store.look()
    assert store.generation != before


def test_a_writer_that_is_killed_loses_nothing_that_it_was_told(file: Path) -> None:
    told = set[str]()
    for life in range(6):
        victim = writer(file, f"life {life}", 1_000_000)
        assert victim.stdout is not None
        for number, line in enumerate(victim.stdout, start=-1):
            if number >= 0:
                told.add(line.strip())
            if number == 5 * life:
                victim.send_signal(signal.SIGKILL)
                break
        told |= {line.strip() for line in victim.stdout if len(line) == 65}
        victim.wait()
    store = opened(file)
    found = store.stored()
    assert told <= {summary.hash for _, _, summary in found}
    assert len(found) <= len(told) + 6, "the one that was under way, each time"
    assert [summary.state for _, _, summary in found].count(ACTIVE) == 1
    versions = sorted(summary.version for _, _, summary in found)
    assert versions == list(range(1, len(found) + 1))
    for name, _, _ in found:
        assert store.record(named(name)).history[0].state is ACTIVE
    store.close()


def test_errors_of_ours_alone_come_out(store: JudgeStore, file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("DROP TABLE changes")
    db.close()
    with pytest.raises(ScaleboxError, match=r"judges\.file"):
        store.add(new())
