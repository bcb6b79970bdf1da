"""The errors that cross room boundaries.

Each carries the fields a program needs and a message that tells a person what was wrong, where,
and what to do.  `code` and `http_status` let the API answer without a table of its own.
"""

from __future__ import annotations


class ScaleboxError(Exception):
    """Base of every error that this package raises on purpose.

    Attributes:
        code: stable, machine-readable name.
        http_status: what the HTTP API answers.
        field: where in the request, if there is a place.
    """

    code = "internal"
    http_status = 500

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class BadRequestError(ScaleboxError):
    """The request does not mean anything; it will fail again if repeated."""

    code = "bad_request"
    http_status = 400


class UnknownLanguageError(BadRequestError):
    """No such language here, or its tool chain is missing."""

    code = "unknown_language"


class UnknownJudgeError(BadRequestError):
    """No judge of that name here."""

    code = "unknown_judge"


class JudgeStateError(ScaleboxError):
    """A judge of the store cannot go from its state to that one."""

    code = "judge_state"
    http_status = 409


class UnknownBlobError(BadRequestError):
    """A blob is referred to that this daemon does not hold (upload it, then ask again)."""

    code = "unknown_blob"


class UnknownProblemError(BadRequestError):
    """No problem is registered under that id."""

    code = "unknown_problem"
    http_status = 404


class TooLargeError(ScaleboxError):
    """A size is over its bound."""

    code = "too_large"
    http_status = 413


class IdempotencyConflictError(ScaleboxError):
    """The idempotency key was used before for different work."""

    code = "idempotency_conflict"
    http_status = 409


class QueueFullError(ScaleboxError):
    """The queue's bound is reached; try again after `retry_after_s` seconds."""

    code = "queue_full"
    http_status = 429

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnavailableError(ScaleboxError):
    """The daemon is draining or not ready."""

    code = "unavailable"
    http_status = 503


class UnauthorizedError(ScaleboxError):
    """The TCP API needs a token that this request lacks."""

    code = "unauthorized"
    http_status = 401


class InternalError(ScaleboxError):
    """We failed; says nothing about the program."""


class ConfigError(ScaleboxError):
    """scalebox.toml or an environment variable says something that cannot be done."""

    code = "config"


class HostError(ScaleboxError):
    """This host cannot give what the configuration demands; the message holds the remedy."""

    code = "host"


class JudgeStoreError(HostError):
    """The file of the store of judges cannot be used; the message holds the remedy."""

    code = "judge_store"


class ConnectionFailedError(ScaleboxError):
    """The client library could not reach a daemon, or lost it, after all its retries."""

    code = "connection"
    http_status = 503


class RemoteError(ScaleboxError):
    """The daemon refused a request; `code`, `field` and `http_status` are its own.

    Attributes:
        retry_after_s: it may be worth asking again after so many seconds; None: it is not.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        http_status: int,
        field: str | None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, field=field)
        self.code = code
        self.http_status = http_status
        self.retry_after_s = retry_after_s
