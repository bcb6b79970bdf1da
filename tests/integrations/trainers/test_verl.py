"""verl's managers call in four ways, all of which are tried here."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from scalebox.errors import BadRequestError, InternalError
from scalebox.integrations import verl
from tests.integrations.trainers.answers import HACKS, NO_CODE, PARTLY, RIGHT, TRUTH, WRONG

ANSWERS = [RIGHT, WRONG, PARTLY, NO_CODE]


def rollout(answer: str, **extra: Any) -> dict[str, Any]:
    """The keywords of one call, with what the reward loop puts into `extra_info`."""
    info = {"index": 3, "num_turns": None, "rollout_reward_scores": {}, **extra}
    return {
        "data_source": "codecontests",
        "solution_str": answer,
        "ground_truth": TRUTH,
        "extra_info": info,
    }


def test_the_reward_loop_calls_plain_functions_in_threads(address: str) -> None:
    score = partial(verl.compute_score, kind="fraction", max_cases=10)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda answer: score(**rollout(answer)), ANSWERS))
    assert found == [1.0, 0.0, 1 / 3, 0.0]
    assert all(type(one) is float for one in found)


async def test_the_reward_loop_awaits_coroutine_functions(address: str) -> None:
    assert inspect.iscoroutinefunction(verl.compute_score_async)
    assert not inspect.iscoroutinefunction(verl.compute_score)
    found = await asyncio.gather(
        *(verl.compute_score_async(**rollout(answer)) for answer in ANSWERS * 50)
    )
    assert found == [1.0, 0.0, 0.0, 0.0] * 50


def test_prime_calls_with_positions_in_forked_workers(address: str) -> None:
    verl.compute_score(**rollout(RIGHT))
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(4, mp_context=context) as pool:
        futures = [
            pool.submit(partial(verl.compute_score, "taco", answer, TRUTH, {"index": 1}))
            for answer in ANSWERS
        ]
        assert [future.result() for future in futures] == [1.0, 0.0, 0.0, 0.0]


def test_the_batch_manager_calls_once(address: str) -> None:
    infos = [{"rollout_reward_scores": {}}] * len(ANSWERS)
    found = verl.compute_score_batch(
        data_sources=["apps"] * len(ANSWERS),
        solution_strs=ANSWERS,
        ground_truths=[TRUTH] * len(ANSWERS),
        extra_infos=infos,
        kind="fraction",
    )
    assert found == [1.0, 0.0, 1 / 3, 0.0]
    assert verl.compute_score_batch([], [], []) == []
    with pytest.raises(BadRequestError, match="2 answers, 1 ground truths"):
        verl.compute_score_batch(["a"], [RIGHT, WRONG], [TRUTH])


def test_details_are_the_same_fields_for_every_rollout(address: str) -> None:
    found = verl.compute_score_batch(
        ["x"] * 3, [RIGHT, PARTLY, NO_CODE], [TRUTH] * 3, details=True, kind="fraction"
    )
    assert found == [
        {"score": 1.0, "acc": 1.0, "passed": 3, "total": 3, "has_code": 1.0, "verdict": "accepted"},
        {
            "score": 1 / 3,
            "acc": 0.0,
            "passed": 1,
            "total": 3,
            "has_code": 1.0,
            "verdict": "wrong_answer",
        },
        {"score": 0.0, "acc": 0.0, "passed": 0, "total": 0, "has_code": 0.0, "verdict": "none"},
    ]


def test_the_language_comes_from_the_rows_extra_info(address: str) -> None:
    shell = "```bash\nread n; echo $((n + 1))\n```\n"
    assert verl.compute_score(**rollout(shell, language="bash")) == 1.0
    assert verl.compute_score(**rollout(shell)) == 0.0


def test_what_verl_passes_on_is_taken_and_mistakes_are_not(address: str) -> None:
    passed_on = {"reward_router_address": "host:1", "reward_model_tokenizer": None}
    assert verl.compute_score(**rollout(RIGHT), **passed_on) == 1.0
    with pytest.raises(BadRequestError, match="kid"):
        verl.compute_score(**rollout(RIGHT), kid="fraction")


def test_verl_may_load_the_file_by_its_path(address: str) -> None:
    spec = importlib.util.spec_from_file_location("custom_module", verl.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.compute_score(**rollout(RIGHT)) == 1.0


@pytest.mark.parametrize("hack", HACKS.values(), ids=HACKS)
def test_hacks_earn_nothing(address: str, hack: str) -> None:
    assert verl.compute_score(**rollout(hack), kind="fraction") == 0.0


async def test_a_failure_of_ours_is_no_score(address: str) -> None:
    late: dict[str, Any] = {"deadline_s": 0.001}
    with pytest.raises(InternalError):
        verl.compute_score(**rollout(RIGHT), **late)
    with pytest.raises(InternalError):
        await verl.compute_score_async(**rollout(RIGHT), **late)
    assert verl.compute_score(**rollout(RIGHT), internal_error="none", **late) is None
    assert verl.compute_score(**rollout(RIGHT), internal_error="zero", **late) == 0.0
