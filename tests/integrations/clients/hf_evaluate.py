"""Hugging Face `evaluate`: our metric as one of its own."""

from __future__ import annotations

from bench.clients import Client, Served

CLIENT = Client("evaluate")


def check_the_metric(served: Served) -> None:
    """`evaluate.Metric.compute` and `add_batch`: the rates and results of `code_eval`."""
    from scalebox.integrations import code_eval

    references = ["assert add(2, 3) == 5"]
    programs = [
        ["def add(a, b): return a * b", "def add(a, b): return a + b", "import os; os._exit(0)"]
    ]
    metric = code_eval.metric()
    rates, results = metric.compute(references=references, predictions=programs, k=[1, 3])
    assert abs(rates["pass@1"] - 1 / 3) < 1e-9, rates
    assert rates["pass@3"] == 1.0, rates
    assert [one["passed"] for _, one in results[0]] == [False, True, False], results
    metric.add_batch(predictions=programs, references=references)
    rates, _ = metric.compute(k=[1], timeout=5.0, num_workers=2)
    assert abs(rates["pass@1"] - 1 / 3) < 1e-9, rates
