"""What trainers and evaluators import: a daemon's API as typed Python calls.

`AsyncClient` and `Client` hold connections to one daemon, over its Unix socket or over HTTP;
`local` starts a private daemon for a notebook or a test; `load_problem` reads problems from files.
How anything is run or judged is the daemon's matter.
"""

from __future__ import annotations

from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local, local
from scalebox.client.problems import (
    ProblemFileError,
    ProblemRow,
    RowSubmission,
    load_problem,
    load_problems,
    read_rows,
    submissions_of_row,
)
from scalebox.client.sync import Client

__all__ = [
    "AsyncClient",
    "Client",
    "ProblemFileError",
    "ProblemRow",
    "RowSubmission",
    "async_local",
    "load_problem",
    "load_problems",
    "local",
    "read_rows",
    "submissions_of_row",
]
