"""Listening: the Unix socket and, if configured, TCP; and ending without losing an answer.

Answers for an orderly end: stop accepting, let requests finish up to `drain_timeout_s`, then break
off the rest visibly.  How the sockets come to be is `listen`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from scalebox.api.app import make_app
from scalebox.api.context import CONTEXT, ApiContext
from scalebox.api.listen import unix_socket
from scalebox.api.protocol import ApiProtocol, Door, connections_that_fit
from scalebox.api.service import EngineService
from scalebox.config import Config
from scalebox.tcp import TLS_HANDSHAKE_S, join, parse_tcp, resolve, server_tls, tcp_socket

_log = structlog.get_logger("scalebox.api")

_BACKLOG = 1024
#: Shares of the daemon's descriptors that connections may take.  Strangers over TCP, who need no
#: token to connect, leave room for those on the host.
_UNIX_SHARE = 0.5
_TCP_SHARE = 0.25
#: Idle connections are closed after this; clients reuse theirs within it.
KEEPALIVE_S = 300.0
#: How long an answer to an unread body (413) waits for the sender to stop sending.
_LINGER_S = 5.0
#: After draining: how long broken-off handlers get to clean up.
_CANCEL_S = 5.0


@dataclass(frozen=True)
class Listeners:
    """Where the API listens.

    Attributes:
        app: the application.
        socket: the Unix socket.
        tcp: (address, port) as bound, one an address; port 0 in the configuration takes a free one.
    """

    app: web.Application
    socket: Path
    tcp: tuple[tuple[str, int], ...]


@asynccontextmanager
async def serve(
    config: Config, engine: EngineService, app: web.Application | None = None
) -> AsyncIterator[Listeners]:
    """Serve while the block runs; on leaving it, drain.

    Parameters:
        config: where to listen, bounds, tokens.
        engine: started, and stopped only after the block.
        app: from `make_app`, if the caller has added routes to it.

    Raises:
        ConfigError: another daemon has the socket, the path cannot be used, the TCP address is
            taken, malformed, or open to strangers without tokens, or TLS cannot be spoken with
            the certificate and key.
    """
    app = make_app(config, engine) if app is None else app
    context = app[CONTEXT]
    options = config.server
    address = parse_tcp(options.tcp, "server.tcp")
    tls = server_tls("server", options.tls_certificate, options.tls_key)
    # Draining is done here, so aiohttp's own need not wait again.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        path = config.socket_path()
        unix = stack.enter_context(unix_socket(path, int(options.socket_mode, 8)))
        sockets = [unix]
        for family, bound in await resolve(
            address, "server.tcp", guarded=bool(options.tokens), remedy="set server.tokens"
        ):
            sockets.append(stack.enter_context(tcp_socket(family, bound, "server.tcp")))
        await runner.setup()
        server = runner.server
        assert server is not None

        def connection() -> ApiProtocol:
            return ApiProtocol(
                server,
                loop=loop,
                keepalive_timeout=KEEPALIVE_S,
                access_log=None,  # type: ignore[arg-type]  # aiohttp's own word for no log
                lingering_time=_LINGER_S,
                auto_decompress=False,
            )

        here = Door(connections_that_fit(_UNIX_SHARE), connection)
        there = Door(connections_that_fit(_TCP_SHARE), connection)
        context.connections = lambda: here.open + there.open
        listening: list[asyncio.Server] = []
        try:
            listening.append(await loop.create_unix_server(here, sock=unix, backlog=_BACKLOG))
            for sock in sockets[1:]:
                listening.append(  # noqa: PERF401 - each is to be closed if the next one fails
                    await loop.create_server(
                        there,
                        sock=sock,
                        backlog=_BACKLOG,
                        ssl=tls,
                        ssl_handshake_timeout=TLS_HANDSHAKE_S if tls is not None else None,
                    )
                )
            tcp = tuple((str(s.getsockname()[0]), int(s.getsockname()[1])) for s in sockets[1:])
            _log.info(
                "listening",
                socket=str(path),
                tcp=[join(host, port) for host, port in tcp],
                tls=tls is not None,
            )
            yield Listeners(app, path, tcp)
        finally:
            for listener in listening:
                listener.close()
            await _drain(context, options.drain_timeout_s)
            await runner.cleanup()


async def _drain(context: ApiContext, timeout_s: float) -> None:
    """Let requests finish; cancel, and so break off, those that do not in time."""
    context.draining = True
    # Requests that have arrived but not begun get their turn, and their refusal, first.
    await asyncio.sleep(0)
    if context.active:
        _log.info("draining", requests=len(context.active), timeout_s=timeout_s)
        await asyncio.wait(set(context.active), timeout=timeout_s)
    if late := set(context.active):
        _log.warning("breaking off requests", requests=len(late))
        for task in late:
            task.cancel()
        await asyncio.wait(late, timeout=_CANCEL_S)
