"""What cannot be served is refused in words, with a stable code and the place in the request."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from scalebox.api import codec
from scalebox.api.context import CONTEXT
from scalebox.model import ErrorBody
from tests.api.fake import (
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


async def refused(
    server: Server, data: Any, *, path: str = "/v1/judge", coding: str = JSON, **headers: str
) -> tuple[int, ErrorBody]:
    merged = {"Content-Type": coding, **headers}
    async with server.unix.post(path, data=data, headers=merged) as response:
        body = await response.read()
        assert response.status >= 400, body
        coding = response.headers["Content-Type"]
        return response.status, decode(coding, body, ErrorBody)


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"language": 3}, "language", "`str`"),
        ({"sauce": "x"}, "sauce", "unknown field"),
        ({"limits": {"cpu_time_s": -1}}, "limits.cpu_time_s", ">= 0.01"),
        ({"limits": {"cpu_tim": 1}}, "limits.cpu_tim", "unknown field"),
        ({"tests": {"type": "stdio", "cases": [{}, {"input": 3}]}}, "tests.cases[1].input", "str"),
        ({"tests": {"type": "stdio"}}, "tests.cases", "missing"),
        ({"tests": {"type": "magic", "cases": []}}, "tests.type", "magic"),
        (
            {"tests": {"type": "stdio", "cases": [{"input": {"sha256": "zz"}}]}},
            "tests.cases[0].input.sha256",
            "64 hexadecimal digits",
        ),
        (
            {"tests": {"type": "stdio", "cases": [{"input": {}}]}},
            "tests.cases[0].input",
            "not both",
        ),
        ({"stop": "maybe"}, "stop", "maybe"),
    ],
)
@pytest.mark.parametrize("coding", [JSON, MSGPACK])
async def test_bad_input_names_the_field_and_what_was_expected(
    server: Server, coding: str, change: dict[str, Any], field: str, expected: str
) -> None:
    status, error = await refused(server, encode(coding, submission(**change)), coding=coding)
    assert (status, error.error, error.field) == (400, "bad_request", field)
    assert expected in error.message
    assert not server.engine.started


async def test_a_missing_field_is_named(server: Server) -> None:
    status, error = await refused(server, b'{"language": "python"}')
    assert (status, error.field) == (400, "source")


DEEP = (
    b'{"language":"python","source":"","tests":{"type":"call","function":"f","cases":[{"args":'
    + b"[" * 100_000
    + b"]" * 100_000
    + b"}]}}"
)


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        (JSON, b""),
        (JSON, b"{"),
        (JSON, b"[]"),
        (JSON, b"\xff\xfe"),
        (JSON, b'{"language":"python","source":"\xff"}'),
        (JSON, b'{"language":"python","source":"\\ud800"}'),
        (JSON, DEEP),
        (MSGPACK, b""),
        (MSGPACK, b"\xc1"),
        (MSGPACK, b"\x91" * 100_000),
        (MSGPACK, b"\xdf\xff\xff\xff\xff"),
        (MSGPACK, b"\x82\xa8language\xa6python\xa6source\xa1\xff"),
    ],
)  # fmt: skip
async def test_what_is_no_document_is_400(server: Server, coding: str, data: bytes) -> None:
    status, error = await refused(server, data, coding=coding)
    assert (status, error.error) == (400, "bad_request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", NDJSON, "nonsense"])
async def test_a_wrong_content_type_is_415(server: Server, content_type: str) -> None:
    status, error = await refused(server, encode(JSON, submission()), coding=content_type)
    assert (status, error.error) == (415, "unsupported_media_type")
    assert JSON in error.message


async def test_no_content_type_is_415(server: Server) -> None:
    async with server.unix.post(
        "/v1/judge", data=encode(JSON, submission()), skip_auto_headers=["Content-Type"]
    ) as response:
        assert response.status == 415


async def test_unknown_paths_and_methods(server: Server) -> None:
    async with server.unix.get("/v2/judge", headers={"Accept": MSGPACK}) as response:
        assert response.status == 404
        assert decode(MSGPACK, await response.read(), ErrorBody).error == "not_found"
    async with server.unix.get("/v1/judge") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "POST"
        assert decode(JSON, await response.read(), ErrorBody).error == "method_not_allowed"


async def test_a_body_over_the_bound_is_413_however_it_comes() -> None:
    async with serving(max_request_bytes=10_000) as server:
        big = encode(JSON, submission("x" * 20_000))

        async def pieces() -> Any:
            for start in range(0, len(big), 1000):
                yield big[start : start + 1000]

        for path in ("/v1/judge", "/v1/judge/batch", "/v1/run"):
            for data in (big, pieces()):
                status, error = await refused(server, data, path=path)
                assert (status, error.error) == (413, "too_large")
        async with server.unix.put(f"/v1/blobs/{'0' * 64}", data=big) as response:
            assert response.status == 413
        assert not server.engine.started


async def test_all_bodies_together_are_bounded() -> None:
    options = {"max_queued_bytes": 1000}
    async with serving(options, max_request_bytes=100_000) as server, server.session() as other:

        async def slow() -> Any:
            yield b" " * 90_000
            await server.engine.gate.wait()
            yield encode(JSON, submission())

        bodies = server.listeners.app[CONTEXT].bodies
        waiting = asyncio.create_task(
            other.post("/v1/judge", data=slow(), headers={"Content-Type": JSON})
        )
        async with asyncio.timeout(20):
            while bodies.held_bytes < 90_000:
                await asyncio.sleep(0.005)
        status, error = await refused(server, encode(JSON, submission("x" * 50_000)))
        assert (status, error.error) == (429, "queue_full")
        server.engine.gate.set()
        async with await waiting as response:
            assert response.status == 200
        assert bodies.held_bytes == 0


async def test_a_full_queue_is_429_with_retry_after(server: Server) -> None:
    async with server.unix.post(
        "/v1/judge", data=encode(JSON, submission("full")), headers={"Content-Type": JSON}
    ) as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "1"
        error = decode(JSON, await response.read(), ErrorBody)
        assert (error.error, error.retry_after_s) == ("queue_full", 0.2)


async def test_an_unknown_language_is_named_as_such(server: Server) -> None:
    status, error = await refused(server, encode(JSON, submission(language="cobol")))
    assert (status, error.error, error.field) == (400, "unknown_language", "language")


@pytest.mark.parametrize("key", [{}, {"idempotency_key": "k"}])
async def test_a_blob_that_is_not_here_is_named_with_its_place(
    server: Server, key: dict[str, str]
) -> None:
    missing = {"sha256": "0" * 64}
    tests = {"type": "stdio", "cases": [{}, {"input": "x", "answer": missing}]}
    places = [
        (submission(tests=tests, **key), "tests.cases[1].answer"),
        (submission(files={"data": missing}, **key), "files.data"),
    ]
    for data, place in places:
        status, error = await refused(server, encode(JSON, data))
        assert (status, error.error, error.field) == (400, "unknown_blob", place)
    held = b"kept for a while"
    sha256 = hashlib.sha256(held).hexdigest()
    await server.engine.blobs.put(sha256, held)
    tests = {"type": "stdio", "cases": [{"input": {"sha256": sha256}}]}
    async with server.unix.put(
        "/v1/problems/p", data=encode(JSON, {"tests": tests}), headers={"Content-Type": JSON}
    ) as response:
        assert response.status == 200
    # Then others push it out, which may hold as much as fits.
    for fill in (b"a", b"b"):
        other = fill * (1 << 20)
        await server.engine.blobs.put(hashlib.sha256(other).hexdigest(), other)
    data = {"language": "python", "source": "", "problem": "p", **key}
    status, error = await refused(server, encode(JSON, data))
    assert (status, error.error, error.field) == (400, "unknown_blob", "problem")


@pytest.mark.parametrize("path", ["/v1/judge", "/v1/run"])
async def test_a_failure_of_ours_tells_the_client_an_id_and_the_log_the_cause(
    server: Server, path: str
) -> None:
    structlog.reset_defaults()
    with capture_logs() as logs:
        data = encode(JSON, {"language": "python", "source": "boom"})
        status, error = await refused(server, data, path=path)
    assert (status, error.error) == (500, "internal")
    assert "secret" not in error.message
    assert "Traceback" not in error.message
    [entry] = [log for log in logs if log["event"] == "unexpected failure"]
    assert entry["error_id"] in error.message
    assert "secret" in str(entry["exc_info"])


async def raw(server: Server, data: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(server.listeners.socket))
    try:
        writer.write(data)
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /v1/judge HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/judge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_http_is_400_and_no_traceback(server: Server, data: bytes) -> None:
    structlog.reset_defaults()
    with capture_logs() as logs:
        answer = await raw(server, data)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 ")), answer
    assert b'"bad_request"' in answer
    assert not [log for log in logs if "exc_info" in log]
    async with server.unix.get("/healthz") as response:
        assert response.status == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x-unknown"])
async def test_a_compressed_body_is_415_and_never_unpacked(server: Server, coding: str) -> None:
    packed = gzip.compress(encode(JSON, submission()))
    status, error = await refused(server, packed, **{"Content-Encoding": coding})
    assert (status, error.error) == (415, "unsupported_media_type")
    assert coding in error.message
    path = "/v1/blobs/" + "0" * 64
    async with server.unix.put(path, data=packed, headers={"Content-Encoding": coding}) as response:
        assert response.status == 415
    assert not server.engine.started


async def test_a_body_called_identity_is_taken(server: Server) -> None:
    headers = {"Content-Type": JSON, "Content-Encoding": "identity"}
    async with server.unix.post(
        "/v1/judge", data=encode(JSON, submission()), headers=headers
    ) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "limits", [{"memory_bytes": 1}, {"cpu_time_s": 1e-6}, {"wall_time_s": 0.001}]
)
async def test_limits_in_which_nothing_can_start_are_refused(
    server: Server, limits: dict[str, float]
) -> None:
    status, error = await refused(server, encode(JSON, submission(limits=limits)))
    assert (status, error.field) == (400, f"limits.{next(iter(limits))}")


async def test_a_line_feed_is_no_part_of_an_id_or_a_hash(server: Server) -> None:
    blob = {"sha256": "0" * 64 + "\n"}
    tests = {"type": "stdio", "cases": [{"input": blob}]}
    status, error = await refused(server, encode(JSON, submission(tests=tests)))
    assert (status, error.field) == (400, "tests.cases[0].input.sha256")
    data = {"language": "python", "source": "", "problem": "p\n"}
    status, error = await refused(server, encode(JSON, data))
    assert (status, error.field) == (400, "problem")


async def test_expect_continue_is_served_and_refused_before_the_body(server: Server) -> None:
    data = encode(JSON, submission())
    async with server.unix.post(
        "/v1/judge", data=data, headers={"Content-Type": JSON}, expect100=True
    ) as response:
        assert response.status == 200
    head = (
        b"POST /v1/judge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\nExpect: %s\r\n\r\n"
    )
    assert b" 413 " in (await raw(server, head % (1 << 40, b"100-continue"))).split(b"\r\n")[0]


async def test_another_expectation_is_417(server: Server) -> None:
    async with server.unix.post(
        "/v1/judge", data=b"{}", headers={"Content-Type": JSON, "Expect": "cake"}
    ) as response:
        assert response.status == 417
        assert decode(JSON, await response.read(), ErrorBody).error == "expectation_failed"


async def test_a_body_that_stops_arriving_is_408(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "BODY_IDLE_S", 0.2)
    answer = await raw(
        server,
        b"POST /v1/judge HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 500\r\nConnection: close\r\n\r\n{",
    )
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_timeout"' in answer
    assert server.listeners.app[CONTEXT].bodies.held_bytes == 0


async def test_a_body_is_let_go_of_once_it_is_decoded(server: Server) -> None:
    data = encode(JSON, submission("wait" + " " * 100_000))
    asking = asyncio.create_task(
        server.unix.post("/v1/judge", data=data, headers={"Content-Type": JSON})
    )
    await until(lambda: server.engine.running == 1)
    assert server.listeners.app[CONTEXT].bodies.held_bytes == 0
    server.engine.gate.set()
    assert (await asking).status == 200
