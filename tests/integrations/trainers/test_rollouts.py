"""Rollouts become rewards on a real daemon, from threads, event loops and forks."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

import scalebox
from scalebox.errors import BadRequestError, InternalError, RemoteError, ScaleboxError
from scalebox.integrations.rollouts import (
    Rollout,
    Settings,
    answer_text,
    client_of,
    grade,
    grade_async,
    settings_of,
)
from tests.integrations.trainers.answers import (
    CHANGED_ITS_MIND,
    HACKS,
    NO_CODE,
    PARTLY,
    RIGHT,
    TRUTH,
    WRONG,
    fenced,
)


def rewards(answers: list[Any], truth: Any = TRUTH, **settings: Any) -> list[float | None]:
    rollouts = [Rollout(answer, truth) for answer in answers]
    return [outcome.reward for outcome in grade(rollouts, settings_of(settings))]


def test_answers_are_worth_what_their_programs_are(address: str) -> None:
    answers = [RIGHT, PARTLY, WRONG, NO_CODE, CHANGED_ITS_MIND, "", fenced("print(\n")]
    assert rewards(answers) == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert rewards(answers, kind="fraction") == [1.0, 1 / 3, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert rewards([PARTLY], max_cases=1) == [1.0]
    assert rewards([PARTLY], max_cases=2, pick="spread", kind="fraction") == [0.5]
    assert rewards([f"{RIGHT}\n{WRONG}"], rule="first") == [1.0]


@pytest.mark.parametrize("hack", HACKS.values(), ids=HACKS)
def test_hacks_earn_nothing(address: str, hack: str) -> None:
    calls = {"inputs": ["1"], "outputs": ["2"], "fn_name": "add_one"}
    asserts = ["assert add_one(1) == 2", "assert add_one(20) == 21"]
    for kind in ("all_or_nothing", "fraction", "weighted"):
        assert rewards([hack], kind=kind) == [0.0]
        assert rewards([hack], calls, kind=kind) == [0.0]
        assert rewards([hack], asserts, kind=kind) == [0.0]


def test_calls_and_asserts_are_judged(address: str) -> None:
    right = fenced("def add_one(n):\n    return n + 1\n")
    wrong = fenced("def add_one(n):\n    return 2\n")
    equal = fenced(
        "class Same(int):\n    def __eq__(self, other):\n        return True\n"
        "    def __ne__(self, other):\n        return False\n"
        "    __hash__ = int.__hash__\n"
        "def add_one(n):\n    return Same(7)\n"
    )
    calls = {"inputs": ["1", "20"], "outputs": ["2", "21"], "fn_name": "add_one"}
    assert rewards([right, wrong, equal], calls) == [1.0, 0.0, 0.0]
    asserts = ["assert add_one(1) == 2", "assert add_one(20) == 21"]
    assert rewards([right, wrong, equal], asserts) == [1.0, 0.0, 0.0]
    check = {
        "test": "def check(f):\n    assert f(1) == 2\n    assert f(5) == 6\n",
        "entry_point": "add_one",
    }
    assert rewards([right, wrong, equal], check) == [1.0, 0.0, 0.0]


def test_a_rollout_may_have_a_language_of_its_own(address: str) -> None:
    program = '#include <stdio.h>\nint main() { int n; scanf("%d", &n); printf("%d", n + 1); }\n'
    answer = f"{fenced(program, 'c')}\nIn Python it would not be so:\n{WRONG}"
    rollout = Rollout(answer, TRUTH, "c")
    assert grade([rollout], Settings())[0].reward == 1.0
    assert rewards([answer], language="gcc") == [1.0]
    assert rewards([answer]) == [0.0]


def test_registered_problems_and_their_limits_are_used(
    address: str, client: scalebox.Client
) -> None:
    tests = scalebox.StdioTests(cases=[scalebox.StdioCase(input="1", answer="2")])
    client.put_problem("trainers/one", scalebox.Problem(tests=tests))
    assert rewards([RIGHT, WRONG], "trainers/one") == [1.0, 0.0]
    slow = fenced("while True: pass\n")
    outcome = grade([Rollout(slow, "trainers/one")], Settings(cpu_time_s=0.1))[0]
    assert outcome.report is not None
    assert outcome.report.verdict is scalebox.Verdict.TIME_LIMIT_EXCEEDED


def test_another_judge_takes_the_place_of_the_usual_one_alone(address: str) -> None:
    loose = fenced("print('YES')\n")
    truth = {"inputs": ["1"], "outputs": ["yes"]}
    strict = {"type": "compare", "case_sensitive": True}
    assert rewards([loose], truth) == [1.0]
    assert rewards([loose], truth, judge=strict) == [0.0]
    ours = {"type": "stdio", "cases": [{"input": "1", "answer": "yes"}]}
    assert rewards([loose], ours, judge=strict) == [1.0]


def test_text_that_no_file_can_hold_is_no_program(address: str) -> None:
    assert rewards([fenced("print('\ud800')\n")]) == [0.0]


def test_conversations_are_read_by_their_last_answer(address: str) -> None:
    talk = [
        {"role": "assistant", "content": WRONG},
        {"role": "user", "content": "Are you sure?"},
        {"role": "assistant", "content": [{"type": "text", "text": RIGHT}]},
        {"role": "tool", "content": WRONG},
    ]
    assert rewards([talk, talk[:2], []]) == [1.0, 0.0, 0.0]
    assert answer_text({"role": "assistant", "content": None}) == ""
    with pytest.raises(BadRequestError, match="int"):
        answer_text(3)


# --- what is not about the program ---------------------------------------------------------------


def test_a_failure_of_ours_is_never_a_zero_unless_told_so(address: str) -> None:
    late = {"deadline_s": 0.001}
    with pytest.raises(InternalError, match="cancelled"):
        rewards([RIGHT], **late)
    assert rewards([RIGHT, NO_CODE], internal_error="none", **late) == [None, 0.0]
    assert rewards([RIGHT], internal_error="zero", **late) == [0.0]


def test_a_daemon_that_is_not_there_is_no_zero(
    nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(scalebox.ConnectionFailedError):
        rewards([RIGHT], deadline_s=0.2)
    with caplog.at_level(logging.WARNING, "scalebox.integrations"):
        found = rewards([RIGHT, NO_CODE, WRONG], deadline_s=0.2, internal_error="none")
    assert found == [None, 0.0, None]
    assert "2 of 3 rollouts were not judged" in caplog.text


def test_a_mistake_in_one_ground_truth_is_its_own(address: str) -> None:
    rollouts = [Rollout(RIGHT, TRUTH), Rollout(RIGHT, {"inputs": ["1"], "outputs": []})]
    unknown = Rollout(RIGHT, "nobody/knows/this")
    with pytest.raises(BadRequestError, match="1 inputs"):
        grade(rollouts, Settings())
    with pytest.raises(RemoteError, match="nobody/knows/this"):
        grade([unknown], Settings())
    outcomes = grade([*rollouts, unknown], Settings(internal_error="none"))
    assert [outcome.reward for outcome in outcomes] == [1.0, None, None]
    assert "nobody/knows/this" in outcomes[2].trouble


def test_a_language_that_is_not_there_is_a_mistake_of_the_settings(address: str) -> None:
    with pytest.raises(ScaleboxError, match="cobol"):
        rewards([fenced("x", "cobol")], language="cobol")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"adress": "x"}, "no setting adress"),
        ({"kind": "half"}, "kind is 'half'"),
        ({"rule": "best"}, "no rule 'best'"),
        ({"max_cases": 0}, "max_cases"),
        ({"judge": {"type": "oracle"}}, "oracle"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(BadRequestError, match=why):
        settings_of(settings)


# --- who calls -----------------------------------------------------------------------------------


async def test_many_loops_and_threads_share_one_client(address: str) -> None:
    rollouts = [Rollout(RIGHT, TRUTH), Rollout(WRONG, TRUTH)]
    outcomes = await asyncio.gather(*(grade_async(rollouts, Settings()) for _ in range(50)))
    assert [[one.reward for one in found] for found in outcomes] == [[1.0, 0.0]] * 50

    def in_a_loop_of_its_own(_: int) -> list[float | None]:
        return [one.reward for one in asyncio.run(grade_async(rollouts, Settings()))]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(in_a_loop_of_its_own, range(16))) == [[1.0, 0.0]] * 16
        assert list(pool.map(lambda _: rewards([RIGHT, WRONG]), range(16))) == [[1.0, 0.0]] * 16
    assert client_of(Settings()) is client_of(Settings(address=address))


async def test_cancelling_breaks_the_work_off(address: str, client: scalebox.Client) -> None:
    asleep = Rollout(fenced("import time\ntime.sleep(60)\n"), TRUTH)
    limits = Settings(wall_time_s=120.0)
    task = asyncio.create_task(grade_async([asleep], limits))
    while not (await asyncio.to_thread(client.status)).running_cases:
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(30):
        while (await asyncio.to_thread(client.status)).running_cases:
            await asyncio.sleep(0.02)


def in_a_worker(settings: Settings) -> list[float | None]:
    return [one.reward for one in grade([Rollout(RIGHT, TRUTH), Rollout(WRONG, TRUTH)], settings)]


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_workers_make_clients_of_their_own(address: str, way: str) -> None:
    settings = pickle.loads(pickle.dumps(Settings(address=address)))
    assert in_a_worker(settings) == [1.0, 0.0]  # so that a fork takes a used client along
    context = multiprocessing.get_context(way)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(in_a_worker, [settings] * 4)) == [[1.0, 0.0]] * 4
    assert in_a_worker(settings) == [1.0, 0.0]
