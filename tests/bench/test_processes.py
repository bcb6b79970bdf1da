"""What is seen of a process from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import processes


def test_the_process_behind_a_socket_is_known() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="sb-") as folder,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        listener.bind(f"{folder}/s")
        listener.listen()
        assert processes.daemon_pid(f"unix:{folder}/s") == os.getpid()


def test_descendants_include_grandchildren_and_zombies() -> None:
    program = (
        "import os, sys\n"
        "if os.fork() == 0: sys.stdin.read(); os._exit(0)\n"
        "if os.fork() == 0: os._exit(0)\n"
        "print(flush=True); sys.stdin.read()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in processes.descendants(os.getpid())
        assert len(processes.descendants(child.pid)) == 2
    finally:
        child.communicate()
    assert child.pid not in processes.descendants(os.getpid())


def test_a_process_that_names_itself_is_found() -> None:
    program = "import ctypes\nctypes.CDLL(None).prctl(15, b'sb) x (', 0, 0, 0)\nprint(flush=True)\n"
    child = subprocess.Popen(
        [sys.executable, "-c", program + "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert processes.named("sb) x (") == {child.pid}
        assert "sb) x (" in processes.describe(child.pid)
    finally:
        child.communicate(b"\n")
    assert processes.named("sb) x (") == set()
    assert "gone" in processes.describe(child.pid)


def test_descriptors_and_memory_of_oneself() -> None:
    before = processes.descriptors(os.getpid())
    with socket.socket(socket.AF_UNIX):
        assert len(processes.descriptors(os.getpid())) == len(before) + 1
    assert processes.rss_bytes(os.getpid()) > 1 << 20
    assert processes.pss_bytes(os.getpid()) > 1 << 20


def test_cpu_of_reaped_children_is_their_parents_when_asked_for() -> None:
    before = processes.cpu_s(os.getpid(), reaped=True)
    own = processes.cpu_s(os.getpid(), reaped=False)
    program = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert processes.cpu_s(os.getpid(), reaped=True) - before >= 0.45
    assert processes.cpu_s(os.getpid(), reaped=False) - own < 0.45
    assert processes.cpu_s(2**22 + 1, reaped=True) == 0.0


def test_files_are_listed_with_their_folders(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").touch()
    assert processes.files(tmp_path) == {"a/b/c"}


def test_the_machine_has_worked() -> None:
    assert processes.machine_cpu_s() > 0
