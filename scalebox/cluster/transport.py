"""Requests to peers: sealed, answered under seal, and bounded in time and size."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import anyio.to_thread

from scalebox.cluster.sealing import Refused, Seal, digest_of

#: A body over this is hashed in a worker thread.
_LARGE_BYTES = 1 << 20
#: Larger answers are refused: the largest are compiled programs and test data.
MOST_ANSWER_BYTES = 1 << 30
#: The first request to a node is not heard, and brings its invitation; the second may be overtaken.
_TRIES = 3
#: Weight of the newest round trip in what the next one is thought to take.
_NEWEST_SHARE = 0.2
_MOST_ADDRESSES = 10_000
#: Connections to one peer: probes, requests for work, frames of results, data.
_CONNECTIONS = 8
#: What nobody has measured.
_FIRST_ROUND_TRIP_S = 0.002

_PREFIX = "/peer/"
GOSSIP = _PREFIX + "gossip"
RUMOUR = _PREFIX + "rumour"
EXCHANGE = _PREFIX + "exchange"
REACH = _PREFIX + "reach"
STEAL = _PREFIX + "steal"
RESULTS = _PREFIX + "results"
FETCH = _PREFIX + "fetch"


class PeerError(Exception):
    """A node did not answer as a peer does; the words are for people."""


class Peers:
    """Speaks to peers.  Made by `peers`.

    Parameters:
        seal: this node's.
        session: of aiohttp.
        tls: whether and how connections are encrypted.
        count: adds one to a counter of this name.
    """

    def __init__(
        self,
        seal: Seal,
        session: aiohttp.ClientSession,
        tls: ssl.SSLContext | None,
        count: Callable[[str], None],
    ) -> None:
        self._seal = seal
        self._count = count
        self._session = session
        self._tls = tls
        self._round_trips_s: dict[str, float] = {}

    def round_trip_s(self, address: str) -> float:
        """What a request takes that is answered at once, from those before."""
        return self._round_trips_s.get(address, _FIRST_ROUND_TRIP_S)

    def measured_s(self, address: str) -> float:
        """As `round_trip_s`; 0: nobody has measured."""
        return self._round_trips_s.get(address, 0.0)

    async def ask(
        self, address: str, path: str, body: bytes, *, node: str = "", timeout_s: float
    ) -> bytes:
        """Send a request; its answer.

        Parameters:
            address: `host:port`.
            path: of this module's.
            body: encoded.
            node: who must answer; empty: whoever is there.
            timeout_s: for all of it.

        Raises:
            PeerError: there is no answer of a peer in time, or it refused.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return await self._ask(address, path, body, node)
        except TimeoutError:
            raise PeerError(f"no answer within {timeout_s:g} s") from None
        except Refused as error:
            raise PeerError(f"the answer is not heard: {error}") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise PeerError(str(error) or type(error).__name__) from error

    async def _ask(self, address: str, path: str, body: bytes, node: str) -> bytes:
        bound = await digest(body)
        scheme = "http" if self._tls is None else "https"
        for _ in range(_TRIES):
            sealed = self._seal.outgoing(address, "POST", path, bound, addressee=node)
            started = time.monotonic()
            self._count(f"cluster_sent_{path.removeprefix(_PREFIX)}")
            async with self._session.post(
                f"{scheme}://{address}{path}",
                data=body,
                headers=sealed.headers,
                ssl=self._tls if self._tls is not None else False,
                allow_redirects=False,
            ) as response:
                answered = self._seal.check_answer(sealed, response.status, response.headers)
                content = await _read(response)
            self._note(address, time.monotonic() - started)
            answered.check(await digest(content))
            if answered.again:
                continue
            if answered.refusal:
                raise PeerError(f"the request is not heard: {answered.refusal}")
            if response.status != 200:
                raise PeerError(content[:300].decode("utf-8", "replace"))
            return content
        raise PeerError("the request is not heard, however often it is sent")

    def _note(self, address: str, took_s: float) -> None:
        before = self._round_trips_s.get(address)
        if before is None and len(self._round_trips_s) >= _MOST_ADDRESSES:
            self._round_trips_s.clear()
        self._round_trips_s[address] = (
            took_s if before is None else before + _NEWEST_SHARE * (took_s - before)
        )


@asynccontextmanager
async def peers(
    seal: Seal, tls: ssl.SSLContext | None, count: Callable[[str], None]
) -> AsyncIterator[Peers]:
    """Speak to peers while the block runs; what is sent is counted by its kind."""
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=_CONNECTIONS, keepalive_timeout=60.0)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=None),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
    ) as session:
        yield Peers(seal, session, tls, count)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    pieces, size = [], 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > MOST_ANSWER_BYTES:
            raise PeerError(f"an answer of more than {MOST_ANSWER_BYTES} bytes")
        pieces.append(piece)
    return b"".join(pieces)


async def digest(body: bytes) -> bytes:
    """What a seal binds a body by; of a large one in a worker thread."""
    if len(body) > _LARGE_BYTES:
        return await anyio.to_thread.run_sync(digest_of, body)
    return digest_of(body)
