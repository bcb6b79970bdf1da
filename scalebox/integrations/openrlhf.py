"""OpenRLHF: `reward_func` for `--reward.remote_url FILE.py`.

It is called in a thread, for one rollout at a time, with `queries` (prompt and answer as one text,
special tokens included), `prompts` and `labels`; `rewards`, `scores` and `extra_logs` are read from
what it returns (OpenRLHF/OpenRLHF:openrlhf/utils/agent.py, `SingleTurnAgentExecutor`), where
`rewards` and `scores` are numbers that are made tensors of, and each of `extra_logs` too
(openrlhf/trainer/ppo_utils/samples_generator.py).  What it raises is logged there, and the rollout
goes on without a reward.  The remote server's form of the same is the protocol `openrlhf` of the
daemon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scalebox.errors import BadRequestError
from scalebox.integrations.rollouts import Rollout, grade, settings_of

RewardFunction = Callable[..., dict[str, Any]]
#: So much of a prompt's end says where the answer begins, if the tokenizer changed its start.
_TAIL = 200


def reward_function(**settings: Any) -> RewardFunction:
    """A `reward_func` with settings.

    Parameters:
        settings: those of `rollouts.Settings`.

    Raises:
        BadRequestError: a setting is unknown, or cannot be.
    """
    chosen = settings_of(settings)

    def reward_func(
        queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any], **kwargs: Any
    ) -> dict[str, Any]:
        """The rewards of some rollouts.

        Parameters:
            queries: prompts with their answers.
            prompts: the prompts alone.
            labels: the ground truths, as `truths.truth_of` takes them.

        Returns:
            `rewards` and `scores`: a number if there is one rollout, else a list.

        Raises:
            ScaleboxError: there is no reward.
        """
        rollouts = [
            Rollout(answer_in(query, prompt), label)
            for query, prompt, label in zip(queries, prompts, labels, strict=True)
        ]
        outcomes = grade(rollouts, chosen)
        rewards = [outcome.reward for outcome in outcomes]
        logs = {
            name: [outcome.details()[name] for outcome in outcomes] for name in ("acc", "has_code")
        }
        if len(rollouts) == 1:
            return {
                "rewards": rewards[0],
                "scores": rewards[0],
                "extra_logs": {name: values[0] for name, values in logs.items()},
            }
        return {"rewards": rewards, "scores": rewards, "extra_logs": logs}

    return reward_func


#: With the settings as they are.
reward_func = reward_function()


def answer_in(query: str, prompt: str) -> str:
    """The answer in a text that begins with its prompt.

    Raises:
        BadRequestError: the prompt is not in it, and code in the prompt could be taken for the
            answer's.
    """
    place = query.find(prompt)
    if place >= 0:
        return query[place + len(prompt) :]
    tail = prompt.rstrip()[-_TAIL:]
    place = query.find(tail)
    if tail and place >= 0:
        return query[place + len(tail) :]
    raise BadRequestError("a query does not hold its prompt, so its answer cannot be told from it")
