"""Judging programs that read standard input and write standard output.

A comparison is made here, outside the sandbox; a judge that is a program gets a run of its own for
each output, before anything else of the same client's, and perhaps has the program run again.
"""

from __future__ import annotations

from collections.abc import Sequence

from scalebox.engine import verdicts
from scalebox.engine.jobs import JUDGE_PRIORITY, Job
from scalebox.engine.judges import ReadyJudge, data_of, key_of
from scalebox.engine.passes import PassesJudgement
from scalebox.errors import BadRequestError
from scalebox.judging.compare import QUICK_BYTES, Outcome, compare, compare_quickly
from scalebox.model import Comparison, Data, Judge, NamedJudge, StdioTests, Verdict
from scalebox.sandbox.spec import RunOutcome, RunSpec, read_output
from scalebox.sandbox.zygote import wire

#: More than this for a judge to read is put together in a worker thread.
_LARGE_BYTES = 256 << 10


class StdioJudgement(PassesJudgement[StdioTests]):
    """One run a case, and one more where a program judges; as often as that one asks for."""

    @classmethod
    def data_of(cls, tests: StdioTests) -> Sequence[Data]:
        """Inputs, answers and judges."""
        held = [item for case in tests.cases for item in (case.input, case.answer)]
        for judge in (tests.judge, *(case.judge for case in tests.cases)):
            if judge is not None:
                held += data_of(judge)
        return held

    async def prepare(self) -> None:
        await super().prepare()
        #: By `key_of`.
        self._ready: dict[bytes, ReadyJudge] = {}
        #: For each case that a program judges.
        self._judges: dict[int, ReadyJudge] = {}
        #: What waits to be judged.
        self._outcomes: dict[int, RunOutcome] = {}
        self._judge_attempts: dict[int, int] = {}
        await self.room.inputs.prepare(case.input for case in self.tests.cases)
        common = await self._make_ready(self.tests.judge, "tests.judge")
        for index, case in enumerate(self.tests.cases):
            ready = common
            if case.judge is not None:
                ready = await self._make_ready(case.judge, f"tests.cases[{index}].judge")
            if ready is not None:
                self._judges[index] = ready
                self.may_repeat(index, ready)
            elif case.judge_flags is not None:
                raise BadRequestError(
                    "flags are for a judge that is a program",
                    field=f"tests.cases[{index}].judge_flags",
                )

    async def _make_ready(self, judge: Judge, field: str) -> ReadyJudge | None:
        if isinstance(judge, Comparison):
            return None
        assert not isinstance(judge, NamedJudge), "replaced on the way in"
        key = key_of(judge)
        if key not in self._ready:
            self.room.judges.check(judge, field)
            self._ready[key] = await self.room.judges.ready(
                judge, client=self.client, priority=self.submission.priority
            )
        return self._ready[key]

    def drop_artifacts(self) -> None:
        super().drop_artifacts()
        for outcome in self._outcomes.values():
            outcome.close()
        self._outcomes.clear()
        for ready in self._ready.values():
            ready.close()

    def needs_build(self) -> bool:
        """Python with a single case of a single pass is compiled in the case's own process."""
        return not self.is_python or len(self.tests.cases) > 1 or bool(self._courses)

    def compiles_in_run(self) -> bool:
        return self.is_python and not self.artifact.code

    def start(self) -> None:
        self.submit(range(len(self.tests.cases)))

    def make_spec(self, index: int) -> RunSpec:
        stdin = self.room.inputs.stdin(self.input_of(index))
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
        if index in self._judges:
            self._ask_judge(index, outcome)
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
        judge = self.tests.cases[index].judge or self.tests.judge
        assert isinstance(judge, Comparison)
        return judge

    def _settle_compared(self, index: int, outcome: RunOutcome, compared: Outcome) -> None:
        verdict = Verdict.ACCEPTED if compared.accepted else Verdict.WRONG_ANSWER
        self.settle(index, verdict, compared.message, outcome)

    # --- judges that are programs ----------------------------------------------------------------

    def _ask_judge(self, index: int, outcome: RunOutcome) -> None:
        """Let the judge decide about an output, which is kept until it has."""
        if self._judges[index].broken:
            self.settle(index, Verdict.JUDGE_ERROR, self._judges[index].broken, outcome)
            outcome.close()
            return
        self._judge_attempts[index] = 0
        case, size = self.tests.cases[index], self.room.inputs.size
        inline = isinstance(outcome.stdout, bytes)
        if inline and size(self.input_of(index)) + size(case.answer) <= _LARGE_BYTES:
            self._outcomes[index] = outcome
            self._submit_judge(index, *self._texts(index, outcome))
        else:
            self.room.tasks.start_soon(self._ask_judge_aside, index, outcome)

    def _texts(self, index: int, outcome: RunOutcome) -> tuple[bytes, bytes, bytes]:
        """Input, output, answer."""
        case, read = self.tests.cases[index], self.room.inputs.read
        return read(self.input_of(index)), read_output(outcome.stdout), read(case.answer)

    async def _ask_judge_aside(self, index: int, outcome: RunOutcome) -> None:
        """The outcome is this task's alone while a thread reads it."""
        texts, failure = None, ""
        try:
            texts = await self.room.aside.call(lambda: self._texts(index, outcome))
        except Exception as error:
            failure = f"judging the run failed for reasons of ours: {error!r}"
        if self.over or self.results.has(index):
            outcome.close()
            return
        self._outcomes[index] = outcome
        if texts is None:
            self._settle_judged(index, Verdict.INTERNAL_ERROR, failure, None)
        else:
            self._submit_judge(index, *texts)

    def _submit_judge(
        self, index: int, given: bytes, output: bytes, answer: bytes, avoid: int = -1
    ) -> None:
        ready = self._judges[index]
        flags = self.tests.cases[index].judge_flags
        job = Job(
            self.client,
            self.submission.priority + JUDGE_PRIORITY,
            ready.limits.memory_bytes,
            lambda: ready.spec(index, given, output, answer, flags, self.left_for(index)),
            lambda outcome: self._heard_judge(index, job, outcome, (given, output, answer)),
            age=self.age,
        )
        job.avoid = avoid
        self.queue(index, job)

    def _heard_judge(
        self, index: int, job: Job, outcome: RunOutcome | None, texts: tuple[bytes, bytes, bytes]
    ) -> None:
        self.unqueue(index)
        if outcome is None or verdicts.is_our_failure(outcome):
            self._judge_failed(index, job, outcome, texts)
            return
        ready = self._judges[index]
        try:
            decision = self.decide(index, ready, outcome)
        except Exception as error:
            outcome.close()
            words = f"judging the run failed for reasons of ours: {error!r}"
            self._settle_judged(index, Verdict.INTERNAL_ERROR, words, None)
            return
        if decision.again:
            self.go_on(index, ready, self._outcomes[index], outcome)
            return
        outcome.close()
        if decision.accepted is None:
            verdict = Verdict.JUDGE_ERROR
            self.room.counters["judge_errors"] += 1
        else:
            verdict = Verdict.ACCEPTED if decision.accepted else Verdict.WRONG_ANSWER
        self._settle_judged(index, verdict, decision.message, decision.score)

    def begin_pass(self, index: int) -> None:
        """The output of the pass before has been judged."""
        self._outcomes.pop(index).close()
        self.submit((index,))

    def _judge_failed(
        self, index: int, job: Job, outcome: RunOutcome | None, texts: tuple[bytes, bytes, bytes]
    ) -> None:
        """A judge's run that failed for reasons of ours: again."""
        reason = job.reason
        if outcome is not None:
            reason = outcome.message or "the judge could not be started"
            outcome.close()
        self.room.counters["retries"] += 1
        self._judge_attempts[index] += 1
        if self._judge_attempts[index] <= self.room.config.engine.retries:
            self._submit_judge(index, *texts, avoid=job.avoid)
            return
        words = f"judging failed {self._judge_attempts[index]} times for reasons of ours: {reason}"
        self._settle_judged(index, Verdict.INTERNAL_ERROR, words, None)

    def _settle_judged(
        self, index: int, verdict: Verdict, message: str, score: float | None
    ) -> None:
        outcome = self._outcomes.pop(index)
        self.settle(index, verdict, message, outcome, score=score)
        outcome.close()
