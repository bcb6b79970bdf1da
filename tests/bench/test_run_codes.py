"""The benchmark of `/run_code`: each case is a request of its own, and no wrong one a figure."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bench import run_codes
from bench.measure import UnexpectedReportError


async def test_each_case_is_a_request_on_a_connection_of_its_own() -> None:
    async with run_codes.serving() as (client, port):
        before = (await client.status()).counters.get("run_finished", 0)
        units = run_codes.WORKLOAD.make(random.Random(0), 2)
        done = await run_codes.ask(client, port, units)
        assert done.cases == sum(len(unit.cases) for unit in units) == 40
        assert (await client.status()).counters["run_finished"] - before == 40


async def test_an_answer_that_is_wrong_ends_it() -> None:
    async with run_codes.serving() as (client, port):
        [unit] = run_codes.WORKLOAD.make(random.Random(0), 1)
        for wrong in (
            replace(unit, source="print(1)"),
            replace(unit, source="1 / 0"),
            replace(unit, language="cobol"),
        ):
            with pytest.raises(UnexpectedReportError):
                await run_codes.ask(client, port, [wrong])


async def test_the_figures_are_there() -> None:
    figures, rows = await run_codes.compare(1, 0.01)
    assert {"run_code_cases_per_s", "run_code_over_batch"} <= figures.keys()
    assert all(value > 0 for value in figures.values())
    assert [row["way"] for row in rows] == ["batch API", "/run_code"]
