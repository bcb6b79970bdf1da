"""The queue's bounds, memory, cancelling, and slots that fail."""

from __future__ import annotations

import pytest

from scalebox.engine import scheduler as scheduling
from scalebox.engine.jobs import Job
from scalebox.errors import BadRequestError, QueueFullError, TooLargeError
from scalebox.sandbox.zygote import wire

from .slots import GIB, Host


def names_heard(host: Host) -> list[str]:
    return [name for name, _ in host.heard]


# --- the queue's bound ----------------------------------------------------------------------------


def test_over_the_bound_there_is_a_refusal_that_says_when_to_return() -> None:
    host = Host(max_queued=100)
    host.scheduler.admit(60, GIB)
    host.scheduler.admit(40, GIB)
    with pytest.raises(
        QueueFullError, match=r"100 cases are waiting.*engine\.max_queued"
    ) as caught:
        host.scheduler.admit(1, GIB)
    assert 0 < caught.value.retry_after_s <= 60
    host.scheduler.settle(30)
    host.scheduler.admit(30, GIB)


def test_what_never_finds_room_is_not_told_to_return() -> None:
    host = Host(max_queued=100)
    with pytest.raises(TooLargeError, match=r"101 cases; the queue takes 100"):
        host.scheduler.admit(101, GIB)


def test_cases_count_before_they_are_queued() -> None:
    # A submission whose program is being compiled has no jobs yet.
    host = Host(max_queued=10)
    host.scheduler.admit(10, GIB)
    assert host.scheduler.queued == 0
    with pytest.raises(QueueFullError):
        host.scheduler.admit(1, GIB)


def test_the_time_until_there_is_room_follows_the_rate() -> None:
    host = Host(max_queued=1000)
    host.scheduler.admit(1000, GIB)
    host.now += 1.0
    host.scheduler.look_after()
    slow = host.scheduler.seconds_until_room(100)
    for _ in range(10):
        host.scheduler.settle(100)
        host.scheduler.admit(100, GIB)
        host.now += 1.0
        host.scheduler.look_after()
    assert host.scheduler.seconds_until_room(100) < slow
    assert host.scheduler.seconds_until_room(100) == pytest.approx(1.0, rel=0.01)


def test_more_memory_than_there_is_at_all_is_refused_with_the_field() -> None:
    host = Host(memory_bytes=8 * GIB)
    with pytest.raises(BadRequestError, match=r"engine\.memory_bytes") as caught:
        host.scheduler.admit(1, 8 * GIB + 1)
    assert caught.value.field == "limits.memory_bytes"
    assert host.scheduler.admitted == 0


# --- memory ---------------------------------------------------------------------------------------


def test_running_programs_never_have_more_memory_together_than_there_is() -> None:
    host = Host(8, memory_bytes=4 * GIB)
    host.submit(*map(str, range(20)), memory_bytes=GIB)
    assert len(host.running()) == 4
    while host.running():
        assert host.scheduler.memory_in_use_bytes <= 4 * GIB
        host.running()[0].end()
    assert len(host.heard) == 20
    assert host.scheduler.memory_in_use_bytes == 0


def test_a_large_run_is_not_passed_over_for_ever() -> None:
    host = Host(4, memory_bytes=4 * GIB)
    host.submit("1", "2", "3", "4", client="small")
    host.submit("large", client="large", memory_bytes=3 * GIB)
    host.submit(*["later"] * 100, client="small")
    # Small runs go on within the 1 GiB that the large one leaves; the others must end first.
    for slot in host.slots:
        slot.end()
    assert "large" in host.started
    assert host.scheduler.memory_in_use_bytes <= 4 * GIB
    host.work()
    assert len(host.heard) == 105


def test_an_endless_stream_of_newcomers_does_not_starve_a_large_run() -> None:
    host = Host(4, memory_bytes=4 * GIB)
    host.submit("a", "b", "c", "d", client="first")
    host.submit("large", client="large", memory_bytes=4 * GIB)
    for number in range(50):
        host.submit(f"new {number}", client=f"newcomer {number}")
        host.slots[number % 4].end()
        if "large" in host.started:
            break
    assert host.started.index("large") <= 4


def test_small_runs_pass_one_that_waits_for_memory() -> None:
    host = Host(8, memory_bytes=32 * GIB)
    host.submit("big 1", "big 2", "big 3", client="big", memory_bytes=16 * GIB)
    host.submit(*["small"] * 50, client="small", memory_bytes=GIB)
    # Two of three large ones fill the memory; when one ends, the third has the first claim to it.
    assert host.started == ["big 1", "big 2"]
    host.slots[7].end()
    assert host.started[2] == "big 3"


def test_whoever_fits_passes_whatever_does_not() -> None:
    host = Host(8, memory_bytes=40 * GIB)
    host.submit("a", client="a", memory_bytes=30 * GIB)
    host.submit("waits", client="b", memory_bytes=20 * GIB)
    host.submit("too large", client="c", memory_bytes=12 * GIB)
    host.submit("small", client="d", memory_bytes=GIB)
    assert host.started == ["a", "small"]
    host.slots[7].end()
    assert host.started == ["a", "small", "waits", "too large"]


def test_memory_of_one_that_passed_and_ended_is_there_for_the_next_to_pass() -> None:
    host = Host(4, memory_bytes=10 * GIB)
    host.submit("old", client="old", memory_bytes=5 * GIB)
    host.submit("large", client="large", memory_bytes=8 * GIB)
    host.submit(*["small"] * 10, client="small", memory_bytes=2 * GIB)
    for count in range(1, 11):
        assert host.started.count("small") == count
        host.slots[2].end()
    # Those that passed one do not count against the next that has to wait.
    host.slots[3].end()
    assert host.started[-1] == "large"
    host.submit("larger", client="large", memory_bytes=9 * GIB)
    host.submit("small", client="small", memory_bytes=GIB)
    assert host.started[-1] == "small"


def test_passing_stops_before_it_delays_the_one_that_waits() -> None:
    host = Host(8, memory_bytes=10 * GIB)
    host.submit("old", client="old", memory_bytes=5 * GIB)
    host.submit("large", client="large", memory_bytes=8 * GIB)
    host.submit(*["small"] * 50, client="small", memory_bytes=GIB)
    # 5 GiB are free, but only 2 GiB are free once the large one runs.
    assert host.started == ["old", "small", "small"]
    (old,) = [slot for slot in host.running() if slot.index == 7]
    old.end()
    assert host.started[3] == "large"


def test_a_large_run_that_is_cancelled_while_it_is_waited_for_frees_the_way() -> None:
    host = Host(2, memory_bytes=4 * GIB)
    host.submit("a", memory_bytes=3 * GIB)
    (large,) = host.submit("large", client="large", memory_bytes=4 * GIB)
    host.submit("b", client="other", memory_bytes=GIB)
    assert host.started == ["a"]
    assert host.scheduler.queued == 2
    host.scheduler.cancel(large)
    assert host.started == ["a", "b"]
    host.work()
    assert sorted(names_heard(host)) == ["a", "b"]
    assert host.scheduler.queued == 0


def test_a_run_that_is_larger_than_everything_still_runs_by_itself() -> None:
    host = Host(2, memory_bytes=GIB)
    host.submit("giant", memory_bytes=2 * GIB)
    host.submit("small", memory_bytes=GIB)
    assert host.started == ["giant"]
    host.work()
    assert names_heard(host) == ["giant", "small"]


# --- cancelling -----------------------------------------------------------------------------------


def test_a_job_cancelled_before_its_start_is_never_made() -> None:
    host = Host(1)
    host.submit("running")
    (job,) = host.submit("unwanted")
    host.scheduler.cancel(job)
    host.scheduler.cancel(job)
    assert host.scheduler.queued == 0
    host.work()
    assert host.started == ["running"]
    assert names_heard(host) == ["running"]


def test_a_job_cancelled_after_its_start_is_stopped_and_not_heard_of() -> None:
    host = Host(1)
    (job,) = host.submit("running")
    host.submit("next")
    (slot,) = host.running()
    host.scheduler.cancel(job)
    assert slot.cancelled
    slot.end()
    assert host.started == ["running", "next"]
    host.work()
    assert names_heard(host) == ["next"]


def test_cancelling_what_is_over_does_nothing() -> None:
    host = Host(1)
    (job,) = host.submit("a")
    host.work()
    host.scheduler.cancel(job)
    assert host.scheduler.queued == 0
    assert host.scheduler.running == 0


# --- slots and runs that fail ---------------------------------------------------------------------


def test_a_slot_that_dies_under_a_job_says_so() -> None:
    host = Host(2)
    host.submit("a", "b")
    host.running()[0].die()
    assert [result for _, result in host.heard] == [None]
    assert host.scheduler.running == 1
    assert host.scheduler.slot_failures == 1
    host.submit("c")
    host.work()
    assert len(host.heard) == 3


def test_a_slot_that_dies_idle_gets_no_run() -> None:
    host = Host(2)
    host.slots[1].die()
    host.submit("a", "b")
    assert [slot.index for slot in host.running()] == [0]


def test_a_run_that_cannot_be_made_is_no_fault_of_its_slot() -> None:
    host = Host(1)
    job = host.job("broken")

    def make():
        raise LookupError("the blob is gone")

    job.make = make
    host.scheduler.submit([job])
    assert names_heard(host) == ["broken"]
    assert "the blob is gone" in str(job.error)
    assert host.scheduler.slot_failures == 0
    host.submit("next")
    host.work()
    assert names_heard(host) == ["broken", "next"]


def test_a_slot_that_cannot_take_a_run_just_now_stays_in_use() -> None:
    host = Host(1)
    host.refuses = True
    (job,) = host.submit("a")
    assert [result for _, result in host.heard] == [None]
    assert "no descriptors" in str(job.error)
    host.refuses = False
    host.submit("b")
    host.work()
    assert names_heard(host) == ["a", "b"]
    assert host.scheduler.running == 0


def test_ten_thousand_runs_that_cannot_be_made_do_not_recurse() -> None:
    host = Host(1)
    host.refuses = True
    left = [10_000]

    def again(result) -> None:
        if left[0]:
            left[0] -= 1
            host.scheduler.submit([Job("c", 0, GIB, lambda: None, again)])  # type: ignore[arg-type, return-value]

    host.scheduler.submit([Job("c", 0, GIB, lambda: None, again)])  # type: ignore[arg-type, return-value]
    assert left == [0]
    assert host.scheduler.queued == host.scheduler.running == 0


def test_a_listener_with_a_defect_costs_nobody_else() -> None:
    host = Host(1)
    job = host.job("bad")

    def done(result) -> None:
        raise RuntimeError("a defect")

    job.done = done
    host.scheduler.submit([job])
    host.submit("good")
    host.work()
    assert names_heard(host) == ["good"]


def test_another_slot_is_taken_for_what_one_has_failed() -> None:
    host = Host(3)
    failed = host.job("again")
    failed.avoid = 2  # the one that would be taken first
    host.scheduler.submit([failed])
    assert [slot.index for slot in host.running()] != [2]
    host.work()
    for slot in host.slots[:2]:
        slot.die()
    only = host.job("again")
    only.avoid = 2
    host.scheduler.submit([only])
    assert [slot.index for slot in host.running()] == [2]


def test_a_slot_that_sets_no_run_up_is_replaced() -> None:
    host = Host(1)
    host.submit(*map(str, range(5)))
    (slot,) = host.slots
    slot.end(flags=wire.SETUP_FAILED)
    slot.end()
    slot.end(flags=wire.SETUP_FAILED)
    slot.end(flags=wire.SETUP_FAILED)
    assert not slot.killed
    slot.end(flags=wire.SETUP_FAILED)
    assert "said" in slot.killed


def test_no_run_starts_while_too_much_output_waits_to_be_looked_at() -> None:
    host = Host(2)
    host.scheduler.hold_result(scheduling.MAX_RESULT_BYTES + 1)
    host.submit("a", "b")
    assert host.started == []
    host.scheduler.release_result(2)
    assert host.started == ["a", "b"]
