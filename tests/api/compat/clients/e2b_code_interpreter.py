"""`e2b-code-interpreter`: open-r1's routed client makes its `Execution` of the answer."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from bench.clients import Client, Served

CLIENT = Client("e2b-code-interpreter")


def _executions(url: str, scripts: list[str]) -> list[Any]:
    """As huggingface/open-r1:src/open_r1/utils/routed_sandbox.py has it."""
    from e2b_code_interpreter.models import Execution, ExecutionError, Result

    body = {
        "scripts": scripts,
        "languages": ["python"] * len(scripts),
        "timeout": 30,
        "request_timeout": 28,
    }
    asked = urllib.request.Request(
        f"{url}/open_r1/execute_batch",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(asked, timeout=120) as answer:
        items = json.load(answer)
    executions = []
    for item in items:
        told = item["execution"]
        executions.append(
            Execution(
                results=[Result(**result) for result in told["results"]],
                logs=told["logs"],
                error=ExecutionError(**told["error"]) if told["error"] else None,
                execution_count=told["execution_count"],
            )
        )
    return executions


def check_rewards(served: Served) -> None:
    """`Execution.text` is the value of a script's last expression; a script that fails has none."""
    reward, silent, failed = _executions(served.url, ["x = 1\nx / 2", "print(1)", "1 / 0"])
    assert float(reward.text) == 0.5, reward
    assert silent.text is None, silent
    assert failed.text is None, failed
    assert failed.error.name == "ZeroDivisionError", failed
