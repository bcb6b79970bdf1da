"""Cases that another engine runs: every way of testing, and whatever becomes of a loan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.engine.lending import MOST_HOPS
from scalebox.engine.loan import Borrowed, Loan
from scalebox.engine.service import Engine
from scalebox.model import (
    CaseResult,
    FunctionJudge,
    InteractiveCase,
    InteractiveTests,
    ProgramJudge,
    Report,
    Submission,
    Verdict,
)

from .conftest import StartsEngine, asserted, calls, stdio, until, verdicts
from .test_interaction import ICPC as GUESSING
from .test_judges import SORTED

#: Slow enough that most cases still wait when a borrower comes.
SLOW = "import time\ntime.sleep(0.05)\n"
ECHO = SLOW + "print(input())"
CASES = [(str(number), str(number)) for number in range(12)]
FAILING = [(str(number), "x" if number % 4 == 3 else str(number)) for number in range(12)]
SLOW_ECHO_C = (
    "#include <stdio.h>\n#include <unistd.h>\n"
    'int main(){char s[9]; scanf("%8s", s); usleep(50000); puts(s);}'
)
GUESS = (
    SLOW + "low, high = 1, 100\nwhile True:\n    n = (low + high) // 2\n    print(n, flush=True)\n"
    "    said = input()\n    if said == 'right':\n        break\n"
    "    if said == 'more':\n        low = n + 1\n    else:\n        high = n - 1\n"
)
LENT: dict[str, Submission] = {
    "python": stdio(ECHO, FAILING, stop="never"),
    "c": stdio(SLOW_ECHO_C, FAILING, stop="never", language="c"),
    "function": stdio(ECHO, FAILING, stop="never", judge=FunctionJudge(source=SORTED)),
    "call": calls(
        "import time\ndef f(n):\n    time.sleep(0.002)\n    return n",
        [([n], n if n % 4 < 3 else -1) for n in range(900)],
        stop="never",
    ),
    "assert": asserted(
        "import time\ndef f(n):\n    time.sleep(0.05)\n    return n",
        *[f"assert f({n}) == {n if n % 4 < 3 else -1}" for n in range(12)],
        stop="never",
    ),
    "interactive": Submission(
        language="python",
        source=GUESS,
        tests=InteractiveTests(
            cases=[InteractiveCase(input=str(number)) for number in range(1, 10)],
            judge=ProgramJudge(contract="icpc", language="cpp", source=GUESSING),
        ),
        stop="never",
    ),
}


Pair = tuple[Engine, Engine]
StartsPair = Callable[[], AbstractAsyncContextManager[Pair]]


@asynccontextmanager
async def engines(start_engine: StartsEngine, folder: Path) -> AsyncIterator[Pair]:
    """Two, with stores of their own."""
    async with AsyncExitStack() as stack:
        made = []
        for number in range(2):
            sandbox = {"slots": 2, "uid_base": 61_184 + 100 * number}
            store = {"directory": str(folder / str(number))}
            made.append(await stack.enter_async_context(start_engine(sandbox=sandbox, store=store)))
        yield made[0], made[1]


@pytest.fixture
def pair(start_engine: StartsEngine, tmp_path: Path) -> StartsPair:
    """Starts who lends and who borrows."""
    return lambda: engines(start_engine, tmp_path)


async def lent(engine: Engine, other: Engine, cases: int = 10_000) -> Loan:
    """The loan that can be had as soon as there is one."""
    await until(lambda: engine.lending.backlog().cases > 0)
    loan = engine.lending.take("other", cases, 1e9, other.toolchains())
    assert loan is not None
    return loan


async def borrow(engine: Engine, loan: Loan) -> Report:
    """Judge a loan's cases, and hand over each result as it comes."""

    def heard(position: int, result: CaseResult, weak: bool) -> None:
        assert loan.answer(position, msgspec.structs.replace(result, node="other"), weak=weak)

    borrowed = Borrowed("loan", (*loan.via, "home"), heard)
    return await engine.judge(loan.submission(), client="peer", borrowed=borrowed)


def comparable(report: Report) -> list[Any]:
    """What must not depend on where cases ran."""
    fields = ("verdict", "name", "exit_code", "signal", "message", "score", "output", "attempts")
    cases = [[getattr(case, field) for field in fields] for case in report.cases]
    return [report.verdict, report.passed, report.message, report.integrity, cases]


@pytest.mark.parametrize("kind", LENT)
async def test_lent_cases_come_to_what_they_come_to_at_home(pair: StartsPair, kind: str) -> None:
    submission = msgspec.structs.replace(LENT[kind], return_output="all")
    async with pair() as (home, other):
        expected = await home.judge(submission, client="t")
        judging = asyncio.create_task(home.judge(submission, client="t"))
        loan = await lent(home, other)
        assert len(loan.cases) >= 3
        await borrow(other, loan)
        report = await judging
        assert comparable(report) == comparable(expected)
        nodes = [case.node for case in report.cases]
        assert nodes.count("other") == len(loan.cases)
        assert loan.is_over
        assert home.lending.backlog().cases == 0
        assert home.status().queued_cases == 0


async def test_weak_there_is_weak_here(pair: StartsPair) -> None:
    # Passed by the submission's word for it.
    programs = [f"def check(candidate):\n    assert right({n})" for n in range(12)]
    source = "import time\ndef f(n): return n\ndef right(n):\n    time.sleep(0.05)\n    return True"
    async with pair() as (home, other):
        judging = asyncio.create_task(
            home.judge(asserted(source, *programs, entry_point="f"), client="t")
        )
        loan = await lent(home, other)
        await borrow(other, loan)
        report = await judging
        assert report.accepted
        assert report.integrity == "weak"


async def test_what_is_not_begun_can_go_home(pair: StartsPair) -> None:
    async with pair() as (home, other):
        submission = stdio(ECHO, [(str(n), str(n)) for n in range(60)], stop="never")
        judging = asyncio.create_task(home.judge(submission, client="t"))
        loan = await lent(home, other)
        borrowing = asyncio.create_task(borrow(other, loan))
        waits = other.lending.backlog_of
        await until(lambda: waits("home").cases > 20)
        assert waits("stranger").cases == 0
        assert other.lending.send_home("stranger", 10, 10) == []
        before = waits("home").cases
        assert other.lending.send_home("home", 10, 0) == []
        ((name, positions),) = other.lending.send_home("home", 10, 10)
        assert name == "loan"
        assert len(positions) == 10
        assert positions == sorted(positions)[-10:], "the last to be begun"
        assert waits("home").cases <= before - 10
        assert loan.come_home([*positions, *positions, -1, 10_000]) == 10
        assert loan.come_home(positions) == 0
        report = await judging
        borrowing.cancel()
        assert report.accepted
        assert {case.attempts for case in report.cases} == {1}, "none was begun there"
        went_home = {loan.cases[position] for position in positions}
        nodes = [report.cases[case].node for case in loan.cases if case not in went_home]
        assert set(nodes) == {"other"}
        assert {report.cases[case].node for case in went_home} == {""}


async def test_what_is_not_answered_is_run_at_home(pair: StartsPair) -> None:
    async with pair() as (home, other):
        judging = asyncio.create_task(home.judge(stdio(ECHO, CASES), client="t"))
        loan = await lent(home, other)
        good = CaseResult(verdict=Verdict.ACCEPTED, node="other")
        assert loan.answer(0, good)
        assert not loan.answer(0, good), "a second time"
        assert not loan.answer(len(loan.cases), good), "never lent"
        assert not loan.answer(-1, good)
        assert loan.give_back() == len(loan.cases) - 1
        assert loan.give_back() == 0
        assert not loan.answer(1, good), "late"
        report = await judging
        assert report.accepted
        assert [case.node for case in report.cases].count("other") == 1
        attempts = [case.attempts for case in report.cases]
        assert attempts.count(2) == len(loan.cases) - 1, "one run was lost"


@pytest.mark.parametrize("verdict", ["internal_error", "judge_error", "cancelled", "skipped"])
async def test_what_says_nothing_about_the_program_is_no_result(
    pair: StartsPair, verdict: str
) -> None:
    async with pair() as (home, other):
        judging = asyncio.create_task(home.judge(stdio(ECHO, CASES), client="t"))
        loan = await lent(home, other)
        for position in range(len(loan.cases)):
            loan.answer(position, CaseResult(verdict=Verdict(verdict)))
        report = await judging
        assert report.accepted
        assert {case.node for case in report.cases} == {""}


async def test_a_sample_is_compared_with_what_is_found_here(pair: StartsPair) -> None:
    said: list[tuple[str, str, str]] = []
    async with pair() as (home, other):
        home.lending.on_disagreement = lambda who, there, here: said.append(
            (who, there.verdict.value, here.verdict.value)
        )
        judging = asyncio.create_task(home.judge(stdio(ECHO, CASES), client="t"))
        loan = await lent(home, other)
        wrong = CaseResult(verdict=Verdict.WRONG_ANSWER)
        for position in range(len(loan.cases)):
            right = CaseResult(verdict=Verdict.ACCEPTED)
            loan.answer(position, right if position else wrong, trust="check")
        report = await judging
        assert report.accepted, "what is found here counts"
        assert said == [("other", "wrong_answer", "accepted")]


async def test_the_first_failure_ends_loans(pair: StartsPair) -> None:
    cases = [("0", "x" if number == 2 else "0") for number in range(30)]
    async with pair() as (home, other):
        judging = asyncio.create_task(home.judge(stdio(ECHO, cases), client="t"))
        loan = await lent(home, other, cases=10)
        assert loan.cases == list(range(20, 30)), "the last ones"
        assert loan.unwanted() == []
        report = await judging
        assert verdicts(report)[2:] == ["wrong_answer"] + ["skipped"] * 27
        assert loan.unwanted() == list(range(10))
        assert loan.is_over


async def test_a_loan_ends_with_its_submission(pair: StartsPair) -> None:
    async with pair() as (home, other):
        judging = asyncio.create_task(home.judge(stdio(ECHO, CASES), client="t"))
        loan = await lent(home, other)
        judging.cancel()
        await asyncio.wait([judging])
        assert loan.is_over
        loan.answer(0, CaseResult(verdict=Verdict.ACCEPTED))
        assert loan.give_back() in (0, len(loan.cases) - 1)
        assert home.status().queued_cases == 0
        assert (await home.judge(stdio("print(input())", CASES), client="t")).accepted


async def test_stragglers_are_run_here_too(pair: StartsPair) -> None:
    async with pair() as (home, other):
        judging = asyncio.create_task(home.judge(stdio(ECHO, CASES), client="t"))
        loan = await lent(home, other)
        await until(lambda: home.status().running_cases == 0)
        assert home.lending.hedge(60.0) == 0
        assert home.lending.hedge(-60.0) == len(loan.cases)
        assert home.lending.hedge(-60.0) == 0, "once"
        assert home.lending.backlog().cases == 0, "not lent again"
        report = await judging
        assert report.accepted
        assert loan.is_over or loan.unwanted()


async def test_what_was_lent_can_be_lent_on_but_not_for_ever(pair: StartsPair) -> None:
    async with pair() as (home, other):
        for hops in (0, 1, MOST_HOPS - 1, MOST_HOPS):
            via = tuple(f"node{number}" for number in range(hops))
            borrowed = Borrowed("loan", via, lambda *_: None) if via else None
            work = home.judge(stdio(ECHO, CASES, stop="never"), client="t", borrowed=borrowed)
            judging = asyncio.create_task(work)
            runs = home.status().counters["runs"]
            # One compiles.
            await until(lambda runs=runs: home.status().counters["runs"] > runs + 1)
            loan = home.lending.take("other", 5, 1e9, other.toolchains())
            if hops == MOST_HOPS:
                assert loan is None
                assert home.lending.backlog().cases == 0
            else:
                assert loan is not None
                assert loan.via == via
                loan.give_back()
                if via:
                    assert home.lending.take(via[0], 5, 1e9, other.toolchains()) is None
            assert (await judging).accepted


async def test_only_who_has_the_tool_chains_gets_something(pair: StartsPair) -> None:
    async with pair() as (home, other):
        judging = asyncio.create_task(home.judge(LENT["c"], client="t"))
        await until(lambda: home.lending.backlog().cases > 0)
        python = {one for one in other.toolchains() if one not in compilers(home)}
        assert home.lending.take("other", 5, 1e9, python) is None
        assert home.lending.take("other", 5, 1e9, set()) is None
        loan = home.lending.take("other", 5, 1e9, other.toolchains())
        assert loan is not None
        address = loan.artifact
        assert len(address) == 64
        assert home.builder.has(address)
        assert not other.builder.has(address)
        program = await home.builder.program(address)
        assert program is not None
        assert program[:4] == b"\x7fELF"
        await other.builder.take_program(address, program)
        await borrow(other, loan)
        await judging
        assert other.status().counters["compilations"] == 0, "it was fetched"
        assert await other.builder.program("0" * 64) is None


def compilers(engine: Engine) -> set[str]:
    tools = engine._tools
    return {one.identity for one in tools.all() if one.entry.runner == "native"} | {
        tools.find(name).identity for name in ("c", "cpp")
    }


async def test_at_most_what_was_asked_for(pair: StartsPair) -> None:
    async with pair() as (home, other):
        judging = asyncio.create_task(
            home.judge(stdio(ECHO, [("1", "1")] * 60, stop="never"), client="t")
        )
        await until(lambda: home.status().counters["runs"] > 8)
        backlog = home.lending.backlog()
        assert backlog.seconds == pytest.approx(0.05 * backlog.cases, rel=0.5)
        loans = [home.lending.take("other", 3, 1e9, other.toolchains())]
        loans.append(home.lending.take("other", 100, 0.2, other.toolchains()))
        assert [len(loan.cases) for loan in loans if loan] in ([3, 2], [3, 3], [3, 4])
        for loan in loans:
            assert loan is not None
            loan.give_back()
        assert (await judging).accepted


Hears = Callable[[int, CaseResult, bool], None]


async def test_every_result_is_heard_once_and_in_time(pair: StartsPair) -> None:
    async with pair() as (home, _):
        heard: list[tuple[int, str]] = []
        hears: Hears = lambda index, result, weak: heard.append((index, result.verdict.value))  # noqa: E731
        borrowed = Borrowed("loan", ("lender",), hears)
        report = await home.judge(LENT["python"], client="t", borrowed=borrowed)
        assert sorted(heard) == list(enumerate(verdicts(report)))
