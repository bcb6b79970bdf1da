"""Judging with test programs made of asserts that are joined with the submission, as in MultiPL-E.

All languages but Python.  Each test program makes one text with the submission, which is compiled
where the language compiles, and is a case of its own.  It runs in the submission's process, so an
acceptance is `weak`; see `judging.joining` for what is done about it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence

from scalebox.engine import verdicts
from scalebox.engine.asserts import SINGLE_RECORDS, STRONG_ONLY, settle_said
from scalebox.engine.builder import Artifact
from scalebox.engine.judgement import Judgement
from scalebox.engine.programs import run_of
from scalebox.errors import BadRequestError
from scalebox.judging import asserts, joining
from scalebox.judging.sources import harness_file
from scalebox.languages import joint
from scalebox.languages.table import AssertRule
from scalebox.languages.toolchains import Language
from scalebox.model import AssertTests, CompileResult, Data
from scalebox.sandbox.spec import RunOutcome, RunSpec


class JointAssertJudgement(Judgement[AssertTests]):
    """One run a test program, and one compilation where the language compiles."""

    @classmethod
    def files_taken(cls, language: Language) -> Sequence[str]:
        """The text of both, and what belongs to it."""
        if language.entry.asserts is None:
            raise BadRequestError(
                f"there are no `assert` tests in {language.entry.name}: its entry of the table of "
                "languages has no `asserts`",
                field="tests",
            )
        return (language.entry.main_file, *language.entry.asserts.files)

    @classmethod
    def data_of(cls, tests: AssertTests) -> Sequence[Data]:
        """The test programs, each beside the submission."""
        return [case.program for case in tests.cases]

    def set_up(self) -> None:
        #: One for each case, in order; none where nothing is compiled.
        self._artifacts: list[Artifact] = []
        self._nonces: dict[int, str] = {}

    async def prepare(self) -> None:
        if self.tests.entry_point is not None:
            raise BadRequestError(
                f"`entry_point` is Python's; in {self.language.entry.name} the test program "
                "calls the function itself",
                field="tests.entry_point",
            )
        own = {name: harness_file(text) for name, text in self._rule.files.items()}
        self._own_files = own
        if not self.needs_build():
            self.files |= {name: (content, 0o644) for name, content in own.items()}

    @property
    def _rule(self) -> AssertRule:
        assert self.language.entry.asserts is not None  # see `files_taken`
        return self.language.entry.asserts

    def _joint(self, index: int) -> tuple[Language, bytes]:
        """The text of a case, and the language that it is in."""
        rule, program = self._rule, self.tests.cases[index].program
        text = joining.joined(self.source, program, main=rule.main, before=rule.before)
        return joint.language_of(self.language, text), text + rule.after.encode()

    def needs_build(self) -> bool:
        return bool(self.language.entry.compile)

    async def build(self, files: Mapping[str, bytes]) -> bool:
        compiling = [
            asyncio.ensure_future(
                self.room.builder.build(
                    *self._joint(index),
                    {**files, **self._own_files},
                    client=self.client,
                    priority=self.submission.priority,
                    flags=self._rule.flags,
                )
            )
            for index in range(len(self.tests.cases))
        ]
        try:
            for one in compiling:
                self._artifacts.append(await one)
                if not self._artifacts[-1].result.ok:
                    break
        finally:
            await _drop(compiling[len(self._artifacts) :])
        made = [artifact.result for artifact in self._artifacts]
        return self.compiled(
            CompileResult(
                ok=made[-1].ok,
                cached=all(result.cached for result in made),
                cpu_time_s=sum(result.cpu_time_s for result in made),
                message=made[-1].message,
            )
        )

    def drop_artifacts(self) -> None:
        for artifact in self._artifacts:
            artifact.close()

    def start(self) -> None:
        self.submit(range(len(self.tests.cases)))

    def make_spec(self, index: int) -> RunSpec:
        language, text = self._joint(index)
        artifact = self._artifacts[index] if self._artifacts else self.artifact
        spec = run_of(language, artifact, self.run_limits, text, self.files, own=self.limits)
        nonce = self._nonces[index] = secrets.token_hex(16)
        spec.stdin = nonce.encode()
        spec.records = SINGLE_RECORDS
        return spec

    def hear(self, index: int, outcome: RunOutcome, alone: bool) -> None:
        said = asserts.parse_assert_record(outcome.channel, self._nonces.pop(index))
        forged = said.state in STRONG_ONLY or said.state == "uncompilable"
        if forged or (said.state == "passed" and outcome.status != 0):
            said = asserts.MISSING
        said = self._with_runtime_words(said, outcome)
        if said.state == "passed":
            # For all that can be known in one process.
            self.weak.add(index)
        settle_said(self, index, said, outcome, alone)
        outcome.close()

    def _with_runtime_words(
        self, said: asserts.AssertOutcome, outcome: RunOutcome
    ) -> asserts.AssertOutcome:
        """Tell an assertion that failed from another error, where the runtime's words do."""
        rule = self._rule
        if said.state not in ("missing", "failed") or not outcome.status:
            return said
        ended = verdicts.crash_message(outcome, self.language.entry.last_words)
        words = verdicts.line_with(outcome, rule.failed)
        if words or (rule.failed_code and outcome.exit_code == rule.failed_code):
            return asserts.AssertOutcome("failed", words or f"a test failed: {ended}")
        if rule.failed and said.state == "failed":
            return asserts.AssertOutcome("error", ended)
        return said


async def _drop(compiling: Sequence[asyncio.Future[Artifact]]) -> None:
    """Cancel them; what is made already is closed."""
    for one in compiling:
        one.cancel()
    for made in await asyncio.gather(*compiling, return_exceptions=True):
        if isinstance(made, Artifact):
            made.close()
