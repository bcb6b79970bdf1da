"""Which verdicts moved between a quiet machine and a loaded one, and how much CPU times did.

Pure functions over reports.  A submission whose quiet CPU time is within a tenth of its limit may
be called either way, and is counted apart; so is one that needs less at one time and more at
another, with nothing beside it, and whose limit lies between.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.choices import ENDED, Choice, was_run
from scalebox.model import Report, Verdict

#: Of the limit, to both sides.
BAND = 0.1
#: CPU times below this are start and end of a process, and say little of the program.
RATIO_FROM_S = 0.02
PERCENTILES = (1, 10, 50, 90, 99, 100)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A choice, and its report when nothing else was judged."""

    choice: Choice
    report: Report

    @property
    def in_band(self) -> bool:
        """Whether a test needs so nearly its limit that no verdict is promised."""
        limit_s, needs_s = self.choice.limit_s, self.choice.needs_s
        times = [case.cpu_time_s for case in self.report.cases if was_run(case)]
        if any(abs(time_s / limit_s - 1) <= BAND for time_s in times):
            return True
        least_s, most_s = (1 - BAND) * limit_s, (1 + BAND) * limit_s
        return bool(needs_s) and min(needs_s) <= most_s and max(needs_s) >= least_s

    @property
    def cpu_time_s(self) -> float:
        """Of its slowest test; of one that was stopped, until then."""
        return max((case.cpu_time_s for case in self.report.cases), default=0.0)


@dataclass(frozen=True, slots=True)
class Run:
    """One more judgement of a choice, and its quiet one."""

    quiet: Quiet
    report: Report

    @property
    def flipped(self) -> bool:
        """Whether the verdict is another one."""
        return self.report.verdict is not self.quiet.report.verdict

    @property
    def flipped_by_wall_clock(self) -> bool:
        """Whether it would be another one if limits were on wall time."""
        limit_s = self.quiet.choice.limit_s
        return wall_clock_verdict(self.report, limit_s) is not self.quiet.report.verdict

    def ratios(self) -> list[float]:
        """Measured over quiet CPU time, of the tests where both are known."""
        pairs = zip(self.report.cases, self.quiet.report.cases, strict=True)
        return [
            case.cpu_time_s / before.cpu_time_s
            for case, before in pairs
            if case.verdict in ENDED
            and before.verdict in ENDED
            and before.cpu_time_s >= RATIO_FROM_S
        ]

    def row(self) -> dict[str, Any]:
        """For the table of flips."""
        quiet, choice = self.quiet, self.quiet.choice
        decisive = next((c for c in self.report.cases if c.verdict is not Verdict.ACCEPTED), None)
        return {
            "submission": choice.name,
            "language": choice.submission.language,
            "limit": choice.limit,
            "limit_s": choice.limit_s,
            "quiet": quiet.report.verdict.value,
            "quiet_cpu_s": quiet.cpu_time_s,
            "found": self.report.verdict.value,
            "found_cpu_s": max((case.cpu_time_s for case in self.report.cases), default=0.0),
            "in_band": "yes" if quiet.in_band else "no",
            "message": self.report.message or (decisive.message if decisive else ""),
        }


def wall_clock_verdict(report: Report, limit_s: float) -> Verdict:
    """The verdict if every test had a plain limit on its wall time, and none on CPU time."""
    for case in report.cases:
        if was_run(case) and case.wall_time_s > limit_s:
            return Verdict.TIME_LIMIT_EXCEEDED
        if case.verdict is not Verdict.ACCEPTED:
            return case.verdict
    return report.verdict


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that so many per cent of them do not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


@dataclass
class Phase:
    """All runs under one kind of load.

    Attributes:
        name: of its row.
        runs: in the order in which they were sent.
        wall_s: of all.
        notes: what the daemon, or the load, counted meanwhile.
    """

    name: str
    runs: list[Run] = field(default_factory=list)
    wall_s: float = 0.0
    notes: dict[str, float] = field(default_factory=dict)

    def flips(self, *, in_band: bool) -> list[Run]:
        """Runs whose verdict is another one, of the choices in the band or of the others."""
        return [run for run in self.runs if run.flipped and run.quiet.in_band is in_band]

    def wall_clock_flips(self) -> list[Run]:
        """What a limit on wall time would have changed, outside the band."""
        return [run for run in self.runs if run.flipped_by_wall_clock and not run.quiet.in_band]

    def ratios(self) -> dict[str, float]:
        """Percentiles of measured over quiet CPU time; none if there is nothing to compare."""
        return ratio_percentiles(self.runs)

    def row(self) -> dict[str, Any]:
        """For the table and the file."""
        return {
            "load": self.name,
            "runs": len(self.runs),
            "flips": len(self.flips(in_band=False)),
            "flips_in_band": len(self.flips(in_band=True)),
            "wall_clock_flips": len(self.wall_clock_flips()),
            **{name.removeprefix("cpu_ratio_"): value for name, value in self.ratios().items()},
            **self.notes,
            "wall_s": self.wall_s,
        }


def ratio_percentiles(runs: Iterable[Run]) -> dict[str, float]:
    """`cpu_ratio_p50` and its like, over all tests of some runs."""
    ratios = [ratio for run in runs for ratio in run.ratios()]
    if not ratios:
        return {}
    return {f"cpu_ratio_p{percent}": percentile(ratios, percent) for percent in PERCENTILES}
