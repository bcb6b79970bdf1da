"""Which of a benchmark's tasks a configuration takes."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest

from scalebox.model import Comparison
from scalebox.suite import benchmarks
from scalebox.suite.benchmarks import BENCHMARKS, chosen
from scalebox.suite.config import BenchmarkConfig, JudgeConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.tasks import OPTIONS, Task
from tests.suite.benchmarks.loading import loaded, written

DAY = datetime.date
TASKS = [
    Task(id="a", prompt="", date="2024-01-31", groups={"difficulty": "easy", "platform": "x"}),
    Task(id="b", prompt="", date="2024-02-01", groups={"difficulty": "hard", "platform": "x"}),
    Task(id="c", prompt="", date="2024-03-15", groups={"difficulty": "easy", "platform": "y"}),
    Task(id="d", prompt="", groups={"platform": "y"}),
]


@pytest.mark.parametrize(
    ("config", "ids"),
    [
        ({}, "abcd"),
        ({"since": DAY(2024, 2, 1)}, "bc"),
        ({"until": DAY(2024, 2, 1)}, "a"),
        ({"since": DAY(2024, 1, 31), "until": DAY(2024, 3, 15)}, "ab"),
        ({"only": {"difficulty": ["easy"]}}, "ac"),
        ({"only": {"difficulty": ["easy", "hard"], "platform": ["x"]}}, "ab"),
        ({"only": {"difficulty": ["medium"]}}, ""),
        ({"tasks": ["d", "b"]}, "bd"),
        ({"first": 2}, "ab"),
        ({"only": {"platform": ["y"]}, "first": 1}, "c"),
        ({"tasks": ["a", "b"], "since": DAY(2024, 2, 1)}, "b"),
    ],
)
def test_the_configuration_chooses(config: dict[str, Any], ids: str) -> None:
    found = chosen(TASKS, BenchmarkConfig(name="some", **config))
    assert "".join(task.id for task in found) == ids


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"only": {"level": ["easy"]}}, "no group 'level'; they have difficulty, platform"),
        ({"tasks": ["a", "z"]}, "no task 'z'"),
    ],
)
def test_what_there_is_not_is_refused(config: dict[str, Any], words: str) -> None:
    with pytest.raises(SuiteError, match=words):
        chosen(TASKS, BenchmarkConfig(name="some", **config))


def test_days_need_dates() -> None:
    with pytest.raises(SuiteError, match="no dates to choose by"):
        chosen(TASKS[3:], BenchmarkConfig(name="some", since=DAY(2024, 1, 1)))


def test_groups_that_no_task_has_are_none() -> None:
    config = BenchmarkConfig(name="some", only={"level": ["easy"]})
    with pytest.raises(SuiteError, match="they have none"):
        chosen([Task(id="a", prompt="")], config)


def test_an_unknown_benchmark_is_refused_with_what_was_meant() -> None:
    for name, words in (("livecodbench", "is 'livecodebench' meant"), ("chess", "there are")):
        with pytest.raises(SuiteError, match=words):
            benchmarks.load(BenchmarkConfig(name=name), JudgeConfig())


def test_an_id_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    row = {"id": "a", "prompt": "Sum.", "inputs": ["1"], "outputs": ["1"]}
    with pytest.raises(SuiteError, match="task 'a' is there twice"):
        loaded("rows", written(tmp_path, [row, row]))


def test_no_task_left_is_refused(tmp_path: Path) -> None:
    row = {"id": "a", "prompt": "Sum.", "inputs": ["1"], "outputs": ["1"], "difficulty": "easy"}
    with pytest.raises(SuiteError, match="none of its 1 tasks is chosen"):
        loaded("rows", written(tmp_path, [row]), only={"difficulty": ["hard"]})


def test_tasks_that_are_not_chosen_are_known_by_their_ids(tmp_path: Path) -> None:
    """Samples to them are no strangers."""
    row = {"prompt": "Sum.", "inputs": ["1"], "outputs": ["1"]}
    benchmark = loaded("rows", written(tmp_path, [{"id": one, **row} for one in "abc"]), first=1)
    assert [task.id for task in benchmark.tasks] == ["a"]
    assert benchmark.passed_over == {"b", "c"}


def test_every_benchmark_says_what_it_is_called_and_where_its_data_is() -> None:
    for name, kind in BENCHMARKS.items():
        assert kind.name == name
        assert kind.title
        assert kind.source


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("humaneval", "language", "rust"),
        ("mbpp+", "mode", "strict"),
        ("bigcodebench", "version", "v1"),
        ("multipl-e", "judges", "store"),
        ("apps", "mode", "strict"),
        ("codeforces", "fields", {"id": "x"}),
    ],
)
def test_an_option_without_a_use_is_refused(name: str, option: str, value: Any) -> None:
    with pytest.raises(SuiteError, match=f"{re.escape(name)} has no use for '{option}'"):
        benchmarks.load(BenchmarkConfig(name=name, **{option: value}), JudgeConfig())


def test_a_comparison_without_a_use_is_refused() -> None:
    with pytest.raises(SuiteError, match="humaneval has no use for 'comparison'"):
        benchmarks.load(BenchmarkConfig(name="humaneval"), JudgeConfig(comparison=Comparison()))


def test_all_options_have_a_use_somewhere() -> None:
    assert {option for kind in BENCHMARKS.values() for option in kind.options} == set(OPTIONS)
