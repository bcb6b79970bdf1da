"""TRL: reward functions for `GRPOTrainer` and its relatives.

They are called with `prompts`, `completions`, `completion_ids`, the data set's columns, and
`trainer_state`, `log_extra` and `log_metric`, all by keyword; None becomes nan, which TRL leaves
out of the sum (huggingface/trl:trl/trainer/grpo_trainer.py, `_calculate_rewards`).  Completions are
texts, or lists of messages where the prompts are conversations.  A coroutine function is awaited
beside the others.  A reward function may be a picklable object (trl/trainer/utils.py,
`get_callable_name`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scalebox.integrations.columns import Columns
from scalebox.integrations.rollouts import settings_of


class CodeReward:
    """A reward function.

    Parameters:
        truth_column: the column with the ground truths; None: one of the customary names
            (`ground_truth`, `verification_info`, `reward_model`, `tests`, `input_output`,
            `test_list`, …).
        name: under which TRL logs it.
        settings: those of `rollouts.Settings`; `internal_error` is `none` unless it is given.

    Raises:
        BadRequestError: a setting is unknown, or cannot be.
    """

    def __init__(
        self, *, truth_column: str | None = None, name: str = "scalebox", **settings: Any
    ) -> None:
        self.__name__ = name
        self._truth_column = truth_column
        self._settings = settings_of(settings, internal_error="none")

    def __call__(
        self, prompts: Sequence[Any] = (), completions: Sequence[Any] = (), **columns: Any
    ) -> list[float | None]:
        """One reward a completion; None: its row has no ground truth, or we failed.

        Raises:
            BadRequestError: no row has a ground truth.
        """
        return Columns(completions, columns, self._truth_column).rewards(self._settings)


class AsyncCodeReward(CodeReward):
    """The same as a coroutine function, which TRL awaits beside other such functions."""

    async def __call__(  # type: ignore[override]
        self, prompts: Sequence[Any] = (), completions: Sequence[Any] = (), **columns: Any
    ) -> list[float | None]:
        """As `CodeReward`."""
        found = Columns(completions, columns, self._truth_column)
        return await found.rewards_async(self._settings)
