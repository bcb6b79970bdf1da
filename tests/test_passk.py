"""pass@k and pass^k against the definition: draw k of n samples in all ways, and count."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.passk import chance_of_all, chance_of_one, estimate_pass_at_k, pass_at_k


def drawn(total: int, right: int, k: int, holds: Callable[[Iterable[bool]], bool] = any) -> float:
    """The share of draws with a right one among them, or with nothing else."""
    samples = [True] * right + [False] * (total - right)
    draws = list(itertools.combinations(samples, k))
    return float(Fraction(sum(map(holds, draws)), len(draws)))


COUNTS = st.integers(1, 11).flatmap(
    lambda total: st.tuples(st.just(total), st.integers(0, total), st.integers(1, total))
)


@given(COUNTS)
def test_the_estimates_are_the_shares_of_draws_to_the_last_bit(
    counts: tuple[int, int, int],
) -> None:
    total, right, k = counts
    assert chance_of_one(total, right, k) == drawn(total, right, k, any)
    assert chance_of_all(total, right, k) == drawn(total, right, k, all)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.data())
def test_however_many_samples_the_estimates_agree_with_exact_fractions(
    counts: tuple[int, int], data: st.DataObject
) -> None:
    total, right = counts
    k = data.draw(st.integers(1, min(total, 60)))
    one, every = Fraction(1), Fraction(1)
    for place in range(k):
        one *= Fraction(max(total - right - place, 0), total - place)
        every *= Fraction(max(right - place, 0), total - place)
    assert chance_of_one(total, right, k) == float(1 - one)
    assert chance_of_all(total, right, k) == float(every)


@pytest.mark.parametrize(("total", "right", "k"), [(3, 1, 4), (3, 4, 1), (3, -1, 1), (3, 1, -1)])
def test_what_cannot_be_drawn_is_refused(total: int, right: int, k: int) -> None:
    for chance in (chance_of_one, chance_of_all):
        with pytest.raises(ValueError, match="cannot be drawn"):
            chance(total, right, k)


@pytest.mark.parametrize("total", range(1, 9))
def test_the_estimate_is_the_share_of_draws(total: int) -> None:
    for k in range(1, total + 1):
        wanted = [drawn(total, right, k) for right in range(total + 1)]
        assert estimate_pass_at_k(total, list(range(total + 1)), k) == pytest.approx(wanted)


def test_problems_may_have_different_numbers_of_samples() -> None:
    assert estimate_pass_at_k([2, 4], [1, 1], 2) == pytest.approx([1.0, 0.5])
    with pytest.raises(ValueError, match="zip"):
        estimate_pass_at_k([2, 4], [1], 2)


def test_more_drawn_than_there_are_is_what_human_eval_makes_of_it() -> None:
    # openai/human-eval:human_eval/evaluation.py: `if n - c < k: return 1.0`
    assert estimate_pass_at_k(3, [0, 1], 5) == [1.0, 1.0]


def test_many_samples_are_no_trouble() -> None:
    (chance,) = estimate_pass_at_k(1000, [3], 100)
    assert chance == pytest.approx(1 - (900 * 899 * 898) / (1000 * 999 * 998))


def test_rates_are_means_over_problems_for_which_all_have_enough_samples() -> None:
    outcomes = [[True, False], [False, False], [True, True, True]]
    assert pass_at_k(outcomes, [1, 2, 3]) == pytest.approx({"pass@1": 0.5, "pass@2": 2 / 3})
    assert pass_at_k([], [1]) == {}
    assert pass_at_k([[]], [1]) == {}
