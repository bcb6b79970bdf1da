"""What there is of a problem: statement, tests, and programs that are known to be right or wrong.

Reads the rows that `client.problems` reads.  A problem that cannot have a special judge (its tests
call a function, or are made of asserts) is refused with the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from scalebox.client.problems import ProblemFileError, ProblemRow, read_rows
from scalebox.model import (
    Data,
    InteractiveCase,
    InteractiveTests,
    Judge,
    Limits,
    StdioCase,
    StdioTests,
    Submission,
    canonical_bytes,
    to_bytes,
)

#: Fields in which the known datasets have their statement.
_STATEMENTS = ("statement", "content", "question", "description", "prompt")
ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class TestData:
    """One test.

    Attributes:
        flags: its judge is called with these instead of its own; None: with its own.
        sample: whether it is shown to those who solve the problem.
    """

    name: str
    input: bytes
    answer: bytes
    flags: tuple[str, ...] | None = None
    sample: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A program of which somebody says whether it is right.

    Attributes:
        label: `accepted`, or why not: `wrong_answer`, `time_limit_exceeded`, …
        submission: without tests.
    """

    name: str
    label: str
    submission: Submission

    @property
    def is_right(self) -> bool:
        """Whether it is said to be."""
        return self.label == ACCEPTED


@dataclass(frozen=True, slots=True)
class Material:
    """A problem.

    Attributes:
        own: the judge that comes with it; None: nobody says.
        interactive: whether programs talk with it.
        limits: of programs.
    """

    id: str
    statement: str
    tests: tuple[TestData, ...]
    programs: tuple[Program, ...]
    own: Judge | None
    interactive: bool = False
    limits: Limits = field(default_factory=Limits)

    def sha256(self) -> str:
        """Of everything that a judge can be proven with; the judge that comes with it is not."""
        digest = hashlib.sha256(self.statement.encode("utf-8", "surrogatepass"))
        for test in self.tests:
            for part in (test.input, test.answer):
                digest.update(b"%d:" % len(part) + part)
        for program in self.programs:
            digest.update(program.label.encode() + canonical_bytes(program.submission))
        digest.update(canonical_bytes(self.limits))
        return digest.hexdigest()


def read_materials(path: str | Path) -> Iterator[Material | ProblemFileError]:
    """The problems of a file, in its order; in the place of one that is refused, why.

    Parameters:
        path: `.json`, `.jsonl`, `.jsonl.gz` or `.parquet`.

    Raises:
        ProblemFileError: the file itself cannot be read.
    """
    for row in read_rows(path):
        try:
            yield material_of(row)
        except ProblemFileError as error:
            yield error


def material_of(row: ProblemRow) -> Material:
    """One problem.

    Raises:
        ProblemFileError: it cannot be read, or cannot have a special judge.
    """
    problem = row.problem()
    tests = problem.tests
    if not isinstance(tests, StdioTests | InteractiveTests):
        raise ProblemFileError(
            f"{row.where}: tests of this kind compare values, and have no use for a judge"
        )
    cases: Sequence[StdioCase | InteractiveCase] = tests.cases
    samples = {
        test.get("name") for test in _listed(row.data.get("tests")) if test.get("sample") is True
    }
    try:
        data = tuple(
            TestData(
                name=case.name or str(index),
                input=_bytes(case.input),
                answer=_bytes(case.answer),
                flags=None if case.judge_flags is None else tuple(case.judge_flags),
                sample=case.name in samples,
            )
            for index, case in enumerate(cases)
        )
        programs = tuple(
            Program(found.name, found.label, _without_tests(found.submission))
            for found in row.submissions()
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ProblemFileError(f"{row.where}: {type(error).__name__}: {error}") from error
    said = next((row.data[key] for key in _STATEMENTS if key in row.data), "")
    return Material(
        id=row.id,
        statement=said if isinstance(said, str) else "",
        tests=data,
        programs=programs,
        own=tests.judge,
        interactive=isinstance(tests, InteractiveTests),
        limits=problem.limits,
    )


def _bytes(data: Data) -> bytes:
    """Test data that is there.

    Raises:
        ValueError: it is somewhere else.
    """
    if isinstance(data, str):
        return to_bytes(data)
    if data.data is None:
        raise ValueError("test data that was uploaded to a daemon cannot be read from a file")
    return data.data


def _without_tests(submission: Submission) -> Submission:
    return msgspec.structs.replace(submission, tests=None, problem=None, limits=Limits())


def _listed(value: object) -> list[dict[str, object]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
