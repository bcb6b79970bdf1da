"""What the other structures are made of: units, names, verdicts, data."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

#: Version of the native API; part of every report so that a stored number can be traced.
API_VERSION = "1"
Seconds = Annotated[float, Meta(gt=0, le=86_400, description="seconds")]
Bytes = Annotated[int, Meta(gt=0, le=1 << 50, description="bytes")]
#: Of a run.  With less no program can start: not a limit, but a mistake in its unit.
RunSeconds = Annotated[float, Meta(ge=0.01, le=86_400, description="seconds")]
RunMemory = Annotated[int, Meta(ge=4 << 20, le=1 << 50, description="bytes")]
# Python's `$` also matches before a line feed at the end, JSON Schema's does not.
SHA256_PATTERN = r"^[0-9a-f]{64}(?!\n)$"
IDENTIFIER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:@/+-]*(?!\n)$"
Sha256 = Annotated[str, Meta(pattern=SHA256_PATTERN, description="lower-case hex SHA-256")]
Identifier = Annotated[str, Meta(min_length=1, max_length=200, pattern=IDENTIFIER_PATTERN)]


class Verdict(enum.StrEnum):
    """What was decided about a case or a whole submission (DESIGN: the field's own words)."""

    ACCEPTED = "accepted"
    WRONG_ANSWER = "wrong_answer"
    TIME_LIMIT_EXCEEDED = "time_limit_exceeded"
    MEMORY_LIMIT_EXCEEDED = "memory_limit_exceeded"
    OUTPUT_LIMIT_EXCEEDED = "output_limit_exceeded"
    RUNTIME_ERROR = "runtime_error"
    COMPILE_ERROR = "compile_error"
    JUDGE_ERROR = "judge_error"
    INTERNAL_ERROR = "internal_error"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def is_about_the_program(self) -> bool:
        """False where the verdict says that we, or a judge, failed or never looked."""
        return self not in _NOT_ABOUT_THE_PROGRAM


_NOT_ABOUT_THE_PROGRAM = frozenset(
    {Verdict.JUDGE_ERROR, Verdict.INTERNAL_ERROR, Verdict.SKIPPED, Verdict.CANCELLED}
)


class IsolationLevel(enum.StrEnum):
    """Which walls stand around a program, strongest first."""

    FULL = "full"
    USER = "user"
    MINIMAL = "minimal"


class Enforcement(enum.StrEnum):
    """Which kernel mechanism enforces and measures limits, most exact first."""

    CGROUP2 = "cgroup2"
    CGROUP1 = "cgroup1"
    RLIMIT = "rlimit"


class Integrity(enum.StrEnum):
    """`strong`: forging a result gains nothing.  `weak`: the test trusted its process or word."""

    STRONG = "strong"
    WEAK = "weak"


class Blob(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bytes that are not plain text in the request: given here, or uploaded before.

    Exactly one of the two must be set.

    Attributes:
        sha256: content address of a blob sent earlier with `PUT /v1/blobs/{sha256}`.
        data: the bytes themselves (base64 in JSON, binary in msgpack).
    """

    sha256: Sha256 | None = None
    data: bytes | None = None

    def __post_init__(self) -> None:
        if (self.sha256 is None) == (self.data is None):
            raise ValueError("a blob has either `sha256` or `data`, and not both")


#: Text (UTF-8 on its way to the program) or a blob.
Data = str | Blob


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Bounds on one run.  What is unset comes from the daemon's configuration.

    Attributes:
        cpu_time_s: CPU time of the program and all its descendants, from the kernel; from 0.01.
        wall_time_s: ends sleepers and deadlocks; unset, it follows from `cpu_time_s`; from 0.01.
        memory_bytes: memory of the program and all its descendants; from 4 MiB.
        output_bytes: size of standard output, and of standard error, each.
        file_bytes: what the program may write to its working directory and /tmp together.
        processes: processes and threads alive at once.
        open_files: file descriptors of one process.
    """

    cpu_time_s: RunSeconds | None = None
    wall_time_s: RunSeconds | None = None
    memory_bytes: RunMemory | None = None
    output_bytes: Bytes | None = None
    file_bytes: Bytes | None = None
    processes: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    open_files: Annotated[int, Meta(ge=4, le=1_000_000)] | None = None


def to_bytes(data: str | bytes) -> bytes:
    """Text as the UTF-8 that the program reads; bytes unchanged.

    Lone surrogates come over no wire; text made here passes as what `surrogatepass` gives.
    """
    return data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")


_DIGEST_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


def canonical_bytes(value: Any) -> bytes:
    """A deterministic encoding of a structure, for hashing and for comparing requests."""
    return _DIGEST_ENCODER.encode(value)
