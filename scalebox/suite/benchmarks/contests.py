"""What benchmarks of contest problems share: tests by the megabyte, limits, checkers, languages.

A benchmark of this kind says what a row means (`task`) and what its tests are (`tests`); here they
are unpacked when a sample is judged, a few at a time, and sent with the judge that the
configuration asks for.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import math
import re
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError, TooLargeError
from scalebox.integrations.inprocess import sendable
from scalebox.integrations.livecodebench.fixed import judge_of
from scalebox.model import (
    Comparison,
    Data,
    Judge,
    JudgeState,
    Limits,
    NamedJudge,
    ProgramJudge,
    StdioCase,
    StdioTests,
    Submission,
    Tests,
)
from scalebox.suite import rows
from scalebox.suite.benchmarks import asking
from scalebox.suite.benchmarks.joining import text_field
from scalebox.suite.config import BenchmarkConfig, JudgeConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub, Row
from scalebox.suite.spool import size_of
from scalebox.suite.tasks import Benchmark, Grade, Sample, Task, grade_of, limits_of

#: Tests of so many tasks are kept, if what they are read from has no more bytes together.
_KEPT_TASKS, _KEPT_BYTES = 8, 16 << 20
#: Of tasks whose tests have more bytes than this, so many are judged at once.
_HEAVY_BYTES, _HEAVY_AT_ONCE = 4 << 20, 4
#: What a daemon takes, unless its configuration says otherwise.
_LEAST_S, _MOST_S = 0.01, 600.0
_LEAST_BYTES, _MOST_BYTES = 4 << 20, 16 << 30
#: Where the data states no limit.
DEFAULT_LIMITS = Limits(cpu_time_s=10.0)


class LeftOutError(Exception):
    """A row is as documented and still no task, for the reason that this says."""


class Material(Struct, frozen=True, kw_only=True):
    """What a contest's task is judged by: its `row`.

    Attributes:
        tests: of the data, in whatever form; its parts may be put aside.
        limits: that the data states.
        checker: that the data has.
        function: that the tests call; empty: they run the program.
        files: that the program reads and writes in the place of standard input and output.
    """

    tests: Any
    limits: Limits = Limits()
    checker: ProgramJudge | None = None
    function: str = ""
    files: tuple[str, str] | None = None


def with_checker(row: Mapping[str, Any], place: str) -> Material:
    """What AetherCode and CodeContests+ have alike: tests, limits, and a checker with testlib.

    Raises:
        SuiteError: a field is not as documented.
    """
    return Material(
        tests=row["test_cases"],
        limits=limits_in(
            place,
            time_s=row.get("time_limit"),
            of_time=0.001,
            memory_bytes=bytes_of(row.get("memory_limit")),
        ),
        checker=testlib(row.get("checker"), place),
    )


class Contest(Benchmark):
    """A benchmark of contest problems.

    Which judge decides is `judges` of the configuration: `data`: the row's checker, else a
    comparison; `store`: the active judge of the daemon's store for the problem `store_name(id)`,
    else as `data`; `comparison`: that alone.  Comparisons are the configuration's, else the
    benchmark's own.

    Attributes:
        hub: where the rows are.
        aside, skip: fields of rows that are put aside, and that are left out.
        default_limits: where neither configuration nor data state one.
        language: of the programs; Python, unless the configuration says another.
    """

    options = frozenset({"language", "judges", "comparison"})
    hub: ClassVar[Hub | None] = None
    aside: ClassVar[tuple[str, ...]] = ()
    skip: ClassVar[tuple[str, ...]] = ()
    default_limits: ClassVar[Limits] = DEFAULT_LIMITS

    def __init__(self, config: BenchmarkConfig, judge: JudgeConfig) -> None:
        super().__init__(config, judge)
        self.language = config.language or "python"
        self._opened = _Opened()
        self._room = asyncio.Semaphore(_HEAVY_AT_ONCE)
        self._stored: set[str] = set()

    def load(self) -> None:
        for place, row in self.rows():
            try:
                self.tasks.append(self.task(row, place))
            except LeftOutError as reason:
                self.left_out[place] = str(reason)
        if not self.tasks:
            first = ": ".join(next(iter(self.left_out.items())))
            raise SuiteError(
                f"benchmark {self.config.name}: none of its rows can be judged ({first})"
            )

    def rows(self) -> Iterable[tuple[str, Row]]:
        """The rows, one after another."""
        return rows.stream(
            self.config,
            self.hub,
            self.source,
            self.data_sha256,
            aside=self.aside,
            skip=self.skip,
        )

    @abc.abstractmethod
    def task(self, row: Row, place: str) -> Task:
        """The task of a row, with a `Material` for its `row`.

        Raises:
            SuiteError: the row is not as documented.
            LeftOutError: it is, and cannot be judged.
        """

    @abc.abstractmethod
    def tests(self, task: Task) -> Tests:
        """The tests of a task.  Called in a thread, when one of its samples is judged.

        Raises:
            BadRequestError, SuiteError: they are not as they should be.
        """

    def comparison_of(self, answer: str) -> Judge:
        """How outputs are compared with an answer, where the configuration does not say.

        This is what LiveCodeBench's tests mean (`integrations.livecodebench.fixed`): token by
        token, fractions within 1e-6.
        """
        return judge_of(answer)

    def ask(self, statement: str, *, starter: str = "", files: str = "") -> dict[str, Any]:
        """The fields of a task that say how a model is asked."""
        return {
            "prompt": asking.prompt(statement, self.language, starter=starter, files=files),
            "instruction": asking.instruction(
                statement, self.language, starter=starter, files=files
            ),
            "stop": asking.STOP,
            "language": self.language,
        }

    def program(self, task: Task, sample: Sample) -> str | None:
        if sample.kind == "completion":
            return asking.continued(sample.text)
        return super().program(task, sample)

    def stdio(self, task: Task, pairs: Iterable[tuple[str, str]]) -> StdioTests:
        """Tests of inputs and answers, with the judge that the configuration asks for."""
        judge = self.judge_of_task(task)
        if judge is not None:
            cases = [StdioCase(input=given, answer=answer) for given, answer in pairs]
            return StdioTests(cases=cases, judge=judge)
        return StdioTests(
            cases=[
                StdioCase(input=given, answer=answer, judge=self.comparison_of(answer))
                for given, answer in pairs
            ]
        )

    async def prepare(self, client: AsyncClient) -> None:
        if self.config.judges == "store":
            self._stored = {
                info.stored.problem
                for info in await client.judges()
                if info.stored and info.stored.problem and info.stored.state is JudgeState.ACTIVE
            }

    async def grade(self, client: AsyncClient, task: Task, program: str) -> Grade:
        async with self.open(task, self.tests) as tests:
            submission = self.submission(task, program, tests)
            report = await client.judge(submission)
        return grade_of(report, tests.cases)

    def submission(self, task: Task, program: str, tests: Tests) -> Submission:
        """A program as it is sent."""
        material: Material = task.row
        source, files = sendable(program), dict[str, Data]()
        if material.files is not None:
            source, files = _between_files(source, *material.files)
        own = limits_of(material.limits, self.default_limits)
        return Submission(
            language=task.language,
            source=source,
            files=files,
            tests=tests,
            limits=limits_of(self.judge.limits, own),
            stop=self.judge.stop,
            return_output="failed",
        )

    @contextlib.asynccontextmanager
    async def open(self, task: Task, read: Callable[[Task], Any]) -> AsyncIterator[Any]:
        """What is read of a task's tests, while it is used; of large ones a few at a time.

        Raises:
            SuiteError: they cannot be read.
        """
        size = sum(map(size_of, _parts(task.row.tests)))
        heavy = size > _HEAVY_BYTES
        if heavy:
            await self._room.acquire()
        try:
            try:
                tests = await asyncio.to_thread(self._opened.of, task, size, read)
            except (BadRequestError, TooLargeError) as error:
                raise SuiteError(f"task {task.id}: {error.message}") from error
            yield tests
        finally:
            if heavy:
                self._room.release()

    def judge_of_task(self, task: Task) -> Judge | None:
        """What decides about a task's outputs; None: the benchmark's own comparisons."""
        if self.config.judges == "store" and store_name(task.id) in self._stored:
            return NamedJudge(name=f"problem:{store_name(task.id)}")
        checker: ProgramJudge | None = task.row.checker
        if checker is not None and self.config.judges != "comparison":
            return checker
        return self.judge.comparison


class _Opened:
    """The tests that were unpacked last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, Any]] = OrderedDict()

    def of(self, task: Task, size: int, read: Callable[[Task], Any]) -> Any:
        """The tests of a task; in a thread.

        Parameters:
            size: of what they are read from, in bytes.
        """
        with self._lock:  # what two samples of a task need is read once
            found = self._kept.get(task.id)
            if found is None:
                found = size, read(task)
                self._kept[task.id] = found
            self._kept.move_to_end(task.id)
            while len(self._kept) > _KEPT_TASKS or (
                len(self._kept) > 1 and sum(one for one, _ in self._kept.values()) > _KEPT_BYTES
            ):
                self._kept.popitem(last=False)
            return found[1]


def _parts(tests: Any) -> Iterable[Any]:
    return tests.values() if isinstance(tests, dict) else (tests,)


def store_name(task_id: str) -> str:
    """A task's id as that of a problem in the store of judges, which takes no blanks."""
    return re.sub(r"[^A-Za-z0-9._:@/+-]+", "_", task_id).lstrip("._:@/+-")[:200]


def pairs_of(tests: Any, place: str) -> list[tuple[str, str]]:
    """Inputs and answers of `[{"input", "output"}, …]`, or of `{"input": […], "output": […]}`.

    Raises:
        SuiteError: it is neither.
    """
    if tests is None:
        return []
    try:
        if isinstance(tests, Mapping):
            found = list(zip(tests["input"], tests["output"], strict=True))
        else:
            found = [(one["input"], one["output"]) for one in tests]
    except (KeyError, TypeError, ValueError) as error:
        raise SuiteError(f"{place}: these are no inputs and outputs: {error!r:.200}") from None
    if not all(isinstance(text, str) for pair in found for text in pair):
        raise SuiteError(f"{place}: an input or output is no text")
    return found


def limits_in(
    place: str, *, time_s: Any = None, memory_bytes: Any = None, of_time: float = 1
) -> Limits:
    """Limits that a row states, within what daemons take.

    Parameters:
        place: of the row.
        time_s: in seconds, or in such parts of one as `of_time` says; None or 0: not stated.
        memory_bytes: None or 0: not stated.
        of_time: 0.001: the time is in milliseconds.

    Raises:
        SuiteError: one is no number, or not above 0.
    """
    time = _number(time_s, "time limit", place)
    memory = _number(memory_bytes, "memory limit", place)
    return Limits(
        cpu_time_s=min(max(time * of_time, _LEAST_S), _MOST_S) if time else None,
        memory_bytes=int(min(max(memory, _LEAST_BYTES), _MOST_BYTES)) if memory else None,
    )


def identity(row: Row, name: str, place: str) -> str:
    """An id, which may be a number.

    Raises:
        SuiteError: it is missing, or something else.
    """
    value = row.get(name)
    return str(value) if type(value) is int else text_field(row, name, place)


def bytes_of(memory: Any) -> Any:
    """A memory limit of data that does not say in what it counts: a number that would be less than
    a megabyte is of MiB."""
    plain = isinstance(memory, int | float) and not isinstance(memory, bool)
    return memory * (1 << 20) if plain and memory < 1 << 20 else memory


def _number(given: Any, what: str, place: str) -> float:
    if given is None or given == "":
        return 0.0
    if isinstance(given, bool) or not isinstance(given, int | float) or not given >= 0:
        raise SuiteError(f"{place}: the {what} {given!r:.50} is no number above 0")
    try:
        value = float(given)
    except OverflowError:
        value = math.inf
    return value


def testlib(source: Any, place: str) -> ProgramJudge | None:
    """A checker in C++ that is written with testlib; None: there is none."""
    if source is None or source == "":
        return None
    if not isinstance(source, str):
        raise SuiteError(f"{place}: the checker is {type(source).__name__}, not a text")
    return ProgramJudge(contract="testlib", language="cpp", source=source)


def comparison_within(tolerance: float) -> Comparison:
    """Token by token, whatever the case of letters; numbers within an absolute tolerance."""
    return Comparison(float_absolute_tolerance=tolerance)


def _between_files(program: str, input_name: str, output_name: str) -> tuple[str, dict[str, Any]]:
    """A Python program that reads and writes files, as one that does not."""
    names = msgspec.json.encode([input_name, output_name]).decode()
    return _BETWEEN_FILES.format(names=names), {_SUBMITTED: program}


#: The program's file there; the daemon's own name for a source is taken.
_SUBMITTED = "submitted.py"
#: What the program writes to standard output itself is no answer there.
_BETWEEN_FILES = """\
import os
import runpy
import sys

given, written = {names}
with open(given, "wb") as file:
    file.write(sys.stdin.buffer.read())
own = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
try:
    runpy.run_path("submitted.py", run_name="__main__")
finally:
    sys.stdout.flush()
    if os.path.exists(written):
        with open(written, "rb") as file, open(own, "wb") as out:
            out.write(file.read())
"""
