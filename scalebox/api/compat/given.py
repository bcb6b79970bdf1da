"""Tests as `provided_data.test_cases` gives them, and what else a request says about its judging.

Three types, as icip-cas/ScaleBox:sandbox/server/online_judge_api.py has them: `stdin_stdout`,
`function_call`, and `assert`.  Answers are compared as that server means it, without what it gets
wrong (sandbox/utils/testing.py there): it compares lines up to the shorter text's end, and takes
1000000008 for 1000000007.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from scalebox.api.compat import closing, functions
from scalebox.api.compat.evaluation import Task, Wanted
from scalebox.errors import BadRequestError
from scalebox.extraction import language_of_word
from scalebox.model import (
    AssertCase,
    AssertTests,
    CallCase,
    CallTests,
    Comparison,
    Judge,
    NamedJudge,
    ProgramJudge,
    StdioCase,
    StdioTests,
)

#: SandboxFusion's names for languages that are not among a language's own here.
_LANGUAGES = {
    "d_ut": "d", "go_test": "go", "pytest": "python", "jest": "typescript", "junit": "java",
}  # fmt: skip
#: The tolerance of that server's comparison, where the answer is no integer.
_TOLERANCE = 1e-5
#: An integer with so few digits is told apart from the next one in spite of the tolerance.
_SAFE_DIGITS = 5
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MOST_LANGUAGE = 64
_MOST_NAME = 200
_MODULES = (
    "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random",
    "statistics", "itertools", "functools", "operator", "io", "sys", "json",
)  # fmt: skip
#: What LiveCodeBench's runner, and those that follow it, put before a program
#: (LiveCodeBench/LiveCodeBench:lcb_runner/evaluation/testing_util.py).
PREAMBLE = "".join(
    [
        *(f"from {module} import *\n" for module in (*_MODULES, "builtins", "typing")),
        *(f"import {module}\n" for module in _MODULES),
        "sys.setrecursionlimit(6 * 10**5)\n",
    ]
)
#: What SandboxFusion puts before functions that are tested by asserts, numpy's two names but where
#: they are used (bytedance/SandboxFusion:sandbox/utils/helpers.py, `IMPORT_HELPER`).
_ASSERT_PREAMBLE = "".join(
    f"{line}\n"
    for line in (
        "import math, re, sys, copy, datetime, itertools, collections, heapq, statistics",
        "import functools, hashlib, string",
        "from typing import *",
        "from collections import *",
    )
)
_NUMPY = "import numpy\nimport numpy as np\n"
_CPP_PREAMBLE = "#include <bits/stdc++.h>\nusing namespace std;\n"


def language_of(wanted: Wanted) -> str:
    """The program's language.

    Raises:
        BadRequestError: the request names none.
    """
    if not wanted.language:
        raise BadRequestError("config.language field must exist, got None", field="config.language")
    return known_language(wanted.language)


def known_language(name: str) -> str:
    """A language by a name that a daemon knows.

    Raises:
        BadRequestError: it is too long to be one.
    """
    if len(name) > _MOST_LANGUAGE:
        raise BadRequestError("expected the name of a language", field="config.language")
    return _LANGUAGES.get(name.lower(), name)


def is_python(language: str) -> bool:
    """Whether a language is Python, by any of its names."""
    return language.lower() in ("python", "python3", "py", "py3", "cpython")


def task_of(wanted: Wanted) -> Task:
    """What `provided_data` asks for.

    Raises:
        BadRequestError: it is not understood.
    """
    language, data = language_of(wanted), wanted.provided_data
    if not isinstance(data, dict):
        raise BadRequestError("expected an object", field="config.provided_data")
    place = "config.provided_data.test_cases"
    cases = data.get("test_cases")
    if cases is None and "test" in data:
        return stdio_task(language, data["test"], wanted, "config.provided_data.test")
    if isinstance(cases, dict):
        if cases.get("type") == "assert":
            return _assert_task(language, cases, place)
        cases = _one_by_one(cases, place)
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise BadRequestError("expected test cases", field=place)
    if not cases:
        raise BadRequestError("there are no test cases", field=place)
    kind = cases[0].get("type") or ("function_call" if cases[0].get("fn_name") else "stdin_stdout")
    if kind == "stdin_stdout":
        pairs = [
            (_text(case.get("input"), f"{place}.input[{index}]"),
             _text(case.get("output"), f"{place}.output[{index}]"))
            for index, case in enumerate(cases)
        ]  # fmt: skip
        return Task(language, _stdio(pairs, wanted), run_timeout_s=_stdio_limit_s(language))
    if kind == "function_call":
        return call_task(language, cases, place)
    raise BadRequestError(
        f"unknown type {str(kind)[:100]!r}; there are stdin_stdout, function_call and assert",
        field=f"{place}.type",
    )


def _one_by_one(cases: dict[str, Any], place: str) -> list[dict[str, Any]]:
    inputs, outputs = cases.get("input"), cases.get("output")
    if not isinstance(inputs, list) or not isinstance(outputs, list):
        raise BadRequestError("expected the lists `input` and `output`", field=place)
    if len(inputs) != len(outputs):
        raise BadRequestError(
            f"{len(inputs)} inputs, but {len(outputs)} outputs", field=f"{place}.output"
        )
    common = {name: cases.get(name) for name in ("type", "fn_name", "json_input")}
    return [
        {**common, "input": one, "output": other}
        for one, other in zip(inputs, outputs, strict=True)
    ]


def stdio_task(language: str, tests: Any, wanted: Wanted, place: str) -> Task:
    """Tests as SandboxFusion's rows have them: `{"input": {"stdin"}, "output": {"stdout"}}`.

    Raises:
        BadRequestError: they are not that.
    """
    if isinstance(tests, str):
        tests = from_json(tests, place)
    if not isinstance(tests, list) or not tests:
        raise BadRequestError("expected a list of tests", field=place)
    pairs = [
        (_stream(case, "input", "stdin", f"{place}[{index}]"),
         _stream(case, "output", "stdout", f"{place}[{index}]"))
        for index, case in enumerate(tests)
    ]  # fmt: skip
    return Task(language, _stdio(pairs, wanted), run_timeout_s=_stdio_limit_s(language))


def _stream(case: Any, side: str, name: str, place: str) -> str:
    files = case.get(side) if isinstance(case, dict) else None
    if not isinstance(files, dict) or name not in files:
        raise BadRequestError(f"expected {side}.{name}", field=place)
    if len(files) > 1:
        raise BadRequestError(
            f"tests with files beside {name} are not judged here", field=f"{place}.{side}"
        )
    return _text(files[name], f"{place}.{side}.{name}")


def stdio_pairs(pairs: Sequence[tuple[Any, Any]], wanted: Wanted, place: str) -> StdioTests:
    """Tests of inputs and outputs, each a text or a list of lines.

    Raises:
        BadRequestError: they are something else.
    """
    texts = [
        (_text(one, f"{place}.inputs[{index}]"), _text(other, f"{place}.outputs[{index}]"))
        for index, (one, other) in enumerate(pairs)
    ]
    return _stdio(texts, wanted)


def _stdio(pairs: Sequence[tuple[str, str]], wanted: Wanted) -> StdioTests:
    judge = _special_judge(wanted)
    if judge is not None:
        cases = [StdioCase(input=one, answer=other) for one, other in pairs]
        return StdioTests(cases=cases, judge=judge)
    return StdioTests(
        cases=[StdioCase(input=one, answer=other, judge=_comparison(other)) for one, other in pairs]
    )


def _stdio_limit_s(language: str) -> float:
    """The server's default: 10 s for languages that are compiled, 20 s for others."""
    return 20.0 if language.lower() in ("python", "javascript", "nodejs", "js", "bash") else 10.0


def _comparison(answer: str) -> Judge | None:
    """How an answer is compared; None: as tokens, the default.

    Tokens that are numbers, but no integers, are compared within the tolerance.  Integers never
    are: where one beside them is so large that the tolerance reaches the next, a judge that ships
    decides, which knows the difference.
    """
    if "." not in answer and "e" not in answer and "E" not in answer:
        return None
    tokens = answer.split()
    integers = [one for one in tokens if _INTEGER.fullmatch(one)]
    decimals = sum(_DECIMAL.fullmatch(one) is not None for one in tokens)
    if decimals == len(integers):
        return None
    if all(len(one.lstrip("+-")) <= _SAFE_DIGITS for one in integers):
        return Comparison(float_relative_tolerance=_TOLERANCE)
    if decimals == len(tokens):
        return NamedJudge(name="numbers", parameters={"absolute": 0.0, "relative": _TOLERANCE})
    return None


def _special_judge(wanted: Wanted) -> ProgramJudge | None:
    program = wanted.setting("special_judge_program")
    if not program:
        return None
    language = wanted.setting("special_judge_language") or "python"
    if not isinstance(program, str) or not isinstance(language, str):
        raise BadRequestError("expected text", field="config.extra.special_judge_program")
    # That server's judges find three files beside them.  Checkers for testlib are given names.
    testlib = "testlib.h" in program
    return ProgramJudge(
        contract="testlib" if testlib else "scalebox",
        language=known_language(language),
        source=program,
    )


def call_task(language: str, cases: list[dict[str, Any]], place: str) -> Task:
    """Calls of one function.

    Parameters:
        language: of the program.
        cases: `fn_name`, the list `input`, the list `output` that holds one value; with
            `json_input` both are JSON in texts, an argument a line.
        place: of the cases, for messages.

    Raises:
        BadRequestError: they are not that.
    """
    name = cases[0].get("fn_name")
    if not isinstance(name, str) or not 0 < len(name) <= _MOST_NAME:
        raise BadRequestError("expected the name of a function", field=f"{place}.fn_name")
    made = []
    for index, case in enumerate(cases):
        if case.get("fn_name") != name:
            raise BadRequestError("all cases must name one function", field=f"{place}.fn_name")
        made.append(_call(case, f"{place}.input[{index}]", f"{place}.output[{index}]"))
    kind = language_of_word(language)
    whole = _whole_solution if is_python(language) else functions.whole(kind)
    if kind in functions.ASSERTED:
        return Task(language, functions.asserts(kind, name, made, place), whole=whole)
    return Task(language, CallTests(function=name, cases=made), whole=whole)


def _call(case: dict[str, Any], input_place: str, output_place: str) -> CallCase:
    args, output = case.get("input"), case.get("output")
    if case.get("json_input") is True and isinstance(args, str):
        args = [from_json(line, input_place) for line in args.split("\n")]
        output = [from_json(output, output_place)]
    if not isinstance(args, list):
        raise BadRequestError("expected a list of arguments", field=input_place)
    if isinstance(output, list):
        if not output:
            raise BadRequestError("expected a list that holds the value", field=output_place)
        output = output[0]
    return CallCase(args=args, expected=output)


def _whole_solution(code: str) -> str:
    """A solution in a `class Solution` counts on what its site imports."""
    return with_preamble(code) if "class Solution" in code else code


def with_preamble(code: str, preamble: str = PREAMBLE) -> str:
    """A program behind a preamble, and that behind the program's imports from `__future__`."""
    lines = code.splitlines(keepends=True)
    future = [number for number, line in enumerate(lines) if line.startswith("from __future__ ")]
    first = future[-1] + 1 if future else 0
    return "".join(lines[:first]) + preamble + "".join(lines[first:])


def _assert_task(language: str, cases: dict[str, Any], place: str) -> Task:
    # HumanEval's rows say `test`, MultiPL-E's `tests`.
    name = "tests" if "tests" in cases else "test"
    program, entry_point = cases.get(name), cases.get("entry_point")
    if not isinstance(program, str):
        raise BadRequestError("expected a test program", field=f"{place}.{name}")
    if entry_point is not None and not isinstance(entry_point, str):
        raise BadRequestError("expected text", field=f"{place}.entry_point")
    return assert_task(language, [program], entry_point)


def assert_task(language: str, programs: list[str], entry_point: str | None) -> Task:
    """Tests that are programs.

    Parameters:
        language: of both.
        programs: run after the submission, each for itself.
        entry_point: the function that Python's `check` is called with.

    Raises:
        BadRequestError: the name of the function is none.
    """
    python = is_python(language)
    if entry_point is not None and not 0 < len(entry_point) <= _MOST_NAME:
        raise BadRequestError("expected the name of a function", field="entry_point")
    tests = AssertTests(
        cases=[AssertCase(program=one) for one in programs],
        entry_point=entry_point if python else None,
    )
    if python:
        return Task(language, tests, whole=_with_imports, run_timeout_s=20.0)
    closed = min(closing.closed_by(one) for one in programs)
    cpp = language.lower() in ("cpp", "c++")

    def whole(code: str) -> str:
        code = closing.left_open(code, closed)
        return _CPP_PREAMBLE + code if cpp and "#include" not in code else code

    return Task(language, tests, whole=whole, run_timeout_s=20.0)


def _with_imports(code: str) -> str:
    numpy = _NUMPY if "numpy" in code or "np." in code else ""
    return with_preamble(code, _ASSERT_PREAMBLE + numpy)


def from_json(text: Any, place: str) -> Any:
    """A value in a text.

    Raises:
        BadRequestError: it is not JSON, or has more digits or depth than anybody needs.
    """
    if not isinstance(text, str):
        raise BadRequestError("expected JSON in a text", field=place)
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BadRequestError(f"not valid JSON: {str(error)[:200]}", field=place) from None


def _text(value: Any, place: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "\n".join(value)
    raise BadRequestError("expected text", field=place)
