"""The files of a run: the same bytes for the same results, whole or not there, read with care."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from scalebox.model import Integrity, Verdict
from scalebox.suite import results as files
from scalebox.suite.errors import SuiteError
from scalebox.suite.results import Evidence, Result, TaskLine
from scalebox.suite.tasks import Task
from tests.suite.folders import failing, result


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    forward = result("a", parts={"base": True, "plus": False}, groups={"x": "1", "y": "2"})
    backward = result("a", parts={"plus": False, "base": True}, groups={"y": "2", "x": "1"})
    files.write(tmp_path / "one", [forward, result("a", 1)])
    files.write(tmp_path / "other", [backward, result("a", 1)])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert files.read(tmp_path / "one") == [forward, result("a", 1)]


def test_a_line_has_its_keys_in_order_and_no_defaults(tmp_path: Path) -> None:
    full = Result(
        task="t/1", index=3, verdict=Verdict.WRONG_ANSWER, passed=1, total=2, parts={"base": True},
        integrity=Integrity.WEAK, finish="stop", prompt_tokens=5, completion_tokens=7,
        program_sha256="ab", groups={"difficulty": "hard"},
    )  # fmt: skip
    bare = Result(task="t/2", index=0, verdict=Verdict.COMPILE_ERROR, passed=0, total=0)
    files.write(tmp_path / "results.jsonl", [full, bare])
    assert (tmp_path / "results.jsonl").read_text().splitlines() == [
        '{"task":"t/1","index":3,"verdict":"wrong_answer","passed":1,"total":2,'
        '"parts":{"base":true},"integrity":"weak","finish":"stop","prompt_tokens":5,'
        '"completion_tokens":7,"program_sha256":"ab","groups":{"difficulty":"hard"}}',
        '{"task":"t/2","index":0,"verdict":"compile_error","passed":0,"total":0}',
    ]
    assert (full.fraction, bare.fraction) == (0.5, 0.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"task":"a"}\n', "line 1: Object missing required field"),
        ('{"task":"a","index":0,"verdict":"fine","passed":1,"total":1}\n', "Invalid enum value"),
        ("\n\nnot JSON\n", "line 3: JSON is malformed"),
        ("[" * 100_000 + "\n", "line 1"),
        ('{"task":"a","index":0,"verdict":"accepted","passed":1,"total":1}\n' * 2, "there twice"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_place(
    text: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "results.jsonl").write_text(text)
    with pytest.raises(SuiteError, match=r"results\.jsonl") as caught:
        files.read(tmp_path / "results.jsonl")
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="No such file"):
        files.read(tmp_path / "results.jsonl")
    with pytest.raises(SuiteError, match="No such file"):
        files.read_json(tmp_path / "summary.json", TaskLine)


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 1000)
    files.write(tmp_path / "results.jsonl", [result("a" * 2000)])
    with pytest.raises(SuiteError, match="more than 1,000 bytes"):
        files.read(tmp_path / "results.jsonl")


def test_a_torn_last_line_counts_only_where_lines_are_added(tmp_path: Path) -> None:
    path = tmp_path / "evidence.jsonl"
    files.write_lines(path, [Evidence(task="a", index=0), Evidence(task="a", index=1)])
    path.write_bytes(path.read_bytes()[:-4])
    assert [one.index for one in files.read_lines(path, Evidence, torn=True)] == [0]
    with pytest.raises(SuiteError, match="line 2"):
        list(files.read_lines(path, Evidence))


def test_a_write_that_fails_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    files.write(path, [result("a")])
    former = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(SuiteError, match="cannot be written: File too large"):
            files.write(path, [result(f"task {place}") for place in range(10_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == former
    assert [one.name for one in tmp_path.iterdir()] == ["results.jsonl"]


def test_what_is_no_text_is_marked_and_costs_nothing_else(tmp_path: Path) -> None:
    evidence = Evidence(task="a", index=0, message="lone \ud800 and \U0001f600", failing=None)
    files.write_lines(tmp_path / "evidence.jsonl", [evidence])
    (found,) = files.read_lines(tmp_path / "evidence.jsonl", Evidence)
    assert found.message == "lone \ufffd and \U0001f600"


def test_a_failing_case_comes_back_as_it_was(tmp_path: Path) -> None:
    case = failing(4, Verdict.RUNTIME_ERROR)
    evidence = Evidence(task="a", index=0, failing=case, cpu_time_s=0.25, seconds=1.5)
    files.write_lines(tmp_path / "evidence.jsonl", [evidence])
    assert list(files.read_lines(tmp_path / "evidence.jsonl", Evidence)) == [evidence]


def test_a_task_is_shown_as_it_was_asked() -> None:
    asked = Task(id="a", prompt="def f():", instruction="Write f. " * 1000, groups={"x": "1"})
    line = files.line_of(asked)
    assert line.prompt.startswith("Write f. Write f.")
    assert len(line.prompt) < 5000
    assert line.groups == {"x": "1"}
    assert files.line_of(Task(id="a", prompt="def f():")).prompt == "def f():"
