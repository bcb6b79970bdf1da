"""One HTTP connection: aiohttp's own handler, with our words for what is no HTTP at all.

aiohttp answers malformed requests in plain text and logs each with a traceback; here they get an
`ErrorBody` and one line.  The connection's other end is asked of the kernel once, not once a
request.  And there are only so many connections: each takes a descriptor, and running a program
takes some too.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

import structlog
from aiohttp import web

from scalebox.api.auth import Client, peer_of
from scalebox.api.codec import JSON
from scalebox.api.edge import error_body, internal_error, refuse
from scalebox.errors import BadRequestError, ScaleboxError, UnavailableError

_log = structlog.get_logger("scalebox.api")


def connections_that_fit(share: float) -> int:
    """How many connections may use this share of the descriptors that the process may have."""
    return max(8, int(resource.getrlimit(resource.RLIMIT_NOFILE)[0] * share))


class Door:
    """Lets at most `limit` connections in at once; the others are told to come again.

    Parameters:
        limit: connections.
        make: gives the handler of one.
    """

    def __init__(self, limit: int, make: Callable[[], ApiProtocol]) -> None:
        self.limit = limit
        self._make = make
        # Weakly: a handler whose connection was never made must not count for ever.
        self._inside: WeakSet[ApiProtocol] = WeakSet()

    @property
    def open(self) -> int:
        """Connections now."""
        return len(self._inside)

    def __call__(self) -> asyncio.Protocol:
        """The handler of the next connection."""
        if len(self._inside) >= self.limit:
            return _NoRoom(self.limit)
        handler = self._make()
        handler.left = self._inside.discard
        self._inside.add(handler)
        return handler


class _NoRoom(asyncio.Protocol):
    """Says 503 without having read anything."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        error = UnavailableError(
            f"{self._limit} connections are open, and the daemon's limit of open files "
            "(RLIMIT_NOFILE) leaves room for no more; close some, or come again"
        )
        body = JSON.encode(error_body(error))
        transport.write(
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        transport.close()


class ApiProtocol(web.RequestHandler):
    """aiohttp's connection handler.

    Attributes:
        peer: the other end.
        left: called with this handler when the connection has ended.
    """

    __slots__ = ("__weakref__", "left", "peer")

    peer: Client
    left: Callable[[ApiProtocol], None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember who connected."""
        self.peer = peer_of(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room for another."""
        self.left(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never reached a handler (malformed HTTP), or escaped from one."""
        error: ScaleboxError
        if status < 500:
            _log.info("malformed HTTP", client=self.peer.name, cause=type(exc).__name__)
            error = BadRequestError("this is not valid HTTP/1.1; the connection is closed")
        elif exc is None:
            error = internal_error(TimeoutError("a handler ran out of time"))
        else:
            error = internal_error(exc)
        if request.writer.output_size > 0:
            # A part of the answer is out; only breaking off can say that the rest will not come.
            raise ConnectionResetError("the response had begun when its handler failed")
        response = refuse(request, error)
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Failures of aiohttp's own machinery: rare, and ours to look at."""
        _log.error("connection failure", detail=str(args[0]) if args else "", **kw)
