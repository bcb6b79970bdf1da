"""Asking `/run_code` as verl does: a new connection for each request, JSON."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.daemons import PATIENCE_S


def ask(url: str, body: Any) -> tuple[int, Any]:
    """Status and answer; the body is sent as it is if it is bytes."""
    asked = urllib.request.Request(
        f"{url}/sandboxfusion/run_code",
        body if isinstance(body, bytes) else json.dumps(body).encode(),
        {"Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


def run_code(url: str, **body: Any) -> dict[str, Any]:
    """The answer of a request that is one."""
    status, said = ask(url, body)
    assert status == 200, said
    assert set(said) == {
        "status", "message", "compile_result", "run_result", "executor_pod_name", "files",
    }  # fmt: skip
    return dict(said)
