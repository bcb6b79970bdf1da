"""Who pays attackers is found out, and so is who pays nobody."""

from __future__ import annotations

import pytest

from tests.hostile import rewards
from tests.hostile.rewards import Attack, Way

WAYS: list[Way] = ["stdio", "call", "assert", "check"]


def honest(attack: Attack) -> float:
    return float(attack.name == "right")


@pytest.mark.parametrize("way", WAYS)
def test_each_way_has_attackers_and_can_be_passed(way: Way) -> None:
    wanted = rewards.attacks(way)
    assert len(wanted) > 10
    assert {attack.way for attack in wanted} == {way}
    assert rewards.overpaid(honest, wanted) == {}


@pytest.mark.parametrize("way", WAYS)
def test_who_pays_everybody_is_found_out(way: Way) -> None:
    wanted = rewards.attacks(way)
    unstopped = {attack.name for attack in wanted if attack.most == 1.0}
    assert rewards.overpaid(lambda _: 1.0, wanted).keys() == (
        {attack.name for attack in wanted} - unstopped
    )
    assert len(unstopped) < len(wanted) / 5


@pytest.mark.parametrize("way", WAYS)
def test_who_pays_nobody_is_found_out(way: Way) -> None:
    found = rewards.overpaid(lambda _: 0.0, rewards.attacks(way))
    assert found
    assert all(name.startswith("right") for name in found)
