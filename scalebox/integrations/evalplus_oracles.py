"""EvalPlus's rules for what a solution may return: equality, tolerance, and special tasks.

From evalplus/evalplus:evalplus/eval/__init__.py and evalplus/eval/_special_oracle.py (0.3.1), with
numpy's `allclose` for lists and tuples of numbers of a regular shape.  What is judged is data as
`values` has it; whatever the rules cannot be applied to is wrong.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from typing import Any

from scalebox.integrations import values

#: Only whether they return None counts, or the boolean that they return.
NOT_NONE_TASKS = ("check_str", "text_match_three", "text_starta_endb")
#: The items count, not their order or how often they are there (Mbpp/2, 7, 111, 140, 232, 249,
#: 579, 769).
SET_TASKS = (
    "similar_elements",
    "find_char_long",
    "common_in_nested_lists",
    "extract_singly",
    "larg_nnum",
    "intersection_array",
    "find_dissimilar",
    "Diff",
)
#: Those with a rule of their own.
OTHER_TASKS = ("find_zero", "are_equivalent", "sum_div", "surface_Area", "digit_distance_nums")
_FLOATS_ATOL = 1e-6
_RTOL = 1e-07
_TYPES = {
    kind.__name__: kind
    for kind in (
        *(type(None), bool, int, float, complex, str, bytes),
        *(list, tuple, set, frozenset, dict),
    )
}


class Oracle:
    """Decides about the outputs of one solution, in the order of its inputs.

    Parameters:
        dataset: `humaneval` or `mbpp`.
        entry_point: the function that was called.
        atol: absolute tolerance.
    """

    def __init__(self, dataset: str, entry_point: str, atol: float) -> None:
        self._dataset = dataset
        self._name = entry_point
        self._atol = atol

    def accepts(self, sent: Any, expected: Any, arguments: Sequence[Any]) -> bool:
        """Whether an output is right.

        Parameters:
            sent: what the solution returned.
            expected: what the reference solution returned.
            arguments: what both were called with.
        """
        try:
            return self._accepts(sent, expected, arguments)
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError):
            return False

    def _accepts(self, sent: Any, expected: Any, arguments: Sequence[Any]) -> bool:
        if self._dataset == "humaneval" and self._name == "find_zero":
            return abs(polynomial(arguments[0], _real(sent))) <= self._atol
        exact = values.equals(sent, expected)
        if self._dataset == "mbpp":
            exact = self._special(exact, sent, expected, arguments)
        # Set once, it holds for the inputs that follow, as there.
        if self._atol == 0 and _is_floats(expected):
            self._atol = _FLOATS_ATOL
        if exact or self._atol == 0:
            return exact
        if _TYPES.get(values.tag_of(sent)) is not type(expected):
            return False
        return _shape(expected) is not None and _close(sent, expected, self._atol)

    def _special(self, exact: bool, sent: Any, expected: Any, arguments: Sequence[Any]) -> bool:
        if self._name == "are_equivalent":
            return True
        if self._name == "sum_div":
            return exact or values.equals(sent, 0)
        if self._name == "surface_Area":
            return exact or abs(_real(sent) - pyramid_surface(*arguments)) <= self._atol
        if self._name == "digit_distance_nums":
            return exact or values.equals(sent, digit_distance(*arguments))
        if self._name in SET_TASKS:
            items = list(sent) if isinstance(sent, str) else values.items_of(sent)
            if values.tag_of(sent) == "dict":
                items = [key for key, _ in sent["dict"]]
            return items is not None and values.covers(items, set(expected))
        if self._name in NOT_NONE_TASKS:
            return bool(expected == (sent if isinstance(sent, bool) else sent is not None))
        return exact


def polynomial(coefficients: Sequence[float], x: float) -> float:
    """The value at `x` of the polynomial with these coefficients, the constant one first."""
    return sum(factor * math.pow(x, power) for power, factor in enumerate(coefficients))


def pyramid_surface(edge: float, height: float) -> int:
    """The surface of a square pyramid of that height from base to apex, rounded."""
    slant = math.sqrt((edge / 2) ** 2 + height**2)
    return round(edge**2 + 4 * (edge * slant) / 2)


def digit_distance(one: int, other: int) -> int:
    """The sum of the distances of the digits, the shorter number padded with zeros."""
    width = max(len(str(one)), len(str(other)))
    pairs = zip(str(one).zfill(width), str(other).zfill(width), strict=True)
    return sum(abs(int(a) - int(b)) for a, b in pairs)


def _real(sent: Any) -> float:
    number = values.number_of(sent)
    if number is None or isinstance(number, complex):
        raise TypeError("no real number")
    return float(number)


def _is_floats(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def _shape(value: Any) -> tuple[int, ...] | None:
    """As numpy's; None: the value is no regular array of numbers."""
    if isinstance(value, (list, tuple)):
        shapes = {_shape(item) for item in value}
        if not shapes:
            return (0,)
        only = shapes.pop()
        return None if shapes or only is None else (len(value), *only)
    return () if isinstance(value, (int, float, complex)) else None


def _close(sent: Any, expected: Any, atol: float) -> bool:
    if isinstance(expected, (list, tuple)):
        items = values.items_of(sent) if values.tag_of(sent) in ("list", "tuple") else None
        if items is None or len(items) != len(expected):
            return False
        return all(_close(one, other, atol) for one, other in zip(items, expected, strict=True))
    number = values.number_of(sent)
    if number is None:
        return False
    if cmath.isfinite(number) and cmath.isfinite(expected):
        return bool(abs(number - expected) <= atol + _RTOL * abs(expected))
    return bool(number == expected)
