"""Limits at their edges: absurdly low, above the host's own, and what a slot survives."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scalebox.model import Enforcement
from scalebox.sandbox.spec import RunSpec
from scalebox.sandbox.zygote import wire
from tests.sandbox.conftest import LIMITS, Bench

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("size", [1, 4096, 1 << 20, 3 << 20])
async def test_hardly_any_memory_ends_the_program_and_not_the_slot(bench: Bench, size: int) -> None:
    source = "held = bytearray(64 << 20)\nfor i in range(0, len(held), 4096): held[i] = 1"
    pid = bench.slot.pid
    outcome = await bench.python(source, limits={"memory_bytes": size})
    # This is what the verdict comes from.
    assert outcome.flags & wire.OUT_OF_MEMORY
    if bench.pool.enforcement is not Enforcement.RLIMIT:
        # Where nobody but pid 1 looks, so short a program can end before it does.
        assert outcome.status != 0
    assert (await bench.python("print('well')")).stdout == b"well\n"
    assert bench.slot.pid == pid


async def test_a_small_program_over_a_smaller_limit_is_out_of_memory(bench: Bench) -> None:
    if bench.pool.enforcement is Enforcement.RLIMIT:
        return
    source = "held = bytearray(6 << 20)\nfor i in range(0, len(held), 4096): held[i] = 1"
    outcome = await bench.python(source, limits={"memory_bytes": 4 << 20})
    assert outcome.flags & wire.OUT_OF_MEMORY
    outcome = await bench.python(source, limits={"memory_bytes": 12 << 20})
    assert outcome.flags == 0


async def test_processes_are_bounded_where_the_user_is_root_outside(bench: Bench) -> None:
    """RLIMIT_NPROC does not hold there; the cgroup does, run by run."""
    if bench.pool.enforcement is Enforcement.RLIMIT:
        return
    source = """
import os, signal
children = []
try:
    while len(children) < 150:
        pid = os.fork()
        if not pid:
            signal.pause()
        children.append(pid)
except OSError:
    pass
print(len(children))
"""
    for allowed in (30, 100, 30):
        outcome = await bench.python(source, limits={"processes": allowed})
        assert allowed - 5 <= int(outcome.stdout) <= allowed + 20


@pytest.mark.parametrize("limit", ["cpu_ns", "wall_ns"])
async def test_no_time_at_all_is_too_slow_and_no_failure_of_ours(bench: Bench, limit: str) -> None:
    outcome = await bench.python("while True: pass", limits={limit: 1})
    assert outcome.flags & (wire.CPU_EXCEEDED | wire.WALL_EXCEEDED)
    limits = replace(LIMITS, **{limit: 1})
    native = await bench.raw(RunSpec(program=wire.EXECUTE, limits=limits, argv=("sleep", "9")))
    assert native is not None
    assert native.flags & (wire.CPU_EXCEEDED | wire.WALL_EXCEEDED)
    assert not native.flags & wire.SETUP_FAILED
    native.close()


@pytest.mark.parametrize("accelerator", ["auto", "off"])
def test_limits_above_the_hosts_own_are_the_hosts_own(tmp_path: Path, accelerator: str) -> None:
    # In a process of its own: a hard limit, once lowered, cannot be raised again by everybody.
    script = tmp_path / "run.py"
    script.write_text(_WITH_FEW_DESCRIPTORS.format(accelerator=accelerator))
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "0 b'(200, 200)\\n'\n", done.stderr


_WITH_FEW_DESCRIPTORS = """
import asyncio, resource, sys
from pathlib import Path
from tests.sandbox.conftest import Bench, open_pool

async def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    pool = await open_pool("user", Path(sys.argv[1]), accelerator={accelerator!r})
    try:
        outcome = await Bench(pool, pool.slots[0]).python(
            "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE))",
            limits={{"open_files": 1000}},
        )
        print(outcome.status, outcome.stdout)
    finally:
        pool.close()

asyncio.run(main())
"""
