"""Requests as users write them → `model.Submission` and `model.RunRequest`.

The keyword conveniences of both clients: tests as plain pairs, a `Problem` in place of its id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scalebox.errors import BadRequestError
from scalebox.model import (
    AssertTests,
    Blob,
    CallTests,
    InteractiveTests,
    Limits,
    OutputTests,
    Problem,
    RunRequest,
    StdioCase,
    StdioTests,
    Submission,
)

_KINDS = "StdioTests, InteractiveTests, CallTests, AssertTests, OutputTests"


def make_submission(submission: Submission | None, fields: dict[str, Any]) -> Submission:
    """A submission given as such, or by its fields.

    Parameters:
        submission: the submission; None: `fields` describes it.
        fields: the attributes of `Submission`; `tests` may also be (input, answer) pairs,
            `problem` a `Problem`, whose limits those in `limits` override, and bytes may stand for
            a `Blob` of them.  With `OutputTests` there is neither language nor source.

    Raises:
        BadRequestError: neither or both are given, or a field is unknown or missing.
    """
    if submission is not None:
        if fields:
            raise BadRequestError(
                f"give a Submission or its fields, not both (fields: {', '.join(fields)})"
            )
        if not isinstance(submission, Submission):
            raise BadRequestError(
                f"expected a scalebox.Submission, got {type(submission).__name__}; build one, or "
                "pass its fields by keyword: judge(language=…, source=…, tests=…)"
            )
        return submission
    fields = dict(fields)
    if isinstance(problem := fields.get("problem"), Problem):
        if fields.get("tests") is not None:
            raise BadRequestError("give either `tests` or `problem`, not both", field="problem")
        del fields["problem"]
        fields["tests"] = problem.tests
        fields["limits"] = merge_limits(problem.limits, fields.get("limits", Limits()))
    tests = fields.get("tests")
    if tests is not None and not isinstance(
        tests, StdioTests | InteractiveTests | CallTests | AssertTests | OutputTests
    ):
        fields["tests"] = _tests_of_pairs(tests)
    if isinstance(tests, OutputTests):
        fields = {"language": "", "source": ""} | fields
    _take_bytes(fields)
    try:
        return Submission(**fields)
    except TypeError as error:
        raise BadRequestError(f"this is no submission: {error}") from error


def make_run_request(request: RunRequest | None, fields: dict[str, Any]) -> RunRequest:
    """A run request given as such, or by its fields; raises as `make_submission` does."""
    if request is not None:
        if fields:
            raise BadRequestError(
                f"give a RunRequest or its fields, not both (fields: {', '.join(fields)})"
            )
        if not isinstance(request, RunRequest):
            raise BadRequestError(
                f"expected a scalebox.RunRequest, got {type(request).__name__}; build one, or pass "
                "its fields by keyword: run(language=…, source=…)"
            )
        return request
    fields = dict(fields)
    _take_bytes(fields)
    try:
        return RunRequest(**fields)
    except TypeError as error:
        raise BadRequestError(f"this is no run request: {error}") from error


def merge_limits(base: Limits, over: Limits) -> Limits:
    """`over` where it says something, else `base`."""
    merged = {}
    for name in Limits.__struct_fields__:
        given = getattr(over, name)
        merged[name] = given if given is not None else getattr(base, name)
    return Limits(**merged)


def _take_bytes(fields: dict[str, Any]) -> None:
    if "stdin" in fields:
        fields["stdin"] = _data(fields["stdin"])
    if isinstance(files := fields.get("files"), dict):
        fields["files"] = {path: _data(content) for path, content in files.items()}


def _data(value: Any) -> Any:
    return Blob(data=value) if isinstance(value, bytes) else value


def _tests_of_pairs(pairs: Any) -> StdioTests:
    if not isinstance(pairs, Iterable) or isinstance(pairs, str | bytes | dict):
        raise BadRequestError(
            f"tests are {_KINDS} or a list of (input, answer) pairs; "
            f"this is a {type(pairs).__name__}",
            field="tests",
        )
    cases = []
    for position, pair in enumerate(pairs):
        if isinstance(pair, StdioCase):
            cases.append(pair)
        elif isinstance(pair, tuple | list) and len(pair) == 2:
            cases.append(StdioCase(input=_data(pair[0]), answer=_data(pair[1])))
        else:
            raise BadRequestError(
                f"tests are {_KINDS} or a list of (input, answer) pairs; "
                f"this entry is {pair!r:.80}",
                field=f"tests[{position}]",
            )
    return StdioTests(cases=cases)
