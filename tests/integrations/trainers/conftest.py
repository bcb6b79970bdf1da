"""One daemon for the trainers' tests, found as a trainer's workers find it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import scalebox


@pytest.fixture(scope="package")
def client() -> Iterator[scalebox.Client]:
    """A client of the daemon, for what trainers do not do."""
    with scalebox.local() as opened:
        yield opened


@pytest.fixture
def address(client: scalebox.Client, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the daemon is; $SCALEBOX_ADDRESS says it, too."""
    monkeypatch.setenv("SCALEBOX_ADDRESS", client.address)
    return client.address


@pytest.fixture
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An address with no daemon behind it; give a `deadline_s` to be told soon."""
    found = f"unix:{tmp_path / 's'}"
    monkeypatch.setenv("SCALEBOX_ADDRESS", found)
    return found
