"""The results of a submission's cases, and what they add up to.

What comes out does not depend on the order in which cases happened to end: with `stop =
"first_failure"` everything after the first case that is not accepted is `skipped`, also if it ran
already.  Nothing here runs anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scalebox.errors import InternalError
from scalebox.model import CaseResult, StopRule, Verdict
from scalebox.sandbox.spec import RunOutcome, read_output


@dataclass(frozen=True, slots=True)
class Total:
    """What the cases add up to; the fields are those of a `Report`."""

    verdict: Verdict
    passed: int
    cases: list[CaseResult]
    message: str


class Results:
    """One result a case.

    Parameters:
        total: number of cases.
        stop: when cases are not needed any more.

    Attributes:
        needed: cases from here on are not: one before them was not accepted.
    """

    def __init__(self, total: int, stop: StopRule) -> None:
        self.needed = total
        self._results: list[CaseResult | None] = [None] * total
        self._open = total
        self._stops = stop == "first_failure"

    def __len__(self) -> int:
        """Number of cases."""
        return len(self._results)

    @property
    def complete(self) -> bool:
        """Whether every case that is needed has its result."""
        return self._open == 0

    def has(self, index: int) -> bool:
        """Whether a case has its result."""
        return self._results[index] is not None

    def unsettled(self) -> list[int]:
        """Cases that have no result yet and need one."""
        return [index for index in range(self.needed) if self._results[index] is None]

    def add(self, index: int, result: CaseResult) -> range:
        """Take the result of a case that has none; the cases that are not needed any more."""
        self._results[index] = result
        if index >= self.needed:
            return range(0)
        self._open -= 1
        if not self._stops or result.verdict is Verdict.ACCEPTED:
            return range(0)
        dropped = range(index + 1, self.needed)
        self._open -= sum(self._results[later] is None for later in dropped)
        self.needed = index + 1
        return dropped

    def give_up(self, make: Callable[[int], CaseResult]) -> None:
        """Give every case that has none this result: nobody waits for their own."""
        for index in self.unsettled():
            self._results[index] = make(index)
        self._open = 0

    def total(self, name: Callable[[int], str]) -> Total:
        """Add up, once it is complete.

        Parameters:
            name: gives a case's name.

        Raises:
            InternalError: a case was lost.
        """
        cases = []
        verdict, passed, message = Verdict.ACCEPTED, 0, ""
        for index, result in enumerate(self._results):
            if index >= self.needed:
                cases.append(CaseResult(verdict=Verdict.SKIPPED, name=name(index)))
                continue
            if result is None:
                raise InternalError("a case was neither judged nor skipped")
            cases.append(result)
            if result.verdict is Verdict.ACCEPTED:
                passed += 1
            elif verdict is Verdict.ACCEPTED:
                verdict = result.verdict
                message = f"case {result.name}: {result.message}" if result.message else ""
        return Total(verdict, passed, cases, message)

    def total_uncompiled(self, name: Callable[[int], str], message: str) -> Total:
        """What it comes to where there is nothing to run."""
        names = map(name, range(len(self._results)))
        cases = [CaseResult(verdict=Verdict.SKIPPED, name=one) for one in names]
        return Total(Verdict.COMPILE_ERROR, 0, cases, message)


def seen(outcome: RunOutcome, excerpt_bytes: int) -> CaseResult:
    """What a run was seen to do; the verdict is to be set.

    Parameters:
        excerpt_bytes: of its output and error output, to be shown; 0: neither is.
    """
    output = error_output = None
    if excerpt_bytes:
        output = read_output(outcome.stdout, excerpt_bytes).decode("utf-8", "replace")
        error_output = read_output(outcome.stderr, excerpt_bytes).decode("utf-8", "replace")
    return CaseResult(
        verdict=Verdict.INTERNAL_ERROR,
        cpu_time_s=outcome.cpu_s,
        wall_time_s=outcome.wall_s,
        memory_bytes=outcome.memory_bytes,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        output=output,
        error_output=error_output,
    )
