"""Calls of a submission's function: what to send in, and what the records that come out mean.

The arguments travel into the sandbox, the expected values never do; `harness/call.py` runs there.
A submission shares that process and can write any record it likes, so the k-th line answers the
k-th call or nothing, and is read as hostile data: bounded depth, no hashing of what it chose into
tables of its own, integers in hexadecimal.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import msgspec

from scalebox.judging.harness import common
from scalebox.judging.sources import harness_source
from scalebox.model import CallTests, Verdict

#: The index of the record about loading the submission.
LOADING = common.LOADING_INDEX
_MESSAGE = 300
_EXCERPT = 100
#: An exception's record is at most 500 characters in JSON's longest escapes.
_LONGEST_ERROR = 16_384
#: A value's text up to this is read whatever is expected: a hostile one then holds tens of
#: megabytes in the daemon for a moment, not gigabytes.
_ALWAYS_READ = 1 << 20


class Pairs(msgspec.Struct, frozen=True):
    """A dict whose keys a submission chose: its items, never hashed together."""

    items: list[tuple[Any, Any]]


class Unordered(msgspec.Struct, frozen=True):
    """A set that a submission returned; `kind` is `set` or `frozenset`."""

    kind: str
    items: list[Any]


class Empty(msgspec.Struct, frozen=True):
    """A list or a dictionary without items, in a language that makes no difference."""


class CallRecord(msgspec.Struct, frozen=True):
    """What one call came to.

    Attributes:
        text: the value that it returned, as the harness wrote it, if `error` is empty.  It is read
            when the expected value is at hand, which bounds what a right one can be.
        error: else: what it raised, or what is wrong with the record.
        unserialisable: the call returned something that is not plain data; `error` says what.
        uncompilable: of the record about loading: the source does not compile; `error` says why.
    """

    text: bytes = b""
    error: str = ""
    unserialisable: bool = False
    uncompilable: bool = False


def call_source() -> bytes:
    """The harness: the program's source, run with the submission in the file `candidate.py`."""
    return harness_source("call")


def encode_header(tests: CallTests, more: Mapping[str, object] = MappingProxyType({})) -> bytes:
    """First line of the harness's standard input; then come those of the calls.

    Parameters:
        more: what a harness is told besides the function's name.
    """
    return json.dumps({"function": tests.function, **more}).encode("ascii") + b"\n"


def encode_call(tests: CallTests, index: int) -> bytes:
    """The line of one call.

    Raises:
        ValueError: an argument is nested more than 200 deep, or no plain data.
    """
    case = tests.cases[index]
    try:
        line = common.dumps([index, case.args, case.kwargs])
    except common.UnserialisableError as error:
        raise ValueError(f"cases[{index}].args: {error}") from error
    return line.encode("ascii") + b"\n"


def holds_python_only(args: Sequence[Any]) -> bool:
    """Whether there is something among arguments that JSON and its kin have no value for."""
    todo: list[Any] = [*args]
    while todo:
        item = todo.pop()
        if isinstance(item, (list, tuple)):
            todo.extend(item)
        elif isinstance(item, dict):
            todo.extend(item)
            todo.extend(item.values())
        elif item is not None and not isinstance(item, (str, int, float)):
            return True
    return False


def is_large(tests: CallTests, limit: int) -> bool:
    """Whether the arguments are more than about so many bytes; in time bounded by that."""
    todo: list[Any] = [(case.args, case.kwargs) for case in tests.cases]
    while todo and limit > 0:
        item = todo.pop()
        if isinstance(item, (list, tuple)):
            limit -= 8 * len(item)
            todo.extend(item[: max(limit, 0)])
        elif isinstance(item, dict):
            limit -= 16 * len(item)
            todo.extend(itertools.islice(item.items(), max(limit, 0)))
        elif isinstance(item, str):
            limit -= len(item)
        elif isinstance(item, int):
            limit -= item.bit_length() // 8
    return limit <= 0


def parse_loaded(channel: bytes) -> tuple[CallRecord | None, bytes]:
    """Split off the first record, which says how loading the submission ended.

    Returns:
        the record (None: the process ended before), and the records of the calls.
    """
    line, end, rest = channel.partition(b"\n")
    return (_parse_record(line, LOADING) if end else None), rest


def parse_records(channel: bytes, indices: Sequence[int]) -> list[CallRecord]:
    """Read what a run wrote about its calls.

    Parameters:
        channel: a line without its end is not a record.
        indices: of the calls, in the order in which they were given.

    Returns:
        at most one record for each of `indices`, in that order.  Fewer: the process ended, or was
        ended, while it worked on the next one.
    """
    lines = channel.split(b"\n", len(indices))
    return [_parse_record(line, index) for line, index in zip(lines[:-1], indices, strict=False)]


_FORGED = "a record that the harness did not write"


def _parse_record(line: bytes, index: int) -> CallRecord:
    start = b'{"i":%d,"v":' % index
    if line.startswith(start) and line.endswith(b"}"):
        return CallRecord(text=line[len(start) : -1])
    if len(line) > _LONGEST_ERROR:
        return CallRecord(error=_FORGED)
    try:
        tree = common.loads(line.decode("ascii"))
        if type(tree) is not dict or len(tree) != 2 or type(tree["i"]) is not int:
            return CallRecord(error=_FORGED)
        if tree["i"] != index:
            return CallRecord(error=f"a record of call {str(tree['i'])[:20]} where {index} was due")
        if "u" in tree:
            return CallRecord(error=str(tree["u"])[:_MESSAGE], unserialisable=True)
        if "c" in tree and index == LOADING:
            return CallRecord(error=str(tree["c"])[:_MESSAGE], uncompilable=True)
        return CallRecord(error=str(tree["e"])[:_MESSAGE] or "an exception")
    except (common.MalformedError, KeyError, ValueError):
        return CallRecord(error=_FORGED)


def _decode(tree: Any, depth: int) -> Any:
    kind = type(tree)
    if kind is list:
        if depth > common.MAX_DEPTH:
            raise common.MalformedError("nested too deeply")
        return [_decode(item, depth + 1) for item in tree]
    if kind is not dict:
        return tree
    if len(tree) != 1 or depth > common.MAX_DEPTH:
        raise common.MalformedError("not a tagged value")
    ((tag, body),) = tree.items()
    if tag == "m" and type(body) is dict:
        return {key: _decode(value, depth + 1) for key, value in body.items()}
    if tag in ("t", "s", "z", "d") and type(body) is list:
        items = [_decode(item, depth + 1) for item in body]
        if tag == "t":
            return tuple(items)
        if tag == "d":
            return Pairs([(key, value) for key, value in items])
        return Unordered("set" if tag == "s" else "frozenset", items)
    if tag == "n":
        return Empty()
    if tag in ("i", "f", "b", "c"):
        return common.decode(tree)
    raise common.MalformedError("an unknown tag")


def decide_call(tests: CallTests, index: int, record: CallRecord | None) -> tuple[Verdict, str]:
    """The verdict about one call, and words for people.

    Parameters:
        record: of that call; None: the process ended without one (the engine, which knows how it
            ended, may put a finer verdict in place of this `runtime_error`).
    """
    if record is None:
        return Verdict.RUNTIME_ERROR, "the program ended before this call returned"
    if record.unserialisable:
        return Verdict.WRONG_ANSWER, f"the call returned no plain data: {record.error}"[:_MESSAGE]
    if record.error:
        return Verdict.RUNTIME_ERROR, record.error
    expected = tests.cases[index].expected
    if len(record.text) > _ALWAYS_READ and len(record.text) > _longest_equal(expected):
        return Verdict.WRONG_ANSWER, f"expected {excerpt(expected)}, got something far larger"
    try:
        value = _decode(common.loads(record.text.decode("ascii")), 0)
    except (common.MalformedError, KeyError, TypeError, ValueError, RecursionError):
        return Verdict.RUNTIME_ERROR, _FORGED
    if values_equal(
        expected,
        value,
        tuple_equals_list=tests.tuple_equals_list,
        abs_tol=tests.float_absolute_tolerance,
        rel_tol=tests.float_relative_tolerance,
    ):
        return Verdict.ACCEPTED, ""
    return (
        Verdict.WRONG_ANSWER,
        f"expected {excerpt(expected)}, got {excerpt(value)}",
    )


def _longest_equal(expected: Any) -> int:
    """The longest text of a value that could equal this one: `0.30000000000000004,` for `0,`."""
    try:
        return 32 * len(common.dumps(expected))
    except common.UnserialisableError:
        return _ALWAYS_READ


def values_equal(
    expected: Any,
    got: Any,
    *,
    tuple_equals_list: bool = True,
    abs_tol: float | None = None,
    rel_tol: float | None = None,
) -> bool:
    """Python's equality over plain data, in linear time and without recursion.

    `1 == 1.0 == True` as in Python; a tuple equals a list if asked for; numbers within a tolerance
    are equal (either one suffices).  One thing differs from Python: where NaN is expected, NaN is
    right, because nothing else could be.

    Parameters:
        expected: trusted.
        got: may be hostile.
    """
    todo = [(expected, got)]
    while todo:
        want, have = todo.pop()
        if want is have:
            continue
        if isinstance(have, Empty):
            if not isinstance(want, (list, tuple, dict)) or want:
                return False
            continue
        if isinstance(want, (list, tuple)):
            if not isinstance(have, (list, tuple)) or len(want) != len(have):
                return False
            if not tuple_equals_list and isinstance(want, tuple) != isinstance(have, tuple):
                return False
            todo.extend(zip(want, have, strict=True))
        elif isinstance(want, dict):
            pairs = _matched(want, have)
            if pairs is None:
                return False
            todo.extend(pairs)
        elif isinstance(want, (int, float)) and isinstance(have, (int, float)):
            if not _numbers_equal(want, have, abs_tol, rel_tol):
                return False
        elif isinstance(have, (Pairs, Unordered)) or want != have:
            return False
    return True


def _matched(want: dict[Any, Any], have: Any) -> list[tuple[Any, Any]] | None:
    """Values to compare, key by key; None if the keys differ."""
    items = have.items if isinstance(have, Pairs) else None
    if isinstance(have, dict):
        items = list(have.items())
    if items is None or len(items) != len(want):
        return None
    pairs = []
    seen = set()
    for key, value in items:
        # Looked up among trusted keys only: a table of chosen ones could be made slow.
        try:
            if key not in want or key in seen:
                return None
        except TypeError:
            return None
        seen.add(key)
        pairs.append((want[key], value))
    return pairs


def _numbers_equal(want: float, have: float, abs_tol: float | None, rel_tol: float | None) -> bool:
    if want == have or (want != want and have != have):
        return True
    if abs_tol is None and rel_tol is None:
        return False
    try:
        if not math.isfinite(want) or not math.isfinite(have):
            return False
        error = abs(want - have)
        if abs_tol is not None and error <= abs_tol:
            return True
        return rel_tol is not None and error <= rel_tol * abs(want)
    except OverflowError:  # an integer beyond the range of a double
        return False


def excerpt(value: Any, limit: int = _EXCERPT) -> str:
    """The beginning of a value's representation, made without making the whole of it."""
    parts: list[str] = []
    size = 0
    todo: list[Any] = [value]
    while todo and size <= limit:
        item = todo.pop()
        text = item.text if isinstance(item, _Literal) else _shown(item, limit, todo)
        parts.append(text)
        size += len(text)
    whole = "".join(parts)
    return whole if not todo and len(whole) <= limit else whole[:limit] + "…"


class _Literal(msgspec.Struct, frozen=True):
    text: str


def _shown(item: Any, limit: int, todo: list[Any]) -> str:
    if isinstance(item, int):
        return repr(item) if item.bit_length() < 1024 else f"<{item.bit_length()}-bit integer>"
    if isinstance(item, (str, bytes)):
        return repr(item[:limit])[:limit] + ("…" if len(item) > limit else "")
    if isinstance(item, Unordered):
        todo.append(_Literal("})" if item.kind == "frozenset" else "}"))
        _push(item.items, limit, todo)
        return "frozenset({" if item.kind == "frozenset" else "{" if item.items else "set({"
    if isinstance(item, Empty):
        return "[]"
    if isinstance(item, (list, tuple)):
        is_list = isinstance(item, list)
        todo.append(_Literal("]" if is_list else ",)" if len(item) == 1 else ")"))
        _push(item, limit, todo)
        return "[" if is_list else "("
    if isinstance(item, (dict, Pairs)):
        todo.append(_Literal("}"))
        pairs = list(item.items() if isinstance(item, dict) else item.items)
        for place, (key, value) in reversed(list(enumerate(pairs[:limit]))):
            todo += [value, _Literal(": "), key, _Literal(", " if place else "")]
        return "{"
    return repr(item)[:limit]


def _push(items: Sequence[Any], limit: int, todo: list[Any]) -> None:
    for place, item in reversed(list(enumerate(items[:limit]))):
        todo += [item, _Literal(", " if place else "")]
