"""HumanEval+ and MBPP+: rows, joining, expected outputs by reference solutions, and grades."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scalebox.client.aio import AsyncClient
from scalebox.integrations import evalplus_sets
from scalebox.model import Verdict
from scalebox.suite.benchmarks.mbpp_inputs import turned_back
from scalebox.suite.config import JudgeConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.tasks import Grade
from tests.suite.benchmarks.data import of_rows, sample

ROW: dict[str, Any] = {
    "task_id": "HumanEval/0",
    "prompt": "import math\n\ndef root(n):\n    ''' Its root. '''\n",
    "entry_point": "root",
    "canonical_solution": "    return math.sqrt(n)\n",
    "base_input": [[4.0], [9.0]],
    "plus_input": [[2.0], [16.0], [0.25]],
    "atol": 0,
}


def test_inputs_are_turned_back() -> None:
    assert turned_back("Mbpp/2", [[[1], [2]]]) == [[(1,), (2,)]]
    assert turned_back("Mbpp/115", [[[[1], [], 2]]]) == [[[{1}, {}, {}]]]
    assert turned_back("Mbpp/124", [["1", "1j"]]) == [(1.0, 1j)]
    assert turned_back("Mbpp/259", [[[[1], [2]], [[3]]]]) == [[((1,), (2,)), ((3,),)]]
    assert turned_back("Mbpp/722", [[{"a": [1]}, 2]]) == [[{"a": (1,)}, 2]]
    assert turned_back("Mbpp/580", [[[1, [2]]]]) == [((1, (2,)),)]
    assert turned_back("Mbpp/3", [[[1]]]) == [[[1]]]
    assert turned_back("own", [[[1]]]) == [[[1]]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompt": None}, "'prompt' is NoneType"),
        ({"base_input": [], "plus_input": {}}, "no input to test with"),
        ({"base_input": [3]}, "no list of lists"),
        ({"plus_input": "[[1]]"}, "no list of lists"),
        ({"atol": "0"}, "'atol' is str"),
    ],
)
def test_rows_that_are_none_are_refused(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=words):
        of_rows("humaneval+", [{**ROW, **change}], tmp_path)


def test_rows_of_the_hub_have_no_inputs_and_the_way_out_is_said(tmp_path: Path) -> None:
    rows = [{name: value for name, value in ROW.items() if "input" not in name}]
    with pytest.raises(SuiteError, match=r"no rows of an EvalPlus release.*releases of evalplus"):
        of_rows("humaneval+", rows, tmp_path)


def test_inputs_of_another_form_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="not of the task's form"):
        of_rows("mbpp+", [{**ROW, "task_id": "Mbpp/2"}], tmp_path)


async def graded(opened: AsyncClient, code: str, folder: Path, **judge: Any) -> Grade:
    benchmark = of_rows("humaneval+", [ROW], folder, judge=JudgeConfig(**judge))
    await benchmark.prepare(opened)
    (task,) = benchmark.tasks
    program = benchmark.program(task, sample(task, code, "completion"))
    assert program is not None
    return await benchmark.grade(opened, task, program)


async def test_base_and_plus_are_counted_apart(opened: AsyncClient, tmp_path: Path) -> None:
    right = await graded(opened, "    return n ** 0.5 + 1e-9", tmp_path)
    assert (right.verdict, right.passed, right.total) == (Verdict.ACCEPTED, 5, 5)
    assert right.parts == {"base": True, "plus": True}
    whole = await graded(opened, "    return float(round(n ** 0.5))", tmp_path)
    assert (whole.verdict, whole.passed, whole.total) == (Verdict.WRONG_ANSWER, 3, 5)
    assert whole.parts == {"base": True, "plus": False}
    assert whole.failing is not None
    shown = whole.failing
    assert (shown.name, shown.input, shown.got) == ("plus 0", "2.0", "1.0")
    assert shown.expected == "1.4142135623730951"
    early = await graded(
        opened, "    return float(round(n ** 0.5))", tmp_path, stop="first_failure"
    )
    assert (early.passed, early.total, early.parts) == (2, 5, whole.parts)


@pytest.mark.parametrize(
    ("code", "verdict", "passed"),
    [
        ("    return (", Verdict.COMPILE_ERROR, 0),
        ("    return n.root", Verdict.RUNTIME_ERROR, 0),
        ("    pass", Verdict.WRONG_ANSWER, 0),
        ("    if n == 9: import os; os._exit(0)\n    return n ** 0.5", Verdict.RUNTIME_ERROR, 0),
        ("    raise SystemExit(0)", Verdict.RUNTIME_ERROR, 0),
        ("    while n == 9: pass\n    return n ** 0.5", Verdict.TIME_LIMIT_EXCEEDED, 4),
        (
            "    class Yes(float):\n        def __eq__(self, other): return True\n    return Yes()",
            Verdict.WRONG_ANSWER,
            0,
        ),
        ("    return n ** 0.5\nroot = 3", Verdict.RUNTIME_ERROR, 0),
        ("    return n ** 0.5\ndel root", Verdict.RUNTIME_ERROR, 0),
    ],
)
async def test_wrong_programs_are_rejected(
    code: str, verdict: Verdict, passed: int, opened: AsyncClient, tmp_path: Path
) -> None:
    grade = await graded(opened, code, tmp_path)
    assert (grade.verdict, grade.passed, grade.total) == (verdict, passed, 5)
    assert grade.parts == {"base": False, "plus": False}


async def test_records_of_the_programs_own_gain_nothing(
    opened: AsyncClient, tmp_path: Path
) -> None:
    code = (
        "    import os\n"
        "    for fd in range(3, 20):\n"
        '        try: os.write(fd, b\'{"test": 0, "values": [{"digest": 1}]}\\n{"set": 1}\\n\')\n'
        "        except OSError: pass\n"
        "    os._exit(0)\n"
    )
    grade = await graded(opened, code, tmp_path)
    assert grade.verdict is Verdict.WRONG_ANSWER
    assert grade.passed == 0


ENDS_BETWEEN_SETS = """\
    import os, sys
    Channel = sys._getframe(1).f_globals["Channel"]
    send = Channel.send
    def ending(self, **record):
        if "set" in record or "done" in record:
            os._exit(0)
        send(self, **record)
    Channel.send = ending
    return n ** 0.5
"""


@pytest.mark.parametrize(
    ("code", "passed", "base"),
    [
        ("    return n ** 0.5", 5, True),
        ("    return float(round(n ** 0.5))", 2, True),
        ("    if n == 0.25: raise ValueError\n    return n ** 0.5", 4, True),
        ("    return 2.0", 1, False),
        ("    return (", 0, False),
        ("    if n == 9: import os; os._exit(0)\n    return n ** 0.5", 0, False),
        (ENDS_BETWEEN_SETS, 2, True),
    ],
)
async def test_a_run_for_each_set_says_the_same_as_one_for_both(
    code: str,
    passed: int,
    base: bool,
    opened: AsyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grades = []
    for longest_s in (float("inf"), 0.0):
        monkeypatch.setattr(evalplus_sets, "_LONG_S", longest_s)
        grade = await graded(opened, code, tmp_path, stop="first_failure")
        grades.append(replace(grade, cpu_time_s=0.0, wall_time_s=0.0))
    assert grades[0] == grades[1]
    assert (grades[0].passed, grades[0].total) == (passed, 5)
    assert grades[0].parts == {"base": base, "plus": passed == 5}


async def test_who_stops_at_the_first_failure_is_spared_a_long_second_set(
    opened: AsyncClient, tmp_path: Path
) -> None:
    long = ROW | {"canonical_solution": "    for i in range(int(n)): n += i - i\n    return n\n"}
    benchmark = of_rows(
        "humaneval+",
        [long | {"base_input": [[2.0]], "plus_input": [[3e7]]}],
        tmp_path,
        judge=JudgeConfig(stop="first_failure"),
    )
    await benchmark.prepare(opened)
    (task,) = benchmark.tasks
    assert task.canonical is not None
    right = await benchmark.grade(opened, task, task.canonical)
    assert (right.verdict, right.passed) == (Verdict.ACCEPTED, 2)
    wrong = await benchmark.grade(opened, task, f"{task.canonical}    # no\n".replace("i - i", "1"))
    assert wrong.parts == {"base": False, "plus": False}
    assert (wrong.passed, wrong.total) == (0, 2)
    assert wrong.cpu_time_s < 0.2 * right.cpu_time_s


LONG = {
    **ROW,
    "prompt": "def numbers(n):\n",
    "entry_point": "numbers",
    "canonical_solution": "    return list(range(n))\n",
    "base_input": [[5000]],
    "plus_input": [[3], [4000]],
}


async def test_long_values_are_equal_by_their_digests(opened: AsyncClient, tmp_path: Path) -> None:
    benchmark = of_rows("humaneval+", [LONG], tmp_path)
    await benchmark.prepare(opened)
    (task,) = benchmark.tasks
    verdicts = {
        "    return [float(i) if i % 2 else i for i in range(n)]": Verdict.ACCEPTED,
        "    return [-0.0 if i == 0 else i for i in range(n)]": Verdict.ACCEPTED,
        "    return [-0.0 if i == 1 else i for i in range(n)]": Verdict.WRONG_ANSWER,
        "    return tuple(range(n))": Verdict.WRONG_ANSWER,
        "    return list(range(n - 1)) + [0]": Verdict.WRONG_ANSWER,
        "    return 'a' * n": Verdict.WRONG_ANSWER,
        "    return None": Verdict.WRONG_ANSWER,
    }
    for code, verdict in verdicts.items():
        grade = await benchmark.grade(opened, task, LONG["prompt"] + code)
        assert (code, grade.verdict) == (code, verdict)
    assert grade.failing is not None
    assert "5000 items" in (grade.failing.expected or "")


async def test_a_reference_solution_that_fails_is_told(opened: AsyncClient, tmp_path: Path) -> None:
    row = {**ROW, "canonical_solution": "    return n[0]\n"}
    benchmark = of_rows("humaneval+", [row], tmp_path)
    with pytest.raises(SuiteError, match="reference solution of HumanEval/0 fails: TypeError"):
        await benchmark.prepare(opened)


@pytest.mark.parametrize("longest_s", [float("inf"), 0.0])
async def test_after_an_error_no_call_is_made_where_the_first_failure_ends_it(
    longest_s: float, opened: AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evalplus_sets, "_LONG_S", longest_s)
    # Whoever calls it for each set, or each input, waits for more than one limit.
    early = await graded(opened, "    while True: pass", tmp_path, stop="first_failure")
    assert early.verdict is Verdict.TIME_LIMIT_EXCEEDED
    assert (early.passed, early.total) == (0, 5)
    assert early.parts == {"base": False, "plus": False}
    assert early.cpu_time_s < 1.6


async def test_what_is_printed_in_one_call_is_not_there_in_the_next(
    opened: AsyncClient, tmp_path: Path
) -> None:
    code = (
        "    import sys\n"
        "    if sys.stdout.getvalue(): return 0.0\n"
        "    print(n)\n"
        "    if n == 9.0: sys.stdout.close()\n"
        "    if n == 2.0: sys.stderr = None\n"
        "    return n ** 0.5"
    )
    grade = await graded(opened, code, tmp_path)
    assert (grade.verdict, grade.passed) == (Verdict.ACCEPTED, 5)


async def test_large_numbers_in_long_values_are_told_apart(
    opened: AsyncClient, tmp_path: Path
) -> None:
    row = LONG | {
        "canonical_solution": "    return [2**53 + 1, 2**50, -(2**52)] + list(range(n))\n",
        "plus_input": [[3]],
    }
    benchmark = of_rows("humaneval+", [row], tmp_path)
    await benchmark.prepare(opened)
    (task,) = benchmark.tasks
    rest = " + list(range(n))"
    verdicts = {
        "    return [2**53 + 1, 2**50, -(2**52)] + [*range(n)]": Verdict.ACCEPTED,
        f"    return [2**53, 2**50, -(2**52)]{rest}": Verdict.WRONG_ANSWER,
        f"    return [2**53 + 1, 2**50 + 1, -(2**52)]{rest}": Verdict.WRONG_ANSWER,
        f"    return [2**53 + 1, 2**50, 2**52]{rest}": Verdict.WRONG_ANSWER,
        f"    return [2**2000, 2**50, -(2**52)]{rest}": Verdict.WRONG_ANSWER,
        f"    return [float('nan'), 2**50, -(2**52)]{rest}": Verdict.WRONG_ANSWER,
    }
    for code, verdict in verdicts.items():
        grade = await benchmark.grade(opened, task, row["prompt"] + code)
        assert (code, grade.verdict) == (code, verdict)


async def test_near_the_limit_of_what_a_float_counts_equal_numbers_are_equal(
    opened: AsyncClient, tmp_path: Path
) -> None:
    row = LONG | {"canonical_solution": "    return [2**53, -(2**49), 1] + list(range(n))\n"}
    benchmark = of_rows("humaneval+", [row | {"plus_input": [[3]]}], tmp_path)
    await benchmark.prepare(opened)
    (task,) = benchmark.tasks
    for first, verdict in {
        "2.0**53, -(2.0**49)": Verdict.ACCEPTED,
        "2.0**53, -(2.0**49) + 0.5": Verdict.WRONG_ANSWER,
    }.items():
        code = f"    return [{first}, True] + list(range(n))"
        grade = await benchmark.grade(opened, task, row["prompt"] + code)
        assert (code, grade.verdict) == (code, verdict)
