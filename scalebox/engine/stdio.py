"""Judging programs that read standard input and write standard output."""

from __future__ import annotations

import anyio.to_thread

from scalebox.engine import verdicts
from scalebox.engine.judgement import Judgement, Room
from scalebox.judging.compare import THREAD_THRESHOLD_BYTES, Outcome, compare
from scalebox.languages.toolchains import Language
from scalebox.model import StdioTests, Submission, Verdict
from scalebox.sandbox.spec import RunLimits, RunOutcome, RunSpec, read_output
from scalebox.sandbox.zygote import wire


class StdioJudgement(Judgement):
    """One run a case, compared outside the sandbox."""

    def __init__(
        self,
        room: Room,
        submission: Submission,
        tests: StdioTests,
        language: Language,
        limits: RunLimits,
        client: str,
    ) -> None:
        super().__init__(room, submission, language, limits, client, len(tests.cases))
        self._tests = tests
        self._python = language.entry.runner == "warm_python"

    def needs_build(self) -> bool:
        """Python with a single case is compiled in the case's own process."""
        return not self._python or len(self._tests.cases) > 1

    def start(self) -> None:
        self.room.scheduler.submit([self.make_job(i) for i in range(len(self._tests.cases))])

    def make_spec(self, index: int) -> RunSpec:
        stdin = self.room.inputs.stdin(self._tests.cases[index].input)
        if not self._python:
            return RunSpec(
                program=wire.EXECUTE,
                limits=self.limits,
                stdin=stdin,
                executable_fd=self.artifact.fd,
                argv=("./solution",),
                files=self.files,
            )
        code = self.artifact.code
        return RunSpec(
            program=wire.PYTHON_CODE if code else wire.PYTHON_SOURCE,
            limits=self.limits,
            source=self.source,
            code=code,
            stdin=stdin,
            files=self.files,
        )

    def hear(self, index: int, outcome: RunOutcome) -> None:
        found = verdicts.program_verdict(outcome, self.limits)
        if found is not None:
            if found[0] is Verdict.TIME_LIMIT_EXCEEDED and self.confirm(index, outcome):
                return
            self.settle(index, *found, outcome)
            outcome.close()
            return
        answer = self._tests.cases[index].answer
        size = self.room.inputs.size(answer)
        output = outcome.stdout
        if isinstance(answer, str) and isinstance(output, bytes) and size < THREAD_THRESHOLD_BYTES:
            self._settle_compared(index, outcome, self._compare(index, output, answer.encode()))
        else:
            self.room.tasks.start_soon(self._compare_aside, index, outcome)

    def _compare(self, index: int, output: bytes, answer: bytes) -> Outcome:
        return compare(self._tests.cases[index].judge or self._tests.judge, output, answer)

    async def _compare_aside(self, index: int, outcome: RunOutcome) -> None:
        """A comparison that would hold the event loop up: in a worker thread."""
        try:
            answer = await self.room.inputs.content(self._tests.cases[index].answer)
            compared = await anyio.to_thread.run_sync(
                lambda: self._compare(index, read_output(outcome.stdout), answer)
            )
        except Exception as error:
            words = f"comparing failed for reasons of ours: {error}"
            self.settle(index, Verdict.INTERNAL_ERROR, words, outcome)
            outcome.close()
        else:
            self._settle_compared(index, outcome, compared)

    def _settle_compared(self, index: int, outcome: RunOutcome, compared: Outcome) -> None:
        verdict = Verdict.ACCEPTED if compared.accepted else Verdict.WRONG_ANSWER
        self.settle(index, verdict, compared.message, outcome)
        outcome.close()

    def case_name(self, index: int) -> str:
        return self._tests.cases[index].name or str(index)
