"""From results to rates with intervals: pass@k, pass^k, the average share of cases passed.

A task is what is drawn at random, its samples are answers to it: every rate is a mean over tasks,
and intervals come from drawing tasks, whole, with replacement (the cluster bootstrap, percentiles).
How often samples of one task agree is thereby in the interval.  Numbers are the same on every
machine and Python: draws use `random.Random(seed).random()` alone, whose sequence Python promises
to keep, and sums are exact before they are rounded (`math.fsum`; what `sum` does has changed).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from scalebox.passk import chance_of_all, chance_of_one


class Estimate(Struct, frozen=True, kw_only=True):
    """A rate with its interval.

    Attributes:
        value: the rate, 0 to 1 (of differences -1 to 1).
        low, high: ends of the interval.
    """

    value: float
    low: float
    high: float


class Tally(Struct, frozen=True, kw_only=True):
    """The samples of one task.

    Attributes:
        total: how many there are.
        right: how many of these are right.
        fraction: the mean, over them, of cases passed over cases.
        weak: how many of the right ones could have been forged by a hostile program.
    """

    total: int
    right: int
    fraction: float = 0.0
    weak: int = 0

    @property
    def rate(self) -> float:
        """pass@1 of the task."""
        return self.right / self.total


class Numbers(Struct, frozen=True, kw_only=True):
    """What is said of a set of tasks.

    Attributes:
        tasks, samples: how many.
        right: samples that are.
        weak: of the right ones, those that a hostile program could have forged.
        pass_at: k → pass@k.
        pass_all: k → pass^k, for k above 1; that of 1 is pass@1.
        fraction: the mean over tasks of the share of cases passed; None: not all cases were run.
        left_out: those k of which some task has fewer samples: nothing is said of them.
    """

    tasks: int
    samples: int
    right: int
    weak: int
    pass_at: dict[int, Estimate]
    pass_all: dict[int, Estimate]
    fraction: Estimate | None
    left_out: list[int]


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are made.

    Attributes:
        confidence: above 0 and below 1.
        resamples: how often the tasks are drawn.
        seed: of the draws; each set of tasks starts from it anew.
    """

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0

    def means(self, columns: Sequence[Sequence[float]]) -> list[Estimate]:
        """The mean of each column over its rows, with its interval; all draw the same rows.

        Parameters:
            columns: of equal length, at least 1: a value a task.
        """
        size = len(columns[0])
        distinct = list(dict.fromkeys(map(tuple, columns)))
        drawn: dict[tuple[float, ...], list[float]] = {column: [] for column in distinct}
        # A column of one value has that mean whatever is drawn.
        varied = [column for column in distinct if min(column) != max(column)]
        uniform = random.Random(self.seed).random
        for _ in range(self.resamples if varied else 0):
            rows = [int(uniform() * size) for _ in range(size)]
            for column in varied:
                drawn[column].append(math.fsum(map(column.__getitem__, rows)) / size)
        return [self._estimate(column, drawn[tuple(column)]) for column in columns]

    def _estimate(self, column: Sequence[float], drawn: list[float]) -> Estimate:
        value = math.fsum(column) / len(column)
        if not drawn:
            return Estimate(value=value, low=value, high=value)
        ordered = sorted(drawn)
        outside = (1 - self.confidence) / 2
        return Estimate(
            value=value, low=quantile(ordered, outside), high=quantile(ordered, 1 - outside)
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """What lies at a share of the way through sorted values, between two of them in proportion."""
    place = share * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def numbers(
    tallies: Sequence[Tally], ks: Iterable[int], bootstrap: Bootstrap, *, fraction: bool = True
) -> Numbers:
    """The numbers of a set of tasks.

    Parameters:
        tallies: one a task, each with at least one sample.
        ks: of pass@k and pass^k; a k of which some task has fewer samples is left out.
        bootstrap: how intervals are made.
        fraction: whether all cases of the samples were run, so that a share of them says something.
    """
    wanted = sorted({k for k in ks if k >= 1})
    fewest = min((tally.total for tally in tallies), default=0)
    possible = [k for k in wanted if k <= fewest]
    columns: dict[tuple[str, int], list[float]] = {}
    for k in possible:
        columns["one", k] = [chance_of_one(one.total, one.right, k) for one in tallies]
        if k > 1:
            columns["all", k] = [chance_of_all(one.total, one.right, k) for one in tallies]
    if fraction and tallies:
        columns["fraction", 0] = [one.fraction for one in tallies]
    estimates = bootstrap.means(list(columns.values())) if columns else []
    found = dict(zip(columns, estimates, strict=True))
    return Numbers(
        tasks=len(tallies),
        samples=sum(one.total for one in tallies),
        right=sum(one.right for one in tallies),
        weak=sum(one.weak for one in tallies),
        pass_at={k: found["one", k] for k in possible},
        pass_all={k: found["all", k] for k in possible if k > 1},
        fraction=found.get(("fraction", 0)),
        left_out=[k for k in wanted if k > fewest],
    )
