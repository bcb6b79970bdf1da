"""Outputs that are there already: every kind of judge decides about them, and nothing else runs."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError
from scalebox.model import (
    Blob,
    Comparison,
    FunctionJudge,
    Judge,
    Limits,
    NamedJudge,
    OutputCase,
    OutputTests,
    ProgramJudge,
    Report,
    StdioTests,
    Submission,
    Verdict,
)

from .conftest import StartsEngine, verdicts
from .test_judges import ICPC_CPP, ICPC_PYTHON, SCRIPT, SORTED

EQUAL = "def judge(input, output, answer):\n    return input + output == answer\n"


async def report_of(
    engine: Engine, cases: list[OutputCase], judge: Judge, **more: object
) -> Report:
    tests = OutputTests(cases=cases, judge=judge)
    submission = Submission(language="", source="", tests=tests, stop="never", **more)  # type: ignore[arg-type]
    return await engine.judge(submission, client="test")


@pytest.mark.parametrize(
    "judge",
    [
        Comparison(),
        NamedJudge(name="tokens"),
        NamedJudge(name="integers"),
        FunctionJudge(source=SORTED),
        ProgramJudge(contract="icpc", language="cpp", source=ICPC_CPP),
        ProgramJudge(contract="icpc", language="python", source=ICPC_PYTHON),
        ProgramJudge(contract="scalebox", language="python", source=SCRIPT),
    ],
    ids=lambda judge: getattr(judge, "name", None) or type(judge).__name__,
)
async def test_every_kind_of_judge_decides(engine: Engine, judge: Judge) -> None:
    before = engine.status().counters["runs"]
    cases = [
        OutputCase(input="7", output="12", answer="12"),
        OutputCase(input="7", output="13", answer="12", name="other"),
        OutputCase(input="7", output=Blob(data=b"12\n"), answer="12"),
    ]
    report = await report_of(engine, cases, judge)
    assert verdicts(report) == ["accepted", "wrong_answer", "accepted"]
    assert [case.name for case in report.cases] == ["0", "other", "2"]
    assert all(case.exit_code is None and case.cpu_time_s == 0 for case in report.cases)
    assert report.toolchain == ""
    compiled = isinstance(judge, FunctionJudge | ProgramJudge) or judge == NamedJudge(
        name="integers"
    )
    assert engine.status().counters["runs"] - before in ((3, 4) if compiled else (0,))


async def test_words_and_points_are_in_the_report(engine: Engine) -> None:
    judge = ProgramJudge(contract="icpc", language="cpp", source=ICPC_CPP, flags=["a"])
    cases = [
        OutputCase(output="1", answer="1"),
        OutputCase(output="2", answer="1", judge_flags=["a", "b"]),
    ]
    report = await report_of(engine, cases, judge, return_output="failed")
    assert [case.message for case in report.cases] == ["got 1, flags 1", "got 2, flags 2"]
    assert [case.score for case in report.cases] == [7.5, 7.5]
    assert [case.output for case in report.cases] == [None, "2"]


async def test_a_judge_that_fails_is_a_judge_error(engine: Engine) -> None:
    source = "def judge(input, output, answer):\n    return 1 / int(output) == 1\n"
    cases = [OutputCase(output=text) for text in ("1", "0", "2")]
    report = await report_of(engine, cases, FunctionJudge(source=source))
    assert verdicts(report) == ["accepted", "judge_error", "wrong_answer"]
    assert "ZeroDivisionError" in report.cases[1].message
    broken = FunctionJudge(source="def judge(:\n")
    assert verdicts(await report_of(engine, cases, broken)) == ["judge_error"] * 3


async def test_thousands_are_judged_with_few_at_hand(start_engine: StartsEngine) -> None:
    """More than fit into the memory that is meant for runs, and in order."""
    async with start_engine(engine={"max_queued_cases": 5000}) as engine:
        cases = [
            OutputCase(input=str(number), output="x" * 1000, answer=f"{number}{'x' * 1000}")
            for number in range(1500)
        ]
        wrong = OutputCase(input="1", output="", answer="2")
        report = await report_of(engine, [*cases, wrong], FunctionJudge(source=EQUAL))
        assert (report.passed, report.total) == (1500, 1501)
        assert report.cases[-1].verdict is Verdict.WRONG_ANSWER
        compared = await report_of(engine, [*cases, wrong], Comparison())
        assert compared.passed == 0


async def test_the_first_failure_ends_the_work(engine: Engine) -> None:
    cases = [OutputCase(output="1", answer="1" if number < 5 else "2") for number in range(400)]
    tests = OutputTests(cases=cases, judge=FunctionJudge(source=SORTED))
    submission = Submission(language="", source="", tests=tests)
    before = engine.status().counters["runs"]
    report = await engine.judge(submission, client="test")
    assert verdicts(report)[:6] == ["accepted"] * 5 + ["wrong_answer"]
    assert set(verdicts(report)[6:]) == {"skipped"}
    assert engine.status().counters["runs"] - before < 50
    assert engine.status().queued_cases == 0


async def test_uploaded_and_large_outputs(engine: Engine) -> None:
    large = b"7 " * 3_000_000
    sha256 = hashlib.sha256(large).hexdigest()
    await engine.blobs.put(sha256, large)
    blob = Blob(sha256=sha256)
    cases = [
        OutputCase(output=blob, answer=blob),
        OutputCase(output=blob, answer=Blob(data=large + b"7")),
        OutputCase(output="7", answer=blob),
    ]
    expected = ["accepted", "wrong_answer", "wrong_answer"]
    assert verdicts(await report_of(engine, cases, Comparison())) == expected
    source = "def judge(input, output, answer):\n    return output == answer\n"
    judge = FunctionJudge(source=source, limits=Limits(memory_bytes=1 << 30))
    assert verdicts(await report_of(engine, cases, judge)) == expected


async def test_a_deadline_and_a_cancelled_call_leave_nothing(engine: Engine) -> None:
    source = (
        "import time\ndef judge(input, output, answer):\n    time.sleep(0.2)\n    return True\n"
    )
    cases = [OutputCase(output="1")] * 200
    report = await report_of(engine, cases, FunctionJudge(source=source), deadline_s=0.6)
    assert set(verdicts(report)) == {"accepted", "cancelled"}
    task = asyncio.create_task(report_of(engine, cases, FunctionJudge(source=source)))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    after = await report_of(engine, [OutputCase(output="1", answer="1")], Comparison())
    assert after.accepted
    assert engine.status().queued_cases == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"language": "python"}, "language"),
        ({"source": "print(1)"}, "source"),
        ({"files": {"a": "b"}}, "files"),
    ],
)
async def test_with_outputs_there_is_no_program(
    engine: Engine, fields: dict[str, object], field: str
) -> None:
    tests = OutputTests(cases=[OutputCase(output="1")])
    whole = {"language": "", "source": "", "tests": tests, **fields}
    with pytest.raises(BadRequestError, match="leave") as refused:
        await engine.judge(Submission(**whole), client="test")  # type: ignore[arg-type]
    assert refused.value.field == field


async def test_without_outputs_there_is_one(engine: Engine) -> None:
    with pytest.raises(BadRequestError, match="needs a language") as refused:
        await engine.judge(
            Submission(language="", source="", tests=StdioTests(cases=[])), client="t"
        )
    assert refused.value.field == "language"


async def test_flags_need_a_judge_that_takes_them(engine: Engine) -> None:
    cases = [OutputCase(output="1", answer="1", judge_flags=["x"])]
    with pytest.raises(BadRequestError) as refused:
        await report_of(engine, cases, Comparison())
    assert refused.value.field == "tests.cases[0].judge_flags"
