"""A private daemon for a notebook, a test or one command: started, used, stopped, swept up.

The daemon is a child process with a socket, a store and a configuration in a directory of its own;
it ends with its parent.  Everything else about it is an ordinary `scaleboxd`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio.to_thread

import scalebox
from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.errors import ConfigError, HostError

#: A private daemon has one user, who is leaving: it need not wait long for work at hand.
_DRAIN_S = 5.0
_KILL_AFTER_S = 10.0
#: sockaddr_un holds 108 bytes with the closing zero.
_MAX_SOCKET_PATH = 107
_STDERR_SHOWN = 4000
_PREFIX = "scalebox-local-"

Overrides = Mapping[str, Any]


@contextlib.contextmanager
def local(
    overrides: Overrides | None = None, *, ready_timeout_s: float = 60.0, **tables: Any
) -> Iterator[Client]:
    """Start a private daemon; give a client of it; stop it at the end of the block.

    Parameters:
        overrides: options of scalebox.toml, nested as there: `{"sandbox": {"slots": 2}}`.
        ready_timeout_s: how long the daemon may take to become ready, seconds.
        tables: the same by keyword: `local(sandbox={"slots": 2})`.

    Raises:
        ConfigError: an override cannot be written as TOML.
        HostError: the daemon did not become ready; the message holds what it said.
    """
    with contextlib.ExitStack() as stack:
        daemon = stack.enter_context(PrivateDaemon(_merge(overrides, tables)))
        daemon.wait_until_ready(ready_timeout_s)
        yield stack.enter_context(Client(daemon.socket))


@contextlib.asynccontextmanager
async def async_local(
    overrides: Overrides | None = None, *, ready_timeout_s: float = 60.0, **tables: Any
) -> AsyncIterator[AsyncClient]:
    """As `local`, for asyncio programs."""
    # Started on this thread: a kernel that ends a child with its parent watches the thread that
    # forked, and a worker thread may end long before the program.
    daemon = PrivateDaemon(_merge(overrides, tables))
    daemon.start()
    try:
        await anyio.to_thread.run_sync(
            daemon.wait_until_ready, ready_timeout_s, abandon_on_cancel=True
        )
        async with AsyncClient(daemon.socket) as client:
            yield client
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(daemon.stop)


def _merge(overrides: Overrides | None, tables: Overrides) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for source in (overrides or {}, tables):
        for key, value in source.items():
            if isinstance(value, Mapping) and isinstance(merged.get(key), dict):
                merged[key] = _merge(merged[key], value)
            else:
                merged[key] = _merge(value, {}) if isinstance(value, Mapping) else value
    return merged


class PrivateDaemon:
    """The child process and its directory; for those who look after it themselves.

    Parameters:
        overrides: options of scalebox.toml, nested as there.

    Attributes:
        socket: where it listens, once it is started.
    """

    def __init__(self, overrides: dict[str, Any]) -> None:
        self._overrides = overrides
        self._process: subprocess.Popen[bytes] | None = None
        self._directory: Path | None = None
        self._lock: int | None = None
        self._drain_s = _DRAIN_S
        self._pid = os.getpid()
        self.socket = Path()

    def __enter__(self) -> PrivateDaemon:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Write the configuration and start the process."""
        _sweep()
        self._directory, self._lock = _claim_directory()
        directory = self._directory
        self.socket = directory / "d.sock"
        try:
            config = _merge(
                {
                    "server": {"drain_timeout_s": _DRAIN_S},
                    "store": {"directory": str(directory / "store")},
                },
                self._overrides,
            )
            self._drain_s = float(config["server"]["drain_timeout_s"])
            file = directory / "scalebox.toml"
            file.write_text(to_toml(config), encoding="utf-8")
            command, environment = daemon_command()
            with open(directory / "stderr", "wb") as stderr:
                self._process = subprocess.Popen(
                    [
                        *(*command, "--config", str(file)),
                        *("--socket", str(self.socket)),
                        *("--exit-with-parent", str(os.getpid())),
                    ],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=stderr,
                    stderr=stderr,
                    # Ctrl-C in the user's terminal is the user's; the daemon is stopped by us.
                    start_new_session=True,
                )
        except BaseException:
            self.stop()
            raise

    def wait_until_ready(self, timeout_s: float) -> None:
        """Poll `/healthz` until it answers 200.

        Raises:
            HostError: the process ended, or did not answer in time.
        """
        assert self._process is not None
        deadline = time.monotonic() + timeout_s
        while True:
            if _is_healthy(self.socket):
                return
            if (code := self._process.poll()) is not None:
                raise HostError(f"the private scaleboxd ended with status {code}{self._said()}")
            if time.monotonic() >= deadline:
                raise HostError(
                    f"the private scaleboxd was not ready after {timeout_s:g} s{self._said()}"
                )
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """Of the process; 0: there is none."""
        return 0 if self._process is None else self._process.pid

    def has_ended(self) -> bool:
        """Whether there is no process, or not any more."""
        return self._process is None or self._process.poll() is not None

    def last_words(self) -> str:
        """The end of what it wrote to its log."""
        return self._said().partition("\n")[2]

    def stop(self) -> None:
        """SIGTERM, wait, SIGKILL if need be; remove the directory.  May be repeated.

        Does nothing in a forked child that leaves the block, too: the daemon is its parent's.
        """
        if os.getpid() != self._pid:
            return
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(self._drain_s + _KILL_AFTER_S)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        directory, self._directory = self._directory, None
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _said(self) -> str:
        assert self._directory is not None
        try:
            text = (self._directory / "stderr").read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        text = text.strip()[-_STDERR_SHOWN:]
        return f". It said:\n{text}" if text else " and said nothing"


def daemon_command() -> tuple[list[str], dict[str, str]]:
    """How `scaleboxd` of this very package is started: arguments and environment.

    Not from the working directory, which `python -m` would look in first: a user's `random.py` or
    `types.py` beside a notebook is no part of the daemon.
    """
    environment = dict(os.environ)
    root = str(Path(scalebox.__file__).parent.parent)
    if root not in {sysconfig.get_path(name) for name in ("purelib", "platlib")}:
        path = (root, environment.get("PYTHONPATH"))
        environment["PYTHONPATH"] = os.pathsep.join(part for part in path if part)
    return [sys.executable, "-P", "-m", "scalebox.daemon"], environment


def _claim_directory() -> tuple[Path, int]:
    """A new private directory, and a descriptor that holds its lock while this process lives."""
    while True:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
        if len(os.fsencode(directory / "d.sock")) > _MAX_SOCKET_PATH:
            directory.rmdir()
            directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir="/tmp"))
        lock = os.open(directory / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (directory / "lock").exists():
            return directory, lock
        os.close(lock)  # someone swept it between the two lines above


def _sweep() -> None:
    """Remove the directories of programs that were killed: nobody holds their locks any more."""
    for root in {tempfile.gettempdir(), "/tmp"}:
        for directory in Path(root).glob(f"{_PREFIX}*"):
            try:
                lock = os.open(directory / "lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            except OSError:
                continue  # another user's, or not yet locked
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(lock).st_uid == os.geteuid():
                    shutil.rmtree(directory, ignore_errors=True)
            except OSError:
                pass  # in use
            finally:
                os.close(lock)


def _is_healthy(path: Path) -> bool:
    """One blocking `GET /healthz`, without an event loop."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5.0)
        try:
            connection.connect(str(path))
            connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: scaleboxd\r\n\r\n")
            head = connection.recv(64)
        except OSError:
            return False
    return head.split(b" ", 2)[1:2] == [b"200"]


def to_toml(table: Mapping[str, Any]) -> str:
    """A nested mapping as TOML (strings, numbers, booleans, lists, tables).

    Raises:
        ConfigError: a value is of another kind; the message names it.
    """
    lines: list[str] = []
    _write_table(table, (), lines)
    return "\n".join(lines) + "\n"


def _write_table(table: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    for key, value in table.items():
        if key not in inner:
            lines.append(f"{_string(key)} = {_value(value, (*path, key))}")
    for key, value in inner.items():
        lines.append(f"[{'.'.join(_string(part) for part in (*path, key))}]")
        _write_table(value, (*path, key), lines)


def _value(value: Any, path: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str | Path):
        return _string(str(value))
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(element, path) for element in value)}]"
    raise ConfigError(
        f"the override {'.'.join(path)} is a {type(value).__name__}; options are strings, numbers, "
        "booleans, lists and tables"
    )


def _string(text: str) -> str:
    # JSON's escapes are TOML's, except that TOML also wants DEL escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
