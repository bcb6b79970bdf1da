"""Documents that would take many times their size in memory are refused before they are decoded."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from scalebox.api import batch, structure
from scalebox.api.structure import check_structure
from scalebox.errors import TooLargeError
from scalebox.model import ErrorBody
from tests.api.fake import FRAMES, JSON, MSGPACK, NDJSON, Server, decode, encode, submission

BOUND = 10_000


@pytest.fixture(autouse=True)
def small_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "MAX_VALUES", BOUND)


def data_of(coding: str, value: Any) -> bytes:
    return json.dumps(value).encode() if coding == "json" else msgspec.msgpack.encode(value)


def is_refused(coding: str, data: bytes) -> bool:
    try:
        check_structure(coding, data)
    except TooLargeError:
        return True
    return False


@pytest.mark.parametrize("coding", ["json", "msgpack"])
@pytest.mark.parametrize(
    "value",
    [
        ["x" * 100_000],
        ["1,2,[{" * 20_000],
        ['\\"' * 20_000, "a"],
        ["\\" * 50_001],
        ["", '"', "\\", '\\"', "x" * 50_000],
        {"a" * 300: "b" * 70_000, "c": [1, 2.5, None, True, {"d": []}]},
        ["x" * 100] * 9_000,
        [1 << 60, 1.25, 70_000, -70_000, 300] * 1_900,
    ],
    ids=["text", "marks", "quotes", "backslashes", "short", "object", "many", "numbers"],
)
def test_few_values_of_any_size_and_kind_pass(coding: str, value: Any) -> None:
    data = data_of(coding, value)
    assert len(data) > BOUND
    assert not is_refused(coding, data)


@pytest.mark.parametrize("coding", ["json", "msgpack"])
@pytest.mark.parametrize(
    "value",
    [[], {}, 1, 1.5, -70_000, 1 << 40, None, True, "", "a", [[]], {"a": 1}, ["\\"]],
    ids=repr,
)
def test_many_small_values_do_not(coding: str, value: Any) -> None:
    assert is_refused(coding, data_of(coding, [value] * 20_000))
    assert is_refused(coding, data_of(coding, ["x" * 50_000] + [value] * 20_000))


def test_binary_strings_and_extensions_count_as_text() -> None:
    packed = msgspec.msgpack.encode(
        [b"\x90" * 50_000, b"\x90" * 200, msgspec.msgpack.Ext(5, b"\x90" * 50_000)]
    )
    assert not is_refused("msgpack", packed)
    assert is_refused("msgpack", msgspec.msgpack.encode([msgspec.msgpack.Ext(5, b"x")] * 20_000))


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("json", b'["' + b"x" * 50_000),
        ("json", b'["' + b"\\a" * 50_000),
        ("msgpack", b"\xdb\xff\xff\xff\xff" + b"x" * 50_000),
        ("msgpack", b"\xc1" * 50_000),
        ("msgpack", b"\xdb" * 50_000),
    ],
)
def test_what_is_cut_short_is_left_to_the_decoder(coding: str, data: bytes) -> None:
    assert not is_refused(coding, data)


@pytest.mark.parametrize("content_type", [JSON, MSGPACK])
@pytest.mark.parametrize("path", ["/v1/judge", "/v1/problems/p"])
async def test_a_bomb_is_413_and_a_large_text_is_served(
    server: Server, content_type: str, path: str
) -> None:
    def body(cases: list[dict[str, Any]]) -> bytes:
        tests = {"type": "call", "function": "f", "cases": cases}
        whole = submission(tests=tests) if path == "/v1/judge" else {"tests": tests}
        return encode(content_type, whole)

    ask = server.unix.post if path == "/v1/judge" else server.unix.put
    headers = {"Content-Type": content_type}
    async with ask(path, data=body([{"args": [[]] * 20_000}]), headers=headers) as response:
        assert response.status == 413
        assert decode(content_type, await response.read(), ErrorBody).error == "too_large"
    async with ask(path, data=body([{"args": ["x" * 50_000]}]), headers=headers) as response:
        assert response.status == 200


@pytest.mark.parametrize("content_type", [NDJSON, FRAMES])
async def test_a_bomb_in_a_batch_spoils_nothing_else(server: Server, content_type: str) -> None:
    coding = JSON if content_type == NDJSON else MSGPACK
    tests = {"type": "call", "function": "f", "cases": [{"args": [[]] * 20_000}]}
    pieces = [encode(coding, one) for one in (submission(), submission(tests=tests), submission())]
    if content_type == NDJSON:
        data = b"\n".join(pieces)
    else:
        data = b"".join(len(piece).to_bytes(4, "big") + piece for piece in pieces)
    headers = {"Content-Type": content_type, "Accept": JSON}
    async with server.unix.post("/v1/judge/batch", data=data, headers=headers) as response:
        lines = [json.loads(line) for line in (await response.read()).splitlines()]
    by_index = {line["index"]: line for line in lines}
    assert by_index[1]["error"]["error"] == "too_large"
    assert {index for index, line in by_index.items() if "report" in line} == {0, 2}


async def test_a_large_batch_as_one_json_document_is_sent_elsewhere(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MAX_ENVELOPE_BYTES", 1000)
    data = {"submissions": [submission()] * 20}
    for content_type, status in ((JSON, 413), (MSGPACK, 200)):
        async with server.unix.post(
            "/v1/judge/batch",
            data=encode(content_type, data),
            headers={"Content-Type": content_type},
        ) as response:
            assert response.status == status
            body = await response.read()
            if status == 413:
                assert NDJSON in decode(JSON, body, ErrorBody).message
