"""ms-swift: outcome reward models for GRPO.

A plugin (`--external_plugins`) puts classes into `orms`; `--reward_funcs` names them.  ms-swift
makes one with `args=` and calls it with the completions' texts by position and the data set's
columns by keyword; None becomes nan; an object whose call is a coroutine function is awaited with
`asyncio.run` (modelscope/ms-swift:swift/rewards/orm.py, swift/rl_core/grpo_algorithm.py,
swift/rlhf_trainers/grpo_trainer.py).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, ClassVar

from scalebox.integrations.columns import Columns
from scalebox.integrations.rollouts import settings_of


class ScaleboxORM:
    """An outcome reward model; for other settings derive a class from it.

    Parameters:
        args: ms-swift's; not looked at.

    Attributes:
        truth_column: the column with the ground truths; None: one of the customary names.
        settings: those of `rollouts.Settings`, by name.
    """

    truth_column: ClassVar[str | None] = None
    settings: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, args: Any = None, **kwargs: Any) -> None:
        self.args = args
        self._settings = settings_of(self.settings, internal_error="none")

    def __call__(self, completions: Sequence[Any], **columns: Any) -> list[float | None]:
        """One reward a completion; None: its row has no ground truth, or we failed.

        Raises:
            BadRequestError: no row has a ground truth.
        """
        return Columns(completions, columns, self.truth_column).rewards(self._settings)


class AsyncScaleboxORM(ScaleboxORM):
    """The same as a coroutine function, which ms-swift awaits beside other such."""

    async def __call__(  # type: ignore[override]
        self, completions: Sequence[Any], **columns: Any
    ) -> list[float | None]:
        """As `ScaleboxORM`."""
        return await Columns(completions, columns, self.truth_column).rewards_async(self._settings)


def register(orms: MutableMapping[str, Any], name: str = "scalebox", **settings: Any) -> None:
    """Put both into ms-swift's table, as `name` and `async_` before it.

    Parameters:
        orms: `swift.rewards.orms` (older: `swift.plugin.orms`).
        name: for `--reward_funcs`.
        settings: those of `rollouts.Settings`, and `truth_column`.

    Raises:
        BadRequestError: a setting is unknown, or cannot be.
    """
    column = settings.pop("truth_column", None)
    settings_of(settings)
    fields = {"truth_column": column, "settings": settings}
    orms[name] = type("ScaleboxORM", (ScaleboxORM,), fields)
    orms[f"async_{name}"] = type("AsyncScaleboxORM", (AsyncScaleboxORM,), fields)
