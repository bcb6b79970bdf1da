"""The server that most tests of the API talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.api.fake import Server, serving


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running
