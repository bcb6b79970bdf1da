"""Journals: what is written stays, a torn line goes, whatever moment we die at."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from scalebox.suite.errors import SuiteError
from scalebox.suite.journal import Journal, locked, write_whole


class Line(Struct):
    number: int
    text: str = ""


def read(path: Path) -> list[Line]:
    with Journal(path, Line) as journal:
        return journal.records


def test_records_are_there_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with Journal(path, Line) as journal:
        journal.append(Line(1, "é\n\x00"))
        journal.append(Line(2))
    assert read(path) == [Line(1, "é\n\x00"), Line(2)]


@given(st.lists(st.builds(Line, st.integers(0, 9), st.text(max_size=5)), max_size=5), st.data())
def test_a_file_cut_anywhere_loses_its_last_line_alone(
    tmp_path_factory: pytest.TempPathFactory, lines: list[Line], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.jsonl"
    with Journal(path, Line) as journal:
        for line in lines:
            journal.append(line)
    whole = path.read_bytes()
    kept = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:kept])
    ends = whole[:kept].count(b"\n")
    with Journal(path, Line) as journal:
        assert journal.records == lines[:ends]
        assert journal.repaired == (not whole[:kept].endswith(b"\n") and kept > 0)
        journal.append(Line(7))
    assert read(path) == [*lines[:ends], Line(7)]


def test_a_line_that_somebody_broke_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"number":1}\n{"number":}\n{"number":3}\n')
    with pytest.raises(SuiteError, match=r"a\.jsonl, line 2 is broken"):
        Journal(path, Line)


def test_one_process_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with locked(folder), pytest.raises(SuiteError, match="another process works"), locked(folder):
        pass
    with locked(tmp_path / "run"):
        pass


WRITER = """
import sys
from pathlib import Path
from tests.suite.test_journal import Line
from scalebox.suite.journal import Journal
with Journal(Path(sys.argv[1]), Line) as journal:
    for number in range(10**9):
        journal.append(Line(number, "x" * 5000))
"""


def test_a_killed_writer_leaves_whole_records_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
    try:
        deadline = time.monotonic() + 30
        while not path.exists() or path.stat().st_size < 1_000_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    lines = read(path)
    assert [line.number for line in lines] == list(range(len(lines)))
    assert len(lines) >= 190


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.suite.test_journal import Line
from scalebox.suite.errors import SuiteError
from scalebox.suite.journal import Journal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
with Journal(Path(sys.argv[1]), Line) as journal:
    try:
        for number in range(100):
            journal.append(Line(number, "x" * 90))
    except SuiteError as error:
        print(error.message)
"""


def test_where_there_is_no_room_nothing_written_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True
    )
    assert "make room and start the same command again" in done.stdout
    assert path.read_bytes().endswith(b"\n")
    lines = read(path)
    assert [line.number for line in lines] == list(range(len(lines)))
    assert lines


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_whole(path, [b"former"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(SuiteError, match="cannot be written"):
            write_whole(path, [b"x" * 100])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)
    assert path.read_bytes() == b"former"
    assert os.listdir(tmp_path) == ["a"]
