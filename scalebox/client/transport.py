"""One HTTP session with one daemon: bytes there, bytes back, errors as classes.

Each call here is a single attempt.  Retrying, batching and the meaning of the bytes belong to the
callers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import aiohttp
import msgspec

from scalebox.client.address import Address
from scalebox.client.encode import MSGPACK
from scalebox.client.retry import parse_retry_after
from scalebox.errors import BadRequestError, RemoteError, ScaleboxError
from scalebox.model import BatchItem, ErrorBody

T = TypeVar("T")

_LENGTH = struct.Struct(">I")
#: What decoders say of bytes that are no document, or nested without end.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_CONNECT_TIMEOUT_S = 10.0
_GATHER_S = 0.005


class BrokenConnection(Exception):
    """The daemon could not be reached, or the connection ended before its answer did."""


class Refusal(Exception):
    """The daemon answered with an error.

    Attributes:
        status: HTTP status.
        body: what it said.
        retry_after_s: from the body, or from the header of that name (a proxy's).
    """

    def __init__(self, status: int, body: ErrorBody, header_s: float | None = None) -> None:
        super().__init__(body.message)
        self.status = status
        self.body = body
        self.retry_after_s = header_s if body.retry_after_s is None else body.retry_after_s

    def as_remote_error(self, who: str = "") -> RemoteError:
        """What the user sees.

        Parameters:
            who: said it, where that is not plain.
        """
        return RemoteError(
            f"{self.body.message} (said by {who})" if who else self.body.message,
            code=self.body.error,
            http_status=self.status,
            field=self.body.field,
            retry_after_s=self.retry_after_s,
        )


class Answer:
    """An answer's bytes, their media type, and which version of something they are (its ETag)."""

    __slots__ = ("content_type", "raw", "version")

    def __init__(self, content_type: str, raw: bytes, version: str = "") -> None:
        self.content_type = content_type
        self.raw = raw
        self.version = version

    def decode(self, kind: type[T]) -> T:
        """The bytes as a structure.

        Raises:
            Refusal: they are something else.
        """
        try:
            if self.content_type == MSGPACK:
                return msgspec.msgpack.decode(self.raw, type=kind)
            return msgspec.json.decode(self.raw, type=kind)
        except _UNREADABLE as error:
            raise _nonsense(str(error)) from error


class Transport:
    """A session, to be opened and closed by its client.

    Parameters:
        address: of the daemon.
        token: for TCP.
        timeout_s: longest silence of a connection that owes an answer; None: no bound.
        ca: for `https://`: a file with the authorities that the daemon's certificate may come
            from; None: those that this host trusts.

    Raises:
        BadRequestError: there is no such file, or none is in it.
    """

    def __init__(
        self,
        address: Address,
        token: str | None,
        timeout_s: float | None,
        ca: str | Path | None = None,
    ) -> None:
        self.address = address
        self._tls = _trusting(ca)
        self._token = token
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._waiting: set[asyncio.Timeout] = set()
        self._item_decoder = msgspec.msgpack.Decoder(BatchItem)
        self._error_decoder = msgspec.msgpack.Decoder(ErrorBody)

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self._session is not None

    def open(self) -> None:
        """Make the session (needs the running event loop)."""
        headers = {"Accept": MSGPACK}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connector: aiohttp.BaseConnector
        if self.address.socket is not None:
            connector = aiohttp.UnixConnector(self.address.socket, limit=0)
        else:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._tls)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=headers,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=self._timeout_s
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=1 << 18,
        )

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @contextlib.asynccontextmanager
    async def _request(
        self, method: str, path: str, body: bytes | None, content_type: str | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            raise ScaleboxError("the client is closed; make a new one, or use `with`")
        headers = {} if body is None else {"Content-Type": content_type or MSGPACK}
        try:
            async with asyncio.timeout(None) as scope:
                with self._watched(scope):
                    async with self._session.request(
                        method,
                        self.address.base_url + path,
                        data=body,
                        headers=headers,
                        allow_redirects=False,
                    ) as response:
                        yield response
        except TimeoutError as error:
            raise BrokenConnection(str(error) or "the daemon no longer answers") from error
        except aiohttp.ClientConnectorCertificateError as error:
            # Asking again would not make it another's certificate.
            raise _untrusted(self.address, error) from error
        except aiohttp.ClientSSLError as error:
            raise BrokenConnection(f"no TLS is spoken there ({error.os_error})") from error
        except aiohttp.ClientConnectorError as error:
            # Its own text repeats the address, and asyncio's does, too.
            code = error.os_error.errno
            words = os.strerror(code) if code and code > 0 else str(error.os_error)
            raise BrokenConnection(words) from error
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenConnection(str(error) or type(error).__name__) from error

    @contextlib.contextmanager
    def _watched(self, scope: asyncio.Timeout) -> Iterator[None]:
        self._waiting.add(scope)
        try:
            yield
        finally:
            self._waiting.discard(scope)

    async def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str | None = None,
    ) -> Answer:
        """One request, its whole answer.

        Raises:
            BrokenConnection: no (whole) answer.
            Refusal: the answer is an error.
        """
        async with self._request(method, path, body, content_type) as response:
            if response.status >= 300:
                raise await self._refusal(response)
            version = response.headers.get("ETag", "").strip('"')
            return Answer(response.content_type, await response.read(), version)

    async def batch(
        self,
        path: str,
        body: bytes,
        content_type: str,
        on_items: Callable[[list[BatchItem]], bool],
    ) -> None:
        """Send a batch; hand over the items of its answer, as many at once as have arrived.

        Parameters:
            path, body, content_type: the request.
            on_items: returns whether many more are awaited, so that a few milliseconds' answers
                may gather in the socket before they are read.

        Raises:
            BrokenConnection: the stream broke off.
            Refusal: the whole batch was refused, or the answer makes no sense.
        """
        async with self._request("POST", path, body, content_type) as response:
            if response.status >= 300:
                raise await self._refusal(response)
            buffer = bytearray()
            async for chunk in response.content.iter_any():
                buffer += chunk
                if (items := self._split(buffer)) and on_items(items):
                    await _let_gather(response)
            if buffer:
                raise BrokenConnection("the batch's answer ended in the middle of a frame")

    def _split(self, buffer: bytearray) -> list[BatchItem]:
        """Take the whole frames off the buffer's front."""
        items = []
        start, end = 0, len(buffer)
        with memoryview(buffer) as view:
            while end - start >= 4:
                (size,) = _LENGTH.unpack_from(view, start)
                if end - start - 4 < size:
                    break
                try:
                    items.append(self._item_decoder.decode(view[start + 4 : start + 4 + size]))
                except _UNREADABLE as error:
                    raise _nonsense(f"a frame of the batch's answer: {error}") from error
                start += 4 + size
        del buffer[:start]
        return items

    async def _refusal(self, response: aiohttp.ClientResponse) -> Refusal:
        raw = await response.read()
        try:
            if response.content_type == MSGPACK:
                body = self._error_decoder.decode(raw)
            else:
                body = msgspec.json.decode(raw, type=ErrorBody)
        except _UNREADABLE:
            # A proxy, or something that is no scaleboxd at all.
            text = raw[:200].decode("utf-8", "replace").strip()
            body = ErrorBody(
                error="http_error",
                message=f"{self.address} answered {response.status} {response.reason}: {text}",
            )
        return Refusal(
            response.status, body, parse_retry_after(response.headers.get("Retry-After"))
        )

    async def probe(self, timeout_s: float) -> None:
        """Ask the daemon whether it takes work.

        Raises:
            BrokenConnection: it does not answer, or not in time.
            Refusal: it does not.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self.call("GET", "/healthz")
        except TimeoutError:
            raise BrokenConnection(f"no answer within {timeout_s:g} s") from None

    async def watch(self, interval_s: float, timeout_s: float, failures: int) -> None:
        """Break the requests of a daemon that no longer answers; runs until cancelled.

        Parameters:
            interval_s: how often it is asked, while it owes answers.
            timeout_s: how long each time.
            failures: how many in a row condemn it.
        """
        failed = 0
        while True:
            await asyncio.sleep(interval_s)
            waiting = set(self._waiting)
            if not waiting:
                failed = 0
                continue
            try:
                await self.probe(timeout_s)
            except BrokenConnection:
                failed += 1
            except Refusal:
                failed = 0
            else:
                failed = 0
            if failed >= failures:
                now = asyncio.get_running_loop().time()
                for scope in waiting & self._waiting:
                    scope.reschedule(now)


def _trusting(ca: str | Path | None) -> ssl.SSLContext | bool:
    """What TLS is to verify by; True: what aiohttp does by itself.

    Raises:
        BadRequestError: see `Transport`.
    """
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        words = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        raise BadRequestError(
            f"{ca} holds no certificates of authorities in PEM: {words}", field="ca"
        ) from error


def _untrusted(address: Address, error: aiohttp.ClientConnectorCertificateError) -> Refusal:
    return Refusal(
        400,
        ErrorBody(
            error="untrusted",
            message=f"what answers at {address} does not prove to be it: "
            f"{error.certificate_error}. If the certificate is signed by an authority of your own, "
            "name its file (ca=, --ca or $SCALEBOX_CA)",
        ),
    )


async def _let_gather(response: aiohttp.ClientResponse) -> None:
    """Leave a connection unread for a moment.

    Waking up costs several times what an answer does: a trainer's core should not spend a tenth of
    its time on being told of each result by itself.
    """
    connection = response.connection
    line = None if connection is None else connection.transport
    if line is None or line.is_closing():
        return  # the answer is complete, or broken off
    line.pause_reading()
    try:
        await asyncio.sleep(_GATHER_S)
    finally:
        if not line.is_closing():
            line.resume_reading()


def _nonsense(what: str) -> Refusal:
    return Refusal(
        400,
        ErrorBody(
            error="protocol",
            message=f"the daemon's answer cannot be understood ({what}); are client and daemon of "
            "the same version?",
        ),
    )
