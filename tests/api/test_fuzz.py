"""Random and mutated requests: refused or answered, never a 500, never the end of the server."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from scalebox.model import ErrorBody, StdioCase
from tests.api.fake import FRAMES, JSON, MSGPACK, NDJSON, Server, serving, submission

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=10,
)
CALL = submission(
    tests={
        "type": "call",
        "function": "f",
        "cases": [{"args": [1, [2, {"a": None}]], "expected": 1.5}],
    }
)
SEEDS: list[Any] = [
    submission(),
    submission(idempotency_key="k", id="x", limits={"cpu_time_s": 1.0, "processes": 3}),
    submission(files={"a.py": "x", "b": {"sha256": "0" * 64}}, stop="never", priority=-3),
    CALL,
    {"submissions": [submission(), CALL]},
    {"tests": submission()["tests"], "name": "p"},
    {"language": "python", "source": "x", "stdin": "1", "args": ["a"], "fetch": ["b"]},
    {
        "judge": {"type": "function", "source": "def judge(*_): return True", "files": {"a": "b"}},
        "problem": "p",
        "provenance": {"source": "generated", "model": "m", "date": "2026-01-31"},
        "proof": {"counts": [1, 2.5, None, {"deep": True}]},
        "state": "proven",
    },
    {
        "judge": {"type": "named", "name": "floats", "parameters": {"absolute": 0.5}},
        "provenance": {"source": "inferred", "data_sha256": "0" * 64},
    },
    {"state": "active", "reason": "why", "force": True, "proof": {"a": 1}},
]
PATHS = [
    "/v1/judge",
    "/v1/judge/batch",
    "/v1/run",
    "/v1/problems/p",
    "/v1/judges",
    "/v1/judges/problem:p%231/state",
]


@st.composite
def changed(draw: Any, value: Any) -> Any:
    """The value with one thing in it replaced, removed or added."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        copy = dict(value)
        action = draw(st.integers(0, 3))
        if action == 0:
            del copy[key]
        elif action == 1:
            copy[draw(st.text(max_size=10))] = copy[key]
        else:
            copy[key] = draw(changed(copy[key]))
        return copy
    if isinstance(value, list) and value and draw(st.booleans()):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], draw(changed(value[index])), *value[index + 1 :]]
    return draw(VALUES)


@st.composite
def bodies(draw: Any) -> tuple[str, str, bytes]:
    path = draw(st.sampled_from(PATHS))
    content_type = draw(st.sampled_from([JSON, MSGPACK, NDJSON, FRAMES]))
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return path, content_type, draw(st.binary(max_size=200))
    value = draw(changed(draw(st.sampled_from(SEEDS))))
    module: Any = msgspec.json if content_type in (JSON, NDJSON) else msgspec.msgpack
    data = module.encode(value)
    if content_type == FRAMES:
        data = len(data).to_bytes(4, "big") + data
    if kind == 1 and data:  # bytes flipped on the wire
        data = bytearray(data)
        for _ in range(draw(st.integers(1, 4))):
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
        data = bytes(data)
    elif kind == 2:
        data = data[: draw(st.integers(0, len(data)))]
    return path, content_type, data


async def send_all(server: Server, requests: list[tuple[str, str, bytes]]) -> None:
    for path, content_type, data in requests:
        method = "PUT" if "problems" in path else "POST"
        async with server.unix.request(
            method, path, data=data, headers={"Content-Type": content_type, "Accept": JSON}
        ) as response:
            body = await response.read()
            assert response.status in (200, 201, 400, 404, 409, 413, 415), (data, body)
            assert b'"internal"' not in body, (data, body)
            if response.status >= 400:
                assert msgspec.json.decode(body, type=ErrorBody).message
    async with server.unix.get("/healthz") as response:
        assert response.status == 200
    async with server.unix.get("/v1/judges", headers={"Accept": MSGPACK}) as response:
        assert response.status == 200
        stored = [one["name"] for one in msgspec.msgpack.decode(await response.read())]
    for accept in (JSON, MSGPACK):
        name = URL(f"/v1/judges/{quote(stored[-1], safe='')}", encoded=True)
        async with server.unix.get(name, headers={"Accept": accept}) as response:
            assert response.status == 200


def test_mutated_documents_never_are_a_failure_of_ours() -> None:
    with asyncio.Runner() as runner:
        context = serving()
        server = runner.run(context.__aenter__())

        @settings(
            max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None
        )
        @given(st.lists(bodies(), min_size=1, max_size=8))
        def check(requests: list[tuple[str, str, bytes]]) -> None:
            runner.run(send_all(server, requests))

        try:
            check()
        finally:
            runner.run(context.__aexit__(None, None, None))


async def connect_and_send(server: Server, data: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(str(server.listeners.socket))
    try:
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(20):
            answer = await reader.read()
        assert not answer.startswith(b"HTTP/1.1 5"), (data, answer)
    except ConnectionError:
        pass  # closed on us while we wrote: a refusal, too
    finally:
        writer.close()


def test_random_bytes_on_the_socket_never_end_the_server() -> None:
    head = b"POST /v1/judge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    pieces = st.sampled_from(
        [
            head,
            b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            b"Content-Length: 5\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"5\r\nhello\r\n",
            b"0\r\n\r\n",
            b"\r\n",
            b"Expect: 100-continue\r\n",
            b"Upgrade: websocket\r\nConnection: upgrade\r\n",
            b"Accept: \xff\xfe,;q=q\r\n",
            b"HEAD /v1/blobs/x HTTP/1.0\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\n\r\n",
            b"GET http://a:b:c/ HTTP/1.1\r\n\r\n",
        ]
    )
    with asyncio.Runner() as runner:
        context = serving()
        server = runner.run(context.__aenter__())

        @settings(
            max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None
        )
        @given(st.lists(pieces | st.binary(max_size=60), max_size=8).map(b"".join))
        def check(data: bytes) -> None:
            runner.run(connect_and_send(server, data))

        async def alive() -> None:
            async with server.unix.post("/v1/judge", json=submission()) as response:
                assert response.status == 200

        try:
            check()
            runner.run(alive())
        finally:
            runner.run(context.__aexit__(None, None, None))


async def test_values_that_only_msgpack_can_say_are_no_failure(server: Server) -> None:
    extension = msgspec.msgpack.Ext(5, b"x")
    timestamp = b"\xd6\xff\x00\x00\x00\x01"
    for value in (msgspec.msgpack.encode(extension), timestamp, b"\x81\x91\x01\x02", b"\xc4\x01x"):
        case = b"\x81\xa4args\x91" + value
        tests = b"\x83\xa4type\xa4call\xa8function\xa1f\xa5cases\x91" + case
        problem = b"\x81\xa5tests" + tests
        async with server.unix.put(
            "/v1/problems/p", data=problem, headers={"Content-Type": MSGPACK, "Accept": JSON}
        ) as response:
            assert response.status in (200, 400), await response.read()
        async with server.unix.get("/v1/problems/p", headers={"Accept": MSGPACK}) as response:
            assert response.status in (200, 404)


def test_the_seeds_are_valid() -> None:
    assert msgspec.convert(SEEDS[0]["tests"]["cases"][0], StdioCase).input == "1"
