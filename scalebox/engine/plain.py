"""Just running a program: files in, files out, no verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from scalebox.engine import limits as bounds
from scalebox.engine import verdicts
from scalebox.engine.aside import result_bytes
from scalebox.engine.builder import Artifact
from scalebox.engine.execution import execute
from scalebox.engine.programs import run_of, with_runtime
from scalebox.engine.room import Room
from scalebox.languages.toolchains import Language
from scalebox.model import CompileResult, RunRequest, RunResult, RunStatus, to_bytes
from scalebox.sandbox.spec import RunLimits, RunOutcome, RunSpec, read_output
from scalebox.sandbox.zygote import wire

#: A longer result is copied in a worker thread.
_LARGE_RESULT_BYTES = 256 << 10


class PlainRun:
    """One program that is run and not judged.

    Parameters:
        room: as judgements have it.
        request: checked, and admitted until its result is there.
        language: its language.
        limits: resolved.
        client: who asks, for fairness.
    """

    def __init__(
        self, room: Room, request: RunRequest, language: Language, limits: RunLimits, client: str
    ) -> None:
        self._room = room
        self._request = request
        self._language = language
        self._limits = limits
        self._client = client
        self._compiled: CompileResult | None = None

    async def result(self, files: Mapping[str, bytes]) -> RunResult:
        """Run it; cancelling this drops the work.

        Parameters:
            files: the program's further files, loaded.

        Raises:
            InternalError: it could not be run, for reasons of ours.
        """
        deadline_s = self._request.deadline_s
        timer = None
        try:
            async with asyncio.timeout(deadline_s) as timer:
                return await self._run(files)
        except TimeoutError:
            if timer is None or not timer.expired():
                raise
            words = f"not done within the deadline of {deadline_s:g} s"
            return self._make(RunStatus.CANCELLED, words)

    async def _run(self, files: Mapping[str, bytes]) -> RunResult:
        room, request, language = self._room, self._request, self._language
        source = to_bytes(request.source)
        run_limits = with_runtime(self._limits, language.entry)
        run_limits = bounds.with_own_files(run_limits, source, files)
        box = {path: (content, 0o644) for path, content in files.items()}
        artifact = Artifact(CompileResult(ok=True))
        if language.entry.compile:
            artifact = await room.builder.build(
                language, source, files, client=self._client, priority=request.priority
            )
            self._compiled = artifact.result
            if not artifact.result.ok:
                return self._make(RunStatus.COMPILE_ERROR, artifact.result.message)

        def make() -> RunSpec:
            spec = run_of(
                language, artifact, run_limits, source, box, request.args, own=self._limits
            )
            spec.stdin = room.inputs.stdin(request.stdin)
            spec.fetch = tuple(request.fetch)
            return spec

        try:
            outcome = await execute(
                room.scheduler, make, client=self._client, priority=request.priority,
                memory_bytes=run_limits.memory_bytes, retries=room.config.engine.retries,
            )  # fmt: skip
        finally:
            artifact.close()
        result = self._ran(outcome)
        if result_bytes(outcome) > _LARGE_RESULT_BYTES:
            return await room.aside.result(outcome, lambda: _with_output(result, outcome))
        result = _with_output(result, outcome)
        outcome.close()
        return result

    def _ran(self, outcome: RunOutcome) -> RunResult:
        status, words = RunStatus.FINISHED, ""
        if outcome.flags & wire.COMPILE_FAILED:
            status = RunStatus.COMPILE_ERROR
            text = read_output(outcome.stderr, self._room.config.engine.excerpt_bytes)
            words = text.decode("utf-8", "replace")
        else:
            found = verdicts.program_verdict(outcome, self._limits, self._language.entry)
            if found is not None:
                status, words = verdicts.RUN_STATUS[found[0]], found[1]
        return self._make(status, words)

    def _make(self, status: RunStatus, words: str) -> RunResult:
        self._room.counters[f"run_{status.value}"] += 1
        return RunResult(
            status=status,
            isolation=self._room.level,
            enforcement=self._room.enforcement,
            compile=self._compiled,
            toolchain=self._language.version,
            message=words,
            id=self._request.id,
        )


def _with_output(result: RunResult, outcome: RunOutcome) -> RunResult:
    return msgspec.structs.replace(
        result,
        stdout=read_output(outcome.stdout),
        stderr=read_output(outcome.stderr),
        files={path: read_output(fd) for path, fd in outcome.files.items()},
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        cpu_time_s=outcome.cpu_s,
        wall_time_s=outcome.wall_s,
        memory_bytes=outcome.memory_bytes,
    )
