"""What a slot's pid 1 is asked: a request whose lengths lie ends the slot, not the host; and no
name of a file to fetch can end pid 1, which every later run needs."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalebox.sandbox import slot as slot_module
from scalebox.sandbox import spec as spec_module
from scalebox.sandbox.spec import RunSpec, encode
from scalebox.sandbox.zygote import wire
from scalebox.sandbox.zygote.box import Box
from scalebox.sandbox.zygote.request import Request, strings
from tests.sandbox.conftest import LIMITS, Bench

HEADER = wire.REQUEST.size
TRUE, _, _ = encode(1, RunSpec(program=wire.PYTHON_SOURCE, limits=LIMITS, source=b"print(1)"))


def with_length(section: int, length: int) -> bytes:
    """A request that says that one of its sections is so long."""
    packet = bytearray(TRUE)
    place = HEADER - 8 * wire.SECTIONS + 8 * section
    packet[place : place + 8] = length.to_bytes(8, "little")
    return bytes(packet)


def with_flags(flags: int) -> bytes:
    """A request that says what comes with it."""
    packet = bytearray(TRUE)
    packet[16:20] = flags.to_bytes(4, "little")
    return bytes(packet)


@settings(max_examples=300, deadline=None, database=None)
@given(st.data())
def test_a_request_that_lies_is_refused_before_it_is_read(data: st.DataObject) -> None:
    packet = bytearray(TRUE)
    for _ in range(data.draw(st.integers(0, 4))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    with mmap.mmap(-1, wire.PACKET_BYTES) as buffer:
        buffer[: len(packet)] = bytes(packet)
        try:
            request = Request(buffer, [])
        except ValueError:
            return
        sizes = wire.REQUEST.unpack_from(packet)[14:]
        for which in range(wire.SECTIONS):
            assert len(request.section(which)) == sizes[which]
            strings(request.section(which))


#: What a daemon with a defect might send.
LIES = {
    "a section far too long": with_length(wire.SOURCE, 1 << 62),
    "lengths whose sum overflows": with_length(wire.FILES, (1 << 64) - 8),
    "a section longer than the buffer": with_length(wire.STDIN, wire.PACKET_BYTES),
    "descriptors that are not there": with_flags(wire.BODY_FD | wire.STDIN_FD),
    "a tester that is not there": with_flags(wire.DRIVER),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_request_that_lies_costs_a_slot_at_most(
    bench: Bench, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(slot_module, "encode", lambda run_id, spec: (LIES[lie], [], []))
        outcome = await bench.raw(RunSpec(program=wire.PYTHON_SOURCE, limits=LIMITS))
    assert outcome is None
    assert "request" in bench.slot.failure, "its last words say why"
    assert (await bench.python("print('again')")).stdout == b"again\n"


FILE_LIES = {
    "a path that is cut": wire.FILE_ENTRY.pack(100, 0, 0o644) + b"x",
    "a content that is cut": wire.FILE_ENTRY.pack(1, 1 << 50, 0o644) + b"x",
    "an entry that is cut": b"\1\0",
}


@pytest.mark.parametrize("lie", FILE_LIES)
async def test_files_that_lie_are_not_laid_out(
    bench: Bench, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = FILE_LIES[lie]
    monkeypatch.setattr(spec_module, "_files", lambda files: section)
    for program in (wire.PYTHON_SOURCE, wire.EXECUTE):
        outcome = await bench.raw(
            RunSpec(program, LIMITS, b"print(1)", argv=("/bin/echo",), files={"x": (b"", 0o644)})
        )
        assert outcome is not None
        assert outcome.flags & wire.SETUP_FAILED
        outcome.close()


@settings(max_examples=300, deadline=None, database=None)
@given(
    st.lists(
        st.text(st.characters(categories=["L", "P", "Cs", "Cc"]), max_size=8)
        | st.sampled_from(["there", "folder/there", "folder", "link", "pipe", "\0", "there\0"])
    )
)
def test_whatever_is_to_be_fetched_is_there_or_not(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str]
) -> None:
    root = tmp_path_factory.getbasetemp() / "fetched"
    box = root / "box"
    if not root.exists():
        (box / "folder").mkdir(parents=True)
        (box / "there").write_text("1")
        (box / "folder/there").write_text("2")
        (box / "link").symlink_to("/etc/passwd")
        os.mkfifo(box / "pipe")
    found, listing = Box(False, str(root), {}, 0).fetch(paths)
    real = [path for path in paths if path in ("there", "folder/there")][: wire.MAX_FETCHED_FILES]
    assert listing == b"".join(wire.FILE_REPLY.pack(len(path)) + path.encode() for path in real)
    assert len(found) == len(real)
    for fd in found:
        os.close(fd)


async def test_more_names_than_a_reply_holds_do_not_end_pid_1(bench: Bench) -> None:
    folders = "/".join(["d" * 200] * 4)
    names = tuple(f"{folders}/{number:0100}" for number in range(wire.MAX_FETCHED_FILES))
    source = f"import os\nos.makedirs({folders!r})\nfor name in {names!r}: open(name, 'w')"
    pid = bench.slot.pid
    outcome = await bench.python(source, fetch=names)
    assert outcome.status == 0, outcome.stderr
    assert 0 < len(outcome.files) < len(names)
    outcome.close()
    twice = await bench.python("open('a', 'w').write('1')", fetch=("a", "a", "gone"))
    assert list(twice.files) == ["a"]
    twice.close()
    assert bench.slot.pid == pid


def test_the_section_of_paths_is_cut_at_its_ends() -> None:
    assert strings(b"a\0\xff\0rest") == ["a", "\udcff"]


def test_the_interpreter_names_files_as_the_daemon_does(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\xfe")
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / name).write_text("x")
    found, listing = Box(False, str(tmp_path), {}, 0).fetch([name])
    assert listing == wire.FILE_REPLY.pack(2) + b"\xff\xfe"
    os.close(found[0])
