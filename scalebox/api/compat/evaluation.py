"""Messages of the evaluation endpoints, and a report in their words.

Fields are those of icip-cas/ScaleBox and bytedance/SandboxFusion:sandbox/datasets/types.py, as the
`sandbox-fusion` client on PyPI reads them back.  What becomes of a request's tests is `given`'s and
`rows`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct, field

from scalebox.api.compat.sandboxfusion import Command, Ran
from scalebox.api.compat.serving import DeadlineError
from scalebox.errors import ScaleboxError
from scalebox.model import (
    CallTests,
    CaseResult,
    CompileResult,
    InteractiveTests,
    Limits,
    Report,
    StdioTests,
    Tests,
    Verdict,
)

#: Longer texts of tests are cut where they are echoed.
_SHOWN_CHARACTERS = 1000
#: Languages without a compiler on those servers: what does not parse there fails when it is run.
_INTERPRETED = frozenset(
    {
        "python", "python3", "py", "javascript", "js", "node", "nodejs", "php", "bash", "sh", "lua",
        "r", "perl", "ruby", "julia", "racket",
    }
)  # fmt: skip
_UNLIMITED = Limits()
_NO_CODE = "there is no code in the completion"


class Wanted(Struct, kw_only=True):
    """`config` of a request.

    Attributes:
        language, locale, is_fewshot, compile_timeout, run_timeout, memory_limit_mb: as named.
        provided_data: the tests (`/common_evaluate*`), or a row in place of the dataset's.
        extra: further settings by name; see docs/compat.md.
        dataset_type, custom_extract_logic: SandboxFusion's.
    """

    language: str | None = None
    locale: str | None = None
    is_fewshot: bool | None = None
    compile_timeout: float | None = None
    run_timeout: float | None = None
    memory_limit_mb: float | None = None
    provided_data: Any = None
    extra: dict[str, Any] | None = None
    dataset_type: str | None = None
    custom_extract_logic: str | None = None

    def setting(self, name: str) -> Any:
        """What `extra` says; None: nothing."""
        return None if self.extra is None else self.extra.get(name)

    @property
    def run_all_cases(self) -> bool:
        """Whether cases after one that is not accepted are wanted."""
        return bool(self.setting("run_all_cases"))


class Evaluate(Struct, kw_only=True):
    """The body of `/common_evaluate`, `/common_evaluate_batch` and `/submit`."""

    completion: str
    config: Wanted = field(default_factory=Wanted)
    dataset: str = ""
    id: int | str = 0


class Case(Struct, kw_only=True):
    """One test, as it went."""

    passed: bool
    exec_info: Ran
    test_info: dict[str, Any] | None = None


class Evaluated(Struct, kw_only=True):
    """The answer.

    Attributes:
        extra: what these protocols have no field for: `verdict`, `integrity`, `message`.
    """

    id: int | str
    accepted: bool
    extracted_code: str
    full_code: str | None = None
    test_code: str | None = None
    tests: list[Case]
    extracted_type: str | None = None
    extra: dict[str, Any] | None = None


@dataclass(frozen=True)
class Task:
    """What a completion is to be judged by.

    Attributes:
        language: of the program.
        tests: its tests.
        before: text that comes before the program's own.
        whole: makes the program of what was found in the completion.
        files: base64 texts beside the program.
        limits: what the tests say themselves.
        run_timeout_s: the limit where the request has none.
    """

    language: str
    tests: Tests
    whole: Callable[[str], str] = str
    files: dict[str, str] | None = None
    limits: Limits = _UNLIMITED
    run_timeout_s: float = 10.0


class JudgeFailedError(ScaleboxError):
    """A special judge failed: nothing is known about the program."""

    code = "judge_error"


class FailedError(ScaleboxError):
    """We failed, and nothing is known about the program; it is worth asking again."""

    http_status = 504


def without_code(wanted: Evaluate, task: Task) -> Evaluated:
    """The answer where there is nothing to run: no test is passed."""
    count = len(task.tests.cases) if wanted.config.run_all_cases else 1
    failed = Case(passed=False, exec_info=Ran(status="Failed", message=_NO_CODE))
    return Evaluated(
        id=wanted.id,
        accepted=False,
        extracted_code="",
        tests=[failed] * count,
        extracted_type="empty",
        extra={"verdict": Verdict.COMPILE_ERROR, "message": _NO_CODE},
    )


def settle(report: Report, wanted: Wanted, *, budget_s: float, case_s: float) -> None:
    """Make sure that a report says something about the program.

    Cases that were not run in time count as failed if another one has failed, and those that were
    run have taken `total_timeout` of the program's own time.  If they have not, others' work was in
    the way; and a program that was right wherever it was run is not made wrong by a clock.

    Parameters:
        report: of the submission.
        wanted: the request's settings.
        budget_s: `total_timeout`.
        case_s: what a case costs that had to be stopped.

    Raises:
        JudgeFailedError, FailedError, DeadlineError: it does not.
    """
    verdicts = [case.verdict for case in report.cases]
    failed = any(one.is_about_the_program and one is not Verdict.ACCEPTED for one in verdicts)
    if failed and not wanted.run_all_cases:
        return
    for case in report.cases:
        if case.verdict is Verdict.JUDGE_ERROR:
            raise JudgeFailedError(f"the judge failed: {case.message}")
        if case.verdict is Verdict.INTERNAL_ERROR:
            raise FailedError(case.message or "a case could not be run")
    if report.verdict is Verdict.INTERNAL_ERROR:
        raise FailedError(report.message or "it could not be judged")
    if Verdict.CANCELLED not in verdicts:
        return
    stopped = Verdict.TIME_LIMIT_EXCEEDED
    spent_s = sum(
        max(case.cpu_time_s, case_s if case.verdict is stopped else 0.0) for case in report.cases
    )
    if not failed or spent_s < budget_s:
        raise DeadlineError("not all cases were run in time; ask again")


def evaluated(wanted: Evaluate, task: Task, code: str, source: str, report: Report) -> Evaluated:
    """A report that was settled, in their words.

    Parameters:
        wanted: the request.
        task: what it was judged by.
        code: what was found in the completion.
        source: what was run.
        report: what came of it.
    """
    show_all = bool(wanted.config.setting("return_full_case"))
    cases = []
    compiles = None if task.language.lower() in _INTERPRETED else report.compile
    for index, result in enumerate(report.cases):
        if report.verdict is Verdict.COMPILE_ERROR:
            info = _not_compiled(compiles, report.message)
        elif result.verdict is Verdict.SKIPPED:
            break
        elif result.verdict is Verdict.CANCELLED and not wanted.config.run_all_cases:
            continue  # one after it has failed, which decides
        else:
            info = _exec_info(result, compiles, stdio=isinstance(task.tests, StdioTests))
        passed = result.verdict is Verdict.ACCEPTED
        cases.append(
            Case(passed=passed, exec_info=info, test_info=_test_info(task.tests, index, show_all))
        )
        if not passed and not wanted.config.run_all_cases:
            break
    return Evaluated(
        id=wanted.id,
        accepted=report.accepted and bool(cases),
        extracted_code=code,
        full_code=source if source != code else None,
        tests=cases,
        extra={
            "verdict": report.verdict,
            "integrity": report.integrity,
            "message": report.message,
        },
    )


def _exec_info(case: CaseResult, compiled: CompileResult | None, *, stdio: bool) -> Ran:
    if case.verdict is Verdict.CANCELLED:
        return Ran(status="SandboxError", message="Total Timeout")
    stdout, stderr = case.output or "", case.error_output or ""
    late = case.verdict is Verdict.TIME_LIMIT_EXCEEDED
    # Where outputs are compared a program can end well and be wrong; a test that fails cannot.
    ended_well = case.verdict is Verdict.ACCEPTED or (
        stdio and case.verdict is Verdict.WRONG_ANSWER
    )
    run = Command(
        status="TimeLimitExceeded" if late else "Finished",
        execution_time=case.wall_time_s,
        cpu_time=case.cpu_time_s,
        return_code=None if late else _return_code(case, ended_well),
        stdout=stdout,
        stderr=stderr if ended_well or stderr else case.message,
    )
    return Ran(
        status="Success" if ended_well else "Failed",
        message=case.message,
        compile_result=_compiled(compiled),
        run_result=run,
    )


def _return_code(case: CaseResult, ended_well: bool) -> int:
    if ended_well:
        return 0
    if case.signal is not None:
        return -case.signal
    return case.exit_code or 1


def _compiled(compiled: CompileResult | None) -> Command | None:
    if compiled is None:
        return None
    return Command(
        status="Finished",
        execution_time=compiled.cpu_time_s,
        cpu_time=compiled.cpu_time_s,
        return_code=0 if compiled.ok else 1,
        stderr=compiled.message,
    )


def _not_compiled(compiled: CompileResult | None, message: str) -> Ran:
    if compiled is not None:
        return Ran(status="Failed", message=message, compile_result=_compiled(compiled))
    failed = Command(status="Finished", return_code=1, stderr=message)
    return Ran(status="Failed", message=message, run_result=failed)


def _test_info(tests: Tests, index: int, show_all: bool) -> dict[str, Any] | None:
    case = tests.cases[index]
    if isinstance(tests, StdioTests | InteractiveTests):
        texts = getattr(case, "input", ""), getattr(case, "answer", "")
        stdin, stdout = texts if show_all else map(_shortened, texts)
        return {"input": {"stdin": stdin}, "output": {"stdout": stdout}}
    if isinstance(tests, CallTests):
        info: dict[str, Any] = {"type": "function_call", "fn_name": tests.function}
        if show_all:
            info |= {"input": tests.cases[index].args, "output": [tests.cases[index].expected]}
        return info
    return None


def _shortened(text: Any) -> Any:
    if not isinstance(text, str):
        return None
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    half = _SHOWN_CHARACTERS // 2
    return f"{text[:half]}...{text[-half:]}"
