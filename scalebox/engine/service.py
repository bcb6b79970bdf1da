"""The engine as the API sees it: submissions in, reports out, and the life of what they need.

`running` is the whole life in order: stores, tool chains, slots, then requests until the block
ends, then everything down again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import msgspec

import scalebox
from scalebox.config import Config
from scalebox.engine import host
from scalebox.engine import limits as bounds
from scalebox.engine.admission import Gate, check_arguments, check_files
from scalebox.engine.aside import Aside
from scalebox.engine.asserts import AssertJudgement
from scalebox.engine.blobs import BlobStore
from scalebox.engine.builder import Builder
from scalebox.engine.calls import CallJudgement
from scalebox.engine.headers import Headers, remove_stale
from scalebox.engine.inputs import Inputs
from scalebox.engine.interaction import InteractiveJudgement
from scalebox.engine.joint_asserts import JointAssertJudgement
from scalebox.engine.judgement import Judgement
from scalebox.engine.judges import Judges
from scalebox.engine.loan import Borrowed
from scalebox.engine.naming import InService, NoJudges, in_service, with_judges
from scalebox.engine.plain import PlainRun
from scalebox.engine.problems import ProblemRegistry
from scalebox.engine.room import Room
from scalebox.engine.scheduler import Scheduler
from scalebox.engine.stdio import GivenOutputsJudgement, StdioJudgement
from scalebox.errors import BadRequestError, InternalError, TooLargeError
from scalebox.judging import testlib
from scalebox.languages import build, selftest
from scalebox.languages.artifacts import ArtifactCache
from scalebox.languages.toolchains import Language, Toolchains, Versions
from scalebox.model import (
    AssertTests,
    CallTests,
    ClusterView,
    Data,
    InteractiveTests,
    JudgeDirectory,
    LanguageInfo,
    LanguageTest,
    NamedJudge,
    OutputTests,
    Problem,
    Report,
    RunRequest,
    RunResult,
    Status,
    StdioTests,
    StorableJudge,
    Submission,
    Tests,
)
from scalebox.sandbox.pool import Pool

_CARE_INTERVAL_S = 1.0

_KINDS: dict[type, type[Judgement[Any]]] = {
    StdioTests: StdioJudgement,
    CallTests: CallJudgement,
    AssertTests: AssertJudgement,
    InteractiveTests: InteractiveJudgement,
    OutputTests: GivenOutputsJudgement,
}


class Engine:
    """Judges submissions.  Made by `running`.

    Attributes:
        blobs: uploaded test data.
        problems: registered problems.
        directory: judges by name.
        draining: whether the daemon only finishes what it has.
        lending: what waits here and can be lent to other daemons.
        builder: knows compiled programs by what they were made of.
    """

    def __init__(
        self,
        config: Config,
        room: Room,
        problems: ProblemRegistry,
        tools: Toolchains,
        pool: Pool,
        judges: JudgeDirectory,
    ) -> None:
        self.blobs = room.blobs
        self.problems = problems
        self._config = config
        self._room = room
        self._tools = tools
        self._pool = pool
        self.directory = judges
        self.lending = room.lending
        self.builder = room.builder
        self._gate = Gate(config, room.scheduler, room.blobs, room.inputs)
        self._started = time.monotonic()
        #: What the cluster says of the other daemons; None: there is none.
        self.cluster_view: Callable[[], ClusterView] | None = None
        #: Said in the status; refusing new requests is the API's part.
        self.draining = False

    # --- requests --------------------------------------------------------------------------------

    async def judge(
        self,
        submission: Submission,
        *,
        client: str,
        borrowed: Borrowed | None = None,
    ) -> Report:
        """Judge one submission; cancelling the call drops the work.

        Parameters:
            submission: well-formed; everything beyond its form is checked here.
            client: who asks, for fairness.
            borrowed: of whom its cases are; None: a client's.

        Raises:
            BadRequestError: something in it cannot be; the error names the field.
            TooLargeError: a size is over its bound.
            QueueFullError: too much is waiting.
            InternalError: nothing could be judged, for reasons of ours.
        """
        submission, problem = self._with_problem(submission)
        language = self._language(submission)
        limits = bounds.resolve(
            bounds.merge(submission.limits, problem.limits if problem else None),
            self._config.limits,
        )
        tests = submission.tests
        if tests is None:
            raise BadRequestError("a submission needs `tests` or `problem`", field="tests")
        count = len(tests.cases)
        if count == 0:
            raise BadRequestError(
                "there are no test cases: everything would be accepted", field="tests.cases"
            )
        if count > self._config.engine.max_cases:
            raise TooLargeError(
                f"{count} test cases; at most {self._config.engine.max_cases} "
                "(engine.max_cases)", field="tests.cases",
            )  # fmt: skip
        service: InService | None = None
        if isinstance(tests, StdioTests | OutputTests):
            service = in_service(tests, self.directory)
            tests = with_judges(tests, self.directory)
        kind = _kind(tests, language)
        check_files(submission.files, kind.files_taken(language))
        with _shortage_is_ours(), self._gate.admitted(
            submission.source, submission.files, kind.data_of(tests), limits.memory_bytes, count
        ) as admission:  # fmt: skip
            judgement = kind(self._room, submission, tests, language, limits, client, admission)
            judgement.borrowed = borrowed
            if isinstance(judgement, StdioJudgement | GivenOutputsJudgement):
                judgement.in_service = service
            return await judgement.report(await self._load(submission.files))

    async def run(self, request: RunRequest, *, client: str) -> RunResult:
        """Run one program without judging; raises as `judge` does."""
        language = self._tools.find(request.language)
        limits = bounds.resolve(request.limits, self._config.limits)
        check_files(request.files, [language.entry.main_file])
        check_arguments(request.args, request.fetch)
        with _shortage_is_ours(), self._gate.admitted(
            request.source, request.files, [request.stdin, *request.args], limits.memory_bytes, 1
        ):  # fmt: skip
            files = await self._load(request.files)
            return await PlainRun(self._room, request, language, limits, client).result(files)

    def _with_problem(self, submission: Submission) -> tuple[Submission, Problem | None]:
        if submission.problem is None:
            return submission, None
        if submission.tests is not None:
            raise BadRequestError(
                "a submission has either `tests` or `problem`, and not both", field="problem"
            )
        problem = self.problems.get(submission.problem)
        return msgspec.structs.replace(submission, tests=problem.tests), problem

    def _language(self, submission: Submission) -> Language:
        """Of the program; where there is none, of judges that are functions.

        Raises:
            BadRequestError: there must be a program and is none, or the other way round.
            UnknownLanguageError: it is not here.
        """
        if not isinstance(submission.tests, OutputTests):
            if not submission.language:
                raise BadRequestError(
                    "a submission needs a language; GET /v1/languages says which there are",
                    field="language",
                )
            return self._tools.find(submission.language)
        for field in ("language", "source", "files"):
            if getattr(submission, field):
                raise BadRequestError(
                    f"the outputs are given, so no program is run: leave `{field}` empty",
                    field=field,
                )
        return dataclasses.replace(self._tools.find("python"), version="")

    async def _load(self, files: dict[str, Data]) -> dict[str, bytes]:
        return {path: await self._room.inputs.content(data) for path, data in files.items()}

    # --- for operators ---------------------------------------------------------------------------

    def languages(self) -> list[LanguageInfo]:
        """Every configured language, available here or not."""
        return self._tools.infos()

    def language_tests(self) -> list[LanguageTest]:
        """Submissions that show whether the languages that are here work."""
        here = (one.entry for one in self._tools.all() if not one.missing)
        return [test for entry in here for test in selftest.tests_of(entry)]

    @property
    def queued_runs(self) -> int:
        """Runs that wait for a slot."""
        return self._room.scheduler.queued

    @property
    def free_slots(self) -> int:
        """Slots in which nothing runs."""
        return self._room.scheduler.idle

    def when_idle(self, call: Callable[[], None]) -> None:
        """Have something called where a slot is idle and nothing waits; it must be cheap."""
        self._room.scheduler.on_idle = call

    def count(self, name: str) -> None:
        """Add one to a counter that operators see."""
        self._room.counters[name] += 1

    def toolchains(self) -> set[str]:
        """What is the same wherever programs of a language are compiled and run alike."""
        return self._tools.identities()

    def fingerprints(self) -> dict[str, str]:
        """Languages that are here: name → what is the same wherever programs run alike."""
        return {one.entry.name: one.identity[:16] for one in self._tools.all() if not one.missing}

    def cluster(self) -> ClusterView:
        """This daemon and the others that it knows."""
        if self.cluster_view is not None:
            return self.cluster_view()
        return ClusterView(node=self._config.node or socket.gethostname(), clustered=False)

    def check_problem(self, problem: Problem) -> None:
        """Whether the judges that a problem names are here: else every submission to it would fail.

        Raises:
            UnknownJudgeError: one is not here.
            BadRequestError: one cannot have a parameter.
        """
        if isinstance(problem.tests, StdioTests | OutputTests):
            with_judges(problem.tests, self.directory)

    def check_judge(self, judge: StorableJudge) -> None:
        """Whether a judge that is to be kept can be run here; of a name the directory knows.

        Raises:
            BadRequestError: it cannot; the error names the field.
        """
        if not isinstance(judge, NamedJudge):
            self._room.judges.check(judge, "judge")

    def status(self) -> Status:
        """A snapshot; cheap."""
        room, scheduler = self._room, self._room.scheduler
        counters = {name: float(count) for name, count in room.counters.items()}
        counters["runs"] = float(scheduler.finished)
        counters["slot_failures"] = float(scheduler.slot_failures)
        counters["setup_failures"] = float(scheduler.setup_failures)
        counters["unmade_runs"] = float(scheduler.unmade)
        counters["runs_alone"] = float(scheduler.alone)
        counters["runs_alone_refused"] = float(scheduler.alone_refused)
        counters["runs_alone_put_off"] = float(scheduler.alone_put_off)
        counters["runs_alone_blocked_s"] = scheduler.alone_blocked_s
        counters["compilations"] = float(room.builder.compilations)
        counters["compilations_repeated"] = float(room.builder.repeated)
        counters["artifact_cache_hits"] = float(room.builder.cache_hits)
        counters["artifacts_damaged"] = float(room.builder.damaged)
        counters["artifacts_not_cached"] = float(room.builder.not_cached)
        counters["program_cpu_s"] = scheduler.program_cpu_s
        counters["zygote_cpu_s"] = self._pool.zygote_cpu_s
        counters["daemon_cpu_s"] = time.process_time()
        return Status(
            version=scalebox.__version__,
            node=self._config.node or socket.gethostname(),
            uptime_s=time.monotonic() - self._started,
            isolation=room.level,
            enforcement=room.enforcement,
            notes=list(self._pool.notes),
            slots=self._pool.status(),
            queued_cases=max(0, scheduler.admitted - scheduler.running),
            running_cases=scheduler.running,
            queue_limit_cases=scheduler.max_queued,
            draining=self.draining,
            counters=counters,
        )


def _kind(tests: Tests, language: Language) -> type[Judgement[Any]]:
    if isinstance(tests, AssertTests) and language.entry.runner != "warm_python":
        return JointAssertJudgement
    return _KINDS[type(tests)]


@contextlib.contextmanager
def _shortage_is_ours() -> Iterator[None]:
    """What the host has no more of (descriptors, memory, disk) says nothing about a program.

    Raises:
        InternalError: in place of what the system said.
    """
    try:
        yield
    except TimeoutError:
        raise  # an OSError, too, by its class alone
    except (OSError, MemoryError) as error:
        raise InternalError(
            f"failed for reasons of ours: {str(error) or 'no memory left'}"
        ) from error


def _say_which_loop() -> None:
    """As `anyio.run` does, for what the loop calls outside any task: slots that answer.

    anyio asks sniffio, where something else has brought it along, and that one knows of tasks only.
    """
    with contextlib.suppress(ImportError):
        import sniffio

        sniffio.current_async_library_cvar.set("asyncio")


@contextlib.asynccontextmanager
async def running(config: Config, judges: JudgeDirectory | None = None) -> AsyncIterator[Engine]:
    """An engine from start to end.

    Parameters:
        judges: those that a submission can name; None: there are none.

    Raises:
        HostError: the host does not give the isolation that is demanded, or a store's directory
            cannot be used.
        ConfigError: a language's entry is not valid, or testlib's header cannot be read.
    """
    _say_which_loop()
    testlib_headers = await anyio.to_thread.run_sync(testlib.headers, config.languages.testlib_path)
    store = config.store_directory()
    store.mkdir(mode=0o700, parents=True, exist_ok=True)
    headers = store / "headers"
    headers.mkdir(mode=0o755, exist_ok=True)
    versions = Versions(config.versions_file())
    shown = config.sandbox.read_only_paths
    tools = await anyio.to_thread.run_sync(Toolchains, config.languages, versions, shown)
    await anyio.to_thread.run_sync(remove_stale, headers, tools.identities())
    memory_bytes = host.program_memory_bytes(config)
    scheduler = Scheduler(config.engine.max_queued_cases, memory_bytes)
    compile_limits = build.compile_limits(config.limits, memory_bytes)
    interpreter = tools.interpreter
    sandbox = msgspec.structs.replace(
        config.sandbox,
        read_only_paths=(*config.sandbox.read_only_paths, config.languages.home, str(headers)),
    )
    pool = Pool(
        sandbox,
        interpreter,
        store / "slots",
        config.limits.max_processes,
        scheduler.slot_is_idle,
        scheduler.slot_is_gone,
    )
    blobs = BlobStore(store / "blobs", config.store.blobs_bytes)
    problems = ProblemRegistry(store / "problems", config.store.max_problems)
    try:
        await pool.start()
        async with contextlib.AsyncExitStack() as stack:
            inputs = stack.enter_context(contextlib.closing(Inputs(blobs, pool.level)))
            cache = stack.enter_context(contextlib.closing(_artifacts(config, store, pool)))
            tasks = await stack.enter_async_context(anyio.create_task_group())
            retries = config.engine.retries
            builder = Builder(
                scheduler,
                cache,
                Headers(headers, scheduler, compile_limits, retries, tasks),
                compile_limits,
                config.engine.excerpt_bytes,
                retries,
                tasks,
            )
            room = Room(
                config, scheduler, builder, blobs, inputs, tools,
                Judges(tools, builder, inputs, config.limits, testlib_headers),
                Aside(scheduler, tasks), tasks, len(pool.slots), pool.level, pool.enforcement,
            )  # fmt: skip
            tasks.start_soon(pool.look_after)
            tasks.start_soon(_look_after, scheduler)
            try:
                yield Engine(config, room, problems, tools, pool, judges or NoJudges())
            finally:
                tasks.cancel_scope.cancel()
    finally:
        pool.close()


def _artifacts(config: Config, store: Path, pool: Pool) -> ArtifactCache:
    return ArtifactCache(
        store / "artifacts",
        config.store.artifacts_bytes,
        in_memory=pool.level.value != "full",
    )


async def _look_after(scheduler: Scheduler) -> None:
    while True:
        await asyncio.sleep(_CARE_INTERVAL_S)
        scheduler.look_after()
