"""Graded samples of BigCodeBench: what was published about them, what we say, and how far the two
agree.
"""

from __future__ import annotations

import gzip
import json
import tomllib
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench import results
from scalebox.model import Verdict
from scalebox.suite.errors import SuiteError
from scalebox.suite.tasks import Grade, Task

CANONICAL = "canonical"
DIFFERENCES = Path(__file__).with_name("graded_differences.toml")
LEAST_AGREEMENT = 0.97
#: Why a verdict can differ from the one that was published; `ours` alone is a fault of ScaleBox.
CAUSES = {
    "python": "another version of Python",
    "library": "another version of a library",
    "network": "a host that tests ask can or cannot be reached",
    "data": "data that tests download is or is not there",
    "machine": "how fast the machine is, or what is installed on it",
    "random": "chance: the same sample passes and fails",
    "harness": "their harness does something else with the program, or ended it",
    "ours": "ScaleBox",
}
_STATUSES = ("pass", "fail", "timeout")
_MAX_RESULTS_BYTES = 256 << 20
_WORDS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Graded:
    """A sample and what was published about it.

    Attributes:
        task: its id.
        model: whose; `canonical`: the data's own.
        program: as their harness ran it.
        theirs: `pass`, `fail` or `timeout`.
        traces: test → what it failed with there; tests that passed are not in it.
    """

    task: str
    model: str
    program: str
    theirs: str
    traces: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Names it in `graded_differences.toml`."""
        return f"{self.task} {self.model}"


class Difference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a verdict differs from the published one.

    Attributes:
        cause: one of `CAUSES`.
        why: in words.
        varies: whether it does not differ every time.
    """

    cause: str
    why: str
    varies: bool = False

    def __post_init__(self) -> None:
        if self.cause not in CAUSES:
            raise ValueError(f"cause {self.cause!r} is none of {', '.join(sorted(CAUSES))}")


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample and our grade.

    Attributes:
        difference: why the verdict may not be the published one, where somebody has looked.
    """

    graded: Graded
    task: Task
    grade: Grade
    difference: Difference | None

    @property
    def passes(self) -> bool:
        """Whether it does here."""
        return self.grade.verdict is Verdict.ACCEPTED

    @property
    def agrees(self) -> bool:
        """Whether it passes here and there, or neither."""
        return (self.graded.theirs == "pass") == self.passes

    def row(self) -> dict[str, Any]:
        """For tables and files."""
        failing = self.grade.failing
        known = None if self.agrees else self.difference
        return {
            "task": self.graded.task,
            "model": self.graded.model,
            "theirs": self.graded.theirs,
            "ours": self.grade.verdict.value,
            "passed": f"{self.grade.passed}/{self.grade.total}",
            "test": "" if failing is None else failing.name,
            "reason": " ".join(self.grade.message.split())[:_WORDS_SHOWN],
            "cause": "" if known is None else known.cause,
            "why": "" if known is None else known.why,
        }


@dataclass(frozen=True, slots=True)
class Agreement:
    """All samples, judged.

    Attributes:
        samples: of the models, with published verdicts.
        canonical: the tasks' own solutions, which ought to pass.
        host: isolation, enforcement and the judge's Python.
    """

    samples: Sequence[Judged]
    canonical: Sequence[Judged]
    host: Mapping[str, str]

    @property
    def share(self) -> float:
        """Of the samples whose verdict is the published one."""
        return sum(one.agrees for one in self.samples) / len(self.samples)

    def differing(self) -> list[Judged]:
        """Samples whose verdict is not the published one, and canonical solutions that fail."""
        return [one for one in (*self.samples, *self.canonical) if not one.agrees]

    def unexplained(self) -> list[Judged]:
        """Of those, what has no cause, or one that is ours."""
        return [
            one
            for one in self.differing()
            if one.difference is None or one.difference.cause == "ours"
        ]

    def stale(self, known: Mapping[str, Difference]) -> list[str]:
        """Of the known differences those that nothing here needs."""
        needed = {one.graded.key for one in self.differing()}
        return [key for key, one in known.items() if key not in needed and not one.varies]

    def rows(self) -> list[dict[str, Any]]:
        """A row a sample, in the data's order."""
        return [one.row() for one in (*self.samples, *self.canonical)]

    def figures(self) -> dict[str, float]:
        """What issues and docs quote."""
        counts = Counter(
            one.difference.cause
            for one in self.samples
            if not one.agrees and one.difference is not None
        )
        return {
            "graded_samples": len(self.samples),
            "graded_agreement": self.share,
            "graded_disagree": sum(not one.agrees for one in self.samples),
            "graded_unexplained": len(self.unexplained()),
            "graded_canonical": sum(one.agrees for one in self.canonical),
            "graded_canonical_tasks": len(self.canonical),
            **{f"graded_cause_{cause}": count for cause, count in sorted(counts.items())},
        }

    def promises(self) -> list[results.Promise]:
        """What must be so."""
        return [
            results.at_least("graded_agreement", self.share, LEAST_AGREEMENT),
            results.none_of(
                "no verdict differs for a reason that is ours, or that nobody knows",
                [one.graded.key for one in self.unexplained()],
            ),
        ]


def read_published(path: Path, model: str) -> list[Graded]:
    """The samples of a results file of bigcodebench's.

    Parameters:
        path: of `{"eval": {task: [{"solution", "status", "details"}]}}`, packed with gzip.
        model: as it shall be called.

    Raises:
        SuiteError: there is no such file, or it is not as documented.
    """
    try:
        with gzip.open(path, "rb") as file:
            text = file.read(_MAX_RESULTS_BYTES + 1)
        found = json.loads(text) if len(text) <= _MAX_RESULTS_BYTES else None
    except FileNotFoundError as error:
        raise SuiteError(f"there is no {path.name}; name its folder in $SCALEBOX_DATA") from error
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        raise SuiteError(f"{path.name} cannot be read: {error}") from error
    tasks = found.get("eval") if isinstance(found, dict) else None
    if not isinstance(tasks, dict) or not tasks:
        raise SuiteError(f"{path.name} has no tasks under `eval`")
    return [
        _graded(f"{path.name}: {task}", task, model, row)
        for task, rows in tasks.items()
        for row in (rows if isinstance(rows, list) else [rows])
    ]


def _graded(place: str, task: str, model: str, row: Any) -> Graded:
    match row:
        case {"solution": str() as program, "status": str() as status} if status in _STATUSES:
            details = row.get("details")
            traces = details if isinstance(details, dict) else {}
            return Graded(task, model, program, status, {k: str(v) for k, v in traces.items()})
    raise SuiteError(f"{place}: a sample needs `solution` and `status` ({', '.join(_STATUSES)})")


def read_differences(path: Path = DIFFERENCES) -> dict[str, Difference]:
    """Task and model → why the verdict differs.

    Raises:
        SuiteError: an entry is not as documented.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
        return msgspec.convert(entries, dict[str, Difference])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SuiteError(f"{path.name}: {error}") from error


def canonical_of(tasks: Iterable[Task]) -> list[Graded]:
    """The tasks' own solutions, which ought to pass."""
    return [Graded(one.id, CANONICAL, one.canonical, "pass") for one in tasks if one.canonical]


def changed(first: Agreement, second: Agreement) -> list[str]:
    """Samples whose verdict is not the same in both."""
    return [
        f"{one.graded.key}: {one.grade.verdict.value}, {other.grade.verdict.value}"
        for one, other in zip(
            (*first.samples, *first.canonical), (*second.samples, *second.canonical), strict=True
        )
        if one.grade.verdict is not other.grade.verdict
    ]
