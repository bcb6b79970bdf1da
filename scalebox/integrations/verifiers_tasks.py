"""A taskset of programming problems for `verifiers.v1`, from a file of rows, scored by ScaleBox.

verifiers looks a taskset up by the name of an importable top-level module whose `__all__` has one
`Taskset` (PrimeIntellect-ai/verifiers:verifiers/v1/utils/loaders.py), so a module of the user's own
imports `CodeTaskset` from here.  Tasks of a taskset and their configuration:
verifiers/v1/taskset.py, task.py, configs/taskset.py, configs/task.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scalebox.client.problems import read_rows
from scalebox.errors import BadRequestError
from scalebox.integrations.truths import truth_in_row
from scalebox.integrations.verifiers import task_reward

try:
    import verifiers.v1 as vf
except ImportError as error:
    raise ImportError(
        "scalebox.integrations.verifiers_tasks needs the package verifiers, with its `verifiers.v1`"
    ) from error

__all__ = ["CodeTaskset"]


class CodeTaskConfig(vf.TaskConfig):
    """How the tasks are scored.

    Attributes:
        settings: those of `rollouts.Settings`, by name.
    """

    settings: dict[str, Any] = {}  # noqa: RUF012 (pydantic copies it for each instance)


class CodeConfig(vf.TasksetConfig):
    """Where the tasks come from.

    Attributes:
        dataset: a file of rows: `.jsonl`, `.jsonl.gz`, `.json` or `.parquet`.
        prompt_column: holds what the model is asked, a text or messages.
        truth_column: holds the ground truths; unset: one of the customary names.
        task: how they are scored.
    """

    dataset: Path
    prompt_column: str = "prompt"
    truth_column: str | None = None
    task: CodeTaskConfig = CodeTaskConfig()


class CodeData(vf.TaskData):
    """A problem.

    Attributes:
        ground_truth: what `truths.truth_of` reads, as text.
        language: of the program; unset: the settings'.
    """

    ground_truth: str
    language: str | None = None


class CodeTask(vf.Task[CodeData, vf.State, CodeTaskConfig]):
    """A problem, with one reward."""

    @vf.reward
    async def solved(self, trace: Any) -> float:
        """From 0 to 1, for the program in the last reply.

        Raises:
            ScaleboxError: there is no reward.
        """
        reward = task_reward(truth_field="ground_truth", **self.config.settings)
        return await reward(self.data, trace)


class CodeTaskset(vf.Taskset[CodeTask, CodeConfig]):
    """The problems of a file."""

    def load(self) -> Iterator[CodeTask]:
        """Its tasks, in the file's order.

        Raises:
            ProblemFileError: the file cannot be read.
            BadRequestError: a row has no prompt or no ground truth, or a setting cannot be.
        """
        config = self.config
        task_reward(**config.task.settings)
        for row in read_rows(config.dataset):
            truth = truth_in_row(row.data, config.truth_column)
            prompt = row.data.get(config.prompt_column)
            if truth is None or prompt is None:
                missing = config.prompt_column if prompt is None else "ground truth"
                raise BadRequestError(f"{row.where} has no {missing}", field=missing)
            data = CodeData(
                id=row.id,
                prompt=prompt,
                ground_truth=truth if isinstance(truth, str) else json.dumps(truth),
                language=row.data.get("language"),
            )
            yield CodeTask(data, config.task)
