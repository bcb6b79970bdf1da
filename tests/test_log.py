"""The daemon's log: what it loads, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SAYS = """
import sys
from scalebox.config import LogConfig
from scalebox.log import set_up, structlog
set_up(LogConfig(format={format!r}))
log = structlog.get_logger("test")
log.debug("not said")
log.info("said", number=1)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""


def ran(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def said(form: str) -> str:
    found = ran(SAYS.format(format=form))
    assert (found.returncode, found.stdout) == (0, "")
    return found.stderr


def test_json_is_a_line_for_each_event_with_the_error_in_it() -> None:
    first, second = map(json.loads, said("json").splitlines())
    assert (first["event"], first["level"], first["number"]) == ("said", "info", 1)
    assert second["exception"].startswith("Traceback")
    assert second["exception"].endswith("ZeroDivisionError: division by zero")


def test_the_console_shows_errors_as_python_does() -> None:
    shown = said("console")
    assert "said" in shown
    assert "Traceback (most recent call last):" in shown
    assert "ZeroDivisionError: division by zero" in shown


@pytest.mark.parametrize("module", ["scalebox.daemon", "scalebox.log", "scalebox.api.serve"])
def test_rich_is_not_loaded_for_a_daemon_and_stays_to_be_had(module: str) -> None:
    program = (
        "import sys, scalebox.log\n"
        f"import {module}\n"
        "print('rich' in sys.modules)\n"
        "import rich.console\n"
        "print(rich.console.Console.__name__)\n"
    )
    found = ran(program)
    assert found.stdout.split() == ["False", "Console"], found.stderr


def test_what_has_loaded_rich_before_keeps_it() -> None:
    found = ran("import sys, rich\nimport scalebox.log\nprint(sys.modules['rich'] is rich)\n")
    assert found.stdout.split() == ["True"], found.stderr
