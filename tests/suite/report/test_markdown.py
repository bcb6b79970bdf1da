"""The Markdown report: the same numbers, bounded, and nothing in it but what we mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from scalebox.model import Verdict
from scalebox.suite import report
from scalebox.suite.errors import SuiteError
from scalebox.suite.report.markdown import MAX_LISTED, code
from scalebox.suite.report.texts import name
from scalebox.suite.results import Missing
from tests.suite.folders import config, make_run, result, write_run
from tests.suite.report.test_page import EVIL, hostile_run

PARSER = MarkdownIt("commonmark").enable("table")


def parts(text: str) -> list[Token]:
    """All tokens, those inside of others among them."""
    return [inner for token in PARSER.parse(text) for inner in (token, *(token.children or ()))]


def test_headline_numbers_and_failures(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", tasks=30, n=5)
    report.write(folder)
    text = (folder / "report.md").read_text()
    assert text.startswith("# `model-a` on `sums`\n\n**pass@1 ")
    for words in ("pass@5", "pass^5", "## By difficulty", "## Verdicts", "## Time", "`3`"):
        assert words in text
    assert text.index("| easy |") < text.index("| medium |") < text.index("| hard |")
    headings = [one for one in parts(text) if one.type == "table_open"]
    assert len(headings) == 8


def test_what_is_missing_comes_before_the_numbers(tmp_path: Path) -> None:
    missing = [Missing(task=f"gone {place}", index=0, why="not sampled") for place in range(150)]
    folder = make_run(tmp_path / "run", tasks=5, missing=missing)
    report.write(folder)
    text = (folder / "report.md").read_text()
    assert "150 of 155 samples are missing" in text
    assert text.index("`gone 99`") < text.index("and 50 more") < text.index("## Numbers")
    assert "gone 100" not in text


def test_lists_are_bounded(tmp_path: Path) -> None:
    rows = [result(f"task {place}", 0, Verdict.WRONG_ANSWER) for place in range(MAX_LISTED + 30)]
    write_run(tmp_path / "run", config(), rows)
    report.write(tmp_path / "run")
    text = (tmp_path / "run" / "report.md").read_text()
    assert "and 30 more" in text
    assert len(text.splitlines()) < MAX_LISTED + 80


def test_hostile_texts_mean_nothing(tmp_path: Path) -> None:
    evil = EVIL.format(port=1) + " | [x](http://evil.example) **bold** ``` ~~~ \n# heading\n"
    folder = hostile_run(tmp_path / "run", evil)
    report.write(folder)
    report.write_comparison(folder, folder, tmp_path / "out")
    for file in (folder / "report.md", tmp_path / "out" / "report.md"):
        text = file.read_text()
        found = parts(text)
        assert not {one.type for one in found} & {"html_inline", "html_block", "link_open", "image"}
        assert not {one.content for one in found if one.type == "heading_open"} & {"heading"}
        assert any("⟨U+202E⟩gnp.exe" in one.content for one in found if one.type == "code_inline")
        assert not set(text) & set("\x00\x1b\u2028\u202e\u200b\ufeff")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_a_code_span_gives_back_the_name(text: str) -> None:
    (paragraph, *_) = [one for one in PARSER.parse(f"x {code(text)} y") if one.type == "inline"]
    spans = [one.content for one in paragraph.children or () if one.type == "code_inline"]
    assert spans == ([name(text)] if name(text) else [])


def test_the_report_of_two_runs(tmp_path: Path) -> None:
    first = make_run(tmp_path / "a", tasks=40)
    second = make_run(tmp_path / "b", tasks=40, seed=2, model="model-b")
    report.write_comparison(first, second, tmp_path / "out")
    text = (tmp_path / "out" / "report.md").read_text()
    assert "# `model-a` → `model-b`" in text
    assert "McNemar's exact test p = " in text
    assert "| `model.name` | `model-a` | `model-b` |" in text
    assert "## Better" in text
    assert "## From verdict to verdict" in text


def test_reports_need_a_summary_and_results_and_nothing_else(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", tasks=5)
    for file in ("evidence.jsonl", "samples.jsonl", "tasks.jsonl", "manifest.json", "timings.json"):
        (folder / file).unlink()
    assert [one.name for one in report.write(folder)] == ["report.html", "report.md"]
    (folder / "summary.json").unlink()
    with pytest.raises(SuiteError, match=r"summary\.json cannot be read"):
        report.write(folder)


@pytest.mark.parametrize("file", ["evidence.jsonl", "tasks.jsonl", "samples.jsonl"])
def test_a_broken_file_is_named(file: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", tasks=3)
    (folder / file).write_text('{"task": 1}\n')
    with pytest.raises(SuiteError, match=rf"{file}, line 1"):
        report.write(folder)


@pytest.mark.parametrize("manifest", ["[]", "{", "[" * 100_000])
def test_a_broken_manifest_is_named(manifest: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", tasks=3)
    (folder / "manifest.json").write_text(manifest)
    with pytest.raises(SuiteError, match=r"manifest\.json"):
        report.write(folder)


def test_a_torn_last_sample_costs_itself_alone(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", tasks=3)
    path = folder / "samples.jsonl"
    path.write_bytes(path.read_bytes()[:-10])
    report.write(folder)
    assert (folder / "report.html").read_bytes().count(b"itertools.accumulate") == 2
