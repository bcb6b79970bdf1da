"""A daemon is killed in the middle of a stream and started again: one right report for each."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scalebox import Blob, Client, Problem, StdioCase, StdioTests, Submission, Verdict
from scalebox.client.local import daemon_command

COUNT = 600
KILLED_AFTER = (100, 300)


class Daemon:
    """A real one, at a socket of its own."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "s"
        self._config = folder / "scalebox.toml"
        self._config.write_text(f'[store]\ndirectory = "{folder / "store"}"\n')
        self._log = folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command, environment = daemon_command()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--config", str(self._config), "--socket", str(self.socket)],
                env=environment,
                stderr=log,
            )

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with tempfile.TemporaryDirectory(prefix="sb-test-") as folder:
        running = Daemon(Path(folder))
        try:
            yield running
        finally:
            running.stop()


def rollouts() -> Iterator[Submission]:
    for number in range(COUNT):
        # Every third one is wrong.
        answer = str(number if number % 3 else -1)
        tests = StdioTests(cases=[StdioCase(input="7", answer=answer)])
        source = f"print({number} if input() == '7' else 'no')"
        yield Submission(language="python", source=source, tests=tests, id=str(number))


def test_every_submission_gets_one_right_report_over_kills_of_the_daemon(daemon: Daemon) -> None:
    answered: Counter[int] = Counter()
    wrong = []
    # On a busy machine a daemon takes longer to start than a client waits for it by default.
    with Client(daemon.socket, retries=16) as client:
        for index, report in client.judge_many(rollouts()):
            answered[index] += 1
            right = Verdict.ACCEPTED if index % 3 else Verdict.WRONG_ANSWER
            if report.verdict is not right or report.id != str(index):
                wrong.append((index, report))
            if answered.total() in KILLED_AFTER:
                daemon.kill()
                daemon.start()
    assert not wrong
    assert answered == Counter(range(COUNT))


def test_a_registered_problem_and_a_blob_outlive_the_daemon(daemon: Daemon) -> None:
    with Client(daemon.socket) as client:
        case = StdioCase(input=Blob(sha256=client.put_blob(b"20 22")), answer="42")
        client.put_problem("sums/one", Problem(tests=StdioTests(cases=[case])))
        daemon.kill()
        daemon.start()
        source = "print(sum(map(int, input().split())))"
        assert client.judge(language="python", source=source, problem="sums/one").accepted
