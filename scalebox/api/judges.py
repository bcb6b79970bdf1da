"""The endpoints of judges: which there are, one in full, registering one, changing its state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from scalebox.api.codec import respond
from scalebox.api.context import CONTEXT, document
from scalebox.errors import UnknownJudgeError
from scalebox.model import NewJudge, NewJudgeState


async def get_judges(request: web.Request) -> web.StreamResponse:
    """`GET /v1/judges`: those that ship, and then those of the store."""
    directory = request.app[CONTEXT].engine.directory
    return respond(request, [*directory.infos(), *await directory.stored()])


async def get_judge(request: web.Request) -> web.StreamResponse:
    """`GET /v1/judges/{name}`: all that is known of one."""
    with _asked_for():
        record = await request.app[CONTEXT].engine.directory.record(request.match_info["name"])
    return respond(request, record)


async def post_judge(request: web.Request) -> web.StreamResponse:
    """`POST /v1/judges`: register one; 201 if it is new, 200 if it was here."""
    engine = request.app[CONTEXT].engine
    new = await document(request, NewJudge)
    engine.check_judge(new.judge)
    record, is_new = await engine.directory.add(new)
    return respond(request, record, status=201 if is_new else 200)


async def post_judge_state(request: web.Request) -> web.StreamResponse:
    """`POST /v1/judges/{name}/state`: promote, retire, quarantine."""
    directory = request.app[CONTEXT].engine.directory
    wish = await document(request, NewJudgeState)
    with _asked_for():
        record = await directory.change(request.match_info["name"], wish)
    return respond(request, record)


@contextmanager
def _asked_for() -> Iterator[None]:
    """What is not there is what was asked for, and no part of it: 404.

    Raises:
        UnknownJudgeError: with that status.
    """
    try:
        yield
    except UnknownJudgeError as error:
        error.http_status = 404
        raise
