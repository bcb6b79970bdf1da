"""Slots that run nothing: a test says when and how each run ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scalebox.engine.jobs import Job
from scalebox.engine.scheduler import Scheduler
from scalebox.sandbox.spec import RunLimits, RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire

GIB = 1 << 30
SPEC = RunSpec(
    program=wire.PYTHON_SOURCE,
    limits=RunLimits(10**9, 10**9, GIB, 1 << 20, 1 << 20, 10, 100, 1 << 20),
)


def outcome(cpu_s: float = 0.001, flags: int = 0, stdout: bytes | int = b"") -> RunOutcome:
    """How a run ended."""
    return RunOutcome(flags, 0, None, cpu_s, cpu_s, 0, stdout, b"", b"", [], "said", {}, 0.0)


class FakeSlot:
    """A slot of which a test decides when its run is over."""

    def __init__(self, host: Host, index: int) -> None:
        self.index = index
        self.spec: RunSpec | None = None
        self.cancelled = False
        self.killed = ""
        self.failure = ""
        self._host = host
        self._done: Callable[[RunOutcome | None], None] | None = None

    @property
    def busy(self) -> bool:
        return self._done is not None

    def run(self, spec: RunSpec, done: Callable[[RunOutcome | None], None]) -> None:
        assert not self.busy, "two runs in one slot"
        assert not self.killed, "a run for a dead slot"
        if self._host.refuses:
            raise OSError("no descriptors")
        self.spec, self._done, self.cancelled = spec, done, False

    def cancel(self) -> None:
        assert self.busy
        self.cancelled = True

    def kill(self, reason: str) -> None:
        self.killed = reason
        self._host.scheduler.slot_is_gone(self)

    def end(self, cpu_s: float = 0.001, flags: int = 0) -> None:
        """The run at hand is over."""
        done, self._done = self._done, None
        assert done is not None
        done(outcome(cpu_s, flags | (wire.CANCELLED if self.cancelled else 0)))
        if not self.killed:
            self._host.scheduler.slot_is_idle(self)

    def die(self) -> None:
        """The slot ends under its run, or idle."""
        done, self._done = self._done, None
        if done is not None:
            done(None)
        self._host.scheduler.slot_is_gone(self)


class Host:
    """A scheduler with fake slots and a clock that only a test moves."""

    def __init__(
        self, slots: int = 1, memory_bytes: int = 100 * GIB, max_queued: int = 1000
    ) -> None:
        self.now = 0.0
        self.refuses = False
        self.scheduler = Scheduler(max_queued, memory_bytes, lambda: self.now)
        self.slots = [FakeSlot(self, index) for index in range(slots)]
        #: Names of jobs, as they started and as their ends were heard of.
        self.started: list[str] = []
        self.heard: list[tuple[str, RunOutcome | None]] = []
        for slot in self.slots:
            self.scheduler.slot_is_idle(slot)

    def job(self, name: str, client: str = "c", **more: Any) -> Job:
        """A job that records what becomes of it."""

        def make() -> RunSpec:
            self.started.append(name)
            return SPEC

        def done(result: RunOutcome | None) -> None:
            self.heard.append((name, result))

        memory_bytes = more.pop("memory_bytes", GIB)
        return Job(client, more.pop("priority", 0), memory_bytes, make, done, **more)

    def submit(self, *names: str, **more: Any) -> list[Job]:
        """Queue jobs of these names."""
        jobs = [self.job(name, **more) for name in names]
        self.scheduler.submit(jobs)
        return jobs

    def running(self) -> list[FakeSlot]:
        return [slot for slot in self.slots if slot.busy]

    def work(self, cpu_s: float = 0.001) -> None:
        """End runs, whoever's, until there are none."""
        while running := self.running():
            running[0].end(cpu_s)
