"""The batch script, run by bash with a stand-in for `srun` that runs its tasks here.

The daemons, their sockets and the programs that they judge are real; each "node" is an address of
the loopback network and a folder for temporary files.  What a real Slurm does with cores and
signals is not in here.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemons import PATIENCE_S, until, with_argument

ROOT = Path(__file__).parent.parent.parent
SCRIPT = ROOT / "deploy" / "slurm" / "scaleboxd.sbatch"
NODES = 2

SRUN = """
import argparse, os, signal, subprocess, sys

parser = argparse.ArgumentParser(prog="srun")
parser.add_argument("--overlap", action="store_true")
parser.add_argument("--kill-on-bad-exit", type=int)
parser.add_argument("--nodes", type=int, default=int(os.environ["SLURM_JOB_NUM_NODES"]))
parser.add_argument("--ntasks-per-node", type=int, choices=[1])
parser.add_argument("words", nargs=argparse.REMAINDER)
options = parser.parse_args()
tasks = []
for node in range(options.nodes):
    folder = os.path.join(os.environ["NODES"], str(node))
    os.makedirs(folder, exist_ok=True)
    environment = {
        **os.environ,
        "TMPDIR": folder,
        "SLURM_NODEID": str(node),
        "SLURMD_NODENAME": f"127.0.0.{node + 2}",
    }
    tasks.append(subprocess.Popen(options.words, env=environment))
signal.signal(signal.SIGTERM, lambda *_: [task.terminate() for task in tasks])
sys.exit(max(abs(task.wait()) for task in tasks))
"""

# Ten right programs, and then a wait, so that the test can look around.
TRAINING = """
import os, sys, time
import scalebox

go = sys.argv[1]
with scalebox.Client(retries=20) as client:
    for turn in ("first", "second"):
        reports = client.judge_all([
            scalebox.Submission(
                language="python",
                source=f"print(int(input()) + {n})",
                tests=scalebox.StdioTests(cases=[scalebox.StdioCase(input="1", answer=str(n + 1))]),
            )
            for n in range(10)
        ])
        assert all(report.accepted for report in reports)
        node = client.status().node
        open(f"{go}.{turn}.{node}", "w").close()
        while turn == "first" and not os.path.exists(go):
            time.sleep(0.05)
"""


class Job:
    """A job of some nodes, and its folders."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shared = folder / "shared" / "4242"
        self.go = folder / "go"
        commands = folder / "bin"
        commands.mkdir()
        (commands / "srun").write_text(f"#!{sys.executable}\n{SRUN}")
        (commands / "srun").chmod(0o755)
        self.environment = {
            "PATH": os.pathsep.join(
                [str(commands), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "NODES": str(folder / "nodes"),
            "SCALEBOX_SHARED": str(folder / "shared"),
            "SCALEBOX_SLOTS": "1",
            "SLURM_JOB_ID": "4242",
            "SLURM_JOB_NUM_NODES": str(NODES),
            "SLURM_JOB_NODELIST": f"127.0.0.[2-{NODES + 1}]",
        }

    def begin(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", str(SCRIPT), *words],
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def train(self) -> subprocess.Popen[str]:
        return self.begin(sys.executable, "-c", TRAINING, str(self.go))

    def configuration(self, node: int) -> Path:
        return self.folder / "nodes" / str(node) / "scalebox-4242" / "scalebox.toml"

    def daemons(self, node: int) -> list[int]:
        return with_argument(str(self.configuration(node)))

    def did(self, turn: str) -> set[str]:
        """The nodes whose daemons have judged all of a turn."""
        return {path.suffixes[-1] for path in self.folder.glob(f"go.{turn}.*")}

    def left(self) -> list[str]:
        """What is still there at the end."""
        folders = [str(path) for path in (self.folder / "nodes").glob("*/*")]
        return folders + [str(pid) for node in range(NODES) for pid in self.daemons(node)]


@pytest.fixture
def job() -> Iterator[Job]:
    # pytest's own tmp_path can be too long for a socket.
    with tempfile.TemporaryDirectory(prefix="sb-test-", dir="/tmp") as folder:
        made = Job(Path(folder))
        try:
            yield made
        finally:
            for node in range(NODES):
                for pid in made.daemons(node):
                    os.kill(pid, signal.SIGKILL)


def test_every_task_has_its_nodes_daemon_and_nothing_stays(job: Job) -> None:
    running = job.train()
    until(lambda: len(job.did("first")) == NODES or running.poll() is not None)
    assert running.poll() is None, running.communicate()[0]
    assert all(len(job.daemons(node)) == 1 for node in range(NODES))
    key = job.shared / "key"
    assert len(key.read_text()) == 64
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    for node in range(NODES):
        assert key.read_text() not in job.configuration(node).read_text()
        for pid in job.daemons(node):
            assert key.read_bytes() not in Path(f"/proc/{pid}/cmdline").read_bytes()
            assert key.read_bytes() not in Path(f"/proc/{pid}/environ").read_bytes()
    job.go.touch()
    said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, said
    assert len(job.did("second")) == NODES
    assert not job.left()
    assert not job.shared.exists()


def test_a_daemon_that_is_killed_is_started_again(job: Job) -> None:
    running = job.train()
    until(lambda: len(job.did("first")) == NODES or running.poll() is not None)
    (killed,) = job.daemons(0)
    os.kill(killed, signal.SIGKILL)
    job.go.touch()
    said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0, said
    assert len(job.did("second")) == NODES


def test_a_job_that_is_cancelled_leaves_nothing(job: Job) -> None:
    running = job.begin("sleep", "600")
    until(lambda: all(job.daemons(node) for node in range(NODES)))
    running.terminate()
    running.communicate(timeout=PATIENCE_S)
    assert running.returncode != 0
    assert not job.left()
    assert not job.shared.exists()


def test_training_that_fails_fails_the_job(job: Job) -> None:
    running = job.begin("sh", "-c", "exit 7")
    said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 7, said
    assert not job.left()


def test_a_node_without_a_daemon_is_said_and_the_training_does_not_begin(job: Job) -> None:
    running = job.begin("touch", str(job.go), SCALEBOX_READY_S="2", SCALEBOX_SLOTS="-1")
    said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode != 0
    assert "no daemon on 127.0.0.2 after 2 s" in said
    assert not job.go.exists()
    assert not job.left()


def test_shellcheck_finds_nothing() -> None:
    command = [str(Path(sys.executable).with_name("shellcheck"))]
    done = subprocess.run([*command, str(SCRIPT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    wrong = subprocess.run(
        [*command, "-"], input="#!/bin/bash\nrm -rf $1/*\n", text=True, check=False,
        capture_output=True,
    )  # fmt: skip
    assert "SC2086" in wrong.stdout
