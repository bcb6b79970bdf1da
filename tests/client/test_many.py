"""`judge_many`: order, bounds, progress, refusals, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.errors import RemoteError
from scalebox.model import Report, Submission
from tests.client.fake import FakeDaemon

OK = Submission(language="python", source="ok")


def numbered(count: int) -> list[Submission]:
    return [
        Submission(language="python", source="ok" if i % 2 else "bad", id=str(i))
        for i in range(count)
    ]


async def test_every_submission_is_answered_once(client: AsyncClient, daemon: FakeDaemon) -> None:
    seen = {}
    async for index, report in client.judge_many(numbered(3000)):
        assert index not in seen
        assert report.id == str(index)
        seen[index] = report.accepted
    assert seen == {i: bool(i % 2) for i in range(3000)}
    assert set(daemon.keys.values()) == {1}


async def test_ordered_results_come_in_the_order_of_the_source(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.shuffle = True
    order = [index async for index, _ in client.judge_many(numbered(700), ordered=True)]
    assert order == list(range(700))
    loose = [index async for index, _ in client.judge_many(numbered(700))]
    assert loose != sorted(loose)
    assert sorted(loose) == order


async def test_judge_all_returns_reports_in_order(client: AsyncClient, daemon: FakeDaemon) -> None:
    daemon.shuffle = True
    reports = await client.judge_all(numbered(300))
    assert [report.id for report in reports] == [str(i) for i in range(300)]
    assert await client.judge_all([]) == []


async def test_progress_ends_with_the_total(client: AsyncClient) -> None:
    told: list[tuple[int, int | None]] = []
    await client.judge_all(numbered(200), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (200, 200)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


async def test_progress_of_a_generator_has_no_total(client: AsyncClient) -> None:
    told: list[tuple[int, int | None]] = []
    source = (submission for submission in numbered(10))
    async for _ in client.judge_many(source, progress=lambda *args: told.append(args)):
        pass
    assert told[-1] == (10, None)


async def test_an_async_source_is_sent_as_it_comes(client: AsyncClient) -> None:
    answered = asyncio.Event()

    async def source() -> AsyncIterator[Submission]:
        yield numbered(1)[0]
        # The first must be answered although the source is not at its end.
        await asyncio.wait_for(answered.wait(), 10)
        yield numbered(2)[1]

    indices = []
    async for index, _ in client.judge_many(source()):
        indices.append(index)
        answered.set()
    assert indices == [0, 1]


async def test_no_more_is_read_than_may_be_in_flight(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.gate.clear()
    read = 0

    def source() -> Iterator[Submission]:
        nonlocal read
        for submission in numbered(1000):
            read += 1
            yield submission

    stream = client.judge_many(source(), in_flight=50)
    first = asyncio.ensure_future(anext(stream))
    while daemon.received < 50:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert read <= 51
    daemon.gate.set()
    taken = 1
    await first
    async for _ in stream:
        taken += 1
        # Read ahead of what was handed out, by no more than the bound and the item in hand.
        assert read <= taken + 50 + 64
    assert taken == 1000


async def test_no_more_bytes_are_read_than_may_be_in_flight(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.gate.clear()
    read = 0

    def source() -> Iterator[Submission]:
        nonlocal read
        for _ in range(200):
            read += 1
            yield Submission(language="python", source="x" * 10_000)

    stream = client.judge_many(source(), in_flight_bytes=100_000)
    first = asyncio.ensure_future(anext(stream))
    while daemon.received < 10:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert read <= 13
    daemon.gate.set()
    await first
    assert len([1 async for _ in stream]) == 199


async def test_a_slow_caller_stops_the_reading(client: AsyncClient) -> None:
    read = 0

    def source() -> Iterator[Submission]:
        nonlocal read
        for submission in numbered(500):
            read += 1
            yield submission

    async with aclosing(client.judge_many(source(), in_flight=20)) as stream:
        await anext(stream)
        await asyncio.sleep(0.2)
        assert read <= 41


async def test_a_refused_submission_is_raised(client: AsyncClient) -> None:
    submissions = numbered(100)
    submissions[70] = Submission(language="cobol", source="")
    stream = client.judge_many(submissions, ordered=True)
    # What came before it is handed out first.
    assert [(await anext(stream))[0] for _ in range(70)] == list(range(70))
    with pytest.raises(RemoteError, match="cobol"):
        await anext(stream)


async def test_a_refused_submission_can_be_returned(client: AsyncClient) -> None:
    submissions = numbered(100)
    submissions[70] = Submission(language="cobol", source="")
    submissions[80] = Submission(language="x" * 65, source="")
    results = {
        index: outcome async for index, outcome in client.judge_many(submissions, on_error="return")
    }
    assert len(results) == 100
    refused = {index for index, outcome in results.items() if isinstance(outcome, RemoteError)}
    assert refused == {70, 80}
    assert isinstance(results[71], Report)


async def test_an_error_of_the_source_reaches_the_caller(client: AsyncClient) -> None:
    def source() -> Iterator[Submission]:
        yield from numbered(5)
        raise LookupError("no more rollouts")

    with pytest.raises(LookupError, match="rollouts"):
        async for _ in client.judge_many(source()):
            pass


async def test_leaving_early_breaks_off_the_rest(client: AsyncClient, daemon: FakeDaemon) -> None:
    daemon.gate.clear()
    stream = client.judge_many(numbered(1000))
    first = asyncio.ensure_future(anext(stream))
    while not daemon.open_batches:
        await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    daemon.gate.set()
    while daemon.open_batches:
        await asyncio.sleep(0.01)
    assert (await client.judge(numbered(2)[1])).accepted


async def test_a_client_closes_with_a_stream_still_open(
    daemon: FakeDaemon, socket_path: object
) -> None:
    async with AsyncClient(str(socket_path)) as client:
        stream = client.judge_many(numbered(1000), in_flight=10)
        await anext(stream)
    with pytest.raises(Exception, match="closed"):
        async for _ in stream:
            pass


async def test_two_streams_do_not_disturb_each_other(client: AsyncClient) -> None:
    async def count() -> int:
        return len([1 async for _ in client.judge_many(numbered(400), in_flight=30)])

    assert set(await asyncio.gather(count(), count(), count())) == {400}


async def test_a_few_slow_submissions_do_not_hold_up_the_others(
    daemon: FakeDaemon, socket_path: Path
) -> None:
    # One in every batch: with all connections waiting for those, the others must go on.
    daemon.slow = {str(index) for index in range(0, 640, 64)}
    sent = [Submission(language="python", source="ok", id=str(index)) for index in range(640)]
    answered = 0
    async with AsyncClient(socket_path, connections=3) as client:
        async for _ in client.judge_many(sent):
            answered += 1
            if answered == 630:
                assert daemon.open_batches == 10
                daemon.release.set()
    assert answered == 640


async def test_single_calls_that_come_one_by_one_wait_for_no_slow_one(
    daemon: FakeDaemon, socket_path: Path
) -> None:
    daemon.slow = {"slow"}
    slow = Submission(language="python", source="ok", id="slow")
    async with AsyncClient(socket_path, connections=2) as client, asyncio.TaskGroup() as group:
        for count in range(1, 7):
            group.create_task(client.judge(slow))
            while daemon.open_batches < count:
                await asyncio.sleep(0.005)
        assert (await client.judge(OK)).accepted
        daemon.release.set()


async def test_connections_are_bounded_all_the_same(daemon: FakeDaemon, socket_path: Path) -> None:
    daemon.gate.clear()
    async with AsyncClient(socket_path, connections=2) as client, asyncio.TaskGroup() as group:
        while daemon.open_batches < 8:
            group.create_task(client.judge(OK))
            await asyncio.sleep(0.005)
        for _ in range(20):
            group.create_task(client.judge(OK))
            await asyncio.sleep(0)
        # Had a ninth been begun, it would be here before the answer of this.
        await client.status()
        assert daemon.open_batches == 8
        daemon.gate.set()
