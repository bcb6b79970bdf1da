"""One real daemon for the benchmarks' judging."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

import scalebox
from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client


@pytest.fixture(scope="package")
def daemon() -> Iterator[Client]:
    """A private one."""
    with scalebox.local(sandbox={"slots": 2}) as opened:
        yield opened


@pytest.fixture
async def client(daemon: Client) -> AsyncIterator[AsyncClient]:
    """Of that daemon."""
    async with AsyncClient(daemon.address) as opened:
        yield opened
