"""Judging programs that talk with their judge: two slots at once, joined by crossed pipes.

Each side has walls, limits and accounts of its own.  What a conversation came to does not depend on
which end was seen first:

1. a program that went over a limit, or was ended by a signal that no closed pipe brings, has that
   verdict, whatever the judge made of it;
2. else a judge that rejects makes it `wrong_answer`, whatever the closed pipe did to the program;
   so does one that a closed pipe has ended, for the program did not hear it out; and one that fails
   otherwise makes it `judge_error`;
3. else the judge accepts, and the program must have ended well.

A program is stopped when its judge has rejected it, and a judge that waits for a program that waits
for it sees the end of that one at the program's wall limit.  That one leaves out the time in which
other load had the program's core, which the slot knows; and that in which it had the judge's, for
which the program waited: such a conversation is had again, with so much more time.

A judge of several passes (see `passes`) has a conversation in each, with fresh processes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scalebox.engine import verdicts
from scalebox.engine.jobs import Job
from scalebox.engine.judgement import CONFIRMATIONS
from scalebox.engine.judges import ProgramReady, data_of
from scalebox.engine.passes import PassesJudgement
from scalebox.errors import BadRequestError
from scalebox.judging.contracts import Decision
from scalebox.model import Data, InteractiveTests, Verdict
from scalebox.sandbox.spec import RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire

#: The judge's wall limit is so much longer than the program's: the program's is the one that holds.
#: That one leaves out the time in which other load had the core, the judge's does not: a judge that
#: waits is not kept from anything, however slowly its program gets on.
_LONGER_NS = 5_000_000_000
_OVERLOAD = 10
#: A conversation that was cut short is had again if other load had the judge's core for this part
#: of the wall limit, with so many times as much time as was lost.
_WORTH_REPEATING = 0.02
_MORE_OF_WHAT_WAS_LOST = 4
_CONTRACTS = ("icpc", "testlib")


@dataclass(slots=True)
class _Talk:
    """A conversation under way.

    Attributes:
        index: of its case.
        ends: of its pipes that no run has taken yet: the program's pair, and the judge's.
        program_job, judge_job: in the two slots.
        program, judge: the outcomes, where they are there.
        failed: why one of them could not be had, for reasons of ours.
    """

    index: int
    ends: list[tuple[int, int]]
    program_job: Job
    judge_job: Job
    program: RunOutcome | None = None
    judge: RunOutcome | None = None
    failed: str = ""
    heard: int = 0

    def close(self) -> None:
        """Let go of what is held."""
        for fd in (end for pair in self.ends for end in pair):
            os.close(fd)
        self.ends = []
        for outcome in (self.program, self.judge):
            if outcome is not None:
                outcome.close()


class InteractiveJudgement(PassesJudgement[InteractiveTests]):
    """Two runs a case and pass, at the same time."""

    @classmethod
    def data_of(cls, tests: InteractiveTests) -> Sequence[Data]:
        """Inputs, answers and the judge."""
        held = [item for case in tests.cases for item in (case.input, case.answer)]
        return [*held, *data_of(tests.judge)]

    def set_up(self) -> None:
        super().set_up()
        self._ready: ProgramReady | None = None
        self._talks: dict[int, _Talk] = {}
        #: Case → wall limit of its conversation, where this is no longer the program's own.
        self._longer_ns: dict[int, int] = {}

    async def prepare(self) -> None:
        judge = self.tests.judge
        if judge.contract not in _CONTRACTS:
            raise BadRequestError(
                f"a judge that talks with the program is of contract {' or '.join(_CONTRACTS)}",
                field="tests.judge.contract",
            )
        if self.room.slots < 2:
            raise BadRequestError(
                "an interactive problem needs two slots at once, and this daemon has one "
                "(sandbox.slots)", field="tests",
            )  # fmt: skip
        self.room.judges.check(judge, "tests.judge")
        ready = await self.room.judges.ready(
            judge, client=self.client, priority=self.submission.priority
        )
        assert isinstance(ready, ProgramReady)
        longer = max(ready.limits.wall_ns, _OVERLOAD * self.run_limits.wall_ns + _LONGER_NS)
        ready.limits = replace(ready.limits, wall_ns=longer)
        self._ready = ready

    def needs_build(self) -> bool:
        """Python's source, too: there are two descriptors to spare, and no time."""
        return True

    def drop_artifacts(self) -> None:
        super().drop_artifacts()
        for talk in list(self._talks.values()):
            self.room.scheduler.cancel_guest(talk.judge_job)
            talk.close()
        if self._ready is not None:
            self._ready.close()

    def start(self) -> None:
        assert self._ready is not None
        for index in range(len(self.tests.cases)):
            self.may_repeat(index, self._ready)
            self._begin(index)

    def make_spec(self, index: int) -> RunSpec:
        talk = self._talks[index]
        to_program, to_judge = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
        talk.ends = [(to_program[0], to_judge[1]), (to_judge[0], to_program[1])]
        spec = self.run()
        spec.pipes = talk.ends.pop(0)
        if index in self._longer_ns:
            spec.limits = replace(spec.limits, wall_ns=self._longer_ns[index])
        return spec

    def _make_judge(self, index: int) -> RunSpec:
        talk, case, read = self._talks[index], self.tests.cases[index], self.room.inputs.read
        assert self._ready is not None
        given, left = read(self.input_of(index)), self.left_for(index)
        spec = self._ready.talk(given, read(case.answer), case.judge_flags, left, talk.ends[0])
        talk.ends.clear()
        return spec

    def _begin(self, index: int) -> None:
        ready = self._ready
        assert ready is not None
        if ready.broken:
            self.settle_unrun(index, Verdict.JUDGE_ERROR, ready.broken)
            return
        program = Job(
            self.client,
            self.priority_of(index),
            self.run_limits.memory_bytes + ready.limits.memory_bytes,
            lambda: self.make(index),
            lambda outcome: self._heard_program(talk, outcome),
            age=self.age,
        )
        judge = program.guest = Job(
            self.client, 0, 0, lambda: self._make_judge(index),
            lambda outcome: self._heard_judge(talk, outcome),
        )  # fmt: skip
        talk = self._talks[index] = _Talk(index, [], program, judge)
        self.queue(index, program)
        if self.can_lend(index):
            self.lent.waits(index)

    def withdraw(self, index: int) -> Sequence[int]:
        del self._talks[index]
        return super().withdraw(index)

    def again(self, cases: Sequence[int]) -> None:
        for index in cases:
            self._begin(index)

    # --- the ends --------------------------------------------------------------------------------

    def _heard_program(self, talk: _Talk, outcome: RunOutcome | None) -> None:
        talk.program = outcome
        self._hear_one(talk, talk.program_job, outcome)
        if outcome is None or talk.failed or talk.judge is not None:
            return
        if self._own_failure(outcome) is not None:
            # Nothing that the judge could still say counts.
            self._stop(talk.judge_job)

    def _heard_judge(self, talk: _Talk, outcome: RunOutcome | None) -> None:
        talk.judge = outcome
        self._hear_one(talk, talk.judge_job, outcome)
        if outcome is None or talk.failed or talk.program is not None:
            return
        if self._decide(talk.index, outcome).accepted is not True:
            # Nothing that the program still does counts.
            self._stop(talk.program_job)

    def _decide(self, index: int, outcome: RunOutcome) -> Decision:
        """What the judge's end means."""
        assert self._ready is not None
        return self.within_passes(index, self._ready, self._ready.decide(outcome))

    def _hear_one(self, talk: _Talk, job: Job, outcome: RunOutcome | None) -> None:
        talk.heard += 1
        if outcome is None or verdicts.is_our_failure(outcome):
            reason = job.reason if outcome is None else outcome.message
            talk.failed = talk.failed or reason or "a program could not be started"
            never_started = talk.judge_job.slot is None and talk.heard == 1
            other = talk.judge_job if job is talk.program_job else talk.program_job
            if never_started and job is talk.program_job:
                self.room.scheduler.cancel_guest(other)
                talk.heard += 1
            else:
                self._stop(other)
        if talk.heard == 2:
            self._settle_talk(talk)

    def _stop(self, job: Job) -> None:
        """End a run; its outcome still comes."""
        if job.slot is not None:
            job.slot.cancel()

    def hear(self, index: int, outcome: RunOutcome, alone: bool) -> None:
        raise AssertionError("a conversation has two outcomes")

    def _settle_talk(self, talk: _Talk) -> None:
        index = talk.index
        self.unqueue(index)
        del self._talks[index]
        try:
            if talk.failed:
                self._again(talk)
                return
            assert talk.program is not None
            assert talk.judge is not None
            assert self._ready is not None
            decision = self._decide(index, talk.judge)
            if decision.accepted is None and _was_not_heard(talk.judge):
                decision = Decision(False, "the program ended before the judge had said all")
            if self._conclude(index, talk.program, talk.judge, decision):
                judge, talk.judge = talk.judge, None
                self.go_on(index, self._ready, talk.program, judge)
        except Exception as error:
            self.settle_unrun(
                index, Verdict.INTERNAL_ERROR, f"judging failed for reasons of ours: {error!r}"
            )
        finally:
            talk.close()

    def _again(self, talk: _Talk) -> None:
        self.room.counters["retries"] += 1
        if self.attempts[talk.index] <= self.room.config.engine.retries:
            self._begin(talk.index)
            return
        words = f"failed {self.attempts[talk.index]} times for reasons of ours: {talk.failed}"
        self.settle_unrun(talk.index, Verdict.INTERNAL_ERROR, words)

    def begin_pass(self, index: int) -> None:
        """With a conversation of its own."""
        self._longer_ns.pop(index, None)
        self._begin(index)

    def _conclude(
        self, index: int, program: RunOutcome, judge: RunOutcome, decision: Decision
    ) -> bool:
        """Settle a conversation; whether there is another one, which the judge has asked for."""
        own = self._own_failure(program)
        waited_s = program.wall_s - program.kept_s - judge.kept_s
        if index in self._longer_ns and waited_s * 1e9 > self.limits.wall_ns:
            own = verdicts.waited_too_long(program, self.limits)
        if program.flags & wire.WALL_EXCEEDED and self._lengthen(index, judge.kept_s):
            self._repeat(index)
        elif own is not None:
            self.settle(index, *own, program)
        elif decision.accepted is None:
            self.room.counters["judge_errors"] += 1
            self.settle(index, Verdict.JUDGE_ERROR, decision.message, program)
        elif not decision.accepted:
            self.settle(
                index, Verdict.WRONG_ANSWER, decision.message, program, score=decision.score
            )
        elif program.status != 0:
            self.settle(index, Verdict.RUNTIME_ERROR, self._crash_message(program), program)
        elif verdicts.is_near_limit(program, self.limits):
            self._settle_slow(index, program)
        elif decision.again:
            return True
        else:
            self.settle(index, Verdict.ACCEPTED, decision.message, program, score=decision.score)
        return False

    def _own_failure(self, program: RunOutcome) -> tuple[Verdict, str] | None:
        """What the program came to whatever the judge says; None: that is for the judge."""
        if program.flags & wire.CANCELLED:  # by us, when the judge had decided
            return None
        over = verdicts.limit_verdict(program, self.limits)
        if over is None and program.signal not in (None, signal.SIGPIPE):
            return Verdict.RUNTIME_ERROR, self._crash_message(program)
        return over

    def _crash_message(self, program: RunOutcome) -> str:
        return verdicts.crash_message(program, self.language.entry.last_words)

    def _lengthen(self, index: int, kept_s: float) -> bool:
        """Whether a conversation was cut short while other load had the judge's core, and the next
        one gets more time.

        Parameters:
            kept_s: for how long the judge's core was others'.
        """
        own_ns = self.limits.wall_ns
        if kept_s * 1e9 < _WORTH_REPEATING * own_ns:
            return False
        if self.count_confirmation(index) > CONFIRMATIONS:
            return False
        longer_ns = own_ns + int(_MORE_OF_WHAT_WAS_LOST * kept_s * 1e9)
        self._longer_ns[index] = min(longer_ns, _OVERLOAD * own_ns)
        return True

    def _repeat(self, index: int) -> None:
        """Have a conversation again, though nothing of ours has failed."""
        self.forget_attempt((index,))
        self._begin(index)

    def _settle_slow(self, index: int, program: RunOutcome) -> None:
        """Only a little too slow: load of the host may have been why."""
        if self.count_confirmation(index) <= CONFIRMATIONS:
            self._repeat(index)
        else:
            self.settle(index, *verdicts.too_slow(program.cpu_s, self.limits), program)


def _was_not_heard(judge: RunOutcome) -> bool:
    """Whether a judge ended because nobody read what it wrote."""
    if judge.signal == signal.SIGPIPE:
        return True
    # In Python it is an exception.
    return bool(judge.exit_code) and verdicts.last_words(judge).startswith("BrokenPipeError")
