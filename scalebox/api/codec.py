"""Bytes on the wire ↔ structures: JSON or msgpack, chosen by `Content-Type` and `Accept`.

Answers for: one decode a request with decoders made once, and refusals that name the field and what
was expected there.  Bodies are read here too, under the bound of one request and the bound of all
requests together.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from anyio import to_thread

from scalebox.api.structure import check_structure, may_hold_too_much
from scalebox.errors import BadRequestError, QueueFullError, ScaleboxError, TooLargeError
from scalebox.model import DATE_PATTERN, IDENTIFIER_PATTERN, SHA256_PATTERN

T = TypeVar("T")

JSON_TYPE = "application/json"
MSGPACK_TYPE = "application/msgpack"
NDJSON_TYPE = "application/x-ndjson"
STREAM_TYPE = "application/x-msgpack-stream"

#: A body that brings nothing for this long is given up (408); slow is fine, silent is not.
BODY_IDLE_S = 60.0


class UnsupportedMediaTypeError(ScaleboxError):
    """The body is in a coding that this endpoint does not read."""

    code = "unsupported_media_type"
    http_status = 415


class RequestTimeoutError(ScaleboxError):
    """The body stopped arriving."""

    code = "request_timeout"
    http_status = 408


@dataclass(frozen=True, slots=True)
class Coding:
    """One coding of structures.

    Attributes:
        name: `json` or `msgpack`.
        content_type: what an answer in it is labelled.
        stream_type: the label of a stream of many answers.
        encode: structure → bytes.
    """

    name: str
    content_type: str
    stream_type: str
    encode: Callable[[Any], bytes]


JSON = Coding("json", JSON_TYPE, NDJSON_TYPE, msgspec.json.Encoder().encode)
MSGPACK = Coding("msgpack", MSGPACK_TYPE, STREAM_TYPE, msgspec.msgpack.Encoder().encode)

_BY_TYPE = {
    JSON_TYPE: JSON,
    "text/json": JSON,
    NDJSON_TYPE: JSON,
    "application/ndjson": JSON,
    "application/jsonl": JSON,
    "application/x-jsonlines": JSON,
    MSGPACK_TYPE: MSGPACK,
    "application/x-msgpack": MSGPACK,
    "application/vnd.msgpack": MSGPACK,
    STREAM_TYPE: MSGPACK,
}
_STREAM_TYPES = frozenset(
    {NDJSON_TYPE, "application/ndjson", "application/jsonl", "application/x-jsonlines", STREAM_TYPE}
)


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


@functools.lru_cache(maxsize=256)
def _request_coding(header: str, streams: bool) -> tuple[Coding, bool] | None:
    media_type = _media_type(header)
    coding = _BY_TYPE.get(media_type)
    streamed = media_type in _STREAM_TYPES
    if coding is None or (streamed and not streams):
        return None
    return coding, streamed


def request_coding(request: web.BaseRequest, *, streams: bool = False) -> tuple[Coding, bool]:
    """The coding of the request's body, and whether the body is a stream of documents.

    Parameters:
        request: the request.
        streams: whether this endpoint reads NDJSON and msgpack frames, too.

    Raises:
        UnsupportedMediaTypeError: `Content-Type` is missing or names something else.  Missing is
            refused because a web page can send a form to a local port without one.
    """
    header = request.headers.get("Content-Type", "")
    found = _request_coding(header, streams)
    if found is None:
        readable = [JSON_TYPE, MSGPACK_TYPE, *((NDJSON_TYPE, STREAM_TYPE) if streams else ())]
        got = f"{_media_type(header)!r}" if header else "nothing"
        raise UnsupportedMediaTypeError(
            f"Content-Type must be one of {', '.join(readable)}; the request says {got}"
        )
    return found


@functools.lru_cache(maxsize=256)
def _answer_coding(accept: str, content_type: str) -> Coding:
    best: tuple[float, Coding] | None = None
    for part in accept.split(","):
        coding = _BY_TYPE.get(_media_type(part))
        if coding is None:
            continue
        match = re.search(r";\s*q\s*=\s*([0-9.]+)", part)
        try:
            weight = float(match[1]) if match else 1.0
        except ValueError:
            weight = 0.0
        if weight > 0 and (best is None or weight > best[0]):
            best = (weight, coding)
    if best is not None:
        return best[1]
    return _BY_TYPE.get(_media_type(content_type), JSON)


def check_content_coding(request: web.BaseRequest) -> None:
    """Bodies are taken as they are: unpacking costs the event loop what the sender chooses.

    Raises:
        UnsupportedMediaTypeError: the body is compressed.
    """
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedMediaTypeError(
            f"Content-Encoding {coding[:50]!r} is not served; send the body as it is"
        )


def answer_coding(request: web.BaseRequest) -> Coding:
    """The coding to answer in: what `Accept` prefers, else that of the request, else JSON."""
    headers = request.headers
    return _answer_coding(headers.get("Accept", ""), headers.get("Content-Type", ""))


def _no_extension(code: int, data: memoryview) -> Any:
    raise ValueError(f"msgpack extension type {code} has no meaning here")


_decoders: dict[tuple[str, Any], Callable[[Any], Any]] = {}


def _decoder(coding: Coding, kind: Any) -> Callable[[Any], Any]:
    decoder = _decoders.get((coding.name, kind))
    if decoder is None:
        if coding is JSON:
            decoder = msgspec.json.Decoder(kind).decode
        else:
            decoder = msgspec.msgpack.Decoder(kind, ext_hook=_no_extension).decode
        _decoders[coding.name, kind] = decoder
    return decoder


def decode(coding: Coding, kind: type[T], data: bytes | memoryview | msgspec.Raw) -> T:
    """Decode and validate one document.

    Raises:
        BadRequestError: it is malformed (no field), or does not fit (`field` says where).
    """
    try:
        result: T = _decoder(coding, kind)(data)
    except msgspec.ValidationError as error:
        raise explain(str(error)) from None
    except msgspec.DecodeError as error:
        if not len(memoryview(data)):
            message = f"the body is empty; expected one {coding.name} document"
        else:
            message = f"not valid {coding.name}: {error}"
        raise BadRequestError(message) from None
    except RecursionError:
        raise BadRequestError("the document is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        # Text that is not UTF-8, and what an extension hook refuses.
        raise BadRequestError(f"not valid {coding.name}: {error}") from None
    return result


async def decode_bounded(
    coding: Coding, kind: type[T], data: bytes | memoryview | msgspec.Raw
) -> T:
    """As `decode`, for documents of any size: what would not fit into memory is refused first.

    Raises:
        TooLargeError: it would take many times its size (see `structure`).
        BadRequestError: as `decode`.
    """
    if may_hold_too_much(memoryview(data)):
        await to_thread.run_sync(check_structure, coding.name, memoryview(data))
    return decode(coding, kind, data)


def convert(kind: Any, value: str, field: str) -> Any:
    """Validate one value that is no document, such as a part of the path.

    Raises:
        BadRequestError: it does not fit; `field` is as given.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text = _in_words(str(error))
        raise BadRequestError(f"{field}: {text}", field=field) from None


_PLACE = re.compile(r" - at `\$(?P<path>.*?)`$", re.DOTALL)
_PATTERNS = {
    SHA256_PATTERN: "a SHA-256 as 64 hexadecimal digits in lower case",
    DATE_PATTERN: "a date as 2026-01-31 or 2026-01-31T23:59:59Z",
    IDENTIFIER_PATTERN: "an id of letters, digits and ._:@/+-, the first a letter or a digit",
}
_REGEX = re.compile(r"matching regex (?P<pattern>'[^']*')$")
_NAMED = re.compile(r"(?:missing required|contains unknown) field `(?P<name>.*?)`$", re.DOTALL)


def explain(text: str) -> BadRequestError:
    """msgspec's message → ours, with its `$.a.b[3]` taken out as the field."""
    path = ""
    if match := _PLACE.search(text):
        path = match["path"].lstrip(".")
        text = text[: match.start()]
    if match := _NAMED.search(text):
        path = f"{path}.{match['name']}" if path else match["name"]
    message = _in_words(text)
    return BadRequestError(f"{path}: {message}" if path else message, field=path or None)


def _in_words(text: str) -> str:
    if match := _REGEX.search(text):
        words = _PATTERNS.get(ast.literal_eval(match["pattern"]))
        if words:
            return f"expected {words}"
    return text[:1].lower() + text[1:]


class BodyBudget:
    """The bound on the bytes of all request bodies that are in memory at once."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0

    def take(self, size: int) -> None:
        """Count bytes as held.

        Raises:
            QueueFullError: they would go over the bound.
        """
        if self.held_bytes + size > self.limit_bytes:
            raise QueueFullError(
                f"requests now being handled hold {self.held_bytes} of {self.limit_bytes} bytes; "
                "try again when some have been answered",
                retry_after_s=1.0,
            )
        self.held_bytes += size

    def give(self, size: int) -> None:
        """Undo a `take`."""
        self.held_bytes -= size


def too_large(request: web.BaseRequest, limit_bytes: int) -> TooLargeError:
    """The refusal of a body over `limit_bytes`."""
    is_blob = request.path.startswith("/v1/blobs/")
    advice = "" if is_blob else "; upload large tests as blobs, or split the batch"
    return TooLargeError(
        f"the request's body is over {limit_bytes} bytes (server.max_request_bytes){advice}"
    )


async def body_chunks(request: web.BaseRequest, limit_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body as it arrives.

    Raises:
        TooLargeError: it is longer than `limit_bytes`.
        RequestTimeoutError: nothing came for `BODY_IDLE_S`.
        web.RequestPayloadError: its transfer or content coding is broken.
    """
    if (request.content_length or 0) > limit_bytes:
        raise too_large(request, limit_bytes)
    content = request.content
    size = 0
    while True:
        try:
            async with asyncio.timeout(BODY_IDLE_S):
                chunk = await content.readany()
        except TimeoutError:
            raise RequestTimeoutError(
                f"the request's body stopped after {size} bytes for {BODY_IDLE_S:g} s"
            ) from None
        if not chunk:
            return
        size += len(chunk)
        if size > limit_bytes:
            raise too_large(request, limit_bytes)
        yield chunk


@asynccontextmanager
async def whole_body(
    request: web.BaseRequest, limit_bytes: int, budget: BodyBudget
) -> AsyncIterator[bytes]:
    """The whole body, counted in `budget` until the block ends.

    Raises:
        QueueFullError: all bodies together are over their bound.
        Further as `body_chunks`.
    """
    content = request.content
    held = 0
    try:
        if content.is_eof() and content.exception() is None:
            # A small request arrives together with its headers: no need to wait or to join.
            body = content.read_nowait()
            if len(body) > limit_bytes:
                raise too_large(request, limit_bytes)
            budget.take(len(body))
            held = len(body)
        else:
            chunks = []
            async for chunk in body_chunks(request, limit_bytes):
                budget.take(len(chunk))
                held += len(chunk)
                chunks.append(chunk)
            body = b"".join(chunks)
            del chunks
        yield body
    finally:
        budget.give(held)


def respond(
    request: web.BaseRequest,
    value: Any,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """An answer in the coding that the request asks for."""
    coding = answer_coding(request)
    return web.Response(
        body=coding.encode(value),
        status=status,
        headers={"Content-Type": coding.content_type, **(headers or {})},
    )
