"""Daemons on test hosts find each other, lose each other, and lose nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bench import chaos, clustered, storm
from bench.chaos import Book, Fault
from tests.cluster.hosts import Host, Hosts

#: Longer than it takes to notice that a node is gone.
_NOTICED_S = 60.0


@pytest.fixture
async def cluster() -> AsyncIterator[Hosts]:
    """Five nodes that know each other; the first three are everybody's seeds."""
    async with Hosts(5, cluster={}) as hosts:
        await clustered.start(hosts)
        yield hosts


async def _sees_only(host: Host, names: set[str]) -> None:
    async with asyncio.timeout(_NOTICED_S):
        while await clustered.alive_for(host) != names:
            await asyncio.sleep(0.2)


async def test_a_node_that_is_gone_is_noticed_and_taken_back(cluster: Hosts) -> None:
    cluster[4].kill()
    others = {host.name for host in cluster} - {"host-4"}
    for host in list(cluster)[:4]:
        await _sees_only(host, others)
    await cluster[4].up()
    await clustered.meeting(cluster)


async def test_seeds_that_are_killed_together_find_back_to_all(cluster: Hosts) -> None:
    for number in range(3):
        cluster[number].kill()
    for number in (3, 4):
        await _sees_only(cluster[number], {"host-3", "host-4"})
    async with asyncio.TaskGroup() as tasks:
        for number in range(3):
            tasks.create_task(cluster[number].up())
    await clustered.meeting(cluster)


async def test_the_halves_of_a_parted_network_find_back_together(cluster: Hosts) -> None:
    cluster.partition({0, 1})
    await _sees_only(cluster[0], {"host-0", "host-1"})
    await _sees_only(cluster[4], {"host-2", "host-3", "host-4"})
    cluster.heal()
    await clustered.meeting(cluster)


async def test_a_node_that_hears_nobody_is_no_use_to_others_and_knows_it(cluster: Hosts) -> None:
    cluster[4].line(deaf=True)
    await _sees_only(cluster[0], {host.name for host in cluster} - {"host-4"})
    await _sees_only(cluster[4], {"host-4"})
    cluster[4].line()
    await clustered.meeting(cluster)


async def test_a_storm_passes_and_every_case_is_right_and_there_once(cluster: Hosts) -> None:
    faults = (
        Fault("kill -9 of two thieves", 0.1, chaos.kill_thieves),
        Fault("kill -9 of the victim", 0.4, chaos.kill_victim),
    )
    book = Book(storm.plan(3000, 1, sleep_s=0.08))
    rows, left = await chaos.storm_over(cluster, book, faults)
    broken = [
        promise for promise in chaos.promises_of(book, rows, faults, left) if not promise.holds
    ]
    assert not broken
    assert len(book.nodes) >= 3
