"""The strictest judge that ships and fits is found, and none where none fits."""

from __future__ import annotations

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.judges.directory import shipped
from scalebox.model import NamedJudge
from scalebox.specialjudges.evidence import gather
from scalebox.specialjudges.infer import DEFAULT, Inference, Tolerance, infer, stated_tolerance
from scalebox.specialjudges.material import Material
from scalebox.specialjudges.prove import prepare
from tests.specialjudges.problems import (
    SUM_RIGHT,
    SUM_TESTS,
    add,
    material,
    numbers_in_any_order,
    root,
    split,
)

PYTHON = frozenset({"python"})


async def inferred(client: AsyncClient, problem: Material) -> Inference:
    return await infer(client, prepare(problem, await gather(client, problem, PYTHON)), shipped())


async def test_where_all_write_the_same_tokens_do(client: AsyncClient) -> None:
    found = await inferred(client, add())
    assert found.judge == DEFAULT
    assert found.is_default


async def test_another_order_makes_the_strictest_judge_that_allows_it(client: AsyncClient) -> None:
    found = await inferred(client, numbers_in_any_order())
    assert found.judge is not None
    assert found.judge.name in ("unordered_lines", "unordered_numbers")
    names = [judge.name for judge in found.consistent]
    assert "unordered_tokens" in names
    assert "tokens" not in names
    assert found.damaged_accepted < found.damaged


async def test_numbers_get_the_tolerance_that_the_programs_need(client: AsyncClient) -> None:
    found = await inferred(client, root())
    assert found.judge is not None
    assert found.judge.name in ("floats", "numbers")
    sizes = [value for value in found.judge.parameters.values() if value]
    assert max(sizes) <= 1e-6  # type: ignore[type-var]


async def test_a_stated_tolerance_comes_first(client: AsyncClient) -> None:
    words = r"Your answer should have an absolute error of at most $10^{-4}$."
    found = await inferred(client, root(words))
    assert found.judge == NamedJudge(name="floats", parameters={"absolute": 1e-4, "relative": 0.0})
    assert found.stated == Tolerance(1e-4, True, False)


async def test_what_no_judge_knows_is_left_to_others(client: AsyncClient) -> None:
    found = await inferred(client, split())
    assert found.judge is None
    assert "no judge that ships" in found.reason


async def test_a_program_that_is_called_wrong_and_is_not_seen(client: AsyncClient) -> None:
    """White space apart it writes what is right, on these tests: nothing to tell it by."""
    wrong = {"spaced": "print(' ', sum(map(int, input().split())))\n"}
    found = await inferred(client, material("m", SUM_TESTS, SUM_RIGHT, wrong))
    assert found.judge == DEFAULT


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("an absolute or relative error of at most $10^{-6}$.", Tolerance(1e-6, True, True)),
        ("absolute error less than 1e-9 is fine", Tolerance(1e-9, True, False)),
        ("The relative error must be below 0.001.", Tolerance(1e-3, False, True)),
        (r"within $5 \cdot 10^{-4}$ of the answer", Tolerance(5e-4, True, False)),
        ("ett relativt fel på högst 10^-5", Tolerance(1e-5, False, True)),
        ("une erreur absolue d'au plus 10^{-3}", Tolerance(1e-3, True, False)),
        ("There are $10^{-6}$ grams of it.", None),
        ("an error of at most 10^6", None),
        ("Print YES or NO.", None),
        ("", None),
    ],
)
def test_tolerances_are_read_where_they_are_stated(words: str, expected: Tolerance | None) -> None:
    found = stated_tolerance(words)
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert found.size == pytest.approx(expected.size)
        assert (found.absolute, found.relative) == (expected.absolute, expected.relative)


def test_a_long_statement_is_read_quickly() -> None:
    assert stated_tolerance("10^ error " * 200_000) is None
