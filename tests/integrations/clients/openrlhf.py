"""OpenRLHF's executor of single turns, with our file as its `--reward.remote_url`."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from bench.clients import Client, Served, import_alone

CLIENT = Client(
    "openrlhf",
    alone="torch, ray, vLLM and DeepSpeed are gigabytes that its executor never touches",
    requirements=("aiohttp",),
)

PROMPT = "<|user|>Double a number.<|assistant|>"
LABEL = json.dumps({"inputs": ["1\n", "2\n"], "outputs": ["2\n", "4\n"]})


class Letters:
    """A tokenizer whose tokens are characters."""

    def __call__(self, *, text: str, **_: Any) -> dict[str, Any]:
        return {"input_ids": [SimpleNamespace(tolist=lambda: list(map(ord, text)))]}

    def decode(self, tokens: list[int], *, skip_special_tokens: bool) -> str:
        return "".join(map(chr, tokens))


class Says:
    """An engine that gives one answer."""

    def __init__(self, answer: str) -> None:
        self._tokens = list(map(ord, f"{answer}<|im_end|>"))

    async def generate(self, *_: Any, **__: Any) -> Any:
        output = SimpleNamespace(token_ids=self._tokens, finish_reason="stop", logprobs=None)
        return SimpleNamespace(outputs=[output])


async def check_rewards_of_whole_turns(served: Served) -> None:
    """`SingleTurnAgentExecutor.execute`, from prompt to reward, with our `reward_func`."""
    from scalebox.integrations import openrlhf as ours

    agent = import_alone("openrlhf.utils.agent")
    executor = agent.SingleTurnAgentExecutor(remote_rm_url=[ours.__file__])
    sampling = SimpleNamespace(max_tokens=1000, logprobs=None)
    rewards = {}
    for program in ("print(int(input()) * 2)", "print(2)", "import os; os._exit(0)"):
        engine = Says(f"```python\n{program}\n```")
        turn = await executor.execute(PROMPT, LABEL, sampling, 4000, Letters(), engine)
        assert turn["reward"] == turn["scores"] == turn["extra_logs"]["acc"], turn
        rewards[program] = turn["reward"]
    assert list(rewards.values()) == [1.0, 0.0, 0.0], rewards
