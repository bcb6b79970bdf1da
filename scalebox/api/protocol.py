"""One HTTP connection: aiohttp's own handler, with our words for what is no HTTP at all.

aiohttp answers malformed requests in plain text and logs each with a traceback; here they get an
`ErrorBody` and one line.  The connection's other end is asked of the kernel once, not once a
request.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from aiohttp import web

from scalebox.api.auth import Client, peer_of
from scalebox.api.edge import internal_error, refuse
from scalebox.errors import BadRequestError, ScaleboxError

_log = structlog.get_logger("scalebox.api")


class ApiProtocol(web.RequestHandler):
    """aiohttp's connection handler.

    Attributes:
        peer: the other end.
    """

    __slots__ = ("peer",)

    peer: Client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember who connected."""
        self.peer = peer_of(transport)
        super().connection_made(transport)

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
