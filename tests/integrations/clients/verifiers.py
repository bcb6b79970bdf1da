"""Prime Intellect's `verifiers`: tasks and tasksets whose reward is ours."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bench.clients import Client, Served

CLIENT = Client("verifiers", requirement="verifiers>=0.4")

_TRUTH = json.dumps({"inputs": ["1\n", "2\n"], "outputs": ["2\n", "4\n"]})
_PROGRAMS = ("print(int(input()) * 2)", "print(2)", "import os; os._exit(0)")


async def scores(task: Any) -> list[float]:
    """What `Task.score` gives traces that end in each of the programs."""
    import verifiers.v1 as vf

    found = []
    for program in _PROGRAMS:
        trace = vf.Trace(
            task=vf.TraceTask(type=type(task).__name__, data=task.data),
            agent=vf.AgentInfo.model_construct(),
            root_reply=f"<think>Hm.</think>```python\n{program}\n```",
        )
        await task.score(trace)
        found.append(trace.reward)
    return found


async def check_a_reward_plugged_in_by_configuration(served: Served) -> None:
    """`Task.score` with `rewards` that name `solved`; what cannot be scored is a `TaskError`."""
    import verifiers.v1 as vf

    class Data(vf.TaskData):  # type: ignore[misc]
        ground_truth: str

    class Doubling(vf.Task[Data]):  # type: ignore[misc]
        pass

    plugged = {"solved": {"fn": "scalebox.integrations.verifiers:solved", "weight": 2.0}}
    config = vf.TaskConfig(rewards=plugged)
    found = await scores(Doubling(Data(prompt="Double.", ground_truth=_TRUTH), config))
    assert found == [2.0, 0.0, 0.0], found
    try:
        found = await scores(Doubling(Data(prompt="Double.", ground_truth="{"), config))
    except vf.TaskError:
        return
    raise AssertionError(found)


async def check_a_taskset_from_a_file(served: Served) -> None:
    """`CodeTaskset`: loaded from rows of JSON, its views, and `Task.score` with its settings."""
    from scalebox.integrations.verifiers_tasks import CodeConfig, CodeTaskConfig, CodeTaskset

    rows = [
        {"id": "texts", "prompt": "Double.", "ground_truth": _TRUTH},
        {
            "id": "cases",
            "prompt": [{"role": "user", "content": "Double."}],
            "tests": [{"input": "1", "output": "2"}, {"input": "2", "output": "4"}],
        },
    ]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "problems.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        task = CodeTaskConfig(settings={"kind": "fraction"})
        taskset = CodeTaskset(CodeConfig(dataset=path, task=task))
        tasks = list(taskset)
        assert [one.data.id for one in tasks] == ["texts", "cases"], tasks
        assert [one.data.idx for one in taskset.take(1)] == [0]
        for one in tasks:
            found = await scores(one)
            assert found == [1.0, 0.5, 0.0], found
