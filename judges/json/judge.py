"""Values equal as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

ABSOLUTE = 1e-9
RELATIVE = 1e-9

_INTEGER = re.compile(r"-?[0-9]+")
_SPACE = b" \t\n\r"
#: Escapes and zeros make equal values longer, whitespace aside, but not by more than this factor
#: and so many bytes.  What is beyond is a flood, and not taken apart.
_LONGER, _LONGER_BYTES = 16, 65536


class _Number(str):
    """As it is written: `int` refuses long ones."""

    __slots__ = ()


def judge(input: str, output: str, answer: str) -> bool | tuple[bool, str]:
    if output == answer:
        return True
    try:
        expected = _parse(answer)
    except ValueError as error:
        raise ValueError("the answer is no JSON: %s" % error) from None
    if len(_solid(output)) > _LONGER * len(_solid(answer)) + _LONGER_BYTES:
        return False, "the output is far longer than the answer"
    try:
        got = _parse(output)
    except ValueError as error:
        return False, "the output is no JSON: %s" % error
    difference = _difference(got, expected)
    return (False, difference) if difference else True


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _solid(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").translate(None, _SPACE)


def _no_constant(name: str) -> Any:
    raise ValueError("%s is no number of JSON" % name)


def _difference(got: Any, expected: Any) -> str:
    """Where they differ; empty: nowhere.  Without recursion, which has a bound of its own."""
    pairs = [(got, expected, "")]
    while pairs:
        mine, theirs, place = pairs.pop()
        if type(mine) is not type(theirs):
            return "at %s: expected %s, got %s" % (place or "the top", _kind(theirs), _kind(mine))
        if isinstance(mine, dict):
            if mine.keys() != theirs.keys():
                return "at %s: the keys differ" % (place or "the top")
            pairs.extend((mine[key], theirs[key], _inside(place, key)) for key in theirs)
        elif isinstance(mine, list):
            if len(mine) != len(theirs):
                words = "at %s: expected %d elements, got %d"
                return words % (place or "the top", len(theirs), len(mine))
            for index, (one, other) in enumerate(zip(mine, theirs)):
                if one.__class__ is not _Number or one != other or other.__class__ is not _Number:
                    pairs.append((one, other, _inside(place, index)))
        elif mine != theirs and not (isinstance(mine, _Number) and _equal(mine, theirs)):
            words = "at %s: expected %s, got %s"
            return words % (place or "the top", ascii(theirs)[:60], ascii(mine)[:60])
    return ""


def _inside(place: str, key: object) -> str:
    return place if len(place) > 200 else "%s[%s]" % (place, ascii(key)[:60])


def _equal(mine: str, theirs: str) -> bool:
    if _INTEGER.fullmatch(mine) and _INTEGER.fullmatch(theirs):
        return mine.replace("-0", "0") == theirs.replace("-0", "0")
    one, other = float(mine), float(theirs)
    if one - one != 0 or other - other != 0:  # beyond what a double can hold
        return False
    return abs(one - other) <= max(ABSOLUTE, RELATIVE * abs(other))


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return kinds.get(type(value), "null" if value is None else "a number")
