"""Prime Intellect's verifiers: a reward for its tasks, and for the rubrics of its older versions.

In `verifiers.v1` a task's configuration plugs functions in by name (`rewards = {"solved" = {fn =
…}}`): `solved` is awaited with the parameters that it names, `task` (the task's data) and `trace`
(PrimeIntellect-ai/verifiers:verifiers/v1/task.py, `score`; v1/utils/decorators.py, `invoke`;
v1/configs/task.py).  What it raises becomes an error of the trace.

In versions that still have `verifiers.Rubric`, that calls its functions with `completion`,
`answer`, `info`, `state` and others (verifiers/rubrics/rubric.py, `_call_individual_reward_func`),
logs what they raise, and counts it as 0: there `rubric_reward` cannot keep a failure of ours from
being a wrong answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from scalebox.errors import BadRequestError
from scalebox.integrations.rollouts import Rollout, Settings, grade_async, language_in, settings_of
from scalebox.integrations.truths import truth_in_row

Reward = Callable[..., Awaitable[float]]


def task_reward(*, truth_field: str | None = None, **settings: Any) -> Reward:
    """A reward for tasks, to be plugged in or to be called by a task's own.

    Parameters:
        truth_field: the field of the task's data with the ground truth; None: one of the customary
            names.
        settings: those of `rollouts.Settings`.

    Raises:
        BadRequestError: a setting is unknown, or cannot be.
    """
    chosen = _settings(settings)

    async def solved(task: Any, trace: Any) -> float:
        """From 0 to 1, for the last reply of a trace.

        Raises:
            ScaleboxError: there is no reward.
        """
        row = task if isinstance(task, Mapping) else task.model_dump()
        truth = truth_in_row(row, truth_field)
        return await _reward(Rollout(trace.last_reply, truth, language_in(row)), chosen)

    return solved


def rubric_reward(*, truth_field: str | None = None, **settings: Any) -> Reward:
    """A reward for `Rubric(funcs=[…])`.

    Parameters:
        truth_field: the field of `info` with the ground truth; None: `info`'s, by one of the
            customary names, else `answer`.
        settings: those of `rollouts.Settings`.

    Raises:
        BadRequestError: a setting is unknown, or cannot be.
    """
    chosen = _settings(settings)

    async def solved(
        completion: Any, answer: Any = None, info: Mapping[str, Any] | None = None
    ) -> float:
        """From 0 to 1, for the last message of a completion.

        Raises:
            ScaleboxError: there is no reward.
        """
        row = info or {}
        truth = truth_in_row(row, truth_field)
        rollout = Rollout(completion, answer if truth is None else truth, language_in(row))
        return await _reward(rollout, chosen)

    return solved


def _settings(given: Mapping[str, Any]) -> Settings:
    chosen = settings_of(given)
    if chosen.internal_error == "none":
        raise BadRequestError("verifiers has no reward of None; internal_error: raise or zero")
    return chosen


async def _reward(rollout: Rollout, settings: Settings) -> float:
    return float((await grade_async([rollout], settings))[0].reward or 0.0)


#: With the settings as they are.
solved = task_reward()
