"""How fast is it, beside what one would use otherwise; and do DESIGN §8's budgets hold?

Each workload is run by the daemon and by its rivals in turn, round after round, in one go, so that
a ratio holds on a noisy machine; figures are medians.  A report that is not as expected ends it.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import uvloop

from bench import (
    interpreters,
    labels,
    latencies,
    measure,
    processes,
    results,
    run_codes,
    workloads,
)
from bench.measure import Rivals, Round
from bench.results import Promise, at_least, at_most
from bench.workloads import Unit, Workload
from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local
from scalebox.errors import ScaleboxError
from scalebox.model import Submission

ROUNDS = 5
STARTS = 5
QUICK_ROUNDS = 3
QUICK_SHARE = 0.25
NAMES = (
    "python", "single", "imports", "numpy", "cpp", "calls", "judged", "validated", "real",
    "languages", "run_code",
)  # fmt: skip
_MIB = 1 << 20


@dataclass
class Measured:
    """All rounds of one workload, by way."""

    workload: str
    rounds: dict[str, list[Round]] = field(default_factory=dict)
    note: str = ""

    def add(self, way: str, one: Round) -> None:
        """Keep a round."""
        self.rounds.setdefault(way, []).append(one)

    def rate(self, way: str) -> float:
        """Median of cases per second."""
        return statistics.median(one.rate for one in self.rounds[way])

    def ratio(self, rival: str) -> float | None:
        """Median over the rounds of the daemon's rate by the rival's in the same round."""
        if rival not in self.rounds:
            return None
        pairs = zip(self.rounds["scalebox"], self.rounds[rival], strict=True)
        return statistics.median(ours.rate / theirs.rate for ours, theirs in pairs)

    def per_case_ms(self, part: str, way: str = "scalebox") -> float:
        """Median of CPU milliseconds a case; `part` is an attribute of `Round`."""
        spent = [one.per_case_ms(float(getattr(one, part))) for one in self.rounds[way]]
        return statistics.median(spent)

    def share(self, whole: str) -> float:
        """The programs' part of `whole` (an attribute of `Round`), over all rounds."""
        ours = self.rounds["scalebox"]
        spent = sum(float(getattr(one, whole)) for one in ours)
        return sum(one.programs_s for one in ours) / spent

    def rows(self) -> list[dict[str, Any]]:
        """For tables and files."""
        if not self.rounds:
            return [{"workload": self.workload, "way": f"not measured: {self.note}"}]
        found = []
        for way, rounds in self.rounds.items():
            row: dict[str, Any] = {
                "workload": self.workload,
                "way": way,
                "cases_per_s": self.rate(way),
                "times_faster": None if way == "scalebox" else self.ratio(way),
                "programs_ms": self.per_case_ms("programs_s", way),
                "right": sum(one.right for one in rounds) / sum(one.cases for one in rounds),
                "rounds": len(rounds),
            }
            if way == "scalebox":
                row |= {
                    "zygotes_ms": self.per_case_ms("zygotes_s"),
                    "daemon_ms": self.per_case_ms("daemon_s"),
                    "uncounted_ms": self.per_case_ms("uncounted_s"),
                    "together_ms": self.per_case_ms("service_s"),
                    "client_ms": self.per_case_ms("client_s"),
                    "elsewhere_ms": self.per_case_ms("elsewhere_s"),
                }
            found.append(row)
        ours = self.rounds["scalebox"]
        limit = statistics.median(
            one.cases * _cores() / one.programs_s for one in ours if one.programs_s
        )
        found.append(
            {"workload": self.workload, "way": "limit: the programs' own CPU", "cases_per_s": limit}
        )
        return found


def _cores() -> int:
    return results.host_facts()["cores"]  # type: ignore[no-any-return]


async def interleave(
    client: AsyncClient,
    rivals: Rivals,
    workload: Workload,
    *,
    rounds: int,
    share: float = 1.0,
    natives: dict[str, str] | None = None,
) -> Measured:
    """Run a workload by every way in turn.

    Parameters:
        rounds: of each way; one more before them, of a few submissions, is not counted.
        share: of the workload's number of submissions.
        natives: C++ source → binary, for the rival.
    """
    rng = random.Random(workload.name)
    count = max(4, int(workload.submissions * share))
    rival_count = max(4, int(workload.rival_submissions * share))
    measured = Measured(workload.name)
    await measure.judge(client, _submissions(workload.make(rng, 20)))
    for _ in range(rounds):
        measured.add(
            "scalebox", await measure.judge(client, _submissions(workload.make(rng, count)))
        )
        units = workload.make(rng, rival_count)
        if natives is None:
            measured.add("subprocess pool", await rivals.run("subprocess", units))
        else:
            units = [replace(unit, source=natives[unit.source]) for unit in units]
            measured.add("subprocess pool", await rivals.run("native", units))
        if workload.exec_rival:
            measured.add("in-process exec", await rivals.run("exec", workload.make(rng, count)))
    return measured


def _submissions(units: Sequence[Unit]) -> list[Submission]:
    return [unit.submission for unit in units]


def compile_natives(units: Sequence[Unit], folder: Path) -> dict[str, str]:
    """Compile the distinct C++ sources for the rival, with the daemon's default flags.

    Raises:
        ScaleboxError: there is no g++, or it refuses.
    """
    natives: dict[str, str] = {}
    for unit in units:
        if unit.language != "cpp" or unit.source in natives:
            continue
        source = folder / f"{len(natives)}.cpp"
        binary = source.with_suffix("")
        source.write_text(unit.source, encoding="utf-8")
        command = ["g++", "-O2", "-std=gnu++17", "-pipe", "-o", str(binary), str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise ScaleboxError(f"the C++ rival cannot be compiled: {error}") from error
        natives[unit.source] = str(binary)
    return natives


async def real(client: AsyncClient, rivals: Rivals, folder: Path, *, quick: bool) -> Measured:
    """Real problems: one round of each way, and two of ours."""
    file = labels.data_directory() / labels.FILE
    if not file.is_file():
        return Measured("real problems", note=f"no {labels.FILE}; name its folder in SCALEBOX_DATA")
    found = workloads.real(file, 0.2 if quick else workloads.REAL_MAX_S)
    for problem_id, problem in found.problems.items():
        await client.put_problem(problem_id, problem)
    natives = await anyio.to_thread.run_sync(compile_natives, found.units, folder)
    measured = Measured("real problems")
    submissions = _submissions(found.units)
    await measure.judge(client, submissions)  # compiles all, so that the rounds only run
    rival_units = [
        (unit, "native" if unit.language == "cpp" else "subprocess") for unit in found.units
    ]
    for number in range(2):
        measured.add("scalebox", await measure.judge(client, _shuffled(submissions, number)))
        if number == 0:
            parts = []
            for mode in ("subprocess", "native"):
                units = [unit for unit, its_mode in rival_units if its_mode == mode]
                if mode == "native":
                    units = [replace(unit, source=natives[unit.source]) for unit in units]
                # Its comparison knows no tolerance; that its verdicts are worse is not timed.
                parts.append(await rivals.run(mode, units, all_right=False))
            rival = Round(
                sum(part.cases for part in parts),
                sum(part.wall_s for part in parts),
                sum(part.programs_s for part in parts),
                right=sum(part.right for part in parts),
            )
        measured.add("subprocess pool", rival)
    return measured


def _shuffled(submissions: Sequence[Submission], seed: int) -> list[Submission]:
    shuffled = list(submissions)
    random.Random(seed).shuffle(shuffled)
    return shuffled


async def start_time_s() -> float:
    """From nothing to a daemon's first answer: the median of some starts."""
    times = []
    for _ in range(STARTS):
        started = time.perf_counter()
        async with async_local() as client:
            await client.status()
            times.append(time.perf_counter() - started)
    return statistics.median(times)


async def at_rest(client: AsyncClient) -> dict[str, float]:
    """What a daemon costs before it has done anything."""
    figures: dict[str, float] = {}
    await anyio.sleep(1.0)
    status = await client.status()
    pid = processes.daemon_pid(client.address.removeprefix("unix:"))
    slots = [slot.pid for slot in status.slots if slot.pid]
    figures["daemon_rss_idle_bytes"] = processes.rss_bytes(pid)
    figures["slot_rss_bytes"] = statistics.mean(processes.rss_bytes(slot) for slot in slots)
    # What one more slot really takes: the interpreter's pages are shared by all.
    figures["slot_pss_bytes"] = statistics.mean(processes.pss_bytes(slot) for slot in slots)
    return figures


@contextlib.asynccontextmanager
async def _numpy_daemon() -> AsyncIterator[tuple[AsyncClient, Rivals]]:
    interpreter = await anyio.to_thread.run_sync(interpreters.with_numpy)
    overrides = {"languages": {"python": {"interpreter": interpreter}}}
    async with async_local(overrides) as client, measure.rivals(interpreter) as rivals:
        yield client, rivals


def figures_of(measured: dict[str, Measured]) -> dict[str, float]:
    """The named figures of what was measured."""
    figures: dict[str, float | None] = {}
    if found := measured.get("python"):
        figures["python_trivial_cases_per_s"] = found.rate("scalebox")
        figures["ratio_to_subprocess_pool"] = found.ratio("subprocess pool")
        figures["ratio_to_inprocess_exec"] = found.ratio("in-process exec")
        # How fast this machine is, today: what a cold Python costs that does the same.
        figures["cold_python_cpu_ms"] = found.per_case_ms("programs_s", "subprocess pool")
        figures["cpu_ms_per_case"] = found.per_case_ms("service_s")
        figures["daemon_cpu_ms_per_case"] = found.per_case_ms("daemon_s")
        figures["zygote_cpu_ms_per_case"] = found.per_case_ms("zygotes_s")
        figures["program_cpu_ms_per_case"] = found.per_case_ms("programs_s")
        figures["uncounted_cpu_ms_per_case"] = found.per_case_ms("uncounted_s")
        figures["client_cpu_ms_per_case"] = found.per_case_ms("client_s")
        figures["machine_cpu_ms_per_case"] = found.per_case_ms("machine_s")
    if found := measured.get("single"):
        figures["python_single_case_submissions_per_s"] = found.rate("scalebox")
        figures["single_cpu_ms_per_case"] = found.per_case_ms("service_s")
    if found := measured.get("imports"):
        figures["imports_cases_per_s"] = found.rate("scalebox")
        figures["imports_ratio_to_subprocess_pool"] = found.ratio("subprocess pool")
        figures["imports_ratio_to_inprocess_exec"] = found.ratio("in-process exec")
        figures["imports_cpu_ms_per_case"] = found.per_case_ms("service_s")
    if (found := measured.get("numpy")) and found.rounds:
        figures["numpy_cases_per_s"] = found.rate("scalebox")
        figures["numpy_ratio_to_subprocess_pool"] = found.ratio("subprocess pool")
        figures["numpy_ratio_to_inprocess_exec"] = found.ratio("in-process exec")
        figures["numpy_cpu_ms_per_case"] = found.per_case_ms("service_s")
    if found := measured.get("cpp"):
        figures["cpp_trivial_cases_per_s"] = found.rate("scalebox")
        figures["cpp_ratio_to_subprocess_pool"] = found.ratio("subprocess pool")
        ours = found.per_case_ms("service_s")
        figures["cpp_cpu_ms_per_case"] = ours
        # The rival's child is the program with its exec and nothing else.
        own = found.per_case_ms("programs_s", "subprocess pool")
        figures["cpp_cpu_ms_beyond_the_program"] = ours - own
    if found := measured.get("calls"):
        figures["call_cases_per_s"] = found.rate("scalebox")
        figures["call_cpu_ms_per_case"] = found.per_case_ms("service_s")
    for row in ("judged", "validated"):
        if found := measured.get(row):
            figures[f"{row}_cases_per_s"] = found.rate("scalebox")
            figures[f"{row}_cpu_ms_per_case"] = cost = found.per_case_ms("service_s")
            if plain := figures.get("cpu_ms_per_case"):
                figures[f"{row}_cost_over_plain"] = cost / plain
    if (found := measured.get("real")) and found.rounds:
        figures["real_cases_per_s"] = found.rate("scalebox")
        figures["real_share_in_submissions"] = found.share("service_s")
        figures["real_share_of_machine"] = found.share("machine_s")
        figures["real_ratio_to_subprocess_pool"] = found.ratio("subprocess pool")
    return {name: value for name, value in figures.items() if value is not None}


#: (row that measures it, figure, comparison, bound): DESIGN §8.
BUDGETS = (
    ("python", "python_trivial_cases_per_s", at_least, 1000.0),
    ("python", "ratio_to_subprocess_pool", at_least, 8.0),
    ("python", "cpu_ms_per_case", at_most, 2.0),
    ("python", "daemon_cpu_ms_per_case", at_most, 0.25),
    ("cpp", "cpp_cpu_ms_beyond_the_program", at_most, 1.5),
    ("judged", "judged_cost_over_plain", at_most, 2.0),
    ("real", "real_share_in_submissions", at_least, 0.90),
    ("languages", "compiles_per_20_case_cpp", at_most, 1.0),
    ("rest", "start_time_s", at_most, 1.0),
    ("rest", "daemon_rss_idle_bytes", at_most, 150.0 * _MIB),
    ("rest", "slot_pss_bytes", at_most, 15.0 * _MIB),
)


def promises_of(figures: dict[str, float], names: Sequence[str]) -> list[Promise]:
    """The budgets of the rows that were asked for."""
    wanted = {*names, "rest"}
    return [
        compare(name, figures.get(name), bound)
        for row, name, compare, bound in BUDGETS
        if row in wanted
    ]


async def run(names: Sequence[str], *, quick: bool) -> int:
    """Measure, print, write; returns the exit status."""
    rounds, share = (QUICK_ROUNDS, QUICK_SHARE) if quick else (ROUNDS, 1.0)
    measured: dict[str, Measured] = {}
    by_language: list[dict[str, Any]] = []
    plain = {
        "python": workloads.TRIVIAL,
        "single": workloads.SINGLE,
        "imports": workloads.IMPORTS,
        "calls": workloads.CALLS,
        "judged": workloads.JUDGED,
        "validated": workloads.VALIDATED,
    }
    start_s = await start_time_s()
    with tempfile.TemporaryDirectory(prefix="scalebox-bench-") as name:
        folder = Path(name)
        async with (
            async_local() as client,
            measure.rivals(interpreters.default()) as rivals,
        ):
            figures = {"start_time_s": start_s, **await at_rest(client)}
            status = await client.status()
            for row, workload in plain.items():
                if row in names:
                    measured[row] = await interleave(
                        client, rivals, workload, rounds=rounds, share=share
                    )
                    results.show(workload.name, measured[row].rows())
            if "cpp" in names:
                natives = compile_natives(workloads.CPP.make(random.Random(0), 8), folder)
                measured["cpp"] = await interleave(
                    client, rivals, workloads.CPP, rounds=rounds, share=share, natives=natives
                )
                results.show(workloads.CPP.name, measured["cpp"].rows())
            if "languages" in names:
                by_language = await latencies.of_languages(client, rounds)
                results.show("Languages", by_language)
            if "real" in names:
                measured["real"] = await real(client, rivals, folder, quick=quick)
                results.show("real problems", measured["real"].rows())
        if "numpy" in names:
            try:
                async with _numpy_daemon() as (client, rivals):
                    measured["numpy"] = await interleave(
                        client, rivals, workloads.NUMPY, rounds=rounds, share=share
                    )
            except interpreters.NotMeasurable as reason:
                measured["numpy"] = Measured(workloads.NUMPY.name, note=str(reason))
            results.show(workloads.NUMPY.name, measured["numpy"].rows())
        asked: list[dict[str, Any]] = []
        if "run_code" in names:
            of_asking, asked = await run_codes.compare(rounds, share)
            figures |= of_asking
            results.show("SandboxFusion's /run_code beside the batch API", asked)
    figures |= figures_of(measured)
    for latency in by_language:
        if latency["language"] == "cpp":
            figures["compiles_per_20_case_cpp"] = latency["compilations_of_20_cases"]
    promises = promises_of(figures, names)
    rows = [row for name in NAMES if name in measured for row in measured[name].rows()]
    shown = rows
    rows = [*rows, *by_language, *asked]
    host = {"isolation": status.isolation.value, "enforcement": status.enforcement.value}
    results.write("bench", figures, rows, promises=promises, host=host)
    results.show("All rows (CPU in milliseconds a case)", shown)
    results.show("Figures", [{"figure": key, "value": value} for key, value in figures.items()])
    return results.conclude(promises)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.bench`."""
    parser = argparse.ArgumentParser(prog="python -m bench.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and smaller rounds")
    parser.add_argument(
        "--only", action="append", choices=NAMES, metavar="NAME",
        help=f"only this row ({', '.join(NAMES)}); may be repeated",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    names = options.only or list(NAMES)
    if "judged" in names and "python" not in names:
        names.append("python")  # which it is compared with
    status = 1
    try:
        status = uvloop.run(run(names, quick=options.quick))
    except* ScaleboxError as group:
        for error in group.exceptions:
            print(f"bench: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
