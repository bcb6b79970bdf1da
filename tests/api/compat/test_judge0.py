"""Judge0 with `wait=true`, asked as ms-swift's reward and Judge0's documentation ask."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.api.compat.asking import answered, ask, leaving
from tests.api.compat.cheats import STDIO_CHEATS
from tests.api.compat.daemon import compat_daemon
from tests.daemons import until

PYTHON, CPP = 71, 54
SUM = "print(sum(map(int, input().split())))"


def submit(url: str, query: str = "wait=true", **body: Any) -> dict[str, Any]:
    """As ms-swift asks: a path with a slash at its end."""
    said: dict[str, Any] = answered(
        f"{url}/judge0/submissions/?{query}", {"language_id": PYTHON, **body}, status=201
    )
    return said


def verdict(url: str, source: str, **body: Any) -> tuple[int, str]:
    """What ms-swift's reward reads, and its number."""
    status = submit(url, source_code=source, **body)["status"]
    return status["id"], status["description"]


def test_what_ms_swift_asks(url: str) -> None:
    case = {"stdin": "20 22\n", "expected_output": "42"}
    assert verdict(url, SUM, **case) == (3, "Accepted")
    assert verdict(url, "print(41)", **case) == (4, "Wrong Answer")


def test_the_answer_in_full(url: str) -> None:
    said = submit(url, source_code="import sys\nprint(input())\nsys.stderr.write('e')", stdin="in")
    assert set(said) == {
        *("token", "time", "memory", "stdout", "stderr", "compile_output", "message", "status"),
    }
    assert (said["stdout"], said["stderr"]) == ("in\n", "e")
    assert said["compile_output"] is None
    assert float(said["time"]) >= 0
    assert said["status"] == {"id": 3, "description": "Accepted"}
    assert submit(url, source_code="pass")["stdout"] is None


def test_how_programs_end(url: str) -> None:
    assert verdict(url, "raise SystemExit(3)") == (11, "Runtime Error (NZEC)")
    for number, status in ((11, 7), (8, 9), (6, 10), (9, 12)):
        assert verdict(url, f"import os\nos.kill(os.getpid(), {number})")[0] == status
    assert verdict(url, "while True: pass", cpu_time_limit=0.5) == (5, "Time Limit Exceeded")
    said = submit(url, source_code="int main() { return }", language_id=CPP)
    assert said["status"]["description"] == "Compilation Error"
    assert "error" in said["compile_output"]
    assert said["time"] is None
    assert verdict(url, "x = bytearray(1 << 28)\nx[::4096] = b'x' * (1 << 16)")[0] in (11, 12)


def test_the_rule_for_outputs(url: str) -> None:
    for expected, right in (("a \nb\n\n", True), ("a\nb", True), (" a\nb", False), ("a b", False)):
        found = verdict(url, "print('a\\nb  \\n')", expected_output=expected)[0]
        assert (found == 3) is right, expected


def test_base64_both_ways(url: str) -> None:
    said = submit(
        url,
        "base64_encoded=true&wait=true",
        source_code=base64.b64encode(b"import sys\nsys.stdout.buffer.write(b'\\xff')").decode(),
    )
    assert base64.b64decode(said["stdout"]) == b"\xff"
    said = submit(url, source_code="import sys\nsys.stdout.buffer.write(b'\\xff')")
    assert "use base64_encoded=true" in said["error"]
    assert said["token"]


def test_chosen_fields(url: str) -> None:
    said = submit(url, "wait=true&fields=stdout,exit_code,status_id", source_code="print(1)")
    assert said == {"stdout": "1\n", "exit_code": 0, "status_id": 3}
    said = submit(url, "wait=true&fields=*", source_code="print(1)", stdin="in")
    assert (said["source_code"], said["stdin"]) == ("print(1)", "in")
    assert said["language"]["id"] == PYTHON


def test_arguments_and_joined_output(url: str) -> None:
    said = submit(
        url,
        source_code="import sys\nprint(sys.argv[1:])\nsys.stderr.write('e')",
        command_line_arguments="one 'two three'",
        redirect_stderr_to_stdout=True,
    )
    assert said["stdout"] == "['one', 'two three']\ne"
    assert said["stderr"] is None


def test_not_waiting_is_refused_with_the_reason(url: str) -> None:
    for query in ("", "wait=false"):
        status, said = ask(f"{url}/judge0/submissions?{query}", {"language_id": PYTHON})
        assert status == 400
        assert "only wait=true" in said["error"]
    assert ask(f"{url}/judge0/submissions/batch?wait=true", {"submissions": []})[0] == 400
    status, said = ask(f"{url}/judge0/submissions/some-token")
    assert status == 404
    assert "wait=true" in said["error"]


def test_refusals_in_judge0s_words(url: str) -> None:
    for body, field in (
        ({"source_code": "", "language_id": PYTHON}, "source_code"),
        ({"source_code": "x", "language_id": None}, "language_id"),
        ({"source_code": "x", "language_id": 4242}, "language_id"),
        (
            {"source_code": "x", "language_id": PYTHON, "compiler_options": "-O3"},
            "compiler_options",
        ),
        ({"source_code": "x", "language_id": PYTHON, "enable_network": True}, "enable_network"),
        ({"source_code": "x", "language_id": PYTHON, "cpu_time_limit": 1e9}, "cpu_time_limit"),
        ({"source_code": "x", "language_id": PYTHON, "memory_limit": 1}, "memory_limit"),
        (
            {"source_code": "x", "language_id": PYTHON, "command_line_arguments": "'"},
            "command_line_arguments",
        ),
    ):
        status, said = ask(f"{url}/judge0/submissions/?wait=true", body)
        assert status == 422
        assert set(said) == {field}
        assert isinstance(said[field][0], str)
    status, said = ask(f"{url}/judge0/submissions/?wait=true&fields=secrets", {})
    assert (status, said["error"]) == (400, "invalid fields: [secrets]")
    status, _ = ask(
        f"{url}/judge0/submissions/?wait=true&base64_encoded=true",
        {"source_code": "not base64", "language_id": PYTHON},
    )
    assert status == 422


def test_what_there_is(url: str) -> None:
    known = {one["id"]: one["name"] for one in answered(f"{url}/judge0/languages")}
    assert known[PYTHON] == "Python (3.8.1)"
    assert known[105] == "C++ (GCC 14.1.0)"
    assert answered(f"{url}/judge0/languages/71")["name"] == "Python (3.8.1)"
    assert ask(f"{url}/judge0/languages/43")[0] == 404
    assert {"id": 13, "description": "Internal Error"} in answered(f"{url}/judge0/statuses")
    assert "ScaleBox" in answered(f"{url}/judge0/about")["maintainer"]


@pytest.mark.parametrize("cheat", STDIO_CHEATS)
def test_cheats_earn_nothing(url: str, cheat: str) -> None:
    found = verdict(url, STDIO_CHEATS[cheat], stdin="20 22", expected_output="42")
    assert found[1] != "Accepted"


def test_an_overfull_queue_is_waited_for() -> None:
    with compat_daemon({"judge0": "/"}, engine={"max_queued_cases": 1}) as (daemon, url):
        path = f"{url}/submissions/?wait=true"
        endless = {"language_id": PYTHON, "source_code": "while True: pass", "cpu_time_limit": 1.5}
        with leaving(path, endless), leaving(path, endless):
            until(lambda: any(slot.state == "busy" for slot in daemon.status().slots))
            said = answered(path, {"language_id": PYTHON, "source_code": "print(1)"}, status=201)
        assert said["stdout"] == "1\n"
        assert daemon.wait_until_idle().queued_cases == 0
