"""The two packages that open-r1 adds to Piston: `codeforces` and `cms_ioi`.

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
import math
from typing import Any, NamedTuple

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
    Verdict,
)

_INPUT, _ANSWER = "input.txt", "correct_output.txt"
_CONFIG = "grader_config"
_GRADERS, _GRADER_CONFIG = "graders/", "graders/grader_config.json"
_CHECKER_PY, _CHECKER_CPP = "checker.py", "checker/checker.cpp"
_MEBI = 1 << 20
_VERSION = "1.0.0"

#: `codeforces`: its names (packages/codeforces/1.0.0/metadata.json) → the daemon's language; those
#: that are also plain languages of Piston's are of this package with `cf_` before them alone.
_CODEFORCES = {
    "cf_c++": "cpp",
    "c++0x": "cpp11",
    "cf_c++0x": "cpp11",
    "c++11": "cpp11",
    "cf_c++11": "cpp11",
    "c++14": "cpp14",
    "cf_c++14": "cpp14",
    "c++17": "cpp17",
    "cf_c++17": "cpp17",
    "cf_c++17-32": "cpp17",
    "cf_c++17-64": "cpp17",
    "c++20": "cpp20",
    "cf_c++20": "cpp20",
    "cf_c++20-11": "cpp20",
    "cf_c++20-13": "cpp20",
    "cf_python3": "python",
    "cf_kotlin": "kotlin",
}

#: As `diff -b` compares, after which the script decides: white space is as much as one blank, and
#: none at the end of a line; the answer's last line ends once.  An answer of nothing but white
#: space is met by any such output.
_DIFF = FunctionJudge(
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
        judge: decides.
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


class Contest(abc.ABC):
    """A package.

    Attributes:
        language: as it was asked for.
        version: the package's.
    """

    version = _VERSION

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
        if _INPUT not in given:
            raise BadRequestError(f"{self.language} needs a file {_INPUT}")
        task = self._task(request, files, given, run_s, memory_bytes)
        if task.answer is None:
            return await _output(request, deadline, task)
        return await _points(request, deadline, task)

    @abc.abstractmethod
    def _task(
        self,
        request: web.Request,
        files: list[File],
        given: dict[str, File],
        run_s: float,
        memory_bytes: float,
    ) -> Task:
        """What is to be done with the files; raises as `test`."""


class Codeforces(Contest):
    """One source file, `input.txt`, `correct_output.txt`, perhaps `checker.py`, `grader_config`."""

    def _task(
        self,
        request: web.Request,
        files: list[File],
        given: dict[str, File],
        run_s: float,
        memory_bytes: float,
    ) -> Task:
        config = _assignments(_text(given.get(_CONFIG)))
        mode = config.get("INPUT_MODE", "stdio")
        if mode not in ("stdio", "", "None"):
            raise BadRequestError(
                f"{self.language}: INPUT_MODE={mode[:50]} is not served, only stdio: the program's "
                "input comes on its standard input, and its output goes to its standard output"
            )
        source = _text(next(file for file in files if file.is_text))
        language = _CODEFORCES[self.language]
        if language.startswith("cpp"):
            source = _defining("ONLINE_JUDGE", "main.cpp", source)
        time_limit, memory_limit = config.get("TIME_LIMIT", ""), config.get("MEMORY_LIMIT", "")
        memory = (_number(memory_limit, "MEMORY_LIMIT") or 0) * _MEBI or memory_bytes
        checker = given.get(_CHECKER_PY)
        return Task(
            language=language,
            source=source,
            files={},
            input=_text(given[_INPUT]).replace("\r\n", "\n"),
            answer=_text(given[_ANSWER]) if _ANSWER in given else None,
            judge=_DIFF if checker is None else _checker("python", checker.data),
            time_limit=time_limit or f"{run_s:g}",
            memory_limit=f"{memory_limit}MB",
            limits=_limits(request, _number(time_limit, "TIME_LIMIT"), run_s, memory),
        )


class Ioi(Contest):
    """`graders/NAME.cpp`, what it is linked with, `grader_config.json` there, a checker in C++."""

    def _task(
        self,
        request: web.Request,
        files: list[File],
        given: dict[str, File],
        run_s: float,
        memory_bytes: float,
    ) -> Task:
        config = _json(given.get(_GRADER_CONFIG))
        kind = config.get("task_type")
        if kind != "Batch":
            raise BadRequestError(
                f"cms_ioi tasks of type {str(kind)[:50]!r} are not served, only Batch: a manager "
                "that talks with the submission through named pipes would have to share its place"
            )
        graders = {
            name.removeprefix(_GRADERS): file
            for name, file in given.items()
            if name.startswith(_GRADERS)
        }
        # As the compile script finds it: the first header but testlib's names the task.
        headers = sorted(name for name in graders if name.endswith(".h") and name != "testlib.h")
        name = headers[0].removesuffix(".h") if headers else str(config.get("code", ""))
        main = graders.get(f"{name}.cpp")
        if main is None:
            raise BadRequestError(f"cms_ioi needs the submission as {_GRADERS}{name[:100]}.cpp")
        linked: dict[str, Data] = {
            other: _defining("EVAL", other, _text(graders[other]))
            for other in ("grader.cpp", "stub.cpp")
            if other in graders and graders[other] is not main
        }
        linked.update({header: _text(graders[header]) for header in headers})
        memory_limit = config.get("memory_limit")
        memory = memory_limit if isinstance(memory_limit, int | float) else memory_bytes
        time_limit = config.get("time_limit")
        limit_s = time_limit if isinstance(time_limit, int | float) else None
        return Task(
            language="cpp17",
            source=_defining("EVAL", f"{name}.cpp", _text(main)),
            files=linked,
            input=_text(given[_INPUT]),
            answer=_text(given[_ANSWER]) if _ANSWER in given else None,
            judge=self._judge(given),
            time_limit=f"{run_s if limit_s is None else limit_s:g}",
            memory_limit=f"{int(memory) // _MEBI}MB",
            limits=_limits(request, limit_s, run_s, memory),
        )

    def _judge(self, given: dict[str, File]) -> Judge:
        checker = given.get(_CHECKER_CPP)
        if checker is None:
            return _DIFF
        beside = {
            name.removeprefix("checker/"): file.data
            for name, file in given.items()
            if name.startswith("checker/") and name != _CHECKER_CPP and name.endswith(".h")
        }
        return _checker("cpp17", checker.data, beside)


def find(language: str, version: str) -> Contest | None:
    """The package that is asked for, if it is one of these."""
    if version.strip() not in ("*", _VERSION):
        return None
    if language == "cms_ioi":
        return Ioi(language)
    return Codeforces(language) if language in _CODEFORCES else None


def runtimes() -> list[dict[str, Any]]:
    """What `/runtimes` says of these packages."""
    by_language: dict[str, list[str]] = {}
    for name, language in _CODEFORCES.items():
        by_language.setdefault(language, []).append(name)
    known = [("cms_ioi", ["cms_ioi"]), *(("codeforces", one) for one in by_language.values())]
    return [
        {"language": names[0], "version": _VERSION, "aliases": names[1:], "runtime": runtime}
        for runtime, names in known
    ]


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
            tests=StdioTests(
                cases=[StdioCase(input=task.input, answer=task.answer or "")], judge=task.judge
            ),
            limits=task.limits,
        ),
    )
    compiled = _compiled(report.compile)
    if report.verdict is Verdict.COMPILE_ERROR:
        return compiled, compiled
    return compiled, _judged(task, report)


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


def _checker(language: str, source: bytes, files: dict[str, bytes] | None = None) -> ProgramJudge:
    return ProgramJudge(
        contract="open-r1",
        language=language,
        source=Blob(data=source),
        files={name: Blob(data=data) for name, data in (files or {}).items()},
    )


def _limits(
    request: web.Request, limit_s: float | None, run_s: float, memory_bytes: float
) -> Limits:
    return serving.limits(
        request,
        cpu_time_s=run_s if limit_s is None else limit_s,
        wall_time_s=max(run_s, limit_s or 0.0),
        memory_bytes=int(memory_bytes),
    )


def _defining(name: str, file: str, source: str) -> str:
    """What `-DNAME` does; lines are counted as in the file."""
    return f'#define {name} 1\n#line 1 "{file}"\n{source}'


def _text(file: File | None) -> str:
    return "" if file is None else file.data.decode("utf-8", "replace")


def _assignments(text: str) -> dict[str, str]:
    """`NAME=VALUE` a line, which there a shell reads."""
    pairs = (line.partition("=") for line in text[:10_000].splitlines())
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs if name.strip()}


def _number(text: str, name: str) -> float | None:
    if not text or text == "None":
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise BadRequestError(f"{_CONFIG}: {name}={text[:50]} is no number above 0")
    return value


def _json(file: File | None) -> dict[str, Any]:
    if file is None:
        raise BadRequestError(f"cms_ioi needs a file {_GRADER_CONFIG}")
    try:
        config = msgspec.json.decode(file.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise BadRequestError(f"{_GRADER_CONFIG} is no JSON object")
    return config
