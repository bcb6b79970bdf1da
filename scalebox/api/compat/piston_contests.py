"""What the two packages that open-r1 adds to Piston share: a submission, a test, points.

There, a shell script runs a submission and its checker in one place, one after the other, and
prints points on standard output, and why on standard error (huggingface/open-r1:src/open_r1/utils/
ioi/morph_client.py has the script of `cms_ioi`; that of `codeforces` is packages/codeforces/1.0.0/
run of guipenedo/piston).  Here the submission runs alone; its checker runs in a slot of its own, by
the contract `open-r1`, and the answer never enters the submission's sandbox.  What is printed is
what those scripts print, and what their clients read (cf_scoring.py, ioi_scoring.py beside that).

An answer that is there and empty is compared like any other: there it is taken for none, and the
submission's own output for its points.
"""

from __future__ import annotations

import abc
from typing import NamedTuple

import msgspec
from aiohttp import web
from msgspec import Struct

from scalebox.api.compat import serving
from scalebox.api.compat.serving import Deadline
from scalebox.errors import BadRequestError, InternalError
from scalebox.model import (
    Blob,
    CaseResult,
    CompileResult,
    Data,
    FunctionJudge,
    InteractiveCase,
    InteractiveTests,
    Judge,
    Limits,
    ProgramJudge,
    Report,
    RunRequest,
    RunResult,
    RunStatus,
    StdioCase,
    StdioTests,
    Submission,
    Tests,
    Verdict,
)

INPUT, ANSWER = "input.txt", "correct_output.txt"
MEBI = 1 << 20
VERSION = "1.0.0"

#: As `diff -b` compares, after which the script decides: white space is as much as one blank, and
#: none at the end of a line; the answer's last line ends once.  An answer of nothing but white
#: space is met by any such output.
DIFF = FunctionJudge(
    source="""
def judge(input, output, answer):
    if not answer.strip():
        right = not output.strip()
    else:
        right = lines(output) == lines(answer.rstrip("\\n"))
    if right:
        return True, "Output is correct (diff)"
    return False, "Output isn't correct (diff)"


def lines(text):
    return [squeezed(line) for line in (text[:-1] if text.endswith("\\n") else text).split("\\n")]


def squeezed(line):
    words = line.split()
    return (" " if line[:1].isspace() and words else "") + " ".join(words)
"""
)


class File(NamedTuple):
    """A file of a request.

    Attributes:
        name: its path.
        data: its content.
        is_text: whether it came as text.
    """

    name: str
    data: bytes
    is_text: bool = True


class Stage(Struct, kw_only=True):
    """What a compilation or a run came to; times in milliseconds, memory in bytes."""

    stdout: str = ""
    stderr: str = ""
    output: str = ""
    code: int | None = 0
    signal: str | None = None
    memory: int | None = None
    message: str | None = None
    status: str | None = None
    cpu_time: float | None = None
    wall_time: float | None = None


class Task(NamedTuple):
    """One submission and its one test.

    Attributes:
        language, source, files: the submission.
        input: what it reads.
        answer: None: nothing is decided, its output is what is asked for.
        judge: decides; or
        manager: talks with the submission, and decides.
        time_limit: seconds, as text, for words about it.
        memory_limit: the same, with its unit.
        limits: of the run.
    """

    language: str
    source: str
    files: dict[str, Data]
    input: str
    answer: str | None
    judge: Judge
    time_limit: str
    memory_limit: str
    limits: Limits
    manager: ProgramJudge | None = None


class Contest(abc.ABC):
    """A package.

    Attributes:
        language: as it was asked for.
        version: the package's.
    """

    version = VERSION

    def __init__(self, language: str) -> None:
        self.language = language

    async def test(
        self,
        request: web.Request,
        deadline: Deadline,
        files: list[File],
        run_s: float,
        memory_bytes: float,
    ) -> tuple[Stage, Stage]:
        """Run a submission, and let it be judged.

        Parameters:
            request, deadline: as of `serving`.
            files: the request's.
            run_s: the most that the whole may take.
            memory_bytes: of the request; 0: it says nothing.

        Returns:
            Compilation and run; the run's output is the points.

        Raises:
            BadRequestError: files are missing, or the task is of a kind that is not served.
            InternalError: it could not be decided, for reasons of ours.
            ScaleboxError: as of `serving`.
        """
        given = {file.name.removeprefix("./"): file for file in files}
        if INPUT not in given:
            raise BadRequestError(f"{self.language} needs a file {INPUT}")
        task = self.task(request, files, given, run_s, memory_bytes)
        if task.answer is None and task.manager is None:
            return await _output(request, deadline, task)
        return await _points(request, deadline, task)

    @abc.abstractmethod
    def task(
        self,
        request: web.Request,
        files: list[File],
        given: dict[str, File],
        run_s: float,
        memory_bytes: float,
    ) -> Task:
        """What is to be done with the files; raises as `test`."""


async def _output(request: web.Request, deadline: Deadline, task: Task) -> tuple[Stage, Stage]:
    """Without an answer: what the submission wrote."""
    result = await serving.run(
        request,
        deadline,
        RunRequest(
            language=task.language,
            source=task.source,
            files=task.files,
            stdin=task.input,
            limits=task.limits,
        ),
    )
    if result.status is RunStatus.INTERNAL_ERROR:
        raise InternalError(result.message)
    compiled = _compiled(result.compile)
    if result.status is RunStatus.COMPILE_ERROR:
        return compiled, compiled
    if result.status is RunStatus.FINISHED:
        stdout = result.stdout.decode("utf-8", "replace")
        stderr = result.stderr.decode("utf-8", "replace")
        return compiled, Stage(stdout=stdout, stderr=stderr, output=stdout + stderr)
    return compiled, _failed(task, _how(task, Verdict(result.status.value), result))


async def _points(request: web.Request, deadline: Deadline, task: Task) -> tuple[Stage, Stage]:
    report = await serving.judge(
        request,
        deadline,
        Submission(
            language=task.language,
            source=task.source,
            files=task.files,
            tests=_tests(task),
            limits=task.limits,
        ),
    )
    compiled = _compiled(report.compile)
    if report.verdict is Verdict.COMPILE_ERROR:
        return compiled, compiled
    return compiled, _judged(task, report)


def _tests(task: Task) -> Tests:
    answer = task.answer or ""
    if task.manager is not None:
        case = InteractiveCase(input=task.input, answer=answer)
        return InteractiveTests(cases=[case], judge=task.manager)
    return StdioTests(cases=[StdioCase(input=task.input, answer=answer)], judge=task.judge)


def _judged(task: Task, report: Report) -> Stage:
    case = report.cases[0]
    stage = Stage(
        cpu_time=case.cpu_time_s * 1000, wall_time=case.wall_time_s * 1000, memory=case.memory_bytes
    )
    if case.verdict is Verdict.JUDGE_ERROR:
        # There, too, a checker that fails is neither points nor none, but a code.
        words = f"the checker failed: {case.message}\n"
        return msgspec.structs.replace(stage, stderr=words, output=words, code=1, status="RE")
    if not case.verdict.is_about_the_program:
        raise InternalError(case.message or str(case.verdict))
    if case.verdict in (Verdict.ACCEPTED, Verdict.WRONG_ANSWER):
        points = "1" if case.verdict is Verdict.ACCEPTED else f"{case.score or 0:g}"
        words = case.message
    else:
        points, words = "0", _how(task, case.verdict, case)
    return msgspec.structs.replace(
        stage, stdout=f"{points}\n", stderr=f"{words}\n", output=f"{points}\n{words}\n"
    )


def _how(task: Task, verdict: Verdict, ended: CaseResult | RunResult) -> str:
    """The script's words for a program that did not end well."""
    if verdict is Verdict.TIME_LIMIT_EXCEEDED:
        return f"Time limit exceeded ({task.time_limit}s)"
    if verdict is Verdict.MEMORY_LIMIT_EXCEEDED:
        return f"Memory limit exceeded ({task.memory_limit})"
    # As a shell tells it.
    code = 128 + ended.signal if ended.signal is not None else ended.exit_code
    return f"Runtime error with exit code {code}"


def _failed(task: Task, words: str) -> Stage:
    return Stage(stdout="0\n", stderr=f"{words}\n", output=f"0\n{words}\n")


def _compiled(result: CompileResult | None) -> Stage:
    """Clients read its code whether the language compiles or not."""
    if result is None:
        return Stage()
    return Stage(
        stderr=result.message,
        output=result.message,
        code=0 if result.ok else 1,
        status=None if result.ok else "RE",
        cpu_time=result.cpu_time_s * 1000,
    )


def checker(language: str, source: bytes, files: dict[str, bytes] | None = None) -> ProgramJudge:
    """A checker, as it is called by the scripts."""
    return ProgramJudge(
        contract="open-r1",
        language=language,
        source=Blob(data=source),
        files={name: Blob(data=data) for name, data in (files or {}).items()},
    )


def bounds(
    request: web.Request, limit_s: float | None, run_s: float, memory_bytes: float
) -> Limits:
    """Of a run: the task's, within what the request allows."""
    return serving.limits(
        request,
        cpu_time_s=run_s if limit_s is None else limit_s,
        wall_time_s=max(run_s, limit_s or 0.0),
        memory_bytes=int(memory_bytes),
    )


def defining(name: str, file: str, source: str) -> str:
    """What `-DNAME` does; lines are counted as in the file."""
    return f'#define {name} 1\n#line 1 "{file}"\n{source}'


def text_of(file: File | None) -> str:
    """The text of a file; of none it is empty."""
    return "" if file is None else file.data.decode("utf-8", "replace")
