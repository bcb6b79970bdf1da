"""Judge the samples of a run anew, and compare every verdict with what was written.

Nothing of the run is changed but for `verified.json`.  The daemon may be another one, at another
level of isolation or under load: what the program did must not depend on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from scalebox.suite import benchmarks, folder, manifest, results
from scalebox.suite.config import JudgeConfig, RunConfig, read
from scalebox.suite.errors import SuiteError
from scalebox.suite.folder import GradeLine
from scalebox.suite.judging import Judging, check_languages, connected, is_decided
from scalebox.suite.results import Result
from scalebox.suite.tasks import Benchmark, Sample


class Flip(Struct, frozen=True, kw_only=True):
    """A sample that was judged otherwise.

    Attributes:
        task, index: of the sample.
        field: what differs first: `verdict`, `passed`, `total` or `parts`.
        was, now: its values, as texts.
        message: of the new grade.
    """

    task: str
    index: int
    field: str
    was: str
    now: str
    message: str = ""


class Verification(Struct, frozen=True, kw_only=True):
    """What came of judging anew; `verified.json`.

    Attributes:
        samples: judged anew.
        flips: those that were judged otherwise.
        undecided: those that could not be judged this time.
        changed: what was otherwise than when the run was judged (tool chains, versions, …).
        isolation, enforcement: of the daemon that judged now.
    """

    samples: int
    flips: list[Flip]
    undecided: list[Flip]
    changed: list[str]
    isolation: str
    enforcement: str

    @property
    def ok(self) -> bool:
        """Whether every verdict is the same."""
        return not self.flips and not self.undecided


async def verify(
    path: Path,
    *,
    daemon: str | None = None,
    isolation: str = "auto",
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Verification:
    """Judge a run's samples anew.

    Parameters:
        path: the run's folder.
        daemon: as `[judge] daemon`; None: as the run had it.
        isolation: of a private daemon.
        watch: called with how many samples are done, and how many there are.

    Raises:
        SuiteError: the folder is no run's, or its data is not what it was.
        ConnectionFailedError, RemoteError, HostError: the daemon's.
    """
    former = folder.read_manifest(path)
    config = _config(path, daemon, isolation)
    written = {(one.task, one.index): one for one in results.read(path / folder.RESULTS)}
    if not written:
        raise SuiteError(f"{path} has no results to verify; `scalebox eval judge` makes them")
    benchmark = await asyncio.to_thread(benchmarks.load, config.benchmark, config.judge)
    if benchmark.data_sha256 != former["benchmark"]["data_sha256"]:
        raise SuiteError(
            f"{path} was made of other data: {former['benchmark']['data_sha256']} then, "
            f"{benchmark.data_sha256} now"
        )
    # Not as a journal, which would cut off what somebody else may just be writing.
    lines_there = results.read_lines(path / folder.SAMPLES, Sample, torn=True)
    samples = [one for one in lines_there if (one.task, one.index) in written]
    async with connected(config.judge) as client:
        languages = await check_languages(client, {task.language for task in benchmark.tasks})
        now = manifest.begun(config, benchmark, {})
        await manifest.add_daemon(now, client, languages, benchmark)
        await benchmark.prepare(client)
        lines = await _judged(
            benchmark, Judging(benchmark, client, config.model.thinking), samples, watch
        )
        status = await client.status()
    found = Verification(
        samples=len(lines),
        flips=[flip for line in lines if is_decided(line.grade) and (flip := _flip(line, written))],
        undecided=[
            _flip_of(line, "verdict", written[line.task, line.index].verdict, line.grade.verdict)
            for line in lines
            if not is_decided(line.grade)
        ],
        changed=folder.changed_judging(former, manifest.judged_by(now)),
        isolation=status.isolation.value,
        enforcement=status.enforcement.value,
    )
    results.write_json(path / folder.VERIFIED, found)
    return found


def _config(path: Path, daemon: str | None, isolation: str) -> RunConfig:
    (config,) = read(path / folder.CONFIG)
    judge: dict[str, Any] = {
        name: getattr(config.judge, name) for name in JudgeConfig.__struct_fields__
    }
    if daemon is not None:
        judge |= {"daemon": daemon, "isolation": isolation}
    return msgspec.structs.replace(config, judge=JudgeConfig(**judge))


async def _judged(
    benchmark: Benchmark,
    judging: Judging,
    samples: list[Sample],
    watch: Callable[[int, int], None],
) -> list[GradeLine]:
    tasks = {task.id: task for task in benchmark.tasks}
    lines: list[GradeLine] = []
    waiting = iter(samples)

    async def worker() -> None:
        for sample in waiting:
            lines.append(await judging.line(tasks[sample.task], sample))
            watch(len(lines), len(samples))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(benchmark.judge.in_flight):
                group.create_task(worker())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return sorted(lines, key=lambda line: (line.task, line.index))


def _flip(line: GradeLine, written: dict[tuple[str, int], Result]) -> Flip | None:
    was = written[line.task, line.index]
    for name in ("verdict", "passed", "total", "parts"):
        one, other = getattr(was, name), getattr(line.grade, name)
        if one != other:
            return _flip_of(line, name, one, other)
    return None


def _flip_of(line: GradeLine, name: str, was: Any, now: Any) -> Flip:
    return Flip(
        task=line.task,
        index=line.index,
        field=name,
        was=str(was),
        now=str(now),
        message=line.grade.message or (line.grade.failing.message if line.grade.failing else ""),
    )
