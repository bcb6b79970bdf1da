"""What JSON made of MBPP+'s inputs, turned back: tuples, sets and complex numbers.

Which task needs what is evalplus/evalplus:evalplus/data/mbpp.py, `mbpp_deserialize_inputs`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Turn = Callable[[Any], Any]


def turned_back(task_id: str, inputs: Sequence[Any]) -> list[Any]:
    """The inputs as the task's function takes them.

    Parameters:
        task_id: as `Mbpp/2`; of another form, nothing is turned.
        inputs: the arguments of each call.

    Raises:
        TypeError, ValueError, LookupError, AttributeError: they are not of the task's form.
    """
    _, _, number = task_id.rpartition("/")
    turn = _TURNS.get(int(number)) if number.isdecimal() else None
    return [turn(arguments) if turn else arguments for arguments in inputs]


def _each(turn: Turn) -> Turn:
    return lambda arguments: [turn(one) for one in arguments]


def _at(place: int, turn: Turn) -> Turn:
    def turned(arguments: Any) -> Any:
        return [turn(one) if at == place else one for at, one in enumerate(arguments)]

    return turned


def _tuples(items: Any) -> Any:
    return [tuple(item) for item in items]


def _tuple_of_tuples(items: Any) -> Any:
    return tuple(map(tuple, items))


def _tuples_within(items: Any) -> Any:
    return tuple(tuple(item) if isinstance(item, list) else item for item in items)


def _sets(items: Any) -> Any:
    return [set(item) if isinstance(item, list) and item else {} for item in items]


def _all_tuples(value: Any) -> Any:
    return tuple(map(_all_tuples, value)) if isinstance(value, list) else value


def _float_and_complex(arguments: Any) -> Any:
    return float(arguments[0]), complex(arguments[1])


def _values_tuples(table: Any) -> Any:
    return {key: tuple(value) for key, value in table.items()}


_BY_TURN: tuple[tuple[Turn, str], ...] = (
    (
        _each(tuple),
        "2 116 132 143 222 261 273 394 399 421 424 429 470 560 579 596 616 630 726 740 744 809",
    ),
    (_each(_tuples), "63 64 70 94 120 237 272 299 400 409 417 438 473 614 780"),
    (_at(0, _tuples), "75 413 444 753"),
    (_at(1, tuple), "106 750"),
    (_at(0, _sets), "115"),
    (_float_and_complex, "124"),
    (_at(0, tuple), "250 307 405 446 617 720 763 808"),
    (_each(_tuple_of_tuples), "259 401 445"),
    (_each(_tuples_within), "278"),
    (_at(0, _values_tuples), "722"),
    (_each(complex), "252"),
    (_all_tuples, "580 615 791"),
)
_TURNS = {int(number): turn for turn, numbers in _BY_TURN for number in numbers.split()}
