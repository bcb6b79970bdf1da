"""What the tables of a report say, the same for the page and for Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from scalebox.suite.comparison import Comparison
from scalebox.suite.estimate import Estimate, Numbers
from scalebox.suite.summary import Summary, Times, Timings, percent

#: Of a manifest, on a page.
MANIFEST_ROWS = 200
#: Words that have an order of their own, easiest first.
_ORDERED = (
    "introductory", "very easy", "easy", "medium", "interview", "medium_hard", "hard", "very hard",
    "competition",
)  # fmt: skip


class Table(Struct, frozen=True, kw_only=True):
    """A table: the first column names the row, the others are numbers."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def rate(one: Estimate) -> str:
    """A rate alone."""
    return percent(one.value)


def ordered_values(values: Mapping[str, Numbers]) -> list[str]:
    """The values of a group in the order in which people expect them: 2 before 10, easy first."""
    return sorted(values, key=_place)


def number_rows(summary: Summary) -> Table:
    """All rates of a run with their intervals: of all tasks, and of each part."""
    rows = []
    for words, numbers in [("", summary.overall), *summary.parts.items()]:
        after = f", {words}" if words else ""
        rows += [_row(f"pass@{k}{after}", one) for k, one in numbers.pass_at.items()]
        rows += [_row(f"pass^{k}{after}", one) for k, one in numbers.pass_all.items()]
        if numbers.fraction:
            rows.append(_row("cases passed, on average", numbers.fraction))
    return Table(columns=("", "rate", "from", "to"), rows=rows)


def group_table(group: str, values: Mapping[str, Numbers]) -> Table:
    """pass@1 and the greatest other k by the values of a group."""
    ks = sorted({k for numbers in values.values() for k in numbers.pass_at if k > 1})
    columns = (group, "tasks", "samples", "pass@1", "from", "to", *(f"pass@{k}" for k in ks))
    rows = []
    for value in ordered_values(values):
        numbers = values[value]
        one = numbers.pass_at.get(1)
        interval = (percent(one.value), percent(one.low), percent(one.high)) if one else ("",) * 3
        others = (rate(numbers.pass_at[k]) if k in numbers.pass_at else "" for k in ks)
        sizes = (f"{numbers.tasks:,}", f"{numbers.samples:,}")
        rows.append((value or "(none)", *sizes, *interval, *others))
    return Table(columns=columns, rows=rows)


def verdict_table(verdicts: Mapping[str, int]) -> Table:
    """How many samples have each verdict."""
    total = sum(verdicts.values()) or 1
    rows = [(one, f"{count:,}", percent(count / total)) for one, count in verdicts.items()]
    return Table(columns=("verdict", "samples", "share"), rows=rows)


def timing_table(timings: Timings) -> Table:
    """Times in seconds."""
    kinds = (
        ("CPU time of judging a sample", timings.cpu_time),
        ("wall time of judging a sample", timings.wall_time),
        ("sampling an answer", timings.sampling),
    )
    rows = [(words, *_times(times)) for words, times in kinds if times.samples]
    if timings.tokens_per_s is not None:
        rows.append(
            ("tokens a second, of one answer", "", f"{timings.tokens_per_s:.1f}", *[""] * 4)
        )
    columns = ("", "samples", "mean", "median", "90 %", "most", "all together")
    return Table(columns=columns, rows=rows)


def from_to_table(found: Comparison) -> Table:
    """Samples by their verdict before (rows) and after (columns)."""
    after = list(dict.fromkeys(one for counts in found.from_to.values() for one in counts))
    rows = [
        (before, *(f"{counts[one]:,}" if one in counts else "" for one in after))
        for before, counts in found.from_to.items()
    ]
    return Table(columns=("before, and after:", *after), rows=rows)


def _row(words: str, one: Estimate) -> tuple[str, ...]:
    return words, percent(one.value), percent(one.low), percent(one.high)


def _times(times: Times) -> tuple[str, ...]:
    found = (times.mean_s, times.median_s, times.p90_s, times.max_s, times.total_s)
    return f"{times.samples:,}", *("" if one is None else f"{one:,.3f} s" for one in found)


def _place(value: str) -> tuple[int, tuple[tuple[int, float, str], ...]]:
    lowered = value.lower()
    if lowered in _ORDERED:
        return _ORDERED.index(lowered), ()
    parts = re.findall(r"[0-9]{1,15}|[^0-9]+", lowered[:200])
    return len(_ORDERED), tuple(
        (0, int(p), "") if p[0] in "0123456789" else (1, 0, p) for p in parts
    )
