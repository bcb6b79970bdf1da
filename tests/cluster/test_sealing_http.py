"""Seals over real connections: what one end hands over is what was sealed at the other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from scalebox.cluster.sealing import Answered, Heard, Refusals, Refused, Seal, Sealed, digest_of

KEY = "a key of the cluster that nobody guesses"
PATH = "/peer/n%C3%B6%2F1/x?page=1&of=%26"


@dataclass
class Peer:
    """A daemon's listener: answers what it hears with the same body.

    Attributes:
        heard: bodies.
        refusals: of everything else.
    """

    seal: Seal
    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)

    async def answer(self, request: web.Request) -> web.Response:
        message: Heard | None
        try:
            message = self.seal.incoming(request.headers, request.method, request.raw_path)
            body = await request.read()
            message.check(digest_of(body))
        except Refused as refused:
            self.refusals.note(str(request.remote), refused.reason)
            message, status, body = refused.request, 409, b""
            if message is None:
                return web.Response(status=401)
        else:
            self.heard.append(body)
            status = 200
        return web.Response(
            status=status, body=body, headers=self.seal.answer(message, status, digest_of(body))
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@asynccontextmanager
async def listening(node: str, port: int = 0) -> AsyncIterator[Peer]:
    peer = Peer(Seal(KEY, node))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", peer.answer)
    # A body that was never sent is not waited for.
    runner = web.AppRunner(app, lingering_time=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        peer.port = runner.addresses[0][1]
        yield peer
    finally:
        await runner.cleanup()


async def send(
    session: aiohttp.ClientSession, request: Sealed, peer: Peer, body: bytes, seal: Seal
) -> Answered:
    url = URL(f"http://{peer.address}{PATH}", encoded=True)
    async with session.post(url, data=body, headers=request.headers) as response:
        answered = seal.check_answer(request, response.status, response.headers)
        answered.check(digest_of(await response.read()))
        return answered


async def say(session: aiohttp.ClientSession, seal: Seal, peer: Peer, body: bytes) -> Answered:
    """Send, and once more if the invitation was lacking."""
    for _ in range(2):
        request = seal.outgoing(peer.address, "POST", PATH, digest_of(body), addressee="b")
        answered = await send(session, request, peer, body, seal)
        if not answered.again:
            break
    return answered


async def test_many_at_once_over_many_connections_are_each_heard_once() -> None:
    a = Seal(KEY, "a")
    async with listening("b") as b, aiohttp.ClientSession() as session:
        bodies = [random.Random(n).randbytes(n * 100) for n in range(200)]
        answers = await asyncio.gather(*(say(session, a, b, body) for body in bodies))
        assert all(answered.refusal == "" and answered.node == "b" for answered in answers)
        assert sorted(b.heard) == sorted(bodies)
        # Those that were on their way before the first answer.
        assert set(b.refusals.counts) == {"invitation"}


async def test_what_was_recorded_on_the_way_is_not_heard_again() -> None:
    a = Seal(KEY, "a")
    async with listening("b") as b, aiohttp.ClientSession() as session:
        await say(session, a, b, b"hello")
        request = a.outgoing(b.address, "POST", PATH, digest_of(b"once"))
        assert (await send(session, request, b, b"once", a)).refusal == ""
        assert (await send(session, request, b, b"once", a)).refusal == "replay"
        port = b.port
    async with listening("b", port) as b, aiohttp.ClientSession() as session:  # restarted
        assert (await send(session, request, b, b"once", a)).refusal == "invitation"
        assert (await say(session, a, b, b"hello again")).refusal == ""
        assert b.heard == [b"hello again"]


async def test_a_stranger_is_refused_before_its_body_is_read() -> None:
    stranger = Seal("another key than that of the cluster", "a")
    async with listening("b") as b:
        request = stranger.outgoing(b.address, "POST", PATH, digest_of(b"hello"))
        reader, writer = await asyncio.open_connection("127.0.0.1", b.port)
        head = f"POST {PATH} HTTP/1.1\r\nHost: b\r\nContent-Length: 1000000\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        writer.write(head.encode() + b"\r\n")  # and nothing of the body
        assert (await reader.readline()).split()[1] == b"401"
        writer.close()
        assert b.refusals.counts == {"key": 1}
        assert not b.heard


async def test_an_answer_that_was_changed_on_the_way_is_not_believed() -> None:
    a = Seal(KEY, "a")
    async with listening("b") as b, aiohttp.ClientSession() as session:
        await say(session, a, b, b"hello")
        request = a.outgoing(b.address, "POST", PATH, digest_of(b"what"))
        url = URL(f"http://{b.address}{PATH}", encoded=True)
        async with session.post(url, data=b"what", headers=request.headers) as response:
            answered = a.check_answer(request, response.status, response.headers)
        with pytest.raises(Refused, match="body"):
            answered.check(digest_of(b"something else"))
