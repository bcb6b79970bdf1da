"""slime: `--custom-rm-path scalebox.integrations.slime.custom_rm`.

It is awaited with the arguments and one sample, or with a list of samples where rewards are made a
group at a time (THUDM/slime:slime/rollout/rm_hub/__init__.py, `async_rm`, `batched_async_rm`).  Of
a sample `response`, `label` and `metadata` are read (slime/utils/types.py, `Sample`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from scalebox.errors import BadRequestError
from scalebox.integrations.rollouts import Rollout, grade_async, language_in, settings_of
from scalebox.integrations.truths import truth_in_row

RewardModel = Callable[..., Awaitable[Any]]


def reward_model(**settings: Any) -> RewardModel:
    """A `custom_rm` with settings.

    Parameters:
        settings: those of `rollouts.Settings`; and `details`: True gives dictionaries with `score`
            and what else is known, for `--reward-key score`.

    Raises:
        BadRequestError: a setting is unknown, or cannot be.
    """
    details = bool(settings.pop("details", False))
    chosen = settings_of(settings)

    async def custom_rm(args: Any, samples: Any, **kwargs: Any) -> Any:
        """The reward of a sample, or the rewards of several.

        Parameters:
            args: slime's; not looked at.
            samples: one, or a list.

        Raises:
            ScaleboxError: there is no reward.
        """
        several = isinstance(samples, Sequence)
        rollouts = [_rollout(sample) for sample in (samples if several else [samples])]
        outcomes = await grade_async(rollouts, chosen)
        rewards = [
            {"score": outcome.reward, **outcome.details()} if details else outcome.reward
            for outcome in outcomes
        ]
        return rewards if several else rewards[0]

    return custom_rm


#: With the settings as they are.
custom_rm = reward_model()


def _rollout(sample: Any) -> Rollout:
    metadata = sample.metadata if isinstance(sample.metadata, Mapping) else {}
    truth = sample.label if sample.label is not None else truth_in_row(metadata)
    if truth is None:
        raise BadRequestError(
            "a sample has no ground truth: neither a label nor one in its metadata", field="label"
        )
    return Rollout(sample.response, truth, language_in(metadata))
