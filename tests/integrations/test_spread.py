"""Submissions over several real daemons, which are killed, stopped and replaced in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager

import pytest

from scalebox import (
    Client,
    ConnectionFailedError,
    RemoteError,
    Report,
    ScaleboxError,
    StdioCase,
    StdioTests,
    Submission,
)
from scalebox.client.local import PrivateDaemon
from scalebox.integrations.spread import Contact, Spread

COUNT = 400
#: A moment's work, of which the machine's own speed is no part.
NAP = "import time; time.sleep(0.05); "


def submission(number: int, before: str = "") -> Submission:
    """Right unless the number is a multiple of seven."""
    answer = str(2 * number + (number % 7 == 0))
    return Submission(
        language="python",
        source=f"{before}print(int(input()) + {number})",
        tests=StdioTests(cases=[StdioCase(input=str(number), answer=answer)]),
    )


class Place:
    """Daemons, and which of them a spread is told of."""

    def __init__(self) -> None:
        self.daemons: dict[str, PrivateDaemon] = {}
        self.asked_anew: set[str] = set()

    def start(self, *names: str) -> None:
        for name in names:
            daemon = PrivateDaemon({"sandbox": {"slots": 1}})
            daemon.start()
            daemon.wait_until_ready(60.0)
            self.daemons[name] = daemon

    def stop(self) -> None:
        for daemon in self.daemons.values():
            daemon.stop()

    async def members(self, doubted: frozenset[str]) -> Mapping[str, Contact]:
        self.asked_anew |= doubted
        return {
            name: Contact(str(daemon.socket), None, 1, near=name == "near")
            for name, daemon in self.daemons.items()
        }

    def judged(self, name: str) -> int:
        with Client(self.daemons[name].socket) as client:
            return int(client.status().counters.get("cases", 0.0))

    def runs(self, name: str) -> int:
        with Client(self.daemons[name].socket) as client:
            return client.status().running_cases


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    try:
        yield made
    finally:
        made.stop()


@asynccontextmanager
async def outcomes(
    spread: Spread, submissions: list[Submission]
) -> AsyncIterator[AsyncIterator[tuple[int, Report | Exception]]]:
    """What comes of them, as it comes."""
    call = spread.call()
    await call.submit(enumerate(submissions))

    async def taken() -> AsyncIterator[tuple[int, Report | Exception]]:
        left = len(submissions)
        while left:
            ready = await call.take(wait=True)
            left -= len(ready)
            for result in ready:
                yield result

    try:
        yield taken()
    finally:
        await call.close()


async def judged_right(place: Place, count: int, before: str = "", **events: int) -> None:
    """Judge so many, with things that happen after so many answers; each is right, and once.

    Parameters:
        events: a name of one of `EVENTS` → after how many answers.
    """
    seen: Counter[int] = Counter()
    async with Spread(place.members) as spread:
        work = [submission(number, before) for number in range(count)]
        async with outcomes(spread, work) as results:
            async for number, outcome in results:
                assert isinstance(outcome, Report), outcome
                assert outcome.accepted == (number % 7 != 0), outcome
                seen[number] += 1
                for name, after in events.items():
                    if seen.total() == after:
                        await asyncio.to_thread(EVENTS[name], place)
    assert seen == Counter(range(count))


def kill_one(place: Place) -> None:
    os.kill(place.daemons["one"].pid, signal.SIGKILL)


def end_one(place: Place) -> None:
    os.kill(place.daemons["one"].pid, signal.SIGTERM)


def replace_one(place: Place) -> None:
    kill_one(place)
    place.daemons.pop("one").stop()
    place.start("one")


def strike_one_off(place: Place) -> None:
    del place.daemons["one"]


EVENTS = {
    "kill": kill_one,
    "end": end_one,
    "replace": replace_one,
    "strike": strike_one_off,
}


async def test_every_daemon_has_a_share(place: Place) -> None:
    place.start("one", "two", "three")
    await judged_right(place, 60, NAP)
    assert all(place.judged(name) >= 10 for name in place.daemons)


async def test_a_single_submission_goes_to_the_near_daemon(place: Place) -> None:
    place.start("far", "near")
    for _ in range(3):
        await judged_right(place, 1)
    assert (place.judged("far"), place.judged("near")) == (0, 3)


async def test_what_a_killed_daemon_had_goes_to_others(place: Place) -> None:
    place.start("one", "two")
    await judged_right(place, COUNT, kill=COUNT // 4)
    assert "one" in place.asked_anew
    assert "two" not in place.asked_anew


async def test_a_daemon_that_drains_answers_what_it_has_and_others_the_rest(place: Place) -> None:
    place.start("one", "two")
    await judged_right(place, COUNT, end=COUNT // 4)
    assert place.judged("two") < COUNT


async def test_the_only_daemon_is_killed_and_another_takes_its_place(place: Place) -> None:
    place.start("one")
    await judged_right(place, COUNT, replace=COUNT // 4)


async def test_a_daemon_that_is_struck_off_gets_nothing_more(place: Place) -> None:
    place.start("one", "two")
    one = place.daemons["one"]
    try:
        await judged_right(place, 160, NAP, strike=10)
        with Client(one.socket) as client:
            judged = client.status().counters["cases"]
        assert judged < 60
    finally:
        one.stop()


async def test_a_refused_submission_is_told_and_the_others_go_on(place: Place) -> None:
    place.start("one")
    wrong = [
        Submission(language="no such", source="", tests=StdioTests(cases=[StdioCase()])),
        Submission(language="python", source="\ud800", tests=StdioTests(cases=[StdioCase()])),
    ]
    async with (
        Spread(place.members) as spread,
        outcomes(spread, [*wrong, submission(1)]) as results,
    ):
        found = {number: outcome async for number, outcome in results}
    assert isinstance(found[0], RemoteError)
    assert found[0].code == "unknown_language"
    assert isinstance(found[1], RemoteError)
    assert isinstance(found[2], Report)
    assert found[2].accepted


async def test_where_nobody_answers_it_is_given_up() -> None:
    async def members(_: frozenset[str]) -> Mapping[str, Contact]:
        return {"nobody": Contact("/nowhere/s", None, 1)}

    async with (
        Spread(members, patience_s=1.0) as spread,
        outcomes(spread, [submission(1)]) as results,
    ):
        (found,) = [outcome async for _, outcome in results]
    assert isinstance(found, ConnectionFailedError)
    assert "/nowhere/s" in str(found)


async def test_where_there_never_will_be_a_daemon_it_is_said_at_once() -> None:
    async def members(_: frozenset[str]) -> Mapping[str, Contact]:
        raise ScaleboxError("start them first")

    async with (
        Spread(members, patience_s=600.0) as spread,
        outcomes(spread, [submission(1)]) as results,
    ):
        (found,) = [outcome async for _, outcome in results]
    assert str(found) == "start them first"


async def test_daemons_stay_who_they_were_while_the_membership_fails(place: Place) -> None:
    place.start("one")
    asked = 0

    async def members(doubted: frozenset[str]) -> Mapping[str, Contact]:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise OSError("no table of nodes now")
        return await place.members(doubted)

    async with Spread(members) as spread:
        while asked < 2:
            async with outcomes(spread, [submission(1, NAP)]) as results:
                assert [isinstance(outcome, Report) async for _, outcome in results] == [True]
        assert spread.daemons == {"one"}


async def test_a_call_that_is_closed_leaves_nothing_under_way(place: Place) -> None:
    place.start("one")
    forever = Submission(
        language="python",
        source="import time; time.sleep(600)",
        tests=StdioTests(cases=[StdioCase()]),
    )
    async with Spread(place.members) as spread:
        async with outcomes(spread, [forever, forever, submission(1)]):
            while not place.runs("one"):
                await asyncio.sleep(0.05)
        # The slot is free for others, long before the limit of time.
        async with outcomes(spread, [submission(2)]) as results:
            assert [isinstance(outcome, Report) async for _, outcome in results] == [True]
