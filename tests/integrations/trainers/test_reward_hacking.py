"""Every attacker of tests/hostile, in an answer, through what all trainers' files share."""

from __future__ import annotations

from typing import Any

import pytest

from scalebox.integrations.verl import compute_score
from scalebox.model import CallCase, CallTests
from tests.hostile.rewards import LIMIT_S, Attack, Way, attacks, overpaid
from tests.integrations.trainers.answers import fenced


def ground_truth(attack: Attack) -> Any:
    """The attacker's tests, as a data set would have them."""
    if attack.way == "stdio":
        return {"inputs": [""], "outputs": [attack.answer]}
    if attack.way == "call":
        cases = [CallCase(args=call["args"], expected=call["expected"]) for call in attack.calls]
        return CallTests(function=attack.function, cases=cases)
    if attack.way == "check":
        return {"test": attack.tests, "entry_point": attack.entry_point}
    return {"asserts": [attack.tests]}


def reward(attack: Attack, **settings: Any) -> float:
    # Some hold fences of their own.
    answer = fenced(f"{attack.source}\n", attack.language).replace("```", "`````")
    found = compute_score(
        data_source="hostile",
        solution_str=answer,
        ground_truth=ground_truth(attack),
        extra_info={"language": attack.language},
        kind="fraction",
        cpu_time_s=LIMIT_S,
        **settings,
    )
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize("way", ["stdio", "call", "assert", "check"])
def test_attackers_earn_nothing_and_solvers_earn_all(address: str, way: Way) -> None:
    languages = ("python", "c", "cpp") if way == "stdio" else ("python",)
    wanted = attacks(way, languages)
    found = overpaid(reward, wanted)
    if way in ("assert", "check"):
        # In one process with the tests some can forge (one where the judge's Python has pytest);
        # then the result is called weak, and is worth nothing to those who say so.
        weak = [attack for attack in wanted if attack.name in found]
        assert all(reward(attack, weak="zero") == 0.0 for attack in weak), found
        found = {name: share for name, share in found.items() if name.startswith("right")}
    assert found == {}


@pytest.mark.parametrize("way", ["assert", "check"])
def test_who_cannot_be_stopped_earns_nothing_where_weak_results_do_not_count(
    address: str, way: Way
) -> None:
    unstopped = [attack for attack in attacks(way) if attack.most == 1.0]
    assert unstopped
    earned = {attack.name: reward(attack, weak="zero") for attack in unstopped}
    assert set(earned.values()) == {0.0}, earned
