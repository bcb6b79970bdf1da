"""What `make stability` judges: real submissions, their tests and their limits.

A limit far from what a program needs cannot show whether verdicts move.  So every submission is
judged under the data's own limit, and again, where it computes for long enough to be measured,
under some of its own making: two that it keeps with more and less room, two that it misses so.
What a program needs is not one number, even alone: other machines on the same processor make the
same work cost up to twice as much for minutes.  So it is measured several times.
Pure data: nothing is sent from here.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from bench.labels import Labelled
from scalebox.model import CaseResult, Limits, Report, StdioTests, Submission, Verdict

LANGUAGES = frozenset({"python", "cpp"})
#: Tests of one submission, spread evenly over those that the data has.
MOST_TESTS = 6
#: The data's own limits are cut to this: programs that never end would cost the time of all others.
LONGEST_LIMIT_S = 1.0
#: Limits made from what a submission's slowest test needs, which is judged by itself then.
NEAR = (1.3, 0.7)
TIGHT = (2.0, *NEAR, 0.5)
#: With less than this a limit would be of the size of an interpreter's start.
TIGHT_FROM_S = 0.02
#: And so would one that is shorter than this.
SHORTEST_LIMIT_S = 0.7 * TIGHT_FROM_S
OWN = "own"
#: A run that ended so has told how much CPU time it needs.
ENDED = frozenset({Verdict.ACCEPTED, Verdict.WRONG_ANSWER})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """A submission under a limit.

    Attributes:
        name: problem and submission.
        limit: `own`, or the multiple of what it needs, in words.
        submission: with tests and limits, ready to be sent.
        needs_s: CPU seconds that its only test took, each time that nothing else was judged and
            the limit was far; empty: not known.  Grows as it is measured.
    """

    name: str
    limit: str
    submission: Submission
    needs_s: list[float] = field(default_factory=list)

    @property
    def limit_s(self) -> float:
        """CPU seconds that a test may use."""
        assert self.submission.limits.cpu_time_s is not None
        return self.submission.limits.cpu_time_s


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many items, at even distances; the first and the last are among them."""
    if len(items) <= most:
        return list(items)
    if most == 1:
        return [items[0]]
    step = (len(items) - 1) / (most - 1)
    return [items[round(place * step)] for place in range(most)]


def own(labelled: Labelled, most_tests: int = MOST_TESTS) -> Choice:
    """A submission under the data's limit."""
    submission = labelled.submission
    assert isinstance(submission.tests, StdioTests)
    limits = submission.limits
    limit_s = min(limits.cpu_time_s or LONGEST_LIMIT_S, LONGEST_LIMIT_S)
    tests = spread(submission.tests.cases, most_tests)
    return Choice(
        f"{labelled.problem}/{labelled.name}",
        OWN,
        _limited(submission, msgspec.structs.replace(submission.tests, cases=tests), limit_s),
    )


def slowest(choice: Choice, quiet: Report) -> Choice | None:
    """A submission's slowest test by itself, still under the data's limit.

    Parameters:
        choice: under the data's limit.
        quiet: its report.

    Returns:
        None if no test that ended by itself took long enough.
    """
    tests = choice.submission.tests
    assert isinstance(tests, StdioTests)
    ended = [place for place, case in enumerate(quiet.cases) if case.verdict in ENDED]
    if not ended:
        return None
    found = max(ended, key=lambda place: quiet.cases[place].cpu_time_s)
    needs_s = quiet.cases[found].cpu_time_s
    if needs_s < TIGHT_FROM_S:
        return None
    alone = msgspec.structs.replace(tests, cases=[tests.cases[found]])
    submission = _limited(choice.submission, alone, choice.limit_s)
    return Choice(choice.name, OWN, submission, [needs_s])


def times_quiet(factor: float) -> str:
    """A limit, in words."""
    return f"{factor:g} x quiet"


def tight(choice: Choice) -> list[Choice]:
    """A submission's slowest test under limits made from what it needs, as far as that is known.

    Parameters:
        choice: with that test alone; `needs_s` is shared with it.
    """
    tests = choice.submission.tests
    assert isinstance(tests, StdioTests)
    needs_s = statistics.median(choice.needs_s)
    return [
        Choice(
            choice.name,
            times_quiet(factor),
            _limited(choice.submission, tests, factor * needs_s),
            choice.needs_s,
        )
        for factor in TIGHT
        if factor * needs_s >= SHORTEST_LIMIT_S
    ]


def _limited(submission: Submission, tests: StdioTests, cpu_time_s: float) -> Submission:
    limits: Limits = msgspec.structs.replace(submission.limits, cpu_time_s=cpu_time_s)
    return msgspec.structs.replace(submission, tests=tests, limits=limits)


def was_run(case: CaseResult) -> bool:
    """Whether there is something to be learned from a case."""
    return case.verdict not in (Verdict.SKIPPED, Verdict.CANCELLED)
