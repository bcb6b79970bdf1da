"""Who is heard, and in whose name."""

from __future__ import annotations

import base64
import os

import pytest

from scalebox.errors import ConfigError
from scalebox.model import ErrorBody
from tests.api.fake import JSON, Server, decode, encode, serving, submission

BODY = encode(JSON, submission())
TYPE = {"Content-Type": JSON}
TOKENS = {"trainer": "s3cret", "evaluator": "other"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic s3cret"},
        {"Authorization": "s3cret"},
        {"Authorization": "Bearer s3cre"},
        {"Authorization": "Bearer \u00e9"},
        {"Authorization": f"Basic {base64.b64encode(b'trainer:wrong').decode()}"},
        {"Authorization": f"Basic {base64.b64encode(b's3cret').decode()}"},
        {"Authorization": f"Basic {base64.b64encode(b's3cret:').decode()}"},
        {"Authorization": "Basic \u00e9"},
        {"X-Auth-Token": "wrong"},
        {"X-Auth-Token": ""},
    ],
)
async def test_tcp_without_a_right_token_is_401(headers: dict[str, str]) -> None:
    async with serving(tokens=TOKENS) as server:
        for method, path in (("POST", "/v1/judge"), ("GET", "/v1/status"), ("GET", "/metrics")):
            async with server.tcp.request(
                method, path, data=BODY if method == "POST" else None, headers={**TYPE, **headers}
            ) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"] == "Bearer"
                assert decode(JSON, await response.read(), ErrorBody).error == "unauthorized"
        assert not server.engine.started


async def test_a_token_gives_its_name() -> None:
    async with serving(tokens=TOKENS) as server:
        for secret in ("s3cret", "other"):
            headers = {**TYPE, "Authorization": f"Bearer {secret}"}
            async with server.tcp.post("/v1/judge", data=BODY, headers=headers) as response:
                assert response.status == 200
        assert server.engine.clients == ["trainer", "evaluator"]


@pytest.mark.parametrize("user", ["trainer", "", "anybody", "caf\u00e9"])
async def test_a_secret_in_the_url_is_a_token(user: str) -> None:
    tokens = {**TOKENS, "odd": "p\u00e4ss:w/rd"}
    async with serving(tokens=tokens) as server:
        for name, secret in tokens.items():
            # What requests and aiohttp make of http://user:secret@host/.
            pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
            headers = {**TYPE, "Authorization": f"Basic {pair}"}
            async with server.tcp.post("/v1/judge", data=BODY, headers=headers) as response:
                assert response.status == 200
            assert server.engine.clients[-1] == name


async def test_clients_with_a_connection_for_each_request_are_one_by_where_they_come_from() -> None:
    async with serving(compat={"sandboxfusion": "/"}) as server:
        for _ in range(2):
            headers = {**TYPE, "Connection": "close"}
            async with server.tcp.post("/run_code", json={"code": ""}, headers=headers) as response:
                assert response.status == 200
        assert server.engine.clients == ["tcp:127.0.0.1"] * 2


async def test_judge0s_header_is_a_token() -> None:
    async with serving(tokens=TOKENS) as server:
        headers = {**TYPE, "X-Auth-Token": "other"}
        async with server.tcp.post("/v1/judge", data=BODY, headers=headers) as response:
            assert response.status == 200
        assert server.engine.clients == ["evaluator"]


async def test_probes_need_no_token() -> None:
    async with serving(tokens=TOKENS) as server, server.tcp.get("/healthz") as response:
        assert response.status == 200


async def test_the_unix_socket_needs_no_token_and_gives_the_peers_credentials() -> None:
    async with serving(tokens=TOKENS) as server:
        async with server.unix.post("/v1/judge", data=BODY, headers=TYPE) as response:
            assert response.status == 200
        assert server.engine.clients == [f"uid:{os.getuid()}/pid:{os.getpid()}"]


async def test_tcp_without_tokens_is_named_by_its_connection(server: Server) -> None:
    async with server.tcp.post("/v1/judge", data=BODY, headers=TYPE) as response:
        assert response.status == 200
    [client] = server.engine.clients
    kind, host, port = client.split(":")
    assert (kind, host) == ("tcp", "127.0.0.1")
    assert int(port) > 0


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("evil.example", 401),
     ("127.0.0.1.evil.example", 401), ("10.0.0.1", 401), ("[", 401)],
)  # fmt: skip
async def test_without_tokens_a_foreign_host_name_is_refused(
    server: Server, host: str, status: int
) -> None:
    async with server.tcp.post("/v1/judge", data=BODY, headers={**TYPE, "Host": host}) as response:
        assert response.status == status


@pytest.mark.parametrize("tcp", ["0.0.0.0:0", "[::]:0"])
async def test_tcp_to_strangers_needs_tokens(tcp: str) -> None:
    with pytest.raises(ConfigError, match=r"server\.tokens"):
        async with serving(tcp=tcp):
            pass


async def test_with_tokens_tcp_may_listen_everywhere() -> None:
    async with serving(tcp="0.0.0.0:0", tokens=TOKENS) as server:
        headers = {**TYPE, "Authorization": "bearer s3cret", "Host": "judge.example"}
        async with server.tcp.post("/v1/judge", data=BODY, headers=headers) as response:
            assert response.status == 200
