"""Samples of LiveCodeBench: from rows of the data set, and what is in them.

A sample is what LiveCodeBench's own code hands its checker: `{"input_output": JSON}` with `inputs`,
`outputs` and `fn_name` (LiveCodeBench/LiveCodeBench:lcb_runner/benchmarks/code_generation.py).
Private tests come as JSON, or packed: base64 of zlib of a pickled text.  That pickle is not
unpickled: of its instructions only those that make one text are read.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import pickletools
import zlib
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from scalebox.errors import BadRequestError, TooLargeError

#: Unpacked; the largest private tests of release 6 are some 60 MB.
MAX_TESTS_BYTES = 512 << 20
#: What a pickle of one text is made of.
_TEXT = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE")
_AROUND = ("PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "STOP")
#: `set_int_max_str_digits(50000)` of theirs, and Python's own bound.
_MAX_DIGITS, _DIGITS_AT_ONCE = 50_000, 4300


class Sample(Struct, frozen=True):
    """The tests of one problem.

    Attributes:
        inputs: one a test: standard input, or one JSON value a line, an argument each.
        outputs: what is expected, in the same order.
        function: that the tests call; None: they run the program.
    """

    inputs: list[Any]
    outputs: list[Any]
    function: str | None


def read(sample: Mapping[str, Any]) -> Sample:
    """The tests of a sample.

    Raises:
        BadRequestError: it is none.
    """
    try:
        tests = json.loads(sample["input_output"])
        inputs, outputs = list(tests["inputs"]), list(tests["outputs"])
        function = tests.get("fn_name")
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadRequestError(
            f"no sample of LiveCodeBench ({error!r:.200}): it has `input_output`, JSON with "
            "`inputs`, `outputs` and perhaps `fn_name`",
            field="input_output",
        ) from None
    if function is not None and not isinstance(function, str):
        raise BadRequestError("fn_name is a text or null", field="input_output")
    return Sample(inputs, outputs, function)


def sample_of_row(row: Mapping[str, Any]) -> dict[str, str]:
    """The sample of a row of `livecodebench/code_generation` or `…_lite`.

    Parameters:
        row: with `public_test_cases`, `private_test_cases` and `metadata`, as texts.

    Raises:
        BadRequestError: a field is missing or not as it should be.
        TooLargeError: the private tests unpack to more than `MAX_TESTS_BYTES`.
    """
    try:
        public = json.loads(row["public_test_cases"])
        metadata = json.loads(row.get("metadata") or "{}")
        tests = [*public, *private_tests(row["private_test_cases"])]
        text = json.dumps(
            {
                "inputs": [test["input"] for test in tests],
                "outputs": [test["output"] for test in tests],
                "fn_name": metadata.get("func_name"),
            }
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BadRequestError(f"no row of LiveCodeBench: {error!r:.200}") from None
    return {"input_output": text}


def private_tests(packed: str) -> list[Any]:
    """The private tests of a row, packed or not.

    Raises:
        BadRequestError: they are neither JSON nor packed as they should be.
        TooLargeError: they unpack to more than `MAX_TESTS_BYTES`.
    """
    try:
        tests = json.loads(packed)
    except (ValueError, RecursionError):
        tests = _unpacked(packed)
    if not isinstance(tests, list):
        raise BadRequestError("private tests are a list", field="private_test_cases")
    return tests


def _unpacked(packed: str) -> Any:
    try:
        inflater = zlib.decompressobj()
        data = inflater.decompress(base64.b64decode(packed, validate=True), MAX_TESTS_BYTES)
        if inflater.unconsumed_tail:
            raise TooLargeError(
                f"private tests unpack to more than {MAX_TESTS_BYTES} bytes",
                field="private_test_cases",
            )
        return json.loads(pickled_text(data))
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise BadRequestError(
            f"private tests are neither JSON nor base64 of zlib of a pickled text: {error!r:.200}",
            field="private_test_cases",
        ) from None


def pickled_text(data: bytes) -> str:
    """The text that is pickled there, read without a machine that could do anything else.

    Raises:
        ValueError: it is something else than one text.
    """
    text: str | None = None
    for opcode, argument, _ in pickletools.genops(io.BytesIO(data)):
        if opcode.name in _TEXT and text is None:
            text = str(argument)
        elif opcode.name not in _AROUND:
            raise ValueError(f"pickled is something else than one text ({opcode.name})")
    if text is None:
        raise ValueError("no text is pickled")
    return text


def expected_value(text: str) -> Any:
    """An expected output as JSON, with integers of as many digits as theirs may have.

    Raises:
        ValueError, RecursionError, TypeError: it is no JSON.
    """
    return json.loads(text, parse_int=_integer)


def _integer(text: str) -> int:
    digits = len(text.lstrip("-"))
    if digits <= _DIGITS_AT_ONCE:
        return int(text)
    if digits > _MAX_DIGITS:
        raise ValueError(
            f"Exceeds the limit ({_MAX_DIGITS} digits) for integer string conversion: value has "
            f"{digits} digits; use sys.set_int_max_str_digits() to increase the limit"
        )
    value = 0
    for start in range(0, digits, _DIGITS_AT_ONCE):
        part = text.lstrip("-")[start : start + _DIGITS_AT_ONCE]
        value = value * 10 ** len(part) + int(part)
    return -value if text.startswith("-") else value
