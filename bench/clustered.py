"""Clusters to measure: hosts whose daemons know each other, what they spend, and when they rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import anyio
import anyio.to_thread

from bench import measure
from scalebox.client.aio import AsyncClient
from scalebox.errors import ScaleboxError
from scalebox.model import Status
from tests.cluster.hosts import Host, Hosts

#: Until every node sees every other one alive, and until nothing is left to do anywhere.
_MEETING_S = 60.0
_REST_S = 60.0


async def start(hosts: Hosts, **tables: Mapping[str, Any]) -> None:
    """A daemon on every host, with all of its slots; each knows all the others.

    Raises:
        HostsError: one did not start.
        ScaleboxError: they do not find each other.
    """
    await hosts.start(**tables)
    await meeting(hosts)
    for status in await statuses(hosts, wait_for_slots=True):
        if status.draining:
            raise ScaleboxError(f"{status.node} is going down before it was used")


async def meeting(hosts: Sequence[Host] | Hosts) -> None:
    """Wait until the daemons of these hosts see each other alive.

    Raises:
        ScaleboxError: they do not, in a minute.
    """
    wanted = {host.name for host in hosts}
    seen: set[str] = set()
    for host in hosts:
        with anyio.move_on_after(_MEETING_S):
            while not wanted <= (seen := await alive_for(host)):
                await asyncio.sleep(0.1)
        if not wanted <= seen:
            raise ScaleboxError(f"{host.name} does not see {', '.join(sorted(wanted - seen))}")


async def alive_for(host: Host) -> set[str]:
    """The nodes that a host's daemon takes for alive, itself among them."""
    code, body = await anyio.to_thread.run_sync(host.running().get, "/v1/cluster")
    if code != 200:
        raise ScaleboxError(f"{host.name} shows no cluster: {body.decode(errors='replace')[:200]}")
    return {node["node"] for node in json.loads(body)["nodes"] if node["state"] == "alive"}


async def statuses(hosts: Iterable[Host], *, wait_for_slots: bool = False) -> list[Status]:
    """What the hosts' daemons say of themselves."""
    found = []
    for host in hosts:
        async with AsyncClient(host.socket) as client:
            found.append(
                await (measure.all_slots_up(client) if wait_for_slots else client.status())
            )
    return found


async def cpu_s(hosts: Iterable[Host]) -> float:
    """CPU seconds so far of all daemons, their slots, and every program that ran in these."""
    spent = 0.0
    for host, status in zip(hosts, await statuses(hosts), strict=True):
        slots = [slot.pid for slot in status.slots]
        spent += measure.kernel_cpu_s(host.running().pid, slots)
    return spent


async def busy_nodes(hosts: Iterable[Host]) -> list[str]:
    """Wait until nothing is queued or runs anywhere, a bounded time; those where something is."""
    left: list[str] = []
    with anyio.move_on_after(_REST_S):
        while left := [
            f"{status.node}: {status.queued_cases} queued, {status.running_cases} running"
            for status in await statuses(hosts)
            if status.queued_cases or status.running_cases
        ]:
            await asyncio.sleep(0.5)
    return left
