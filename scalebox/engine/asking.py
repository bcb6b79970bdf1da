"""Asking judges that are programs about outputs.

Each output gets a run of its judge, before anything else of the same client's, and perhaps has the
program run again.  Where a judge can decide about several outputs in one run (`at_once`), they wait
for each other while further ones are to come: a run costs about what a trivial program does,
however little it has to decide.  What such a run leaves undecided is asked about again, by itself,
so that one output's decision never depends on which others were beside it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from scalebox.engine import verdicts
from scalebox.engine.jobs import JUDGE_PRIORITY, Job
from scalebox.engine.judges import Question, ReadyJudge, key_of
from scalebox.engine.passes import PassesJudgement
from scalebox.judging.contracts import Decision
from scalebox.model import (
    CaseResult,
    Comparison,
    Judge,
    NamedJudge,
    OutputTests,
    StdioTests,
    Verdict,
)
from scalebox.sandbox.spec import RunOutcome, read_output

#: More than this for a judge to read is put together in a worker thread.
_LARGE_BYTES = 256 << 10
#: More than this is not worth waiting with: reading it takes longer than the start of a run.
_SMALL_BYTES = 8 << 10
#: A judge's run that is over so soon keeps nobody waiting, and the next one may be twice as long.
_SHORT_S = 0.02

TestsT = TypeVar("TestsT", StdioTests, OutputTests)


@dataclass(slots=True)
class _Queue:
    """What one judge is still to decide about.

    Attributes:
        waiting: cases, as their outputs came.
        running: its runs that are queued or at it.
        size: how many outputs the next one takes; it grows with what is known about the judge, so
            that never more wait than were decided.
    """

    waiting: list[int] = field(default_factory=list)
    running: int = 0
    size: int = 1

    def learn(self, cpu_s: float, at_once: int) -> None:
        """A run that decided everything took so long."""
        self.size = min(2 * self.size, at_once) if cpu_s < _SHORT_S else max(1, self.size // 2)


class AskingJudgement(PassesJudgement[TestsT]):
    """Base of the ways to test in which a judge that is a program may decide about outputs."""

    def set_up(self) -> None:
        super().set_up()
        #: By `key_of`.
        self._ready: dict[bytes, ReadyJudge] = {}
        #: For each case that a program judges.
        self._judges: dict[int, ReadyJudge] = {}
        #: What waits to be judged, and what is asked about it.
        self._outcomes: dict[int, RunOutcome] = {}
        self._questions: dict[int, Question] = {}
        self._judge_attempts: dict[int, int] = {}
        self._queues: dict[ReadyJudge, _Queue] = {}
        #: First case of each judge's run that is queued or at it.
        self._asked: set[int] = set()

    @abstractmethod
    def decided(self, index: int, decision: Decision, outcome: RunOutcome) -> None:
        """A judge has decided about a case's output; settle the case.

        Parameters:
            outcome: of the program's run; closed by the caller.
        """

    def outputs_to_come(self) -> bool:
        """Whether there will be more to ask about before anything that was asked is decided."""
        return len(self._jobs) > len(self._asked)

    async def make_ready(self, judge: Judge, field: str) -> ReadyJudge | None:
        """Prepare a judge; None: it is a comparison.

        Parameters:
            field: where it is in the request.
        """
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

    def judged_by(self, index: int, ready: ReadyJudge) -> None:
        """A case is this judge's to decide."""
        self._judges[index] = ready
        self.may_repeat(index, ready)

    def judge_of(self, index: int) -> ReadyJudge | None:
        """Which program decides about a case, if one does."""
        return self._judges.get(index)

    def drop_artifacts(self) -> None:
        super().drop_artifacts()
        for outcome in self._outcomes.values():
            outcome.close()
        self._outcomes.clear()
        for ready in self._ready.values():
            ready.close()

    def drop_output(self, index: int) -> None:
        """The output of a pass has been judged."""
        del self._questions[index]
        self._outcomes.pop(index).close()

    # --- what is asked ---------------------------------------------------------------------------

    def ask_judge(self, index: int, outcome: RunOutcome) -> None:
        """Let a case's judge decide about an output, which is kept until it has."""
        self._judge_attempts[index] = 0
        case, size = self.tests.cases[index], self.room.inputs.size
        inline = isinstance(outcome.stdout, bytes)
        if inline and size(self.input_of(index)) + size(case.answer) <= _LARGE_BYTES:
            self._outcomes[index] = outcome
            self._ask(index, self._question(index, outcome))
        else:
            self.room.tasks.start_soon(self._ask_aside, index, outcome)

    def _question(self, index: int, outcome: RunOutcome) -> Question:
        case, read = self.tests.cases[index], self.room.inputs.read
        return Question(
            read(self.input_of(index)),
            read_output(outcome.stdout),
            read(case.answer),
            case.judge_flags,
            self.left_for(index),
        )

    async def _ask_aside(self, index: int, outcome: RunOutcome) -> None:
        """The outcome is this task's alone while a thread reads it."""
        question, failure = None, ""
        try:
            question = await self.room.aside.call(lambda: self._question(index, outcome))
        except Exception as error:
            failure = f"judging the run failed for reasons of ours: {error!r}"
        if self.over or self.results.has(index):
            outcome.close()
            return
        self._outcomes[index] = outcome
        if question is None:
            self._settle_failed(index, failure)
        else:
            self._ask(index, question)

    def _ask(self, index: int, question: Question) -> None:
        ready = self._judges[index]
        self._questions[index] = question
        if ready.at_once > 1 and question.size <= _SMALL_BYTES:
            self._queues.setdefault(ready, _Queue()).waiting.append(index)
            self.ask_waiting()
        else:
            self._submit_judge(ready, (index,))

    def ask_waiting(self) -> None:
        """Ask about what has waited long enough."""
        if self.over:
            return
        for ready, queue in self._queues.items():
            # At once more than what the slots can take would go on with what was known before.
            while queue.waiting and queue.running < self.room.slots:
                if len(queue.waiting) < queue.size and self.outputs_to_come():
                    break
                cases = queue.waiting[: queue.size]
                del queue.waiting[: queue.size]
                queue.running += 1
                self._submit_judge(ready, cases, queue)

    # --- its runs --------------------------------------------------------------------------------

    def _submit_judge(
        self,
        ready: ReadyJudge,
        cases: Sequence[int],
        queue: _Queue | None = None,
        avoid: int = -1,
    ) -> None:
        questions = [self._questions[index] for index in cases]
        # Under the first one: should that not be needed any more, none of them is.
        first = min(cases)
        job: Job = Job(
            self.client,
            self.submission.priority + JUDGE_PRIORITY,
            ready.limits.memory_bytes,
            lambda: ready.spec(questions),
            lambda outcome: self._heard_judge(first, ready, cases, queue, job, outcome),
            age=self.age,
        )
        job.avoid = avoid
        self._asked.add(first)
        self.queue(first, job)

    def _heard_judge(
        self,
        first: int,
        ready: ReadyJudge,
        cases: Sequence[int],
        queue: _Queue | None,
        job: Job,
        outcome: RunOutcome | None,
    ) -> None:
        self.unqueue(first)
        self._asked.discard(first)
        if queue is not None:
            queue.running -= 1
        if outcome is None or verdicts.is_our_failure(outcome):
            self._judge_failed(ready, cases, job, outcome)
        elif len(cases) > 1:
            self._hear_several(ready, cases, queue, outcome)
        else:
            self._hear_one(ready, cases[0], queue, outcome)
        self.ask_waiting()

    def _hear_one(
        self, ready: ReadyJudge, index: int, queue: _Queue | None, outcome: RunOutcome
    ) -> None:
        try:
            decision = ready.decide(outcome, self._questions[index].nonce)
            decision = self.within_passes(index, ready, decision)
        except Exception as error:
            outcome.close()
            self._settle_failed(index, f"judging the run failed for reasons of ours: {error!r}")
            return
        if decision.again:
            self.go_on(index, ready, self._outcomes[index], outcome)
            return
        if queue is not None and decision.accepted is not None:
            queue.learn(outcome.cpu_s, ready.at_once)
        outcome.close()
        self._settle_decided(index, decision)

    def _hear_several(
        self, ready: ReadyJudge, cases: Sequence[int], queue: _Queue | None, outcome: RunOutcome
    ) -> None:
        found = {index: ready.find(outcome, self._questions[index].nonce) for index in cases}
        if None in found.values():
            # Why does not matter: that it cannot, whatever the reason, is known now.
            ready.at_once = 1
            if queue is not None:
                queue.size = 1
        elif queue is not None:
            queue.learn(outcome.cpu_s, ready.at_once)
        outcome.close()
        for index, decision in found.items():
            if decision is not None:
                self._settle_decided(index, decision)
            elif not self.over and index < self.results.needed:
                self._submit_judge(ready, (index,))

    def _judge_failed(
        self, ready: ReadyJudge, cases: Sequence[int], job: Job, outcome: RunOutcome | None
    ) -> None:
        """A judge's run that failed for reasons of ours: again."""
        reason = job.reason
        if outcome is not None:
            reason = outcome.message or "the judge could not be started"
            outcome.close()
        self.room.counters["retries"] += 1
        for index in cases:
            self._judge_attempts[index] += 1
            attempts = self._judge_attempts[index]
            if attempts > self.room.config.engine.retries:
                words = f"judging failed {attempts} times for reasons of ours: {reason}"
                self._settle_failed(index, words)
            elif not self.over and index < self.results.needed:
                self._submit_judge(ready, (index,), avoid=job.avoid)

    # --- what comes of it ------------------------------------------------------------------------

    def _settle_decided(self, index: int, decision: Decision) -> None:
        self.decided(index, decision, self._outcomes[index])
        self.drop_output(index)

    def _settle_failed(self, index: int, words: str) -> None:
        outcome = self._outcomes.pop(index)
        self._questions.pop(index, None)
        self.settle(index, Verdict.INTERNAL_ERROR, words, outcome)
        outcome.close()

    def settle_result(self, index: int, result: CaseResult) -> None:
        """As of any case; others may have waited for an output that does not come."""
        needed = self.results.needed
        super().settle_result(index, result)
        if self.results.needed < needed:
            self._asked -= set(range(self.results.needed, needed))
            for queue in self._queues.values():
                queue.waiting = [case for case in queue.waiting if case < self.results.needed]
        self.ask_waiting()
