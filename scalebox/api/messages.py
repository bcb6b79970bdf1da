"""The few messages of the HTTP API that no other room needs."""

from __future__ import annotations

from msgspec import Struct

from scalebox.model import Submission


class Batch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/judge/batch`, when it is one document.

    Attributes:
        submissions: judged independently; answered in the order in which they get ready.
    """

    submissions: list[Submission]


class BlobStored(Struct, frozen=True, kw_only=True):
    """The answer of `PUT /v1/blobs/{sha256}`.

    Attributes:
        sha256: the address.
        size: bytes.
        created: False if the blob was here already.
    """

    sha256: str
    size: int
    created: bool


class ProblemStored(Struct, frozen=True, kw_only=True):
    """The answer of `PUT /v1/problems/{id}`.

    Attributes:
        id: the id to submit with.
        version: SHA-256 of the problem's canonical encoding; equal problems have equal versions.
    """

    id: str
    version: str


class Health(Struct, frozen=True, kw_only=True):
    """The answer of `GET /healthz`: `ok`, or `draining` with status 503."""

    status: str
