"""A loan: cases of one submission that another daemon runs, and what is borrowed from another one.

What is lent is an ordinary submission with some of the cases of another one, so a borrower judges
it as any other, and can lend it on.  `lending` says what can be lent, and what becomes of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from scalebox.model import (
    CaseResult,
    Limits,
    OutputTests,
    Submission,
    Tests,
)
from scalebox.sandbox.spec import RunLimits

if TYPE_CHECKING:
    from scalebox.engine.judgement import Judgement
    from scalebox.engine.lending import Lent

#: Whether a borrower's result is taken as it is; or run again here because it is near a limit; or
#: run again here and compared.
Trust = Literal["take", "confirm", "check"]


@dataclass(frozen=True, slots=True)
class Borrowed:
    """Whose the cases of a judgement are, where they are another daemon's.

    Attributes:
        loan: the lender's name for it.
        via: who has lent the cases before they came here; the lender is the last one.
        heard: called with each case's index and result as it comes, and with whether the
            submission could have forged it.
    """

    loan: str
    via: tuple[str, ...]
    heard: Callable[[int, CaseResult, bool], None]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What could be lent now.

    Attributes:
        cases: how many.
        seconds: that a slot is thought to need for them.
    """

    cases: int = 0
    seconds: float = 0.0


class Loan:
    """Cases of one submission that a borrower is at.  Made by `Lending.take`.

    Attributes:
        borrower: who.
        cases: their indices, in the order of `submission`'s.
        heard: when the borrower was last heard of, or when it was lent; monotonic.
        hedged: cases that are run here as well.
    """

    def __init__(
        self, judgement: Judgement[Any], lent: Lent, cases: Sequence[int], borrower: str
    ) -> None:
        self.borrower = borrower
        self.cases = list(cases)
        self.heard = time.monotonic()
        self.hedged: set[int] = set()
        self._judgement = judgement
        self._lent = lent
        self._open = set(range(len(cases)))

    @property
    def seconds(self) -> float:
        """Of a slot that the cases without a result are thought to take."""
        return len(self._open) * self._lent.case_s

    @property
    def open_cases(self) -> int:
        """How many have no result yet."""
        return len(self._open)

    @property
    def limits(self) -> RunLimits:
        """Of each case."""
        return self._judgement.limits

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is wanted any more."""
        return not self._open or self._judgement.over

    def submission(self) -> Submission:
        """What the borrower is to judge: with its limits resolved and its judge named by itself."""
        judgement = self._judgement
        return msgspec.structs.replace(
            judgement.submission,
            tests=_some_of(judgement.tests, self.cases, judgement.case_name),
            problem=None,
            limits=_limits(judgement.limits),
            stop="never",
            deadline_s=None,
            idempotency_key=None,
            id=None,
        )

    @property
    def artifact(self) -> str:
        """Address of the compiled program, if there is one that a borrower could use."""
        return self._judgement.artifact.address

    @property
    def via(self) -> tuple[str, ...]:
        """Who has lent the cases before they came here."""
        return self._lent.via

    def answer(
        self, position: int, result: CaseResult, *, weak: bool = False, trust: Trust = "take"
    ) -> bool:
        """The borrower's result of a case.

        Parameters:
            position: in `cases`.
            weak: whether the submission could have forged it.
            trust: what to make of it.

        Returns:
            whether it was waited for; a second one of the same case, or one of a case that is not
            in this loan, is not.
        """
        self.heard = time.monotonic()
        if position not in self._open:
            return False
        self._open.discard(position)
        self._lent.answered(self, self.cases[position], result, weak, trust)
        return True

    def renew(self) -> None:
        """The borrower is at it."""
        self.heard = time.monotonic()

    def unwanted(self) -> list[int]:
        """Positions of cases that need no result any more; said once."""
        found = [one for one in self._open if not self._lent.is_wanted(self.cases[one])]
        self._open.difference_update(found)
        return sorted(found)

    def give_back(self) -> int:
        """What has no result goes back into the queue; how many cases that are."""
        back = [self.cases[position] for position in self._open]
        self._open.clear()
        self._lent.come_back(self, back, lost=True)
        return len(back)

    def come_home(self, positions: Collection[int]) -> int:
        """The borrower sends cases back that it has not begun; how many of them are waited for."""
        self.heard = time.monotonic()
        back = [position for position in sorted(set(positions)) if position in self._open]
        self._open.difference_update(back)
        self._lent.come_back(self, [self.cases[position] for position in back], lost=False)
        return len(back)


def _some_of(tests: Tests, cases: Sequence[int], name: Callable[[int], str]) -> Tests:
    """Tests with only some of the cases, under the names that they have here."""
    assert not isinstance(tests, OutputTests), "nothing of it is queued"
    chosen = [msgspec.structs.replace(tests.cases[case], name=name(case)) for case in cases]
    return msgspec.structs.replace(tests, cases=chosen)


def _limits(limits: RunLimits) -> Limits:
    return Limits(
        cpu_time_s=limits.cpu_ns / 1e9,
        wall_time_s=limits.wall_ns / 1e9,
        memory_bytes=limits.memory_bytes,
        output_bytes=limits.output_bytes,
        file_bytes=limits.file_bytes,
        processes=limits.processes,
        open_files=limits.open_files,
    )
