"""Scripts that run inside the sandbox: standard library only, Python >= 3.8, sent as they are.

What they need beyond that belongs to the judge's Python, and they say so where it is not there.
"""

from __future__ import annotations

import functools
import importlib.resources


@functools.cache
def source(name: str) -> str:
    """The text of `{name}.py`.

    Raises:
        FileNotFoundError: there is no such script in this installation.
    """
    return importlib.resources.files(__name__).joinpath(f"{name}.py").read_text(encoding="utf-8")
