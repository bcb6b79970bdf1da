"""Judging programs that read standard input and write standard output."""

from __future__ import annotations

from collections.abc import Sequence

from scalebox.engine import verdicts
from scalebox.engine.judgement import Judgement
from scalebox.judging.compare import QUICK_BYTES, Outcome, compare, compare_quickly
from scalebox.model import Data, StdioTests, Verdict
from scalebox.sandbox.spec import RunOutcome, RunSpec, read_output
from scalebox.sandbox.zygote import wire


class StdioJudgement(Judgement[StdioTests]):
    """One run a case, compared outside the sandbox."""

    @classmethod
    def data_of(cls, tests: StdioTests) -> Sequence[Data]:
        """Inputs and answers."""
        return [item for case in tests.cases for item in (case.input, case.answer)]

    async def prepare(self) -> None:
        await self.room.inputs.prepare(case.input for case in self.tests.cases)

    def needs_build(self) -> bool:
        """Python with a single case is compiled in the case's own process."""
        return not self.is_python or len(self.tests.cases) > 1

    def compiles_in_run(self) -> bool:
        return self.is_python and not self.artifact.code

    def start(self) -> None:
        self.submit(range(len(self.tests.cases)))

    def make_spec(self, index: int) -> RunSpec:
        stdin = self.room.inputs.stdin(self.tests.cases[index].input)
        if not self.is_python:
            return RunSpec(
                program=wire.EXECUTE,
                limits=self.run_limits,
                stdin=stdin,
                executable_fd=self.artifact.fd,
                argv=("./solution",),
                files=self.files,
            )
        code = self.artifact.code
        return RunSpec(
            program=wire.PYTHON_CODE if code else wire.PYTHON_SOURCE,
            limits=self.run_limits,
            source=self.source,
            code=code,
            stdin=stdin,
            files=self.files,
        )

    def hear(self, index: int, outcome: RunOutcome, alone: bool) -> None:
        found = verdicts.program_verdict(outcome, self.limits)
        if found is not None:
            slow = found[0] is Verdict.TIME_LIMIT_EXCEEDED and verdicts.ended_well(outcome)
            if not (slow and self.confirm((index,), alone)):
                self.settle(index, *found, outcome)
            outcome.close()
            return
        compared = self._compare_quickly(index, outcome)
        if compared is not None:
            self._settle_compared(index, outcome, compared)
            outcome.close()
        else:
            self.decide_aside(
                (index,),
                outcome,
                lambda: self._compare(index, outcome),
                lambda compared: self._settle_compared(index, outcome, compared),
            )

    def _compare_quickly(self, index: int, outcome: RunOutcome) -> Outcome | None:
        """None: it would hold the event loop up."""
        case, inputs = self.tests.cases[index], self.room.inputs
        if not isinstance(outcome.stdout, bytes) or inputs.size(case.answer) > QUICK_BYTES:
            return None
        answer = inputs.read(case.answer)
        return compare_quickly(case.judge or self.tests.judge, outcome.stdout, answer)

    def _compare(self, index: int, outcome: RunOutcome) -> Outcome:
        case = self.tests.cases[index]
        answer = self.room.inputs.read(case.answer)
        return compare(case.judge or self.tests.judge, read_output(outcome.stdout), answer)

    def _settle_compared(self, index: int, outcome: RunOutcome, compared: Outcome) -> None:
        verdict = Verdict.ACCEPTED if compared.accepted else Verdict.WRONG_ANSWER
        self.settle(index, verdict, compared.message, outcome)
