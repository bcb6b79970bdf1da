"""The reward function as rLLM's environments call it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from scalebox.errors import BadRequestError, InternalError
from scalebox.integrations.rllm import CodeReward
from tests.integrations.trainers.answers import HACKS, PARTLY, RIGHT, TRUTH, WRONG


@dataclass
class Action:
    """What an agent does (rllm/agents/agent.py)."""

    action: str


def test_actions_get_rewards_with_what_else_is_known(address: str) -> None:
    reward = CodeReward()
    task = {"question": "Add one.", "ground_truth": TRUTH, "data_source": "taco"}
    right = reward(task_info=task, action=RIGHT)
    assert (right.reward, right.is_correct, right.metadata["passed"]) == (1.0, True, 3)
    wrong = reward(task_info=task, action=Action(WRONG))
    assert (wrong.reward, wrong.is_correct) == (0.0, False)
    part = CodeReward(kind="fraction")(task_info=task, action=PARTLY)
    assert (part.reward, part.is_correct) == (1 / 3, False)


def test_tests_may_be_in_another_field(address: str) -> None:
    tests = [{"input": "1", "output": "2", "testtype": "stdin"}]
    assert CodeReward(truth_column="mine")({"mine": tests}, RIGHT).reward == 1.0
    assert CodeReward()({"tests": tests}, RIGHT).reward == 1.0
    with pytest.raises(BadRequestError, match="NoneType"):
        CodeReward()({"question": "Add one."}, RIGHT)


def test_a_reward_of_none_is_refused_where_none_is_possible() -> None:
    with pytest.raises(BadRequestError, match="raise or zero"):
        CodeReward(internal_error="none")


def test_what_we_failed_to_judge_is_raised_and_hacks_earn_nothing(address: str) -> None:
    task = {"ground_truth": TRUTH}
    with pytest.raises(InternalError):
        CodeReward(deadline_s=0.001)(task, RIGHT)
    assert [CodeReward()(task, hack).reward for hack in HACKS.values()] == [0.0] * len(HACKS)
