"""How well would thousands of daemons share a burst, and what would they say to each other?

A discrete-event model (`bench.simulated`) drives the daemon's own membership and policy: bursts on
one node or a few, hosts that differ, slow links, nodes that die and come.  What is assumed about
hosts, network and the daemon's event loop is printed with the table.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import random
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bench import plots, results
from bench.results import Promise, at_most, none_of
from bench.simulated import Costs, Host, Seen, Simulation
from scalebox.cluster import policy

#: The burst: so many cases for each slot of the cluster, in submissions of so many.
CASES_PER_SLOT = 12
CASES_EACH = 20
#: CPU seconds of a case at speed 1: lognormal, never more than twice the mean.
CASE_S = 1.5
_SPREAD = 0.5
SLOTS = (4, 8, 16)
SLOWEST, FASTEST = 0.7, 1.3
#: Membership is at rest for so long before the burst comes.
_REST_S = 3.0
#: A burst that is not finished by then is lost.
_MOST_S = 600.0
#: The largest of either kind of fan-in, whatever the number of nodes.
FAN_IN_BOUND = 8 * policy.ASKERS
_GOSSIP = ("probe", "answer", "rumour", "indirect", "exchange")
SIZES = (10, 100, 1000, 5000)
_PROMISED_NODES = 1000


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated.

    Attributes:
        name: for people.
        nodes: at the beginning.
        victims: to how many of them the burst comes, in equal parts.
        slow: share of the nodes whose link is slow.
        die, join: how many nodes do, one after the other in the first ten seconds.
        victim_dies: whether a node to which the burst came is one of them.
        seed: everything follows from it.
    """

    name: str
    nodes: int
    victims: int = 1
    slow: float = 0.0
    die: int = 0
    join: int = 0
    victim_dies: bool = False
    seed: int = 1

    @property
    def keeps_all(self) -> bool:
        """Whether no node dies: then no case needs to be run twice."""
        return not self.die and not self.victim_dies


SCENARIOS = (
    *(Scenario("burst on one", nodes) for nodes in SIZES[:-1]),
    Scenario("burst on five", SIZES[-1], victims=5),
    Scenario("burst on eight", 1000, victims=8),
    Scenario("slow links (10 %)", 1000, slow=0.1),
    Scenario("5 % die, 5 % join", 1000, die=50, join=50),
    Scenario("the victim dies", 100, victim_dies=True),
)


def simulate(scenario: Scenario, costs: Costs | None = None) -> dict[str, Any]:
    """Run one scenario.

    Returns:
        A row of the table.
    """
    started = time.process_time()
    rng = random.Random(scenario.seed)
    hosts = [
        Host(
            rng.choice(SLOTS),
            rng.uniform(SLOWEST, FASTEST),
            number >= scenario.victims and rng.random() < scenario.slow,
        )
        for number in range(scenario.nodes)
    ]
    simulation = Simulation(hosts, scenario.seed, costs)
    simulation.estimate_s = CASE_S
    simulation.run(_REST_S)
    simulation.silence()
    cases = CASES_PER_SLOT * sum(host.slots for host in hosts)
    # The mean of a lognormal is exp(sigma² / 2) times its median.
    median_s = CASE_S / math.exp(_SPREAD**2 / 2)
    durations_s = [min(2 * CASE_S, median_s * rng.lognormvariate(0, _SPREAD)) for _ in range(cases)]
    names = list(simulation.nodes)
    for number in range(scenario.victims):
        part = durations_s[number :: scenario.victims]
        simulation.burst(simulation.nodes[names[number]], part, CASES_EACH)
    for name in rng.sample(names[scenario.victims :], scenario.die):
        simulation.at(_REST_S + 10 * rng.random(), simulation.kill, simulation.nodes[name])
    for _ in range(scenario.join):
        host = Host(rng.choice(SLOTS), rng.uniform(SLOWEST, FASTEST))
        simulation.at(_REST_S + 10 * rng.random(), simulation.join, host)
    if scenario.victim_dies:
        simulation.at(_REST_S + 3.0, simulation.kill, simulation.nodes[names[0]])
    simulation.run(_REST_S + _MOST_S)
    ideal_s = sum(durations_s) / sum(host.slots * host.speed for host in hosts)
    row = _row(scenario, simulation.finish(), simulation.now_s - _REST_S, ideal_s)
    return row | {"cpu_s": time.process_time() - started}


def _row(scenario: Scenario, seen: Seen, makespan_s: float, ideal_s: float) -> dict[str, Any]:
    node_s = scenario.nodes * makespan_s
    gossip = sum(seen.messages[kind] for kind in _GOSSIP)
    gossip_bytes = sum(seen.sent_bytes[kind] for kind in _GOSSIP)
    return {
        "scenario": scenario.name,
        "nodes": scenario.nodes,
        "cases": seen.cases,
        "ideal_s": ideal_s,
        "makespan_s": makespan_s,
        "over_ideal": makespan_s / ideal_s,
        "steals_per_case": seen.lent_cases / seen.cases,
        "messages_per_node_s": sum(seen.messages.values()) / node_s,
        "bytes_per_node_s": sum(seen.sent_bytes.values()) / node_s,
        "gossip_per_node_s": gossip / node_s,
        "gossip_bytes_per_node_s": gossip_bytes / node_s,
        "fan_in": seen.fan_in,
        "fan_in_100ms": seen.fan_in_window,
        "busiest_loop": seen.loop_share,
        "runs": seen.runs,
        "expired": seen.expired,
        "lost": seen.cases - seen.reported,
    }


def predict(
    *,
    nodes: int = 8,
    slots: int,
    cases: int,
    case_s: float,
    each: int = CASES_EACH,
    costs: Costs | None = None,
    seed: int = 1,
) -> float:
    """How many times faster than one node several are, when all load is sent to one of them.

    Parameters:
        nodes: that are alike.
        slots: of each.
        cases: in all.
        case_s: what each takes, a sleep for example.
        each: cases of one submission.
        costs: of hosts and network.

    Returns:
        The time that one node needs by itself over the time that all need.
    """
    alone_s, together_s = (
        _finish_s(count, slots, cases, case_s, each, costs, seed) for count in (1, nodes)
    )
    return alone_s / together_s


def _finish_s(
    nodes: int, slots: int, cases: int, case_s: float, each: int, costs: Costs | None, seed: int
) -> float:
    simulation = Simulation([Host(slots)] * nodes, seed, costs)
    simulation.estimate_s = case_s
    simulation.run(_REST_S)
    simulation.burst(next(iter(simulation.nodes.values())), [case_s] * cases, each)
    simulation.run(math.inf)
    return simulation.now_s - _REST_S


def grows_no_faster_than_log(
    name: str, rows: Iterable[dict[str, Any]], column: str
) -> Promise:  # fmt: skip
    """The promise about rows of different numbers of nodes, the smallest first.

    Parameters:
        name: of what is in the column.
    """
    first, *others = rows
    too_fast = [
        f"{row[column]:.3g} of {row['nodes']} nodes, {first[column]:.3g} of {first['nodes']}"
        for row in others
        if row[column] > first[column] * math.log(row["nodes"]) / math.log(first["nodes"])
    ]
    return none_of(f"{name} per node and second grow no faster than log(nodes)", too_fast)


def promises(rows: Sequence[dict[str, Any]], scenarios: Sequence[Scenario]) -> list[Promise]:
    """What must hold."""
    found = []
    scaling = []
    for row, scenario in zip(rows, scenarios, strict=True):
        plain = scenario.name == "burst on one"
        if plain and scenario.nodes == _PROMISED_NODES:
            bound_s = 1.3 * row["ideal_s"] + 1
            text = f"makespan_s of {scenario.nodes} nodes, 1.3 x ideal + 1 s:"
            found.append(at_most(text, row["makespan_s"], bound_s))
        if plain or scenario.nodes == SIZES[-1]:
            scaling.append(row)
    for name, column in (
        ("messages", "messages_per_node_s"),
        ("bytes", "bytes_per_node_s"),
        ("messages of gossip", "gossip_per_node_s"),
        ("bytes of gossip", "gossip_bytes_per_node_s"),
    ):
        found.append(grows_no_faster_than_log(name, scaling, column))
    found.append(at_most("fan_in, any number of nodes", _most(rows, "fan_in"), FAN_IN_BOUND))
    found.append(
        at_most("fan_in_100ms, any number of nodes", _most(rows, "fan_in_100ms"), FAN_IN_BOUND)
    )
    found.append(none_of("no case is lost", [r["scenario"] for r in rows if r["lost"]]))
    twice = [
        row["scenario"]
        for row, scenario in zip(rows, scenarios, strict=True)
        if scenario.keeps_all and row["runs"] != row["cases"]
    ]
    found.append(none_of("where no node dies, no case is run twice", twice))
    return found


def _most(rows: Sequence[dict[str, Any]], column: str) -> float:
    return float(max(row[column] for row in rows))


def figures(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """What issues and docs quote."""
    row = next(
        row
        for row in rows
        if row["nodes"] == _PROMISED_NODES and row["scenario"] == "burst on one"
    )  # fmt: skip
    return {
        "makespan_over_ideal_1000": row["over_ideal"],
        "makespan_s_1000": row["makespan_s"],
        "ideal_s_1000": row["ideal_s"],
        "messages_per_node_per_s_1000": row["messages_per_node_s"],
        "bytes_per_node_per_s_1000": row["bytes_per_node_s"],
        "gossip_bytes_per_node_per_s_1000": row["gossip_bytes_per_node_s"],
        "steals_per_case_1000": row["steals_per_case"],
        "max_fan_in_1000": row["fan_in"],
        "max_fan_in_100ms_1000": row["fan_in_100ms"],
        "max_fan_in_100ms": _most(rows, "fan_in_100ms"),
    }


def _draw(rows: Sequence[dict[str, Any]]) -> None:
    scaling = [row for row in rows if row["scenario"] in ("burst on one", "burst on five")]

    def of(column: str) -> list[tuple[float, float]]:
        return [(row["nodes"], row[column]) for row in scaling]

    charts = {
        "makespan": plots.lines(
            "Time to finish a burst on one node", "nodes (5,000: on five)", "seconds",
            {"ideal": of("ideal_s"), "simulated": of("makespan_s")},
        ),
        "messages": plots.lines(
            "Messages", "nodes", "per node and second",
            {"all": of("messages_per_node_s"), "gossip": of("gossip_per_node_s")},
        ),
        "bytes": plots.lines(
            "Bytes of gossip", "nodes", "per node and second",
            {"gossip": of("gossip_bytes_per_node_s")},
        ),
        "fan-in": plots.lines(
            "Largest fan-in on one node", "nodes", "requests for work",
            {"waiting": of("fan_in"), "in 100 ms": of("fan_in_100ms")},
        ),
    }  # fmt: skip
    for name, chart in charts.items():
        path = results.directory() / f"simulate-{name}.svg"
        path.write_text(chart, encoding="utf-8")
        print(f"wrote {path.name}")


def _assumptions() -> list[dict[str, Any]]:
    return [
        {"assumed": "slots of a node", "value": " or ".join(map(str, SLOTS))},
        {"assumed": "speed of a node", "value": f"{SLOWEST} to {FASTEST}"},
        {"assumed": "cases per slot", "value": CASES_PER_SLOT},
        {"assumed": "CPU seconds of a case", "value": f"{CASE_S} on average, {2 * CASE_S} at most"},
        {"assumed": "cases of a submission", "value": CASES_EACH},
        *(
            {"assumed": field.name, "value": f"{field.default:g}"}
            for field in dataclasses.fields(Costs)
            if isinstance(field.default, int | float)
        ),
    ]


def run(scenarios: Sequence[Scenario]) -> int:
    """Simulate, print, write; returns the exit status."""
    console = results.new_console()
    rows = []
    for scenario in scenarios:
        rows.append(simulate(scenario))
        done = rows[-1]
        console.print(
            f"{scenario.nodes} nodes, {scenario.name}: {done['over_ideal']:.2f} x ideal, "
            f"{done['cpu_s']:.0f} s of CPU time",
            markup=False,
            highlight=False,
        )
    kept = promises(rows, scenarios)
    path = results.write("simulate", figures(rows), rows, promises=kept)
    print(f"wrote {path.name}")
    _draw(rows)
    results.show("Assumed (times in seconds; `simulated.Costs` says what each is)", _assumptions())
    columns = [name for name in rows[0] if name != "cpu_s"]
    half = 2 + (len(columns) - 2) // 2
    for part in (columns[:half], [*columns[:2], *columns[half:]]):
        results.show("Simulated", [{name: row[name] for name in part} for row in rows])
    return results.conclude(kept)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.simulate`."""
    parser = argparse.ArgumentParser(prog="python -m bench.simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="everything follows from it")
    options = parser.parse_args(arguments)
    return run([dataclasses.replace(one, seed=options.seed) for one in SCENARIOS])


if __name__ == "__main__":
    sys.exit(main())
