"""`reward_func` as OpenRLHF loads and calls it."""

from __future__ import annotations

import asyncio
import importlib.util

import pytest

from scalebox.errors import BadRequestError, InternalError
from scalebox.integrations import openrlhf
from scalebox.integrations.openrlhf import answer_in, reward_function
from tests.integrations.trainers.answers import HACKS, NO_CODE, PARTLY, RIGHT, TRUTH, WRONG

#: With an example that is right, which no answer may live on.
PROMPT = f"<|im_start|>user\nAdd one. In Lua that is nothing:\n{RIGHT}<|im_end|>\nassistant\n"
END = "<|im_end|>"


async def test_it_is_loaded_from_its_file_and_called_in_threads(address: str) -> None:
    spec = importlib.util.spec_from_file_location("reward_func", openrlhf.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    answers = [RIGHT, WRONG, NO_CODE]
    found = await asyncio.gather(
        *(
            asyncio.to_thread(module.reward_func, [f"{PROMPT}{answer}{END}"], [PROMPT], [TRUTH])
            for answer in answers
        )
    )
    assert [one["rewards"] for one in found] == [1.0, 0.0, 0.0]
    assert [one["scores"] for one in found] == [1.0, 0.0, 0.0]
    assert [one["extra_logs"] for one in found] == [
        {"acc": 1.0, "has_code": 1.0},
        {"acc": 0.0, "has_code": 1.0},
        {"acc": 0.0, "has_code": 0.0},
    ]


def test_several_rollouts_give_lists(address: str) -> None:
    found = reward_function(kind="fraction")(
        queries=[PROMPT + PARTLY, PROMPT + RIGHT], prompts=[PROMPT] * 2, labels=[TRUTH] * 2
    )
    assert found["rewards"] == found["scores"] == [1 / 3, 1.0]
    assert found["extra_logs"]["acc"] == [0.0, 1.0]


def test_the_answer_is_what_follows_the_prompt() -> None:
    assert answer_in("<s>ask: x", "ask:") == " x"
    # A tokenizer may put something between, and lose spaces at the prompt's start.
    long = "words " * 100 + "Now answer:"
    assert answer_in(f"<s> {long[7:]} x", long) == " x"
    with pytest.raises(BadRequestError, match="prompt"):
        answer_in("something else", "ask:")


def test_what_we_failed_to_judge_is_raised_and_hacks_earn_nothing(address: str) -> None:
    late = reward_function(deadline_s=0.001)
    with pytest.raises(InternalError):
        late([PROMPT + RIGHT], [PROMPT], [TRUTH])
    for hack in HACKS.values():
        assert openrlhf.reward_func([PROMPT + hack], [PROMPT], [TRUTH])["rewards"] == 0.0
