"""Who asks: tokens on TCP, the kernel's word on the Unix socket.

Answers for a `Client` a request: a *name*, which fairness counts by, and a *scope*, within which
idempotency keys are told apart.  They differ because a retry comes over a new connection or from a
restarted process, and must still find its own earlier request.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import hmac
import ipaddress
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from scalebox.errors import UnauthorizedError

_UCRED = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks.

    Attributes:
        name: for fairness: a token's name, `uid:U/pid:P`, or `tcp:HOST:PORT`.
        scope: for idempotency keys: a token's name, `uid:U`, or `tcp:HOST`.
        local: whether it came over the Unix socket, whose permissions have already decided.
    """

    name: str
    scope: str
    local: bool


def peer_of(transport: asyncio.BaseTransport | None) -> Client:
    """The other end of a connection, before any token is looked at."""
    sock = transport.get_extra_info("socket") if transport is not None else None
    if sock is not None and sock.family == socket.AF_UNIX:
        pid, uid, _gid = _UCRED.unpack(
            sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        )
        return Client(f"uid:{uid}/pid:{pid}", f"uid:{uid}", True)
    address = transport.get_extra_info("peername") if transport is not None else None
    if isinstance(address, tuple) and len(address) >= 2:
        return Client(f"tcp:{address[0]}:{address[1]}", f"tcp:{address[0]}", False)
    return Client("tcp:unknown", "tcp:unknown", False)


def connection_peer(request: web.BaseRequest) -> Client:
    """The connection's other end, asked of the kernel once a connection where we serve it."""
    peer = getattr(request.protocol, "peer", None)
    return peer if isinstance(peer, Client) else peer_of(request.transport)


class Authenticator:
    """Decides whether a request may be heard, and in whose name."""

    def __init__(self, tokens: dict[str, str]) -> None:
        """
        Parameters:
            tokens: name → secret.  Empty: TCP (which then is loopback only) needs no token.
        """
        # Equal lengths whatever the secrets are, so that comparing tells nothing about them.
        self._digests = [(name, _digest(secret)) for name, secret in tokens.items()]

    def identify(self, request: web.BaseRequest, peer: Client) -> Client:
        """The request's client.

        Parameters:
            request: for its headers.
            peer: the connection's other end.

        Raises:
            UnauthorizedError: TCP without a right token; or without tokens, a Host header that
                is no loopback name (a web page that had its own name resolve to 127.0.0.1).
        """
        if peer.local:
            return peer
        if not self._digests:
            if not _means_this_host(request.headers.get("Host", "")):
                raise UnauthorizedError(
                    "without tokens this daemon answers only to localhost or a loopback address "
                    "in the Host header; configure server.tokens to be reached by other names"
                )
            return peer
        secret = _secret_in(request.headers)
        found: str | None = None
        if secret is not None:
            given = _digest(secret)
            # Every token is compared, in constant time each.
            for name, digest in self._digests:
                if hmac.compare_digest(given, digest):
                    found = name
        if found is None:
            raise UnauthorizedError(
                "this daemon wants `Authorization: Bearer SECRET` with a secret of server.tokens "
                "(or a URL with it: http://any:SECRET@host)"
            )
        return Client(found, found, False)


def _secret_in(headers: Mapping[str, str]) -> str | None:
    """The secret that a request shows; None: it shows none.

    `Basic` is what HTTP clients make of `http://user:secret@host/`, for those that can only be
    given a URL; the user's name says nothing.  `X-Auth-Token` is how Judge0 is asked
    (judge0/judge0:docs/api/authentication/authentication.md).
    """
    scheme, _, given = headers.get("Authorization", "").partition(" ")
    given = given.strip()
    if scheme.lower() == "bearer":
        return given
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(given, validate=True).decode("utf-8", "surrogateescape")
        except ValueError:  # what is no base64, and what is not even ASCII
            return None
        _, colon, secret = pair.partition(":")
        return secret if colon else None
    return headers.get("X-Auth-Token")


# Clients that open a connection for each request send the same ones again and again.
@functools.lru_cache(maxsize=128)
def _means_this_host(header: str) -> bool:
    return is_loopback_name(_host_name(header))


def _host_name(header: str) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return "?"  # no name that anything could have


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def is_loopback_name(host: str | None) -> bool:
    """Whether a host name or literal address can only mean this machine (none at all, too)."""
    if host is None or host == "" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
