"""`scalebox judges classify|infer|generate|prove`: a file of problems, a real daemon, its store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from scalebox.cli import main
from scalebox.client.local import local
from scalebox.client.sync import Client
from scalebox.model import NamedJudge, OutputCase, OutputTests, Submission
from tests.specialjudges.problems import (
    SET_RIGHT,
    SET_TESTS,
    SET_WRONG,
    SPLIT_ICPC,
    SPLIT_JUDGE,
    SPLIT_RIGHT,
    SPLIT_STATEMENT,
    SPLIT_TESTS,
    SPLIT_WRONG,
    SUM_RIGHT,
    SUM_TESTS,
    SUM_WRONG,
    row,
    write_rows,
)

Invoke = Callable[..., Result]
ROWS = [
    row("add", SUM_TESTS, SUM_RIGHT, SUM_WRONG, statement="Print the sum."),
    row("split", SPLIT_TESTS, SPLIT_RIGHT, SPLIT_WRONG, statement=SPLIT_STATEMENT,
        validator=SPLIT_ICPC),
    row("set", SET_TESTS, SET_RIGHT, SET_WRONG, statement="Print them in any order."),
]  # fmt: skip


@pytest.fixture(scope="module")
def daemon() -> Iterator[Client]:
    with local(sandbox={"slots": 2}) as client:
        yield client


@pytest.fixture
def judges(daemon: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Invoke:
    """Runs `scalebox judges ARGS…` with that daemon at hand, and a file of steps of its own."""
    monkeypatch.setenv("SCALEBOX_SOCKET", daemon.address.removeprefix("unix:"))
    monkeypatch.setenv("COLUMNS", "300")

    def invoke(command: str, *args: object) -> Result:
        words = ["judges", command, "--work", tmp_path / "work", *args]
        result = CliRunner().invoke(main, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "problems.jsonl", ROWS)


def lines_of(path: Path) -> dict[str, dict[str, object]]:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["problem"]: line for line in found}


def test_classify_says_what_is_needed(judges: Invoke, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = judges("classify", file, "--out", out)
    assert result.exit_code == 0, result.output
    found = lines_of(out)
    assert {name: line["needs"] for name, line in found.items()} == {
        "add": "none",
        "split": "a judge",
        "set": "a judge",
    }
    assert found["split"]["kind"] == "any_valid"
    assert found["set"]["kind"] == "order"
    assert "right programs write different things" in str(found["split"]["signs"])
    assert "split" in result.stdout
    assert "a judge: 2" in result.stdout


def test_infer_finds_judges_that_ship(
    judges: Invoke, file: Path, tmp_path: Path, daemon: Client
) -> None:
    out = tmp_path / "out.jsonl"
    assert judges("infer", file, "--out", out).exit_code == 0
    found = {name: line["judge"] for name, line in lines_of(out).items()}
    assert found["add"] == "tokens"
    assert found["split"] == "none"
    assert str(found["set"]).startswith("unordered_")
    # The second time nothing is run: the steps are remembered.
    before = daemon.status().counters["runs"]
    assert judges("infer", file).exit_code == 0
    assert daemon.status().counters["runs"] == before


def test_prove_keeps_and_promotes(
    judges: Invoke, file: Path, tmp_path: Path, daemon: Client
) -> None:
    out = tmp_path / "out.jsonl"
    result = judges("prove", file, "--promote", "--out", out)
    assert result.exit_code == 0, result.output
    found = lines_of(out)
    assert found["add"]["states"] == "active"
    assert found["set"]["states"] == "active"
    assert found["split"]["proven"] == "none"
    cases = [OutputCase(output=text, answer="0\n1\n2\n") for text in ("2\n0\n1", "2\n2\n1")]
    tests = OutputTests(cases=cases, judge=NamedJudge(name="problem:set"))
    report = daemon.judge(Submission(language="", source="", tests=tests, stop="never"))
    assert [case.verdict for case in report.cases] == ["accepted", "wrong_answer"]


def test_a_judge_of_ones_own_is_proven_with_the_packages(
    judges: Invoke, file: Path, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(SPLIT_JUDGE)
    bad.write_text("def judge(input, output, answer):\n    return True\n")
    out = tmp_path / "out.jsonl"
    args = ("--only", "split", "--own", "--judge", good, "--judge", bad, "--no-keep", "--out", out)
    assert judges("prove", file, *args).exit_code == 0
    found = lines_of(out)["split"]
    assert found["proven"] == "2 of 3"
    assert "known to be wrong" in str(found["why"])
    assert judges("prove", file, "--judge", good).exit_code == 2


def test_a_file_may_be_parquet(judges: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "problems.parquet"
    # As many datasets have them: what is nested is JSON text.
    flat = [
        {key: json.dumps(value) if isinstance(value, dict | list) else value
         for key, value in one.items()}
        for one in ROWS
    ]  # fmt: skip
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(flat), path)
    result = judges("classify", path)
    assert result.exit_code == 0, result.output
    assert "a judge: 2, none: 1" in result.stdout


def test_a_row_that_cannot_be_read_leaves_the_others(judges: Invoke, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "p.jsonl", [{"id": "bad", "tests": 3}, ROWS[0]])
    result = judges("classify", path)
    assert result.exit_code == 2
    assert "none: 1, failed: 1" in result.stdout
    assert "cannot be read" in result.stdout


def test_a_parquet_file_that_is_none(judges: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    path.write_text("this is none")
    result = judges("classify", path)
    assert result.exit_code == 2
    assert "cannot read" in result.output
