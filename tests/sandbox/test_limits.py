"""Each limit stops what it is there to stop, and says so; and the slot is well afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

from scalebox.model import Enforcement
from scalebox.sandbox.spec import RunSpec
from scalebox.sandbox.zygote import wire
from tests.sandbox.conftest import LIMITS, Bench

#: For what is no test of the CPU limit: on some kernels a page fault or a fork costs 50 µs.
AMPLE_CPU_NS = 20_000_000_000
AMPLE_WALL_NS = 40_000_000_000


def may_spare() -> bool:
    """Whether this process has CAP_SYS_RESOURCE, as root in a container often has not."""
    words = Path("/proc/self/status").read_text().split()
    return bool(int(words[words.index("CapEff:") + 1], 16) >> 24 & 1)


async def usable(bench: Bench) -> None:
    outcome = await bench.python("print('well')")
    assert outcome.stdout == b"well\n"
    assert outcome.status == 0
    assert not outcome.flags


async def test_endless_loop_is_stopped_by_cpu_time(bench: Bench) -> None:
    outcome = await bench.python("while True: pass", limits={"cpu_ns": 200_000_000})
    assert outcome.flags & wire.CPU_EXCEEDED
    assert 0.2 <= outcome.cpu_s < 1.0
    await usable(bench)


async def test_sleeper_is_stopped_by_wall_time(bench: Bench) -> None:
    outcome = await bench.python("import time; time.sleep(60)", limits={"wall_ns": 10**9})
    assert outcome.flags & wire.WALL_EXCEEDED
    assert outcome.cpu_s < 0.5
    await usable(bench)


async def test_cpu_time_of_children_counts(bench: Bench) -> None:
    source = "import os\npid = os.fork()\nwhile not pid: pass\nos.wait()"
    outcome = await bench.python(source, limits={"cpu_ns": 200_000_000})
    assert outcome.flags & wire.CPU_EXCEEDED
    await usable(bench)


async def test_memory_over_the_limit_is_seen(bench: Bench) -> None:
    source = "x = bytearray(100 << 20)\nimport time; time.sleep(1)"
    limits = {"memory_bytes": 64 << 20, "cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS}
    outcome = await bench.python(source, limits=limits)
    assert outcome.flags & wire.OUT_OF_MEMORY
    await usable(bench)


async def test_memory_within_the_limit_is_measured(bench: Bench) -> None:
    limits = {"cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS}
    outcome = await bench.python("x = bytearray(100 << 20)", limits=limits)
    assert not outcome.flags
    assert 100 << 20 <= outcome.memory_bytes < 160 << 20


async def test_pages_that_processes_share_count_once(bench: Bench) -> None:
    source = """
import os, time
x = b"x" * (40 << 20)
children = []
for _ in range(10):
    pid = os.fork()
    if not pid:
        time.sleep(60)
    children.append(pid)
time.sleep(0.5)
for pid in children:
    os.kill(pid, 9)
    os.waitpid(pid, 0)
print("done")
"""
    limits = {"memory_bytes": 256 << 20, "cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS}
    outcome = await bench.python(source, limits=limits)
    assert outcome.stdout == b"done\n"
    assert not outcome.flags


async def test_page_tables_are_memory(bench: Bench) -> None:
    source = """
import mmap, time
step, count = 2 << 20, 24 << 10
flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_NORESERVE
space = mmap.mmap(-1, step * count, flags, mmap.PROT_READ)
for place in range(0, step * count, step):
    space[place]
time.sleep(1)
"""
    source = source.replace("mmap.MAP_NORESERVE", "0x4000")  # which Python names from 3.12 on
    limits = {"memory_bytes": 64 << 20, "cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS}
    # The kernel frees them late: what one run leaves must not be another's room, nor pid 1's end.
    for _ in range(10):
        outcome = await bench.python(source, limits=limits)
        assert outcome.flags & wire.OUT_OF_MEMORY
    await usable(bench)


async def test_the_kernel_kills_a_program_for_memory_and_not_the_slot(bench: Bench) -> None:
    own = int(Path("/proc/self/oom_score_adj").read_text())
    outcome = await bench.python("print(open('/proc/self/oom_score_adj').read())")
    score_of_slot = int(Path(f"/proc/{bench.slot.pid}/oom_score_adj").read_text())
    if bench.pool.enforcement is Enforcement.RLIMIT:
        assert int(outcome.stdout) == score_of_slot == own
    else:
        assert int(outcome.stdout) == 800
        assert score_of_slot == (-1000 if may_spare() else own)


async def test_a_slot_that_dies_after_kills_for_memory_tells_of_them(bench: Bench) -> None:
    source = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        x = bytearray(200 << 20)
        time.sleep(60)
    os.wait()
time.sleep(60)
"""
    limits = replace(LIMITS, memory_bytes=64 << 20, cpu_ns=AMPLE_CPU_NS, wall_ns=AMPLE_WALL_NS)
    spec = RunSpec(program=wire.PYTHON_SOURCE, limits=limits, source=source.encode())
    run = asyncio.create_task(bench.raw(spec))
    cgroup = bench.slot._cgroup
    async with asyncio.timeout(30):
        # Without a cgroup pid 1 itself looks, and ends the run.
        while not run.done() and not (cgroup and cgroup.oom_kills() >= 3):
            await asyncio.sleep(0.01)
    if not run.done():
        os.kill(bench.slot.pid, signal.SIGKILL)
    outcome = await run
    assert outcome is not None
    assert outcome.flags & wire.OUT_OF_MEMORY
    await usable(bench)


async def test_memory_of_a_child_is_charged_to_its_own_run(bench: Bench) -> None:
    source = """
import os
if not os.fork():
    x = bytearray(200 << 20)
    import time; time.sleep(1)
    os._exit(0)
os.wait()
"""
    limits = {"memory_bytes": 64 << 20, "cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS}
    outcome = await bench.python(source, limits=limits)
    assert outcome.flags & wire.OUT_OF_MEMORY
    outcome = await bench.python("import sys; sys.exit(3)", limits=limits)
    assert not outcome.flags
    assert outcome.status == 3 << 8


async def test_refused_process_is_charged_to_its_own_run(bench: Bench) -> None:
    source = """
import threading
event = threading.Event()
threads = []
try:
    while len(threads) < 200:
        threads.append(threading.Thread(target=event.wait))
        threads[-1].start()
except RuntimeError:
    threads.pop()
event.set()
for thread in threads:
    thread.join()
"""
    limits = {"processes": 32, "cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS}
    outcome = await bench.python(source, limits=limits)
    assert outcome.status == 0
    outcome = await bench.python("import sys; sys.exit(3)", limits=limits)
    assert not outcome.flags


async def test_memory_limit_does_not_stay_where_a_former_run_took_it(bench: Bench) -> None:
    ample = {"cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS, "memory_bytes": 64 << 20}
    size = 100 << 20
    source = f"import sys\nfor _ in range({size >> 20}): sys.stdout.buffer.write(bytes(1 << 20))"
    more = {"memory_bytes": 256 << 20, "output_bytes": size, "file_bytes": size}
    outcome = await bench.raw(
        RunSpec(
            program=wire.PYTHON_SOURCE,
            limits=replace(LIMITS, **{**ample, **more}),
            source=source.encode(),
        )
    )
    assert outcome is not None
    assert isinstance(outcome.stdout, int)
    await bench.python("pass", limits=ample)  # while the kernel still counts that output
    os.close(outcome.stdout)
    source = "x = bytearray(128 << 20)\nimport time; time.sleep(1)"
    outcome = await bench.python(source, limits=ample)
    assert outcome.flags & wire.OUT_OF_MEMORY


async def test_room_of_a_former_output_is_nobodys(bench: Bench) -> None:
    ample = {"cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS, "memory_bytes": 64 << 20}
    size = 200 << 20
    more = {"memory_bytes": 512 << 20, "output_bytes": size, "file_bytes": size}
    source = f"import sys\nfor _ in range({size >> 20}): sys.stdout.buffer.write(bytes(1 << 20))"
    outcome = await bench.raw(
        RunSpec(
            program=wire.PYTHON_SOURCE,
            limits=replace(LIMITS, **{**ample, **more}),
            source=source.encode(),
        )
    )
    assert outcome is not None
    assert isinstance(outcome.stdout, int)
    # The kernel counts that output until it is closed here, while the next program sleeps.
    asyncio.get_running_loop().call_later(0.5, os.close, outcome.stdout)
    source = "import time; time.sleep(1.5)\nx = b'x' * (150 << 20)"
    outcome = await bench.python(source, limits=ample)
    assert outcome.flags & wire.OUT_OF_MEMORY
    # Whoever stays within the limit is not blamed for it.
    outcome = await bench.python("x = bytearray(30 << 20)", limits=ample)
    assert not outcome.flags


async def test_peak_is_of_the_run_alone(bench: Bench) -> None:
    limits = {"cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS}
    await bench.python("x = bytearray(100 << 20)", limits=limits)
    outcome = await bench.python("pass")
    assert outcome.memory_bytes < 50 << 20


async def test_many_small_processes_over_memory_do_not_take_the_slot_down(bench: Bench) -> None:
    source = """
import os, time
try:
    open('/proc/self/oom_score_adj', 'w').write('0')
except OSError:
    pass
for _ in range(30):
    if os.fork() == 0:
        x = bytearray(5 << 20)
        time.sleep(30)
time.sleep(30)
"""
    before = bench.slot.restarts
    limits = {"memory_bytes": 64 << 20, "wall_ns": 3 * 10**9, "cpu_ns": AMPLE_CPU_NS}
    outcome = await bench.python(source, limits=limits)
    assert outcome.flags & (wire.OUT_OF_MEMORY | wire.WALL_EXCEEDED)
    assert bench.slot.restarts == before
    await usable(bench)


async def test_output_over_the_limit_is_seen_and_cut(bench: Bench) -> None:
    outcome = await bench.python(
        "import sys\nwhile True: sys.stdout.write('x' * 65536)",
        limits={"output_bytes": 100_000, "file_bytes": 200_000},
    )
    assert outcome.flags & wire.OUTPUT_EXCEEDED
    assert len(outcome.stdout) == 100_000
    await usable(bench)


async def test_long_output_within_the_limit_is_complete(bench: Bench) -> None:
    outcome = await bench.python("print('y' * 900_000)")
    assert outcome.stdout == b"y" * 900_000 + b"\n"
    assert not outcome.flags & ~wire.DESCRIPTOR_FLAGS


async def test_files_are_bounded(bench: Bench) -> None:
    source = """
import errno
total = 0
try:
    with open('big', 'wb') as file:
        while True:
            total += file.write(bytes(1 << 20))
except OSError as error:
    print(errno.errorcode[error.errno], total <= 17 << 20)
"""
    outcome = await bench.python(source)
    assert outcome.stdout in (b"ENOSPC True\n", b"EFBIG True\n")
    await usable(bench)


async def test_processes_are_bounded(bench: Bench) -> None:
    source = """
import os, time
made = 0
try:
    for _ in range(500):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        made += 1
except OSError:
    pass
print(made)
"""
    limits = {"processes": 20, "cpu_ns": AMPLE_CPU_NS, "wall_ns": AMPLE_WALL_NS}
    outcome = await bench.python(source, limits=limits)
    if outcome.flags & wire.PROCESSES_EXCEEDED and outcome.signal == signal.SIGKILL:
        # Where no limit of the kernel's holds, pid 1 ends it.
        assert bench.pool.enforcement is Enforcement.RLIMIT
    else:
        assert int(outcome.stdout) < 300
    await usable(bench)


async def test_exit_code_and_signal_are_exact(bench: Bench) -> None:
    outcome = await bench.python("raise SystemExit(37)")
    assert (outcome.exit_code, outcome.signal) == (37, None)
    outcome = await bench.python("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert (outcome.exit_code, outcome.signal) == (None, signal.SIGSEGV)
    outcome = await bench.python("import os; os.abort()")
    assert outcome.signal == signal.SIGABRT


async def test_memory_of_a_crash_is_written_nowhere(bench: Bench) -> None:
    source = """
import os, resource
if not os.fork():
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    os.abort()
print(os.WCOREDUMP(os.wait()[1]), [name for name in os.listdir() if "core" in name])
before = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
print(resource.getrlimit(resource.RLIMIT_CORE) == before)
"""
    outcome = await bench.python(source)
    assert outcome.stdout == b"False []\nTrue\n"


async def test_deep_recursion_has_the_stack_for_it(bench: Bench) -> None:
    source = """
import sys
sys.setrecursionlimit(200_000)
def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)
print(depth(50_000))
"""
    outcome = await bench.python(source)
    assert outcome.stdout == b"50000\n"


async def test_syntax_error_is_told_from_a_crash(bench: Bench) -> None:
    outcome = await bench.python("def f(")
    assert outcome.flags & wire.COMPILE_FAILED
    assert b"SyntaxError" in outcome.stderr
    assert b"zygote" not in outcome.stderr
