"""`scalebox judges`: what is listed and shown, and examples that a real daemon decides about."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scalebox.cli import main
from scalebox.client.local import local
from scalebox.client.sync import Client
from scalebox.errors import RemoteError
from scalebox.judges.directory import shipped
from scalebox.model import NamedJudge, StdioCase, StdioTests
from tests.client.fake import FakeDaemon

Invoke = Callable[..., Result]


@pytest.fixture(scope="module")
def daemon() -> Iterator[Client]:
    with local(sandbox={"slots": 2}) as client:
        yield client


@pytest.fixture
def asking(daemon: Client, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs `scalebox ARGS…` with that daemon at hand."""
    monkeypatch.setenv("SCALEBOX_SOCKET", daemon.address.removeprefix("unix:"))
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*args: object) -> Result:
        result = CliRunner().invoke(main, [str(arg) for arg in args])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A judge of the user's, with examples that it decides rightly."""
    folder = tmp_path / "even"
    for verdict, output in (("accepted", "4"), ("rejected", "3")):
        (folder / verdict).mkdir(parents=True)
        for end, text in (("in", ""), ("ans", ""), ("out", output)):
            (folder / verdict / f"one.{end}").write_text(text)
    (folder / "judge.toml").write_text(
        'kind = "function"\ntitle = "Even"\naccepts = "an even number"\ndescription = ""\n'
    )
    (folder / "judge.py").write_text(
        "def judge(input, output, answer):\n    return int(output) % 2 == 0\n"
    )
    return folder


def test_the_daemons_judges_are_listed(scalebox: Invoke, threaded_daemon: FakeDaemon) -> None:
    listed = scalebox("judges", "list")
    assert listed.exit_code == 0
    assert "some" in listed.stdout
    assert 'items = "tokens"' in listed.stdout
    assert json.loads(scalebox("judges", "list", "--json").stdout)[0]["accepts"] == "anything"


def test_a_judge_is_shown_without_a_daemon(scalebox: Invoke, own: Path) -> None:
    shown = scalebox("judges", "show", "prefix_count")
    assert shown.exit_code == 0
    for words in ("[parameters.items]", "def judge(input", "accepted/order", 'items = "lines"'):
        assert words in shown.stdout
    assert "an even number" in scalebox("judges", "show", own).stdout


def test_what_is_no_judge_is_said(scalebox: Invoke, tmp_path: Path) -> None:
    for command in ("show", "test"):
        result = scalebox("judges", command, tmp_path / "none")
        assert result.exit_code == 2
        assert "there are: exact, " in result.stderr
        assert "none/judge.toml" in result.stderr


def test_every_shipped_example_is_decided_rightly_by_a_daemon(asking: Invoke) -> None:
    result = asking("judges", "test")
    assert result.exit_code == 0, result.output
    for judge in shipped():
        count = len(judge.examples())
        assert f"{judge.info.name} " in result.stdout
        assert f" {count}/{count}" in result.stdout


def test_a_wrong_decision_is_shown_and_counts(asking: Invoke, own: Path) -> None:
    assert asking("judges", "test", own, "tokens").exit_code == 0
    (own / "accepted" / "one.out").write_text("5")
    (own / "rejected" / "one.out").write_text("five")
    result = asking("judges", "test", own)
    assert result.exit_code == 1
    assert "0/2" in result.stdout
    assert "accepted/one" in result.stdout
    assert "judge error" in result.stdout
    assert "0 of 2 examples are decided rightly" in result.stdout


def test_a_judge_without_examples_is_not_proven(asking: Invoke, own: Path) -> None:
    for verdict in ("accepted", "rejected"):
        shutil.rmtree(own / verdict)
    assert asking("judges", "test", own).exit_code == 1


def test_a_client_asks_for_judges_by_name(daemon: Client) -> None:
    assert daemon.judges() == shipped().infos()
    tests = StdioTests(
        cases=[StdioCase(input="", answer="1 2")], judge=NamedJudge(name="unordered_tokens")
    )
    assert daemon.judge(language="python", source="print(2, 1)", tests=tests).accepted
    assert not daemon.judge(language="python", source="print(2, 2)", tests=tests).accepted
    for judge, code, field in (
        (NamedJudge(name="no_such"), "unknown_judge", "tests.judge.name"),
        (
            NamedJudge(name="floats", parameters={"absolute": -1.0}),
            "bad_request",
            "tests.judge.parameters.absolute",
        ),
    ):
        tests = StdioTests(cases=tests.cases, judge=judge)
        with pytest.raises(RemoteError) as caught:
            daemon.judge(language="python", source="print()", tests=tests)
        assert (caught.value.code, caught.value.field) == (code, field)
