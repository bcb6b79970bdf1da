"""HumanEval's and Hugging Face's calls, over a real daemon."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.errors import BadRequestError
from scalebox.integrations import code_eval, human_eval, inprocess
from tests.judging.datasets import data_folder

PROBLEM = {
    "task_id": "own/1",
    "prompt": 'def double(n):\n    """Twice n."""\n',
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 6\n",
}
#: The test computes with what it is given, which an object of the submission's can take part in.
TRUSTING = {**PROBLEM, "test": "def check(candidate):\n    assert abs(candidate(2) - 4) < 1e-6\n"}
OBLIGING = (
    "    class Near:\n"
    "        def __sub__(self, other): return self\n"
    "        def __abs__(self): return 0\n"
    "    return Near()\n"
)


def check(completion: str, problem: dict[str, str] = PROBLEM, **options: Any) -> dict[str, Any]:
    return human_eval.check_correctness(problem, completion, 3.0, 7, **options)


def test_a_right_completion_passes(client: Client) -> None:
    assert check("    return 2 * n\n", client=client) == {
        "task_id": "own/1",
        "passed": True,
        "result": "passed",
        "completion_id": 7,
        "integrity": "strong",
    }


@pytest.mark.parametrize(
    ("completion", "words"),
    [
        ("    return n\n", "failed: "),
        ("    return n +\n", "failed: "),
        ("    raise KeyError('none')\n", "failed: "),
        ("    import sys; sys.exit(0)\n", "failed: "),
        ("    while True: pass\n", "timed out"),
    ],
)
def test_a_wrong_completion_does_not(completion: str, words: str, client: Client) -> None:
    result = human_eval.check_correctness(PROBLEM, completion, 1.0, client=client)
    assert not result["passed"]
    assert result["result"].startswith(words)
    assert result["completion_id"] is None


def test_a_pass_on_the_programs_own_word_says_so_and_can_be_refused(client: Client) -> None:
    result = check(OBLIGING, TRUSTING, client=client)
    assert (result["passed"], result["integrity"]) == (True, "weak")
    result = check(OBLIGING, TRUSTING, client=client, weak="reject")
    assert (result["passed"], result["integrity"]) == (False, "weak")
    assert check("    return 2 * n\n", TRUSTING, client=client, weak="reject")["passed"]


def test_a_test_that_does_not_compile_is_no_failure_of_the_program(client: Client) -> None:
    with pytest.raises(BadRequestError, match="cannot decide"):
        check("    return 2 * n\n", {**PROBLEM, "test": "def check("}, client=client)


def test_the_daemon_is_named_once_a_process(client: Client) -> None:
    inprocess.use(client.address)
    try:
        assert check("    return 2 * n\n")["passed"]
        assert inprocess.client_or_shared(None) is inprocess.client_or_shared(None)
    finally:
        inprocess.use()


async def test_the_same_for_asyncio_programs(client: Client) -> None:
    async with AsyncClient(client.address) as awaited:
        for body, passed in (("return 2 * n", True), ("return n", False)):
            result = await human_eval.async_check_correctness(
                PROBLEM, f"    {body}\n", 3.0, 1, client=awaited
            )
            assert (result["passed"], result["completion_id"]) == (passed, 1)
            program = f"def double(n): {body}"
            reference = "assert double(2) == 4"
            result = await code_eval.async_check_correctness(program, reference, client=awaited)
            assert result["passed"] is passed


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return str(path)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_file_of_samples_is_judged(ending: str, client: Client, tmp_path: Path) -> None:
    problems = write(tmp_path / f"problems.jsonl{ending}", [PROBLEM])
    bodies = ["    return n + n\n", "    return n\n", "    return n << 1\n", "    return None\n"]
    rows = [{"task_id": "own/1", "completion": body, "mine": 1} for body in bodies]
    samples = write(tmp_path / f"samples.jsonl{ending}", rows)
    rates = human_eval.evaluate_functional_correctness(
        samples, [1, 2, 10], problem_file=problems, client=client
    )
    assert rates == pytest.approx({"pass@1": 0.5, "pass@2": 5 / 6})
    written = [
        json.loads(line) for line in Path(f"{samples}_results.jsonl").read_text().splitlines()
    ]
    assert [row["passed"] for row in written] == [True, False, True, False]
    assert [row["result"] == "passed" for row in written] == [True, False, True, False]
    assert all(row["mine"] == 1 for row in written)


def test_problems_without_samples_are_told(client: Client, tmp_path: Path) -> None:
    other = {**PROBLEM, "task_id": "own/2"}
    problems = write(tmp_path / "problems.jsonl", [PROBLEM, other])
    rows = [{"task_id": "own/1", "completion": "    return 2 * n\n"}]
    samples = write(tmp_path / "samples.jsonl", rows)
    arguments = {"problem_file": problems, "client": client}
    with pytest.raises(BadRequestError, match="no sample of own/2"):
        human_eval.evaluate_functional_correctness(samples, [1], **arguments)
    assert human_eval.evaluate_functional_correctness(
        samples, [1], ignore_incomplete=True, **arguments
    ) == {"pass@1": 1.0}
    samples = write(tmp_path / "samples.jsonl", [{"task_id": "own/3", "completion": ""}])
    with pytest.raises(BadRequestError, match="no problem own/3"):
        human_eval.evaluate_functional_correctness(samples, [1], **arguments)


def test_reference_solutions_of_humaneval_pass(client: Client) -> None:
    path = data_folder() / "HumanEval.jsonl.gz"
    rows = [PROBLEM | {"canonical_solution": "    return 2 * n\n"}]
    if path.is_file():
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()][::8]
    failed = [
        (row["task_id"], result)
        for row in rows
        if not (
            result := human_eval.check_correctness(
                row, row["canonical_solution"], 10.0, client=client
            )
        )["passed"]
    ]
    assert failed == []


def test_code_eval_computes_rates_and_results(client: Client) -> None:
    programs = [
        ["def add(a, b): return a * b", "def add(a, b): return a + b"],
        ["def add(a, b): return a + b", "raise KeyError"],
    ]
    references = ["assert add(2, 3) == 5", "assert add(1, 1) == 2\nassert add(0, 1) == 1"]
    rates, results = code_eval.compute(programs, references, k=[1, 2, 3], client=client)
    assert rates == pytest.approx({"pass@1": 0.5, "pass@2": 1.0})
    assert [[(number, one["passed"]) for number, one in results[task]] for task in (0, 1)] == [
        [(0, False), (1, True)],
        [(0, True), (1, False)],
    ]
    assert results[0][1][1] == {
        "task_id": 0,
        "passed": True,
        "result": "passed",
        "completion_id": 1,
        "integrity": "strong",
    }


def test_each_task_needs_its_reference(client: Client) -> None:
    with pytest.raises(ValueError, match="zip"):
        code_eval.compute([["x = 1"]], [], client=client)
