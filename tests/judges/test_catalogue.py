"""Both kinds of judges by name: what a name means now, what is counted, and what others write."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from scalebox.errors import BadRequestError, UnknownJudgeError
from scalebox.judges import catalogue as module
from scalebox.judges import database
from scalebox.judges.directory import shipped
from scalebox.model import Comparison, NamedJudge, Provenance, judge_hash

from .storing import (
    ACTIVE,
    CANDIDATE,
    PROVEN,
    QUARANTINED,
    RETIRED,
    catalogue,
    function,
    named,
    new,
    opened,
    to,
)

TOKENS = NamedJudge(name="tokens_case_sensitive")


def name(text: str, **parameters: float) -> NamedJudge:
    return NamedJudge(name=text, parameters=parameters)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "judges.sqlite"


async def test_both_kinds_are_found(file: Path) -> None:
    async with catalogue(file).in_use() as judges:
        assert judges.infos() == shipped().infos()
        assert isinstance(judges.find(TOKENS), Comparison)
        assert judges.in_service(TOKENS) is None
        await judges.add(new(function(), state=ACTIVE))
        digest = judge_hash(function())
        for text in ("problem:p", "problem:p#1", f"sha256:{digest}", digest):
            assert judges.find(name(text)) == function()
            assert judges.in_service(name(text)) is judges.in_service(name("problem:p"))


async def test_a_kept_name_stands_for_what_ships(file: Path) -> None:
    floats = NamedJudge(name="floats", parameters={"absolute": 0.5})
    async with catalogue(file).in_use() as judges:
        for judge in (TOKENS, floats):
            record, _ = await judges.add(new(judge, None))
            assert record.judge == judge
            assert judges.find(name(record.name)) == shipped().find(judge)
        infos = {info.title: info for info in await judges.stored()}
        assert infos["floats, absolute = 0.5"].accepts == shipped().get("floats").info.accepts


async def test_a_judge_that_ships_has_a_record_too(file: Path) -> None:
    async with catalogue(file).in_use() as judges:
        record = await judges.record("floats")
        assert record.judge == shipped().find(name("floats"))
        assert record.provenance.source == "shipped"
        assert record.hash == judge_hash(NamedJudge(name="floats"))
        with pytest.raises(UnknownJudgeError):
            await judges.record("no_such")
        with pytest.raises(UnknownJudgeError, match="have no state"):
            await judges.change("floats", to(RETIRED))


@pytest.mark.parametrize(
    ("judge", "field"),
    [
        (name("no_such"), "judge.name"),
        (name("problem:p"), "judge.name"),
        (name("floats", absolute=-1.0), "judge.parameters.absolute"),
    ],
)
async def test_only_what_ships_is_kept_by_name(file: Path, judge: NamedJudge, field: str) -> None:
    async with catalogue(file).in_use() as judges:
        await judges.add(new(state=ACTIVE))
        with pytest.raises(BadRequestError) as caught:
            await judges.add(new(judge, "q"))
        assert caught.value.field == field
        with pytest.raises(BadRequestError) as claimed:
            await judges.add(new(function(2), provenance=Provenance(source="shipped")))
        assert claimed.value.field == "provenance.source"


async def test_what_a_name_means_follows_every_change(file: Path) -> None:
    async with catalogue(file).in_use() as judges:
        for number in (1, 2):
            await judges.add(new(function(number), state=PROVEN))
        with pytest.raises(UnknownJudgeError, match="2 proven"):
            judges.find(name("problem:p"))
        await judges.change("problem:p#1", to(ACTIVE))
        assert judges.find(name("problem:p")) == function(1)
        await judges.change("problem:p#2", to(ACTIVE))
        assert judges.find(name("problem:p")) == function(2)
        with pytest.raises(UnknownJudgeError, match=r"problem:p#1 is retired since .*took its"):
            judges.find(name("problem:p#1"))
        await judges.add(new(function(3), state=ACTIVE))
        assert judges.find(name("problem:p")) == function(3)


async def test_parameters_are_for_what_ships(file: Path) -> None:
    async with catalogue(file).in_use() as judges:
        await judges.add(new(state=ACTIVE))
        with pytest.raises(BadRequestError) as caught:
            judges.find(name("problem:p", absolute=1.0))
        assert caught.value.field == "parameters"


async def test_quick_after_the_first_time(file: Path) -> None:
    """From memory: the file is not asked again as long as nothing is written."""
    judges = catalogue(file)
    await judges.add(new(state=ACTIVE))
    judges.find(name("problem:p"))
    judges._store.close()
    for _ in range(1000):
        assert judges.find(name("problem:p")) == function()


async def test_the_cache_is_bounded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHE_BYTES", 5000)
    async with catalogue(file).in_use() as judges:
        for number in range(20):
            await judges.add(new(function(number), f"p{number}", state=ACTIVE))
        for _ in range(2):
            for number in range(20):
                assert judges.find(name(f"problem:p{number}")) == function(number)
        assert len(judges._cache) < 6


# --- in service -----------------------------------------------------------------------------------


async def test_counts_are_written_from_time_to_time_and_at_the_end(file: Path) -> None:
    async with catalogue(file).in_use() as judges:
        await judges.add(new(state=ACTIVE))
        service = judges.in_service(name("problem:p"))
        assert service is not None
        for _ in range(7):
            service.decided()
        service.failed("oh")
        async with asyncio.timeout(30):
            while (await asyncio.to_thread(count_of, file)) != (7, 1):
                await asyncio.sleep(0.05)
        service.decided()
        assert (await judges.record("problem:p")).decided == 8, "who asks is told all"
        service.decided()
    assert count_of(file) == (9, 1)


def count_of(file: Path) -> tuple[int, int]:
    store = opened(file)
    record = store.record(named("problem:p#1"))
    store.close()
    return record.decided, record.failed


async def test_a_judge_that_fails_too_often_is_out_at_once(file: Path) -> None:
    async with catalogue(file, failures=3, rate=0.5).in_use() as judges:
        await judges.add(new(state=ACTIVE))
        service = judges.in_service(name("problem:p"))
        assert service is not None
        for _ in range(4):
            service.decided()
        for _ in range(3):
            service.failed("IndexError")
            assert not service.taken_out, "3 of 7 is not half"
        service.failed("IndexError: at last\n" * 100)
        assert "it failed 4 of 8 times; at last: IndexError" in service.taken_out
        assert len(service.taken_out) < 600
        async with asyncio.timeout(30):
            while (record := await judges.record("problem:p")).state is not QUARANTINED:
                await asyncio.sleep(0.01)
        assert record.history[-1].reason in service.taken_out
        assert judges.find(name("problem:p")) == function(), "found, and known to be out"
        again = judges.in_service(name("problem:p"))
        assert again is service
        await judges.change("problem:p", to(ACTIVE, reason="the tests were wrong"))
        assert not service.taken_out, "also for the judgement at hand"
        service.failed("once")
        assert not service.taken_out, "it counts anew"


async def test_a_quarantine_outlives_the_daemon(file: Path) -> None:
    async with catalogue(file, failures=1, rate=0.1).in_use() as judges:
        await judges.add(new(state=ACTIVE))
        service = judges.in_service(name("problem:p"))
        assert service is not None
        service.failed("oh")
    async with catalogue(file).in_use() as judges:
        service = judges.in_service(name("problem:p"))
        assert service is not None
        assert "it failed 1 of 1 times; at last: oh" in service.taken_out


@pytest.mark.parametrize("state", [CANDIDATE, PROVEN])
async def test_only_what_was_proven_is_quarantined(file: Path, state: object) -> None:
    async with catalogue(file, failures=1, rate=0.1).in_use() as judges:
        await judges.add(new(state=state))
        service = judges.in_service(name("problem:p#1"))
        assert service is not None
        service.failed("oh")
        assert bool(service.taken_out) is (state is PROVEN)


async def test_a_person_takes_a_judge_out_too(file: Path) -> None:
    async with catalogue(file).in_use() as judges:
        await judges.add(new(state=ACTIVE))
        service = judges.in_service(name("problem:p"))
        assert service is not None
        await judges.change("problem:p", to(QUARANTINED, reason="accepts everything"))
        assert "accepts everything" in service.taken_out


async def test_counts_that_cannot_be_written_are_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process writes and writes."""
    monkeypatch.setattr(database, "_BUSY_S", 0.1)
    async with catalogue(file).in_use() as judges:
        await judges.add(new(state=ACTIVE))
        service = judges.in_service(name("problem:p"))
        assert service is not None
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        service.decided()
        for _ in range(3):
            service.failed("oh")
        assert (await judges.record("problem:p")).failed == 0
        assert service.taken_out, "out, whatever is in the file"
        assert judges.in_service(name("problem:p")) is service
        assert service.taken_out
        other.execute("COMMIT")
        other.close()
        record = await judges.record("problem:p")
        assert (record.state, record.decided, record.failed) == (QUARANTINED, 1, 3)


async def test_without_a_thread_counts_are_kept_too(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host has no more processes; the daemon goes on."""
    async with catalogue(file).in_use() as judges:
        await judges.add(new(state=ACTIVE))
        service = judges.in_service(name("problem:p"))
        assert service is not None

        async def none_left(*_: object) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(module.to_thread, "run_sync", none_left)
            service.decided()
            await judges._flush()
            await asyncio.sleep(1.5 * module.FLUSH_S)
        assert (await judges.record("problem:p")).decided == 1


async def test_who_does_not_wait_for_the_write_loses_no_count(file: Path) -> None:
    async with catalogue(file).in_use() as judges:
        await judges.add(new(state=ACTIVE))
        service = judges.in_service(name("problem:p"))
        assert service is not None
        for _ in range(50):
            service.decided()
            asked = asyncio.ensure_future(judges.record("problem:p"))
            await asyncio.sleep(0)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
    assert count_of(file) == (50, 0)


# --- two daemons, one file ------------------------------------------------------------------------


async def test_what_another_daemon_writes_is_seen(file: Path) -> None:
    async with catalogue(file).in_use() as here, catalogue(file).in_use() as there:
        await here.add(new(function(1), state=ACTIVE))
        assert there.find(name("problem:p")) == function(1)
        await here.add(new(function(2), state=ACTIVE))
        async with asyncio.timeout(30):
            while there.find(name("problem:p")) != function(2):
                await asyncio.sleep(0.05)


async def test_two_daemons_count_together(file: Path) -> None:
    async with catalogue(file, 3, 0.5).in_use() as here, catalogue(file, 3, 0.5).in_use() as there:
        await here.add(new(state=ACTIVE))
        one, other = (judges.in_service(name("problem:p")) for judges in (here, there))
        assert one is not None
        assert other is not None
        for _ in range(2):
            one.failed("here")
        assert (await here.record("problem:p")).failed == 2
        other.decided()
        assert (await there.record("problem:p")).decided == 1, "and now it knows of the others"
        other.failed("there")
        assert "it failed 3 of 4 times; at last: there" in other.taken_out
        async with asyncio.timeout(30):
            while not one.taken_out:
                one.decided()
                await asyncio.sleep(0.05)
        assert (await here.record("problem:p")).state is QUARANTINED
