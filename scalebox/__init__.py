"""ScaleBox decides whether code is right.

The public names, and nothing else.  Each is imported from its room when it is first used, so that
`import scalebox` costs a daemon or a judge nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scalebox.client.aio import AsyncClient
    from scalebox.client.local import async_local, local
    from scalebox.client.problems import load_problem, load_problems
    from scalebox.client.sync import Client
    from scalebox.errors import ConnectionFailedError, RemoteError, ScaleboxError
    from scalebox.extraction import extract_code
    from scalebox.model import (
        AssertCase,
        AssertTests,
        Blob,
        CallCase,
        CallTests,
        CaseResult,
        Comparison,
        FunctionJudge,
        InteractiveCase,
        InteractiveTests,
        JudgeRecord,
        JudgeState,
        Limits,
        NamedJudge,
        OutputCase,
        OutputTests,
        Problem,
        ProgramJudge,
        Provenance,
        Report,
        RunRequest,
        RunResult,
        StdioCase,
        StdioTests,
        Submission,
        Verdict,
    )
    from scalebox.rewards import RewardShape, pick_cases, reward_of

__version__ = "0.1.0"

__all__ = [
    "AssertCase",
    "AssertTests",
    "AsyncClient",
    "Blob",
    "CallCase",
    "CallTests",
    "CaseResult",
    "Client",
    "Comparison",
    "ConnectionFailedError",
    "FunctionJudge",
    "InteractiveCase",
    "InteractiveTests",
    "JudgeRecord",
    "JudgeState",
    "Limits",
    "NamedJudge",
    "OutputCase",
    "OutputTests",
    "Problem",
    "ProgramJudge",
    "Provenance",
    "RemoteError",
    "Report",
    "RewardShape",
    "RunRequest",
    "RunResult",
    "ScaleboxError",
    "StdioCase",
    "StdioTests",
    "Submission",
    "Verdict",
    "__version__",
    "async_local",
    "extract_code",
    "load_problem",
    "load_problems",
    "local",
    "pick_cases",
    "reward_of",
]

#: Name → module; names that are not here are in `scalebox.model`.
_MODULES = {
    "AsyncClient": "scalebox.client.aio",
    "Client": "scalebox.client.sync",
    "ConnectionFailedError": "scalebox.errors",
    "RemoteError": "scalebox.errors",
    "RewardShape": "scalebox.rewards",
    "ScaleboxError": "scalebox.errors",
    "async_local": "scalebox.client.local",
    "extract_code": "scalebox.extraction",
    "load_problem": "scalebox.client.problems",
    "load_problems": "scalebox.client.problems",
    "local": "scalebox.client.local",
    "pick_cases": "scalebox.rewards",
    "reward_of": "scalebox.rewards",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULES.get(name, "scalebox.model")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
