"""Nothing that a slot started outlives it, whichever of its processes dies, and how."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scalebox.sandbox.spec import RunSpec
from scalebox.sandbox.zygote import wire
from scalebox.sandbox.zygote.meter import stat_fields
from tests.daemons import children
from tests.sandbox.conftest import LIMITS, Bench, open_pool

_COUNTER = itertools.count(1)
#: Leaves its group, its session and its parent; each of them sleeps for a time that names it.
DAEMONS = """
import os
ready, unready = os.pipe()
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            if os.fork() == 0:
                os.setpgid(0, 0)
            os.execv('/bin/sleep', ['sleep', MARK])
        os._exit(0)
os.close(unready)
os.read(ready, 1)
"""
SLEEPERS = 6
SLEEP = "import time; time.sleep(1000)"
#: Each process makes more, as fast as it can, once it is told to go on.
BOMB = """
import signal
os.kill(os.getpid(), signal.SIGSTOP)
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
"""


def mark() -> str:
    """A number of seconds that nobody else sleeps for."""
    return f"9{os.getpid()}.{next(_COUNTER)}"


def sleepers(which: str) -> list[int]:
    """Who sleeps for so long."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:2] == [b"sleep", which.encode()]:
                found.append(int(entry.name))
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must come; a test that waits in vain is stopped by this."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def start_daemons(bench: Bench, more: str = SLEEP) -> tuple[str, asyncio.Task[object]]:
    """A run that leaves daemons, all of them asleep."""
    which = mark()
    source = DAEMONS.replace("MARK", repr(which)) + more
    limits = replace(LIMITS, cpu_ns=600 * 10**9, wall_ns=600 * 10**9)
    spec = RunSpec(program=wire.PYTHON_SOURCE, limits=limits, source=source.encode())
    run = asyncio.create_task(bench.raw(spec))
    await until(lambda: len(sleepers(which)) == SLEEPERS)
    return which, run


def parent(pid: int) -> int:
    """Of a process that is alive."""
    fields = stat_fields(pid)
    assert fields is not None
    return int(fields[1])


def stopped(pid: int) -> bool:
    """Whether a process waits for SIGCONT."""
    fields = stat_fields(pid)
    return fields is not None and fields[0] == "T"


async def test_nothing_outlives_a_killed_zygote(bench: Bench) -> None:
    which, run = await start_daemons(bench)
    os.kill(bench.slot.pid, signal.SIGKILL)
    assert await run is None
    await until(lambda: not sleepers(which))
    assert (await bench.python("print('again')")).stdout == b"again\n"


async def test_nothing_outlives_a_closed_slot(bench: Bench) -> None:
    which, run = await start_daemons(bench)
    bench.pool.close()
    assert not sleepers(which)
    run.cancel()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_outlives_a_killed_keeper(tmp_path: Path, number: int) -> None:
    pool = await open_pool("minimal", tmp_path)
    bench = Bench(pool, pool.slots[0])
    care = asyncio.create_task(pool.look_after())
    try:
        which, run = await start_daemons(bench)
        keeper = parent(bench.slot.pid)
        assert parent(keeper) == os.getpid()
        os.kill(keeper, number)
        assert await run is None
        await until(lambda: not sleepers(which))
        assert (await bench.python("print('again')")).stdout == b"again\n"
        assert parent(bench.slot.pid) != keeper
    finally:
        care.cancel()
        pool.close()


async def test_a_keeper_that_hangs_is_done_without(tmp_path: Path) -> None:
    pool = await open_pool("minimal", tmp_path)
    bench = Bench(pool, pool.slots[0])
    care = asyncio.create_task(pool.look_after())
    try:
        which, run = await start_daemons(bench)
        os.kill(parent(bench.slot.pid), signal.SIGSTOP)
        bench.slot.kill("for the test")
        assert await run is None
        await until(lambda: not sleepers(which))
        assert (await bench.python("print('again')")).stdout == b"again\n"
    finally:
        care.cancel()
        pool.close()


async def test_a_slot_that_forks_without_end_is_ended_with_its_zygote(bench: Bench) -> None:
    which, run = await start_daemons(bench, BOMB)
    await until(lambda: any(map(stopped, children(bench.slot.pid))))
    program = next(filter(stopped, children(bench.slot.pid)))
    os.kill(program, signal.SIGCONT)
    await until(lambda: len(children(program)) > 5)
    os.kill(bench.slot.pid, signal.SIGKILL)
    assert await run is None
    assert (await bench.python("print('again')")).stdout == b"again\n"
    assert not sleepers(which)


async def test_a_program_cannot_signal_its_keeper(tmp_path: Path) -> None:
    pool = await open_pool("minimal", tmp_path)
    bench = Bench(pool, pool.slots[0])
    try:
        keeper = parent(bench.slot.pid)
        source = f"""
import os, signal
ways = [lambda: os.kill({keeper}, number), lambda: os.killpg({keeper}, number),
        lambda: signal.pidfd_send_signal(os.pidfd_open({keeper}), number)]
for number in (signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
    for way in ways:
        try:
            way()
            print('done', number)
        except OSError as error:
            assert error.errno == 1, error
"""
        outcome = await bench.python(source)
        assert (outcome.stdout, outcome.stderr, outcome.status) == (b"", b"", 0)
        assert (await bench.python("print('well')")).stdout == b"well\n"
        assert parent(bench.slot.pid) == keeper
    finally:
        pool.close()
