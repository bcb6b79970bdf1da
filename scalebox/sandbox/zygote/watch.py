"""Waits for a run's end and enforces its limits, without polling and without reading its words.

What a program writes to its channel is moved to a file in memory through a window that is wiped:
pid 1's own memory is every later program's, too.
"""

from __future__ import annotations

import _socket as socket
import mmap
import os
import select
import time
from collections.abc import Callable

from . import kernel, meter, wire
from .request import Request, answer_ping

#: A program is stopped at this multiple of its CPU limit: what ends between 1 and this is reported
#: with its true time, so that a loaded host can run it again alone before calling it slow.
CPU_STOP_FACTOR = 1.25
#: The channel's records are kept in memory until the run is over.
LARGEST_CHANNEL_BYTES = 64 << 20
_WINDOW_BYTES = 1 << 16
#: In a process's flags in /proc/PID/stat: it is at its end (include/linux/sched.h).
_PF_EXITING = 4
#: What is at its end has so long for it; a thread alone may be, whose process lives on.
_ENDING_MS = 1000
#: A run that has done nothing for this part of its wall limit is looked at for why.
_SUSPICIOUS = 8


def _ends_by_itself(pid: int, pidfd: int) -> bool:
    """Whether a process was at its end before somebody wished it.

    Its pipes close before it is gone: whoever is at the other ends, hears of it, and has its run
    cancelled for that, must not hide how it ended.
    """
    fields = meter.stat_fields(pid)
    if fields is None or not int(fields[6]) & _PF_EXITING:
        return False
    end = select.poll()
    end.register(pidfd, select.POLLIN)
    return bool(end.poll(_ENDING_MS))


class Watch:
    """The watch over one run after another.

    Parameters:
        control: the socket to the daemon.
        gauge: measures runs.
        cores: that the slot may use at once.
    """

    def __init__(self, control: socket.socket, gauge: meter.Meter, cores: int) -> None:
        self._control = control
        self._meter = gauge
        self._cores = cores
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._window = mmap.mmap(-1, _WINDOW_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._channel_file = -1
        self.record_ns = []  # type: list[int]
        self.channel_size = 0
        self.daemon_is_gone = False
        #: For how long other load is known to have had the core.  Of a program with pipes all of it
        #: is, once `until_exit` is back: who talks with it waited so long for it.
        self.kept_ns = 0

    @property
    def flags(self) -> int:
        """Why the run was, or should have been, ended."""
        return self._flags

    def begin(self, request: Request, channel: int, out: int, err: int, started_ns: int) -> None:
        """Get ready for a run.

        Parameters:
            channel: the reading end of its channel; -1: it has none.
            out, err: the files of its outputs.
            started_ns: when it began, by the monotonic clock.
        """
        self._run_id = request.run_id
        self._cpu_stop = int(request.cpu_ns * CPU_STOP_FACTOR)
        self._wall_ns = request.wall_ns
        self._channel = channel
        self._cpu_mark = 0
        self._lost = self.kept_ns = 0
        self._delays = meter.Delays()
        self._kind = request.flags
        self._flags = 0
        if self.record_ns:
            self.record_ns = []
        self.channel_size = 0
        self._records = request.records
        self._outputs = out, err
        self._output_limit = request.output
        #: What the channel may carry; a program that writes more is stopped.
        self._channel_limit = min(request.output, LARGEST_CHANNEL_BYTES)
        if channel >= 0:
            self._poll.register(channel, select.POLLIN)
            self._channel_file = os.memfd_create("channel", os.MFD_CLOEXEC)
        self._since = started_ns

    def _wait_ms(self, wait_ns: int) -> int:
        """Until the next limit can be reached, or something has to be looked at."""
        return min(max(0, wait_ns) // 1_000_000 + 1, self._meter.poll_interval_ms)

    def until_exit(self, pid: int, live: Callable[[], list[int]], waited: bool) -> int:
        """Block until `pid` ended or has to; returns the flags that say why.

        Parameters:
            live: the processes of the run.
            waited: whether somebody has waited for its first limit already.
        """
        self._pid = pid
        pidfd = kernel.pidfd_open(pid)
        poll = self._poll
        poll.register(pidfd, select.POLLIN)
        wait_ms = 0 if waited else self._wait_ms(min(self._wall_ns, self._cpu_stop // self._cores))
        try:
            while not self._flags:
                ready = poll.poll(wait_ms)
                for fd, _ in ready:
                    if fd == pidfd:
                        return self._flags
                for fd, _ in ready:
                    if fd == self._channel:
                        self._read_channel()
                    else:
                        self._read_control()
                if self._flags == wire.CANCELLED and _ends_by_itself(pid, pidfd):
                    return 0
                used = self._meter.cpu_ns() - self._cpu_mark
                now = time.monotonic_ns()
                # Time in which the program could have run but other load had the CPU is not the
                # program's.  Its threads also wait for each other: while they have all the cores
                # nothing is lost.
                idle = now - self._since - used // self._cores
                if idle > self._wall_ns // _SUSPICIOUS:
                    self._lost = min(self._lost + self._kept_ns_more(live()), idle)
                if used >= self._cpu_stop:
                    self._flags |= wire.CPU_EXCEEDED
                elif now >= self._since + self._wall_ns + self._lost:
                    self._flags |= wire.WALL_EXCEEDED
                elif self._meter.over_memory():
                    self._flags |= wire.OUT_OF_MEMORY
                elif self._meter.over_processes():
                    self._flags |= wire.PROCESSES_EXCEEDED
                else:
                    # RLIMIT_FSIZE cannot tell outputs from files, which may be larger.
                    for fd in self._outputs:
                        if os.fstat(fd).st_size > self._output_limit:
                            self._flags |= wire.OUTPUT_EXCEEDED
                left_ns = self._since + self._wall_ns + self._lost - now
                wait_ns = min(left_ns, (self._cpu_stop - used) // self._cores)
                wait_ms = self._wait_ms(wait_ns)
        finally:
            if self._kind & wire.PIPES:
                # Whoever ended by itself is still there to be asked.
                self._kept_ns_more(live() if self._flags else [pid])
                # Its threads may have waited for each other.
                idle = time.monotonic_ns() - self._since - self._meter.cpu_ns() // self._cores
                self.kept_ns = max(0, min(self.kept_ns, idle))
            poll.unregister(pidfd)
            os.close(pidfd)
            if self._channel >= 0:
                try:
                    poll.unregister(self._channel)
                except KeyError:
                    pass  # it had come to its end
        return self._flags

    def _kept_ns_more(self, pids: list[int]) -> int:
        """Nanoseconds for which other load had the core since this was asked last."""
        # Of the trusted program and the one under test each waits while the other has work.
        more = self._delays.more_ns(pids, self._pid if self._kind & wire.DRIVER else -1)
        self.kept_ns += more
        return more

    def _read_control(self) -> None:
        packet = self._control.recv(wire.PACKET_BYTES)
        if not packet:
            self.daemon_is_gone = True
            self._flags |= wire.CANCELLED
        elif packet[0] == wire.CANCEL:
            if wire.CONTROL.unpack_from(packet)[2] == self._run_id:
                self._flags |= wire.CANCELLED
        else:
            answer_ping(self._control, packet)

    # --- the channel -----------------------------------------------------------------------------

    def _read_channel(self) -> None:
        if not self._read_some():
            self._poll.unregister(self._channel)

    def _read_some(self) -> bool:
        """Move what is there; whether there was, or will be, something."""
        try:
            size = os.readv(self._channel, [self._window])
        except BlockingIOError:
            return True
        if size:
            self._keep(size)
        return bool(size)

    def _keep(self, size: int) -> None:
        records = self._count_records(size)
        if records:
            # One record answers one call: the limits start anew with each.
            now = self._meter.cpu_ns()
            self.record_ns.append(max(0, now - self._cpu_mark))
            self.record_ns.extend([0] * (records - 1))
            self._cpu_mark = now
            self._since = time.monotonic_ns()
            self._lost = 0
        too_many = len(self.record_ns) > self._records
        if too_many or self.channel_size + size > self._channel_limit:
            del self.record_ns[self._records :]
            self._flags |= wire.OUTPUT_EXCEEDED
            if too_many:
                self._flags |= wire.RECORDS_EXCEEDED
        else:
            with memoryview(self._window) as whole:
                done = 0
                while done < size:
                    done += os.write(self._channel_file, whole[done:size])
            self.channel_size += size
        self._window[:size] = bytes(size)

    def _count_records(self, size: int) -> int:
        count = 0
        place = self._window.find(b"\n", 0, size)
        while place >= 0:
            count += 1
            if count > self._records:
                return count  # too many already
            place = self._window.find(b"\n", place + 1, size)
        return count

    def drain_channel(self) -> int:
        """Take what was written before the end; the file of it, which the caller closes."""
        while not self._flags & wire.OUTPUT_EXCEEDED:
            before = self.channel_size
            if not self._read_some() or self.channel_size == before:
                break
        file, self._channel_file = self._channel_file, -1
        return file
