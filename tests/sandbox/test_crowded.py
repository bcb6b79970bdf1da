"""What a slot's user runs beside it on the host is not the programs' affair.

The kernel's limit on processes counts all that a user has there.  At `minimal` that is a trainer
with its hundreds of threads, and the programs in other slots; at `full` it is what the slots of
another daemon run, which have the same users.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from scalebox.client.sync import Client
from scalebox.config import SandboxConfig
from scalebox.model import Limits, StdioCase, StdioTests, Submission, Verdict
from tests import unprivileged
from tests.daemons import Kind, kinds, place

_CROWD = """
import os, sys, threading
if len(sys.argv) > 1:
    os.setuid(int(sys.argv[1]))
event = threading.Event()
for _ in range(400):
    threading.Thread(target=event.wait, daemon=True).start()
print("here", flush=True)
input()
"""
_THREAD = "import threading\nt = threading.Thread(target=print, args=(1,))\nt.start()\nt.join()\n"
_NATIVE = '#include <stdio.h>\nint main(void) { puts("1"); return 0; }\n'
_TESTS = StdioTests(cases=[StdioCase(input="", answer="1\n")])


@pytest.fixture(params=[kind for kind in kinds() if kind.level != "user"], ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def crowd(kind: Kind) -> Iterator[None]:
    """Four hundred threads of the user whom the first slot's programs have."""
    words = [sys.executable, "-c", _CROWD]
    if kind.level == "full":
        words.append(str(SandboxConfig().uid_base))
    with subprocess.Popen(
        unprivileged.command(words) if kind.ordinary else words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        yield
        process.communicate("\n")


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(("language", "source"), [("python", _THREAD), ("c", _NATIVE)])
def test_other_processes_of_the_user_do_not_count(kind: Kind, language: str, source: str) -> None:
    with place(kind) as where:
        where.start(sandbox={"slots": 1})
        with Client(str(where.socket)) as client:
            report = client.judge(Submission(language=language, source=source, tests=_TESTS))
    assert report.accepted, report


def test_a_program_with_too_many_processes_is_refused_or_ended(kind: Kind) -> None:
    source = (
        "import os, signal, time\n"
        "try:\n    for _ in range(200):\n        os.fork() or signal.pause()\n"
        "except OSError:\n    raise SystemExit(1)\n"
        "time.sleep(60)\n"
    )
    limits = Limits(processes=32, wall_time_s=20.0)
    with place(kind) as where:
        where.start(sandbox={"slots": 1})
        with Client(str(where.socket)) as client:
            report = client.judge(
                Submission(language="python", source=source, tests=_TESTS, limits=limits)
            )
    assert report.verdict is Verdict.RUNTIME_ERROR, report
    assert "more processes than allowed" in report.message or "exit code 1" in report.message
