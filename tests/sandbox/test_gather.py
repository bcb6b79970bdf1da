"""All files of a folder: handed back whole, or said not to be, whatever a program put there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalebox.model import IsolationLevel
from scalebox.sandbox.spec import RunOutcome, read_output
from scalebox.sandbox.zygote import wire
from scalebox.sandbox.zygote.box import Box
from scalebox.sandbox.zygote.gather import LONGEST_PATH_BYTES
from tests.descriptors import open_descriptors
from tests.sandbox.conftest import Bench
from tests.sandbox.test_death import until

MOST = wire.MAX_FETCHED_FILES


def contents(outcome: RunOutcome) -> dict[str, bytes]:
    """The files that came back; their descriptors are closed."""
    found = {path: read_output(fd) for path, fd in outcome.files.items()}
    outcome.close()
    return found


async def test_all_files_below_a_folder_come_back(bench: Bench) -> None:
    source = """
import os
os.makedirs('feedback/one/two')
os.mkdir('other')
for path in ('feedback/a', 'feedback/.b', 'feedback/one/c', 'feedback/one/two/d', 'other/e', 'f'):
    open(path, 'w').write(path * 3)
open('feedback/large', 'wb').write(b'x' * 3_000_000)
open(b'feedback/\\xff\\xfe', 'w').write('no text')
"""
    outcome = await bench.python(source, fetch=("feedback/",))
    assert outcome.status == 0, outcome.stderr
    assert not outcome.flags & wire.FETCH_CUT
    paths = ("feedback/a", "feedback/.b", "feedback/one/c", "feedback/one/two/d")
    assert contents(outcome) == {
        **{path: 3 * path.encode() for path in paths},
        "feedback/large": b"x" * 3_000_000,
        os.fsdecode(b"feedback/\xff\xfe"): b"no text",
    }


async def test_beside_files_by_name_and_long_outputs(bench: Bench) -> None:
    source = """
import os
os.mkdir('feedback')
for n in range(20): open(f'feedback/{n:0200}', 'w').write(str(n))
open('named', 'w').write('x')
print('y' * 200_000)
"""
    outcome = await bench.python(source, fetch=("named", "feedback/", "none"))
    assert len(outcome.stdout) == 200_001
    found = contents(outcome)
    assert found.pop("named") == b"x"
    assert sorted(found.values(), key=int) == [str(n).encode() for n in range(20)]
    assert not outcome.flags & wire.FETCH_CUT


async def test_an_empty_folder_is_whole(bench: Bench) -> None:
    outcome = await bench.python("import os; os.mkdir('feedback')", fetch=("feedback/",))
    assert contents(outcome) == {}
    assert not outcome.flags & wire.FETCH_CUT


#: What is there besides a file → how it is made, in `feedback`.
HOSTILE = {
    "no folder": "remove()",
    "a file in its place": "remove(); open(folder, 'w')",
    "a link in its place": "remove(); os.symlink('/etc', folder)",
    "a link to a file": "os.symlink('/etc/passwd', 'link')",
    "a link to a folder": "os.symlink('/etc', 'link')",
    "a link to itself": "os.symlink('link', 'link')",
    "a pipe": "os.mkfifo('pipe')",
    "a socket": "make_socket('socket')",
    "a folder with nothing in it": "os.makedirs('a/b/c')",
    "one file too many": f"for n in range({MOST}): open(str(n), 'w')",
    "a great many files": "for n in range(1000): open(str(n), 'w')",
    "a great many folders": "for n in range(500):\n    os.mkdir(str(n)); open(f'{n}/x', 'w')",
    "a chain of folders": "for n in range(500):\n    os.mkdir('d'); os.chdir('d')\nopen('x', 'w')",
    "a path that is too long": "for n in range(5):\n"
    "    os.mkdir('d' * 250); os.chdir('d' * 250)\nopen('x', 'w')",
    "names that are too long together": "deep = 'd' * 250 + '/' + 'e' * 250\nos.makedirs(deep)\n"
    "for n in range(60): open(f'{deep}/{n:0200}', 'w')",
}
MAKE = """
import os, socket
folder = os.path.abspath('feedback')
def remove():
    os.unlink('plain')
    os.rmdir(folder)
def make_socket(path):
    try:
        socket.socket(socket.AF_UNIX).bind(path)
    except OSError:
        os.mkfifo(path)  # not everywhere may a program make one
os.mkdir(folder)
os.chdir(folder)
open('plain', 'w').write('text')
"""


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_cannot_be_handed_back_is_said_to_be_missing(bench: Bench, name: str) -> None:
    pid, source = bench.slot.pid, MAKE + HOSTILE[name]
    # To make so many files takes its time on a disk.
    ample = {"cpu_ns": 20 * 10**9, "wall_ns": 60 * 10**9}
    for _ in range(2):
        outcome = await bench.python(source, fetch=("feedback/",), limits=ample)
        assert outcome.status == 0, outcome.stderr
        assert outcome.flags & wire.FETCH_CUT
        assert len(outcome.files) <= MOST
        outcome.close()
    fine = await bench.python(MAKE, fetch=("feedback/",))
    assert contents(fine) == {"feedback/plain": b"text"}
    assert not fine.flags & wire.FETCH_CUT
    assert bench.slot.pid == pid


async def test_sparse_files_cost_nothing_until_they_are_read(bench: Bench) -> None:
    source = MAKE + "for n in range(50): os.truncate(os.open(str(n), os.O_CREAT | 2), 16 << 20)"
    outcome = await bench.python(source, fetch=("feedback/",))
    assert outcome.status == 0, outcome.stderr
    assert len(outcome.files) == 51
    assert not outcome.flags & wire.FETCH_CUT
    outcome.close()


async def test_pid_1_keeps_nothing_open(bench: Bench) -> None:
    if bench.level is IsolationLevel.MINIMAL and os.geteuid():
        return  # not to be looked at: it is not dumpable
    fds = f"/proc/{bench.slot.pid}/fd"
    await bench.python("pass")
    before = len(os.listdir(fds))
    for name in ("a chain of folders", "a great many folders", "a link to a file"):
        for _ in range(3):
            (await bench.python(MAKE + HOSTILE[name], fetch=("feedback/",))).close()
        # It closes what it has sent, after that.
        await until(lambda: len(os.listdir(fds)) <= before)


NAMES = st.sampled_from(["a", "b", "ü", "x" * 255, "...", ".a"])


@settings(max_examples=100, deadline=None, database=None)
@given(
    st.dictionaries(
        st.lists(NAMES, min_size=1, max_size=6).map("/".join),
        st.sampled_from(["file", "file", "file", "folder", "link", "pipe"]),
        max_size=8,
    )
)
def test_it_is_whole_or_is_said_not_to_be(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, str]
) -> None:
    root = tmp_path_factory.mktemp("gathered")
    folder = root / "box/feedback"
    folder.mkdir(parents=True)
    files, whole = set(), True
    for name, kind in entries.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "file":
                path.write_text(name)
            elif kind == "folder":
                path.mkdir()
            elif kind == "link":
                path.symlink_to("/etc/passwd")
            else:
                os.mkfifo(path)
        except OSError:
            continue  # another one is in its way
    for place, below, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            relative = str(path.relative_to(root / "box"))
            too_long = len(os.fsencode(relative)) >= LONGEST_PATH_BYTES
            if path.is_symlink() or not path.is_file() or too_long:
                whole = False
            else:
                files.add(relative)
        if not below and not names and Path(place) != folder:
            whole = False
    before = open_descriptors()
    gathering = Box(False, str(root), {}, 0).gather(["feedback/"], MOST, wire.LISTING_BYTES)
    assert gathering is not None
    listed, listing = [], bytes(gathering.listing)
    while listing:
        (length,) = wire.FILE_REPLY.unpack_from(listing)
        listed.append(os.fsdecode(listing[2 : 2 + length]))
        listing = listing[2 + length :]
    assert gathering.whole is whole
    assert set(listed) == files if whole else set(listed) <= files
    assert len(set(listed)) == len(listed) == len(gathering.descriptors)
    for path, fd in zip(listed, gathering.descriptors, strict=True):
        assert "feedback/" + os.pread(fd, 10_000, 0).decode() == path
        os.close(fd)
    gathering.close()
    assert open_descriptors() == before


def test_several_folders_share_what_there_is_room_for(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        for n in range(40):
            path = tmp_path / "box" / folder / str(n) / "x"
            path.parent.mkdir(parents=True)
            path.touch()
    gathering = Box(False, str(tmp_path), {}, 0).gather(["a/", "b/"], MOST, wire.LISTING_BYTES)
    assert gathering is not None
    assert not gathering.whole
    for fd in gathering.descriptors:
        os.close(fd)
    gathering.close()
    assert Box(False, str(tmp_path), {}, 0).gather(["a", "b"], MOST, 1000) is None
