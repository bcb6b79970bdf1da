"""Artifacts: compiled once per (source, language, tool chain, flags), whoever asks and how often.

Identical compilations in flight are one; results are kept (native programs on disk, Python code and
compile errors in memory).  A compilation goes on while anyone waits for it.  What a compiler said
because something else failed it (a slot, the host's memory) is nobody's result: it is asked again.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import anyio.to_thread
import msgspec
import structlog
from anyio.abc import TaskGroup

from scalebox.engine.execution import execute
from scalebox.engine.headers import Headers
from scalebox.engine.jobs import COMPILE_PRIORITY
from scalebox.engine.scheduler import Scheduler
from scalebox.errors import InternalError
from scalebox.languages import build
from scalebox.languages.artifacts import ArtifactCache, to_memory
from scalebox.languages.toolchains import Language
from scalebox.model import CompileResult
from scalebox.sandbox.spec import RunLimits, RunOutcome, RunSpec, read_output, sealed_memfd
from scalebox.sandbox.zygote import wire

_CODE_CACHE_BYTES = 16 << 20
#: What an entry costs beside its code: key, links, headers.
_CODE_ENTRY_BYTES = 400
_KEPT_ERRORS = 2_000
#: A source that is run so often is worth being compiled apart, …
_OFTEN = 3
#: … as far as is remembered.
_REMEMBERED_SOURCES = 4_000
#: Hashing more than this takes about as long as asking a worker thread to do it.
_LARGE_SOURCE_BYTES = 256 << 10
#: What compilers say when one of their own programs was killed, or the host had no more of
#: something: memory, processes, disk.
_FAILED_THEM = (
    b"Killed signal terminated program",
    *(os.strerror(number).encode() for number in (errno.EAGAIN, errno.ENOMEM, errno.ENOSPC)),
)
_FAILED_AGAIN = 2
#: What every C and C++ compiler can compile, if it works at all.
_TRIVIAL = b"int main() { return 0; }\n"
_LIMIT_FLAGS = wire.OUT_OF_MEMORY | wire.CPU_EXCEEDED | wire.WALL_EXCEEDED | wire.OUTPUT_EXCEEDED

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Artifact:
    """What can be run, or why there is nothing.

    Attributes:
        result: of the compilation; `ok` is False where there is nothing to run.
        code: marshalled Python code.
        fd: descriptor of a native program, owned by this artifact; -1: none.
        address: of a native program, under which other daemons with the same tool chain know it.
        files: of the program's folder, where the compilation leaves several.
    """

    result: CompileResult
    code: bytes = b""
    fd: int = -1
    address: str = ""
    files: dict[str, tuple[bytes, int]] = field(default_factory=dict)

    def copy(self) -> Artifact:
        """Another owner's."""
        fd = os.dup(self.fd) if self.fd >= 0 else -1
        return Artifact(self.result, self.code, fd, self.address, self.files)

    def close(self) -> None:
        """Let go of the program."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@dataclass(frozen=True, slots=True)
class _Request:
    """What is compiled, and for whom first."""

    address: str
    language: Language
    source: bytes
    files: Mapping[str, bytes]
    flags: Sequence[str]
    client: str
    priority: int
    limits: RunLimits


class _Flight:
    """A compilation in flight and how many wait for it."""

    def __init__(self) -> None:
        self.future: asyncio.Future[Artifact] = asyncio.get_running_loop().create_future()
        self.scope = anyio.CancelScope()
        self.waiters = 0


class Builder:
    """Makes artifacts in slots.

    Parameters:
        scheduler: where compilations queue.
        cache: of native programs.
        headers: precompiled ones.
        limits: the daemon's limits.
        excerpt_bytes: how much of a compiler's output is kept.
        retries: after failures of ours.
        tasks: the group that compilations belong to.

    Attributes:
        compilations, cache_hits: since the start.
        repeated: compilations that the host seems to have failed; since the start.
        not_cached: programs that the disk had no place for; since the start.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        cache: ArtifactCache,
        headers: Headers,
        limits: RunLimits,
        excerpt_bytes: int,
        retries: int,
        tasks: TaskGroup,
    ) -> None:
        self._scheduler = scheduler
        self._cache = cache
        self._headers = headers
        self._limits = limits
        self._excerpt_bytes = excerpt_bytes
        self._retries = retries
        self._tasks = tasks
        self._codes: OrderedDict[str, bytes] = OrderedDict()
        self._codes_bytes = 0
        self._errors: OrderedDict[str, CompileResult] = OrderedDict()
        self._asked: OrderedDict[str, int] = OrderedDict()
        self._flights: dict[str, _Flight] = {}
        self._harnesses: dict[tuple[str, bytes], bytes] = {}
        self.compilations = 0
        self.cache_hits = 0
        self.not_cached = self.repeated = 0

    @property
    def damaged(self) -> int:
        """Cached programs that were found damaged, and compiled again; since the start."""
        return self._cache.damaged

    async def build(
        self,
        language: Language,
        source: bytes,
        files: Mapping[str, bytes],
        *,
        client: str,
        priority: int,
        flags: Sequence[str] = (),
        cpu_time_s: float | None = None,
    ) -> Artifact:
        """The artifact of a submission; the caller closes it.

        Parameters:
            flags: for the compiler, after the language's own.
            cpu_time_s: what the compiler may take, if it is less than the daemon's own limit.

        Raises:
            InternalError: compiling failed for reasons of ours.
        """
        if language.entry.runner == "warm_python":
            files = {}  # imported at run time, not compiled in
        if len(source) + sum(map(len, files.values())) > _LARGE_SOURCE_BYTES:
            address = await anyio.to_thread.run_sync(
                build.artifact_address, language, source, files, flags
            )
        else:
            address = build.artifact_address(language, source, files, flags)
        if self._cache.unchecked(address):
            sound = await anyio.to_thread.run_sync(self._cache.verify, address)
            self._cache.verified(address, sound)
        limits = build.within(self._limits, cpu_time_s)
        known = self._look_up(address, limits)
        if known is not None:
            self.cache_hits += 1
            return await _whole(known, language)
        # Who gives the compiler less time must not fail those who give it more.
        key = address if limits is self._limits else _timed(address, limits)
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight()
            request = _Request(address, language, source, files, flags, client, priority, limits)
            self._tasks.start_soon(self._fly, flight, request, key)
        flight.waiters += 1
        try:
            made = await asyncio.shield(flight.future)
            return await _whole(made.copy(), language)
        finally:
            flight.waiters -= 1
            if flight.waiters == 0:
                self._land(key, flight)

    def is_asked_for_often(self, language: Language, source: bytes) -> bool:
        """Whether a source that can be run as it is comes again and again: once for each test."""
        if len(source) > _LARGE_SOURCE_BYTES:
            return False
        address = build.artifact_address(language, source, {})
        times = self._asked.pop(address, 0) + 1
        self._asked[address] = times
        if len(self._asked) > _REMEMBERED_SOURCES:
            self._asked.popitem(last=False)
        return times >= _OFTEN

    async def harness(self, language: Language, source: bytes) -> bytes:
        """Marshalled code of a harness of ours, compiled by the judge's own Python.

        Raises:
            InternalError: it does not compile.
        """
        key = language.identity, source
        code = self._harnesses.get(key)
        if code is None:
            artifact = await self.build(language, source, {}, client="scaleboxd", priority=0)
            if not artifact.result.ok:
                raise InternalError(f"a harness does not compile: {artifact.result.message}")
            code = self._harnesses[key] = artifact.code
        return code

    def _land(self, key: str, flight: _Flight) -> None:
        """Nobody waits any more: stop the compilation, or let go of what it made."""
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.future.done():
            flight.scope.cancel()
        elif not flight.future.cancelled() and flight.future.exception() is None:
            flight.future.result().close()

    # --- what is known ---------------------------------------------------------------------------

    def _look_up(self, address: str, limits: RunLimits) -> Artifact | None:
        for key in (address, _timed(address, limits)):
            error = self._errors.get(key)
            if error is not None:
                self._errors.move_to_end(key)
                return Artifact(msgspec.structs.replace(error, cached=True, cpu_time_s=0.0))
        found = CompileResult(ok=True, cached=True)
        code = self._codes.get(address)
        if code is not None:
            self._codes.move_to_end(address)
            return Artifact(found, code=code)
        fd = self._cache.open(address)
        if fd is not None:
            return Artifact(found, fd=os.dup(fd), address=address)
        return None

    def _remember_error(self, address: str, result: CompileResult) -> None:
        self._errors[address] = result
        while len(self._errors) > _KEPT_ERRORS:
            self._errors.popitem(last=False)

    def _remember_code(self, address: str, code: bytes) -> None:
        former = self._codes.pop(address, None)
        if former is not None:
            self._codes_bytes -= len(former) + _CODE_ENTRY_BYTES
        self._codes[address] = code
        self._codes_bytes += len(code) + _CODE_ENTRY_BYTES
        while self._codes_bytes > _CODE_CACHE_BYTES and len(self._codes) > 1:
            _, oldest = self._codes.popitem(last=False)
            self._codes_bytes -= len(oldest) + _CODE_ENTRY_BYTES

    # --- programs of other daemons ---------------------------------------------------------------

    def has(self, address: str) -> bool:
        """Whether a native program is here, and need not be fetched."""
        return self._cache.has(address)

    async def program(self, address: str) -> bytes | None:
        """A native program that is here, for another daemon."""
        if self._cache.unchecked(address):
            sound = await anyio.to_thread.run_sync(self._cache.verify, address)
            self._cache.verified(address, sound)
        fd = self._cache.open(address)
        if fd is None:
            return None
        own = os.dup(fd)
        try:
            return await anyio.to_thread.run_sync(read_output, own)
        finally:
            os.close(own)

    async def take_program(self, address: str, program: bytes) -> None:
        """Keep a native program that another daemon compiled from what the address stands for.

        Raises:
            OSError: there is no room.
        """
        fd = await anyio.to_thread.run_sync(sealed_memfd, program)
        try:
            stored = await anyio.to_thread.run_sync(self._cache.store, address, fd)
            self._cache.adopt(address, stored)
        finally:
            os.close(fd)

    # --- compiling -------------------------------------------------------------------------------

    async def _fly(self, flight: _Flight, request: _Request, key: str) -> None:
        """Compile, and tell everyone who waits."""
        try:
            with flight.scope:
                artifact = await self._compile(request)
                if flight.waiters:
                    flight.future.set_result(artifact)
                else:
                    artifact.close()
        except Exception as error:
            if not isinstance(error, InternalError):
                log.exception("compiling failed", language=request.language.entry.name)
                error = InternalError(f"compiling failed for reasons of ours: {error}")
            flight.future.set_exception(error)
            flight.future.exception()  # looked at, even if nobody waits any more
        finally:
            if self._flights.get(key) is flight:
                del self._flights[key]
            if not flight.future.done():
                flight.future.cancel()

    async def _compile(self, request: _Request) -> Artifact:
        self.compilations += 1
        language = request.language
        outcome = await self._run(request)
        try:
            result = self._judge(outcome, request.limits)
            if not result.ok:
                # How long it took beside other load is not the source's doing.
                if not outcome.flags & wire.WALL_EXCEEDED and not _was_failed(outcome):
                    timed = _timed(request.address, request.limits)
                    self._remember_error(timed if result.timed_out else request.address, result)
                return Artifact(result)
            if language.entry.runner == "warm_python":
                code = read_output(outcome.stdout)
                self._remember_code(request.address, code)
                return Artifact(result, code=code)
            fd = await self._keep(request.address, outcome.files[build.PROGRAM])
            return Artifact(result, fd=fd, address=request.address)
        finally:
            outcome.close()

    async def _run(self, request: _Request) -> RunOutcome:
        spec = build.compile_plan(
            request.language, request.source, request.files, request.limits,
            self._headers.folder(request.language), request.flags,
        )  # fmt: skip
        attempts = 0
        while True:
            outcome = await self._attempt(request, spec)
            attempts += 1
            if not _was_failed(outcome):
                return outcome
            self.repeated += 1
            # After some attempts it is believed, for a source can make its compiler write anything;
            # unless nothing at all can be compiled here.
            if attempts > _FAILED_AGAIN and await self._compiles_something(request):
                return outcome
            outcome.close()
            if attempts > _FAILED_AGAIN:
                raise InternalError(
                    "the compiler does not work at the moment, whatever it is given"
                )

    async def _attempt(self, request: _Request, spec: RunSpec) -> RunOutcome:
        return await execute(
            self._scheduler,
            lambda: spec,
            client=request.client,
            priority=request.priority + COMPILE_PRIORITY,
            memory_bytes=spec.limits.memory_bytes,
            retries=self._retries,
        )

    async def _compiles_something(self, request: _Request) -> bool:
        """Whether a compiler that seems to be failed by the host compiles a trivial program."""
        test = request.language.entry.test
        trivial = test.accepted.encode() if test is not None else _TRIVIAL
        spec = build.compile_plan(request.language, trivial, {}, self._limits, None)
        outcome = await self._attempt(request, spec)
        try:
            return self._judge(outcome, self._limits).ok
        finally:
            outcome.close()

    async def _keep(self, address: str, program: int) -> int:
        """Put a program into the cache; a descriptor of it, which the caller closes."""
        try:
            stored = await anyio.to_thread.run_sync(self._cache.store, address, program)
            return os.dup(self._cache.adopt(address, stored))
        except OSError as error:
            # A full disk must not make programs wrong: they run, and are compiled again.
            self.not_cached += 1
            log.warning("a program is not cached", reason=str(error))
            return await anyio.to_thread.run_sync(to_memory, os.dup(program))

    def _judge(self, outcome: RunOutcome, limits: RunLimits) -> CompileResult:
        text = read_output(outcome.stderr, self._excerpt_bytes).decode("utf-8", "replace")
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
        return CompileResult(
            ok=not problem,
            cpu_time_s=outcome.cpu_s,
            message=problem or text,
            timed_out=bool(flags & (wire.CPU_EXCEEDED | wire.WALL_EXCEEDED)),
        )


async def _whole(artifact: Artifact, language: Language) -> Artifact:
    """With its files, where what was compiled is an archive of these."""
    if language.entry.leaves != "folder" or artifact.fd < 0:
        return artifact

    def read() -> dict[str, tuple[bytes, int]]:
        return build.unpack(read_output(artifact.fd))

    try:
        artifact.files = await anyio.to_thread.run_sync(read)
    except ValueError as error:
        words = f"the compiler left no archive of files: {error}"
        artifact.result = CompileResult(ok=False, message=words)
        artifact.close()
    except BaseException:
        artifact.close()
        raise
    return artifact


def _timed(address: str, limits: RunLimits) -> str:
    """Under which it is known what could not be compiled in so much time."""
    return f"{address} {limits.cpu_ns}"


def _was_failed(outcome: RunOutcome) -> bool:
    """Whether it seems that a compiler was failed by the host, and did not go over a limit of its
    own: a want of memory ends programs, too."""
    if not outcome.status or outcome.flags & _LIMIT_FLAGS:
        return False
    if outcome.signal == signal.SIGKILL:
        return True
    text = read_output(outcome.stderr, 1 << 16)
    return any(words in text for words in _FAILED_THEM)
