"""TCP as the daemon offers it to clients and to peers: addresses, sockets, TLS.

Answers for: a port that strangers can reach is opened only where something keeps strangers out.
Every refusal names the option and the remedy.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from scalebox.config import check_private
from scalebox.errors import ConfigError

#: (family, address as `bind` takes it)
Bound = tuple[socket.AddressFamily, Any]

#: How long a connection may take to agree on TLS; meanwhile it holds a descriptor and says nothing.
TLS_HANDSHAKE_S = 10.0


def parse_tcp(text: str, option: str) -> tuple[str, int] | None:
    """`host:port`, with IPv6 addresses in brackets; None for an empty text.

    Parameters:
        text: the option's value.
        option: its name.

    Raises:
        ConfigError: it is something else.
    """
    if not text:
        return None
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
        raise ConfigError(
            f"{option} must be host:port, such as 127.0.0.1:8765 or [::1]:8765; it is {text!r}"
        )
    return host, int(port)


def join(host: str, port: int) -> str:
    """`host:port`, IPv6 addresses in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether a numeric address is reached from this host alone."""
    return ip_address(host.partition("%")[0]).is_loopback


async def resolve(
    address: tuple[str, int] | None, option: str, *, guarded: bool, remedy: str
) -> list[Bound]:
    """The addresses to bind.

    Parameters:
        address: from `parse_tcp`.
        option: its name.
        guarded: whether strangers are kept out; without, only loopback is allowed.
        remedy: what would keep them out.

    Raises:
        ConfigError: the name does not resolve, or strangers could connect unhindered.
    """
    if address is None:
        return []
    host, port = address
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{option}: {host} does not resolve: {words}") from error
    bound: list[Bound] = list(dict.fromkeys((family, where) for family, _, _, _, where in found))
    for _, where in bound:
        if not guarded and not is_loopback(str(where[0])):
            raise ConfigError(
                f"{option} = {host}:{port} would let everybody who reaches {where[0]} run "
                f"programs here; {remedy}, or listen on 127.0.0.1"
            )
    return bound


@contextmanager
def tcp_socket(family: socket.AddressFamily, address: Any, option: str) -> Iterator[socket.socket]:
    """A bound TCP socket, closed when the block ends.

    Raises:
        ConfigError: the address is taken or not ours.
    """
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            sock.bind(address)
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {address[0]} port {address[1]}: {error.strerror}; set "
                f"{option} to a free address of this host"
            ) from error
        yield sock


def server_tls(table: str, certificate: str, key: str, ca: str = "") -> ssl.SSLContext | None:
    """What the listening side of TLS needs; None: there is to be none.

    Parameters:
        table: of the configuration; its options are `tls_certificate`, `tls_key` and `tls_ca`.
        certificate, key: files, PEM.
        ca: file; the other side must show a certificate that these have signed.  Empty: it need
            not show any.

    Raises:
        ConfigError: a file is missing, unreadable or open to others, or does not fit its fellow.
    """
    if not (certificate or key or ca):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, table, certificate, key)
    if ca:
        _trust(context, table, ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def peer_tls(table: str, certificate: str, key: str, ca: str) -> ssl.SSLContext | None:
    """What the asking side of TLS among equals needs; None: there is to be none.

    Whoever has a certificate of this authority belongs; which of the hosts it is is not asked by
    TLS, because peers go by addresses that no certificate names.

    Raises:
        ConfigError: as for `server_tls`.
    """
    if not (certificate or key or ca):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    _load(context, table, certificate, key)
    _trust(context, table, ca)
    return context


def _load(context: ssl.SSLContext, table: str, certificate: str, key: str) -> None:
    if not (certificate and key):
        raise ConfigError(
            f"{table}.tls_certificate and {table}.tls_key belong together; set both, or neither"
        )
    check_private(Path(key), f"{table}.tls_key")
    # A password that nobody is there to type makes the daemon fail, not wait.
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        words = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"{table}.tls_certificate = {certificate} and {table}.tls_key = {key} cannot be used: "
            f"{words}; they must be PEM files that belong together, the key without a password"
        ) from error


def _no_password() -> str:
    raise ValueError("the key has a password")


def _trust(context: ssl.SSLContext, table: str, ca: str) -> None:
    try:
        context.load_verify_locations(cafile=ca)
    except (OSError, ValueError) as error:
        words = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            f"{table}.tls_ca = {ca} cannot be used: {words}; it must be a PEM file with the "
            "certificates of the authorities"
        ) from error
