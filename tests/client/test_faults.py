"""Broken connections, busy daemons, restarts: nothing is lost, nothing is answered twice."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from scalebox.client.aio import AsyncClient
from scalebox.client.retry import Patience, RetryPolicy, parse_retry_after
from scalebox.errors import ConnectionFailedError, RemoteError
from scalebox.model import Submission
from tests.client.fake import FakeDaemon, serving

OK = Submission(language="python", source="ok")


def numbered(count: int) -> list[Submission]:
    return [Submission(language="python", source="ok", id=str(i)) for i in range(count)]


async def test_only_unanswered_submissions_are_sent_again(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.break_after = [40]
    reports = await client.judge_all(numbered(64))
    assert [report.id for report in reports] == [str(i) for i in range(64)]
    assert daemon.sizes == [64, 24]
    assert sorted(daemon.keys.values()) == [1] * 40 + [2] * 24
    assert set(daemon.answered.values()) == {1}


async def test_a_line_that_breaks_again_and_again_is_survived_while_it_gives_answers(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    # More breaks than retries, but each brings an answer.
    daemon.break_after = [1] * 6
    reports = await client.judge_all(numbered(10))
    assert all(report.accepted for report in reports)


async def test_a_line_that_only_breaks_is_given_up(client: AsyncClient, daemon: FakeDaemon) -> None:
    daemon.break_after = [0] * 50
    with pytest.raises(ConnectionFailedError, match="4 time"):
        await client.judge(OK)


async def test_a_daemon_that_restarts_is_waited_for(socket_path: Path) -> None:
    first, second = FakeDaemon(), FakeDaemon()
    first.gate.clear()
    async with AsyncClient(socket_path) as client:
        async with serving(first, socket_path):
            task = asyncio.ensure_future(client.judge_all(numbered(200)))
            while first.received < 200:
                await asyncio.sleep(0.01)
        socket_path.unlink(missing_ok=True)
        await asyncio.sleep(0.2)
        async with serving(second, socket_path):
            reports = await task
    assert all(report.accepted for report in reports)
    # The keys are the same, so the second daemon could have joined the first's work.
    assert set(first.keys) == set(second.keys)


async def test_a_daemon_that_says_nothing_past_the_deadline_is_given_up(
    client: AsyncClient, daemon: FakeDaemon, socket_path: Path
) -> None:
    daemon.gate.clear()
    submission = Submission(language="python", source="ok", deadline_s=0.2)
    with pytest.raises(ConnectionFailedError, match=f"{socket_path} before .* deadline"):
        await asyncio.wait_for(client.judge(submission), 60)
    daemon.gate.set()
    assert (await client.judge(submission)).accepted


async def test_the_deadline_of_what_a_daemon_was_too_busy_to_take_starts_anew(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.refuse = [(429, "0.6"), (503, "0.6")]
    submission = Submission(language="python", source="ok", deadline_s=1.0)
    assert (await client.judge(submission)).accepted
    (left_s,) = daemon.deadlines
    assert left_s is not None
    assert left_s > 0.5


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_honoured(
    client: AsyncClient, daemon: FakeDaemon, status: int
) -> None:
    daemon.refuse = [(status, "0.3")] * 2
    started = time.monotonic()
    assert (await client.judge(OK)).accepted
    # Never earlier than asked; how much later is the machine's affair.
    assert time.monotonic() - started >= 0.6
    assert daemon.requests == ["batch"] * 3


async def test_being_busy_does_not_use_up_the_retries(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.refuse = [(429, "0.01")] * 20
    assert (await client.judge(OK)).accepted


async def test_a_daemon_that_stays_busy_is_given_up(daemon: FakeDaemon, socket_path: Path) -> None:
    daemon.refuse = [(429, "0.01")] * 10_000
    async with AsyncClient(socket_path, busy_timeout_s=0.1) as client:
        with pytest.raises(RemoteError) as caught:
            await client.judge(OK)
    assert (caught.value.http_status, caught.value.retry_after_s) == (429, 0.01)


async def test_busy_items_inside_a_batch_are_sent_again(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.item_errors = {"3": ["queue_full", "unavailable"], "5": ["internal"]}
    reports = await client.judge_all(numbered(8))
    assert all(report.accepted for report in reports)
    assert daemon.sizes == [8, 2, 1]


async def test_a_server_error_is_retried_and_then_told(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.refuse = [(500, None)]
    assert (await client.judge(OK)).accepted
    daemon.refuse = [(500, None)] * 50
    with pytest.raises(RemoteError) as caught:
        await client.judge(OK)
    assert caught.value.http_status == 500


async def test_a_wrong_token_ends_a_stream_at_once(client: AsyncClient, daemon: FakeDaemon) -> None:
    daemon.refuse = [(401, None)] * 1000
    with pytest.raises(RemoteError) as caught:
        async for _ in client.judge_many(numbered(500), on_error="return"):
            pass
    assert caught.value.http_status == 401
    assert len(daemon.requests) <= 64


async def test_small_calls_wait_for_a_starting_daemon(
    client: AsyncClient, daemon: FakeDaemon
) -> None:
    daemon.refuse = [(503, "0.01"), (503, None)]
    assert (await client.status()).node == "fake"


async def test_something_that_is_no_daemon_is_said(socket_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nwhat")
        writer.close()

    server = await asyncio.start_unix_server(answer, socket_path)
    async with server, AsyncClient(socket_path, retries=1) as client:
        with pytest.raises(RemoteError, match="404"):
            await client.judge(OK)


def test_delays_grow_and_end() -> None:
    patience = Patience(RetryPolicy(retries=3, first_delay_s=1.0, max_delay_s=100.0))
    delays = [patience.failed() for _ in range(4)]
    assert delays[3] is None
    for delay, ceiling in zip(delays, (1.0, 2.0, 4.0), strict=False):
        assert delay is not None
        assert ceiling / 4 <= delay <= ceiling
    patience.progress()
    assert patience.failed() is not None


def test_retry_after_may_be_a_date() -> None:
    assert parse_retry_after("2.5") == 2.5
    assert parse_retry_after("-1") == 0
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert parse_retry_after("soon") is None
    assert parse_retry_after(None) is None
