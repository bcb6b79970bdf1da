"""Ground truths as data sets have them → tests: what a rollout is judged by.

A ground truth is the trainer's own data, not the model's.  Its forms differ by data set and trainer
(`truth_of` lists them); what one does not say is not guessed, and what would accept every program
is refused, because its reward would teach nothing but mistakes.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from scalebox.errors import BadRequestError
from scalebox.model import (
    AssertCase,
    AssertTests,
    CallCase,
    CallTests,
    InteractiveTests,
    Limits,
    OutputTests,
    Problem,
    StdioCase,
    StdioTests,
    Tests,
)

#: The texts that were read last: the rollouts of a group share theirs.  Larger ones are read anew.
_REMEMBERED = 64
_REMEMBERED_CHARACTERS = 1 << 20
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}\Z")
_OF_OUR_OWN = StdioTests | CallTests | AssertTests | InteractiveTests | OutputTests
#: What a test program in some language does to reject anything; a number, say, accepts all.
_DECIDING = re.compile(r"assert|raise|check|test|expect|equal|exit|panic|throw|die", re.IGNORECASE)
#: Columns of rows that hold the ground truth.
_COLUMNS = ("ground_truth", "verification_info", "reward_model", "reward_spec")
#: Columns by which a whole row is told to be one: those that stand for nothing else elsewhere.
_ROWS = (
    {"inputs", "outputs"},
    {"input_output"},
    {"test_cases"},
    {"unit_tests"},
    {"test_list"},
    {"test", "entry_point"},
    {"tests"},
)


class Truth(Struct, frozen=True, kw_only=True):
    """What a rollout is judged by.

    Attributes:
        tests: the tests; or
        problem: the id of a registered problem.
        limits: that the ground truth states.
        plain: the tests say nothing of a judge, so another comparison may take its place.
    """

    tests: Tests | None = None
    problem: str | None = None
    limits: Limits = Limits()
    plain: bool = False


def truth_of(given: Any) -> Truth:
    """Read a ground truth.

    Parameters:
        given: one of
            - tests or a `Problem` of ours, as they are or as JSON;
            - `{"problem": ID}`, or the id alone: a registered problem;
            - `{"inputs", "outputs", "fn_name"?, "assert_case"?}` of APPS, TACO, PRIME and verl;
              `{"input", "output", "fn_name", "type"}` of ScaleBox's verl integration;
              `{"input_output": …}`, `{"test_cases": …}` and `{"unit_tests": …}` around one of these
              or of the next;
            - `[{"input", "output", "testtype"?, "fn_name"?, "metadata"?}, …]` of LiveCodeBench,
              DeepCoder, open-r1 and SYNTHETIC-1;
            - `[ASSERT, …]`, or `{"test_list": …, "test_setup_code"?, "test_imports"?}` of MBPP;
            - `{"test": …, "entry_point": …}` of HumanEval;
            - a text: JSON (or a literal of Python) of one of these, else a program of asserts.

    With `fn_name`, what stands in inputs and outputs is read as the data sets mean it.  In texts
    each line of an input is an argument in JSON, and the output is a value in JSON (PRIME,
    LiveCodeBench).  In lists (APPS, TACO) an input is the list of arguments; if every output of the
    problem is a list of one, its element is the value, else the output itself is.

    Raises:
        BadRequestError: it is none of these, holds no case, or would accept any program.
    """
    try:
        return _of_data(_plain(given))
    except (KeyError, TypeError, ValueError, RecursionError, msgspec.ValidationError) as error:
        raise BadRequestError(
            f"this ground truth cannot be read: {type(error).__name__}: {error!s:.300}",
            field="ground_truth",
        ) from error


def truth_in_row(row: Mapping[str, Any], column: str | None = None) -> Any:
    """The ground truth in a data set's row, as `truth_of` takes it; None: the row has none.

    Parameters:
        row: column → value.
        column: which one it is; None: one of the customary names, else the row as a whole.
    """
    if column is not None:
        return row.get(column)
    for name in _COLUMNS:
        if (value := row.get(name)) is not None:
            value = _plain(value)
            if isinstance(value, Mapping) and "ground_truth" in value:
                return value["ground_truth"]
            return value
    found = {name: value for name, value in row.items() if value is not None}
    for marks in _ROWS:
        if marks <= found.keys():
            kept = marks | {"fn_name", "limits", "test_setup_code", "test_imports", "assert_case"}
            return {name: value for name, value in found.items() if name in kept}
    return None


def _of_text(text: str) -> Truth:
    return _remembered(text) if len(text) <= _REMEMBERED_CHARACTERS else _read(text)


def _read(text: str) -> Truth:
    bare = text.strip()
    if bare[:1] in ("{", "["):
        return _of_data(_decoded(bare))
    if _IDENTIFIER.match(bare) and not bare.isdecimal():
        return Truth(problem=bare)
    return _of_asserts([text])


def _decoded(text: str) -> Any:
    """JSON; or a literal of Python, as PrimeIntellect's verifiable-coding-problems have it."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError):
            raise _refusal(f"a text that begins like JSON and is none: {error}") from None


_remembered = lru_cache(maxsize=_REMEMBERED)(_read)


def _of_data(data: Any) -> Truth:
    if isinstance(data, Problem):
        return Truth(tests=data.tests, limits=data.limits)
    if isinstance(data, _OF_OUR_OWN):
        return _checked(data, plain=False)
    if isinstance(data, str):
        return _of_text(data)
    if isinstance(data, Mapping):
        reader = _reader_of(data)
        if reader is not None:
            return reader(data)
        raise _refusal(f"an object with the fields {', '.join(map(str, data))!s:.200}")
    if isinstance(data, Sequence):
        return _of_list(data)
    raise _refusal(f"a {type(data).__name__}")


def _reader_of(row: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Truth] | None:
    return next((read for marks, read in _READERS if marks <= row.keys()), None)


def _of_list(items: Sequence[Any]) -> Truth:
    if not items:
        raise _refusal("a list without any case")
    if all(isinstance(item, str) for item in items):
        return _of_asserts(items)
    first = items[0]
    if not all(isinstance(item, Mapping) and {"input", "output"} <= item.keys() for item in items):
        raise _refusal("a list whose elements are neither asserts nor pairs of input and output")
    metadata = _plain(first.get("metadata"))
    metadata = json.loads(metadata) if isinstance(metadata, str) and metadata else metadata or {}
    function = first.get("fn_name") or metadata.get("func_name")
    kinds = {item.get("testtype") or item.get("type") for item in items}
    if len(kinds) > 1:
        raise _refusal(f"cases of several kinds: {', '.join(sorted(map(str, kinds)))}")
    if kinds & {"functional", "function_call"} and not function:
        raise _refusal("cases that call a function whose name (fn_name) is not there")
    if kinds & {"stdin", "stdin_stdout"}:
        function = None
    inputs, outputs = [item["input"] for item in items], [item["output"] for item in items]
    return _of_pairs(inputs, outputs, function)


def _of_pairs(inputs: Any, outputs: Any, function: str | None) -> Truth:
    inputs, outputs = _plain(inputs), _plain(outputs)
    if not isinstance(inputs, list) or not isinstance(outputs, list):
        raise _refusal("inputs and outputs that are no lists")
    if len(inputs) != len(outputs):
        raise _refusal(f"{len(inputs)} inputs, but {len(outputs)} outputs")
    if function:
        values = _values(inputs, outputs)
        calls = [
            CallCase(kwargs=given, expected=value)
            if isinstance(given := _arguments(one), dict)
            else CallCase(args=given, expected=value)
            for one, value in zip(inputs, values, strict=True)
        ]
        return _checked(
            CallTests(function=function.removeprefix("Solution()."), cases=calls), plain=False
        )
    cases = [
        StdioCase(input=_lines(one), answer=_lines(answer))
        for one, answer in zip(inputs, outputs, strict=True)
    ]
    return _checked(StdioTests(cases=cases), plain=True)


def _arguments(given: Any) -> Any:
    if isinstance(given, str):
        return [json.loads(line) for line in given.split("\n") if line.strip()]
    return given if isinstance(given, list | dict) else [given]


def _values(inputs: list[Any], outputs: list[Any]) -> list[Any]:
    if all(isinstance(one, str) for one in inputs):
        return [_value(output) for output in outputs]
    if all(isinstance(output, list) and len(output) == 1 for output in outputs):
        return [output[0] for output in outputs]
    return outputs


def _value(output: Any) -> Any:
    try:
        return json.loads(output) if isinstance(output, str) else output
    except json.JSONDecodeError:
        # A text that was not quoted.
        return output


def _lines(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_lines(line) for line in value)
    return "" if value is None else str(value)


def _of_asserts(
    programs: Sequence[Any], *, head: str = "", entry_point: str | None = None
) -> Truth:
    cases = []
    for program in programs:
        if not isinstance(program, str):
            raise _refusal(f"a test program that is a {type(program).__name__}")
        if entry_point is None and (what := _never_called(program)):
            raise _refusal(f"a test program that defines {what} and never calls it")
        if _DECIDING.search(program) is None:
            raise _refusal("a test program that asserts nothing")
        cases.append(AssertCase(program=f"{head}{program}"))
    return _checked(AssertTests(cases=cases, entry_point=entry_point), plain=False)


def _never_called(program: str) -> str | None:
    """What in a test program holds the asserts, if they are never reached."""
    lines = program.splitlines()
    tests = [line for line in lines if line.startswith(("def test", "def check", "class Test"))]
    bodies = ("def ", "class ", " ", "\t", "#", "import ", "from ", "@", ")", "async def ")
    if tests and all(not line.strip() or line.startswith(bodies) for line in lines):
        return tests[0].partition("(")[0].rstrip(":")
    return None


def _checked(tests: Tests, *, plain: bool) -> Truth:
    if not tests.cases:
        raise _refusal("tests without any case")
    return Truth(tests=tests, plain=plain)


def _plain(value: Any) -> Any:
    """Arrays, as Parquet files have them, as lists."""
    tolist = getattr(value, "tolist", None)
    return tolist() if callable(tolist) else value


def _refusal(what: str) -> BadRequestError:
    return BadRequestError(
        f"this ground truth is {what}; docs/integrations.md lists what can be one",
        field="ground_truth",
    )


def _ours(row: Mapping[str, Any]) -> Truth:
    problem = msgspec.convert(
        {name: row[name] for name in ("tests", "limits") if name in row}, Problem
    )
    truth = _checked(problem.tests, plain=False)
    return msgspec.structs.replace(truth, limits=problem.limits)


def _tests_alone(row: Mapping[str, Any]) -> Truth:
    return _checked(msgspec.convert(row, _OF_OUR_OWN), plain=False)


def _registered(row: Mapping[str, Any]) -> Truth:
    return Truth(problem=str(row["problem"]))


def _inputs_outputs(row: Mapping[str, Any]) -> Truth:
    programs = [program for program in _plain(row.get("assert_case")) or [] if program]
    if programs:
        return _of_asserts(programs)
    return _of_pairs(row["inputs"], row["outputs"], row.get("fn_name"))


def _input_output_lists(row: Mapping[str, Any]) -> Truth:
    if row.get("type") == "assert":
        return _of_asserts([text for text in _plain(row["output"]) if text] or _plain(row["input"]))
    return _of_pairs(row["input"], row["output"], row.get("fn_name"))


def _humaneval(row: Mapping[str, Any]) -> Truth:
    return _of_asserts([row["test"]], entry_point=row["entry_point"])


def _mbpp(row: Mapping[str, Any]) -> Truth:
    imports = "\n".join(_plain(row.get("test_imports")) or [])
    parts = (imports, row.get("test_setup_code") or "")
    head = "".join(f"{part}\n" for part in parts if part).replace("\r\n", "\n")
    return _of_asserts([text.replace("\r\n", "\n") for text in _plain(row["test_list"])], head=head)


def _within(name: str) -> Callable[[Mapping[str, Any]], Truth]:
    return lambda row: _of_data(_plain(row[name]))


#: (fields that tell it, reader), the more particular first.
_READERS: tuple[tuple[frozenset[str], Callable[[Mapping[str, Any]], Truth]], ...] = (
    (frozenset({"type", "cases"}), _tests_alone),
    (frozenset({"inputs", "outputs"}), _inputs_outputs),
    (frozenset({"input", "output"}), _input_output_lists),
    (frozenset({"input_output"}), _within("input_output")),
    (frozenset({"test_cases"}), _within("test_cases")),
    (frozenset({"unit_tests"}), _within("unit_tests")),
    (frozenset({"test_list"}), _mbpp),
    (frozenset({"test", "entry_point"}), _humaneval),
    (frozenset({"asserts"}), _within("asserts")),
    (frozenset({"tests"}), lambda row: _tests_of_row(row)),
    (frozenset({"problem"}), _registered),
)


def _tests_of_row(row: Mapping[str, Any]) -> Truth:
    """A column `tests`: ours, or JSON text of any form (DeepCoder)."""
    tests = _plain(row["tests"])
    ours = isinstance(tests, Mapping) and {"type", "cases"} <= tests.keys()
    return _ours({**row, "tests": tests}) if ours else _of_data(tests)
