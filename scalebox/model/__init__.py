"""The vocabulary of every room: submissions, tests, limits, judges, results.

These structures are what crosses a boundary (a socket, a room, a file).  They hold data and the few
facts that follow from it; how anything is run, compared or scheduled is decided elsewhere.  On the
wire they are JSON or msgpack; unknown fields are refused so that a misspelt limit is never ignored.
"""

from __future__ import annotations

from scalebox.model.answers import (
    BatchItem,
    CaseResult,
    CompileResult,
    ErrorBody,
    Report,
    RunResult,
    RunStatus,
)
from scalebox.model.basics import (
    API_VERSION,
    IDENTIFIER_PATTERN,
    SHA256_PATTERN,
    Blob,
    Bytes,
    Data,
    Enforcement,
    Identifier,
    Integrity,
    IsolationLevel,
    Limits,
    RunMemory,
    RunSeconds,
    Seconds,
    Sha256,
    Verdict,
    canonical_bytes,
    to_bytes,
)
from scalebox.model.judges import Comparison, Contract, FunctionJudge, Judge, ProgramJudge
from scalebox.model.requests import (
    RunRequest,
    StopRule,
    Submission,
)
from scalebox.model.status import (
    LanguageInfo,
    SlotStatus,
    Status,
)
from scalebox.model.tests import (
    AssertCase,
    AssertTests,
    CallCase,
    CallTests,
    InteractiveCase,
    InteractiveTests,
    Problem,
    StdioCase,
    StdioTests,
    Tests,
)

__all__ = [
    "API_VERSION",
    "IDENTIFIER_PATTERN",
    "SHA256_PATTERN",
    "AssertCase",
    "AssertTests",
    "BatchItem",
    "Blob",
    "Bytes",
    "CallCase",
    "CallTests",
    "CaseResult",
    "Comparison",
    "CompileResult",
    "Contract",
    "Data",
    "Enforcement",
    "ErrorBody",
    "FunctionJudge",
    "Identifier",
    "Integrity",
    "InteractiveCase",
    "InteractiveTests",
    "IsolationLevel",
    "Judge",
    "LanguageInfo",
    "Limits",
    "Problem",
    "ProgramJudge",
    "Report",
    "RunMemory",
    "RunRequest",
    "RunResult",
    "RunSeconds",
    "RunStatus",
    "Seconds",
    "Sha256",
    "SlotStatus",
    "Status",
    "StdioCase",
    "StdioTests",
    "StopRule",
    "Submission",
    "Tests",
    "Verdict",
    "canonical_bytes",
    "to_bytes",
]
