"""NeMo-Gym's resources server for code: `POST /verify`, a model's response and its unit tests.

The messages are those of NVIDIA-NeMo/Gym:resources_servers/code_gen/app.py: the request comes back
with a reward and what led to it.  Tests are in LiveCodeBench's form (standard input and output, or
calls of `fn_name` with a line of JSON an argument); `result` has its numbers and stops at the first
test that fails, as there.  The rules of comparison are its as well (lib: lcb_integration/
testing_util.py): lines without the space around them, and numbers by value, those with a fraction
within a millionth.

Programs are run as programs: standard input and output are real (NVIDIA-NeMo/Gym#2824 and #2508 are
about stand-ins for them), integers of any length can be printed, and numbers that a call returns
may differ in their last places.  A failure of ours is a failure of the request, never a reward.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
import zlib
from typing import Any

import anyio.to_thread
from aiohttp import web
from msgspec import Struct

from scalebox.api.compat import inside, serving
from scalebox.api.compat.serving import Deadline, Protocol
from scalebox.errors import BadRequestError, TooLargeError
from scalebox.extraction import extract_code
from scalebox.model import (
    CallCase,
    CallTests,
    Comparison,
    FunctionJudge,
    Report,
    StdioCase,
    StdioTests,
    Submission,
    Verdict,
)
from scalebox.rewards import reward_of

#: Of a test, as resources_servers/code_gen/configs/code_gen.yaml has it.
_UNIT_TEST_TIMEOUT_S = 10.0
_TOLERANCE = 1e-6
#: Of answers that have no number with a fraction: whole numbers are compared exactly.
#: More is looked at in a worker thread.
_LARGE_CHARACTERS = 64 << 10
_JUDGE = Comparison(mode="lines", case_sensitive=True, float_absolute_tolerance=0.0)

#: What LiveCodeBench puts before every program (lcb_runner/evaluation/testing_util.py), in one line
#: so that the others keep their distance; and what NeMo-Gym's copy of it allows besides.
_PREAMBLE = (
    "from string import *; from re import *; from datetime import *; from collections import *; "
    "from heapq import *; from bisect import *; from copy import *; from math import *; "
    "from random import *; from statistics import *; from itertools import *; "
    "from functools import *; from operator import *; from io import *; from sys import *; "
    "from json import *; from builtins import *; from typing import *; "
    "import string, re, datetime, collections, heapq, bisect, copy, math, random, statistics, "
    "itertools, functools, operator, io, sys, json; "
    "sys.setrecursionlimit(50000); "
    "getattr(sys, 'set_int_max_str_digits', lambda digits: None)(0)"
)

#: Of the others.  A tolerance of `Comparison` would hold for whole numbers, too.
_FLOAT_JUDGE = FunctionJudge(source=inside.source("float_lines"))
_FRACTION = re.compile(r"\d\.|\.\d|\d[eE][-+]?\d")
#: Of bytes of packed tests, however small they were packed.
_MOST_PACKED_BYTES = 256 << 20

_CODES = {
    Verdict.ACCEPTED: True,
    Verdict.WRONG_ANSWER: -2,
    Verdict.TIME_LIMIT_EXCEEDED: -3,
}
_RUNTIME_ERROR = -4


class UnitTests(Struct, kw_only=True):
    """Tests in LiveCodeBench's form.

    Attributes:
        inputs, outputs: one a test.
        fn_name: the function to call; None: the program reads and writes.
        packed: in place of both: base64 of zlib of JSON with `inputs` and `outputs`.
    """

    inputs: list[str] = []
    outputs: list[str] = []
    fn_name: str | None = None
    packed: str | None = None


class Metadata(Struct, kw_only=True):
    """What belongs to a problem."""

    unit_tests: UnitTests | None = None
    difficulty: Any = None


class Verify(Struct, kw_only=True):
    """What is looked at of the body of `/verify`; all of it is given back."""

    response: Any = None
    verifier_metadata: Metadata | None = None


async def verify(request: web.Request) -> web.StreamResponse:
    """`POST /verify`: a reward of 0 or 1 for one response."""
    deadline = Deadline()
    document = await serving.read(request, dict[str, Any], nulls=True)
    wanted = serving.fit(document, Verify)
    metadata = wanted.verifier_metadata or Metadata()
    answer = {
        **document,
        "reward": 0.0,
        "extracted_model_output": None,
        "extracted_model_code": None,
        "result": None,
        "metadata": None,
        "unit_tests_time_taken": None,
        "reasoning_format_violation_rate": 0.0,
        "difficulty": metadata.difficulty,
    }
    text = _output_text(wanted.response)
    if not text.strip():
        return serving.answer(answer)
    answer["extracted_model_output"] = text
    tests = await anyio.to_thread.run_sync(_tests, metadata.unit_tests)
    if len(text) > _LARGE_CHARACTERS:
        code = await anyio.to_thread.run_sync(lambda: extract_code(text, language="python"))
    else:
        code = extract_code(text, language="python")
    if not code:
        return serving.answer(answer)
    answer["extracted_model_code"] = code
    began_s = time.monotonic()
    report = await serving.judge(request, deadline, _submission(request, code, tests))
    answer["unit_tests_time_taken"] = time.monotonic() - began_s
    answer["reward"] = reward_of(report)
    answer["result"], answer["metadata"] = _result(report)
    return serving.answer(answer)


def _output_text(response: Any) -> str:
    """`output_text` of the Responses API: the texts of the assistant's messages, together.

    It is no field of the JSON but a property of the client's class (PyPI's openai:
    openai/types/responses/response.py).
    """
    messages = [item for item in _items(response, "output") if _is(item, "message")]
    parts = [part for message in messages for part in _items(message, "content")]
    texts = [part.get("text") for part in parts if _is(part, "output_text")]
    return "".join(text for text in texts if isinstance(text, str))


def _is(item: Any, kind: str) -> bool:
    return isinstance(item, dict) and item.get("type") == kind


def _items(holder: Any, name: str) -> list[Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []


def _tests(sent: UnitTests | None) -> StdioTests | CallTests:
    """The tests as this daemon has them.

    Raises:
        BadRequestError: they are none, or cannot be read.
        TooLargeError: they are packed, and too many.
    """
    place = "verifier_metadata.unit_tests"
    if sent is None:
        raise BadRequestError("there are no unit tests", field=place)
    inputs, outputs = sent.inputs, sent.outputs
    if sent.packed is not None:
        unpacked = serving.fit(_unpacked(sent.packed, f"{place}.packed"), UnitTests)
        inputs, outputs = unpacked.inputs, unpacked.outputs
    if len(inputs) != len(outputs) or not inputs:
        raise BadRequestError(
            f"{len(inputs)} inputs and {len(outputs)} outputs; there must be as many of both, and "
            "one at least: else everything would be right", field=place,
        )  # fmt: skip
    pairs = list(zip(inputs, outputs, strict=True))
    if sent.fn_name is None:
        return StdioTests(cases=[_stdio(*pair) for pair in pairs], judge=_JUDGE)
    cases = []
    for number, (arguments, expected) in enumerate(pairs):
        try:
            args = [json.loads(line) for line in arguments.split("\n")]
            cases.append(CallCase(args=args, expected=json.loads(expected)))
        except (ValueError, RecursionError):
            raise BadRequestError(
                f"test {number} is no call: its input holds a line of JSON an argument, its "
                "output the JSON of what is returned", field=place,
            ) from None  # fmt: skip
    return CallTests(
        function=sent.fn_name,
        cases=cases,
        float_absolute_tolerance=_TOLERANCE,
        float_relative_tolerance=_TOLERANCE,
    )


def _stdio(text: str, answer: str) -> StdioCase:
    judge = _FLOAT_JUDGE if _FRACTION.search(answer) else None
    return StdioCase(input=text, answer=answer, judge=judge)


def _unpacked(packed: str, place: str) -> Any:
    try:
        inflate = zlib.decompressobj()
        text = inflate.decompress(base64.b64decode(packed), _MOST_PACKED_BYTES)
        if inflate.unconsumed_tail:
            raise TooLargeError(
                f"these tests are more than {_MOST_PACKED_BYTES} bytes", field=place
            )
        return json.loads(text)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        raise BadRequestError("this is not base64 of zlib of JSON", field=place) from None


def _submission(request: web.Request, code: str, tests: StdioTests | CallTests) -> Submission:
    preamble = _PREAMBLE
    if isinstance(tests, CallTests):
        # Else whoever is asked for `add` has `operator.add` without a word of their own.
        preamble += f"; globals().pop({tests.function!r}, None)"
    # What asks for the future must come first, and parts with the names that are customary.
    source = code if "__future__" in code else f"{preamble}\n{code}"
    return Submission(
        language="python",
        source=source,
        tests=tests,
        limits=serving.limits(request, cpu_time_s=_UNIT_TEST_TIMEOUT_S),
    )


def _result(report: Report) -> tuple[list[int], dict[str, Any]]:
    """LiveCodeBench's numbers up to the first test that fails, and words for that one."""
    codes: list[int] = []
    for case in report.cases:
        codes.append(_CODES.get(case.verdict, _RUNTIME_ERROR))
        if case.verdict is not Verdict.ACCEPTED:
            words = case.message or case.verdict.value
            return codes, {"error_code": codes[-1], "error_message": words}
    if report.verdict is Verdict.ACCEPTED:
        return codes, {}
    words = report.message or report.verdict.value
    return [_RUNTIME_ERROR], {"error_code": _RUNTIME_ERROR, "error_message": words}


PROTOCOL = Protocol("nemo_gym", (("POST", "/verify", verify),), serving.unprocessable)
