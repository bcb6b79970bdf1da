"""The headers that judges written in C++ for testlib are compiled with: ours, or the user's own.

Ours (`testlib.h` and what it includes, in this folder) are written from testlib's documentation,
and hold none of its code.  Whether a judge needs them is the engine's to know.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from scalebox.errors import ConfigError

#: What judges include.
HEADER = "testlib.h"


def headers(path: str) -> dict[str, bytes]:
    """Name → content of what belongs beside a judge's source.

    Parameters:
        path: `languages.testlib_path`: a header, or a folder with `testlib.h`; empty: ours.

    Raises:
        ConfigError: there is no such header, or it cannot be read.
    """
    if not path:
        folder = resources.files(__package__)
        return {
            item.name: item.read_bytes() for item in folder.iterdir() if item.name.endswith(".h")
        }
    file = Path(path)
    if file.is_dir():
        file /= HEADER
    if not file.is_file():
        raise ConfigError(
            f"languages.testlib_path: there is no file {file}; name a header, or a folder with "
            f"{HEADER} in it, or leave it empty for the one that ships"
        )
    try:
        return {HEADER: file.read_bytes()}
    except OSError as error:
        raise ConfigError(
            f"languages.testlib_path: cannot read {file}: {error.strerror}"
        ) from error
