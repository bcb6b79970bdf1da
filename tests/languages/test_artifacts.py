"""The cache of compiled programs: bounded, kept over a restart, and never executed damaged."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from scalebox.languages import artifacts
from scalebox.languages.artifacts import ArtifactCache

from ..descriptors import open_descriptors

CACHE_BYTES = 1 << 20


def put(cache: ArtifactCache, address: str, content: bytes) -> None:
    fd = os.memfd_create("program")
    os.write(fd, content)
    cache.adopt(address, cache.store(address, fd))
    os.close(fd)


def content(cache: ArtifactCache, address: str) -> bytes | None:
    fd = cache.open(address)
    return None if fd is None else os.pread(fd, 1 << 24, 0)


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("in_memory", [False, True])
def test_what_was_stored_is_found_also_after_a_restart(tmp_path: Path, in_memory: bool) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES, in_memory=in_memory)
    assert cache.open("a") is None
    put(cache, "a", b"program")
    assert content(cache, "a") == b"program"
    cache.close()
    again = ArtifactCache(tmp_path, CACHE_BYTES, in_memory=in_memory)
    assert content(again, "a") == b"program"
    assert again.total_bytes == 7
    again.close()


def test_files_are_private_and_executable(tmp_path: Path) -> None:
    cache = ArtifactCache(tmp_path / "new", CACHE_BYTES)
    put(cache, "a", b"program")
    (path,) = (tmp_path / "new").iterdir()
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o555


def test_copies_in_memory_stay_executable(tmp_path: Path) -> None:
    """A program that runs as the daemon's user owns its own artifact."""
    try:
        os.close(os.memfd_create("probe", 0x10))
    except OSError:  # a kernel before Linux 6.3: such a mode cannot be sealed
        sealable = False
    else:
        sealable = True
    cache = ArtifactCache(tmp_path, CACHE_BYTES, in_memory=True)
    put(cache, "a", b"program")
    fd = cache.open("a")
    assert fd is not None
    if sealable:
        with pytest.raises(PermissionError):
            os.fchmod(fd, 0)
    assert os.fstat(fd).st_mode & 0o111 == 0o111


def test_copies_in_memory_cannot_be_changed(tmp_path: Path) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES, in_memory=True)
    put(cache, "a", b"program")
    fd = cache.open("a")
    assert fd is not None
    seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    assert seals & (
        fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    )
    with pytest.raises(PermissionError):
        os.truncate(f"/proc/self/fd/{fd}", 0)
    assert content(cache, "a") == b"program"


def damage_flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o755)
    path.write_bytes(data)


def damage_cut(path: Path) -> None:
    path.chmod(0o755)
    os.truncate(path, path.stat().st_size - 1)


def damage_empty(path: Path) -> None:
    path.chmod(0o755)
    os.truncate(path, 0)


@pytest.mark.parametrize("damage", [damage_flip, damage_cut, damage_empty, Path.unlink])
@pytest.mark.parametrize("size", [100, 300_000])
def test_a_damaged_file_is_noticed_and_forgotten(tmp_path: Path, damage, size: int) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES)
    put(cache, "a", b"x" * size)
    put(cache, "b", b"y" * size)
    cache.close()
    (path,) = tmp_path.glob("a.*")
    damage(path)
    again = ArtifactCache(tmp_path, CACHE_BYTES)
    assert again.unchecked("b") is (size > 100_000), "large files are for a worker thread"
    assert again.open("a") is None
    assert content(again, "b") == b"y" * size
    assert not again.unchecked("b")
    assert again.total_bytes == size
    assert [name[0] for name in files(tmp_path)] == ["b"]
    put(again, "a", b"x" * size)
    assert content(again, "a") == b"x" * size


def test_a_file_is_checked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES)
    put(cache, "a", b"program")
    cache.close()
    again = ArtifactCache(tmp_path, CACHE_BYTES)
    assert again.open("a") is not None
    again.close()
    monkeypatch.setattr(artifacts, "_digest", lambda fd: pytest.fail("read again"))
    assert again.open("a") is not None


def test_the_least_recently_used_go_first_also_after_a_restart(tmp_path: Path) -> None:
    cache = ArtifactCache(tmp_path, 1000)
    for number, address in enumerate("abc"):
        put(cache, address, address.encode() * 300)
        (path,) = tmp_path.glob(f"{address}.*")
        os.utime(path, (number, number))
    cache.close()
    cache = ArtifactCache(tmp_path, 1000)
    assert cache.open("a") is not None  # used: `b` is the oldest now
    put(cache, "d", b"d" * 300)
    assert cache.open("b") is None
    assert {name[0] for name in files(tmp_path)} == {"a", "c", "d"}
    assert cache.total_bytes == 900


def test_evicted_programs_free_their_disk_at_once(tmp_path: Path) -> None:
    cache = ArtifactCache(tmp_path, 1000)
    put(cache, "a", b"a" * 600)
    borrowed = os.dup(cache.open("a") or -1)
    put(cache, "b", b"b" * 600)
    # Whoever runs it has a descriptor of its own; the cache keeps none.
    deleted = [path for path in open_descriptors().values() if path.endswith("(deleted)")]
    assert sum(str(tmp_path) in path for path in deleted) == 1
    assert os.pread(borrowed, 3, 0) == b"aaa"
    os.close(borrowed)


def test_one_larger_than_the_bound_is_kept_while_it_is_the_newest(tmp_path: Path) -> None:
    cache = ArtifactCache(tmp_path, 100)
    put(cache, "a", b"a" * 600)
    assert content(cache, "a") == b"a" * 600
    put(cache, "b", b"b" * 10)
    assert cache.open("a") is None


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "MAX_ARTIFACTS", 5)
    cache = ArtifactCache(tmp_path, CACHE_BYTES)
    for number in range(20):
        put(cache, f"a{number}", b"x")
    assert len(files(tmp_path)) == 5
    assert cache.open("a19") is not None


def test_few_descriptors_stay_open(tmp_path: Path) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES)
    before = len(open_descriptors())
    for number in range(200):
        put(cache, f"a{number}", b"x")
    assert len(open_descriptors()) - before <= 64
    cache.close()
    assert len(open_descriptors()) == before


def test_another_result_for_the_same_address_replaces_the_first(tmp_path: Path) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES)
    put(cache, "a", b"one")
    put(cache, "a", b"two!")
    assert content(cache, "a") == b"two!"
    assert len(files(tmp_path)) == 1
    assert cache.total_bytes == 4


def test_what_a_killed_writer_and_others_left_is_removed_at_start(tmp_path: Path) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES)
    put(cache, "a", b"program")
    (tmp_path / "tmpabc.partial").write_bytes(b"half")
    (tmp_path / "0123").write_bytes(b"of an older version")
    again = ArtifactCache(tmp_path, CACHE_BYTES)
    assert [name[0] for name in files(tmp_path)] == ["a"]
    assert content(again, "a") == b"program"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES)
    fd = os.memfd_create("program")
    os.write(fd, b"program")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        cache.store("a", fd)
    monkeypatch.undo()
    os.close(fd)
    assert files(tmp_path) == []


@pytest.mark.parametrize("damage", [damage_flip, damage_cut, damage_empty])
@pytest.mark.parametrize("in_memory", [False, True])
def test_a_file_that_is_damaged_while_it_is_in_use_is_not_handed_out_again(
    tmp_path: Path,
    damage,  # type: ignore[no-untyped-def]
    in_memory: bool,
) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES, in_memory=in_memory)
    put(cache, "a", b"program" * 20_000)
    assert not cache.unchecked("a")
    (path,) = tmp_path.iterdir()
    damage(path)
    if in_memory:
        assert content(cache, "a") == b"program" * 20_000, "a copy cannot be damaged"
        cache.close()  # as if many others had been used since
    assert cache.unchecked("a"), "so that it is compared in a worker thread"
    assert content(cache, "a") is None
    assert not files(tmp_path)
    assert cache.damaged == 1
    put(cache, "a", b"program")
    assert content(cache, "a") == b"program"
    cache.close()


def test_without_descriptors_a_sound_file_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(first := ArtifactCache(tmp_path, CACHE_BYTES), "a", b"program")
    first.close()
    cache = ArtifactCache(tmp_path, CACHE_BYTES)
    before = open_descriptors()

    def no_descriptor(*_: object, **__: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(artifacts.os, "open", no_descriptor)
        with pytest.raises(OSError, match="Too many open files"):
            cache.open("a")
    assert content(cache, "a") == b"program"
    assert cache.damaged == 0
    cache.close()
    in_memory = ArtifactCache(tmp_path, CACHE_BYTES, in_memory=True)
    with monkeypatch.context() as patch:
        patch.setattr(artifacts.os, "memfd_create", no_descriptor)
        with pytest.raises(OSError, match="Too many open files"):
            in_memory.open("a")
    assert open_descriptors() == before


def test_a_program_that_cannot_be_put_in_its_place_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ArtifactCache(tmp_path, CACHE_BYTES)

    def refused(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(artifacts.os, "rename", refused)
    with pytest.raises(OSError, match="No space"):
        put(cache, "a", b"program")
    assert not files(tmp_path)
    assert cache.total_bytes == 0
