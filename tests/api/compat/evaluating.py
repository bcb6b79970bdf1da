"""What the evaluation endpoints are asked, and what is read of their answers."""

from __future__ import annotations

from typing import Any


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


SUM = "a, b = map(int, input().split())\nprint(a + b)"
SUMS = stdio(("1 2", "3"), ("3 4", "7"))
ADD = {
    "type": "function_call", "fn_name": "add", "json_input": False,
    "input": [[1, 2], [3, 4]], "output": [[3], [7]],
}  # fmt: skip
CHECK = {
    "type": "assert",
    "test": "def check(candidate):\n    assert candidate(6) == False\n    assert candidate(101)\n",
    "entry_point": "is_prime",
}
IS_PRIME = "def is_prime(n):\n    return n > 1 and all(n % i for i in range(2, n))"
