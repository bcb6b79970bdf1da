"""What a daemon answers: reports, results of plain runs, refusals."""

from __future__ import annotations

import enum

from msgspec import Struct

from scalebox.model.basics import Enforcement, Integrity, IsolationLevel, Verdict


class CaseResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened to one case.

    Attributes:
        verdict: about this case.
        name: the case's name, or its index as text.
        cpu_time_s: CPU seconds of the program and its descendants (kernel accounting).
        wall_time_s: seconds from start to end of the run.
        memory_bytes: peak memory of the run alone; 0 where the host cannot tell.
        exit_code: the exit status, if the program ended by itself.
        signal: the signal's number, if one ended it.
        message: for people: why this verdict; the judge's words, where it has some.
        score: points that the judge gave, in its own scale; None: it gives none.
        output, error_output: cut standard output and error, where asked for.
        attempts: how often the case was run (more than 1: something of ours failed in between).
        node: which daemon ran it; empty: the one that answers.
    """

    verdict: Verdict
    name: str = ""
    cpu_time_s: float = 0.0
    wall_time_s: float = 0.0
    memory_bytes: int = 0
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""
    score: float | None = None
    output: str | None = None
    error_output: str | None = None
    attempts: int = 1
    node: str = ""


class CompileResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The compilation, where the language has one.

    Attributes:
        ok: whether there is something to run.
        cached: whether an artifact made earlier was used.
        cpu_time_s: CPU seconds spent (0 when cached).
        message: the compiler's output, cut.
        timed_out: whether the compiler was stopped at its limit on time.
    """

    ok: bool
    cached: bool = False
    timed_out: bool = False
    cpu_time_s: float = 0.0
    message: str = ""


class Report(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a submission.

    Attributes:
        verdict: `accepted` if every case is; else the first case's that is not, in case order.
        passed: number of accepted cases.
        total: number of cases.
        cases: one result a case, in the order of the tests.
        compile: the compilation, or None where there is none.
        integrity: whether a hostile program could have forged this result.
        isolation: which walls stood.
        enforcement: which mechanism measured.
        queue_time_s: seconds before the first case started.
        wall_time_s: seconds from arrival to report.
        toolchain: compiler or interpreter version that ran it.
        message: for people, where the verdict needs words.
        id: the submission's label.
    """

    verdict: Verdict
    passed: int
    total: int
    cases: list[CaseResult]
    isolation: IsolationLevel
    enforcement: Enforcement
    integrity: Integrity = Integrity.STRONG
    compile: CompileResult | None = None
    queue_time_s: float = 0.0
    wall_time_s: float = 0.0
    toolchain: str = ""
    message: str = ""
    id: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether every case was accepted."""
        return self.verdict is Verdict.ACCEPTED

    @property
    def cpu_time_s(self) -> float:
        """CPU seconds of all cases together."""
        return sum(case.cpu_time_s for case in self.cases)


class RunStatus(enum.StrEnum):
    """How a plain run ended."""

    FINISHED = "finished"
    TIME_LIMIT_EXCEEDED = "time_limit_exceeded"
    MEMORY_LIMIT_EXCEEDED = "memory_limit_exceeded"
    OUTPUT_LIMIT_EXCEEDED = "output_limit_exceeded"
    RUNTIME_ERROR = "runtime_error"
    COMPILE_ERROR = "compile_error"
    INTERNAL_ERROR = "internal_error"
    CANCELLED = "cancelled"


class RunResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a `RunRequest`.

    Attributes:
        status: `finished` for exit code 0, `runtime_error` for any other end of its own.
        stdout, stderr: the output, at most `limits.output_bytes` each (base64 in JSON).
        files: the fetched files.
        exit_code, signal, cpu_time_s, wall_time_s, memory_bytes: as in `CaseResult`.
        compile: the compilation, or None.
        message: for people.
    """

    status: RunStatus
    isolation: IsolationLevel
    enforcement: Enforcement
    stdout: bytes = b""
    stderr: bytes = b""
    files: dict[str, bytes] = {}
    exit_code: int | None = None
    signal: int | None = None
    cpu_time_s: float = 0.0
    wall_time_s: float = 0.0
    memory_bytes: int = 0
    compile: CompileResult | None = None
    toolchain: str = ""
    message: str = ""
    id: str | None = None


class ErrorBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every refusal of the native API carries.

    Attributes:
        error: a stable code such as `bad_request`, `too_large`, `queue_full`, `unknown_language`.
        message: what was wrong and what to do.
        field: where in the request, e.g. `tests.cases[3].input`.
        retry_after_s: if it is worth asking again: not before so many seconds.
    """

    error: str
    message: str
    field: str | None = None
    retry_after_s: float | None = None


class BatchItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line (NDJSON) or frame (msgpack) of a batch's answer; `report` or `error` is set."""

    index: int
    report: Report | None = None
    error: ErrorBody | None = None
