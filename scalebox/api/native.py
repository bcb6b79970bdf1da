"""The native API's endpoints: judge, run, blobs, problems, and what to watch.

Batches and judges have modules of their own.
"""

from __future__ import annotations

from contextlib import aclosing

from aiohttp import web

from scalebox.api import codec, metrics, openapi
from scalebox.api.codec import respond
from scalebox.api.context import CONTEXT, ApiContext, client_of, document
from scalebox.api.edge import refuse
from scalebox.api.messages import BlobStored, Health, ProblemStored
from scalebox.errors import UnknownBlobError, UnknownProblemError
from scalebox.model import Blob, Data, Identifier, Problem, RunRequest, StdioTests, Submission


async def judge(request: web.Request) -> web.StreamResponse:
    """`POST /v1/judge`: one submission → its report."""
    submission = await document(request, Submission)
    return respond(request, await request.app[CONTEXT].judge(submission, client_of(request)))


async def run(request: web.Request) -> web.StreamResponse:
    """`POST /v1/run`: run one program without judging."""
    wanted = await document(request, RunRequest)
    return respond(request, await request.app[CONTEXT].run(wanted, client_of(request)))


async def put_blob(request: web.Request) -> web.StreamResponse:
    """`PUT /v1/blobs/{sha256}`: the raw bytes; 201 if they are new, 200 if they were here."""
    context = request.app[CONTEXT]
    blobs = context.engine.blobs
    sha256 = request.match_info["sha256"]
    chunks = codec.body_chunks(request, context.config.server.max_request_bytes)
    async with aclosing(chunks):
        created = await blobs.put(sha256, chunks)
        if not created:
            # Take the rest off the connection, which else could not carry another request.
            async for _ in chunks:
                pass
    size = blobs.size(sha256)
    return respond(
        request,
        BlobStored(sha256=sha256, size=size, created=created),
        status=201 if created else 200,
    )


async def head_blob(request: web.Request) -> web.StreamResponse:
    """`HEAD /v1/blobs/{sha256}`: 200 with its size as Content-Length, or 404."""
    try:
        size = request.app[CONTEXT].engine.blobs.size(request.match_info["sha256"])
    except UnknownBlobError:
        return web.Response(status=404)
    return web.Response(
        headers={"Content-Length": str(size), "Content-Type": "application/octet-stream"}
    )


async def put_problem(request: web.Request) -> web.StreamResponse:
    """`PUT /v1/problems/{id}`: register tests, limits and judge under an id."""
    context = request.app[CONTEXT]
    id = codec.convert(Identifier, request.match_info["id"], "id")
    problem = await document(request, Problem)
    _require_blobs(context, problem)
    context.engine.check_problem(problem)
    version = await context.engine.problems.put(id, problem)
    return respond(request, ProblemStored(id=id, version=version))


async def get_problem(request: web.Request) -> web.StreamResponse:
    """`GET /v1/problems/{id}`: what was registered; its version is the ETag."""
    problems = request.app[CONTEXT].engine.problems
    id = request.match_info["id"]
    try:
        return respond(request, problems.get(id), headers={"ETag": f'"{problems.version(id)}"'})
    except UnknownProblemError as error:
        error.field = "id"
        return refuse(request, error)


async def get_status(request: web.Request) -> web.StreamResponse:
    """`GET /v1/status`: slots, queue, counters."""
    return respond(request, request.app[CONTEXT].engine.status())


async def get_cluster(request: web.Request) -> web.StreamResponse:
    """`GET /v1/cluster`: the other daemons, as this one sees them."""
    return respond(request, request.app[CONTEXT].engine.cluster())


async def get_languages(request: web.Request) -> web.StreamResponse:
    """`GET /v1/languages`: what can be run here, and what is missing."""
    return respond(request, request.app[CONTEXT].engine.languages())


async def get_language_tests(request: web.Request) -> web.StreamResponse:
    """`GET /v1/languages/tests`: submissions that show whether the languages here work."""
    return respond(request, request.app[CONTEXT].engine.language_tests())


async def healthz(request: web.Request) -> web.StreamResponse:
    """`GET /healthz`: 200 while new work is taken, else 503."""
    context = request.app[CONTEXT]
    if context.draining or context.engine.status().draining:
        return respond(request, Health(status="draining"), status=503)
    return respond(request, Health(status="ok"))


async def get_metrics(request: web.Request) -> web.StreamResponse:
    """`GET /metrics`: for Prometheus."""
    body, content_type = metrics.render(request.app[CONTEXT])
    return web.Response(body=body, headers={"Content-Type": content_type})


async def get_openapi(request: web.Request) -> web.StreamResponse:
    """`GET /openapi.json`: this API, for machines."""
    return web.Response(body=openapi.document(), headers={"Content-Type": codec.JSON_TYPE})


def _require_blobs(context: ApiContext, problem: Problem) -> None:
    """A problem that names blobs which are not here would fail every submission to it."""
    if not isinstance(problem.tests, StdioTests):
        return
    for index, case in enumerate(problem.tests.cases):
        sides: tuple[tuple[str, Data], ...] = (("input", case.input), ("answer", case.answer))
        for side, data in sides:
            if isinstance(data, Blob) and data.sha256 and not context.engine.blobs.has(data.sha256):
                raise UnknownBlobError(
                    f"no blob {data.sha256} here; upload it with PUT /v1/blobs/{data.sha256} first",
                    field=f"tests.cases[{index}].{side}",
                )
