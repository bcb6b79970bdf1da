"""The parts of `make eval-demo` that need neither data nor a daemon."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import eval_demo, eval_speed
from bench.results import ROOT
from scalebox.suite.tasks import Task

ROW: dict[str, Any] = {
    "task_id": "Own/0",
    "prompt": "def largest(xs):\n    best = xs[0]\n",
    "canonical_solution": (
        "    for x in xs:\n        if x > best:\n            best = x\n    return best\n"
    ),
}


def test_samples_are_different_texts_and_mostly_right() -> None:
    found = eval_speed.samples_of(ROW)
    assert len(set(found)) == eval_speed.SAMPLES_A_TASK
    whole = ROW["prompt"] + ROW["canonical_solution"]
    right = [text for text in found if text.startswith(whole)]
    assert len(right) >= eval_speed.SAMPLES_A_TASK - eval_speed.FLAWED_A_TASK
    assert len(right) < len(found)


def test_samples_are_the_same_each_time(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(ROW) + "\n")
    pairs = eval_speed.write_samples(rows, tmp_path / "one.jsonl")
    assert eval_speed.write_samples(rows, tmp_path / "other.jsonl") == pairs
    one, other = (tmp_path / f"{name}.jsonl" for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert json.loads(one.read_text().splitlines()[0])["task_id"] == "Own/0"


def test_scripted_answers_are_right_wrong_and_none() -> None:
    task = Task(
        id="Own/0", prompt=ROW["prompt"], canonical="def largest(xs):\n    return max(xs)\n"
    )
    ((words, answers),) = eval_demo.answers_of([task]).items()
    assert words == ROW["prompt"].strip()
    assert len(answers) == eval_demo.SCRIPTED
    assert "return max(xs)" in answers[0]
    assert "return None" in answers[1]
    assert "def " not in answers[2]


def test_a_speed_is_how_many_times_less_time() -> None:
    speed = eval_speed.Speed(10, 2.0, 5.0, 1.5, 1.0, 0, 1.0, 1.0, ["Own/0 (3)"], 0.6)
    assert (speed.ratio, speed.limit, speed.beyond) == (2.5, 5.0, 4.0)
    assert [one.holds for one in eval_speed.promises(speed)] == [True, False]
    assert eval_speed.figures(speed)["speed_programs_s"] == 1.5


def test_programs_by_themselves_are_called_up_to_the_first_wrong_value(tmp_path: Path) -> None:
    row = ROW | {
        "entry_point": "largest",
        "base_input": [[[1, 3]], [[2]]],
        "plus_input": [[[3, 1]], [[300_000]]],
    }
    counts = "def largest(xs):\n    for _ in range(xs[-1] * 20): pass\n    return max(xs)\n"
    programs = [
        counts,
        counts.replace("max", "min"),
        "def largest(xs):\n    return float(max(xs))\n",
        "def largest(xs):\n    while True: pass\n",
        "def largest(xs):\n    xs.append(7)\n    return sorted(xs)[-2]\n",
        "def largest(",
    ]
    rows, samples, out = (tmp_path / name for name in ("rows.jsonl", "samples.jsonl", "out.json"))
    rows.write_text(json.dumps(row) + "\n")
    lines = (json.dumps({"task_id": "Own/0", "solution": one}) for one in programs)
    samples.write_text("".join(f"{line}\n" for line in lines))
    words = [str(rows), str(samples), str(out), "--parallel", "2"]
    subprocess.run([sys.executable, "-m", "bench.eval_native", *words], check=True, cwd=ROOT)
    found = json.loads(out.read_text())
    assert found["right"] == [True, False, True, False, False, False]
    counted_s, stopped_s, _, endless_s, *_ = found["spent_s"]
    # The first counts to six millions once, the second stops before; one second, of the clock,
    # ends the endless, of which other load may have taken a part.
    assert counted_s > 20 * stopped_s
    assert 20 * stopped_s < endless_s < 1.5
    assert found["judged_s"] == pytest.approx(sum(found["spent_s"]) / 2)


def test_two_parts_of_a_speed_are_one() -> None:
    one = eval_speed.Speed(
        10, 2.0, 5.0, 1.0, 0.5, 1, 0.5, 1.0, ["Own/0 (3)"], 0.6, {"Own/1": "why"}
    )
    other = eval_speed.Speed(30, 4.0, 7.0, 2.0, 1.5, 2, 0.25, 3.0, ["Own/2 (0)"], 1.0)
    assert eval_speed.together(one, other) == eval_speed.Speed(
        *(40, 6.0, 12.0, 3.0, 2.0, 3, 0.75, 4.0, ["Own/0 (3)", "Own/2 (0)"], 0.9, {"Own/1": "why"})
    )


def test_one_task_is_too_few_for_both_orders(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        eval_speed.main(["--first", "1"])
    assert "at least 2" in capsys.readouterr().err


def test_missing_data_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SCALEBOX_DATA", str(tmp_path))
    with pytest.raises(SystemExit) as raised:
        eval_demo.main(["--only", "canonical"])
    assert raised.value.code == 2
    assert "there is no HumanEvalPlus.jsonl.gz" in capsys.readouterr().err


def test_a_task_that_theirs_cannot_pass_is_left_out_only_as_long_as_that_is_so() -> None:
    task = next(iter(eval_speed.FAILED_BY_THEM))
    right, wrong = [True, True], [False, False]
    ours = {task: [right, wrong], "Own/0": [right, wrong]}
    assert eval_speed.differences(ours, {task: [wrong, wrong], "Own/0": [right, wrong]}) == []
    (other,) = eval_speed.differences(ours, {task: [wrong, wrong], "Own/0": [right, right]})
    assert other.startswith("Own/0 (1)")
    mended = eval_speed.differences(ours, {task: [wrong, right], "Own/0": [right, wrong]})
    assert [line.split(":")[0] for line in mended] == [f"{task} (0)", f"{task} (1)"]
    assert list(eval_speed.explained({task: [wrong], "Own/0": [wrong]})) == [task]
    assert eval_speed.explained({task: [wrong, right]}) == eval_speed.explained({}) == {}
