"""What a user may write as a daemon's address, or several daemons', and what it means.

The only place that tells a socket path from a URL; nothing is connected to here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from scalebox.config import default_socket_path
from scalebox.errors import BadRequestError

#: One address, or several: in one text with commas between them, or one by one.
Addresses = str | Path | Sequence[str | Path] | None


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address.

    Attributes:
        base_url: what request paths are appended to.
        socket: path of the Unix socket; None: TCP.
    """

    base_url: str
    socket: str | None

    @property
    def is_tls(self) -> bool:
        """Whether the daemon there has to prove who it is."""
        return self.base_url.startswith("https://")

    def __str__(self) -> str:
        return f"unix:{self.socket}" if self.socket is not None else self.base_url


def parse_addresses(given: Addresses) -> tuple[Address, ...]:
    """Read the addresses of one daemon or several, in the order given.

    Parameters:
        given: as `parse_address` takes it; or several such in a sequence, or in one text with
            commas between them (a socket whose path holds a comma goes as a `Path`).

    Raises:
        BadRequestError: one of them is no address, none is there, or one is there twice.
        ConfigError: as `parse_address`.
    """
    if given is None or isinstance(given, Path):
        return (parse_address(given),)
    if isinstance(given, str):
        given = [part.strip() for part in given.split(",")]
    addresses = tuple(parse_address(address) for address in given)
    if not addresses:
        raise BadRequestError("an empty list of addresses; give one at least", field="address")
    if len(set(addresses)) < len(addresses):
        twice = next(address for address in addresses if addresses.count(address) > 1)
        raise BadRequestError(f"the address {twice} is there twice", field="address")
    return addresses


def parse_address(address: str | Path | None) -> Address:
    """Read an address.

    Parameters:
        address: None, or `unix:` without a path: the default socket (`$SCALEBOX_SOCKET`, else the
            runtime directory's); a path or `unix:/path`: that Unix socket; `http://host:port` or
            `https://…`: TCP.

    Raises:
        BadRequestError: it is neither; the message says what is possible.
        ConfigError: it is the default's, and its place is somebody else's.
    """
    if address is None or address == "unix:":
        return _unix(default_socket_path())
    if isinstance(address, Path):
        return _unix(address)
    if address.startswith("unix:"):
        return _unix(Path(address.removeprefix("unix:").removeprefix("//")))
    if "://" in address:
        try:
            parts = urlsplit(address)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number, brackets that do not close
            usable = False
        if not usable:
            raise BadRequestError(
                f"{address!r} is no address of a daemon; write a socket's path, `unix:/path`, "
                "`http://host:port` or `https://host:port`",
                field="address",
            )
        return Address(address.rstrip("/"), None)
    if not address or ("/" not in address and ":" in address):
        raise BadRequestError(
            f"{address!r} is no address of a daemon; for TCP write "
            f"`http://{address or 'host:port'}`, for a Unix socket its path",
            field="address",
        )
    return _unix(Path(address))


def _unix(path: Path) -> Address:
    try:
        path = path.expanduser()
    except RuntimeError as error:
        raise BadRequestError(f"{path}: {error}", field="address") from None
    # The host name only fills the Host header; the connector never looks it up.
    return Address("http://scaleboxd", str(path))
