"""One model on one benchmark: sample, judge, count; from wherever the run was left.

Sampling and judging overlap: an answer is judged as soon as it is written down.  Both are resumed
by their journals, so nothing is asked or judged twice.  What could not be sampled or judged is
missing, and a run with anything missing is not complete and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from scalebox.client.aio import AsyncClient
from scalebox.suite import benchmarks, folder, manifest
from scalebox.suite.config import CANONICAL, RunConfig, dump
from scalebox.suite.errors import EndpointError, SuiteError
from scalebox.suite.folder import GRADES, SAMPLES, GradeLine
from scalebox.suite.journal import Journal, locked, write_whole
from scalebox.suite.judging import Judging, check_languages, connected, is_decided
from scalebox.suite.outcome import write_outcome
from scalebox.suite.results import Missing
from scalebox.suite.sampling.endpoint import Endpoint
from scalebox.suite.sampling.files import canonical_samples, read_samples
from scalebox.suite.summary import Summary
from scalebox.suite.tasks import Benchmark, Sample

Place = tuple[str, int]


@dataclasses.dataclass(slots=True)
class Progress:
    """How far a run is; updated while it lasts.

    Attributes:
        expected: samples in all.
        sampled, judged: of them, those of former runs included.
        accepted: of those judged.
        undecided: could not be judged in this run.
        former: sampled and judged before this run began, for rates.
    """

    expected: int = 0
    sampled: int = 0
    judged: int = 0
    accepted: int = 0
    undecided: int = 0
    former: tuple[int, int] = (0, 0)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Attributes:
        folder: of the run.
        summary: its numbers; None: it was only sampled.
        missing: what is not sampled or not judged, and why.
        repaired: files whose torn last line was cut off.
    """

    folder: Path
    summary: Summary | None
    missing: list[Missing]
    repaired: list[str]


async def run(
    config: RunConfig,
    *,
    sample: bool = True,
    judge: bool = True,
    again: bool = False,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Evaluate one model on one benchmark, or go on with it.

    Parameters:
        config: of the run.
        sample: draw the answers that are missing.
        judge: judge those that are not judged yet, and write results.
        again: judge all anew.
        watch: called with the progress, a few times a second at most.

    Raises:
        SuiteError: the configuration, the data, the samples or the folder are not as they must be.
        EndpointError: the model's endpoint fails; what was sampled is kept, and judged.
        ConnectionFailedError, RemoteError, HostError: the daemon's.
    """
    benchmark = await asyncio.to_thread(benchmarks.load, config.benchmark, config.judge)
    with locked(config.directory):
        work = _Work(config, benchmark, watch)
        await work.open()
        async with contextlib.AsyncExitStack() as stack:
            client = None
            if judge:
                client = await stack.enter_async_context(connected(config.judge))
                await work.ready_to_judge(client, again=again)
            try:
                await work.do(client, sample=sample)
            finally:
                work.close()
        return await asyncio.to_thread(work.outcome, judged=judge)


class _Work:
    """The state of one run while it lasts."""

    def __init__(
        self, config: RunConfig, benchmark: Benchmark, watch: Callable[[Progress], None]
    ) -> None:
        self.config = config
        self.benchmark = benchmark
        self.folder = config.directory
        self.progress = Progress(expected=len(benchmark.tasks) * config.sampling.n)
        self._watch = watch
        self._tasks = {task.id: task for task in benchmark.tasks}
        self._samples: dict[Place, Sample] = {}
        self._grades: dict[Place, GradeLine] = {}
        self._missing: dict[Place, Missing] = {}
        self._repaired: list[str] = []
        self._sample_journal: Journal[Sample] | None = None
        self._grade_journal: Journal[GradeLine] | None = None
        self._judging: Judging | None = None
        self._manifest: dict[str, Any] = {}
        self._offered: list[Sample] = []

    async def open(self) -> None:
        """Read what there is of the run."""
        source: dict[str, Any] = {}
        if self.config.model.samples:
            self._offered, source = await asyncio.to_thread(self._read_offered)
        begun = manifest.begun(self.config, self.benchmark, source)
        self._manifest = {**folder.judged_before(self.folder), **begun}
        folder.check_sampled(self.folder, manifest.sampled_by(self._manifest))
        self._sample_journal = self._journal(SAMPLES, Sample)
        for sample in self._sample_journal.records:
            self._keep(self._samples, sample, SAMPLES)
        self._compare_offered()
        self.progress.sampled = len(self._samples)
        self._write_manifest()

    def _compare_offered(self) -> None:
        """What a file offers must be what was taken from it before."""
        for one in self._offered:
            former = self._samples.get((one.task, one.index))
            if former is not None and former != one:
                raise SuiteError(
                    f"sample {one.index} of {one.task} is another in "
                    f"{self.config.model.samples} than in {self.folder / SAMPLES}; name another "
                    "[output] directory or [model] name for other answers"
                )

    def _read_offered(self) -> tuple[list[Sample], dict[str, Any]]:
        """Samples that somebody else has drawn, and the hash of their file."""
        given, n = self.config.model.samples, self.config.sampling.n
        if given == CANONICAL:
            return canonical_samples(self.benchmark.tasks), {"samples": CANONICAL}
        ids = [task.id for task in self.benchmark.tasks]
        found = read_samples(Path(given), ids, n, left_out=self.benchmark.passed_over)
        return found.samples, {"samples": Path(given).name, "samples_sha256": found.sha256}

    async def ready_to_judge(self, client: AsyncClient, *, again: bool) -> None:
        """Know what the daemon is, and what was judged before."""
        languages = await check_languages(client, {task.language for task in self._tasks.values()})
        await manifest.add_daemon(self._manifest, client, languages, self.benchmark)
        folder.check_judged(self.folder, manifest.judged_by(self._manifest), again=again)
        self._grade_journal = self._journal(GRADES, GradeLine)
        for line in self._grade_journal.records:
            self._keep(self._grades, line, GRADES)
            self.progress.accepted += line.grade.verdict == "accepted"
        self.progress.judged = len(self._grades)
        self.progress.former = self.progress.sampled, self.progress.judged
        self._write_manifest()
        self._judging = Judging(self.benchmark, client, self.config.model.thinking)

    async def do(self, client: AsyncClient | None, *, sample: bool) -> None:
        """Sample what is missing and judge what is not judged."""
        self._watch(self.progress)
        waiting = [one for place, one in self._samples.items() if place not in self._grades]
        failure: EndpointError | None = None
        if client is not None and (waiting or sample):
            await self.benchmark.prepare(client)
        async with _Crew(self._judge, self.config.judge.in_flight) as crew:
            if client is not None:
                for one in waiting:
                    crew.take(one)
            if sample:
                try:
                    async with contextlib.aclosing(self._drawn()) as drawn:
                        async for one in drawn:
                            self._write_sample(one)
                            if client is not None:
                                crew.take(one)
                except EndpointError as error:
                    failure = error  # what is there is judged first
        if failure is not None:
            self.close()
            raise EndpointError(
                f"{failure.message} ({self.progress.sampled:,} of {self.progress.expected:,} "
                f"answers are kept in {self.folder}; the same command goes on from there)"
            ) from failure

    async def _drawn(self) -> AsyncGenerator[Sample, None]:
        """The answers that are missing, as they come."""
        if self.config.model.samples:
            for one in self._offered:
                if (one.task, one.index) not in self._samples:
                    yield one
            return
        wanted = [
            (task, index)
            for index in range(self.config.sampling.n)
            for task in self.benchmark.tasks
            if (task.id, index) not in self._samples
        ]
        if not wanted:
            return
        async with (
            Endpoint(self.config.model, self.config.sampling) as endpoint,
            contextlib.aclosing(endpoint.sample_all(wanted)) as samples,
        ):
            async for one in samples:
                yield one

    def _write_sample(self, sample: Sample) -> None:
        assert self._sample_journal is not None
        self._sample_journal.append(sample)
        self._samples[sample.task, sample.index] = sample
        self.progress.sampled += 1
        self._watch(self.progress)

    async def _judge(self, sample: Sample) -> None:
        assert self._judging is not None
        assert self._grade_journal is not None
        line = await self._judging.line(self._tasks[sample.task], sample)
        place = sample.task, sample.index
        if is_decided(line.grade):
            self._grade_journal.append(line)
            self._grades[place] = line
            self.progress.judged += 1
            self.progress.accepted += line.grade.verdict == "accepted"
        else:
            words = f"{line.grade.verdict}: {line.grade.message}"
            self._missing[place] = Missing(task=sample.task, index=sample.index, why=words)
            self.progress.undecided += 1
        self._watch(self.progress)

    def close(self) -> None:
        """Close the journals.  May be repeated."""
        for journal in (self._sample_journal, self._grade_journal):
            if journal is not None:
                journal.__exit__(None, None, None)
        self._sample_journal = self._grade_journal = None

    def outcome(self, *, judged: bool) -> Outcome:
        """Write what the run came to."""
        expected = self._expected()
        missing = [
            self._missing.get(place) or Missing(task=place[0], index=place[1], why=why)
            for place, why in self._lacking(expected, judged=judged)
        ]
        summary = None
        if judged:
            levels = {str(line.grade.isolation) for line in self._grades.values()} - {"None"}
            self._manifest["isolation_levels"] = sorted(levels)
            self._write_manifest()
            summary = write_outcome(
                self.folder,
                self.config,
                self.benchmark,
                [(self._samples[place], self._grades[place])
                 for place in expected if place in self._grades],
                missing,
            )  # fmt: skip
        return Outcome(self.folder, summary, missing, self._repaired)

    def _expected(self) -> list[Place]:
        """All places, in the order of results."""
        n = self.config.sampling.n
        return [(task.id, index) for task in self.benchmark.tasks for index in range(n)]

    def _lacking(self, expected: Sequence[Place], *, judged: bool) -> Iterable[tuple[Place, str]]:
        for place in expected:
            if place not in self._samples:
                yield place, "there is no sample"
            elif judged and place not in self._grades:
                yield place, "it is not judged"

    def _journal(self, name: str, kind: Any) -> Any:
        journal: Journal[Any] = Journal(self.folder / name, kind)
        if journal.repaired:
            self._repaired.append(name)
        return journal

    def _keep(self, kept: dict[Place, Any], record: Any, name: str) -> None:
        place = record.task, record.index
        if record.task not in self._tasks or not 0 <= record.index < self.config.sampling.n:
            raise SuiteError(
                f"{self.folder / name} has a record of {record.task} ({record.index}), which this "
                "configuration does not ask for; name another [output] directory"
            )
        if place in kept:
            raise SuiteError(f"{self.folder / name} has two records of {place[0]} ({place[1]})")
        kept[place] = record

    def _write_manifest(self) -> None:
        write_whole(self.folder / folder.CONFIG, [dump(self.config).encode()])
        folder.write_manifest(self.folder, self._manifest)


class _Crew:
    """Works on what it is given, so much at once; the rest waits in memory, as it is on disk."""

    def __init__(self, work: Callable[[Sample], Any], at_once: int) -> None:
        self._work = work
        self._at_once = at_once
        self._queue: asyncio.Queue[Sample | None] = asyncio.Queue()
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> _Crew:
        await self._group.__aenter__()
        for _ in range(self._at_once):
            self._group.create_task(self._worker())
        return self

    async def __aexit__(self, *error: Any) -> None:
        for _ in range(self._at_once):
            self._queue.put_nowait(None)
        try:
            await self._group.__aexit__(*error)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    def take(self, sample: Sample) -> None:
        """Work on a sample when there is room."""
        self._queue.put_nowait(sample)

    async def _worker(self) -> None:
        while (sample := await self._queue.get()) is not None:
            await self._work(sample)
