"""`lcb-strict`: the results that LiveCodeBench's own checker gives, errors of it and all.

The program runs in the sandbox as it would run there (`..inside.livecodebench`); what it wrote or
returned is compared here, by the rules of
LiveCodeBench/LiveCodeBench:lcb_runner/evaluation/testing_util.py.  Expected outputs never enter the
sandbox, so a program that fools the checker there (an overloaded `__eq__`) does not here.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Mapping
from typing import Any

from scalebox.integrations import values
from scalebox.integrations.inprocess import records_of, run_request
from scalebox.integrations.livecodebench.samples import Sample, expected_value
from scalebox.model import Limits, RunRequest, RunResult

#: Results and metadata, as theirs are.
Outcome = tuple[list[Any], dict[str, Any]]
#: They wait so much longer than all tests may take, seconds.
_JOIN_EXTRA_S = 5
_AMBIGUOUS = (
    "ValueError('The truth value of an array with more than one element is ambiguous. "
    "Use a.any() or a.all()')"
)


def request_of(
    sample: Sample, generation: str, timeout_s: float, limits: Limits | None
) -> RunRequest:
    """The run of one program on all inputs of a sample."""
    job = {
        "code": generation,
        "inputs": sample.inputs,
        "fn_name": sample.function,
        "timeout_s": timeout_s,
    }
    cpu_s = (timeout_s + 1) * len(sample.inputs) + _JOIN_EXTRA_S
    expected_chars = sum(len(one) for one in sample.outputs if isinstance(one, str))
    return run_request(
        "livecodebench.py", job, cpu_time_s=cpu_s, limits=limits, expected_chars=expected_chars
    )


def outcome_of(sample: Sample, result: RunResult) -> Outcome | None:
    """What their checker says of it; None: the process ended before it could say anything.

    Raises:
        InternalError: we failed.
    """
    try:
        grade = _grade_output if sample.function is None else _grade_values
        return grade(sample, records_of(result))
    except Exception as error:
        if not isinstance(error, _OF_TEST_DATA):
            raise
        return _broken(error)


#: What they catch around everything, of the kinds that test data can bring about here.
_OF_TEST_DATA = (ArithmeticError, AttributeError, TypeError, ValueError, RecursionError)


def died() -> Outcome:
    """What they record of a process that ended too early, or was stopped."""
    error = IndexError("list index out of range")
    return [-2], {
        "error": repr(error),
        "error_code": -5,
        "error_message": "TestRunnerError",
    }


def _broken(error: object) -> Outcome:
    return [-4], {"error_code": -4, "error_message": f"Error during testing: {error}"}


def _grade_output(sample: Sample, records: Iterator[Mapping[str, Any]]) -> Outcome | None:
    results: list[Any] = []
    spent_s = 0.0
    for number, (given, expected) in enumerate(zip(sample.inputs, sample.outputs, strict=False)):
        record = next(records, {})
        if "broken" in record:
            return _broken(record["broken"])
        if record.get("test") != number:
            return None
        if "error" in record:
            return _raised(results, record["error"], given, expected)
        output = record.get("output")
        if not isinstance(output, str):
            return None
        wrong = _wrong_lines(output, expected)
        if wrong is not None:
            return [*results, -2], {
                "output": shortened(output),
                "inputs": shortened(given),
                "expected": shortened(expected),
                "error_code": -2,
                "error_message": wrong,
            }
        results.append(True)
        spent_s += _seconds(record)
    return _when_through(results, spent_s, records)


def _grade_values(sample: Sample, records: Iterator[Mapping[str, Any]]) -> Outcome | None:
    results: list[Any] = []
    spent_s = 0.0
    answers: list[Any] | None = None
    for number in range(min(len(sample.inputs), len(sample.outputs))):
        record = next(records, {})
        if "broken" in record:
            return _broken(record["broken"])
        if answers is None:
            answers = [expected_value(text) for text in sample.outputs]
        if record.get("test") != number:
            return None
        given, expected = record.get("arguments", ""), answers[number]
        if "error" in record:
            return _raised(results, record["error"], given, expected)
        if "value" not in record:
            return None
        value = record["value"]
        if values.tag_of(value) == "ndarray":
            value = _only_item(value)
            if value is None:
                return _raised(results, _AMBIGUOUS, given, expected)
            if isinstance(expected, list) and len(expected) == 1:
                expected = expected[0]
        right = values.equals(value, expected)
        results.append(right)
        if not right:
            return results, {
                "output": shortened(record.get("shown", "")),
                "inputs": shortened(given),
                "expected": shortened(expected),
                "error_code": -2,
                "error_message": "Wrong Answer",
            }
        spent_s += _seconds(record)
    return _when_through(results, spent_s, records)


def _when_through(
    results: list[Any], spent_s: float, records: Iterator[Mapping[str, Any]]
) -> Outcome | None:
    if not results:  # there is no test: what became of loading the program is yet to be heard
        record = next(records, {})
        if "broken" in record:
            return _broken(record["broken"])
        if "done" not in record:
            return None
    return results, {"execution time": spent_s}


def _raised(results: list[Any], error: object, given: object, expected: object) -> Outcome:
    slow = "timeoutexception" in str(error).lower()
    code = -3 if slow else -4
    return [*results, code], {
        "error": str(error),
        "error_code": code,
        "error_message": "Time Limit Exceeded" if slow else "Runtime Error",
        "inputs": shortened(given),
        "expected": shortened(expected),
    }


def _wrong_lines(output: str, expected: Any) -> str | None:
    """Their words for what is wrong with the output; None: it is right."""
    lines, answer = _lines(output), _lines(expected)
    if len(lines) != len(answer):
        return "Wrong answer: mismatched output length"
    for number, (line, wanted) in enumerate(zip(lines, answer, strict=True)):
        if line == wanted:
            continue
        numbers, wanted_numbers = _decimals(line), _decimals(wanted)
        if numbers is None or wanted_numbers is None or numbers != wanted_numbers:
            return (
                f"Wrong answer at output_line_idx={number}: "
                f"{shortened(line)} != {shortened(wanted)}"
            )
    return None


def _lines(text: Any) -> list[str]:
    return [line.strip() for line in text.strip().split("\n")]


def _decimals(line: str) -> list[decimal.Decimal] | None:
    try:
        return [decimal.Decimal(word) for word in line.split()]
    except ArithmeticError:
        return None


def _only_item(value: Any) -> Any:
    """The item of an array that has one; None: it has more, or none."""
    body = value["ndarray"]
    while isinstance(body, list):
        if len(body) != 1:
            return None
        body = body[0]
    return body


def _seconds(record: Mapping[str, Any]) -> float:
    spent_s = record.get("spent_s")
    return float(spent_s) if isinstance(spent_s, (int, float)) else 0.0


def shortened(value: object) -> str:
    """What is shown, cut in the middle where it is over 300 characters."""
    try:
        text = value if isinstance(value, str) else str(value)
    except ValueError:  # Python's bound on the digits of an integer, which theirs is above
        text = f"<{type(value).__name__} with more digits than are shown>"
    return text if len(text) <= 300 else text[:150] + "...(truncated) ..." + text[-150:]
