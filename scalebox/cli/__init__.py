"""`scalebox …`: the command line.

Each command is a thin layer over the client library: it reads files, asks a daemon, and shows the
answer as a table (or as JSON).  Errors are sentences, never tracebacks.
"""

from __future__ import annotations

from scalebox.cli.app import main

__all__ = ["main"]
