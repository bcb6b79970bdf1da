"""Judges by name: what a submission says, what the engine makes of it, and what it refuses."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from scalebox.engine.naming import NoJudges, with_judges
from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError, UnknownJudgeError
from scalebox.judges.directory import shipped
from scalebox.model import (
    Comparison,
    JudgeInfo,
    NamedJudge,
    Problem,
    Report,
    StdioCase,
    StdioTests,
    Submission,
)

from .conftest import verdicts

ECHO = "import sys\nsys.stdout.write(sys.stdin.read())"


async def report_of(engine: Engine, tests: StdioTests, **more: Any) -> Report:
    fields = {"language": "python", "source": ECHO, "tests": tests, "stop": "never", **more}
    return await engine.judge(Submission(**fields), client="t")


async def test_a_share_of_every_judges_examples(engine: Engine) -> None:
    """In slots, as submissions meet them; tests/judges asks for all of them."""
    asked = [
        (example, example.submission(NamedJudge(name=judge.info.name, parameters=chosen)))
        for judge in shipped()
        for number, example in enumerate(judge.examples())
        for chosen in [example.parameters]
        if number % 4 == 0 or chosen
    ]
    assert len(asked) > 80
    reports = await asyncio.gather(*(engine.judge(one, client="t") for _, one in asked))
    for (example, submission), report in zip(asked, reports, strict=True):
        assert report.verdict is example.expected, (submission.tests, report)
        assert report.integrity == "strong"


async def test_cases_name_judges_of_their_own(engine: Engine) -> None:
    tests = StdioTests(
        judge=NamedJudge(name="unordered_tokens"),
        cases=[
            StdioCase(input="2 1", answer="1 2"),
            StdioCase(input="2 1", answer="1 2", judge=Comparison()),
            StdioCase(input="2 1", answer="1 2", judge=NamedJudge(name="exact")),
            StdioCase(
                input="b A", answer="a b", judge=NamedJudge(name="unordered_tokens", parameters={})
            ),
            StdioCase(
                input="b A",
                answer="a b",
                judge=NamedJudge(name="unordered_tokens", parameters={"case_sensitive": True}),
            ),
            StdioCase(
                input="1.4",
                answer="1",
                judge=NamedJudge(name="floats", parameters={"absolute": 0.5, "relative": 0}),
            ),
        ],
    )
    report = await report_of(engine, tests)
    right, wrong = "accepted", "wrong_answer"
    assert verdicts(report) == [right, wrong, wrong, right, wrong, right]
    assert report.cases[4].message == "'A' is there too often"


async def test_a_share_of_points(engine: Engine) -> None:
    tests = StdioTests(
        judge=NamedJudge(name="points_for_lines"), cases=[StdioCase(input="a\nb", answer="a\nc")]
    )
    report = await report_of(engine, tests)
    assert (report.verdict.value, report.cases[0].score) == ("wrong_answer", 0.5)


async def test_an_answer_of_another_kind_is_the_tests_fault(engine: Engine) -> None:
    tests = StdioTests(
        judge=NamedJudge(name="integers"), cases=[StdioCase(input="1", answer="one")]
    )
    report = await report_of(engine, tests)
    assert report.verdict.value == "judge_error"
    assert "the answer's token 1 is no integer" in report.message


async def test_problems_name_judges(engine: Engine) -> None:
    tests = StdioTests(
        judge=NamedJudge(name="set_of_tokens"), cases=[StdioCase(input="a b a", answer="b a")]
    )
    engine.check_problem(Problem(tests=tests))
    await engine.problems.put("p", Problem(tests=tests))
    assert engine.problems.get("p").tests == tests
    submission = Submission(language="python", source=ECHO, problem="p")
    assert (await engine.judge(submission, client="t")).accepted


REFUSED: list[tuple[NamedJudge, str]] = [
    (NamedJudge(name="no_such"), "name"),
    (NamedJudge(name="tokens", parameters={"loudness": 1}), "parameters.loudness"),
    (NamedJudge(name="floats", parameters={"absolute": -1}), "parameters.absolute"),
    (NamedJudge(name="floats", parameters={"absolute": "1"}), "parameters.absolute"),
    (NamedJudge(name="prefix_count", parameters={"items": "words"}), "parameters.items"),
]


@pytest.mark.parametrize(("judge", "field"), REFUSED, ids=lambda one: str(one))
async def test_what_cannot_be_is_refused_with_its_place(
    engine: Engine, judge: NamedJudge, field: str
) -> None:
    case = StdioCase(input="1", answer="1")
    own = msgspec.structs.replace(case, judge=judge)
    for tests, place in (
        (StdioTests(cases=[case], judge=judge), "tests.judge"),
        (StdioTests(cases=[case, own]), "tests.cases[1].judge"),
    ):
        with pytest.raises(BadRequestError) as caught:
            await report_of(engine, tests)
        assert caught.value.field == f"{place}.{field}"
        assert caught.value.code == ("unknown_judge" if field == "name" else "bad_request")
        with pytest.raises(BadRequestError) as registered:
            engine.check_problem(Problem(tests=tests))
        assert registered.value.field == caught.value.field


async def test_flags_are_not_for_named_judges_that_compare(engine: Engine) -> None:
    case = StdioCase(judge=NamedJudge(name="exact"), judge_flags=["case_sensitive"])
    with pytest.raises(BadRequestError) as caught:
        await report_of(engine, StdioTests(cases=[case]))
    assert caught.value.field == "tests.cases[0].judge_flags"


async def test_what_can_be_named_is_told(engine: Engine) -> None:
    assert engine.directory.infos() == shipped().infos()


async def test_a_judge_is_compiled_once_for_all_who_name_it(engine: Engine) -> None:
    tests = StdioTests(
        judge=NamedJudge(name="rotation"), cases=[StdioCase(input="1 2", answer="2 1")]
    )
    said = NamedJudge(name="rotation", parameters={"reversed": False})
    before = engine.status().counters["compilations"]
    for judge in (tests.judge, said, tests.judge):
        assert (await report_of(engine, msgspec.structs.replace(tests, judge=judge))).accepted
    assert engine.status().counters["compilations"] - before == 1


def test_cases_that_name_the_same_share_a_judge() -> None:
    named = NamedJudge(name="permutation", parameters={"first": 0})
    again = NamedJudge(name="permutation", parameters={"first": 0})
    other = NamedJudge(name="permutation")
    tests = StdioTests(cases=[StdioCase(judge=judge) for judge in (named, other, again)])
    first, second, third = (case.judge for case in with_judges(tests, shipped()).cases)
    assert first is third
    assert first != second


def test_without_a_directory_nothing_can_be_named() -> None:
    nothing = NoJudges()
    assert nothing.infos() == list[JudgeInfo]()
    named = StdioTests(cases=[StdioCase()], judge=NamedJudge(name="tokens"))
    with pytest.raises(UnknownJudgeError) as caught:
        with_judges(named, nothing)
    assert caught.value.field == "tests.judge.name"
    given = StdioTests(cases=[StdioCase(judge=Comparison(mode="exact"))])
    assert with_judges(given, nothing) is given


@pytest.mark.parametrize("module", [msgspec.json, msgspec.msgpack], ids=["json", "msgpack"])
def test_a_name_and_its_parameters_cross_the_wire_as_they_are(module: Any) -> None:
    judge = NamedJudge(name="x", parameters={"a": True, "b": 1, "c": 1.0, "d": "é", "e": -(2**53)})
    tests = StdioTests(cases=[StdioCase(judge=judge)], judge=judge)
    back = module.decode(module.encode(tests), type=StdioTests)
    assert back == tests
    kinds = [type(value) for value in back.judge.parameters.values()]
    assert kinds == [bool, int, float, str, int]
    assert module.decode(module.encode(tests))["judge"]["type"] == "named"
    for wrong in ({"a": None}, {"a": [1]}, {"a": 1 << 60}, {"a": "x" * 1001}):
        raw = module.encode({"type": "named", "name": "x", "parameters": wrong})
        with pytest.raises(msgspec.ValidationError):
            module.decode(raw, type=NamedJudge)
