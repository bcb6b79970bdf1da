"""Two runs beside each other: what flipped, and whether chance explains it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.model import Integrity, Verdict
from scalebox.suite.comparison import Run, compare, different_settings, open_run, said, sign_test
from scalebox.suite.config import JudgeConfig, RunConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.results import Missing, Result
from tests.suite.folders import config, make_run, result, write_run

RIGHT, WRONG = Verdict.ACCEPTED, Verdict.WRONG_ANSWER


def run_of(
    folder: Path, verdicts: Sequence[Sequence[Verdict]], run: RunConfig | None = None, **more: Any
) -> Run:
    """A run with tasks `0`, `1`, …, and of each so many samples."""
    results = [
        result(str(task), index, verdict)
        for task, own in enumerate(verdicts)
        for index, verdict in enumerate(own)
    ]
    return open_run(write_run(folder, run or config(), results, **more))


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_test_is_the_two_sided_binomial_one(up: int, down: int) -> None:
    tosses, fewer = up + down, min(up, down)
    tail = sum(math.comb(tosses, place) for place in range(fewer + 1)) / 2**tosses
    assert sign_test(up, down) == sign_test(down, up) == min(1.0, 2 * tail)


def test_known_values_of_the_test() -> None:
    assert sign_test(0, 0) == 1.0
    assert sign_test(5, 0) == 2 / 2**5
    assert sign_test(1, 9) == pytest.approx(0.021484375)
    assert 0 < sign_test(4000, 5000) < 1e-20
    assert sign_test(0, 5000) == 0.0


def test_flips_in_both_directions_with_one_sample_a_task(tmp_path: Path) -> None:
    before = run_of(tmp_path / "a", [[RIGHT], [RIGHT], [WRONG], [WRONG], [WRONG]])
    after = run_of(tmp_path / "b", [[RIGHT], [Verdict.RUNTIME_ERROR], [RIGHT], [RIGHT], [WRONG]])
    found = compare(before, after)
    assert [one.task for one in found.better] == ["2", "3"]
    assert [one.task for one in found.worse] == ["1"]
    assert (found.test.name, found.test.up, found.test.down) == ("McNemar", 2, 1)
    assert found.test.p_value == 1.0
    assert found.difference.value == pytest.approx(0.2)
    assert found.difference.low <= 0.2 <= found.difference.high
    assert found.from_to == {
        "accepted": {"accepted": 1, "runtime_error": 1},
        "wrong_answer": {"accepted": 2, "wrong_answer": 1},
    }
    assert found.before.verdicts == {"accepted": 2, "wrong_answer": 3}
    assert found.notes == []


def test_with_more_samples_the_test_stays_one_over_tasks(tmp_path: Path) -> None:
    before = run_of(tmp_path / "a", [[WRONG] * 10, [RIGHT] * 10, [RIGHT, WRONG] * 5])
    after = run_of(tmp_path / "b", [[RIGHT] * 10, [RIGHT] * 10, [WRONG, RIGHT] * 5])
    found = compare(before, after)
    # Ten samples that flip together are one task that went up, and no proof of anything.
    assert (found.test.name, found.test.up, found.test.down) == ("sign", 1, 0)
    assert found.test.p_value == 1.0
    assert found.paired == "samples"
    (better,) = found.better
    assert (better.before, better.after, better.fixed) == (0.0, 1.0, list(range(10)))


def test_runs_with_different_numbers_of_samples_are_compared_by_rates(tmp_path: Path) -> None:
    before = run_of(tmp_path / "a", [[RIGHT, WRONG], [WRONG]])
    after = run_of(tmp_path / "b", [[RIGHT, RIGHT, RIGHT, WRONG], [WRONG]])
    found = compare(before, after)
    assert (found.paired, found.from_to) == ("rates", {})
    assert found.better[0].fixed == []
    assert found.difference.value == pytest.approx((0.75 - 0.5) / 2)
    assert any("rates are compared" in note for note in found.notes)


def test_the_paired_interval_is_narrower_than_that_of_either_run(tmp_path: Path) -> None:
    verdicts = [[RIGHT] if place % 2 else [WRONG] for place in range(80)]
    changed = [[RIGHT] if place < 4 else own for place, own in enumerate(verdicts)]
    found = compare(run_of(tmp_path / "a", verdicts), run_of(tmp_path / "b", changed))
    own = found.before.pass_at_1
    assert found.difference.high - found.difference.low < (own.high - own.low) / 2


def test_tasks_that_one_alone_has_are_left_out_and_said(tmp_path: Path) -> None:
    before = run_of(tmp_path / "a", [[RIGHT], [WRONG], [WRONG]])
    after = run_of(tmp_path / "b", [[RIGHT]])
    found = compare(before, after)
    assert (found.tasks, found.before.only_here, found.after.only_here) == (1, 2, 0)
    assert found.before.pass_at_1.value == 1.0
    assert any("2 tasks are before alone" in note for note in found.notes)


def test_an_incomplete_run_is_said_in_the_headline(tmp_path: Path) -> None:
    missing = [Missing(task="1", index=0, why="not sampled")]
    found = compare(
        run_of(tmp_path / "a", [[RIGHT], [WRONG]]),
        run_of(tmp_path / "b", [[RIGHT]], missing=missing),
    )
    assert "NOT COMPLETE" in found.headline
    assert not found.after.complete


def test_an_internal_error_is_no_flip(tmp_path: Path) -> None:
    before = run_of(tmp_path / "a", [[RIGHT], [RIGHT]])
    after = run_of(tmp_path / "b", [[RIGHT], [Verdict.INTERNAL_ERROR]])
    found = compare(before, after)
    assert (found.tasks, found.worse) == (1, [])


def other_data(name: str = "sums", digest: str = "1") -> dict[str, Any]:
    return {"benchmark": {"name": name, "data_sha256": {"sums.jsonl": digest * 64}}}


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (other_data(), "data differ"),
        ({}, "data differ"),
        (other_data("products", "0"), "benchmarks differ: sums before, products after"),
    ],
)
def test_other_data_are_refused_unless_one_insists(
    manifest: dict[str, Any], words: str, tmp_path: Path
) -> None:
    before = run_of(tmp_path / "a", [[RIGHT]])
    after = run_of(tmp_path / "b", [[WRONG]], config(benchmark="sums"), manifest=manifest)
    with pytest.raises(SuiteError, match=words):
        compare(before, after)
    found = compare(before, after, anyway=True)
    assert any(words in note.lower() or words in note for note in found.notes)


def test_a_title_of_ones_own_makes_no_other_benchmark(tmp_path: Path) -> None:
    before = run_of(tmp_path / "a", [[RIGHT]])
    after = run_of(tmp_path / "b", [[RIGHT]], config(benchmark="sums-again"))
    assert compare(before, after).tasks == 1


def test_no_task_in_common_is_refused(tmp_path: Path) -> None:
    before = run_of(tmp_path / "a", [[RIGHT]])
    write_run(tmp_path / "b", config(), [result("other")])
    with pytest.raises(SuiteError, match="no task in common"):
        compare(before, open_run(tmp_path / "b"))


def test_each_side_counts_by_its_own_rule_for_weak_passes(tmp_path: Path) -> None:
    weak: list[Result] = [result("a", integrity=Integrity.WEAK)]
    strict = RunConfig(
        benchmark=config().benchmark,
        model=config().model,
        judge=JudgeConfig(weak="reject"),
        output=config().output,
    )
    write_run(tmp_path / "a", config(), weak)
    write_run(tmp_path / "b", strict, weak)
    found = compare(open_run(tmp_path / "a"), open_run(tmp_path / "b"))
    assert found.difference.value == -1.0
    assert any("accept before, reject after" in note for note in found.notes)


def test_settings_that_differ_are_named_and_digests_are_not() -> None:
    before = {"judge": {"stop": "never", "limits": {"cpu_time_s": 1}}, "judged_by": {"judge": "x"}}
    after = {"judge": {"stop": "never", "limits": {"cpu_time_s": 2}}, "judged_by": {"judge": "y"}}
    assert different_settings(before, {**after, "python": "3.12"}) == {
        "judge.limits.cpu_time_s": ["1", "2"],
        "python": ["", "3.12"],
    }
    many = {str(place): "x" * 5000 for place in range(1000)}
    found = different_settings({}, many)
    assert len(found) == 100
    assert all(len(side) <= 300 for sides in found.values() for side in sides)


def test_what_a_manifest_leaves_empty_is_not_said() -> None:
    manifest = {"a": None, "b": {"c": "", "d": {}}, "e": [], "f": {"g": 0, "h": False}, "i": "x"}
    assert said(manifest) == {"f.g": "0", "f.h": "false", "i": "x"}


def test_it_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    folders = [make_run(tmp_path / str(seed), seed=seed, n=2) for seed in (1, 2)]
    first, second = (compare(*map(open_run, folders)) for _ in range(2))
    assert first == second
