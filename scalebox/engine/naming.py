"""Judges by name: before anything else is done, what a name stands for takes its place.

What there is to be named is for a `JudgeDirectory`, which the daemon hands in; this knows where in
tests a judge can be, says so when there is none of that name, and who is to hear how a judge of the
directory's store does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import msgspec

from scalebox.errors import BadRequestError, UnknownJudgeError
from scalebox.model import (
    GivenJudge,
    Judge,
    JudgeDirectory,
    JudgeInfo,
    JudgeInService,
    JudgeRecord,
    NamedJudge,
    NewJudge,
    NewJudgeState,
    OutputTests,
    StdioTests,
    canonical_bytes,
)

#: Who hears how judges do: of the case with this index, and with None of all others.
InService = Mapping[int | None, JudgeInService]


class NoJudges:
    """A directory in which there is nothing, and in which nothing can be put.

    Each of its methods that speaks of one judge raises UnknownJudgeError.
    """

    def find(self, judge: NamedJudge) -> NoReturn:
        """There is none."""
        raise UnknownJudgeError("no judge can be named here", field="name")

    def in_service(self, judge: NamedJudge) -> NoReturn:
        """There is none."""
        self.find(judge)

    def infos(self) -> list[JudgeInfo]:
        """None."""
        return []

    async def stored(self) -> list[JudgeInfo]:
        """None."""
        return []

    async def record(self, name: str) -> JudgeRecord:
        """There is none."""
        self.find(NamedJudge(name=name))

    async def add(self, new: NewJudge) -> tuple[JudgeRecord, bool]:
        """There is no place for one."""
        raise UnknownJudgeError("no judge can be kept here")

    async def change(self, name: str, wish: NewJudgeState) -> JudgeRecord:
        """There is none."""
        self.find(NamedJudge(name=name))


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


def in_service(tests: StdioTests | OutputTests, directory: JudgeDirectory) -> InService | None:
    """Who hears how the judges do that tests name; None: nobody wants to.

    It is asked before `with_judges` replaces them.

    Raises:
        UnknownJudgeError, BadRequestError: as `with_judges`.
    """
    found: dict[int | None, JudgeInService] = {}
    #: Thousands of cases may name the same.
    by_name: dict[str, JudgeInService | None] = {}
    places: list[tuple[int | None, Judge | None]] = [(None, tests.judge)]
    if isinstance(tests, StdioTests):
        places += [(index, case.judge) for index, case in enumerate(tests.cases)]
    for index, judge in places:
        if not isinstance(judge, NamedJudge):
            continue
        if judge.name not in by_name:
            with _at("tests.judge" if index is None else f"tests.cases[{index}].judge"):
                by_name[judge.name] = directory.in_service(judge)
        if (service := by_name[judge.name]) is not None:
            found[index] = service
    return found or None


def _find(judge: NamedJudge, directory: JudgeDirectory, field: str) -> GivenJudge:
    with _at(field):
        return directory.find(judge)


@contextmanager
def _at(field: str) -> Iterator[None]:
    """What is refused inside the block is at that place of the request.

    Raises:
        BadRequestError: what was raised, with its field.
    """
    try:
        yield
    except BadRequestError as error:
        error.field = f"{field}.{error.field}" if error.field else field
        raise
