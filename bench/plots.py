"""Small charts as SVG, without a library: lines over a logarithmic axis, for a few points each."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence

_WIDTH, _HEIGHT, _MARGIN = 640, 360, 56
_COLOURS = ("#3465a4", "#b3412c", "#4e9a06", "#75507b", "#c17d11")


def lines(
    title: str,
    x_label: str,
    y_label: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
) -> str:
    """A chart of y over the logarithm of x.

    Parameters:
        series: name → points, x above 0; at least one point in all.

    Returns:
        The SVG.
    """
    points = [point for line in series.values() for point in line]
    lowest, highest = min(x for x, _ in points), max(x for x, _ in points)
    top = _round_up(max(y for _, y in points) or 1.0)

    def place(x: float, y: float) -> tuple[float, float]:
        share = math.log(x / lowest) / math.log(highest / lowest) if highest > lowest else 0.5
        return (
            _MARGIN + share * (_WIDTH - 2 * _MARGIN),
            _HEIGHT - _MARGIN - y / top * (_HEIGHT - 2 * _MARGIN),
        )

    left, bottom = place(lowest, 0)
    right, upper = place(highest, top)
    parts = [
        _text(_WIDTH / 2, 20, title, "middle", 15),
        _text(_WIDTH / 2, _HEIGHT - 12, x_label, "middle"),
        _text(_MARGIN, upper - 12, y_label, "start"),
        f'<path d="M{left:.1f} {upper:.1f}V{bottom:.1f}H{right:.1f}" fill="none" stroke="#888"/>',
    ]
    for step in range(5):
        y = top * step / 4
        _, at = place(lowest, y)
        parts.append(_text(left - 6, at + 4, f"{y:g}", "end"))
    for x in sorted({x for x, _ in points}):
        at, _ = place(x, 0)
        parts.append(_text(at, bottom + 16, f"{x:g}", "middle"))
    for number, (name, line) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [place(x, y) for x, y in sorted(line)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        parts.append(_text(right, upper + 16 * number, name, "end", colour=colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="system-ui, sans-serif">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _text(
    x: float, y: float, text: str, anchor: str, size: int = 12, colour: str = "#1c2430"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'fill="{colour}">{html.escape(text)}</text>'
    )


def _round_up(value: float) -> float:
    """The next of 1, 2, 4 and 8 times a power of ten: four steps of it are round, too."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)
