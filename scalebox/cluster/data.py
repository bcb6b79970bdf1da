"""Large test data of a lease: it stays where it is, and goes by its hash to who lacks it.

The submission that travels is the same but for its data over 16 KiB, in whose place is its SHA-256
(as a client may name what it has uploaded).  A borrower fetches what its own store does not have,
so that the thousandth lease of the same tests brings none of them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import msgspec

from scalebox.model import (
    Blob,
    Data,
    FunctionJudge,
    InteractiveTests,
    Judge,
    ProgramJudge,
    StdioTests,
    Submission,
    Tests,
    to_bytes,
)

#: More than this is named by its hash.
LARGE_BYTES = 16 << 10

Replace = Callable[[Data], Data]


class Held:
    """Data of leases by hash, for as long as one of them names it."""

    def __init__(self) -> None:
        self._content: dict[str, bytes] = {}
        self._uses: dict[str, int] = {}

    def __len__(self) -> int:
        """How many are held."""
        return len(self._content)

    def hold(self, content: dict[str, bytes]) -> None:
        """Another lease names these."""
        for sha256, data in content.items():
            self._content.setdefault(sha256, data)
            self._uses[sha256] = self._uses.get(sha256, 0) + 1

    def let_go(self, content: dict[str, bytes]) -> None:
        """One lease less does."""
        for sha256 in content:
            self._uses[sha256] -= 1
            if not self._uses[sha256]:
                del self._uses[sha256], self._content[sha256]

    def get(self, sha256: str) -> bytes | None:
        """What has this hash."""
        return self._content.get(sha256)


def lighten(submission: Submission) -> tuple[Submission, dict[str, bytes]]:
    """A submission without its large data; slow where there is some.

    Returns:
        The submission that travels, and what was taken out by its hash.
    """
    taken: dict[str, bytes] = {}
    #: Cases of one problem may share their data.
    known: dict[int, Data] = {}

    def replace(data: Data) -> Data:
        content = data if isinstance(data, str) else data.data
        if content is None or len(content) <= LARGE_BYTES:
            return data
        if id(content) not in known:
            raw = to_bytes(content)
            sha256 = hashlib.sha256(raw).hexdigest()
            taken[sha256] = raw
            known[id(content)] = Blob(sha256=sha256)
        return known[id(content)]

    return _replaced(submission, replace), taken


def has_large(submission: Submission) -> bool:
    """Whether `lighten` has something to do."""
    found = False

    def look(data: Data) -> Data:
        nonlocal found
        content = data if isinstance(data, str) else data.data
        found = found or (content is not None and len(content) > LARGE_BYTES)
        return data

    _replaced(submission, look)
    return found


def named(submission: Submission) -> Iterator[str]:
    """Hashes that a submission names, each once."""
    found: dict[str, None] = {}

    def look(data: Data) -> Data:
        if isinstance(data, Blob) and data.sha256 is not None:
            found[data.sha256] = None
        return data

    _replaced(submission, look)
    return iter(found)


def _replaced(submission: Submission, replace: Replace) -> Submission:
    tests = submission.tests
    assert tests is not None
    return msgspec.structs.replace(
        submission,
        files={path: replace(data) for path, data in submission.files.items()},
        tests=_tests(tests, replace),
    )


def _tests(tests: Tests, replace: Replace) -> Tests:
    if isinstance(tests, StdioTests):
        return msgspec.structs.replace(
            tests,
            judge=_judge(tests.judge, replace),
            cases=[
                msgspec.structs.replace(
                    case,
                    input=replace(case.input),
                    answer=replace(case.answer),
                    judge=None if case.judge is None else _judge(case.judge, replace),
                )
                for case in tests.cases
            ],
        )
    if isinstance(tests, InteractiveTests):
        return msgspec.structs.replace(
            tests,
            judge=_judge(tests.judge, replace),
            cases=[
                msgspec.structs.replace(
                    case, input=replace(case.input), answer=replace(case.answer)
                )
                for case in tests.cases
            ],
        )
    return tests  # arguments and test programs have no data apart


def _judge(judge: Judge, replace: Replace) -> Judge:
    if not isinstance(judge, FunctionJudge | ProgramJudge):
        return judge
    return msgspec.structs.replace(
        judge,
        source=replace(judge.source),
        files={path: replace(data) for path, data in judge.files.items()},
    )
