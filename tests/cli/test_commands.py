"""What the commands print, and how they exit."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from scalebox.cli.render import first_line, printable
from tests.client.fake import FakeDaemon

Invoke = Callable[..., Result]
ROOT = Path(__file__).parent.parent.parent


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


@pytest.mark.parametrize(
    "command", [["status"], ["languages"], ["judges", "list"], ["judges", "test"]]
)
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
    assert "0 cases running, 0 queued (at most 10)" in status.stdout
    assert re.search(r"^cases +3 *$", status.stdout, re.M)
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


def test_what_a_program_says_does_not_steer_the_terminal() -> None:
    assert (
        printable("\x1b]0;title\x07é\t1\n\x9b2J\u202e") == "\\x1b]0;title\\x07é\t1\n\\x9b2J\\u202e"
    )
    assert first_line("\n \x1b[2Jgone") == "\\x1b[2Jgone"


def test_an_encoding_that_lacks_letters_does_not_end_a_command(
    threaded_daemon: FakeDaemon, socket_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "größe….in").write_text("1")
    (tmp_path / "p" / "größe….ans").write_text("1")
    (tmp_path / "right.py").write_text("ok")
    for words in (["demo"], ["judge", "right.py", "--problem", "p"], ["languages"]):
        ended = subprocess.run(
            [sys.executable, "-m", "scalebox.cli", *words, "--socket", str(socket_path)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert b"Traceback" not in ended.stderr
        assert ended.stdout.isascii()


def test_an_interrupted_command_says_so_and_is_no_verdict(
    threaded_daemon: FakeDaemon, socket_path: Path, program: Path, problem: Path
) -> None:
    threaded_daemon.gate.clear()
    started = subprocess.Popen(
        [
            *(sys.executable, "-m", "scalebox.cli", "judge", str(program)),
            *("--problem", str(problem), "--socket", str(socket_path)),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not threaded_daemon.open_batches and time.monotonic() < deadline:
        time.sleep(0.01)
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said


def test_help_names_every_command(scalebox: Invoke) -> None:
    shown = scalebox("--help").stdout
    for name in ("judge", "run", "status", "doctor", "languages", "judges", "demo"):
        assert name in shown
