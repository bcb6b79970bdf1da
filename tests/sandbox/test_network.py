"""What one run did to the slot's network does not reach the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from scalebox.model import IsolationLevel
from tests.sandbox.conftest import Bench

#: Of this host: some kernels are started without IPv6.
FAMILIES = ["socket.AF_INET"]
if Path("/proc/net/if_inet6").exists():
    FAMILIES.append("socket.AF_INET6")
#: The server closes first: for a minute its port is nobody else's.
CLOSES_FIRST = """
import socket
listening = socket.socket({family})
listening.bind(("localhost", 12345))
listening.listen()
client = socket.socket({family})
client.connect(("localhost", 12345))
served, _ = listening.accept()
served.close()
assert client.recv(1) == b""
client.close()
try:
    again = socket.socket({family})
    again.bind(("localhost", 12345))
except OSError as error:
    print(error.strerror)
"""
BINDS = """
import socket
listening = socket.socket({family})
listening.bind(("localhost", 12345))
listening.listen()
print("bound")
"""
SENDS = """
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))
"""
COUNTERS = """
print(open("/proc/self/net/dev").read())
print(open("/proc/self/net/snmp").read())
"""
NAMESPACE = "import os; print(os.readlink('/proc/self/ns/net'))"
#: A descendant sends, and is killed with the run.
SENDS_LATER = """
import os, socket, time
if os.fork() == 0:
    os.setsid()
    time.sleep(0.05)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))
    time.sleep(60)
"""


def _has_network(bench: Bench) -> bool:
    """At level `minimal` there are no sockets; `test_containment` shows it."""
    return bench.pool.level is not IsolationLevel.MINIMAL


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_port_is_free_again(bench: Bench, family: str) -> None:
    if not _has_network(bench):
        return
    for _ in range(3):
        # Within a run everything is as it is outside.
        outcome = await bench.python(CLOSES_FIRST.replace("{family}", family))
        assert (outcome.stdout, outcome.status) == (b"Address already in use\n", 0), outcome.stderr
        outcome = await bench.python(BINDS.replace("{family}", family))
        assert (outcome.stdout, outcome.status) == (b"bound\n", 0), outcome.stderr


@pytest.mark.parametrize("before", [SENDS, CLOSES_FIRST.replace("{family}", "socket.AF_INET")])
async def test_counters_do_not_tell_of_former_runs(bench: Bench, before: str) -> None:
    if not _has_network(bench):
        return
    fresh = (await bench.python(COUNTERS)).stdout
    assert b"lo:" in fresh
    changed = (await bench.python(before + COUNTERS)).stdout
    assert fresh != changed
    assert (await bench.python(COUNTERS)).stdout == fresh


async def test_the_network_is_another_after_a_run_that_used_it_and_only_then(bench: Bench) -> None:
    if not _has_network(bench):
        return
    first = [(await bench.python(NAMESPACE)).stdout for _ in range(3)]
    assert len(set(first)) == 1
    assert (await bench.python(SENDS)).status == 0
    second = [(await bench.python(NAMESPACE)).stdout for _ in range(3)]
    assert len(set(second)) == 1
    assert second != first


async def test_what_a_killed_descendant_sent_counts_too(bench: Bench) -> None:
    if not _has_network(bench):
        return
    fresh = (await bench.python(COUNTERS)).stdout
    outcome = await bench.python(SENDS_LATER + "time.sleep(0.2)" + COUNTERS)
    assert outcome.status == 0
    assert outcome.stdout != fresh
    assert (await bench.python(COUNTERS)).stdout == fresh


async def test_native_programs_get_another_one_as_well(bench: Bench) -> None:
    if not _has_network(bench):
        return
    shows = ("readlink", "/proc/self/ns/net")
    before = (await bench.command(*shows)).stdout
    assert before.startswith(b"net:")
    assert (await bench.command("readlink", "/proc/self/ns/net")).stdout == before
    assert (await bench.python(SENDS)).status == 0
    assert (await bench.command(*shows)).stdout not in (b"", before)


async def test_memory_is_the_programs_own_after_many_networks(bench: Bench) -> None:
    """Namespaces that the kernel has still to free are nobody's memory."""
    if not _has_network(bench):
        return
    for _ in range(20):
        assert (await bench.python(SENDS)).status == 0
    limits = {"memory_bytes": 64 << 20}
    outcome = await bench.python("held = bytearray(32 << 20)", limits=limits)
    assert (outcome.status, outcome.flags) == (0, 0)
    outcome = await bench.python("held = bytearray(80 << 20)", limits=limits)
    assert outcome.flags or outcome.status
