"""What a node knows of the loads of others: bounded, and forgotten when old.

Loads change faster than members and are worth nothing a few seconds later, so they are kept apart:
no exchange repairs them, and what is not among the ones most worth taking from is let go.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator

from scalebox.cluster.records import Heard, Load

#: An older load says nothing: a node that has work says so in each of its probes and answers.
FRESH_S = 2.0
#: Others take, too: of a backlog that was heard of so long ago half is thought to be there still.
#: When work runs out, who has something left is found by this among those that had much.
_HALVED_S = 0.5
#: A backlog of nothing has a logarithm, too.
_LEAST_S = 1e-6
#: So many are kept; a thief needs a choice, not all.  Twice as many before the rest is let go, so
#: that keeping the bound costs next to nothing a load.
KEPT = 32


class _Known:
    __slots__ = ("incarnation", "load", "said_s", "told", "worth")

    def __init__(self, incarnation: int, load: Load, said_s: float) -> None:
        self.incarnation = incarnation
        self.load = load
        self.said_s = said_s
        #: How often it was passed on.
        self.told = 0
        #: What is left of all backlogs is halved at the same pace, so that their order stays: this
        #: is the logarithm of what was there at time 0, as it were.
        self.worth = math.log2(load.backlog_s + _LEAST_S) + said_s / _HALVED_S


class Loads:
    """The newest load of each node of which one was heard of late."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._known)

    def hear(self, node: str, heard: Heard, now_s: float) -> bool:
        """Somebody tells a load.

        Returns:
            Whether it is newer than what was known.
        """
        known = self._known.get(node)
        load = heard.load
        if known is not None and (heard.incarnation, load.number) <= (
            known.incarnation, known.load.number,
        ):  # fmt: skip
            return False
        if heard.age_s > FRESH_S:
            return False
        self._known[node] = _Known(heard.incarnation, load, now_s - heard.age_s)
        if len(self._known) > 2 * KEPT:
            self._let_go(now_s)
        return True

    def forget(self, node: str) -> None:
        """It is not there any more."""
        self._known.pop(node, None)

    def victims(self, now_s: float) -> Iterator[tuple[str, Load, float]]:
        """Nodes that had something to take when last heard of, what, and how many CPU seconds of it
        should be there still."""
        oldest_s = now_s - FRESH_S
        for node, known in self._known.items():
            if known.load.cases and known.said_s >= oldest_s:
                yield node, known.load, 2.0 ** (known.worth - now_s / _HALVED_S)

    def tell(self, most: int, times: int, but: str, now_s: float) -> dict[str, Heard]:
        """Those most worth taking from, and counts that they are told.

        Parameters:
            most: how many.
            times: how often each is passed on at most; afterwards whoever needs it has it.
            but: a node that need not be told its own.
        """
        oldest_s = now_s - FRESH_S
        worth = [
            (known.worth, node)
            for node, known in self._known.items()
            if known.load.cases and known.told < times and known.said_s >= oldest_s and node != but
        ]
        chosen = [node for _, node in heapq.nlargest(most, worth)]
        for node in chosen:
            self._known[node].told += 1
        return self.of(chosen, now_s)

    def of(self, nodes: Iterable[str], now_s: float) -> dict[str, Heard]:
        """Those of some nodes, as far as they are known."""
        return {
            node: Heard(
                incarnation=known.incarnation, age_s=max(0.0, now_s - known.said_s), load=known.load
            )
            for node in nodes
            if (known := self._known.get(node)) is not None
        }

    def _let_go(self, now_s: float) -> None:
        """Keep those most worth taking from."""
        oldest_s = now_s - FRESH_S
        fresh = [item for item in self._known.items() if item[1].said_s >= oldest_s]
        self._known = dict(
            heapq.nlargest(KEPT, fresh, key=lambda item: (item[1].load.cases > 0, item[1].worth))
        )
