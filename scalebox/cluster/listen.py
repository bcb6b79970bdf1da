"""Where peers reach this daemon: the addresses to bind, the address to give out, TLS both ways.

The rule that it keeps: without a key nobody can be told from a peer, and a peer may have programs
run here and say how they ended; therefore without one the port is opened on loopback only.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from scalebox.config import ClusterConfig
from scalebox.errors import ConfigError
from scalebox.tcp import Bound, is_loopback, join, parse_tcp, peer_tls, resolve, server_tls


@dataclass(frozen=True)
class Entrance:
    """What listening for peers takes.

    Attributes:
        bound: the addresses to bind.
        secret: the cluster's key; empty: there is none, and `bound` is loopback.
        answering, asking: TLS for the two sides of a connection; None: there is none.
    """

    bound: tuple[Bound, ...]
    secret: str
    answering: ssl.SSLContext | None
    asking: ssl.SSLContext | None


async def entrance(config: ClusterConfig) -> Entrance | None:
    """Read and check what the configuration says about peers; None: there is to be no cluster.

    Raises:
        ConfigError: the port would be open to strangers, or something named cannot be used; the
            message holds the remedy.
    """
    address = parse_tcp(config.listen, "cluster.listen")
    parse_tcp(config.advertise, "cluster.advertise")
    if address is None:
        return None
    secret = config.secret()
    bound = await resolve(
        address,
        "cluster.listen",
        guarded=bool(secret),
        remedy="set cluster.key_file (`openssl rand -hex 32` makes a key, the same for all hosts)",
    )
    files = (config.tls_certificate, config.tls_key, config.tls_ca)
    if any(files) and not all(files):
        raise ConfigError(
            "cluster.tls_certificate, cluster.tls_key and cluster.tls_ca belong together: peers "
            "show each other certificates; set all three, or none"
        )
    return Entrance(
        tuple(bound), secret, server_tls("cluster", *files), peer_tls("cluster", *files)
    )


async def advertised(config: ClusterConfig, host: str, port: int, towards: Sequence[str]) -> str:
    """The address to give to peers, as `host:port`.

    Parameters:
        config: may say it.
        host, port: as bound.
        towards: addresses of others, `host:port`; the kernel knows by which of this host's
            addresses they are reached.

    Raises:
        ConfigError: it is not said, all addresses are bound, and no other host can be reached.
    """
    if config.advertise:
        return config.advertise
    bound = ip_address(host.partition("%")[0])
    if not bound.is_unspecified:
        return join(host, port)
    # All addresses of one family: the sockets of each take its own connections only.
    family = socket.AF_INET if bound.version == 4 else socket.AF_INET6
    loop = asyncio.get_running_loop()
    others = [parsed for other in towards if (parsed := parse_tcp(other, "cluster.seeds"))]
    # What the host calls itself, should there be nobody else yet.
    for name, other_port in [*others, (socket.gethostname(), port)]:
        try:
            found = await loop.getaddrinfo(name, other_port, family=family, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            continue
        for _, _, _, _, where in found:
            own = _source(family, where)
            if own is not None and not is_loopback(own):
                return join(own, port)
    raise ConfigError(
        "peers cannot be told where this daemon is: cluster.listen names all addresses, and none "
        "of this host leads to another; set cluster.advertise to the host:port that they can use"
    )


def _source(family: socket.AddressFamily, where: Any) -> str | None:
    """The address of this host that packets to another carry; nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(where)
        except OSError:
            return None
        return str(sock.getsockname()[0]).partition("%")[0]
