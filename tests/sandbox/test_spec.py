"""What crosses the control socket: true replies come through, lies are told from them, and whatever
comes of a packet, each descriptor is closed once."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalebox.model import IsolationLevel
from scalebox.sandbox import spec as spec_module
from scalebox.sandbox.slot import Slot, SlotPlan, base_environment
from scalebox.sandbox.spec import (
    LARGE_INPUT_BYTES,
    MalformedReplyError,
    RunOutcome,
    RunSpec,
    decode,
    encode,
    read_output,
)
from scalebox.sandbox.zygote import wire
from tests.descriptors import open_descriptors
from tests.sandbox.conftest import LIMITS, open_pool
from tests.sandbox.test_death import until

SIZES = ("stdout", "stderr", "channel", "times", "message", "listing")


def memfd(content: bytes = b"") -> int:
    """A file in memory."""
    fd = os.memfd_create("test", os.MFD_CLOEXEC)
    os.write(fd, content)
    return fd


def reply(
    parts: dict[str, bytes], flags: int = 0, run_id: int = 1, **sizes: int
) -> tuple[bytes, list[bytes]]:
    """A reply as pid 1 makes it, and the contents of its descriptors; sizes may be lied about."""
    given = [parts.get(name, b"") for name in SIZES]
    lengths = [sizes.get(name, len(part)) for name, part in zip(SIZES, given, strict=True)]
    header = wire.REPLY.pack(run_id, flags, 0, -1, 0, 1, 2, 3, 4, *lengths, 0)
    by_descriptor = []
    for place, flag in ((2, wire.CHANNEL_FD), (0, wire.STDOUT_FD), (1, wire.STDERR_FD)):
        if flags & flag:
            by_descriptor.append(given[place])
            given[place] = b""
    return header + b"".join(given), by_descriptor


def closed(fds: list[int]) -> bool:
    """Whether none of them is open; a second close of one would have failed before."""
    for fd in fds:
        try:
            os.fstat(fd)
        except OSError:
            continue
        return False
    return True


def listing(*paths: bytes) -> bytes:
    """The files that a reply brings."""
    return b"".join(wire.FILE_REPLY.pack(len(path)) + path for path in paths)


PARTS = st.fixed_dictionaries(
    {
        "stdout": st.binary(max_size=20),
        "stderr": st.binary(max_size=20),
        "channel": st.binary(max_size=20),
        "times": st.lists(st.binary(min_size=8, max_size=8), max_size=3).map(b"".join),
        "message": st.binary(max_size=20),
    }
)
PATHS = st.lists(st.binary(min_size=1, max_size=8), max_size=4, unique=True)
FLAGS = st.sets(
    st.sampled_from([wire.STDOUT_FD, wire.STDERR_FD, wire.CHANNEL_FD, wire.OUT_OF_MEMORY])
).map(sum)


@settings(max_examples=200, deadline=None, database=None)
@given(PARTS, PATHS, FLAGS)
def test_a_true_reply_comes_through(
    parts: dict[str, bytes], paths: list[bytes], flags: int
) -> None:
    packet, contents = reply({**parts, "listing": listing(*paths)}, flags)
    fds = [memfd(content) for content in contents] + [memfd(path) for path in paths]
    run_id, outcome = decode(packet, fds)
    assert run_id == 1
    assert read_output(outcome.stdout) == parts["stdout"]
    assert read_output(outcome.stderr) == parts["stderr"]
    assert outcome.channel == parts["channel"]
    assert len(outcome.record_cpu_s) == len(parts["times"]) // 8
    assert {os.fsencode(path): read_output(fd) for path, fd in outcome.files.items()} == {
        path: path for path in paths
    }
    outcome.close()
    assert closed(fds)


@settings(max_examples=400, deadline=None, database=None)
@given(st.data())
def test_a_reply_that_lies_costs_no_descriptor(data: st.DataObject) -> None:
    parts = data.draw(PARTS)
    paths = listing(*data.draw(st.lists(st.binary(max_size=8), max_size=4)))
    lies = data.draw(st.dictionaries(st.sampled_from(SIZES), st.integers(0, 2**32 - 1), max_size=2))
    flags = data.draw(FLAGS | st.integers(0, 2**32 - 1))
    packet, contents = reply({**parts, "listing": paths}, flags, **lies)
    packet = bytearray(packet)
    for _ in range(data.draw(st.integers(0, 3))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(packet)) | st.just(len(packet)))
    count = data.draw(st.integers(0, 9))
    fds = [memfd(content) for content in [*contents, *[b""] * count][:count]]
    if fds and data.draw(st.booleans()):
        os.close(fds[0])
        fds[0], end = os.pipe2(os.O_CLOEXEC)  # cannot be read at an offset
        os.close(end)
    try:
        _, outcome = decode(bytes(packet[:cut]), fds)
    except MalformedReplyError:
        pass
    else:
        outcome.close()
    assert closed(fds)


def test_no_descriptor_is_that_of_two_files() -> None:
    packet, _ = reply({"listing": listing(b"a", b"a", b"b", b"c")})
    fds = [memfd() for _ in range(3)]
    with pytest.raises(MalformedReplyError, match="twice"):
        decode(packet, fds)
    assert closed(fds)


TEXTS = st.text(max_size=10)


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.builds(
        RunSpec,
        program=st.just(wire.EXECUTE),
        limits=st.just(LIMITS),
        source=st.binary(max_size=20) | st.just(bytes(wire.INLINE_BYTES)),
        stdin=st.binary(max_size=20) | st.just(bytes(LARGE_INPUT_BYTES + 1)),
        argv=st.lists(TEXTS | st.text(st.characters(categories=["Cs"])), max_size=3).map(tuple),
        env=st.dictionaries(TEXTS, TEXTS, max_size=2),
        fetch=st.lists(TEXTS, max_size=3).map(tuple),
        files=st.dictionaries(TEXTS, st.tuples(st.binary(max_size=9), st.just(0o644)), max_size=2),
        driver=st.binary(max_size=5),
    )
)
def test_a_request_is_encoded_whole_or_not_at_all(spec: RunSpec) -> None:
    try:
        _, descriptors, owned = encode(7, spec)
    except ValueError:
        texts = [*spec.argv, *spec.env, *spec.env.values(), *spec.fetch, *spec.files]
        assert any("\0" in text or not is_plain(text) for text in texts)
    else:
        assert set(owned) <= set(descriptors)
        for fd in owned:
            os.close(fd)


def is_plain(text: str) -> bool:
    """Whether the kernel can be given it."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("which", range(3))
def test_without_descriptors_nothing_is_left_of_a_request(
    monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    spec = RunSpec(
        program=wire.PYTHON_CODE, limits=LIMITS, source=bytes(wire.INLINE_BYTES),
        stdin=bytes(LARGE_INPUT_BYTES + 1), driver=b"x", driver_stdin=b"y",
    )  # fmt: skip
    made = 0
    true = os.memfd_create

    def some_memfds(name: str, flags: int = 0) -> int:
        nonlocal made
        made += 1
        if made > which:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return true(name, flags)

    monkeypatch.setattr(spec_module.os, "memfd_create", some_memfds)
    before = open_descriptors()
    with pytest.raises(OSError, match="Too many open files"):
        encode(1, spec)
    assert open_descriptors() == before


def test_a_file_in_memory_that_cannot_be_filled_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(fd: int, content: memoryview) -> int:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(spec_module.os, "write", no_memory)
    before = open_descriptors()
    with pytest.raises(OSError, match="Cannot allocate memory"):
        spec_module.sealed_memfd(b"x")
    assert open_descriptors() == before


#: Takes the launcher's place: says that it is ready, and answers a run with packets from a file.
LIAR = """#!{python}
import array, os, socket, sys
control = socket.socket(fileno=3)
control.recv(1 << 16)
for line in open({script!r}, "rb").read().splitlines():
    count, _, packet = line.partition(b" ")
    if count == b"wait":
        control.recv(1 << 16)
        continue
    fds = [os.memfd_create("lie") for _ in range(int(count))]
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    control.sendmsg([bytes.fromhex(packet.decode())], rights)
    for fd in fds:
        os.close(fd)
control.recv(1)
"""
START = b"0 %s\n0 %s\n" % (b"pid\x0031".hex().encode(), b"ready\0003.11".hex().encode())
TRUE, _ = reply({"stdout": b"said"})
LIES = {
    "another run's": (0, reply({}, run_id=99)[0]),
    "cut": (1, TRUE[:50]),
    "shorter than it says": (0, TRUE[:-1]),
    "a channel that is not there": (0, reply({"channel": b"x"}, wire.CHANNEL_FD)[0]),
    "a channel of another size": (1, reply({}, wire.CHANNEL_FD, channel=2**60)[0]),
    "a channel, and descriptors too many": (3, reply({}, wire.CHANNEL_FD)[0]),
    "descriptors without a flag": (3, TRUE),
    "times of half a number": (0, reply({"times": b"1234"})[0]),
    "a file twice": (2, reply({"listing": listing(b"a", b"a")})[0]),
    "a file without a descriptor": (0, reply({"listing": listing(b"a")})[0]),
    "a listing that is cut": (1, reply({"listing": listing(b"abc")[:-1]})[0]),
    "a pong with descriptors, then nothing": (2, wire.CONTROL.pack(wire.PONG, 0, 1)),
    "a control packet of no kind": (0, wire.CONTROL.pack(77, 0, 1)),
    "a byte": (1, b"x"),
}  # fmt: skip


def lying_slot(folder: Path, lines: bytes, on_state: Callable[[Slot], None]) -> Slot:
    """A slot whose zygote says what it is told to."""
    script, liar = folder / "script", folder / "liar"
    script.write_bytes(lines)
    liar.write_text(LIAR.format(python=sys.executable, script=str(script)))
    liar.chmod(0o755)
    plan = SlotPlan(
        0, IsolationLevel.MINIMAL, str(liar), None, None, (), (), folder / "staging",
        environment=base_environment(),
    )  # fmt: skip
    return Slot(plan, None, on_state)


@pytest.mark.parametrize("lie", LIES)
async def test_a_zygote_that_lies_is_given_up_and_leaves_no_descriptor(
    tmp_path: Path, lie: str
) -> None:
    before = open_descriptors()
    count, packet = LIES[lie]
    lines = START + b"wait\n%d %s\n" % (count, packet.hex().encode())
    if "pong" in lie:
        lines += b"0 \n"  # an empty packet looks like the end of the zygote
    slot = lying_slot(tmp_path, lines, lambda _: None)
    slot.start()
    await until(lambda: slot.state == "idle")
    heard: list[RunOutcome | None] = []
    slot.run(RunSpec(program=wire.PYTHON_SOURCE, limits=LIMITS), heard.append)
    await until(lambda: slot.state == "broken")
    assert heard == [None]
    assert slot.failure
    slot.close()
    assert open_descriptors() == before


@pytest.mark.parametrize(
    "words", [b"", b"pid", b"pid\0x", b"pid\0-1", b"failed", b"ready", b"\xff"]
)
async def test_a_launcher_that_does_not_speak_is_given_up(tmp_path: Path, words: bytes) -> None:
    before = open_descriptors()
    slot = lying_slot(tmp_path, b"0 " + words.hex().encode() + b"\n", lambda _: None)
    slot.start()
    await until(lambda: slot.state == "broken")
    assert slot.failure
    slot.close()
    assert open_descriptors() == before


async def test_a_slot_without_descriptors_is_started_when_there_are_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_descriptors()
    failing = True
    true = os.memfd_create

    def maybe(name: str, flags: int = 0) -> int:
        if failing:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return true(name, flags)

    pool = await open_pool("minimal", tmp_path)
    care = asyncio.create_task(pool.look_after())
    try:
        monkeypatch.setattr(os, "memfd_create", maybe)
        slot = pool.slots[0]
        slot.kill("for the test")
        await until(lambda: "Too many open files" in slot.failure)
        failing = False
        await until(lambda: slot.state == "idle")
        assert not care.done()
    finally:
        care.cancel()
        pool.close()
    assert open_descriptors() == before
