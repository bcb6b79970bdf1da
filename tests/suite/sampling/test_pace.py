"""One pace for all requests of an endpoint."""

from __future__ import annotations

import asyncio
import itertools
import time

from scalebox.suite.sampling.pace import Pace


async def turns(pace: Pace, count: int) -> list[float]:
    return sorted(await asyncio.gather(*(pace.turn() for _ in range(count))))


async def test_nobody_waits_while_nothing_is_refused() -> None:
    pace = Pace()
    await turns(pace, 1000)
    assert pace.gap_s == 0.0


async def test_after_a_pause_requests_go_one_after_the_other() -> None:
    pace = Pace()
    refused_at = time.monotonic()
    pace.refused(await pace.turn(), 0.2)
    times = await turns(pace, 6)
    assert times[0] - refused_at >= 0.2
    assert all(later - former >= 0.049 for former, later in itertools.pairwise(times))


async def test_refusals_of_what_was_under_way_at_once_count_once() -> None:
    pace = Pace()
    sent = await turns(pace, 5)
    for at in sent:
        pace.refused(at, 0.0)
    first = pace.gap_s
    pace.refused(await pace.turn(), 0.0)
    assert pace.gap_s == 2 * first


async def test_longest_pause_of_several_holds() -> None:
    pace = Pace()
    sent = await turns(pace, 2)
    pace.refused(sent[0], 0.3)
    pace.refused(sent[1], 0.05)
    refused_at = time.monotonic()
    assert await pace.turn() - refused_at >= 0.25


async def test_answers_close_the_gap() -> None:
    pace = Pace()
    for _ in range(4):
        pace.refused(await pace.turn(), 0.0)
    gap = pace.gap_s
    pace.answered()
    assert 0.9 * gap < pace.gap_s < gap
    for _ in range(60):
        pace.answered()
    assert pace.gap_s == 0.0


async def test_gap_is_bounded() -> None:
    pace = Pace()
    for _ in range(30):
        pace.refused(time.monotonic(), 0.0)
    assert pace.gap_s == 5.0


async def test_who_is_cancelled_while_waiting_holds_up_nobody() -> None:
    pace = Pace()
    pace.refused(await pace.turn(), 0.2)
    first = asyncio.ensure_future(pace.turn())
    second = asyncio.ensure_future(pace.turn())
    await asyncio.sleep(0.01)
    first.cancel()
    async with asyncio.timeout(5):
        await second
