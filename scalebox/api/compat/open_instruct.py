"""open-instruct's servers: one that tests programs, one that runs a tool's code.

The messages of the first are those of allenai/open-instruct:open_instruct/code_utils/api.py, of
the second those of open_instruct/tools/code_server/server.py.  The client of the first
(open_instruct/ground_truth_utils.py, `CodeVerifier`) waits for ten times the time limit, at least
30 s and at most 300 s, and takes every failure for a program that passes no test.  So what
can still be done before it gives up is done, and what cannot is an HTTP error: its log then names
the cause, which a list of zeros would hide.

Programs are not searched for words such as `import os`, as they are there: the sandbox holds them.
"""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web
from anyio import to_thread
from msgspec import Struct

from scalebox.api import codec
from scalebox.api.compat import pickled, serving
from scalebox.api.compat.serving import Deadline, DeadlineError, Protocol
from scalebox.api.context import CONTEXT
from scalebox.errors import (
    BadRequestError,
    InternalError,
)
from scalebox.model import (
    AssertCase,
    AssertTests,
    CaseResult,
    FunctionJudge,
    RunRequest,
    RunResult,
    RunStatus,
    StdioCase,
    StdioTests,
    Submission,
    Tests,
    Verdict,
)

_LEAST_HTTP_S, _MOST_HTTP_S, _HTTP_FACTOR = 30.0, 300.0, 10.0

#: What `/test_program_stdio` puts before each program (open_instruct/code_utils/testing_util.py,
#: `import_string`): programs that models write rely on it.  In one line, so that tracebacks count
#: as the program does but for that one.
_PRELUDE = (
    "".join(
        f"from {name} import *; "
        for name in (
            *("string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math"),
            *("random", "statistics", "itertools", "functools", "operator", "io", "sys", "json"),
            *("builtins", "typing"),
        )
    )
    + "import string, re, datetime, collections, heapq, bisect, copy, math, random, statistics, "
    "itertools, functools, operator, io, sys, json; sys.setrecursionlimit(50000)\n"
)

#: The rule of `/test_program_stdio` (open_instruct/code_utils/testing_util.py, `grade_stdio`):
#: equally many lines, each equal but for white space at its ends, or equal as decimal numbers.
_JUDGE = FunctionJudge(
    source="""
from decimal import Decimal


def judge(input, output, answer):
    written, expected = lines(output), lines(answer)
    if len(written) != len(expected):
        return False, "%d lines, expected %d" % (len(written), len(expected))
    for number, (one, other) in enumerate(zip(written, expected), 1):
        if one != other and not equal(one, other):
            return False, "line %d differs" % number
    return True, ""


def lines(text):
    return [line.strip() for line in text.strip().split("\\n")]


def equal(one, other):
    try:
        return [Decimal(word) for word in one.split()] == [Decimal(word) for word in other.split()]
    except ArithmeticError:
        return False
"""
)


class TestRequest(Struct, kw_only=True):
    """The body of `/test_program` and `/test_program_stdio`."""

    program: str
    tests: Any = None
    max_execution_time: float = 1.0


class Tested(Struct, kw_only=True):
    """Its answer: for each test 1 or 0, and the seconds it took or -1."""

    results: list[int] = []
    runtimes: list[float] = []


class ExecuteRequest(Struct, kw_only=True):
    """The body of `/execute`."""

    code: str
    timeout: float = 5.0


class Executed(Struct, kw_only=True):
    """Its answer."""

    output: str
    error: str | None = None
    success: bool


class StdioTest(Struct):
    """A test of `/test_program_stdio`."""

    input: str
    output: str


async def test_program(request: web.Request) -> web.StreamResponse:
    """`POST /test_program`: each test is a text of asserts."""
    return await _test(request, stdio=False)


async def test_program_stdio(request: web.Request) -> web.StreamResponse:
    """`POST /test_program_stdio`: each test is an input and an output."""
    return await _test(request, stdio=True)


async def execute(request: web.Request) -> web.StreamResponse:
    """`POST /execute`: code of a tool call; its client waits for its timeout and no longer."""
    deadline = Deadline()
    wanted = await serving.read(request, ExecuteRequest)
    deadline.after(wanted.timeout)
    program = RunRequest(
        language="python",
        source=wanted.code,
        limits=serving.limits(request, cpu_time_s=wanted.timeout, wall_time_s=wanted.timeout),
    )
    try:
        result = await serving.run(request, deadline, program)
    except DeadlineError:
        return serving.answer(_late(wanted.timeout))
    return serving.answer(_executed(result, wanted.timeout))


async def health(_: web.Request) -> web.StreamResponse:
    """`GET /health`."""
    return serving.answer({"status": "healthy"})


async def _test(request: web.Request, *, stdio: bool) -> web.StreamResponse:
    deadline = Deadline()
    wanted = await serving.read(request, TestRequest)
    limit_s = wanted.max_execution_time
    deadline.after(max(_LEAST_HTTP_S, min(_MOST_HTTP_S, _HTTP_FACTOR * limit_s)))
    given = await _decoded(request, wanted.tests)
    if not given:
        return serving.answer(Tested())
    submission = Submission(
        language="python",
        source=_with_prelude(wanted.program) if stdio else wanted.program,
        tests=_stdio_tests(given) if stdio else _assert_tests(given),
        limits=serving.limits(request, cpu_time_s=limit_s),
        stop="never",
    )
    report = await serving.judge(request, deadline, submission)
    if report.verdict is Verdict.COMPILE_ERROR:
        return serving.answer(Tested(results=[0] * len(given), runtimes=[-1.0] * len(given)))
    _require_decided(report.cases)
    return serving.answer(
        Tested(
            results=[int(case.verdict is Verdict.ACCEPTED) for case in report.cases],
            runtimes=[_runtime_s(case) for case in report.cases],
        )
    )


async def _decoded(request: web.Request, tests: Any) -> list[Any]:
    """The tests as a list, from whichever of the three forms the client sends.

    Raises:
        BadRequestError, TooLargeError: they are none of these.
    """
    if not isinstance(tests, str):
        return _listed(tests)
    if not tests.strip():
        return []
    if tests.lstrip()[0] in '["{n':
        try:
            return _listed(await codec.decode_bounded(codec.JSON, object, tests.encode()))
        except BadRequestError as error:
            raise BadRequestError(f"tests: {error.message}", field="tests") from None
    limit_bytes = request.app[CONTEXT].config.server.max_request_bytes
    return _listed(await to_thread.run_sync(pickled.unpack, tests, limit_bytes))


def _listed(tests: Any) -> list[Any]:
    if tests is None:
        return []
    if not isinstance(tests, list | tuple):
        raise BadRequestError(
            "tests must be a list, its JSON, or base64 of its compressed pickle; it is "
            f"{type(tests).__name__}",
            field="tests",
        )
    return list(tests)


def _assert_tests(given: list[Any]) -> Tests:
    for index, test in enumerate(given):
        if not isinstance(test, str):
            raise BadRequestError(
                f"tests[{index}] must be a text of asserts; /test_program_stdio takes inputs and "
                "outputs",
                field=f"tests[{index}]",
            )
    return AssertTests(cases=[AssertCase(program=test) for test in given])


def _stdio_tests(given: list[Any]) -> Tests:
    cases = []
    for index, test in enumerate(given):
        try:
            known = msgspec.convert(test, StdioTest)
        except msgspec.ValidationError as error:
            raise BadRequestError(f"tests[{index}]: {error}", field=f"tests[{index}]") from None
        cases.append(StdioCase(input=known.input, answer=known.output))
    return StdioTests(cases=cases, judge=_JUDGE)


def _with_prelude(program: str) -> str:
    # It must come first in a file, and a program that has it knows what it imports.
    return program if "from __future__" in program else _PRELUDE + program


def _require_decided(cases: list[CaseResult]) -> None:
    """A list of zeros must be about the program.

    Raises:
        InternalError: a case says nothing about it.
    """
    for case in cases:
        if not case.verdict.is_about_the_program:
            raise InternalError(f"test {case.name} could not be decided: {case.message}")


def _runtime_s(case: CaseResult) -> float:
    return case.cpu_time_s if case.verdict is Verdict.ACCEPTED else -1.0


def _late(timeout_s: float) -> Executed:
    return Executed(
        output="", error=f"Execution timed out after {timeout_s:g} seconds", success=False
    )


def _executed(result: RunResult, timeout_s: float) -> Executed:
    """As there, what was written before a failure is lost."""
    if result.status is RunStatus.INTERNAL_ERROR:
        raise InternalError(result.message)
    if result.status is RunStatus.TIME_LIMIT_EXCEEDED:
        return _late(timeout_s)
    stderr = result.stderr.decode("utf-8", "replace")
    if result.status is RunStatus.FINISHED:
        output = result.stdout.decode("utf-8", "replace")
        return Executed(output=output, error=stderr or None, success=True)
    compiled = result.compile.message if result.compile is not None else ""
    words = (stderr, compiled, result.message, result.status.value)
    return Executed(output="", error=next(filter(None, words)), success=False)


PROTOCOL = Protocol(
    "open_instruct",
    (
        ("POST", "/test_program", test_program),
        ("POST", "/test_program_stdio", test_program_stdio),
        ("POST", "/execute", execute),
        ("GET", "/health", health),
    ),
    serving.unprocessable,
)
