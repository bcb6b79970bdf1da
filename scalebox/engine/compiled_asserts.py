"""Judging C and C++ with test programs made of asserts, as in MultiPL-E and HumanEval-X.

Each test program is compiled together with the submission, and is a case of its own.  It runs in
the submission's process, so an acceptance is `weak`; see `judging.compiled` for what is certain.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence

from scalebox.engine.asserts import SINGLE_RECORDS, STRONG_ONLY, settle_said
from scalebox.engine.builder import Artifact
from scalebox.engine.judgement import Judgement
from scalebox.errors import BadRequestError
from scalebox.judging import asserts, compiled
from scalebox.languages.table import LanguageEntry
from scalebox.languages.toolchains import Language
from scalebox.model import AssertTests, CompileResult, Data
from scalebox.sandbox.spec import RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire


class CompiledAssertJudgement(Judgement[AssertTests]):
    """One compilation and one run a test program."""

    @classmethod
    def files_taken(cls, language: Language) -> Sequence[str]:
        """The text of both, and what says how it ended."""
        if not language.entry.assert_flags:
            raise BadRequestError(
                f"`assert` tests are there for Python, C and C++, not for {language.entry.name}",
                field="tests",
            )
        return (language.entry.main_file, _completion_file(language.entry))

    @classmethod
    def data_of(cls, tests: AssertTests) -> Sequence[Data]:
        """The test programs, each beside the submission."""
        return [case.program for case in tests.cases]

    def set_up(self) -> None:
        #: One for each case, in order.
        self._artifacts: list[Artifact] = []
        self._nonces: dict[int, str] = {}

    async def prepare(self) -> None:
        if self.tests.entry_point is not None:
            raise BadRequestError(
                f"`entry_point` is Python's; in {self.language.entry.name} the test program's "
                "`main` calls the function",
                field="tests.entry_point",
            )

    def needs_build(self) -> bool:
        return True

    async def build(self, files: Mapping[str, bytes]) -> bool:
        entry = self.language.entry
        compiling = [
            asyncio.ensure_future(
                self.room.builder.build(
                    self.language,
                    compiled.joined(self.source, case.program, entry.main_file),
                    {**files, _completion_file(entry): compiled.completion_source()},
                    client=self.client,
                    priority=self.submission.priority,
                    flags=entry.assert_flags,
                )
            )
            for case in self.tests.cases
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
        nonce = self._nonces[index] = secrets.token_hex(16)
        return RunSpec(
            program=wire.EXECUTE,
            limits=self.run_limits,
            stdin=nonce.encode(),
            executable_fd=self._artifacts[index].fd,
            argv=("./solution",),
            files=self.files,
            records=SINGLE_RECORDS,
        )

    def hear(self, index: int, outcome: RunOutcome, alone: bool) -> None:
        said = asserts.parse_assert_record(outcome.channel, self._nonces.pop(index))
        forged = said.state in STRONG_ONLY or said.state == "uncompilable"
        if forged or (said.state == "passed" and outcome.status != 0):
            said = asserts.MISSING
        if said.state == "passed":
            # For all that can be known in one process.
            self.weak.add(index)
        settle_said(self, index, said, outcome, alone)
        outcome.close()


def _completion_file(entry: LanguageEntry) -> str:
    return compiled.COMPLETION_FILE + entry.source_suffixes[0]


async def _drop(compiling: Sequence[asyncio.Future[Artifact]]) -> None:
    """Cancel them; what is made already is closed."""
    for one in compiling:
        one.cancel()
    for made in await asyncio.gather(*compiling, return_exceptions=True):
        if isinstance(made, Artifact):
            made.close()
