"""Texts of others are bounded and seen; plots stand whatever they are given."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalebox.suite.estimate import Estimate
from scalebox.suite.report import plots
from scalebox.suite.report.browse import script
from scalebox.suite.report.folder import Shelf
from scalebox.suite.report.tables import ordered_values
from scalebox.suite.report.texts import name, visible

RATES = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(
    lambda three: Estimate(low=min(three), value=sorted(three)[1], high=max(three))
)
COUNTS = st.dictionaries(st.text(max_size=10), st.integers(0, 10**9), min_size=1, max_size=5)
SECONDS = st.lists(st.floats(min_value=1e-300, max_value=1e300), max_size=5)


@given(st.text(), st.integers(3, 50))
def test_what_is_shown_is_bounded_and_can_be_seen(text: str, chars: int) -> None:
    shown = visible(text, chars)
    assert len(shown) <= 2 * chars + 60
    assert not [
        one
        for one in shown
        if unicodedata.category(one) in ("Cc", "Cf", "Cs") and one not in "\n\t"
    ]
    assert "\n" not in name(text) + name(text * 300)


def test_signs_that_cannot_be_seen_are_named() -> None:
    assert visible("a\x00\r\n\t\x7f", 100) == "a⟨U+0000⟩␍\n\t⟨U+007F⟩"
    assert visible("\u202eevil\u2066 \ud800 \u00ad", 100) == (
        "⟨U+202E⟩evil⟨U+2066⟩ ⟨U+D800⟩ ⟨U+00AD⟩"
    )
    assert visible("naïve 日本語 😀 עברית", 100) == "naïve 日本語 😀 עברית"


def test_a_long_text_keeps_both_ends() -> None:
    assert visible("a" * 50 + "b" * 50, 30) == (f"{'a' * 10}\n… (70 more characters) …\n{'b' * 20}")


@given(st.binary(max_size=60))
def test_nothing_ends_a_script_tag(data: bytes) -> None:
    assert not set(script(data)) & set(b"<>&")


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(st.integers(1, 10**6), RATES, min_size=1, max_size=5),
    st.lists(st.tuples(st.text(max_size=30), RATES), min_size=1, max_size=6),
    st.lists(COUNTS, min_size=1, max_size=2),
    SECONDS,
    SECONDS,
)
def test_plots_are_whole_whatever_they_show(
    pass_at: dict[int, Estimate],
    rows: list[tuple[str, Estimate]],
    sides: list[dict[str, int]],
    right: list[float],
    wrong: list[float],
) -> None:
    one = rows[0][1]
    drawn = [
        plots.curve(pass_at, {k: one for k in pass_at if k > min(pass_at)}),
        plots.bars([plots.Row(label=label, estimate=rate, note=label) for label, rate in rows]),
        plots.counts(sides),
        plots.histogram([*right, 0.5], wrong),
        plots.gauge(one),
        plots.difference(Estimate(low=-one.high, value=-one.value, high=one.low)),
    ]
    for plot in drawn:
        root = ElementTree.fromstring(plot)
        assert root.get("aria-label")
        assert "nan" not in plot
        assert "inf" not in plot.replace("difference", "")


def test_a_bar_is_as_long_as_its_rate() -> None:
    rows = [
        plots.Row(label=str(rate), estimate=Estimate(value=rate, low=rate, high=rate))
        for rate in (0.25, 0.5, 1.0)
    ]
    root = ElementTree.fromstring(plots.bars(rows))
    widths = [float(one.get("width", "0")) for one in root.iter("rect")]
    assert widths == pytest.approx([widths[2] / 4, widths[2] / 2, widths[2]], abs=0.1)


def test_a_shelf_keeps_failures_and_first_samples() -> None:
    shelf = Shelf(1000)
    for index in range(5):
        for place in range(20):
            right = place % 2 == 0
            shelf.put((place, index), (right, index, place), f"{place}/{index}", 100)
    shelf.shrink(1000)
    kept = [key for key, _ in shelf.items()]
    assert sorted(kept) == [(place, 0) for place in range(20) if place % 2]
    assert len(shelf.dropped) == 90
    assert shelf.get((1, 0)) == "1/0"
    assert shelf.get((0, 0)) is None


def test_values_of_a_group_are_in_the_order_that_people_expect() -> None:
    assert ordered_values(dict.fromkeys(["hard", "easy", "Medium"])) == ["easy", "Medium", "hard"]  # type: ignore[arg-type]
    assert ordered_values(dict.fromkeys(["10", "9", "2024-10", "2024-9", "a"])) == [  # type: ignore[arg-type]
        "9", "10", "2024-9", "2024-10", "a",
    ]  # fmt: skip
