"""Runs that want to be alone: they are, and what the others may lose by it is bounded."""

from __future__ import annotations

from .slots import GIB, Host


def test_a_run_alone_waits_for_the_others_and_they_for_it() -> None:
    host = Host(3)
    host.submit("a", "b")
    (alone,) = host.submit("alone", alone=True)
    host.submit("c", "d", client="other")
    assert host.started == ["a", "b"]
    assert host.scheduler.queued == 3
    host.running()[0].end()
    assert host.started == ["a", "b"]
    host.running()[0].end()
    assert host.started == ["a", "b", "alone"]
    assert len(host.running()) == 1
    host.running()[0].end()
    assert host.started[3:] == ["c", "d"]
    host.work()
    assert alone.alone
    assert host.scheduler.alone == 1
    assert host.scheduler.alone_refused == 0


def test_on_an_idle_host_it_costs_nobody_anything() -> None:
    host = Host(2)
    for _ in range(100):
        host.submit("alone", alone=True)
        host.now += 10.0
        host.running()[0].end()
    assert host.scheduler.alone == 100
    assert host.scheduler.alone_blocked_s == 0.0


def test_those_who_come_meanwhile_wait_no_longer_than_the_bound() -> None:
    host = Host(2)
    (alone,) = host.submit("alone", alone=True)
    host.now += 100.0
    host.submit("late", client="other")
    host.now += 14.0
    host.scheduler.look_after()
    assert host.started == ["alone"]
    host.now += 2.0
    host.scheduler.look_after()
    assert host.started == ["alone", "late"]
    host.work()
    assert not alone.alone, "it was not alone to the end"
    assert host.scheduler.alone_refused == 1


def test_a_wait_for_others_to_end_is_bounded_too() -> None:
    host = Host(2)
    host.submit("long")
    (alone,) = host.submit("alone", alone=True)
    host.submit("other", client="other")
    assert host.started == ["long"]
    host.now += 16.0
    host.scheduler.look_after()
    assert host.started == ["long", "alone"]
    assert not alone.alone
    host.work()
    assert len(host.heard) == 3


def test_a_flood_of_them_does_not_take_the_host_from_the_others() -> None:
    host = Host(2, max_queued=100_000)
    host.submit(*["near"] * 2000, client="flood", alone=True)
    host.submit(*["work"] * 20_000, client="other")
    blocked = 0.0
    start = host.now
    while host.now - start < 1000.0:
        for slot in host.running():
            slot.end(0.25)
        if len(host.running()) < 2:
            blocked += 0.25
        host.now += 0.25
        if host.now % 1.0 == 0:
            host.scheduler.look_after()
    # 5 % of the time, and what was saved up at the start.
    assert host.scheduler.alone_blocked_s <= 0.05 * 1000 + 5 + 1
    assert blocked <= 0.05 * 1000 + 10
    assert host.scheduler.alone > 50
    assert host.scheduler.alone_refused > 500


def test_a_debt_is_paid_off_before_there_is_another() -> None:
    host = Host(2)
    host.submit("x")
    host.submit("alone 1", alone=True)
    host.submit(*["work"] * 100, client="other")
    host.now += 8.0
    host.running()[0].end()
    assert host.started[-1] == "alone 1"
    host.running()[0].end()
    # 5 s were saved up, 8 s are spent: 60 s of 5 % until there is something again.
    (refused,) = host.submit("alone 2", alone=True, client="third")
    host.running()[0].end()
    assert "alone 2" in host.started
    assert not refused.alone
    host.now += 61.0
    host.submit("alone 3", alone=True, client="fourth")
    for _ in range(2):
        host.running()[0].end()
    assert host.started[-1] == "alone 3"
    assert len(host.running()) == 1


def test_a_quiet_day_saves_up_no_more_than_the_bound() -> None:
    host = Host(2)
    host.now += 86_400.0
    host.submit("x")
    host.submit("alone", alone=True)
    host.submit(*["work"] * 100, client="other")
    host.now += 6.0  # more than may be saved up
    for _ in range(2):
        host.running()[0].end()
    (refused,) = host.submit("again", alone=True, client="third")
    host.running()[0].end()
    assert "again" in host.started
    assert not refused.alone


def test_one_that_is_cancelled_frees_the_way() -> None:
    host = Host(2)
    host.submit("a")
    (waiting,) = host.submit("alone", alone=True)
    host.submit("b", client="other")
    assert host.started == ["a"]
    host.scheduler.cancel(waiting)
    assert host.started == ["a", "b"]
    host.work()
    (running,) = host.submit("alone", alone=True)
    host.submit("c")
    (slot,) = host.running()
    host.scheduler.cancel(running)
    slot.end()
    assert host.started[-1] == "c"


def test_it_may_need_all_the_memory_there_is() -> None:
    host = Host(2, memory_bytes=4 * GIB)
    host.submit("a", memory_bytes=4 * GIB)
    host.submit("alone", alone=True, memory_bytes=4 * GIB)
    host.submit("large", client="other", memory_bytes=4 * GIB)
    host.submit("small", client="third", memory_bytes=GIB)
    host.work()
    assert sorted(host.started) == ["a", "alone", "large", "small"]
    assert len(host.heard) == 4


def test_a_slot_that_dies_under_it_ends_it() -> None:
    host = Host(2)
    host.submit("alone", alone=True)
    host.submit("b")
    host.running()[0].die()
    assert host.started == ["alone", "b"]
