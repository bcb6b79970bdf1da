"""Which run goes to the next free slot: a bounded queue, fair between clients, aware of memory.

Plain callbacks, no task a run.  Fairness is in CPU seconds: every client has a virtual clock that
its runs push forward, and the one whose clock is furthest behind goes next; a client that comes new
or returns starts at the common clock, so that idleness earns nothing.  Within a client the priority
decides, then age.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from scalebox.errors import BadRequestError, QueueFullError
from scalebox.sandbox.spec import RunOutcome, RunSpec

#: What a run is thought to cost before it is over; the truth replaces it then.
_ASSUMED_CPU_S = 0.002
#: A client's clock is kept this long after its last run, so that leaving and coming back gains
#: nothing worth the effort; and only so many are kept.
_REMEMBERED_CLIENTS = 10_000
#: Compilations go before cases of the same client: the cases wait for them.
COMPILE_PRIORITY = 1_000


class RunsPrograms(Protocol):
    """What the scheduler needs of a slot."""

    index: int

    def run(self, spec: RunSpec, done: Callable[[RunOutcome | None], None]) -> None:
        """Start a run; `done` comes once."""

    def cancel(self) -> None:
        """Stop the run at hand."""


class Job:
    """One run that waits or is at it.

    Parameters:
        client: whose it is, for fairness.
        priority: higher goes first among the client's own.
        memory_bytes: what the run may use.
        make: gives the spec when a slot is there; not called if cancelled before.
        done: called once with the outcome, or None if the slot died or `make` failed (then `error`
            says why); never after `cancel`.
    """

    __slots__ = (
        "cancelled", "client", "done", "error", "make", "memory_bytes", "priority", "slot",
    )  # fmt: skip

    def __init__(
        self,
        client: str,
        priority: int,
        memory_bytes: int,
        make: Callable[[], RunSpec],
        done: Callable[[RunOutcome | None], None],
    ) -> None:
        self.client = client
        self.priority = priority
        self.memory_bytes = memory_bytes
        self.make = make
        self.done = done
        self.cancelled = False
        self.error: Exception | None = None
        self.slot: RunsPrograms | None = None


class _Client:
    __slots__ = ("clock_s", "in_heap", "jobs")

    def __init__(self, clock_s: float) -> None:
        self.clock_s = clock_s
        self.jobs: list[tuple[int, int, Job]] = []
        self.in_heap = False


class Scheduler:
    """The queue in front of the slots.

    Parameters:
        max_queued: jobs that may wait; more are refused.
        memory_bytes: what all running programs may use together.
    """

    def __init__(self, max_queued: int, memory_bytes: int) -> None:
        self.max_queued = max_queued
        self.memory_bytes = memory_bytes
        self.queued = 0
        self.running = 0
        self.memory_in_use_bytes = 0
        self.program_cpu_s = 0.0
        self.finished = 0
        self.slot_failures = 0
        self._clients: dict[str, _Client] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._sequence = itertools.count()
        self._clock_s = 0.0
        self._idle: dict[int, RunsPrograms] = {}
        self._rate_per_s = 0.0
        self._rate_mark = (time.monotonic(), 0)

    # --- in --------------------------------------------------------------------------------------

    def check_room(self, jobs: int, memory_bytes: int) -> None:
        """Whether so many more may come.

        Raises:
            QueueFullError: the queue's bound is reached.
            BadRequestError: one run wants more memory than all slots have together.
        """
        if memory_bytes > self.memory_bytes:
            raise BadRequestError(
                f"limits.memory_bytes is {memory_bytes}, more than the {self.memory_bytes} bytes "
                "that this daemon gives to all programs together (engine.memory_bytes)",
                field="limits.memory_bytes",
            )
        if self.queued + jobs > self.max_queued:
            raise QueueFullError(
                f"{self.queued} cases are waiting and the bound is {self.max_queued} "
                "(engine.max_queued_cases); try again later",
                retry_after_s=self.seconds_until_room(jobs),
            )

    def seconds_until_room(self, jobs: int) -> float:
        """A guess at when so many jobs will find room, from the recent rate."""
        excess = max(1, self.queued + jobs - self.max_queued)
        return min(60.0, max(0.1, excess / max(1.0, self._rate_per_s)))

    def submit(self, jobs: Sequence[Job]) -> None:
        """Queue jobs (after `check_room`), and start what can start."""
        for job in jobs:
            self._push(job)
        self._dispatch()

    def cancel(self, job: Job) -> None:
        """The job's outcome is not wanted any more; `done` will not be called."""
        if job.cancelled:
            return
        job.cancelled = True
        if job.slot is not None:
            job.slot.cancel()
        else:
            # It stays in its heap until it comes up; the count must not wait for that.
            self.queued -= 1

    def _push(self, job: Job) -> None:
        client = self._clients.get(job.client)
        if client is None:
            if len(self._clients) >= _REMEMBERED_CLIENTS:
                self._forget_clients()
            client = self._clients[job.client] = _Client(self._clock_s)
        heapq.heappush(client.jobs, (-job.priority, next(self._sequence), job))
        self.queued += 1
        if not client.in_heap:
            client.clock_s = max(client.clock_s, self._clock_s)
            client.in_heap = True
            heapq.heappush(self._heap, (client.clock_s, next(self._sequence), job.client))

    def _forget_clients(self) -> None:
        for name in [n for n, c in self._clients.items() if not c.in_heap]:
            del self._clients[name]

    # --- out -------------------------------------------------------------------------------------

    def slot_is_idle(self, slot: RunsPrograms) -> None:
        """A slot can take a run."""
        self._idle[slot.index] = slot
        self._dispatch()

    def slot_is_gone(self, slot: RunsPrograms) -> None:
        """A slot that was idle cannot take runs any more."""
        self._idle.pop(slot.index, None)

    def _dispatch(self) -> None:
        while self._idle:
            job = self._next()
            if job is None:
                return
            _, slot = self._idle.popitem()
            self._start(job, slot)

    def _next(self) -> Job | None:
        """Take the job that is due, unless it must wait for memory."""
        while self._heap:
            clock_s, _, name = self._heap[0]
            client = self._clients[name]
            while client.jobs and client.jobs[0][2].cancelled:
                heapq.heappop(client.jobs)
            if not client.jobs:
                heapq.heappop(self._heap)
                client.in_heap = False
                continue
            if client.clock_s > clock_s:
                # Its clock went on since it was queued: back to its true place.
                heapq.heapreplace(self._heap, (client.clock_s, next(self._sequence), name))
                continue
            job = client.jobs[0][2]
            if self.running and self.memory_in_use_bytes + job.memory_bytes > self.memory_bytes:
                # Everyone waits, so that a large run is not passed over for ever.
                return None
            heapq.heappop(client.jobs)
            self.queued -= 1
            self._clock_s = client.clock_s
            client.clock_s += _ASSUMED_CPU_S
            return job
        return None

    def _start(self, job: Job, slot: RunsPrograms) -> None:
        job.slot = slot
        self.running += 1
        self.memory_in_use_bytes += job.memory_bytes
        try:
            spec = job.make()
        except Exception as error:
            # What the run needs is gone (an evicted blob, no descriptors): not the slot's fault.
            job.error = error
            self._idle[slot.index] = slot
            self._finished(job, None)
            return

        def finished(outcome: RunOutcome | None) -> None:
            self._finished(job, outcome)

        slot.run(spec, finished)

    def _finished(self, job: Job, outcome: RunOutcome | None) -> None:
        job.slot = None
        self.running -= 1
        self.memory_in_use_bytes -= job.memory_bytes
        self.finished += 1
        if outcome is None:
            self.slot_failures += 1
        else:
            self.program_cpu_s += outcome.cpu_s
            client = self._clients.get(job.client)
            if client is not None:
                client.clock_s += outcome.cpu_s - _ASSUMED_CPU_S
        if not job.cancelled:
            job.done(outcome)
        elif outcome is not None:
            outcome.close()

    def measure(self) -> None:
        """Called regularly: the rate at which jobs finish, for `Retry-After`."""
        now = time.monotonic()
        then, finished = self._rate_mark
        if now - then >= 1.0:
            self._rate_per_s = 0.5 * self._rate_per_s + 0.5 * (self.finished - finished) / (
                now - then
            )
            self._rate_mark = (now, self.finished)
