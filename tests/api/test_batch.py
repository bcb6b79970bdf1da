"""Batches: streamed as each gets ready, bounded, and gone with their reader."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import aiohttp
import msgspec
import pytest

from scalebox.api import batch as batch_module
from scalebox.api.context import CONTEXT
from scalebox.model import BatchItem, ErrorBody
from tests.api.fake import (
    FRAMES,
    JSON,
    MSGPACK,
    NDJSON,
    Server,
    decode,
    encode,
    serving,
    submission,
    until,
)


def pack(content_type: str, submissions: list[Any]) -> bytes:
    if content_type == NDJSON:
        return b"\n".join(msgspec.json.encode(item) for item in submissions)
    if content_type == FRAMES:
        encoded = [msgspec.msgpack.encode(item) for item in submissions]
        return b"".join(struct.pack(">I", len(item)) + item for item in encoded)
    return encode(content_type, {"submissions": submissions})


def unpack(content_type: str, data: bytes) -> list[BatchItem]:
    if content_type == NDJSON:
        assert not data or data.endswith(b"\n")
        return [msgspec.json.decode(line, type=BatchItem) for line in data.splitlines()]
    items = []
    while data:
        (size,) = struct.unpack(">I", data[:4])
        assert len(data) >= 4 + size
        items.append(msgspec.msgpack.decode(data[4 : 4 + size], type=BatchItem))
        data = data[4 + size :]
    return items


async def send(
    session: aiohttp.ClientSession, content_type: str, submissions: list[Any], accept: str = "*/*"
) -> list[BatchItem]:
    async with session.post(
        "/v1/judge/batch",
        data=pack(content_type, submissions),
        headers={"Content-Type": content_type, "Accept": accept},
    ) as response:
        assert response.status == 200, await response.read()
        return unpack(response.headers["Content-Type"], await response.read())


@pytest.mark.parametrize("content_type", [JSON, MSGPACK, NDJSON, FRAMES])
@pytest.mark.parametrize("accept", [JSON, MSGPACK, "*/*"])
@pytest.mark.parametrize("kind", ["unix", "tcp"])
async def test_every_submission_is_answered_once_under_its_index(
    server: Server, content_type: str, accept: str, kind: str
) -> None:
    submissions = [submission(id=str(index)) for index in range(1200)]
    items = await send(getattr(server, kind), content_type, submissions, accept)
    assert sorted(item.index for item in items) == list(range(1200))
    for item in items:
        assert item.report is not None
        assert item.report.id == str(item.index)
    assert server.engine.most_running <= batch_module.WINDOW


@pytest.mark.parametrize("content_type", [JSON, MSGPACK, NDJSON, FRAMES])
async def test_an_empty_batch_has_an_empty_answer(server: Server, content_type: str) -> None:
    assert await send(server.unix, content_type, []) == []


@pytest.mark.parametrize("content_type", [JSON, MSGPACK, NDJSON, FRAMES])
async def test_a_bad_submission_is_an_error_item_and_not_a_failed_batch(
    server: Server, content_type: str
) -> None:
    bad: list[Any] = [
        submission(),
        {"language": 3},
        submission("boom"),
        7,
        submission(language="cobol"),
        submission(),
    ]
    items = {item.index: item for item in await send(server.unix, content_type, bad)}
    assert sorted(items) == list(range(6))
    assert items[0].report is not None
    assert items[5].report is not None
    errors = {index: item.error for index, item in items.items() if item.error is not None}
    assert {index: error.error for index, error in errors.items()} == {
        1: "bad_request",
        2: "internal",
        3: "bad_request",
        4: "unknown_language",
    }
    assert errors[1].field == "language"
    assert "secret" not in errors[2].message


async def test_a_line_that_is_no_json_is_an_error_item(server: Server) -> None:
    good = msgspec.json.encode(submission())
    data = good + b"\n{nonsense\n\n   \r\n" + good + b"\r\n\xff\xff"
    async with server.unix.post(
        "/v1/judge/batch", data=data, headers={"Content-Type": NDJSON}
    ) as response:
        items = unpack(NDJSON, await response.read())
    by_index = {item.index: item for item in items}
    assert sorted(by_index) == [0, 1, 2, 3]
    assert by_index[0].report is not None
    assert by_index[1].error is not None
    assert by_index[2].report is not None
    assert by_index[3].error is not None


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        (JSON, b'{"submissions": 3}'),
        (JSON, b'{"submissions": [], "more": 1}'),
        (JSON, b"["),
        (MSGPACK, b"\xc1"),
        (FRAMES, b"\x00\x00"),
        (FRAMES, b"\x00\x00\x00\x05abc"),
    ],
)
async def test_a_broken_envelope_is_a_refused_batch(
    server: Server, content_type: str, data: bytes
) -> None:
    async with server.unix.post(
        "/v1/judge/batch", data=data, headers={"Content-Type": content_type, "Accept": JSON}
    ) as response:
        assert response.status == 400
        assert decode(JSON, await response.read(), ErrorBody).error == "bad_request"


@pytest.mark.parametrize("content_type", [JSON, MSGPACK, NDJSON, FRAMES])
async def test_too_many_submissions_are_refused(server: Server, content_type: str) -> None:
    data = pack(content_type, [1] * (batch_module.MAX_SUBMISSIONS + 1))
    async with server.unix.post(
        "/v1/judge/batch", data=data, headers={"Content-Type": content_type, "Accept": JSON}
    ) as response:
        assert response.status in (400, 413)
        assert decode(JSON, await response.read(), ErrorBody).field == "submissions"


async def test_answers_come_as_each_is_ready_and_not_in_order(server: Server) -> None:
    submissions = [submission("wait"), submission("ok"), submission("ok")]
    async with server.unix.post(
        "/v1/judge/batch",
        data=pack(NDJSON, submissions),
        headers={"Content-Type": NDJSON},
    ) as response:
        first = [
            msgspec.json.decode(await response.content.readline(), type=BatchItem) for _ in range(2)
        ]
        assert {item.index for item in first} == {1, 2}
        server.engine.gate.set()
        last = msgspec.json.decode(await response.content.readline(), type=BatchItem)
        assert last.index == 0
        assert await response.content.read() == b""


async def test_a_batch_is_gone_with_its_reader(server: Server) -> None:
    async with (
        server.session() as session,
        session.post(
            "/v1/judge/batch",
            data=pack(NDJSON, [submission("ok")] + [submission("wait")] * 1000),
            headers={"Content-Type": NDJSON},
        ) as response,
    ):
        await response.content.readline()
        await until(lambda: server.engine.running == batch_module.WINDOW)
        response.close()
    await until(lambda: server.engine.running == 0)
    assert server.engine.cancelled == batch_module.WINDOW
    assert len(server.engine.started) == batch_module.WINDOW + 1
    context = server.listeners.app[CONTEXT]
    await until(lambda: context.bodies.held_bytes == 0)


async def test_items_wait_for_room_in_the_queue(server: Server) -> None:
    server.engine.refusals = 3
    items = await send(server.unix, JSON, [submission("full until there is room")] * 4)
    assert all(item.report is not None for item in items)
    assert len(server.engine.started) == 7


async def test_an_item_gives_up_waiting_for_room(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "QUEUE_PATIENCE_S", 0.3)
    items = await send(server.unix, JSON, [submission("full"), submission()])
    [error] = [item.error for item in items if item.error is not None]
    assert (error.error, error.retry_after_s) == ("queue_full", 0.2)


async def test_equal_keys_in_one_batch_are_one_piece_of_work(server: Server) -> None:
    items = await send(server.unix, MSGPACK, [submission(idempotency_key="k")] * 50)
    assert len(items) == 50
    assert len(server.engine.started) == 1


async def test_a_slow_reader_holds_its_own_batch_back_and_nobody_else(server: Server) -> None:
    count = 4000
    body = pack(NDJSON, [submission("big", id=str(index)) for index in range(count)])
    head = (
        b"POST /v1/judge/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    sock = socket.socket(socket.AF_UNIX)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    with sock:
        await loop.sock_connect(sock, str(server.listeners.socket))
        await loop.sock_sendall(sock, head + body)
        await until(lambda: server.engine.started)
        settled = -1
        while settled != len(server.engine.started):  # until nothing moves any more
            settled = len(server.engine.started)
            await asyncio.sleep(0.2)
        # One window in the buffer, one that waits for room, and what the kernel's buffers took.
        assert settled < 3 * batch_module.WINDOW
        async with server.unix.post("/v1/judge", json=submission()) as response:
            assert response.status == 200
        received = bytearray()
        async with asyncio.timeout(60):
            while chunk := await loop.sock_recv(sock, 1 << 20):
                received += chunk
    assert received.endswith(b"0\r\n\r\n")
    assert received.count(b'"index":') == count


async def test_metrics_count_items_by_outcome(server: Server) -> None:
    await send(server.unix, JSON, [submission(), {"language": 3}])
    async with server.unix.get("/metrics") as response:
        text = await response.text()
    assert 'scalebox_batch_items_total{outcome="report"} 1.0' in text
    assert 'scalebox_batch_items_total{outcome="bad_request"} 1.0' in text


async def test_leaving_while_items_wait_ends_them_in_time() -> None:
    async with serving(drain_timeout_s=0.2) as server:
        session = server.session()
        asking = asyncio.create_task(send(session, NDJSON, [submission("wait")] * 20))
        await until(lambda: server.engine.running == 20)
        engine = server.engine
    # The answer breaks off visibly: nobody takes half a batch for a whole one.
    with pytest.raises(aiohttp.ClientError):
        await asking
    await session.close()
    assert (engine.running, engine.cancelled) == (0, 20)
