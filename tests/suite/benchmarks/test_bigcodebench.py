"""BigCodeBench: what is read, what a program is joined of, and what tests beside it say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.model import Integrity, Limits, Verdict
from scalebox.suite.config import JudgeConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.tasks import Grade
from tests.suite.benchmarks.data import of_rows, sample

TESTS = """import unittest
from unittest.mock import patch

class TestCases(unittest.TestCase):
    def test_sum(self):
        self.assertEqual(task_func(2, 3), 5)
    @patch('os.getcwd')
    def test_place(self, place):
        place.return_value = '/here'
        self.assertEqual(task_func(0, 0), 0)
        self.assertAlmostEqual(task_func(1, 1), 2)
        place.assert_called()
"""
ROW: dict[str, Any] = {
    "task_id": "BigCodeBench/0",
    "complete_prompt": "import os\ndef task_func(a, b):\n    '''Sum, in os.getcwd().'''\n",
    "instruct_prompt": "Sum.\n",
    "code_prompt": "import os\ndef task_func(a, b):\n",
    "canonical_solution": "    os.getcwd()\n    return a + b\n",
    "test": TESTS,
    "entry_point": "task_func",
    "libs": "['os']",
}


def test_prompts_are_as_the_variant_says(tmp_path: Path) -> None:
    (complete,) = of_rows("bigcodebench", [ROW], tmp_path).tasks
    (instruct,) = of_rows("bigcodebench", [ROW], tmp_path, variant="instruct").tasks
    assert "'''Sum, in os.getcwd().'''\n```" in complete.instruction
    assert instruct.instruction.endswith("code block:\nSum.\n")
    with pytest.raises(SuiteError, match="no variant 'chat'"):
        of_rows("bigcodebench", [ROW], tmp_path, variant="chat")


def test_programs_stand_behind_the_code_prompt(tmp_path: Path) -> None:
    benchmark = of_rows("bigcodebench", [ROW], tmp_path)
    (task,) = benchmark.tasks
    body = "    return a + b\n\ndef main():\n    task_func()"
    program = benchmark.program(task, sample(task, body, "completion"))
    assert program is not None
    assert program.startswith(ROW["code_prompt"] + "\n    pass\n" + ROW["complete_prompt"])
    assert program.endswith("    return a + b\n")
    assert benchmark.program(task, sample(task, "I cannot do this.", "answer")) is None
    bare = of_rows("bigcodebench", [ROW], tmp_path, variant="complete-uncalibrated")
    assert bare.program(task, sample(task, "x = 1", "solution")) == "x = 1"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"test": "x ="}, "do not compile"),
        ({"test": "class Other: pass"}, "no class TestCases"),
        ({"test": "class TestCases:\n    def helper(self): pass"}, "has no test"),
        ({"test": 3}, "'test' is int"),
        ({"code_prompt": None}, "'code_prompt' is NoneType"),
    ],
)
def test_rows_that_are_none_are_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=words):
        of_rows("bigcodebench", [{**ROW, **change}], tmp_path)


def test_twins_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="there twice"):
        of_rows("bigcodebench", [ROW, ROW], tmp_path)


async def graded(opened: AsyncClient, body: str, folder: Path, **judge: Any) -> Grade:
    benchmark = of_rows("bigcodebench", [ROW], folder, judge=JudgeConfig(**judge))
    (task,) = benchmark.tasks
    program = benchmark.program(task, sample(task, body, "solution"))
    assert program is not None
    return await benchmark.grade(opened, task, program)


async def test_right_programs_are_accepted_and_the_grade_says_weak(
    opened: AsyncClient, tmp_path: Path
) -> None:
    grade = await graded(opened, ROW["complete_prompt"] + ROW["canonical_solution"], tmp_path)
    assert (grade.verdict, grade.passed, grade.total) == (Verdict.ACCEPTED, 2, 2)
    assert grade.integrity is Integrity.WEAK


async def test_the_failing_test_is_shown(opened: AsyncClient, tmp_path: Path) -> None:
    grade = await graded(opened, "def task_func(a, b): os.getcwd(); return a * b", tmp_path)
    assert (grade.verdict, grade.passed, grade.total) == (Verdict.WRONG_ANSWER, 0, 2)
    assert grade.failing is not None
    assert grade.failing.name == "test_place"
    assert "task_func(1, 1), 2" in (grade.failing.input or "")
    assert "AssertionError" in grade.failing.message
    assert "Traceback" in (grade.failing.error_output or "")


async def test_the_rest_is_left_out_after_a_failure_if_asked(
    opened: AsyncClient, tmp_path: Path
) -> None:
    code = "def task_func(a, b): return a + b"
    assert (await graded(opened, code, tmp_path)).passed == 1
    assert (await graded(opened, code, tmp_path, stop="first_failure")).passed == 0


RIGHT = "os.getcwd()\n    return a + b\n"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("def task_func(a, b) return", Verdict.COMPILE_ERROR),
        ("raise ValueError(3)", Verdict.RUNTIME_ERROR),
        ("def task_func(a, b): return a.b", Verdict.RUNTIME_ERROR),
        ("import os\nos._exit(0)", Verdict.RUNTIME_ERROR),
        ("import os\ndef task_func(a, b): os._exit(0)", Verdict.RUNTIME_ERROR),
        ("import sys\nsys.exit(0)", Verdict.RUNTIME_ERROR),
        ("def task_func(a, b): pass", Verdict.WRONG_ANSWER),
        (
            "class Yes:\n    def __eq__(self, other): return True\n"
            "def task_func(a, b):\n    os.getcwd()\n    return Yes()\n",
            Verdict.WRONG_ANSWER,
        ),
        (
            "import unittest.mock\n"
            "def task_func(a, b):\n    os.getcwd()\n    return unittest.mock.ANY\n",
            Verdict.WRONG_ANSWER,
        ),
        (
            "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\n"
            "unittest.TestResult.addFailure = lambda *a: None\n"
            "def task_func(a, b): os.getcwd(); return 9\n",
            Verdict.WRONG_ANSWER,
        ),
        (
            "import unittest\ndef task_func(a, b):\n"
            "    unittest.TestCase.assertEqual = lambda *a: None\n    return 5\n",
            Verdict.RUNTIME_ERROR,
        ),
        (
            "import os\nfor fd in range(3, 20):\n"
            "    try: os.write(fd, b'{\"done\": true, \"outside\": \"\"}\\n')\n"
            "    except OSError: pass\nos._exit(0)\n",
            Verdict.RUNTIME_ERROR,
        ),
    ],
)  # fmt: skip
async def test_wrong_programs_are_rejected(
    code: str, verdict: Verdict, opened: AsyncClient, tmp_path: Path
) -> None:
    grade = await graded(opened, code, tmp_path)
    assert grade.verdict is verdict
    assert grade.failing is not None
    again = await graded(opened, code, tmp_path)
    assert (again.verdict, again.passed, again.total) == (grade.verdict, grade.passed, grade.total)


async def test_a_slow_program_is_over_its_time(opened: AsyncClient, tmp_path: Path) -> None:
    code = "def task_func(a, b):\n    while True: pass\n"
    grade = await graded(opened, code, tmp_path, limits=Limits(cpu_time_s=1.0))
    assert grade.verdict is Verdict.TIME_LIMIT_EXCEEDED
    assert grade.failing is not None
    assert grade.failing.name == "test_place"
