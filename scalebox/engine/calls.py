"""Judging a function by calling it: many calls in one process, expected values outside.

A process that dies, or runs out of time, in the middle of a call costs that call only: the ones
after it go on in a fresh process.  One that ends while it loads the submission costs all of its
calls: a fresh one would end there too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import anyio.to_thread

from scalebox.engine import verdicts
from scalebox.engine.builder import Artifact
from scalebox.engine.judgement import Judgement
from scalebox.engine.limits import for_harness
from scalebox.engine.programs import run_of
from scalebox.errors import BadRequestError, InternalError
from scalebox.judging import call, callers
from scalebox.judging.harness.common import CANDIDATE_FILE
from scalebox.languages import build
from scalebox.languages.toolchains import Language
from scalebox.model import CallTests, CompileResult, Verdict
from scalebox.sandbox.spec import RunOutcome, RunSpec
from scalebox.sandbox.zygote import wire

#: Calls of one process: bounds what a death costs, and what one run holds of the queue.
CALLS_PER_RUN = 200
#: Arguments of one process, unless one call has more.
BYTES_PER_RUN = 1 << 20
#: Longer results are read, and longer arguments written, in a worker thread: it takes more than a
#: millisecond or two.
LARGE_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class _Decided:
    """What the records of a run say.

    Attributes:
        loaded: how loading the submission ended; None: the process ended before it did.
        calls: verdict and words for the calls that were answered, from the first on.
    """

    loaded: call.CallRecord | None
    calls: list[tuple[Verdict, str]]


class CallJudgement(Judgement[CallTests]):
    """One run for a batch of calls."""

    @classmethod
    def files_taken(cls, language: Language) -> Sequence[str]:
        """The submission, a module in some languages, and the harness."""
        entry = language.entry
        if entry.runner == "warm_python":
            return (CANDIDATE_FILE,)
        if entry.call_harness not in callers.HARNESSES:
            raise BadRequestError(f"there are no `call` tests for {entry.name}", field="tests")
        return (entry.main_file, *callers.files_taken(entry.call_harness))

    def toolchains_needed(self) -> set[str]:
        needed = super().toolchains_needed()
        if other := callers.compiled_in(self.language.entry.call_harness):
            needed.add(self.room.tools.find(other).identity)
        return needed

    def set_up(self) -> None:
        #: First case of a run → all of its cases.
        self._batches: dict[int, Sequence[int]] = {}
        #: Whether a process has loaded the submission.
        self._loads = False

    async def prepare(self) -> None:
        if not self.is_python:
            self._refuse_what_only_python_has()
        if call.is_large(self.tests, LARGE_BYTES):
            self._lines = await anyio.to_thread.run_sync(self._encode)
        else:
            self._lines = self._encode()
        self.admission.hold(sum(map(len, self._lines)))
        self._joint = await self._join()
        self._header = call.encode_header(self.tests, self._joint.header)
        self.run_limits = for_harness(self.run_limits)
        for name, content in self._joint.beside.items():
            self.files[name] = (content, 0o644)

    def _refuse_what_only_python_has(self) -> None:
        for index, case in enumerate(self.tests.cases):
            if case.kwargs:
                raise BadRequestError(
                    f"keyword arguments are Python's; {self.language.entry.name} takes `args`",
                    field=f"tests.cases[{index}].kwargs",
                )
            if call.holds_python_only(case.args):
                raise BadRequestError(
                    f"{self.language.entry.name} takes None, numbers, text, lists, tuples and "
                    "dictionaries as arguments",
                    field=f"tests.cases[{index}].args",
                )

    async def _join(self) -> callers.Joint:
        """The program that calls the submission's function."""
        if self.is_python:
            code = await self.room.builder.harness(self.language, call.call_source())
            self.artifact = Artifact(CompileResult(ok=True), code=code)
            return callers.Joint(b"", beside={CANDIDATE_FILE: self.source})
        try:
            return callers.join(self.language.entry.call_harness, self.source, self.tests.function)
        except ValueError as error:
            raise BadRequestError(str(error), field="tests.function") from error

    def _encode(self) -> list[bytes]:
        try:
            return [call.encode_call(self.tests, case) for case in range(len(self.tests.cases))]
        except ValueError as error:
            raise BadRequestError(
                f"arguments that are not plain data: {error}", field="tests.cases"
            ) from error

    def needs_build(self) -> bool:
        return not self.is_python and self.language.entry.compiles

    async def build(self, files: Mapping[str, bytes]) -> bool:
        if self._joint.classes is not None:
            await self._lay_beside(self._joint.classes)
        self.artifact = await self.room.builder.build(
            self.language,
            self._joint.source,
            {**files, **self._joint.files},
            client=self.client,
            priority=self.submission.priority,
            flags=self._joint.flags,
        )
        return self.compiled(self.artifact.result)

    async def _lay_beside(self, classes: callers.Classes) -> None:
        """Put a harness that is compiled by itself into the program's folder."""
        made = await self.room.builder.build(
            self.room.tools.find(classes.language), classes.source, classes.files,
            client=self.client, priority=self.submission.priority,
        )  # fmt: skip
        if not made.result.ok:
            raise InternalError(f"a harness does not compile: {made.result.message}")
        self.files |= made.files
        made.close()

    def start(self) -> None:
        self.again(range(len(self._lines)))

    def make_spec(self, index: int) -> RunSpec:
        batch = self._batches[index]
        joint = self._joint
        spec = run_of(
            self.language, self.artifact, self.run_limits, joint.main, self.files, own=self.limits
        )
        if joint.program_as:
            spec.files[joint.program_as] = spec.files[build.PROGRAM]
            spec.files[build.PROGRAM] = joint.main, 0o644
        spec.stdin = b"".join([self._header, *(self._lines[case] for case in batch)])
        spec.records = len(batch) + 1
        return spec

    def cases_of(self, index: int) -> Sequence[int]:
        return self._batches[index]

    def withdraw(self, index: int) -> Sequence[int]:
        cases = super().withdraw(index)
        del self._batches[index]
        return cases

    def again(self, cases: Sequence[int]) -> None:
        """In runs of as many as go together."""
        first = size = 0
        begun = []
        for at, case in enumerate(cases):
            length = len(self._lines[case])
            if at - first == CALLS_PER_RUN or (at > first and size + length > BYTES_PER_RUN):
                begun.append(cases[first:at])
                first, size = at, 0
            size += length
        begun.append(cases[first:])
        for batch in begun:
            self._batches[batch[0]] = batch
        self.submit([batch[0] for batch in begun])

    def hear(self, index: int, outcome: RunOutcome, alone: bool) -> None:
        batch = self._batches[index]
        if len(outcome.channel) > LARGE_BYTES:
            self.decide_aside(
                batch,
                outcome,
                lambda: self._decide(batch, outcome.channel),
                lambda decided: self._settle_batch(batch, outcome, decided, alone),
            )
        else:
            self._settle_batch(batch, outcome, self._decide(batch, outcome.channel), alone)
            outcome.close()

    def _decide(self, batch: Sequence[int], channel: bytes) -> _Decided:
        loaded, rest = call.parse_loaded(channel)
        if loaded is None or loaded.error:
            return _Decided(loaded, [])
        records = call.parse_records(rest, batch)
        answered = zip(batch, records, strict=False)
        return _Decided(loaded, [self._decide_call(*one) for one in answered])

    def _decide_call(self, case: int, record: call.CallRecord) -> tuple[Verdict, str]:
        said = self.language.entry.out_of_memory
        if any(words in record.error for words in said):
            return verdicts.out_of_memory_verdict(self.limits)
        return call.decide_call(self.tests, case, record)

    def _settle_batch(
        self, batch: Sequence[int], outcome: RunOutcome, decided: _Decided, alone: bool
    ) -> None:
        del self._batches[batch[0]]
        load_s, *times = [*outcome.record_cpu_s, *[0.0] * (len(batch) + 1)]
        if decided.loaded is None or decided.loaded.error or self._is_slow(load_s):
            self._settle_unloaded(batch, outcome, decided.loaded, load_s, alone)
            return
        self._loads = True
        if outcome.flags & wire.OUTPUT_EXCEEDED:
            self._settle_output(batch, outcome, load_s)
            return
        answered = batch[: len(decided.calls)]
        slow = []
        for case, (verdict, message), cpu_s in zip(answered, decided.calls, times, strict=False):
            if self._is_slow(cpu_s):
                slow.append((case, cpu_s))
            else:
                self.settle(case, verdict, message, outcome, cpu_s)
        rest = batch[len(answered) :]
        if rest:
            self._settle_death(rest[0], outcome, load_s + sum(times))
        self._settle_slow(slow, outcome, alone)
        self._go_on([rest[1:]])

    def _is_slow(self, cpu_s: float) -> bool:
        return cpu_s * 1e9 > self.limits.cpu_ns

    def _settle_unloaded(
        self,
        batch: Sequence[int],
        outcome: RunOutcome,
        loaded: call.CallRecord | None,
        load_s: float,
        alone: bool,
    ) -> None:
        """The submission cannot be loaded, or not in time."""
        if loaded is None:
            over = self._over_limit(outcome)
            words = f"the program ended while it was loaded: {self._crash_message(outcome)}"
            verdict, words = over or (Verdict.RUNTIME_ERROR, words)
        elif loaded.uncompilable:
            self.fail_compilation(loaded.error, outcome.cpu_s)
            return
        elif loaded.error:
            verdict, words = Verdict.RUNTIME_ERROR, loaded.error
        elif self._run_again(batch, alone):
            return
        else:
            verdict, words = verdicts.too_slow(load_s, self.limits, " to be loaded")
        # If no process has loaded it, none will.
        for case in batch if self._loads else self.results.unsettled():
            self.settle(case, verdict, words, outcome)

    def _settle_output(self, batch: Sequence[int], outcome: RunOutcome, load_s: float) -> None:
        """Too much was written; it is looked at now and then, so by which call is known only if
        there was one."""
        if len(batch) > 1:
            self._go_on([[case] for case in batch])
        else:
            self._settle_death(batch[0], outcome, load_s)

    def _settle_death(self, case: int, outcome: RunOutcome, cpu_before_s: float) -> None:
        """The call in whose middle the process ended."""
        cpu_s = max(0.0, outcome.cpu_s - cpu_before_s)
        over = self._over_limit(outcome)
        if over is not None:
            self.settle(case, *over, outcome, cpu_s)
            return
        verdict, words = call.decide_call(self.tests, case, None)
        self.settle(case, verdict, f"{words}: {self._crash_message(outcome)}", outcome, cpu_s)

    def _crash_message(self, outcome: RunOutcome) -> str:
        return verdicts.crash_message(outcome, self.language.entry.last_words)

    def _over_limit(self, outcome: RunOutcome) -> tuple[Verdict, str] | None:
        """The verdict of a process that ended in the middle, if a limit was why."""
        over = verdicts.limit_verdict(outcome, self.limits)
        if over is None and verdicts.ran_out_of_memory(outcome, self.language.entry.out_of_memory):
            return verdicts.out_of_memory_verdict(self.limits)
        return over

    def _settle_slow(
        self, slow: Sequence[tuple[int, float]], outcome: RunOutcome, alone: bool
    ) -> None:
        """Calls that were answered, but late."""
        needed = set(self.results.unsettled())
        again = [case for case, _ in slow if case in needed]
        if again and self._run_again(again, alone):
            return
        for case, cpu_s in slow:
            self.settle(case, *verdicts.too_slow(cpu_s, self.limits), outcome, cpu_s)

    def _run_again(self, batch: Sequence[int], alone: bool) -> bool:
        self._batches[batch[0]] = batch
        if self.confirm(batch, alone):
            return True
        del self._batches[batch[0]]
        return False

    def _go_on(self, batches: Sequence[Sequence[int]]) -> None:
        """Calls that are still to be judged, in fresh processes."""
        needed = set(self.results.unsettled())
        for batch in batches:
            left = [case for case in batch if case in needed]
            if left:
                self.forget_attempt(left)
                self._batches[left[0]] = left
                self.submit([left[0]])
