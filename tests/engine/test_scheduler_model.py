"""Whatever happens in whatever order: nothing is lost, run twice, overcommitted or miscounted."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from scalebox.engine import scheduler as scheduling
from scalebox.engine.jobs import Job
from scalebox.sandbox.spec import RunOutcome, RunSpec

from .slots import GIB, SPEC, FakeSlot, Host

SLOTS = 4
MEMORY = 8 * GIB


class SchedulerMachine(RuleBasedStateMachine):
    """A scheduler beside the simplest account of what it was told."""

    jobs = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.host = Host(SLOTS, memory_bytes=MEMORY)
        self.scheduler = self.host.scheduler
        self.waiting: set[Job] = set()
        #: Of pairs that wait: they are not queued themselves.
        self.guests: set[Job] = set()
        self.running: set[Job] = set()
        self.dropped: set[Job] = set()
        self.ended: list[Job] = []
        self.fails: set[Job] = set()

    def new_job(self, client: str, priority: int, memory: int, alone: bool, fails: bool) -> Job:
        def make() -> RunSpec:
            assert job in self.waiting, "started twice, or though it was cancelled"
            self.waiting.remove(job)
            if fails:
                self.fails.add(job)
                raise LookupError("gone")
            self.running.add(job)
            return SPEC

        def done(result: RunOutcome | None) -> None:
            assert job not in self.dropped, "heard of though it was cancelled"
            assert job in self.running or job in self.fails
            self.running.discard(job)
            self.ended.append(job)
            if job in self.fails:
                self.cancel_guest(job)  # as whoever waits for both does

        job = Job(client, priority, memory * GIB, make, done, alone=alone)
        self.waiting.add(job)
        return job

    @rule(
        target=jobs,
        client=st.sampled_from("abc"),
        priority=st.integers(-1, 1),
        memory=st.integers(1, 9),
        alone=st.sampled_from([False, False, False, True]),
        fails=st.sampled_from([False, False, False, True]),
        count=st.integers(1, 4),
    )
    def submit(self, client, priority, memory, alone, fails, count):
        jobs = [self.new_job(client, priority, memory, alone, fails) for _ in range(count)]
        self.scheduler.submit(jobs)
        return multiple(*jobs)

    @rule(
        target=jobs,
        client=st.sampled_from("abc"),
        memory=st.integers(1, 9),
        fails=st.sampled_from([False, False, False, True]),
    )
    def submit_pair(self, client: str, memory: int, fails: bool) -> Job:
        host = self.new_job(client, 0, memory, False, fails)

        def make() -> RunSpec:
            assert guest in self.guests, "started twice, or though it was cancelled"
            assert host in self.running, "started before its host, or long after"
            self.guests.remove(guest)
            self.running.add(guest)
            return SPEC

        def done(result: RunOutcome | None) -> None:
            assert guest not in self.dropped, "heard of though it was cancelled"
            self.running.remove(guest)
            self.ended.append(guest)

        guest = host.guest = Job(client, 0, 0, make, done)
        self.guests.add(guest)
        self.scheduler.submit([host])
        return host

    @rule(job=jobs)
    def cancel(self, job: Job) -> None:
        if job in self.waiting or job in self.running:
            self.waiting.discard(job)
            self.dropped.add(job)
            self.drop_guest(job)
        self.scheduler.cancel(job)

    @rule(job=jobs)
    def cancel_guest(self, job: Job) -> None:
        self.drop_guest(job)
        if job.guest is not None:
            self.scheduler.cancel_guest(job.guest)

    def drop_guest(self, job: Job) -> None:
        if job.guest in self.guests or job.guest in self.running:
            self.guests.discard(job.guest)
            self.dropped.add(job.guest)

    @rule(number=st.integers(0, SLOTS - 1), cpu_s=st.sampled_from([0.0, 0.001, 10.0]))
    def end(self, number: int, cpu_s: float) -> None:
        running = self.host.running()
        if running:
            self.drop_ended(running[number % len(running)])
            running[number % len(running)].end(cpu_s)

    @rule(number=st.integers(0, SLOTS - 1))
    def die(self, number: int) -> None:
        slot = self.host.slots.pop(number % len(self.host.slots))
        self.drop_ended(slot)
        slot.die()
        self.host.slots.append(replacement := FakeSlot(self.host, slot.index))
        self.scheduler.slot_is_idle(replacement)

    def drop_ended(self, slot: FakeSlot) -> None:
        """A cancelled run ends unheard."""
        if slot.busy and slot.cancelled:
            gone = [job for job in self.running & self.dropped if job.slot is slot]
            self.running.difference_update(gone)

    @rule(seconds=st.sampled_from([0.5, 20.0]))
    def pass_time(self, seconds: float) -> None:
        self.host.now += seconds
        self.scheduler.look_after()

    @rule()
    def owe(self) -> None:
        """Others have waited more than enough for runs alone."""
        if self.scheduler._blocked_since is None:
            self.scheduler._allowance.spend(1.0, self.host.now)
            self.host.now += 8.0
            self.scheduler._allowance.spend(0.0, self.host.now)

    @invariant()
    def counts_agree(self) -> None:
        assert self.scheduler.queued == len(self.waiting)
        assert self.scheduler.running == len(self.running) == len(self.host.running())

    @invariant()
    def memory_is_within_the_bound(self) -> None:
        used = [job.memory_bytes for job in self.running]
        assert self.scheduler.memory_in_use_bytes == sum(used)
        assert sum(used) <= MEMORY or len([one for one in used if one]) == 1

    @invariant()
    def what_passes_leaves_room_for_the_one_that_waits(self) -> None:
        reserved, passed = self.scheduler._reserved, self.scheduler._passed_bytes
        assert passed >= 0
        if reserved is not None and passed:
            assert passed + reserved.memory_bytes <= MEMORY
        if reserved is None:
            assert not passed

    @invariant()
    def alone_is_alone(self) -> None:
        if any(job.alone for job in self.running):
            assert len(self.running) == 1

    @invariant()
    def no_slot_idles_for_nothing(self) -> None:
        idle = len(self.host.slots) - len(self.host.running())
        if idle and self.waiting:
            # Somebody waits for memory, or to be alone, or is alone.
            assert self.running

    def teardown(self) -> None:
        """Everything that was not cancelled is heard of, exactly once."""
        while running := self.host.running():
            self.drop_ended(running[0])
            running[0].end()
            self.counts_agree()
        assert not self.waiting
        assert not self.guests
        assert len(self.ended) == len(set(self.ended))
        assert self.scheduler.queued == self.scheduler.running == len(self.scheduler._put_off) == 0
        assert self.scheduler.memory_in_use_bytes == 0
        assert not self.scheduler._queue._heap
        assert all(not client.live for client in self.scheduler._queue._clients.values())


SchedulerMachine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, derandomize=True
)
TestScheduler = SchedulerMachine.TestCase


def test_the_queue_knows_no_more_than_its_interface() -> None:
    """The model above covers every way in: a new one needs a rule there."""
    ways = {name for name in vars(scheduling.Scheduler) if not name.startswith("_")}
    covered = {
        "submit", "cancel", "cancel_guest", "slot_is_idle", "slot_is_gone", "look_after", "queued",
    }  # fmt: skip
    elsewhere = {
        "admit", "idle", "settle", "seconds_until_room", "next_age", "hold_result",
        "release_result",
    }  # fmt: skip
    assert ways == covered | elsewhere
