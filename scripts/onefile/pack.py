"""A directory tree becomes one executable file: stub.sh, and behind it the tree as an archive.

The same tree gives the same bytes, wherever and whenever it is packed.  What is in the tree is
`tree`'s business; what happens when the file is started, stub.sh's and launch.py's.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import platform
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
_HASH_DIGITS = 32


def pack(tree: Path, target: Path, *, glibc: str) -> None:
    """Write the executable file.

    Parameters:
        tree: holds `bin/scaleboxd`, a Python, and `launch.py`, which it is to run.
        target: the file; replaced at once or not at all.
        glibc: the oldest C library on which the tree's programs run, for the refusal elsewhere.
    """
    archive = _archive(tree)
    facts = {
        "HASH": hashlib.sha256(archive).hexdigest()[:_HASH_DIGITS],
        "MIB": str(_unpacked_bytes(tree) // (1 << 20) + 1),
        "MACHINE": platform.machine(),
        "GLIBC": glibc,
    }
    draft = target.with_name(target.name + ".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(_stub(facts) + archive)
    draft.chmod(0o755)
    draft.replace(target)


def _stub(facts: dict[str, str]) -> bytes:
    text = (HERE / "stub.sh").read_text(encoding="utf-8")
    for name, value in facts.items():
        text = text.replace(f"@{name}@", value)
    # As long as the word that it takes the place of, so that the length stays true.
    offset = str(len(text.encode()) + 1)
    return text.replace("@OFFSET@", offset.ljust(len("@OFFSET@"))).encode()


def _archive(tree: Path) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in sorted(tree.rglob("*")):
            archive.add(path, str(path.relative_to(tree)), recursive=False, filter=_anonymous)
        archive.addfile(_anonymous(tarfile.TarInfo("lock")), io.BytesIO())
    return packed.getvalue()


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without what differs from one build to the next: owner, time, umask."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    executable = member.isdir() or bool(member.mode & 0o100)
    member.mode = 0o755 if executable and member.name != "lock" else 0o644
    return member


def _unpacked_bytes(tree: Path) -> int:
    return sum(
        os.lstat(os.path.join(parent, name)).st_size
        for parent, _, names in os.walk(tree)
        for name in names
    )
