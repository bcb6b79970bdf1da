"""`skyrl-gym`, SkyRL's environments, with ours registered among them."""

from __future__ import annotations

import json

from bench.clients import Client, Served

CLIENT = Client("skyrl-gym")

_SPEC = {"ground_truth": json.dumps({"inputs": ["1\n", "2\n"], "outputs": ["2\n", "4\n"]})}


def check_episodes_of_a_registered_environment(served: Served) -> None:
    """`register`, `make`, `init`, `step`, `get_metrics`, `aggregate_metrics`, `close`."""
    import skyrl_gym
    from skyrl_gym.metrics import aggregate_for_environment

    from scalebox.integrations import skyrl as ours

    ours.register("scalebox", kind="fraction")
    metrics, rewards = [], []
    for program in ("print(int(input()) * 2)", "print(2)", "import os; os._exit(0)"):
        env = skyrl_gym.make("scalebox", env_config={}, extras={"reward_spec": _SPEC})
        prompt = [{"role": "user", "content": "Double a number."}]
        assert env.init(prompt) == (prompt, {})
        step = env.step(f"```python\n{program}\n```")
        assert (step["observations"], step["done"]) == ([], True), step
        rewards.append(step["reward"])
        metrics.append(env.get_metrics())
        env.close()
    assert rewards == [1.0, 0.5, 0.0], rewards
    found = aggregate_for_environment("scalebox", metrics)
    assert found == {"acc": 1 / 3, "has_code": 1.0}, found


def check_an_infrastructure_failure_is_no_reward(served: Served) -> None:
    """`step` raises where the program was not judged, and a row without tests is refused."""
    import skyrl_gym

    import scalebox
    from scalebox.integrations import skyrl as ours

    ours.register("late", deadline_s=0.001)
    env = skyrl_gym.make("late", env_config={}, extras={"reward_spec": _SPEC})
    for function, argument in ((env.step, "```python\nprint(1)\n```"), (ours.CodeEnv, {})):
        try:
            found = function(argument)
        except scalebox.ScaleboxError:
            continue
        raise AssertionError(found)
