"""rLLM: a reward function for its environments.

`SingleTurnEnvironment` and others call it with `task_info=` and `action=` and read `reward`,
`is_correct` and `metadata` from the `RewardOutput` that comes back
(rllm-org/rllm:rllm/rewards/reward_fn.py, `RewardFunction`; rllm/rewards/reward_types.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scalebox.errors import BadRequestError
from scalebox.integrations.rollouts import Rollout, grade, language_in, settings_of
from scalebox.integrations.truths import truth_in_row


@dataclass(slots=True, kw_only=True)
class RewardOutput:
    """What a reward function of rLLM returns; the fields are those of rLLM's own.

    Attributes:
        reward: from 0 to 1.
        metadata: what else is known.
        is_correct: whether every case was accepted.
    """

    reward: float
    metadata: dict[str, Any] = field(default_factory=dict)
    is_correct: bool | None = None


class CodeReward:
    """A reward function.

    Parameters:
        truth_column: the field of a task that holds the ground truth; None: one of the customary
            names.
        settings: those of `rollouts.Settings`.

    Raises:
        BadRequestError: a setting is unknown, or cannot be.
    """

    def __init__(self, *, truth_column: str | None = None, **settings: Any) -> None:
        self._truth_column = truth_column
        self._settings = settings_of(settings)
        if self._settings.internal_error == "none":
            raise BadRequestError("rLLM has no reward of None; internal_error: raise or zero")

    def __call__(self, task_info: Mapping[str, Any], action: Any, **kwargs: Any) -> RewardOutput:
        """The reward of an action: a text, or an object whose `action` is one.

        Raises:
            ScaleboxError: there is no reward.
        """
        answer = getattr(action, "action", action)
        truth = truth_in_row(task_info, self._truth_column)
        rollout = Rollout(answer, truth, language_in(task_info))
        outcome = grade([rollout], self._settings)[0]
        return RewardOutput(
            reward=float(outcome.reward or 0.0),
            metadata=outcome.details(),
            is_correct=outcome.accepted,
        )
