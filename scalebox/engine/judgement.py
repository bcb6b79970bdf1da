"""One submission on its way to a report: what all ways of testing have in common.

A judgement puts the runs of its cases into the scheduler and hears of each as it ends; it stops
early, retries what failed for reasons of ours, and adds up (`results`).  `stdio`, `calls`,
`asserts` and `joint_asserts` say what a run is and what its outcome means.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec
import structlog

from scalebox.engine import verdicts
from scalebox.engine.admission import Admission
from scalebox.engine.builder import Artifact
from scalebox.engine.jobs import Job
from scalebox.engine.lending import judges_of
from scalebox.engine.limits import with_own_files
from scalebox.engine.loan import Borrowed
from scalebox.engine.programs import run_of, with_runtime
from scalebox.engine.results import Results, seen
from scalebox.engine.room import Room
from scalebox.languages.toolchains import Language
from scalebox.model import (
    CaseResult,
    CompileResult,
    Data,
    Integrity,
    Report,
    Submission,
    Tests,
    Verdict,
    to_bytes,
)
from scalebox.sandbox.spec import RunLimits, RunOutcome, RunSpec, read_output
from scalebox.sandbox.zygote import wire

#: A case that ended by itself between 1 and 1.25 times its CPU limit is run so often again before
#: it is called slow; once is enough if that was with nothing at its side.
CONFIRMATIONS = 2

T = TypeVar("T")
TestsT = TypeVar("TestsT", bound=Tests)
log = structlog.get_logger(__name__)


class Judgement(ABC, Generic[TestsT]):
    """Base of the ways to test.

    Parameters:
        room: what judgements share.
        submission: what is judged.
        tests: with what.
        language: its language.
        limits: of each case.
        client: for fairness.
        admission: what the submission holds of the engine's bounds.

    Raises:
        BadRequestError: this way of testing is not there for the language.
    """

    def __init__(
        self,
        room: Room,
        submission: Submission,
        tests: TestsT,
        language: Language,
        limits: RunLimits,
        client: str,
        admission: Admission,
    ) -> None:
        total = len(tests.cases)
        self.room = room
        self.submission = submission
        self.tests = tests
        self.language = language
        #: What the program was promised, and what its runs get: see `limits.with_own_files`.
        self.limits = self.run_limits = limits
        self.is_python = language.entry.runner == "warm_python"
        self.client = client
        self.admission = admission
        self.source = to_bytes(submission.source)
        self.files: dict[str, tuple[bytes, int]] = {}
        self.artifact = Artifact(CompileResult(ok=True))
        self._arrived = time.monotonic()
        self.age = room.scheduler.next_age()
        self._first_start = 0.0
        self.results = Results(total, submission.stop)
        self.attempts = [0] * total
        self._confirmations = [0] * total
        self._jobs: dict[int, Job] = {}
        #: Cases whose result the submission could have forged.
        self.weak: set[int] = set()
        #: Of whom its cases are borrowed.
        self.borrowed: Borrowed | None = None
        self.lent = room.lending.lends(self)
        #: Its result: whether to compile the source by itself, and start again.
        self._done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._compile: CompileResult | None = None
        self._compile_failed = False

    # --- what the ways of testing add ------------------------------------------------------------

    @classmethod
    def files_taken(cls, language: Language) -> Sequence[str]:
        """Names in the program's folder that the submission's further files cannot have."""
        return (language.entry.main_file,)

    @classmethod
    def data_of(cls, tests: TestsT) -> Sequence[Data]:
        """The test data that is held until the report is made."""
        return ()

    @abstractmethod
    def start(self) -> None:
        """Submit the first jobs."""

    @abstractmethod
    def needs_build(self) -> bool:
        """Whether something must be compiled before the first case."""

    def compiles_in_run(self) -> bool:
        """Whether a run compiles the submission's source before it executes it."""
        return False

    def set_up(self) -> None:
        """Set what is looked at in the end, however early that comes."""
        return

    async def prepare(self) -> None:
        """Make what the way of testing needs besides the submission; nothing, for most."""
        return

    def toolchains_needed(self) -> set[str]:
        """Those that a daemon must have to run cases of this."""
        judges = (self.room.judges.language(judge) for judge in judges_of(self.tests))
        return {one.identity for one in (self.language, *judges)}

    def integrity(self) -> Integrity:
        """Whether the submission could have forged the result; asked once every case has one."""
        # Of what the report is made of, however far other cases happened to come.
        needed = self.results.needed
        return Integrity.WEAK if any(one < needed for one in self.weak) else Integrity.STRONG

    # --- the whole -------------------------------------------------------------------------------

    async def report(self, files: Mapping[str, bytes]) -> Report:
        """Judge; cancelling this drops the work.

        Parameters:
            files: the submission's further files, loaded.

        Raises:
            InternalError: nothing could be judged, for reasons of ours.
        """
        self.files = {path: (content, 0o644) for path, content in files.items()}
        limits = with_runtime(self.limits, self.language.entry)
        self.run_limits = with_own_files(limits, self.source, files)
        deadline_s = self.submission.deadline_s
        self.set_up()
        timer = None
        try:
            async with asyncio.timeout(deadline_s) as timer:
                await self.prepare()
                await self._judge(files)
        except TimeoutError:
            if timer is None or not timer.expired():
                raise
            words = f"not done within the deadline of {deadline_s:g} s"
            self.results.give_up(lambda index: self._result(index, Verdict.CANCELLED, words))
        finally:
            for job in list(self._jobs.values()):
                self.room.scheduler.cancel(job)
            self._jobs.clear()
            self.room.lending.ends(self.lent)
            self.drop_artifacts()
        return self._summary()

    async def _judge(self, files: Mapping[str, bytes]) -> None:
        build = self.needs_build()
        while True:
            if build and not await self.build(files):
                return
            self.start()
            build = await self._done
            if not build:
                return
            self._done = asyncio.get_running_loop().create_future()

    async def build(self, files: Mapping[str, bytes]) -> bool:
        """Compile; whether there is something to run."""
        self.artifact = await self.room.builder.build(
            self.language, self.source, files,
            client=self.client, priority=self.submission.priority,
        )  # fmt: skip
        return self.compiled(self.artifact.result)

    def compiled(self, result: CompileResult) -> bool:
        """Note what a compilation came to; whether there is something to run."""
        self._compile, self._compile_failed = result, not result.ok
        return result.ok

    def drop_artifacts(self) -> None:
        """Let go of what was compiled."""
        self.artifact.close()

    # --- jobs ------------------------------------------------------------------------------------

    def submit(self, indices: Sequence[int], *, alone: bool = False, avoid: int = -1) -> None:
        """Queue the jobs of some cases (or of batches of cases that begin with them).

        Parameters:
            alone: whether nothing may run at their side, if that can be afforded.
            avoid: a slot that failed them.
        """
        jobs = []
        for index in indices:
            job = self._jobs[index] = self._make_job(index, alone)
            job.avoid = avoid
            jobs.append(job)
            if not alone and self.can_lend(index):
                self.lent.waits(index)
        self.room.scheduler.submit(jobs)

    def can_lend(self, index: int) -> bool:
        """Whether another daemon may do a case that begins to wait."""
        return True

    def withdraw(self, index: int) -> Sequence[int]:
        """Take a run that waits out of the queue; the cases that it was to judge."""
        self._first_start = self._first_start or time.monotonic()
        cases = self.cases_of(index)
        self.room.scheduler.cancel(self._jobs.pop(index))
        return cases

    def again(self, cases: Sequence[int]) -> None:
        """Queue cases that were withdrawn."""
        self.submit(cases)

    def hear_borrower(self, index: int, result: CaseResult) -> None:
        """Another daemon has the result of a case."""
        self.settle_result(index, result)

    def _make_job(self, index: int, alone: bool) -> Job:
        job = Job(
            self.client,
            self.submission.priority,
            self.run_limits.memory_bytes,
            lambda: self.make(index),
            lambda outcome: self._heard(index, job, outcome),
            age=self.age,
            alone=alone,
        )
        return job

    @property
    def over(self) -> bool:
        """Whether nothing is needed any more."""
        return self._done.done()

    def queue(self, index: int, job: Job) -> None:
        """Queue a further job of a case, in place of the one that ended; dropped with the case."""
        if not self.over:
            self._jobs[index] = job
            self.room.scheduler.submit([job])

    def unqueue(self, index: int) -> None:
        """That job has ended."""
        self._jobs.pop(index, None)

    def make(self, index: int) -> RunSpec:
        """The run of a case, which begins now."""
        self.lent.waits_no_more(index)
        self._first_start = self._first_start or time.monotonic()
        for case in self.cases_of(index):
            self.attempts[case] += 1
        return self.make_spec(index)

    def run(self) -> RunSpec:
        """A run of the program; its input is to be set."""
        return run_of(
            self.language, self.artifact, self.run_limits, self.source, self.files, own=self.limits
        )

    @abstractmethod
    def make_spec(self, index: int) -> RunSpec:
        """The run of a case."""

    @abstractmethod
    def hear(self, index: int, outcome: RunOutcome, alone: bool) -> None:
        """A run that started has ended; settle its cases.  The outcome is closed by the callee.

        Parameters:
            alone: whether nothing ran at its side, because that was asked for.
        """

    def cases_of(self, index: int) -> Sequence[int]:
        """The cases that the job of this index judges."""
        return (index,)

    def _heard(self, index: int, job: Job, outcome: RunOutcome | None) -> None:
        self._jobs.pop(index, None)
        if outcome is None or verdicts.is_our_failure(outcome):
            self._failed(index, job, outcome)
            return
        self.lent.ran(outcome.wall_s, len(self.cases_of(index)))
        try:
            if outcome.flags & wire.COMPILE_FAILED and self.compiles_in_run():
                self._heard_compile_error(index, outcome)
            else:
                self.hear(index, outcome, job.alone)
        except Exception as error:
            log.exception("judging a run failed")
            outcome.close()
            self._settle_failure([index], f"judging the run failed for reasons of ours: {error!r}")

    def _failed(self, index: int, job: Job, outcome: RunOutcome | None) -> None:
        """A run that failed for reasons of ours: again, on another slot if there is one."""
        reason = job.reason
        if outcome is not None:
            reason = outcome.message or "the program could not be started"
            outcome.close()
        self.room.counters["retries"] += 1
        if self.attempts[index] <= self.room.config.engine.retries:
            self.submit([index], alone=job.alone, avoid=job.avoid)
            return
        words = f"failed {self.attempts[index]} times for reasons of ours: {reason}"
        self._settle_failure(self.cases_of(index), words)

    def _settle_failure(self, cases: Sequence[int], words: str) -> None:
        for case in cases:
            self.settle_result(case, self._result(case, Verdict.INTERNAL_ERROR, message=words))

    def decide_aside(
        self,
        cases: Sequence[int],
        outcome: RunOutcome,
        decide: Callable[[], T],
        settle: Callable[[T], None],
    ) -> None:
        """Decide in a worker thread what would hold the event loop up.

        Parameters:
            cases: that depend on it; they are `internal_error` if deciding fails.
            outcome: what is decided about; closed afterwards.
            decide: the slow part, in the thread.
            settle: called on the loop with what it returned.
        """
        words = "judging the run failed for reasons of ours"
        self.room.aside.decide(
            outcome, decide, settle,
            lambda error: self._settle_failure(cases, f"{words}: {error!r}"),
        )  # fmt: skip

    def _heard_compile_error(self, index: int, outcome: RunOutcome) -> None:
        """The source of a program that is compiled in its only run does not compile."""
        over = verdicts.limit_verdict(outcome, self.limits)
        text = read_output(outcome.stderr, self.room.config.engine.excerpt_bytes)
        outcome.close()
        if over is None:
            self.fail_compilation(text.decode("utf-8", "replace"), outcome.cpu_s)
        else:
            # The program's limits were too tight for its compilation, which has limits of its own.
            self.forget_attempt((index,))
            if not self._done.done():
                self._done.set_result(True)

    def fail_compilation(self, words: str, cpu_s: float) -> None:
        """End the judgement: there is nothing to run."""
        self._compile = CompileResult(ok=False, cpu_time_s=cpu_s, message=words)
        self._compile_failed = True
        if not self._done.done():
            self._done.set_result(False)

    def confirm(self, cases: Sequence[int], alone: bool) -> bool:
        """Run cases again that were only a little too slow, alone; whether that is being done.

        Parameters:
            cases: in one run, under the index of the first.
            alone: whether the slow run was alone: then it is known that they are slow.
        """
        first = cases[0]
        if alone or self._confirmations[first] >= CONFIRMATIONS:
            return False
        for case in cases:
            self._confirmations[case] += 1
        self.forget_attempt(cases)
        self.room.counters["confirmations"] += 1
        self.submit([first], alone=True)
        return True

    def count_confirmation(self, index: int) -> int:
        """One more; how many that are."""
        self._confirmations[index] += 1
        self.room.counters["confirmations"] += 1
        return self._confirmations[index]

    def forget_attempt(self, cases: Sequence[int]) -> None:
        """The last run of these cases did not fail for reasons of ours."""
        for case in cases:
            self.attempts[case] -= 1

    # --- results ---------------------------------------------------------------------------------

    def settle(
        self,
        index: int,
        verdict: Verdict,
        message: str,
        outcome: RunOutcome,
        cpu_s: float = -1.0,
        score: float | None = None,
    ) -> None:
        """Give a case its result, from the outcome of its run.

        Parameters:
            cpu_s: the case's share of the run's CPU time; negative: all of it.
            score: that its judge gave.
        """
        wants = self.submission.return_output
        shows = wants == "all" or (wants == "failed" and verdict is not Verdict.ACCEPTED)
        result = msgspec.structs.replace(
            seen(outcome, self.room.config.engine.excerpt_bytes if shows else 0),
            verdict=verdict,
            name=self.case_name(index),
            message=message,
            score=score,
            attempts=max(1, self.attempts[index]),
        )
        if cpu_s >= 0:
            result = msgspec.structs.replace(result, cpu_time_s=cpu_s)
        self.settle_result(index, result)

    def settle_unrun(self, index: int, verdict: Verdict, message: str) -> None:
        """Give a case a result without a run."""
        self.settle_result(index, self._result(index, verdict, message))

    def settle_result(self, index: int, result: CaseResult) -> None:
        """Give a case its result; ends the judgement with the last one that is needed."""
        if self._done.done() or self.results.has(index):
            return
        result = self.lent.settled(index, result)
        dropped = self.results.add(index, result)
        if self.borrowed is not None:
            self.borrowed.heard(index, result, index in self.weak)
        self.admission.settle()
        self.room.counters["cases"] += 1
        for later in dropped:
            job = self._jobs.pop(later, None)
            self.lent.waits_no_more(later)
            if job is not None:
                self.room.scheduler.cancel(job)
        if self.results.complete and not self._done.done():
            self._done.set_result(False)

    def case_name(self, index: int) -> str:
        """The case's own name, or its index."""
        return self.tests.cases[index].name or str(index)

    def _result(self, index: int, verdict: Verdict, message: str = "") -> CaseResult:
        return CaseResult(
            verdict=verdict,
            name=self.case_name(index),
            message=message,
            attempts=max(1, self.attempts[index]),
        )

    def _summary(self) -> Report:
        if self._compile_failed:
            words = self._compile.message if self._compile else ""
            total = self.results.total_uncompiled(self.case_name, words)
        else:
            total = self.results.total(self.case_name)
        now = time.monotonic()
        self.room.counters[f"verdict_{total.verdict.value}"] += 1
        return Report(
            verdict=total.verdict,
            passed=total.passed,
            total=len(total.cases),
            cases=total.cases,
            isolation=self.room.level,
            enforcement=self.room.enforcement,
            integrity=Integrity.STRONG if self._compile_failed else self.integrity(),
            compile=self._compile,
            queue_time_s=(self._first_start or now) - self._arrived,
            wall_time_s=now - self._arrived,
            toolchain=self.language.version,
            message=total.message,
            id=self.submission.id,
        )
