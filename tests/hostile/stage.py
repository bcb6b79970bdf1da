"""A daemon to be attacked, with secrets around it to be found and doors to be tried.

Every secret holds the same mark, so that one search of all that comes out shows a leak, whatever
the program itself says.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import Struct, to_builtins

from scalebox.client.sync import Client
from tests import unprivileged
from tests.daemons import Daemon, Kind, Place, place, until

#: In the environment of the daemon.
SECRET_VARIABLE = "SCALEBOX_HOSTILE_SECRET"
#: Several attacks last as long as the compiler may; honest programs need a tenth of it.
_COMPILE_CPU_TIME_S = 8.0


class Planted(Struct, frozen=True):
    """What a program is told, as JSON on its standard input: more than it could find out.

    Attributes:
        stage: which of its header's stages this is (added for each case).
        daemon_pid, slot_pid: process ids on the host.
        configuration, log, secret_file, store: paths that the daemon's user can read.
        store_file: a file of the store with the secret (another client's test data).
        daemon_socket, host_socket: pathname Unix sockets, the second one greets with the secret.
        abstract_socket: the name, without the leading NUL, of one that greets with the secret.
        tcp_port: on the host's loopback; greets with the secret.
        host_address: an address of the host that is not loopback, or ""; nobody listens there, but
            only who reaches the host is told so.
        uid: the daemon's.
    """

    daemon_pid: int
    slot_pid: int
    configuration: str
    log: str
    secret_file: str
    store: str
    store_file: str
    daemon_socket: str
    host_socket: str
    abstract_socket: str
    tcp_port: int
    host_address: str
    uid: int


@dataclass(frozen=True)
class Stage:
    """A running daemon with all that.

    Attributes:
        daemon: the process.
        client: of it.
        planted: where everything is.
        mark: part of every secret.
    """

    daemon: Daemon
    client: Client
    planted: Planted
    mark: str

    def told(self) -> dict[str, object]:
        """For `Program.submission`; the slot may be another one than at the start."""
        slots = self.daemon.status().slots
        return {**to_builtins(self.planted), "slot_pid": slots[0].pid}


@contextlib.contextmanager
def stage(kind: Kind, slots: int) -> Iterator[Stage]:
    """Set the stage; everything is gone afterwards."""
    mark = "LEAK" + secrets.token_hex(8)
    owner = unprivileged.UID if kind.ordinary else os.geteuid()
    with place(kind) as where, contextlib.ExitStack() as stack:
        secret_file = where.directory / "secret"
        secret_file.write_text(mark)
        os.chown(secret_file, owner, owner)
        secret_file.chmod(0o600)
        environment = where.environment()
        where.environment = lambda: {**environment, SECRET_VARIABLE: mark}  # type: ignore[method-assign]
        daemon = stack.enter_context(
            where.start(
                sandbox={"slots": slots},
                server={"tokens": {"hostile": mark}},
                limits={"compile_cpu_time_s": _COMPILE_CPU_TIME_S},
            )
        )
        daemon.wait_until_idle()
        client = stack.enter_context(Client(str(where.socket)))
        _precompile(client, where)
        blob = client.put_blob(mark.encode())
        stored = [path for path in where.store.rglob("*") if blob[:16] in path.name]
        host_socket = where.directory / "host-socket"
        abstract = f"scalebox-hostile-{mark[-8:]}"
        stack.enter_context(_greeter(socket.AF_UNIX, str(host_socket), mark))
        host_socket.chmod(0o777)
        stack.enter_context(_greeter(socket.AF_UNIX, "\0" + abstract, mark))
        port = stack.enter_context(_greeter(socket.AF_INET, ("127.0.0.1", 0), mark))
        assert isinstance(port, tuple)
        yield Stage(
            daemon,
            client,
            Planted(
                daemon_pid=daemon.pid,
                slot_pid=daemon.status().slots[0].pid,
                configuration=str(where.directory / "scalebox.toml"),
                log=str(where.log),
                secret_file=str(secret_file),
                store=str(where.store),
                store_file=str(stored[0]),
                daemon_socket=str(where.socket),
                host_socket=str(host_socket),
                abstract_socket=abstract,
                tcp_port=port[1],
                host_address=_own_address(),
                uid=owner,
            ),
            mark,
        )


def _precompile(client: Client, where: Place) -> None:
    """The first C++ submission has the daemon compile a header aside, which is no attack's work."""
    client.run(language="cpp", source="#include <bits/stdc++.h>\nint main() {}")
    until(lambda: any((where.store / "headers").rglob("*.gch")))


@contextlib.contextmanager
def _greeter(family: int, address: object, greeting: str) -> Iterator[object]:
    """A listener that says something to whoever comes; gives its address."""
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.bind(address)  # type: ignore[arg-type]
        listener.listen()
        listener.settimeout(0.1)
        done = threading.Event()
        thread = threading.Thread(target=_greet, args=(listener, greeting.encode(), done))
        thread.start()
        try:
            yield listener.getsockname()
        finally:
            done.set()
            thread.join()


def _greet(listener: socket.socket, greeting: bytes, done: threading.Event) -> None:
    while not done.is_set():
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(greeting)


def _own_address() -> str:
    """An address of the host beside loopback; nothing is sent to find it."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])
