"""The bundled examples, judged by the real daemon."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scalebox.examples import load_examples
from scalebox.model import Enforcement, IsolationLevel, Report, Verdict
from tests.client.fake import FakeDaemon

WANTED = {
    Verdict.ACCEPTED,
    Verdict.WRONG_ANSWER,
    Verdict.TIME_LIMIT_EXCEEDED,
    Verdict.MEMORY_LIMIT_EXCEEDED,
    Verdict.OUTPUT_LIMIT_EXCEEDED,
    Verdict.RUNTIME_ERROR,
    Verdict.COMPILE_ERROR,
}


def test_the_examples_show_every_verdict_in_every_language() -> None:
    examples = load_examples()
    assert {example.expected for example in examples} == WANTED
    assert {example.submission.language for example in examples} == {"python", "c", "cpp"}
    assert len({example.submission.id for example in examples}) == len(examples)


@pytest.mark.parametrize(
    ("enforcement", "verdict", "right"),
    [
        (Enforcement.CGROUP2, Verdict.MEMORY_LIMIT_EXCEEDED, True),
        (Enforcement.CGROUP2, Verdict.RUNTIME_ERROR, False),
        (Enforcement.RLIMIT, Verdict.RUNTIME_ERROR, True),
        (Enforcement.RLIMIT, Verdict.ACCEPTED, False),
    ],
)
def test_too_much_memory_may_look_like_a_crash_under_rlimits_only(
    enforcement: Enforcement, verdict: Verdict, right: bool
) -> None:
    greedy = next(e for e in load_examples() if e.expected is Verdict.MEMORY_LIMIT_EXCEEDED)
    report = Report(
        verdict=verdict,
        passed=0,
        total=1,
        cases=[],
        isolation=IsolationLevel.USER,
        enforcement=enforcement,
    )
    assert greedy.matches(report) is right


def test_a_wrong_verdict_fails_the_demo(threaded_daemon: FakeDaemon, socket_path: Path) -> None:
    # The fake daemon accepts none of the examples.
    command = [sys.executable, "-m", "scalebox.cli", "demo", "--socket", str(socket_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "(unexpected)" in ended.stdout
    assert re.search(r"\b\d+ of \d+ verdicts are as expected", ended.stdout)


def test_the_demo_judges_every_example_as_expected() -> None:
    command = [sys.executable, "-m", "scalebox.cli", "demo"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    count = len(load_examples())
    assert f"{count} of {count} verdicts are as expected" in ended.stdout


def test_an_example_names_its_problem_and_note() -> None:
    for example in load_examples():
        assert example.problem_name
        assert example.note
