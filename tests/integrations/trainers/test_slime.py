"""`custom_rm` as slime awaits it, of a sample and of a group."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from dataclasses import dataclass, field
from typing import Any

import pytest

from scalebox.errors import BadRequestError, InternalError
from scalebox.integrations.slime import custom_rm, reward_model
from tests.integrations.trainers.answers import HACKS, NO_CODE, PARTLY, RIGHT, TRUTH, WRONG

ARGS = Namespace(reward_key=None)


@dataclass
class Sample:
    """The fields of slime's own that count here (slime/utils/types.py)."""

    response: str
    label: Any = TRUTH
    prompt: Any = "Add one."
    metadata: dict[str, Any] = field(default_factory=dict)


async def test_samples_are_judged_one_by_one_and_in_groups(address: str) -> None:
    samples = [Sample(RIGHT), Sample(WRONG), Sample(PARTLY), Sample(NO_CODE)]
    singly = await asyncio.gather(*(custom_rm(ARGS, sample) for sample in samples))
    assert singly == [1.0, 0.0, 0.0, 0.0]
    assert await reward_model(kind="fraction")(ARGS, samples) == [1.0, 0.0, 1 / 3, 0.0]


async def test_metadata_may_hold_tests_and_language(address: str) -> None:
    shell = "```bash\nread n; echo $((n + 1))\n```\n"
    sample = Sample(shell, label=None, metadata={"ground_truth": TRUTH, "language": "bash"})
    assert await custom_rm(ARGS, sample) == 1.0
    with pytest.raises(BadRequestError, match="neither a label"):
        await custom_rm(ARGS, Sample(RIGHT, label=None))


async def test_details_have_a_key_for_the_reward(address: str) -> None:
    found = await reward_model(details=True)(ARGS, Sample(RIGHT))
    assert found["score"] == 1.0
    assert found["verdict"] == "accepted"


async def test_what_we_failed_to_judge_is_raised_and_hacks_earn_nothing(address: str) -> None:
    with pytest.raises(InternalError):
        await reward_model(deadline_s=0.001)(ARGS, Sample(RIGHT))
    hacks = [Sample(hack) for hack in HACKS.values()]
    assert await custom_rm(ARGS, hacks) == [0.0] * len(hacks)
