"""A real daemon for all tests of this folder, and a client of it for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

import scalebox
from scalebox.client.aio import AsyncClient


@pytest.fixture(scope="package")
def daemon() -> Iterator[str]:
    """Its address."""
    languages = {"cpp": {"precompiled_header": False}}
    with scalebox.local(sandbox={"slots": 2}, languages=languages) as client:
        yield client.address


@pytest.fixture
async def client(daemon: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(daemon) as opened:
        yield opened
