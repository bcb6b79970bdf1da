"""Values and requests between a trusted tester and the submission's process.

Beyond plain data this writes some of the standard library's value types (tags below), and, for what
cannot travel, a handle: `{"o": [number, type name]}`.  Every value is data; nothing is ever
unpickled or executed to read one.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from typing import Any, Callable

from scalebox.judging.harness.common import (
    _ARRAYS,
    MalformedError,
    UnserialisableError,
    as_plain,
    decode,
)

#: A line between the two processes, at most this long.
MESSAGE_BYTES = 1 << 26

#: Type's full name -> (tag, body).
_WRITERS: dict[str, Callable[[Any], tuple[str, Any]]] = {
    "decimal.Decimal": lambda value: ("D", str(value)),
    "fractions.Fraction": lambda value: ("F", [value.numerator, value.denominator]),
    "collections.Counter": lambda value: ("C", [list(pair) for pair in dict.items(value)]),
    "collections.OrderedDict": lambda value: ("O", [list(pair) for pair in dict.items(value)]),
    "collections.defaultdict": lambda value: ("G", [list(pair) for pair in dict.items(value)]),
    "collections.deque": lambda value: ("Q", [value.maxlen, list(value)]),
    "builtins.range": lambda value: ("R", [value.start, value.stop, value.step]),
    "builtins.dict_keys": lambda value: ("K", list(value)),
    "datetime.datetime": lambda value: ("T", ["datetime", value.isoformat()]),
    "datetime.date": lambda value: ("T", ["date", value.isoformat()]),
    "datetime.time": lambda value: ("T", ["time", value.isoformat()]),
    "datetime.timedelta": lambda value: (
        "T",
        ["timedelta", [value.days, value.seconds, value.microseconds]],
    ),
}


def writer(opaque: Callable[[Any], tuple[str, Any]]) -> Callable[[Any], tuple[str, Any]]:
    """What `common.dumps` asks about values that are not exactly plain data.

    Parameters:
        opaque: writes what nothing else can write, or raises.
    """

    def write(value: Any) -> tuple[str, Any]:
        kind = type(value)
        if kind is type:
            name = getattr(value, "__name__", "")
            if getattr(builtins, name, None) is value:
                return "P", name
        known = _WRITERS.get("%s.%s" % (kind.__module__, kind.__name__))
        if known is not None:
            return known(value)
        if kind.__module__ == _ARRAYS and kind.__name__ == "ndarray":
            if value.dtype.kind in "biufc":
                return "X", [value.dtype.str, value.tolist()]
            return opaque(value)
        fields = getattr(kind, "_fields", None)
        if issubclass(kind, tuple) and type(fields) is tuple:
            return "N", [kind.__name__, list(fields), list(value)]
        if kind.__module__ == _ARRAYS or (
            kind.__flags__ & 1 << 9 and issubclass(kind, _PLAIN) and not _is_enum(kind)
        ):
            try:
                return "=", as_plain(value)
            except UnserialisableError:
                return opaque(value)
        return opaque(value)

    return write


_PLAIN = (int, str, float, complex, list, tuple, dict, set, frozenset, bytes)


def _is_enum(kind: type) -> bool:
    # Members are compared by identity, which a copy would lose.
    return any(base.__module__ == "enum" for base in kind.__mro__)


def reader(
    opaque: Callable[[str, Any], Any],
) -> Callable[[str, Any, int], Any]:
    """What `common.decode` asks about tags that are not plain data's.

    Parameters:
        opaque: reads the tags that only one side gives a meaning.
    """

    def read(tag: str, body: Any, depth: int) -> Any:
        build = _BUILDERS.get(tag)
        if build is None:
            return opaque(tag, body)
        return build(decode(body, read, depth))

    return read


def _from_module(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module) or importlib.import_module(module), name)


def _moment(body: Any) -> Any:
    name, value = body
    if name not in ("datetime", "date", "time", "timedelta"):
        raise MalformedError("no such type")
    kind = _from_module("datetime", name)
    return kind(*value) if name == "timedelta" else kind.fromisoformat(value)


def _named_tuple(body: Any) -> Any:
    name, fields, values = body
    if len(fields) > 100:
        raise MalformedError("a named tuple of %d fields" % len(fields))
    return _from_module("collections", "namedtuple")(name, fields)(*values)


def _default_dict(body: Any) -> Any:
    return _from_module("collections", "defaultdict")(None, body)


def _deque(body: Any) -> Any:
    maximum, items = body
    return _from_module("collections", "deque")(items, maximum)


def _array(body: Any) -> Any:
    code, items = body
    if type(code) is not str or len(code) > 8 or code[1:2] not in tuple("biufc"):
        raise MalformedError("no such element type")
    return _from_module(_ARRAYS, "array")(items, dtype=code)


def _builtin_type(body: Any) -> Any:
    kind = getattr(builtins, str(body))
    if type(kind) is not type:
        raise MalformedError("not a built-in type")
    return kind


_BUILDERS: dict[str, Callable[[Any], Any]] = {
    "=": lambda body: body,
    "D": lambda body: _from_module("decimal", "Decimal")(body),
    "F": lambda body: _from_module("fractions", "Fraction")(*body),
    "C": lambda body: _from_module("collections", "Counter")(dict(body)),
    "O": lambda body: _from_module("collections", "OrderedDict")(body),
    "G": _default_dict,
    "Q": _deque,
    "R": lambda body: range(*body),
    "K": lambda body: dict.fromkeys(body).keys(),
    "T": _moment,
    "N": _named_tuple,
    "P": _builtin_type,
    "X": _array,
}


def class_names(kind: type) -> list[list[str]]:
    """[module, name] of an exception class and its bases, most derived first."""
    return [[str(base.__module__), base.__name__] for base in type.mro(kind)[:20]]


def mutable_copy_target(value: Any) -> type | None:
    """The type by which a changed argument is written back in place; None: it cannot change."""
    kind = type(value)
    return kind if kind in (list, dict, set, bytearray) else None
