"""How much memory programs get where nobody says: a share of what this daemon itself may use."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from scalebox.config import Config
from scalebox.engine import host
from scalebox.sandbox import cgroups

GIB = 1 << 30


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hierarchies of both versions below a directory, and a group of ours in each."""
    monkeypatch.setattr(
        os, "sysconf", {"SC_PHYS_PAGES": 16 * GIB // 4096, "SC_PAGE_SIZE": 4096}.get
    )
    monkeypatch.setattr(cgroups, "mounts", lambda: {"": tmp_path / "v2", "memory": tmp_path / "v1"})
    monkeypatch.setattr(cgroups, "own_groups", lambda: {"": "/a/b", "memory": "/a/b"})
    for version in ("v1", "v2"):
        (tmp_path / version / "a" / "b").mkdir(parents=True)
    return tmp_path


def test_without_limits_it_is_the_hosts(groups: Path) -> None:
    assert host.available_bytes() == 16 * GIB
    (groups / "v2" / "a" / "b" / "memory.max").write_text("max\n")
    (groups / "v1" / "a" / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert host.available_bytes() == 16 * GIB


@pytest.mark.parametrize("place", ["a/b", "a", "."])
def test_a_limit_of_any_group_above_holds(groups: Path, place: str) -> None:
    (groups / "v2" / place / "memory.max").write_text(f"{4 * GIB}\n")
    assert host.available_bytes() == 4 * GIB
    (groups / "v1" / place / "memory.limit_in_bytes").write_text(f"{3 * GIB}\n")
    assert host.available_bytes() == 3 * GIB


def test_a_path_of_the_host_that_a_container_does_not_see(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "own_groups", lambda: {"": "/docker/0123/x", "memory": "/docker"})
    (groups / "v2" / "memory.max").write_text(f"{2 * GIB}\n")
    (groups / "memory.max").write_text("1\n")  # outside the hierarchy
    assert host.available_bytes() == 2 * GIB


def test_no_hierarchy_at_all(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "mounts", dict)
    assert host.available_bytes() == 16 * GIB


def test_the_configuration_comes_first(groups: Path) -> None:
    assert host.program_memory_bytes(Config()) == int(0.8 * 16 * GIB)
    given = msgspec.convert({"engine": {"memory_bytes": GIB}}, Config)
    assert host.program_memory_bytes(given) == GIB


def test_this_hosts_own() -> None:
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 0 < host.available_bytes() <= physical
