"""One daemon for the protocols' tests: each is served under its own name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scalebox.api.compat.protocols import PROTOCOLS
from tests.api.compat.daemon import compat_daemon


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    """Where the daemon is; protocol P is at URL/P."""
    with compat_daemon({one.name: f"/{one.name}" for one in PROTOCOLS}) as (_, where):
        yield where
