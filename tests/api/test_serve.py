"""The sockets: made, guarded against a second daemon, drained and removed."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from scalebox.api.serve import serve
from scalebox.config import Config, ServerConfig
from scalebox.engine.blobs import BlobStore
from scalebox.engine.problems import ProblemRegistry
from scalebox.errors import ConfigError
from scalebox.tcp import parse_tcp
from tests.api.fake import FakeEngine, serving, submission, unix_session, until


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sbx-") as name:
        yield Path(name)


def make(folder: Path, **options: Any) -> tuple[Config, FakeEngine]:
    options.setdefault("socket", str(folder / "run" / "s.sock"))
    engine = FakeEngine(
        BlobStore(folder / "blobs", 1 << 20), ProblemRegistry(folder / "problems", 10)
    )
    return Config(server=ServerConfig(**options)), engine


async def healthy(path: Path) -> bool:
    async with unix_session(path) as session, session.get("/healthz") as response:
        return response.status == 200


async def test_the_socket_is_private_and_goes_with_the_server(folder: Path) -> None:
    config, engine = make(folder)
    path = config.socket_path()
    async with serve(config, engine) as listeners:
        assert listeners.socket == path
        assert listeners.tcp == ()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert await healthy(path)
    assert list(path.parent.iterdir()) == []


async def test_the_mode_is_the_configured_one(folder: Path) -> None:
    config, engine = make(folder, socket_mode="0660")
    async with serve(config, engine):
        assert stat.S_IMODE(config.socket_path().stat().st_mode) == 0o660


async def test_a_stale_socket_is_replaced(folder: Path) -> None:
    config, engine = make(folder)
    path = config.socket_path()
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    Path(f"{path}.lock").touch()
    async with serve(config, engine):
        assert await healthy(path)


async def test_a_live_daemon_is_left_alone(folder: Path) -> None:
    config, engine = make(folder)
    async with serve(config, engine):
        with pytest.raises(ConfigError, match="already listens"):
            async with serve(config, engine):
                pass
        assert await healthy(config.socket_path())


async def test_a_live_server_without_our_lock_is_left_alone(folder: Path) -> None:
    config, engine = make(folder)
    path = config.socket_path()
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        with pytest.raises(ConfigError, match="already listens"):
            async with serve(config, engine):
                pass
        assert path.exists()


async def test_a_file_in_the_way_is_not_removed(folder: Path) -> None:
    config, engine = make(folder)
    path = config.socket_path()
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(ConfigError, match="no socket"):
        async with serve(config, engine):
            pass
    assert path.read_text() == "precious"


async def test_paths_that_cannot_be_used_are_named(folder: Path) -> None:
    for path in (str(folder / ("x" * 200) / "s"), "/proc/none/s.sock"):
        config, engine = make(folder, socket=path)
        with pytest.raises(ConfigError, match=r"server\.socket"):
            async with serve(config, engine):
                pass


async def test_a_taken_port_is_a_configuration_error_and_leaves_nothing(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        config, engine = make(folder, tcp=f"127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(ConfigError, match=r"server\.tcp"):
            async with serve(config, engine):
                pass
    assert not config.socket_path().exists()


async def test_tcp_over_ipv6_where_the_host_has_it(folder: Path) -> None:
    config, engine = make(folder, tcp="localhost:0")
    async with serve(config, engine) as listeners:
        assert listeners.tcp
        for host, port in listeners.tcp:
            name = f"[{host}]" if ":" in host else host
            async with (
                aiohttp.ClientSession(f"http://{name}:{port}") as session,
                session.get("/healthz") as response,
            ):
                assert response.status == 200


def test_tcp_addresses_are_parsed_strictly() -> None:
    assert parse_tcp("", "server.tcp") is None
    assert parse_tcp("127.0.0.1:80", "server.tcp") == ("127.0.0.1", 80)
    assert parse_tcp("[::1]:0", "server.tcp") == ("::1", 0)
    for text in ("80", ":80", "host", "host:", "host:http", "host:70000", "::1:80", "host:-1"):
        with pytest.raises(ConfigError):
            parse_tcp(text, "server.tcp")


async def test_requests_at_hand_are_finished_before_the_end(folder: Path) -> None:
    config, engine = make(folder)
    path = config.socket_path()
    session = unix_session(path)
    async with serve(config, engine):
        asking = asyncio.create_task(session.post("/v1/judge", json=submission("wait")))
        await until(lambda: engine.running == 1)
        # An idle kept-alive connection must not hold up the end, nor must half a request.
        idle = socket.socket(socket.AF_UNIX)
        idle.connect(str(path))
        idle.sendall(b"POST /v1/jud")
        asyncio.get_running_loop().call_later(0.3, engine.gate.set)
    response = await asking
    assert response.status == 200
    assert engine.cancelled == 0
    with idle, suppress(ConnectionResetError):
        assert idle.recv(10) == b""
    await session.close()
    with pytest.raises(OSError, match=r"."):
        await healthy(path)


async def test_new_work_on_an_open_connection_is_refused_while_draining(folder: Path) -> None:
    config, engine = make(folder)
    path = config.socket_path()
    reader, writer = None, None
    async with serve(config, engine):
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" in await reader.readline()
        await reader.readuntil(b'"ok"}')
        session = unix_session(path)
        asking = asyncio.create_task(session.post("/v1/judge", json=submission("wait")))
        await until(lambda: engine.running == 1)

        async def late() -> bytes:
            await asyncio.sleep(0.1)
            writer.write(
                b"POST /v1/judge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 2\r\n\r\n{}"
            )
            answer = await reader.read()
            engine.gate.set()
            return answer

        refused = asyncio.create_task(late())
    answer = await refused
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b'"unavailable"' in answer
    assert (await asking).status == 200
    await session.close()
    writer.close()


async def test_no_descriptor_is_left_behind(folder: Path) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    async with serving() as server, server.unix.post("/v1/judge", json=submission()) as response:
        assert response.status == 200
    before = open_files()
    for _ in range(3):
        async with (
            serving() as server,
            server.session() as other,
            other.post("/v1/judge", json=submission()) as response,
        ):
            assert response.status == 200
    await until(lambda: open_files() <= before)


async def test_over_the_bound_of_connections_the_next_is_told_to_come_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scalebox.api.serve.connections_that_fit", lambda share: 2)
    config, engine = make(folder, tcp="127.0.0.1:0")
    async with serve(config, engine) as listeners:
        path = str(listeners.socket)
        held = [await asyncio.open_unix_connection(path) for _ in range(2)]
        for reader, writer in held:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in await reader.readline()
        reader, writer = await asyncio.open_unix_connection(path)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in answer
        assert b'"unavailable"' in answer
        writer.close()
        # Those over TCP and those on the host do not take each other's room.
        host, port = listeners.tcp[0]
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{host}:{port}/healthz") as response,
        ):
            assert response.status == 200
        held[0][1].close()

        async def is_served() -> bool:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
            line = await reader.readline()
            writer.close()
            return b" 200 " in line

        async with asyncio.timeout(20):
            while not await is_served():
                await asyncio.sleep(0.005)
        held[1][1].close()


def test_the_daemon_may_open_as_many_files_as_the_host_allows() -> None:
    program = (
        "import resource, scalebox.daemon as daemon\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))\n"
        "daemon._allow_descriptors()\n"
        "soft, after = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "assert after == hard and soft == (min(hard, 65_536) if hard > 0 else 65_536), soft\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
