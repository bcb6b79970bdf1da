"""Every endpoint, in both codings, over both kinds of socket."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import msgspec
import pytest
from yarl import URL

from scalebox.api.app import ROUTES
from scalebox.api.messages import BlobStored, ProblemStored
from scalebox.model import (
    ErrorBody,
    JudgeInfo,
    LanguageInfo,
    Problem,
    Report,
    RunResult,
    Status,
    StdioCase,
    StdioTests,
    Verdict,
)
from tests.api.fake import JSON, MSGPACK, Server, decode, encode, submission

CODINGS = pytest.mark.parametrize("coding", [JSON, MSGPACK])
SOCKETS = pytest.mark.parametrize("kind", ["unix", "tcp"])


async def call(
    server: Server, method: str, path: str, coding: str, value: Any = None, kind: str = "unix"
) -> tuple[int, bytes, Any]:
    session = getattr(server, kind)
    headers = {"Content-Type": coding, "Accept": coding}
    data = None if value is None else encode(coding, value)
    async with session.request(method, path, data=data, headers=headers) as response:
        return response.status, await response.read(), response.headers


@CODINGS
@SOCKETS
async def test_a_submission_is_answered_with_its_report(
    server: Server, coding: str, kind: str
) -> None:
    status, body, headers = await call(
        server, "POST", "/v1/judge", coding, submission(id="mine"), kind
    )
    assert status == 200
    assert headers["Content-Type"] == coding
    report = decode(coding, body, Report)
    assert report.verdict is Verdict.ACCEPTED
    assert report.id == "mine"


@CODINGS
@SOCKETS
async def test_a_run_is_answered_with_its_output(server: Server, coding: str, kind: str) -> None:
    wanted = {"language": "python", "source": "x", "stdin": "1"}
    status, body, _ = await call(server, "POST", "/v1/run", coding, wanted, kind)
    assert status == 200
    assert decode(coding, body, RunResult).stdout == b"\x00\xff"


@CODINGS
async def test_status_languages_and_judges(server: Server, coding: str) -> None:
    _, body, _ = await call(server, "GET", "/v1/status", coding)
    assert decode(coding, body, Status).node == "here"
    _, body, _ = await call(server, "GET", "/v1/languages", coding)
    assert decode(coding, body, list[LanguageInfo])[0].name == "python"
    _, body, _ = await call(server, "GET", "/v1/judges", coding)
    assert "tokens" in {judge.name for judge in decode(coding, body, list[JudgeInfo])}


async def test_the_answer_is_in_the_coding_that_accept_prefers(server: Server) -> None:
    for accept, expected in (
        (MSGPACK, MSGPACK),
        ("application/json;q=0.5, application/x-msgpack", MSGPACK),
        ("application/msgpack;q=0, application/json;q=0.1", JSON),
        ("*/*", JSON),
        ("text/html;q=broken,,;", JSON),
    ):
        async with server.unix.post(
            "/v1/judge",
            data=encode(JSON, submission()),
            headers={"Content-Type": "Application/JSON; charset=utf-8", "Accept": accept},
        ) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == expected


async def test_the_answer_is_in_the_coding_of_the_request_when_accept_is_silent(
    server: Server,
) -> None:
    async with server.unix.post(
        "/v1/judge",
        data=encode(MSGPACK, submission()),
        headers={"Content-Type": MSGPACK},
        skip_auto_headers=["Accept"],
    ) as response:
        assert decode(MSGPACK, await response.read(), Report).accepted


@CODINGS
async def test_a_blob_is_uploaded_once_and_then_known(server: Server, coding: str) -> None:
    data = b"input" * 50_000
    sha256 = hashlib.sha256(data).hexdigest()
    path = f"/v1/blobs/{sha256}"
    async with server.unix.head(path) as response:
        assert response.status == 404
    for expected in (201, 200):
        async with server.unix.put(path, data=data, headers={"Accept": coding}) as response:
            assert response.status == expected
            stored = decode(coding, await response.read(), BlobStored)
            assert stored == BlobStored(sha256=sha256, size=len(data), created=expected == 201)
    async with server.tcp.head(path) as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) == len(data)
    assert server.engine.blobs.read(sha256) == data


async def test_a_blob_may_be_sent_in_pieces_of_unknown_number(server: Server) -> None:
    pieces = [bytes([i]) * 30_000 for i in range(20)]
    sha256 = hashlib.sha256(b"".join(pieces)).hexdigest()

    async def send() -> Any:
        for piece in pieces:
            yield piece

    async with server.unix.put(f"/v1/blobs/{sha256}", data=send()) as response:
        assert response.status == 201
    assert server.engine.blobs.read(sha256) == b"".join(pieces)


async def test_a_blob_with_other_contents_than_its_name_is_refused(server: Server) -> None:
    sha256 = hashlib.sha256(b"promised").hexdigest()
    async with server.unix.put(f"/v1/blobs/{sha256}", data=b"delivered") as response:
        assert response.status == 400
        error = decode(JSON, await response.read(), ErrorBody)
    assert (error.error, error.field) == ("bad_request", "sha256")
    assert not server.engine.blobs.has(sha256)
    async with server.unix.put("/v1/blobs/UPPER", data=b"x") as response:
        assert response.status == 400
        assert decode(JSON, await response.read(), ErrorBody).field == "sha256"


async def test_a_blob_larger_than_the_store_is_refused(server: Server) -> None:
    data = bytes((1 << 20) + 1)
    sha256 = hashlib.sha256(data).hexdigest()
    async with server.unix.put(f"/v1/blobs/{sha256}", data=io.BytesIO(data)) as response:
        assert response.status == 413
        assert decode(JSON, await response.read(), ErrorBody).error == "too_large"
    async with server.unix.get("/healthz") as response:
        assert response.status == 200


@CODINGS
@pytest.mark.parametrize("id", ["p1", "apps/train/17", "a:b@c+d"])
async def test_a_problem_is_registered_and_read_back(server: Server, coding: str, id: str) -> None:
    problem = Problem(tests=StdioTests(cases=[StdioCase(input="1", answer="2")]), name="sum")
    status, body, _ = await call(server, "PUT", f"/v1/problems/{id}", coding, problem)
    assert status == 200
    stored = decode(coding, body, ProblemStored)
    assert stored.id == id
    status, body, headers = await call(server, "GET", f"/v1/problems/{id}", coding)
    assert decode(coding, body, Problem) == problem
    assert headers["ETag"] == f'"{stored.version}"'
    by_id = {"language": "python", "source": "ok", "problem": id}
    status, body, _ = await call(server, "POST", "/v1/judge", coding, by_id)
    assert decode(coding, body, Report).accepted


async def test_an_id_whose_slash_is_quoted_is_the_same_problem(server: Server) -> None:
    problem = encode(JSON, Problem(tests=StdioTests(cases=[])))
    quoted = URL("/v1/problems/a%2Fb", encoded=True)
    async with server.unix.put(quoted, data=problem, headers={"Content-Type": JSON}) as response:
        assert decode(JSON, await response.read(), ProblemStored).id == "a/b"
    async with server.unix.get("/v1/problems/a/b") as response:
        assert response.status == 200


async def test_an_unknown_problem_is_404(server: Server) -> None:
    async with server.unix.get("/v1/problems/none") as response:
        assert response.status == 404
        assert decode(JSON, await response.read(), ErrorBody).error == "unknown_problem"
    status, body, _ = await call(
        server,
        "POST",
        "/v1/judge",
        JSON,
        {"language": "python", "source": "ok", "problem": "none"},
    )
    assert status == 404
    assert decode(JSON, body, ErrorBody).field == "problem"


async def test_a_problem_with_a_blob_that_is_not_here_is_refused(server: Server) -> None:
    cases = [{"input": "1"}, {"input": "2", "answer": {"sha256": "0" * 64}}]
    status, body, _ = await call(
        server, "PUT", "/v1/problems/p", JSON, {"tests": {"type": "stdio", "cases": cases}}
    )
    assert status == 400
    error = decode(JSON, body, ErrorBody)
    assert (error.error, error.field) == ("unknown_blob", "tests.cases[1].answer")


@CODINGS
async def test_a_problem_with_a_judge_that_is_not_here_is_refused(
    server: Server, coding: str
) -> None:
    judge = {"type": "named", "name": "no such"}
    problem = {"tests": {"type": "stdio", "cases": [{"input": "1"}], "judge": judge}}
    status, body, _ = await call(server, "PUT", "/v1/problems/p", coding, problem)
    assert status == 400
    error = decode(coding, body, ErrorBody)
    assert (error.error, error.field) == ("unknown_judge", "tests.judge.name")
    assert server.engine.problems.count == 0


async def test_a_problem_id_that_is_no_identifier_is_refused(server: Server) -> None:
    status, body, _ = await call(
        server, "PUT", "/v1/problems/-x", JSON, {"tests": {"type": "stdio", "cases": []}}
    )
    assert status == 400
    assert decode(JSON, body, ErrorBody).field == "id"


async def test_health_follows_the_engine(server: Server) -> None:
    async with server.unix.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    server.engine.draining = True
    async with server.tcp.get("/healthz") as response:
        assert (response.status, await response.json()) == (503, {"status": "draining"})


async def test_head_is_answered_wherever_get_is(server: Server) -> None:
    for path in ("/healthz", "/v1/status", "/metrics"):
        async with server.unix.head(path) as response:
            assert response.status == 200
            assert await response.read() == b""


async def test_metrics_carry_status_and_counts(server: Server) -> None:
    await call(server, "POST", "/v1/judge", JSON, submission())
    await call(server, "GET", "/nowhere/17", JSON)
    async with server.unix.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        lines = (await response.text()).splitlines()
    assert "scalebox_cases_accepted_total 7.0" in lines
    assert "scalebox_odd_name_total 1.0" in lines
    assert 'scalebox_slots{state="idle"} 1.0' in lines
    assert "scalebox_slot_restarts_total 1.0" in lines
    counted = 'scalebox_http_requests_total{method="%s",route="%s",status="%d"} 1.0'
    assert counted % ("POST", "/v1/judge", 200) in lines
    assert counted % ("GET", "other", 404) in lines


async def test_openapi_names_every_route_and_every_reference_resolves(server: Server) -> None:
    async with server.unix.get("/openapi.json") as response:
        document = await response.json()
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert described == {(method, path.replace(":.+", "")) for method, path, _ in ROUTES}
    text = msgspec.json.encode(document).decode()
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(document["components"]["schemas"])
    assert {"Submission", "Report", "ErrorBody", "BatchItem"} <= names
