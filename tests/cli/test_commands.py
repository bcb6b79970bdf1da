"""What the commands print, and how they exit."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.client.fake import FakeDaemon

Invoke = Callable[..., Result]


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    folder = tmp_path / "sum"
    folder.mkdir()
    (folder / "1.in").write_text("1 2\n")
    (folder / "1.ans").write_text("3\n")
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text("ok")
    return file


def test_judge_exits_with_0_for_accepted(
    scalebox: Invoke, threaded_daemon: FakeDaemon, program: Path, problem: Path
) -> None:
    result = scalebox("judge", program, "--problem", problem)
    assert result.exit_code == 0
    assert "accepted" in result.stdout
    assert "1 of 1" in result.stdout


def test_judge_exits_with_1_for_not_accepted(
    scalebox: Invoke, threaded_daemon: FakeDaemon, program: Path, problem: Path
) -> None:
    program.write_text("something else")
    result = scalebox("judge", program, "--problem", problem, "--stop", "never")
    assert result.exit_code == 1
    assert "wrong answer" in result.stdout


def test_judge_prints_json(
    scalebox: Invoke, threaded_daemon: FakeDaemon, program: Path, problem: Path
) -> None:
    result = scalebox("judge", program, "--problem", problem, "--json")
    assert json.loads(result.stdout)["verdict"] == "accepted"


def test_judge_takes_a_row_of_a_file(
    scalebox: Invoke, threaded_daemon: FakeDaemon, program: Path, tmp_path: Path
) -> None:
    row = {"tests": {"type": "stdio", "cases": [{"input": "", "answer": ""}]}}
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps({"id": name, **row}) + "\n" for name in "ab"))
    assert scalebox("judge", program, "--problem", file, "--row", "b").exit_code == 0
    unsaid = scalebox("judge", program, "--problem", file)
    assert unsaid.exit_code == 2
    assert "more than one row" in unsaid.stderr


def test_a_refusal_is_a_sentence(
    scalebox: Invoke, threaded_daemon: FakeDaemon, program: Path, problem: Path
) -> None:
    result = scalebox("judge", program, "--problem", problem, "--language", "cobol")
    assert result.exit_code == 2
    assert "no cobol" in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_ending_asks_for_the_language(
    scalebox: Invoke, tmp_path: Path, problem: Path
) -> None:
    file = tmp_path / "program.xyz"
    file.write_text("")
    result = scalebox("judge", file, "--problem", problem)
    assert result.exit_code == 2
    assert "--language" in result.stderr


def test_a_program_that_is_no_text_is_refused(
    scalebox: Invoke, tmp_path: Path, problem: Path
) -> None:
    file = tmp_path / "program.py"
    file.write_bytes(b"\xff\xfe")
    result = scalebox("judge", file, "--problem", problem)
    assert result.exit_code == 2
    assert "UTF-8" in result.stderr


@pytest.mark.parametrize("command", [["status"], ["languages"]])
def test_without_a_daemon_the_ways_to_one_are_said(
    scalebox: Invoke, socket_path: Path, command: list[str]
) -> None:
    result = scalebox(*command)
    assert result.exit_code == 2
    for words in (str(socket_path), "scaleboxd", "--local", "--socket"):
        assert words in result.stderr


def test_two_daemons_at_once_are_refused(scalebox: Invoke) -> None:
    result = scalebox("status", "--local", "--url", "http://localhost:1")
    assert result.exit_code == 2
    assert "exclude" in result.stderr


def test_run_hands_the_output_over(
    scalebox: Invoke, threaded_daemon: FakeDaemon, program: Path, tmp_path: Path
) -> None:
    (tmp_path / "input").write_text("words")
    result = scalebox("run", program, "--stdin", tmp_path / "input", "--", "-x", "y")
    assert result.exit_code == 0
    assert result.stdout == "ok ['-x', 'y'] Blob(sha256=None, data=b'words')"
    assert scalebox("run", program, "--stdin", "-", stdin="in").stdout.endswith("data=b'in')")


def test_status_and_languages_are_tables(scalebox: Invoke, threaded_daemon: FakeDaemon) -> None:
    status = scalebox("status")
    assert status.exit_code == 0
    assert "minimal" in status.stdout
    assert "note: a note" in status.stdout
    languages = scalebox("languages")
    assert "install g++" in languages.stdout
    assert json.loads(scalebox("languages", "--json").stdout)[0]["name"] == "python"
    assert json.loads(scalebox("status", "--json").stdout)["node"] == "fake"


def test_a_socket_may_be_named(
    scalebox: Invoke,
    threaded_daemon: FakeDaemon,
    socket_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SCALEBOX_SOCKET", "/nowhere")
    assert scalebox("status", "--socket", socket_path).exit_code == 0


DOCTOR = """
import json, sys
print(json.dumps({"isolation": "user", "enforcement": "rlimit", "checks": [
    {"name": "cgroup v2", "ok": False, "detail": "not delegated", "remedy": "delegate it"},
    {"name": "gcc", "ok": True, "detail": "gcc 12", "remedy": ""}]}))
sys.exit(%d)
"""


def python_that_runs(tmp_path: Path, program: str) -> str:
    """An executable that ignores its arguments and runs the program."""
    (tmp_path / "program").write_text(program)
    executable = tmp_path / "python"
    executable.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path}/program"\n')
    executable.chmod(0o755)
    return str(executable)


@pytest.mark.parametrize("status", [0, 1])
def test_doctor_renders_the_findings(
    scalebox: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(sys, "executable", python_that_runs(tmp_path, DOCTOR % status))
    result = scalebox("doctor")
    assert result.exit_code == status
    for words in ("user", "rlimit", "cgroup v2", "not delegated", "delegate it", "gcc 12"):
        assert words in result.stdout
    assert ("missing" in result.stdout) == bool(status)


def test_doctor_says_what_went_wrong(
    scalebox: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = python_that_runs(tmp_path, "raise SystemExit('no kernel here')")
    monkeypatch.setattr(sys, "executable", broken)
    result = scalebox("doctor")
    assert result.exit_code == 2
    assert "no kernel here" in result.stderr


def test_help_names_every_command(scalebox: Invoke) -> None:
    shown = scalebox("--help").stdout
    for name in ("judge", "run", "status", "doctor", "languages", "demo"):
        assert name in shown
