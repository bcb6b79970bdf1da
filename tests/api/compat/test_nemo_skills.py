"""NeMo-Skills' sandbox: programs, and sessions of IPython."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from scalebox.api.compat.nemo_skills import Execute, of_proof
from scalebox.model import CompileResult, Enforcement, IsolationLevel, RunResult, RunStatus
from tests.api.compat.asking import answered, ask


def execute(url: str, code: str, *, session: str | None = None, **more: Any) -> dict[str, Any]:
    """As its client asks: the session in a header; and as it takes 502: a time that ran out."""
    body = {
        "generated_code": code,
        "std_input": "",
        "timeout": 10.0,
        "language": "ipython",
        "max_output_characters": 1000,
        "traceback_verbosity": "Plain",
        **more,
    }
    headers = {"Content-Type": "application/json"}
    if session is not None:
        headers["X-Session-ID"] = session
    asked = urllib.request.Request(f"{url}/nemo_skills/execute", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            said: dict[str, Any] = json.load(answer)
            return said
    except urllib.error.HTTPError as error:
        with error:
            if error.code != 502:
                raise
        return {"process_status": "timeout", "stdout": "", "stderr": "Client timed out\n"}


def test_a_session_goes_on(url: str) -> None:
    first = execute(url, "a = 1\nprint('once')", session="on")
    assert first == {
        "process_status": "completed",
        "stdout": "once\n",
        "stderr": "",
        "new_session_created": True,
    }
    second = execute(url, "a += 1\na", session="on")
    assert (second["stdout"], second["new_session_created"]) == ("2\n", False)
    other = execute(url, "a", session="another")
    assert (other["process_status"], other["new_session_created"]) == ("error", True)
    assert "NameError" in other["stdout"]
    third = execute(url, "a", session="on")
    assert third["stdout"] == "2\n"


def test_an_error_keeps_what_it_did_before(url: str) -> None:
    failed = execute(url, "b = 1\n1 / 0\nb = 2", session="error")
    assert failed["process_status"] == "error"
    assert failed["stdout"].startswith("Traceback (most recent call last)"), failed
    assert failed["stdout"].rstrip().endswith("ZeroDivisionError: division by zero")
    assert "\x1b" not in failed["stdout"]
    assert execute(url, "b", session="error")["stdout"] == "1\n"


def test_a_cell_that_takes_too_long_leaves_the_session_as_it_was(url: str) -> None:
    execute(url, "c = 1", session="late")
    late = execute(url, "c = 2\nwhile True: pass", session="late", timeout=1.0)
    assert late["process_status"] == "timeout"
    assert "timed out" in late["stderr"]
    assert execute(url, "c", session="late")["stdout"] == "1\n"


def test_a_session_that_ends_is_new_afterwards(url: str) -> None:
    execute(url, "d = 1", session="ends")
    ended = execute(url, "import os; os._exit(0)", session="ends")
    assert ended["process_status"] == "error"
    assert ended["new_session_created"] is True
    after = execute(url, "d", session="ends")
    assert (after["process_status"], after["new_session_created"]) == ("error", True)


def test_a_session_that_does_not_come_back_the_same_is_said_to_be_lost(url: str) -> None:
    chance = "import os\nassert os.urandom(1) < b'\\x80'"
    for _ in range(40):  # of ever more cells, each of which ends in one of two ways
        said = execute(url, chance, session="differs")
        if "its state is lost" in said["stderr"]:
            break
    assert (said["process_status"], said["new_session_created"]) == ("error", True), said
    assert execute(url, "2", session="differs")["new_session_created"] is True


def test_sessions_are_told_and_deleted(url: str) -> None:
    execute(url, "e = 1", session="kept")
    where = f"{url}/nemo_skills/sessions"
    told = answered(where)
    assert told["backend"] == "ipython"
    assert told["sessions"]["kept"]["alive"] is True
    status, said = ask(f"{where}/kept", method="DELETE")
    assert (status, said) == (200, {"message": "IPython session kept deleted successfully"})
    assert ask(f"{where}/kept", method="DELETE")[0] == 404
    assert execute(url, "e", session="kept")["new_session_created"] is True
    assert answered(f"{url}/nemo_skills/health")["status"] == "healthy"


def test_a_session_is_bounded(url: str) -> None:
    full = execute(url, "#" + "x" * (1 << 20), session="full")
    assert full["process_status"] == "error"
    assert (
        "begin another session"
        in execute(url, "#" + "x" * (1 << 20), session="full", max_output_characters=9999)["stderr"]
    )
    assert execute(url, "1", session="x" * 300)["process_status"] == "error"


def test_an_output_is_cut(url: str) -> None:
    said = execute(url, "print('x' * 5000)", max_output_characters=10)
    assert said["stdout"] == "x" * 10 + "<output cut>"


@pytest.mark.parametrize("language", ["python", "python3"])
def test_a_program(url: str, language: str) -> None:
    said = execute(url, "print(int(input()) * 2)", language=language, std_input="21")
    assert said == {"process_status": "completed", "stdout": "42\n", "stderr": ""}
    said = execute(url, "raise SystemExit('bad')", language=language)
    assert (said["process_status"], said["stderr"]) == ("completed", "bad\n")
    said = execute(url, "while True: pass", language=language, timeout=1.0)
    assert said["process_status"] == "timeout"


def test_a_shell_script(url: str) -> None:
    assert execute(url, "echo hi", language="shell")["stdout"] == "hi\n"
    said = execute(url, "echo hi; exit 3", language="shell")
    assert (said["process_status"], said["stdout"]) == ("error", "hi\n")


@pytest.mark.parametrize("language", ["pypy3", "cobol"])
def test_a_language_that_is_not_here(url: str, language: str) -> None:
    said = execute(url, "1", language=language)
    assert said["process_status"] == "error"
    assert language in said["stderr"]


def test_what_is_asked_wrongly(url: str) -> None:
    assert ask(f"{url}/nemo_skills/execute", {"timeout": 1})[0] == 400


def test_what_is_not_done_in_time_is_no_answer(url: str) -> None:
    """502 is what its client takes for a time that ran out: never for the program's error."""
    body = {"generated_code": "print(1)", "language": "python", "timeout": -5.0}
    status, said = ask(f"{url}/nemo_skills/execute", body)
    assert status == 502
    assert "client waits" in said["stderr"]


def proof(message: str, status: RunStatus = RunStatus.FINISHED, stdout: bytes = b"") -> Any:
    result = RunResult(
        status=status,
        isolation=IsolationLevel.FULL,
        enforcement=Enforcement.CGROUP2,
        compile=CompileResult(ok=status is RunStatus.FINISHED, message=message),
        stdout=stdout,
    )
    return of_proof(Execute(generated_code="", language="lean4"), result, 4096)


def test_a_proof_that_is_none_is_not_taken_for_one() -> None:
    """Lean only warns of `sorry`; what it says comes first, and is all there."""
    assert proof("").process_status == "completed"
    assert proof("error: no", RunStatus.COMPILE_ERROR).process_status == "failed"
    hidden = proof("x" * 3000 + "\nMain.lean:1:8: warning: declaration uses 'sorry'\n")
    assert "sorry" in hidden.stdout[:1000]
    assert proof("x" * 4096).process_status == "failed"
