"""One page for a run, and one for two runs beside each other: a file that needs nothing else.

Style, program and data stand in the page.  Its security policy allows this one program and this
one style, by their hashes, and no connection at all: whatever a sample contains, it runs nothing
and fetches nothing.  All texts of others pass through `texts`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

from scalebox.suite.comparison import Comparison, p_text, points, said
from scalebox.suite.estimate import Numbers
from scalebox.suite.report import browse, plots
from scalebox.suite.report.folder import Folder
from scalebox.suite.report.tables import (
    MANIFEST_ROWS,
    Table,
    from_to_table,
    group_table,
    number_rows,
    ordered_values,
    rate,
    timing_table,
)
from scalebox.suite.report.texts import escaped, name
from scalebox.suite.summary import Summary, percent

_MISSING_SHOWN = 12
_ENDING = "An estimate with its interval: tasks are drawn anew, whole, with replacement."


def run_page(folder: Folder) -> bytes:
    """The page of a run."""
    summary = folder.summary
    data, notes = browse.data_of([folder], [summary.model])
    parts = [
        f'<header><p class="eyebrow">{_t(summary.benchmark)}</p><h1>{_t(summary.model)}</h1>',
        _warning(summary),
        f'<div class="hero">{_headline(summary)}{_facts(_facts_of(summary))}</div>',
        _notes([*summary.notes, *notes]),
        "</header><main>",
        f"<section><h2>Numbers</h2><div class='plots'>{''.join(_plots(folder))}</div></section>",
        _browser(),
        "<section>",
        _details("All numbers", _table(number_rows(summary))),
        *(
            _details(f"By {one}", _table(group_table(one, summary.groups[one])))
            for one in summary.groups
        ),
        _details("Time", _table(timing_table(folder.timings))) if folder.timings else "",
        _details("What gave these numbers", _manifest(folder), opened=True),
        "</section></main>",
        _footer(summary),
    ]
    return _page(f"{summary.model} on {summary.benchmark}", "".join(parts), data)


def comparison_page(before: Folder, after: Folder, found: Comparison) -> bytes:
    """The page of two runs."""
    better = {one.task for one in found.better}
    worse = {one.task for one in found.worse}

    def state(task: str) -> str:
        return "better" if task in better else "worse" if task in worse else "same"

    titles = (found.before.model, found.after.model)
    if titles[0] == titles[1]:
        titles = ("before", "after")
    data, notes = browse.data_of([before, after], titles, state)
    parts = [
        f'<header><p class="eyebrow">{_t(found.after.benchmark)}, two runs</p>',
        f'<h1>{_t(titles[0])} <span class="to">→</span> {_t(titles[1])}</h1>',
        "" if found.before.complete and found.after.complete else _not_complete(),
        f'<div class="hero">{_difference(found)}{_facts(_facts_compared(found, titles))}</div>',
        _notes([*found.notes, *notes]),
        "</header><main>",
        f"<section><h2>Numbers</h2><div class='plots'>{''.join(_plots_compared(found, titles))}"
        "</div></section>",
        _browser(),
        "<section>",
        _details("From verdict to verdict", _table(from_to_table(found))) if found.from_to else "",
        _details("Settings that differ", _table(_different(found)), opened=True),
        "</section></main>",
        f"<footer><p>{_ENDING} {_t(_how(found))}</p></footer>",
    ]
    return _page(f"{titles[0]} and {titles[1]}", "".join(parts), data)


def _page(title: str, body: str, data: bytes) -> bytes:
    here = resources.files(__package__)
    style = here.joinpath("page.css").read_text(encoding="utf-8")
    program = here.joinpath("page.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src '{_hash(program)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{_t(title)}</title><style>{style}</style></head>\n<body>{body}\n"
        '<script type="application/json" id="data">'
    )
    tail = f"</script>\n<script>{program}</script></body></html>\n"
    return head.encode() + data + tail.encode()


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _t(text: str) -> str:
    return escaped(name(text))


def _headline(summary: Summary) -> str:
    one = summary.overall.pass_at.get(1)
    if one is None:
        return f'<div class="card headline"><p>{_t(summary.headline)}</p></div>'
    confidence = f"{100 * summary.confidence:.4g} %"
    only = "" if summary.complete else ", of the samples that are there"
    return (
        f'<div class="card headline"><div class="of">pass@1{only}</div>'
        f'<div class="big">{percent(one.value)}</div>'
        f'<p class="range"><b>{percent(one.low)}</b> to <b>{percent(one.high)}</b> '
        f"({confidence} interval)</p>{plots.gauge(one)}</div>"
    )


def _difference(found: Comparison) -> str:
    one = found.difference
    # A colour claims something: where the interval has 0 in it, there is nothing to claim.
    sign = "up" if one.low > 0 else "down" if one.high < 0 else ""
    confidence = f"{100 * found.confidence:.4g} %"
    return (
        '<div class="card headline"><div class="of">difference of pass@1, in points</div>'
        f'<div class="big {sign}">{points(one.value)}</div>'
        f'<p class="range"><b>{points(one.low)}</b> to <b>{points(one.high)}</b> '
        f"({confidence} interval)</p>{plots.difference(one)}</div>"
    )


def _facts_of(summary: Summary) -> list[tuple[str, str]]:
    """What no plot beside them says."""
    overall, tokens = summary.overall, summary.completion_tokens
    facts = [
        ("problems", f"{overall.tasks:,}"),
        ("samples", f"{overall.samples:,}"),
        ("right samples", f"{overall.right:,}"),
        *((f"pass@{k}", rate(one)) for k, one in overall.pass_at.items() if k > 1),
        *((f"pass^{k}", rate(one)) for k, one in overall.pass_all.items()),
        ("without a program", f"{summary.without_program:,}"),
        ("cut off at the limit", f"{summary.truncated:,}"),
    ]
    if tokens.mean is not None:
        facts.append(("tokens an answer", f"{tokens.mean:,.0f}"))
    if overall.weak:
        facts.append(("right, but forgeable", f"{overall.weak:,}"))
    return facts


def _facts_compared(found: Comparison, titles: Sequence[str]) -> list[tuple[str, str]]:
    return [
        (f"pass@1, {titles[0]}", rate(found.before.pass_at_1)),
        (f"pass@1, {titles[1]}", rate(found.after.pass_at_1)),
        ("problems in both", f"{found.tasks:,}"),
        ("problems better", f"{len(found.better):,}"),
        ("problems worse", f"{len(found.worse):,}"),
        (_test_name(found), p_text(found.test.p_value)),
    ]


def _test_name(found: Comparison) -> str:
    return "McNemar, exact" if found.test.name == "McNemar" else "sign test over tasks"


def _how(found: Comparison) -> str:
    test = (
        "McNemar's exact test on the tasks that changed."
        if found.test.name == "McNemar"
        else "The exact sign test is over tasks, because samples of one task are not independent."
    )
    return f"{found.resamples:,} resamples of the tasks, paired. {test} Seed {found.seed}."


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    cells = (
        f'<div class="fact"><dt>{_t(label)}</dt><dd>{_t(value)}</dd></div>'
        for label, value in facts
    )
    return f'<dl class="facts">{"".join(cells)}</dl>'


def _warning(summary: Summary) -> str:
    if summary.complete:
        return ""
    shown = [
        f"<li>{_t(one.task)}, sample {one.index}: {_t(one.why)}</li>"
        for one in summary.missing[:_MISSING_SHOWN]
    ]
    more = summary.missing_count - len(shown)
    rest = f"<li>and {more:,} more</li>" if more > 0 else ""
    return (
        '<div class="warning" role="status"><b>Not complete.</b> '
        f"{summary.missing_count:,} of {summary.expected:,} samples are missing or could not be "
        "judged. All numbers are of the samples that are there; a missing sample is not counted as "
        f"a failure.<ul>{''.join(shown)}{rest}</ul></div>"
    )


def _not_complete() -> str:
    return (
        '<div class="warning" role="status"><b>Not complete.</b> In at least one of the runs '
        "samples are missing or could not be judged; all numbers are of those that are there.</div>"
    )


def _notes(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{_t(note)}</li>" for note in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _figure(title: str, plot: str, more: str = "") -> str:
    words = f" <span>{_t(more)}</span>" if more else ""
    return f"<figure><figcaption>{_t(title)}{words}</figcaption>{plot}</figure>"


def _plots(folder: Folder) -> Iterable[str]:
    summary = folder.summary
    overall = summary.overall
    if len(overall.pass_at) > 1:
        plot = plots.curve(overall.pass_at, overall.pass_all)
        yield _figure("One of k right, and all of k", plot, "by k, with intervals")
    rows = _rate_rows(summary)
    if rows and (len(rows) > 1 or len(overall.pass_at) == 1):
        yield _figure("Rates", plots.bars(rows), "with intervals")
    if summary.verdicts:
        yield _figure("Verdicts", plots.counts([summary.verdicts]), "of all samples")
    for group, values in summary.groups.items():
        yield _figure(f"By {group}", plots.bars(_group_rows(values)), _left_out(values))
    right: list[float] = []
    wrong: list[float] = []
    for results in folder.by_task.values():
        for one in results:
            seconds = folder.times.get(one.key, 0.0)
            if seconds > 0 and one.verdict.is_about_the_program:
                (right if folder.is_right(one) else wrong).append(seconds)
    if right or wrong:
        yield _figure(
            "CPU time of a sample",
            plots.histogram(right, wrong),
            "all its cases; right below others",
        )


def _left_out(values: Mapping[str, Numbers]) -> str:
    more = len(values) - plots.MAX_ROWS
    return f"pass@1; {more} more in the table below" if more > 0 else "pass@1, with intervals"


def _rate_rows(summary: Summary) -> list[plots.Row]:
    rows = []
    if one := summary.overall.pass_at.get(1):
        rows.append(plots.Row(label="pass@1", estimate=one))
    rows += [
        plots.Row(label=f"pass@1, {part}", estimate=numbers.pass_at[1])
        for part, numbers in summary.parts.items()
        if 1 in numbers.pass_at
    ]
    if summary.overall.fraction:
        rows.append(plots.Row(label="cases passed", estimate=summary.overall.fraction))
    return rows


def _group_rows(values: Mapping[str, Numbers]) -> list[plots.Row]:
    return [
        plots.Row(
            label=value or "(none)",
            estimate=values[value].pass_at[1],
            note=f"{values[value].tasks:,}",
        )
        for value in ordered_values(values)
        if 1 in values[value].pass_at
    ]


def _plots_compared(found: Comparison, titles: Sequence[str]) -> Iterable[str]:
    rows = [
        plots.Row(label=title, estimate=side.pass_at_1)
        for title, side in zip(titles, (found.before, found.after), strict=True)
    ]
    yield _figure("pass@1", plots.bars(rows), "on the problems that both have")
    verdicts = [found.before.verdicts, found.after.verdicts]
    yield _figure("Verdicts", plots.counts(verdicts), "before (pale) and after")


def _browser() -> str:
    return (
        '<section id="problems"><h2>Problems</h2><div class="tools">'
        '<label for="find">Find</label><input id="find" type="search" autocomplete="off" '
        'title="in ids, groups, prompts and messages" spellcheck="false">'
        '<span id="groups" class="tools"></span>'
        '<p id="shown" class="shown" role="status"></p></div><div id="chips" class="chips"></div>'
        '<div id="table"></div><div id="pager" class="pager"><button id="back" type="button">'
        '&lsaquo; back</button><span id="where"></span><button id="on" type="button">on &rsaquo;'
        "</button></div>"
        '<p class="keys"><kbd>/</kbd> finds, <kbd>↑</kbd> <kbd>↓</kbd> go through the problems, '
        "<kbd>Enter</kbd> opens one, <kbd>Esc</kbd> closes it.</p>"
        "<noscript><p>The table needs JavaScript; report.md has the numbers without it.</p>"
        "</noscript></section>"
    )


def _details(title: str, content: str, *, opened: bool = False) -> str:
    state = " open" if opened else ""
    return f"<details{state}><summary>{_t(title)}</summary>{content}</details>"


def _table(table: Table) -> str:
    if not table.rows:
        return '<p class="said">None.</p>'
    head = "".join(
        f'<th scope="col"{_number(place)}>{_t(one)}</th>' for place, one in enumerate(table.columns)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row, range(len(row))))}</tr>" for row in table.rows)
    return f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(text: str, place: int) -> str:
    if place == 0:
        return f'<th scope="row">{_t(text)}</th>'
    return f"<td{_number(place)}>{_t(text)}</td>"


def _number(place: int) -> str:
    return ' class="number"' if place else ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    body = "".join(
        f'<tr><th scope="row">{_t(first)}</th><td>{_t(second)}</td></tr>' for first, second in pairs
    )
    return f'<table class="plain manifest"><tbody>{body}</tbody></table>'


def _manifest(folder: Folder) -> str:
    facts = list(said(folder.manifest).items())
    if not facts:
        return '<p class="said">There is no manifest.</p>'
    more = len(facts) - MANIFEST_ROWS
    rest = f'<p class="said">and {more:,} more in manifest.json</p>' if more > 0 else ""
    return _pairs(facts[:MANIFEST_ROWS]) + rest


def _different(found: Comparison) -> Table:
    return Table(
        columns=("setting", "before", "after"),
        rows=[(key, *sides) for key, sides in found.different.items()],
    )


def _footer(summary: Summary) -> str:
    return (
        f"<footer><p>{_ENDING} {summary.resamples:,} resamples, seed {summary.seed}. pass@k: one "
        "of k samples is right (unbiased estimate); pass^k: all of k are.</p></footer>"
    )
