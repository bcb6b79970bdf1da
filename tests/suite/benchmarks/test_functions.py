"""HumanEval, MBPP and MultiPL-E: tested by programs that assert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.model import Verdict
from scalebox.suite.errors import SuiteError
from tests.suite.benchmarks.data import canonical, of_rows, sample

HUMANEVAL: dict[str, Any] = {
    "task_id": "HumanEval/0",
    "prompt": "import math\n\ndef root(n):\n    ''' Its root. '''\n",
    "entry_point": "root",
    "canonical_solution": "    return math.sqrt(n)\n",
    "test": "def check(candidate):\n    assert candidate(4) == 2\n",
}
MBPP: dict[str, Any] = {
    "task_id": 11,
    "text": "Write a function to square.",
    "code": "def square(x):\r\n  return x * x",
    "test_list": ["assert square(2) == 4", "assert square(3) == 9"],
    "test_setup_code": "",
    "challenge_test_list": [],
}
RUST: dict[str, Any] = {
    "name": "HumanEval_0_square",
    "language": "rs",
    "prompt": "fn square(x: isize) -> isize {\n",
    "tests": "}\n\nfn main() {\n    assert_eq!(square(3), 9);\n}\n",
    "stop_tokens": ["\n}"],
}


def test_sanitized_rows_of_mbpp_are_read(tmp_path: Path) -> None:
    row = {**MBPP, "prompt": MBPP["text"], "test_imports": ["import math"]}
    del row["text"], row["test_setup_code"]
    (task,) = of_rows("mbpp", [row], tmp_path).tasks
    assert "Write a function to square." in task.prompt
    assert task.groups == {"part": "test"}


@pytest.mark.parametrize(
    ("name", "row", "words"),
    [
        ("humaneval", {**HUMANEVAL, "test": 1}, "'test' is int"),
        ("humaneval", {"task_id": "a"}, "'prompt' is missing"),
        ("humaneval", {**HUMANEVAL, "test": "x = 1"}, "asserts nothing"),
        ("mbpp", {**MBPP, "task_id": "11"}, "'task_id' is no number"),
        ("mbpp", {**MBPP, "test_list": []}, "without any case|without any"),
        ("mbpp", {**MBPP, "test_list": [3]}, "no list of texts"),
        ("mbpp", {**MBPP, "test_list": ["pass"]}, "asserts nothing"),
    ],
)
def test_rows_that_are_none_are_refused(
    name: str, row: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SuiteError, match=words):
        of_rows(name, [row], tmp_path)


@pytest.mark.parametrize(
    ("change", "config", "words"),
    [
        ({}, {}, "needs a `language`"),
        ({}, {"language": "cobol"}, "no language 'cobol'"),
        ({}, {"language": "rust", "subset": "apps"}, "no subset 'apps'"),
        ({"tests": " "}, {"language": "rust"}, "no test"),
        ({"stop_tokens": "}"}, {"language": "rust"}, "no list of texts"),
    ],
)
def test_what_multipl_e_has_not_is_said(
    change: dict[str, Any], config: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SuiteError, match=words):
        of_rows("multipl-e", [{**RUST, **change}], tmp_path, **config)


async def test_functions_are_judged_by_their_asserts(opened: AsyncClient, tmp_path: Path) -> None:
    benchmark = of_rows("humaneval", [HUMANEVAL], tmp_path)
    (task,) = benchmark.tasks
    answers = {
        "```python\ndef root(n):\n    return math.sqrt(n)\n```": Verdict.ACCEPTED,
        "```python\ndef root(n):\n    return n\n```": Verdict.WRONG_ANSWER,
        "```python\nimport os\nos._exit(0)\n```": Verdict.RUNTIME_ERROR,
        "```python\nclass Y:\n    def __eq__(s, o): return True\ndef root(n): return Y()\n```": (
            Verdict.WRONG_ANSWER
        ),
    }
    for text, verdict in answers.items():
        program = benchmark.program(task, sample(task, text, "answer"))
        assert program is not None
        grade = await benchmark.grade(opened, task, program)
        assert (text, grade.verdict) == (text, verdict)
        if grade.failing is not None:
            assert "candidate(4) == 2" in (grade.failing.input or "")


async def test_lines_may_end_in_crlf(opened: AsyncClient, tmp_path: Path) -> None:
    benchmark = of_rows("mbpp", [MBPP], tmp_path)
    (task,) = benchmark.tasks
    grade = await benchmark.grade(opened, task, canonical(benchmark, task))
    assert (grade.verdict, grade.passed, grade.total) == (Verdict.ACCEPTED, 2, 2)
    wrong = await benchmark.grade(opened, task, "def square(x):\n    return 4")
    assert (wrong.verdict, wrong.passed, wrong.total) == (Verdict.WRONG_ANSWER, 1, 2)


async def test_other_languages_are_closed_by_their_tests(
    opened: AsyncClient, tmp_path: Path
) -> None:
    benchmark = of_rows("multipl-e", [RUST], tmp_path, language="rust")
    (task,) = benchmark.tasks
    continued = benchmark.program(task, sample(task, "    x * x\n}\nfn other() {", "completion"))
    assert continued == "fn square(x: isize) -> isize {\n    x * x"
    message = "Here:\n```rust\nfn square(x: isize) -> isize {\n    x * x\n}\nfn main() {}\n```"
    answered = benchmark.program(task, sample(task, message, "answer"))
    hollow = RUST["prompt"] + "    x + 1"
    for program, verdict in (
        (continued, Verdict.ACCEPTED),
        (answered, Verdict.ACCEPTED),
        (hollow, Verdict.RUNTIME_ERROR),
    ):
        assert program is not None
        grade = await benchmark.grade(opened, task, program)
        assert (program, grade.verdict is Verdict.ACCEPTED) == (
            program, verdict is Verdict.ACCEPTED,
        )  # fmt: skip
