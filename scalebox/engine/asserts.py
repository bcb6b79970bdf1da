"""Judging with test programs made of asserts, as in HumanEval and MBPP.

First the strong form: a trusted tester beside the candidate, joined by pipes, and only the tester
can say `passed`.  A test that needs more than values and calls is run again in the weak form, in
one process, and the report says `weak`; so it does where a test passed by trusting the submission.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from scalebox.engine import verdicts
from scalebox.engine.judgement import Judgement
from scalebox.engine.limits import for_harness
from scalebox.judging import asserts
from scalebox.judging.harness.common import CANDIDATE_FILE
from scalebox.languages.toolchains import Language
from scalebox.model import AssertTests, Data
from scalebox.sandbox.spec import RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire

#: In the weak form the submission can write records, too; ours must still be heard.
SINGLE_RECORDS = 16
#: What only the tester can say.
STRONG_ONLY = ("unproxiable", "invalid")


class AssertJudgement(Judgement[AssertTests]):
    """One run a test program; a second one where the first form cannot carry it."""

    @classmethod
    def files_taken(cls, language: Language) -> Sequence[str]:
        """The submission is a module there."""
        return (CANDIDATE_FILE,)

    @classmethod
    def data_of(cls, tests: AssertTests) -> Sequence[Data]:
        """The test programs."""
        return [case.program for case in tests.cases]

    def set_up(self) -> None:
        #: Cases whose tests need the weak form.
        self._single_form: set[int] = set()
        self._nonces: dict[int, str] = {}

    async def prepare(self) -> None:
        builder, python = self.room.builder, self.language
        self._tester = await builder.harness(python, asserts.tester_source())
        self._candidate = await builder.harness(python, asserts.candidate_source())
        self._single = await builder.harness(python, asserts.single_source())
        self.run_limits = for_harness(self.run_limits)
        self.files[CANDIDATE_FILE] = (self.source, 0o644)

    def needs_build(self) -> bool:
        return False

    def start(self) -> None:
        self.submit(range(len(self.tests.cases)))

    def make_spec(self, index: int) -> RunSpec:
        nonce = self._nonces[index] = secrets.token_hex(16)
        task = asserts.encode_assert(self.tests, index, nonce)
        if index in self._single_form:
            return RunSpec(
                program=wire.PYTHON_CODE,
                limits=self.run_limits,
                code=self._single,
                stdin=task,
                files=self.files,
                records=SINGLE_RECORDS,
            )
        return RunSpec(
            program=wire.PYTHON_CODE,
            limits=self.run_limits,
            code=self._candidate,
            files=self.files,
            records=1,
            driver=self._tester,
            driver_stdin=task,
        )

    def hear(self, index: int, outcome: RunOutcome, alone: bool) -> None:
        said = asserts.parse_assert_record(outcome.channel, self._nonces.pop(index))
        if index in self._single_form and said.state in STRONG_ONLY:
            # The tester compiled this program before: the submission found the nonce, and would
            # rather not be judged.
            said = asserts.MISSING
        if said.state == "passed" and said.trusting:
            # They took the submission's word for something.
            self.weak.add(index)
        if said.state == "unproxiable":
            self._single_form.add(index)
            self.weak.add(index)
            self.forget_attempt((index,))
            self.submit((index,), alone=alone)
        elif said.state == "uncompilable":
            self.fail_compilation(said.message, outcome.cpu_s)
        else:
            settle_said(self, index, said, outcome, alone)
        outcome.close()


def settle_said(
    judgement: Judgement[AssertTests],
    index: int,
    said: asserts.AssertOutcome,
    outcome: RunOutcome,
    alone: bool,
) -> None:
    """Give a case its result, from what its test program came to and from its run."""
    words_of_memory = judgement.language.entry.out_of_memory
    over = verdicts.limit_verdict(outcome, judgement.limits)
    if over is None and verdicts.ran_out_of_memory(outcome, words_of_memory):
        over = verdicts.out_of_memory_verdict(judgement.limits)
    if over is None and verdicts.is_near_limit(outcome, judgement.limits):
        if verdicts.ended_well(outcome) and judgement.confirm((index,), alone):
            return
        over = verdicts.too_slow(outcome.cpu_s, judgement.limits)
    if over is not None:
        judgement.settle(index, *over, outcome)
    elif said.state == "missing":
        ended = verdicts.crash_message(outcome, judgement.language.entry.last_words)
        words = f"{said.message}: {ended}"
        judgement.settle(index, said.verdict, words, outcome)
    else:
        judgement.settle(index, said.verdict, said.message, outcome)
