"""One request to an endpoint: bounded in time and size, sent once, and what became of it.

When to send it again is `endpoint`'s.  Redirects are not followed: a key belongs to one host.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from urllib.parse import urlsplit

import aiohttp
import msgspec

from scalebox.client.retry import parse_retry_after
from scalebox.suite.errors import SuiteError
from scalebox.suite.sampling.answers import printable, said
from scalebox.suite.sampling.keys import ApiKey

#: Of an answer: a megabyte is more than any model writes at once, and log probabilities of each
#: token take ten times that.
MAX_ANSWER_BYTES = 16 << 20
_MAX_ERROR_BYTES = 16 << 10
_MAX_MODELS_BYTES = 1 << 20
_CONNECT_TIMEOUT_S = 15.0
_MODELS_TIMEOUT_S = 10.0
_CHUNK_BYTES = 64 << 10
#: What another try may mend: the request was too slow or came at a bad time, or there are too many
#: (RFC 9110 §15.5, RFC 8470, RFC 6585).
_PASSING = frozenset({408, 409, 425, 429})


@dataclass(eq=False)
class Failure(Exception):
    """A request that got no answer.

    Attributes:
        words: what happened, and what the endpoint said.
        passes: whether another try may fare better.
        status: of HTTP; None: there was none.
        retry_after_s: how long the endpoint asks to be left alone; None: it does not say.
    """

    words: str
    passes: bool = True
    status: int | None = None
    retry_after_s: float | None = None


class Wire:
    """Requests to one endpoint.  Use it as an async context manager.

    Parameters:
        base_url: up to and with `/v1`.
        key: sent with each request.
        timeout_s: of one request, until the last byte of its answer.

    Raises:
        SuiteError: the address is none, or holds more than an address.
    """

    def __init__(self, base_url: str, key: ApiKey, timeout_s: float) -> None:
        self.base_url = _checked(base_url)
        self._key = key
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Wire:
        self._session = aiohttp.ClientSession(
            # How many are under way is the caller's to bound; here none waits unseen.
            connector=aiohttp.TCPConnector(limit=0),
            # The time that is ours to bound covers all of a request; see `_sent`.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            # A few kilobytes may unpack to gigabytes: none are asked for, none unpacked.
            auto_decompress=False,
            headers={
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "scalebox",
                **self._key.headers,
            },
        )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def url(self, path: str) -> str:
        """The address of a call of the API."""
        return f"{self.base_url}/{path}"

    async def post(self, path: str, body: bytes) -> bytes:
        """Send a request once.

        Parameters:
            path: below the base URL.
            body: JSON.

        Returns:
            The body of an answer with the status 200.

        Raises:
            Failure: there is none.
        """
        return await self._sent("POST", path, body, MAX_ANSWER_BYTES, self._timeout_s)

    async def models(self) -> list[str]:
        """The names of the endpoint's models; empty: it does not tell."""
        try:
            body = await self._sent("GET", "models", None, _MAX_MODELS_BYTES, _MODELS_TIMEOUT_S)
            found = msgspec.json.decode(body)
        except (Failure, ValueError, RecursionError):
            return []
        models = found.get("data") if isinstance(found, dict) else None
        names = [one.get("id") for one in models or () if isinstance(one, dict)]
        return [name for name in names if isinstance(name, str)]

    async def _sent(
        self, method: str, path: str, body: bytes | None, most: int, timeout_s: float
    ) -> bytes:
        if self._session is None:
            raise SuiteError("the endpoint is not open; use `async with Endpoint(…)`")
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._session.request(
                    method,
                    self.url(path),
                    data=body,
                    headers={"Content-Type": "application/json"} if body is not None else None,
                    allow_redirects=False,
                ) as response,
            ):
                if response.status != HTTPStatus.OK:
                    raise await self._refused(response)
                return await _read(response, most)
        except TimeoutError:
            raise Failure(f"no whole answer within {timeout_s:g} s") from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            raise Failure(
                f"there is no safe connection ({self._words(error)}); is it https that it speaks, "
                "with a certificate that this host trusts (SSL_CERT_FILE)?",
                passes=False,
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Failure(f"the connection failed: {self._words(error)}") from None

    async def _refused(self, response: aiohttp.ClientResponse) -> Failure:
        """What an answer with another status than 200 says."""
        status = response.status
        try:
            words = said(await _read(response, _MAX_ERROR_BYTES, cut=True))
        except aiohttp.ClientError:
            words = "and then the connection broke"
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            target = printable(response.headers.get("Location", ""))
            return Failure(
                f"HTTP {status}, which leads to {self._key.redacted(target) or 'nowhere'}; give "
                "the address where the API is",
                passes=False,
                status=status,
            )
        after = parse_retry_after(response.headers.get("Retry-After"))
        return Failure(
            f"HTTP {status}: {self._key.redacted(words)}",
            passes=status in _PASSING
            or status >= HTTPStatus.INTERNAL_SERVER_ERROR
            or status < HTTPStatus.MULTIPLE_CHOICES,
            status=status,
            retry_after_s=after if after is not None and math.isfinite(after) else None,
        )

    def _words(self, error: BaseException) -> str:
        words = printable(str(error))
        return self._key.redacted(words) or type(error).__name__


async def _read(response: aiohttp.ClientResponse, most: int, *, cut: bool = False) -> bytes:
    """A body of at most so many bytes.

    Parameters:
        cut: what is more is left; otherwise it is a failure.

    Raises:
        Failure: it is larger, or packed.
    """
    packed = response.headers.get("Content-Encoding", "identity").lower()
    if packed != "identity" and not cut:
        raise Failure(f"an answer packed as {printable(packed)}, which was not asked for")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > most:
            # What is left would be read for the next request's sake.
            response.close()
            if cut:
                break
            raise Failure(f"an answer of more than {most:,} bytes")
    return bytes(body[:most])


def _checked(base_url: str) -> str:
    url = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
        port = parts.port
    except ValueError:
        known, port = False, None
    if not known or port == 0:
        raise SuiteError(
            f"{printable(url)!r} is no address of an endpoint; they look like "
            "http://127.0.0.1:8000/v1"
        )
    if "@" in parts.netloc:
        # Not repeated: the address stands in the run's files, and in messages.
        raise SuiteError(
            f"the endpoint at {printable(parts.hostname or '')} has a name or key in its address; "
            "put the key into an environment variable, and its name into api_key_env"
        )
    if parts.query or parts.fragment:
        raise SuiteError(
            f"{printable(url.partition('?')[0])}: an endpoint's address ends before ? and #"
        )
    return url
