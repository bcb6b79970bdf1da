"""What is sent is what was meant; what cannot be is refused with its place before it leaves."""

from __future__ import annotations

import enum
import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest

from scalebox import (
    AsyncClient,
    CallCase,
    CallTests,
    Limits,
    Problem,
    RemoteError,
    Report,
    StdioCase,
    StdioTests,
    Submission,
)
from scalebox.client.encode import JSON, MSGPACK, Encoder
from scalebox.errors import BadRequestError
from tests.client.fake import FakeDaemon

OK = Submission(language="python", source="ok")
HUGE = 2**100


def calling(value: Any, expected: Any = None) -> Submission:
    tests = CallTests(function="f", cases=[CallCase(), CallCase(args=[value], expected=expected)])
    return Submission(language="python", source="ok", tests=tests)


class Colour(enum.IntEnum):
    RED = 3


class Number(float):
    """As numpy's float64, a float that is none."""


@pytest.mark.parametrize(
    "value",
    [None, True, 2**64 - 1, -(2**63), 1.5, math.inf, "é", b"\xff", [1, [2]], {"a": {}}, {1: 2}],
    ids=repr,
)
def test_plain_data_travels_as_msgpack_and_unchanged(value: Any) -> None:
    encoded = Encoder().encode(calling(value, value))
    assert encoded.content_type == MSGPACK
    case = msgspec.msgpack.decode(encoded.data)["tests"]["cases"][1]
    assert case["args"] == [value]
    assert case.get("expected") == value


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, HUGE, {"a": [1, HUGE]}, 10**4299])
def test_integers_beyond_64_bits_travel_as_json(value: Any) -> None:
    encoded = Encoder().encode(calling(value, value))
    assert encoded.content_type == JSON
    case = json.loads(encoded.data)["tests"]["cases"][1]
    assert case["args"] == [value]
    assert case["expected"] == value


def test_numbers_of_other_kinds_are_the_numbers_that_they_are() -> None:
    encoded = Encoder().encode(calling([Number(1.5), Colour.RED]))
    assert msgspec.msgpack.decode(encoded.data)["tests"]["cases"][1]["args"] == [[1.5, 3]]


IN_ITSELF: list[Any] = []
IN_ITSELF.append(IN_ITSELF)


@pytest.mark.parametrize(
    ("value", "place", "words"),
    [
        ({1, 2}, "", "a set is no plain data"),
        ([1, Decimal("1.5")], "[1]", "a Decimal"),
        ({"a": [Fraction(1, 2)]}, "['a'][0]", "a Fraction"),
        (object(), "", "a object"),
        (1j, "", "a complex"),
        ([HUGE, math.nan], "[1]", "nan cannot be said in JSON"),
        ([HUGE, b"x"], "[1]", "cannot be said in JSON"),
        ([HUGE, {1: 2}], "[1]", "the key 1 cannot be said in JSON"),
        (10**4300, "", "more than 4,300 digits"),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("side", ["args[0]", "expected"])
def test_what_would_arrive_as_something_else_is_refused(
    value: Any, place: str, words: str, side: str
) -> None:
    given = (value, None) if side == "args[0]" else (None, value)
    with pytest.raises(BadRequestError, match=words) as caught:
        Encoder().encode(calling(*given))
    assert caught.value.field == f"tests.cases[1].{side}{place}"


def test_a_value_in_itself_is_refused_and_not_followed_for_ever() -> None:
    with pytest.raises(BadRequestError, match="nested more than 200 deep"):
        Encoder().encode(calling(IN_ITSELF))


@pytest.mark.parametrize(
    ("submission", "field"),
    [
        (Submission(language="python", source="'\ud800'"), "source"),
        (Submission(language="python", source="", files={"a\udfff": "x"}), "files[...]"),
        (
            Submission(
                language="python",
                source="",
                tests=StdioTests(cases=[StdioCase(), StdioCase(input="\ud83d")]),
            ),
            "tests.cases[1].input",
        ),
        (calling({"a": "\ud800"}), "tests.cases[1].args[0][...]"),
    ],
)
def test_half_a_character_is_refused_with_its_place(submission: Submission, field: str) -> None:
    with pytest.raises(BadRequestError, match="lone surrogate") as caught:
        Encoder().encode(submission)
    assert caught.value.field == field


def test_fields_of_another_kind_are_refused() -> None:
    with pytest.raises(BadRequestError, match="cannot be sent"):
        Encoder().encode(Submission(language="python", source=object()))  # type: ignore[arg-type]


def test_the_same_tests_are_looked_at_once() -> None:
    looked = 0

    class Watched(list[Any]):
        def __iter__(self) -> Any:
            nonlocal looked
            looked += 1
            return super().__iter__()

    tests = CallTests(function="f", cases=[CallCase(args=[Watched([1, 2])])])
    encoder = Encoder()
    for source in ("a", "b", "c"):
        encoder.encode(Submission(language="python", source=source, tests=tests))
    assert looked == 1


async def test_both_codings_reach_the_daemon_from_one_stream(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    sent = [OK, calling(HUGE), OK, calling(3), calling(HUGE + 1)] * 20
    reports = await client.judge_all(sent)
    assert all(report.accepted for report in reports)
    assert sorted(daemon.keys.values()) == [1] * 100
    assert set(daemon.arguments) == {HUGE, HUGE + 1, 3}


async def test_a_submission_that_cannot_be_sent_ends_no_other(client: AsyncClient) -> None:
    sent: list[Any] = [OK, Submission(language="python", source="\ud800"), OK, 3, OK]
    results = client.judge_many(sent, on_error="return")
    found = {index: outcome async for index, outcome in results}
    assert [isinstance(found[index], Report) for index in range(5)] == [
        True,
        False,
        True,
        False,
        True,
    ]
    refused = found[1]
    assert isinstance(refused, RemoteError)
    assert (refused.code, refused.http_status, refused.field) == ("bad_request", 400, "source")
    with pytest.raises(RemoteError, match="surrogate"):
        await client.judge_all(sent)


async def test_a_problem_with_a_large_integer_is_registered(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    tests = CallTests(function="f", cases=[CallCase(expected=HUGE)])
    await client.put_problem("large", Problem(tests=tests))
    assert msgspec.json.decode(daemon.problems["large"], type=Problem).tests == tests


@pytest.mark.parametrize("problem_id", ["", "..", "a b", "é", "a\n", "a%2Fb", "x" * 201, 3])
async def test_an_id_that_is_none_is_refused_here(
    client: AsyncClient, daemon: FakeDaemon, problem_id: Any
) -> None:
    with pytest.raises(BadRequestError) as caught:
        await client.put_problem(problem_id, Problem(tests=StdioTests(cases=[])))
    assert caught.value.field == "id"
    assert not daemon.problems


async def test_bytes_may_stand_for_a_blob_of_them(client: AsyncClient, daemon: FakeDaemon) -> None:
    fields: dict[str, Any] = {"language": "python", "source": "ok", "files": {"a": b"\xff"}}
    assert (await client.judge(**fields, tests=[(b"\xfe", b"\xfd")])).accepted
    # The fake daemon says what it got as standard input.
    assert b"Blob(sha256=None, data=b'\\xfe')" in (await client.run(**fields, stdin=b"\xfe")).stdout


@pytest.mark.parametrize("tests", [3, "abc", {"type": "stdio"}, [("a", "b", "c")], [3]])
async def test_tests_of_another_kind_are_named(client: AsyncClient, tests: Any) -> None:
    with pytest.raises(BadRequestError) as caught:
        await client.judge(language="python", source="", tests=tests)
    assert caught.value.field in ("tests", "tests[0]")


async def test_tests_and_a_problem_exclude_each_other(client: AsyncClient) -> None:
    problem = Problem(tests=StdioTests(cases=[]), limits=Limits())
    with pytest.raises(BadRequestError, match="not both"):
        await client.judge(language="python", source="", problem=problem, tests=[("", "")])
    with pytest.raises(BadRequestError, match="RunRequest"):
        await client.run(OK)  # type: ignore[arg-type]
