"""Judges by name: before anything else is done, what a name stands for takes its place.

What there is to be named is for a `JudgeDirectory`, which the daemon hands in; this knows where in
tests a judge can be, and says so when there is none of that name.
"""

from __future__ import annotations

from typing import NoReturn

import msgspec

from scalebox.errors import BadRequestError, UnknownJudgeError
from scalebox.model import (
    GivenJudge,
    JudgeDirectory,
    JudgeInfo,
    NamedJudge,
    OutputTests,
    StdioTests,
    canonical_bytes,
)


class NoJudges:
    """A directory in which there is nothing."""

    def find(self, judge: NamedJudge) -> NoReturn:
        """Refuses.

        Raises:
            UnknownJudgeError: always.
        """
        raise UnknownJudgeError("no judge can be named here", field="name")

    def infos(self) -> list[JudgeInfo]:
        """None."""
        return []


def with_judges(
    tests: StdioTests | OutputTests, directory: JudgeDirectory
) -> StdioTests | OutputTests:
    """The tests with each named judge replaced by what it stands for.

    Raises:
        UnknownJudgeError: a name that is not there.
        BadRequestError: a parameter that cannot be.  The `field` of both is in the submission.
    """
    judge = tests.judge
    #: Thousands of cases that name the same share one judge.
    found: dict[bytes, GivenJudge] = {}

    def find(named: NamedJudge, field: str) -> GivenJudge:
        key = canonical_bytes(named)
        if key not in found:
            found[key] = _find(named, directory, field)
        return found[key]

    if isinstance(judge, NamedJudge):
        tests = msgspec.structs.replace(tests, judge=find(judge, "tests.judge"))
    if isinstance(tests, StdioTests) and any(
        isinstance(case.judge, NamedJudge) for case in tests.cases
    ):
        cases = [
            msgspec.structs.replace(case, judge=find(case.judge, f"tests.cases[{index}].judge"))
            if isinstance(case.judge, NamedJudge)
            else case
            for index, case in enumerate(tests.cases)
        ]
        tests = msgspec.structs.replace(tests, cases=cases)
    return tests


def _find(judge: NamedJudge, directory: JudgeDirectory, field: str) -> GivenJudge:
    try:
        return directory.find(judge)
    except BadRequestError as error:
        error.field = f"{field}.{error.field}" if error.field else field
        raise
