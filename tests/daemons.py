"""Real daemons for tests: started as a process, spoken to by their socket, ended in every way."""

from __future__ import annotations

import contextlib
import http.client
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from scalebox.client.local import to_toml
from scalebox.model import Status
from scalebox.sandbox.zygote.meter import stat_fields
from tests import unprivileged

#: Waiting longer than this for what must come is a failure.
PATIENCE_S = 120.0
#: Of the names of folders for daemons under test, in /tmp.
PLACE_PREFIX = "scalebox-test-"


@dataclass(frozen=True)
class Kind:
    """How a daemon is run.

    Attributes:
        level: of isolation.
        ordinary: whether by an ordinary user although the tests are run by root.
    """

    level: str
    ordinary: bool = False

    def __str__(self) -> str:
        return f"{self.level}-as-ordinary-user" if self.ordinary else self.level


def kinds() -> list[Kind]:
    """Every kind that this user can have on this host; level `user` rather not as root."""
    if os.geteuid():
        return [Kind("user"), Kind("minimal")]
    root = [Kind("full"), Kind("minimal")]
    if unprivileged.possible():
        return [*root, Kind("user", True), Kind("minimal", True)]
    return [*root, Kind("user")]


class Place:
    """A folder with a configuration, a store and a socket, for one daemon after another."""

    #: Descriptors that a daemon is started with, beside the first three.
    pass_fds: tuple[int, ...] = ()

    def __init__(self, directory: Path, kind: Kind) -> None:
        self.directory = directory
        self.kind = kind
        self.socket = directory / "s"
        self.store = directory / "store"
        self.log = directory / "log"
        temporary = directory / "tmp"
        temporary.mkdir(exist_ok=True)
        if kind.ordinary:
            for path in (directory, temporary):
                os.chown(path, unprivileged.UID, unprivileged.UID)

    def command(self, *arguments: str, **tables: Mapping[str, Any]) -> list[str]:
        """The words that start a daemon here, with some tables of the configuration."""
        config = self.config()
        for name, table in tables.items():
            config[name] = {**config.get(name, {}), **table}
        file = self.directory / "scalebox.toml"
        file.write_text(to_toml(config))
        file.chmod(0o644)
        words = [
            *self.prefix(),
            *(sys.executable, "-P", "-m", "scalebox.daemon", "--config", str(file)),
            *arguments,
        ]
        return unprivileged.command(words) if self.kind.ordinary else words

    def config(self) -> dict[str, Any]:
        """What every daemon here is configured with."""
        return {
            "server": {"socket": str(self.socket), "drain_timeout_s": 60.0},
            "store": {"directory": str(self.store)},
            "sandbox": {"isolation": self.kind.level, "slots": 2},
        }

    def prefix(self) -> list[str]:
        """Words before the daemon's own, which execute what follows them."""
        return []

    def environment(self) -> dict[str, str]:
        """Nothing of the developer's."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "TMPDIR": str(self.directory / "tmp"),
            "LANG": "C.UTF-8",
        }

    def files(self) -> set[str]:
        """The names of what is there."""
        return {path.name for path in self.directory.iterdir()}

    def begin(self, *arguments: str, **tables: Mapping[str, Any]) -> Daemon:
        """Start a daemon."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command(*arguments, **tables),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.pass_fds,
            )
        return Daemon(process, self)

    def start(self, *arguments: str, **tables: Mapping[str, Any]) -> Daemon:
        """Start a daemon, and wait until it is ready."""
        return self.begin(*arguments, **tables).when_ready()

    def answers(self) -> bool:
        """Whether a daemon is ready here."""
        with contextlib.closing(Connection(self.socket)) as connection:
            try:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == 200
            except OSError:
                return False

    def refused(self, *arguments: str, **tables: Mapping[str, Any]) -> tuple[int, str]:
        """Start a daemon that is to end at once: its exit status, and what it said."""
        done = subprocess.run(
            self.command(*arguments, **tables),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.returncode, done.stderr

    def staging(self) -> list[Path]:
        """The folders of pools, live or left behind."""
        return sorted((self.store / "slots").glob("scalebox.*"))


AnyPlace = TypeVar("AnyPlace", bound=Place)


@contextlib.contextmanager
def place(kind: Kind, make: type[AnyPlace] = Place) -> Iterator[AnyPlace]:  # type: ignore[assignment]
    """A place; every daemon that was started in it is gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix=PLACE_PREFIX, dir="/tmp"))
    directory.chmod(0o755)
    made = make(directory, kind)
    try:
        yield made
    finally:
        for pid in with_argument(str(directory / "scalebox.toml")):
            os.kill(pid, signal.SIGKILL)
            assert ended(pid)
        shutil.rmtree(directory)


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("scaleboxd", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Daemon:
    """A running daemon."""

    def __init__(self, process: subprocess.Popen[bytes], where: Place) -> None:
        self.process = process
        self.pid = process.pid
        self.place = where
        self._group = f"scalebox.{self.pid}."

    def said(self) -> str:
        """Its log."""
        return self.place.log.read_text(errors="replace")

    def when_ready(self) -> Daemon:
        """Itself, once it answers."""

        def ready() -> bool:
            assert self.process.poll() is None, self.said()
            return self.place.answers()

        until(ready)
        return self

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        with contextlib.closing(Connection(self.place.socket)) as connection:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()

    def status(self) -> Status:
        """`/v1/status`."""
        return msgspec.json.decode(self.get("/v1/status")[1], type=Status)

    def wait_until_idle(self) -> Status:
        """Until every slot can take a run."""
        until(lambda: all(slot.state == "idle" for slot in self.status().slots))
        return self.status()

    def family(self) -> set[tuple[int, str]]:
        """All descendants alive: process id and start time."""
        parents = {}
        starts = {}
        for name in os.listdir("/proc"):
            fields = stat_fields(int(name)) if name.isdigit() else None
            if fields and fields[0] != "Z":
                parents[int(name)], starts[int(name)] = int(fields[1]), fields[19]
        found = set()
        for pid in parents:
            ancestor = pid
            while ancestor in parents and ancestor != self.pid:
                ancestor = parents[ancestor]
            if ancestor == self.pid and pid != self.pid:
                found.add((pid, starts[pid]))
        return found

    def cgroups(self) -> list[Path]:
        """The groups that are its own, in all hierarchies."""
        found = []
        for folder, inner, _ in os.walk("/sys/fs/cgroup"):
            found += [Path(folder, name) for name in inner if name.startswith(self._group)]
        return found

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.terminate() == 0

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)


def alive(family: set[tuple[int, str]]) -> set[tuple[int, str]]:
    """Those of them that still are; a zombie is not."""
    found = set()
    for pid, start in family:
        fields = stat_fields(pid)
        if fields and fields[19] == start and fields[0] != "Z":
            found.add((pid, start))
    return found


def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def ended(pid: int) -> bool:
    """Wait for the end of a process, a child or not."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], PATIENCE_S)[0])
    finally:
        os.close(descriptor)


def with_argument(argument: str) -> list[int]:
    """Processes with this word in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if os.fsencode(argument) in words:
                    found.append(int(entry.name))
    return found


def named(name: str) -> list[int]:
    """Processes of this name; unlike the command line, it is never waited for."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if f" ({name}) ".encode() in (entry / "stat").read_bytes():
                    found.append(int(entry.name))
    return found


def children(pid: int) -> list[int]:
    """Of a process."""
    found = []
    for name in os.listdir("/proc"):
        fields = stat_fields(int(name)) if name.isdigit() else None
        if fields and int(fields[1]) == pid:
            found.append(int(name))
    return found
