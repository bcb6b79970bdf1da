"""What travels between a node that lends cases and one that borrows them.

As `records`, but of work: requests for it, leases, results.  Everything is decoded into these, so
what a peer sends is bounded before anything looks at it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from scalebox.cluster.records import Gossip, Text
from scalebox.model import CaseResult, Identifier, Submission

#: Cases in one lease, at most; results in one frame, at most.
MOST_CASES = 2_000
MOST_RESULTS = 500
#: Leases in one answer, at most: each is some milliseconds of the lender's loop.
MOST_LEASES = 16
#: Tool chains that a node can name: some thirty languages with a few variants each.
_MOST_TOOLCHAINS = 500
#: Leases of which one answer returns cases.
MOST_RETURNED = 64

LeaseId = Annotated[str, Meta(min_length=32, max_length=32, pattern="^[0-9a-f]*$")]
Position = Annotated[int, Meta(ge=0, lt=MOST_CASES)]
ShortTime = Annotated[float, Meta(ge=0, le=86_400)]


class StealRequest(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An idle node asks for work.

    Attributes:
        slots, free_slots: of the one that asks.
        seconds: of a slot, that it asks for.
        toolchains: that it has; only what needs none but these is lent to it.
        round_trip_s: to the one that is asked, as measured.
    """

    slots: Annotated[int, Meta(ge=1, le=100_000)]
    free_slots: Annotated[int, Meta(ge=0, le=100_000)]
    seconds: Annotated[float, Meta(gt=0, le=1e6)]
    toolchains: Annotated[list[Text], Meta(max_length=_MOST_TOOLCHAINS)]
    round_trip_s: ShortTime = 0.0


class Lease(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cases of one submission, for a while.

    Attributes:
        id: unguessable.
        submission: an ordinary one; large data in it is named by its hash, to be fetched from the
            lender.
        via: who has lent these cases on their way, the sender last.
        artifact: address of the compiled program, to be fetched from the lender; empty: none.
        ttl_s: after so long without a frame of results it is over.
        frame_each_s: results wait so long for others to go in one frame with them.
    """

    id: LeaseId
    submission: Submission
    via: Annotated[list[Identifier], Meta(min_length=1, max_length=16)]
    artifact: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    ttl_s: ShortTime
    frame_each_s: ShortTime = 0.02


class Returned(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cases that a borrower has not begun and sends home: their lender asked it for work.

    Attributes:
        lease: which.
        positions: of the cases in it.
    """

    lease: LeaseId
    positions: Annotated[list[Position], Meta(max_length=MOST_CASES)]


class StealAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a node lends.

    Attributes:
        leases: one a submission.
        returned: in place of leases, what the one that asks had lent to the sender.
        ask_again_s: with neither there is nothing; not before, then.
        gossip: the sender's load, and those of nodes that have got something from it.
    """

    leases: Annotated[list[Lease], Meta(max_length=MOST_LEASES)] = []
    returned: Annotated[list[Returned], Meta(max_length=MOST_RETURNED)] = []
    ask_again_s: ShortTime = 0.0
    gossip: Gossip | None = None


class CaseAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a case came to.

    Attributes:
        position: of the case in the lease.
        result: its node is empty where the borrower ran it itself.
        weak: whether the submission could have forged it.
    """

    position: Position
    result: CaseResult
    weak: bool = False


class Results(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A frame of results; an empty one says that the borrower is at it.

    Attributes:
        lease: which.
        answers: since the frame before.
        done: no more will come; what is unanswered goes back.
        reason: why, if something is unanswered.
        gossip: the sender's load.
    """

    lease: LeaseId
    answers: Annotated[list[CaseAnswer], Meta(max_length=MOST_RESULTS)] = []
    done: bool = False
    reason: Annotated[str, Meta(max_length=1000)] = ""
    gossip: Gossip | None = None


class ResultsAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the lender makes of a frame.

    Attributes:
        held: whether the lease is still the borrower's; if not, it stops working on it.
        unwanted: positions of cases that need no result any more.
    """

    held: bool
    unwanted: Annotated[list[Position], Meta(max_length=MOST_CASES)] = []


class Fetch(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A borrower asks for what a lease names by its hash: one of the two.

    Attributes:
        lease: that names it.
        sha256: of test data.
        artifact: address of a compiled program.
    """

    lease: LeaseId
    sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    artifact: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""


class Reach(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody gets no answer of a node: probe it for them.

    Attributes:
        node, address: which.
        timeout_s: for its answer.
    """

    node: Identifier
    address: Text
    timeout_s: Annotated[float, Meta(gt=0, le=60)]


class Reached(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether it answered."""

    alive: bool
