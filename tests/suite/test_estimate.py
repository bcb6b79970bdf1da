"""Rates and intervals: what is counted, what is drawn, and that it is always the same."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalebox.passk import chance_of_all, chance_of_one
from scalebox.suite.estimate import Bootstrap, Estimate, Tally, numbers, quantile

FEW = Bootstrap(resamples=200)
PINNED = ["0x1.a492492492492p-2", "0x1.457c57c57c57cp-2", "0x1.f507507507508p-2"]
TALLIES = st.lists(
    st.integers(1, 12).flatmap(
        lambda total: st.builds(
            Tally,
            total=st.just(total),
            right=st.integers(0, total),
            fraction=st.floats(0, 1),
        )
    ),
    min_size=1,
    max_size=20,
)


@settings(max_examples=40)
@given(TALLIES, st.lists(st.integers(1, 12), max_size=4))
def test_rates_are_means_over_tasks_and_not_over_samples(
    tallies: list[Tally], ks: list[int]
) -> None:
    found = numbers(tallies, ks, Bootstrap(resamples=10))
    fewest = min(one.total for one in tallies)
    assert set(found.pass_at) == {k for k in ks if k <= fewest}
    assert set(found.left_out) == {k for k in ks if k > fewest}
    assert set(found.pass_all) == {k for k in found.pass_at if k > 1}
    for chance, estimates in ((chance_of_one, found.pass_at), (chance_of_all, found.pass_all)):
        for k, one in estimates.items():
            wanted = sum(Fraction(chance(t.total, t.right, k)) for t in tallies) / len(tallies)
            assert one.value == pytest.approx(float(wanted), abs=1e-15)
            assert -1e-12 <= one.low <= one.high <= 1 + 1e-12
    assert found.samples == sum(one.total for one in tallies)


def test_an_empty_set_has_no_numbers() -> None:
    found = numbers([], [1, 5], FEW)
    assert (found.tasks, found.pass_at, found.fraction, found.left_out) == (0, {}, None, [1, 5])


def test_without_all_cases_nothing_is_said_of_their_share() -> None:
    tallies = [Tally(total=1, right=1, fraction=1.0)]
    assert numbers(tallies, [1], FEW, fraction=False).fraction is None
    assert numbers(tallies, [1], FEW).fraction == Estimate(value=1.0, low=1.0, high=1.0)


def test_intervals_are_the_same_on_every_python() -> None:
    # Written down from CPython 3.11; draws come from random() alone, sums are exact.
    column = [place / 7 % 1 for place in range(40)]
    (one,) = Bootstrap(resamples=500, seed=11).means([column])
    assert [one.value.hex(), one.low.hex(), one.high.hex()] == PINNED


def test_a_set_is_drawn_alike_whatever_else_is_drawn_with_it() -> None:
    first, second = [0.0, 1.0, 1.0, 0.0, 1.0], [0.1, 0.2, 0.3, 0.4, 0.5]
    together = FEW.means([first, second, [1.0] * 5])
    assert together[:2] == [FEW.means([first])[0], FEW.means([second])[0]]
    assert together[2] == Estimate(value=1.0, low=1.0, high=1.0)
    assert FEW.means([second]) != Bootstrap(resamples=200, seed=1).means([second])


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    chance, covered, trials = random.Random(3), 0, 200
    for trial in range(trials):
        column = [float(chance.random() < 0.6) for _ in range(40)]
        (one,) = Bootstrap(confidence=0.9, resamples=200, seed=trial).means([column])
        covered += one.low <= 0.6 <= one.high
    # 180 expected, with a deviation of 4; percentile intervals are known to be somewhat narrow.
    assert 160 <= covered <= 196


def test_samples_of_one_task_that_agree_make_the_interval_wide() -> None:
    agreeing = [Tally(total=10, right=10 * (place % 2)) for place in range(40)]
    single = [Tally(total=1, right=place % 2) for place in range(40)]
    mixed = [Tally(total=10, right=5) for _ in range(40)]
    width = {
        name: (one := numbers(tallies, [1], FEW).pass_at[1]).high - one.low
        for name, tallies in (("agreeing", agreeing), ("single", single), ("mixed", mixed))
    }
    assert width["agreeing"] == width["single"] > 0.2
    assert width["mixed"] == 0


@settings(max_examples=40)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30), st.floats(0, 1))
def test_a_quantile_lies_where_it_must(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = quantile(ordered, share)
    place = share * (len(ordered) - 1)
    assert ordered[math.floor(place)] - 1e-12 <= found <= ordered[math.ceil(place)] + 1e-12
