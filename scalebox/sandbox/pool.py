"""The bounded pool of slots: starts them at the strongest level that works, replaces the dead.

Finding out what a host allows is done by doing it: the first slot is started at each level that the
configuration admits, strongest first, and the reason why a level failed is kept for the operator.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from scalebox.config import SandboxConfig, default_store_directory
from scalebox.errors import HostError
from scalebox.model import Enforcement, IsolationLevel, SlotStatus
from scalebox.sandbox import cgroups, leftovers, native
from scalebox.sandbox.slot import Slot, SlotPlan, base_environment
from scalebox.sandbox.zygote.trees import remove_tree

_PR_SET_CHILD_SUBREAPER = 36
#: How often slots are looked after.
_TICK_S = 0.25
_FIRST_RESTART_DELAY_S = 0.05
_LONGEST_RESTART_DELAY_S = 10.0
#: A slot that lived this long starts its replacement without delay.
_HEALTHY_S = 5.0

log = structlog.get_logger(__name__)

REMEDY = {
    IsolationLevel.FULL: "run scaleboxd as root (in a container: with CAP_SYS_ADMIN)",
    IsolationLevel.USER: (
        "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
        "user.max_user_namespaces > 0, kernel.apparmor_restrict_unprivileged_userns=0)"
    ),
    IsolationLevel.MINIMAL: "check that the interpreter is Python 3.8 or newer and may be executed",
}


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that zygotes are.

    Attributes:
        path: the executable; empty: there is none.
        binds: paths it needs to read, beside the system's.
        preload, preload_on_demand: as in the configuration.
        problem: why there is none.
    """

    path: str
    binds: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    preload_on_demand: tuple[str, ...] = ()
    problem: str = ""


@dataclass(slots=True)
class _Restart:
    delay_s: float = 0.0
    due_at: float = 0.0
    started_at: float = field(default_factory=time.monotonic)


class Pool:
    """All slots of this daemon.

    Parameters:
        config: the sandbox's configuration.
        interpreter: what zygotes are.
        directory: where staging directories may be made; private to this user.
        max_processes: processes that any run may ask for.
        on_idle: called with a slot whenever it can take a run.
        on_gone: called with a slot when it no longer can.
    """

    def __init__(
        self,
        config: SandboxConfig,
        interpreter: Interpreter,
        directory: Path,
        max_processes: int,
        on_idle: Callable[[Slot], None],
        on_gone: Callable[[Slot], None],
    ) -> None:
        self._config = config
        self._interpreter = interpreter
        self._base = directory
        self._directory = directory / cgroups.own_name()
        self._max_processes = max_processes
        self._on_idle = on_idle
        self._on_gone = on_gone
        self._hierarchy: cgroups.Hierarchy | None = None
        self._restarts: dict[int, _Restart] = {}
        self._changed = asyncio.Event()
        self._closing = False
        self._cores: list[int] = []
        self._native = ""
        self.slots: list[Slot] = []
        self.level = IsolationLevel.MINIMAL
        self.enforcement = Enforcement.RLIMIT
        self.notes: list[str] = []

    # --- start and end ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every slot; returns when the first one is ready.

        Raises:
            HostError: the host does not give the isolation that is demanded.
        """
        if not self._interpreter.path:
            raise HostError(self._interpreter.problem or "there is no Python for slots to run in")
        _prepare_this_process()
        leftovers.remove(self._base)
        self._directory.mkdir(mode=0o700, parents=True)
        self._hierarchy, reasons = cgroups.find(self._config.cgroup_parent)
        if self._hierarchy is not None:
            leftovers.record(self._directory, self._hierarchy.directories())
            self.enforcement = self._hierarchy.enforcement
            self.notes += self._hierarchy.notes
        if self.enforcement is not Enforcement.CGROUP2:
            self.notes += [f"not used: {reason}" for reason in reasons]
            if self._config.isolation == "strict":
                self.close()
                raise HostError(
                    'isolation = "strict" needs cgroup v2 with the memory and pids controllers: '
                    + "; ".join(reasons)
                    + ". Delegate them (systemd: Delegate=yes) or demand less."
                )
        if self._config.accelerator == "auto":
            await self._find_accelerator()
        self._cores = sorted(os.sched_getaffinity(0))
        count = self._config.slots or len(self._cores)
        first = await self._start_first()
        self.level = first.plan.level
        self.notes += first.notes
        self.slots = [first, *(self._make(index, self.level) for index in range(1, count))]
        for slot in self.slots[1:]:
            slot.start()
        self._on_idle(first)

    async def _find_accelerator(self) -> None:
        # Kept apart from the store: a private daemon's is new each time.
        places = [default_store_directory() / "native", self._base.parent / "native"]
        library = await asyncio.to_thread(native.build, places)
        self._native = library.path
        if library.reason:
            self.notes.append(
                f"runs are carried out in Python, at twice the cost: {library.reason}"
            )

    async def _start_first(self) -> Slot:
        failures: list[str] = []
        for level in self._candidates():
            slot = self._make(0, level)
            slot.start()
            while slot.state == "starting":
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _TICK_S)
                slot.look_after(time.monotonic())
            if slot.state == "idle":
                self.notes += [f"not used: {failure}" for failure in failures]
                return slot
            failures.append(f"{level.value}: {slot.failure}; remedy: {REMEDY[level]}")
            slot.close()
        self.close()
        raise HostError(
            f'isolation = "{self._config.isolation}" cannot be had on this host: '
            + "; ".join(failures)
        )

    def _candidates(self) -> Sequence[IsolationLevel]:
        wanted = self._config.isolation
        if wanted == "auto":
            every = [IsolationLevel.FULL, IsolationLevel.USER, IsolationLevel.MINIMAL]
            return every if os.geteuid() == 0 else every[1:]
        return [IsolationLevel.FULL if wanted == "strict" else IsolationLevel(wanted)]

    def _make(self, index: int, level: IsolationLevel) -> Slot:
        cores = self._cores
        uid = driver_uid = None
        if level is not IsolationLevel.MINIMAL:
            uid = self._config.uid_base + 2 * index
        if level is IsolationLevel.FULL:
            driver_uid = self._config.uid_base + 2 * index + 1
        staging = self._directory / f"slot-{index}"
        environment = base_environment()
        if level is IsolationLevel.MINIMAL:
            # There is no /tmp of the slot's own; most programs and all compilers ask this first.
            environment["TMPDIR"] = environment["HOME"] = str(staging / "tmp")
        plan = SlotPlan(
            index=index,
            level=level,
            interpreter=self._interpreter.path,
            uid=uid,
            driver_uid=driver_uid,
            cpus=(cores[index % len(cores)],) if self._config.pin else tuple(cores),
            binds=(*system_binds(), *self._interpreter.binds, *self._config.read_only_paths),
            staging=staging,
            preload=self._interpreter.preload,
            preload_on_demand=self._interpreter.preload_on_demand,
            environment=environment,
            native=self._native,
        )
        cgroup = self._hierarchy.make(index, self._max_processes) if self._hierarchy else None
        self._restarts[index] = _Restart()
        return Slot(plan, cgroup, self._state_changed)

    def close(self) -> None:
        """Kill all slots and remove what was made; blocks for some milliseconds a slot."""
        self._closing = True
        # All at once first, so that they die while others are waited for.
        for slot in self.slots:
            slot.end()
        for slot in self.slots:
            slot.close()
        self.slots = []
        if self._hierarchy is not None:
            self._hierarchy.close()
            self._hierarchy = None
        with contextlib.suppress(OSError):
            remove_tree(str(self._directory))

    # --- life ------------------------------------------------------------------------------------

    def _state_changed(self, slot: Slot) -> None:
        self._changed.set()
        if self._closing:
            return
        if slot.state == "idle" and self.slots:
            self._on_idle(slot)
        elif slot.state == "broken":
            if self.slots:
                log.warning("a slot died", slot=slot.index, reason=slot.failure)
            self._on_gone(slot)
            restart = self._restarts[slot.index]
            now = time.monotonic()
            if now - restart.started_at > _HEALTHY_S:
                restart.delay_s = 0.0
            restart.due_at = now + restart.delay_s
            restart.delay_s = min(
                _LONGEST_RESTART_DELAY_S, max(_FIRST_RESTART_DELAY_S, restart.delay_s * 2)
            )

    async def look_after(self) -> None:
        """Replace broken slots and notice hanging ones, until cancelled."""
        while True:
            await asyncio.sleep(_TICK_S)
            now = time.monotonic()
            for slot in self.slots:
                slot.look_after(now)
                restart = self._restarts[slot.index]
                if slot.state == "broken" and slot.buried and now >= restart.due_at:
                    restart.started_at = now
                    slot.start()

    def status(self) -> list[SlotStatus]:
        """One entry a slot, for operators."""
        return [
            SlotStatus(
                index=slot.index,
                state=slot.state,
                pid=slot.pid,
                runs=slot.runs,
                restarts=max(0, slot.restarts),
            )
            for slot in self.slots
        ]

    @property
    def zygote_cpu_s(self) -> float:
        """CPU seconds of all zygotes since the start."""
        return sum(slot.total_zygote_cpu_s for slot in self.slots)


def system_binds() -> tuple[str, ...]:
    """Where a Linux distribution keeps programs and libraries."""
    # The last is where Debian has GHC's list of its libraries.
    return (
        "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store",
        "/var/lib/ghc",
    )  # fmt: skip


def _prepare_this_process() -> None:
    """Orphans of launchers become ours; a deep stack stays possible in zygotes."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise HostError("this kernel has no child subreaper (Linux >= 3.4)")
    # The kernel lays out a process's memory for the stack limit at exec; a run may then have any
    # stack up to that.
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    largest = 1 << 30
    wanted = largest if hard == resource.RLIM_INFINITY else min(largest, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
