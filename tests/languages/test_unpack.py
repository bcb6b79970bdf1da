"""Archives that compilations leave: what a hostile source can have written there is refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalebox.languages import build


def archive(*members: tarfile.TarInfo, content: bytes = b"content") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as opened:
        for member in members:
            if member.isreg():
                member.size = len(content)
                opened.addfile(member, io.BytesIO(content))
            else:
                opened.addfile(member)
    return made.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.mode = kind, mode
    if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        made.linkname = "/etc/passwd"
    return made


def test_files_and_folders() -> None:
    made = archive(
        member("./", tarfile.DIRTYPE, 0o755), member("./a/", tarfile.DIRTYPE, 0o755),
        member("./a/B.class"), member("run", mode=0o755),
    )  # fmt: skip
    assert build.unpack(made) == {"a/B.class": (b"content", 0o644), "run": (b"content", 0o755)}
    assert build.unpack(archive()) == {}


@pytest.mark.parametrize(
    "bad",
    [
        member("/etc/passwd"),
        member("../outside"),
        member("a/../../outside"),
        member(".."),
        member("."),
        member("link", tarfile.SYMTYPE),
        member("hard", tarfile.LNKTYPE),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
        member("x" * 501),
    ],
    ids=lambda one: one.name[:20],
)
def test_nothing_but_plain_files_inside(bad: tarfile.TarInfo) -> None:
    with pytest.raises(ValueError, match="is no plain file"):
        build.unpack(archive(member("good"), bad))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"no archive at all, but some text that is as long as it likes" * 20,
        lambda whole: b"",
        lambda whole: whole[:700],
        lambda whole: whole[:100] + b"\xff" * 412 + whole[512:],
    ],
    ids=["text", "empty", "cut", "header"],
)
def test_what_is_no_archive_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever tarfile says
        build.unpack(spoil(archive(member("a"), content=b"x" * 2000)))


def test_too_many_files_are_refused() -> None:
    names = [member(str(number)) for number in range(5_001)]
    assert len(build.unpack(archive(*names[:5_000], content=b""))) == 5_000
    with pytest.raises(ValueError, match="more than 5000 files"):
        build.unpack(archive(*names, content=b""))


@given(st.binary(max_size=2000), st.integers(0, 3000), st.integers(0, 3000))
def test_whatever_is_there_ends_well_or_in_an_error(noise: bytes, at: int, cut: int) -> None:
    whole = archive(member("a/b"), member("c"), content=b"y" * 600)
    spoiled = whole[:at] + noise + whole[at + len(noise) :]
    try:
        files = build.unpack(spoiled[: len(spoiled) - cut])
    except ValueError:
        return
    assert all(not path.startswith(("/", "..")) for path in files)
