"""Registered problems: equal when they come back, also after a restart, and bounded."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from scalebox.engine.problems import ProblemRegistry
from scalebox.errors import HostError, TooLargeError, UnknownProblemError
from scalebox.model import (
    AssertCase,
    AssertTests,
    Blob,
    CallCase,
    CallTests,
    Comparison,
    Limits,
    Problem,
    StdioCase,
    StdioTests,
)

STDIO = Problem(
    tests=StdioTests(
        cases=[StdioCase(input="1", answer=Blob(data=b"\x00\xff"), judge=Comparison(mode="exact"))],
        judge=Comparison(float_absolute_tolerance=1e-6),
    ),
    limits=Limits(cpu_time_s=2.0),
    name="sum",
)
CALL = Problem(
    tests=CallTests(
        function="f", cases=[CallCase(args=[10**40, [1.5, None, {"a": "é"}]], expected=-(10**30))]
    )
)
ASSERT = Problem(tests=AssertTests(cases=[AssertCase(program="assert f() == 1")], entry_point="f"))


def numbered(number: int, size: int = 10) -> Problem:
    return Problem(tests=StdioTests(cases=[StdioCase(input="x" * size)]), name=str(number))


@pytest.mark.parametrize("problem", [STDIO, CALL, ASSERT])
async def test_a_problem_comes_back_equal_also_after_a_restart(
    tmp_path: Path, problem: Problem
) -> None:
    registry = ProblemRegistry(tmp_path, 10)
    version = await registry.put("apps/train/17", problem)
    assert registry.get("apps/train/17") == problem
    again = ProblemRegistry(tmp_path, 10)
    assert again.get("apps/train/17") == problem
    assert again.version("apps/train/17") == version


async def test_the_version_is_of_the_contents(tmp_path: Path) -> None:
    registry = ProblemRegistry(tmp_path, 10)
    one = await registry.put("a", STDIO)
    assert await registry.put("b", STDIO) == one
    two = await registry.put("a", CALL)
    assert two != one
    assert registry.get("a") == CALL
    assert registry.get("b") == STDIO
    assert registry.count == 2


async def test_an_unknown_problem_is_named(tmp_path: Path) -> None:
    registry = ProblemRegistry(tmp_path, 10)
    with pytest.raises(UnknownProblemError, match="'nope'") as caught:
        registry.get("nope")
    assert caught.value.http_status == 404


async def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    registry = ProblemRegistry(tmp_path, 3)
    for number in range(3):
        await registry.put(str(number), numbered(number))
    registry.get("0")
    await registry.put("3", numbered(3))
    assert registry.count == len(list(tmp_path.iterdir())) == 3
    with pytest.raises(UnknownProblemError):
        registry.get("1")
    assert registry.get("0").name == "0"


async def test_the_order_of_use_outlives_a_restart(tmp_path: Path) -> None:
    registry = ProblemRegistry(tmp_path, 3)
    for number in range(3):
        await registry.put(str(number), numbered(number))
    for path in tmp_path.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    restarted = ProblemRegistry(tmp_path, 3)
    restarted.get("1")
    last = ProblemRegistry(tmp_path, 1)
    assert last.get("1").name == "1"
    assert last.count == 1


async def test_bytes_are_bounded_on_disk_and_in_memory(tmp_path: Path) -> None:
    registry = ProblemRegistry(tmp_path, 100, cache_bytes=5_000, limit_bytes=10_000)
    for number in range(20):
        await registry.put(str(number), numbered(number, 2_000))
        assert registry.cached_bytes <= 5_000
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10_000
    for number in range(20 - registry.count, 20):
        assert registry.get(str(number)).name == str(number)
        assert registry.cached_bytes <= 5_000
    with pytest.raises(TooLargeError):
        await registry.put("big", numbered(0, 20_000))


async def test_a_problem_larger_than_the_cache_is_served_from_disk(tmp_path: Path) -> None:
    registry = ProblemRegistry(tmp_path, 10, cache_bytes=100)
    await registry.put("p", numbered(1, 1_000))
    assert registry.cached_bytes == 0
    assert registry.get("p") == numbered(1, 1_000)


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
async def test_a_damaged_file_is_as_if_never_registered(tmp_path: Path, damage: str) -> None:
    registry = ProblemRegistry(tmp_path, 10)
    await registry.put("p", STDIO)
    [path] = tmp_path.iterdir()
    data = path.read_bytes()
    flipped = data[:-1] + bytes([data[-1] ^ 1])
    path.write_bytes({"cut": data[:-5], "flip": flipped, "empty": b""}[damage])
    again = ProblemRegistry(tmp_path, 10)
    with pytest.raises(UnknownProblemError):
        again.get("p")
    await again.put("p", STDIO)
    assert again.get("p") == STDIO


async def test_left_over_uploads_are_removed_at_start(tmp_path: Path) -> None:
    (tmp_path / "incoming-abc").write_bytes(b"half")
    assert ProblemRegistry(tmp_path, 10).count == 0
    assert list(tmp_path.iterdir()) == []


async def test_registrations_at_once_leave_memory_and_disk_agreed(tmp_path: Path) -> None:
    registry = ProblemRegistry(tmp_path, 10)
    await asyncio.gather(*(registry.put("p", numbered(number)) for number in range(20)))
    assert ProblemRegistry(tmp_path, 10).get("p") == registry.get("p")


async def test_files_are_private(tmp_path: Path) -> None:
    directory = tmp_path / "problems"
    registry = ProblemRegistry(directory, 10)
    await registry.put("p", STDIO)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in directory.iterdir())


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match=r"store\.directory"):
        ProblemRegistry(tmp_path / "file", 10)
