"""`judges-report.html`: the same as the JSON beside it, to look at."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bench.judges_compare import Compared, shown
from bench.judges_mutants import Tried
from scalebox.specialjudges.classify import Classification, Counts

#: As the figures call them, and people.
_JUDGES = {
    "exact": "exact match",
    "tokens": "tokens, any case",
    "original_rule": "the original's rule",
    "inferred": "inferred, all programs seen",
    "held_out": "inferred, programs not seen",
    "own": "the package's own",
}
_KINDS = ("default", "custom")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c2430; background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.2rem }
table { border-collapse: collapse; width: 100%; font-size: 13px }
th, td { text-align: left; padding: .25rem .5rem; border-bottom: 1px solid #d9dee6;
         vertical-align: top; overflow-wrap: anywhere }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.bar { fill: #3465a4 } .bad { fill: #b3412c } .note { color: #5a6675 }
@media (prefers-color-scheme: dark) {
  body { color: #dbe1ea; background: #14181f } th, td { border-color: #333c49 }
  .bar { fill: #7aa6dd } .bad { fill: #e08570 } .note { color: #93a0b1 } text { fill: #dbe1ea }
}
"""
_BAR_WIDTH, _BAR_HEIGHT = 420, 22


def pretty(counts: Counts) -> bytes:
    """Counts of signs, as a file for people."""
    return msgspec.json.format(msgspec.json.encode(counts), indent=1) + b"\n"


def page(
    figures: Mapping[str, float],
    compared: Sequence[Compared],
    found: Sequence[Classification],
    mutants: Sequence[Tried],
    host: Mapping[str, Any],
) -> str:
    """The whole page.

    Parameters:
        figures: of the report.
        compared, found: one of each a problem.
        mutants: flawed judges that were tried.
        host: where it was measured.
    """
    facts = ", ".join(f"{key} {value}" for key, value in host.items())
    right, wrong = (int(figures[name]) for name in ("right_programs", "wrong_programs"))
    parts = [
        "<!doctype html><html lang='en'><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>How right are judges?</title><style>{_STYLE}</style>",
        "<h1>How right are judges?</h1>",
        f"<p class='note'>{html.escape(facts)}</p>",
        f"<p>{int(figures['problems'])} problems, {right} right and {wrong} wrong programs that "
        "end well on every test.</p>",
        "<h2>Right programs that a judge rejects</h2>",
        _bars(_sums(compared, "false_rejects"), right),
        "<h2>Wrong programs that a judge accepts</h2>",
        _bars(_sums(compared, "false_accepts"), wrong),
        *(_by_kind(compared, kind) for kind in _KINDS),
        "<h2>Figures</h2>",
        _table(("figure", "value"), [(name, f"{value:.6g}") for name, value in figures.items()]),
        "<h2>Problems</h2>",
        _table(
            ("problem", "own judge", "needs one?", "signs", "inferred", "solved"),
            [
                (
                    one.problem,
                    one.kind,
                    f"{'yes' if guess.needs_judge else 'no'} "
                    f"({guess.confidence:.2f}, {guess.kind})",
                    "; ".join(guess.signs),
                    shown(one.inference.judge) if one.inference else "",
                    "yes" if one.solved else "",
                )
                for one, guess in zip(compared, found, strict=True)
            ],
        ),
    ]
    if mutants:
        parts += _mutants(mutants)
    return "\n".join(parts) + "\n</html>\n"


def _sums(compared: Iterable[Compared], field: str) -> dict[str, int]:
    listed = list(compared)
    return {
        words: sum(getattr(one, field).get(name, 0) for one in listed)
        for name, words in _JUDGES.items()
    }


def _bars(counts: Mapping[str, int], most: int) -> str:
    """A bar for each judge, all on one scale."""
    lines = []
    for place, (name, count) in enumerate(counts.items()):
        top = place * (_BAR_HEIGHT + 6)
        width = _BAR_WIDTH * count / max(1, most)
        lines.append(
            f"<text x='0' y='{top + 16}'>{html.escape(name)}</text>"
            f"<rect class='bar' x='220' y='{top}' width='{max(width, 1):.1f}' "
            f"height='{_BAR_HEIGHT}'/>"
            f"<text x='{226 + width:.1f}' y='{top + 16}'>{count} of {most}</text>"
        )
    height = len(counts) * (_BAR_HEIGHT + 6)
    return (
        f"<svg viewBox='0 0 {_BAR_WIDTH + 330} {height}' width='100%' role='img' "
        f"font-size='13' fill='currentColor'>{''.join(lines)}</svg>"
    )


def _by_kind(compared: Sequence[Compared], kind: str) -> str:
    own = [one for one in compared if one.kind == kind]
    right, wrong = sum(one.right for one in own), sum(one.wrong for one in own)
    rejects, accepts = _sums(own, "false_rejects"), _sums(own, "false_accepts")
    return (
        f"<h2>Problems whose own judge is {kind}</h2>"
        f"<p>{len(own)} problems, {right} right and {wrong} wrong programs.</p>"
        + _table(
            ("judge", "right ones rejected", "wrong ones accepted"),
            [(name, str(rejects[name]), str(accepts[name])) for name in rejects],
        )
    )


def _mutants(mutants: Sequence[Tried]) -> list[str]:
    flawed = [one for one in mutants if one.operator]
    states = ("refused", "survived", "same", "broken")
    by_operator = {
        operator: Counter(one.state for one in flawed if one.operator == operator)
        for operator in sorted({one.operator for one in flawed})
    }
    return [
        "<h2>Flawed judges</h2>",
        "<p>Refused by <code>prove</code>; survived, though an output tells them from the "
        "original; the same as far as thousands of outputs can tell; or broken: they do not "
        "compile.</p>",
        _table(
            ("operator", *states),
            [
                (operator, *(str(count[state]) for state in states))
                for operator, count in by_operator.items()
            ],
        ),
        "<h2>Survivors</h2>",
        _table(
            ("problem", "mutant", "change", "witness"),
            [
                (one.problem, one.name, one.change, one.words)
                for one in flawed
                if one.state == "survived"
            ],
        ),
        "<h2>The packages' own judges</h2>",
        _table(
            ("problem", "state", "why"),
            [(one.problem, one.state, one.words) for one in mutants if not one.operator],
        ),
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return "<p>None.</p>"
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(_cell(cell) for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    number = text.replace(".", "", 1).isdigit()
    return f"<td class='number'>{text}</td>" if number else f"<td>{html.escape(text)}</td>"
