"""Results: one JSON file and one table a target, and the promises that must hold.

Writes `bench/results/<target>.json` (DESIGN §9).  What is measured, and which promises there are,
is the targets' own business.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
_DIRECTORY = ROOT / "bench" / "results"

Row = Mapping[str, Any]
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that must be true for the target to succeed.

    Attributes:
        text: what was promised, in words, with its bound.
        holds: whether it is so.
        found: what was measured instead, for people.
    """

    text: str
    holds: bool
    found: str = ""


def at_least(name: str, value: float | None, bound: float) -> Promise:
    """The promise that a figure is `bound` or more; a figure that is missing breaks it."""
    holds = value is not None and value >= bound
    return Promise(f"{name} >= {bound:g}", holds, "not measured" if value is None else f"{value:g}")


def at_most(name: str, value: float | None, bound: float) -> Promise:
    """The promise that a figure is `bound` or less; a figure that is missing breaks it."""
    holds = value is not None and value <= bound
    return Promise(f"{name} <= {bound:g}", holds, "not measured" if value is None else f"{value:g}")


def none_of(text: str, found: Sequence[object]) -> Promise:
    """The promise that nothing of a kind was found; what was is named, the first of it."""
    words = "; ".join(str(one) for one in found[:_SHOWN])
    return Promise(text, not found, f"{len(found)}: {words}" if found else "")


def host_facts() -> dict[str, Any]:
    """What a reader must know of the machine to judge a figure; neither its name nor paths."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.machine()
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def directory() -> Path:
    """Where results go: `$SCALEBOX_BENCH_RESULTS`, else `bench/results`."""
    return Path(os.environ.get("SCALEBOX_BENCH_RESULTS") or _DIRECTORY)


def write(
    target: str,
    figures: Mapping[str, float],
    rows: Sequence[Row],
    *,
    promises: Iterable[Promise] = (),
    host: Mapping[str, Any] | None = None,
) -> Path:
    """Write `<target>.json`.

    Parameters:
        target: the name of the `make` target, and of the file.
        figures: name → number; what issues and docs quote.
        rows: the table behind them, as JSON objects.
        promises: recorded with whether they hold.
        host: further facts about where it ran (isolation, enforcement, …).

    Returns:
        The file.

    Raises:
        OSError: it cannot be written.
    """
    result = {
        "target": target,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "host": {**host_facts(), **(host or {})},
        "figures": {name: _rounded(value) for name, value in figures.items()},
        "rows": [{key: _rounded(value) for key, value in row.items()} for row in rows],
        "promises": [
            {"text": promise.text, "holds": promise.holds, "found": promise.found}
            for promise in promises
        ],
    }
    path = directory() / f"{target}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".json.part")
    draft.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def _rounded(value: Any) -> Any:
    # Six figures are more than any machine can repeat, and keep the files readable.
    return float(f"{value:.6g}") if isinstance(value, float) else value


def show(title: str, rows: Sequence[Row], console: Console | None = None) -> None:
    """Print rows as a table; the columns are the keys, in the order in which they first appear."""
    console = console or new_console()
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(title=title, title_justify="left")
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    # Square brackets are rich's markup.
    return str(value).replace("[", r"\[")


def conclude(promises: Sequence[Promise], console: Console | None = None) -> int:
    """Print which promises hold.

    Returns:
        The exit status: 0, or 1 if one does not hold.
    """
    console = console or new_console()
    for promise in promises:
        mark = "holds" if promise.holds else "DOES NOT HOLD"
        found = f" (measured: {promise.found})" if promise.found else ""
        console.print(f"{mark}: {promise.text}{found}", markup=False, highlight=False)
    return 0 if all(promise.holds for promise in promises) else 1


def new_console() -> Console:
    """A console that does not squeeze tables where there is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=160)
