"""The words of the suite: task, sample, grade, and what a benchmark is.

A grade has two halves: what must be the same whenever the same sample is judged (verdict, passed,
parts), and what may differ (times, the words of a traceback).  Only the first goes into results.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import msgspec
from msgspec import Struct

from scalebox.client.aio import AsyncClient
from scalebox.extraction import extract_code
from scalebox.model import (
    AssertCase,
    CallCase,
    CaseResult,
    Data,
    Enforcement,
    Integrity,
    IsolationLevel,
    Limits,
    Report,
    StdioCase,
    Submission,
    Tests,
    Verdict,
)
from scalebox.suite.config import BenchmarkConfig, JudgeConfig

#: `solution`: a whole program, nothing to be found or joined.  `completion`: what follows a prompt.
#: `answer`: a chat message, with a program somewhere in it.
SampleKind = Literal["answer", "completion", "solution"]

MAX_EVIDENCE_CHARS = 4000


class Task(Struct, frozen=True, kw_only=True):
    """One problem of a benchmark, as a model is asked it.

    Attributes:
        id: unique in the benchmark.
        prompt: what a base model continues.
        instruction: what a chat model is asked, in words; empty: the prompt.
        language: of the programs, as submissions name it.
        groups: what numbers are split by: `difficulty`, `date` (as 2024-05), `platform`, …
        date: of the problem, as 2024-05-31; empty: not known.
        stop: texts at which a continuation ends.
        canonical: a whole program that the data calls right; None: it has none.
        row: of the data, for the benchmark that made the task.
    """

    id: str
    prompt: str
    instruction: str = ""
    language: str = "python"
    groups: dict[str, str] = {}
    date: str = ""
    stop: tuple[str, ...] = ()
    canonical: str | None = None
    row: Any = None


class Sample(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer of a model; a line of `samples.jsonl`.

    Attributes:
        task: the task's id.
        index: from 0, of the answers to that task.
        text: what the model wrote, thinking in the text included.
        kind: what that is.
        reasoning: what the endpoint gave apart from the text.
        finish: why it ended, in the endpoint's words (`stop`, `length`); empty: not known.
        prompt_tokens, completion_tokens: as the endpoint counts them; None: it does not.
        seconds: from request to the last byte; 0: not known.
    """

    task: str
    index: int
    text: str
    kind: SampleKind = "answer"
    reasoning: str = ""
    finish: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float = 0.0


class FailingCase(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The first case of a sample that is not accepted, for people; texts are cut.

    Attributes:
        name: the case's.
        verdict: about it.
        message: why; the judge's words where it has some.
        input, expected, got: None: there is no such thing, or it is not known.
        error_output: the program's.
    """

    name: str
    verdict: Verdict
    message: str = ""
    input: str | None = None
    expected: str | None = None
    got: str | None = None
    error_output: str | None = None


class Grade(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of judging one sample.

    Attributes:
        verdict: about the whole.
        passed, total: cases; of a run that stops at the first failure those before it.
        parts: of benchmarks with sets of cases that are counted apart, which of them are passed
            (`base` and `plus` of EvalPlus).
        integrity: whether a hostile program could have forged this.
        isolation, enforcement, toolchain: as in the daemon's report.
        failing: the first case that is not accepted.
        message: for people.
        cpu_time_s, wall_time_s: of all cases together.
    """

    verdict: Verdict
    passed: int
    total: int
    parts: dict[str, bool] = {}
    integrity: Integrity = Integrity.STRONG
    isolation: IsolationLevel | None = None
    enforcement: Enforcement | None = None
    toolchain: str = ""
    failing: FailingCase | None = None
    message: str = ""
    cpu_time_s: float = 0.0
    wall_time_s: float = 0.0


#: Keys of `[benchmark]`, and `comparison` of `[judge]`, that only some benchmarks have a use for.
OPTIONS = ("version", "variant", "mode", "language", "judges", "fields", "comparison")


class Benchmark(abc.ABC):
    """A benchmark whose tasks are read, and how its samples are judged.

    A class a benchmark, in a file of its own; `benchmarks.BENCHMARKS` names them.

    Attributes:
        name: as configurations call it.
        title: for people.
        source: where its data comes from, for people who do not have it: how to get it.
        options: those of `OPTIONS` that mean something to it; the others are refused.
        config, judge: the tables of the configuration.
        tasks: in the data's order, chosen by the configuration.
        passed_over: ids of the tasks that were not chosen.
        data_sha256: of the files that were read, by their names.
        left_out: rows that are no task, by their places, with the reasons; for people.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    source: ClassVar[str]
    options: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, config: BenchmarkConfig, judge: JudgeConfig) -> None:
        self.config = config
        self.judge = judge
        self.tasks: list[Task] = []
        self.passed_over: frozenset[str] = frozenset()
        self.data_sha256: dict[str, str] = {}
        self.left_out: dict[str, str] = {}

    @abc.abstractmethod
    def load(self) -> None:
        """Read the data: fill `tasks` and `data_sha256`.  Called in a thread.

        Raises:
            SuiteError: data is missing (with the command that gets it), a row is not as documented,
                has no tests, or an id is there twice.
        """

    def program(self, task: Task, sample: Sample) -> str | None:
        """The program in a sample; None: there is none, which is a `compile_error` of the model's.

        Whole solutions are taken as they are.  Of the rest this is the code that
        `scalebox.extraction` finds; benchmarks whose prompt begins the program override it.
        """
        if sample.kind == "solution":
            return sample.text
        return extract_code(sample.text, language=task.language)

    async def judged(
        self, client: AsyncClient, task: Task, program: str, tests: Tests, limits: Limits
    ) -> Grade:
        """The grade of a program by tests that the daemon knows how to judge.

        Parameters:
            tests: of any kind.
            limits: of a case, where the configuration leaves them open.
        """
        submission = Submission(
            language=task.language,
            source=program,
            tests=tests,
            limits=limits_of(self.judge.limits, limits),
            stop=self.judge.stop,
            return_output="failed",
        )
        return grade_of(await client.judge(submission), tests.cases)

    async def prepare(self, client: AsyncClient) -> None:  # noqa: B027  (most need nothing)
        """Once, before the first sample is judged: expected outputs by reference solutions, say."""

    @abc.abstractmethod
    async def grade(self, client: AsyncClient, task: Task, program: str) -> Grade:
        """Judge one program.  Called many times at once, so nothing slow on the event loop.

        Raises:
            ScaleboxError: it could not be judged, which says nothing about the program.
        """


def grade_of(report: Report, tests: Sequence[Any] = ()) -> Grade:
    """A daemon's report as a grade.

    Parameters:
        report: ask for it with `return_output="failed"`, for the evidence.
        tests: the cases that were sent, in their order; what of the first failing one can be shown
            (input, answer, expected value, test program) is.
    """
    return Grade(
        verdict=report.verdict,
        passed=report.passed,
        total=report.total,
        integrity=report.integrity,
        isolation=report.isolation,
        enforcement=report.enforcement,
        toolchain=report.toolchain,
        failing=_failing(report.cases, tests),
        message=cut(report.message or (report.compile.message if report.compile else "")) or "",
        cpu_time_s=report.cpu_time_s,
        wall_time_s=report.wall_time_s,
    )


def _failing(cases: Sequence[CaseResult], tests: Sequence[Any]) -> FailingCase | None:
    place, case = next(
        ((at, one) for at, one in enumerate(cases) if one.verdict is not Verdict.ACCEPTED),
        (0, None),
    )
    if case is None:
        return None
    given, expected = _shown(tests[place]) if place < len(tests) else (None, None)
    return FailingCase(
        name=case.name or str(place),
        verdict=case.verdict,
        message=cut(case.message) or "",
        input=cut(given),
        expected=cut(expected),
        got=cut(case.output),
        error_output=cut(case.error_output),
    )


def _shown(test: Any) -> tuple[str | None, str | None]:
    """A case's input and what is expected, as texts."""
    match test:
        case str():
            return test, None
        case AssertCase():
            return _text(test.program), None
        case CallCase():
            given = [json_text(one) for one in test.args]
            given += [f"{name}={json_text(one)}" for name, one in test.kwargs.items()]
            return "\n".join(given), json_text(test.expected)
        case StdioCase():
            return _text(test.input), _text(test.answer)
    return None, None


def _text(data: Data) -> str | None:
    if isinstance(data, str):
        return data
    return None if data.data is None else data.data.decode("utf-8", "replace")


def json_text(value: Any) -> str:
    """A value of a test as JSON, for people."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def cut(text: str | None, chars: int = MAX_EVIDENCE_CHARS) -> str | None:
    """A text of at most so many characters, with a word where something is left out."""
    if text is None or len(text) <= chars:
        return text
    return f"{text[:chars]}\n… ({len(text) - chars:,} more characters)"


def limits_of(given: Limits, default: Limits) -> Limits:
    """The configuration's limits, and the benchmark's own where that leaves them open."""
    values = {name: getattr(given, name) for name in Limits.__struct_fields__}
    own = {name: getattr(default, name) for name in Limits.__struct_fields__}
    return Limits(**{name: own[name] if value is None else value for name, value in values.items()})
