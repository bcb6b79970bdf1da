"""Tests: the cases, and what is asked of a program in each."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from scalebox.model.basics import Data, Limits
from scalebox.model.judges import Comparison, Judge, ProgramJudge


class StdioCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One test case over standard input and output.

    Attributes:
        input: what the program reads on standard input.
        answer: the jury's expected output.  Never enters the sandbox of the program.
        name: shown in the report; defaults to the case's index.
        judge: replaces the tests' judge for this case alone.
        judge_flags: replace the flags of a judge that is a program, for this case alone.
    """

    input: Data = ""
    answer: Data = ""
    name: str | None = None
    judge: Judge | None = None
    judge_flags: list[str] | None = None


class StdioTests(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="stdio"
):
    """The program reads standard input and writes standard output.

    Attributes:
        cases: the test cases, judged independently of each other.
        judge: decides about each output.
    """

    cases: list[StdioCase]
    judge: Judge = Comparison()


class InteractiveCase(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One conversation between a program and a judge.

    Attributes:
        input, answer: what the judge reads; neither enters the program's sandbox.
        name: shown in the report; defaults to the case's index.
        judge_flags: replace the judge's flags for this case alone.
    """

    input: Data = ""
    answer: Data = ""
    name: str | None = None
    judge_flags: list[str] | None = None


class InteractiveTests(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag="interactive",
):
    """The program and the judge talk: what one writes the other reads, while both run.

    Attributes:
        cases: the conversations, each with a fresh process of both.
        judge: an interactive validator (`icpc`) or interactor (`testlib`).
    """

    cases: list[InteractiveCase]
    judge: ProgramJudge


class CallCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One call of the submission's function.

    Attributes:
        args: positional arguments, JSON data.
        kwargs: keyword arguments, JSON data; Python only.
        expected: the value that the call must return.  Never enters the sandbox.
        name: shown in the report; defaults to the case's index.
    """

    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    expected: Any = None
    name: str | None = None


class CallTests(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="call"
):
    """The tests call a function (or a method of `class Solution`) and compare what it returns.

    Attributes:
        function: the name to call.  If the source defines `class Solution` with such a method and
            no function of that name, a fresh `Solution()` is made for each call.
        cases: the calls.
        tuple_equals_list: whether `(1, 2)` is accepted where `[1, 2]` is expected (JSON has no
            tuples, so this is the default).
        float_absolute_tolerance, float_relative_tolerance: accept numbers within these; Python
            equality where unset.
    """

    function: Annotated[str, Meta(min_length=1, max_length=200)]
    cases: list[CallCase]
    tuple_equals_list: bool = True
    float_absolute_tolerance: Annotated[float, Meta(ge=0)] | None = None
    float_relative_tolerance: Annotated[float, Meta(ge=0)] | None = None


class AssertCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One test program made of asserts, run after the submission's source.

    Attributes:
        program: such as HumanEval's `def check(candidate): …`, MBPP's asserts, MultiPL-E's `main`.
        name: shown in the report; defaults to the case's index.
    """

    program: str
    name: str | None = None


class AssertTests(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="assert"
):
    """Test programs as in HumanEval, MBPP and MultiPL-E.

    Attributes:
        cases: the test programs; each is a case of its own, with a fresh process.  One of Python's
            that runs no test is a `judge_error`.
        entry_point: if the test program defines `check`, it is called with this function of the
            submission (HumanEval's convention); Python only.
    """

    cases: list[AssertCase]
    entry_point: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


class OutputCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One output that is there already.

    Attributes:
        output: what is judged.
        input, answer: what the judge reads besides.
        name: shown in the report; defaults to the case's index.
        judge_flags: replace the flags of a judge that is a program, for this case alone.
    """

    output: Data
    input: Data = ""
    answer: Data = ""
    name: str | None = None
    judge_flags: list[str] | None = None


class OutputTests(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="outputs"
):
    """Outputs that were made elsewhere; nothing is run but their judge.

    Language and source of the submission are empty.

    Attributes:
        cases: the outputs, judged independently of each other.
        judge: decides about each.
    """

    cases: list[OutputCase]
    judge: Judge = Comparison()


Tests = StdioTests | InteractiveTests | CallTests | AssertTests | OutputTests


class Problem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `PUT /v1/problems/{id}` registers: send tests once, then submit by problem id."""

    tests: Tests
    limits: Limits = Limits()
    name: str | None = None
