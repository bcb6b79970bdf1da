"""Names of living members, to be taken in turn or at random, each in constant time.

Who goes is struck out and passed over until the list is tidied up, which is done so rarely that it
costs a member little; a name is never there twice.
"""

from __future__ import annotations

import random


class Turns:
    """A set of names with an order of its own.

    Parameters:
        rng: makes the order.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._order: list[str] = []
        #: Those in the order that are not in the set any more.
        self._gone: set[str] = set()
        self._next = 0

    def __len__(self) -> int:
        """How many there are."""
        return len(self._order) - len(self._gone)

    def add(self, name: str) -> None:
        """One that is not there comes, at a random one of the turns that are left of this round."""
        if name in self._gone:
            self._gone.remove(name)
            return
        order = self._order
        place = self._next + int(self._rng.random() * (len(order) + 1 - self._next))
        order.append(name)
        order[place], order[-1] = order[-1], order[place]

    def remove(self, name: str) -> None:
        """One that is there goes."""
        self._gone.add(name)
        if 2 * len(self._gone) > len(self._order):
            self._tidy()

    def next(self) -> str:
        """Each once before any comes again, in an order that is new each round; empty: none."""
        while len(self):
            if self._next >= len(self._order):
                self._tidy()
                self._rng.shuffle(self._order)
            name = self._order[self._next]
            self._next += 1
            if name not in self._gone:
                return name
        return ""

    def some(self, count: int, but: str = "") -> list[str]:
        """So many at random, or as many as there are, none twice.

        Parameters:
            but: one that is there and not wanted; empty: all are.
        """
        wanted = min(count, len(self) - bool(but))
        chosen: dict[str, None] = {}
        # At most half of the order is struck out, and more is asked for only where there are few.
        while len(chosen) < wanted:
            name = self._order[int(self._rng.random() * len(self._order))]
            if name not in self._gone and name != but:
                chosen[name] = None
        return list(chosen)

    def take_over(self, other: Turns, without: str, also: str) -> None:
        """Have the names of another one's, but for one, and one besides; begin anywhere."""
        self._order = [*(name for name in other._order if name != without), also]
        self._gone = other._gone.copy()
        self._next = int(self._rng.random() * len(self._order))

    def _tidy(self) -> None:
        self._order = [name for name in self._order if name not in self._gone]
        self._gone.clear()
        self._next = 0
