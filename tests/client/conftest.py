"""A fake daemon on a real socket, and a client of it."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from scalebox.client.aio import AsyncClient
from tests.client.fake import FakeDaemon, serving


@pytest.fixture
def socket_path() -> Iterator[Path]:
    # pytest's own tmp_path can be too long for a socket.
    with tempfile.TemporaryDirectory(prefix="sb-test-") as directory:
        yield Path(directory) / "s"


@pytest.fixture
async def daemon(socket_path: Path) -> AsyncIterator[FakeDaemon]:
    fake = FakeDaemon()
    async with serving(fake, socket_path):
        yield fake


@pytest.fixture
async def client(daemon: FakeDaemon, socket_path: Path) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(socket_path, retries=3) as opened:
        yield opened


@pytest.fixture
def threaded_daemon(socket_path: Path) -> Iterator[FakeDaemon]:
    """The fake daemon on a thread of its own, for code that blocks."""
    fakes: list[FakeDaemon] = []
    loops: list[asyncio.AbstractEventLoop] = []
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        fakes.append(FakeDaemon())
        loops.append(asyncio.get_running_loop())
        async with serving(fakes[0], socket_path):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield fakes[0]
    loops[0].call_soon_threadsafe(stop.set)
    thread.join(10)
