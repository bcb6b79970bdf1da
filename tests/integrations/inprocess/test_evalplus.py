"""EvalPlus's calls, over a real daemon."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.client.sync import Client
from scalebox.errors import BadRequestError
from scalebox.integrations import evalplus
from scalebox.integrations.evalplus_oracles import NOT_NONE_TASKS
from tests.integrations.inprocess.calls import CASES, Case
from tests.judging.datasets import data_folder


def arguments_of(case: Case) -> tuple[Any, ...]:
    slow = [0.01] * len(case.inputs)
    expected = (case.expected, case.atol, slow, case.fast)
    return (case.dataset, case.code, case.inputs, case.name, *expected)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}: {case.body!r:.40}")
def test_what_is_said_is_what_theirs_says(case: Case, client: Client) -> None:
    said = evalplus.untrusted_check(*arguments_of(case), client=client)
    assert said == (case.status, case.details)


async def test_the_same_for_asyncio_programs(client: Client) -> None:
    async with AsyncClient(client.address) as awaited:
        for case in CASES[:3]:
            said = await evalplus.async_untrusted_check(*arguments_of(case), client=awaited)
            assert said == (case.status, case.details)


def test_a_zero_is_found_where_the_polynomial_is_near_zero(client: Client) -> None:
    expected = {"-0.5": "pass", "-0.50001": "pass", "-0.51": "fail"}
    for value, status in expected.items():
        code = f"def find_zero(xs): return {value}"
        arguments = ("humaneval", code, [[[1, 2]]], "find_zero", [-0.5], 1e-4, [0.1])
        assert evalplus.untrusted_check(*arguments, client=client)[0] == status


def test_a_slow_task_is_a_timeout(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALPLUS_TIMEOUT_PER_TASK", "1")
    code = (
        "import time\n"
        "def f(a):\n"
        "    until = time.process_time() + 0.8\n"
        "    while time.process_time() < until: pass\n"
        "    return a\n"
    )
    inputs = [[number] for number in range(50)]
    status, details = evalplus.untrusted_check(
        "mbpp", code, inputs, "f", list(range(50)), 0, [0.1] * 50, client=client
    )
    assert status == evalplus.TIMEOUT
    assert all(details)
    assert len(details) < 20


def test_input_that_is_no_data_is_refused(client: Client) -> None:
    with pytest.raises(BadRequestError, match="input 1 is no plain data"):
        evalplus.untrusted_check(
            "mbpp", "def f(a): pass", [[1], [object()]], "f", [None] * 2, 0, [0.1] * 2,
            client=client,
        )  # fmt: skip


OWN = {
    "own/1": {
        "task_id": "own/1",
        "prompt": "def roots(n):\n",
        "canonical_solution": "    return {n ** 0.5, -n ** 0.5}, float('inf')\n",
        "entry_point": "roots",
        "base_input": [[4]],
        "plus_input": [[9], [2]],
        "atol": 0,
    },
    "own/2": {
        "task_id": "own/2",
        "prompt": "import re\ndef check_str(text):\n",
        "canonical_solution": "    return re.match('a', text)\n",
        "entry_point": "check_str",
        "base_input": [["a"], ["b"]],
        "plus_input": [],
        "atol": 0,
    },
}


def test_reference_solutions_say_what_is_expected(client: Client) -> None:
    found = evalplus.get_groundtruth(OWN, "", NOT_NONE_TASKS, client=client)
    assert found["own/1"]["base"] == [({2.0, -2.0}, math.inf)]
    assert found["own/1"]["plus"] == [({3.0, -3.0}, math.inf), ({2**0.5, -(2**0.5)}, math.inf)]
    assert len(found["own/1"]["plus_time"]) == 2
    assert found["own/2"]["base"] == [True, False]
    assert found["own/2"]["plus"] == []
    for body, statuses in {
        "    return {-n ** 0.5, n ** 0.5}, 1e999\n": ("pass", "pass"),
        "    return {2, -2}, 1e999\n": ("pass", "fail"),
        "    return None\n": ("fail", "fail"),
    }.items():
        checked = evalplus.check_correctness(
            "humaneval", 3, OWN["own/1"], OWN["own/1"]["prompt"] + body, found["own/1"],
            identifier="mine", client=client,
        )  # fmt: skip
        assert (checked["base"][0], checked["plus"][0]) == statuses
        assert (checked["completion_id"], checked["task_id"]) == (3, "own/1")
        assert checked["_identifier"] == "mine"
    checked = evalplus.check_correctness(
        "humaneval", 0, OWN["own/1"], "", found["own/1"], base_only=True, client=client
    )
    assert "plus" not in checked


@pytest.mark.parametrize("body", ["    return n[0]\n", "    exit()\n", "    while True: pass +\n"])
def test_a_reference_solution_that_fails_is_told(body: str, client: Client) -> None:
    problem = {**OWN["own/1"], "canonical_solution": body}
    with pytest.raises(BadRequestError, match="own/1 fails"):
        evalplus.get_groundtruth({"own/1": problem}, "", (), client=client)


@pytest.mark.parametrize(
    ("dataset", "file"), [("humaneval", "HumanEvalPlus.jsonl.gz"), ("mbpp", "MbppPlus.jsonl.gz")]
)
def test_reference_solutions_pass_and_hollow_ones_do_not(
    dataset: str, file: str, client: Client
) -> None:
    path = data_folder() / file
    rows = list(OWN.values())[:1]
    if path.is_file():
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        # Rows of MBPP+ whose inputs are JSON as they are; the others need EvalPlus's own loader.
        small = [row for row in rows if len(json.dumps(row["plus_input"])) < 20_000]
        rows = [row for row in small if dataset == "humaneval" or _is_plain(row)][::12]
    odd = []
    for row in rows:
        (truth,) = evalplus.get_groundtruth(
            {row["task_id"]: row}, "", NOT_NONE_TASKS, client=client
        ).values()
        right = row["prompt"] + row["canonical_solution"]
        hollow = f"def {row['entry_point']}(*_): return ..."
        for code, status in ((right, "pass"), (hollow, "fail")):
            checked = evalplus.check_correctness(dataset, 0, row, code, truth, client=client)
            if (checked["base"][0], checked["plus"][0]) != (status, status):
                odd.append((row["task_id"], status, checked["base"], checked["plus"]))
    assert odd == []


def _is_plain(row: dict[str, Any]) -> bool:
    """Whether EvalPlus takes the inputs as they are: nothing in them is a list."""
    if not isinstance(row["plus_input"], list):  # of Mbpp/793, an empty object
        return False
    inputs = row["base_input"] + row["plus_input"]
    return not any(isinstance(one, list) for arguments in inputs for one in arguments)
