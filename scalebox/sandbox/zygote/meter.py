"""What a run used: CPU time and peak memory, from the best source this slot was given.

`CgroupMeter` reads files that the launcher opened before the host's file tree went away; the
slot's pid 1 and its runs share the cgroup, so pid 1's own CPU time (known exactly from its process
clock) is subtracted, and memory is counted from a baseline.  `ProcessMeter` walks /proc and uses
rusage: it misses what nobody waited for, and the report's `enforcement` says so.
"""

from __future__ import annotations

import abc
import os
import time

from . import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    import resource

_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
#: Processes of a slot beside the program's: pid 1, a tester, their passing helpers.
_PIDS_SLACK = 16
#: How far the idle slot may grow (page cache, a module loaded on demand) or shrink (what the kernel
#: gave back late) before its limit follows.
_BASELINE_SLACK = 4 << 20
#: What of a resident set may not be the program's own: the text of interpreters and libraries.
_SHARED_SLACK = 32 << 20
#: The least that a cgroup is limited to beyond that: with less no process could be made in it, and
#: the kernel would kill pid 1.  A run with a lower limit is judged by its peak.
_LEAST_LIMIT = 16 << 20
#: A run that held so much beyond its largest resident set (page tables, mostly, which the kernel
#: frees after a grace period of its own: 20 to 30 ms on an idle host) may leave it to the next one,
#: which waits for it, though not for ever: it may be an output that the daemon has not read yet.
_LINGERING = 16 << 20
_LINGER_STEPS = 50
_LINGER_STEP_S = 0.002


def own_cpu_ns() -> int:
    """CPU time of pid 1 itself."""
    return time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID)


def live_pids(own: int, in_pid_namespace: bool) -> list[int]:
    """Every process of the run that is alive: all in the namespace, or our descendants."""
    if in_pid_namespace:
        return [pid for pid in _all_pids() if pid != own]
    return list(descendants(own))


def _all_pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def descendants(own: int) -> dict[int, str]:
    """Our descendants that are alive → when each was born, which tells it from a later process of
    the same number."""
    parents, born = {}, {}
    for pid in _all_pids():
        fields = stat_fields(pid)
        if fields:
            parents[pid] = int(fields[1])
            born[pid] = fields[19]
    found = {}
    for pid in parents:
        ancestor, steps = pid, 0
        # What is looked at one after another need not fit together: there may even be a ring.
        while ancestor in parents and ancestor != own and steps < len(parents):
            ancestor, steps = parents[ancestor], steps + 1
        if ancestor == own and pid != own:
            found[pid] = born[pid]
    return found


def send_signal(pid: int, born: str, number: int) -> None:
    """Send a signal to one of `descendants`, if that is still who has its number: where processes
    come and go by the thousands a number is soon another's, perhaps another user's."""
    try:
        pidfd = kernel.pidfd_open(pid)
    except OSError:
        return
    try:
        fields = stat_fields(pid)
        if fields and fields[19] == born:
            kernel.pidfd_send_signal(pidfd, number)
    except OSError:
        return
    finally:
        os.close(pidfd)


def stat_fields(pid: int) -> list[str] | None:
    """/proc/<pid>/stat after the command name (which may hold spaces): state, ppid, …"""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            text = file.read()
    except OSError:
        return None
    return text[text.rindex(b")") + 2 :].decode().split()


class Delays:
    """For how long a run's threads could have run and had no CPU (schedstat's run delay), from one
    look to the next: what has ended took its own with it, and what is new brings its own.
    """

    def __init__(self) -> None:
        self._seen = {}  # type: dict[str, int]

    def more_ns(self, pids: list[int], apart: int = -1) -> int:
        """Nanoseconds since the last look, of the thread that waited longest: the others may have
        slept.

        Parameters:
            pids: the run's processes.
            apart: one of them that waits while the others work, and they while it does: to theirs
                its own time is added.
        """
        longest = [0, 0]
        seen = {}  # type: dict[str, int]
        for pid in pids:
            for task, total in _delays_ns(pid):
                before = self._seen.get(task, 0)
                # A number may be given again, to one that has waited less.
                more = total - before if total >= before else total
                longest[pid == apart] = max(longest[pid == apart], more)
                seen[task] = total
        self._seen = seen
        return sum(longest)


def _delays_ns(pid: int) -> list[tuple[str, int]]:
    """The threads of a process, and for how long each has waited for a CPU."""
    found = []  # type: list[tuple[str, int]]
    try:
        tasks = os.listdir("/proc/%d/task" % pid)
    except OSError:
        return found
    for task in tasks:
        try:
            with open("/proc/%d/task/%s/schedstat" % (pid, task), "rb") as file:
                found.append((task, int(file.read().split()[1])))
        except (OSError, IndexError, ValueError):
            continue  # that one has ended; the others have not
    return found


def resident_bytes(pid: int) -> int:
    """Memory that a process holds, with its page tables: reading a page of each two megabytes of an
    empty mapping takes nothing else."""
    return _sum_of_fields("/proc/%d/status" % pid, (b"VmRSS", b"VmPTE"))


def own_share_bytes(pid: int) -> int:
    """The same with each shared page divided among those who share it, which takes a walk through
    all of them; 0 where this cannot be read."""
    share = _sum_of_fields("/proc/%d/smaps_rollup" % pid, (b"Pss",))
    return share and share + _sum_of_fields("/proc/%d/status" % pid, (b"VmPTE",))


def _sum_of_fields(path: str, names: tuple[bytes, ...]) -> int:
    total = 0
    try:
        with open(path, "rb") as file:
            for line in file:
                name, _, value = line.partition(b":")
                if name in names:
                    total += int(value.split()[0]) << 10  # "VmRSS:      1234 kB"
    except OSError:
        return 0
    return total


def tasks_of_user() -> int:
    """Processes and threads of this process's user on this host, which RLIMIT_NPROC counts."""
    own = os.getuid()
    total = 0
    try:
        names = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return 0
    for name in names:
        try:
            if os.stat("/proc/" + name).st_uid == own:
                total += tasks(int(name))
        except OSError:
            continue
    return total


def tasks(pid: int) -> int:
    """Its threads, the first one included."""
    fields = stat_fields(pid)
    return int(fields[17]) if fields else 0


class State:
    """What a cgroup's meter remembers from run to run; `native.Zygote` has the same fields.

    Attributes:
        usage_at_start: bytes in the cgroup when the run began.
        idle_usage: bytes that the idle slot needs by itself.
        memory_limit, process_limit: of the last run, bytes and processes.
        oom_kills, pids_hits: counters when they were last looked at.
        lingers: whether the last run may have left much that is still counted.
        cpu_at_start_ns, own_at_start_ns: CPU time of the cgroup, and of pid 1, when it began.
    """

    usage_at_start = idle_usage = 0
    memory_limit = process_limit = -1
    oom_kills = pids_hits = lingers = 0
    cpu_at_start_ns = own_at_start_ns = 0


class Meter(abc.ABC):
    """What both kinds answer for."""

    #: How often, at least, somebody must look while a run lasts.
    poll_interval_ms = 100

    def files(self) -> dict[str, int]:
        """The descriptors that it reads and writes, by name."""
        return {}

    @abc.abstractmethod
    def begin(self, memory_limit: int, processes: int) -> None:
        """A run is about to start."""

    @abc.abstractmethod
    def adopt(self, memory_limit: int, processes: int) -> None:
        """A run was started by somebody else, who has done what `begin` does to the cgroup."""

    @abc.abstractmethod
    def reaped(self, usage: resource.struct_rusage) -> None:
        """A process of the run has ended (its waited-for children are in its usage)."""

    @abc.abstractmethod
    def cpu_ns(self) -> int:
        """CPU time of the run so far."""

    @abc.abstractmethod
    def over_memory(self) -> bool:
        """Whether the run holds more than its limit, where nobody else looks."""

    def over_processes(self) -> bool:
        """Whether the run has more processes than allowed, where nobody else looks."""
        return False

    @abc.abstractmethod
    def finish(self) -> tuple[int, int, bool, bool]:
        """(CPU ns, peak bytes, out of memory, a process was refused)."""


class ProcessMeter(Meter):
    """Without cgroups: rusage of what was reaped plus /proc of what lives."""

    #: Memory is only seen by looking.
    poll_interval_ms = 50

    def __init__(self, own: int, in_pid_namespace: bool) -> None:
        self._own = own
        self._in_pid_namespace = in_pid_namespace
        self._reaped_ns = 0
        self._peak = 0
        self._limit = 0
        self._processes = 0

    def begin(self, memory_limit: int, processes: int) -> None:
        self._reaped_ns = 0
        self._peak = 0
        self._limit = memory_limit
        self._processes = processes

    adopt = begin

    def reaped(self, usage: resource.struct_rusage) -> None:
        self._reaped_ns += int((usage.ru_utime + usage.ru_stime) * 1e9)
        self._peak = max(self._peak, usage.ru_maxrss * 1024)

    def cpu_ns(self) -> int:
        total = self._reaped_ns
        for pid in live_pids(self._own, self._in_pid_namespace):
            fields = stat_fields(pid)
            if fields:
                total += sum(int(value) for value in fields[11:15]) * _TICK_NS
        return total

    def over_memory(self) -> bool:
        pids = live_pids(self._own, self._in_pid_namespace)
        total = sum(resident_bytes(pid) for pid in pids)
        if total > self._limit:
            # What a program had before it forked is not held once more by each child.
            total = sum(own_share_bytes(pid) or resident_bytes(pid) for pid in pids)
        self._peak = max(self._peak, total)
        return total > self._limit

    def over_processes(self) -> bool:
        # RLIMIT_NPROC holds no user who is root outside, and is wide where a user has other
        # processes on this host.
        pids = live_pids(self._own, self._in_pid_namespace)
        return sum(map(tasks, pids)) > self._processes + _PIDS_SLACK

    def finish(self) -> tuple[int, int, bool, bool]:
        # A child's largest resident set begins with what it had of ours before its program, which
        # says nothing of that.
        inherited = resident_bytes(self._own)
        return self._reaped_ns, self._peak, self._peak > max(self._limit, inherited), False


class CgroupMeter(Meter):
    """A cgroup of either version; descriptors by file name, none where this host lacks one.

    Parameters:
        files: `cpu` (v2 cpu.stat), `usage`, `peak`, `limit`, `events` (memory.events or
            memory.oom_control), `pids` (pids.events), `pids_max`.
        peak_resets: whether writing to `peak` starts a new maximum (v1; v2 from Linux 6.12).
        version: of the memory controller.
        state: where to remember.
    """

    def __init__(
        self, files: dict[str, int], peak_resets: bool, version: int, state: State
    ) -> None:
        self._files = files
        self._peak_resets = peak_resets
        self._reset = b"0" if version == 1 else b"reset"
        self._no_limit = b"-1" if version == 1 else b"max"
        self._state = state
        self._peak_rss = 0
        state.idle_usage = self._number("usage")
        state.memory_limit = -1
        state.oom_kills = self._counter("events", b"oom_kill ")
        state.pids_hits = self._counter("pids", b"max ")

    def files(self) -> dict[str, int]:
        return self._files

    def begin(self, memory_limit: int, processes: int) -> None:
        self._peak_rss = 0
        state = self._state
        state.usage_at_start = self._usage_at_rest()
        moved = abs(state.usage_at_start - state.idle_usage) > _BASELINE_SLACK
        if "limit" in self._files and (moved or memory_limit != state.memory_limit):
            state.idle_usage = state.usage_at_start
            text = b"%d" % (state.idle_usage + max(memory_limit, _LEAST_LIMIT))
            os.pwrite(self._files["limit"], text, 0)
        state.memory_limit = memory_limit
        if "pids_max" in self._files and processes != state.process_limit:
            os.pwrite(self._files["pids_max"], b"%d" % (processes + _PIDS_SLACK), 0)
            state.process_limit = processes
        if self._peak_resets:
            os.pwrite(self._files["peak"], self._reset, 0)
        state.own_at_start_ns = own_cpu_ns()
        state.cpu_at_start_ns = self._group_cpu_ns()

    def adopt(self, memory_limit: int, processes: int) -> None:
        self._peak_rss = 0

    def reaped(self, usage: resource.struct_rusage) -> None:
        # The largest resident set, for hosts whose cgroups do not tell a run's peak.
        self._peak_rss = max(self._peak_rss, usage.ru_maxrss * 1024)

    def cpu_ns(self) -> int:
        used = self._group_cpu_ns() - self._state.cpu_at_start_ns
        return max(0, used - (own_cpu_ns() - self._state.own_at_start_ns))

    def over_memory(self) -> bool:
        return False  # the kernel looks, and kills

    def finish(self) -> tuple[int, int, bool, bool]:
        cpu = self.cpu_ns()
        state = self._state
        peak = self._peak_rss
        if "peak" in self._files:
            peak = max(0, self._number("peak") - state.usage_at_start)
        unlimited = "limit" not in self._files or state.memory_limit < _LEAST_LIMIT
        unlimited_and_over = unlimited and peak > state.memory_limit
        # Also of a run that ended well: its children may not have, and what is not counted here
        # would be taken for the next run's.
        oom_kills = self._counter("events", b"oom_kill ")
        pids_hits = self._counter("pids", b"max ")
        killed, refused = oom_kills > state.oom_kills, pids_hits > state.pids_hits
        state.oom_kills, state.pids_hits = oom_kills, pids_hits
        over = unlimited_and_over or self._over_by_what_left()
        told = "peak" in self._files and self._peak_resets
        state.lingers = peak - self._peak_rss > _LINGERING if told else killed
        if killed and "limit" in self._files:
            # What the program held may still be counted, and nobody but pid 1 is left to be killed
            # for the next page.
            os.pwrite(self._files["limit"], self._no_limit, 0)
            state.memory_limit = -1
        return cpu, peak, killed or over, refused

    def _usage_at_rest(self) -> int:
        usage, steps = self._number("usage"), 0
        state = self._state
        while state.lingers and steps < _LINGER_STEPS:
            if usage - state.idle_usage <= _BASELINE_SLACK:
                break
            time.sleep(_LINGER_STEP_S)
            usage, steps = self._number("usage"), steps + 1
        return usage

    def _over_by_what_left(self) -> bool:
        """Whether the run held too much in the room of what was still counted when it began.

        An output of the run before it is counted until the daemon has read it, and so raises the
        limit: else a right program would be killed for it.  Once it is gone its room is anybody's.
        """
        limit, usage = self._state.memory_limit, self._number("usage")
        left = self._state.usage_at_start - usage > _BASELINE_SLACK
        if not left or self._peak_rss <= limit + _SHARED_SLACK:
            return False
        if "peak" not in self._files or not self._peak_resets:
            # Nobody tells this run's peak: what the largest process held beyond what it began with.
            return self._peak_rss - resident_bytes(os.getpid()) > limit + _SHARED_SLACK
        return self._number("peak") - usage > limit

    def _group_cpu_ns(self) -> int:
        text = os.pread(self._files["cpu"], 64, 0)  # "usage_usec N\nuser_usec …"
        return int(text[11 : text.index(b"\n")]) * 1000

    def _number(self, name: str) -> int:
        if name not in self._files:
            return 0
        return int(os.pread(self._files[name], 32, 0))

    def _counter(self, name: str, key: bytes) -> int:
        if name not in self._files:
            return 0
        for line in os.pread(self._files[name], 4096, 0).splitlines():
            if line.startswith(key):
                return int(line[len(key) :])
        return 0
