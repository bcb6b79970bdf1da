"""What nodes of the model give each other: batches of cases, and leases from either side."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.simulated_node import Node

#: Part of a lease, and the case's number.
Case = tuple[int, int]


class Batch:
    """Cases of one submission that a node has: all of it, or what was lent of it.

    Parameters:
        cases: their numbers.
        held: the lease under which it is here; None: it is a client's.
        part: which of the lease's.

    Attributes:
        cases: those that wait.
        came: all.
        depth: how often it was lent.
    """

    __slots__ = ("came", "cases", "depth", "held", "part")

    def __init__(self, cases: Iterable[int], held: Held | None = None, part: int = 0) -> None:
        self.cases = deque(cases)
        self.came = tuple(self.cases)
        self.held = held
        self.part = part
        self.depth = held.depth if held is not None else 0


class Lease:
    """What a victim knows of a lease that it gave.

    Attributes:
        outstanding: cases without a result, by part and number, and the batch that each was taken
            from.  After a client has asked again, two parts may hold the same case.
    """

    __slots__ = ("expires_s", "outstanding", "thief", "ttl_s")

    def __init__(self, thief: str, outstanding: dict[Case, Batch], now_s: float, ttl_s: float):
        self.thief = thief
        self.outstanding = outstanding
        self.ttl_s = ttl_s
        self.expires_s = now_s + ttl_s


class Held:
    """What a thief knows of a lease that it has.

    Attributes:
        batches: its cases.
        left: those that it owes.
        outbox: results that wait to be sent.
        dropped: whether the victim does not want it any more.
    """

    __slots__ = (
        "batches", "depth", "dropped", "flushing", "left", "number", "outbox", "sent_s", "victim",
    )  # fmt: skip

    def __init__(self, number: int, victim: Node, depth: int, left: int, now_s: float) -> None:
        self.number = number
        self.victim = victim
        self.depth = depth
        self.left = left
        self.batches: list[Batch] = []
        self.outbox: list[Case] = []
        self.flushing = False
        self.dropped = False
        self.sent_s = now_s
