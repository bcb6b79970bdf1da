"""The summary: what counts, what does not, and that it says so."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from scalebox.model import Integrity, Verdict
from scalebox.suite import results as files
from scalebox.suite.config import JudgeConfig, RunConfig
from scalebox.suite.results import Evidence, Missing, Result
from scalebox.suite.summary import MAX_MISSING, MAX_VALUES, Summary, summarise, timings_of
from tests.suite.folders import config, make_run, result

WRONG = Verdict.WRONG_ANSWER


def judged(**judge: str) -> RunConfig:
    return msgspec.structs.replace(config(), judge=JudgeConfig(**judge))


def test_a_run_in_which_all_was_judged_is_complete() -> None:
    found = summarise(config(), [result("a"), result("b", verdict=WRONG)])
    assert found.complete
    assert found.overall.pass_at[1].value == 0.5
    assert found.verdicts == {"accepted": 1, "wrong_answer": 1}
    assert found.headline.startswith("pass@1 50.0 % (95 % interval ")
    assert "2 tasks, 2 samples" in found.headline
    assert "COMPLETE" not in found.headline


@pytest.mark.parametrize("verdict", [one for one in Verdict if not one.is_about_the_program])
def test_what_says_nothing_about_a_program_is_missing_and_no_failure(verdict: Verdict) -> None:
    found = summarise(config(), [result("a"), result("b", verdict=verdict)])
    assert not found.complete
    assert found.overall.pass_at[1].value == 1.0
    assert found.overall.tasks == 1
    assert verdict.value not in found.verdicts
    assert found.missing == [Missing(task="b", index=0, why=f"the verdict is {verdict.value}")]
    assert "NOT COMPLETE: 1 of 2 samples are missing and not counted" in found.headline


def test_what_is_missing_is_named_once_with_its_reason_and_bounded() -> None:
    missing = [Missing(task="a", index=place, why="not sampled") for place in range(1, 501)]
    internal = result("a", 1, Verdict.INTERNAL_ERROR)
    found = summarise(config(), [result("a"), internal], missing)
    assert (found.missing_count, found.expected) == (500, 501)
    assert len(found.missing) == MAX_MISSING
    assert found.missing[0].why == "not sampled"


def test_what_is_there_is_not_missing_whatever_the_list_says() -> None:
    found = summarise(config(), [result("a")], [Missing(task="a", index=0, why="?")])
    assert found.complete


def test_nothing_at_all_is_no_number_and_not_complete() -> None:
    none = summarise(config(), [], [Missing(task="a", index=0, why="not sampled")])
    assert not none.complete
    assert none.overall.pass_at == {}
    assert none.headline == "No number: none of 1 samples was judged."
    assert not summarise(config(), []).complete


def test_tasks_may_have_different_numbers_of_samples() -> None:
    many = [result("a", place, WRONG if place else Verdict.ACCEPTED) for place in range(5)]
    found = summarise(config(k=[1, 2, 5]), [*many, result("b"), result("b", 1)])
    assert found.overall.pass_at[1].value == (0.2 + 1) / 2
    assert set(found.overall.pass_at) == {1, 2}
    assert found.overall.left_out == [5]
    assert any("k = 5: some task has fewer samples" in note for note in found.notes)


def test_pass_at_1_is_there_even_if_only_others_are_asked_for() -> None:
    found = summarise(config(k=[2]), [result("a"), result("a", 1, WRONG)])
    assert {k: one.value for k, one in found.overall.pass_at.items()} == {1: 0.5, 2: 1.0}
    assert found.overall.pass_all[2].value == 0.0


def test_parts_are_counted_apart_and_no_program_passes_none() -> None:
    both = {"base": True, "plus": True}
    half = {"base": True, "plus": False}
    none = Result(task="c", index=0, verdict=Verdict.COMPILE_ERROR, passed=0, total=0)
    found = summarise(
        config(), [result("a", parts=both), result("b", verdict=WRONG, parts=half), none]
    )
    rates = {name: numbers.pass_at[1].value for name, numbers in found.parts.items()}
    assert rates == {"base": pytest.approx(2 / 3), "plus": pytest.approx(1 / 3)}
    assert found.without_program == 1
    assert found.overall.fraction is not None
    assert found.overall.fraction.value == pytest.approx((1 + 0.4 + 0) / 3)


def test_a_program_that_does_not_compile_is_a_program() -> None:
    found = summarise(config(), [result("a", verdict=Verdict.COMPILE_ERROR)])
    assert found.without_program == 0


def test_a_pass_that_could_have_been_forged_is_counted_and_said_or_refused() -> None:
    weak = result("a", integrity=Integrity.WEAK, parts={"base": True})
    strong = result("b", parts={"base": True})
    accepted = summarise(judged(weak="accept"), [weak, strong])
    rejected = summarise(judged(weak="reject"), [weak, strong])
    assert (accepted.overall.right, accepted.overall.weak) == (2, 1)
    assert (rejected.overall.right, rejected.overall.weak) == (1, 0)
    assert [one.parts["base"].right for one in (accepted, rejected)] == [2, 1]
    assert accepted.integrity == {"strong": 1, "weak": 1}
    assert any("1 of 2 right samples" in note for note in accepted.notes)
    assert any("count as wrong" in note for note in rejected.notes)


def test_a_share_of_cases_is_no_number_where_judging_stops_early() -> None:
    found = summarise(judged(stop="first_failure"), [result("a", verdict=WRONG)])
    assert found.overall.fraction is None
    assert any("stopped at the first case" in note for note in found.notes)


def test_groups_are_those_that_are_asked_for() -> None:
    easy = {"difficulty": "easy", "date": "2024-01"}
    hard = {"difficulty": "hard", "date": "2024-01"}
    rows = [result("a", groups=easy), result("b", verdict=WRONG, groups=hard), result("c")]
    found = summarise(config(by=["difficulty", "platform"]), rows)
    assert {value: one.pass_at[1].value for value, one in found.groups["difficulty"].items()} == {
        "easy": 1.0,
        "hard": 0.0,
    }
    assert found.groups.keys() == {"difficulty"}
    assert "No task has a group 'platform'." in found.notes
    assert summarise(config(), rows).groups.keys() == {"date", "difficulty"}


def test_a_group_with_a_value_a_task_is_bounded() -> None:
    rows = [result(str(place), groups={"id": str(place)}) for place in range(MAX_VALUES + 50)]
    found = summarise(config(resamples=100), rows)
    assert len(found.groups["id"]) == MAX_VALUES
    assert any(f"{MAX_VALUES + 50} values" in note for note in found.notes)


def test_tokens_and_answers_that_were_cut_off() -> None:
    rows = [
        result("a", prompt_tokens=10, completion_tokens=100, finish="length"),
        result("b", completion_tokens=50, finish="stop"),
        result("c"),
    ]
    found = summarise(config(), rows)
    assert found.truncated == 1
    assert (found.completion_tokens.samples, found.completion_tokens.total) == (2, 150)
    assert found.completion_tokens.mean == 75
    assert found.prompt_tokens.mean == 10
    assert summarise(config(), [result("a")]).prompt_tokens.mean is None


def test_an_interval_without_width_is_explained() -> None:
    found = summarise(config(), [result("a"), result("b")])
    assert any("no width" in note for note in found.notes)


def test_the_file_is_the_same_whenever_it_is_made_and_can_be_read(tmp_path: Path) -> None:
    first, second = make_run(tmp_path / "one", n=3), make_run(tmp_path / "two", n=3)
    assert (first / "summary.json").read_bytes() == (second / "summary.json").read_bytes()
    found = files.read_json(first / "summary.json", Summary)
    assert found == summarise(config(), files.read(first / "results.jsonl"))


def test_times_are_apart() -> None:
    rows = [result("a", completion_tokens=100), result("b", completion_tokens=50), result("c")]
    times = [
        Evidence(task="a", index=0, cpu_time_s=1.0, wall_time_s=2.0, seconds=2.0),
        Evidence(task="b", index=0, cpu_time_s=3.0, seconds=1.0),
        Evidence(task="c", index=0, seconds=9.0),
    ]
    found = timings_of(rows, times)
    assert (found.cpu_time.samples, found.cpu_time.total_s, found.cpu_time.max_s) == (2, 4.0, 3.0)
    assert found.cpu_time.median_s == 2.0
    assert found.tokens_per_s == 50.0
    nothing = timings_of([], [])
    assert (nothing.tokens_per_s, nothing.sampling.mean_s) == (None, None)
