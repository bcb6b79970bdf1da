"""The chaos test notices what it looks for: what is lost, comes twice, or is wrong."""

from __future__ import annotations

import collections
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from bench import chaos, storm
from bench.chaos import Book, Fault
from bench.storm import Planned
from scalebox.client.local import async_local
from scalebox.errors import ScaleboxError
from scalebox.model import CaseResult, Enforcement, IsolationLevel, Report, Verdict


def _right(planned: Planned, **changes: Any) -> Report:
    """The report that a submission must have."""
    passed = sum(verdict is Verdict.ACCEPTED for verdict in planned.verdicts)
    fields: dict[str, Any] = {
        "verdict": Verdict.ACCEPTED,
        "passed": passed,
        "total": len(planned.verdicts),
        "cases": [CaseResult(verdict=verdict, node="a") for verdict in planned.verdicts],
        "isolation": IsolationLevel.FULL,
        "enforcement": Enforcement.CGROUP2,
        "id": planned.submission.id,
    }
    return Report(**{**fields, **changes})


async def _nothing(hosts: object) -> None:
    return None


FAULTS = (Fault("first", 0.1, _nothing), Fault("second", 0.5, _nothing))
ROWS = [{"fault": "first", "to_share": 0.3}, {"fault": "second", "to_share": 0.9}]


async def _book() -> Book:
    """All is well, and one case was tried twice."""
    book = Book(storm.plan(40, seed=1, sleep_s=0.0))
    for planned in book.planned:
        await book.enter(planned.index, _right(planned))
    book.retried = 1
    return book


def _broken(book: Book, rows: list[dict[str, Any]] = ROWS, left: tuple[str, ...] = ()) -> set[str]:
    promises = chaos.promises_of(book, rows, FAULTS, left)
    return {promise.text for promise in promises if not promise.holds}


def test_the_same_seed_gives_the_same_submissions() -> None:
    assert storm.plan(200, 3, 0.1) == storm.plan(200, 3, 0.1)
    assert storm.plan(200, 3, 0.1) != storm.plan(200, 4, 0.1)


def test_every_kind_and_every_verdict_comes() -> None:
    planned = storm.plan(20_000, 1, 0.1)
    assert {one.kind for one in planned} == set(storm.KINDS)
    verdicts = collections.Counter(verdict for one in planned for verdict in one.verdicts)
    assert verdicts.total() == 20_000
    assert min(verdicts[one] for one in ("wrong_answer", "runtime_error")) > 500
    assert verdicts["accepted"] > 10_000


async def test_a_daemon_judges_every_case_as_planned() -> None:
    book = Book(storm.plan(400, 2, 0.001))
    assert {one.kind for one in book.planned} == set(storm.KINDS)
    cpp = {"cpp": {"precompiled_header": False}}
    async with async_local(languages=cpp) as client:
        stream = client.judge_many([one.submission for one in book.planned])
        async with aclosing(stream):
            async for index, report in stream:
                await book.enter(index, report)
    assert (book.lost, book.duplicated, book.wrong) == ([], [], [])
    assert book.share == 1


async def test_what_is_as_it_must_be_breaks_no_promise() -> None:
    assert _broken(await _book()) == set()


async def test_what_is_lost_or_comes_twice_is_counted_in_cases() -> None:
    book = await _book()
    del book.reports[1]
    await book.enter(2, _right(book.planned[2]))
    assert book.cases_of(book.lost) == storm.EACH
    assert book.cases_of(book.duplicated) == storm.EACH
    assert _broken(book) == {"every report arrives", "none arrives twice"}


@pytest.mark.parametrize("verdict", [Verdict.INTERNAL_ERROR, Verdict.WRONG_ANSWER])
async def test_a_wrong_case_is_told_with_where_it_ran(verdict: Verdict) -> None:
    book = await _book()
    planned = book.planned[0]
    number = planned.verdicts.index(Verdict.ACCEPTED)
    cases = _right(planned).cases
    cases[number] = CaseResult(verdict=verdict, node="b")
    await book.enter(planned.index, _right(planned, cases=cases))
    (words,) = book.wrong
    assert f"case {number} on b: {verdict.value} in place of accepted" in words
    assert "every case is right, none an internal_error" in _broken(book)


@pytest.mark.parametrize("change", [{"id": "another"}, {"cases": []}])
async def test_a_report_of_something_else_is_wrong_in_all_cases(change: dict[str, Any]) -> None:
    book = await _book()
    await book.enter(0, _right(book.planned[0], **change))
    assert len(book.wrong) == storm.EACH


async def test_a_report_that_counts_wrongly_is_wrong() -> None:
    book = await _book()
    right = _right(book.planned[0])
    await book.enter(0, msgspec.structs.replace(right, passed=right.passed - 1))
    assert len(book.wrong) == 1


async def test_an_error_in_the_place_of_a_report_is_wrong() -> None:
    book = await _book()
    await book.enter(0, ScaleboxError("no"))
    assert len(book.wrong) == storm.EACH


async def test_faults_that_nobody_felt_or_that_came_too_late_prove_nothing() -> None:
    book = await _book()
    book.retried = 0
    assert _broken(book) == {"faults were felt: cases were tried again"}
    book.retried = 1
    late = "every fault is over before the load is"
    assert _broken(book, [ROWS[0], {**ROWS[1], "to_share": 1.0}]) == {late}
    assert _broken(book, ROWS[:1]) == {late}
    assert _broken(book, left=("host-1: 3 queued",)) == {"nothing is left to do on any node"}
