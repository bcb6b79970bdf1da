"""How often one of k answers is right, or all of them: the estimators, and nothing else.

For all who count samples: the evaluation suite and the stand-ins for others' harnesses.  What they
are given is how many samples of a problem there are and how many of these are right.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence


@functools.lru_cache(maxsize=1 << 16)
def chance_of_one(total: int, right: int, k: int) -> float:
    """The chance that one of `k` samples, drawn from those there are, is right: pass@k.

    The unbiased estimator of Chen et al. (arXiv 2107.03374): `1 - C(n - c, k) / C(n, k)`, counted
    in integers and rounded once.

    Parameters:
        total: how many samples there are (n).
        right: how many of these are right (c).
        k: how many are drawn.

    Raises:
        ValueError: so many cannot be drawn, or be right.
    """
    _check(total, right, k)
    ways = math.comb(total, k)
    return (ways - math.comb(total - right, k)) / ways


@functools.lru_cache(maxsize=1 << 16)
def chance_of_all(total: int, right: int, k: int) -> float:
    """The chance that all of `k` samples, drawn from those there are, are right: pass^k.

    `C(c, k) / C(n, k)`, as in tau-bench (Yao et al., arXiv 2406.12045), rounded once.

    Parameters:
        total: how many samples there are (n).
        right: how many of these are right (c).
        k: how many are drawn.

    Raises:
        ValueError: so many cannot be drawn, or be right.
    """
    _check(total, right, k)
    return math.comb(right, k) / math.comb(total, k)


def _check(total: int, right: int, k: int) -> None:
    if not (0 <= k <= total and 0 <= right <= total):
        raise ValueError(f"{k} of {total} samples cannot be drawn, with {right} right ones in all")


def estimate_pass_at_k(
    num_samples: int | Sequence[int], num_correct: Sequence[int], k: int
) -> list[float]:
    """pass@k of each problem, with the arguments of human-eval's function
    (openai/human-eval:human_eval/evaluation.py).

    Parameters:
        num_samples: how many there are: of all problems, or of each.
        num_correct: how many of these are right.
        k: how many are drawn.

    Raises:
        ValueError: the lists are of different lengths.
    """
    if isinstance(num_samples, int):
        num_samples = [num_samples] * len(num_correct)
    return [
        1.0 if total - right < k else chance_of_one(total, right, k)
        for total, right in zip(num_samples, num_correct, strict=True)
    ]


def pass_at_k(outcomes: Iterable[Sequence[bool]], ks: Iterable[int]) -> dict[str, float]:
    """`pass@k` over all problems, for those `k` of which every problem has as many samples.

    Parameters:
        outcomes: of each problem, whether each of its samples is right.
        ks: the numbers of samples drawn.
    """
    counts = [(len(one), sum(one)) for one in outcomes]
    rates = {}
    for k in ks:
        if counts and all(total >= k for total, _ in counts):
            chances = [chance_of_one(total, right, k) for total, right in counts]
            rates[f"pass@{k}"] = math.fsum(chances) / len(chances)
    return rates
