"""Requests → bytes: msgpack, or JSON for what msgpack cannot say (integers beyond 64 bits).

What cannot be sent as it is meant is refused here, with its place: a lone surrogate, an object, a
set as the expected value.  Nothing is turned into something similar, which would only show as a
wrong verdict.
"""

from __future__ import annotations

import enum
import math
import numbers
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from scalebox.errors import BadRequestError
from scalebox.model import (
    CallTests,
    NewJudge,
    NewJudgeState,
    Problem,
    RunRequest,
    Submission,
)

Request = Submission | RunRequest | Problem | NewJudge | NewJudgeState

MSGPACK = "application/msgpack"
JSON = "application/json"

#: As deep as the daemon takes arguments.
_DEEPEST = 200
#: Python itself reads no longer integers from text.
_HUGE = 10**4300
_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
_LEAVES = (bool, float, str, bytes, bytearray, type(None))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request's bytes and their media type."""

    data: bytes
    content_type: str = MSGPACK


class _Unfit(Exception):
    """A value that cannot be sent; `place` grows on the way out."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        self.place = ""


class Encoder:
    """Encodes; remembers the tests that it saw last, which are often those of the next."""

    def __init__(self) -> None:
        self._msgpack = msgspec.msgpack.Encoder(enc_hook=_plain)
        self._json = msgspec.json.Encoder(enc_hook=_plain)
        self._tests: CallTests | None = None
        self._tests_need_json = False

    def encode(self, request: Request) -> Encoded:
        """The request's bytes.

        Raises:
            BadRequestError: it holds something that cannot be sent; `field` says where.
        """
        tests = request.tests if isinstance(request, Submission | Problem) else None
        try:
            if isinstance(tests, CallTests) and self._needs_json(tests):
                return Encoded(self._json.encode(request), JSON)
            return Encoded(self._msgpack.encode(request))
        except UnicodeEncodeError as error:
            field = next(_surrogates(request, ""), None)
            raise BadRequestError(
                f"{field or 'the request'}: {error.object[error.start]!r} is half of a character "
                "(a lone surrogate), and no text in UTF-8 can hold it; bytes go as a Blob",
                field=field,
            ) from None
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise BadRequestError(f"this cannot be sent: {error}") from error

    def _needs_json(self, tests: CallTests) -> bool:
        if tests is not self._tests:
            need = self._look(tests, may_be_only_json=False)
            if need:
                self._look(tests, may_be_only_json=True)
            self._tests, self._tests_need_json = tests, need
        return self._tests_need_json

    def _look(self, tests: CallTests, *, may_be_only_json: bool) -> bool:
        need = False
        for index, case in enumerate(tests.cases):
            for name in ("args", "kwargs", "expected"):
                try:
                    need |= _look(getattr(case, name), may_be_only_json, 0)
                except _Unfit as error:
                    place = error.place if len(error.place) <= 100 else f"{error.place[:100]}…"
                    field = f"tests.cases[{index}].{name}{place}"
                    raise BadRequestError(f"{field}: {error.why}", field=field) from None
        return need


def _plain(value: Any) -> Any:
    """numpy's numbers and their like, as the numbers that they are."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):
        return float(value)
    raise TypeError(f"a {type(value).__name__} is no plain data")


def _look(value: Any, only_json: bool, depth: int) -> bool:
    """Whether the value needs JSON.

    Parameters:
        value: anything.
        only_json: whether it must be something that JSON can say.
        depth: of what holds it.

    Raises:
        _Unfit: it cannot be sent.
    """
    if isinstance(value, _LEAVES):
        if only_json and (
            isinstance(value, bytes | bytearray)
            or (isinstance(value, float) and not math.isfinite(value))
        ):
            raise _Unfit(
                f"{value!r:.50} cannot be said in JSON, which these tests need for an integer "
                "beyond 64 bits"
            )
        return False
    if isinstance(value, int):
        if abs(value) >= _HUGE:
            raise _Unfit("an integer of more than 4,300 digits")
        return not _SMALLEST <= value <= _LARGEST
    if depth >= _DEEPEST:
        raise _Unfit(f"nested more than {_DEEPEST} deep, or in itself")
    need = False
    if isinstance(value, list | tuple):
        for position, element in enumerate(value):
            try:
                need |= _look(element, only_json, depth + 1)
            except _Unfit as error:
                error.place = f"[{position}]{error.place}"
                raise
    elif isinstance(value, dict):
        for key, element in value.items():
            if only_json and not isinstance(key, str):
                raise _Unfit(
                    f"the key {key!r:.50} cannot be said in JSON, which these tests need for an "
                    "integer beyond 64 bits"
                )
            try:
                need |= _look(key, only_json, depth + 1) | _look(element, only_json, depth + 1)
            except _Unfit as error:
                error.place = f"[{key!r:.50}]{error.place}"
                raise
    elif isinstance(value, enum.Enum):
        return _look(value.value, only_json, depth + 1)
    else:
        try:
            return _look(_plain(value), only_json, depth + 1)
        except TypeError as error:
            raise _Unfit(
                f"{error} (None, numbers, text, bytes, lists, tuples, dictionaries)"
            ) from None
    return need


def _surrogates(value: Any, place: str) -> Iterator[str]:
    """Where text is that UTF-8 cannot say."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            yield place
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _surrogates(getattr(value, name), f"{place}.{name}" if place else name)
    elif isinstance(value, dict):
        for key, element in value.items():
            yield from _surrogates(key, f"{place}[...]")
            yield from _surrogates(element, f"{place}[...]")
    elif isinstance(value, list | tuple):
        for position, element in enumerate(value):
            yield from _surrogates(element, f"{place}[{position}]")
