"""`scalebox.local()` and the whole way through the real daemon."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import scalebox
from scalebox.client.local import to_toml
from scalebox.errors import ConfigError, HostError
from scalebox.model import RunStatus, Verdict

ADD = "a, b = map(int, input().split())\nprint(a + b)\n"
TESTS = [("1 2\n", "3\n"), ("5 6\n", "11\n")]


def daemons_of(pid: int) -> list[int]:
    """Child processes that are daemons."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(parent) == pid and b"scalebox.daemon" in command:
                found.append(int(entry.name))
    return found


def test_a_private_daemon_judges_and_is_gone_afterwards() -> None:
    with scalebox.local({"sandbox": {"slots": 2}}) as client:
        report = client.judge(language="python", source=ADD, tests=TESTS)
        assert report.verdict is Verdict.ACCEPTED
        assert report.passed == report.total == 2
        assert report.cases[0].cpu_time_s > 0
        wrong = client.judge(language="python", source="print(3)", tests=TESTS)
        assert wrong.verdict is Verdict.WRONG_ANSWER
        assert [case.verdict for case in wrong.cases] == [Verdict.ACCEPTED, Verdict.WRONG_ANSWER]
        assert len(client.status().slots) == 2
        directory = Path(client.address.removeprefix("unix:")).parent
        assert daemons_of(os.getpid())
    assert not directory.exists()
    assert not daemons_of(os.getpid())


async def test_the_async_one_does_the_same() -> None:
    async with scalebox.async_local(sandbox={"slots": 1}) as client:
        assert (await client.judge(language="python", source=ADD, tests=TESTS)).accepted
        result = await client.run(language="python", source="print(input())", stdin="hello")
        assert result.status is RunStatus.FINISHED
        assert result.stdout == b"hello\n"
        sent = [
            scalebox.Submission(
                language="python",
                source=f"print({number})",
                tests=scalebox.StdioTests(cases=[scalebox.StdioCase(answer=str(number % 50))]),
            )
            for number in range(100)
        ]
        reports = await client.judge_all(sent)
        assert [report.accepted for report in reports] == [number < 50 for number in range(100)]
        directory = Path(client.address.removeprefix("unix:")).parent
    assert not directory.exists()


def test_problems_and_blobs_are_sent_once_and_named() -> None:
    with scalebox.local() as client:
        digest = client.put_blob(b"20 22\n")
        case = scalebox.StdioCase(input=scalebox.Blob(sha256=digest), answer="42")
        problem = scalebox.Problem(tests=scalebox.StdioTests(cases=[case]))
        client.put_problem("sums/one", problem)
        assert client.judge(language="python", source=ADD, problem="sums/one").accepted
        with pytest.raises(scalebox.RemoteError) as caught:
            client.judge(language="python", source=ADD, problem="sums/two")
        assert caught.value.code == "unknown_problem"
        with pytest.raises(scalebox.RemoteError) as caught:
            client.judge(language="cobol", source="", tests=TESTS)
        assert caught.value.code == "unknown_language"
        assert "python" in [language.name for language in client.languages()]


@pytest.fixture
def own_tmp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where nobody else's start takes away what a killed program has left."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:  # a socket's path must be short
        monkeypatch.setenv("TMPDIR", directory)
        monkeypatch.setattr(tempfile, "tempdir", directory)
        yield Path(directory)


def test_a_daemon_ends_with_its_parent(own_tmp: Path) -> None:
    program = (
        "import os, scalebox\n"
        "with scalebox.local(sandbox={'slots': 1}) as client:\n"
        "    print(client.address, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == -9, ended.stderr
    path = ended.stdout.strip().removeprefix("unix:")
    deadline = time.monotonic() + 60
    while (left := _with_argument(path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    # What the killed program left on disk goes with the next start.
    assert Path(path).parent.parent == own_tmp
    assert Path(path).parent.exists()
    with scalebox.local(sandbox={"slots": 1}):
        assert not Path(path).parent.exists()


def _with_argument(argument: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if argument.encode() in words:
                found.append(entry.name)
    return found


def test_a_forked_child_that_leaves_the_block_leaves_the_daemon_to_its_parent() -> None:
    program = (
        "import os, sys, faulthandler, scalebox\n"
        "with scalebox.local(sandbox={'slots': 1}) as client:\n"
        "    client.status()\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        faulthandler.dump_traceback_later(60, exit=True)\n"
        "        sys.exit(0)\n"
        "    print(os.waitpid(child, 0)[1])\n"
        "    print(client.judge(language='python', source='print(1)', tests=[('', '1')]).verdict)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.stdout, ended.stderr) == ("0\naccepted\n", "")


def test_files_beside_the_users_program_are_no_part_of_the_daemon(tmp_path: Path) -> None:
    for name in ("random.py", "types.py", "msgspec.py", "signal.py"):
        (tmp_path / name).write_text("raise SystemExit('this is not the module you mean')\n")
    program = tmp_path / "elsewhere" / "program.py"
    program.parent.mkdir()
    program.write_text(
        "import scalebox\n"
        "with scalebox.local(sandbox={'slots': 1}) as client:\n"
        "    print(client.status().draining)\n"
    )
    ended = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(scalebox.__file__).parent.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("False\n", "")


def test_a_daemon_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(HostError, match="no_such_option"),
        scalebox.local(sandbox={"no_such_option": 1}),
    ):
        pass
    assert not daemons_of(os.getpid())


def test_overrides_become_toml() -> None:
    import tomllib

    table = {"node": 'a"\n\x7fé', "x": {"y": {"z": [1, 2.5, "w"]}, "t": True}, "empty": {}}
    assert tomllib.loads(to_toml(table)) == table
    with pytest.raises(ConfigError, match=r"x\.y"):
        to_toml({"x": {"y": None}})


def test_public_names_are_all_there() -> None:
    for name in scalebox.__all__:
        assert getattr(scalebox, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        scalebox.nonsense  # noqa: B018
