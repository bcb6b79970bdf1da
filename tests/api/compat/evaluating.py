"""What asks the evaluation endpoints as their clients do."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any


def ask(url: str, body: Any = None, *, timeout_s: float = 60) -> tuple[int, Any]:
    """Ask over a new connection; status and answer.

    Parameters:
        url: where.
        body: sent as JSON; None: it is a GET.
        timeout_s: of the connection.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def body_of(code: str, cases: Any, *, language: str = "python", **extra: Any) -> dict[str, Any]:
    """A body as icip-cas/ScaleBox:deploy/a_plus_b.py sends it."""
    return {
        "completion": f"```{language}\n{code}\n```",
        "config": {
            "language": language,
            "compile_timeout": 10,
            "run_timeout": 10,
            "provided_data": {"test_cases": cases},
            "extra": extra,
        },
    }


def stdio(*pairs: tuple[str, str]) -> dict[str, Any]:
    """Cases of `stdin_stdout`."""
    return {
        "type": "stdin_stdout",
        "input": [one for one, _ in pairs],
        "output": [other for _, other in pairs],
        "fn_name": None,
    }


def passed(answer: Any) -> list[bool]:
    """Which tests are."""
    return [test["passed"] for test in answer["tests"]]
