"""What each function of the policy promises, for whatever it is asked."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.cluster import policy
from scalebox.cluster.records import Load

seconds = st.floats(0.0001, 1e6, allow_nan=False)
round_trips = st.floats(0.0001, 1.0)
slots = st.integers(1, 256)


def near(_: str) -> float:
    return 0.001


# --- hunger --------------------------------------------------------------------------------------


def test_only_who_could_run_something_and_has_nothing_is_hungry() -> None:
    assert policy.is_hungry(1, 8, 0, draining=False, pressed=False)
    assert not policy.is_hungry(0, 8, 0, draining=False, pressed=False)
    assert not policy.is_hungry(1, 8, 1, draining=False, pressed=False)
    assert not policy.is_hungry(8, 8, 0, draining=True, pressed=False)
    assert not policy.is_hungry(8, 8, 0, draining=False, pressed=True)


# --- whom to ask ---------------------------------------------------------------------------------


def test_nobody_is_asked_where_nobody_has_anything() -> None:
    rng = random.Random(1)
    assert policy.choose_victim({}, "me", 10, near, rng) is None
    assert policy.choose_victim({"me": 100.0}, "me", 10, near, rng) is None


def test_thieves_spread_over_victims() -> None:
    victims = {f"n{number}": 500.0 for number in range(10)}
    rng = random.Random(1)
    asked = Counter(policy.choose_victim(victims, "me", 1000, near, rng) for _ in range(1000))
    assert asked.keys() == victims.keys()
    assert max(asked.values()) < 200


def test_who_has_more_is_asked_more_often() -> None:
    victims = {"much": 100.0, "little": 10.0}
    rng = random.Random(1)
    asked = Counter(policy.choose_victim(victims, "me", 4, near, rng) for _ in range(1000))
    assert asked["much"] > 5 * asked["little"] > 0


def test_who_is_near_is_asked_more_often() -> None:
    victims = {"near": 10.0, "far": 10.0}
    rng = random.Random(1)

    def latency_s(node: str) -> float:
        return 0.2 if node == "far" else 0.001

    asked = Counter(policy.choose_victim(victims, "me", 4, latency_s, rng) for _ in range(1000))
    assert asked["near"] > 3 * asked["far"]


@given(st.integers(100, 10_000), st.integers(0, 1000))
def test_of_all_who_know_one_victim_a_bounded_number_ask_it_at_once(
    members: int, seed: int
) -> None:
    rng = random.Random(seed)
    asked = sum(
        policy.choose_victim({"busy": 1e9}, f"n{number}", members, near, rng) is not None
        for number in range(members)
    )
    assert 0 < asked < 3 * policy.ASKERS


def test_of_few_all_ask() -> None:
    rng = random.Random(1)
    for number in range(policy.ASKERS):
        chosen = policy.choose_victim({"busy": 1e9}, f"n{number}", policy.ASKERS, near, rng)
        assert chosen == "busy"


# --- how much ------------------------------------------------------------------------------------


@given(seconds, st.integers(0, 100_000), slots, seconds, slots, round_trips, st.integers(0, 2))
def test_a_victim_lends_half_of_its_surplus_at_most(
    backlog_s: float, cases: int, own: int, wanted_s: float, free: int, trip_s: float, hops: int
) -> None:
    lent, lent_s = policy.share(backlog_s, cases, own, wanted_s, free, trip_s, hops_left=hops)
    assert 0 <= lent <= policy.MOST_CASES
    assert lent_s == (lent * backlog_s / cases if cases else 0.0)
    needed = own * trip_s * cases / backlog_s
    # Rounded to whole cases: half a case more is kept or lent, and half of the rest is rounded up.
    assert lent <= max(0.0, (cases - needed + 0.5) / 2 + 1)
    assert lent <= cases


@given(
    st.floats(0.001, 0.999), st.integers(1, 10_000), slots, seconds, slots, round_trips,
    st.integers(0, 2),
)  # fmt: skip
def test_a_victim_never_lends_what_its_own_slots_need_before_the_round_trip_is_over(
    part: float, cases: int, own: int, wanted_s: float, free: int, trip_s: float, hops: int
) -> None:
    backlog_s = part * own * trip_s
    assert policy.share(
        backlog_s, cases, own, wanted_s, free, trip_s, hops_left=hops
    ) == (0, 0.0)  # fmt: skip


@given(st.integers(2, 1000), st.floats(0.01, 10.0), slots, slots, st.integers(0, 2))
def test_a_lease_is_what_is_wanted_or_feeds_others(
    cases: int, case_s: float, own: int, thief: int, hops: int
) -> None:
    wanted_s = policy.wanted_s(thief, 0.001)
    _, lent_s = policy.share(cases * case_s, cases, own, wanted_s, thief, 0.001, hops_left=hops)
    bound_s = {0: thief * 0.5, 1: wanted_s, 2: 10 * wanted_s}[hops]
    # A free slot is worth a case, whatever it takes.
    assert lent_s <= max(bound_s, thief * case_s) * 1.001


def test_the_last_case_that_waits_is_lent_too() -> None:
    assert policy.share(1.0, 1, 2, 10.0, 2, 0.001) == (1, 1.0)


def test_what_is_less_work_than_a_lease_costs_is_neither_lent_nor_asked_for() -> None:
    assert policy.share(0.24, 24, 2, 10.0, 2, 0.0001) == (12, pytest.approx(0.12))
    assert policy.share(0.15, 15, 2, 10.0, 2, 0.0001) == (0, 0.0)
    rng = random.Random(1)
    assert policy.choose_victim({"busy": 0.19}, "me", 4, near, rng) is None
    assert policy.choose_victim({"busy": 0.21}, "me", 4, near, rng) == "busy"


def test_nothing_is_lent_of_nothing() -> None:
    assert policy.share(0.0, 0, 2, 10.0, 2, 0.001) == (0, 0.0)
    assert policy.share(1.0, 1, 2, 10.0, 0, 0.001) == (0, 0.0)
    # Without an estimate it may be gone before anybody comes.
    assert policy.share(0.0, 5, 2, 10.0, 2, 0.001) == (0, 0.0)


@given(slots, st.floats(0.0001, 2.0))
def test_what_is_wanted_is_worth_the_way(own: int, trip_s: float) -> None:
    assert policy.wanted_s(own, trip_s) >= 19.99 * own * trip_s
    assert policy.wanted_s(own, 0.001) / own == policy.wanted_s(1, 0.001)


@given(seconds, slots)
def test_a_lease_stands_for_a_bounded_time(work_s: float, own: int) -> None:
    assert 3.0 <= policy.lease_ttl_s(work_s, own) <= 6.0


# --- pauses --------------------------------------------------------------------------------------


@given(st.integers(-1, 10_000), st.integers())
def test_pauses_are_bounded(failures: int, seed: int) -> None:
    assert 0.002 <= policy.pause_s(failures, random.Random(seed)) <= 1.0


def test_pauses_grow_and_differ() -> None:
    rng = random.Random(1)
    means = []
    for failures in range(7):
        pauses = [policy.pause_s(failures, rng) for _ in range(500)]
        assert len(set(pauses)) == 500
        assert max(pauses) > 5 * min(pauses)
        means.append(sum(pauses) / 500)
    assert means[0] < 0.02
    assert all(later > earlier for earlier, later in itertools.pairwise(means))


@given(st.integers(0, 64), st.integers(0, 100_000), st.integers())
def test_a_busy_victim_asks_those_it_refuses_to_come_at_a_rate_that_it_serves(
    served: int, refused: int, seed: int
) -> None:
    again_s = policy.ask_again_s(served, refused, random.Random(seed))
    assert 0 <= again_s <= policy.LONGEST_WAIT_S
    if again_s < policy.LONGEST_WAIT_S / 2:
        assert again_s >= 0.5 * 0.003 * (served + refused)


@given(st.integers(0, 1_000_000))
def test_frames_of_all_leases_leave_a_loop_free(leases: int) -> None:
    each_s = policy.frame_each_s(leases)
    assert 0.05 <= each_s <= 1.0
    # Half a millisecond each, as far as the bound allows.
    assert leases * 0.0005 / each_s <= 0.2001 or each_s == 1.0


# --- rumours -------------------------------------------------------------------------------------


def load(cases: int, backlog_s: float) -> Load:
    return Load(cases=cases, backlog_s=backlog_s)


def test_who_has_enough_to_do_passes_no_rumour_on() -> None:
    assert policy.passes_on(load(0, 0.0))
    assert not policy.passes_on(load(1, 0.1))


def test_a_backlog_that_appears_is_news_and_one_that_goes_is_not() -> None:
    assert policy.is_news(None, load(100, 50.0))
    assert not policy.is_news(None, load(0, 0.0))
    assert not policy.is_news(None, load(1, 50.0))
    assert not policy.is_news(None, load(100, 0.01))
    assert not policy.is_news(load(100, 50.0), load(50, 25.0))
    assert not policy.is_news(load(100, 50.0), load(200, 100.0))
    assert policy.is_news(load(100, 50.0), load(1000, 500.0))


@given(st.floats(0.0, 1e7), st.integers(1, 100_000))
def test_a_rumour_reaches_as_many_as_the_backlog_can_use(backlog_s: float, members: int) -> None:
    hops = policy.rumour_hops(load(100, backlog_s), members)
    reached = sum(policy.FAN_OUT**level for level in range(1, hops + 2))
    assert reached >= min(members, backlog_s / 80.0) - 1
    # Not many more hear of it: each push is made by one that is told.
    assert reached <= max(3, 5 * policy.FAN_OUT * policy.audience(backlog_s, members))


def test_hops_grow_with_the_logarithm_of_the_members() -> None:
    hops = [policy.rumour_hops(load(100, 1e9), 10**power) for power in range(1, 6)]
    assert all(later - earlier <= 3 for earlier, later in itertools.pairwise(hops))
    assert hops[-1] <= math.log(10**5, 3) + 2


# --- trust ---------------------------------------------------------------------------------------


def test_results_near_the_limit_of_another_processor_are_confirmed() -> None:
    assert policy.confirm_at_home(0.9, 1.0, "this", "that")
    assert policy.confirm_at_home(1.2, 1.0, "this", "that")
    assert not policy.confirm_at_home(0.1, 1.0, "this", "that")
    assert not policy.confirm_at_home(0.9, 1.0, "this", "this")


def test_a_sample_is_as_large_as_it_should_be() -> None:
    rng = random.Random(1)
    assert sum(policy.recheck(0.1, rng) for _ in range(10_000)) in range(900, 1100)
    assert not any(policy.recheck(0.0, rng) for _ in range(1000))
    assert all(policy.recheck(1.0, rng) for _ in range(1000))
