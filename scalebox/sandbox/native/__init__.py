"""The optional accelerator of slots: `runs.c` and `memory.c`, compiled on this host and kept.

What they do, and why, is said in their heads.  Here the library is only found or made: with the
host's C compiler, once for each version of source and compiler, in a cache of this user's.  Where
that cannot be done, slots carry runs out in Python, and the reason goes to the operator.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SOURCES = tuple(Path(__file__).with_name(name) for name in ("runs.c", "memory.c"))
_COMPILERS = ("cc", "gcc", "clang")
#: Bound when it is loaded: else every child would look its symbols up again.
_FLAGS = ("-O2", "-shared", "-fPIC", "-Wl,-z,now")
_COMPILE_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Library:
    """What `build` found.

    Attributes:
        path: of the library; empty: there is none.
        reason: why there is none.
    """

    path: str = ""
    reason: str = ""


def shipped() -> Path:
    """Where a distribution for hosts without a compiler may bring the library along."""
    return SOURCES[0].with_name(f"runs-{_digest('shipped')}.so")


def build(directories: Iterable[Path]) -> Library:
    """The library, compiled if it is not there yet.

    Parameters:
        directories: where libraries may be kept; the first that can be used is.  Made, private to
            this user, if missing.
    """
    if shipped().is_file():
        return Library(path=str(shipped()))
    compiler = next(filter(None, map(shutil.which, _COMPILERS)), None)
    if compiler is None:
        return Library(reason=f"there is no C compiler ({', '.join(_COMPILERS)})")
    reason = ""
    for directory in directories:
        try:
            return Library(path=str(_built(compiler, directory)))
        except OSError as error:
            reason = f"{error.strerror or error} ({error.filename or directory})"
        except subprocess.SubprocessError as error:
            return Library(reason=f"{compiler} failed: {_last_words(error)}")
    return Library(reason=reason)


def compile_to(path: Path, compiler: str = "cc") -> None:
    """Compile the library to a file, which is complete or not there.

    Raises:
        OSError: the file cannot be written, or the compiler not started.
        subprocess.SubprocessError: the compiler fails.
    """
    handle, name = tempfile.mkstemp(suffix=".partial", dir=path.parent)
    os.close(handle)
    try:
        subprocess.run(
            [compiler, *_FLAGS, "-o", name, *map(str, SOURCES)],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_COMPILE_TIMEOUT_S,
        )
        os.chmod(name, 0o500)
        os.rename(name, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _built(compiler: str, directory: Path) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = directory.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        # Whoever can write there could have slots load what they like.
        raise OSError(f"{directory} belongs to, or can be written by, others")
    real = os.path.realpath(compiler)
    tool = os.stat(real)
    path = directory / f"runs-{_digest(real, tool.st_size, tool.st_mtime_ns)}.so"
    if not path.is_file():
        compile_to(path, compiler)
    return path


def _digest(*facts: object) -> str:
    words = [os.uname().machine, *_FLAGS, *map(str, facts)]
    text = b"".join(source.read_bytes() for source in SOURCES)
    return hashlib.sha256(text + "\0".join(words).encode()).hexdigest()[:32]


def _last_words(error: subprocess.SubprocessError) -> str:
    words = getattr(error, "stderr", b"") or b""
    lines = words.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else str(error)
