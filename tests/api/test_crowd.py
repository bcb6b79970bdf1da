"""Many clients at once, some of them leaving: those who stay are answered, and nothing is left."""

from __future__ import annotations

import asyncio
import random

import aiohttp
import msgspec

from scalebox.api.context import CONTEXT
from scalebox.model import BatchItem, Report, Verdict
from tests.api.fake import JSON, NDJSON, Server, submission, until

CLIENTS = 60


async def one_client(server: Server, number: int) -> int:
    """Three requests over a connection of its own; every third client leaves in the middle."""
    chance = random.Random(number)
    leaves = number % 3 == 0
    answered = 0
    async with server.session() as session:
        for turn in range(3):
            key = f"shared-{turn}" if number % 5 == 0 else None
            body = submission("wait" if leaves else "ok", id="x", idempotency_key=key)
            work = single(session, body) if chance.random() < 0.5 else batch(session, body)
            if leaves:
                try:
                    await asyncio.wait_for(work, chance.random() * 0.1)
                except (TimeoutError, aiohttp.ClientError):
                    continue
            else:
                answered += await work
    return answered


async def single(session: aiohttp.ClientSession, body: dict[str, object]) -> int:
    async with session.post("/v1/judge", json=body) as response:
        data = await response.read()
        if response.status == 409:  # a shared key, met with the source of one who leaves
            return 1
        assert response.status == 200, data
        report = msgspec.json.decode(data, type=Report)
        assert (report.verdict, report.id) == (Verdict.ACCEPTED, "x")
    return 1


async def batch(session: aiohttp.ClientSession, body: dict[str, object]) -> int:
    line = msgspec.json.encode(body)
    async with session.post(
        "/v1/judge/batch",
        data=b"\n".join([line] * 20),
        headers={"Content-Type": NDJSON, "Accept": JSON},
    ) as response:
        assert response.status == 200
        lines = (await response.read()).splitlines()
    items = [msgspec.json.decode(line, type=BatchItem) for line in lines]
    assert sorted(item.index for item in items) == list(range(20))
    for item in items:
        assert item.report or (item.error and item.error.error == "idempotency_conflict")
    return 1


async def test_those_who_stay_are_answered_and_nothing_is_left(server: Server) -> None:
    async with asyncio.timeout(60):
        answered = await asyncio.gather(*(one_client(server, n) for n in range(CLIENTS)))
    assert sum(answered) == 3 * sum(n % 3 != 0 for n in range(CLIENTS))
    context = server.listeners.app[CONTEXT]
    await until(lambda: not context.active)
    await until(lambda: server.engine.running == 0)
    assert context.answers.in_flight == 0
    assert context.bodies.held_bytes == 0
    # This test, and the handlers of the fixture's own two sessions.
    await until(lambda: len(asyncio.all_tasks()) <= 3)
