"""Runs that want to be alone: they are, and what the others may lose by it is bounded."""

from __future__ import annotations

from scalebox.engine.jobs import Job

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
    host.submit(*["near"] * 20_000, client="flood", alone=True)
    host.submit(*["work"] * 20_000, client="other")
    lost_s = 0.0
    start = host.now
    while host.now - start < 1000.0:
        for slot in host.running():
            slot.end(0.25)
        lost_s += 0.25 * (2 - len(host.running())) / 2
        host.now += 0.25
        if host.now % 1.0 == 0:
            host.scheduler.look_after()
    # 5 % of the slots' time, and what was saved up at the start.
    assert lost_s <= 0.05 * 1000 + 5 + 1
    assert host.scheduler.alone_blocked_s <= 2 * (0.05 * 1000 + 5 + 1), "one of two slots works"
    assert host.scheduler.alone > 150
    assert host.scheduler.alone_refused > 500
    # And they have their half of it, not more: those that were put off are nobody's first.
    works = host.started.count("work")
    assert 0.45 * len(host.started) < works < 0.55 * len(host.started)


def spend(host: Host, seconds: float) -> None:
    """Let a run wait to be alone while one of two slots is idle and wanted."""
    host.submit("long")
    host.submit("first", alone=True)
    host.submit(*["work"] * 100, client="other")
    host.now += seconds
    host.running()[0].end()
    assert host.started == ["long", "first"]
    host.running()[0].end()
    assert len(host.running()) == 2


def test_a_debt_is_paid_off_before_there_is_another() -> None:
    host = Host(2)
    # 5 s are saved up; for half of 14 s of both slots others wait: 5 % of 26 s pay the rest.
    spend(host, 14.0)
    (second,) = host.submit("second", alone=True, client="third")
    for waited_s in (0.0, 24.0):
        host.now += waited_s
        for slot in host.running():
            slot.end()
        assert "second" not in host.started
        assert host.scheduler.alone_put_off == 1
    host.now += 4.0
    for slot in host.running():
        slot.end()
    assert host.started[-1] == "second"
    assert len(host.running()) == 1
    host.work()
    assert second.alone


def test_a_quiet_day_saves_up_no_more_than_the_bound() -> None:
    host = Host(2)
    host.now += 86_400.0
    spend(host, 12.0)  # more than may be saved up
    host.submit("second", alone=True, client="third")
    for slot in host.running():
        slot.end()
    assert "second" not in host.started
    assert host.scheduler.queued == 97


def test_what_is_put_off_is_alone_as_soon_as_others_want_nothing() -> None:
    host = Host(2)
    spend(host, 14.0)
    (second,) = host.submit("second", alone=True, client="third")
    while "second" not in host.started:
        host.running()[0].end()
    assert len(host.started) == 2 + 100 + 1, "after all others"
    assert len(host.running()) == 1
    host.now += 10.0
    host.work()
    assert second.alone
    assert host.scheduler.alone_blocked_s < 15.0


def owe(host: Host, seconds: float) -> None:
    """More than the scheduler lets others lose: that is not had so soon with two slots."""
    host.scheduler._allowance.spend(1.0, host.now)
    host.now += seconds
    host.scheduler._allowance.spend(0.0, host.now)


def test_what_was_put_off_for_long_runs_beside_others() -> None:
    host = Host(2)
    spend(host, 14.0)
    owe(host, 3.0)
    (second,) = host.submit("second", alone=True, client="third")
    for waited_s in (0.0, 29.0):
        host.now += waited_s
        host.scheduler.look_after()
        host.running()[0].end()
        assert "second" not in host.started
    host.now += 2.0
    host.scheduler.look_after()
    while "second" not in host.started:
        host.running()[0].end()
    assert len(host.running()) == 2
    assert host.started.count("work") < 100, "in its turn, and not after all others"
    assert not second.alone
    assert host.scheduler.alone_refused == 1
    assert host.scheduler.queued == 100 - host.started.count("work")


def put_off(host: Host) -> list[Job]:
    """Two of a client's that cannot be alone yet."""
    spend(host, 14.0)
    jobs = host.submit("second", "third", alone=True, client="third")
    for slot in host.running():
        slot.end()
    assert host.scheduler.alone_put_off == 2
    return jobs


def test_one_that_has_waited_long_enough_does_not_cost_another_its_turn() -> None:
    host = Host(2)
    second, third = put_off(host)
    host.now += 28.0
    host.running()[0].end()
    assert len(host.running()) == 1, "the second waits for its end"
    host.now += 3.0
    host.scheduler.look_after()
    assert not third.alone
    host.running()[0].end()
    assert host.started[-1] == "second"
    assert len(host.running()) == 1
    assert second.alone


def test_put_off_again_it_waits_no_longer_than_once() -> None:
    host = Host(2)
    spend(host, 14.0)
    owe(host, 5.0)
    (second,) = host.submit("second", alone=True, client="third")
    while host.scheduler.alone_put_off == 0 or host.scheduler._queue.waiting:
        host.running()[0].end()
    host.now += 20.0
    host.running()[0].end()
    assert len(host.running()) == 1, "it waits for the last of the others, and now more come"
    host.submit(*["more"] * 50, client="other")
    assert host.scheduler.alone_put_off == 2
    host.now += 11.0
    host.scheduler.look_after()
    for _ in range(4):
        host.running()[0].end()
    assert "second" in host.started
    assert not second.alone


def test_clients_take_turns_at_being_alone() -> None:
    host = Host(2)
    spend(host, 14.0)
    host.submit(*["many"] * 50, alone=True, client="flood")
    host.submit("one", alone=True, client="third")
    for slot in host.running():
        slot.end()
    assert host.scheduler.alone_put_off > 2
    while "one" not in host.started:
        host.running()[0].end()
    assert host.started.count("many") <= 1


def test_no_client_has_more_than_so_many_put_off() -> None:
    host = Host(2)
    spend(host, 14.0)
    host.submit(*["many"] * 200, alone=True, client="flood")
    host.submit("one", alone=True, client="third")
    while host.scheduler._queue.waiting > 50:
        host.running()[0].end()
    assert host.scheduler.alone_put_off == 128 + 1
    assert host.started.count("many") == host.scheduler.alone_refused > 0
    host.work()
    assert len(host.heard) == 2 + 100 + 200 + 1


def test_one_that_is_put_off_can_be_cancelled() -> None:
    host = Host(2)
    second, third = put_off(host)
    host.scheduler.cancel(second)
    host.work()
    assert "second" not in host.started
    assert third.alone
    assert host.scheduler.queued == 0


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
