"""Values on their way out of the sandbox: JSON, with what it lacks in objects of one key.

A list is an array, a tuple `{"tuple": […]}`, and so on; what is no plain data is `{"opaque": NAME}`
and equals nothing, whatever its `__eq__` says.  Subclasses count as what they are derived from
where they compare as that does.  `scalebox.integrations.values` compares what comes out.  `decode`
makes values again of what a trusted sender encoded: arguments for a test, a reference solution's
results.
"""

import collections
import decimal
import fractions
import math
from typing import Any

#: Deeper than this is no plain data.
MAX_DEPTH = 300
#: JSON's readers refuse integers of more digits than 4300.
_LARGE = 1 << 4096
#: The array library; never named literally, see the package's docstring.
_ARRAYS = "num" + "py"
_BASES: Any = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
#: Of which JSON has all.
_AS_THEY_ARE = {str, bool, type(None)}
#: Compare as a dict does with what is none of their own kind.
_DICTS = (collections.OrderedDict, collections.defaultdict, collections.Counter)


class Opaque:
    """What stands for a value that was no plain data: it equals nothing but itself."""

    def __init__(self, name: object) -> None:
        self._name = str(name)[:80]

    def __repr__(self) -> str:
        return f"<{self._name}>"


def encode(value: Any) -> Any:
    """The value as JSON data; never raises."""
    try:
        return _encode(value, 0)
    except Exception:
        return {"opaque": "value"}


def _encode(value: Any, depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return _integer(value, 0)
    if depth > MAX_DEPTH:
        return {"opaque": kind.__name__}
    base = dict if kind in _DICTS else _base_of(kind)
    if base is not None:
        return _ENCODERS[base](value, depth + 1)
    if kind is fractions.Fraction:
        return {"fraction": [_integer(value.numerator, 0), _integer(value.denominator, 0)]}
    if kind is decimal.Decimal:
        return {"decimal": str(value)}
    if kind.__module__.split(".")[0] == _ARRAYS and hasattr(value, "tolist"):
        name = "ndarray" if kind.__name__ == "ndarray" else _ARRAYS
        return {name: _encode(value.tolist(), depth + 1)}
    return {"opaque": kind.__name__}


def _base_of(kind: type) -> Any:
    if kind in _ENCODERS:
        return kind
    if kind.__module__.split(".")[0] == _ARRAYS:
        return None
    for base in _BASES:
        if base in kind.__mro__:
            return base if kind.__eq__ is base.__eq__ else None
    return None


def _integer(value: Any, depth: int) -> Any:
    value = int.__int__(value)
    return value if -_LARGE < value < _LARGE else {"int": hex(value)}


def _float(value: Any, depth: int) -> Any:
    value = float.__float__(value)
    return value if math.isfinite(value) else {"float": repr(value)}


def _complex(value: Any, depth: int) -> Any:
    return {"complex": [_float(value.real, 0), _float(value.imag, 0)]}


def _encoded(items: Any, depth: int) -> Any:
    """A new list of values, encoded.  Those of one plain kind, which most are, at once."""
    kinds = set(map(type, items))
    if kinds <= _AS_THEY_ARE:
        return items
    if kinds == {int} and min(items) > -_LARGE and max(items) < _LARGE:
        return items
    if kinds == {float} and all(map(math.isfinite, items)):
        return items
    return [_encode(item, depth) for item in items]


def _items(value: Any, depth: int) -> Any:
    return _encoded([*list.__iter__(value)], depth)


def _tuple(value: Any, depth: int) -> Any:
    return {"tuple": _encoded([*tuple.__iter__(value)], depth)}


def _dict(value: Any, depth: int) -> Any:
    pairs = list(dict.items(value))
    return {"dict": [[_encode(key, depth), _encode(item, depth)] for key, item in pairs]}


def _set(value: Any, depth: int) -> Any:
    return {"set": [_encode(item, depth) for item in set.__iter__(value)]}


def _frozenset(value: Any, depth: int) -> Any:
    return {"frozenset": [_encode(item, depth) for item in frozenset.__iter__(value)]}


_ENCODERS: Any = {
    bool: lambda value, depth: bool(value),
    int: _integer,
    float: _float,
    complex: _complex,
    str: lambda value, depth: str.__str__(value),
    bytes: lambda value, depth: {"bytes": bytes.hex(value)},
    bytearray: lambda value, depth: {"bytes": bytearray.hex(value)},
    list: _items,
    tuple: _tuple,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
}


def decode(sent: Any) -> Any:
    """The value that was encoded.

    Raises:
        ValueError, TypeError, KeyError, ArithmeticError: nobody encodes so.
    """
    if isinstance(sent, list):
        return [decode(item) for item in sent]
    if not isinstance(sent, dict):
        return sent
    ((tag, body),) = sent.items()
    return _DECODERS[tag](body)


_DECODERS: Any = {
    "tuple": lambda body: tuple(map(decode, body)),
    "set": lambda body: set(map(decode, body)),
    "frozenset": lambda body: frozenset(map(decode, body)),
    "dict": lambda body: {decode(key): decode(item) for key, item in body},
    "int": lambda body: int(body, 16),
    "float": float,
    "complex": lambda body: complex(*map(decode, body)),
    "bytes": bytes.fromhex,
    "fraction": lambda body: fractions.Fraction(*map(decode, body)),
    "decimal": decimal.Decimal,
    _ARRAYS: decode,
    "ndarray": decode,
    "opaque": Opaque,
}
