"""Judges to be kept, and stores in real files, in few words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scalebox.judges.catalogue import Catalogue
from scalebox.judges.directory import shipped
from scalebox.judges.names import StoreName, parse
from scalebox.judges.service import Threshold
from scalebox.judges.store import Bounds, JudgeStore
from scalebox.model import (
    FunctionJudge,
    JudgeState,
    NewJudge,
    NewJudgeState,
    Provenance,
    StorableJudge,
)

BOUNDS = Bounds(stored=1000, file_bytes=64 << 20, judge_bytes=100_000, proof_bytes=10_000)
CANDIDATE, PROVEN, ACTIVE = JudgeState.CANDIDATE, JudgeState.PROVEN, JudgeState.ACTIVE
RETIRED, QUARANTINED = JudgeState.RETIRED, JudgeState.QUARANTINED
PROOF = {"asked": 12, "rates": [0.5, None], "by": {"kind": "test"}}


def function(returns: object = True) -> FunctionJudge:
    """One of many."""
    return FunctionJudge(source=f"def judge(input, output, answer):\n    return {returns!r}\n")


def new(judge: StorableJudge | None = None, problem: str | None = "p", **more: Any) -> NewJudge:
    """A judge that is not registered yet; with a proof if its state asks for one."""
    if more.get("state") in (PROVEN, ACTIVE):
        more.setdefault("proof", PROOF)
    more.setdefault("provenance", Provenance(source="generated", model="m"))
    return NewJudge(judge=judge or function(), problem=problem, **more)


def to(state: JudgeState, **more: Any) -> NewJudgeState:
    """A wish."""
    return NewJudgeState(state=state, **more)


def named(name: str) -> StoreName:
    """What a name of the store says."""
    found = parse(name)
    assert found is not None
    return found


def opened(file: Path, **bounds: int) -> JudgeStore:
    """The store in that file."""
    chosen = {name: getattr(BOUNDS, name) for name in BOUNDS.__slots__} | bounds
    return JudgeStore(file, Bounds(**chosen))


def catalogue(file: Path, failures: int = 3, rate: float = 0.5) -> Catalogue:
    """The store in that file, and the judges that ship."""
    return Catalogue(shipped(), opened(file), Threshold(failures, rate))
