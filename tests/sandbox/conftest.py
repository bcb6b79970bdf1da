"""Real slots at every level that this user can have."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scalebox.config import PythonConfig, SandboxConfig
from scalebox.model import IsolationLevel
from scalebox.sandbox.pool import Interpreter, Pool
from scalebox.sandbox.slot import Slot
from scalebox.sandbox.spec import RunLimits, RunOutcome, RunSpec, read_output
from scalebox.sandbox.zygote import wire

LEVELS = [level for level in IsolationLevel if level is not IsolationLevel.FULL or not os.geteuid()]
INTERPRETER = "/usr/bin/python3"
#: Each level with runs carried out in Python, and natively where that is possible.
WAYS = [
    (level, way)
    for level in LEVELS
    for way in ("python", "native")
    if way == "python" or level is not IsolationLevel.MINIMAL
]

LIMITS = RunLimits(
    cpu_ns=1_000_000_000,
    wall_ns=5_000_000_000,
    memory_bytes=256 << 20,
    output_bytes=1 << 20,
    file_bytes=16 << 20,
    processes=64,
    open_files=256,
    stack_bytes=128 << 20,
)


class Bench:
    """One slot of a real pool, and runs in it."""

    def __init__(self, pool: Pool, slot: Slot) -> None:
        self.pool = pool
        self.slot = slot
        self.level = pool.level

    async def raw(self, spec: RunSpec) -> RunOutcome | None:
        """Run; None if the slot died."""
        while self.slot.state != "idle":
            await asyncio.sleep(0.01)
        future: asyncio.Future[RunOutcome | None] = asyncio.get_running_loop().create_future()
        self.slot.run(spec, future.set_result)
        return await future

    async def python(self, source: str, stdin: bytes = b"", **more: Any) -> RunOutcome:
        """Run Python text; limits may be given by name."""
        limits = replace(LIMITS, **more.pop("limits", {}))
        outcome = await self.raw(
            RunSpec(
                program=more.pop("program", wire.PYTHON_SOURCE),
                limits=limits,
                source=source.encode(),
                stdin=stdin,
                **more,
            )
        )
        assert outcome is not None, self.slot.failure
        outcome.stdout = take(outcome.stdout)
        outcome.stderr = take(outcome.stderr)
        assert not outcome.flags & wire.SETUP_FAILED, outcome.message
        return outcome

    async def command(self, *argv: str, **more: Any) -> RunOutcome:
        """Run a program of the slot's file tree."""
        outcome = await self.raw(RunSpec(program=wire.EXECUTE, limits=LIMITS, argv=argv, **more))
        assert outcome is not None, self.slot.failure
        outcome.stdout = take(outcome.stdout)
        outcome.stderr = take(outcome.stderr)
        return outcome


def take(output: bytes | int) -> bytes:
    """The content; the descriptor, if it is one, closed."""
    content = read_output(output)
    if isinstance(output, int):
        os.close(output)
    return content


async def open_pool(level: str, directory: Path, **more: Any) -> Pool:
    """A started pool with one slot."""
    ordinary = Interpreter(INTERPRETER, (), PythonConfig().preload)
    interpreter = more.pop("interpreter", ordinary)
    pool = Pool(
        SandboxConfig(isolation=level, slots=more.pop("slots", 1), **more),  # type: ignore[arg-type]
        interpreter,
        directory / "slots",
        256,
        lambda slot: None,
        lambda slot: None,
    )
    await pool.start()
    return pool


@pytest.fixture(params=WAYS, ids=lambda pair: f"{pair[0].value}-{pair[1]}")
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A slot at each level, with both ways to carry runs out."""
    level, way = request.param
    accelerator = "auto" if way == "native" else "off"
    pool = await open_pool(level.value, tmp_path, accelerator=accelerator)
    assert not [note for note in pool.notes if "in Python" in note]
    care = asyncio.create_task(pool.look_after())
    try:
        yield Bench(pool, pool.slots[0])
    finally:
        care.cancel()
        pool.close()
