"""`AsyncClient`: a daemon's API for asyncio programs.

Holds the session and the task group that everything of this client runs in; batching and
resubmission are `pipeline`'s, one call of `judge_many` is a `stream`.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Sequence, Sized
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

import msgspec

from scalebox.client.address import Addresses, parse_addresses
from scalebox.client.calls import Calls
from scalebox.client.daemons import Daemon, Daemons
from scalebox.client.encode import Encoded, Encoder
from scalebox.client.item import Item, Parcel, parcel_of
from scalebox.client.kept import Kept, blob_path, judge_path, problem_path
from scalebox.client.pipeline import Pipeline
from scalebox.client.questions import Questions, decode
from scalebox.client.requests import make_run_request, make_submission
from scalebox.client.retry import RetryPolicy
from scalebox.client.stream import Stream
from scalebox.client.transport import Answer
from scalebox.errors import BadRequestError, RemoteError, ScaleboxError
from scalebox.model import (
    Identifier,
    JudgeRecord,
    JudgeState,
    NewJudge,
    NewJudgeState,
    Problem,
    Provenance,
    Report,
    RunRequest,
    RunResult,
    StorableJudge,
    Submission,
)

T = TypeVar("T")

#: Called with how many submissions are answered, and how many there are if that is known.
Progress = Callable[[int, int | None], None]
Source = Iterable[Submission] | AsyncIterable[Submission]

DEFAULT_IN_FLIGHT = 4096
DEFAULT_IN_FLIGHT_BYTES = 128 << 20
DEFAULT_CONNECTIONS = 64
DEFAULT_UNRESPONSIVE_S = 20.0
DEFAULT_KEPT_BYTES = 512 << 20
_BATCH_ITEMS = 64
_BATCH_BYTES = 8 << 20
#: From this size on hashing takes more than a millisecond and leaves the event loop.
_HASH_IN_THREAD_BYTES = 1 << 20


class AsyncClient(Questions):
    """A daemon, or several that stand in for each other, for asyncio programs.  Use it as an async
    context manager.

    Parameters:
        address: None: the default Unix socket; a path or `unix:/path`; `http(s)://host:port`;
            several, most preferred first, in one text with commas or in a sequence.
        token: for TCP: the secret of one of the daemon's `server.tokens`; of several, all have it.
        ca: for `https://`: a PEM file with the authorities that the daemons' certificates may come
            from; None: those that this host trusts.
        retries: how often in a row a request is repeated after a failed or broken connection
            (with growing, jittered delays; the default waits about 15 s altogether).  Several
            daemons are each tried every time.
        busy_timeout_s: how long a daemon (all of them) may go on answering "busy" (429, 503).
        timeout_s: longest silence of a connection that owes an answer, seconds; None: no bound
            (a long queue is silent too; over TCP a daemon that owes answers is asked twice a
            minute whether it lives).
        connections: connections for submissions, those that wait for a few slow ones not counted;
            four times as many at most.
        unresponsive_s: one of several daemons that does not say for so long whether it lives
            loses its work to the next.
        kept_bytes: of the problems, blobs and judges that are given to one of several daemons so
            much is kept, for the others.

    Raises:
        BadRequestError: the address is none, or `ca` cannot be used.
    """

    def __init__(
        self,
        address: Addresses = None,
        *,
        token: str | None = None,
        ca: str | Path | None = None,
        retries: int = 8,
        busy_timeout_s: float = 600.0,
        timeout_s: float | None = None,
        connections: int = DEFAULT_CONNECTIONS,
        unresponsive_s: float = DEFAULT_UNRESPONSIVE_S,
        kept_bytes: int = DEFAULT_KEPT_BYTES,
    ) -> None:
        addresses = parse_addresses(address)
        self._daemons = Daemons(addresses, token, timeout_s, unresponsive_s, ca)
        self._kept = Kept(kept_bytes if self._daemons.several else 0)
        self._policy = RetryPolicy(retries=retries, busy_timeout_s=busy_timeout_s)
        self._calls = Calls(self._daemons, self._kept, self._policy)
        self._connections = connections
        self._tasks = asyncio.TaskGroup()
        self._single: Pipeline | None = None
        self._streams: set[Stream] = set()
        self._waiting: set[asyncio.Future[Report]] = set()
        self._encoder = Encoder()
        # Unique over processes and forks; the counter tells submissions apart.
        self._key_prefix = uuid.uuid4().hex
        self._keys = 0

    @property
    def address(self) -> str:
        """Where the daemon is, for people; several with commas between them."""
        return str(self._daemons)

    async def __aenter__(self) -> AsyncClient:
        await self._tasks.__aenter__()
        self._daemons.open(self._tasks)
        self._single = self._new_pipeline()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            assert self._single is not None
            for future in self._waiting:
                if not future.done():
                    future.set_exception(ScaleboxError("the client was closed before the answer"))
            for stream in list(self._streams):
                await stream.close()
            await self._single.close()
        finally:
            await self._daemons.close()
            if exc_type is asyncio.CancelledError:
                await self._tasks.__aexit__(exc_type, exc, traceback)
            else:  # a group would put the block's own error into a group
                await self._tasks.__aexit__(None, None, None)

    async def judge(self, submission: Submission | None = None, /, **fields: Any) -> Report:
        """Judge one submission.  Concurrent calls share connections and batches.

        Parameters:
            submission: the submission; or, by keyword, its fields:
                `judge(language="python", source=…, tests=[("1 2", "3")])`.
            fields: as in `scalebox.Submission`; `tests` may be (input, answer) pairs, `problem` a
                `Problem` or the id of a registered one.

        Raises:
            RemoteError: the daemon refused it (`code`, `field` and `http_status` say why).
            ConnectionFailedError: no daemon, after all retries.
            BadRequestError: the arguments are no submission.
        """
        parcel = self._encode(make_submission(submission, fields))
        future: asyncio.Future[Report] = asyncio.get_running_loop().create_future()

        def deliver(item: Item, outcome: Report | ScaleboxError, fatal: bool) -> None:
            if future.done():
                return
            if isinstance(outcome, Report):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)

        item = Item(0, parcel, deliver)
        pipeline = self._open_pipeline()
        pipeline.submit(item)
        self._waiting.add(future)
        try:
            return await future
        except asyncio.CancelledError:
            item.abandon()
            raise
        finally:
            self._waiting.discard(future)

    @overload
    def judge_many(
        self,
        submissions: Source,
        *,
        ordered: bool = ...,
        progress: Progress | None = ...,
        in_flight: int = ...,
        in_flight_bytes: int = ...,
        on_error: Literal["raise"] = ...,
    ) -> AsyncGenerator[tuple[int, Report], None]: ...

    @overload
    def judge_many(
        self,
        submissions: Source,
        *,
        ordered: bool = ...,
        progress: Progress | None = ...,
        in_flight: int = ...,
        in_flight_bytes: int = ...,
        on_error: Literal["return"],
    ) -> AsyncGenerator[tuple[int, Report | RemoteError], None]: ...

    async def judge_many(
        self,
        submissions: Source,
        *,
        ordered: bool = False,
        progress: Progress | None = None,
        in_flight: int = DEFAULT_IN_FLIGHT,
        in_flight_bytes: int = DEFAULT_IN_FLIGHT_BYTES,
        on_error: Literal["raise", "return"] = "raise",
    ) -> AsyncGenerator[tuple[int, Report | RemoteError], None]:
        """Judge many submissions; yields (index, report) as each is ready.

        The source is read as room appears, so it may be endless.  Leaving the loop early (with
        `contextlib.aclosing`, to be prompt) breaks off what is under way.

        Parameters:
            submissions: any iterable, or an async one.  A plain iterable is read on the event
                loop, so its items should not take long to make.
            ordered: yield in the order of the source instead of readiness.
            progress: called with the number of submissions answered and their total (None if the
                source does not tell).
            in_flight: submissions between being read and being yielded, at most.
            in_flight_bytes: the same in bytes of their encodings.
            on_error: `raise` a refused submission's RemoteError, or `return` it in the place of
                a report and go on.

        Raises:
            RemoteError: a submission was refused; or the session is (wrong token).
            ConnectionFailedError: the daemon is lost after all retries.
        """
        stream = self.open_stream(
            submissions,
            ordered=ordered,
            in_flight=in_flight,
            in_flight_bytes=in_flight_bytes,
            raise_refusals=on_error == "raise",
        )
        total = len(submissions) if isinstance(submissions, Sized) else None
        try:
            reported = -1
            while True:
                taken = await stream.take()
                if progress is not None and taken.done != reported:
                    reported = taken.done
                    progress(reported, total)
                for result in taken.results:
                    yield result
                if taken.finished:
                    return
        finally:
            await self.close_stream(stream)

    async def judge_all(
        self,
        submissions: Sequence[Submission],
        *,
        progress: Progress | None = None,
        in_flight: int = DEFAULT_IN_FLIGHT,
    ) -> list[Report]:
        """Judge a list; returns the reports in its order.  Raises as `judge_many` does."""
        reports: list[Report | None] = [None] * len(submissions)
        results = self.judge_many(submissions, progress=progress, in_flight=in_flight)
        async with aclosing(results):
            async for index, report in results:
                reports[index] = report
        return [report for report in reports if report is not None]

    async def run(self, request: RunRequest | None = None, /, **fields: Any) -> RunResult:
        """Just run a program, without judging.

        Parameters:
            request: the request; or, by keyword, its fields.

        Raises:
            RemoteError, ConnectionFailedError, BadRequestError: as `judge`.
        """
        request = make_run_request(request, fields)
        if request.idempotency_key is None:
            request = msgspec.structs.replace(request, idempotency_key=self._new_key())
        parcel = parcel_of(request, self._encoder)
        return decode((await self._ask("POST", "/v1/run", parcel))[1], RunResult)

    async def put_blob(self, data: bytes) -> str:
        """Upload bytes, unless the daemon has them.  Returns their SHA-256, for `Blob(sha256=…)`.

        Raises:
            RemoteError, ConnectionFailedError: as `judge`.
        """
        if len(data) >= _HASH_IN_THREAD_BYTES:
            digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        else:
            digest = hashlib.sha256(data).hexdigest()
        try:
            daemon, _ = await self._ask("HEAD", blob_path(digest))
        except RemoteError as error:
            if error.http_status != 404:
                raise
            body = Parcel(Encoded(data, "application/octet-stream"))
            daemon, _ = await self._ask("PUT", blob_path(digest), body)
        self._kept.blob(digest, data, daemon)
        return digest

    async def put_problem(self, problem_id: str, problem: Problem) -> None:
        """Register tests, limits and judge once; then submit with `problem=problem_id`.

        Raises:
            RemoteError, ConnectionFailedError, BadRequestError: as `judge`.
        """
        try:
            msgspec.convert(problem_id, Identifier)
        except msgspec.ValidationError:
            raise BadRequestError(
                f"{problem_id!r:.80} is no id of a problem: 1 to 200 letters, digits and ._:@/+-, "
                "the first a letter or a digit",
                field="id",
            ) from None
        encoded = self._encoder.encode(problem)
        daemon, answer = await self._ask("PUT", problem_path(problem_id), Parcel(encoded))
        self._kept.problem(problem_id, encoded, answer, daemon)

    async def add_judge(
        self,
        judge: StorableJudge,
        *,
        provenance: Provenance,
        problem: str | None = None,
        proof: dict[str, Any] | None = None,
        state: JudgeState = JudgeState.CANDIDATE,
        reason: str = "",
    ) -> JudgeRecord:
        """Put a judge into the daemon's store.  One that is there already stays as it is, but for
        a higher state that is asked for.

        Parameters:
            judge: with all of its text; no blobs.
            provenance: where it comes from.
            problem: the id of the problem that it is for; None: any.
            proof: on what evidence it can be trusted; JSON, kept as it is.
            state: `proven` and `active` need a proof.
            reason: why it has that state.

        Raises:
            RemoteError, ConnectionFailedError, BadRequestError: as `judge`.
        """
        new = NewJudge(
            judge=judge,
            problem=problem,
            provenance=provenance,
            proof=proof,
            state=state,
            reason=reason,
        )
        body = Parcel(self._encoder.encode(new))
        daemon, answer = await self._ask("POST", "/v1/judges", body)
        record = decode(answer, JudgeRecord)
        self._kept.judge(record, daemon, is_new=True)
        return record

    async def set_judge_state(
        self,
        name: str,
        state: JudgeState,
        *,
        reason: str = "",
        force: bool = False,
        proof: dict[str, Any] | None = None,
    ) -> JudgeRecord:
        """Promote, retire or quarantine a judge of the store.

        Parameters:
            name: as a `NamedJudge` says it, or a hash.
            state: which it shall have.
            reason: why; what was taken out of use comes back for one only.
            force: make it active although there is no proof.
            proof: of now; takes the place of the one that is there.

        Raises:
            RemoteError, ConnectionFailedError, BadRequestError: as `judge`.
        """
        wish = NewJudgeState(state=state, reason=reason, force=force, proof=proof)
        body = Parcel(self._encoder.encode(wish))
        daemon, answer = await self._ask("POST", f"{judge_path(name)}/state", body)
        record = decode(answer, JudgeRecord)
        self._kept.judge(record, daemon, is_new=False)
        return record

    def open_stream(
        self,
        submissions: Source,
        *,
        ordered: bool,
        in_flight: int,
        in_flight_bytes: int,
        raise_refusals: bool,
    ) -> Stream:
        """What `judge_many` iterates over; for adapters.  To be ended by `close_stream`."""
        self._open_pipeline()
        stream = Stream(
            self._new_pipeline(),
            self._encode,
            submissions,
            ordered=ordered,
            raise_refusals=raise_refusals,
            in_flight=in_flight,
            in_flight_bytes=in_flight_bytes,
        )
        stream.start(self._tasks)
        self._streams.add(stream)
        return stream

    async def close_stream(self, stream: Stream) -> None:
        """End a stream of `open_stream`; what it has under way is broken off."""
        self._streams.discard(stream)
        await stream.close()

    def _open_pipeline(self) -> Pipeline:
        if self._single is None or not self._daemons.are_open:
            raise ScaleboxError(
                "this AsyncClient is not open; use it as `async with AsyncClient() as client:`"
            )
        return self._single

    def _new_pipeline(self) -> Pipeline:
        return Pipeline(
            self._daemons,
            self._kept,
            self._tasks,
            self._policy,
            connections=self._connections,
            batch_items=_BATCH_ITEMS,
            batch_bytes=_BATCH_BYTES,
        )

    def _new_key(self) -> str:
        self._keys += 1
        return f"{self._key_prefix}-{self._keys}"

    def _encode(self, submission: Submission) -> Parcel:
        if not isinstance(submission, Submission):
            raise BadRequestError(
                f"expected a scalebox.Submission, got {type(submission).__name__}"
            )
        if submission.idempotency_key is None:
            submission = msgspec.structs.replace(submission, idempotency_key=self._new_key())
        return parcel_of(submission, self._encoder, self._kept.named_by(submission))

    async def _ask(
        self, method: str, path: str, parcel: Parcel | None = None
    ) -> tuple[Daemon, Answer]:
        self._open_pipeline()
        return await self._calls.ask(method, path, parcel)
