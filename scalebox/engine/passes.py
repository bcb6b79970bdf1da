"""Judges of several passes: which pass each case is in, with what input, and what all have taken.

An output validator may write an input for the program, and have it run again, as often as its
problem says.  The rules are those of the ICPC problem package format (2025-09, "Multi-pass
validation" and "Invocation"), and where it is silent, those of problemtools, its reference:

- limits are each pass's own.  So the case's CPU time, as its wall time and memory, is that of the
  pass that took most, and not a sum;
- the validator's `input_file` is what the program has read in that pass, not the case's; the answer
  is the case's in all passes;
- what the validator left in its feedback folder it finds there in the next pass, without
  `nextpass.in`.  Nothing else is kept, and of the program nothing at all;
- more passes than allowed are the judge's failure, and so is `nextpass.in` with a rejection;
- a pass that the program fails is the last.

A pass is retried, and confirmed where it was a little slow, by itself, from the same input and the
same feedback folder: a judge sees each pass as if it had been the only try.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from scalebox.engine.aside import result_bytes
from scalebox.engine.jobs import JUDGE_PRIORITY, Job
from scalebox.engine.judgement import Judgement
from scalebox.engine.judges import ReadyJudge
from scalebox.judging.contracts import NEXT_PASS, Decision
from scalebox.model import (
    Blob,
    CaseResult,
    Data,
    InteractiveTests,
    OutputTests,
    StdioTests,
    Verdict,
)
from scalebox.sandbox.spec import RunOutcome

#: More than this is read in a worker thread.
_LARGE_BYTES = 256 << 10

TestsT = TypeVar("TestsT", StdioTests, InteractiveTests, OutputTests)


@dataclass(slots=True)
class Course:
    """A case on its way through its passes.

    Parameters:
        most: how many it may have.

    Attributes:
        number: of the pass at hand, from 1.
        given: its input; None: the case's own.
        left: what the pass before has left in the feedback folder.
        cpu_s, wall_s, memory_bytes: the most that one of the passes before took.
    """

    most: int
    number: int = 1
    given: Data | None = None
    left: Mapping[str, bytes] = field(default_factory=dict)
    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory_bytes: int = 0

    def go_on(self, program: RunOutcome, left: dict[str, bytes]) -> None:
        """Enter the next pass.

        Parameters:
            program: how its run in this pass went.
            left: by the judge, in this pass.
        """
        self.number += 1
        self.given = Blob(data=left.pop(NEXT_PASS))
        self.left = left
        self.cpu_s = max(self.cpu_s, program.cpu_s)
        self.wall_s = max(self.wall_s, program.wall_s)
        self.memory_bytes = max(self.memory_bytes, program.memory_bytes)

    def total(self, result: CaseResult) -> CaseResult:
        """The case's result, from that of the last pass."""
        message = result.message
        if self.number > 1 and result.verdict is not Verdict.ACCEPTED:
            message = f"in pass {self.number}" + (message and f": {message}")
        return msgspec.structs.replace(
            result,
            message=message,
            cpu_time_s=max(self.cpu_s, result.cpu_time_s),
            wall_time_s=max(self.wall_s, result.wall_time_s),
            memory_bytes=max(self.memory_bytes, result.memory_bytes),
        )


class PassesJudgement(Judgement[TestsT]):
    """Base of the ways to test in which a judge may have several passes."""

    def set_up(self) -> None:
        #: Of the cases whose judge may have several passes; the others have none.
        self._courses: dict[int, Course] = {}

    def may_repeat(self, index: int, judge: ReadyJudge) -> None:
        """A case is decided by this judge."""
        if judge.passes > 1:
            self._courses[index] = Course(judge.passes)

    @abstractmethod
    def begin_pass(self, index: int) -> None:
        """The case's next pass is due: its input and what was left for it are there."""

    def can_lend(self, index: int) -> bool:
        """Only from its beginning: what an earlier pass left is here."""
        course = self._courses.get(index)
        return course is None or course.number == 1

    def input_of(self, index: int) -> Data:
        """The input of a case in the pass at hand."""
        course = self._courses.get(index)
        if course is None or course.given is None:
            return self.tests.cases[index].input
        return course.given

    def left_for(self, index: int) -> Mapping[str, bytes]:
        """What the judge finds in its feedback folder."""
        course = self._courses.get(index)
        return {} if course is None else course.left

    def priority_of(self, index: int) -> int:
        """Of the program's run: what an earlier pass left is held until the last one."""
        course = self._courses.get(index)
        further = course is not None and course.number > 1
        return self.submission.priority + (JUDGE_PRIORITY if further else 0)

    def _make_job(self, index: int, alone: bool) -> Job:
        job = super()._make_job(index, alone)
        job.priority = self.priority_of(index)
        return job

    def within_passes(self, index: int, judge: ReadyJudge, decision: Decision) -> Decision:
        """What a judge decided about the pass at hand, unless it asks for one too many."""
        if decision.again and self._courses[index].number >= judge.passes:
            words = f"the judge asks for another pass after {judge.passes}, and may have no more"
            return Decision(None, words)
        return decision

    def go_on(
        self, index: int, judge: ReadyJudge, program: RunOutcome, outcome: RunOutcome
    ) -> None:
        """Let a judge have the next pass that it asks for.

        Parameters:
            program: how its run in this pass went; only numbers are looked at.
            outcome: the judge's; closed here, or later.
        """

        def begin(left: dict[str, bytes]) -> None:
            dropped = index >= self.results.needed or self.results.has(index)
            if self.over or dropped:
                return
            self._courses[index].go_on(program, left)
            self.forget_attempt((index,))
            self._confirmations[index] = 0
            self.begin_pass(index)

        if result_bytes(outcome) > _LARGE_BYTES:
            self.decide_aside((index,), outcome, lambda: judge.left(outcome), begin)
            return
        # At once, so that the slot goes on with this case, and not with one that has not begun.
        try:
            left = judge.left(outcome)
        except OSError as error:
            words = f"judging the run failed for reasons of ours: {error!r}"
            self._settle_failure((index,), words)
            return
        finally:
            outcome.close()
        begin(left)

    def settle_result(self, index: int, result: CaseResult) -> None:
        """As of any case, with what its earlier passes took."""
        course = self._courses.pop(index, None)
        super().settle_result(index, result if course is None else course.total(result))
