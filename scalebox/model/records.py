"""Judges of the store in full, what registers one and changes its state, and who keeps them.

What is behind `JudgeDirectory` is no other room's business.
"""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from scalebox.model.basics import Identifier, Limits, canonical_bytes
from scalebox.model.judges import FunctionJudge, GivenJudge, Judge, NamedJudge, ProgramJudge
from scalebox.model.status import JudgeInfo
from scalebox.model.stored import JudgeState, JudgeStateChange, Provenance, Reason

#: What the store takes: functions and programs with all of their text, and judges that ship, with
#: their parameters.
StorableJudge = FunctionJudge | ProgramJudge | NamedJudge

#: What each kind of judge has where nothing is said: a default is left out of an encoding where it
#: is the very object.
_NO_LIMITS = {
    judge.__class__: judge.limits
    for judge in (
        FunctionJudge(source=""),
        ProgramJudge(contract="icpc", language="python", source=""),
    )
}
_decoder = msgspec.msgpack.Decoder(StorableJudge)


def judge_bytes(judge: StorableJudge) -> bytes:
    """The canonical encoding of a judge; equal for equal judges.

    Raises:
        msgspec.ValidationError: a field has a value that it cannot have.
    """
    # As it comes over the wire: a limit of 2 is one of 2.0 there.
    plain: StorableJudge = _decoder.decode(canonical_bytes(judge))
    if not isinstance(plain, NamedJudge) and plain.limits == Limits():
        plain = msgspec.structs.replace(plain, limits=_NO_LIMITS[plain.__class__])
    return canonical_bytes(plain)


def judge_hash(judge: StorableJudge) -> str:
    """The address of a judge in the store: SHA-256 of its canonical encoding, in hex."""
    return hashlib.sha256(judge_bytes(judge)).hexdigest()


class NewJudge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The body of `POST /v1/judges`.

    Attributes:
        judge: with all of its text; no blobs.
        problem: which it is for; None: any.
        provenance: where it comes from.
        proof: on what evidence it can be trusted; JSON, kept as it is.
        state: `proven` and `active` need a proof.
        reason: why it has that state.
    """

    judge: StorableJudge
    problem: Identifier | None = None
    provenance: Provenance
    proof: dict[str, Any] | None = None
    state: JudgeState = JudgeState.CANDIDATE
    reason: Reason = ""


class NewJudgeState(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """The body of `POST /v1/judges/{name}/state`.

    Attributes:
        state: which it shall have.
        reason: why; a judge that was taken out of use comes back for one only.
        force: make it active although there is no proof.
        proof: of now; takes the place of the one that is there.
    """

    state: JudgeState
    reason: Reason = ""
    force: bool = False
    proof: dict[str, Any] | None = None


class JudgeRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is known of one judge.

    Attributes:
        name: what a `NamedJudge` says to get this one: `problem:ID#VERSION`, `sha256:HASH` of one
            that is for any problem, or the name of one that ships.
        hash: SHA-256 of the judge.
        judge: itself; of one that ships what its name stands for.
        problem: which it is for; None: any.
        version: 1, 2, … of the problem's judges.
        state: how far it is trusted.
        provenance: where it comes from.
        proof: on what evidence it is trusted.
        decided, failed: how often it has decided, and failed to, since it was last promoted.
        history: its states, oldest first.
    """

    name: str
    hash: str
    judge: Judge
    problem: Identifier | None = None
    version: int
    state: JudgeState
    provenance: Provenance
    proof: dict[str, Any] | None = None
    decided: int = 0
    failed: int = 0
    history: list[JudgeStateChange] = []


class JudgeInService(Protocol):
    """A judge of the store at work: hears how it does, and may be taken out meanwhile."""

    @property
    def taken_out(self) -> str:
        """Why it is not to be asked, in words for people; empty: it is."""
        ...

    def decided(self) -> None:
        """It has accepted or rejected an output."""
        ...

    def failed(self, words: str) -> None:
        """It could not decide, for reasons of its own.

        Parameters:
            words: which.
        """
        ...


class JudgeDirectory(Protocol):
    """Knows judges by name: those that ship, and those of the store, which it keeps.

    Names are those of `JudgeRecord`, and `problem:ID` for a problem's active judge.
    """

    def find(self, judge: NamedJudge) -> GivenJudge:
        """What a name and its parameters stand for; quick, and equal as long as nothing is changed.

        A judge that was taken out of service is found: see `in_service`.

        Raises:
            UnknownJudgeError: there is none of that name, or it is retired.
            BadRequestError: a parameter cannot be.  The `field` of both is relative to the judge.
        """
        ...

    def in_service(self, judge: NamedJudge) -> JudgeInService | None:
        """Who hears how a judge of the store does; None for one that ships.  Raises as `find`."""
        ...

    def infos(self) -> list[JudgeInfo]:
        """Those that ship, by name."""
        ...

    async def stored(self) -> list[JudgeInfo]:
        """Those of the store, in whatever state, by problem and version.

        Raises:
            HostError: the store cannot be read.
        """
        ...

    async def record(self, name: str) -> JudgeRecord:
        """All that is known of a judge.

        Raises:
            UnknownJudgeError: there is none of that name.
            HostError: the store cannot be read.
        """
        ...

    async def add(self, new: NewJudge) -> tuple[JudgeRecord, bool]:
        """Register a judge, and say whether it is new.

        One that is there already stays as it is, but for a higher state that is asked for.

        Raises:
            BadRequestError: it cannot be kept; the error names the field.
            TooLargeError: it, or the store, is over a bound.
            HostError: the store cannot be written.
        """
        ...

    async def change(self, name: str, wish: NewJudgeState) -> JudgeRecord:
        """Give a judge of the store another state.

        Raises:
            UnknownJudgeError: there is none of that name.
            JudgeStateError: it cannot go from its state to that one.
            BadRequestError: the name means several, or a proof or reason is missing.
            HostError: the store cannot be written.
        """
        ...
