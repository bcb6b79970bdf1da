"""The report about judges, on three small problems; and the rules that it compares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import judges_report
from bench.judging_rules import exact, original, tokens
from tests.specialjudges.problems import (
    SPLIT_ICPC,
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


@pytest.mark.parametrize(
    ("output", "answer", "exactly", "by_tokens", "by_the_original"),
    [
        (b"1 2\n", b"1 2", True, True, True),
        (b"1  2\n", b"1 2", False, True, False),
        (b"YES", b"yes", False, True, True),
        (b"1", b"1\n2\n3", False, False, True),  # a prefix passes there
        (b"1000000008", b"1000000007", False, False, True),
        (b"1\n2\n3", b"1", False, False, True),
        (b"2", b"1", False, False, False),
        (b"nan", b"1", False, False, False),
        (b"", b"", True, True, True),
    ],
)
def test_rules(
    output: bytes, answer: bytes, exactly: bool, by_tokens: bool, by_the_original: bool
) -> None:
    assert exact(output, answer) is exactly
    assert tokens(output, answer) is by_tokens
    assert original(output, answer) is by_the_original


def test_the_report_counts_what_judges_get_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {name: SPLIT_WRONG[name] for name in ("zero", "more", "three")}
    write_rows(
        tmp_path / "problems.jsonl.gz",
        [
            row("add", SUM_TESTS, SUM_RIGHT, SUM_WRONG),
            row("split", SPLIT_TESTS, SPLIT_RIGHT, wrong, statement=SPLIT_STATEMENT,
                validator=SPLIT_ICPC),
        ],
    )  # fmt: skip
    monkeypatch.setenv("SCALEBOX_DATA", str(tmp_path))
    monkeypatch.setenv("SCALEBOX_BENCH_RESULTS", str(tmp_path / "results"))
    # So few flawed judges do not keep the promise of two hundred.
    assert judges_report.main([]) == 1
    report = json.loads((tmp_path / "results" / "judges-report.json").read_text())
    figures = report["figures"]
    assert figures["problems"] == 2
    assert figures["label_agreement"] == 1
    assert (figures["right_programs"], figures["wrong_programs"]) == (5, 4)
    assert figures["tokens_false_rejects"] == 2  # `half` and `lines`, which are right
    assert figures["own_false_rejects"] == figures["own_false_accepts"] == 0
    assert figures["inferred_false_rejects"] == figures["default_made_looser"] == 0
    assert figures["own_judges_promoted"] == 1
    assert figures["mutants"] >= 8
    assert figures["mutants_refused"] <= figures["mutants"]
    held = {one["text"]: one["holds"] for one in report["promises"]}
    assert held["label_agreement >= 1"]
    assert not held["mutants >= 200"]
    page = (tmp_path / "results" / "judges-report.html").read_text()
    assert "Wrong programs that a judge accepts" in page
    assert "split" in page
