"""The accelerator: found or made once, never where others can write, and never needed."""

from __future__ import annotations

import ctypes
import os
import stat
from pathlib import Path

import pytest

from scalebox.sandbox import native
from scalebox.sandbox.zygote import native as binding
from scalebox.sandbox.zygote import wire
from tests.sandbox.conftest import Bench, open_pool


def test_it_is_compiled_once_and_kept(tmp_path: Path) -> None:
    first = native.build([tmp_path / "kept"])
    assert first.path, first.reason
    made = os.stat(first.path)
    assert native.build([tmp_path / "kept"]) == first
    assert os.stat(first.path).st_mtime_ns == made.st_mtime_ns
    assert [file.name for file in (tmp_path / "kept").iterdir()] == [Path(first.path).name]
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700


def test_structures_are_those_of_the_source(tmp_path: Path) -> None:
    library = ctypes.PyDLL(native.build([tmp_path / "kept"]).path)
    size = library.zygote_struct_size
    size.restype = ctypes.c_int64
    assert size() == ctypes.sizeof(binding.Zygote)
    text = native.SOURCES[0].read_text()
    for name in ("RUN", "CANCEL", "PING", "PONG", "CHANNEL", "DRIVER", "OUT_OF_MEMORY"):
        assert f"{name} = {getattr(wire, name)}" in text
    assert wire.REQUEST.size == 8 * (2 + 1 + 9 + wire.SECTIONS)
    assert wire.REPLY.size == 8 + 16 + 7 * 8 + 16


def test_a_place_that_others_can_write_to_is_not_used(tmp_path: Path) -> None:
    shared, own = tmp_path / "shared", tmp_path / "own"
    shared.mkdir()
    shared.chmod(0o777)
    found = native.build([shared, own])
    assert Path(found.path).parent == own
    assert not list(shared.iterdir())
    assert "written by" in native.build([shared]).reason


def test_without_a_compiler_the_reason_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = native.build([tmp_path / "kept"])
    assert not found.path
    assert "no C compiler" in found.reason


def test_a_compiler_that_fails_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "bin" / "cc"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\necho 'no license' >&2\nexit 3\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{compiler.parent}:/usr/bin:/bin")
    found = native.build([tmp_path / "kept"])
    assert "no license" in found.reason
    assert not list((tmp_path / "kept").iterdir())


async def test_a_library_that_cannot_be_loaded_leaves_python_to_do_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(native, "build", lambda places: native.Library(path=str(broken)))
    pool = await open_pool("user", tmp_path)
    try:
        assert any("in Python, at twice the cost" in note for note in pool.notes)
        outcome = await Bench(pool, pool.slots[0]).python("print(6 * 7)")
        assert outcome.stdout == b"42\n"
    finally:
        pool.close()


async def test_many_files_arguments_and_variables_arrive(bench: Bench) -> None:
    files = {f"a/b{i}/c.txt": (f"{i}".encode(), 0o644) for i in range(50)}
    files["run.sh"] = (
        b'#!/bin/sh\necho "$#" "$WORD" "$LANG" "$1"; cat a/b*/c.txt | wc -c\n',
        0o755,
    )
    outcome = await bench.command(
        "/bin/sh", "run.sh", "one argument", *map(str, range(100)),
        files=files, env={"WORD": "a=b c", "LANG": "xx"},
    )  # fmt: skip
    assert outcome.stdout == b"101 a=b c xx one argument\n90\n", outcome.stderr


async def test_more_arguments_than_the_library_takes_are_left_to_python(bench: Bench) -> None:
    outcome = await bench.command("/bin/sh", "-c", "echo $#", *map(str, range(2000)))
    assert outcome.stdout == b"1999\n"


async def test_a_request_longer_than_a_packet_arrives(bench: Bench) -> None:
    source = "data = '" + "x" * 200_000 + "'\nprint(len(data), open('d').read(3))"
    outcome = await bench.python(source, b"", files={"d": (b"y" * 100_000, 0o644)})
    assert outcome.stdout == b"200000 yyy\n"
    outcome = await bench.python("import sys; print(len(sys.stdin.read()))", b"z" * 300_000)
    assert outcome.stdout == b"300000\n"


async def test_a_program_that_is_no_program_is_a_failure_to_execute(bench: Bench) -> None:
    outcome = await bench.command("no-such-program")
    assert outcome.flags & wire.EXEC_FAILED
    assert "no-such-program" in outcome.message
    assert (await bench.python("print(1)")).stdout == b"1\n"


async def test_text_is_its_file_or_in_huge_pages(bench: Bench) -> None:
    # Anonymous small pages would have their entries copied by every fork.
    source = """
import re
text = open('/proc/self/smaps').read()
for mapping in re.split(r'^(?=[0-9a-f]+-[0-9a-f]+ )', text, flags=re.M)[1:]:
    first, *facts = mapping.splitlines()
    facts = dict(line.split(':', 1) for line in facts)
    words = first.split()
    if 'x' in words[1] and len(words) < 6:
        print(facts['Size'].split() == facts['AnonHugePages'].split(), words[0])
"""
    outcome = await bench.python(source)
    assert outcome.status == 0, outcome.stderr
    assert b"False" not in outcome.stdout
