"""Judging a function by calling it: many calls in one process, expected values outside.

A process that dies, or runs out of time, in the middle of a call costs that call only: the ones
after it go on in a fresh process.
"""

from __future__ import annotations

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
        #: First case of a run → all of its cases.
        self._batches: dict[int, list[int]] = {}

    def needs_build(self) -> bool:
        return False

    def start(self) -> None:
        total = len(self._tests.cases)
        jobs = []
        for first in range(0, total, CALLS_PER_RUN):
            self._batches[first] = list(range(first, min(first + CALLS_PER_RUN, total)))
            jobs.append(self.make_job(first))
        self.room.scheduler.submit(jobs)

    def make_spec(self, index: int) -> RunSpec:
        return RunSpec(
            program=wire.PYTHON_SOURCE,
            limits=self.limits,
            source=call.call_source(),
            stdin=call.encode_calls(self._tests, self._batches[index]),
            files={**self.files, CANDIDATE_FILE: (self.source, 0o644)},
            channel=True,
        )

    def cases_of(self, index: int) -> list[int]:
        return self._batches[index]

    def hear(self, index: int, outcome: RunOutcome) -> None:
        batch = self._batches.pop(index)
        records = call.parse_records(outcome.channel, batch)
        limit_s = self.limits.cpu_ns / 1e9
        if records and is_syntax_error(records[0].error):
            self.fail_compilation(records[0].error, outcome.cpu_s)
            outcome.close()
            return
        for position, record in enumerate(records):
            case = batch[position]
            cpu_s = outcome.record_cpu_s[position] if position < len(outcome.record_cpu_s) else 0.0
            if cpu_s > limit_s:
                words = f"used {cpu_s:.3f} s of CPU time; {limit_s:g} s allowed"
                self.settle(case, Verdict.TIME_LIMIT_EXCEEDED, words, outcome, cpu_s)
                continue
            verdict, message = call.decide_call(self._tests, case, record)
            self.settle(case, verdict, message, outcome, cpu_s)
        rest = batch[len(records) :]
        if rest:
            self._settle_death(rest[0], outcome, sum(outcome.record_cpu_s))
            rest = [case for case in rest[1:] if case in set(self.unsettled())]
        if rest:
            self._batches[rest[0]] = rest
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
