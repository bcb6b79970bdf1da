"""The end of a run as the daemon hears of it: one packet, and descriptors for what is long.

Outputs pass through a window that is wiped afterwards: pid 1's own memory is every later
program's, too.
"""

from __future__ import annotations

import _socket as socket
import array
import errno
import mmap
import os
import struct

from . import meter, wire
from .box import Box
from .request import Request, strings

_MESSAGE_BYTES = 1000


class Run:
    """A run under way: its request, its processes and its files."""

    def __init__(self, request: Request, stdin: int, out: int, err: int) -> None:
        self.request = request
        self.stdin, self.out, self.err = stdin, out, err
        self.channel = self.channel_end = -1
        self.main = self.peer = -1
        self.started_ns = 0


class Ending:
    """How a run ended: reply flags, wait statuses (-1: none), and what was measured."""

    def __init__(
        self, flags: int, status: int, peer_status: int, kept_ns: int, cpu_ns: int, wall_ns: int,
        peak: int,
    ) -> None:  # fmt: skip
        self.flags = flags
        self.status, self.peer_status = status, peer_status
        self.measured = min(kept_ns // 1000, 0xFFFFFFFF), cpu_ns, wall_ns, peak


class Reporter:
    """Answers the daemon.

    Parameters:
        control: the socket to it.
        page: where a child says what went wrong before its program began.
        box: what files are fetched from.
    """

    def __init__(self, control: socket.socket, page: mmap.mmap, box: Box) -> None:
        self._control = control
        self._page = page
        self._box = box
        self._window = mmap.mmap(-1, wire.INLINE_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    def send(
        self, run: Run, ending: Ending, channel: int, channel_size: int, record_ns: list[int]
    ) -> None:
        """Report a run, and close its outputs.

        Parameters:
            channel: the file of what it wrote to its channel; -1: none.
            record_ns: CPU nanoseconds before each record there.
        """
        request = run.request
        flags = ending.flags
        sizes = []
        for fd in (run.out, run.err):
            size = os.fstat(fd).st_size
            if size > request.output:
                flags |= wire.OUTPUT_EXCEEDED
                os.ftruncate(fd, request.output)
            sizes.append(min(size, request.output))
        if channel < 0:
            channel_size = 0
        message = self._message() if flags & (wire.SETUP_FAILED | wire.EXEC_FAILED) else b""
        times = struct.pack("<%dQ" % len(record_ns), *record_ns)
        paths = strings(request.section(wire.FETCH))
        fetched, listing = self._box.fetch(paths)
        listings = [listing]  # type: list[bytes | memoryview]
        gathering = self._box.gather(
            paths, wire.MAX_FETCHED_FILES - len(fetched), wire.LISTING_BYTES - len(listing)
        )
        if gathering is not None:
            fetched += gathering.descriptors
            listings.append(gathering.listing)
            if not gathering.whole:
                flags |= wire.FETCH_CUT
        listing_size = sum(map(len, listings))
        room = wire.INLINE_BYTES - len(times) - len(message) - listing_size
        outputs = [
            (run.out, sizes[0], wire.STDOUT_FD),
            (run.err, sizes[1], wire.STDERR_FD),
            (channel, channel_size, wire.CHANNEL_FD),
        ]
        # The channel's comes first among the descriptors, and last among the bytes.
        descriptors = []  # type: list[int]
        for fd, size, flag in (outputs[2], *outputs[:2]):
            if size > (room // 2 if flag == wire.CHANNEL_FD else room):
                flags |= flag
                descriptors.append(fd)
            else:
                room -= size
        lengths = (*sizes, channel_size, len(times), len(message), listing_size)
        header = wire.REPLY.pack(
            request.run_id, flags, ending.status, ending.peer_status, *ending.measured,
            meter.own_cpu_ns(), *lengths, 0,
        )  # fmt: skip
        with memoryview(self._window) as window:
            used = 0
            for fd, size, flag in outputs:
                if size and not flags & flag:
                    used += os.preadv(fd, [window[used : used + size]], 0)
            parts = [header, window[:used], times, message, *listings]
            self._send(parts, descriptors + fetched)
            del parts
        self._window[:used] = bytes(used)
        if gathering is not None:
            listings.clear()
            gathering.close()
        for fd in (run.out, run.err, channel, *fetched):
            if fd >= 0:
                os.close(fd)

    def _send(self, parts: list[bytes | memoryview], descriptors: list[int]) -> None:
        if sum(map(len, parts)) > wire.PACKET_BYTES:
            raise OSError(errno.EMSGSIZE, "a reply of more than one packet")
        rights = []
        if descriptors:
            given = array.array("i", descriptors)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)]
        self._control.sendmsg(parts, rights)

    def _message(self) -> bytes:
        message = self._page[1 : 1 + _MESSAGE_BYTES].split(b"\0")[0]
        self._page[1 : 1 + _MESSAGE_BYTES] = bytes(_MESSAGE_BYTES)
        return message
