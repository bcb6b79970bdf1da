"""Judges: what decides whether an output is right, given in full or by name.

How a judge's name leads to the judge is for whoever implements `records.JudgeDirectory`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from scalebox.model.basics import Data, Limits


class Comparison(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="compare"
):
    """Compare output and answer outside the sandbox, without running a judge program.

    Attributes:
        mode: `tokens` compares whitespace-separated tokens; `lines` compares lines after removing
            trailing whitespace of each line and trailing empty lines; `exact` compares bytes.
        case_sensitive: whether `a` and `A` differ in `tokens` and `lines`.  False is the ICPC
            default validator's rule.
        space_sensitive: with `tokens`, whitespace must be equal too (ICPC's
            `space_change_sensitive`).
        float_absolute_tolerance: accept a token whose number is within this of the answer's.
        float_relative_tolerance: accept a token within this times the answer's magnitude.
            With both, either one suffices (ICPC problem package specification 2025-09).
    """

    mode: Literal["tokens", "lines", "exact"] = "tokens"
    case_sensitive: bool = False
    space_sensitive: bool = False
    float_absolute_tolerance: Annotated[float, Meta(ge=0)] | None = None
    float_relative_tolerance: Annotated[float, Meta(ge=0)] | None = None


class FunctionJudge(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag="function",
):
    """A Python function decides, in a warm process of its own for each output.

    Attributes:
        source: defines `judge(input: str, output: str, answer: str)`, which returns a bool, a
            number from 0 to 1 (1: accepted; less: rejected, with so many points), or a pair of
            one of these and words for people.  An exception is a `judge_error`.
        files: further modules and data beside it, relative path → content.
        limits: of one decision; what is unset comes from the daemon's configuration.
    """

    source: Data
    files: dict[str, Data] = {}
    limits: Limits = Limits()


#: How a judge that is a program is called, and how it answers; see docs/judging.md.
Contract = Literal["icpc", "testlib", "scalebox", "open-r1"]
#: A judge of several passes may have so many of them.
MAX_PASSES = 1000


class ProgramJudge(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="program"
):
    """A program decides, run in a slot like any other.

    Attributes:
        contract: how it is called, and how it answers.
        language: of `source`; a name or alias of `GET /v1/languages`.
        source: the main source file.
        files: further files beside it; those in its language are compiled with it.
        flags: further arguments (`icpc` alone takes them).
        passes: how often it may have the program run in a case, each time but the first with an
            input that it has written itself (`icpc` alone: the most passes of a multi-pass
            validator).
        limits: of one decision; what is unset comes from the daemon's configuration.
    """

    contract: Contract
    language: Annotated[str, Meta(min_length=1, max_length=64)]
    source: Data
    files: dict[str, Data] = {}
    flags: list[str] = []
    passes: Annotated[int, Meta(ge=1, le=MAX_PASSES)] = 1
    limits: Limits = Limits()


#: Integers that every number of JSON can be, and texts of a few words.
ParameterValue = (
    bool
    | Annotated[int, Meta(ge=-(1 << 53), le=1 << 53)]
    | float
    | Annotated[str, Meta(max_length=1000)]
)


class NamedJudge(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="named"
):
    """One of the judges that the daemon has.

    Attributes:
        name: as in `GET /v1/judges`; of the store also `problem:ID` for a problem's active judge,
            `problem:ID#VERSION`, and `sha256:HASH`.
        parameters: those that shall not have their defaults, by name; of judges that ship.
    """

    name: Annotated[str, Meta(min_length=1, max_length=300)]
    parameters: dict[str, ParameterValue] = {}


#: A judge that says itself how it decides.
GivenJudge = Comparison | FunctionJudge | ProgramJudge

#: Decides whether an output is right.
Judge = Comparison | FunctionJudge | ProgramJudge | NamedJudge
