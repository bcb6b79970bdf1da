"""The same numbers as Markdown, for a terminal, a pull request or a log; bounded.

Texts of others stand in code spans, in which Markdown and HTML mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from scalebox.suite.comparison import Change, Comparison, said
from scalebox.suite.report.folder import Folder
from scalebox.suite.report.tables import (
    MANIFEST_ROWS,
    Table,
    from_to_table,
    group_table,
    number_rows,
    timing_table,
    verdict_table,
)
from scalebox.suite.report.texts import name
from scalebox.suite.results import Result
from scalebox.suite.summary import Summary, percent

#: Of the lists of tasks that failed, or changed.
MAX_LISTED = 100
_MESSAGE_CHARS = 120


def run_text(folder: Folder) -> str:
    """The report of a run."""
    summary = folder.summary
    failed = [
        results for results in folder.by_task.values() if not all(map(folder.is_right, results))
    ]
    parts = [
        f"# {code(summary.model)} on {code(summary.benchmark)}",
        f"**{summary.headline}**",
        *_missing(summary),
        *(f"- {_plain(note)}" for note in summary.notes),
        "## Numbers",
        _table(number_rows(summary)),
        *_grouped(summary),
        "## Verdicts",
        _table(verdict_table(summary.verdicts)),
        "## Answers",
        _table(Table(columns=("", ""), rows=_answers(summary))),
    ]
    if folder.timings:
        parts += ["## Time", _table(timing_table(folder.timings))]
    parts += ["## Tasks with a failing sample", _failed(folder, failed)]
    facts = list(said(folder.manifest).items())
    if facts:
        rows = [(code(key), code(value)) for key, value in facts[:MANIFEST_ROWS]]
        parts += [
            "## What gave these numbers",
            _table(Table(columns=("", ""), rows=rows), raw=True),
        ]
    return _joined(parts)


def comparison_text(found: Comparison) -> str:
    """The report of two runs."""
    rows = [
        (
            f"{words}: {side.model}",
            percent(side.pass_at_1.value),
            percent(side.pass_at_1.low),
            percent(side.pass_at_1.high),
            f"{side.samples:,}",
        )
        for words, side in (("before", found.before), ("after", found.after))
    ]
    settings = [(code(key), *map(code, sides)) for key, sides in found.different.items()]
    parts = [
        f"# {code(found.before.model)} → {code(found.after.model)}",
        f"On {code(found.after.benchmark)}.",
        f"**{found.headline}**",
        *(f"- {_plain(note)}" for note in found.notes),
        f"{found.tasks:,} tasks are in both.",
        _table(Table(columns=("", "pass@1", "from", "to", "samples"), rows=rows)),
        "## Better",
        _changes(found.better),
        "## Worse",
        _changes(found.worse),
    ]
    if found.from_to:
        parts += ["## From verdict to verdict", _table(from_to_table(found))]
    if settings:
        table = Table(columns=("setting", "before", "after"), rows=settings)
        parts += ["## Settings that differ", _table(table, raw=True)]
    return _joined(parts)


def code(text: str) -> str:
    """A text of others as a code span on one line, in which no sign of it means anything."""
    shown = name(text)
    if not shown:
        return ""
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    space = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _plain(text: str) -> str:
    """Words of ours, with names of others in them."""
    return re.sub(r"([\\`*_\[\]<>|&#])", r"\\\1", name(text))


def _missing(summary: Summary) -> list[str]:
    if summary.complete:
        return []
    shown = [
        f"- {code(one.task)}, sample {one.index}: {code(one.why)}"
        for one in summary.missing[:MAX_LISTED]
    ]
    more = summary.missing_count - len(shown)
    return [
        f"**Not complete**: {summary.missing_count:,} of {summary.expected:,} samples are missing "
        "or could not be judged. All numbers are of the samples that are there; a missing sample "
        "is not counted as a failure.",
        *shown,
        *([f"- and {more:,} more"] if more > 0 else []),
    ]


def _grouped(summary: Summary) -> Iterable[str]:
    for group, values in summary.groups.items():
        yield f"## By {_plain(group)}"
        yield _table(group_table(group, values))


def _answers(summary: Summary) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("samples", f"{summary.overall.samples:,}"),
        ("without a program", f"{summary.without_program:,}"),
        ("cut off at the limit of tokens", f"{summary.truncated:,}"),
        *((f"integrity {one}", f"{count:,}") for one, count in summary.integrity.items()),
    ]
    kinds = (("prompts", summary.prompt_tokens), ("answers", summary.completion_tokens))
    for words, tokens in kinds:
        if tokens.mean is not None:
            rows.append((f"tokens of {words}", f"{tokens.total:,} ({tokens.mean:,.1f} each)"))
    return rows


def _failed(folder: Folder, failed: Sequence[Sequence[Result]]) -> str:
    rows = []
    for results in failed[:MAX_LISTED]:
        wrong = next(one for one in results if not folder.is_right(one))
        right = sum(map(folder.is_right, results))
        texts = folder.texts.get(wrong.key)
        said = (texts.case_message or texts.message) if texts else ""
        rows.append(
            (
                code(wrong.task),
                f"{right}/{len(results)}",
                wrong.verdict.value,
                f"{wrong.passed}/{wrong.total}",
                code(texts.name if texts else ""),
                code(name(said)[:_MESSAGE_CHARS]),
            )
        )
    columns = ("task", "right", "first wrong one", "cases", "failing case", "message")
    return _table(Table(columns=columns, rows=rows), raw=True) + _more(len(failed))


def _changes(changes: Sequence[Change]) -> str:
    rows = [
        (code(one.task), percent(one.before), percent(one.after)) for one in changes[:MAX_LISTED]
    ]
    columns = ("task", "before", "after")
    return _table(Table(columns=columns, rows=rows), raw=True) + _more(len(changes))


def _more(count: int) -> str:
    more = count - MAX_LISTED
    return f"\n\nand {more:,} more" if more > 0 else ""


def _table(table: Table, *, raw: bool = False) -> str:
    """A table; with `raw` the cells of its rows are Markdown already."""
    if not table.rows:
        return "None."
    cell = _in_cell if raw else _plain
    lines = [
        f"| {' | '.join(map(_plain, table.columns))} |",
        f"| --- |{(' --- |' if raw else ' ---: |') * (len(table.columns) - 1)}",
        *(f"| {' | '.join(map(cell, row))} |" for row in table.rows),
    ]
    return "\n".join(lines)


def _in_cell(text: str) -> str:
    """In a table a bar ends a cell even within a code span."""
    return text.replace("|", "\\|")


def _joined(parts: Iterable[str]) -> str:
    """Blocks with an empty line between them, but between the items of a list."""
    text = ""
    for part in parts:
        items = part.startswith("- ") and text.rpartition("\n\n")[2].startswith("- ")
        text += ("" if not text else "\n" if items else "\n\n") + part
    return text + "\n"
