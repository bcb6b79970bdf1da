"""Test hosts: real daemons on one machine that see each other over a network of their own.

    async with Hosts(8) as hosts:
        await hosts.start()
        hosts.partition({0, 1})                  # hears nobody but itself; the rest likewise
        hosts.heal()
        hosts[3].line(delay_s=0.02, loss=0.01)   # each way
        hosts[2].kill()
        await hosts[2].up()

A host is a network namespace with an address, a folder (store, socket, configuration, log) and user
ids of its own.  Everything else it shares with the machine: cores, memory, file system, so that
Unix sockets reach every daemon, cut off or not.  Nothing of the machine's own network is touched,
and nothing outlives this process, however it ends: see `switch`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

from bench import processes
from scalebox.sandbox.cgroups import remove_group_tree
from tests import unprivileged
from tests.cluster import switch
from tests.daemons import PLACE_PREFIX, Daemon, Kind, Place, kinds

#: Where peers listen.
PEER_PORT = 7946
#: Of the clusters under test; every one is alone in its network.
KEY = "the key of a test's own cluster, 32 bytes or more"
_SEEDS = 3
_SLOTS = 2
#: Ids of one host's slots; the hosts' follow each other, after those of daemons beside them.
_UID_BASE, _UIDS, _UID_RANGES = 61_312, 16, 256
_turns = count()
#: Each daemon believes the machine to be its own; small limits keep eight of them within it.
_LIMITS = {
    "memory_bytes": 256 << 20,
    "judge_memory_bytes": 256 << 20,
    "compile_memory_bytes": 1 << 30,
}
_MEMORY_BYTES = 2 << 30
_READY_S = 60.0
#: How long a daemon finishes what it has; and when it is killed in the end.
_DRAIN_S, _ENDING_S = 5.0, 15.0
_ANSWER_S = 30.0
#: Descriptors that come with one message, at most (SCM_MAX_FD of the kernel).
_MOST_DESCRIPTORS = 253
_MOST_HOSTS = 60
_GONE = "the process that makes the hosts' network does not answer"
#: A slow host's processes run for a share of each such period.
_PERIOD_S = 0.1


class HostsError(Exception):
    """The network cannot be made, or does not do what it is asked."""


def kind_of_hosts() -> Kind:
    """The best that this user can have here."""
    return kinds()[0]


class Host(Place):
    """One host: a place for daemons, with a line to the others.

    Attributes:
        number: its index among the hosts.
        address: its IPv4 address.
        name: its daemon's name in reports.
        daemon: the one that was started last; None: none was.
        cores: those that daemons started from then on have; none: all.
    """

    def __init__(self, number: int, directory: Path, kind: Kind, hosts: Hosts) -> None:
        super().__init__(directory, kind)
        self.number = number
        self.address = switch.address(number)
        self.name = f"host-{number}"
        self.daemon: Daemon | None = None
        self.cores: set[int] = set()
        self._uid_base = _UID_BASE + _UIDS * (next(_turns) % _UID_RANGES)
        self._hosts = hosts
        self._slowed: asyncio.Task[None] | None = None
        self._killed: list[Daemon] = []

    def config(self) -> dict[str, Any]:
        """A small daemon, in a cluster if the hosts have one."""
        config = super().config()
        config["node"] = self.name
        config["server"]["drain_timeout_s"] = _DRAIN_S
        config["sandbox"] |= {"slots": _SLOTS, "uid_base": self._uid_base}
        config["limits"] = dict(_LIMITS)
        config["engine"] = {"memory_bytes": _MEMORY_BYTES}
        # As many headers as hosts would take longer to compile than most tests.
        config["languages"] = {"cpp": {"precompiled_header": False}}
        if self._hosts.cluster is not None:
            config["cluster"] = {
                "listen": f"{self.address}:{PEER_PORT}",
                "key": KEY,
                "seeds": self._hosts.seeds(),
                **self._hosts.cluster,
            }
        return config

    def environment(self) -> dict[str, str]:
        """With one home for all hosts, and this checkout's package, whatever is installed."""
        here = {"HOME": str(self.directory.parent), "PYTHONPATH": str(unprivileged.ROOT)}
        return super().environment() | here

    def prefix(self) -> list[str]:
        """Into the host's namespace."""
        namespace, user = self._hosts.namespace(self.number)
        self.pass_fds = (namespace, *([] if user is None else [user]))
        words = ["taskset", "-c", ",".join(map(str, sorted(self.cores)))] if self.cores else []
        words += ["nsenter", f"--net=/proc/self/fd/{namespace}"]
        if user is not None:
            words += [f"--user=/proc/self/fd/{user}", "--preserve-credentials"]
        return [*words, "--"]

    def begin(self, *arguments: str, **tables: Mapping[str, Any]) -> Daemon:
        """Start a daemon, which ends with this process; wait for nothing.

        Raises:
            HostsError: one runs here.
        """
        if self.runs:
            raise HostsError(f"a daemon runs on {self.name} already")
        self.daemon = super().begin("--exit-with-parent", str(os.getpid()), *arguments, **tables)
        return self.daemon

    async def up(self, *arguments: str, **tables: Mapping[str, Any]) -> Daemon:
        """Start a daemon, and wait until it answers.

        Raises:
            HostsError: it ended, or did not answer in time; with what it said.
        """
        daemon = self.begin(*arguments, **tables)
        deadline = time.monotonic() + _READY_S
        while not await asyncio.to_thread(self.answers):
            if daemon.process.poll() is not None or time.monotonic() > deadline:
                raise HostsError(f"no daemon on {self.name}: {daemon.said()[-4000:]}")
            await asyncio.sleep(0.02)
        return daemon

    async def down(self) -> None:
        """SIGTERM, and wait for its end.

        Raises:
            HostsError: it did not end well; with what it said.
        """
        daemon = self.running()
        daemon.process.terminate()
        if code := await asyncio.to_thread(daemon.process.wait, _READY_S):
            raise HostsError(f"{self.name}'s daemon ended with {code}: {daemon.said()[-4000:]}")

    async def restart(self, **tables: Mapping[str, Any]) -> Daemon:
        """One daemon ends in good order, the next one starts."""
        await self.down()
        return await self.up(**tables)

    def kill(self) -> None:
        """`kill -9`; what it had under way is gone with it."""
        daemon = self.running()
        daemon.kill()
        self._killed.append(daemon)

    @property
    def runs(self) -> bool:
        """Whether a daemon is there."""
        return self.daemon is not None and self.daemon.process.poll() is None

    def running(self) -> Daemon:
        """The daemon.

        Raises:
            HostsError: none runs.
        """
        if self.daemon is None or not self.runs:
            raise HostsError(f"no daemon runs on {self.name}")
        return self.daemon

    def line(
        self,
        *,
        delay_s: float = 0.0,
        loss: float = 0.0,
        bytes_per_s: float = 0.0,
        deaf: bool = False,
        mute: bool = False,
    ) -> None:
        """Say how the host's line is, from now on; without arguments: without fault.

        Parameters:
            delay_s: of every frame, each way; a round trip takes twice as long.
            loss: share of the frames that do not arrive, each way.
            bytes_per_s: what passes, each way; 0: anything.  Little is held back, the rest lost.
            deaf, mute: nothing arrives here; nothing leaves.
        """
        way = {"delay_s": delay_s, "loss": loss, "bytes_per_s": bytes_per_s}
        ways = [{**way, "loss": 1.0 if cut else loss} for cut in (deaf, mute)]
        faultless = not (delay_s or loss or bytes_per_s or deaf or mute)
        self._hosts.ask(do="line", host=self.number, ways=[] if faultless else ways)

    def new_socket(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket of this host's for this process, wherever it is used."""
        (descriptor,) = self._hosts.ask(do="socket", host=self.number, kind=int(kind))
        return socket.socket(fileno=descriptor)

    def slow(self, share: float) -> None:
        """Let the daemon and all below it run for a share of the time only; 1: all of it.

        As a hypervisor does with a machine: everything stops, and goes on a moment later.  It
        needs no cgroup, so any user can have it, and its clock goes on as that of a slow machine
        does.  To be called with the event loop running.
        """
        if self._slowed is not None:
            self._slowed.cancel()
            self._slowed = None
        if share < 1:
            self._slowed = asyncio.create_task(self._run_at_times(share))

    async def _run_at_times(self, share: float) -> None:
        while self.daemon is not None and self.runs:
            stopped = [self.daemon.pid, *processes.descendants(self.daemon.pid)]
            try:
                _signal(stopped, signal.SIGSTOP)
                await asyncio.sleep(_PERIOD_S * (1 - share))
            finally:
                _signal(stopped, signal.SIGCONT)
            await asyncio.sleep(_PERIOD_S * share)

    def end_soon(self) -> None:
        """Tell the daemon to end, if one runs."""
        if self._slowed is not None:
            self._slowed.cancel()
        if self.daemon is not None and self.runs:
            _signal([self.daemon.pid, *processes.descendants(self.daemon.pid)], signal.SIGCONT)
            self.daemon.process.terminate()

    def put_away(self) -> None:
        """Wait for the end of the daemon, or bring it about; remove what a killed one left."""
        if self.daemon is not None and self.runs:
            try:
                self.daemon.process.wait(_ENDING_S)
            except subprocess.TimeoutExpired:
                self.kill()
        for killed in self._killed:
            for group in killed.cgroups():
                remove_group_tree(group)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


class Hosts:
    """Some hosts and the network between them; see the module."""

    def __init__(
        self, number: int, kind: Kind | None = None, *, cluster: Mapping[str, Any] | None = None
    ) -> None:
        """Make nothing yet.

        Parameters:
            number: of hosts.
            kind: how their daemons run; None: as well as this user can have it.
            cluster: options of `[cluster]` beside the addresses and the key; None: the daemons
                know nothing of each other.
        """
        if not 1 <= number <= _MOST_HOSTS:
            raise ValueError(f"1 to {_MOST_HOSTS} hosts, not {number}")
        self.cluster = cluster
        self._count = number
        self._kind = kind or kind_of_hosts()
        self._hosts: list[Host] = []
        self._control: socket.socket | None = None
        self._switch: subprocess.Popen[bytes] | None = None
        self._namespaces: list[int] = []
        self._user: int | None = None

    def __getitem__(self, number: int) -> Host:
        return self._hosts[number]

    def __len__(self) -> int:
        return len(self._hosts)

    def __iter__(self) -> Iterator[Host]:
        return iter(self._hosts)

    async def __aenter__(self) -> Hosts:
        await asyncio.to_thread(self.open)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Holds up the event loop, so that no cancellation can come in between.
        self.close()

    def open(self) -> None:
        """Make the folders and the network.

        Raises:
            HostsError: this user may have no network namespaces here, or something is missing.
        """
        folder = Path(tempfile.mkdtemp(prefix=PLACE_PREFIX, dir="/tmp"))
        folder.chmod(0o755)
        if self._kind.ordinary:
            os.chown(folder, unprivileged.UID, unprivileged.UID)
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_ANSWER_S)
        script = str(Path(switch.__file__).resolve())
        words = [sys.executable, "-I", script, str(other.fileno()), str(self._count), str(folder)]
        with other:
            self._switch = subprocess.Popen(
                unprivileged.command(words) if self._kind.ordinary else words,
                stdin=subprocess.DEVNULL,
                pass_fds=(other.fileno(),),
                start_new_session=True,
            )
        try:
            self._namespaces = self._answer()
            if len(self._namespaces) > self._count:
                self._user = self._namespaces.pop()
            for number in range(self._count):
                directory = folder / str(number)
                directory.mkdir(mode=0o755)
                self._hosts.append(Host(number, directory, self._kind, self))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the daemons, take the network away, remove the files."""
        for host in self._hosts:
            host.end_soon()
        for host in self._hosts:
            host.put_away()
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._switch is not None:
            self._switch.wait()
            self._switch = None
        for descriptor in [*self._namespaces, *([] if self._user is None else [self._user])]:
            os.close(descriptor)
        self._namespaces, self._user = [], None

    async def start(self, **tables: Mapping[str, Any]) -> None:
        """A daemon on every host; wait until each answers.

        Raises:
            HostsError: as `Host.up`.
        """
        async with asyncio.TaskGroup() as tasks:
            for host in self._hosts:
                tasks.create_task(host.up(**tables))

    def partition(self, *groups: set[int]) -> None:
        """Let hosts hear only those of their own group; those that no group has are one, too."""
        where = [len(groups)] * self._count
        for number, group in enumerate(groups):
            for host in group:
                where[host] = number
        self.ask(do="group", groups=where)

    def heal(self) -> None:
        """Let all hear all."""
        self.ask(do="group", groups=[0] * self._count)

    def seeds(self) -> list[str]:
        """Where a daemon asks for the others first."""
        return [f"{switch.address(number)}:{PEER_PORT}" for number in range(self._count)][:_SEEDS]

    def namespace(self, number: int) -> tuple[int, int | None]:
        """Descriptors: a host's network namespace; the user namespace around, if there is one."""
        return self._namespaces[number], self._user

    def ask(self, **words: Any) -> list[int]:
        """Have the switch do something; what descriptors it gives.

        Raises:
            HostsError: it refuses, or is gone.
        """
        assert self._control is not None, "the hosts are not open"
        try:
            self._control.send(json.dumps(words).encode())
        except OSError as error:
            raise HostsError(_GONE) from error
        return self._answer()

    def _answer(self) -> list[int]:
        assert self._control is not None
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 1 << 16, _MOST_DESCRIPTORS)
        except OSError as error:
            raise HostsError(_GONE) from error
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        if not data:
            raise HostsError(_GONE)
        if error := json.loads(data).get("error"):
            raise HostsError(f"the hosts' network: {error.strip()}")
        return descriptors
