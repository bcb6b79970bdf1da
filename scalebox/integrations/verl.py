"""verl: `custom_reward_function` with its programs judged by ScaleBox.

`compute_score` and `compute_score_async` are called once a rollout, with keywords, by the reward
loop's managers (volcengine/verl:verl/experimental/reward_loop/reward_manager/naive.py, dapo.py,
remote.py; it awaits a coroutine function and calls a plain one in a thread, and `remote` takes
plain ones alone) and by the older managers naive and dapo (verl/workers/reward_manager/); the
older prime calls it with positions, in worker processes.  `compute_score_batch` is called once a
batch by the older batch manager.  Settings come as `reward_kwargs`.

The older prime manager turns exceptions and None into 0, whatever is set here; use another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scalebox.errors import BadRequestError
from scalebox.integrations.rollouts import (
    Outcome,
    Rollout,
    Settings,
    grade,
    grade_async,
    language_in,
    settings_of,
)

#: What verl passes on to every reward function, whether it has use for it or not
#: (verl/experimental/reward_loop/reward_manager/naive.py, verl/trainer/ppo/reward.py).
_NOT_OURS = frozenset(
    {
        "reward_router_address",
        "reward_model_tokenizer",
        "sandbox_fusion_url",
        "concurrent_semaphore",
        "memory_limit_mb",
    }
)

Score = float | dict[str, Any] | None


def compute_score(
    data_source: Any,
    solution_str: str,
    ground_truth: Any,
    extra_info: Any = None,
    *,
    details: bool = False,
    **settings: Any,
) -> Score:
    """The reward of one rollout.

    Parameters:
        data_source: which data set it is from; not looked at.
        solution_str: the model's answer.
        ground_truth: of `reward_model`, as `truths.truth_of` takes it.
        extra_info: of the row; a `language` in it is the program's.
        details: return a dictionary with `score` and what else is known (`acc`, `passed`, `total`,
            `has_code`, `verdict`), which verl logs.
        settings: those of `rollouts.Settings`.

    Raises:
        ScaleboxError: there is no reward, unless `internal_error` says what to give instead.
    """
    rollout = Rollout(solution_str, ground_truth, language_in(extra_info))
    return _score(grade([rollout], _settings(settings))[0], details)


async def compute_score_async(
    data_source: Any,
    solution_str: str,
    ground_truth: Any,
    extra_info: Any = None,
    *,
    details: bool = False,
    **settings: Any,
) -> Score:
    """As `compute_score`, for the managers that await: no thread waits for a rollout."""
    rollout = Rollout(solution_str, ground_truth, language_in(extra_info))
    return _score((await grade_async([rollout], _settings(settings)))[0], details)


def compute_score_batch(
    data_sources: Sequence[Any],
    solution_strs: Sequence[str],
    ground_truths: Sequence[Any],
    extra_infos: Sequence[Any] | None = None,
    *,
    details: bool = False,
    **settings: Any,
) -> list[Score]:
    """As `compute_score`, for the batch manager: all rollouts at once.

    Raises:
        BadRequestError: the lists are of different lengths.
    """
    extras = [None] * len(solution_strs) if extra_infos is None else extra_infos
    if not len(solution_strs) == len(ground_truths) == len(extras):
        raise BadRequestError(
            f"{len(solution_strs)} answers, {len(ground_truths)} ground truths, {len(extras)} infos"
        )
    rollouts = [
        Rollout(answer, truth, language_in(extra))
        for answer, truth, extra in zip(solution_strs, ground_truths, extras, strict=True)
    ]
    return [_score(outcome, details) for outcome in grade(rollouts, _settings(settings))]


def _settings(given: Mapping[str, Any]) -> Settings:
    return settings_of({name: value for name, value in given.items() if name not in _NOT_OURS})


def _score(outcome: Outcome, details: bool) -> Score:
    return {"score": outcome.reward, **outcome.details()} if details else outcome.reward
