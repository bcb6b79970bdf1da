"""Whose run is next: a queue that is fair between clients, in CPU seconds.

Every client has a virtual clock that its runs push forward, and the one whose clock is furthest
behind is due (start-time fair queueing).  A run is charged what its client's runs cost of late when
it is taken, and the truth when it is over.  A client that comes new, or returns, starts at the
common clock: it is served at once, and idleness earns nothing.  Within a client the priority
decides, then age.

Nothing here knows of slots, memory or time: the scheduler does.
"""

from __future__ import annotations

import heapq
import itertools

from scalebox.engine.jobs import Job

#: What a client's first run is thought to cost.
_FIRST_ESTIMATE_S = 0.002
#: Weight of the newest run in the estimate of the next one.
_NEWEST_SHARE = 0.2
#: Idle clients whose clocks are ahead of the common one are remembered, so that leaving and coming
#: back under the same name gains nothing; more of them than this are not.
REMEMBERED_CLIENTS = 10_000
#: Withdrawn jobs stay in their heap until they outnumber the others by this.
_WITHDRAWN_SLACK = 64


class _Client:
    __slots__ = ("clock_s", "estimate_s", "in_heap", "jobs", "live", "name", "running")

    def __init__(self, name: str) -> None:
        self.name = name
        self.clock_s = 0.0
        self.estimate_s = _FIRST_ESTIMATE_S
        self.jobs: list[tuple[int, int, int, Job]] = []
        #: Jobs that wait and are wanted; `jobs` may hold withdrawn ones besides.
        self.live = 0
        self.running = 0
        self.in_heap = False


class FairQueue:
    """Jobs that wait, and the clients' clocks.

    Attributes:
        waiting: number of jobs that wait.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._clients: dict[str, _Client] = {}
        #: Clients with jobs, by the clock that they had when they were put here.
        self._heap: list[tuple[float, int, _Client]] = []
        self._aside: list[_Client] = []
        self._numbers = itertools.count(1)
        self._clock_s = 0.0
        self._sweep_at = REMEMBERED_CLIENTS

    def __len__(self) -> int:
        """Number of clients that take memory here."""
        return len(self._clients)

    def next_age(self) -> int:
        """For `Job.age`: jobs that share one are as old as the moment of this call."""
        return next(self._numbers)

    def push(self, job: Job) -> None:
        """A job begins to wait."""
        client = self._clients.get(job.client)
        if client is None:
            if len(self._clients) >= self._sweep_at:
                self._sweep()
            client = self._clients[job.client] = _Client(job.client)
        number = next(self._numbers)
        heapq.heappush(client.jobs, (-job.priority, job.age or number, number, job))
        client.live += 1
        self.waiting += 1
        if not client.in_heap:
            client.clock_s = max(client.clock_s, self._clock_s)
            self._enter(client)

    def withdraw(self, job: Job) -> None:
        """A job that waits is not wanted any more (its `cancelled` is set already)."""
        client = self._clients[job.client]
        client.live -= 1
        self.waiting -= 1
        if not client.live:
            client.jobs.clear()
        elif len(client.jobs) > 2 * client.live + _WITHDRAWN_SLACK:
            client.jobs = [entry for entry in client.jobs if not entry[-1].cancelled]
            heapq.heapify(client.jobs)

    def due(self) -> Job | None:
        """The job that is next; it goes on waiting.  None: there is none that is not set aside."""
        heap = self._heap
        while heap:
            clock_s, _, client = heap[0]
            if not client.live:
                self._leave()
            elif client.clock_s > clock_s:
                # Its clock went on since it was put here: back to its true place.
                heapq.heapreplace(heap, (client.clock_s, next(self._numbers), client))
            else:
                jobs = client.jobs
                while jobs[0][-1].cancelled:
                    heapq.heappop(jobs)
                return jobs[0][-1]
        return None

    def take(self, job: Job) -> None:
        """The job that `due` gave begins to run."""
        client = self._heap[0][-1]
        heapq.heappop(client.jobs)
        client.live -= 1
        client.running += 1
        self.waiting -= 1
        self._clock_s = max(self._clock_s, client.clock_s)
        job.charged_s = client.estimate_s
        client.clock_s += client.estimate_s
        if client.live:
            heapq.heapreplace(self._heap, (client.clock_s, next(self._numbers), client))
        else:
            self._leave()

    def put_off(self, job: Job) -> None:
        """A job that was taken does not run yet: until it ends, its client is charged nothing."""
        self._clients[job.client].clock_s -= job.charged_s
        job.charged_s = 0.0

    def give_back(self, job: Job) -> None:
        """A job that was put off waits for its turn again."""
        self._clients[job.client].running -= 1
        self.push(job)

    def join(self, job: Job) -> None:
        """A job that was never queued begins to run beside one of the same client's."""
        self._clients[job.client].running += 1

    def settle(self, job: Job, cpu_s: float | None) -> None:
        """A job that was taken is over.

        Parameters:
            cpu_s: what it cost; None: nobody knows, and the estimate stands.
        """
        client = self._clients[job.client]
        client.running -= 1
        if cpu_s is not None:
            client.clock_s += cpu_s - job.charged_s
            client.estimate_s += _NEWEST_SHARE * (cpu_s - client.estimate_s)
        if not client.in_heap:
            self._let_go(client)

    # --- passing over ----------------------------------------------------------------------------

    def set_aside(self) -> None:
        """Pass over the client whose job is due, until `restore`."""
        self._aside.append(heapq.heappop(self._heap)[-1])

    def restore(self) -> None:
        """Put the clients that were set aside back in their places."""
        while self._aside:
            self._enter(self._aside.pop())

    # --- clients ---------------------------------------------------------------------------------

    def _enter(self, client: _Client) -> None:
        client.in_heap = True
        heapq.heappush(self._heap, (client.clock_s, next(self._numbers), client))

    def _leave(self) -> None:
        """The client at the top has no jobs left."""
        client = heapq.heappop(self._heap)[-1]
        client.in_heap = False
        client.jobs.clear()
        self._let_go(client)

    def _let_go(self, client: _Client) -> None:
        # Behind the common clock it would start there again: nothing is lost.
        if not client.running and client.clock_s <= self._clock_s:
            del self._clients[client.name]

    def _sweep(self) -> None:
        """Forget idle clients: first those that lose nothing by it, then those least ahead."""
        self._heap = [entry for entry in self._heap if entry[-1].live]
        heapq.heapify(self._heap)
        idle = [client for client in self._clients.values() if not client.live]
        for client in idle:
            client.in_heap = False
            client.jobs.clear()
        ahead = sorted(
            (client for client in idle if not client.running), key=lambda client: client.clock_s
        )
        for client in ahead[: max(0, len(ahead) - REMEMBERED_CLIENTS // 2)]:
            del self._clients[client.name]
        self._sweep_at = max(REMEMBERED_CLIENTS, 2 * len(self._clients))
