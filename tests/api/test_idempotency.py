"""The same key joins or replays the same work, and never other work."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from scalebox.api.context import CONTEXT
from scalebox.api.idempotency import IdempotencyStore, work_digest
from scalebox.errors import IdempotencyConflictError
from scalebox.model import (
    CallCase,
    CallTests,
    CaseResult,
    Enforcement,
    IsolationLevel,
    Report,
    Submission,
    Verdict,
)
from tests.api.fake import JSON, MSGPACK, Server, decode, encode, serving, submission, until


def make_report(verdict: Verdict = Verdict.ACCEPTED, message: str = "") -> Report:
    return Report(
        verdict=verdict,
        passed=0,
        total=1,
        cases=[CaseResult(verdict=verdict)],
        isolation=IsolationLevel.FULL,
        enforcement=Enforcement.CGROUP2,
        message=message,
    )


async def ask(
    session: aiohttp.ClientSession, source: str, coding: str = JSON, **fields: Any
) -> tuple[int, Any]:
    data = encode(coding, submission(source, **fields))
    headers = {"Content-Type": coding, "Accept": JSON}
    async with session.post("/v1/judge", data=data, headers=headers) as response:
        return response.status, decode(JSON, await response.read())


async def test_a_finished_report_is_replayed_in_any_coding(server: Server) -> None:
    first = await ask(server.unix, "ok", idempotency_key="k", id="a")
    async with server.session() as other:
        again = await ask(other, "ok", MSGPACK, idempotency_key="k", id="a")
    assert first == again
    assert server.engine.started == ["ok"]


async def test_work_at_hand_is_joined(server: Server) -> None:
    asking = [asyncio.create_task(ask(server.unix, "wait", idempotency_key="k")) for _ in range(5)]
    await until(lambda: server.engine.running == 1)
    await asyncio.sleep(0.05)
    server.engine.gate.set()
    answers = await asyncio.gather(*asking)
    assert all(answer == answers[0] and answer[0] == 200 for answer in answers)
    assert server.engine.started == ["wait"]


async def test_other_work_under_the_same_key_is_409(server: Server) -> None:
    asking = asyncio.create_task(ask(server.unix, "wait", idempotency_key="k"))
    await until(lambda: server.engine.running == 1)
    status, error = await ask(server.unix, "other", idempotency_key="k")
    assert (status, error["error"]) == (409, "idempotency_conflict")
    server.engine.gate.set()
    assert (await asking)[0] == 200
    status, error = await ask(server.unix, "other", idempotency_key="k")
    assert (status, error["field"]) == (409, "idempotency_key")
    assert server.engine.started == ["wait"]


async def test_another_deadline_is_no_other_work(server: Server) -> None:
    first = await ask(server.unix, "ok", idempotency_key="k", deadline_s=60)
    again = await ask(server.unix, "ok", idempotency_key="k", deadline_s=12.5)
    assert first == again == await ask(server.unix, "ok", idempotency_key="k")
    assert first[0] == 200
    assert server.engine.started == ["ok"]


async def test_clients_do_not_share_keys() -> None:
    tokens = {"ann": "secret-a", "bob": "secret-b"}
    async with serving(tokens=tokens) as server:
        url = str(server.tcp._base_url)
        for secret, source in (("secret-a", "one"), ("secret-b", "two")):
            headers = {"Authorization": f"Bearer {secret}"}
            async with aiohttp.ClientSession(url, headers=headers) as session:
                assert (await ask(session, source, idempotency_key="k"))[0] == 200
        assert (await ask(server.unix, "three", idempotency_key="k"))[0] == 200
        assert server.engine.started == ["one", "two", "three"]
        assert server.engine.clients[:2] == ["ann", "bob"]


async def test_a_client_that_goes_away_takes_its_work_with_it(server: Server) -> None:
    async with server.session() as session:
        asking = asyncio.create_task(ask(session, "wait"))
        await until(lambda: server.engine.running == 1)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await until(lambda: server.engine.cancelled == 1)


async def test_joined_work_is_cancelled_only_when_all_are_gone(server: Server) -> None:
    async with server.session() as one, server.session() as two:
        first = asyncio.create_task(ask(one, "wait", idempotency_key="k"))
        await until(lambda: server.engine.running == 1)
        second = asyncio.create_task(ask(two, "wait", idempotency_key="k"))
        context = server.listeners.app[CONTEXT]
        await until(lambda: len(context.active) == 2)
        first.cancel()
        await until(lambda: len(context.active) == 1)
        await asyncio.sleep(0.05)
        assert server.engine.cancelled == 0
        second.cancel()
        await until(lambda: server.engine.cancelled == 1)
        await asyncio.gather(first, second, return_exceptions=True)
    # Nothing of it stays: the next one begins anew.
    server.engine.gate.set()
    assert (await ask(server.unix, "wait", idempotency_key="k"))[0] == 200
    assert len(server.engine.started) == 2


async def test_the_one_who_joined_gets_the_report_after_the_first_has_gone(server: Server) -> None:
    async with server.session() as one:
        first = asyncio.create_task(ask(one, "wait", idempotency_key="k"))
        await until(lambda: server.engine.running == 1)
        second = asyncio.create_task(ask(server.unix, "wait", idempotency_key="k"))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    server.engine.gate.set()
    status, _ = await second
    assert (status, server.engine.cancelled) == (200, 0)


@pytest.mark.parametrize(("source", "status"), [("internal", 200), ("full", 429), ("boom", 500)])
async def test_failures_of_ours_are_not_kept(server: Server, source: str, status: int) -> None:
    for _ in range(2):
        assert (await ask(server.unix, source, idempotency_key="k"))[0] == status
    assert len(server.engine.started) == 2


async def test_runs_are_replayed_too(server: Server) -> None:
    wanted = {"language": "python", "source": "x", "idempotency_key": "k"}
    bodies = set()
    for _ in range(2):
        async with server.unix.post("/v1/run", json=wanted) as response:
            bodies.add(await response.read())
    assert len(bodies) == 1
    assert len(server.engine.started) == 1


async def test_answers_are_kept_for_their_time_and_within_their_memory() -> None:
    now = 0.0
    store = IdempotencyStore(ttl_s=10, limit_bytes=5000, clock=lambda: now)
    runs = 0

    async def work() -> Report:
        nonlocal runs
        runs += 1
        return make_report(message="x" * 1000)

    await store.join(("judge", "c", "k"), b"d", work)
    now = 9.0
    await store.join(("judge", "c", "k"), b"d", work)
    assert runs == 1
    now = 10.0
    await store.join(("judge", "c", "k"), b"d", work)
    assert runs == 2
    for index in range(20):
        await store.join(("judge", "c", str(index)), b"d", work)
        assert store.kept_bytes <= 5000
    await store.join(("judge", "c", "19"), b"d", work)
    assert runs == 22
    await store.join(("judge", "c", "0"), b"d", work)
    assert runs == 23


async def test_an_answer_larger_than_all_memory_is_not_kept() -> None:
    store = IdempotencyStore(ttl_s=10, limit_bytes=1000)

    async def work() -> Report:
        return make_report(message="x" * 2000)

    await store.join(("judge", "c", "k"), b"d", work)
    assert store.kept_bytes == 0


async def test_the_end_of_the_store_ends_its_work() -> None:
    store = IdempotencyStore(ttl_s=10, limit_bytes=1000)
    ended = []

    async def work() -> Report:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)
        raise AssertionError

    asking = asyncio.create_task(store.join(("judge", "c", "k"), b"d", work))
    await until(lambda: store.in_flight == 1)
    await asyncio.sleep(0)
    await store.aclose()
    answer = (await asyncio.gather(asking, return_exceptions=True))[0]
    assert isinstance(answer, Exception)
    assert ended == [True]
    with pytest.raises(Exception, match="shutting down"):
        await store.join(("judge", "c", "k"), b"d", work)


async def test_the_digest_is_of_the_meaning_and_takes_integers_of_any_size() -> None:
    def make(number: int) -> Submission:
        cases = [CallCase(args=[number, {"a": 1, "b": 2}], expected=number)]
        tests = CallTests(function="f", cases=cases)
        return Submission(language="python", source="", tests=tests)

    assert await work_digest(make(10**40)) == await work_digest(make(10**40))
    assert await work_digest(make(10**40)) != await work_digest(make(10**40 + 1))
    big = Submission(language="python", source="x" * 1_000_000)
    assert await work_digest(big) == await work_digest(big)


async def test_conflicts_are_seen_by_the_store_alone() -> None:
    store = IdempotencyStore(ttl_s=10, limit_bytes=10_000)

    async def work() -> Report:
        return make_report()

    await store.join(("judge", "c", "k"), b"one", work)
    with pytest.raises(IdempotencyConflictError):
        await store.join(("judge", "c", "k"), b"two", work)
