"""What travels between nodes to say who is there and who has work.

Fields that a node does not know are passed over, so that nodes of two versions understand each
other during a rolling upgrade.  Lists are bounded where they are decoded.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from scalebox.model import Identifier

#: Most updates in one message, and most in one page of an exchange.  With facts of some 400 bytes
#: a message stays below 10 KiB and a page below 200 KiB.
MOST_UPDATES = 16
PAGE_UPDATES = 400
#: Most loads in one message: 2 log2(n) of a billion nodes.
MOST_LOADS = 64
#: Parts into which the members are divided, by their names, to find where two nodes differ.
BUCKETS = 256

State = Literal["alive", "suspect", "dead", "left"]
#: Within 2^53 every decoder reads the same number.
Number = Annotated[int, Meta(ge=0, le=1 << 53)]
#: Of 63 bits: what decoders can hold to bounds.
Hash63 = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Text = Annotated[str, Meta(max_length=200)]


class Facts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is true of a node for as long as it has the same incarnation.

    Attributes:
        node: its name, unique in the cluster.
        address: `host:port` where peers reach it.
        version: of scalebox.
        isolation, enforcement: what its host gives.
        cpu: model name.  CPU seconds of two models are not the same.
        slots: how many programs it runs at once.
        languages: name → fingerprint of its tool chain.
        api: `host:port` where clients reach it over TCP; empty: they do not.
    """

    node: Identifier
    address: Text
    version: Text = ""
    isolation: Text = ""
    enforcement: Text = ""
    cpu: Text = ""
    slots: Annotated[int, Meta(ge=1, le=100_000)] = 1
    languages: Annotated[dict[Text, Text], Meta(max_length=100)] = {}
    api: Text = ""


class Load(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a node has to do; within an incarnation the one with the highest number is the newest.

    Attributes:
        number: 1, 2, …
        free_slots: that nothing runs in.
        cases: that others may take.
        backlog_s: CPU seconds that these are thought to need.
        draining: it only finishes what it has.
        pressed: it is short of memory.
    """

    number: Number = 0
    free_slots: Annotated[int, Meta(ge=0, le=100_000)] = 0
    cases: Number = 0
    backlog_s: Annotated[float, Meta(ge=0, le=1e12)] = 0.0
    draining: bool = False
    pressed: bool = False


class Heard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another node's load, passed on.

    Attributes:
        incarnation: of that node.
        age_s: seconds since it said so.
        load: what it said.
    """

    incarnation: Number
    age_s: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    load: Load


class Update(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node as somebody sees it.

    Attributes:
        node: which.
        incarnation: of it; what is said of a later one counts, whatever it is.
        state: of two things said of the same incarnation the later in this order counts: `alive`,
            `suspect`, `dead`, `left`.
        facts: always there for the first two.
    """

    node: Identifier
    incarnation: Number
    state: State = "alive"
    facts: Facts | None = None

    def __post_init__(self) -> None:
        if self.facts is not None and self.facts.node != self.node:
            raise ValueError("`facts` are those of another node")


class Gossip(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A probe, the answer to it, and a rumour: all tell the same things.

    Attributes:
        sender, incarnation: whose it is.
        load: the sender's own.
        updates: about members, what is newest.
        loads: of others, those most worth taking from.
        members: how many the sender takes for living, itself included.
        digest: of all of these; two who have the same know the same.
        hops: of a rumour: how often it is to be pushed on.
    """

    sender: Identifier
    incarnation: Number
    load: Load
    updates: Annotated[list[Update], Meta(max_length=MOST_UPDATES)] = []
    loads: Annotated[dict[Identifier, Heard], Meta(max_length=MOST_LOADS)] = {}
    members: Number = 0
    digest: Hash63 = 0
    hops: Annotated[int, Meta(ge=0, le=64)] = 0


class Exchange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One page of a full exchange: what two nodes tell each other about where they differ.

    Attributes:
        sender: whose it is.
        digests: of each bucket.
        updates: about members in buckets in which the two differ, the sender itself always.
        more: that there was no room for all.
    """

    sender: Identifier
    digests: Annotated[list[Hash63], Meta(min_length=BUCKETS, max_length=BUCKETS)]
    updates: Annotated[list[Update], Meta(max_length=PAGE_UPDATES)] = []
    more: bool = False
