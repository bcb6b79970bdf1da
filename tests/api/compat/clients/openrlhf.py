"""OpenRLHF's executor of single turns, with a daemon's URL as its `--reward.remote_url`."""

from __future__ import annotations

from types import SimpleNamespace

from bench.clients import Served, import_alone
from tests.integrations.clients.openrlhf import CLIENT, LABEL, PROMPT, Letters, Says

__all__ = ["CLIENT"]


async def check_rewards_over_http(served: Served) -> None:
    """`SingleTurnAgentExecutor.execute`, from prompt to reward, asking a daemon over HTTP."""
    agent = import_alone("openrlhf.utils.agent")
    sampling = SimpleNamespace(max_tokens=1000, logprobs=None)
    rewards = {}
    executor = agent.SingleTurnAgentExecutor(remote_rm_url=[f"{served.url}/openrlhf"])
    for program in ("print(int(input()) * 2)", "print(2)", "import os; os._exit(0)"):
        engine = Says(f"```python\n{program}\n```")
        turn = await executor.execute(PROMPT, LABEL, sampling, 4000, Letters(), engine)
        # A list of one, as openrlhf.cli.serve_rm answers, is what it goes on with.
        assert turn["reward"] == turn["scores"], turn
        assert turn["extra_logs"] == {"has_code": [1.0]}, turn
        rewards[program] = turn["reward"]
    assert list(rewards.values()) == [[1.0], [0.0], [0.0]], rewards
