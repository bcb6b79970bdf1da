"""Judges of the store on real slots: counted as they decide and fail, and out when they fail too
often, also in the middle of a submission."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.config import Config
from scalebox.engine.naming import in_service
from scalebox.engine.service import Engine, running
from scalebox.errors import BadRequestError, UnknownJudgeError, UnknownLanguageError
from scalebox.judges.catalogue import Catalogue
from scalebox.judges.directory import shipped
from scalebox.model import (
    Comparison,
    FunctionJudge,
    JudgeRecord,
    JudgeState,
    NamedJudge,
    OutputCase,
    OutputTests,
    Problem,
    ProgramJudge,
    Report,
    StdioCase,
    StdioTests,
    StorableJudge,
    Submission,
)
from tests.judges.storing import ACTIVE, CANDIDATE, QUARANTINED, RETIRED, catalogue, new, to

from .conftest import all_slots_up, verdicts

ECHO = "import sys\nsys.stdout.write(sys.stdin.read())"
#: Raises for what begins with a minus sign, and decides about the rest.
NAIVE = FunctionJudge(
    source="def judge(input, output, answer):\n"
    "    if output.startswith('-'):\n"
    "        raise ValueError('what is ' + output.strip() + '?')\n"
    "    return output == answer\n"
)
DOES_NOT_COMPILE = FunctionJudge(source="def judge(:")
RIGHT, WRONG, FAILED = "accepted", "wrong_answer", "judge_error"


@asynccontextmanager
async def engine_with(
    folder: Path, failures: int = 3, rate: float = 0.3, slots: int = 2
) -> AsyncIterator[tuple[Engine, Catalogue]]:
    settings: dict[str, Any] = {
        "store": {"directory": str(folder / "store")},
        "sandbox": {"slots": slots},
        "languages": {"cpp": {"precompiled_header": False}},
    }
    async with (
        catalogue(folder / "judges.sqlite", failures, rate).in_use() as judges,
        running(msgspec.convert(settings, Config), judges) as engine,
    ):
        await all_slots_up(engine)
        yield engine, judges


async def judged(engine: Engine, *outputs: str, judge: Any = None, **more: Any) -> Report:
    """Of a program that writes these; the answer is always 1."""
    judge = judge or NamedJudge(name="problem:p")
    cases = [StdioCase(input=output, answer="1") for output in outputs]
    tests = more.pop("tests", None) or StdioTests(cases=cases, judge=judge)
    fields = {"language": "python", "source": ECHO, "tests": tests, "stop": "never", **more}
    return await engine.judge(Submission(**fields), client="t")


async def registered(
    judges: Catalogue, judge: StorableJudge, state: JudgeState = ACTIVE, **more: Any
) -> JudgeRecord:
    return (await judges.add(new(judge, state=state, **more)))[0]


async def test_decisions_and_failures_are_counted(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (engine, judges):
        await registered(judges, NAIVE)
        report = await judged(engine, "1", "2", "1", "-1")
        assert verdicts(report) == [RIGHT, WRONG, RIGHT, FAILED]
        record = await judges.record("problem:p")
        assert (record.decided, record.failed, record.state) == (3, 1, ACTIVE)
        assert (await judged(engine, "1", judge=NAIVE)).accepted
        assert (await judges.record("problem:p")).decided == 3, "sent in full it is not the store's"


async def test_every_name_of_it_counts_for_the_same(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (engine, judges):
        record = await registered(judges, NAIVE)
        for name in ("problem:p", "problem:p#1", f"sha256:{record.hash}"):
            assert (await judged(engine, "1", judge=NamedJudge(name=name))).accepted
        assert (await judges.record(record.hash)).decided == 3


async def test_a_judge_that_compares_is_counted_too(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (engine, judges):
        await registered(judges, NamedJudge(name="floats", parameters={"absolute": 0.5}))
        assert verdicts(await judged(engine, "1.4", "1.6")) == [RIGHT, WRONG]
        record = await judges.record("problem:p")
        assert (record.decided, record.failed) == (2, 0)
        await judges.change("problem:p", to(QUARANTINED, reason="too loose"))
        report = await judged(engine, "1.4")
        assert report.verdict == FAILED
        assert "too loose" in report.message
        assert (await judges.record("problem:p")).decided == 2


async def test_cases_have_judges_of_their_own(tmp_path: Path) -> None:
    async with engine_with(tmp_path, failures=99) as (engine, judges):
        await registered(judges, NAIVE)
        await registered(judges, NamedJudge(name="tokens"), problem="q")
        tests = StdioTests(
            judge=NamedJudge(name="problem:p"),
            cases=[
                StdioCase(input="1", answer="1"),
                StdioCase(input="-1", answer="-1"),
                StdioCase(input="-1", answer="-1", judge=NamedJudge(name="problem:q")),
                StdioCase(input="-1", answer="-1", judge=Comparison()),
                StdioCase(input="-1", answer="-1", judge=NamedJudge(name="problem:p#1")),
            ],
        )
        report = await judged(engine, tests=tests)
        assert verdicts(report) == [RIGHT, FAILED, RIGHT, RIGHT, FAILED]
        counts = [await judges.record(f"problem:{id}") for id in "pq"]
        assert [(one.decided, one.failed) for one in counts] == [(1, 2), (1, 0)]
        await judges.change("problem:p", to(QUARANTINED))
        assert verdicts(await judged(engine, tests=tests)) == [FAILED, FAILED, RIGHT, RIGHT, FAILED]


async def test_one_that_fails_too_often_is_taken_out(tmp_path: Path) -> None:
    async with engine_with(tmp_path, failures=3, rate=0.3) as (engine, judges):
        await registered(judges, NAIVE)
        assert verdicts(await judged(engine, *"111111")) == [RIGHT] * 6
        assert verdicts(await judged(engine, "-1", "-2")) == [FAILED] * 2
        assert (await judged(engine, "1")).accepted, "2 of 9 is no 3"
        report = await judged(engine, "-3", "-4")
        assert "what is -" in report.message
        assert (await judges.record("problem:p")).state is QUARANTINED
        report = await judged(engine, "1", "2")
        assert verdicts(report) == [FAILED, FAILED]
        assert "is out of service" in report.message
        assert "it failed " in report.message
        assert "ValueError: what is -" in report.message
        await judges.change("problem:p", to(ACTIVE, reason="I shall watch it"))
        assert (await judged(engine, "1")).accepted


async def test_the_program_has_its_own_verdict_first(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (engine, judges):
        await registered(judges, NAIVE)
        await judges.change("problem:p", to(QUARANTINED))
        report = await judged(engine, "1", source="1 / 0")
        assert report.verdict == "runtime_error"


async def test_one_that_does_not_compile_is_taken_out_and_not_compiled_again(
    tmp_path: Path,
) -> None:
    async with engine_with(tmp_path, failures=3) as (engine, judges):
        await registered(judges, DOES_NOT_COMPILE)
        report = await judged(engine, "1", "1", "1")
        assert verdicts(report) == [FAILED] * 3
        assert "does not compile" in report.cases[0].message
        assert (await judges.record("problem:p")).state is QUARANTINED
        before = engine.status().counters["compilations"]
        report = await judged(engine, "1")
        assert "is out of service" in report.message
        assert engine.status().counters["compilations"] == before


async def test_flags_are_no_mistake_while_it_is_out(tmp_path: Path) -> None:
    judge = ProgramJudge(contract="icpc", language="python", source="import sys\nsys.exit(42)")
    tests = StdioTests(
        judge=NamedJudge(name="problem:p"), cases=[StdioCase(judge_flags=["loudly"])]
    )
    async with engine_with(tmp_path) as (engine, judges):
        await registered(judges, judge)
        assert (await judged(engine, tests=tests)).accepted
        await judges.change("problem:p", to(QUARANTINED))
        assert (await judged(engine, tests=tests)).verdict == FAILED


async def test_it_is_out_in_the_middle_of_a_submission(tmp_path: Path) -> None:
    """Cases that come after the last straw are not judged any more."""
    async with engine_with(tmp_path, failures=3, rate=0.01, slots=1) as (engine, judges):
        await registered(judges, NAIVE)
        report = await judged(engine, *["-1"] * 20)
        assert verdicts(report) == [FAILED] * 20
        out = ["is out of service" in case.message for case in report.cases]
        # A case or two may have been with the judge already.
        assert 15 <= sum(out) <= 17
        assert (await judges.record("problem:p")).failed == 20 - sum(out)


async def test_given_outputs_are_counted_and_refused_alike(tmp_path: Path) -> None:
    async with engine_with(tmp_path, failures=2, rate=0.3) as (engine, judges):
        await registered(judges, NAIVE)
        for outputs, expected in (("12", [RIGHT, WRONG]), (["-1", "-1"], [FAILED, FAILED])):
            cases = [OutputCase(output=output, answer="1") for output in outputs]
            tests = OutputTests(cases=cases, judge=NamedJudge(name="problem:p"))
            report = await engine.judge(
                Submission(language="", source="", tests=tests, stop="never"), client="t"
            )
            assert verdicts(report) == expected
        record = await judges.record("problem:p")
        assert (record.decided, record.failed, record.state) == (2, 2, QUARANTINED)
        report = await engine.judge(
            Submission(language="", source="", tests=tests, stop="never"), client="t"
        )
        assert "is out of service" in report.message
        await registered(judges, NamedJudge(name="tokens"), problem="q")
        tests = msgspec.structs.replace(tests, judge=NamedJudge(name="problem:q"))
        report = await engine.judge(
            Submission(language="", source="", tests=tests, stop="never"), client="t"
        )
        assert verdicts(report) == [WRONG, WRONG]
        assert (await judges.record("problem:q")).decided == 2


async def test_what_a_program_does_is_not_its_judges_fault(tmp_path: Path) -> None:
    """One that is wrong or dead says nothing about who judges it."""
    async with engine_with(tmp_path, failures=1, rate=0.01) as (engine, judges):
        await registered(judges, NAIVE)
        for source in ("1 / 0", "import os; os.abort()", "print(2)"):
            await judged(engine, "1", source=source)
        record = await judges.record("problem:p")
        assert (record.decided, record.failed, record.state) == (1, 0, ACTIVE)


async def test_problems_name_judges_of_the_store(tmp_path: Path) -> None:
    async with engine_with(tmp_path) as (engine, judges):
        tests = StdioTests(
            judge=NamedJudge(name="problem:p"), cases=[StdioCase(input="1", answer="1")]
        )
        with pytest.raises(UnknownJudgeError) as caught:
            engine.check_problem(Problem(tests=tests))
        assert caught.value.field == "tests.judge.name"
        await registered(judges, NAIVE)
        engine.check_problem(Problem(tests=tests))
        await judges.change("problem:p", to(QUARANTINED))
        engine.check_problem(Problem(tests=tests))
        await judges.change("problem:p", to(RETIRED))
        with pytest.raises(UnknownJudgeError, match="no judge is active"):
            await judged(engine, tests=tests)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("problem:none", "no judge problem:none"),
        ("sha256:" + "0" * 64, "no judge sha256"),
        ("sha256:xyz", "64 hexadecimal"),
        ("problem:p", "no judge is active.*1 candidate"),
    ],
)
async def test_what_is_not_there_is_refused_with_its_place(
    tmp_path: Path, name: str, words: str
) -> None:
    async with engine_with(tmp_path, slots=1) as (engine, judges):
        await registered(judges, NAIVE, CANDIDATE)
        case = StdioCase(input="1", judge=NamedJudge(name=name))
        for tests, place in (
            (StdioTests(cases=[StdioCase()], judge=NamedJudge(name=name)), "tests.judge.name"),
            (StdioTests(cases=[StdioCase(), case]), "tests.cases[1].judge.name"),
        ):
            with pytest.raises(UnknownJudgeError, match=words) as caught:
                await judged(engine, tests=tests)
            assert caught.value.field == place
        assert (await judged(engine, "1", judge=NamedJudge(name="problem:p#1"))).accepted


@pytest.mark.parametrize(
    ("judge", "error", "field"),
    [
        (ProgramJudge(contract="icpc", language="cobol", source=""), UnknownLanguageError,
         "judge.language"),
        (FunctionJudge(source="", files={"../x": ""}), BadRequestError, "judge.files.../x"),
        (ProgramJudge(contract="icpc", language="python", source="", flags=["\0"]),
         BadRequestError, "judge.flags[0]"),
    ],
)  # fmt: skip
async def test_what_could_not_be_run_here_is_told(
    engine: Engine, judge: StorableJudge, error: type[BadRequestError], field: str
) -> None:
    with pytest.raises(error) as caught:
        engine.check_judge(judge)
    assert caught.value.field == field
    engine.check_judge(NAIVE)
    engine.check_judge(NamedJudge(name="tokens"))


async def test_many_at_once(tmp_path: Path) -> None:
    async with engine_with(tmp_path, failures=10_000) as (engine, judges):
        await registered(judges, NAIVE)
        await asyncio.gather(*(judged(engine, "1", "2", "-1") for _ in range(20)))
        record = await judges.record("problem:p")
        assert (record.decided, record.failed) == (40, 20)


def test_nobody_hears_how_those_do_that_ship() -> None:
    tests = StdioTests(cases=[StdioCase()], judge=NamedJudge(name="tokens"))
    assert in_service(tests, shipped()) is None
