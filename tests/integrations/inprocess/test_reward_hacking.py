"""The programs of tests/hostile/ that attack rewards, through every stand-in: they earn nothing.

Where a test of asserts must run in the program's process, or computes with an object of its, the
program can pass, and the pass is said to be weak: that earns nothing from a trainer who asks for
`weak="reject"`, as is done for attackers here.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from scalebox.client.sync import Client
from scalebox.integrations import code_eval, evalplus, human_eval, livecodebench
from scalebox.integrations.inprocess import WeakRule
from tests.hostile import rewards
from tests.hostile.rewards import LIMIT_S, Attack, Way
from tests.integrations.inprocess.quirks import sample


def in_livecodebench(attack: Attack, client: Client, mode: livecodebench.Mode) -> float:
    """The share of the tests that it passes."""
    tests = sample([""], [attack.answer])
    if attack.way == "call":
        tests = sample(
            ["\n".join(map(json.dumps, call["args"])) for call in attack.calls],
            [json.dumps(call["expected"]) for call in attack.calls],
            attack.function,
        )
    results, _ = livecodebench.run_test(
        tests, attack.source, timeout=LIMIT_S, client=client, mode=mode
    )
    return sum(result > 0 for result in results) / max(1, len(attack.calls))


def strictly(attack: Attack, client: Client) -> float:
    return in_livecodebench(attack, client, "lcb-strict")


def fixed(attack: Attack, client: Client) -> float:
    return in_livecodebench(attack, client, "lcb-fixed")


def in_evalplus(attack: Attack, client: Client) -> float:
    inputs = [call["args"] for call in attack.calls]
    expected = [call["expected"] for call in attack.calls]
    times = [LIMIT_S / 4] * len(inputs)
    arguments = ("mbpp", attack.source, inputs, attack.function, expected, 0, times)
    _, details = evalplus.untrusted_check(*arguments, client=client)
    return sum(details) / len(inputs)


def in_human_eval(attack: Attack, client: Client) -> float:
    problem = {
        "task_id": "hostile",
        "prompt": "",
        "test": attack.tests,
        "entry_point": attack.entry_point,
    }
    result = human_eval.check_correctness(
        problem, attack.source, LIMIT_S, client=client, weak=weak_passes_of(attack)
    )
    return float(result["passed"])


def in_code_eval(attack: Attack, client: Client) -> float:
    weak = weak_passes_of(attack)
    rates, _ = code_eval.compute(
        [[attack.source]], [attack.tests], [1], timeout=LIMIT_S, client=client, weak=weak
    )
    return rates["pass@1"]


def weak_passes_of(attack: Attack) -> WeakRule:
    """Who solves the task can only pass weakly where the test leaves no other way."""
    return "accept" if attack.name == "right" else "reject"


@pytest.mark.parametrize(
    ("way", "reward"),
    [
        ("stdio", strictly),
        ("stdio", fixed),
        ("call", strictly),
        ("call", fixed),
        ("call", in_evalplus),
        ("check", in_human_eval),
        ("assert", in_code_eval),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_only_who_solves_the_task_is_paid(
    way: Way, reward: Callable[[Attack, Client], float], client: Client
) -> None:
    wanted = rewards.attacks(way)
    assert wanted
    assert rewards.overpaid(lambda attack: reward(attack, client), wanted) == {}
