"""The network of the test hosts: their namespaces, the switch between them, and its bad lines.

Run as a process of its own: `python -I switch.py DESCRIPTOR HOSTS FOLDER`.  It lives in a network
namespace of its own (as an ordinary user in a user namespace, too), makes one more a host, and
joins them by veth pairs to bridges.  Nothing has a name outside, so nothing can be left behind: the
kernel takes every namespace and interface away with the last process or descriptor that holds it.

A group of hosts that hear only each other is a bridge of its own.  A line with a delay, loss or a
rate is taken off its bridge, and its frames are carried between the two by this process: `netem`,
which would do the same, is in few small kernels, and a frame takes some 20 µs.  So lines that
nothing was asked of are the kernel's alone.

When the other end of the socket closes, however its holder ended, every process in the hosts'
namespaces is ended, and the folder removed.  Standard library only, and no import of ours: an
ordinary user starts it by its path.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import heapq
import json
import os
import random
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000
_PR_SET_NAME = 15
_ALL_PROTOCOLS = 0x0003
_OUTGOING = 4
_SOL_PACKET, _PACKET_VNET_HDR, _SO_RCVBUFFORCE = 263, 15, 33
_FRAME_BYTES = 1 << 17
#: What the kernel sets for a new interface.
_SEGMENTS = 65_535
_BUFFER_BYTES = 8 << 20
#: What a line with a rate holds back before it drops, in seconds of its rate.
_BACKLOG_S = 0.2
#: How long new interfaces may take to be connected.
_CONNECTED_S = 20.0
#: Daemons end by themselves when their parent is gone; those that do not in so long are killed.
_ENDING_S = 10.0
NAME = "sbtestswitch"

T = TypeVar("T")


def address(number: int) -> str:
    """A host's address, the same in every network of test hosts."""
    return f"10.77.{number // 200}.{number % 200 + 1}"


def _mac(number: int) -> str:
    return f"02:5b:00:00:{number >> 8:02x}:{number & 255:02x}"


@dataclass
class Way:
    """One direction of a line that frames are carried over.

    Attributes:
        source, sink: where they come from and go to.
        delay_s: how long each is on its way.
        loss: which share of them does not arrive.
        bytes_per_s: how many go through; 0: any number.
    """

    source: socket.socket
    sink: socket.socket
    delay_s: float = 0.0
    loss: float = 0.0
    bytes_per_s: float = 0.0
    free_at: float = 0.0

    def due(self, frame: bytes, now: float) -> float | None:
        """When a frame arrives; None: never."""
        if random.random() < self.loss:
            return None
        if not self.bytes_per_s:
            return now + self.delay_s
        start = max(now, self.free_at)
        if start - now > _BACKLOG_S:
            return None
        self.free_at = start + len(frame) / self.bytes_per_s
        return self.free_at + self.delay_s


@dataclass
class Switch:
    """Bridges, lines, and what is on its way."""

    hosts: int
    namespaces: list[int] = field(default_factory=list)
    _groups: list[int] = field(default_factory=list)
    _bridges: int = 0
    _carried: dict[int, list[Way]] = field(default_factory=dict)
    _on_the_way: list[tuple[float, int, Way, bytes]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def build(self) -> None:
        """Every host's namespace, its line, and one bridge for all."""
        self.namespaces = [_in_thread(_new_namespace) for _ in range(self.hosts)]
        self._groups = [0] * self.hosts
        self._make_bridges(1)
        lines = []
        for number, namespace in enumerate(self.namespaces):
            # The second pair is for when the line is carried: one end for the bridge.
            lines += [
                f"link add p{number} type veth peer name eth0 netns /proc/self/fd/{namespace}",
                f"link add q{number} gso_max_segs 1 type veth peer name r{number}",
                *(f"link set {end}{number} up" for end in "pqr"),
                self._plugged(number),
            ]
        _ip(lines, self.namespaces)
        for number, namespace in enumerate(self.namespaces):
            _in_thread(functools.partial(self._furnish, number, namespace))
        self._wait_for_carriers()

    def _wait_for_carriers(self) -> None:
        # The kernel looks at new interfaces at most once a second, and a bridge passes nothing on
        # to one of which it does not know yet that it is connected.
        deadline = time.monotonic() + _CONNECTED_S
        command = ["ip", "-brief", "link", "show", "type", "veth"]
        while b" DOWN" in (shown := subprocess.check_output(command)) or b"LOWERLAYER" in shown:
            if time.monotonic() > deadline:
                raise OSError(f"interfaces are not connected: {shown.decode()}")
            time.sleep(0.02)

    def _furnish(self, number: int, namespace: int) -> None:
        _libc("setns", namespace, _CLONE_NEWNET)
        # Neighbours are known beforehand: a line that is cut swallows what is sent, as a router
        # far away would, and nothing nearby says that nobody is there.
        neighbours = [
            f"neigh replace {address(other)} lladdr {_mac(other)} dev eth0 nud permanent"
            for other in range(self.hosts)
            if other != number
        ]
        _ip(
            [
                "link set lo up",
                f"link set eth0 address {_mac(number)}",
                f"address add {address(number)}/16 dev eth0",
                "link set eth0 up",
                *neighbours,
            ]
        )

    def _make_bridges(self, wanted: int) -> None:
        for number in range(self._bridges, wanted):
            _ip(
                [
                    f"link add br{number} type bridge stp_state 0 mcast_snooping 0",
                    f"link set br{number} up",
                ]
            )
        self._bridges = max(self._bridges, wanted)

    def group(self, groups: list[int]) -> None:
        """Say which group each host is in; hosts of different groups do not hear each other."""
        self._make_bridges(max(groups) + 1)
        self._groups = groups
        _ip(map(self._plugged, range(self.hosts)))

    def line(self, host: int, ways: list[dict[str, float]]) -> None:
        """Say how a host's line is: to the host, and from it; none: as the kernel has it."""
        if not ways:
            if host in self._carried:
                for way in self._carried.pop(host):
                    self._selector.unregister(way.source)
                    way.source.close()
                self._cut_up_to(host, _SEGMENTS)
                _ip([f"link set q{host} nomaster", self._plugged(host)])
            return
        if host not in self._carried:
            near, far = _tap(f"p{host}"), _tap(f"r{host}")
            self._carried[host] = [Way(far, near), Way(near, far)]
            for way in self._carried[host]:
                self._selector.register(way.source, selectors.EVENT_READ, way)
            # Segments that the kernel would cut as late as it can are cut before they come here:
            # else one loss would be of many at once.
            self._cut_up_to(host, 1)
            _ip([f"link set p{host} nomaster", self._plugged(host)])
        for way, faults in zip(self._carried[host], ways, strict=True):
            way.delay_s, way.loss = faults["delay_s"], faults["loss"]
            way.bytes_per_s = faults["bytes_per_s"]

    def _plugged(self, host: int) -> str:
        """The command that puts a host's line on its group's bridge."""
        port = f"q{host}" if host in self._carried else f"p{host}"
        return f"link set {port} master br{self._groups[host]}"

    def _cut_up_to(self, host: int, segments: int) -> None:
        def cut() -> None:
            _libc("setns", self.namespaces[host], _CLONE_NEWNET)
            _ip([f"link set eth0 gso_max_segs {segments}"])

        _in_thread(cut)

    def serve(self, control: socket.socket) -> None:
        """Do what is asked, and carry frames, until nobody can ask any more."""
        self._selector.register(control, selectors.EVENT_READ, None)
        while True:
            pause = self._on_the_way[0][0] - time.monotonic() if self._on_the_way else None
            for key, _ in self._selector.select(None if pause is None else max(0.0, pause)):
                if isinstance(key.data, Way):
                    self._take(key.data)
                elif not self._answer(control):
                    return
            self._deliver()

    def _take(self, way: Way) -> None:
        while True:
            try:
                frame, origin = way.source.recvfrom(_FRAME_BYTES)
            except OSError:  # nothing more; or the line was taken away a moment ago
                return
            if origin[2] == _OUTGOING:
                continue
            if (due := way.due(frame, time.monotonic())) is not None:
                heapq.heappush(self._on_the_way, (due, next(self._numbers), way, frame))

    def _deliver(self) -> None:
        now = time.monotonic()
        while self._on_the_way and self._on_the_way[0][0] <= now:
            _, _, way, frame = heapq.heappop(self._on_the_way)
            # No room, or no such line any more: lost, as frames are.
            with contextlib.suppress(OSError):
                way.sink.send(frame)

    def _answer(self, control: socket.socket) -> bool:
        request = control.recv(1 << 16)
        if not request:
            return False
        words: dict[str, Any] = json.loads(request)
        descriptors: list[int] = []
        try:
            match words.pop("do"):
                case "group":
                    self.group(**words)
                case "line":
                    self.line(**words)
                case "socket":
                    descriptors = [_in_thread(lambda: self._socket(**words))]
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            control.send(json.dumps({"error": said}).encode())
        else:
            socket.send_fds(control, [b"{}"], descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _socket(self, host: int, kind: int) -> int:
        # A socket belongs to the namespace that it was made in, wherever it is used.
        _libc("setns", self.namespaces[host], _CLONE_NEWNET)
        return socket.socket(socket.AF_INET, kind).detach()


def _tap(interface: str) -> socket.socket:
    """Every frame that arrives at an interface; what is sent to it leaves there."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    # Each frame with what the kernel still has to do to it: fill in its checksum.
    tap.setsockopt(_SOL_PACKET, _PACKET_VNET_HDR, 1)
    try:
        tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
    except PermissionError:
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    tap.setblocking(False)
    tap.bind((interface, _ALL_PROTOCOLS))
    return tap


def _libc(function: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), function)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _in_thread(work: Callable[[], T]) -> T:
    """Do something where the namespace that it enters or makes is a thread's, and ends with it."""
    outcome: list[T] = []
    errors: list[BaseException] = []

    def do() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return outcome[0]


def _new_namespace() -> int:
    _libc("unshare", _CLONE_NEWNET)
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _ip(lines: Iterable[str], descriptors: Sequence[int] = ()) -> None:
    """Run commands of iproute2 where this thread is.

    Raises:
        CalledProcessError: one is refused.
    """
    subprocess.run(
        ["ip", "-batch", "-"],
        input="".join(f"{line}\n" for line in lines),
        pass_fds=descriptors,
        check=True,
        capture_output=True,
        text=True,
    )


def _enter() -> int | None:
    """A network namespace; the user namespace that had to be made for it, if it had to."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        _libc("unshare", _CLONE_NEWNET)
    except PermissionError:
        _libc("unshare", _CLONE_NEWUSER | _CLONE_NEWNET)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
        return os.open("/proc/self/ns/user", os.O_RDONLY)
    return None


def _inhabitants(namespaces: set[int]) -> list[int]:
    """Processes in namespaces, which are named by their inodes."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                inode = os.stat(f"/proc/{name}/ns/net").st_ino
            except OSError:
                continue
            if inode in namespaces:
                found.append(int(name))
    return found


def _clear(namespaces: list[int], folder: str) -> None:
    """Wait for the end of what is in the hosts, or bring it about; remove their files."""
    inodes = {os.fstat(namespace).st_ino for namespace in namespaces}
    deadline = time.monotonic() + _ENDING_S
    while (left := _inhabitants(inodes)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in left:
        try:
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    while _inhabitants(inodes):
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Build, report, serve, clear away."""
    descriptor, hosts, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    # Ctrl-C in a terminal is for the tests; this ends after them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _libc("prctl", _PR_SET_NAME, NAME.encode())
    control = socket.socket(fileno=descriptor)
    try:
        user = _enter()
        switch = Switch(hosts)
        switch.build()
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        control.send(json.dumps({"error": said}).encode())
        return
    shown = [*switch.namespaces, *([] if user is None else [user])]
    socket.send_fds(control, [b"{}"], shown)
    switch.serve(control)
    _clear(switch.namespaces, folder)


if __name__ == "__main__":
    main()
