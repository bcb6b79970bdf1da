"""One run, awaited: for compilations, plain runs, and whatever else is not a case of a batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from scalebox.engine import verdicts
from scalebox.engine.jobs import Job
from scalebox.engine.scheduler import Scheduler
from scalebox.errors import InternalError
from scalebox.sandbox.spec import RunOutcome, RunSpec


async def execute(
    scheduler: Scheduler,
    make: Callable[[], RunSpec],
    *,
    client: str,
    priority: int,
    memory_bytes: int,
    retries: int,
) -> RunOutcome:
    """Run a program once, on another slot again if one fails it.

    Parameters:
        make: gives the spec, once for each attempt.
        client, priority, memory_bytes: as in `Job`.
        retries: further attempts after a failure of ours.

    Returns:
        the outcome, which the caller closes.

    Raises:
        InternalError: every attempt failed for reasons of ours.
        asyncio.CancelledError: the run was stopped because the caller was.
    """
    reason, avoid, age = "", -1, scheduler.next_age()
    for _ in range(retries + 1):
        future: asyncio.Future[RunOutcome | None] = asyncio.get_running_loop().create_future()
        job = Job(client, priority, memory_bytes, make, future.set_result, age=age)
        job.avoid = avoid
        scheduler.submit([job])
        try:
            outcome = await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                late = future.result()
                if late is not None:
                    late.close()
            else:
                scheduler.cancel(job)
            raise
        avoid = job.avoid
        if outcome is None:
            reason = job.reason
        elif verdicts.is_our_failure(outcome):
            reason = outcome.message or "the program could not be started"
            outcome.close()
        else:
            return outcome
    raise InternalError(f"a run failed {retries + 1} times for reasons of ours: {reason}")
