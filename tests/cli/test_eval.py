"""`scalebox eval`: what its commands print, and how they exit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import scalebox
from scalebox.cli import main
from scalebox.client.sync import Client
from tests.suite.conftest import FUNCTIONS, row_of, solution, write_jsonl

Invoke = Callable[..., Result]


@pytest.fixture(scope="module")
def daemon() -> Iterator[Client]:
    with scalebox.local(sandbox={"slots": 1}) as client:
        yield client


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def call(*words: str) -> Result:
        result = CliRunner().invoke(main, ["eval", *words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def file(tmp_path: Path, daemon: Client) -> Path:
    """A configuration of one model on one benchmark."""
    write_jsonl(tmp_path / "rows.jsonl", [row_of(name) for name in FUNCTIONS])
    rows = [{"task_id": f"Own/{name}", "solution": solution(name)} for name in FUNCTIONS]
    write_jsonl(tmp_path / "samples.jsonl", rows)
    path = tmp_path / "eval.toml"
    path.write_text(
        '[benchmark]\nname = "humaneval"\npath = "rows.jsonl"\n'
        '[model]\nname = "m"\nsamples = "samples.jsonl"\n'
        f"[judge]\ndaemon = '{daemon.address}'\n"
    )
    return path


def test_a_whole_run_says_its_number(invoke: Invoke, file: Path) -> None:
    result = invoke("run", str(file))
    assert result.exit_code == 0, result.output
    assert "100.0 %" in result.output
    folder = file.parent / "runs/m/humaneval"
    assert str(folder / "report.html") in result.output
    assert "<svg" in (folder / "report.html").read_text()


def test_what_is_missing_is_said_and_is_an_exit_status(invoke: Invoke, file: Path) -> None:
    samples = file.parent / "samples.jsonl"
    samples.write_text(samples.read_text().partition("\n")[0] + "\n")
    result = invoke("run", str(file))
    assert result.exit_code == 2
    assert f"{len(FUNCTIONS) - 1} missing; the first is Own/square (0)" in result.output
    assert "not complete" in result.output


def test_steps_may_be_taken_one_by_one(invoke: Invoke, file: Path) -> None:
    assert invoke("sample", str(file)).exit_code == 0
    assert invoke("judge", str(file)).exit_code == 0
    folder = str(file.parent / "runs/m/humaneval")
    assert invoke("report", folder).output.split() == [
        f"{folder}/report.html",
        f"{folder}/report.md",
    ]
    result = invoke("verify", folder)
    assert result.exit_code == 0
    assert "5 samples judged anew" in result.output
    assert "0 flips, 0 undecided" in result.output


def test_a_flip_is_an_exit_status(invoke: Invoke, file: Path) -> None:
    invoke("run", str(file))
    path = file.parent / "runs/m/humaneval/results.jsonl"
    path.write_text(path.read_text().replace('"accepted"', '"wrong_answer"', 1))
    result = invoke("verify", str(path.parent))
    assert result.exit_code == 1
    assert "Own/double (0): verdict was wrong_answer, is accepted" in result.output


def test_two_runs_are_compared(invoke: Invoke, file: Path) -> None:
    invoke("run", str(file))
    other = file.with_name("other.toml")
    other.write_text(file.read_text().replace('"m"', '"other"').replace("samples.j", "others.j"))
    rows = [
        {"task_id": f"Own/{name}", "solution": solution(name, right=False)} for name in FUNCTIONS
    ]
    write_jsonl(file.with_name("others.jsonl"), rows)
    assert invoke("run", str(other)).exit_code == 0
    runs = file.parent / "runs"
    result = invoke("compare", f"{runs}/m/humaneval", f"{runs}/other/humaneval", "--out", "out")
    assert result.exit_code == 0, result.output
    found = json.loads((file.parent / "out/comparison.json").read_text())
    assert len(found["worse"]) == len(FUNCTIONS)


@pytest.mark.parametrize(
    ("former", "latter", "words"),
    [
        ('"humaneval"', '"humanevil"', "is 'humaneval' meant?"),
        ("rows.jsonl", "nothing.jsonl", "HumanEval.jsonl.gz is in"),
        ("[judge]", "[judeg]", "is 'judge' meant?"),
        ("samples.jsonl", "nothing.jsonl", "nothing.jsonl"),
    ],
)
def test_mistakes_are_sentences(
    invoke: Invoke, file: Path, former: str, latter: str, words: str
) -> None:
    file.write_text(file.read_text().replace(former, latter))
    result = invoke("run", str(file))
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output


def test_benchmarks_are_listed(invoke: Invoke) -> None:
    result = invoke("benchmarks")
    assert result.exit_code == 0
    assert "humaneval" in result.output
