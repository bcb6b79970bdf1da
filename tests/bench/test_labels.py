"""What counts as agreement with a label, and how rows of the data become submissions."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bench import labels
from scalebox.client.local import async_local
from scalebox.model import (
    CaseResult,
    Comparison,
    CompileResult,
    Enforcement,
    IsolationLevel,
    Report,
    StdioTests,
    Submission,
    Verdict,
)

_SUM = "print(sum(map(float, input().split())))\n"


def _report(*verdicts: Verdict, message: str = "", compiled: bool | None = None) -> Report:
    bad = [verdict for verdict in verdicts if verdict is not Verdict.ACCEPTED]
    return Report(
        verdict=bad[0] if bad else Verdict.ACCEPTED,
        passed=len(verdicts) - len(bad),
        total=len(verdicts),
        cases=[
            CaseResult(verdict=verdict, name=f"c{number}", message=message)
            for number, verdict in enumerate(verdicts)
        ],
        isolation=IsolationLevel.FULL,
        enforcement=Enforcement.CGROUP2,
        compile=None if compiled is None else CompileResult(ok=compiled, message="no ;"),
    )


def _row(**changes: Any) -> dict[str, Any]:
    def submission(name: str, label: str, language: str, source: str, check: str = "ok") -> Any:
        return {
            "name": name, "label": label, "language": language, "label_check": check,
            "files": {f"{name}.x": source},
        }  # fmt: skip

    return {
        "id": "p",
        "name": "P",
        "time_limit_s": None,
        "memory_limit_mb": None,
        "judge": {"kind": "default", "flags": "float_tolerance 1e-3", "folder": None},
        "tests": [
            {"name": "1", "input": "1 2\n", "answer": "3\n", "flags": None},
            # Flags of its own replace the tolerance: here 3 would not do for 3.0.
            {"name": "2", "input": "1 2\n", "answer": "3.0\n", "flags": "case_sensitive"},
        ],
        "submissions": [
            submission("right", "accepted", "python", _SUM),
            submission("wrong", "wrong_answer", "python", _SUM.replace("sum", "max")),
            submission("other", "accepted", "java", ""),
            submission("old", "accepted", "python2", ""),
            submission("native", "accepted", "c", "", "not run"),
        ],
        **changes,
    }


def _write(path: Path, *rows: dict[str, Any]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def _labelled(label: str) -> labels.Labelled:
    return labels.Labelled("p", "s", label, "ok", Submission(language="c", source=""))


@pytest.mark.parametrize(
    ("label", "verdicts", "agrees"),
    [
        ("accepted", [Verdict.ACCEPTED], True),
        ("accepted", [Verdict.ACCEPTED, Verdict.WRONG_ANSWER], False),
        ("wrong_answer", [Verdict.TIME_LIMIT_EXCEEDED, Verdict.SKIPPED], True),
        ("partially_accepted", [Verdict.ACCEPTED], False),
        ("wrong_answer", [Verdict.INTERNAL_ERROR], False),
        ("run_time_error", [Verdict.CANCELLED], False),
    ],
)
def test_agreement(label: str, verdicts: list[Verdict], agrees: bool) -> None:
    assert _labelled(label).agrees(_report(*verdicts)) is agrees


def test_the_reason_names_the_first_case_that_failed() -> None:
    report = _report(Verdict.ACCEPTED, Verdict.SKIPPED, Verdict.WRONG_ANSWER, message="got 4")
    assert labels.reason(report) == "c2: wrong_answer: got 4"
    assert labels.reason(_report(Verdict.ACCEPTED)) == "all 1 cases are right"
    assert "no ;" in labels.reason(_report(Verdict.COMPILE_ERROR, compiled=False))


def test_only_our_languages_and_the_kinds_of_judges_asked_for_are_read(tmp_path: Path) -> None:
    judge = {"folder": "output_validator", "flags": None, "files": {"v.py": ""}}
    custom = _row(id="q", judge={**judge, "kind": "custom"})
    talking = _row(id="r", judge={**judge, "kind": "interactive"})
    file = _write(tmp_path / "p.jsonl.gz", custom, talking, _row())
    assert {(one.problem, one.kind) for one in labels.read(file)} == {
        ("q", "custom"), ("r", "interactive"), ("p", "default"),
    }  # fmt: skip
    found = list(labels.read(file, ["default"]))
    assert [(one.problem, one.name) for one in found] == [
        ("p", "right"), ("p", "wrong"), ("p", "native"),
    ]  # fmt: skip
    assert [one.is_checked for one in found] == [True, True, False]


def test_flags_of_a_test_replace_those_of_the_judge(tmp_path: Path) -> None:
    tests = next(iter(labels.read(_write(tmp_path / "p.jsonl.gz", _row())))).submission.tests
    assert isinstance(tests, StdioTests)
    assert isinstance(tests.judge, Comparison)
    assert tests.judge.float_absolute_tolerance == tests.judge.float_relative_tolerance == 1e-3
    assert [case.judge for case in tests.cases] == [None, Comparison(case_sensitive=True)]


def test_limits_are_the_datas_own_else_those_of_its_labels(tmp_path: Path) -> None:
    stated = _row(time_limit_s=1.5, memory_limit_mb=64)
    own, default = (
        next(iter(labels.read(_write(tmp_path / "p.jsonl.gz", row)))).submission.limits
        for row in (stated, _row())
    )
    assert (own.cpu_time_s, own.memory_bytes) == (1.5, 64 << 20)
    assert default.cpu_time_s == labels.DEFAULT_CPU_TIME_S
    assert default.memory_bytes == labels.DEFAULT_MEMORY_BYTES


async def test_submissions_are_judged_in_order_by_a_daemon(tmp_path: Path) -> None:
    row = _row()
    row["submissions"] = row["submissions"][:2] * 3
    labelled = list(labels.read(_write(tmp_path / "p.jsonl.gz", row)))
    async with async_local() as client:
        judged = await labels.judge(client, labelled)
    assert [one.labelled for one in judged] == labelled
    assert all(one.agrees for one in judged)
    assert judged[1].row()["verdict"] == "wrong_answer"


def test_the_page_lists_what_disagrees_and_keeps_its_table_whole() -> None:
    bad = labels.Judged(
        labels.Labelled("p", "a|b", "accepted", "ok", Submission(language="c", source="")),
        _report(Verdict.WRONG_ANSWER, message="wanted <3>"),
    )
    host = {"cpu": "C", "cores": 2, "kernel": "6", "python": "3", "date": "2026-01-01"}
    page = labels.document([bad], host)
    assert "Of 1 submissions whose label was checked, 0 agree" in page
    row = (
        r"| p | a\|b | default | accepted | wrong_answer | 0/1 | c0: wrong_answer: wanted &lt;3> |"
    )
    assert row in page
    assert "None." in page


def _unchecked(name: str, label: str, *verdicts: Verdict, explanation: str = "") -> labels.Judged:
    labelled = labels.Labelled("p", name, label, "not run", Submission(language="c", source=""))
    return labels.Judged(labelled, _report(*verdicts), explanation)


def test_only_a_program_that_passes_all_against_an_unchecked_label_has_a_reason() -> None:
    ok, bad, broken = Verdict.ACCEPTED, Verdict.WRONG_ANSWER, Verdict.JUDGE_ERROR
    slow = _unchecked("slow", "time_limit_exceeded", ok, explanation="slow on more")
    assert slow.row()["why"] == "slow on more"
    agreeing = _unchecked("wrong", "wrong_answer", bad, explanation="x")
    refused = _unchecked("right", "accepted", bad, explanation="x")
    unjudged = _unchecked("unjudged", "wrong_answer", broken, explanation="x")
    checked = labels.Judged(_labelled("wrong_answer"), _report(ok), "x")
    for one in (agreeing, refused, unjudged, checked):
        assert one.row()["why"] == ""
    every = [slow, agreeing, refused, unjudged, checked]
    # Nothing excuses a right program that fails here, nor a verdict that says nothing about one.
    assert labels.unexplained(every) == [refused, unjudged]
    assert labels.unexplained([_unchecked("s", "wrong_answer", ok)]) != []


def test_an_explanation_is_stale_only_where_a_run_did_not_need_it() -> None:
    needed = _unchecked("slow", "time_limit_exceeded", Verdict.ACCEPTED, explanation="x")
    not_needed = _unchecked("wrong", "wrong_answer", Verdict.WRONG_ANSWER, explanation="x")
    explained = {"p/slow": "x", "p/wrong": "x", "q/not judged in this run": "x"}
    assert labels.stale([needed, not_needed], explained) == ["p/wrong"]


def test_the_page_says_why_an_unchecked_label_stands() -> None:
    host = {"cpu": "C", "cores": 2, "kernel": "6", "python": "3", "date": "2026-01-01"}
    one = _unchecked("slow", "time_limit_exceeded", Verdict.ACCEPTED, explanation="slow on more")
    page = labels.document([one], host)
    assert "| all 1 cases are right | slow on more |" in page
    assert "0 have no explanation" in page


def test_explanations_say_whether_they_were_shown(tmp_path: Path) -> None:
    file = tmp_path / "u.toml"
    file.write_text('["p/a"]\nwhy = "slow"\nshown = "12 s"\n["p/b"]\nwhy = "slow"\nshown = ""\n')
    assert labels.explanations(file) == {
        "p/a": "slow. Shown: 12 s.",
        "p/b": "slow. Read in its source, not shown.",
    }


@pytest.mark.parametrize("entry", ['why = "x"', 'why = " "\nshown = ""', 'why = "x"\nseen = ""'])
def test_an_explanation_that_gives_no_reason_is_refused(tmp_path: Path, entry: str) -> None:
    file = tmp_path / "u.toml"
    file.write_text(f'["p/a"]\n{entry}\n')
    with pytest.raises(ValueError, match="p/a"):
        labels.explanations(file)


def test_the_explanations_that_ship_can_be_read() -> None:
    assert all(key.count("/") == 2 for key in labels.explanations())
