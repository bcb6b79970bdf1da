"""Test hosts do to the network what they say, to nothing else, and are gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scalebox import AsyncClient, StdioCase, StdioTests, Submission
from tests import unprivileged
from tests.cluster import switch
from tests.cluster.hosts import Host, Hosts, HostsError
from tests.daemons import alive, until, with_argument

_PORT = 5000
_TOKEN = "a token of the tests"
#: Long enough for what arrives on a machine with other work.
_ARRIVES_S = 20.0
#: What would have arrived long before.
_SILENCE_S = 0.5


class Pipe:
    """A TCP connection from one host to another, both of its ends in this process."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far = near, far

    async def carries(self, data: bytes) -> float:
        """Send to the far end and back; how long that took, in seconds."""
        started = time.perf_counter()
        await asyncio.wait_for(self._there_and_back(data), _ARRIVES_S)
        return time.perf_counter() - started

    async def _there_and_back(self, data: bytes) -> None:
        await asyncio.gather(send(self.near, data), receive(self.far, len(data)))
        await asyncio.gather(send(self.far, data), receive(self.near, len(data)))


async def send(end: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(end, data)


async def receive(end: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await asyncio.get_running_loop().sock_recv(end, size - len(data))
    return data


async def silent(end: socket.socket) -> bool:
    """Whether nothing comes."""
    try:
        await asyncio.wait_for(receive(end, 1), _SILENCE_S)
    except TimeoutError:
        return True
    return False


@contextlib.asynccontextmanager
async def pipe(client: Host, server: Host) -> AsyncIterator[Pipe]:
    loop = asyncio.get_running_loop()
    with server.new_socket() as listener, client.new_socket() as near:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((server.address, _PORT))
        listener.listen()
        listener.setblocking(False)
        near.setblocking(False)
        async with asyncio.timeout(_ARRIVES_S):
            await loop.sock_connect(near, (server.address, _PORT))
            far, origin = await loop.sock_accept(listener)
        with far:
            far.setblocking(False)
            assert origin[0] == client.address
            yield Pipe(near, far)


def datagrams(host: Host, port: int = 0) -> socket.socket:
    """A UDP socket of a host's."""
    made = host.new_socket(socket.SOCK_DGRAM)
    made.bind((host.address, port))
    made.setblocking(False)
    return made


async def heard(source: Host, target: Host, count: int) -> int:
    """How many of so many datagrams arrive."""
    arrived = 0
    with datagrams(source) as sender, datagrams(target, _PORT) as receiver:
        # No more at once than the receiver has room for.
        for start in range(0, count, 50):
            for number in range(start, min(start + 50, count)):
                sender.sendto(str(number).encode(), (target.address, _PORT))
            while not await silent(receiver):
                arrived += 1
    return arrived


def fetch(source: Host, target: Host) -> int:
    """HTTP from one host to another's daemon; the status."""
    connection = http.client.HTTPConnection(target.address, 8765)
    connection.sock = source.new_socket()
    with contextlib.closing(connection):
        connection.sock.settimeout(_ARRIVES_S)
        connection.sock.connect((target.address, 8765))
        connection.request("GET", "/v1/status", headers={"Authorization": f"Bearer {_TOKEN}"})
        return connection.getresponse().status


def tcp(host: Host) -> dict[str, object]:
    """A daemon's `[server]` for other hosts."""
    return {"tcp": f"{host.address}:8765", "tokens": {"tests": _TOKEN}}


async def test_every_host_reaches_every_other(hosts: Hosts) -> None:
    for one in hosts:
        for other in hosts:
            if one is not other:
                async with pipe(one, other) as line:
                    await line.carries(b"x" * 3_000_000)


async def test_a_delay_is_seen_and_taken_away(hosts: Hosts) -> None:
    hosts[1].line(delay_s=0.05)
    async with pipe(hosts[0], hosts[1]) as slow, pipe(hosts[0], hosts[2]) as fast:
        assert min([await slow.carries(b"x") for _ in range(5)]) >= 0.1
        assert min([await fast.carries(b"x") for _ in range(5)]) < 0.05
        hosts[1].line()
        assert min([await slow.carries(b"x") for _ in range(5)]) < 0.05


async def test_a_rate_is_kept(hosts: Hosts) -> None:
    hosts[1].line(bytes_per_s=1_000_000)
    async with pipe(hosts[0], hosts[1]) as line:
        # A megabyte there and another one back; what is held back at most is taken off.
        assert await line.carries(b"x" * 1_000_000) >= 1.5


async def test_so_much_is_lost_and_streams_get_over_it(hosts: Hosts) -> None:
    assert await heard(hosts[0], hosts[1], 200) == 200
    hosts[1].line(loss=0.3)
    # Seven standard deviations around 140.
    assert 95 <= await heard(hosts[0], hosts[1], 200) <= 185
    assert 95 <= await heard(hosts[1], hosts[0], 200) <= 185
    assert await heard(hosts[0], hosts[2], 50) == 50
    hosts[1].line(loss=0.02)
    async with pipe(hosts[0], hosts[1]) as line:
        await line.carries(b"x" * 300_000)


async def test_a_host_can_be_deaf_or_mute(hosts: Hosts) -> None:
    hosts[1].line(deaf=True)
    assert await heard(hosts[0], hosts[1], 20) == 0
    assert await heard(hosts[1], hosts[0], 20) == 20
    hosts[1].line(mute=True)
    assert await heard(hosts[0], hosts[1], 20) == 20
    assert await heard(hosts[1], hosts[0], 20) == 0


@pytest.mark.parametrize("delay_s", [0.0, 0.01])
async def test_a_partition_stops_streams_both_ways_and_healing_lets_them_go_on(
    hosts: Hosts, delay_s: float
) -> None:
    hosts[1].line(delay_s=delay_s)
    async with pipe(hosts[0], hosts[1]) as cut, pipe(hosts[0], hosts[2]) as whole:
        await cut.carries(b"before")
        hosts.partition({0, 2})
        await send(cut.near, b"there")
        await send(cut.far, b"back!")
        assert await silent(cut.far)
        assert await silent(cut.near)
        await whole.carries(b"meanwhile")
        # Nobody says that nobody is there: that is found out by waiting.
        with hosts[1].new_socket() as stranger:
            stranger.setblocking(False)
            connecting = asyncio.get_running_loop().sock_connect(
                stranger, (hosts[0].address, _PORT)
            )
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connecting, _SILENCE_S)
        hosts.heal()
        async with asyncio.timeout(_ARRIVES_S):
            assert await receive(cut.far, 5) == b"there"
            assert await receive(cut.near, 5) == b"back!"


async def test_daemons_are_reached_over_the_network_and_by_file(hosts: Hosts) -> None:
    async with asyncio.TaskGroup() as tasks:
        for host in hosts:
            tasks.create_task(host.up(server=tcp(host)))
    assert fetch(hosts[0], hosts[1]) == 200
    assert {host.running().status().node for host in hosts} == {"host-0", "host-1", "host-2"}
    hosts.partition({0}, {1, 2})
    assert fetch(hosts[2], hosts[1]) == 200
    for host in hosts:
        async with AsyncClient(host.socket) as client:
            tests = [("7", str(host.number))]
            source = f"print({host.number})"
            report = await client.judge(language="python", source=source, tests=tests)
            assert report.accepted, report.message


async def test_a_killed_daemon_comes_back_on_its_host(hosts: Hosts) -> None:
    first = await hosts[0].up()
    family = {(first.pid, ""), *first.family()}
    hosts[0].kill()
    assert not hosts[0].runs
    until(lambda: not alive(family))
    with pytest.raises(HostsError, match="no daemon runs on host-0"):
        hosts[0].kill()
    second = await hosts[0].up()
    assert second.pid != first.pid
    third = await hosts[0].restart()
    assert hosts[0].running() is third
    with pytest.raises(HostsError, match="runs on host-0 already"):
        hosts[0].begin()


async def test_what_keeps_a_daemon_from_starting_is_said(hosts: Hosts) -> None:
    with pytest.raises(HostsError, match=r"no daemon on host-1: .*unknown field"):
        await hosts[1].up(server={"no_such_option": 1})


async def test_a_slow_host_takes_a_multiple_of_its_time(hosts: Hosts) -> None:
    await hosts[0].up()
    source = "import time\nwhile time.process_time() < 0.3:\n    pass\nprint(1)"
    tests = StdioTests(cases=[StdioCase(input="", answer="1")])
    submission = Submission(language="python", source=source, tests=tests)
    async with AsyncClient(hosts[0].socket) as client:
        hosts[0].slow(0.1)
        (slowed,) = (await client.judge(submission)).cases
        assert slowed.verdict == "accepted"
        # Ten times in all; how much of the first period is gone is chance.
        assert slowed.wall_time_s > 4 * slowed.cpu_time_s
        hosts[0].slow(1)
        assert (await client.judge(submission)).accepted


async def test_the_machines_own_network_is_left_alone() -> None:
    before = subprocess.check_output(["ip", "-brief", "address"])
    routes = subprocess.check_output(["ip", "route"])
    async with Hosts(2) as hosts:
        hosts[1].line(delay_s=0.01)
        hosts.partition({0})
        assert subprocess.check_output(["ip", "-brief", "address"]) == before
        assert subprocess.check_output(["ip", "route"]) == routes


def test_more_hosts_than_can_be_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 60 hosts, not 61"):
        Hosts(61)


_HOLDER = """
import asyncio, json, os, sys
from tests.cluster.hosts import Hosts
from tests.daemons import Kind

async def main():
    async with Hosts(2, Kind(sys.argv[1], sys.argv[2] == "True")) as hosts:
        await hosts.start()
        hosts[1].line(delay_s=0.01)
        spaces = [os.fstat(hosts.namespace(number)[0]).st_ino for number in range(2)]
        pids = [host.running().pid for host in hosts]
        folder = str(hosts[0].directory.parent)
        print(json.dumps({"spaces": spaces, "pids": pids, "folder": folder}), flush=True)
        if sys.argv[3] == "raise":
            raise RuntimeError("in the middle of it")
        await asyncio.sleep(600)

asyncio.run(main())
"""


def _held(spaces: list[int]) -> list[str]:
    """Who is in network namespaces, or has a descriptor of them."""
    wanted = {f"net:[{inode}]" for inode in spaces}
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                links = [process / "ns" / "net", *(process / "fd").iterdir()]
                for link in links:
                    with contextlib.suppress(OSError):
                        if os.readlink(link) in wanted:
                            found.append(str(link))
    return found


@pytest.mark.parametrize("end", ["kill", "raise"])
async def test_nothing_is_left_however_the_tests_end(hosts: Hosts, end: str) -> None:
    kind = hosts[0].kind
    mounts = Path("/proc/self/mountinfo").read_text()
    words = [sys.executable, "-c", _HOLDER, kind.level, str(kind.ordinary), end]
    environment = {**os.environ, "PYTHONPATH": str(unprivileged.ROOT)}
    with subprocess.Popen(
        words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        said = holder.stdout.readline()
        assert said, holder.stderr.read()
        found = json.loads(said)
        if end == "kill":
            assert len(_held(found["spaces"])) >= 6
            assert with_argument(found["folder"])
            holder.send_signal(signal.SIGKILL)
        else:
            assert "in the middle of it" in holder.stderr.read()
    until(lambda: not _held(found["spaces"]))
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in found["pids"]))
    # The switch ends last, when the folder is removed.
    until(lambda: not with_argument(found["folder"]))
    assert not Path(found["folder"]).exists()
    assert Path("/proc/self/mountinfo").read_text() == mounts


async def test_a_switch_that_is_gone_is_said_to_be(hosts: Hosts) -> None:
    (pid,) = with_argument(str(hosts[0].directory.parent))
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}/fd/0").exists())
    with pytest.raises(HostsError, match="does not answer"):
        hosts.heal()


def test_addresses_are_distinct_and_in_one_network() -> None:
    addresses = [switch.address(number) for number in range(60)]
    assert len(set(addresses)) == 60
    assert all(re.fullmatch(r"10\.77\.\d+\.\d+", one) for one in addresses)
