"""The edge of the application: who asks, what a refusal looks like, what is logged of it.

Every request passes the one middleware here.  Whatever a handler raises becomes an `ErrorBody` with
a stable code; what is nobody's fault but ours becomes `internal` with an id, and only the log under
that id holds the traceback.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

from scalebox.api.codec import answer_coding, check_content_coding, too_large
from scalebox.api.context import CONTEXT, Refusal, client_of
from scalebox.errors import (
    BadRequestError,
    InternalError,
    QueueFullError,
    ScaleboxError,
    UnauthorizedError,
    UnavailableError,
)
from scalebox.model import ErrorBody

_log = structlog.get_logger("scalebox.api")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Work; refused while draining.  Everything else may still be asked.
_WORK = frozenset({"POST", "PUT"})
#: Load balancers and Kubernetes probe without secrets.
_OPEN_PATHS = frozenset({"/healthz"})

#: How long a restart takes, about.
_UNAVAILABLE_S = 1.0

_HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    417: "expectation_failed",
}


def error_body(error: ScaleboxError) -> ErrorBody:
    """What a refusal says to the client."""
    after_s: float | None = None
    if isinstance(error, QueueFullError):
        after_s = error.retry_after_s
    elif isinstance(error, UnavailableError):
        after_s = _UNAVAILABLE_S
    return ErrorBody(
        error=error.code, message=error.message, field=error.field, retry_after_s=after_s
    )


def internal_error(error: BaseException, **where: object) -> InternalError:
    """Log a failure of ours under a new id; the client is told the id, and nothing else."""
    if isinstance(error, MemoryError):
        # Expected on a host that has none left; where it happened to be noticed tells nothing.
        _log.error("no memory left", **where)
        return InternalError("the daemon has no memory left for this request; ask again later")
    error_id = secrets.token_hex(8)
    _log.error("unexpected failure", error_id=error_id, **where, exc_info=error)
    return InternalError(
        f"the daemon failed while handling this request (id {error_id}; its log has the cause); "
        "this says nothing about the program, ask again"
    )


def refuse(request: web.BaseRequest, error: ScaleboxError) -> web.Response:
    """The response of a refusal, in the coding that the request asks for."""
    headers = {}
    body = error_body(error)
    if body.retry_after_s is not None:
        # The header knows whole seconds only.
        headers["Retry-After"] = str(max(1, math.ceil(body.retry_after_s)))
    elif isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(request, error.http_status, body, headers)


def _answer(
    request: web.BaseRequest, status: int, body: ErrorBody, headers: dict[str, str]
) -> web.Response:
    coding = answer_coding(request)
    return web.Response(
        body=coding.encode(body),
        status=status,
        headers={"Content-Type": coding.content_type, **headers},
    )


def _refuse_http(request: web.Request, error: web.HTTPException) -> web.Response:
    headers = {}
    if isinstance(error, web.HTTPMethodNotAllowed):
        headers["Allow"] = ", ".join(sorted(error.allowed_methods))
        message = f"{request.path} answers to {headers['Allow']}, not to {request.method}"
    elif isinstance(error, web.HTTPNotFound):
        message = f"there is no {request.path} here; GET /openapi.json lists what there is"
    else:
        message = error.reason
    body = ErrorBody(error=_HTTP_CODES.get(error.status, "http_error"), message=message)
    return _answer(request, error.status, body, headers)


def route_of(request: web.Request) -> str:
    """The route's pattern, so that counting by it stays bounded whatever paths are asked for."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "other"


@web.middleware
async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Identify the client, hand on, turn what is raised into an answer, and count."""
    context = request.app[CONTEXT]
    task = asyncio.current_task()
    if task is not None:
        context.active.add(task)
    status = 499  # nginx's number for a client that went away before its answer
    try:
        response = await _handle(request, handler)
        status = response.status
        return response
    finally:
        if task is not None:
            context.active.discard(task)
        context.answered(request)
        context.requests[route_of(request), _known_method(request.method), status] += 1


async def _handle(request: web.Request, handler: Handler) -> web.StreamResponse:
    context = request.app[CONTEXT]
    refuse = _refusal(request)
    try:
        admit(request)
        return await handler(request)
    except QueueFullError as error:
        return refuse(request, error)
    except ScaleboxError as error:
        if error.http_status >= 500 and not isinstance(error, UnavailableError):
            _log.warning(
                "request failed", route=route_of(request), code=error.code, error=error.message
            )
        response = refuse(request, error)
        if context.draining:
            response.force_close()
        return response
    except web.HTTPException as error:
        return _refuse_http(request, error)
    except web.RequestPayloadError:
        response = refuse(
            request,
            BadRequestError("the body is broken: its transfer coding is wrong"),
        )
        response.force_close()
        return response
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception as error:
        return refuse(request, internal_error(error, route=route_of(request)))


def _refusal(request: web.Request) -> Refusal:
    """How the request's protocol says no; the native API's way, unless it is another's."""
    return request.app[CONTEXT].refusals.get(request.match_info.route, refuse)


def admit(request: web.Request) -> None:
    """Identify the client, and refuse work while draining, and bodies that nobody reads.

    Raises:
        UnauthorizedError, UnavailableError, UnsupportedMediaTypeError: why not.
    """
    if request.path not in _OPEN_PATHS:
        client_of(request)
    if request.method not in _WORK:
        return
    if request.app[CONTEXT].draining:
        raise UnavailableError("the daemon is shutting down; ask again when it is back")
    check_content_coding(request)


async def on_expect(request: web.Request) -> web.StreamResponse | None:
    """`Expect: 100-continue`: refuse before the body is sent what would be refused after it."""
    expectation = request.headers.get("Expect", "").lower()
    context = request.app[CONTEXT]
    try:
        admit(request)
        if (request.content_length or 0) > context.config.server.max_request_bytes:
            raise too_large(request, context.config.server.max_request_bytes)
    except ScaleboxError as error:
        response = _refusal(request)(request, error)
        response.force_close()
        return response
    if expectation != "100-continue":
        body = ErrorBody(
            error="expectation_failed", message="the only expectation served is 100-continue"
        )
        return _answer(request, 417, body, {})
    if request.version >= (1, 1):
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # aiohttp takes a nonzero count for a response that has begun.
        request.writer.output_size = 0
    return None


def _known_method(method: str) -> str:
    return method if method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS") else "other"
