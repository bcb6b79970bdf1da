"""Judging what programs write to standard output, and outputs that are there already.

A comparison is made here, outside the sandbox; a judge that is a program is asked (`asking`).  A
judge of the store may be taken out of service at any time; it is not asked then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeVar

import anyio
import msgspec

from scalebox.engine import verdicts
from scalebox.engine.asking import AskingJudgement
from scalebox.engine.judges import data_of
from scalebox.engine.naming import InService
from scalebox.errors import BadRequestError
from scalebox.judging.compare import QUICK_BYTES, Outcome, compare, compare_quickly
from scalebox.judging.contracts import Decision
from scalebox.model import (
    CaseResult,
    Comparison,
    Data,
    Judge,
    JudgeInService,
    OutputTests,
    StdioTests,
    Verdict,
    to_bytes,
)
from scalebox.sandbox.spec import RunOutcome, RunSpec, read_output

#: Of given outputs so many are at hand for each slot; the others wait where they came in.
_AT_HAND = 8
#: A comparison takes microseconds; after so many the event loop has a turn.
_TURN = 16

TestsT = TypeVar("TestsT", StdioTests, OutputTests)


class _OutputJudgement(AskingJudgement[TestsT]):
    """What decides about outputs, wherever they come from.

    Attributes:
        in_service: who hears how the judges do that the tests named; None: nobody.
    """

    in_service: InService | None = None

    @classmethod
    def data_of(cls, tests: TestsT) -> Sequence[Data]:
        """Inputs, answers and judges."""
        held: list[Data] = []
        for case in tests.cases:
            held += (case.input, case.answer)
        return [*held, *data_of(tests.judge)]

    def own_judge(self, index: int) -> Judge | None:
        """A case's, in place of the tests' judge."""
        return None

    def set_up(self) -> None:
        super().set_up()
        #: Why judges are not asked that were out of service before they were made ready.
        self._not_ready: dict[int, str] = {}

    async def prepare(self) -> None:
        common = None
        if not self._taken_out(None):
            common = await self.make_ready(self.tests.judge, "tests.judge")
        for index, case in enumerate(self.tests.cases):
            if out := self._taken_out(index):
                self._not_ready[index] = out
                continue
            ready, own = common, self.own_judge(index)
            if own is not None:
                ready = await self.make_ready(own, f"tests.cases[{index}].judge")
            if ready is not None:
                self.judged_by(index, ready)
            elif case.judge_flags is not None:
                raise BadRequestError(
                    "flags are for a judge that is a program",
                    field=f"tests.cases[{index}].judge_flags",
                )

    def judge_output(self, index: int, outcome: RunOutcome) -> None:
        """Find out whether an output is right; the outcome is closed."""
        if why := self._why_not_asked(index):
            self.settle(index, Verdict.JUDGE_ERROR, why, outcome)
            outcome.close()
            return
        if self.judge_of(index) is not None:
            self.ask_judge(index, outcome)
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
        return compare_quickly(self._comparison(index), outcome.stdout, answer)

    def _compare(self, index: int, outcome: RunOutcome) -> Outcome:
        answer = self.room.inputs.read(self.tests.cases[index].answer)
        return compare(self._comparison(index), read_output(outcome.stdout), answer)

    def _comparison(self, index: int) -> Comparison:
        judge = self.own_judge(index) or self.tests.judge
        assert isinstance(judge, Comparison)
        return judge

    def _settle_compared(self, index: int, outcome: RunOutcome, compared: Outcome) -> None:
        verdict = Verdict.ACCEPTED if compared.accepted else Verdict.WRONG_ANSWER
        if (service := self._service(index)) is not None:
            service.decided()
        self.settle(index, verdict, compared.message, outcome)

    def hear_borrower(self, index: int, result: CaseResult) -> None:
        if (service := self._service(index)) is not None:
            service.decided()
        super().hear_borrower(index, result)

    # --- judges of the store ---------------------------------------------------------------------

    def _service(self, index: int | None) -> JudgeInService | None:
        """Who hears how a case's judge does, if it is one of the store."""
        if self.in_service is None:
            return None
        if index is None or self.own_judge(index) is None:
            return self.in_service.get(None)
        return self.in_service.get(index)

    def _taken_out(self, index: int | None) -> str:
        """Why a judge is out of service; empty: it is not."""
        service = self._service(index)
        return "" if service is None else service.taken_out

    def _why_not_asked(self, index: int) -> str:
        """Why a case's judge is not asked; empty: it is."""
        if why := self._not_ready.get(index) or self._taken_out(index):
            return why
        ready = self.judge_of(index)
        if ready is None or not ready.broken:
            return ""
        if (service := self._service(index)) is not None:
            service.failed(ready.broken)
        return ready.broken

    # --- judges that are programs ----------------------------------------------------------------

    def decided(self, index: int, decision: Decision, outcome: RunOutcome) -> None:
        service = self._service(index)
        if decision.accepted is None:
            verdict = Verdict.JUDGE_ERROR
            self.room.counters["judge_errors"] += 1
            if service is not None:
                service.failed(decision.message)
        else:
            verdict = Verdict.ACCEPTED if decision.accepted else Verdict.WRONG_ANSWER
            if service is not None:
                service.decided()
        self.settle(index, verdict, decision.message, outcome, score=decision.score)


class StdioJudgement(_OutputJudgement[StdioTests]):
    """One run a case, and one more where a program judges; as often as that one asks for."""

    @classmethod
    def data_of(cls, tests: StdioTests) -> Sequence[Data]:
        """Those of the cases' own judges, too."""
        held = list(super().data_of(tests))
        for case in tests.cases:
            if case.judge is not None:
                held += data_of(case.judge)
        return held

    def own_judge(self, index: int) -> Judge | None:
        return self.tests.cases[index].judge

    async def prepare(self) -> None:
        await super().prepare()
        await self.room.inputs.prepare(case.input for case in self.tests.cases)

    def needs_build(self) -> bool:
        """Python with a single case of a single pass is compiled in the case's own process."""
        if self.is_python:
            return len(self.tests.cases) > 1 or bool(self._courses)
        return self.language.entry.compiles

    def compiles_in_run(self) -> bool:
        return self.is_python and not self.artifact.code

    def start(self) -> None:
        self.submit(range(len(self.tests.cases)))

    def make_spec(self, index: int) -> RunSpec:
        stdin = self.room.inputs.stdin(self.input_of(index))
        spec = self.run()
        spec.stdin = stdin
        return spec

    def begin_pass(self, index: int) -> None:
        """The output of the pass before has been judged."""
        self.drop_output(index)
        self.submit((index,))

    def hear(self, index: int, outcome: RunOutcome, alone: bool) -> None:
        found = verdicts.program_verdict(outcome, self.limits, self.language.entry)
        if found is None:
            self.judge_output(index, outcome)
            return
        slow = found[0] is Verdict.TIME_LIMIT_EXCEEDED and verdicts.ended_well(outcome)
        if not (slow and self.confirm((index,), alone)):
            self.settle(index, *found, outcome)
        outcome.close()


class GivenOutputsJudgement(_OutputJudgement[OutputTests]):
    """Outputs that are there already: no run but the judge's."""

    @classmethod
    def data_of(cls, tests: OutputTests) -> Sequence[Data]:
        """The outputs, too."""
        return [*super().data_of(tests), *(case.output for case in tests.cases)]

    def set_up(self) -> None:
        super().set_up()
        self._taken = self._unsettled = 0
        self._ended = False
        self._settled = asyncio.Event()

    async def prepare(self) -> None:
        await super().prepare()
        if self._courses:
            raise BadRequestError(
                "outputs that are there already have one pass; this judge may have the program "
                "run again",
                field="tests.judge.passes",
            )

    def needs_build(self) -> bool:
        return False

    def start(self) -> None:
        self.room.tasks.start_soon(self._take_all)

    @property
    def _is_full(self) -> bool:
        """Whether as many outputs are at hand as may be."""
        return self._unsettled >= _AT_HAND * self.room.slots

    def outputs_to_come(self) -> bool:
        return self._taken < self.results.needed and not self._is_full

    def begin_pass(self, index: int) -> None:
        raise AssertionError("there is no program")

    def make_spec(self, index: int) -> RunSpec:
        raise AssertionError("there is no program")

    def hear(self, index: int, outcome: RunOutcome, alone: bool) -> None:
        raise AssertionError("there is no program")

    def drop_artifacts(self) -> None:
        super().drop_artifacts()
        self._ended = True
        self._settled.set()

    def settle_result(self, index: int, result: CaseResult) -> None:
        super().settle_result(index, msgspec.structs.replace(result, exit_code=None))
        self._unsettled -= 1
        self._settled.set()

    async def _take_all(self) -> None:
        """Few at a time: what a judge is to read is copied for it, and may be large."""
        for index in range(len(self.tests.cases)):
            while self._is_full and not self._ended:
                self._settled.clear()
                await self._settled.wait()
            if index % _TURN == 0:
                await anyio.sleep(0)
            if self._ended or self.over:
                return
            self._taken = index + 1
            if self.results.has(index):
                continue
            self._unsettled += 1
            try:
                self._take(index)
            except Exception as error:
                words = f"judging failed for reasons of ours: {error!r}"
                self.settle_unrun(index, Verdict.INTERNAL_ERROR, words)
        self.ask_waiting()

    def _take(self, index: int) -> None:
        output = self.tests.cases[index].output
        if isinstance(output, str):
            content: bytes | int = to_bytes(output)
        elif output.data is not None:
            content = output.data
        else:
            assert output.sha256 is not None
            content = self.room.blobs.open(output.sha256)
        self.judge_output(index, _written(content))


def _written(content: bytes | int) -> RunOutcome:
    """As if a program had ended well."""
    return RunOutcome(flags=0, status=0, stdout=content)
