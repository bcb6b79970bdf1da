"""Functions that are called in other languages than Python: values, nodes, and processes that end.

Each language has one program for the values, which takes one of each type and gives all of them
back, so that a single compilation serves the table and what hypothesis thinks of.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scalebox.engine.service import Engine
from scalebox.errors import BadRequestError
from scalebox.judging import callers
from scalebox.languages import table
from scalebox.model import CallCase, CallTests, Limits, Report, Submission

from .call_programs import ECHO, LARGE, NODES, ORDINARY, RAISED, UNLIKE
from .conftest import LEVELS, StartsEngine, calls, verdicts

LANGUAGES = sorted(ECHO)
#: Ample: a virtual machine starts, on a machine that has other things to do.
LIMITS = Limits(cpu_time_s=5.0, memory_bytes=512 << 20)

#: One value for each parameter: int, long, double, boolean, text, list of integers, list of lists
#: of texts, dictionary of lists, an integer or none, a linked list, a tree.
TABLE: list[list[Any]] = [
    [0, 0, 0.0, False, "", [], [], {}, None, [0], [0]],
    [1, -1, 0.1, True, "a", [1], [["a"]], {"a": [1]}, 1, [1, 2, 3], [1, 2, 3]],
    [-(1 << 31), -(1 << 63), 5e-324, True, "\"\\/\b\f\n\r\t\x00\x1f\x7f", [0] * 50, [[], []],
     {"": []}, 0, [7] * 40, [1, None, 2, 3]],
    [(1 << 31) - 1, (1 << 63) - 1, 1.7976931348623157e308, False,
     "é ü 中 \u2028 \U0001f600\U0010ffff", [-5, 5], [["\U0001f600", ""], ["\\"]],
     {"é\"": [1, 2], "m": []}, -3, [-1], [5, 4, None, 3]],
    [7, 1 << 53, float("inf"), True, "x" * 5000, list(range(300)), [["x"] * 30] * 30,
     {f"k{n}": [n] for n in range(50)}, 9, list(range(100)), list(range(100))],
    [7, (1 << 53) + 1, float("-inf"), True, "null", [], [], {"__proto__": [1], "constructor": []},
     None, [3], [1, 2, None, 3, None, 4]],
    [7, 3, float("nan"), True, "{\"m\":{}}", [1], [["{", "}", "[1,2]"]], {"t": [1]}, 5, [3], [3]],
    [7, 3, -0.0, True, "1234567890123456789", [1], [["12345678901234567890"]], {"d": []}, 5, [3],
     [3]],
    [7, 3, 1.0, True, " , : ", [1], [[",", ":"]], {" ": []}, 5, [3], [3]],
]  # fmt: skip

#: What is no surrogate.
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
#: PHP takes an array whose keys are 0, 1, … for a list.
_keys = _texts.filter(lambda text: not text.isdigit())
_ints = st.integers(-(1 << 31), (1 << 31) - 1)


@st.composite
def _trees(draw: st.DrawFn) -> list[int | None]:
    """A tree by levels; nothing after the last node."""
    values: list[int | None] = [draw(_ints)]
    waiting = 1
    while waiting and len(values) < 12:
        waiting -= 1
        for value in draw(st.tuples(*[st.none() | _ints] * 2)):
            values.append(value)
            waiting += value is not None
    while values[-1] is None:
        values.pop()
    return values


_EACH = st.tuples(
    _ints, st.integers(-(1 << 63), (1 << 63) - 1), st.floats(), st.booleans(), _texts,
    st.lists(_ints, max_size=5), st.lists(st.lists(_texts, max_size=3), max_size=3),
    st.dictionaries(_keys, st.lists(_ints, max_size=3), max_size=3), st.none() | _ints,
    st.lists(_ints, min_size=1, max_size=5), _trees(),
)  # fmt: skip


def thought_of(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """Values that hypothesis makes of a strategy, to be judged together."""
    made: list[Any] = []

    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def collect(value: Any) -> None:
        made.append(value)

    collect()
    return made


async def judged(
    engine: Engine, language: str, source: str, cases: list[tuple[list[Any], Any]], **more: Any
) -> Report:
    settings = {"stop": "never", "limits": LIMITS, **more}
    return await engine.judge(calls(source, cases, language=language, **settings), client="t")


def failed(report: Report, cases: list[tuple[list[Any], Any]]) -> list[Any]:
    """What was given to the calls that were not accepted, and what came of them."""
    return [
        (args, result.verdict.value, result.message)
        for (args, _), result in zip(cases, report.cases, strict=True)
        if result.verdict != "accepted"
    ]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_values_go_in_and_come_back(engine: Engine, language: str) -> None:
    given_ = [*TABLE, *(list(one) for one in thought_of(_EACH, 100))]
    cases = [(args, args) for args in given_]
    report = await judged(engine, language, ECHO[language], cases)
    assert report.compile is None or report.compile.ok, report.message
    assert not failed(report, cases)
    assert len(report.cases) > 80
    # What is expected decides: one part that is another is found.
    right = TABLE[3]
    for place in range(len(right)):
        wrong = list(right)
        wrong[place] = UNLIKE[place]
        cases[place] = (right, wrong)
    report = await judged(engine, language, ECHO[language], cases[: len(right)])
    assert verdicts(report) == ["wrong_answer"] * len(right)
    assert report.compile is None or report.compile.cached


@pytest.mark.parametrize("level", LEVELS[-2:])
async def test_values_come_back_at_every_level(start_engine: StartsEngine, level: str) -> None:
    # Few values, and all languages at once: what differs by level is how programs start and speak.
    given_ = [TABLE[1], TABLE[3]]
    wrong = [*TABLE[3][:4], "another", *TABLE[3][5:]]
    cases = [*((args, args) for args in given_), (TABLE[3], wrong)]
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        reports = await asyncio.gather(
            *(judged(engine, language, ECHO[language], cases) for language in LANGUAGES)
        )
    found = dict(zip(LANGUAGES, map(verdicts, reports), strict=True))
    assert found == {name: ["accepted", "accepted", "wrong_answer"] for name in LANGUAGES}
    assert {(one.isolation.value, one.integrity) for one in reports} == {(level, "strong")}


@pytest.mark.parametrize("language", sorted(LARGE))
async def test_integers_of_any_size_where_the_language_has_them(
    engine: Engine, language: str
) -> None:
    sizes = [0, 1, 62, 63, 64, 65, 100, 126, *((200, 1000) if LARGE[language][0] else ())]
    values = [sign * ((1 << size) + less) for size in sizes for sign in (1, -1) for less in (0, -1)]
    cases = [([value], value) for value in values]
    report = await judged(engine, language, LARGE[language][1], cases)
    assert not failed(report, cases)


@pytest.mark.parametrize("language", ["java", "cpp", "go", "rust"])
async def test_an_argument_that_does_not_fit_says_so(engine: Engine, language: str) -> None:
    given_: list[list[Any]] = [["text"], [1 << 70], [None], [[1]], [1.5], [1, 2], [], [7]]
    cases = [(args, 7) for args in given_]
    report = await judged(engine, language, ORDINARY[language].replace("long long", "int"), cases)
    assert verdicts(report)[-1] == "accepted"
    assert set(verdicts(report)[:-1]) == {"runtime_error"}
    assert all(case.message for case in report.cases[:-1])


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_list_of_no_nodes_is_empty(engine: Engine, language: str) -> None:
    cases: list[tuple[list[Any], Any]] = [
        ([[1, 2, 3]], [3, 2, 1]), ([[]], []), ([[5]], [5]),
        ([list(range(500))], [*range(499, -1, -1)]),
    ]  # fmt: skip
    report = await judged(engine, language, NODES[language], cases)
    assert not failed(report, cases)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_calls_come_to(engine: Engine, language: str) -> None:
    cases = [([n], n) for n in range(8)]
    limits = Limits(cpu_time_s=1.5, memory_bytes=512 << 20)
    report = await judged(
        engine, language, ORDINARY[language], cases, limits=limits, return_output="all"
    )
    found = dict(enumerate(verdicts(report)))
    assert {n: found[n] for n in (0, 2, 4, 6, 7)} == dict.fromkeys((0, 2, 4, 6, 7), "accepted")
    assert found[1] == "runtime_error"
    assert RAISED[language] in report.cases[1].message
    assert found[3] == "runtime_error"
    assert "exit code 0" in report.cases[3].message
    assert found[5] == "time_limit_exceeded"
    assert "printed" in (report.cases[0].output or "")
    assert report.integrity == "strong"
    before = engine.status().counters["runs"]
    report = await judged(engine, language, ORDINARY[language], cases[:3], function="gone")
    assert verdicts(report) == ["runtime_error"] * 3
    assert "gone" in report.message
    # It is not loaded again for each call; it may have been compiled.
    assert engine.status().counters["runs"] - before <= 2


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_source_that_does_not_compile(engine: Engine, language: str) -> None:
    report = await judged(engine, language, "}{ no program\n", [([1], 1)] * 2)
    assert report.verdict == "compile_error"
    assert verdicts(report) == ["skipped"] * 2


def test_every_language_with_a_harness_is_tried_here() -> None:
    named = {entry.call_harness: entry.name for entry in table.load([]) if entry.call_harness}
    assert named.keys() == callers.HARNESSES.keys()
    assert sorted(named.values()) == LANGUAGES


async def test_keywords_bytes_and_odd_names_are_refused_with_their_place(engine: Engine) -> None:
    for tests, field in (
        (CallTests(function="f", cases=[CallCase(kwargs={"a": 1})]), "tests.cases[0].kwargs"),
        (CallTests(function="f", cases=[CallCase(args=[[b"a"]])]), "tests.cases[0].args"),
        (CallTests(function="f(); f", cases=[CallCase()]), "tests.function"),
    ):
        submission = Submission(language="javascript", source="f = () => 1", tests=tests)
        with pytest.raises(BadRequestError) as caught:
            await engine.judge(submission, client="t")
        assert caught.value.field == field


async def test_lists_of_nodes_memory_and_output(engine: Engine) -> None:
    source = """
/**
 * @param {ListNode[]} lists
 * @return {TreeNode[]}
 */
exports.f = async (lists) => {
    if (lists.length === 1) for (const all = [];;) all.push(new Array(1e5).fill(0.5));
    if (lists.length === 2) for (;;) console.log("x".repeat(1000));
    await null;
    return lists.map((list) => list && new TreeNode(list.val, null, new TreeNode(list.next.val)));
};
"""
    cases: list[tuple[list[Any], Any]] = [
        ([[[1, 2], [3, 4], []]], [[1, None, 2], [3, None, 4], []]), ([[[]]], None),
        ([[[], []]], None), ([[]], []),
    ]  # fmt: skip
    limits = Limits(cpu_time_s=5.0, memory_bytes=64 << 20, output_bytes=1 << 20)
    report = await judged(engine, "javascript", source, cases, limits=limits)
    assert verdicts(report) == [
        "accepted", "memory_limit_exceeded", "output_limit_exceeded", "accepted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value", ["f", "Symbol()", "new (class A {})()", "new Set([1])", "[[x => x]]", "undefined"]
)
async def test_what_is_no_plain_data_is_wrong(engine: Engine, value: str) -> None:
    report = await judged(engine, "javascript", f"var f = () => {value};", [([], [1])])
    assert verdicts(report) == ["wrong_answer"]


async def test_forged_records_gain_nothing(engine: Engine) -> None:
    for forged in (
        '{"i":-1,"v":null}',
        '{"i":0,"v":42}',
        '{"i":-1,"v":null}\\n{"i":0,"v":42}',
        "x",
    ):
        source = f"require('fs').writeSync(5, '{forged}\\n'); function f(n) {{ return -1; }}"
        report = await judged(engine, "javascript", source, [([0], 1), ([1], 2)])
        assert report.passed == 0
        assert report.verdict.is_about_the_program
