"""Which Python the rivals use, and one that has numpy.

The daemon's Python is found by the daemon's own rule; numpy comes in a virtual environment under
`bench/.cache`, made once.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

_CACHE = Path(__file__).resolve().parent / ".cache"
_INSTALL_TIMEOUT_S = 600


class NotMeasurable(Exception):
    """A row cannot be measured here; the text says why."""


def default() -> str:
    """The interpreter that a daemon without configuration runs submissions with."""
    # The rule of `languages.python.interpreter`'s default.
    for candidate in ("/usr/bin/python3", shutil.which("python3")):
        if candidate and Path(candidate).is_file():
            return candidate
    return sys.executable


def with_numpy() -> str:
    """An interpreter that can import numpy.

    Raises:
        NotMeasurable: there is none and none can be made.
    """
    folder = _CACHE / "numpy"
    python = folder / "bin" / "python3"
    if not _has_numpy(python):
        _CACHE.mkdir(exist_ok=True)
        (_CACHE / ".gitignore").write_text("*\n", encoding="ascii")
        _make(folder, python)
    return str(python)


def _has_numpy(python: Path) -> bool:
    if not python.is_file():
        return False
    command = [str(python), "-c", "import numpy"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _make(folder: Path, python: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    steps = (
        # Not every system Python has ensurepip; our own has, or we would not be installed.
        [default(), "-m", "venv", str(folder)],
        [sys.executable, "-m", "venv", str(folder)],
    )
    for step in steps:
        if _try(step) == "":
            break
        shutil.rmtree(folder, ignore_errors=True)
    else:
        raise NotMeasurable("no virtual environment can be made here")
    if words := _try([str(python), "-m", "pip", "install", "--quiet", "numpy"]):
        shutil.rmtree(folder, ignore_errors=True)
        raise NotMeasurable(f"numpy cannot be installed: {words}")


def _try(command: list[str]) -> str:
    """Run; returns why it failed, in one line, or an empty string."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"status {done.returncode}"
