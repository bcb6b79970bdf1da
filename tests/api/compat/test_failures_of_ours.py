"""What each protocol says of a run that failed for reasons of ours: never that it was wrong."""

from __future__ import annotations

from typing import Any

import pytest

from scalebox.api.compat import code_judge, judge0, open_instruct, piston, piston_contests
from scalebox.api.compat.protocols import PROTOCOLS
from scalebox.api.compat.serving import DeadlineError
from scalebox.errors import (
    InternalError,
    QueueFullError,
    ScaleboxError,
    UnavailableError,
)
from scalebox.model import (
    CaseResult,
    Comparison,
    Enforcement,
    IsolationLevel,
    LanguageInfo,
    Limits,
    Report,
    RunResult,
    RunStatus,
    Verdict,
)
from tests.api.fake import serving

HOST = {"isolation": IsolationLevel.FULL, "enforcement": Enforcement.CGROUP2}
FAILED = RunResult(status=RunStatus.INTERNAL_ERROR, message="the disk is full", **HOST)


async def test_code_judge_has_a_reason_for_it() -> None:
    said = await code_judge._ran("id", FAILED, "42")
    assert said.reason == "internal_error"
    assert not said.success


async def test_judge0_has_a_status_for_it() -> None:
    status = await judge0._status(FAILED, "42")
    assert judge0.STATUSES[status] == "Internal Error"
    values = judge0._values(judge0.Wanted(source_code="", language_id=71), FAILED, status)
    assert values["message"] == b"the disk is full"
    assert values["stdout"] is None


def test_open_instruct_gets_no_zeros() -> None:
    for verdict in (Verdict.INTERNAL_ERROR, Verdict.CANCELLED, Verdict.JUDGE_ERROR):
        with pytest.raises(InternalError):
            open_instruct._require_decided(
                [CaseResult(verdict=Verdict.ACCEPTED), CaseResult(verdict=verdict)]
            )
    with pytest.raises(InternalError, match="disk"):
        open_instruct._executed(FAILED, 1.0)


def test_piston_asks_to_be_asked_again() -> None:
    runtime = LanguageInfo(name="python", aliases=[], available=True, toolchain="3.11.2")
    with pytest.raises(InternalError, match="disk"):
        piston._executed(runtime, FAILED)
    task = piston_contests.Task(
        language="python",
        source="",
        files={},
        input="",
        answer="",
        judge=Comparison(),
        time_limit="1",
        memory_limit="256MB",
        limits=Limits(),
    )
    case = CaseResult(verdict=Verdict.INTERNAL_ERROR, message="the disk is full")
    report = Report(verdict=case.verdict, passed=0, total=1, cases=[case], **HOST)
    with pytest.raises(InternalError, match="disk"):
        piston_contests._judged(task, report)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda one: one.name)
@pytest.mark.parametrize(
    "error",
    [
        InternalError("we failed"),
        DeadlineError("no time left"),
        QueueFullError("full", retry_after_s=1.0),
        UnavailableError("shutting down"),
    ],
    ids=lambda one: one.code,
)
def test_refusals_are_what_clients_ask_again_after(protocol: Any, error: ScaleboxError) -> None:
    response = protocol.refuse(None, error)
    assert response.status >= 500


@pytest.mark.parametrize("source", ["internal", "boom"])
async def test_verl_asks_again_after_it(source: str) -> None:
    async with serving(compat={"sandboxfusion": "/"}) as server:
        body = {"code": source, "language": "python"}
        async with server.tcp.post("/run_code", json=body) as response:
            assert response.status == 504
            assert (await response.json())["status"] == "SandboxError"
