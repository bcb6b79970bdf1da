"""Blobs: verified on the way in, bounded, private, and still there after a restart."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scalebox.engine import blobs as blobs_module
from scalebox.engine.blobs import BlobStore
from scalebox.errors import (
    BadRequestError,
    HostError,
    QueueFullError,
    TooLargeError,
    UnknownBlobError,
)


def name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        await asyncio.sleep(0)
        yield piece


async def put(store: BlobStore, data: bytes) -> str:
    await store.put(name(data), data)
    return name(data)


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


async def test_bytes_come_back_whole_or_streamed(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 1 << 24)
    assert await store.put(name(b"abc"), b"abc")
    assert store.read(name(b"abc")) == b"abc"
    parts = [bytes([i]) * 400_000 for i in range(10)]
    whole = b"".join(parts)
    assert await store.put(name(whole), pieces(*parts))
    assert await store.load(name(whole)) == whole
    assert store.size(name(whole)) == len(whole)
    assert store.used_bytes == len(whole) + 3
    assert await store.put(name(b""), pieces())
    assert store.read(name(b"")) == b""


async def test_a_blob_that_is_here_is_not_stored_again(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 1000)
    sha256 = await put(store, b"abc")
    assert not await store.put(sha256, b"abc")
    assert (store.count, store.used_bytes) == (1, 3)


async def test_equal_uploads_at_once_are_one_blob(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 1 << 20)
    data = b"x" * 100_000
    created = await asyncio.gather(
        *(store.put(name(data), pieces(data[:50_000], data[50_000:])) for _ in range(5))
    )
    assert created.count(True) == 1
    assert store.used_bytes == len(data)
    assert len(files(tmp_path)) == 1


async def test_every_descriptor_is_fresh_and_read_only(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 1000)
    sha256 = await put(store, b"abc")
    one, two = store.open(sha256), store.open(sha256)
    try:
        assert os.read(one, 10) == b"abc"
        assert os.read(two, 10) == b"abc"
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(one, b"x")
        assert not os.get_inheritable(one)
    finally:
        os.close(one)
        os.close(two)


async def test_the_wrong_contents_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 1 << 22)
    big = bytes(2 << 20)
    for data in (b"other", pieces(b"ot", b"her"), pieces(big, b"x")):
        with pytest.raises(BadRequestError) as caught:
            await store.put(name(b"promised"), data)
        assert caught.value.field == "sha256"
    assert files(tmp_path) == []
    assert store.used_bytes == 0


@pytest.mark.parametrize("bad", ["", "zz", "A" * 64, "../" + "a" * 61, "a" * 65])
async def test_a_name_that_is_no_hash_is_refused(tmp_path: Path, bad: str) -> None:
    store = BlobStore(tmp_path, 1000)
    with pytest.raises(BadRequestError):
        await store.put(bad, b"")
    with pytest.raises(UnknownBlobError):
        store.open(bad)
    assert not store.has(bad)


async def test_more_than_the_store_holds_is_refused(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 100)
    kept = await put(store, b"kept")
    for data in (bytes(101), pieces(bytes(60), bytes(60))):
        with pytest.raises(TooLargeError):
            await store.put(name(bytes(101)), data)
    assert files(tmp_path / "incoming") == []
    assert store.used_bytes <= 100
    assert not store.has(name(bytes(101)))
    assert store.has(kept) or store.used_bytes == 0


async def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 300)
    a, b, c = [await put(store, bytes([i]) * 100) for i in range(3)]
    store.read(a)
    d = await put(store, b"d" * 100)
    assert [store.has(x) for x in (a, b, c, d)] == [True, False, True, True]
    assert len(files(tmp_path)) == 3
    with pytest.raises(UnknownBlobError, match="PUT /v1/blobs/"):
        store.read(b)


async def test_the_number_of_blobs_is_bounded_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs_module, "MAX_BLOBS", 5)
    store = BlobStore(tmp_path, 1000)
    for i in range(10):
        await put(store, bytes([i]))
    assert store.count == len(files(tmp_path)) == 5


async def test_what_is_pinned_stays(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 200)
    a = await put(store, b"a" * 100)
    with store.pinned([a, a]):
        for i in range(3):
            await put(store, bytes([i]) * 100)
        assert store.has(a)
        with store.pinned([name(bytes([2]) * 100)]), pytest.raises(QueueFullError):
            await put(store, b"x" * 100)
        assert store.has(a)
    await put(store, b"y" * 100)
    await put(store, b"z" * 100)
    assert not store.has(a)
    with pytest.raises(UnknownBlobError):
        store.pin([name(b"z" * 100), a])
    await put(store, b"1" * 200)  # so the failed pin has pinned nothing
    assert store.count == 1


async def test_an_open_descriptor_outlives_eviction(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 100)
    descriptor = store.open(await put(store, b"a" * 100))
    try:
        await put(store, b"b" * 100)
        assert os.read(descriptor, 200) == b"a" * 100
    finally:
        os.close(descriptor)


async def test_uploads_under_way_count_against_the_bound(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 1000)
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 900
        await gate.wait()

    first = asyncio.create_task(store.put(name(b"x" * 900), slow()))
    while store.used_bytes < 900:
        await asyncio.sleep(0.005)
    with pytest.raises(QueueFullError):
        await put(store, b"y" * 200)
    gate.set()
    assert await first
    assert store.used_bytes == 900


async def test_a_sender_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 1 << 22)

    async def breaks() -> AsyncIterator[bytes]:
        yield bytes(2 << 20)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put("0" * 64, breaks())

    async def hangs() -> AsyncIterator[bytes]:
        yield bytes(2 << 20)
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put("0" * 64, hangs()))
    while not files(tmp_path):
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (files(tmp_path), store.used_bytes) == ([], 0)


async def test_a_restart_finds_what_was_there_in_its_order(tmp_path: Path) -> None:
    store = BlobStore(tmp_path, 300)
    a, b, c = [await put(store, bytes([i]) * 100) for i in range(3)]
    for age, sha256 in ((30, b), (20, a), (10, c)):
        path = tmp_path / sha256[:2] / sha256
        os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))
    (tmp_path / "incoming" / "left-over").write_bytes(b"half")
    again = BlobStore(tmp_path, 200)
    assert [again.has(x) for x in (a, b, c)] == [True, False, True]
    assert again.used_bytes == 200
    assert again.read(a) == bytes(100)
    assert sorted(path.name for path in files(tmp_path)) == sorted([a, c])


async def test_a_file_that_somebody_deleted_is_unknown_and_can_be_sent_again(
    tmp_path: Path,
) -> None:
    store = BlobStore(tmp_path, 1000)
    sha256 = await put(store, b"abc")
    (tmp_path / sha256[:2] / sha256).unlink()
    with pytest.raises(UnknownBlobError):
        store.read(sha256)
    assert store.used_bytes == 0
    assert await store.put(sha256, b"abc")


async def test_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        directory = tmp_path / "store"
        store = BlobStore(directory, 1000)
        await put(store, b"abc")
    finally:
        os.umask(before)
    for path in [directory, *directory.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError, match=r"store\.directory"):
        BlobStore(tmp_path / "file", 1000)
