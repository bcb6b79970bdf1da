"""`lcb-fixed`: LiveCodeBench's tests as they are meant, in the form of its own checker's results.

Each test is a fresh process with a real standard input, or a call with a `Solution()` of its own;
what goes wrong in one costs that one.  Codes mean what LiveCodeBench says that they mean.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from scalebox.errors import BadRequestError
from scalebox.integrations.inprocess import raise_if_undecided, seconds, sendable
from scalebox.integrations.livecodebench.samples import Sample, expected_value
from scalebox.integrations.livecodebench.strict import Outcome, shortened
from scalebox.model import (
    CallCase,
    CallTests,
    CaseResult,
    Comparison,
    Judge,
    Limits,
    NamedJudge,
    Report,
    StdioCase,
    StdioTests,
    Submission,
    Verdict,
)

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_TOLERANCE = 1e-6
#: An integer of so few digits cannot be another one within the tolerance.
_FEW_DIGITS = 5
_CODES = {
    Verdict.WRONG_ANSWER: (-2, "Wrong Answer"),
    Verdict.TIME_LIMIT_EXCEEDED: (-3, "Time Limit Exceeded"),
    Verdict.RUNTIME_ERROR: (-4, "Runtime Error"),
    Verdict.COMPILE_ERROR: (-4, "Compile Error"),
    Verdict.MEMORY_LIMIT_EXCEEDED: (-4, "Memory Limit Exceeded"),
    Verdict.OUTPUT_LIMIT_EXCEEDED: (-4, "Output Limit Exceeded"),
}
#: What a solution of LeetCode's finds imported there: the tasks ask for no imports of their own.
_GIVEN = "; ".join(
    [
        "import bisect, collections, copy, datetime, functools, heapq, itertools, json, math",
        "import operator, random, re, statistics, string, sys",
        *(
            f"from {name} import *"
            for name in (
                "typing",
                "collections",
                "heapq",
                "bisect",
                "math",
                "itertools",
                "functools",
            )
        ),
    ]
)
_FUTURE = re.compile(r"^from __future__ import [^\n]*$", re.M)


def submission_of(
    sample: Sample, generation: str, timeout_s: float, limits: Limits | None, judge: Judge | None
) -> Submission:
    """The submission of one program.

    Raises:
        BadRequestError: the sample has no tests, or some without an expected output.
    """
    if not sample.inputs or len(sample.inputs) != len(sample.outputs):
        raise BadRequestError(
            f"{len(sample.inputs)} inputs and {len(sample.outputs)} outputs: there must be as many "
            "of both, and at least one",
            field="input_output",
        )
    limits = limits or Limits()
    if limits.cpu_time_s is None:
        limits = msgspec.structs.replace(limits, cpu_time_s=seconds(timeout_s))
    if sample.function is None:
        cases = [
            StdioCase(input=_text(given), answer=answer, judge=judge or judge_of(answer))
            for given, answer in zip(sample.inputs, map(str, sample.outputs), strict=True)
        ]
        return Submission(
            language="python",
            source=sendable(generation),
            tests=StdioTests(cases=cases),
            limits=limits,
            return_output="failed",
        )
    calls = CallTests(function=sample.function, cases=_calls(sample))
    source = with_imports(sendable(generation))
    return Submission(language="python", source=source, tests=calls, limits=limits)


def judge_of(answer: str) -> Judge:
    """How an output is compared with this answer: token by token, the letters' case counts;
    where the answer has numbers with a fraction within 1e-6, but its integers exactly."""
    words = answer.split()
    integers = [word for word in words if _INTEGER.match(word)]
    numbers = [word for word in words if _NUMBER.match(word)]
    if len(numbers) == len(integers):
        return Comparison(case_sensitive=True)
    if len(numbers) == len(words) and any(len(word) > _FEW_DIGITS for word in integers):
        return NamedJudge(name="numbers")
    return Comparison(
        case_sensitive=True,
        float_absolute_tolerance=_TOLERANCE,
        float_relative_tolerance=_TOLERANCE,
    )


def outcome_of(sample: Sample, report: Report) -> Outcome:
    """The report in the form of theirs.

    Raises:
        InternalError: we failed.
        BadRequestError: the judge cannot decide.
    """
    results: list[Any] = []
    for number, case in enumerate(report.cases):
        if case.verdict is Verdict.ACCEPTED:
            results.append(True)
            continue
        # Of a program that does not compile every case is skipped.
        verdict = report.verdict if case.verdict is Verdict.SKIPPED else case.verdict
        raise_if_undecided(verdict, case.message or report.message)
        code, words = _CODES[verdict]
        metadata = _about(case, words if not case.message else f"{words}: {case.message}", code)
        metadata["inputs"] = shortened(_text(sample.inputs[number]))
        metadata["expected"] = shortened(sample.outputs[number])
        return [*results, code], metadata
    return results, {"execution time": report.cpu_time_s}


def with_imports(source: str) -> str:
    """A solution with the imports that it is given, in one line, after those that must be first."""
    at = 0
    for match in _FUTURE.finditer(source):
        at = match.end()
    return f"{source[:at]}\n{_GIVEN}\n{source[at:]}" if at else f"{_GIVEN}\n{source}"


def _about(case: CaseResult, words: str, code: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {"error_code": code, "error_message": words}
    if case.output is not None:
        metadata["output"] = shortened(case.output)
    return metadata


def _text(given: Any) -> str:
    return "\n".join(given) if isinstance(given, list) else str(given)


def _calls(sample: Sample) -> list[CallCase]:
    cases = []
    for number, (given, answer) in enumerate(zip(sample.inputs, sample.outputs, strict=True)):
        try:
            arguments = [expected_value(line) for line in given.split("\n")]
            cases.append(CallCase(args=arguments, expected=expected_value(answer)))
        except (AttributeError, TypeError, ValueError, RecursionError) as error:
            raise BadRequestError(
                f"test {number} is no call: one JSON value a line is expected ({error!r:.200})",
                field="input_output",
            ) from None
    return cases
