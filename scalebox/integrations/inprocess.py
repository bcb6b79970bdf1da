"""What the stand-ins for harnesses that run code in process have in common: where their daemon is,
and one run with its records.

They are called from threads and forked workers, with the arguments of what they stand in for, so
the daemon is named once a process (`use`), or with each call (`client=`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from scalebox.client.address import Addresses
from scalebox.client.sync import Client
from scalebox.errors import BadRequestError, InternalError
from scalebox.integrations.inside import program_of
from scalebox.integrations.rollouts import Settings, client_of
from scalebox.model import (
    Blob,
    CaseResult,
    Limits,
    Report,
    RunRequest,
    RunResult,
    RunStatus,
    Verdict,
)

#: Whether a pass counts that a hostile program could have forged.
WeakRule = Literal["accept", "reject"]
#: The most that a daemon allows unless it is configured otherwise.
_MAX_CPU_S, _MAX_WALL_S = 600.0, 1800.0
#: Of the records of one run: at least, and at most.
_OUTPUT_BYTES, _MAX_OUTPUT_BYTES = 16 << 20, 128 << 20
#: Text takes so many times its length in a record, of all but the oddest letters.
_IN_RECORDS = 4
_LEAST_S = 0.01
_MAX_PROGRAM_BYTES = 4_000_000

_named: Client | None = None


def use(address: Addresses = None, **options: Any) -> None:
    """Say where the daemon is, for all calls in this process (and its forks) that do not say it.

    Parameters:
        address, options: as for `scalebox.Client`.

    Raises:
        BadRequestError: the address is none.
    """
    global _named
    former, _named = _named, Client(address, **options)
    if former is not None:
        former.close()


def client_or_shared(client: Client | None) -> Client:
    """The client that was given; else the one that `use` has named; else this process's own, as
    the trainers' files have it (`$SCALEBOX_ADDRESS`, or the host's daemon)."""
    return client or _named or client_of(Settings())


def sendable(program: str) -> str:
    """The program; or, if no daemon would take it, one that fails and says why: whatever a model
    wrote, it costs its own sample."""
    try:
        size = len(program.encode("utf-8"))
    except UnicodeEncodeError:
        return "raise SyntaxError('the program is no text: it has a lone surrogate')"
    if size > _MAX_PROGRAM_BYTES:
        return f"raise SyntaxError('the program has {size} bytes')"
    return program


def seconds(limit_s: float) -> float:
    """A limit of CPU time as a daemon takes it, neither too little nor too much."""
    return min(max(float(limit_s), _LEAST_S), _MAX_CPU_S)


def run_request(
    program: str,
    job: Mapping[str, Any],
    *,
    cpu_time_s: float,
    limits: Limits | None,
    expected_chars: int = 0,
    attached: bytes = b"",
) -> RunRequest:
    """One run of a program of `inside/`.

    Parameters:
        program: its file's name there.
        job: what it reads.
        cpu_time_s: of all tests together.
        limits: of the caller's; what is open there is chosen here.
        expected_chars: what a right program may have to write.
        attached: follows the job's line, for what is no JSON.
    """
    limits = limits or Limits()
    cpu_s = seconds(cpu_time_s) if limits.cpu_time_s is None else limits.cpu_time_s
    output_bytes = min(_OUTPUT_BYTES + _IN_RECORDS * expected_chars, _MAX_OUTPUT_BYTES)
    wall_s = min(2 * cpu_s + 5, _MAX_WALL_S) if limits.wall_time_s is None else limits.wall_time_s
    return RunRequest(
        language="python",
        source=program_of(program),
        stdin=Blob(data=f"{json.dumps(job)}\n".encode("ascii") + attached),
        limits=Limits(
            cpu_time_s=cpu_s,
            wall_time_s=wall_s,
            memory_bytes=limits.memory_bytes,
            output_bytes=limits.output_bytes or output_bytes,
            file_bytes=limits.file_bytes,
            processes=limits.processes,
            open_files=limits.open_files,
        ),
    )


def raise_if_not_done(result: RunResult) -> None:
    """Raise where a run says nothing about the program.

    Raises:
        InternalError: we failed.
    """
    if result.status in (RunStatus.INTERNAL_ERROR, RunStatus.CANCELLED):
        raise InternalError(f"the run was not done: {result.message or result.status.value}")
    if result.status is RunStatus.COMPILE_ERROR:
        raise InternalError(f"the daemon's Python cannot run it: {result.message}")


def records_of(result: RunResult) -> Iterator[dict[str, Any]]:
    """The records, until one is none: whoever wrote that, nothing after it counts.

    Raises:
        InternalError: we failed.
    """
    raise_if_not_done(result)
    start = 0
    while (end := result.stdout.find(b"\n", start)) >= 0:
        try:
            record = json.loads(result.stdout[start:end])
        except (ValueError, RecursionError):
            return
        if not isinstance(record, dict):
            return
        yield record
        start = end + 1


def deciding_case(report: Report) -> CaseResult:
    """The case that decided, of a submission with one: a stand-in for `passed` and `failed`.

    Raises:
        InternalError: we failed.
        BadRequestError: the test is at fault.
    """
    case = next((one for one in report.cases if one.verdict is report.verdict), report.cases[0])
    raise_if_undecided(report.verdict, report.message or case.message)
    return case


def raise_if_undecided(verdict: Verdict, message: str) -> None:
    """Raise where the verdict says nothing about the program.

    Raises:
        InternalError: we failed.
        BadRequestError: the test is at fault.
    """
    if verdict is Verdict.JUDGE_ERROR:
        raise BadRequestError(f"the test cannot decide: {message}", field="tests")
    if not verdict.is_about_the_program:
        raise InternalError(f"there is no verdict ({verdict.value}): {message}")
