"""One run, as asked for and as it happened: plain values, no verdicts."""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from scalebox.sandbox.zygote import watch, wire

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
        fetch: files to hand back; a path that ends in `/` is that of a folder, and means all files
            below it, if these can be had (else `wire.FETCH_CUT` is among the outcome's flags).
        records: how many records the program may write to descriptor 5, read by the slot; each
            starts the limits on CPU and wall time anew; 0: there is no such descriptor.
        driver: a trusted Python program (marshalled code) to run beside it, joined by pipes at 3
            and 4.
        driver_stdin: that program's standard input, which the program itself never sees.
        pipes: ends to read and to write, in the place of standard input and output; they are closed
            here once they are sent.
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
    pipes: tuple[int, int] | None = None


@dataclass(slots=True)
class RunOutcome:
    """What happened, as the kernel tells it.

    Attributes:
        flags: `wire` reply flags.
        status: wait status of the program (with a driver: of the driver).
        peer_status: with a driver, the wait status of the program if it ended first; else None.
        cpu_s, wall_s: seconds; no CPU time is known of a run that took its slot with it.
        memory_bytes: peak memory; 0 where the host cannot tell.
        stdout, stderr: content, or a descriptor that the receiver must close, for long ones.
        channel: records written to descriptor 5.
        record_cpu_s: CPU seconds before each record.
        message: why set-up or execve failed.
        files: fetched files: path → descriptor that the receiver must close.
        zygote_cpu_s: CPU time of pid 1 since its start.
        kept_s: with pipes, seconds in which it could have run and other load had its core: of one
            that was stopped all its processes', of one that ended by itself its first one's.
    """

    flags: int
    status: int
    peer_status: int | None = None
    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory_bytes: int = 0
    stdout: bytes | int = b""
    stderr: bytes | int = b""
    channel: bytes = b""
    record_cpu_s: list[float] = field(default_factory=list)
    message: str = ""
    files: dict[str, int] = field(default_factory=dict)
    zygote_cpu_s: float = 0.0
    kept_s: float = 0.0

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
    """A descriptor of a file in memory whose content nobody can ever change.

    Raises:
        OSError: there is no descriptor, or no memory, left.
    """
    fd = _memfd("input", content, os.MFD_ALLOW_SEALING)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def _memfd(name: str, content: bytes, flags: int = 0) -> int:
    fd = os.memfd_create(name, os.MFD_CLOEXEC | flags)
    try:
        _write_all(fd, content)
    except OSError:
        os.close(fd)
        raise
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

    Raises:
        OSError: there is no descriptor, or no memory, left.
        ValueError: a text cannot be passed on: it holds a lone surrogate, or a NUL.
    """
    owned = list(spec.pipes or ())
    try:
        packet, descriptors = _encode(run_id, spec, owned)
    except BaseException:
        for fd in owned:
            os.close(fd)
        raise
    return packet, descriptors, owned


def _encode(run_id: int, spec: RunSpec, owned: list[int]) -> tuple[bytes, list[int]]:
    """`encode`; what it makes is in `owned` at once, so that it can be closed if this fails."""
    flags = 0
    limits = spec.limits
    argv = environment = fetch = files = stdin = b""
    if spec.argv:
        argv = _strings(spec.argv)
    if spec.env:
        environment = _strings(f"{name}={value}" for name, value in spec.env.items())
    if spec.fetch:
        fetch = _strings(dict.fromkeys(spec.fetch))
    if spec.files:
        files = _files(spec.files)
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
    if spec.records:
        flags |= wire.CHANNEL
    sections = (spec.source, spec.code, stdin, spec.driver, argv, environment, fetch, files)
    body = b"".join(sections)
    descriptors: list[int] = []
    if len(body) > wire.INLINE_BYTES:
        flags |= wire.BODY_FD
        body_fd = _memfd("request", body)
        owned.append(body_fd)
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
    if spec.pipes is not None:
        flags |= wire.PIPES
        descriptors += spec.pipes
    header = wire.REQUEST.pack(
        wire.RUN, spec.program, run_id, flags, 0, limits.cpu_ns, limits.wall_ns,
        limits.memory_bytes, limits.output_bytes, limits.file_bytes, limits.processes,
        limits.open_files, limits.stack_bytes, spec.records, *map(len, sections),
    )  # fmt: skip
    return header + body, descriptors


def _strings(texts: Iterable[str]) -> bytes:
    """Texts, each ended by a NUL; one in the middle would be taken for two of them."""
    section = bytearray()
    for text in texts:
        if "\0" in text:
            raise ValueError(f"a NUL in {text[:50]!r}")
        section += os.fsencode(text) + b"\0"
    return bytes(section)


def _files(files: dict[str, tuple[bytes, int]]) -> bytes:
    parts = []
    for path, (content, mode) in files.items():
        raw = os.fsencode(path)
        parts += [wire.FILE_ENTRY.pack(len(raw), len(content), mode), raw, content]
    return b"".join(parts)


class MalformedReplyError(ValueError):
    """A reply whose lengths do not add up: the slot is not to be trusted any more."""


def decode(packet: bytes, descriptors: list[int]) -> tuple[int, RunOutcome]:
    """A reply packet → (run id, outcome).

    Parameters:
        descriptors: that came with it.  They belong to the outcome afterwards, and are closed if
            there is none.

    Raises:
        MalformedReplyError: the packet is not what pid 1 sends.
    """
    waiting = list(descriptors)
    try:
        return _decode(packet, waiting)
    except BaseException as error:
        for fd in waiting:
            os.close(fd)
        if isinstance(error, (IndexError, TypeError, OSError, struct.error)):
            raise MalformedReplyError(f"a reply lacks descriptors or is cut: {error}") from error
        raise


def _decode(packet: bytes, waiting: list[int]) -> tuple[int, RunOutcome]:
    """`decode`; a descriptor that is closed here is taken out of `waiting`, and no other."""
    size = wire.REPLY.size
    if len(packet) < size:
        raise MalformedReplyError(f"a reply of {len(packet)} bytes")
    fields = wire.REPLY.unpack_from(packet)
    run_id, flags, status, peer_status, kept_us, cpu_ns, wall_ns, peak, zygote_ns = fields[:9]
    out_size, err_size, channel_size, times_size, message_size, _, _ = fields[9:]
    inline = sum(fields[9:15])
    for flag, length in ((wire.CHANNEL_FD, channel_size), (wire.STDOUT_FD, out_size),
                         (wire.STDERR_FD, err_size)):  # fmt: skip
        if flags & flag:
            inline -= length
    if size + inline != len(packet):
        raise MalformedReplyError("the lengths of a reply do not add up")
    channel = b""
    if flags & wire.CHANNEL_FD:
        channel = _read_channel(waiting[0], channel_size)
        os.close(waiting.pop(0))
    taken = 0
    stdout: bytes | int
    stderr: bytes | int
    if flags & wire.STDOUT_FD:
        stdout = waiting[taken]
        taken += 1
    else:
        stdout = packet[size : size + out_size]
        size += out_size
    if flags & wire.STDERR_FD:
        stderr = waiting[taken]
        taken += 1
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
    files = _listing(packet[size:], waiting[taken:])
    if taken + len(files) != len(waiting):
        raise MalformedReplyError("a reply with other descriptors than it says")
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
        kept_s=kept_us / 1e6,
    )


def _read_channel(fd: int, size: int) -> bytes:
    """What the channel's file holds, which is as much as the reply says."""
    if os.fstat(fd).st_size != size or size > watch.LARGEST_CHANNEL_BYTES:
        raise MalformedReplyError("a channel of another size than its reply says")
    return os.pread(fd, size, 0)


def _listing(listing: bytes, given: list[int]) -> dict[str, int]:
    files: dict[str, int] = {}
    offset = 0
    while offset < len(listing):
        (length,) = wire.FILE_REPLY.unpack_from(listing, offset)
        offset += wire.FILE_REPLY.size
        path = listing[offset : offset + length]
        if len(path) < length:
            raise MalformedReplyError("a listing of files that is cut")
        name = os.fsdecode(path)
        if name in files:
            # Else one descriptor would be nobody's, and another one's two files.
            raise MalformedReplyError("a listing that has a file twice")
        files[name] = given[len(files)]
        offset += length
    return files
