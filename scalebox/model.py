"""The vocabulary of every room: submissions, tests, limits, judges, results.

These structures are what crosses a boundary (a socket, a room, a file).  They hold data and the few
facts that follow from it; how anything is run, compared or scheduled is decided elsewhere.  On the
wire they are JSON or msgpack; unknown fields are refused so that a misspelt limit is never ignored.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

#: Version of the native API; part of every report so that a stored number can be traced.
API_VERSION = "1"

Seconds = Annotated[float, Meta(gt=0, le=86_400, description="seconds")]
Bytes = Annotated[int, Meta(gt=0, le=1 << 50, description="bytes")]
#: Of a run.  With less no program can start: not a limit, but a mistake in its unit.
RunSeconds = Annotated[float, Meta(ge=0.01, le=86_400, description="seconds")]
RunMemory = Annotated[int, Meta(ge=4 << 20, le=1 << 50, description="bytes")]
# Python's `$` also matches before a line feed at the end, JSON Schema's does not.
SHA256_PATTERN = r"^[0-9a-f]{64}(?!\n)$"
IDENTIFIER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]*(?!\n)$"
Sha256 = Annotated[str, Meta(pattern=SHA256_PATTERN, description="lower-case hex SHA-256")]
Identifier = Annotated[str, Meta(min_length=1, max_length=200, pattern=IDENTIFIER_PATTERN)]


class Verdict(enum.StrEnum):
    """What was decided about a case or a whole submission (DESIGN: the field's own words)."""

    ACCEPTED = "accepted"
    WRONG_ANSWER = "wrong_answer"
    TIME_LIMIT_EXCEEDED = "time_limit_exceeded"
    MEMORY_LIMIT_EXCEEDED = "memory_limit_exceeded"
    OUTPUT_LIMIT_EXCEEDED = "output_limit_exceeded"
    RUNTIME_ERROR = "runtime_error"
    COMPILE_ERROR = "compile_error"
    JUDGE_ERROR = "judge_error"
    INTERNAL_ERROR = "internal_error"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def is_about_the_program(self) -> bool:
        """False where the verdict says that we, or a judge, failed or never looked."""
        return self not in _NOT_ABOUT_THE_PROGRAM


_NOT_ABOUT_THE_PROGRAM = frozenset(
    {Verdict.JUDGE_ERROR, Verdict.INTERNAL_ERROR, Verdict.SKIPPED, Verdict.CANCELLED}
)


class IsolationLevel(enum.StrEnum):
    """Which walls stand around a program, strongest first."""

    FULL = "full"
    USER = "user"
    MINIMAL = "minimal"


class Enforcement(enum.StrEnum):
    """Which kernel mechanism enforces and measures limits, most exact first."""

    CGROUP2 = "cgroup2"
    CGROUP1 = "cgroup1"
    RLIMIT = "rlimit"


class Integrity(enum.StrEnum):
    """`strong`: forging a result gains nothing.  `weak`: the test trusted its process or word."""

    STRONG = "strong"
    WEAK = "weak"


class Blob(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bytes that are not plain text in the request: given here, or uploaded before.

    Exactly one of the two must be set.

    Attributes:
        sha256: content address of a blob sent earlier with `PUT /v1/blobs/{sha256}`.
        data: the bytes themselves (base64 in JSON, binary in msgpack).
    """

    sha256: Sha256 | None = None
    data: bytes | None = None

    def __post_init__(self) -> None:
        if (self.sha256 is None) == (self.data is None):
            raise ValueError("a blob has either `sha256` or `data`, and not both")


#: Text (UTF-8 on its way to the program) or a blob.
Data = str | Blob


class Comparison(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="compare"
):
    """Compare output and answer outside the sandbox, without running a judge program.

    Attributes:
        mode: `tokens` compares whitespace-separated tokens; `lines` compares lines after removing
            trailing whitespace of each line and trailing empty lines; `exact` compares bytes.
        case_sensitive: whether `a` and `A` differ in `tokens` and `lines`.  False is the ICPC
            default validator's rule.
        space_sensitive: with `tokens`, whitespace must be equal too (ICPC's
            `space_change_sensitive`).
        float_absolute_tolerance: accept a token whose number is within this of the answer's.
        float_relative_tolerance: accept a token within this times the answer's magnitude.
            With both, either one suffices (ICPC problem package specification 2025-09).
    """

    mode: Literal["tokens", "lines", "exact"] = "tokens"
    case_sensitive: bool = False
    space_sensitive: bool = False
    float_absolute_tolerance: Annotated[float, Meta(ge=0)] | None = None
    float_relative_tolerance: Annotated[float, Meta(ge=0)] | None = None


#: Decides whether an output is right.  Judges that are programs join this union.
Judge = Comparison


class StdioCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One test case over standard input and output.

    Attributes:
        input: what the program reads on standard input.
        answer: the jury's expected output.  Never enters the sandbox of the program.
        name: shown in the report; defaults to the case's index.
        judge: replaces the tests' judge for this case alone.
    """

    input: Data = ""
    answer: Data = ""
    name: str | None = None
    judge: Judge | None = None


class StdioTests(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="stdio"
):
    """The program reads standard input and writes standard output.

    Attributes:
        cases: the test cases, judged independently of each other.
        judge: decides about each output.
    """

    cases: list[StdioCase]
    judge: Judge = Comparison()


class CallCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One call of the submission's function.

    Attributes:
        args: positional arguments, JSON data.
        kwargs: keyword arguments, JSON data.
        expected: the value that the call must return.  Never enters the sandbox.
        name: shown in the report; defaults to the case's index.
    """

    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    expected: Any = None
    name: str | None = None


class CallTests(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="call"
):
    """The tests call a function (or a method of `class Solution`) and compare what it returns.

    Attributes:
        function: the name to call.  If the source defines `class Solution` with such a method and
            no function of that name, a fresh `Solution()` is made for each call.
        cases: the calls.
        tuple_equals_list: whether `(1, 2)` is accepted where `[1, 2]` is expected (JSON has no
            tuples, so this is the default).
        float_absolute_tolerance, float_relative_tolerance: accept numbers within these; Python
            equality where unset.
    """

    function: Annotated[str, Meta(min_length=1, max_length=200)]
    cases: list[CallCase]
    tuple_equals_list: bool = True
    float_absolute_tolerance: Annotated[float, Meta(ge=0)] | None = None
    float_relative_tolerance: Annotated[float, Meta(ge=0)] | None = None


class AssertCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One test program made of asserts, run after the submission's source.

    Attributes:
        program: such as HumanEval's `def check(candidate): …`, MBPP's asserts, C's `main`.
        name: shown in the report; defaults to the case's index.
    """

    program: str
    name: str | None = None


class AssertTests(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="assert"
):
    """Test programs as in HumanEval, MBPP and MultiPL-E.

    Attributes:
        cases: the test programs; each is a case of its own, with a fresh process.
        entry_point: if the test program defines `check`, it is called with this function of the
            submission (HumanEval's convention); Python only.
    """

    cases: list[AssertCase]
    entry_point: Annotated[str, Meta(min_length=1, max_length=200)] | None = None


Tests = StdioTests | CallTests | AssertTests


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bounds on one run.  What is unset comes from the daemon's configuration.

    Attributes:
        cpu_time_s: CPU time of the program and all its descendants, from the kernel; from 0.01.
        wall_time_s: ends sleepers and deadlocks; unset, it follows from `cpu_time_s`; from 0.01.
        memory_bytes: memory of the program and all its descendants; from 4 MiB.
        output_bytes: size of standard output, and of standard error, each.
        file_bytes: what the program may write to its working directory and /tmp together.
        processes: processes and threads alive at once.
        open_files: file descriptors of one process.
    """

    cpu_time_s: RunSeconds | None = None
    wall_time_s: RunSeconds | None = None
    memory_bytes: RunMemory | None = None
    output_bytes: Bytes | None = None
    file_bytes: Bytes | None = None
    processes: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    open_files: Annotated[int, Meta(ge=4, le=1_000_000)] | None = None


class Problem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What `PUT /v1/problems/{id}` registers: send tests once, then submit by problem id."""

    tests: Tests
    limits: Limits = Limits()
    name: str | None = None


StopRule = Literal["first_failure", "never"]


class Submission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A program and the tests that decide whether it is right.

    Attributes:
        language: a name or alias of `GET /v1/languages`.
        source: the main source file's text.
        files: further files of the program, relative path → content.
        tests: the tests; or
        problem: the id of a registered problem, in place of `tests`.
        limits: override the problem's limits, which override the daemon's defaults.
        stop: `first_failure` cancels the cases left after one is not accepted (they are
            `skipped`); `never` runs all.
        priority: higher runs earlier among one client's own submissions.
        deadline_s: answer within this of arrival; what is not done then is `cancelled`.
        return_output: whether results carry the program's output: of no case, of the cases that
            were not accepted, or of all (cut to the daemon's `excerpt_bytes`).
        idempotency_key: asking again with the same key and the same work joins the first request
            or returns its report.
        id: the caller's own label, echoed in the report.
    """

    language: Annotated[str, Meta(min_length=1, max_length=64)]
    source: str
    files: dict[str, Data] = {}
    tests: Tests | None = None
    problem: Identifier | None = None
    limits: Limits = Limits()
    stop: StopRule = "first_failure"
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    deadline_s: Seconds | None = None
    return_output: Literal["none", "failed", "all"] = "none"
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    id: Annotated[str, Meta(max_length=500)] | None = None


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
        message: for people: why this verdict.
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
    """

    ok: bool
    cached: bool = False
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


class RunRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Just run a program: files in, files out, no judging.

    Attributes:
        language, source, files, limits, priority, deadline_s, idempotency_key, id: as in
            `Submission`.
        stdin: standard input.
        args: command-line arguments after the program's name.
        fetch: relative paths of files to return; missing ones are left out of the result.
    """

    language: Annotated[str, Meta(min_length=1, max_length=64)]
    source: str
    files: dict[str, Data] = {}
    stdin: Data = ""
    args: list[str] = []
    fetch: list[str] = []
    limits: Limits = Limits()
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    deadline_s: Seconds | None = None
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    id: Annotated[str, Meta(max_length=500)] | None = None


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


class LanguageInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One language of this daemon.

    Attributes:
        name, aliases: what `Submission.language` may say.
        available: whether its tool chain was found.
        toolchain: its version.
        missing: if not available, what is missing and how to get it.
    """

    name: str
    aliases: list[str]
    available: bool
    toolchain: str = ""
    missing: str = ""


class SlotStatus(Struct, frozen=True, kw_only=True):
    """One slot, for operators."""

    index: int
    state: Literal["starting", "idle", "busy", "broken"]
    pid: int
    runs: int
    restarts: int


class Status(Struct, frozen=True, kw_only=True):
    """The answer of `GET /v1/status`.

    Attributes:
        version: of scalebox.
        uptime_s: seconds since start.
        isolation, enforcement: what this host gives; `notes` says what is missing, for people.
        slots: one entry a slot.
        queued_cases, running_cases: now.
        queue_limit_cases: more than this is refused with 429.
        draining: whether the daemon only finishes what it has.
        counters: monotonic counts since start, by name.
    """

    version: str
    node: str
    uptime_s: float
    isolation: IsolationLevel
    enforcement: Enforcement
    notes: list[str]
    slots: list[SlotStatus]
    queued_cases: int
    running_cases: int
    queue_limit_cases: int
    draining: bool
    counters: dict[str, float]


def to_bytes(data: str | bytes) -> bytes:
    """Text as the UTF-8 that the program reads; bytes unchanged.

    Lone surrogates come over no wire; text made here passes as what `surrogatepass` gives.
    """
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")


_DIGEST_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


def canonical_bytes(value: Any) -> bytes:
    """A deterministic encoding of a structure, for hashing and for comparing requests."""
    return _DIGEST_ENCODER.encode(value)
