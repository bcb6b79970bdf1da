"""What shows whether a language works: which programs are sent, and what must come of them."""

from __future__ import annotations

import asyncio

import pytest

from scalebox.languages import selftest, table
from tests.engine.conftest import LEVELS, StartsEngine


@pytest.mark.parametrize("level", LEVELS)
async def test_every_language_that_is_always_here_works(
    start_engine: StartsEngine, level: str
) -> None:
    # `make languages-test` does the same with all others, which takes minutes.
    async with start_engine(sandbox={"slots": 4, "isolation": level}) as engine:
        tests = [one for one in engine.language_tests() if one.language in ("c", "cpp", "python")]
        reports = await asyncio.gather(*(engine.judge(one.submission, client="t") for one in tests))
    found = {
        f"{test.language}, {test.kind}": (report.verdict, report.message or report.cases)
        for test, report in zip(tests, reports, strict=True)
        if report.verdict is not test.verdict
    }
    assert len(tests) == 18
    assert not found
    assert {report.isolation.value for report in reports} == {level}


async def test_only_what_is_here_is_tested(start_engine: StartsEngine) -> None:
    async with start_engine() as engine:
        here = {info.name for info in engine.languages() if info.available}
        assert {one.language for one in engine.language_tests()} == here


def test_each_kind_of_program_is_sent_once() -> None:
    for entry in table.load([]):
        tests = selftest.tests_of(entry)
        kinds = [one.kind for one in tests]
        assert kinds == [*selftest.VERDICTS][: len(kinds)]
        assert len(kinds) == (6 if entry.compiles else 5)
        assert {one.submission.language for one in tests} == {entry.name}
