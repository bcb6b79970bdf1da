"""The endpoints of judges, over a real store: registering, looking, promoting, and refusals."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from scalebox.model import ErrorBody, JudgeInfo, JudgeRecord, JudgeState
from tests.api.fake import JSON, MSGPACK, Server, decode, encode

CODINGS = pytest.mark.parametrize("coding", [JSON, MSGPACK])
SOURCE = "def judge(input, output, answer):\n    return True\n"
PROOF = {"asked": 12, "held": [1.5, None, True]}


def judge(**more: Any) -> dict[str, Any]:
    """A registration."""
    return {
        "judge": {"type": "function", "source": SOURCE},
        "problem": "apps/train/17",
        "provenance": {"source": "generated", "model": "m"},
        **more,
    }


def at(name: str, then: str = "") -> URL:
    return URL(f"/v1/judges/{quote(name, safe='')}{then}", encoded=True)


async def ask(
    server: Server, method: str, path: URL | str, value: Any = None, coding: str = JSON
) -> tuple[int, bytes]:
    headers = {"Content-Type": coding, "Accept": coding}
    data = None if value is None else encode(coding, value)
    async with server.unix.request(method, path, data=data, headers=headers) as response:
        return response.status, await response.read()


async def record_of(
    server: Server, method: str, path: URL | str, value: Any = None, coding: str = JSON
) -> JudgeRecord:
    status, body = await ask(server, method, path, value, coding)
    assert status in (200, 201), body
    found: JudgeRecord = decode(coding, body, JudgeRecord)
    return found


async def refusal(
    server: Server, method: str, path: URL | str, value: Any = None
) -> tuple[int, ErrorBody]:
    status, body = await ask(server, method, path, value)
    return status, decode(JSON, body, ErrorBody)


@CODINGS
async def test_a_judge_is_registered_once_and_told_in_full(server: Server, coding: str) -> None:
    status, body = await ask(server, "POST", "/v1/judges", judge(proof=PROOF), coding)
    assert status == 201
    record = decode(coding, body, JudgeRecord)
    assert (record.name, record.version) == ("problem:apps/train/17#1", 1)
    assert record.state is JudgeState.CANDIDATE
    assert record.judge.source == SOURCE
    assert record.proof == PROOF
    again = await ask(server, "POST", "/v1/judges", judge(), coding)
    assert again == (200, body)
    for name in (record.name, record.hash, f"sha256:{record.hash}", "problem:apps/train/17"):
        assert await record_of(server, "GET", at(name), coding=coding) == record
    slashes = f"/v1/judges/problem:apps/train/17%23{record.version}"
    assert await record_of(server, "GET", URL(slashes, encoded=True)) == record


@CODINGS
async def test_the_list_has_those_that_ship_as_ever_and_then_the_stores(
    server: Server, coding: str
) -> None:
    before = decode(coding, (await ask(server, "GET", "/v1/judges", coding=coding))[1], Any)
    assert not any("stored" in one for one in before)
    record = await record_of(server, "POST", "/v1/judges", judge(state="active", proof=PROOF))
    listed = decode(coding, (await ask(server, "GET", "/v1/judges", coding=coding))[1], Any)
    assert listed[:-1] == before
    info = decode(coding, encode(coding, listed[-1]), JudgeInfo)
    assert info.name == record.name
    assert info.stored is not None
    assert (info.stored.hash, info.stored.state) == (record.hash, JudgeState.ACTIVE)
    assert (info.stored.problem, info.stored.source) == ("apps/train/17", "generated")
    assert info.stored.proven


async def test_a_life(server: Server) -> None:
    record = await record_of(server, "POST", "/v1/judges", judge())
    place = at(record.hash, "/state")
    for wish, state in (
        ({"state": "proven", "proof": PROOF, "reason": "asked 12"}, "proven"),
        ({"state": "active"}, "active"),
        ({"state": "quarantined", "reason": "fails"}, "quarantined"),
        ({"state": "active", "reason": "no more"}, "active"),
        ({"state": "active"}, "active"),
        ({"state": "retired"}, "retired"),
    ):
        assert (await record_of(server, "POST", place, wish)).state == state
    record = await record_of(server, "GET", at(record.name))
    assert [change.state for change in record.history] == [
        "candidate", "proven", "active", "quarantined", "active", "retired",
    ]  # fmt: skip
    assert [change.reason for change in record.history][1] == "asked 12"


async def test_a_judge_that_ships_is_told_in_full(server: Server) -> None:
    record = await record_of(server, "GET", at("permutation"))
    assert "def judge" in record.judge.source
    assert (record.provenance.source, record.state) == ("shipped", "active")


@pytest.mark.parametrize(
    ("change", "status", "error", "field"),
    [
        ({"judge": {"type": "compare"}}, 400, "bad_request", "judge.type"),
        ({"judge": {"type": "function", "source": {"data": "eA=="}}}, 400, "bad_request",
         "judge.source"),
        ({"judge": {"type": "function", "source": "x" * 20_000}}, 413, "too_large", "judge"),
        ({"judge": {"type": "named", "name": "no_such"}}, 400, "unknown_judge", "judge.name"),
        ({"judge": {"type": "named", "name": "problem:apps/train/17"}}, 400, "unknown_judge",
         "judge.name"),
        ({"judge": {"type": "named", "name": "floats", "parameters": {"absolute": -1}}}, 400,
         "bad_request", "judge.parameters.absolute"),
        ({"judge": {"type": "program", "contract": "icpc", "language": "cobol", "source": ""}}, 400,
         "unknown_language", "judge.language"),
        ({"judge": {"type": "program", "contract": "x", "language": "c", "source": ""}}, 400,
         "bad_request", "judge.contract"),
        ({"problem": "no id"}, 400, "bad_request", "problem"),
        ({"problem": ""}, 400, "bad_request", "problem"),
        ({"state": "best"}, 400, "bad_request", "state"),
        ({"state": "proven"}, 400, "bad_request", "proof"),
        ({"state": "active"}, 400, "bad_request", "proof"),
        ({"proof": []}, 400, "bad_request", "proof"),
        ({"proof": {"x": "y" * 3000}}, 413, "too_large", "proof"),
        ({"proof": {"huge": 1 << 80}}, 400, "bad_request", "proof"),
        ({"reason": "x" * 1001}, 400, "bad_request", "reason"),
        ({"provenance": {"source": "heaven"}}, 400, "bad_request", "provenance.source"),
        ({"provenance": {"source": "shipped"}}, 400, "bad_request", "provenance.source"),
        ({"provenance": {"source": "inferred", "date": "yesterday"}}, 400, "bad_request",
         "provenance.date"),
        ({"provenance": {"source": "inferred", "date": "2026-01-31\n"}}, 400, "bad_request",
         "provenance.date"),
        ({"provenance": {"source": "inferred", "data_sha256": "0"}}, 400, "bad_request",
         "provenance.data_sha256"),
        ({"colour": "red"}, 400, "bad_request", "colour"),
    ],
)  # fmt: skip
async def test_what_cannot_be_kept_is_refused_with_its_place(
    server: Server, change: dict[str, Any], status: int, error: str, field: str
) -> None:
    found, body = await refusal(server, "POST", "/v1/judges", judge(**change))
    assert (found, body.error, body.field) == (status, error, field)
    assert body.message
    _, listed = await ask(server, "GET", "/v1/judges")
    assert b'"stored"' not in listed


@pytest.mark.parametrize(
    "name", ["no_such", "sha256:" + "0" * 64, "sha256:x", "problem:none", "problem:none#7", "a/b/c"]
)
async def test_what_is_not_there_is_404(server: Server, name: str) -> None:
    for method, place, value in (
        ("GET", at(name), None),
        ("POST", at(name, "/state"), {"state": "active"}),
    ):
        status, body = await refusal(server, method, place, value)
        assert (status, body.error, body.field) == (404, "unknown_judge", "name")


async def test_an_impossible_state_is_409_and_says_what_is_possible(server: Server) -> None:
    record = await record_of(server, "POST", "/v1/judges", judge())
    place = at(record.name, "/state")
    status, body = await refusal(server, "POST", place, {"state": "quarantined"})
    assert (status, body.error, body.field) == (409, "judge_state", "state")
    assert "proven or active or retired" in body.message
    status, body = await refusal(server, "POST", place, {"state": "active"})
    assert (status, body.error, body.field) == (409, "judge_state", "force")
    for wish, field in (
        ({"state": "proven"}, "proof"),
        ({"state": "proven", "proof": {"b": 1 << 90}}, "proof"),
        ({"reason": "x"}, "state"),
        ({"state": "active", "by": "me"}, "by"),
    ):
        status, body = await refusal(server, "POST", place, wish)
        assert (status, body.error, body.field) == (400, "bad_request", field)


async def test_other_methods_are_named(server: Server) -> None:
    for method, path, allowed in (
        ("PUT", "/v1/judges", "GET, HEAD, POST"),
        ("POST", "/v1/judges/floats", "GET, HEAD"),
        ("DELETE", "/v1/judges/floats", "GET, HEAD"),
    ):
        async with server.unix.request(method, path) as response:
            assert (response.status, response.headers["Allow"]) == (405, allowed)
