"""Verdicts, times and sizes as people read them."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from scalebox.model import CaseResult, Report, Verdict

_STYLES = {
    Verdict.ACCEPTED: "green",
    Verdict.SKIPPED: "dim",
    Verdict.CANCELLED: "dim",
    Verdict.JUDGE_ERROR: "magenta",
    Verdict.INTERNAL_ERROR: "magenta",
}


def verdict_text(verdict: Verdict) -> Text:
    """A verdict in its colour."""
    return Text(verdict.value.replace("_", " "), style=_STYLES.get(verdict, "red"))


def seconds(value: float) -> str:
    """Such as `0.013 s`."""
    return f"{value:.3f} s" if value < 10 else f"{value:.1f} s"


def size(value: int) -> str:
    """Such as `12.3 MiB`; a dash for 0, which means that the host cannot tell."""
    if value == 0:
        return "-"
    if value < 1 << 20:
        return f"{value / 1024:.0f} KiB"
    return f"{value / (1 << 20):.1f} MiB"


def printable(text: str) -> str:
    """Text that a program may have chosen, with what would steer a terminal written out."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )


def first_line(text: str, width: int = 100) -> str:
    """The first line that says something, cut; printable."""
    for line in printable(text).splitlines():
        if line.strip():
            line = line.strip()
            return line if len(line) <= width else line[: width - 1] + "…"
    return ""


def peak_memory(report: Report) -> int:
    """The largest of the cases', bytes."""
    return max((case.memory_bytes for case in report.cases), default=0)


def reason(report: Report) -> str:
    """One line of why, from wherever the report has it."""
    if report.message:
        return first_line(report.message)
    if report.compile is not None and not report.compile.ok:
        return first_line(report.compile.message)
    for case in report.cases:
        if case.verdict is report.verdict and case.message:
            return first_line(case.message)
    return ""


def case_table(report: Report) -> Table:
    """One row a case."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("case")
    table.add_column("verdict")
    table.add_column("cpu", justify="right")
    table.add_column("wall", justify="right")
    table.add_column("memory", justify="right")
    table.add_column("message", overflow="fold")
    for position, case in enumerate(report.cases):
        table.add_row(Text(case.name or str(position)), *_case_cells(case))
    return table


def _case_cells(case: CaseResult) -> tuple[Text, ...]:
    if case.verdict in (Verdict.SKIPPED, Verdict.CANCELLED):
        return (verdict_text(case.verdict), Text("-"), Text("-"), Text("-"), Text(case.message))
    return (
        verdict_text(case.verdict),
        Text(seconds(case.cpu_time_s)),
        Text(seconds(case.wall_time_s)),
        Text(size(case.memory_bytes)),
        # Programs' words may look like markup; Text takes them as they are.
        Text(first_line(case.message)),
    )


def summary(report: Report) -> Text:
    """The last line under a table of cases."""
    line = verdict_text(report.verdict)
    line.append(
        f"  {report.passed} of {report.total} cases, {seconds(report.cpu_time_s)} CPU, "
        f"isolation {report.isolation}, limits by {report.enforcement}, "
        f"integrity {report.integrity}",
        style="default",
    )
    if report.toolchain:
        line.append(f", {report.toolchain}", style="default")
    return line
