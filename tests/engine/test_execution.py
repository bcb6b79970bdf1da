"""One run, awaited: tried again after failures of ours, and let go of when nobody waits."""

from __future__ import annotations

import asyncio
import os

import pytest

from scalebox.engine.execution import execute
from scalebox.errors import InternalError
from scalebox.sandbox.spec import RunOutcome
from scalebox.sandbox.zygote import wire

from .slots import GIB, SPEC, Host, outcome


def begin(host: Host, retries: int = 2) -> asyncio.Task[RunOutcome]:
    return asyncio.create_task(
        execute(
            host.scheduler, lambda: SPEC, client="c", priority=0, memory_bytes=GIB, retries=retries
        )
    )


async def test_a_run_that_ends_is_handed_over() -> None:
    host = Host(1)
    task = begin(host)
    await asyncio.sleep(0)
    host.slots[0].end(cpu_s=0.5)
    assert (await task).cpu_s == 0.5


@pytest.mark.parametrize("fails", ["dies", "sets nothing up", "is not executed"])
async def test_failures_of_ours_are_tried_again_elsewhere(fails: str) -> None:
    host = Host(3)
    task = begin(host)
    used = []
    for _ in range(2):
        await asyncio.sleep(0)
        (slot,) = host.running()
        used.append(slot.index)
        if fails == "dies":
            slot.die()
        else:
            slot.end(flags=wire.SETUP_FAILED if fails == "sets nothing up" else wire.EXEC_FAILED)
        await asyncio.sleep(0)
    await asyncio.sleep(0)
    host.running()[0].end(cpu_s=0.25)
    assert (await task).cpu_s == 0.25
    assert len(set(used)) == 2


async def test_more_failures_than_allowed_are_an_error_that_says_why() -> None:
    host = Host(1)
    task = begin(host, retries=1)
    for _ in range(2):
        await asyncio.sleep(0)
        host.slots[0].end(flags=wire.SETUP_FAILED)
        await asyncio.sleep(0)
    with pytest.raises(InternalError, match="failed 2 times for reasons of ours: said"):
        await task
    assert host.scheduler.running == host.scheduler.queued == 0


async def test_a_caller_that_goes_away_stops_the_run() -> None:
    host = Host(1)
    running, waiting = begin(host), begin(host)
    await asyncio.sleep(0)
    assert host.scheduler.queued == 1
    for task in (waiting, running):
        task.cancel()
        await asyncio.wait({task})
    assert host.scheduler.queued == 0
    assert host.slots[0].cancelled
    host.slots[0].end()
    assert not host.running()


async def test_a_result_that_comes_as_the_caller_goes_is_closed() -> None:
    host = Host(1)
    task = begin(host)
    await asyncio.sleep(0)
    fd = os.memfd_create("output")
    done = host.slots[0]._done
    assert done is not None
    done(outcome(stdout=fd))
    task.cancel()  # before it could see the result
    await asyncio.wait({task})
    assert task.cancelled()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
