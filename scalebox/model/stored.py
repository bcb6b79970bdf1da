"""Judges that a daemon keeps: where each comes from, what became of it, and in what state it is."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from scalebox.model.basics import Identifier, Sha256


class JudgeState(enum.StrEnum):
    """How far a judge of the store is trusted.

    `candidate`: nothing is known yet.  `proven`: there is a proof.  `active`: what the problem's id
    stands for; at most one a problem.  `retired`: out of use.  `quarantined`: failed too often in
    service; its cases are `judge_error`.
    """

    CANDIDATE = "candidate"
    PROVEN = "proven"
    ACTIVE = "active"
    RETIRED = "retired"
    QUARANTINED = "quarantined"


#: Where a judge comes from.  `shipped` is said by a daemon, of those that come with ScaleBox.
JudgeSource = Literal["inferred", "generated", "package", "uploaded", "shipped"]

#: A day, or a time with its offset from UTC (ISO 8601, RFC 3339).
DATE_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?(?!\n)$"
)
Date = Annotated[str, Meta(pattern=DATE_PATTERN, max_length=40, description="ISO 8601")]
Reason = Annotated[str, Meta(max_length=1000)]


class Provenance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a judge comes from.

    Attributes:
        source: `inferred` from outputs, `generated` by a model, from a problem's `package`, or
            `uploaded` by a person.
        model: that wrote it.
        prompt_sha256: of what the model was asked.
        data_sha256: of the data that it was made from.
        date: when it was made; None: when it is registered.
    """

    source: JudgeSource
    model: Annotated[str, Meta(max_length=200)] = ""
    prompt_sha256: Sha256 | None = None
    data_sha256: Sha256 | None = None
    date: Date | None = None


class JudgeStateChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step in the life of a judge.

    Attributes:
        date: when.
        state: which it has had since.
        reason: why, in words.
        decided, failed: its counts until then.
    """

    date: str
    state: JudgeState
    reason: str = ""
    decided: int = 0
    failed: int = 0


class StoredJudge(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a list says of a judge of the store.

    Attributes:
        hash: SHA-256 of the judge.
        problem: which it is for; None: any.
        version: 1, 2, … of the problem's judges.
        state: how far it is trusted.
        source: where it comes from.
        proven: whether there is a proof.
        decided, failed: how often it has decided, and failed to, since it was last promoted.
    """

    hash: str
    problem: Identifier | None = None
    version: int
    state: JudgeState
    source: JudgeSource
    proven: bool = False
    decided: int = 0
    failed: int = 0
