"""One real daemon for the benchmarks' samples."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

import scalebox
from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client


@pytest.fixture(scope="package")
def client() -> Iterator[Client]:
    """Of a private daemon."""
    with scalebox.local(sandbox={"slots": 2}) as opened:
        yield opened


@pytest.fixture
async def opened(client: Client) -> AsyncIterator[AsyncClient]:
    """An asynchronous client of that daemon."""
    async with AsyncClient(client.address) as one:
        yield one
