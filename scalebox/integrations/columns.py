"""Reward functions over columns, as TRL and ms-swift call them: completions, and the data set's
columns by name, each repeated once a completion.

A row without a ground truth gets None, which these trainers take as "this function has nothing to
say"; so a data set can mix programs with other problems.  What ScaleBox failed to judge gets None,
too, unless it is told otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scalebox.errors import BadRequestError
from scalebox.integrations.rollouts import Rollout, Settings, grade, grade_async, language_in
from scalebox.integrations.truths import truth_in_row


class Columns:
    """The rollouts of one call, and where their rewards go.

    Parameters:
        completions: texts, or conversations.
        columns: by name; those that are no lists of that length are the trainer's, not the data's.
        truth_column: which one holds the ground truths; None: one of the customary names.

    Raises:
        BadRequestError: no row has a ground truth.
    """

    def __init__(
        self, completions: Sequence[Any], columns: Mapping[str, Any], truth_column: str | None
    ) -> None:
        self._count = len(completions)
        rows = [
            {name: column[place] for name, column in columns.items() if self._is_column(column)}
            for place in range(self._count)
        ]
        truths = [truth_in_row(row, truth_column) for row in rows]
        if rows and all(truth is None for truth in truths):
            raise BadRequestError(
                f"no ground truth in the columns {', '.join(sorted(rows[0])) or '(none)'}; "
                "name the one that holds it (truth_column), and have the trainer keep it "
                "(TRL, ms-swift: remove_unused_columns=False)"
            )
        self._places = [place for place, truth in enumerate(truths) if truth is not None]
        self._rollouts = [
            Rollout(completions[place], truths[place], language_in(rows[place]))
            for place in self._places
        ]

    def rewards(self, settings: Settings) -> list[float | None]:
        """One a completion.  Raises as `grade` does."""
        return self._spread([one.reward for one in grade(self._rollouts, settings)])

    async def rewards_async(self, settings: Settings) -> list[float | None]:
        """As `rewards`."""
        return self._spread([one.reward for one in await grade_async(self._rollouts, settings)])

    def _spread(self, found: Sequence[float | None]) -> list[float | None]:
        rewards: list[float | None] = [None] * self._count
        for place, reward in zip(self._places, found, strict=True):
            rewards[place] = reward
        return rewards

    def _is_column(self, value: Any) -> bool:
        return (
            isinstance(value, Sequence) and not isinstance(value, str) and len(value) == self._count
        )
