"""Judging with test programs made of asserts, as in HumanEval and MBPP.

First the strong form: a trusted tester beside the candidate, joined by pipes, and only the tester
can say `passed`.  A test that needs more than values and calls is run again in the weak form, in
one process, and the report says `weak`.
"""

from __future__ import annotations

import secrets

from scalebox.engine import verdicts
from scalebox.engine.calls import CANDIDATE_FILE, is_syntax_error
from scalebox.engine.judgement import Judgement, Room
from scalebox.errors import BadRequestError
from scalebox.judging import asserts
from scalebox.languages.toolchains import Language
from scalebox.model import AssertTests, Integrity, Submission, Verdict
from scalebox.sandbox.spec import RunLimits, RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire

#: In the weak form the submission can write records, too; ours must still be heard.
_SINGLE_RECORDS = 16


class AssertJudgement(Judgement):
    """One run a test program; a second one where the first form cannot carry it."""

    def __init__(
        self,
        room: Room,
        submission: Submission,
        tests: AssertTests,
        language: Language,
        limits: RunLimits,
        client: str,
    ) -> None:
        super().__init__(room, submission, language, limits, client, len(tests.cases))
        if language.entry.runner != "warm_python":
            raise BadRequestError(
                f"`assert` tests are there for Python, not for {language.entry.name}",
                field="tests",
            )
        self._tests = tests
        self._weak: set[int] = set()
        self._nonces: dict[int, str] = {}

    async def prepare(self) -> None:
        builder, python = self.room.builder, self.language
        self._tester = await builder.harness(python, asserts.tester_source())
        self._candidate = await builder.harness(python, asserts.candidate_source())
        self._single = await builder.harness(python, asserts.single_source())

    def needs_build(self) -> bool:
        return False

    def start(self) -> None:
        self.room.scheduler.submit([self.make_job(i) for i in range(len(self._tests.cases))])

    def make_spec(self, index: int) -> RunSpec:
        nonce = self._nonces[index] = secrets.token_hex(16)
        task = asserts.encode_assert(self._tests, index, nonce)
        files = {**self.files, CANDIDATE_FILE: (self.source, 0o644)}
        if index in self._weak:
            return RunSpec(
                program=wire.PYTHON_CODE,
                limits=self.limits,
                code=self._single,
                stdin=task,
                files=files,
                records=_SINGLE_RECORDS,
            )
        return RunSpec(
            program=wire.PYTHON_CODE,
            limits=self.limits,
            code=self._candidate,
            files=files,
            records=1,
            driver=self._tester,
            driver_stdin=task,
        )

    def hear(self, index: int, outcome: RunOutcome) -> None:
        said = asserts.parse_assert_record(outcome.channel, self._nonces.pop(index))
        if said.state == "unproxiable":
            self._weak.add(index)
            outcome.close()
            self.room.scheduler.submit([self.make_job(index)])
            return
        over = verdicts.limit_verdict(outcome, self.limits)
        if over is None and verdicts.is_near_limit(outcome, self.limits):
            if said.state == "passed" and self.confirm(index, outcome):
                return
            limit_s = self.limits.cpu_ns / 1e9
            words = f"used {outcome.cpu_s:.3f} s of CPU time; {limit_s:g} s allowed"
            over = Verdict.TIME_LIMIT_EXCEEDED, words
        if over is not None:
            self.settle(index, *over, outcome)
        elif is_syntax_error(said.message) and said.state == "error":
            self.fail_compilation(said.message, outcome.cpu_s)
        elif said.state == "missing":
            words = f"{said.message}: {verdicts.crash_message(outcome)}"
            self.settle(index, said.verdict, words, outcome)
        else:
            if index in self._weak:
                self.integrity = Integrity.WEAK
            self.settle(index, said.verdict, said.message, outcome)
        outcome.close()

    def case_name(self, index: int) -> str:
        return self._tests.cases[index].name or str(index)
