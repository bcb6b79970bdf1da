"""One real daemon for the benchmarks' samples."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import scalebox
from scalebox.client.sync import Client


@pytest.fixture(scope="package")
def client() -> Iterator[Client]:
    """Of a private daemon."""
    with scalebox.local(sandbox={"slots": 2}) as opened:
        yield opened
