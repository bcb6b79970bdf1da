"""What `make soak` calls a leak, growth and drift; and a small one of a real daemon."""

from __future__ import annotations

import itertools

import pytest
from rich.progress import Progress

from bench import holdings, results, soak
from bench.holdings import Holdings, Window
from scalebox.client.local import async_local

_MB = 1_000_000


def _sample(cases: int, daemon_mb: float = 60, slots_mb: float = 20, **counts: int) -> Holdings:
    held = {"processes": 2, "descriptors": 20, "slots_mounts": 40, **counts}
    return Holdings(cases, cases / 1000, held, int(daemon_mb * _MB), int(slots_mb * _MB))


def test_what_stays_is_no_leak_and_what_grows_is() -> None:
    flat = [_sample(cases) for cases in range(30)]
    assert holdings.leaks(flat, slots=2) == []
    grows = [_sample(cases, processes=2 + cases // 10) for cases in range(30)]
    assert holdings.leaks(grows, slots=2) == ["processes: 2 at the beginning, 4 at the end"]


def test_one_look_at_the_wrong_moment_is_no_leak() -> None:
    samples = [_sample(cases, processes=3 if cases == 29 else 2) for cases in range(30)]
    assert holdings.leaks(samples, slots=2) == []


@pytest.mark.parametrize(
    ("name", "more", "leaks"),
    [
        ("descriptors", 8, 0),
        ("descriptors", 9, 1),
        ("slots_mounts", 32, 0),
        ("slots_mounts", 33, 1),
        ("processes", 1, 1),
    ],
)
def test_what_comes_and_goes_is_allowed_for(name: str, more: int, leaks: int) -> None:
    first = _sample(0)
    last = _sample(1, **{name: first.counts[name] + more})
    assert len(holdings.leaks([first, last], slots=2)) == leaks


def test_growth_is_told_once_caches_are_full() -> None:
    sizes = [50.0, 60.0, 70.0, *[71.0] * 7, 73.0]
    samples = [_sample(1000 * number, size) for number, size in enumerate(sizes)]
    # From 2,000 of 10,000 cases on.
    assert holdings.growth_bytes(samples) == (3 * _MB, 0)
    assert holdings.growth_bytes(samples[:1]) is None
    assert holdings.growth_bytes([]) is None


def test_drift_is_between_the_medians_of_the_first_and_the_last_tenth() -> None:
    values = [1.0, 1.0, 9.0, *[5.0] * 24, 1.1, 1.1, 0.1]
    assert holdings.drift(values) == pytest.approx(0.1)
    assert holdings.drift([2.0, 1.0]) == pytest.approx(-0.5)
    assert holdings.drift([1.0]) is None


def _soak(**changes: object) -> soak.Soak:
    fields = {
        "slots": 2, "cases": 1000, "wall_s": 1.0,
        "windows": [Window(100, 0.1, 0.01)] * 20,
        "pairs": [(0.00104, 0.001)] * 5,
        "samples": [_sample(cases) for cases in range(20)],
        **changes,
    }  # fmt: skip
    return soak.Soak(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({}, set()),
        ({"cases": 0}, {"cases"}),
        ({"wrong": ["internal_error: x"]}, {"every"}),
        ({"pairs": [(0.00106, 0.001)] * 3 + [(0.001, 0.001)] * 2}, {"|cpu_per_case_drift|"}),
        ({"pairs": [(0.00094, 0.001)] * 5}, {"|cpu_per_case_drift|"}),
        ({"pairs": []}, {"|cpu_per_case_drift|"}),
        ({"samples": [_sample(cases, 60 + cases) for cases in range(20)]}, {"memory_growth_mb"}),
        ({"samples": []}, {"memory_growth_mb"}),
        ({"samples": [_sample(0), _sample(10), _sample(20, processes=3)]}, {"nothing becomes"}),
        ({"replaced": 1}, {"slots_replaced"}),
        ({"left": ["7 (x)"]}, {"nothing is"}),
    ],
)  # fmt: skip
def test_each_breach_is_named(change: dict[str, object], broken: set[str]) -> None:
    found = [promise.text for promise in _soak(**change).promises() if not promise.holds]
    assert len(found) == len(broken)
    assert all(text.startswith(tuple(broken)) for text in found)


def test_sources_never_repeat() -> None:
    sources = [one.source for one in itertools.islice(soak.submissions(1), 500)]
    assert len(set(sources)) == 500


async def test_a_short_soak_judges_all_and_holds_nothing_more() -> None:
    with Progress(console=results.new_console(), transient=True) as bar:
        async with async_local() as client:
            found = await soak.soak_daemon(
                client, cases=3000, minutes=5.0, bar=bar, look_each_s=4.0, window_s=0.25
            )
    assert found.cases == 3000
    assert found.wrong == []
    assert found.leaks == []
    assert found.replaced == 0
    assert len(found.samples) >= 2
    assert len(found.windows) >= 2
    assert all(window.cpu_s > 0 and window.cases > 0 for window in found.windows)
    assert "first_to_last_tenth" in found.figures()
    assert all(sample.counts["processes"] == found.slots for sample in found.samples)


async def test_two_daemons_are_compared_in_turns() -> None:
    async with async_local() as one, async_local() as other:
        pairs = await soak.compare(one, other, soak.submissions(3), rounds=2, each=3)
    assert len(pairs) == 2
    assert all(0 < cost < 1 for pair in pairs for cost in pair)
