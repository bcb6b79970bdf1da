"""What is asked of a daemon: to judge a submission, or only to run a program."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from scalebox.model.basics import Data, Identifier, Limits, RunSeconds, Seconds
from scalebox.model.tests import Tests

StopRule = Literal["first_failure", "never"]


class Submission(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A program and the tests that decide whether it is right.

    Attributes:
        language: a name or alias of `GET /v1/languages`.
        source: the main source file's text.  Both are empty with `OutputTests`, which run no
            program.
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

    language: Annotated[str, Meta(max_length=64)]
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


class RunRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Just run a program: files in, files out, no judging.

    Attributes:
        language, source, files, limits, priority, deadline_s, idempotency_key, id: as in
            `Submission`.
        stdin: standard input.
        args: command-line arguments after the program's name.
        fetch: relative paths of files to return; missing ones are left out of the result.
        compile_cpu_time_s: CPU time of the compiler, at most what the daemon gives it; unset: that.
    """

    language: Annotated[str, Meta(min_length=1, max_length=64)]
    source: str
    files: dict[str, Data] = {}
    stdin: Data = ""
    args: list[str] = []
    fetch: list[str] = []
    limits: Limits = Limits()
    compile_cpu_time_s: RunSeconds | None = None
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    deadline_s: Seconds | None = None
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    id: Annotated[str, Meta(max_length=500)] | None = None
