"""What is it worth that idle nodes take cases from busy ones, and what does it cost?

Nodes are test hosts: network namespaces of this machine, with a daemon each (`tests/cluster`).

- *Sleeping.*  All load goes to one node of eight, in cases that sleep, so that eight nodes are not
  limited by this machine's cores.  `speedup_8_nodes_sleep` is their rate over a single node's;
  `prediction_error` is how far from it the simulator's prediction is.
- *Even.*  Every one of eight nodes gets the same share of short CPU-bound cases, once with stealing
  and once without, in turns.  Nobody needs help; `even_load_overhead` is what help that is on offer
  costs in CPU time a case, all daemons and slots together, and `even_load_makespan_overhead` in
  time.
- *Real.*  Real programs go to one of two nodes that have a core each.  `cpu_share_2_nodes`: which
  part of both cores' time, less the client's, the programs got, over the part of its one core's
  time that they get from a node that is alone, with the client on another core.  1 is ideal: what
  a node costs beside the programs is not the cluster's doing, but what lending costs, or leaves
  idle, is.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bench import clustered, labels, processes, results, simulate, workloads
from bench.measure import UnexpectedReportError
from bench.results import Promise, at_least, at_most
from bench.workloads import Real, Unit
from scalebox.client.aio import AsyncClient
from scalebox.errors import ScaleboxError
from scalebox.model import Report, StdioCase, StdioTests, Submission
from tests.cluster.hosts import Hosts, HostsError

NODES = 8
SLOTS = 2
SLEEP_S = 0.2
#: Of one submission of the sleeping load.
EACH = 20
NAMES = ("sleep", "even", "real")
_SLEEPS = (
    "# {nonce}\nimport time\na, b = map(int, input().split())\ntime.sleep({sleep})\nprint(a + b)\n"
)
#: Real programs to choose from; more would only take longer to compile.
_UNITS = 40
#: Real programs need what their problems allow them.
_REAL_TABLES: dict[str, dict[str, Any]] = {
    "sandbox": {"slots": 1},
    "limits": {"memory_bytes": 1 << 30, "compile_memory_bytes": 2 << 30},
    "engine": {"memory_bytes": 4 << 30},
}


@dataclass
class Measured:
    """What there is to report.

    Attributes:
        figures: by name.
        rows: one a round.
        wanted: the rows that were asked for.
    """

    wanted: Sequence[str]
    figures: dict[str, float] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def median(self, load: str, column: str) -> float:
        """Of a column over the rounds of a load."""
        values = [float(row[column]) for row in self.rows if row["load"] == load]
        return statistics.median(values)

    def promises(self) -> list[Promise]:
        """What must hold of what was asked for."""
        every = {
            "sleep": (
                at_least("speedup_8_nodes_sleep", self.figures.get("speedup_8_nodes_sleep"), 7.0),
                at_most("prediction_error", self.figures.get("prediction_error"), 0.15),
            ),
            "even": (
                at_most("even_load_overhead", self.figures.get("even_load_overhead"), 0.02),
                at_most(
                    "even_load_makespan_overhead",
                    self.figures.get("even_load_makespan_overhead"),
                    0.02,
                ),
            ),
            "real": (at_least("cpu_share_2_nodes", self.figures.get("cpu_share_2_nodes"), 0.95),),
        }
        return [promise for name in self.wanted for promise in every[name]]


async def judge(client: AsyncClient, submissions: Sequence[Submission]) -> list[Report]:
    """Have all judged; all must be accepted.

    Raises:
        UnexpectedReportError: one is not.
    """
    reports = await client.judge_all(submissions)
    for report in reports:
        if not report.accepted:
            bad = next((case for case in report.cases if case.verdict != "accepted"), None)
            words = report.message or (f"{bad.name}: {bad.message}" if bad else "")
            raise UnexpectedReportError(f"{report.verdict.value} ({words}) in place of accepted")
    return reports


def nodes_of(reports: Sequence[Report], own: str) -> Counter[str]:
    """How many cases ran on each node."""
    return Counter(case.node or own for report in reports for case in report.cases)


# --- sleeping ------------------------------------------------------------------------------------


def sleeping(rng: random.Random, cases: int) -> list[Submission]:
    """Submissions whose cases use no CPU time to speak of."""
    made = []
    for _ in range(0, cases, EACH):
        pairs = [(rng.randrange(10**6), rng.randrange(10**6)) for _ in range(EACH)]
        tests = StdioTests(
            cases=[StdioCase(input=f"{a} {b}\n", answer=f"{a + b}\n") for a, b in pairs]
        )
        source = _SLEEPS.format(nonce=rng.getrandbits(64), sleep=SLEEP_S)
        made.append(Submission(language="python", source=source, tests=tests))
    return made


async def sleep_round(hosts: Hosts, rng: random.Random, cases: int) -> dict[str, Any]:
    """All of it to the first node."""
    submissions = sleeping(rng, cases)
    async with AsyncClient(hosts[0].socket) as client:
        started = time.perf_counter()
        reports = await judge(client, submissions)
        wall_s = time.perf_counter() - started
    counts = nodes_of(reports, hosts[0].name)
    return {
        "load": f"sleep, {len(hosts)}",
        "cases": cases,
        "wall_s": wall_s,
        "cases_per_s": cases / wall_s,
        "run_s": statistics.mean(case.wall_time_s for one in reports for case in one.cases),
        "nodes": len(counts),
        "fewest": min(counts.values()),
        "most": max(counts.values()),
    }


async def measure_sleep(measured: Measured, *, rounds: int, single_cases: int) -> None:
    """A single node and eight, in turns, with as much for each node."""
    rng = random.Random(1)
    async with Hosts(1, cluster={}) as single, Hosts(NODES, cluster={}) as eight:
        for hosts in (single, eight):
            await clustered.start(hosts, sandbox={"slots": SLOTS})
            await sleep_round(hosts, rng, EACH)
        for _ in range(rounds):
            measured.rows.append(await sleep_round(single, rng, single_cases))
            measured.rows.append(await sleep_round(eight, rng, NODES * single_cases))
    single_rate = measured.median("sleep, 1", "cases_per_s")
    eight_rate = measured.median(f"sleep, {NODES}", "cases_per_s")
    # The model's programs take what these took on a node alone.
    predicted = simulate.predict(
        nodes=NODES,
        slots=SLOTS,
        cases=NODES * single_cases,
        each=EACH,
        case_s=measured.median("sleep, 1", "run_s"),
    )
    measured.figures |= {
        "single_node_sleep_cases_per_s": single_rate,
        "eight_nodes_sleep_cases_per_s": eight_rate,
        "speedup_8_nodes_sleep": eight_rate / single_rate,
        "predicted_speedup_8_nodes_sleep": predicted,
        "prediction_error": abs(predicted / (eight_rate / single_rate) - 1),
    }


# --- even ----------------------------------------------------------------------------------------


async def even_round(hosts: Hosts, name: str, rng: random.Random, count: int) -> dict[str, Any]:
    """The same number of submissions to every node, from a client of its own."""
    shares = [
        [unit.submission for unit in workloads.TRIVIAL.make(rng, count)] for _ in range(len(hosts))
    ]

    async def send(number: int) -> list[Report]:
        async with AsyncClient(hosts[number].socket) as client:
            return await judge(client, shares[number])

    before, client_s, started = (
        await clustered.cpu_s(hosts),
        time.process_time(),
        time.perf_counter(),
    )
    async with asyncio.TaskGroup() as tasks:
        sending = [tasks.create_task(send(number)) for number in range(len(hosts))]
    wall_s, client_s = time.perf_counter() - started, time.process_time() - client_s
    spent_s = await clustered.cpu_s(hosts) - before
    elsewhere = 0
    cases = 0
    for host, done in zip(hosts, sending, strict=True):
        counts = nodes_of(done.result(), host.name)
        cases += counts.total()
        elsewhere += counts.total() - counts[host.name]
    return {
        "load": f"even, {name}",
        "cases": cases,
        "wall_s": wall_s,
        "cases_per_s": cases / wall_s,
        "cpu_ms_per_case": 1000 * spent_s / cases,
        "client_s": client_s,
        "stolen": elsewhere,
    }


async def measure_even(measured: Measured, *, rounds: int, count: int) -> None:
    """With stealing and without, in turns; which is first changes, too.

    Of two clusters of sixteen like hosts the one whose daemons were started first is some per cent
    slower here, whatever it does.  So each kind is started first once, and the two that come of it
    are multiplied.
    """
    rng = random.Random(2)
    stolen = cases = 0
    ratios: dict[str, list[float]] = {"cpu_ms_per_case": [], "wall_s": []}
    for order in ((True, False), (False, True)):
        pairs = await _even_pairs(measured, order, rng, rounds=rounds, count=count)
        for column, found in ratios.items():
            found.append(_over(pairs, column))
        stolen += sum(stealing["stolen"] for stealing, _ in pairs)
        cases += sum(stealing["cases"] for stealing, _ in pairs)
    measured.figures |= {
        "even_load_overhead": math.prod(ratios["cpu_ms_per_case"]) ** 0.5 - 1,
        "even_load_makespan_overhead": math.prod(ratios["wall_s"]) ** 0.5 - 1,
        "even_load_stolen_share": stolen / cases,
    }


async def _even_pairs(
    measured: Measured, order: tuple[bool, bool], rng: random.Random, *, rounds: int, count: int
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Rounds of two clusters that are started in this order; of each: with stealing, without."""
    pairs = []
    names = {True: "stealing", False: "keeping"}
    async with (
        Hosts(NODES, cluster={"steal": order[0]}) as first,
        Hosts(NODES, cluster={"steal": order[1]}) as second,
    ):
        clusters = dict(zip(order, (first, second), strict=True))
        for hosts in (first, second):
            await clustered.start(hosts, sandbox={"slots": SLOTS})
            await even_round(hosts, "warm-up", rng, 2)
        for number in range(rounds):
            one: dict[bool, dict[str, Any]] = {}
            for steals in order[:: -1 if number % 2 else 1]:
                one[steals] = await even_round(clusters[steals], names[steals], rng, count)
                measured.rows.append(one[steals])
            pairs.append((one[True], one[False]))
    return pairs


def _over(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]], column: str) -> float:
    """Median over the rounds of the first of each pair over the second."""
    return statistics.median(float(ours[column]) / float(theirs[column]) for ours, theirs in pairs)


# --- real ----------------------------------------------------------------------------------------


async def real_round(
    hosts: Hosts, submissions: Sequence[Submission], client_cores: set[int]
) -> dict[str, Any]:
    """All of it to the first node; the client runs on the given cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, client_cores)
    try:
        async with AsyncClient(hosts[0].socket) as client:
            programs_s = await _programs_s(hosts)
            machine_s, client_s, started = (
                processes.machine_cpu_s(),
                time.process_time(),
                time.perf_counter(),
            )
            service_s = await clustered.cpu_s(hosts)
            reports = await judge(client, submissions)
            wall_s = time.perf_counter() - started
            client_s = time.process_time() - client_s
            service_s = await clustered.cpu_s(hosts) - service_s
            machine_s = processes.machine_cpu_s() - machine_s
            programs_s = await _programs_s(hosts) - programs_s
    finally:
        os.sched_setaffinity(0, before)
    cores = set().union(*(host.cores for host in hosts))
    available_s = len(cores) * wall_s - (client_s if client_cores & cores else 0.0)
    counts = nodes_of(reports, hosts[0].name)
    return {
        "load": f"real, {len(hosts)}",
        "cases": counts.total(),
        "wall_s": wall_s,
        "programs_s": programs_s,
        "client_s": client_s,
        "service_s": service_s,
        # Who else was at work on these cores makes the share smaller than it could be.
        "others_s": max(0.0, machine_s - service_s - client_s),
        "cpu_share": programs_s / available_s,
        "fewest": min(counts.values()),
        "most": max(counts.values()),
    }


async def _programs_s(hosts: Hosts) -> float:
    return sum(one.counters["program_cpu_s"] for one in await clustered.statuses(hosts))


async def prepare_real(
    hosts: Hosts, real: Real, problems: Iterable[str], units: Sequence[Unit]
) -> list[float]:
    """Register the problems, compile everything; the CPU seconds of each unit."""
    async with AsyncClient(hosts[0].socket) as client:
        for problem_id in problems:
            await client.put_problem(problem_id, real.problems[problem_id])
        return [one.cpu_time_s for one in await judge(client, [unit.submission for unit in units])]


async def measure_real(measured: Measured, path: Path, *, rounds: int, seconds: float) -> None:
    """A node alone on a core, and two nodes on two.

    Parameters:
        path: of the problems.
        seconds: how long a round takes, about.
    """
    real = workloads.real(path)
    rng = random.Random(3)
    units = rng.sample(real.units, min(_UNITS, len(real.units)))
    problems = {unit.submission.problem or "" for unit in units}
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise ScaleboxError("two nodes that have a core each need two cores")
    async with Hosts(1, cluster={}) as single, Hosts(2, cluster={}) as pair:
        for hosts in (single, pair):
            for host, core in zip(hosts, cores, strict=False):
                host.cores = {core}
            await clustered.start(hosts, **_REAL_TABLES)
            spent = await prepare_real(hosts, real, problems, units)
        for _ in range(rounds):
            for hosts in (single, pair):
                work = as_much(units, spent, len(hosts) * seconds, rng)
                client_cores = {cores[1]} if len(hosts) == 1 else set(cores)
                measured.rows.append(await real_round(hosts, work, client_cores))
    measured.figures |= {
        "cpu_share_1_node": measured.median("real, 1", "cpu_share"),
        "cpu_share_of_both_cores": measured.median("real, 2", "cpu_share"),
        # What other people's work took of the machine makes the figures worthless if it is much.
        "others_cores": measured.median("real, 2", "others_s")
        / measured.median("real, 2", "wall_s"),
    }
    measured.figures["cpu_share_2_nodes"] = (
        measured.figures["cpu_share_of_both_cores"] / measured.figures["cpu_share_1_node"]
    )


def as_much(
    units: Sequence[Unit], spent: Sequence[float], seconds: float, rng: random.Random
) -> list[Submission]:
    """Units, over and over, that take so many CPU seconds together; in no order."""
    order: list[int] = []
    total = 0.0
    while total < seconds:
        turn = rng.sample(range(len(units)), len(units))
        for number in turn:
            if total >= seconds:
                break
            order.append(number)
            total += spent[number]
    return [units[number].submission for number in order]


async def run(names: Sequence[str], *, quick: bool) -> int:
    """Measure, print, write; returns the exit status."""
    measured = Measured(names)
    if "sleep" in names:
        await measure_sleep(measured, rounds=1 if quick else 3, single_cases=100 if quick else 300)
    if "even" in names:
        await measure_even(measured, rounds=3 if quick else 6, count=20 if quick else 80)
    path = labels.data_directory() / labels.FILE
    if "real" in names and path.is_file():
        await measure_real(
            measured, path, rounds=1 if quick else 3, seconds=15.0 if quick else 45.0
        )
    elif "real" in names:
        print(f"cluster-bench: no {labels.FILE}; name its folder in SCALEBOX_DATA")
    promises = measured.promises()
    results.write("cluster-bench", measured.figures, measured.rows, promises=promises)
    for name in names:
        rows = [row for row in measured.rows if row["load"].startswith(name)]
        results.show(f"{name} (one row a round)", rows)
    results.show(
        "Cluster", [{"figure": key, "value": value} for key, value in measured.figures.items()]
    )
    return results.conclude(promises)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.cluster`."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.cluster", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds")
    parser.add_argument(
        "--only", action="append", choices=NAMES, metavar="NAME",
        help=f"only this load ({', '.join(NAMES)}); may be repeated",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        return uvloop.run(run(options.only or NAMES, quick=options.quick))
    except* (ScaleboxError, HostsError) as group:
        for error in group.exceptions:
            print(f"cluster-bench: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
