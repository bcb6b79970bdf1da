"""Answers of models, and what is tested of them, for what takes both."""

from __future__ import annotations

SUM = "print(sum(map(int, input().split())))"
ADD = "class Solution:\n    def add(self, a, b):\n        return a + b"
STDIO = {"inputs": ["1 2\n", "20 22\n"], "outputs": ["3\n", "42\n"]}
CALLS = {"inputs": ["1\n2", "20\n22"], "outputs": ["3", "42"], "fn_name": "add"}


def said_by_a_model(code: str, language: str = "python") -> str:
    """An answer with some words around its code."""
    return f"<think>Let me add.</think>\nSo:\n```{language}\n{code}\n```\nThat is all."
