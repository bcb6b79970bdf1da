"""Whose run is next: shares in CPU seconds, newcomers, those who return, and what is remembered."""

from __future__ import annotations

import gc
import random
import weakref
from collections import Counter

import pytest

from scalebox.engine import fairness

from .slots import GIB, Host


@pytest.mark.parametrize("slots", [1, 2, 8])
def test_a_hundred_times_the_backlog_gains_nothing(slots: int) -> None:
    host = Host(slots)
    host.submit(*["large"] * 5000, client="large")
    host.submit(*["small"] * 50, client="small")
    for _ in range(100 + slots):
        host.running()[0].end(0.01)
    # Turn and turn about: half of what was done so far is the small client's, all of its work.
    assert Counter(host.started[: 100 + slots])["small"] == 50


def test_shares_are_of_cpu_seconds_and_not_of_runs() -> None:
    host = Host(1)
    host.submit(*["slow"] * 300, client="slow")
    host.submit(*["quick"] * 3000, client="quick")
    used: Counter[str] = Counter()
    costs = {"slow": 0.1, "quick": 0.01}
    while sum(used.values()) < 20.0:
        name = host.started[-1]
        used[name] += costs[name]
        host.running()[0].end(costs[name])
    assert used["slow"] == pytest.approx(used["quick"], rel=0.05)


def test_many_clients_with_uneven_runs_get_equal_shares() -> None:
    chance = random.Random(7)
    host = Host(1)
    names = [f"c{number}" for number in range(10)]
    for name in names:
        host.submit(*[name] * 2000, client=name)
    used: Counter[str] = Counter()
    while sum(used.values()) < 20.0:
        name = host.started[-1]
        cost = chance.expovariate(1 / 0.01) * (1 + names.index(name))
        used[name] += cost
        host.running()[0].end(cost)
    assert min(used.values()) > 0.7 * max(used.values())


def test_a_newcomer_is_served_by_the_next_free_slot() -> None:
    host = Host(2)
    host.submit(*["old"] * 500, client="old")
    for _ in range(100):
        host.running()[0].end(1.0)
    host.submit("new", client="new")
    assert host.started[-1] == "old"
    host.running()[0].end(1.0)
    assert host.started[-1] == "new"


def test_a_client_that_returns_gains_nothing() -> None:
    host = Host(1)
    host.submit("away", client="away")
    host.work(0.01)
    # A hundred seconds of others' work: no claim arises from not having been here.
    host.submit(*["here"] * 1000, client="here")
    for _ in range(500):
        host.running()[0].end(0.2)
    host.submit(*["away"] * 400, client="away")
    before = len(host.started)
    for _ in range(200):
        host.running()[0].end(0.2)
    assert 90 <= Counter(host.started[before:])["away"] <= 110


def test_leaving_with_a_debt_and_returning_does_not_wipe_it_out() -> None:
    host = Host(1)
    host.submit(*["steady"] * 1000, client="steady")
    host.running()[0].end(0.01)
    host.submit("greedy", client="greedy")
    while host.started[-1] != "greedy":
        host.running()[0].end(0.01)
    host.running()[0].end(5.0)
    host.submit("greedy", client="greedy")
    before = len(host.started)
    while host.started[-1] != "greedy":
        host.running()[0].end(0.01)
    assert len(host.started) - before > 400  # about five seconds of the other's


def test_priority_then_age_decide_within_a_client() -> None:
    host = Host(1)
    host.submit("running")
    host.submit("a", "b")
    host.submit("urgent", priority=5)
    host.submit("later", priority=-5)
    host.submit("c")
    host.submit("other", client="other", priority=-100)
    host.work()
    # Another client's turn comes by fairness, whatever its priorities.
    assert host.started.index("other") <= 2
    own = [name for name in host.started if name != "other"]
    assert own == ["running", "urgent", "a", "b", "c", "later"]


def test_what_belongs_together_is_as_old_as_its_first_part() -> None:
    host = Host(1)
    age = host.scheduler.next_age()
    host.submit("first", age=age)
    host.submit("other 1", "other 2")
    host.submit("again", age=age)
    host.work()
    assert host.started == ["first", "again", "other 1", "other 2"]


def test_many_clients_that_come_and_go_take_bounded_memory(monkeypatch) -> None:
    monkeypatch.setattr(fairness, "REMEMBERED_CLIENTS", 100)
    host = Host(1)
    queue = host.scheduler._queue
    queue._sweep_at = 100
    host.submit("steady", client="steady")
    most = 0
    for number in range(5000):
        # Each costs more than its share, so that it would have to be remembered.
        host.submit("x", client=f"once {number}")
        host.running()[0].end(0.05)
        (job,) = host.submit("y", client=f"gone {number}")
        host.scheduler.cancel(job)
        most = max(most, len(queue))
        assert len(queue._heap) <= len(queue)
    assert most <= 300
    host.work()
    assert host.scheduler.queued == 0


def test_a_client_without_debt_is_forgotten_at_once() -> None:
    host = Host(1)
    for number in range(100):
        host.submit("x", client=str(number))
        host.running()[0].end(0.0)
    assert len(host.scheduler._queue) <= 1


def test_what_was_cancelled_while_it_was_waited_for_costs_nothing() -> None:
    host = Host(2, memory_bytes=4 * GIB)
    host.submit("busy", client="busy", memory_bytes=2 * GIB)
    (large,) = host.submit("large", client="a", memory_bytes=4 * GIB)
    host.submit("never", client="b")
    host.scheduler.cancel(large)
    clock_s = {name: client.clock_s for name, client in host.scheduler._queue._clients.items()}
    assert "a" not in clock_s or clock_s["a"] == 0.0


def test_a_cancelled_job_lets_go_of_its_data_at_once() -> None:
    class Data:
        """Stands for megabytes of test data."""

    host = Host(1)
    host.submit("running")
    jobs, kept = [], []
    for _ in range(10):
        data = Data()
        kept.append(weakref.ref(data))
        job = host.job("waits")
        job.make = lambda data=data: data  # type: ignore[assignment, misc]
        jobs.append(job)
        del data
    host.scheduler.submit(jobs)
    for job in jobs:
        host.scheduler.cancel(job)
    del job
    gc.collect()
    assert not [ref for ref in kept if ref() is not None]


def test_cancelled_jobs_do_not_pile_up_behind_a_long_run() -> None:
    host = Host(1)
    host.submit("running")
    (last,) = host.submit("wanted")
    for _ in range(10_000):
        (job,) = host.submit("unwanted")
        host.scheduler.cancel(job)
    (client,) = host.scheduler._queue._clients.values()
    assert len(client.jobs) < 200
    assert host.scheduler.queued == 1
    host.scheduler.cancel(last)
    assert host.scheduler.queued == 0
    host.work()
    assert host.started == ["running"]
