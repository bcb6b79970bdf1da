"""A small engine, and a server over it on real sockets, for the tests of the API."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from scalebox.api.serve import Listeners, serve
from scalebox.config import CompatConfig, Config, EngineConfig, ServerConfig
from scalebox.engine.blobs import BlobStore
from scalebox.engine.inputs import blob_hashes
from scalebox.engine.naming import NoJudges
from scalebox.engine.problems import ProblemRegistry
from scalebox.errors import QueueFullError, UnknownJudgeError, UnknownLanguageError
from scalebox.judges.catalogue import Catalogue
from scalebox.judges.directory import shipped
from scalebox.judges.service import Threshold
from scalebox.judges.store import Bounds, JudgeStore
from scalebox.model import (
    CaseResult,
    Enforcement,
    IsolationLevel,
    JudgeDirectory,
    LanguageInfo,
    NamedJudge,
    Problem,
    ProgramJudge,
    Report,
    RunRequest,
    RunResult,
    RunStatus,
    SlotStatus,
    Status,
    StdioTests,
    StorableJudge,
    Submission,
    Verdict,
)

JSON = "application/json"
MSGPACK = "application/msgpack"
NDJSON = "application/x-ndjson"
FRAMES = "application/x-msgpack-stream"


@dataclass
class FakeEngine:
    """Does what the source says: `wait`, `boom`, `full`, `internal`, `big`; else accepts at once.

    Attributes:
        gate: what `wait` waits for.
        started, cancelled, clients: what happened.
    """

    blobs: BlobStore
    problems: ProblemRegistry
    directory: JudgeDirectory = field(default_factory=NoJudges)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    started: list[str] = field(default_factory=list)
    cancelled: int = 0
    running: int = 0
    most_running: int = 0
    clients: list[str] = field(default_factory=list)
    draining: bool = False
    refusals: int = 0
    version: str = "test"

    async def judge(self, submission: Submission, *, client: str) -> Report:
        self.started.append(submission.source)
        self.clients.append(client)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            return await self._judge(submission)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    async def _judge(self, submission: Submission) -> Report:
        source = submission.source
        verdict = Verdict.ACCEPTED
        message = ""
        if submission.language != "python":
            raise UnknownLanguageError(
                f"no language {submission.language!r} here", field="language"
            )
        if source.startswith("wait"):
            await self.gate.wait()
        elif source.startswith("boom"):
            raise RuntimeError("secret detail of the machine room")
        elif source.startswith("full"):
            if source == "full" or self.refusals > 0:
                self.refusals -= 1
                raise QueueFullError("the queue is full", retry_after_s=0.2)
        elif source.startswith("internal"):
            verdict = Verdict.INTERNAL_ERROR
        elif source.startswith("big"):
            message = "x" * 100_000
        await asyncio.sleep(0)
        tests = submission.tests
        if submission.problem is not None:
            tests = self.problems.get(submission.problem).tests
        if isinstance(tests, StdioTests):
            # As the engine does, which does not say where.
            items = [data for case in tests.cases for data in (case.input, case.answer)]
            self.blobs.unpin(self.blobs.pin(blob_hashes([*submission.files.values(), *items])))
        passed = int(verdict is Verdict.ACCEPTED)
        return Report(
            verdict=verdict,
            passed=passed,
            total=1,
            cases=[CaseResult(verdict=verdict, name="0")],
            isolation=IsolationLevel.MINIMAL,
            enforcement=Enforcement.RLIMIT,
            message=message,
            id=submission.id,
        )

    async def run(self, request: RunRequest, *, client: str) -> RunResult:
        self.started.append(request.source)
        self.clients.append(client)
        if request.source.startswith("boom"):
            raise RuntimeError("secret detail of the machine room")
        failed = request.source.startswith("internal")
        return RunResult(
            status=RunStatus.INTERNAL_ERROR if failed else RunStatus.FINISHED,
            isolation=IsolationLevel.MINIMAL,
            enforcement=Enforcement.RLIMIT,
            stdout=b"\x00\xff",
            id=request.id,
        )

    def status(self) -> Status:
        return Status(
            version=self.version,
            node="here",
            uptime_s=1.0,
            isolation=IsolationLevel.MINIMAL,
            enforcement=Enforcement.RLIMIT,
            notes=[],
            slots=[SlotStatus(index=0, state="idle", pid=1, runs=3, restarts=1)],
            queued_cases=0,
            running_cases=0,
            queue_limit_cases=10,
            draining=self.draining,
            counters={"cases_accepted": 7.0, "Odd name!": 1.0},
        )

    def languages(self) -> list[LanguageInfo]:
        return [LanguageInfo(name="python", aliases=["py"], available=True, toolchain="3")]

    def check_problem(self, problem: Problem) -> None:
        if isinstance(problem.tests, StdioTests) and isinstance(problem.tests.judge, NamedJudge):
            raise UnknownJudgeError("no such judge here", field="tests.judge.name")

    def check_judge(self, judge: StorableJudge) -> None:
        if isinstance(judge, ProgramJudge) and judge.language != "python":
            raise UnknownLanguageError(
                f"no language {judge.language!r} here", field="judge.language"
            )


@dataclass
class Server:
    """A running server and sessions to it.

    Attributes:
        unix, tcp: sessions; a path such as `/v1/status` is enough for both.
    """

    engine: FakeEngine
    listeners: Listeners
    unix: aiohttp.ClientSession
    tcp: aiohttp.ClientSession

    def session(self) -> aiohttp.ClientSession:
        """A further session over the Unix socket, with connections of its own."""
        return unix_session(self.listeners.socket)


def catalogue(file: Path) -> Catalogue:
    """Those that ship, and a small store."""
    bounds = Bounds(stored=500, file_bytes=64 << 20, judge_bytes=20_000, proof_bytes=2_000)
    return Catalogue(shipped(), JudgeStore(file, bounds), Threshold(failures=5, rate=0.5))


def unix_session(path: Path) -> aiohttp.ClientSession:
    return aiohttp.ClientSession("http://scalebox", connector=aiohttp.UnixConnector(str(path)))


@asynccontextmanager
async def serving(
    engine_config: dict[str, Any] | None = None,
    blob_bytes: int = 1 << 20,
    compat: dict[str, str] | None = None,
    **server: Any,
) -> AsyncIterator[Server]:
    """A server on a Unix socket and on a free loopback port."""
    with tempfile.TemporaryDirectory(prefix="sbx-") as folder:
        base = Path(folder)
        options: dict[str, Any] = {
            "socket": str(base / "d" / "s.sock"),
            "tcp": "127.0.0.1:0",
            "max_request_bytes": 8 << 20,
            "drain_timeout_s": 5.0,
            **server,
        }
        config = Config(
            server=ServerConfig(**options),
            engine=EngineConfig(**(engine_config or {})),
            compat=CompatConfig(**(compat or {})),
        )
        judges = catalogue(base / "judges.sqlite")
        engine = FakeEngine(
            BlobStore(base / "blobs", blob_bytes), ProblemRegistry(base / "problems", 100), judges
        )
        async with serve(config, engine) as listeners:
            tcp_base = f"http://127.0.0.1:{listeners.tcp[0][1]}"
            async with (
                unix_session(listeners.socket) as unix,
                aiohttp.ClientSession(tcp_base) as tcp,
            ):
                yield Server(engine, listeners, unix, tcp)
        await judges.aclose()


def encode(content_type: str, value: Any) -> bytes:
    """A structure in the coding of that type."""
    module = msgspec.json if content_type == JSON else msgspec.msgpack
    return bytes(module.encode(value))


def decode(content_type: str, data: bytes, kind: Any = Any) -> Any:
    """The reverse of `encode`."""
    module = msgspec.json if content_type == JSON else msgspec.msgpack
    return module.decode(data, type=kind)


def submission(source: str = "ok", **fields: Any) -> dict[str, Any]:
    """A minimal valid submission, as plain data."""
    tests = {"type": "stdio", "cases": [{"input": "1", "answer": "1"}]}
    return {"language": "python", "source": source, "tests": tests, **fields}


async def until(condition: Any) -> None:
    """Wait until the condition holds; a hang ends as a TimeoutError."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)
