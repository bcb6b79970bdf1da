"""A configuration file: includes, matrices, and what is refused with which words."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.suite import config
from scalebox.suite.config import (
    BenchmarkConfig,
    JudgeConfig,
    ModelConfig,
    OutputConfig,
    RunConfig,
    SamplingConfig,
)
from scalebox.suite.errors import SuiteError

PLAIN = """
[benchmark]
name = "humaneval"
path = "data/HumanEval.jsonl.gz"

[model]
name = "org/model"
endpoint = "http://127.0.0.1:8000/v1"
"""


def written(folder: Path, text: str, name: str = "eval.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(SuiteError) as raised:
        config.read(written(folder, text))
    return raised.value.message


def test_a_plain_file_is_one_run(tmp_path: Path) -> None:
    (run,) = config.read(written(tmp_path, PLAIN))
    assert run.benchmark.path == str(tmp_path / "data/HumanEval.jsonl.gz")
    assert run.directory == tmp_path / "runs" / "org_model" / "humaneval"


def test_every_model_meets_every_benchmark(tmp_path: Path) -> None:
    text = """
    [[benchmark]]
    name = "humaneval"
    [[benchmark]]
    name = "mbpp"
    first = 3
    [[model]]
    name = "a"
    endpoint = "http://h/v1"
    [[model]]
    name = "b"
    samples = "b.jsonl"
    [sampling]
    n = 4
    """
    runs = config.read(written(tmp_path, text))
    assert [(run.model.name, run.benchmark.name) for run in runs] == [
        ("a", "humaneval"),
        ("a", "mbpp"),
        ("b", "humaneval"),
        ("b", "mbpp"),
    ]
    assert {run.sampling.n for run in runs} == {4}
    assert runs[2].model.samples == str(tmp_path / "b.jsonl")


def test_a_file_goes_over_what_it_includes_key_by_key(tmp_path: Path) -> None:
    written(tmp_path, PLAIN + "[sampling]\nn = 10\ntemperature = 0.8\n", "base/base.toml")
    text = 'include = ["base/base.toml"]\n[sampling]\nn = 2\n'
    (run,) = config.read(written(tmp_path, text))
    assert (run.sampling.n, run.sampling.temperature) == (2, 0.8)
    assert run.benchmark.path == str(tmp_path / "base/data/HumanEval.jsonl.gz")


def test_files_that_include_each_other_are_refused(tmp_path: Path) -> None:
    written(tmp_path, 'include = ["eval.toml"]', "other.toml")
    assert "includes itself" in refusal(tmp_path, 'include = ["other.toml"]' + PLAIN)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PLAIN.replace("[model]", "[modle]"), "is 'model' meant?"),
        (PLAIN.replace("endpoint", "endpiont"), "is 'endpoint' meant?"),
        (PLAIN + "[sampling]\ntemprature = 1.0", "is 'temperature' meant?"),
        (PLAIN + "[sampling]\nn = 0", "[sampling]: n: Expected `int` >= 1"),
        (PLAIN + '[sampling]\nn = "two"', "[sampling]: n: Expected `int`, got `str`"),
        (PLAIN + "[judge.limits]\ncpu_time_s = -1", "limits.cpu_time_s"),
        (PLAIN + "[judge.limits]\ncpu_time = 1", "cpu_time"),
        (PLAIN + "[output]\nconfidence = 1.5", "confidence"),
        ("[benchmark]\nname = 'humaneval'", "there is no [model]"),
        ("benchmark = 3\n[model]\nname='m'", "benchmark is a table"),
        (PLAIN + "samples = 'x.jsonl'", "needs either an endpoint"),
        (PLAIN.replace("endpoint", "# "), "needs either an endpoint"),
        (PLAIN.replace("[model]", "since = 2024-05-01\nuntil = 2024-04-01\n[model]"), "not before"),
        (
            PLAIN.replace("[model]", "[[model]]") + "[[model]]\nname='org_model'\nendpoint='h'",
            "two",
        ),
        ("include = 3", "include is a list"),
        ("a = [", "is no TOML"),
        ('include = ["nothing.toml"]', "cannot be read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, words: str) -> None:
    message = refusal(tmp_path, text)
    assert words in message
    assert message.startswith(str(tmp_path))


def test_dates_are_days(tmp_path: Path) -> None:
    text = PLAIN.replace("[model]", "since = 2024-05-01\nuntil = '2024-06-01'\n[model]")
    (run,) = config.read(written(tmp_path, text))
    assert (run.benchmark.since, run.benchmark.until) == (
        datetime.date(2024, 5, 1),
        datetime.date(2024, 6, 1),
    )


text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
runs = st.builds(
    RunConfig,
    benchmark=st.builds(
        BenchmarkConfig,
        name=text,
        title=text,
        since=st.none() | st.dates(max_value=datetime.date(2020, 1, 1)),
        until=st.none() | st.dates(min_value=datetime.date(2020, 1, 2)),
        only=st.dictionaries(text, st.lists(text)),
        first=st.none() | st.integers(1, 10**9),
        fields=st.dictionaries(text, text),
    ),
    model=st.builds(
        ModelConfig, name=text.filter(bool), endpoint=st.just("http://h/v1"), template=text
    ),
    sampling=st.builds(
        SamplingConfig,
        n=st.integers(1, 10**6),
        temperature=st.none() | st.floats(0, 1e6),
        stop=st.lists(text),
        extra=st.dictionaries(text, text | st.booleans() | st.integers(-9, 9) | st.lists(text)),
    ),
    judge=st.builds(JudgeConfig, daemon=text, attempts=st.integers(1, 9)),
    output=st.builds(
        OutputConfig, k=st.lists(st.integers(1, 100)).map(tuple), directory=st.just("/runs")
    ),
)


@given(runs)
def test_what_is_dumped_is_read_back(tmp_path_factory: Any, run: RunConfig) -> None:
    path = tmp_path_factory.mktemp("dumped") / "config.toml"
    path.write_text(config.dump(run), encoding="utf-8")
    assert config.read(path) == [run]


def test_unsaid_keys_are_the_defaults(tmp_path: Path) -> None:
    (run,) = config.read(written(tmp_path, PLAIN))
    dumped = config.dump(run)
    assert "temperature" not in dumped
    assert msgspec.structs.asdict(run.judge) == msgspec.structs.asdict(JudgeConfig())
