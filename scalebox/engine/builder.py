"""Artifacts: compiled once per (source, language, tool chain, flags), whoever asks and how often.

Identical compilations in flight are one; results are kept (native programs on disk, Python code and
compile errors in memory).  A compilation goes on while anyone waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import anyio.to_thread
import structlog
from anyio.abc import TaskGroup

from scalebox.config import LimitsConfig
from scalebox.engine.execution import execute
from scalebox.engine.scheduler import COMPILE_PRIORITY, Scheduler
from scalebox.errors import InternalError
from scalebox.languages import build
from scalebox.languages.artifacts import ArtifactCache
from scalebox.languages.toolchains import Language
from scalebox.model import CompileResult
from scalebox.sandbox.spec import RunOutcome, read_output
from scalebox.sandbox.zygote import wire

_CODE_CACHE_BYTES = 64 << 20
_KEPT_ERRORS = 2_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Artifact:
    """What can be run, or why there is nothing.

    Attributes:
        result: of the compilation; `ok` is False where there is nothing to run.
        code: marshalled Python code.
        fd: descriptor of a native program, owned by this artifact; -1: none.
    """

    result: CompileResult
    code: bytes = b""
    fd: int = -1

    def close(self) -> None:
        """Let go of the program."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class _Build:
    """A compilation in flight and how many wait for it."""

    def __init__(self) -> None:
        self.future: asyncio.Future[CompileResult] = asyncio.get_running_loop().create_future()
        self.scope = anyio.CancelScope()
        self.waiters = 0


class Builder:
    """Makes artifacts in slots.

    Parameters:
        scheduler: where compilations queue.
        cache: of native programs.
        limits: the daemon's limits.
        headers: folder of precompiled headers, readable inside slots.
        excerpt_bytes: how much of a compiler's output is kept.
        retries: after failures of ours.
        tasks: the group that compilations belong to.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        cache: ArtifactCache,
        limits: LimitsConfig,
        headers: Path,
        excerpt_bytes: int,
        retries: int,
        tasks: TaskGroup,
    ) -> None:
        self._scheduler = scheduler
        self._cache = cache
        self._limits = build.compile_limits(limits)
        self._headers = headers
        self._excerpt_bytes = excerpt_bytes
        self._retries = retries
        self._tasks = tasks
        self._codes: OrderedDict[str, bytes] = OrderedDict()
        self._codes_bytes = 0
        self._errors: OrderedDict[str, CompileResult] = OrderedDict()
        self._builds: dict[str, _Build] = {}
        self._headers_seen: set[str] = set()
        self.compilations = 0
        self.cache_hits = 0

    async def build(
        self,
        language: Language,
        source: bytes,
        files: Mapping[str, bytes],
        *,
        client: str,
        priority: int,
    ) -> Artifact:
        """The artifact of a submission; the caller closes it.

        Raises:
            InternalError: compiling failed for reasons of ours.
        """
        if language.entry.runner == "warm_python":
            files = {}  # imported at run time, not compiled in
        address = build.artifact_address(language, source, files)
        known = self._look_up(address)
        if known is not None:
            self.cache_hits += 1
            return known
        flight = self._builds.get(address)
        if flight is None:
            flight = self._builds[address] = _Build()
            self._tasks.start_soon(
                self._build, flight, address, language, source, files, client, priority
            )
        flight.waiters += 1
        try:
            result = await asyncio.shield(flight.future)
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 and not flight.future.done():
                flight.scope.cancel()
                self._builds.pop(address, None)
        if not result.ok:
            return Artifact(result)
        made = self._look_up(address)
        if made is None:
            raise InternalError("a program was evicted from the artifact cache before it could run")
        made.result = result
        return made

    async def harness(self, language: Language, source: bytes) -> bytes:
        """Marshalled code of a harness of ours, compiled by the judge's own Python.

        Raises:
            InternalError: it does not compile.
        """
        artifact = await self.build(language, source, {}, client="scaleboxd", priority=0)
        if not artifact.result.ok:
            raise InternalError(f"a harness does not compile: {artifact.result.message}")
        return artifact.code

    def _look_up(self, address: str) -> Artifact | None:
        error = self._errors.get(address)
        if error is not None:
            self._errors.move_to_end(address)
            return Artifact(CompileResult(ok=False, cached=True, message=error.message))
        found = CompileResult(ok=True, cached=True)
        code = self._codes.get(address)
        if code is not None:
            self._codes.move_to_end(address)
            return Artifact(found, code=code)
        fd = self._cache.open(address)
        if fd is not None:
            return Artifact(found, fd=os.dup(fd))
        return None

    async def _build(
        self,
        flight: _Build,
        address: str,
        language: Language,
        source: bytes,
        files: Mapping[str, bytes],
        client: str,
        priority: int,
    ) -> None:
        with flight.scope:
            try:
                result = await self._compile(address, language, source, files, client, priority)
            except Exception as error:
                if not isinstance(error, InternalError):
                    log.exception("compiling failed", language=language.entry.name)
                    error = InternalError(f"compiling failed for reasons of ours: {error}")
                if not flight.future.done():
                    flight.future.set_exception(error)
                    flight.future.exception()  # looked at, even if nobody waits any more
            else:
                if not flight.future.done():
                    flight.future.set_result(result)
        if self._builds.get(address) is flight:
            del self._builds[address]
        if not flight.future.done():
            flight.future.cancel()

    async def _compile(
        self,
        address: str,
        language: Language,
        source: bytes,
        files: Mapping[str, bytes],
        client: str,
        priority: int,
    ) -> CompileResult:
        self.compilations += 1
        self._want_header(language)
        spec = build.compile_plan(language, source, files, self._limits, self._headers)
        outcome = await execute(
            self._scheduler,
            lambda: spec,
            client=client,
            priority=priority + COMPILE_PRIORITY,
            memory_bytes=spec.limits.memory_bytes,
            retries=self._retries,
        )
        try:
            result = self._judge(outcome)
            if not result.ok:
                self._remember_error(address, result)
                return result
            if language.entry.runner == "warm_python":
                self._remember_code(address, read_output(outcome.stdout))
                return result
            written = await anyio.to_thread.run_sync(
                self._cache.store, address, outcome.files[build.PROGRAM]
            )
            self._cache.adopt(address, written)
            return result
        finally:
            outcome.close()

    def _judge(self, outcome: RunOutcome) -> CompileResult:
        text = read_output(outcome.stderr, self._excerpt_bytes).decode("utf-8", "replace")
        limits = self._limits
        flags = outcome.flags
        problem = ""
        if flags & wire.OUT_OF_MEMORY:
            problem = f"the compiler needed more than {limits.memory_bytes >> 20} MiB of memory"
        elif flags & wire.CPU_EXCEEDED:
            problem = f"the compiler needed more than {limits.cpu_ns / 1e9:g} s of CPU time"
        elif flags & wire.WALL_EXCEEDED:
            problem = f"the compiler was not done after {limits.wall_ns / 1e9:g} s"
        elif flags & wire.OUTPUT_EXCEEDED:
            problem = "the compiler wrote too much"
        elif outcome.status != 0:
            problem = text or f"the compiler ended with wait status {outcome.status}"
        elif not outcome.files and not outcome.stdout:
            problem = text or "the compiler left no program"
        if problem and text and problem != text:
            problem = f"{problem}\n{text}"
        return CompileResult(ok=not problem, cpu_time_s=outcome.cpu_s, message=problem or text)

    def _remember_error(self, address: str, result: CompileResult) -> None:
        self._errors[address] = result
        while len(self._errors) > _KEPT_ERRORS:
            self._errors.popitem(last=False)

    def _remember_code(self, address: str, code: bytes) -> None:
        self._codes[address] = code
        self._codes_bytes += len(code)
        while self._codes_bytes > _CODE_CACHE_BYTES and len(self._codes) > 1:
            _, oldest = self._codes.popitem(last=False)
            self._codes_bytes -= len(oldest)

    # --- precompiled headers ---------------------------------------------------------------------

    def _want_header(self, language: Language) -> None:
        """Start precompiling a header on its language's first use; nobody waits for it."""
        if not language.entry.precompiled_header or language.identity in self._headers_seen:
            return
        self._headers_seen.add(language.identity)
        self._tasks.start_soon(self._precompile, language)

    async def _precompile(self, language: Language) -> None:
        plan = build.header_plan(language, self._limits)
        if plan is None or (self._headers / plan.address).exists():
            return
        spec = replace(plan.spec)
        try:
            outcome = await execute(
                self._scheduler,
                lambda: spec,
                client="scaleboxd",
                priority=0,
                memory_bytes=spec.limits.memory_bytes,
                retries=self._retries,
            )
        except InternalError as error:
            log.warning("no precompiled header", reason=str(error))
            return
        try:
            fd = outcome.files.get(plan.fetch)
            if outcome.status != 0 or fd is None:
                text = read_output(outcome.stderr, 500).decode("utf-8", "replace")
                log.warning("no precompiled header", reason=text)
                return
            await anyio.to_thread.run_sync(_write_file, self._headers / plan.address, fd)
        except OSError as error:
            log.warning("no precompiled header", reason=str(error))
        finally:
            outcome.close()


def _write_file(path: Path, source_fd: int) -> None:
    """A file that programs may read, complete or not there."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            offset = 0
            while count := os.sendfile(file.fileno(), source_fd, offset, 1 << 22):
                offset += count
            os.fchmod(file.fileno(), 0o444)
        partial.rename(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
