"""The reward callable as `GRPOTrainer` calls it."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest

from scalebox.errors import BadRequestError
from scalebox.integrations.trl import AsyncCodeReward, CodeReward
from tests.integrations.trainers.answers import HACKS, NO_CODE, PARTLY, RIGHT, TRUTH, WRONG


def call(answers: list[Any], **columns: list[Any]) -> dict[str, Any]:
    """The keywords of one call (trl/trainer/grpo_trainer.py, `_calculate_rewards`)."""
    return {
        "prompts": ["Add one."] * len(answers),
        "completions": answers,
        "completion_ids": [[1, 2]] * len(answers),
        "trainer_state": object(),
        "log_extra": lambda *_: None,
        "log_metric": lambda *_: None,
        **columns,
    }


async def test_texts_and_conversations_get_their_rewards(address: str) -> None:
    answers = [RIGHT, WRONG, PARTLY, NO_CODE]
    talks = [[{"role": "assistant", "content": answer}] for answer in answers]
    for completions in (answers, talks):
        keywords = call(completions, ground_truth=[TRUTH] * 4, difficulty=["easy"] * 4)
        assert CodeReward()(**keywords) == [1.0, 0.0, 0.0, 0.0]
        assert CodeReward(kind="fraction")(**keywords) == [1.0, 0.0, 1 / 3, 0.0]
        assert await AsyncCodeReward()(**keywords) == [1.0, 0.0, 0.0, 0.0]


def test_rows_without_tests_get_none(address: str) -> None:
    keywords = call([RIGHT, "42", WRONG], ground_truth=[TRUTH, None, TRUTH], answer=["", "42", ""])
    assert CodeReward()(**keywords) == [1.0, None, 0.0]


def test_the_column_can_be_named_and_a_wrong_one_is_told(address: str) -> None:
    keywords = call([RIGHT, WRONG], mine=[TRUTH, TRUTH], topic=["a", "b"])
    assert CodeReward(truth_column="mine")(**keywords) == [1.0, 0.0]
    for column in (None, "yours"):
        with pytest.raises(BadRequestError, match=r"columns completion_ids|columns .*mine, topic"):
            CodeReward(truth_column=column)(**keywords)


def test_columns_of_mbpp_make_tests(address: str) -> None:
    answer = "```python\ndef add(a, b):\n    return a + b\n```"
    columns = {"test_list": [["assert add(1, 2) == 3", "assert add(0, 0) == 0"]]}
    assert CodeReward()(**call([answer], **columns)) == [1.0]


def test_trl_can_name_pickle_and_tell_them_apart(address: str) -> None:
    plain, awaited = CodeReward(name="code", kind="fraction"), AsyncCodeReward()
    assert plain.__name__ == "code"
    again = pickle.loads(pickle.dumps(plain))
    assert again(**call([PARTLY], ground_truth=[TRUTH])) == [1 / 3]
    # trl/trainer/utils.py, `is_async_callable`.
    assert inspect.iscoroutinefunction(awaited.__call__)
    assert not inspect.iscoroutinefunction(plain.__call__)


def test_what_we_failed_to_judge_gets_none(nobody: str) -> None:
    keywords = call([RIGHT, NO_CODE], ground_truth=[TRUTH, TRUTH])
    assert CodeReward(deadline_s=0.2)(**keywords) == [None, 0.0]


def test_hacks_earn_nothing(address: str) -> None:
    hacks = list(HACKS.values())
    assert CodeReward(kind="fraction")(**call(hacks, ground_truth=[TRUTH] * len(hacks))) == (
        [0.0] * len(hacks)
    )
