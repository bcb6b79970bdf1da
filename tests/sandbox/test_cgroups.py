"""Cgroups of whichever kind this host gives: used where they can be, exact, and removed.

`make cgroup-test` runs these where version 2 has its controllers; here they hold for what there is.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from scalebox.model import Enforcement, IsolationLevel
from scalebox.sandbox import cgroups
from scalebox.sandbox.zygote import wire
from tests import unprivileged
from tests.sandbox.conftest import Bench, open_pool

_COUNTER = itertools.count(1)
ROOT = Path(__file__).parent.parent.parent
LEVEL = "user" if os.geteuid() else "full"
AMPLE = {"cpu_ns": 20_000_000_000, "wall_ns": 40_000_000_000}


def cpu_granule_s() -> float:
    """The steps in which this kernel counts CPU time: nanoseconds, or whole ticks of its timer."""
    steps = []
    last = time.process_time()
    while len(steps) < 5:
        now = time.process_time()
        if now > last:
            steps.append(now - last)
            last = now
    return min(steps)


# --- what this host has, read independently of the code under test -------------------------------


def mounted(kind: str) -> list[tuple[Path, list[str]]]:
    """Mount points of a kind of file system, and their options."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        if after.split()[0] == kind:
            found.append((Path(before.split()[4]), after.split()[2].split(",")))
    return found


def own_group() -> Path | None:
    """Our version 2 group."""
    tops = [top for top, _ in mounted("cgroup2")]
    paths = [
        line[3:].lstrip("/")
        for line in Path("/proc/self/cgroup").read_text().splitlines()
        if line.startswith("0::")
    ]
    return tops[0] / paths[0] if tops and paths else None


def has_controllers(group: Path) -> bool:
    """Whether a version 2 group of this user's may give memory and pids to its children."""
    controllers = (group / "cgroup.controllers").read_text().split()
    return {"memory", "pids"} <= set(controllers) and os.access(group / "cgroup.procs", os.W_OK)


def is_exempt(group: Path) -> bool:
    """Whether processes may stay where children have controllers: in the host's top group."""
    return not (group / "cgroup.type").exists()


def is_alone(group: Path) -> bool:
    """Whether no other process is in this process's group."""
    return (group / "cgroup.procs").read_text().split() == [str(os.getpid())]


def expected() -> Enforcement:
    """The best that this process can have here."""
    group = own_group()
    if group is None:
        return Enforcement.RLIMIT
    if has_controllers(group) and (is_exempt(group) or is_alone(group)):
        return Enforcement.CGROUP2
    first = {option: top for top, options in mounted("cgroup") for option in options}
    lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    for controller in ("memory", "pids"):
        for _, names, path in lines:
            if controller in names.split(",") and controller in first:
                here = first[controller] / path.lstrip("/")
                if os.access(here if here.is_dir() else first[controller], os.W_OK):
                    break
        else:
            return Enforcement.RLIMIT
    return Enforcement.CGROUP1 if os.access(group, os.W_OK) else Enforcement.RLIMIT


VERSION_2 = (group := own_group()) is not None and has_controllers(group)


# --- tests ---------------------------------------------------------------------------------------


async def test_the_best_that_this_host_gives_is_used(tmp_path: Path) -> None:
    wanted = expected()
    pool = await open_pool(LEVEL, tmp_path)
    try:
        assert pool.enforcement is wanted, pool.notes
    finally:
        pool.close()


async def test_nothing_is_left_and_the_daemon_is_back_where_it_was(tmp_path: Path) -> None:
    before = Path("/proc/self/cgroup").read_text()
    group = own_group()
    groups = sorted(group.iterdir()) if group else []
    given = (group / "cgroup.subtree_control").read_text() if group else ""
    pool = await open_pool(LEVEL, tmp_path, slots=2)
    pool.close()
    assert Path("/proc/self/cgroup").read_text() == before
    assert not list((tmp_path / "slots").iterdir())
    if group and not is_exempt(group):
        assert sorted(group.iterdir()) == groups
        assert (group / "cgroup.subtree_control").read_text() == given


async def test_time_of_children_that_nobody_waits_for_counts(bench: Bench) -> None:
    source = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
reading, writing = os.pipe()
if os.fork() == 0:
    while time.process_time() < 0.3:
        pass
    os._exit(0)
os.close(writing)
os.read(reading, 1)
"""
    outcome = await bench.python(source, limits=AMPLE)
    assert outcome.status == 0
    if bench.pool.enforcement is not Enforcement.RLIMIT:
        assert outcome.cpu_s >= 0.3 - 2 * cpu_granule_s()


async def test_memory_of_many_processes_together_is_limited(bench: Bench) -> None:
    source = """
import os
reading, writing = os.pipe()
for _ in range(8):
    if os.fork() == 0:
        hold = bytearray(20 << 20)
        os.write(writing, b'x')
        os.read(reading, 1000)
        os._exit(0)
while True:
    os.wait()
"""
    outcome = await bench.python(source, limits={**AMPLE, "memory_bytes": 64 << 20})
    if bench.pool.enforcement is not Enforcement.RLIMIT:
        assert outcome.flags & wire.OUT_OF_MEMORY
    assert bench.slot.state == "idle"


async def test_more_processes_than_a_run_may_have_are_refused(bench: Bench) -> None:
    source = """
import os, time
made = 0
try:
    for _ in range(200):
        if os.fork() == 0:
            time.sleep(100)
        made += 1
    print(made)
except OSError as error:
    print(made, error.strerror)
"""
    outcome = await bench.python(source, limits={**AMPLE, "processes": 50, "memory_bytes": 1 << 30})
    root = os.geteuid() == 0 and bench.level is not IsolationLevel.FULL
    if bench.pool.enforcement is Enforcement.RLIMIT and root:
        return  # the kernel limits nothing for the host's root but by cgroups
    made, words = outcome.stdout.split(b" ", 1)
    assert int(made) <= 50 + cgroups.PIDS_SLACK
    assert words == b"Resource temporarily unavailable\n"
    if root:
        assert outcome.flags & wire.PROCESSES_EXCEEDED


async def test_peak_of_a_smaller_run_is_not_that_of_a_larger_one_before(bench: Bench) -> None:
    sizes = (90, 30, 60)
    peaks = []
    for size in sizes:
        outcome = await bench.python(f"x = bytearray({size} << 20)", limits=AMPLE)
        assert not outcome.flags
        peaks.append(outcome.memory_bytes >> 20)
    for size, peak in zip(sizes, peaks, strict=True):
        assert size <= peak < size + 30, peaks


def test_a_group_is_killed_whatever_is_in_it() -> None:
    hierarchy, _ = cgroups.find("")
    if hierarchy is None:
        return
    try:
        slot = hierarchy.make(0, 64)
        program = "import os, signal; os.setsid(); os.fork(); os.kill(os.getpid(), signal.SIGSTOP)"
        child = start_in(slot.procs, program)
        os.waitid(os.P_PID, child, os.WSTOPPED | os.WNOWAIT)
        slot.kill()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        slot.remove()
        assert not any(directory.exists() for directory in slot.directories)
    finally:
        hierarchy.close()


def start_in(procs: list[str], program: str) -> int:
    """A Python program, in a group from its first instruction; its process id."""
    child = os.fork()
    if child == 0:
        try:
            for path in procs:
                Path(path).write_text("0")
            os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", program])
        finally:
            os._exit(127)
    return child


#: A daemon as far as cgroups go: makes a slot's group with somebody in it, and waits.
DAEMON = """
import os, subprocess, sys
from scalebox.sandbox import cgroups
hierarchy, reasons = cgroups.find(sys.argv[1])
if hierarchy is None:
    print("; ".join(reasons).replace("\\n", " "))
else:
    slot = hierarchy.make(0, 64)
    def join():
        for path in slot.procs:
            open(path, "w").write("0")
    nowhere = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    sleeper = subprocess.Popen(["sleep", "1000"], preexec_fn=join, **nowhere)
    print("made", sleeper.pid, *slot.directories)
sys.stdout.flush()
sys.stdin.read()
if hierarchy is not None:
    slot.kill()
    slot.remove()
    hierarchy.close()
"""


@contextlib.contextmanager
def daemon(group: str, where: Path | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Such a daemon, working under `group`, started in the cgroup `where`; and what it said."""

    def join() -> None:
        if where is not None:
            (where / "cgroup.procs").write_text("0")

    process = subprocess.Popen(
        [sys.executable, "-c", DAEMON, group],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        preexec_fn=join,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def group_beside_ours() -> Iterator[tuple[str, Path]]:
    """A version 2 group with controllers and without processes: its name, its directory."""
    group = own_group()
    assert group is not None
    parent = group if is_exempt(group) else group.parent
    made = parent / f"scalebox-test-{os.getpid()}-{next(_COUNTER)}"
    made.mkdir()
    try:
        yield "/" + str(made.relative_to(mounted("cgroup2")[0][0])), made
    finally:
        cgroups.remove_group_tree(made)


@contextlib.contextmanager
def place_for_daemons() -> Iterator[tuple[str, Path | None]]:
    """A group to name, and to start in: on hosts without controllers of version 2, our own."""
    if VERSION_2:
        with group_beside_ours() as (name, group):
            yield name, group
    else:
        yield "", None


def is_dead(pid: int) -> bool:
    """Waits for the end of a process that is no child."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], 60)[0])
    finally:
        os.close(pidfd)


def test_groups_of_a_killed_daemon_go_with_the_next_start() -> None:
    with place_for_daemons() as (name, group), daemon(name, group) as (process, said):
        if not said.startswith("made"):
            assert expected() is Enforcement.RLIMIT, said
            return
        words = said.split()
        sleeper, directories = int(words[1]), [Path(word) for word in words[2:]]
        process.kill()
        process.wait()
        assert all(directory.exists() for directory in directories)
        with daemon(name) as (other, said_next):
            assert said_next.startswith("made"), said_next
            assert is_dead(sleeper)
            assert not any(directory.exists() for directory in directories)
            other.communicate()


def test_groups_of_a_live_daemon_stay() -> None:
    with place_for_daemons() as (name, group), daemon(name, group) as (process, said):
        if not said.startswith("made"):
            assert expected() is Enforcement.RLIMIT, said
            return
        words = said.split()
        directories = [Path(word) for word in words[2:]]
        with daemon(name) as (other, said_next):
            assert said_next.startswith("made"), said_next
            assert all(directory.exists() for directory in directories)
            other.communicate()
            assert other.returncode == 0
        os.kill(int(words[1]), 0)
        process.communicate()
        assert process.returncode == 0
        assert not any(directory.exists() for directory in directories)


def test_strangers_in_the_daemons_group_are_named() -> None:
    if not VERSION_2:
        return
    with group_beside_ours() as (_, group):
        stranger = start_in([str(group / "cgroup.procs")], "import signal; signal.pause()")
        try:
            with daemon("", group) as (_, said):
                assert f"other processes are in {group} ({stranger} python" in said
                assert "sandbox.cgroup_parent" in said
        finally:
            os.kill(stranger, signal.SIGKILL)
            os.waitpid(stranger, 0)


def test_a_group_that_is_not_there_is_named() -> None:
    hierarchy, reasons = cgroups.find("/no/such/group")
    if hierarchy is not None:
        # Version 1 has its own places and does not look at this.
        hierarchy.close()
    assert "cgroup2" in reasons[0]
    assert "/no/such/group" in reasons[0] or "not mounted" in reasons[0]


async def test_a_slot_survives_its_programs_using_up_all_memory_again_and_again(
    bench: Bench,
) -> None:
    pid = bench.slot.pid
    for _ in range(5):
        outcome = await bench.python(
            "x = bytearray(1 << 30)", limits={**AMPLE, "memory_bytes": 32 << 20}
        )
        assert outcome.status != 0
    assert (await bench.python("print('well')")).stdout == b"well\n"
    assert bench.slot.pid == pid


async def test_limits_follow_each_run(bench: Bench) -> None:
    for limit in (32, 512, 32):
        outcome = await bench.python(
            "x = bytearray(64 << 20)", limits={**AMPLE, "memory_bytes": limit << 20}
        )
        assert bool(outcome.flags & wire.OUT_OF_MEMORY) == (limit < 64), limit


def test_what_another_user_left_is_not_waited_for() -> None:
    with tempfile.TemporaryDirectory(prefix="sb-test-", dir="/tmp") as name:
        folder = Path(name)
        (folder / "group").mkdir()
        # Whoever waits does so for longer than this test has.
        forever = (
            "from pathlib import Path; from scalebox.sandbox.cgroups import remove_group; "
            f"print(remove_group(Path({str(folder / 'group')!r}), 1e9))"
        )
        words = [sys.executable, "-c", forever]
        if os.geteuid() == 0:
            words = unprivileged.command(words)
        folder.chmod(0o555)
        try:
            done = subprocess.run(
                words, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
            )
        finally:
            folder.chmod(0o755)
    assert done.stdout == "False\n", done.stderr
