"""SandboxFusion's `/run_code` as verl asks it, beside the native batch API in the same rounds.

verl opens a connection for each test of a program, and has 64 under way (volcengine/verl:
verl/utils/reward_score/sandbox_fusion/utils.py).  Here the bytes that it sends are sent by a client
that costs little, so that what is measured is the daemon; both ways get the same programs and
tests, and every output is compared as verl does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
import statistics
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from bench import measure, workloads
from bench.measure import Round, UnexpectedReportError
from bench.workloads import Unit
from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local

#: Requests under way, as verl's `sandbox_fusion_max_concurrent` is by default.
AT_ONCE = 64
WORKLOAD = workloads.TRIVIAL
_BACKLOG_S = 60.0
_HEAD = b"\r\n".join(
    (
        b"POST /run_code HTTP/1.1", b"Host: 127.0.0.1:%d", b"User-Agent: python-requests/2.32.5",
        b"Accept-Encoding: gzip, deflate", b"Accept: application/json", b"Connection: keep-alive",
        b"Content-Type: application/json", b"Content-Length: %d", b"", b"",
    )
)  # fmt: skip


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[AsyncClient, int]]:
    """A daemon of its own that speaks the protocol over TCP, and at which port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    overrides = {"server": {"tcp": f"127.0.0.1:{port}"}, "compat": {"sandboxfusion": "/"}}
    async with async_local(overrides) as client:
        yield client, port


async def ask(client: AsyncClient, port: int, units: Sequence[Unit]) -> Round:
    """One round: a request for each case of each unit.

    Raises:
        UnexpectedReportError: an answer is not that of a right program.
        ScaleboxError: as `measure.round_of`.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def one(unit: Unit, given: str, answer: str) -> None:
        async with room, asyncio.timeout(_BACKLOG_S):
            said = await _post(port, _body(unit, given))
        output = said["run_result"]["stdout"] if said["status"] == "Success" else None
        if output is None or output.rstrip("\n") != answer.rstrip("\n"):
            raise UnexpectedReportError(f"/run_code answered {said} in place of {answer!r}")

    async def work() -> int:
        cases = [(unit, given, answer) for unit in units for given, answer in unit.cases]
        await asyncio.gather(*(one(*case) for case in cases))
        return len(cases)

    return await measure.round_of(client, work)


def _body(unit: Unit, given: str) -> bytes:
    """What verl's `call_sandbox_api` sends."""
    return json.dumps(
        {
            "compile_timeout": 10,
            "run_timeout": 10,
            "code": unit.source,
            "stdin": given,
            "memory_limit_MB": 1024,
            "language": unit.language,
            "files": {},
            "fetch_files": [],
        }
    ).encode()


async def _post(port: int, body: bytes) -> dict[str, Any]:
    """One request on a connection of its own, head and body apart, as `requests` sends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_HEAD % (port, len(body)))
        writer.write(body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = head.split(None, 2)[1]
        length = int(head.partition("content-length:")[2].split(None, 1)[0])
        content = await reader.readexactly(length)
    finally:
        writer.close()
    if status != "200":
        raise UnexpectedReportError(f"/run_code answered {status}: {content[:500]!r}")
    said: dict[str, Any] = msgspec.json.decode(content)
    return said


async def compare(rounds: int, share: float) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Both ways in turn, round after round.

    Parameters:
        rounds: of each.
        share: of the workload's number of submissions.

    Returns:
        The figures, and a row a way: medians.
    """
    rng = random.Random("run_code")
    count = max(4, int(WORKLOAD.submissions * share))
    by_way: dict[str, list[Round]] = {"batch API": [], "/run_code": []}
    async with serving() as (client, port):
        warm = WORKLOAD.make(rng, 8)
        await measure.judge(client, [unit.submission for unit in warm])
        await ask(client, port, warm)
        for _ in range(rounds):
            units = WORKLOAD.make(rng, count)
            by_way["/run_code"].append(await ask(client, port, units))
            units = WORKLOAD.make(rng, count)
            submissions = [unit.submission for unit in units]
            by_way["batch API"].append(await measure.judge(client, submissions))
    pairs = zip(by_way["/run_code"], by_way["batch API"], strict=True)
    figures = {
        "run_code_cases_per_s": statistics.median(one.rate for one in by_way["/run_code"]),
        "run_code_over_batch": statistics.median(one.rate / batch.rate for one, batch in pairs),
        "run_code_daemon_cpu_ms_per_case": _median_ms(by_way["/run_code"], "daemon_s"),
    }
    return figures, [_row(way, done) for way, done in by_way.items()]


def _row(way: str, done: Sequence[Round]) -> dict[str, Any]:
    parts = ("programs", "zygotes", "daemon", "uncounted", "client", "elsewhere")
    return {
        "workload": f"a connection a case, {AT_ONCE} at once",
        "way": way,
        "cases_per_s": statistics.median(one.rate for one in done),
        **{f"{part}_ms": _median_ms(done, f"{part}_s") for part in parts},
        "rounds": len(done),
    }


def _median_ms(done: Sequence[Round], part: str) -> float:
    return statistics.median(one.per_case_ms(float(getattr(one, part))) for one in done)
