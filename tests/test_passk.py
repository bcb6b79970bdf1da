"""pass@k against the definition: draw k of n samples in all ways, and count."""

from __future__ import annotations

import itertools

import pytest

from scalebox.integrations.inprocess import estimate_pass_at_k, pass_at_k


def drawn(total: int, right: int, k: int) -> float:
    """The share of draws with a right one among them."""
    samples = [True] * right + [False] * (total - right)
    draws = list(itertools.combinations(samples, k))
    return sum(map(any, draws)) / len(draws)


@pytest.mark.parametrize("total", range(1, 9))
def test_the_estimate_is_the_share_of_draws(total: int) -> None:
    for k in range(1, total + 1):
        wanted = [drawn(total, right, k) for right in range(total + 1)]
        assert estimate_pass_at_k(total, list(range(total + 1)), k) == pytest.approx(wanted)


def test_problems_may_have_different_numbers_of_samples() -> None:
    assert estimate_pass_at_k([2, 4], [1, 1], 2) == pytest.approx([1.0, 0.5])
    with pytest.raises(ValueError, match="zip"):
        estimate_pass_at_k([2, 4], [1], 2)


def test_many_samples_are_no_trouble() -> None:
    (chance,) = estimate_pass_at_k(1000, [3], 100)
    assert chance == pytest.approx(1 - (900 * 899 * 898) / (1000 * 999 * 998))


def test_rates_are_means_over_problems_for_which_all_have_enough_samples() -> None:
    outcomes = [[True, False], [False, False], [True, True, True]]
    assert pass_at_k(outcomes, [1, 2, 3]) == pytest.approx({"pass@1": 0.5, "pass@2": 2 / 3})
    assert pass_at_k([], [1]) == {}
    assert pass_at_k([[]], [1]) == {}
