"""`make simulate`: a small cluster as a model, and what its promises notice."""

from __future__ import annotations

import dataclasses
from typing import Any
from xml.etree import ElementTree

import pytest

from bench import plots, simulate
from bench.simulate import Scenario
from bench.simulated import Host, Simulation
from scalebox.cluster import policy


def small(nodes: int = 12, seed: int = 1) -> Simulation:
    simulation = Simulation([Host(2 + number % 3) for number in range(nodes)], seed)
    simulation.estimate_s = 0.2
    simulation.run(3.0)
    return simulation


def burst(simulation: Simulation, cases: int = 800) -> None:
    first = next(iter(simulation.nodes.values()))
    simulation.burst(first, [0.2] * cases, 20)


def test_every_case_is_run_once_and_answered_once() -> None:
    simulation = small()
    burst(simulation)
    simulation.run(100.0)
    seen = simulation.finish()
    assert (seen.cases, seen.reported, seen.runs) == (800, 800, 800)
    assert seen.duplicates == seen.late == seen.expired == 0
    # 36 slots for 160 s of work, and one node had all of it.
    assert 160 / 36 < simulation.now_s - 3.0 < 1.3 * 160 / 36 + 1
    assert seen.lent_cases >= 700


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_when_nodes_die_and_come(seed: int) -> None:
    simulation = small(seed=seed)
    burst(simulation, 1200)
    nodes = list(simulation.nodes.values())
    for number, node in enumerate(nodes[1:7]):
        simulation.at(3.3 + 0.6 * number, simulation.kill, node)
        simulation.at(3.5 + 0.6 * number, simulation.join, Host(3))
    # The one that clients talk to, too: they go on with another.
    simulation.at(6.0, simulation.kill, nodes[0])
    simulation.run(200.0)
    seen = simulation.finish()
    assert (seen.cases, seen.reported) == (1200, 1200)
    assert seen.runs > seen.cases
    newcomers = [node for node in simulation.nodes.values() if node not in nodes]
    assert all(node.members.is_living(newcomers[0].name) for node in nodes[7:])


def test_a_seed_gives_the_same_again() -> None:
    scenario = Scenario("small", 15, slow=0.2, die=2, join=2)

    def row(one: Scenario) -> dict[str, Any]:
        found = simulate.simulate(one)
        del found["cpu_s"]
        return found

    assert row(scenario) == row(scenario)
    assert row(scenario) != row(dataclasses.replace(scenario, seed=2))


def test_the_policy_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "share", lambda *_, **__: (0, 0.0))
    simulation = small()
    burst(simulation, 100)
    simulation.run(100.0)
    assert simulation.finish().leases == 0
    # The two slots of the first node did all of it.
    assert simulation.now_s - 3.0 > 100 * 0.2 / 2


def test_membership_decides() -> None:
    simulation = small()
    for node in simulation.nodes.values():
        for other in simulation.nodes.values():
            node.members.accuse(other.name, simulation.now_s, asked=0, heard=0)
            node.members.hear(other.members.gossip("", simulation.now_s), simulation.now_s)
    # Suspects are no victims until they have said that they live.
    assert not any(node.members.loads(simulation.now_s) for node in simulation.nodes.values())
    burst(simulation)
    simulation.run(100.0)
    assert simulation.finish().reported == 800


def test_eight_nodes_are_nearly_eight_times_as_fast() -> None:
    faster = simulate.predict(nodes=8, slots=2, cases=1600, case_s=0.2)
    assert 7.0 < faster <= 8.0
    assert simulate.predict(nodes=1, slots=2, cases=100, case_s=0.2) == pytest.approx(1.0)
    # Where the work ends before anybody hears of it, nothing can be gained.
    assert simulate.predict(nodes=8, slots=2, cases=2, case_s=0.01) < 1.2


# --- promises ------------------------------------------------------------------------------------


def rows(**changes: Any) -> list[dict[str, Any]]:
    """A table as it should be, but for what is changed in the row of 1,000 nodes."""
    row = {
        "scenario": "burst on one", "nodes": 10, "cases": 10, "ideal_s": 10.0, "makespan_s": 11.0,
        "over_ideal": 1.1, "steals_per_case": 1.5, "messages_per_node_s": 5.0,
        "bytes_per_node_s": 100.0, "gossip_per_node_s": 2.0, "gossip_bytes_per_node_s": 50.0,
        "fan_in": 9, "fan_in_100ms": 9, "runs": 10, "lost": 0,
    }  # fmt: skip
    return [row, row | {"nodes": 1000} | changes]


SCENARIOS = [Scenario("burst on one", 10), Scenario("burst on one", 1000)]


def test_a_table_as_it_should_be_keeps_all_promises() -> None:
    kept = simulate.promises(rows(), SCENARIOS)
    assert [one.text for one in kept if not one.holds] == []
    assert simulate.figures(rows())["makespan_over_ideal_1000"] == 1.1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"makespan_s": 14.1}, "makespan_s of 1000 nodes"),
        ({"messages_per_node_s": 15.1}, "messages per node"),
        ({"bytes_per_node_s": 301.0}, "bytes per node"),
        ({"gossip_per_node_s": 6.1}, "messages of gossip"),
        ({"gossip_bytes_per_node_s": 151.0}, "bytes of gossip"),
        ({"fan_in": simulate.FAN_IN_BOUND + 1}, "fan_in,"),
        ({"fan_in_100ms": simulate.FAN_IN_BOUND + 1}, "fan_in_100ms,"),
        ({"lost": 1}, "lost"),
        ({"runs": 11}, "twice"),
    ],
)
def test_a_promise_that_is_not_kept_is_noticed(changed: dict[str, Any], words: str) -> None:
    broken = [one for one in simulate.promises(rows(**changed), SCENARIOS) if not one.holds]
    assert len(broken) == 1
    assert words in broken[0].text


def test_where_nodes_die_a_case_may_be_run_twice() -> None:
    scenarios = [SCENARIOS[0], Scenario("burst on one", 1000, die=1)]
    assert all(one.holds for one in simulate.promises(rows(runs=12), scenarios))


# --- charts --------------------------------------------------------------------------------------


def test_a_chart_shows_its_lines() -> None:
    text = plots.lines("T & S", "x", "y", {"one": [(10, 1.0), (1000, 3.0)], "two": [(10, 2.0)]})
    chart = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    assert {"T & S", "one", "two", "1000"} <= {one.text for one in chart.iter(f"{space}text")}
    first, second = (one.get("points") for one in chart.iter(f"{space}polyline"))
    assert first is not None
    (left, low), (right, high) = (map(float, one.split(",")) for one in first.split())
    assert left < right
    assert low > high
    assert second is not None
    assert len(second.split()) == 1
