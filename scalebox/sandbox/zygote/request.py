"""One decoded RUN, as views of the memory that it arrived in.

Pid 1 keeps no copy of what a request holds: every child inherits its memory, and a program that
searches its own must not find there what an earlier one was given.  So packets are received into
one buffer, sections are read where they lie, copied in children only, and wiped after the run.
"""

from __future__ import annotations

import _socket as socket
import array
import mmap
import os

from . import wire


class Request:
    """A RUN in a buffer.

    Parameters:
        buffer: holds the packet.
        descriptors: that came with it.

    Raises:
        ValueError: its sections are longer than what brings them, or it lacks descriptors.
    """

    def __init__(self, buffer: mmap.mmap, descriptors: list[int]) -> None:
        fields = wire.REQUEST.unpack_from(buffer)
        self.program, self.run_id, self.flags = fields[1:4]
        self.cpu_ns, self.wall_ns, self.memory, self.output, self.file_bytes = fields[5:10]
        self.processes, self.open_files, self.stack, self.records = fields[10:14]
        self.descriptors = descriptors
        self._memory, offset = buffer, wire.REQUEST.size
        given = list(descriptors)
        flagged = (wire.BODY_FD, wire.STDIN_FD, wire.PROGRAM_FD, wire.DRIVER)
        wanted = sum(1 for flag in flagged if self.flags & flag)
        if len(given) < wanted + (2 if self.flags & wire.PIPES else 0):
            raise ValueError("a request lacks descriptors")
        if self.flags & wire.BODY_FD:
            body = given.pop(0)
            size = os.fstat(body).st_size
            self._memory, offset = mmap.mmap(body, size, mmap.MAP_PRIVATE, mmap.PROT_READ), 0
        self._places = []
        for length in fields[14:]:
            self._places.append((offset, offset + length))
            offset += length
        if offset > len(self._memory):
            raise ValueError("the lengths of a request do not add up")
        self.stdin_fd = given.pop(0) if self.flags & wire.STDIN_FD else -1
        self.program_fd = given.pop(0) if self.flags & wire.PROGRAM_FD else -1
        self.driver_stdin_fd = given.pop(0) if self.flags & wire.DRIVER else -1
        self.pipes = given[:2] if self.flags & wire.PIPES else []

    def section(self, which: int) -> bytes:
        """A copy of a section; for children, and for what is no secret."""
        start, end = self._places[which]
        return self._memory[start:end]

    def view(self, which: int) -> memoryview:
        """A section where it lies."""
        start, end = self._places[which]
        return memoryview(self._memory)[start:end]

    def names(self, word: bytes) -> bool:
        """Whether the program's text, or code, or a tester's, holds a word."""
        texts = (self._places[n] for n in (wire.SOURCE, wire.FILES, wire.CODE, wire.DRIVER_CODE))
        return any(self._memory.find(word, *place) >= 0 for place in texts)

    def close_pipes(self) -> None:
        """Let go of the pipes, which the program has by now."""
        for fd in self.pipes:
            self.descriptors.remove(fd)
            os.close(fd)
        self.pipes = []

    def close(self) -> None:
        """Let go of the descriptors."""
        for fd in self.descriptors:
            os.close(fd)
        self.descriptors = []


def strings(section: bytes) -> list[str]:
    """What a section of NUL-terminated strings holds."""
    return os.fsdecode(section).split("\0")[:-1]


def variables(section: bytes) -> dict[str, str]:
    """What the section `ENVIRONMENT` adds."""
    return dict(entry.split("=", 1) for entry in strings(section))


class Inbox:
    """Receives packets into one buffer; what `native` does without an object touched.

    Parameters:
        control: the socket to the daemon.
    """

    def __init__(self, control: socket.socket) -> None:
        self.buffer = mmap.mmap(-1, wire.PACKET_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._control = control
        self._size = 0

    def receive(self) -> Request | None:
        """The next RUN; None when the daemon is gone."""
        while True:
            size, ancillary, _, _ = self._control.recvmsg_into([self.buffer], 1024)
            if not size:
                return None
            self._size = size
            if self.buffer[0] == wire.RUN:
                return Request(self.buffer, descriptors_in(ancillary))
            answer_ping(self._control, self.buffer[: wire.CONTROL.size])
            # or a CANCEL for a run that ended in the meantime

    def forget(self) -> None:
        """Wipe the last request."""
        self.buffer[: self._size] = bytes(self._size)


def descriptors_in(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors that a message brought."""
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return list(descriptors)


def answer_ping(control: socket.socket, packet: bytes) -> None:
    """Tell the daemon that this slot is alive, if that is what it asks."""
    if packet[0] == wire.PING:
        control.send(wire.CONTROL.pack(wire.PONG, 0, wire.CONTROL.unpack_from(packet)[2]))
