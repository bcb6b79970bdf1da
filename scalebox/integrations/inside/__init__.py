"""Programs of ours that run inside the sandbox, in the process of what they try out.

They are sent as text (`text_of`), use the standard library only, and say what came of each test in
lines of JSON (`..records` reads them).  Expected values are never there, so that a submission that
writes such lines itself can only say what it could have answered anyway.
"""

from __future__ import annotations

import functools
from importlib import resources

#: What the others import, and the names under which it stands beside them.
BESIDE = {"scalebox_common.py": "common.py", "scalebox_values.py": "values.py"}


@functools.cache
def text_of(name: str) -> str:
    """The text of a file of this folder.

    Raises:
        OSError: there is none.
    """
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
