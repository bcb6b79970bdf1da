"""Special judges as the engine runs them: made ready once a submission, then asked about its
outputs.

A judge runs in a slot like any untrusted program.  That it does not compile, ends in a way that its
contract does not know, or goes over a limit of its own says nothing about the submission: such
cases are `judge_error`, with its words.
"""

from __future__ import annotations

import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from scalebox.config import LimitsConfig
from scalebox.engine import limits as bounds
from scalebox.engine import verdicts
from scalebox.engine.admission import check_arguments, check_files
from scalebox.engine.builder import Artifact, Builder
from scalebox.engine.inputs import Inputs
from scalebox.engine.programs import run_of, with_runtime
from scalebox.errors import BadRequestError
from scalebox.judging import contracts, function, testlib
from scalebox.judging.contracts import Decision, Ended, Layout
from scalebox.languages.toolchains import Language, Toolchains
from scalebox.model import (
    Comparison,
    Data,
    FunctionJudge,
    GivenJudge,
    Judge,
    NamedJudge,
    ProgramJudge,
    canonical_bytes,
)
from scalebox.sandbox.spec import RunLimits, RunOutcome, RunSpec, read_output
from scalebox.sandbox.zygote import wire

#: Of what a judge writes, so much is looked at.
_EXCERPT_BYTES = 8192
#: Python's buffer of standard output, 8 KiB, and the decision before it.
_END_BYTES = 32 << 10
#: A run of a judge costs about what one of a trivial program does, and a further question in it a
#: fraction of that; so many, and what is left of the run is small beside the programs' own.
_MOST_AT_ONCE = 8
#: `#include <testlib.h>` is seen, too, and no file of a judge in the place of a system's.
_BESIDE_TOO = ("-idirafter", ".")

Files = dict[str, tuple[bytes, int]]


@dataclass(slots=True)
class Question:
    """An output that a judge is to decide about.

    Parameters:
        given, output, answer: the case's input, what the program wrote, the jury's answer.
        flags: in the place of the judge's own.
        left: what an earlier pass of a judge of several has left for this one; see
            `ReadyJudge.left`.

    Attributes:
        nonce: by which its decision is known, where a run needs one.
    """

    given: bytes
    output: bytes
    answer: bytes
    flags: Sequence[str] | None = None
    left: Mapping[str, bytes] = field(default_factory=dict)
    nonce: str = ""

    @property
    def size(self) -> int:
        """Bytes of its texts."""
        return len(self.given) + len(self.output) + len(self.answer)


class ReadyJudge(ABC):
    """A judge that can be run, or that is known not to run.

    Parameters:
        artifact: of its source; closed by `close`.
        files: beside it.
        limits: of one decision.

    Attributes:
        passes: how often it may have the program run in a case.
        at_once: how many outputs one run may decide about.
    """

    passes = 1
    at_once = 1

    def __init__(self, artifact: Artifact, files: Files, limits: RunLimits) -> None:
        self._artifact = artifact
        self._files = files
        self.limits = limits

    @property
    def broken(self) -> str:
        """Why it cannot be run; empty: it can."""
        result = self._artifact.result
        return "" if result.ok else f"the judge does not compile: {result.message}"

    @abstractmethod
    def spec(self, questions: Sequence[Question]) -> RunSpec:
        """The run that decides about outputs.

        Parameters:
            questions: up to `at_once`.
        """

    @abstractmethod
    def understand(self, outcome: RunOutcome, nonce: str) -> Decision:
        """What the run of a single question decided that kept within its limits."""

    def decide(self, outcome: RunOutcome, nonce: str = "") -> Decision:
        """What the run of a single question decided.

        Parameters:
            nonce: the question's.
        """
        # One that has decided a little late has decided: load of the host must not undo it.
        over = verdicts.limit_verdict(outcome, self.limits)
        if over is not None:
            return Decision(None, f"the judge {over[1]}")
        return self.understand(outcome, nonce)

    def find(self, outcome: RunOutcome, nonce: str) -> Decision | None:
        """What a run of several questions decided about one; None: ask about it by itself."""
        return None

    def left(self, outcome: RunOutcome) -> dict[str, bytes]:
        """What a run that asks for another pass has left for it, path → content; slow."""
        return {path: read_output(fd) for path, fd in outcome.files.items()}

    def close(self) -> None:
        """Let go of the program."""
        self._artifact.close()

    def _limits_with(self, files: Mapping[str, bytes], more: int = 0) -> RunLimits:
        """Limits under which what we put beside the judge is not its doing."""
        own = {name: content for name, (content, _) in self._files.items()}
        return bounds.with_own_files(self.limits, b"\0" * more, {**own, **files})


class _Function(ReadyJudge):
    """A Python function.

    Parameters:
        source: its text.
    """

    def __init__(self, artifact: Artifact, files: Files, limits: RunLimits, source: bytes) -> None:
        super().__init__(artifact, files, limits)
        if not files and function.only_computes(source):
            self.at_once = _MOST_AT_ONCE

    def spec(self, questions: Sequence[Question]) -> RunSpec:
        for question in questions:
            question.nonce = secrets.token_hex(16)
        return RunSpec(
            program=wire.PYTHON_CODE,
            limits=self._limits_with({}),
            code=self._artifact.code,
            stdin=function.encode(
                [(one.nonce, (one.given, one.output, one.answer)) for one in questions]
            ),
            files=self._files,
        )

    def understand(self, outcome: RunOutcome, nonce: str) -> Decision:
        decision = self.find(outcome, nonce)
        if decision is None:
            said = verdicts.crash_message(outcome)
            return Decision(None, f"the judge ended before it had decided: {said}")
        return decision

    def find(self, outcome: RunOutcome, nonce: str) -> Decision | None:
        return function.decide(_end_of(outcome.stdout), nonce)


def _end_of(output: bytes | int) -> bytes:
    """Where a decision is: after what the judge printed before it, and what it holds back to its
    end is less than a buffer."""
    if isinstance(output, bytes):
        return output
    size = os.fstat(output).st_size
    return os.pread(output, _END_BYTES, max(0, size - _END_BYTES))


class ProgramReady(ReadyJudge):
    """A program with a contract.

    Parameters:
        judge: what it is.
        source: its text.
        language: what it is written in.
    """

    def __init__(
        self,
        artifact: Artifact,
        files: Files,
        limits: RunLimits,
        judge: ProgramJudge,
        source: bytes,
        language: Language,
    ) -> None:
        super().__init__(artifact, files, limits)
        self._language = language
        self._contract = judge.contract
        self._flags = judge.flags
        self.passes = judge.passes
        # A program's text tells whether it may leave files open, to be written out at its end (see
        # `child.LEAVES_SOMETHING`): a message must not be lost by that.
        self._source = source

    def spec(self, questions: Sequence[Question]) -> RunSpec:
        (one,) = questions
        flags = self._flags if one.flags is None else one.flags
        kept = one.left if self.passes > 1 else None
        texts = (one.given, one.output, one.answer)
        return self._spec(contracts.layout(self._contract, *texts, flags, kept))

    def talk(
        self,
        given: bytes,
        answer: bytes,
        flags: Sequence[str] | None,
        left: Mapping[str, bytes],
        pipes: tuple[int, int],
    ) -> RunSpec:
        """The run that talks with a program.

        Parameters:
            left: as a question's.
            pipes: the ends that it reads from and writes to.
        """
        chosen = self._flags if flags is None else flags
        kept = left if self.passes > 1 else None
        called = contracts.interactive_layout(self._contract, given, answer, chosen, kept)
        return replace(self._spec(called), pipes=pipes)

    def _spec(self, called: Layout) -> RunSpec:
        files = {name: (content, 0o644) for name, content in called.files.items()}
        limits = self._limits_with(called.files, len(self._source))
        spec = run_of(
            self._language,
            self._artifact,
            with_runtime(limits, self._language.entry),
            self._source,
            {**self._files, **files},
            called.argv,
            own=limits,
        )
        return replace(spec, stdin=called.stdin, fetch=called.fetch)

    def understand(self, outcome: RunOutcome, nonce: str) -> Decision:
        ended = Ended(
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            stdout=read_output(outcome.stdout, _EXCERPT_BYTES),
            stderr=read_output(outcome.stderr, _EXCERPT_BYTES),
            files={name: read_output(fd, _EXCERPT_BYTES) for name, fd in outcome.files.items()},
            whole=not outcome.flags & wire.FETCH_CUT,
        )
        decision = contracts.decide(self._contract, ended)
        if decision.again:
            # A file can be as long as the limit says and take no room at all, so that many could.
            size = sum(os.fstat(fd).st_size for fd in outcome.files.values())
            if size > self.limits.file_bytes:
                return Decision(None, f"the judge left {size} bytes in its feedback folder for the "
                                f"next pass; {self.limits.file_bytes} allowed")  # fmt: skip
        return decision


class Judges:
    """Makes judges ready.

    Parameters:
        tools: the languages.
        builder: compiles them, once.
        inputs: holds their sources.
        config: their limits, where they name none.
        headers: testlib's, for those that are written for it.
    """

    def __init__(
        self,
        tools: Toolchains,
        builder: Builder,
        inputs: Inputs,
        config: LimitsConfig,
        headers: Mapping[str, bytes],
    ) -> None:
        self._tools = tools
        self._builder = builder
        self._inputs = inputs
        self._config = config
        self._headers = headers

    def check(self, judge: GivenJudge, field: str) -> None:
        """Whether a judge can be run here at all.

        Parameters:
            field: where it is in the request.

        Raises:
            BadRequestError: its language, a file or a limit cannot be; the error names the field.
            TooLargeError: a size is over its bound.
        """
        if isinstance(judge, Comparison):
            return
        try:
            self.language(judge)
            self._limits(judge)
            check_files(judge.files, self._taken(judge))
            if isinstance(judge, ProgramJudge):
                check_arguments(judge.flags, ())
                _check_passes(judge)
        except BadRequestError as error:
            # Also the errors of a kind of it: a language that is not here, a size.
            own = (error.field or "").replace("args", "flags")
            error.field = f"{field}.{own}" if own else field
            raise

    async def ready(
        self, judge: FunctionJudge | ProgramJudge, *, client: str, priority: int
    ) -> ReadyJudge:
        """A judge that was checked; the caller closes it.

        Raises:
            InternalError: compiling failed for reasons of ours.
            UnknownBlobError: a blob is gone.
        """
        text = source = await self._inputs.content(judge.source)
        files = {path: await self._inputs.content(data) for path, data in judge.files.items()}
        if isinstance(judge, FunctionJudge):
            source = function.program(text)
        language = self.language(judge)
        compiled_with: Mapping[str, bytes] = files
        flags: Sequence[str] = ()
        if isinstance(judge, ProgramJudge) and _is_for_testlib(judge, language):
            # A judge that brings the header itself needs none of ours.
            if testlib.HEADER not in files:
                compiled_with = {**self._headers, **files}
            flags = _BESIDE_TOO
        artifact = await self._builder.build(
            language, source, compiled_with, client=client, priority=priority, flags=flags
        )
        box = {path: (content, 0o644) for path, content in files.items()}
        limits = self._limits(judge)
        if isinstance(judge, FunctionJudge):
            return _Function(artifact, box, limits, text)
        return ProgramReady(artifact, box, limits, judge, text, language)

    def language(self, judge: FunctionJudge | ProgramJudge) -> Language:
        """What a judge is written in.

        Raises:
            UnknownLanguageError: it is not here.
        """
        return self._tools.find("python" if isinstance(judge, FunctionJudge) else judge.language)

    def _taken(self, judge: FunctionJudge | ProgramJudge) -> Sequence[str]:
        if isinstance(judge, FunctionJudge):
            return ()
        own = (self.language(judge).entry.main_file,)
        return (*own, *contracts.names_taken(judge.contract))

    def _limits(self, judge: FunctionJudge | ProgramJudge) -> RunLimits:
        own = self._config
        defaults = msgspec.structs.replace(
            own, cpu_time_s=own.judge_cpu_time_s, memory_bytes=own.judge_memory_bytes
        )
        return bounds.resolve(judge.limits, defaults)


def _check_passes(judge: ProgramJudge) -> None:
    if judge.passes == 1:
        return
    if judge.contract != "icpc":
        raise BadRequestError(
            f"a judge of contract {judge.contract} has a single pass; only those of contract icpc "
            "can ask for another one", field="passes",
        )  # fmt: skip
    for path in judge.files:
        # From the second pass on that folder is as the pass before left it.
        if path.startswith(f"{contracts.FEEDBACK}/"):
            raise BadRequestError(
                "a judge of several passes finds nothing of its own in the feedback folder",
                field=f"files.{path}",
            )


def _is_for_testlib(judge: ProgramJudge, language: Language) -> bool:
    """Whether a judge may include `testlib.h`."""
    return judge.contract == "testlib" and ".cpp" in language.entry.source_suffixes


def data_of(judge: Judge) -> list[Data]:
    """What a judge holds of uploaded and of given data."""
    if isinstance(judge, Comparison | NamedJudge):
        return []
    return [judge.source, *judge.files.values()]


def key_of(judge: GivenJudge) -> bytes:
    """Equal for equal judges."""
    return canonical_bytes(judge)
