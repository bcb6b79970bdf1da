"""Clients reach a daemon over TCP by TLS, and only the daemon that they mean."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scalebox import AsyncClient, Client, ConnectionFailedError, RemoteError
from scalebox.client.requests import make_submission
from scalebox.errors import BadRequestError, ConfigError
from scalebox.tcp import server_tls
from tests.certificates import Authority, Certificate
from tests.daemons import Daemon, kinds, place

TOKEN = "a secret of the trainer"
SUM = {"language": "python", "source": "print(int(input()) + 1)", "tests": [("1", "2")]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.host("daemon", "DNS:localhost, IP:127.0.0.1")


@pytest.fixture(scope="module")
def daemon(certificate: Certificate) -> Iterator[Daemon]:
    server = {"tcp": "127.0.0.1:0", "tokens": {"trainer": TOKEN}, **certificate.options()}
    with place(kinds()[0]) as where, where.start(server=server) as running:
        yield running


@pytest.fixture(scope="module")
def port(daemon: Daemon) -> int:
    found = re.search(r"127\.0\.0\.1:(\d+)", daemon.said())
    assert found, daemon.said()
    return int(found[1])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_is_served(
    host: str, port: int, authority: Authority
) -> None:
    with Client(f"https://{host}:{port}", token=TOKEN, ca=authority.file) as client:
        assert client.judge(**SUM).verdict == "accepted"


async def test_many_submissions_go_through(port: int, authority: Authority) -> None:
    submissions = [make_submission(None, {**SUM, "id": str(number)}) for number in range(200)]
    address = f"https://localhost:{port}"
    async with AsyncClient(address, token=TOKEN, ca=authority.file) as client:
        found = {report.id async for _, report in client.judge_many(submissions)}
    assert len(found) == 200


def test_one_of_several_daemons_may_be_reached_by_tls(
    port: int, authority: Authority, tmp_path: Path
) -> None:
    addresses = f"unix:{tmp_path}/nobody,https://localhost:{port}"
    with Client(addresses, token=TOKEN, ca=authority.file) as client:
        assert client.judge(**SUM).verdict == "accepted"


def test_one_of_several_that_cannot_prove_to_be_it_is_named(
    port: int, daemon: Daemon, folder: Path
) -> None:
    """As with a wrong token: that is no failure which another daemon should hide."""
    other = Authority(folder, "of-others")
    addresses = f"https://localhost:{port},unix:{daemon.place.socket}"
    with (
        Client(addresses, token=TOKEN, ca=other.file) as client,
        pytest.raises(RemoteError, match=f"localhost:{port}") as refused,
    ):
        client.judge(**SUM)
    assert refused.value.code == "untrusted"


def test_a_token_is_needed_under_tls_too(port: int, authority: Authority) -> None:
    with (
        Client(f"https://localhost:{port}", ca=authority.file) as client,
        pytest.raises(RemoteError) as refused,
    ):
        client.judge(**SUM)
    assert refused.value.code == "unauthorized"


def test_a_client_that_does_not_know_the_authority_sends_nothing(port: int, folder: Path) -> None:
    other = Authority(folder, "other")
    for ca in (None, other.file):
        with (
            Client(f"https://localhost:{port}", token=TOKEN, ca=ca) as client,
            pytest.raises(RemoteError, match="--ca") as refused,
        ):
            client.judge(**SUM)
        assert refused.value.code == "untrusted"


async def test_a_certificate_of_another_host_is_not_taken(
    authority: Authority, folder: Path
) -> None:
    elsewhere = authority.host("elsewhere", "DNS:elsewhere.invalid")
    context = server_tls("server", *elsewhere.options().values())
    asked = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with AsyncClient(
            f"https://127.0.0.1:{port}", token=TOKEN, ca=authority.file
        ) as client:
            with pytest.raises(RemoteError) as refused:
                await client.status()
    assert refused.value.code == "untrusted"
    assert not any(asked)


def test_plain_http_gets_no_answer_from_a_port_of_tls(port: int) -> None:
    with (
        Client(f"http://localhost:{port}", token=TOKEN, retries=0) as client,
        pytest.raises(ConnectionFailedError),
    ):
        client.status()


def test_tls_gets_no_answer_from_a_port_of_plain_http(authority: Authority) -> None:
    with place(kinds()[0]) as where, where.start(server={"tcp": "127.0.0.1:0"}) as running:
        found = re.search(r"127\.0\.0\.1:(\d+)", running.said())
        assert found
        with (
            Client(f"https://127.0.0.1:{found[1]}", ca=authority.file, retries=0) as client,
            pytest.raises(ConnectionFailedError, match="TLS"),
        ):
            client.status()


def test_strangers_that_say_nothing_keep_nobody_out(port: int, authority: Authority) -> None:
    with contextlib.ExitStack() as silent:
        for _ in range(50):
            silent.enter_context(socket.create_connection(("127.0.0.1", port)))
        with Client(f"https://localhost:{port}", token=TOKEN, ca=authority.file) as client:
            assert client.judge(**SUM).verdict == "accepted"


def test_versions_of_tls_that_are_broken_are_not_spoken(certificate: Certificate) -> None:
    context = server_tls("server", *certificate.options().values())
    assert context is not None
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_the_command_line_trusts_what_it_is_told_to(port: int, authority: Authority) -> None:
    command = [sys.executable, "-P", "-m", "scalebox.cli", "status", "--url"]
    command += [f"https://localhost:{port}", "--token", TOKEN]
    done = subprocess.run([*command, "--ca", str(authority.file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "--ca" in done.stderr


@pytest.mark.parametrize("address", ["http://localhost:1", "/some/socket"])
def test_an_authority_without_tls_is_a_mistake(address: str, authority: Authority) -> None:
    with pytest.raises(BadRequestError, match="https://"):
        AsyncClient(address, ca=authority.file)


@pytest.mark.parametrize("content", [None, b"", b"no PEM"])
def test_a_file_that_holds_no_authority_is_a_mistake(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadRequestError, match=re.escape(str(file))):
        AsyncClient("https://localhost:1", ca=file)


# --- what the daemon refuses to start with -------------------------------------------------------


def test_a_key_that_others_can_read_is_refused(certificate: Certificate, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    shutil.copyfile(certificate.key, key)
    for mode in (0o644, 0o604, 0o620, 0o602):
        key.chmod(mode)
        with pytest.raises(ConfigError, match=r"server\.tls_key.*chmod 600"):
            server_tls("server", str(certificate.certificate), str(key))
    for mode in (0o600, 0o400, 0o440):
        key.chmod(mode)
        assert server_tls("server", str(certificate.certificate), str(key)) is not None


def test_certificate_and_key_come_together(certificate: Certificate) -> None:
    for pair in ((str(certificate.certificate), ""), ("", str(certificate.key))):
        with pytest.raises(ConfigError, match="belong together"):
            server_tls("server", *pair)


def test_files_that_do_not_fit_are_refused_by_name(
    authority: Authority, certificate: Certificate, tmp_path: Path
) -> None:
    other = authority.host("another", "DNS:localhost")
    locked = authority.host("locked", "DNS:localhost", password="nobody types this")
    absent = Certificate(tmp_path / "absent.pem", certificate.key)
    empty = Certificate(tmp_path / "empty.pem", certificate.key)
    empty.certificate.touch()
    mixed = Certificate(certificate.certificate, other.key)
    for pair in (mixed, locked, absent, empty):
        with pytest.raises(ConfigError, match=re.escape(str(pair.certificate))):
            server_tls("server", *pair.options().values())
    with pytest.raises(ConfigError, match=r"absent\.key"):
        server_tls("server", str(certificate.certificate), str(tmp_path / "absent.key"))


def test_the_daemon_says_so_and_ends(certificate: Certificate, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    shutil.copyfile(certificate.key, key)
    key.chmod(0o644)
    server = {
        "tcp": "127.0.0.1:0", "tls_certificate": str(certificate.certificate), "tls_key": str(key),
    }  # fmt: skip
    with place(kinds()[0]) as where:
        status, said = where.refused(server=server)
    assert status == 2
    assert "server.tls_key" in said
