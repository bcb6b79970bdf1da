"""Which run goes to the next free slot: bounded, fair between clients, within the host's memory.

Plain callbacks, no task a run.  `fairness` says whose run is due; what is due starts when a slot is
idle and its memory fits.  Two kinds of runs have to wait for others, and must neither starve nor
hold everybody up:

- One whose memory does not fit is *reserved for*.  Others pass it only within the memory that it
  will leave free, so once the runs that are under way now have ended it fits.
- One that wants to be *alone* (a program near its CPU limit is measured again with no other at its
  side) waits for all slots to become idle, and everybody waits for it.  What that may cost the
  others is bounded: see `Allowance`.  Beyond that it is put off until they want nothing, or may
  lose something again; and when it has waited long, or many of its client's do, it runs beside
  the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from scalebox.engine import verdicts
from scalebox.engine.allowance import Allowance
from scalebox.engine.fairness import FairQueue
from scalebox.engine.jobs import Job, RunsPrograms
from scalebox.engine.putoff import PutOff
from scalebox.errors import BadRequestError, QueueFullError, TooLargeError
from scalebox.sandbox.spec import RunOutcome
from scalebox.sandbox.zygote import wire

#: While a run waits for memory, so many clients are looked at for one that can go before it.
_LOOK_PAST = 8
#: No run starts while so much output of earlier ones waits to be looked at.
MAX_RESULT_BYTES = 256 << 20
#: A slot that fails so often in a row to set a run up is replaced.
_FAILURES_OF_A_SLOT = 3
#: For runs alone, slots that others want are idle this share of their time in the long run …
_ALONE_SHARE = 0.05
#: … all of them up to so long at once when there was nothing of the kind for a while …
_ALONE_SAVED_S = 5.0
#: … and some never longer than this for one.
_ALONE_LONGEST_S = 15.0
#: So long a run is put off that cannot be alone, and so many of a client are at a time.
_PUT_OFF_S = 30.0
_MOST_PUT_OFF = 128

log = structlog.get_logger(__name__)


class Scheduler:
    """The queue in front of the slots.

    Parameters:
        max_queued: cases that may be taken and not yet settled; more are refused.
        memory_bytes: what all running programs may use together.
        clock: seconds, monotonic.

    Attributes:
        admitted: cases taken and not yet settled.
        running: runs under way.
        finished, program_cpu_s: runs, and their CPU seconds; since the start.
        slot_failures, setup_failures, unmade: runs that failed for reasons of ours, since the
            start: their slot died; they could not be set up in it; they could not even be made.
        alone, alone_refused: runs alone that were had, and that were not; since the start.
        alone_blocked_s: for how long others waited for them.
        alone_put_off: how often such a run was put off.
        on_idle: called where a slot is idle and nothing waits, however often.
    """

    def __init__(
        self, max_queued: int, memory_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.max_queued = max_queued
        self.memory_bytes = memory_bytes
        self.admitted = 0
        self.running = 0
        self.memory_in_use_bytes = 0
        self.program_cpu_s = 0.0
        self.finished = 0
        self.slot_failures = self.setup_failures = self.unmade = 0
        self.alone = 0
        self.alone_refused = 0
        self.alone_blocked_s = 0.0
        self.alone_put_off = 0
        self.on_idle: Callable[[], None] | None = None
        self._clock = clock
        self._queue = FairQueue()
        self._idle: dict[int, RunsPrograms] = {}
        self._failures: dict[int, int] = {}
        self._dispatching = False
        #: The job that is due and has to wait for others to end; counted among the waiting.
        self._reserved: Job | None = None
        #: How often that was, and the memory of the runs that passed the present one.
        self._hold = 0
        self._passed_bytes = 0
        #: The job that runs alone, and since when somebody has to wait for it.
        self._alone: Job | None = None
        self._blocked_since: float | None = None
        self._put_off = PutOff()
        self._allowance = Allowance(_ALONE_SHARE, _ALONE_SAVED_S, clock())
        self._result_bytes = 0
        self._settled = 0
        self._rate_per_s = 0.0
        self._rate_mark = (clock(), 0)

    @property
    def queued(self) -> int:
        """Jobs that wait."""
        return self._queue.waiting + (self._reserved is not None) + len(self._put_off)

    @property
    def idle(self) -> int:
        """Slots that could start a run."""
        return len(self._idle)

    # --- in --------------------------------------------------------------------------------------

    def admit(self, cases: int, memory_bytes: int) -> None:
        """Take cases, each of which `settle` is told of later.

        Raises:
            QueueFullError: the queue's bound is reached.
            TooLargeError: they would not find room in an empty queue.
            BadRequestError: one run wants more memory than all slots have together.
        """
        if memory_bytes > self.memory_bytes:
            raise BadRequestError(
                f"limits.memory_bytes is {memory_bytes}, more than the {self.memory_bytes} bytes "
                "that this daemon gives to all programs together (engine.memory_bytes)",
                field="limits.memory_bytes",
            )
        if cases > self.max_queued:
            raise TooLargeError(
                f"{cases} cases; the queue takes {self.max_queued} (engine.max_queued_cases)",
                field="tests.cases",
            )
        if self.admitted + cases > self.max_queued:
            raise QueueFullError(
                f"{self.admitted} cases are waiting and the bound is {self.max_queued} "
                "(engine.max_queued_cases); try again later",
                retry_after_s=self.seconds_until_room(cases),
            )
        self.admitted += cases

    def settle(self, cases: int) -> None:
        """Admitted cases have their results, or are not wanted any more."""
        self.admitted -= cases
        self._settled += cases

    def seconds_until_room(self, cases: int) -> float:
        """A guess at when so many cases will find room, from the recent rate."""
        excess = max(1, self.admitted + cases - self.max_queued)
        return min(60.0, max(0.1, excess / max(1.0, self._rate_per_s)))

    def next_age(self) -> int:
        """For jobs that belong together: as old as now, whenever they are queued."""
        return self._queue.next_age()

    def submit(self, jobs: Sequence[Job]) -> None:
        """Queue jobs, and start what can start."""
        for job in jobs:
            self._queue.push(job)
        self._dispatch()

    def cancel(self, job: Job) -> None:
        """The outcome of a job is not wanted; `done` will not be called, if it was not yet."""
        if job.done is None:
            return
        job.cancelled = True
        job.let_go()
        if job.guest is not None:
            self.cancel_guest(job.guest)
        if job.slot is not None:
            job.slot.cancel()
        elif job is self._reserved:
            self._queue.settle(job, 0.0)
            self._end_hold()
            self._unblock()
            self._dispatch()
        elif job in self._put_off:
            self._put_off.remove(job)
            self._queue.settle(job, 0.0)
        else:
            self._queue.withdraw(job)

    def cancel_guest(self, guest: Job) -> None:
        """As `cancel`, of a job that runs, or would run, as another one's guest."""
        if guest.done is None:
            return
        guest.cancelled = True
        guest.let_go()
        if guest.slot is not None:
            guest.slot.cancel()

    def hold_result(self, size_bytes: int) -> None:
        """Output of a run stays in memory until `release_result`."""
        self._result_bytes += size_bytes

    def release_result(self, size_bytes: int) -> None:
        """It was looked at."""
        self._result_bytes -= size_bytes
        self._dispatch()

    # --- slots -----------------------------------------------------------------------------------

    def slot_is_idle(self, slot: RunsPrograms) -> None:
        """A slot can take a run."""
        self._idle[slot.index] = slot
        self._spend()
        self._dispatch()

    def slot_is_gone(self, slot: RunsPrograms) -> None:
        """A slot cannot take runs any more; the end of its run was told before."""
        self._idle.pop(slot.index, None)
        self._failures.pop(slot.index, None)
        self._spend()
        # Others may have waited for that run's memory, or for it to be alone.
        self._dispatch()

    # --- out -------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        # A run that cannot be started ends at once, and its end may queue another: by the loop
        # that is under way, not by recursion.
        if self._dispatching:
            return
        self._dispatching = True
        try:
            while self._idle and self._result_bytes <= MAX_RESULT_BYTES:
                job = self._next()
                if job is None:
                    if self.on_idle is not None and not self.queued:
                        self.on_idle()
                    return
                self._start(job)
        finally:
            self._dispatching = False

    def _next(self) -> Job | None:
        """Take the job that can start now."""
        if self._alone is not None and self._others_wait_for(self._alone):
            return None
        while True:
            reserved = self._reserved
            if reserved is None:
                job = self._due()
                if job is None or self._can_start(job):
                    return job
                if job in self._put_off:
                    continue
                self._reserved = reserved = job
            elif self._can_start(reserved):
                self._end_hold()
                return reserved
            elif reserved in self._put_off:
                self._end_hold()
                continue
            # Two slots are never idle at once while others take each that is.
            return None if reserved.alone or reserved.guest else self._passing(reserved)

    def _due(self) -> Job | None:
        """Take the job whose turn it is, whether or not it can start."""
        if self._put_off and (not self._queue.waiting or self._allowance.left_s(self._clock()) > 0):
            return self._put_off.take()
        job = self._queue.due()
        if job is not None:
            self._queue.take(job)
        return job

    def _can_start(self, job: Job) -> bool:
        if job.guest is not None and len(self._idle) < 2:
            return False
        if job.alone:
            if self._others_wait_for(job):
                if self.running:
                    return False
            elif job.alone:
                return False
        # With nothing running it must, whatever memory it says it needs.
        return not self.running or self._free_bytes() >= job.memory_bytes

    def _free_bytes(self) -> int:
        return self.memory_bytes - self.memory_in_use_bytes

    def _passing(self, reserved: Job) -> Job | None:
        """A job that may go before the one that waits for memory."""
        left_free = self.memory_bytes - reserved.memory_bytes - self._passed_bytes
        room = min(left_free, self._free_bytes())
        found = None
        for _ in range(_LOOK_PAST):
            job = self._queue.due()
            if job is None:
                break
            if job.memory_bytes <= room and not job.alone and job.guest is None:
                self._queue.take(job)
                job.hold = self._hold
                self._passed_bytes += job.memory_bytes
                found = job
                break
            self._queue.set_aside()
        self._queue.restore()
        return found

    def _end_hold(self) -> None:
        self._reserved = None
        self._hold += 1
        self._passed_bytes = 0

    def _start(self, job: Job) -> None:
        slot = self._idle_slot(job.avoid)
        guest = job.guest
        if guest is None:
            self._run(job, slot)
            return
        other = self._idle_slot(guest.avoid)
        self._run(job, slot)
        if guest.cancelled:
            self._idle[other.index] = other
        else:
            self._queue.join(guest)
            self._run(guest, other)

    def _idle_slot(self, avoid: int) -> RunsPrograms:
        index, slot = self._idle.popitem()
        if index == avoid and self._idle:
            other = self._idle.popitem()[1]
            self._idle[index] = slot
            slot = other
        return slot

    def _run(self, job: Job, slot: RunsPrograms) -> None:
        if job.alone:
            self._alone = job
        job.slot = slot
        self.running += 1
        self._spend()
        self.memory_in_use_bytes += job.memory_bytes
        try:
            assert job.make is not None
            slot.run(job.make(), partial(self._finished, job))
        except Exception as error:
            # What the run needs is gone (an evicted blob, no descriptors): not the slot's fault.
            job.error = error
            self._idle[slot.index] = slot
            self._finished(job, None)

    def _finished(self, job: Job, outcome: RunOutcome | None) -> None:
        slot, job.slot = job.slot, None
        if slot is not None:
            job.avoid = slot.index
        self.running -= 1
        self.memory_in_use_bytes -= job.memory_bytes
        if job.hold == self._hold:
            self._passed_bytes -= job.memory_bytes
        if job is self._alone:
            self._alone = None
            self.alone += 1
            self._unblock()
        self.finished += 1
        if outcome is None:
            self._queue.settle(job, None)
            if job.error is not None:
                self.unmade += 1
            else:
                self.slot_failures += 1
                job.failure = slot.failure if slot is not None else ""
        else:
            self.program_cpu_s += outcome.cpu_s
            self.setup_failures += verdicts.is_our_failure(outcome)
            self._queue.settle(job, outcome.cpu_s)
            if slot is not None and (outcome.flags & wire.SETUP_FAILED or self._failures):
                self._judge_slot(slot, outcome)
        done = job.done
        job.let_go()
        if done is None:
            if outcome is not None:
                outcome.close()
            return
        try:
            done(outcome)
        except Exception:
            # Whoever waits for it has a defect; the slot and everybody else go on.
            log.exception("hearing of a run failed")

    def _judge_slot(self, slot: RunsPrograms, outcome: RunOutcome) -> None:
        if not outcome.flags & wire.SETUP_FAILED:
            self._failures.pop(slot.index, None)
            return
        failures = self._failures.get(slot.index, 0) + 1
        self._failures[slot.index] = failures
        if failures >= _FAILURES_OF_A_SLOT:
            self._failures.pop(slot.index)
            slot.kill(f"it failed {failures} times in a row: {outcome.message}")

    # --- alone -----------------------------------------------------------------------------------

    def _others_wait_for(self, job: Job) -> bool:
        """Whether a job may keep an idle slot from others, to run or go on alone.

        If not, it is put off, or not to be alone any more.
        """
        if self._blocked_since is None and self._queue.waiting:
            now = self._clock()
            if self._allowance.left_s(now) <= 0:
                job.alone_until = job.alone_until or now + _PUT_OFF_S
                if (
                    job is self._alone
                    or now >= job.alone_until
                    or self._put_off.of(job.client) >= _MOST_PUT_OFF
                ):
                    self._give_up_alone(job)
                else:
                    self._queue.put_off(job)
                    self._put_off.add(job)
                    self.alone_put_off += 1
                return False
            self._blocked_since = now
            self._spend()
        return True

    def _give_up_alone(self, job: Job) -> None:
        """Let it run, or go on, beside others."""
        job.alone = False
        self.alone_refused += 1
        if job is self._alone:
            self._alone = None
        self._unblock()

    def _spend(self) -> None:
        """The slots that are idle, or their number, have changed: what others lose, if they do."""
        if self._blocked_since is not None:
            idle = len(self._idle)
            self._allowance.spend(idle / max(1, idle + self.running), self._clock())

    def _unblock(self) -> None:
        if self._blocked_since is not None:
            now = self._clock()
            self.alone_blocked_s += now - self._blocked_since
            self._allowance.spend(0.0, now)
            self._blocked_since = None

    def look_after(self) -> None:
        """Called about once a second: bounds how long others wait for a run alone, and measures
        the rate for `Retry-After`."""
        now = self._clock()
        if self._blocked_since is not None and now - self._blocked_since > _ALONE_LONGEST_S:
            job = self._alone or self._reserved
            assert job is not None
            self._give_up_alone(job)
            self._dispatch()
        overdue = self._put_off.overdue(now)
        for job in overdue:
            job.alone = False
            self.alone_refused += 1
            self._queue.give_back(job)
        if overdue:
            self._dispatch()
        then, settled = self._rate_mark
        if now - then >= 1.0:
            rate = (self._settled - settled) / (now - then)
            self._rate_per_s = 0.5 * self._rate_per_s + 0.5 * rate
            self._rate_mark = (now, self._settled)
