"""TRL's trainer for GRPO, where it asks its reward functions."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib.util
import inspect
import json
import logging
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.clients import Client, Served

CLIENT = Client(
    "trl",
    alone="torch and transformers are gigabytes; the method that calls reward functions is run as "
    "it stands in the trainer's file, with numpy's arrays for torch's",
    requirements=("numpy",),
)

_ROW = {"ground_truth": json.dumps({"inputs": ["1\n", "2\n"], "outputs": ["2\n", "4\n"]})}
_PROGRAMS = ("print(int(input()) * 2)", "print(2)", "import os; os._exit(0)")


def methods(path: str, *names: str) -> dict[str, Any]:
    """Functions of one of TRL's files, by name, which see numpy's arrays as torch's."""
    import numpy

    class Array(numpy.ndarray[Any, Any]):
        def all(self, dim: int | None = None, **_: Any) -> Any:  # type: ignore[override]
            return numpy.asarray(self).all(axis=dim).view(Array)

        def nonzero(self, **_: Any) -> Any:
            return numpy.asarray(self).nonzero()

    def tensor(values: Any, **_: Any) -> Any:
        return numpy.array(values, dtype="float32").view(Array)

    torch = SimpleNamespace(
        zeros=lambda rows, columns, **_: tensor(numpy.zeros((rows, columns))),
        tensor=tensor,
        isnan=numpy.isnan,
        nan=numpy.nan,
        float32="float32",
    )
    scope: dict[str, Any] = {
        "torch": torch,
        "nn": SimpleNamespace(Module=type("Module", (), {})),
        "asyncio": asyncio,
        "inspect": inspect,
        "functools": __import__("functools"),
        "Callable": Any,
        "profiling_context": lambda *_: contextlib.nullcontext(),
        "gather": lambda array: array,
        "logger": logging.getLogger("trl"),
    }
    for helper in ("get_callable_name", "is_async_callable"):
        _define("trainer/utils.py", helper, scope)
    for name in names:
        _define(path, name, scope)
    return scope


def _define(path: str, name: str, scope: dict[str, Any]) -> None:
    spec = importlib.util.find_spec("trl")
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse((Path(spec.origin).parent / path).read_text())
    found = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name
    )
    found.decorator_list = []
    exec(compile(ast.Module([found], []), path, "exec"), scope)


def rewards(*functions: Any) -> Any:
    """A matrix: one row a completion, one column a function."""
    scope = methods("trainer/grpo_trainer.py", "_calculate_rewards")
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    trainer = SimpleNamespace(
        accelerator=SimpleNamespace(device="cpu"),
        reward_funcs=list(functions),
        reward_processing_classes=[None] * len(functions),
        reward_func_names=[scope["get_callable_name"](one) for one in functions],
        state=SimpleNamespace(),
        environments=None,
        async_loop=loop,
        _log_completion_extra=lambda *_: None,
        _log_metric=lambda *_: None,
    )
    prompts = [[{"role": "user", "content": "Double a number."}]] * 4
    completions = [
        [{"role": "assistant", "content": f"```python\n{program}\n```"}]
        for program in (*_PROGRAMS, _PROGRAMS[0])
    ]
    rows = [{"prompt": prompts[0], **_ROW}] * 3 + [{"prompt": prompts[0], "ground_truth": None}]
    found = scope["_calculate_rewards"](trainer, rows, prompts, completions, [[1]] * 4)
    loop.call_soon_threadsafe(loop.stop)
    return found.tolist()


def check_rewards_of_conversations(served: Served) -> None:
    """`GRPOTrainer._calculate_rewards`: the plain and the awaited callable, and a row of none."""
    from scalebox.integrations.trl import AsyncCodeReward, CodeReward

    found = rewards(CodeReward(kind="fraction"), AsyncCodeReward(name="awaited"))
    assert found[:3] == [[1.0, 1.0], [0.5, 0.0], [0.0, 0.0]], found
    assert all(value != value for value in found[3]), found


def check_what_is_not_judged_is_nan(served: Served) -> None:
    """`GRPOTrainer._calculate_rewards` leaves out what ScaleBox could not judge."""
    from scalebox.integrations.trl import CodeReward

    found = rewards(CodeReward(deadline_s=0.001), lambda completions, **_: [0.25] * 4)
    assert [row[1] for row in found] == [0.25] * 4, found
    assert all(row[0] != row[0] for row in found), found
