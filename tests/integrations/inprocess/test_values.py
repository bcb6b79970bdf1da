"""Values that leave the sandbox, and what is made of them outside."""

from __future__ import annotations

import collections
import decimal
import enum
import fractions
import json
import math
import time
from typing import Any

import pytest

from scalebox.integrations import values
from scalebox.integrations.inside import program_of
from scalebox.integrations.inside.values import Opaque, decode, encode


class Yes:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


class YesList(list):  # type: ignore[type-arg]
    def __eq__(self, other: object) -> bool:
        return True


class Mine(list):  # type: ignore[type-arg]
    pass


class Colour(enum.IntEnum):
    RED = 1


Point = collections.namedtuple("Point", "x y")
PLAIN = [
    None, True, 0, -1, 1 << 5000, 0.5, math.inf, -math.inf, "", "é\ud800\n", b"\x00\xff", [],
    [1, [2]], (), (1, (2,)), {}, {"a": 1, 2: (3,), None: [4], (5, "x"): {}}, set(), {1, "a"},
    [1, 1 << 5000], (-1 << 5000, 2), [0.5, -math.inf], ["a", None, True], [1, 0.5, "a"], (0.5,),
    frozenset({1}), 1 + 2j, fractions.Fraction(1, 3), decimal.Decimal("1.50"),
]  # fmt: skip


def sent(value: Any) -> Any:
    return json.loads(json.dumps(encode(value)))


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(type(value)))
def test_plain_data_comes_out_as_it_is(value: Any) -> None:
    assert values.equals(sent(value), value)
    assert decode(sent(value)) == value
    assert type(decode(sent(value))) is type(value)


def test_plain_data_equals_what_it_equals_in_python() -> None:
    comparable = [*PLAIN, 1, 1.0, False, [True, [2.0]], {"a": True}, {2.0: 1}, [(1,)], [[1]], "a"]
    for one in comparable:
        for other in comparable:
            assert values.equals(sent(one), other) == (one == other), (one, other)


@pytest.mark.parametrize("value", [[1, 2], [0.5], ["a", None], [[1]], [1, "a"]], ids=repr)
def test_what_a_program_does_to_a_value_later_changes_nothing(value: list[Any]) -> None:
    before = encode(value)
    shown = json.dumps(before)
    value.append(3)
    assert json.dumps(before) == shown


def test_nan_equals_nothing() -> None:
    assert not values.equals(sent(math.nan), math.nan)
    assert not values.equals(sent([math.nan]), [math.nan])
    assert not values.equals(sent(decimal.Decimal("sNaN")), 1)


@pytest.mark.parametrize(
    ("value", "like"),
    [
        (Mine([1, 2]), [1, 2]),
        (Point(1, 2), (1, 2)),
        (Colour.RED, 1),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.defaultdict(int, a=1), {"a": 1}),
        (bytearray(b"ab"), b"ab"),
    ],
)
def test_what_compares_as_plain_data_is_plain_data(value: Any, like: Any) -> None:
    assert value == like
    assert values.equals(sent(value), like)


@pytest.mark.parametrize(
    "value", [Yes(), YesList([1]), iter([1]), collections.deque([1]), range(1)]
)
def test_other_objects_equal_nothing(value: Any) -> None:
    assert not any(values.equals(sent(one), [1]) for one in (value, [value], (value,), {1: value}))
    assert not values.equals(sent([value]), [[1]])
    assert values.tag_of(sent(value)) == "opaque"
    assert isinstance(decode(sent(value)), Opaque)
    assert decode(sent(value)) != decode(sent(value))


def test_what_is_deep_or_holds_itself_is_no_data() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    itself: list[Any] = []
    itself.append(itself)
    for value in (deep, itself):
        assert not values.equals(sent(value), [[[]]])


@pytest.mark.parametrize(
    "forged",
    [
        {}, {"a": 1, "b": 2}, {"list": [1]}, {"tuple": 1}, {"set": [[1]]}, {"set": [{"set": []}]},
        {"dict": [1]}, {"dict": [[1]]}, {"dict": [[1, 2, 3]]}, {"int": "x"}, {"int": 5},
        {"float": "x"}, {"float": []}, {"complex": [1]}, {"complex": ["a", "b"]}, {"bytes": "x"},
        {"fraction": [1, 0]}, {"fraction": [{"int": "0x1"}, 2]}, {"decimal": "x"}, {"numpy": {}},
        {"decimal": {}}, {"opaque": 1}, {"ndarray": [1]},
    ],
)  # fmt: skip
def test_what_nobody_encodes_equals_nothing(forged: Any) -> None:
    for expected in ([1], (1,), {1}, {1: 2}, {}, 1, 1.0, "x", b"", None):
        assert not values.equals(forged, expected)
        assert not values.equals([forged], [expected])
    assert values.number_of(forged) is None


def test_an_item_that_is_sent_twice_does_not_stand_for_another() -> None:
    assert not values.equals({"set": [1, 1]}, {1, 2})
    assert not values.equals({"dict": [["a", 1], ["a", 1]]}, {"a": 1, "b": 1})
    assert not values.equals({"set": [1, 1]}, {1})
    assert values.covers([1, 1, 2], {1, 2})


def test_colliding_keys_cost_nothing() -> None:
    prime = (1 << 61) - 1
    colliding = [number * prime for number in range(1, 60_000)]
    begun = time.process_time()
    assert not values.equals({"set": colliding}, {1})
    assert not values.equals({"dict": [[one, 1] for one in colliding]}, {1: 1})
    assert not values.covers(colliding, {1})
    assert time.process_time() - begun < 20  # made into one set, they take minutes


@pytest.mark.parametrize("name", ["evalplus.py", "livecodebench.py", "unittests.py"])
def test_no_program_of_ours_makes_slots_load_what_it_does_not_use(name: str) -> None:
    """A slot preloads what a source names; see the package's docstring."""
    assert "numpy" not in program_of(name)
