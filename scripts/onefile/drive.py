"""The single file in use: started in a directory of its own, asked over its socket, ended.

Imports nothing of scalebox and needs no package: what a user of the bare file has is what is used
here.  What must hold is check_dist.py's business.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import processes

#: Generous: a busy machine is slow, and only what hangs is wrong.
PATIENCE_S = 120.0
#: How long what was killed may take to be gone.
DEATH_S = 20.0
_POLL_S = 0.005


class CheckError(Exception):
    """What was started did not do what the check needed; the message says what it did."""


class Home:
    """An empty directory with the single file in it, and a user to start it as.

    Parameters:
        single_file: what `make dist` built; it is copied.
        user: a user's name; None: whoever runs this.

    Attributes:
        directory: the directory, the processes' HOME.
        file: the copy.
    """

    def __init__(self, single_file: Path, user: str | None = None) -> None:
        self._user = pwd.getpwnam(user) if user else None
        self.directory = Path(tempfile.mkdtemp(prefix="scaleboxd-check-"))
        self.file = self.directory / "scaleboxd"
        shutil.copy(single_file, self.file)
        self.file.chmod(0o755)
        self._temporary = self.directory / "tmp"
        self._temporary.mkdir()
        if self._user:
            for path in (self.directory, self.file, self._temporary):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)

    @property
    def is_root(self) -> bool:
        """Whether processes here are root's."""
        return self._user is None and os.geteuid() == 0

    @property
    def cache(self) -> Path:
        """Where the file keeps what it unpacks, and the daemon its store."""
        return self.directory / ".cache" / "scalebox"

    def environment(self, **more: str) -> dict[str, str]:
        """What a process here sees: no Python's settings, no virtual environment, a bare PATH."""
        bare = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.directory),
            "TMPDIR": str(self._temporary),
        }
        if self.is_root:
            # Root's cache is /var/cache, where a check has no business.
            bare["SCALEBOX_UNPACK_DIRECTORY"] = str(self.cache)
        return bare | more

    def popen(self, *command: str, env: dict[str, str] | None = None, **how: Any) -> Any:
        """Start a command here as this user."""
        if self._user:
            how |= {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            command, cwd=self.directory, env=env or self.environment(), stdin=subprocess.DEVNULL,
            start_new_session=True, **how,
        )  # fmt: skip

    def run(self, *command: str, env: dict[str, str] | None = None) -> tuple[int, str]:
        """Run a command here to its end: exit status, and all that it said."""
        process = self.popen(*command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            said, _ = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            said += b"\n(did not end)"
        return process.returncode, said.decode("utf-8", "replace").strip()

    def forget_cache(self) -> None:
        """Make the next start the first one."""
        shutil.rmtree(self.directory / ".cache", ignore_errors=True)

    def unexpected_files(self) -> list[str]:
        """What lies here and is neither the file, its configuration, nor in its cache."""
        expected = {"scaleboxd", "scalebox", "scalebox.toml", "tmp", ".cache"}
        found = [name for name in os.listdir(self.directory) if name not in expected]
        found += [f"tmp/{name}" for name in os.listdir(self._temporary)]
        slots = self.cache / "slots"
        return sorted(found + [f"slots/{entry.name}" for entry in slots.glob("scalebox.*")])

    def processes(self) -> set[int]:
        """Every process that runs from here, whoever its parent is."""
        here = str(self.directory)
        return {
            int(entry)
            for entry in os.listdir("/proc")
            if entry.isdigit() and any(here in fact for fact in _facts(int(entry)))
        }

    def close(self) -> None:
        """End what still runs from here, and remove it all."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)


def _facts(pid: int) -> Iterator[str]:
    for name in ("exe", "cwd"):
        with contextlib.suppress(OSError):
            yield os.readlink(f"/proc/{pid}/{name}")
    with contextlib.suppress(OSError):
        yield Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")


class Daemon:
    """A scaleboxd that was started from a home.

    Parameters:
        home: where.
        tables: further text of its scalebox.toml.
        command: what to start; the home's file, if none is given.

    Attributes:
        ready_s: from the start until it answered `/healthz`.
    """

    def __init__(self, home: Home, tables: str = "", *command: str) -> None:
        self.home = home
        self._socket = home.directory / "d.sock"
        arguments = ["--socket", str(self._socket)]
        if home.is_root:
            tables += f'\n[store]\ndirectory = "{home.cache}"\n'
        if tables:
            (home.directory / "scalebox.toml").write_text(tables)
            arguments += ["--config", "scalebox.toml"]
        self._log = os.memfd_create("scaleboxd-log")
        began = time.perf_counter()
        self.process = home.popen(
            *(command or (str(home.file),)), *arguments, stdout=self._log, stderr=self._log
        )
        wait_for(self._answers, "the daemon to be ready")
        self.ready_s = time.perf_counter() - began

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise CheckError(f"scaleboxd ended with {self.process.returncode}: {self.said()}")
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except OSError:
            return False

    def said(self) -> str:
        """Its log so far."""
        return os.pread(self._log, 1 << 20, 0).decode("utf-8", "replace").strip()

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request: status and answer.

        Raises:
            OSError: nobody answers.
        """
        connection = _UnixConnection(str(self._socket))
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        except http.client.HTTPException as error:
            raise OSError(f"no answer: {error!r}") from error
        finally:
            connection.close()

    def verdict(self, language: str, source: str) -> str:
        """The verdict on a program that is to double a number."""
        cases = [{"input": f"{n}\n", "answer": f"{2 * n}\n"} for n in (3, -7, 10**6)]
        body = {
            "language": language,
            "source": source,
            "tests": {"type": "stdio", "cases": cases},
        }
        status, answer = self.ask("POST", "/v1/judge", body)
        return str(answer["verdict"]) if status == 200 else f"{status}: {answer}"

    def everything(self) -> set[int]:
        """Its process, all below it, and all that runs from its home."""
        pid = self.process.pid
        return {pid} | processes.descendants(pid) | self.home.processes()

    def end(self, by: signal.Signals) -> int:
        """Send a signal; the exit status."""
        self.process.send_signal(by)
        try:
            return int(self.process.wait(PATIENCE_S))
        except subprocess.TimeoutExpired as error:
            raise CheckError(f"scaleboxd did not end after {by.name}: {self.said()}") from error
        finally:
            os.close(self._log)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("scaleboxd", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def wait_for(condition: Any, what: str, within_s: float = PATIENCE_S) -> None:
    """Until it is true.

    Raises:
        CheckError: it did not become true in time.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise CheckError(f"waited {within_s:g} s in vain for {what}")
        time.sleep(_POLL_S)


def identities(pids: set[int]) -> dict[int, int]:
    """Processes with the times of their start: a number alone may be another process's later."""
    return {pid: started for pid in pids if (started := _start_time(pid))}


def survivors(before: dict[int, int]) -> list[str]:
    """Those that still live after a while, in words."""

    def living() -> list[int]:
        return [pid for pid, started in before.items() if _start_time(pid) == started]

    with contextlib.suppress(CheckError):
        wait_for(lambda: not living(), "their end", DEATH_S)
    return [processes.describe(pid) for pid in living()]


def _start_time(pid: int) -> int:
    """Clock ticks after boot; 0: there is none, or it only waits to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] in "ZX" else int(fields[19])
