"""What a daemon says of the others."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class ClusterNode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node, as the daemon that answers sees it.

    Attributes:
        node: its name.
        state: `suspect`: it did not answer of late; `left`: it said so before it ended.
        address: where its peers reach it.
        api: where clients reach it over TCP, if they do.
        version: of scalebox.
        isolation, enforcement: what its host gives.
        cpu: model of its processor.
        slots, free_slots: places for programs, and those in which none runs.
        languages: name → fingerprint of the tool chain.
        backlog_cases, backlog_s: what could be taken from it when it was last heard of, and the
            seconds of a slot that this is thought to need; zeros, too, where nothing was heard.
        lent_cases: that it has of the daemon that answers.
        borrowed_cases: of its own that the daemon that answers is at.
        round_trip_s: to it; 0: nobody has measured.
        draining: it only finishes what it has.
    """

    node: str
    state: Literal["alive", "suspect", "dead", "left"]
    address: str
    api: str = ""
    version: str = ""
    isolation: str = ""
    enforcement: str = ""
    cpu: str = ""
    slots: int = 0
    free_slots: int = 0
    languages: dict[str, str] = {}
    backlog_cases: int = 0
    backlog_s: float = 0.0
    lent_cases: int = 0
    borrowed_cases: int = 0
    round_trip_s: float = 0.0
    draining: bool = False


class ClusterView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer of `GET /v1/cluster`.

    Attributes:
        node: name of the daemon that answers.
        clustered: whether it listens for peers at all (`cluster.listen`).
        nodes: itself first, then by name.
        refused: messages that were refused, by reason.
    """

    node: str
    clustered: bool
    nodes: list[ClusterNode] = []
    refused: dict[str, int] = {}
