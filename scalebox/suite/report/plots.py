"""Plots as SVG of our own, for a page: colours and fonts are the page's, nothing is fetched.

Every shape that stands for a number has that number in a `<title>`, and plots have a label for
those who do not see them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from scalebox.suite.comparison import points
from scalebox.suite.estimate import Estimate
from scalebox.suite.report.texts import escaped, name
from scalebox.suite.summary import percent

_WIDTH, _NARROW = 560, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 62, 16, 40
_CURVE_HEIGHT, _HISTOGRAM_HEIGHT = 270, 210
_ROW, _LABEL, _VALUE = 26, 172, 104
_LETTERS = 24
#: Rows of one plot; a table has the others.
MAX_ROWS = 24
#: What lies beyond is drawn as these are.
_SHORTEST_S, _LONGEST_S = 1e-4, 1e5


class Row(Struct, frozen=True, kw_only=True):
    """A bar with its interval.

    Attributes:
        label: of the row.
        estimate: the rate.
        note: beside it: how many tasks, say.
    """

    label: str
    estimate: Estimate
    note: str = ""


def curve(pass_at: Mapping[int, Estimate], pass_all: Mapping[int, Estimate]) -> str:
    """pass@k and pass^k over the logarithm of k, each in the band of its interval.

    Parameters:
        pass_at: at least one k.
        pass_all: those of k above 1.
    """
    ks = sorted(pass_at)
    wide, bottom = _WIDTH - _LEFT - _RIGHT, _CURVE_HEIGHT - _BOTTOM

    def x(k: int) -> float:
        span = math.log(ks[-1] / ks[0])
        return _LEFT + wide * (math.log(k / ks[0]) / span if span else 0.5)

    def y(share: float) -> float:
        return bottom - share * (bottom - _TOP)

    parts = [_grid(bottom)]
    parts += [_text(x(k), bottom + 18, str(k), "tick", "middle") for k in ks]
    parts.append(_text(_LEFT + wide / 2, _CURVE_HEIGHT - 4, "k", "tick", "middle"))
    below = {ks[0]: pass_at[ks[0]], **pass_all} if pass_all else {}
    ends = []
    for kind, words, estimates in (("all", "pass^", below), ("one", "pass@", pass_at)):
        if not estimates:
            continue
        line = [(k, estimates[k]) for k in sorted(estimates)]
        upper = [f"{x(k):.1f},{y(one.high):.1f}" for k, one in line]
        lower = [f"{x(k):.1f},{y(one.low):.1f}" for k, one in reversed(line)]
        parts.append(f'<polygon class="band {kind}" points="{" ".join(upper + lower)}"/>')
        path = " ".join(f"{x(k):.1f},{y(one.value):.1f}" for k, one in line)
        parts.append(f'<polyline class="line {kind}" points="{path}"/>')
        parts += [
            f'<circle class="dot {kind}" cx="{x(k):.1f}" cy="{y(one.value):.1f}" r="4">'
            f"<title>{words}{k}: {_words(one)}</title></circle>"
            for k, one in line
        ]
        ends.append((y(line[-1][1].value), f"{words}k", kind))
    for at, words, kind in _apart(ends):
        parts.append(_text(_WIDTH - _RIGHT + 10, at + 4, words, f"end {kind}", "start"))
    label = ", ".join(f"pass@{k} {percent(pass_at[k].value)}" for k in ks)
    return _svg(_CURVE_HEIGHT, label, parts)


def bars(rows: Sequence[Row], kind: str = "") -> str:
    """A bar a row with the whisker of its interval; 0 to 100 %.

    Parameters:
        rows: at most `MAX_ROWS` of them are drawn.
        kind: a further class of the bars.
    """
    wide = _WIDTH - _LABEL - _VALUE
    height = _ROW * min(len(rows), MAX_ROWS) + 24
    parts = [
        f'<line class="grid" x1="{_LABEL + wide * share:.1f}" x2="{_LABEL + wide * share:.1f}" '
        f'y1="0" y2="{height - 20}"/>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    parts += [
        _text(_LABEL + wide * share, height - 6, f"{share:.0%}", "tick", "middle")
        for share in (0, 0.5, 1)
    ]
    for place, row in enumerate(rows[:MAX_ROWS]):
        top, one = _ROW * place, row.estimate
        middle = top + _ROW / 2
        low, high = _LABEL + wide * one.low, _LABEL + wide * one.high
        parts += [
            f"<g><title>{_label(row.label)}: {_words(one)}{_label(', ' + row.note)}</title>",
            _text(_LABEL - 10, middle + 4, _short(row.label), "label", "end"),
            f'<rect class="bar {kind}" x="{_LABEL}" y="{top + 6}" width="{wide * one.value:.1f}" '
            f'height="{_ROW - 12}" rx="2"/>',
            f'<path class="whisker" d="M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} '
            f'{middle - 4:.1f}v8M{high:.1f} {middle - 4:.1f}v8"/>',
            _text(_LABEL + wide + 12, middle + 4, percent(one.value), "value", "start"),
            _text(_WIDTH, middle + 4, row.note, "tick", "end"),
            "</g>",
        ]
    label = ", ".join(f"{row.label} {percent(row.estimate.value)}" for row in rows[:MAX_ROWS])
    return _svg(height, label, parts)


def counts(sides: Sequence[Mapping[str, int]]) -> str:
    """How often each verdict is there: a bar for each side.

    Parameters:
        sides: verdict → samples; one, or two to be compared (before, after).
    """
    verdicts = list(dict.fromkeys(verdict for side in sides for verdict in side))
    totals = [sum(side.values()) or 1 for side in sides]
    most = max(
        (
            side.get(one, 0) / total
            for side, total in zip(sides, totals, strict=True)
            for one in side
        ),
        default=1.0,
    )
    wide = _WIDTH - _LABEL - _VALUE
    thick = 14 if len(sides) == 1 else 13
    tall = thick * len(sides) + 12
    parts: list[str] = []
    for place, verdict in enumerate(verdicts):
        top = tall * place
        words = verdict.replace("_", " ")
        parts.append(_text(_LABEL - 10, top + tall / 2 + 4, words, "label", "end"))
        for number, (side, total) in enumerate(zip(sides, totals, strict=True)):
            count = side.get(verdict, 0)
            upper = top + 6 + thick * number
            width = max(wide * count / total / (most or 1.0), 1.5 if count else 0)
            style = f"v-{_label(verdict)}{' faded' if number < len(sides) - 1 else ''}"
            said = f"{count:,} · {percent(count / total)}"
            parts += [
                f'<g><title>{_label(words)}: {said}</title><rect class="{style}" '
                f'x="{_LABEL}" y="{upper}" width="{width:.1f}" height="{thick - 1}" rx="2"/></g>',
                _text(
                    _LABEL + width + 8,
                    upper + thick / 2 + 4,
                    said,
                    "value" if len(sides) == 1 else "tick",
                    "start",
                ),
            ]
    label = ", ".join(f"{verdict} {sides[-1].get(verdict, 0)}" for verdict in verdicts)
    return _svg(tall * len(verdicts) + 4, label, parts)


def histogram(right: Sequence[float], wrong: Sequence[float]) -> str:
    """CPU seconds of samples over a logarithmic axis, right ones below the others.

    Parameters:
        right, wrong: seconds, each above 0; at least one in all.
    """
    decades, edges = _edges([*right, *wrong])
    lower, upper = _binned(right, edges), _binned(wrong, edges)
    most = max(first + second for first, second in zip(lower, upper, strict=True))
    bottom, wide = _HISTOGRAM_HEIGHT - _BOTTOM, _WIDTH - _LEFT - 16
    step = wide / (len(edges) - 1)
    parts = []
    for share in (0.5, 1):
        at = bottom - share * (bottom - _TOP)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 16}" y1="{at}" y2="{at}"/>')
        if share == 1 or most % 2 == 0:
            parts.append(_text(_LEFT - 8, at + 4, f"{int(most * share):,}", "tick", "end"))
    for place, (first, second) in enumerate(zip(lower, upper, strict=True)):
        left = _LEFT + place * step
        base = float(bottom)
        said = f"{_seconds(edges[place])} to {_seconds(edges[place + 1])}"
        for count, kind, words in ((first, "v-accepted", "right"), (second, "v-other", "others")):
            tall = (bottom - _TOP) * count / most
            base -= tall
            if count:
                parts.append(
                    f'<g><title>{said}: {count:,} {words}</title><rect class="{kind}" '
                    f'x="{left + 1:.1f}" y="{base:.1f}" width="{max(step - 2, 1):.1f}" '
                    f'height="{tall:.1f}"/></g>'
                )
    parts.append(
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - 16}" y1="{bottom}" y2="{bottom}"/>'
    )
    bins = (len(edges) - 1) // decades
    for place in range(0, len(edges), bins if decades > 2 else bins // 2):
        at = _LEFT + place * step
        parts.append(_text(at, bottom + 18, _seconds(edges[place]), "tick", "middle"))
    parts.append(_text(_LEFT + wide / 2, _HISTOGRAM_HEIGHT - 4, "CPU time", "tick", "middle"))
    label = f"CPU time of {len(right):,} right samples and {len(wrong):,} others"
    return _svg(_HISTOGRAM_HEIGHT, label, parts)


def difference(one: Estimate) -> str:
    """A difference of rates with its interval, about 0."""
    reach = max(abs(one.low), abs(one.high), abs(one.value), 0.01) * 1.25
    middle = _NARROW / 2

    def x(share: float) -> float:
        return middle + share / reach * (middle - 30)

    parts = [
        f'<line class="axis" x1="{middle}" x2="{middle}" y1="6" y2="46"/>',
        _text(middle, 62, "no difference", "tick", "middle"),
        f'<rect class="band one" x="{x(one.low):.1f}" y="18" '
        f'width="{max(x(one.high) - x(one.low), 1):.1f}" height="16" rx="3"/>',
        f'<circle class="dot one" cx="{x(one.value):.1f}" cy="26" r="6"/>',
    ]
    for share in (one.low, one.high):
        anchor = "end" if share == one.low else "start"
        shift = -8 if share == one.low else 8
        parts.append(_text(x(share) + shift, 30, points(share), "tick", anchor))
    return _svg(68, f"difference {points(one.value)} points", parts, _NARROW)


def gauge(one: Estimate) -> str:
    """A rate on a line from 0 to 100 %, with its interval."""
    wide = _NARROW - 20
    low, high, at = (10 + wide * share for share in (one.low, one.high, one.value))
    parts = [
        f'<line class="rail" x1="10" x2="{10 + wide}" y1="12" y2="12"/>',
        f'<rect class="band one" x="{low:.1f}" y="4" width="{max(high - low, 1):.1f}" height="16" '
        'rx="3"/>',
        f'<circle class="dot one" cx="{at:.1f}" cy="12" r="6"/>',
        *(
            _text(10 + wide * share, 36, f"{share:.0%}", "tick", anchor)
            for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end"))
        ),
    ]
    return _svg(40, _words(one), parts, _NARROW)


def _svg(height: float, label: str, parts: Sequence[str], width: float = _WIDTH) -> str:
    return (
        f'<svg class="plot" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escaped(name(label))}">{"".join(parts)}</svg>'
    )


def _grid(bottom: float) -> str:
    lines = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        at = bottom - share * (bottom - _TOP)
        kind = "grid" if share else "axis"
        lines.append(
            f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at}" y2="{at}"/>'
        )
        lines.append(_text(_LEFT - 8, at + 4, f"{share:.0%}", "tick", "end"))
    return "".join(lines)


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_label(text)}</text>'
    )


def _apart(ends: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Labels at the ends of two lines, moved so that both can be read."""
    if len(ends) == 2 and abs(ends[0][0] - ends[1][0]) < 16:
        (first, *words), (second, *others) = ends
        middle = (first + second) / 2
        return [(middle + 8, words[0], words[1]), (middle - 8, others[0], others[1])]
    return ends


def _words(one: Estimate) -> str:
    return f"{percent(one.value)} ({percent(one.low)} to {percent(one.high)})"


def _label(text: str) -> str:
    return escaped(name(text))


def _short(text: str) -> str:
    shown = name(text)
    return shown if len(shown) <= _LETTERS else f"{shown[: _LETTERS - 1]}…"


def _edges(values: Sequence[float]) -> tuple[int, list[float]]:
    """Powers of ten, and edges of bins between them, equal on the logarithm."""
    shortest, longest = (
        min(max(one, _SHORTEST_S), _LONGEST_S) for one in (min(values), max(values))
    )
    lowest = math.floor(math.log10(shortest) + 1e-9)
    highest = max(math.ceil(math.log10(longest) - 1e-9), lowest + 1)
    each = max(4, 24 // (highest - lowest) // 2 * 2)
    edges = [10 ** (lowest + place / each) for place in range(each * (highest - lowest) + 1)]
    return highest - lowest, edges


def _binned(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    found = [0] * (len(edges) - 1)
    span = math.log(edges[-1] / edges[0])
    for value in values:
        place = int(math.log(value / edges[0]) / span * len(found) + 1e-9)
        found[min(max(place, 0), len(found) - 1)] += 1
    return found


def _seconds(value: float) -> str:
    for unit, words in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= unit * 0.9999:
            return f"{value / unit:.3g} {words}"
    return f"{value:.1g} s"
