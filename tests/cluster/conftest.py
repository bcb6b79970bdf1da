"""Hosts for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.cluster.hosts import Hosts
from tests.daemons import Kind, kinds

_EVERY = kinds()
#: The best that this user can have, and as root an ordinary user's as well.
KINDS = [_EVERY[0], *[kind for kind in _EVERY if kind.ordinary][:1]]


@pytest.fixture(params=KINDS, ids=str)
async def hosts(request: pytest.FixtureRequest) -> AsyncIterator[Hosts]:
    """Three hosts, on which nothing runs yet."""
    kind: Kind = request.param
    async with Hosts(3, kind) as three:
        yield three
