"""The command line against the client tests' fake daemon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from scalebox.cli import main
from tests.client.conftest import socket_path, threaded_daemon

__all__ = ["socket_path", "threaded_daemon"]

Invoke = Callable[..., Result]


@pytest.fixture
def scalebox(socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs `scalebox ARGS…` with the default socket at the tests' own path."""
    monkeypatch.setenv("SCALEBOX_SOCKET", str(socket_path))
    monkeypatch.setenv("COLUMNS", "160")
    runner = CliRunner()

    def invoke(*args: object, stdin: str | None = None) -> Result:
        result = runner.invoke(main, [str(arg) for arg in args], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
