"""Prime Intellect's `verifiers`: a task whose reward is ours, plugged in by its configuration."""

from __future__ import annotations

import json
from typing import Any

from bench.clients import Client, Served

CLIENT = Client("verifiers", requirement="verifiers>=0.4")

_TRUTH = json.dumps({"inputs": ["1\n", "2\n"], "outputs": ["2\n", "4\n"]})


def trace_of(program: str) -> Any:
    """A rollout of one turn, as it is when it is scored."""
    import verifiers.v1 as vf

    trace = vf.Trace.model_construct()
    trace.__dict__["root_reply"] = f"```python\n{program}\n```"
    return trace


async def check_a_plugged_reward(served: Served) -> None:
    """`Task.score` with `solved` in the task's configuration: right, wrong, and leaving early."""
    import verifiers.v1 as vf
