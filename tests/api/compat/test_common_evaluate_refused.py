"""What the evaluation endpoints refuse, and what they bear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.compat.asking import ask
from tests.api.compat.evaluating import ADD, CHECK, SUM, SUMS, body_of, stdio


@pytest.fixture(scope="module")
def batch(url: str) -> str:
    return f"{url}/common_evaluate/common_evaluate_batch"


UNITTEST = """
import unittest

class Sums(unittest.TestCase):
    def test_one(self):
        self.assertEqual(add(1, 2), 3)

if __name__ == "__main__":
    unittest.main()
"""


def _config(**changes: Any) -> dict[str, Any]:
    body = body_of(SUM, SUMS)
    body["config"] |= changes
    return body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"config": {}}, "completion"),
        (_config(language=None), "config.language"),
        (_config(language="klingon"), "klingon"),
        (_config(language="k" * 1_000_000), "name of a language"),
        (_config(provided_data=None), "provided_data"),
        (_config(provided_data={}), "test_cases"),
        (body_of(SUM, []), "no test cases"),
        (body_of(SUM, {"type": "riddle", "input": ["1"], "output": ["1"]}), "riddle"),
        (body_of(SUM, {"type": "stdin_stdout", "input": ["1"], "output": []}), "0 outputs"),
        (body_of(SUM, {"type": "stdin_stdout", "input": [1], "output": ["1"]}), "input[0]"),
        (body_of(SUM, {**ADD, "fn_name": ""}), "fn_name"),
        (body_of(SUM, {**ADD, "fn_name": "f" * 1000}), "fn_name"),
        (body_of(SUM, {**ADD, "input": [1, 2]}), "arguments"),
        (body_of(SUM, {**ADD, "output": [[], []]}), "value"),
        (body_of(SUM, {**ADD, "json_input": True, "input": ["[", "["]}), "not valid JSON"),
        (body_of(SUM, {**ADD, "json_input": True, "input": ["[" * 50_000, "1"]}), "JSON"),
        (
            body_of(SUM, {**ADD, "json_input": True, "input": ['"\\ud800"', "1"]}),
            "not valid JSON",
        ),
        (body_of(SUM, {"type": "assert", "test": 5}), "test program"),
        (body_of(SUM, SUMS, special_judge_program=["x"]), "special_judge_program"),
        (_config(custom_extract_logic="1 / 0"), "ZeroDivisionError"),
        (_config(custom_extract_logic="submit_code_blocks([CodeBlock(1, code=5)])"), "no blocks"),
    ],
)
def test_what_cannot_be_judged_is_refused(batch: str, body: Any, words: str) -> None:
    status, answer = ask(batch, body)
    assert status == 422, answer
    assert words in json.dumps(answer["detail"])


@pytest.mark.parametrize(
    "test",
    [
        {"test": CHECK["test"]},
        {"test": "def test_f():\n    assert f()\n"},
        {"test": UNITTEST.partition("if __name__")[0]},
        {"test": "", "entry_point": "f"},
    ],
)
def test_a_test_program_that_anything_would_pass_decides_nothing(batch: str, test: Any) -> None:
    status, answer = ask(batch, body_of(SUM, {"type": "assert", **test}))
    assert status == 500, answer
    assert "anything would pass" in answer["detail"]


def test_a_test_program_may_run_its_tests_where_it_is_the_program(batch: str) -> None:
    for code, accepted in (
        ("def add(a, b): return a + b", True),
        ("def add(a, b): return 4", False),
    ):
        status, answer = ask(batch, body_of(code, {"type": "assert", "test": UNITTEST}))
        assert status == 200, answer
        assert answer["accepted"] is accepted


@pytest.mark.parametrize("number", [-1, 0, "nan", "inf", 1e300, -1e300, 1e-300, "5"])
def test_numbers_that_are_none_do_no_harm(batch: str, number: Any) -> None:
    body = body_of("pass", stdio(("", "")), total_timeout=number)
    body["config"] |= {"run_timeout": number, "compile_timeout": number}
    assert ask(batch, body)[0] == 200
    body["config"] |= {"run_timeout": 5, "memory_limit_mb": number}
    assert ask(batch, body)[0] == 200


def test_ping(url: str) -> None:
    assert ask(f"{url}/common_evaluate/v1/ping") == (200, "pong")


def test_no_file_of_the_machine_is_in_a_judges_reach(batch: str) -> None:
    judge = f"import sys\nsys.exit(0 if open({str(Path(__file__))!r}).read() else 1)"
    body = body_of("print(1)", stdio(("", "2")), special_judge_program=judge)
    status, answer = ask(batch, body)
    assert status == 500 or answer["accepted"] is False
