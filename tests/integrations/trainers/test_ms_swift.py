"""The outcome reward model as ms-swift makes and calls it."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import pytest

from scalebox.errors import BadRequestError
from scalebox.integrations.ms_swift import AsyncScaleboxORM, ScaleboxORM, register
from tests.integrations.trainers.answers import HACKS, PARTLY, RIGHT, TRUTH, WRONG


def test_the_plugin_puts_both_into_the_table(address: str) -> None:
    orms: dict[str, Any] = {"accuracy": object}
    register(orms, kind="fraction", truth_column="solution")
    columns = {"solution": [TRUTH] * 3, "trainer_state": None, "messages": [[], [], []]}
    made = orms["scalebox"](args=object())
    assert made([RIGHT, PARTLY, WRONG], **columns) == [1.0, 1 / 3, 0.0]
    awaited = orms["async_scalebox"](args=object())
    assert asyncio.iscoroutinefunction(awaited.__call__)
    # swift/rl_core/grpo_algorithm.py runs a loop for each batch.
    for _ in range(2):
        assert asyncio.run(awaited([RIGHT, PARTLY, WRONG], **columns)) == [1.0, 1 / 3, 0.0]
    assert "accuracy" in orms


def test_a_derived_class_has_its_own_settings(address: str) -> None:
    class First(ScaleboxORM):
        settings: ClassVar[dict[str, Any]] = {"max_cases": 1}

    assert First()([PARTLY], ground_truth=[TRUTH]) == [1.0]
    assert ScaleboxORM()([PARTLY], ground_truth=[TRUTH]) == [0.0]
    assert asyncio.run(AsyncScaleboxORM()([RIGHT], ground_truth=[TRUTH])) == [1.0]


def test_a_wrong_setting_is_told_when_the_plugin_is_loaded() -> None:
    with pytest.raises(BadRequestError, match="kid"):
        register({}, kid="fraction")


def test_what_we_failed_to_judge_gets_none_and_hacks_earn_nothing(address: str) -> None:
    class Late(ScaleboxORM):
        settings: ClassVar[dict[str, Any]] = {"deadline_s": 0.001}

    assert Late()([RIGHT], ground_truth=[TRUTH]) == [None]
    hacks = list(HACKS.values())
    assert ScaleboxORM()(hacks, ground_truth=[TRUTH] * len(hacks)) == [0.0] * len(hacks)
