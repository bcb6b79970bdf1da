"""What counts as the published verdict, which differences are explained, and what is refused."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import graded, graded_outside, graded_page, graded_samples
from bench.graded_samples import CANONICAL, Agreement, Difference, Graded, Judged
from scalebox.client.local import async_local
from scalebox.model import Verdict
from scalebox.suite.errors import SuiteError
from scalebox.suite.tasks import FailingCase, Grade, Task

_TESTS = """import os
import unittest
class TestCases(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(task_func(1, 2), 3)
    def test_file(self):
        with open("written", "w") as file:
            file.write(str(task_func(2, 3)))
        self.assertTrue(os.path.exists("written"))
"""
_RIGHT = "def task_func(a, b):\n    return a + b\n"
_WRONG = "def task_func(a, b):\n    return a - b\n"
_BROKEN = "def task_func(a, b):\n    return (a\n"


def _tasks_file(directory: Path) -> Path:
    rows = {
        f"Own/{number}": {
            "task_id": f"Own/{number}",
            "complete_prompt": "def task_func(a, b):\n",
            "instruct_prompt": "Add two numbers.",
            "code_prompt": "def task_func(a, b):\n",
            "canonical_solution": "    return a + b\n",
            "test": _TESTS,
            "entry_point": "task_func",
            "libs": "['os']",
        }
        for number in (1, 2)
    }
    return _packed(directory / graded.TASKS, rows)


def _packed(path: Path, value: Any) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        json.dump(value, file)
    return path


def _results_file(path: Path, *rows: Any, task: str = "Own/1") -> Path:
    return _packed(path, {"date": "2024-09-24 20:10", "eval": {task: list(rows)}})


def _judged(
    theirs: str, ours: Verdict, difference: Difference | None = None, model: str = "m"
) -> Judged:
    accepted = ours is Verdict.ACCEPTED
    return Judged(
        Graded("Own/1", model, _RIGHT, theirs),
        Task(id="Own/1", prompt=""),
        Grade(
            verdict=ours,
            passed=2 if accepted else 1,
            total=2,
            failing=None if accepted else FailingCase(name="test_sum", verdict=ours),
            message="" if accepted else "AssertionError: -1 != 3",
        ),
        difference,
    )


def _agreement(*samples: Judged, canonical: tuple[Judged, ...] = ()) -> Agreement:
    host = {"isolation": "full", "enforcement": "cgroup2", "judge_python": "Python 3.11.7"}
    return Agreement(samples, canonical, host)


def test_published_samples_are_read_with_what_failed(tmp_path: Path) -> None:
    path = _results_file(
        tmp_path / "r.json.gz",
        {"solution": _RIGHT, "status": "pass", "details": {}},
        {"solution": _WRONG, "status": "fail", "details": {"test_sum": "-1 != 3"}},
    )
    right, wrong = graded_samples.read_published(path, "m")
    assert (right.key, right.theirs, right.traces) == ("Own/1 m", "pass", {})
    assert (wrong.theirs, wrong.traces) == ("fail", {"test_sum": "-1 != 3"})


@pytest.mark.parametrize(
    "row", [{"solution": 1, "status": "pass"}, {"solution": "", "status": "well"}, None, "pass"]
)
def test_a_sample_that_is_none_is_refused_with_its_place(tmp_path: Path, row: Any) -> None:
    path = _results_file(tmp_path / "r.json.gz", row)
    with pytest.raises(SuiteError, match=r"r\.json\.gz: Own/1: a sample needs"):
        graded_samples.read_published(path, "m")


@pytest.mark.parametrize(
    "content", [b"", b"no gzip", gzip.compress(b"{", mtime=0)[:-9], gzip.compress(b"[", mtime=0)]
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.json.gz").write_bytes(content)
    with pytest.raises(SuiteError, match=r"r\.json\.gz"):
        graded_samples.read_published(tmp_path / "r.json.gz", "m")


def test_a_missing_file_says_where_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"SCALEBOX_DATA"):
        graded_samples.read_published(tmp_path / "r.json.gz", "m")


@pytest.mark.parametrize(
    ("theirs", "ours", "agrees"),
    [
        ("pass", Verdict.ACCEPTED, True),
        ("fail", Verdict.WRONG_ANSWER, True),
        ("fail", Verdict.RUNTIME_ERROR, True),
        ("timeout", Verdict.RUNTIME_ERROR, True),
        ("pass", Verdict.WRONG_ANSWER, False),
        ("fail", Verdict.ACCEPTED, False),
        ("timeout", Verdict.ACCEPTED, False),
    ],
)
def test_passed_or_not_is_what_must_be_the_same(theirs: str, ours: Verdict, agrees: bool) -> None:
    assert _judged(theirs, ours).agrees is agrees


def test_a_difference_needs_a_cause_that_is_not_ours() -> None:
    library = Difference(cause="library", why="pandas 2 has no append")
    ours = Difference(cause="ours", why="a limit of ours")
    same = [_judged("pass", Verdict.ACCEPTED)] * 97
    known = _judged("pass", Verdict.RUNTIME_ERROR, library)
    whole = _agreement(*same, *[known] * 3)
    assert whole.share == 0.97
    assert whole.figures()["graded_cause_library"] == 3
    assert all(one.holds for one in whole.promises())
    for difference in (None, ours):
        fault = _agreement(*same, _judged("pass", Verdict.RUNTIME_ERROR, difference))
        assert [one.holds for one in fault.promises()] == [True, False]
    assert not _agreement(*same, *[known] * 4).promises()[0].holds


def test_a_canonical_solution_that_fails_needs_a_cause_too() -> None:
    fails = _judged("pass", Verdict.RUNTIME_ERROR, model=CANONICAL)
    whole = _agreement(_judged("pass", Verdict.ACCEPTED), canonical=(fails,))
    assert whole.share == 1
    assert whole.unexplained() == [fails]


def test_explanations_that_nothing_needs_are_named_unless_they_vary() -> None:
    known = {
        "Own/1 m": Difference(cause="python", why="a"),
        "Own/2 m": Difference(cause="random", why="b", varies=True),
        "Own/3 m": Difference(cause="data", why="c"),
    }
    whole = _agreement(_judged("fail", Verdict.ACCEPTED, known["Own/1 m"]))
    assert whole.stale(known) == ["Own/3 m"]


def test_verdicts_that_are_not_the_same_twice_are_named() -> None:
    first = _agreement(_judged("fail", Verdict.WRONG_ANSWER), _judged("pass", Verdict.ACCEPTED))
    second = _agreement(
        _judged("fail", Verdict.WRONG_ANSWER), _judged("pass", Verdict.RUNTIME_ERROR)
    )
    assert graded_samples.changed(first, first) == []
    assert graded_samples.changed(first, second) == ["Own/1 m: accepted, runtime_error"]


def test_causes_are_those_that_the_page_explains(tmp_path: Path) -> None:
    path = tmp_path / "d.toml"
    path.write_text('["Own/1 m"]\ncause = "weather"\nwhy = "rain"\n', encoding="utf-8")
    with pytest.raises(SuiteError, match=r"d\.toml.*weather"):
        graded_samples.read_differences(path)


def test_the_known_differences_can_be_read_and_none_is_ours() -> None:
    known = graded_samples.read_differences()
    assert known
    assert all(one.cause != "ours" and one.why for one in known.values())
    models = {*graded.PUBLISHED, CANONICAL}
    assert {key.partition(" ")[2] for key in known} <= models


def test_the_page_names_every_known_difference() -> None:
    page = graded.DOCUMENT.read_text(encoding="utf-8")
    for key, one in graded_samples.read_differences().items():
        task, _, model = key.partition(" ")
        assert f"{key}: " in page if one.varies else f"| {task} | {model} |" in page


def test_the_page_is_a_table_of_what_differs() -> None:
    known = Difference(cause="library", why="a | b <c>")
    page = graded_page.document(
        _agreement(
            _judged("pass", Verdict.RUNTIME_ERROR, known), _judged("pass", Verdict.ACCEPTED)
        ),
        {"Own/2 m": Difference(cause="random", why="chance", varies=True)},
    )
    assert "**Of 2 samples, 1 have the published verdict, passed or not (50.0%).**" in page
    assert r"| Own/1 | m | pass | runtime_error | test_sum | library | a \| b &lt;c> |" in page
    assert "- Own/2 m: chance" in page
    assert "| m | 2 | 2 | 1 | 1 |" in page


def test_libraries_are_compared_by_name_and_version() -> None:
    wanted = graded.pinned("# of this\nFlask_Login==0.6.3\nnumpy==1.23.5  # 1.21.2\n")
    assert wanted == {"flask-login": "0.6.3", "numpy": "1.23.5"}
    assert graded.lacking(wanted, {"Flask-Login": "0.6.3", "NumPy": "1.23.5"}) == []
    assert graded.lacking(wanted, {"numpy": "2.0"}) == [
        "flask-login 0.6.3",
        "numpy 1.23.5 (it has 2.0)",
    ]


def test_every_requirement_is_pinned() -> None:
    lines = graded.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    assert len(graded.pinned("\n".join(named))) == len(named)


def test_without_a_python_with_the_libraries_the_target_that_makes_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert graded.main(["--python", str(tmp_path / "python")]) == 1
    assert "make eval-env" in capsys.readouterr().err


async def test_a_daemon_without_the_libraries_is_refused_before_anything_is_judged(
    tmp_path: Path,
) -> None:
    _tasks_file(tmp_path)
    for name in graded.PUBLISHED.values():
        _results_file(tmp_path / name, {"solution": _RIGHT, "status": "pass"})
    async with async_local() as client:
        with pytest.raises(SuiteError, match=r"lacks .*make eval-env.*SCALEBOX_BCB_PYTHON"):
            await graded.agreement(client, tmp_path)


async def test_samples_are_judged_as_they_stand_and_in_their_order(tmp_path: Path) -> None:
    tasks = graded.benchmark(_tasks_file(tmp_path))
    given = [
        Graded("Own/1", "m", _RIGHT, "pass"),
        Graded("Own/2", "m", _WRONG, "fail"),
        Graded("Own/2", "n", _BROKEN, "pass"),
        *graded_samples.canonical_of(tasks.tasks),
    ]
    known = {"Own/2 n": Difference(cause="python", why="it is broken")}
    async with async_local() as client:
        judged = await graded.judge(client, tasks, given, known)
        with pytest.raises(SuiteError, match=r"Own/3 m: the data has no such task"):
            await graded.judge(client, tasks, [Graded("Own/3", "m", _RIGHT, "pass")], {})
    assert [one.graded for one in judged] == given
    assert [one.grade.verdict for one in judged] == [
        Verdict.ACCEPTED,
        Verdict.WRONG_ANSWER,
        Verdict.COMPILE_ERROR,
        Verdict.ACCEPTED,
        Verdict.ACCEPTED,
    ]
    row = judged[2].row()
    assert (row["cause"], row["why"]) == ("python", "it is broken")
    assert judged[1].row()["reason"] == "AssertionError: -1 != 3"


async def test_tasks_whose_libraries_are_not_there_are_refused(tmp_path: Path) -> None:
    path = _tasks_file(tmp_path)
    rows = json.loads(gzip.decompress(path.read_bytes()))
    tasks = graded.benchmark(path)
    rows["Own/2"]["test"] = "from no_such.part import one\nimport json, none_such\n" + _TESTS
    lacking = graded.benchmark(_packed(path, rows))
    async with async_local() as client:
        await tasks.prepare(client)
        with pytest.raises(SuiteError, match=r"no no_such, none_such, which.*make eval-env"):
            await lacking.prepare(client)


@pytest.mark.parametrize(
    ("program", "words"), [(_RIGHT, "pass"), (_WRONG, "fail: FAIL: test_sum"), (_BROKEN, "fail: ")]
)
def test_without_a_sandbox_unittest_says_the_same(program: str, words: str) -> None:
    found = graded_outside.run(Path(sys.executable), program, _TESTS)
    assert found.startswith(words)
