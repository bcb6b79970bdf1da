"""Runs that are put off until they can be alone: whose is next, and which have waited enough."""

from __future__ import annotations

from scalebox.engine.jobs import Job


class PutOff:
    """Jobs that were due and wait for something else than their turn, by client.

    Clients take turns, so that nobody's jobs keep those of others from being had in time.
    """

    def __init__(self) -> None:
        #: In the order of their turns: each one's jobs, the oldest first.
        self._clients: dict[str, dict[Job, None]] = {}
        self._number = 0

    def __len__(self) -> int:
        return self._number

    def __contains__(self, job: Job) -> bool:
        return job in self._clients.get(job.client, ())

    def of(self, client: str) -> int:
        """How many of a client's wait."""
        return len(self._clients.get(client, ()))

    def add(self, job: Job) -> None:
        """A job begins to wait, until `Job.alone_until`."""
        self._clients.setdefault(job.client, {})[job] = None
        self._number += 1

    def remove(self, job: Job) -> None:
        """A job waits no more."""
        jobs = self._clients[job.client]
        del jobs[job]
        self._number -= 1
        if not jobs:
            del self._clients[job.client]

    def take(self) -> Job:
        """The oldest job of the client whose turn it is; not asked where there is none."""
        client, jobs = next(iter(self._clients.items()))
        job = next(iter(jobs))
        del self._clients[client]
        self._clients[client] = jobs
        self.remove(job)
        return job

    def overdue(self, now: float) -> list[Job]:
        """Those that have waited long enough; they wait no more."""
        found = [job for jobs in self._clients.values() for job in jobs if job.alone_until <= now]
        for job in found:
            self.remove(job)
        return found
