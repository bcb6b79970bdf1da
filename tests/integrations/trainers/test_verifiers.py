"""The rewards as tasks and rubrics of verifiers call them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import pytest

from scalebox.errors import BadRequestError, InternalError
from scalebox.integrations.verifiers import rubric_reward, solved, task_reward
from tests.integrations.trainers.answers import HACKS, PARTLY, RIGHT, TRUTH, WRONG


@dataclass
class Trace:
    """What a reward reads of a trace (verifiers/v1/trace.py)."""

    last_reply: str


async def test_tasks_name_what_they_want_by_parameter(address: str) -> None:
    assert list(inspect.signature(solved).parameters) == ["task", "trace"]
    task = {"prompt": "Add one.", "ground_truth": TRUTH}
    assert await solved(task=task, trace=Trace(RIGHT)) == 1.0
    assert await solved(task=task, trace=Trace(WRONG)) == 0.0
    part = task_reward(kind="fraction", truth_field="mine")
    assert await part(task={"mine": TRUTH}, trace=Trace(PARTLY)) == 1 / 3


async def test_rubrics_give_completion_answer_and_info(address: str) -> None:
    reward = rubric_reward()
    available: dict[str, Any] = {"completion": [{"role": "assistant", "content": RIGHT}]}
    assert await reward(**available, answer=TRUTH, info={}) == 1.0
    assert await reward(**available, answer="", info={"ground_truth": TRUTH}) == 1.0
    assert await reward(completion=WRONG, answer=TRUTH) == 0.0


async def test_what_we_failed_to_judge_is_raised_and_hacks_earn_nothing(address: str) -> None:
    task = {"ground_truth": TRUTH}
    with pytest.raises(InternalError):
        await task_reward(deadline_s=0.001)(task, Trace(RIGHT))
    with pytest.raises(BadRequestError, match="NoneType"):
        await solved({"prompt": "Add one."}, Trace(RIGHT))
    with pytest.raises(BadRequestError, match="raise or zero"):
        task_reward(internal_error="none")
    for hack in HACKS.values():
        assert await solved(task, Trace(hack)) == 0.0
