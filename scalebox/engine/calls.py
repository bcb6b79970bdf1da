"""Judging a function by calling it: many calls in one process, expected values outside.

A process that dies, or runs out of time, in the middle of a call costs that call only: the ones
after it go on in a fresh process.
"""

from __future__ import annotations

import anyio.to_thread

from scalebox.engine import verdicts
from scalebox.engine.judgement import Judgement, Room
from scalebox.errors import BadRequestError
from scalebox.judging import call
from scalebox.languages.toolchains import Language
from scalebox.model import CallTests, Submission, Verdict
from scalebox.sandbox.spec import RunLimits, RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire

#: Calls of one process: bounds what a death costs, and what one run holds of the queue.
CALLS_PER_RUN = 200
CANDIDATE_FILE = "candidate.py"
#: Longer results are read in a worker thread.
LARGE_CHANNEL_BYTES = 64 * 1024


def is_syntax_error(words: str) -> bool:
    """Whether a harness could not compile the submission.

    A submission can raise such an error itself; `compile_error` in place of `runtime_error` is all
    it gains.
    """
    return words.startswith(("SyntaxError", "IndentationError", "TabError"))


class CallJudgement(Judgement):
    """One run for a batch of calls."""

    def __init__(
        self,
        room: Room,
        submission: Submission,
        tests: CallTests,
        language: Language,
        limits: RunLimits,
        client: str,
    ) -> None:
        super().__init__(room, submission, language, limits, client, len(tests.cases))
        if language.entry.runner != "warm_python":
            raise BadRequestError(
                f"`call` tests are there for Python, not yet for {language.entry.name}",
                field="tests",
            )
        self._tests = tests
        #: First case of a run → its standard input, and all of its cases.
        self._encoded: dict[int, bytes] = {}
        self._batches: dict[int, list[int]] = {}
        total = len(tests.cases)
        for first in range(0, total, CALLS_PER_RUN):
            self._add_batch(list(range(first, min(first + CALLS_PER_RUN, total))))

    def _add_batch(self, batch: list[int]) -> None:
        try:
            encoded = call.encode_calls(self._tests, batch)
        except (ValueError, TypeError, RecursionError) as error:
            raise BadRequestError(
                f"arguments that are not plain data: {error}", field="tests.cases"
            ) from error
        self._batches[batch[0]] = batch
        self._encoded[batch[0]] = encoded

    async def prepare(self) -> None:
        self._harness = await self.room.builder.harness(self.language, call.call_source())

    def needs_build(self) -> bool:
        return False

    def start(self) -> None:
        self.room.scheduler.submit([self.make_job(first) for first in self._batches])

    def make_spec(self, index: int) -> RunSpec:
        return RunSpec(
            program=wire.PYTHON_CODE,
            limits=self.limits,
            code=self._harness,
            stdin=self._encoded[index],
            files={**self.files, CANDIDATE_FILE: (self.source, 0o644)},
            records=len(self._batches[index]),
        )

    def cases_of(self, index: int) -> list[int]:
        return self._batches[index]

    def hear(self, index: int, outcome: RunOutcome) -> None:
        batch = self._batches.pop(index)
        del self._encoded[index]
        if len(outcome.channel) > LARGE_CHANNEL_BYTES:
            self.room.tasks.start_soon(self._decide_aside, batch, outcome)
        else:
            self._settle_batch(batch, outcome, self._decide(batch, outcome.channel))

    async def _decide_aside(self, batch: list[int], outcome: RunOutcome) -> None:
        """Reading long records would hold the event loop up: in a worker thread."""
        try:
            decided = await anyio.to_thread.run_sync(self._decide, batch, outcome.channel)
        except Exception as error:
            words = f"reading results failed for reasons of ours: {error}"
            for case in batch:
                self.settle(case, Verdict.INTERNAL_ERROR, words, outcome)
            outcome.close()
        else:
            self._settle_batch(batch, outcome, decided)

    def _decide(self, batch: list[int], channel: bytes) -> list[tuple[Verdict, str]]:
        records = call.parse_records(channel, batch)
        return [
            call.decide_call(self._tests, case, record)
            for case, record in zip(batch, records, strict=False)
        ]

    def _settle_batch(
        self, batch: list[int], outcome: RunOutcome, decided: list[tuple[Verdict, str]]
    ) -> None:
        limit_s = self.limits.cpu_ns / 1e9
        if decided and is_syntax_error(decided[0][1]):
            self.fail_compilation(decided[0][1], outcome.cpu_s)
            outcome.close()
            return
        times = outcome.record_cpu_s
        for position, (verdict, message) in enumerate(decided):
            cpu_s = times[position] if position < len(times) else 0.0
            if cpu_s > limit_s:
                verdict = Verdict.TIME_LIMIT_EXCEEDED
                message = f"used {cpu_s:.3f} s of CPU time; {limit_s:g} s allowed"
            self.settle(batch[position], verdict, message, outcome, cpu_s)
        rest = batch[len(decided) :]
        if rest:
            self._settle_death(rest[0], outcome, sum(times))
            needed = set(self.unsettled())
            rest = [case for case in rest[1:] if case in needed]
        if rest:
            self._add_batch(rest)
            self.room.scheduler.submit([self.make_job(rest[0])])
        outcome.close()

    def _settle_death(self, case: int, outcome: RunOutcome, cpu_before_s: float) -> None:
        """The call in whose middle the process ended."""
        cpu_s = max(0.0, outcome.cpu_s - cpu_before_s)
        over = verdicts.limit_verdict(outcome, self.limits)
        if over is not None:
            self.settle(case, *over, outcome, cpu_s)
            return
        verdict, words = call.decide_call(self._tests, case, None)
        self.settle(case, verdict, f"{words}: {verdicts.crash_message(outcome)}", outcome, cpu_s)

    def case_name(self, index: int) -> str:
        return self._tests.cases[index].name or str(index)
