"""Verification: the same samples judged anew, elsewhere and under load, are judged alike."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from scalebox.suite.config import RunConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.folder import RESULTS, SAMPLES, VERIFIED
from scalebox.suite.verify import Verification, verify
from tests.suite.conftest import FUNCTIONS, evaluate, solution, write_jsonl


@pytest.fixture
def judged(plan: RunConfig, tmp_path: Path) -> RunConfig:
    """A run with right, wrong, slow and failing programs."""
    slow = "def square(n):\n    while True: pass\n"
    rows = [
        {"task_id": f"Own/{name}", "solution": solution(name, right=right)}
        for name in FUNCTIONS
        for right in (True, False)
    ]
    rows[3]["solution"] = slow
    rows[5]["solution"] = "def negative(n):\n    return 1 / 0\n"
    write_jsonl(tmp_path / "samples.jsonl", rows)
    evaluate(plan)
    return plan


def verified(plan: RunConfig, **options: str) -> Verification:
    return asyncio.run(verify(plan.directory, **options))  # type: ignore[arg-type]


def test_no_verdict_differs(judged: RunConfig) -> None:
    found = verified(judged)
    assert found.ok
    assert found.samples == 2 * len(FUNCTIONS)
    assert json.loads((judged.directory / VERIFIED).read_text())["flips"] == []


def test_a_line_that_is_being_written_is_left_alone(judged: RunConfig) -> None:
    path = judged.directory / SAMPLES
    with path.open("ab") as file:
        file.write(b'{"task":"Own/dou')
    before = path.read_bytes()
    assert verified(judged).ok
    assert path.read_bytes() == before


@pytest.mark.parametrize("isolation", ["user", "minimal"])
def test_no_verdict_differs_at_another_level(judged: RunConfig, isolation: str) -> None:
    found = verified(judged, daemon="private", isolation=isolation)
    assert found.ok, found.flips
    assert found.isolation == isolation


def test_what_was_changed_by_hand_is_found(judged: RunConfig) -> None:
    path = judged.directory / RESULTS
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace('"wrong_answer"', '"accepted"').replace(
        '"runtime_error"', '"accepted"'
    )  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    found = verified(judged)
    assert [(flip.task, flip.index, flip.was) for flip in found.flips] == [
        (f"Own/{next(iter(FUNCTIONS))}", 1, "accepted")
    ]


def test_other_data_is_refused(judged: RunConfig, rows: Path) -> None:
    rows.write_text(rows.read_text().replace("double of n", "double of  n"))
    with pytest.raises(SuiteError, match="was made of other data"):
        verified(judged)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    os.mkdir(tmp_path / "none")
    with pytest.raises(SuiteError, match="is no folder of a run"):
        asyncio.run(verify(tmp_path / "none"))
