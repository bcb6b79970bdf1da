"""Runs: what is written, what is done again and what is not, and what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from scalebox.client.sync import Client
from scalebox.errors import ConnectionFailedError, InternalError
from scalebox.suite.benchmarks.humaneval import HumanEval
from scalebox.suite.config import RunConfig
from scalebox.suite.errors import EndpointError, SuiteError
from scalebox.suite.folder import GRADES, MANIFEST, RESULTS, SAMPLES, SUMMARY
from scalebox.suite.journal import locked
from scalebox.suite.sampling.endpoint import Endpoint
from scalebox.suite.tasks import Grade, Sample
from tests.suite.conftest import FUNCTIONS, changed, evaluate, solution, write_jsonl

#: Per task one right and one wrong answer, but for one that has no right one.
ANSWERS = [
    {"task_id": f"Own/{name}", "solution": solution(name, right=right and name != "half")}
    for name in FUNCTIONS
    for right in (True, False)
]


@pytest.fixture
def answered(tmp_path: Path, plan: RunConfig) -> RunConfig:
    write_jsonl(tmp_path / "samples.jsonl", ANSWERS)
    return plan


def results(plan: RunConfig) -> list[dict[str, Any]]:
    lines = (plan.directory / RESULTS).read_text().splitlines()
    return [json.loads(line) for line in lines]


def what_numbers_are_made_of(plan: RunConfig) -> tuple[bytes, bytes]:
    return (plan.directory / RESULTS).read_bytes(), (plan.directory / SUMMARY).read_bytes()


def test_answers_of_a_file_are_judged_and_counted(answered: RunConfig) -> None:
    outcome = evaluate(answered)
    assert outcome.missing == []
    assert outcome.summary is not None
    assert outcome.summary.complete
    assert outcome.summary.overall.pass_at[1].value == pytest.approx(0.4)
    found = results(answered)
    assert [(one["task"], one["index"]) for one in found] == [
        (f"Own/{name}", index) for name in FUNCTIONS for index in (0, 1)
    ]
    right = [one["verdict"] == "accepted" for one in found]
    assert right == [True, False, True, False, True, False, False, False, True, False]
    text = (answered.directory / RESULTS).read_text()
    assert "time" not in text
    assert "seconds" not in text


def test_the_datas_own_solutions_are_right(plan: RunConfig) -> None:
    outcome = evaluate(changed(changed(plan, "model", samples="canonical"), "sampling", n=1))
    assert outcome.summary is not None
    assert outcome.summary.overall.pass_at[1].value == 1.0


def test_a_second_run_asks_and_judges_nothing(
    answered: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate(answered)
    before = what_numbers_are_made_of(answered)

    async def never(*_: Any) -> Grade:
        raise AssertionError("judged again")

    monkeypatch.setattr(HumanEval, "grade", never)
    evaluate(answered)
    assert what_numbers_are_made_of(answered) == before


def test_what_two_runs_write_is_the_same_to_the_byte(answered: RunConfig, tmp_path: Path) -> None:
    other = changed(answered, "output", directory=str(tmp_path / "others"))
    evaluate(answered)
    evaluate(other)
    assert what_numbers_are_made_of(answered) == what_numbers_are_made_of(other)


def test_steps_one_after_the_other_are_the_whole(answered: RunConfig, tmp_path: Path) -> None:
    other = changed(answered, "output", directory=str(tmp_path / "others"))
    evaluate(answered)
    sampled = evaluate(other, judge=False)
    assert sampled.summary is None
    assert not (other.directory / GRADES).exists()
    evaluate(other, sample=False)
    assert what_numbers_are_made_of(answered) == what_numbers_are_made_of(other)


def test_answers_that_are_not_there_are_missing_and_not_wrong(
    plan: RunConfig, tmp_path: Path
) -> None:
    write_jsonl(tmp_path / "samples.jsonl", ANSWERS[:3])
    outcome = evaluate(plan)
    assert outcome.summary is not None
    assert not outcome.summary.complete
    assert len(outcome.missing) == len(ANSWERS) - 3
    assert outcome.missing[0].why == "there is no sample"
    assert len(results(plan)) == 3


def test_torn_last_lines_are_made_again(answered: RunConfig) -> None:
    evaluate(answered)
    before = what_numbers_are_made_of(answered)
    for name in (SAMPLES, GRADES):
        path = answered.directory / name
        path.write_bytes(path.read_bytes()[:-20])
    outcome = evaluate(answered)
    assert outcome.repaired == [SAMPLES, GRADES]
    assert what_numbers_are_made_of(answered) == before


def test_what_fails_for_reasons_of_ours_is_tried_again(
    answered: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    grade, calls = HumanEval.grade, []

    async def fails_at_first(self: HumanEval, *given: Any) -> Grade:
        calls.append(given)
        if len(calls) <= 3:
            raise InternalError("a slot fell over")
        return await grade(self, *given)

    monkeypatch.setattr(HumanEval, "grade", fails_at_first)
    outcome = evaluate(answered)
    assert outcome.missing == []
    assert outcome.summary is not None
    assert outcome.summary.overall.pass_at[1].value == pytest.approx(0.4)


def test_what_cannot_be_judged_is_missing_until_it_is(
    answered: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    grade = HumanEval.grade

    async def never_halves(self: HumanEval, client: Any, task: Any, program: str) -> Grade:
        if task.id == "Own/half":
            raise InternalError("a slot fell over")
        return await grade(self, client, task, program)

    once = changed(answered, "judge", attempts=1)
    with monkeypatch.context() as patched:
        patched.setattr(HumanEval, "grade", never_halves)
        outcome = evaluate(once)
        assert [one.task for one in outcome.missing] == ["Own/half"] * 2
        assert "a slot fell over" in outcome.missing[0].why
        assert outcome.summary is not None
        assert not outcome.summary.complete
        assert outcome.summary.overall.pass_at[1].value == pytest.approx(0.5)
    outcome = evaluate(once)
    assert outcome.missing == []
    assert outcome.summary is not None
    assert outcome.summary.complete


def test_equal_programs_are_judged_once(plan: RunConfig, tmp_path: Path) -> None:
    name, calls = "double", []
    write_jsonl(
        tmp_path / "samples.jsonl",
        [{"task_id": f"Own/{name}", "solution": solution(name)} for _ in range(8)],
    )
    grade = HumanEval.grade

    async def counted(self: HumanEval, *given: Any) -> Grade:
        calls.append(given)
        return await grade(self, *given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HumanEval, "grade", counted)
        only = changed(changed(plan, "benchmark", tasks=[f"Own/{name}"]), "sampling", n=8)
        outcome = evaluate(only)
    assert len(calls) == 1
    assert outcome.summary is not None
    assert outcome.summary.overall.pass_at[1].value == 1.0
    assert len(results(only)) == 8


def test_an_answer_without_a_program_is_the_models_failure(plan: RunConfig, tmp_path: Path) -> None:
    rows = [{"task_id": "Own/double", "answer": text} for text in ("I cannot.", "<think>```")]
    write_jsonl(tmp_path / "samples.jsonl", rows)
    only = changed(plan, "benchmark", tasks=["Own/double"])
    outcome = evaluate(only)
    assert outcome.summary is not None
    assert outcome.summary.without_program == 2
    assert [one["verdict"] for one in results(only)] == ["compile_error"] * 2


def test_what_was_thought_counts_where_the_configuration_says_so(
    plan: RunConfig, tmp_path: Path
) -> None:
    text = f"<think>```python\n{solution('double')}```</think>That is all."
    write_jsonl(tmp_path / "samples.jsonl", [{"task_id": "Own/double", "answer": text}])
    only = changed(changed(plan, "benchmark", tasks=["Own/double"]), "sampling", n=1)
    evaluate(only)
    assert results(only)[0]["verdict"] == "compile_error"
    kept = changed(changed(only, "model", thinking="keep"), "output", directory=str(tmp_path / "k"))
    evaluate(kept)
    assert results(kept)[0]["verdict"] == "accepted"


def test_a_program_that_no_daemon_takes_is_the_models_failure(
    plan: RunConfig, tmp_path: Path
) -> None:
    rows = [
        {"task_id": "Own/double", "solution": text} for text in ("#" * (2 << 20), "print('\x00')")
    ]
    write_jsonl(tmp_path / "samples.jsonl", rows)
    only = changed(plan, "benchmark", tasks=["Own/double"])
    assert evaluate(only).missing == []
    assert {one["verdict"] for one in results(only)} <= {"compile_error", "runtime_error"}


@pytest.mark.parametrize(
    ("table", "values", "words"),
    [
        ("sampling", {"temperature": 0.5}, "drawn with another sampling"),
        ("model", {"system": "Be right."}, "drawn with another model"),
        ("benchmark", {"first": 2}, "drawn with another benchmark"),
        ("judge", {"stop": "first_failure"}, "judged with another judge"),
    ],
)
def test_a_folder_is_of_one_experiment(
    answered: RunConfig, table: str, values: dict[str, Any], words: str
) -> None:
    evaluate(answered)
    with pytest.raises(SuiteError, match=words):
        evaluate(changed(answered, table, **values))


def test_more_answers_are_added_to_those_that_are_there(
    answered: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluate(changed(answered, "sampling", n=1))
    assert first.summary is not None
    assert first.summary.overall.samples == len(FUNCTIONS)
    grade, calls = HumanEval.grade, []

    async def counted(self: HumanEval, *given: Any) -> Grade:
        calls.append(given)
        return await grade(self, *given)

    monkeypatch.setattr(HumanEval, "grade", counted)
    both = evaluate(answered)
    assert both.summary is not None
    assert both.summary.overall.samples == len(ANSWERS)
    assert len(calls) == len(FUNCTIONS)


def test_a_file_of_answers_may_grow_but_not_change(answered: RunConfig, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    write_jsonl(path, ANSWERS[:4])
    assert len(evaluate(answered).missing) == len(ANSWERS) - 4
    write_jsonl(path, ANSWERS)
    assert evaluate(answered).missing == []
    write_jsonl(path, [{**ANSWERS[0], "solution": "pass"}, *ANSWERS[1:]])
    with pytest.raises(SuiteError, match=r"sample 0 of Own/double is another in .*samples\.jsonl"):
        evaluate(answered)


def test_judging_anew_replaces_what_was_judged_otherwise(answered: RunConfig) -> None:
    evaluate(answered)
    other = changed(answered, "judge", stop="first_failure")
    outcome = evaluate(other, again=True)
    assert outcome.missing == []
    assert json.loads((other.directory / MANIFEST).read_text())["judge"]["stop"] == "first_failure"
    evaluate(other)


def test_how_fast_and_where_is_no_other_experiment(answered: RunConfig) -> None:
    evaluate(answered)
    faster = changed(changed(answered, "judge", in_flight=1), "sampling", in_flight=1)
    assert evaluate(faster).missing == []


def test_two_at_once_do_not_work_in_one_folder(answered: RunConfig) -> None:
    with locked(answered.directory), pytest.raises(SuiteError, match="another process works in"):
        evaluate(answered)


def test_a_daemon_that_is_not_there_is_no_verdict(answered: RunConfig, tmp_path: Path) -> None:
    nowhere = changed(answered, "judge", daemon=str(tmp_path / "nothing"))
    with pytest.raises(ConnectionFailedError):
        evaluate(nowhere)
    assert not (answered.directory / RESULTS).exists()


def test_options_of_a_private_daemon_are_refused_for_another(
    answered: RunConfig, client: Client
) -> None:
    with pytest.raises(SuiteError, match="of a private daemon"):
        evaluate(changed(answered, "judge", isolation="minimal"))


def test_an_endpoint_that_fails_loses_nothing(
    plan: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def three(self: Endpoint, wanted: Any) -> AsyncIterator[Sample]:
        for task, index in list(wanted)[:3]:
            name = task.row["entry_point"]
            yield Sample(task=task.id, index=index, text=solution(name), kind="solution")
        raise EndpointError("the endpoint is gone")

    monkeypatch.setattr(Endpoint, "sample_all", three)
    asked = changed(plan, "model", samples="", endpoint="http://127.0.0.1:9/v1")
    with pytest.raises(EndpointError, match=r"3 of 10 answers are kept in .*/runs/m/humaneval"):
        evaluate(asked)
    for name in (SAMPLES, GRADES):
        assert len((asked.directory / name).read_text().splitlines()) == 3


def test_the_manifest_says_what_the_number_depends_on(answered: RunConfig) -> None:
    evaluate(answered)
    manifest = json.loads((answered.directory / MANIFEST).read_text())
    sha256 = re.compile(r"[0-9a-f]{64}")
    assert sha256.fullmatch(manifest["benchmark"]["data_sha256"]["rows.jsonl"])
    assert sha256.fullmatch(manifest["model"]["samples_sha256"])
    assert sha256.fullmatch(manifest["prompts_sha256"])
    assert manifest["toolchains"]["python"]
    assert manifest["daemon"]["isolation"] in ("full", "user", "minimal")
    assert manifest["isolation_levels"] == [manifest["daemon"]["isolation"]]
    assert str(answered.directory.parent) not in json.dumps(manifest)
