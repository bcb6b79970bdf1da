"""Peers get a port beyond loopback only with a key, and TLS only among themselves."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from scalebox.cluster.listen import advertised, entrance
from scalebox.config import ClusterConfig
from scalebox.errors import ConfigError
from tests.certificates import Authority, Certificate
from tests.daemons import kinds, place

KEY = "0123456789abcdef0123456789abcdef"


async def refused(**options: object) -> str:
    with pytest.raises(ConfigError) as caught:
        await entrance(ClusterConfig(listen="127.0.0.1:0", **options))  # type: ignore[arg-type]
    return caught.value.message


async def test_no_address_means_no_cluster() -> None:
    assert await entrance(ClusterConfig(key="short")) is None


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:8766"])
async def test_without_a_key_only_loopback_is_opened(listen: str) -> None:
    with pytest.raises(ConfigError, match=r"cluster\.key_file.*127\.0\.0\.1") as caught:
        await entrance(ClusterConfig(listen=listen))
    assert "cluster.listen" in caught.value.message
    opened = await entrance(ClusterConfig(listen=listen, key=KEY))
    assert opened is not None
    assert opened.secret == KEY


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "127.3.2.1:8766"])
async def test_loopback_needs_no_key(listen: str) -> None:
    opened = await entrance(ClusterConfig(listen=listen))
    assert opened is not None
    assert opened.secret == ""
    assert opened.bound


@pytest.mark.parametrize("option", ["listen", "advertise"])
async def test_an_address_without_a_port_is_refused_by_name(option: str) -> None:
    with pytest.raises(ConfigError, match=rf"cluster\.{option} must be host:port"):
        await entrance(ClusterConfig(**{option: "10.0.0.1"}))


def test_the_daemon_without_a_key_opens_no_port_beyond_loopback() -> None:
    with place(kinds()[0]) as where:
        status, said = where.refused(cluster={"listen": "0.0.0.0:0"})
        assert status == 2
        assert "cluster.key_file" in said
        status, said = where.refused(cluster={"listen": "0.0.0.0:0", "key": "too short"})
        assert status == 2
        assert "openssl rand" in said


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640])
async def test_a_key_comes_from_a_file_of_ones_own(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(mode)
    opened = await entrance(ClusterConfig(listen="0.0.0.0:0", key_file=str(file)))
    assert opened is not None
    assert opened.secret == KEY


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o666, 0o602, 0o620, 0o601])
async def test_a_key_file_that_is_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(mode)
    message = await refused(key_file=str(file))
    assert str(file) in message
    assert "chmod 600" in message


@pytest.mark.parametrize("key", ["x" * 31, "x" * 5000])
async def test_a_key_of_the_wrong_size_is_refused_with_the_remedy(key: str, tmp_path: Path) -> None:
    assert "openssl rand -hex 32" in await refused(key=key)
    file = tmp_path / "key"
    file.write_text(key)
    file.chmod(0o600)
    assert "openssl rand -hex 32" in await refused(key_file=str(file))


async def test_files_that_hold_no_key_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    assert "cannot be read" in await refused(key_file=str(file))
    for content in (b"", b" \n", b"\xff" * 40):
        file.write_bytes(content)
        file.chmod(0o600)
        assert str(file) in await refused(key_file=str(file))
    assert str(tmp_path) in await refused(key_file=str(tmp_path))


async def test_two_keys_are_one_too_many(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    assert "keep one" in await refused(key=KEY, key_file=str(file))


# --- where it is ---------------------------------------------------------------------------------


async def test_what_is_configured_is_given_out() -> None:
    config = ClusterConfig(advertise="judge-07:9000")
    assert await advertised(config, "0.0.0.0", 8766, []) == "judge-07:9000"


@pytest.mark.parametrize(
    ("host", "text"), [("10.1.2.3", "10.1.2.3:80"), ("fd00::1", "[fd00::1]:80")]
)
async def test_the_address_that_is_bound_is_given_out(host: str, text: str) -> None:
    assert await advertised(ClusterConfig(), host, 80, []) == text


async def test_of_all_addresses_the_one_that_leads_to_others_is_given_out() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
            expected = sock.getsockname()[0]
        except OSError:  # a host without any network
            expected = None
    config = ClusterConfig()
    if expected is None:
        with pytest.raises(ConfigError, match=r"cluster\.advertise"):
            await advertised(config, "0.0.0.0", 8766, ["192.0.2.1:8766"])
    else:
        found = await advertised(config, "0.0.0.0", 8766, ["127.0.0.1:1", "192.0.2.1:8766"])
        assert found == f"{expected}:8766"


async def test_an_address_of_the_other_family_is_not_given_out() -> None:
    """What is bound to `::` takes no connections by IPv4."""
    found = "[a host without IPv6]"
    with contextlib.suppress(ConfigError):
        found = await advertised(ClusterConfig(), "::", 8766, ["192.0.2.1:8766"])
    assert found.startswith("[")


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def member(authority: Authority) -> Certificate:
    return authority.host("member", "DNS:some-node.invalid")


async def contexts(ca: Path, member: Certificate) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    config = ClusterConfig(
        listen="127.0.0.1:0", key=KEY, tls_ca=str(ca), **member.options()  # type: ignore[arg-type]
    )  # fmt: skip
    opened = await entrance(config)
    assert opened is not None
    assert opened.answering is not None
    assert opened.asking is not None
    return opened.answering, opened.asking


async def talk(answering: ssl.SSLContext, asking: ssl.SSLContext) -> bytes:
    """What comes back; by TLS 1.3 a client learns from the first answer that it is refused."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=answering)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=asking)
        try:
            writer.write(b"hello\n")
            return await reader.readline()
        finally:
            writer.close()


async def test_peers_with_certificates_of_one_authority_talk(
    authority: Authority, member: Certificate
) -> None:
    other = authority.host("second", "DNS:other-node.invalid")
    answering, _ = await contexts(authority.file, member)
    _, asking = await contexts(authority.file, other)
    assert await talk(answering, asking) == b"hello\n"


async def test_who_has_no_certificate_of_the_authority_is_not_let_in(
    authority: Authority, member: Certificate, folder: Path
) -> None:
    answering, _ = await contexts(authority.file, member)
    bare = ssl.create_default_context(cafile=authority.file)
    bare.check_hostname = False
    strangers = Authority(folder, "strangers")
    foreign = ssl.create_default_context(cafile=authority.file)
    foreign.check_hostname = False
    foreign.load_cert_chain(*strangers.host("stranger", "DNS:some-node.invalid").options().values())
    for asking in (bare, foreign):
        heard = b""
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            heard = await talk(answering, asking)
        assert heard == b""


async def test_who_answers_without_a_certificate_of_the_authority_is_not_told_anything(
    authority: Authority, member: Certificate, folder: Path
) -> None:
    strangers = Authority(folder, "false")
    answering, _ = await contexts(strangers.file, strangers.host("false-node", "DNS:x.invalid"))
    _, asking = await contexts(authority.file, member)
    with pytest.raises(ssl.SSLCertVerificationError):
        await talk(answering, asking)


async def test_certificate_key_and_authority_come_together(
    authority: Authority, member: Certificate
) -> None:
    for some in (member.options(), {"tls_ca": str(authority.file)}):
        assert "all three" in await refused(key=KEY, **some)


async def test_an_authority_that_is_none_is_refused_by_name(
    member: Certificate, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    for make in (lambda: None, file.touch, lambda: file.write_text("no PEM")):
        make()
        assert str(file) in await refused(key=KEY, tls_ca=str(file), **member.options())
