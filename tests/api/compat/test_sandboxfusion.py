"""SandboxFusion's `/run_code`, asked as its clients ask."""

from __future__ import annotations

import json
import urllib.request
from typing import Any


def run_code(url: str, **body: Any) -> dict[str, Any]:
    """Ask as verl does: a new connection, JSON."""
    asked = urllib.request.Request(
        f"{url}/sandboxfusion/run_code",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Accept": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status == 200
        said: dict[str, Any] = json.load(answer)
    return said


def test_a_program_that_ends_well(url: str) -> None:
    said = run_code(
        url,
        code="print(int(input()) * 2)",
        stdin="21\n",
        language="python",
        compile_timeout=10,
        run_timeout=10,
        memory_limit_MB=1024,
        files={},
        fetch_files=[],
    )
    assert said["status"] == "Success"
    assert said["compile_result"] is None
    assert said["run_result"]["status"] == "Finished"
    assert said["run_result"]["return_code"] == 0
    assert said["run_result"]["stdout"] == "42\n"


def test_a_program_that_fails(url: str) -> None:
    said = run_code(url, code="raise SystemExit(3)", language="python", stdin=None)
    assert said["status"] == "Failed"
    assert said["run_result"]["status"] == "Finished"
    assert said["run_result"]["return_code"] == 3
