"""ScaleBox where Ray runs: a daemon on every node, and `judge_many` from anywhere in the job.

`start`, called once in the driver, has an actor on each node keep a daemon (`keeper`), also on
nodes that join later.  Tasks and actors of the job find them by Ray's table of nodes and the
actors' names: `judge_many` gives work to all of them, first to the own node's, and what a dead node
had to others (`spread`).  `Judge` is the same for `ray.data.Dataset.map_batches`.

What Ray is used for is what it has already: it says which nodes there are, starts the actors, and
ends them with the job.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence, Sized
from functools import partial
from types import TracebackType
from typing import Any, Literal, overload

try:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError as error:
    raise ImportError(
        f"scalebox.ray needs the package ray: pip install 'scalebox[ray]' ({error})"
    ) from error

from scalebox.client.loop import LoopThread
from scalebox.errors import HostError, RemoteError, ScaleboxError
from scalebox.integrations.keeper import Keeper, Settings, Whereabouts, name_of, secret
from scalebox.integrations.spread import Call, Contact, Spread
from scalebox.model import Report, Submission

_log = logging.getLogger("scalebox.ray")

#: How often the table of nodes is looked at for new ones.
_LOOK_S = 2.0
#: How long an actor may take to say where its daemon is; it knows.
_ASK_TIMEOUT_S = 5.0
_STOP_TIMEOUT_S = 30.0
#: One process is a client of so many daemons at most: its own node's, and others by chance.
_MOST_DAEMONS = 64
#: Callers of one actor's methods at the same time; none of them computes anything.
_CALLERS = 64
DEFAULT_IN_FLIGHT = 4096
#: A source is read so many items, or so long, before what is ready is handed out.
_CHUNK_ITEMS = 64
_CHUNK_S = 0.005

Progress = Callable[[int, int | None], None]


def start(
    *,
    num_cpus: float = 0.0,
    tcp_port: int = 0,
    peer_port: int = 0,
    nodes: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    ready_timeout_s: float = 120.0,
    overrides: Mapping[str, Any] | None = None,
    **tables: Any,
) -> Daemons:
    """Start a daemon on every node of the Ray cluster, and on every node that joins it.

    Call it once, in the driver: the daemons end with the process that called it, or with the block
    of `with scalebox.ray.start() as daemons:`.

    Parameters:
        num_cpus: what Ray counts each daemon as.  0 leaves Ray's tasks and the judged programs to
            share the cores; `num_cpus=4, sandbox={"slots": 4}` gives each its own part.
        tcp_port, peer_port: on which each daemon listens for clients of other nodes, and for other
            daemons; 0: on a free one.
        nodes: which nodes get one, by their row in `ray.nodes()`.
        ready_timeout_s: how long to wait until all are ready.
        overrides, tables: options of scalebox.toml, as for `scalebox.local`.

    Raises:
        ScaleboxError: Ray is not initialised, or this job has daemons already.
        HostError: not one daemon became ready; the message says why.
    """
    merged = {**(overrides or {}), **tables}
    settings = Settings(
        token=secret(), key=secret(), tcp_port=tcp_port, peer_port=peer_port, overrides=merged
    )
    daemons = Daemons(settings, num_cpus, nodes)
    try:
        daemons.wait_until_ready(ready_timeout_s)
    except BaseException:
        daemons.stop()
        raise
    return daemons


class Daemons:
    """The daemons that `start` started.

    Parameters:
        settings: theirs.
        num_cpus, nodes: as for `start`.
    """

    def __init__(
        self, settings: Settings, num_cpus: float, nodes: Callable[[Mapping[str, Any]], bool]
    ) -> None:
        self._settings = settings
        self._num_cpus = num_cpus
        self._wanted = nodes
        self._job_id = _job_id()
        self._keepers: dict[str, Any] = {}
        self._end = threading.Event()
        self._start_missing()
        self._thread = threading.Thread(target=self._watch, name="scaleboxd-nodes", daemon=True)
        self._thread.start()

    def __enter__(self) -> Daemons:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def whereabouts(self) -> dict[str, Whereabouts | None]:
        """Where the daemon of each node is, by the node's id; None: it is not ready."""
        asked = {node_id: _asked(keeper.where) for node_id, keeper in self._keepers.items()}
        return {node_id: _answer(reference) for node_id, reference in asked.items()}

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for all daemons; go on without those that are not ready in time, and log them.

        Raises:
            HostError: that is every one of them.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            places = self.whereabouts()
            missing = [node_id for node_id, place in places.items() if place is None]
            if places and not missing:
                return
            if time.monotonic() >= deadline:
                break
            time.sleep(0.1)
        troubles = [
            f"node {node_id}: {_answer(_asked(self._keepers[node_id].trouble))}"
            for node_id in missing
            if node_id in self._keepers
        ]
        words = "; ".join(troubles) or "Ray's table has no node for one"
        if len(missing) == len(places):
            raise HostError(f"no scaleboxd was ready after {timeout_s:g} s: {words}")
        _log.warning("not ready after %g s: %s", timeout_s, words)

    def stop(self) -> None:
        """End the daemons, after what they have at hand.  May be repeated."""
        self._end.set()
        self._thread.join()
        keepers, self._keepers = self._keepers, {}
        asked = [
            reference
            for keeper in keepers.values()
            if (reference := _asked(keeper.stop)) is not None
        ]
        if asked:
            ray.wait(asked, num_returns=len(asked), timeout=_STOP_TIMEOUT_S)
        for keeper in keepers.values():
            ray.kill(keeper)

    def _watch(self) -> None:
        while not self._end.wait(_LOOK_S):
            try:
                self._start_missing()
            except Exception as error:  # the job goes on without a new node's daemon
                if not ray.is_initialized():
                    return
                _log.warning("looking for new nodes failed: %s", error)

    def _start_missing(self) -> None:
        alive = {node["NodeID"] for node in ray.nodes() if node["Alive"] and self._wanted(node)}
        # A new dictionary each time: other threads look through the one that there is.
        keepers = {node_id: keeper for node_id, keeper in self._keepers.items() if node_id in alive}
        for node_id in alive - keepers.keys():
            keepers[node_id] = self._keeper(node_id)
            self._keepers = dict(keepers)
        self._keepers = keepers

    def _keeper(self, node_id: str) -> Any:
        try:
            return (
                ray.remote(Keeper)
                .options(
                    name=name_of(self._job_id, node_id),
                    num_cpus=self._num_cpus,
                    # As often as it dies, as long as there is the node.
                    max_restarts=-1,
                    max_concurrency=_CALLERS,
                    scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
                )
                .remote(self._settings, self._job_id, node_id)
            )
        except ValueError as error:
            raise ScaleboxError(
                f"this Ray job has its daemons already; start them once, in the driver ({error})"
            ) from error


@overload
def judge_many(
    submissions: Iterable[Submission],
    *,
    ordered: bool = ...,
    progress: Progress | None = ...,
    in_flight: int = ...,
    on_error: Literal["raise"] = ...,
) -> Generator[tuple[int, Report], None, None]: ...


@overload
def judge_many(
    submissions: Iterable[Submission],
    *,
    ordered: bool = ...,
    progress: Progress | None = ...,
    in_flight: int = ...,
    on_error: Literal["return"],
) -> Generator[tuple[int, Report | RemoteError], None, None]: ...


def judge_many(
    submissions: Iterable[Submission],
    *,
    ordered: bool = False,
    progress: Progress | None = None,
    in_flight: int = DEFAULT_IN_FLIGHT,
    on_error: Literal["raise", "return"] = "raise",
) -> Generator[tuple[int, Report | RemoteError], None, None]:
    """Judge many submissions on the job's daemons; yields (index, report) as each is ready.

    In the driver, a task or an actor of a job whose driver has called `start`; from any thread.

    Parameters:
        submissions: with their tests: a registered problem's id or a blob's hash is known to one
            daemon only.  Read as room appears.
        ordered, progress, in_flight, on_error: as for `scalebox.Client.judge_many`.

    Raises:
        ScaleboxError: this job has no daemons.
        RemoteError: a submission was refused.
        ConnectionFailedError: no daemon has answered for two minutes.
    """
    total = len(submissions) if isinstance(submissions, Sized) else None
    thread = _thread()
    call = thread.wait_for(_begin)
    waiting: dict[int, Report | RemoteError] = {}
    handed_out = answered = read = 0
    chunks = _chunks(submissions)
    finished = False
    try:
        while not finished or answered < read:
            if not finished and read - handed_out < in_flight:
                chunk = next(chunks, None)
                if chunk is None:
                    finished = True
                    continue
                thread.wait_for(partial(_submit, call, read, chunk))
                read += len(chunk)
            full = finished or read - handed_out >= in_flight
            taken = thread.wait_for(partial(_take, call, full))
            answered += len(taken)
            for index, outcome in taken:
                waiting[index] = _checked(outcome, on_error)
            if taken and progress is not None:
                progress(answered, total)
            while waiting:
                index = handed_out if ordered else next(iter(waiting))
                if index not in waiting:
                    break
                handed_out += 1
                yield index, waiting.pop(index)
    finally:
        # The interpreter may end this generator after the thread.
        with contextlib.suppress(ScaleboxError):
            thread.wait_for(lambda _: call.close())


def judge_all(
    submissions: Sequence[Submission], *, progress: Progress | None = None
) -> list[Report]:
    """Judge a list; returns the reports in its order.  Raises as `judge_many` does."""
    return [report for _, report in judge_many(submissions, ordered=True, progress=progress)]


class Judge:
    """For `ray.data.Dataset.map_batches(Judge, fn_constructor_args=[make], …)`.

    Adds to each row `verdict` (text), `accepted`, `passed`, `total`, and `is_about_the_program`: if
    that is false, ScaleBox failed or never looked, and the row should be left out.

    Parameters:
        make: a row, as a dictionary, → its submission.
        prefix: stands before the names of the columns that are added.
    """

    def __init__(self, make: Callable[[dict[str, Any]], Submission], prefix: str = "") -> None:
        self._make = make
        self._prefix = prefix

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """A batch of columns, as numpy arrays or lists → the same with the new ones."""
        names = list(batch)
        rows = zip(*(batch[name] for name in names), strict=True)
        reports = judge_all([self._make(dict(zip(names, row, strict=True))) for row in rows])
        added = {
            "verdict": [str(report.verdict) for report in reports],
            "accepted": [report.accepted for report in reports],
            "passed": [report.passed for report in reports],
            "total": [report.total for report in reports],
            "is_about_the_program": [report.verdict.is_about_the_program for report in reports],
        }
        return {**batch, **{self._prefix + name: column for name, column in added.items()}}


async def _begin(spread: Spread) -> Call:
    return spread.call()


async def _submit(call: Call, first: int, chunk: list[Submission], _: Spread) -> None:
    await call.submit(enumerate(chunk, first))


async def _take(call: Call, wait: bool, _: Spread) -> list[tuple[int, Report | Exception]]:
    return await call.take(wait=wait)


def _checked(outcome: Report | Exception, on_error: str) -> Report | RemoteError:
    if isinstance(outcome, Report) or (isinstance(outcome, RemoteError) and on_error == "return"):
        return outcome
    raise outcome


def _chunks(source: Iterable[Submission]) -> Iterator[list[Submission]]:
    """A slow source's items go out at once, a fast one's many at a time."""
    chunk: list[Submission] = []
    until = time.monotonic() + _CHUNK_S
    for item in source:
        chunk.append(item)
        if len(chunk) >= _CHUNK_ITEMS or time.monotonic() >= until:
            yield chunk
            chunk = []
            until = time.monotonic() + _CHUNK_S
    if chunk:
        yield chunk


# --- this process's way to the daemons ---------------------------------------------------------

_lock = threading.Lock()
#: One for a process and a job: a job may end and another begin in the same process.
_threads: dict[tuple[int, str], LoopThread[Spread]] = {}


def _thread() -> LoopThread[Spread]:
    job_id = _job_id()
    with _lock:
        mine = (os.getpid(), job_id)
        if mine not in _threads:
            _stop_threads()
            members = _Members(job_id)
            _threads[mine] = LoopThread(lambda: Spread(members))
        return _threads[mine]


def _stop_threads() -> None:
    for (pid, _), thread in list(_threads.items()):
        if pid == os.getpid():
            thread.stop()
    _threads.clear()


atexit.register(_stop_threads)


def _job_id() -> str:
    """The id of this process's Ray job.

    Raises:
        ScaleboxError: it has none.
    """
    if not ray.is_initialized():
        raise ScaleboxError("Ray is not initialised in this process; call ray.init() first")
    job_id: str = ray.get_runtime_context().get_job_id()
    return job_id


class _Members:
    """Ray's table of nodes as a `Membership`.

    Parameters:
        job_id: whose daemons.
    """

    def __init__(self, job_id: str) -> None:
        self._job_id = job_id
        self._own: str = ray.get_runtime_context().get_node_id()
        self._keepers: dict[str, Any] = {}
        self._places: dict[str, Whereabouts] = {}

    async def __call__(self, doubted: frozenset[str]) -> Mapping[str, Contact]:
        return await asyncio.to_thread(self._look, doubted)

    def _look(self, doubted: frozenset[str]) -> dict[str, Contact]:
        """Which daemons there are now.

        Raises:
            ScaleboxError: none of the nodes has an actor that keeps one.
        """
        alive = sorted(
            (node["NodeID"] for node in ray.nodes() if node["Alive"]), key=self._nearness
        )[:_MOST_DAEMONS]
        self._find_keepers(alive)
        if not self._keepers:
            raise ScaleboxError(
                "this Ray job has no ScaleBox daemons; call scalebox.ray.start() once in its driver"
            )
        for node_id in list(self._places):
            if node_id not in self._keepers or node_id in doubted:
                del self._places[node_id]
        self._ask([node_id for node_id in self._keepers if node_id not in self._places])
        return {node_id: self._contact(node_id, at) for node_id, at in self._places.items()}

    def _nearness(self, node_id: str) -> tuple[bool, bytes]:
        """The own node first, then the others, in an order that each process has for itself."""
        salted = f"{self._own} {os.getpid()} {node_id}".encode()
        return node_id != self._own, hashlib.sha256(salted).digest()

    def _find_keepers(self, alive: list[str]) -> None:
        for node_id in self._keepers.keys() - set(alive):
            del self._keepers[node_id]
        for node_id in alive:
            if node_id not in self._keepers:
                # No actor of that name: a node without a daemon, or not yet.
                with contextlib.suppress(ValueError):
                    self._keepers[node_id] = ray.get_actor(name_of(self._job_id, node_id))

    def _ask(self, node_ids: list[str]) -> None:
        asked = {node_id: _asked(self._keepers[node_id].where) for node_id in node_ids}
        awaited = [reference for reference in asked.values() if reference is not None]
        if awaited:
            ray.wait(awaited, num_returns=len(awaited), timeout=_ASK_TIMEOUT_S)
        for node_id, reference in asked.items():
            place = _answer(reference, timeout_s=0.0)
            if place is None:
                # Restarting, or its actor is gone: the name may belong to another one by now.
                del self._keepers[node_id]
            else:
                self._places[node_id] = place

    def _contact(self, node_id: str, place: Whereabouts) -> Contact:
        if node_id == self._own:
            return Contact(place.socket, None, place.slots, near=True)
        return Contact(place.url, place.token, place.slots)


def _asked(method: Any) -> Any:
    """A question to an actor; None: it is gone, which older Rays say by a plain exception."""
    try:
        return method.remote()
    except Exception as error:
        _log.debug("an actor cannot be asked: %s", error)
        return None


def _answer(reference: Any, timeout_s: float = _ASK_TIMEOUT_S) -> Any:
    """What an actor said; None: it did not."""
    if reference is None:
        return None
    try:
        return ray.get(reference, timeout=timeout_s)
    except (ray.exceptions.RayError, TimeoutError):
        return None
