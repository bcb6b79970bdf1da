"""Where peers come in: sealed requests, decoded and handed to who answers for them.

Nothing is decoded, and no body is read, of whoever has not shown that it holds the key; strangers
are refused in a line, counted, and named once in the log.  What a peer sends that cannot be decoded
is refused under seal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
import structlog
from aiohttp import web

from scalebox.cluster.gossip import Gossiper
from scalebox.cluster.lending import Lender, NotHeldError
from scalebox.cluster.messages import Fetch, Reach, Reached, Results, StealAnswer, StealRequest
from scalebox.cluster.records import Exchange, Gossip
from scalebox.cluster.sealing import Heard, Refusals, Refused, Seal
from scalebox.cluster.transport import (
    EXCHANGE,
    FETCH,
    GOSSIP,
    REACH,
    RESULTS,
    RUMOUR,
    STEAL,
    digest,
)

#: The largest request is a frame of results with an output each.
_MOST_BYTES = 64 << 20

T = TypeVar("T", bound=msgspec.Struct)
Answers = Callable[[str, bytes], Awaitable[bytes]]
_encode = msgspec.msgpack.Encoder().encode
log = structlog.get_logger("scalebox.cluster")


class _BadRequestError(Exception):
    """What came is not what it should be; the words are for the peer."""


class Door:
    """Answers peers.

    Parameters:
        seal: this node's.
        gossiper: hears of members.
        lender: hears of leases; None: nothing is lent here.
        refusals: remembers of whom they were said.
        count: adds one to a counter of this name.
    """

    def __init__(
        self,
        seal: Seal,
        gossiper: Gossiper,
        lender: Lender | None,
        refusals: Refusals,
        count: Callable[[str], None],
    ) -> None:
        self._seal = seal
        self._gossiper = gossiper
        self._lender = lender
        self._refusals = refusals
        self._count = count
        self._routes: dict[str, Answers] = {
            GOSSIP: self._gossip,
            RUMOUR: self._rumour,
            EXCHANGE: self._exchange,
            REACH: self._reach,
            STEAL: self._steal,
            RESULTS: self._results,
            FETCH: self._fetch,
        }

    def app(self) -> web.Application:
        """The application that listens to peers."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            heard = self._seal.incoming(request.headers, request.method, request.raw_path)
            body = await request.read()
            heard.check(await digest(body))
        except Refused as refused:
            return self._refuse(request, refused)
        status, content = await self._answer(request.path, heard, body)
        headers = self._seal.answer(heard, status, await digest(content))
        return web.Response(status=status, body=content, headers=headers)

    def _refuse(self, request: web.Request, refused: Refused) -> web.Response:
        peer = request.remote or "?"
        # The first after every start is refused: no offence, and nothing to be named.
        if refused.reason != "invitation" and self._refusals.note(peer, refused.reason):
            log.warning("a message of a peer is refused", peer=peer, reason=str(refused))
        self._count(f"cluster_refused_{refused.reason}")
        if refused.request is None:
            response = web.Response(status=401, text="this is a port for peers with the key\n")
            response.force_close()
            return response
        headers = self._seal.answer(refused.request, 409)
        return web.Response(status=409, headers=headers)

    async def _answer(self, path: str, heard: Heard, body: bytes) -> tuple[int, bytes]:
        answers = self._routes.get(path)
        if answers is None:
            return 404, b"no such thing here"
        try:
            return 200, await answers(heard.node, body)
        except _BadRequestError as error:
            if self._refusals.note(heard.node, "message"):
                log.warning("a peer's message is not valid", node=heard.node, reason=str(error))
            return 400, str(error).encode()[:1000]
        except NotHeldError:
            return 404, b"no lease of yours names it"
        except Exception:
            log.exception("answering a peer failed", node=heard.node, path=path)
            return 500, b"failed for reasons of its own"

    # --- one each --------------------------------------------------------------------------------

    async def _gossip(self, sender: str, body: bytes) -> bytes:
        message = _own(sender, _decoded(body, Gossip))
        return _encode(self._gossiper.hear_probe(message))

    async def _rumour(self, sender: str, body: bytes) -> bytes:
        self._gossiper.hear_rumour(_own(sender, _decoded(body, Gossip)))
        return b""

    async def _exchange(self, sender: str, body: bytes) -> bytes:
        return _encode(self._gossiper.hear_exchange(_own(sender, _decoded(body, Exchange))))

    async def _reach(self, sender: str, body: bytes) -> bytes:
        reached: Reached = await self._gossiper.reach(_decoded(body, Reach))
        return _encode(reached)

    async def _steal(self, sender: str, body: bytes) -> bytes:
        request = _decoded(body, StealRequest)
        facts = self._gossiper.facts_of(sender)
        if self._lender is None or facts is None:
            # It has to be heard of before it can be lent to.
            return _encode(StealAnswer(ask_again_s=1.0))
        return _encode(await self._lender.steal(facts, request))

    async def _results(self, sender: str, body: bytes) -> bytes:
        frame = _decoded(body, Results)
        if frame.gossip is not None:
            self._gossiper.hear_aside(_own(sender, frame.gossip))
        if self._lender is None:
            raise NotHeldError
        return _encode(self._lender.results(sender, frame))

    async def _fetch(self, sender: str, body: bytes) -> bytes:
        if self._lender is None:
            raise NotHeldError
        return await self._lender.fetch(sender, _decoded(body, Fetch))


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _BadRequestError(f"not a {kind.__name__}: {error}") from None


def _own(sender: str, message: Any) -> Any:
    """A message that says to be from the node whose seal it bears."""
    if message.sender != sender:
        raise _BadRequestError(f"sent by {sender} in the name of {message.sender}")
    return message
