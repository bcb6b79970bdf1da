"""Runs harnesses as a slot does, without a slot: real processes, real pipes at 3, 4 and 5.

A run is forked from the test process (or started as a fresh interpreter, to see that a harness
needs nothing of ours), with the submission as `candidate.py` in a folder of its own.
"""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import select
import signal
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scalebox.judging import asserts, call
from scalebox.model import AssertCase, AssertTests, CallCase, CallTests, Verdict

WALL_S = 30.0


@dataclass
class Ended:
    """What a run left: its channel, standard output, standard error and wait status."""

    channel: bytes
    stdout: str
    stderr: str
    status: int


@contextlib.contextmanager
def box(candidate: str | bytes) -> Iterator[Path]:
    """A working directory with the submission in it."""
    with tempfile.TemporaryDirectory() as folder:
        content = candidate.encode() if isinstance(candidate, str) else candidate
        (Path(folder) / "candidate.py").write_bytes(content)
        yield Path(folder)


def run(source: bytes, candidate: str | bytes, stdin: bytes, *, fresh: str | None = None) -> Ended:
    """One process: the harness with a channel at descriptor 5.

    Parameters:
        fresh: path of an interpreter to start; None: fork this one.
    """
    with box(candidate) as folder:
        channel, channel_end = os.pipe()
        stdio = _stdio(folder, stdin)
        pid = _start(source, folder, [*stdio, -1, -1, channel_end], fresh)
        _close(*stdio, channel_end)
        data = _read_until_exit(pid, channel)
        return _ended(folder, data, _wait(pid))


def run_strong(
    candidate: str | bytes, stdin: bytes, *, fresh: str | None = None, main: bytes | None = None
) -> Ended:
    """Two processes joined by crossed pipes: the tester holds the channel.

    Parameters:
        main: replaces the candidate harness (a submission that has taken its process over).
    """
    with box(candidate) as folder:
        channel, channel_end = os.pipe()
        to_candidate, from_tester = os.pipe()
        to_tester, from_candidate = os.pipe()
        null = os.open(os.devnull, os.O_RDWR)
        stdio = _stdio(folder, b"")
        given = os.memfd_create("task")
        os.write(given, stdin)
        os.lseek(given, 0, os.SEEK_SET)
        wires = [given, null, stdio[2], to_tester, from_tester, channel_end]
        tester = _start(asserts.tester_source(), Path("/"), wires, fresh)
        source = main if main is not None else asserts.candidate_source()
        peer = _start(source, folder, [*stdio, to_candidate, from_candidate], fresh)
        _close(*stdio, given, null, channel_end, to_candidate, from_tester)
        _close(to_tester, from_candidate)
        data = _read_until_exit(tester, channel)
        status = _wait(tester)
        with contextlib.suppress(ProcessLookupError):
            os.kill(peer, signal.SIGKILL)
        os.waitpid(peer, 0)
        return _ended(folder, data, status)


def judge_calls(
    candidate: str, tests: CallTests, *, fresh: str | None = None
) -> list[tuple[Verdict, str]]:
    """Every call's verdict, as an engine would decide it from one run."""
    indices = range(len(tests.cases))
    ended = run(call.call_source(), candidate, call_stdin(tests), fresh=fresh)
    loaded, rest = call.parse_loaded(ended.channel)
    if loaded is not None and loaded.error:
        verdict = Verdict.COMPILE_ERROR if loaded.uncompilable else Verdict.RUNTIME_ERROR
        return [(verdict, loaded.error)] * len(tests.cases)
    records = call.parse_records(rest, indices)
    return [
        call.decide_call(tests, index, records[index] if index < len(records) else None)
        for index in indices
    ]


def call_stdin(tests: CallTests) -> bytes:
    """Standard input of the harness for all calls."""
    lines = [call.encode_call(tests, index) for index in range(len(tests.cases))]
    return b"".join([call.encode_header(tests), *lines])


def call_once(candidate: str, expected: object, *args: object, name: str = "f") -> Verdict:
    """The verdict of one call `name(*args)`."""
    tests = CallTests(function=name, cases=[CallCase(args=list(args), expected=expected)])
    ((verdict, _),) = judge_calls(candidate, tests)
    return verdict


def judge_strong(
    candidate: str, program: str, entry_point: str | None = None, *, fresh: str | None = None
) -> asserts.AssertOutcome:
    """The strong form's outcome."""
    nonce = secrets.token_hex(16)
    tests = AssertTests(cases=[AssertCase(program=program)], entry_point=entry_point)
    ended = run_strong(candidate, asserts.encode_assert(tests, 0, nonce), fresh=fresh)
    return asserts.parse_assert_record(ended.channel, nonce)


def judge_weak(
    candidate: str, program: str, entry_point: str | None = None, *, fresh: str | None = None
) -> asserts.AssertOutcome:
    """The weak form's outcome."""
    nonce = secrets.token_hex(16)
    tests = AssertTests(cases=[AssertCase(program=program)], entry_point=entry_point)
    ended = run(
        asserts.single_source(), candidate, asserts.encode_assert(tests, 0, nonce), fresh=fresh
    )
    return asserts.parse_assert_record(ended.channel, nonce)


def judge(candidate: str, program: str, entry_point: str | None = None) -> asserts.AssertOutcome:
    """As the engine does: the strong form, and the weak one where a test needs it."""
    outcome = judge_strong(candidate, program, entry_point)
    if outcome.state == "unproxiable":
        return judge_weak(candidate, program, entry_point)
    return outcome


def _stdio(folder: Path, stdin: bytes) -> list[int]:
    given = os.memfd_create("stdin")
    os.write(given, stdin)
    os.lseek(given, 0, os.SEEK_SET)
    flags = os.O_RDWR | os.O_CREAT
    return [
        given,
        os.open(folder / ".stdout", flags, 0o600),
        os.open(folder / ".stderr", flags, 0o600),
    ]


def _start(source: bytes, folder: Path, wires: list[int], fresh: str | None) -> int:
    code = None if fresh is not None else _compiled(source)
    pid = os.fork()
    if pid:
        return pid
    try:
        _place(wires)
        os.chdir(folder)
        if code is None:
            assert fresh is not None
            os.execv(fresh, [fresh, "-c", source.decode()])
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        sys.path.insert(0, str(folder))
        namespace = {"__name__": "__main__", "__builtins__": __builtins__}
        exec(code, namespace)
    except BaseException:
        os.write(2, traceback.format_exc().encode())
        os._exit(99)
    os._exit(98)


@functools.lru_cache(8)
def _compiled(source: bytes) -> types.CodeType:
    """Once for thousands of runs, as a slot has it."""
    return compile(source, "harness", "exec", 0, True)


def _place(wires: list[int]) -> None:
    """Put the descriptors at 0, 1, 2, …, and leave no other open."""
    high = [os.dup2(fd, 100 + place) if fd >= 0 else -1 for place, fd in enumerate(wires)]
    os.closerange(3, 100)
    for place, fd in enumerate(high):
        if fd >= 0:
            os.dup2(fd, place)
    os.closerange(100, 1024)


def _read_until_exit(pid: int, channel: int) -> bytes:
    pidfd = os.pidfd_open(pid)
    deadline = time.monotonic() + WALL_S
    chunks = []
    os.set_blocking(channel, False)
    open_ends = [pidfd, channel]
    while pidfd in open_ends:
        ready, _, _ = select.select(open_ends, [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            break
        if channel in ready:
            chunk = os.read(channel, 1 << 16)
            chunks.append(chunk)
            if not chunk:
                open_ends.remove(channel)
        elif pidfd in ready:
            break
    with contextlib.suppress(BlockingIOError):
        while chunk := os.read(channel, 1 << 16):
            chunks.append(chunk)
    _close(pidfd, channel)
    return b"".join(chunks)


def _wait(pid: int) -> int:
    return os.waitpid(pid, 0)[1]


def _ended(folder: Path, channel: bytes, status: int) -> Ended:
    return Ended(
        channel=channel,
        stdout=(folder / ".stdout").read_text(errors="replace"),
        stderr=(folder / ".stderr").read_text(errors="replace"),
        status=status,
    )


def _close(*descriptors: int) -> None:
    for fd in descriptors:
        os.close(fd)
