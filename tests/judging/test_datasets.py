"""Every right solution of the public assert-tested sets passes; none does with its bodies gone."""

from __future__ import annotations

import collections

import pytest

from . import datasets, runner


@pytest.mark.parametrize("name", datasets.available())
def test_right_solutions_pass_nearly_all_in_the_strong_form(name: str) -> None:
    tasks = datasets.tasks(name)
    assert tasks
    refused = []
    strong: collections.Counter[bool] = collections.Counter()
    for task in tasks:
        outcome = runner.judge_strong(task.solution, task.program, task.entry_point)
        strong[outcome.state == "passed"] += 1
        if outcome.state == "unproxiable":
            outcome = runner.judge_weak(task.solution, task.program, task.entry_point)
        if outcome.state != "passed":
            refused.append((task.name, outcome))
    assert refused == []
    share = strong[True] / len(tasks)
    assert share > (0.95 if name != "examples" else 0.5), share


@pytest.mark.parametrize("name", datasets.available())
def test_hollow_solutions_do_not_pass(name: str) -> None:
    passed = [
        task.name
        for task in datasets.tasks(name)
        if runner.judge(task.hollow, task.program, task.entry_point).state in ("passed", "invalid")
    ]
    assert passed == []


def test_our_own_examples_pass_in_the_weak_form_too() -> None:
    for task in datasets.tasks("examples"):
        outcome = runner.judge_weak(task.solution, task.program, task.entry_point)
        assert outcome.state == "passed", (task.name, outcome)
