"""A real daemon that serves compatible protocols over TCP, as their clients reach it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from tests.daemons import Daemon, Kind, place


@contextlib.contextmanager
def compat_daemon(
    compat: Mapping[str, Any], *, kind: Kind | None = None, **tables: Mapping[str, Any]
) -> Iterator[tuple[Daemon, str]]:
    """A daemon, and where it is: `http://127.0.0.1:PORT`.

    Parameters:
        compat: the table of that name in its configuration.
        kind: how it is run; None: at the level that this user can have.
        tables: further tables of it.
    """
    server = {"tcp": "127.0.0.1:0", **tables.pop("server", {})}
    kind = kind or Kind("minimal" if os.geteuid() else "full")
    with place(kind) as where, where.start(compat=compat, server=server, **tables) as daemon:
        yield daemon, f"http://127.0.0.1:{_port(daemon)}"


def _port(daemon: Daemon) -> int:
    for line in daemon.said().splitlines():
        with contextlib.suppress(ValueError):
            said = json.loads(line)
            if said.get("event") == "listening":
                return int(said["tcp"][0].rpartition(":")[2])
    raise AssertionError(daemon.said())
