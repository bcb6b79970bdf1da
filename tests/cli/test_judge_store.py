"""`scalebox judges` on the store of a real daemon: looking, promoting, and folders."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scalebox.cli import main
from scalebox.client.local import local
from scalebox.client.sync import Client
from scalebox.model import FunctionJudge, JudgeState, NamedJudge, ProgramJudge, Provenance

Invoke = Callable[..., Result]
PROOF = {"asked": 12}


@pytest.fixture
def daemon() -> Iterator[Client]:
    """With four judges in its store."""
    with local(sandbox={"slots": 1}) as client:
        fill(client)
        yield client


def fill(client: Client) -> None:
    made = Provenance(source="generated", model="m")
    for number in (1, 2):
        client.add_judge(
            FunctionJudge(source=f"def judge(*_):\n    return {number}\n"),
            provenance=made,
            problem="apps/17",
            proof=PROOF,
            state=JudgeState.PROVEN,
        )
    client.add_judge(
        ProgramJudge(contract="testlib", language="cpp", source="// \x1b[31mred\n",
                     files={"a.h": "// beside\n"}),
        provenance=made,
        reason="who knows",
    )  # fmt: skip
    client.add_judge(
        NamedJudge(name="floats", parameters={"absolute": 0.5}),
        provenance=Provenance(source="inferred"),
        problem="q",
    )


def asking(client: Client, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs `scalebox judges ARGS…` with that daemon at hand."""
    monkeypatch.setenv("SCALEBOX_SOCKET", client.address.removeprefix("unix:"))
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*args: object) -> Result:
        result = CliRunner().invoke(main, ["judges", *map(str, args)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def judges(daemon: Client, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    return asking(daemon, monkeypatch)


def hashes(client: Client) -> dict[str, str]:
    return {info.name: info.stored.hash for info in client.judges() if info.stored is not None}


def test_the_list_shows_both_kinds(judges: Invoke, daemon: Client) -> None:
    listed = judges("list").stdout
    for words in ("unordered_lines", "problem:apps/17#2", "any problem", "testlib in cpp",
                  "floats, absolute = 0.5", "candidate"):  # fmt: skip
        assert words in listed
    proven = judges("list", "--state", "proven").stdout
    assert "problem:apps/17#1" in proven
    assert "unordered_lines" not in proven
    assert "problem:q#1" not in proven
    found = json.loads(judges("list", "--state", "candidate", "--json").stdout)
    assert {one["name"] for one in found} == {
        "problem:q#1", next(name for name in hashes(daemon) if name.startswith("sha256:")),
    }  # fmt: skip


def test_one_is_shown_by_problem_or_by_hash(judges: Invoke, daemon: Client) -> None:
    shown = judges("show", "problem:apps/17#1").stdout
    for words in ("def judge(*_):\n    return 1\n", '"asked": 12', '"model": "m"', "proven"):
        assert words in shown
    (digest,) = [value for name, value in hashes(daemon).items() if name.startswith("sha256:")]
    for name in (digest, f"sha256:{digest}", digest[:8], f"sha256:{digest[:9]}"):
        shown = judges("show", name).stdout
        assert "// \\x1b[31mred" in shown
        assert "a.h:\n// beside" in shown
        assert "who knows" in shown
    assert '"absolute": 0.5' in judges("show", "problem:q").stdout
    assert "def judge" in judges("show", "permutation").stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("problem:none", "no judge problem:none"),
        ("sha256:" + "0" * 64, "no judge sha256:000"),
        ("00000000", "0 judges have a hash that begins with 00000000"),
        ("0000000", "no judge '0000000' here"),
    ],
)
def test_what_is_not_there_is_said(judges: Invoke, name: str, words: str) -> None:
    result = judges("show", name)
    assert result.exit_code == 2
    assert words in result.stderr


def test_promoting_and_retiring(judges: Invoke, daemon: Client) -> None:
    digest = hashes(daemon)["problem:apps/17#1"]
    result = judges("promote", digest[:10])
    assert (result.exit_code, result.stdout) == (0, "problem:apps/17#1 is active\n")
    assert judges("promote", "problem:apps/17#2").exit_code == 0
    result = judges("promote", digest)
    assert result.exit_code == 2
    assert "say in `reason`" in result.stderr
    assert judges("promote", digest, "--reason", "the other is worse").exit_code == 0
    assert judges("retire", "problem:apps/17", "--reason", "no use").stdout.endswith("retired\n")
    assert daemon.judge_record("problem:apps/17#1").history[-1].reason == "no use"
    result = judges("promote", "problem:q#1")
    assert result.exit_code == 2
    assert "there is no proof" in result.stderr
    assert judges("promote", "problem:q#1", "--force").exit_code == 0


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_from_one_daemon_to_another_by_way_of_a_folder(
    judges: Invoke, daemon: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judges("promote", "problem:apps/17#1")
    judges("promote", "problem:apps/17#2")
    judges("promote", "problem:q#1", "--force")
    assert judges("export", tmp_path / "out").stdout == f"4 judges are in {tmp_path / 'out'}\n"
    once = tree(tmp_path / "out")
    judges("export", tmp_path / "out")
    assert tree(tmp_path / "out") == once
    assert "1 judges" in judges("export", tmp_path / "r", "--state", "retired").stdout
    with local(sandbox={"slots": 1}) as other:
        there = asking(other, monkeypatch)
        result = there("import", tmp_path / "out")
        assert result.exit_code == 0
        assert "4 judges, of which 4 were not here; 0 refused" in result.stdout
        assert "problem:q#1 is candidate here, and active in the folder (there is no proof)" in (
            result.stdout
        )
        assert "4 judges, of which 0 were not here" in there("import", tmp_path / "out").stdout
        states = {info.name: info.stored.state for info in other.judges() if info.stored}
        assert states["problem:apps/17#1"] == "retired"
        assert states["problem:apps/17#2"] == "active"
        there("promote", "problem:q#1", "--force")
        there("export", tmp_path / "again")
        assert tree(tmp_path / "again") == once


def test_one_that_the_daemon_refuses_does_not_keep_the_others_out(
    judges: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judges("export", tmp_path / "out")
    with local(sandbox={"slots": 1}, languages={"cpp": {"cxx": "no-such-compiler"}}) as other:
        result = asking(other, monkeypatch)("import", tmp_path / "out")
        assert result.exit_code == 1
        assert "4 judges, of which 4 were not here; 1 refused" in result.stdout
        assert "refused: any problem, " in result.stdout
        assert len(hashes(other)) == 3


def test_a_changed_folder_is_refused_as_a_whole(
    judges: Invoke, daemon: Client, tmp_path: Path
) -> None:
    judges("export", tmp_path / "out")
    source = next((tmp_path / "out").glob("apps_17-*/judge.py"))
    source.write_text("def judge(*_): return True\n")
    result = judges("import", tmp_path / "out")
    assert result.exit_code == 2
    assert "a file was changed" in result.stderr
    assert len(hashes(daemon)) == 4
