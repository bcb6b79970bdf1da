"""SkyRL: an environment of one turn for `skyrl_gym`.

`skyrl_gym.make` calls the class with `env_config=` and `extras=`, the row's other columns, and
wants a `BaseTextEnv`; a step takes the answer and returns observations, reward and whether it is
done; a reward must be a number (NovaSky-AI/SkyRL:skyrl-gym/skyrl_gym/envs/registration.py,
base_text_env.py, envs/lcb/env.py; skyrl/train/generators/skyrl_gym_generator.py).  So what keeps a
rollout from its reward is raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scalebox.errors import BadRequestError
from scalebox.integrations.rollouts import Outcome, Rollout, grade, language_in, settings_of
from scalebox.integrations.truths import truth_in_row

try:
    import skyrl_gym
    from skyrl_gym.envs.base_text_env import BaseTextEnv
except ImportError as error:
    raise ImportError(
        "scalebox.integrations.skyrl needs the package skyrl-gym: pip install skyrl-gym"
    ) from error


class CodeEnv(BaseTextEnv):
    """One problem: a single answer, and its reward.

    Parameters:
        env_config: the trainer's; not looked at.
        extras: the row: `reward_spec` with `ground_truth`, or another of the customary names.
        settings: those of `rollouts.Settings`, from `register`.

    Raises:
        BadRequestError: the row has no ground truth, or a setting cannot be.
    """

    def __init__(
        self, env_config: Any = None, extras: Mapping[str, Any] | None = None, **settings: Any
    ) -> None:
        super().__init__()
        row = extras or {}
        self._truth = truth_in_row(row)
        if self._truth is None:
            raise BadRequestError(
                f"no ground truth in the row's columns {', '.join(row) or '(none)'}",
                field="reward_spec",
            )
        self._language = language_in(row)
        self._settings = settings_of(settings)
        if self._settings.internal_error == "none":
            raise BadRequestError("SkyRL has no reward of None; internal_error: raise or zero")
        self._outcome = Outcome(0.0)

    def step(self, action: str) -> dict[str, Any]:
        """Judge the answer; the episode is over.

        Raises:
            ScaleboxError: there is no reward.
        """
        self.turns += 1
        self._outcome = grade([Rollout(action, self._truth, self._language)], self._settings)[0]
        return {
            "observations": [],
            "reward": float(self._outcome.reward or 0.0),
            "done": True,
            "metadata": {"parsed_code": self._outcome.code, **self._outcome.details()},
        }

    def get_metrics(self) -> dict[str, Any]:
        """Numbers of this episode, which SkyRL averages."""
        details = self._outcome.details()
        return {name: details[name] for name in ("acc", "has_code")}


def register(id: str = "scalebox", **settings: Any) -> None:
    """Make the environment known to `skyrl_gym`, to be named in the data's `env_class`.

    Parameters:
        id: its name.
        settings: those of `rollouts.Settings`.

    Raises:
        BadRequestError: a setting is unknown, or cannot be.
    """
    settings_of(settings)
    skyrl_gym.register(id=id, entry_point=f"{__name__}:CodeEnv", kwargs=settings)
