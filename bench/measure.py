"""Measuring one round: the daemon's way and its rivals' way, of the same work.

A round gives wall time, and CPU time by who spent it.  The client is this process; what it spends
is told apart, because a trainer's own cores are its own business.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import anyio

from bench import processes
from bench.workloads import Unit
from scalebox.client.aio import AsyncClient
from scalebox.errors import ScaleboxError
from scalebox.model import Status, Submission

_RIVAL = Path(__file__).with_name("rival.py")
_LINE_BYTES = 1 << 28
_SLOTS_UP_S = 30.0


class UnexpectedReportError(ScaleboxError):
    """A program of the benchmark was not judged as it must be: its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one way.

    Attributes:
        cases: judged.
        wall_s: from the first byte sent to the last answer.
        programs_s, zygotes_s, daemon_s, client_s: CPU seconds; only `programs_s` for rivals.
        uncounted_s: CPU seconds that the kernel saw in the daemon and its slots and that are in
            none of the daemon's counters: overhead, for nothing shows that a program wanted it.
        machine_s: CPU seconds of everything on this machine meanwhile.
        right: cases that were found right.
    """

    cases: int
    wall_s: float
    programs_s: float
    zygotes_s: float = 0.0
    daemon_s: float = 0.0
    client_s: float = 0.0
    uncounted_s: float = 0.0
    machine_s: float = 0.0
    right: int = 0

    @property
    def rate(self) -> float:
        """Cases per second."""
        return self.cases / self.wall_s

    @property
    def service_s(self) -> float:
        """CPU seconds of all processes but the client's."""
        return self.programs_s + self.zygotes_s + self.daemon_s + self.uncounted_s

    @property
    def elsewhere_s(self) -> float:
        """What the machine worked besides: other people's work, and the kernel's own threads."""
        return max(0.0, self.machine_s - self.service_s - self.client_s)

    def per_case_ms(self, seconds: float) -> float:
        """Seconds of the round as milliseconds a case."""
        return 1000 * seconds / self.cases


async def judge(client: AsyncClient, submissions: Sequence[Submission]) -> Round:
    """Send submissions that must all be accepted.

    Raises:
        UnexpectedReportError: one is not.
        ScaleboxError: as `round_of`.
    """

    async def work() -> int:
        return await _accepted(client, submissions)

    return await round_of(client, work)


async def _accepted(client: AsyncClient, submissions: Sequence[Submission]) -> int:
    cases = 0
    stream = client.judge_many(submissions)
    async with aclosing(stream):
        async for index, report in stream:
            if not report.accepted or report.passed != report.total:
                bad = next((case for case in report.cases if case.verdict != "accepted"), None)
                words = report.message or (f"{bad.name}: {bad.message}" if bad else "")
                where = submissions[index].problem or submissions[index].source[:80]
                raise UnexpectedReportError(
                    f"{report.verdict.value}, {report.passed}/{report.total} ({words}) for the "
                    f"{submissions[index].language} submission to {where!r}, which must be accepted"
                )
            cases += report.total
    return cases


async def round_of(client: AsyncClient, work: Callable[[], Awaitable[int]]) -> Round:
    """One round of the daemon's.

    Parameters:
        client: of the daemon that does it; it alone works meanwhile.
        work: gives the number of cases that were judged, all of them as they must be.

    Raises:
        ScaleboxError: a slot was replaced meanwhile, so that the kernel's accounts are cut off.
    """
    pid = processes.daemon_pid(client.address)
    status = await all_slots_up(client)
    slots = [slot.pid for slot in status.slots]
    kernel, before = kernel_cpu_s(pid, slots), status.counters
    machine, cpu, started = processes.machine_cpu_s(), time.process_time(), time.perf_counter()
    cases = await work()
    wall_s, client_s = time.perf_counter() - started, time.process_time() - cpu
    machine_s = processes.machine_cpu_s() - machine
    status = await client.status()
    if [slot.pid for slot in status.slots] != slots:
        raise ScaleboxError("a slot was replaced during a round of the benchmark: run it again")
    kernel, after = kernel_cpu_s(pid, slots) - kernel, status.counters
    spent = {name: after[name] - before[name] for name in after if name in before}
    counted = spent["program_cpu_s"] + spent["zygote_cpu_s"] + spent["daemon_cpu_s"]
    return Round(
        cases,
        wall_s,
        programs_s=spent["program_cpu_s"],
        zygotes_s=spent["zygote_cpu_s"],
        daemon_s=spent["daemon_cpu_s"],
        client_s=client_s,
        # The kernel's clock ticks are coarser than the counters: a short round can end below 0.
        uncounted_s=max(0.0, kernel - counted),
        machine_s=machine_s,
        right=cases,
    )


async def all_slots_up(client: AsyncClient) -> Status:
    """Wait until all are there; a daemon is ready with its first, and judges meanwhile."""
    with anyio.fail_after(_SLOTS_UP_S):
        while True:
            status = await client.status()
            if all(slot.pid and slot.state != "starting" for slot in status.slots):
                return status
            await anyio.sleep(0.05)


def kernel_cpu_s(pid: int, slots: Sequence[int]) -> float:
    """CPU seconds of a daemon, its zygotes and all programs so far, by the kernel's accounting.

    Every program is reaped by its slot's zygote, and so ends up in the zygote's account.
    """
    return processes.cpu_s(pid, reaped=False) + sum(
        processes.cpu_s(slot, reaped=True) for slot in slots
    )


class Rivals:
    """As many rival workers as cores.  Made by `rivals`."""

    def __init__(self, workers: list[asyncio.subprocess.Process]) -> None:
        self._workers = workers

    async def run(self, mode: str, units: Sequence[Unit], *, all_right: bool = True) -> Round:
        """Run the units, dealt out evenly.

        Parameters:
            mode: see `bench/rival.py`.
            units: for `native`, `source` is the path of the binary.
            all_right: whether the rival's plain comparison must find every output right.

        Raises:
            UnexpectedReportError: it must, and does not.
        """
        count = len(self._workers)
        requests = []
        for number in range(count):
            submissions = [
                {"source": unit.source, "cases": unit.cases} for unit in units[number::count]
            ]
            requests.append(json.dumps({"mode": mode, "submissions": submissions}).encode())
        started = time.perf_counter()
        answers = await asyncio.gather(*map(_ask, self._workers, requests))
        wall_s = time.perf_counter() - started
        cases = sum(len(unit.cases) for unit in units)
        right = sum(int(answer["right"]) for answer in answers)
        if all_right and right != cases:
            raise UnexpectedReportError(f"the rival {mode} got {right} of {cases} cases right")
        programs_s = sum(answer["programs_cpu_s"] for answer in answers)
        return Round(cases, wall_s, programs_s, right=right)


async def _ask(worker: asyncio.subprocess.Process, request: bytes) -> dict[str, float]:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(request + b"\n")
    await worker.stdin.drain()
    line = await worker.stdout.readline()
    if not line:
        raise ScaleboxError("a rival worker of the benchmark died; its error is above")
    answer: dict[str, float] = json.loads(line)
    return answer


@contextlib.asynccontextmanager
async def rivals(interpreter: str) -> AsyncIterator[Rivals]:
    """Start the workers; stop them at the end of the block."""
    workers = [
        await asyncio.create_subprocess_exec(
            interpreter, str(_RIVAL), stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, limit=_LINE_BYTES,
        )
        for _ in os.sched_getaffinity(0)
    ]  # fmt: skip
    try:
        yield Rivals(workers)
    finally:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
        for worker in workers:
            await worker.wait()
