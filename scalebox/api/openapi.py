"""`/openapi.json`: the native API as an OpenAPI 3.1 document, made from the structures themselves.

The schemas come from msgspec; the table below says which endpoint takes and gives which.  A test
holds the table and the application's routes together.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import msgspec

from scalebox.api.codec import JSON_TYPE, MSGPACK_TYPE, NDJSON_TYPE, STREAM_TYPE
from scalebox.api.messages import Batch, BlobStored, Health, ProblemStored
from scalebox.model import (
    API_VERSION,
    BatchItem,
    ClusterView,
    ErrorBody,
    JudgeInfo,
    JudgeRecord,
    LanguageInfo,
    LanguageTest,
    NewJudge,
    NewJudgeState,
    Problem,
    Report,
    RunRequest,
    RunResult,
    Status,
    Submission,
)


@dataclass(frozen=True)
class Operation:
    """One endpoint.

    Attributes:
        method, path: as in HTTP; `{name}` is a parameter of the path.
        summary: one line for people.
        body: what is sent: a structure, `bytes`, or None.
        body_types: media types of the body.
        answers: status → structure (None: no body; `bytes`: text).
        answer_types: media types of the answer.
    """

    method: str
    path: str
    summary: str
    body: Any = None
    body_types: tuple[str, ...] = (JSON_TYPE, MSGPACK_TYPE)
    answers: dict[int, Any] = field(default_factory=dict)
    answer_types: tuple[str, ...] = (JSON_TYPE, MSGPACK_TYPE)


OPERATIONS = (
    Operation("POST", "/v1/judge", "Judge one submission", Submission, answers={200: Report}),
    Operation(
        "POST",
        "/v1/judge/batch",
        "Judge many submissions; the answer streams one item a submission, as each gets ready",
        Batch,
        (JSON_TYPE, MSGPACK_TYPE, NDJSON_TYPE, STREAM_TYPE),
        {200: BatchItem},
        (NDJSON_TYPE, STREAM_TYPE),
    ),
    Operation("POST", "/v1/run", "Run without judging", RunRequest, answers={200: RunResult}),
    Operation(
        "PUT",
        "/v1/blobs/{sha256}",
        "Upload bytes under their SHA-256",
        bytes,
        ("application/octet-stream",),
        {201: BlobStored, 200: BlobStored},
    ),
    Operation(
        "HEAD", "/v1/blobs/{sha256}", "Whether a blob is here", answers={200: None, 404: None}
    ),
    Operation(
        "PUT",
        "/v1/problems/{id}",
        "Register a problem",
        Problem,
        answers={200: ProblemStored},
    ),
    Operation("GET", "/v1/problems/{id}", "A registered problem", answers={200: Problem}),
    Operation("GET", "/v1/status", "Slots, queue and counters", answers={200: Status}),
    Operation("GET", "/v1/cluster", "The other daemons", answers={200: ClusterView}),
    Operation("GET", "/v1/languages", "What can be run here", answers={200: list[LanguageInfo]}),
    Operation(
        "GET",
        "/v1/languages/tests",
        "Submissions that show whether the languages here work",
        answers={200: list[LanguageTest]},
    ),
    Operation("GET", "/v1/judges", "Judges that can be named", answers={200: list[JudgeInfo]}),
    Operation(
        "POST",
        "/v1/judges",
        "Register a judge",
        NewJudge,
        answers={201: JudgeRecord, 200: JudgeRecord},
    ),
    Operation("GET", "/v1/judges/{name}", "A judge in full", answers={200: JudgeRecord}),
    Operation(
        "POST",
        "/v1/judges/{name}/state",
        "Promote, retire or quarantine a judge",
        NewJudgeState,
        answers={200: JudgeRecord},
    ),
    Operation("GET", "/healthz", "Whether new work is taken", answers={200: Health, 503: Health}),
    Operation(
        "GET",
        "/metrics",
        "Prometheus metrics",
        answers={200: bytes},
        answer_types=("text/plain",),
    ),
    Operation(
        "GET",
        "/openapi.json",
        "This document",
        answers={200: dict[str, Any]},
        answer_types=(JSON_TYPE,),
    ),
)


@functools.cache
def document() -> bytes:
    """The document, as JSON."""
    kinds = _structures()
    schemas, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    by_kind = {repr(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(
            operation, by_kind
        )
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "ScaleBox",
                "version": API_VERSION,
                "description": "Runs untrusted submissions in sandboxes and judges them.",
            },
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
            # Over TCP with tokens configured; the Unix socket needs none.
            "security": [{"token": []}, {}],
        }
    )


def _structures() -> list[Any]:
    kinds: dict[str, Any] = {repr(ErrorBody): ErrorBody}
    for operation in OPERATIONS:
        for kind in (operation.body, *operation.answers.values()):
            if kind is not None and kind is not bytes:
                kinds[repr(kind)] = kind
    return list(kinds.values())


def _describe(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    def content(kind: Any, media_types: tuple[str, ...]) -> dict[str, Any]:
        if kind is bytes:
            schema: Any = {"type": "string", "contentEncoding": "binary"}
        else:
            schema = schemas[repr(kind)]
        return {media_type: {"schema": schema} for media_type in media_types}

    responses: dict[str, Any] = {}
    for status, kind in operation.answers.items():
        responses[str(status)] = {"description": "as asked" if status < 300 else "refused"}
        if kind is not None:
            responses[str(status)]["content"] = content(kind, operation.answer_types)
    responses["default"] = {
        "description": "refused; `error` is a stable code, `field` says where in the request",
        "content": content(ErrorBody, (JSON_TYPE, MSGPACK_TYPE)),
    }
    described: dict[str, Any] = {"summary": operation.summary, "responses": responses}
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": content(operation.body, operation.body_types),
        }
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    if names:
        described["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ]
    return described
