"""The optional accelerator of slots: `runs.c`, compiled on this host and kept.

What it does, and why, is said in its head.  Here it is only found or made: with the host's C
compiler, once for each version of source and compiler, in a cache of this user's.  Where that
cannot be done, slots carry runs out in Python, and the reason goes to the operator.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("runs.c")
#: Bound when it is loaded: else every child would look its symbols up again.
_FLAGS = ("-O2", "-shared", "-fPIC", "-Wl,-z,now")
_COMPILE_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Library:
    """What `build` found.

    Attributes:
        path: of the library; empty: there is none.
        reason: why there is none, and the remedy.
    """

    path: str = ""
    reason: str = ""


def build(compiler: str, version: str, directory: Path) -> Library:
    """The library, compiled if it is not there yet.

    Parameters:
        compiler: path of a C compiler; empty: there is none.
        version: what the compiler says of itself.
        directory: where libraries are kept; made, private to this user.
    """
    if not compiler:
        return Library(reason="runs are carried out in Python, which costs more: no C compiler")
    try:
        source = SOURCE.read_bytes()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            # Whoever can write there could have slots load what they like.
            return Library(
                reason=f"no accelerator: {directory} belongs to, or can be written by, others"
            )
        words = [version, compiler, os.uname().machine, *_FLAGS]
        digest = hashlib.sha256(source + "\0".join(words).encode()).hexdigest()
        path = directory / f"runs-{digest[:32]}.so"
        if not path.is_file():
            _compile(compiler, path)
    except OSError as error:
        return Library(reason=f"no accelerator: {error.strerror or error} ({error.filename})")
    except subprocess.SubprocessError as error:
        return Library(reason=f"no accelerator: {compiler} failed: {_last_words(error)}")
    return Library(path=str(path))


def _compile(compiler: str, path: Path) -> None:
    handle, name = tempfile.mkstemp(suffix=".partial", dir=path.parent)
    os.close(handle)
    try:
        subprocess.run(
            [compiler, *_FLAGS, "-o", name, str(SOURCE)],
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


def _last_words(error: subprocess.SubprocessError) -> str:
    words = getattr(error, "stderr", b"") or b""
    lines = words.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:200] if lines else str(error)
