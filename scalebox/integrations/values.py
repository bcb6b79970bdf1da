"""Values that came out of the sandbox, compared with expected ones outside of it.

What comes is JSON as `inside/values.py` writes it, from a process that a submission shares: it may
be anything.  It is compared as it is, and no sets or dictionaries are made of it: a submission can
choose keys that make those take forever.
"""

from __future__ import annotations

import decimal
import fractions
from collections.abc import Callable, Collection
from typing import Any

_MAX_SHOWN_DEPTH = 100
#: What is shown around the items of a value of some kind.
_BRACKETS = {
    "list": ("[", "]"),
    "tuple": ("(", ")"),
    "set": ("{", "}"),
    "frozenset": ("frozenset({", "})"),
    "dict": ("{", "}"),
    "ndarray": ("array(", ")"),
}
#: What data that is not as it should be raises where it is read.
_NOT_DATA = (ArithmeticError, LookupError, RecursionError, TypeError, ValueError)


def equals(sent: Any, expected: Any) -> bool:
    """Whether Python's `==` holds between what the sender had and the expected value."""
    try:
        return _equals(sent, expected)
    except _NOT_DATA:
        return False


def tag_of(sent: Any) -> str:
    """What kind of value was sent: a tag of `encode`'s, else the name of JSON's type in Python."""
    if isinstance(sent, dict):
        return str(next(iter(sent), ""))
    return type(sent).__name__


def is_member(sent: Any, expected: Collection[Any]) -> bool:
    """Whether a set or the keys of a dictionary that we made ourselves have the value."""
    try:
        return _hashable(sent) in expected
    except _NOT_DATA:
        return False


def items_of(sent: Any) -> list[Any] | None:
    """The items of what is a list, tuple, or set; None: it is none of these."""
    if isinstance(sent, list):
        return sent
    tag = tag_of(sent)
    if tag in ("tuple", "set", "frozenset") and isinstance(sent[tag], list):
        return list(sent[tag])
    return None


def number_of(sent: Any) -> complex | float | int | None:
    """The number; None: it is none."""
    if isinstance(sent, dict) and tag_of(sent) == "numpy":
        sent = sent["numpy"]
    try:
        value = _hashable(sent)
    except _NOT_DATA:
        return None
    return value if isinstance(value, (int, float, complex)) else None


def shown(sent: Any, chars: int) -> str:
    """A value for people, about as Python writes it, of not much more than so many characters."""
    parts: list[str] = []
    _show(sent, parts, [chars])
    return "".join(parts)


def _show(sent: Any, parts: list[str], left: list[int], depth: int = 0) -> None:
    if left[0] <= 0 or depth > _MAX_SHOWN_DEPTH:
        if parts and parts[-1] != "…":
            parts.append("…")
        return
    tag = tag_of(sent) if isinstance(sent, dict) else "list" if isinstance(sent, list) else ""
    body = sent.get(tag) if isinstance(sent, dict) else sent
    opening, closing = _BRACKETS.get(tag, ("", ""))
    if opening and isinstance(body, list):
        parts.append(opening)
        for number, item in enumerate(body):
            if number:
                parts.append(", ")
            if tag == "dict" and isinstance(item, list) and len(item) == 2:
                _show(item[0], parts, left, depth + 1)
                parts.append(": ")
                item = item[1]
            _show(item, parts, left, depth + 1)
            if left[0] <= 0:
                break
        if tag == "tuple" and len(body) == 1:
            parts.append(",")
        parts.append(closing)
        return
    if tag == "digest":
        text = f"{sent.get('start')!s:.200}… ({sent.get('items')!s:.20} items, {body!s:.80})"
    elif tag == "opaque":
        text = f"<{body!s:.80}>"
    elif tag in ("int", "float", "decimal", "bytes"):
        text = str(body)
    else:
        text = repr(body)
    text = text if len(text) <= left[0] else text[: left[0]] + "…"
    left[0] -= len(text) + 2
    parts.append(text)


def _equals(sent: Any, expected: Any) -> bool:
    if isinstance(sent, list):
        return isinstance(expected, list) and _each_equals(sent, expected)
    if not isinstance(sent, dict):
        return bool(sent == expected)
    ((tag, body),) = sent.items()
    if tag == "tuple":
        return isinstance(expected, tuple) and _each_equals(body, expected)
    if tag in ("set", "frozenset"):
        return isinstance(expected, (set, frozenset)) and _same_members(body, expected)
    if tag == "dict":
        return isinstance(expected, dict) and _same_pairs(body, expected)
    if tag == "numpy":
        return _equals(body, expected)
    if tag == "opaque" or tag == "ndarray":
        return False
    return bool(_SCALARS[tag](body) == expected)


def _each_equals(sent: Any, expected: Any) -> bool:
    return len(sent) == len(expected) and all(map(_equals, sent, expected))


def _same_members(sent: Any, expected: set[Any] | frozenset[Any]) -> bool:
    return len(sent) == len(expected) and covers(sent, expected)


def covers(sent: list[Any], expected: set[Any] | frozenset[Any]) -> bool:
    """Whether the items sent, taken as a set, are the expected set."""
    met = set()
    for item in sent:
        value = _hashable(item)
        if value not in expected:
            return False
        met.add(value)
    return len(met) == len(expected)


def _same_pairs(sent: Any, expected: dict[Any, Any]) -> bool:
    if len(sent) != len(expected):
        return False
    met = set()
    for key, item in sent:
        name = _hashable(key)
        if name not in expected or not _equals(item, expected[name]):
            return False
        met.add(name)
    return len(met) == len(expected)


def _hashable(sent: Any) -> Any:
    """A scalar, or a tuple of such."""
    if not isinstance(sent, dict):
        if isinstance(sent, list):
            raise TypeError("a list")
        return sent
    ((tag, body),) = sent.items()
    if tag == "tuple":
        return tuple(map(_hashable, body))
    if tag == "numpy":
        return _hashable(body)
    return _SCALARS[tag](body)


def _part(sent: Any) -> Any:
    if isinstance(sent, dict) and tag_of(sent) != "float":
        raise ValueError("a part that is no small number")  # a gcd of huge ones takes forever
    return _hashable(sent)


_SCALARS: dict[str, Callable[[Any], Any]] = {
    "int": lambda body: int(body, 16),
    "float": lambda body: float(body),
    "complex": lambda body: complex(_part(body[0]), _part(body[1])),
    "bytes": bytes.fromhex,
    "fraction": lambda body: fractions.Fraction(_part(body[0]), _part(body[1])),
    "decimal": decimal.Decimal,
}
