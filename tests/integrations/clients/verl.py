"""verl with its `custom_reward_function` set to ours, as its configuration sets it."""

from __future__ import annotations

import inspect
import json
import sys
from types import SimpleNamespace
from typing import Any

from bench.clients import Client, Served, import_alone

CLIENT = Client(
    "verl",
    alone="torch, ray and vLLM are gigabytes that its reward code never touches",
    requirements=("requests",),
)

_RIGHT = "```python\nprint(int(input()) * 2)\n```"
_PARTLY = "```python\nprint(2)\n```"
_CHEAT = "```python\nimport os\nos._exit(0)\n```"
_ROW = {
    "data_source": "codecontests",
    "ground_truth": json.dumps({"inputs": ["1\n", "2\n"], "outputs": ["2\n", "4\n"]}),
    "extra_info": {"index": 0, "num_turns": None, "rollout_reward_scores": {}},
}


def configured(**function: Any) -> Any:
    """What verl makes of `reward.custom_reward_function` in its configuration."""
    import_alone("verl.utils.import_utils")
    # Named in annotations alone; the real one is torch's.
    sys.modules["verl"].DataProto = object  # type: ignore[attr-defined]
    reward = import_alone("verl.trainer.ppo.reward")
    return reward.get_custom_reward_fn(SimpleNamespace(reward={"custom_reward_function": function}))


def check_a_plain_function_by_package_and_by_file(served: Served) -> None:
    """`get_custom_reward_fn` finds `compute_score` by package and by path, with `reward_kwargs`."""
    from scalebox.integrations import verl as ours

    for path in ("pkg://scalebox.integrations.verl", ours.__file__):
        score = configured(path=path, name="compute_score", reward_kwargs={"kind": "fraction"})
        found = [score(**_ROW, solution_str=answer) for answer in (_RIGHT, _PARTLY, _CHEAT)]
        assert found == [1.0, 0.5, 0.0], found


async def check_a_coroutine_function_is_awaited(served: Served) -> None:
    """`get_custom_reward_fn` takes `compute_score_async` for what it is."""
    score = configured(
        path="pkg://scalebox.integrations.verl",
        name="compute_score_async",
        reward_kwargs={"details": True},
    )
    assert inspect.iscoroutinefunction(score), score
    found = await score(**_ROW, solution_str=_RIGHT)
    assert (found["score"], found["verdict"]) == (1.0, "accepted"), found
