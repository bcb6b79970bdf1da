"""One run, as asked for and as it happened: plain values, no verdicts."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from scalebox.sandbox.zygote import wire

#: Longer inputs go in a descriptor of their own, so that the slot need not copy them again.
LARGE_INPUT_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Every bound of one run, resolved.

    Attributes:
        cpu_ns: CPU nanoseconds of the program and its descendants (of each record, with a channel).
        wall_ns: nanoseconds from start to end, time lost to other load left out.
        memory_bytes: memory of the run.
        output_bytes: standard output, and standard error, each.
        file_bytes: what may be written to the scratch file system.
        processes: processes and threads.
        open_files: descriptors of one process.
        stack_bytes: main thread's stack.
    """

    cpu_ns: int
    wall_ns: int
    memory_bytes: int
    output_bytes: int
    file_bytes: int
    processes: int
    open_files: int
    stack_bytes: int


@dataclass(slots=True)
class RunSpec:
    """What to run.

    Attributes:
        program: a program kind of `wire`.
        limits: its bounds.
        source: Python source, also written to the program's folder.
        code: the marshalled code of `source` (for `PYTHON_CODE`).
        stdin: content, or a descriptor that this spec borrows.
        executable_fd: the program's file (for `EXECUTE`), borrowed; -1: argv[0] is looked up.
        argv: arguments (for `EXECUTE` with argv[0]).
        env: added to the slot's environment.
        files: further files of the program's folder: path → (content, mode).
        fetch: files to hand back.
        records: how many records the program may write to descriptor 5, read by the slot; each
            starts the limits on CPU and wall time anew; 0: there is no such descriptor.
        driver: a trusted Python program (marshalled code) to run beside it, joined by pipes at 3
            and 4.
        driver_stdin: that program's standard input, which the program itself never sees.
    """

    program: int
    limits: RunLimits
    source: bytes = b""
    code: bytes = b""
    stdin: bytes | int = b""
    executable_fd: int = -1
    argv: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    fetch: tuple[str, ...] = ()
    records: int = 0
    driver: bytes = b""
    driver_stdin: bytes = b""


@dataclass(slots=True)
class RunOutcome:
    """What happened, as the kernel tells it.

    Attributes:
        flags: `wire` reply flags.
        status: wait status of the program (with a driver: of the driver).
        peer_status: with a driver, the wait status of the program if it ended first; else None.
        cpu_s, wall_s: seconds.
        memory_bytes: peak memory; 0 where the host cannot tell.
        stdout, stderr: content, or a descriptor that the receiver must close, for long ones.
        channel: records written to descriptor 5.
        record_cpu_s: CPU seconds before each record.
        message: why set-up or execve failed.
        files: fetched files: path → descriptor that the receiver must close.
        zygote_cpu_s: CPU time of pid 1 since its start.
    """

    flags: int
    status: int
    peer_status: int | None
    cpu_s: float
    wall_s: float
    memory_bytes: int
    stdout: bytes | int
    stderr: bytes | int
    channel: bytes
    record_cpu_s: list[float]
    message: str
    files: dict[str, int]
    zygote_cpu_s: float

    @property
    def exit_code(self) -> int | None:
        """The exit code, if the program ended by itself."""
        return self.status >> 8 if self.status & 0x7F == 0 else None

    @property
    def signal(self) -> int | None:
        """The signal that ended the program, if one did."""
        return self.status & 0x7F or None

    def close(self) -> None:
        """Close the descriptors that came along."""
        for item in (self.stdout, self.stderr, *self.files.values()):
            if isinstance(item, int):
                os.close(item)
        self.stdout = self.stderr = b""
        self.files = {}


def read_output(output: bytes | int, at_most: int | None = None) -> bytes:
    """The content of a `RunOutcome.stdout`, whichever way it came."""
    if isinstance(output, bytes):
        return output if at_most is None else output[:at_most]
    size = os.fstat(output).st_size
    return os.pread(output, size if at_most is None else min(size, at_most), 0)


def sealed_memfd(content: bytes) -> int:
    """A descriptor of a file in memory whose content nobody can ever change."""
    fd = os.memfd_create("input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    _write_all(fd, content)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def _write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def encode(run_id: int, spec: RunSpec) -> tuple[bytes, list[int], list[int]]:
    """A request packet.

    Returns:
        the packet, the descriptors to send with it, and those among them that the caller must
        close afterwards.
    """
    flags = 0
    owned: list[int] = []
    limits = spec.limits
    stdin = b""
    stdin_fd = -1
    if isinstance(spec.stdin, int):
        stdin_fd = spec.stdin
    elif len(spec.stdin) > LARGE_INPUT_BYTES:
        stdin_fd = sealed_memfd(spec.stdin)
        owned.append(stdin_fd)
    else:
        stdin = spec.stdin
    if stdin_fd >= 0:
        flags |= wire.STDIN_FD
    argv = environment = fetch = files = b""
    if spec.argv:
        argv = _strings(spec.argv)
    if spec.env:
        environment = _strings(f"{name}={value}" for name, value in spec.env.items())
    if spec.fetch:
        fetch = _strings(spec.fetch)
    if spec.files:
        files = _files(spec.files)
    if spec.records:
        flags |= wire.CHANNEL
    sections = (spec.source, spec.code, stdin, spec.driver, argv, environment, fetch, files)
    body = b"".join(sections)
    descriptors: list[int] = []
    if len(body) > wire.INLINE_BYTES:
        flags |= wire.BODY_FD
        body_fd = os.memfd_create("request", os.MFD_CLOEXEC)
        owned.append(body_fd)
        _write_all(body_fd, body)
        descriptors.append(body_fd)
        body = b""
    if stdin_fd >= 0:
        descriptors.append(stdin_fd)
    if spec.executable_fd >= 0:
        flags |= wire.PROGRAM_FD
        descriptors.append(spec.executable_fd)
    if spec.driver:
        flags |= wire.DRIVER
        driver_stdin = sealed_memfd(spec.driver_stdin)
        owned.append(driver_stdin)
        descriptors.append(driver_stdin)
    header = wire.REQUEST.pack(
        wire.RUN, spec.program, run_id, flags, 0, limits.cpu_ns, limits.wall_ns,
        limits.memory_bytes, limits.output_bytes, limits.file_bytes, limits.processes,
        limits.open_files, limits.stack_bytes, spec.records, *map(len, sections),
    )  # fmt: skip
    return header + body, descriptors, owned


def _strings(texts: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(text) + b"\0" for text in texts)


def _files(files: dict[str, tuple[bytes, int]]) -> bytes:
    parts = []
    for path, (content, mode) in files.items():
        raw = os.fsencode(path)
        parts += [wire.FILE_ENTRY.pack(len(raw), len(content), mode), raw, content]
    return b"".join(parts)


class MalformedReplyError(ValueError):
    """A reply whose lengths do not add up: the slot is not to be trusted any more."""


def decode(packet: bytes, descriptors: list[int]) -> tuple[int, RunOutcome]:
    """A reply packet → (run id, outcome), which owns the descriptors.

    Raises:
        MalformedReplyError: the packet is not what pid 1 sends.
    """
    size = wire.REPLY.size
    if len(packet) < size:
        raise MalformedReplyError(f"a reply of {len(packet)} bytes")
    fields = wire.REPLY.unpack_from(packet)
    run_id, flags, status, peer_status, _, cpu_ns, wall_ns, peak, zygote_ns = fields[:9]
    out_size, err_size, channel_size, times_size, message_size, listing_size, _ = fields[9:]
    waiting = list(reversed(descriptors))
    stdout: bytes | int
    stderr: bytes | int
    channel = b""
    try:
        if flags & wire.CHANNEL_FD:
            channel_fd = waiting.pop()
            channel = os.pread(channel_fd, channel_size, 0)
            os.close(channel_fd)
        if flags & wire.STDOUT_FD:
            stdout = waiting.pop()
        else:
            stdout = packet[size : size + out_size]
            size += out_size
        if flags & wire.STDERR_FD:
            stderr = waiting.pop()
        else:
            stderr = packet[size : size + err_size]
            size += err_size
        if not flags & wire.CHANNEL_FD:
            channel = packet[size : size + channel_size]
            size += channel_size
        record_cpu_s: list[float] = []
        if times_size:
            times = memoryview(packet)[size : size + times_size].cast("Q")
            record_cpu_s = [value / 1e9 for value in times]
            size += times_size
        message = packet[size : size + message_size].decode("utf-8", "replace")
        size += message_size
        files = _listing(packet[size : size + listing_size], waiting) if listing_size else {}
        if size + listing_size != len(packet) or waiting:
            raise MalformedReplyError("the lengths of a reply do not add up")
    except (IndexError, TypeError) as error:
        raise MalformedReplyError(f"a reply lacks descriptors or is cut: {error}") from error
    return run_id, RunOutcome(
        flags=flags,
        status=status,
        peer_status=None if peer_status < 0 else peer_status,
        cpu_s=cpu_ns / 1e9,
        wall_s=wall_ns / 1e9,
        memory_bytes=peak,
        stdout=stdout,
        stderr=stderr,
        channel=channel,
        record_cpu_s=record_cpu_s,
        message=message,
        files=files,
        zygote_cpu_s=zygote_ns / 1e9,
    )


def _listing(listing: bytes, waiting: list[int]) -> dict[str, int]:
    files = {}
    offset = 0
    while offset < len(listing):
        (length,) = wire.FILE_REPLY.unpack_from(listing, offset)
        offset += wire.FILE_REPLY.size
        files[os.fsdecode(listing[offset : offset + length])] = waiting.pop()
        offset += length
    return files
