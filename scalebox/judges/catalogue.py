"""All judges that can be named: those that ship, and those of the store.

Answers for: names lead to judges quickly (a cache in memory over the store); what the store's
judges do in service is counted and written from time to time, in a worker thread; and what this
daemon, or another one with the same file, changes is seen by whoever asks next.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

import anyio
import structlog
from anyio import to_thread

from scalebox.errors import BadRequestError, UnknownJudgeError
from scalebox.judges.directory import Directory
from scalebox.judges.names import StoreName, parse, shown
from scalebox.judges.rows import Row
from scalebox.judges.service import Serving, Threshold
from scalebox.judges.store import Count, JudgeStore
from scalebox.model import (
    GivenJudge,
    JudgeInfo,
    JudgeInService,
    JudgeRecord,
    JudgeState,
    NamedJudge,
    NewJudge,
    NewJudgeState,
    Provenance,
    judge_hash,
)

#: Between two writes of counts, and two looks for what other daemons wrote.
FLUSH_S = 1.0
_CACHE_BYTES = 32 << 20
_ITS_OWN = "what its source accepts"
#: What an entry takes beside its judge.
_ENTRY_BYTES = 1000

log = structlog.get_logger("scalebox.judges")


@dataclass(frozen=True, slots=True)
class _Entry:
    judge: GivenJudge
    serving: Serving
    size_bytes: int


class Catalogue:
    """Those that ship and those of the store, as a `model.JudgeDirectory`; for one event loop.

    Parameters:
        shipped: the judges that ship.
        store: the others; closed by `aclose`.
        threshold: from when on a judge of the store has failed too often.
    """

    def __init__(self, shipped: Directory, store: JudgeStore, threshold: Threshold) -> None:
        self._shipped = shipped
        self._store = store
        self._threshold = threshold
        self._cache: OrderedDict[str, _Entry] = OrderedDict()
        self._cached_bytes = 0
        self._generation = store.generation
        #: By the record's number, while an entry, a judgement, or a count to be written has it.
        self._servings: WeakValueDictionary[int, Serving] = WeakValueDictionary()
        self._touched: set[Serving] = set()
        self._urgent = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._failing = False

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[Catalogue]:
        """Write counts while the block runs; `aclose` at its end."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep)
                yield self
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self.aclose()

    async def aclose(self) -> None:
        """Write the counts that are left, and close the store."""
        await self._flush()
        await to_thread.run_sync(self._store.close)

    # --- names -----------------------------------------------------------------------------------

    def find(self, judge: NamedJudge) -> GivenJudge:
        """What a name and its parameters stand for.

        Raises:
            UnknownJudgeError: there is none of that name, or it is retired.
            BadRequestError: a parameter cannot be.
            HostError: the store cannot be read.
        """
        entry = self._entry(judge)
        return self._shipped.find(judge) if entry is None else entry.judge

    def in_service(self, judge: NamedJudge) -> JudgeInService | None:
        """Who hears how a judge of the store does.  Raises as `find`."""
        entry = self._entry(judge)
        return None if entry is None else entry.serving

    def infos(self) -> list[JudgeInfo]:
        """Those that ship, by name."""
        return self._shipped.infos()

    # --- the store -------------------------------------------------------------------------------

    async def stored(self) -> list[JudgeInfo]:
        """Those of the store, in whatever state, by problem and version.

        Raises:
            HostError: the store cannot be read.
        """
        await self._flush()
        listed = await to_thread.run_sync(self._store.stored)
        return [
            JudgeInfo(name=name, title=title, accepts=self._accepts(title), stored=summary)
            for name, title, summary in listed
        ]

    async def record(self, name: str) -> JudgeRecord:
        """All that is known of a judge; of a problem's, if none is active, of the latest one.

        Raises:
            UnknownJudgeError: there is none of that name.
            HostError: the store cannot be read.
        """
        stored = parse(name)
        if stored is None:
            return self._of_shipped(name)
        await self._flush()
        return await to_thread.run_sync(self._store.record, stored)

    async def add(self, new: NewJudge) -> tuple[JudgeRecord, bool]:
        """Register a judge, and say whether it is new.

        Raises:
            BadRequestError: it cannot be kept; the error names the field.
            TooLargeError: it, or the store, is over a bound.
            JudgeStateError: a higher state is asked for, and there is no proof.
            HostError: the store cannot be written.
        """
        if new.provenance.source == "shipped":
            raise BadRequestError(
                "only judges that come with ScaleBox are shipped", field="provenance.source"
            )
        if isinstance(new.judge, NamedJudge):
            self._check_named(new.judge)
        record, is_new = await to_thread.run_sync(self._store.add, new)
        await self._tell(record)
        return record, is_new

    async def change(self, name: str, wish: NewJudgeState) -> JudgeRecord:
        """Give a judge of the store another state.

        Raises:
            UnknownJudgeError: there is none of that name in the store.
            JudgeStateError: it cannot go from its state to that one.
            BadRequestError: the name means several, or a proof or reason is missing.
            TooLargeError: the proof is over its bound.
            HostError: the store cannot be written.
        """
        stored = parse(name)
        if stored is None:
            raise UnknownJudgeError(
                f"no judge {shown(name)} is in the store; those that ship have no state",
                field="name",
            )
        # What was counted until now belongs to the state until now.
        await self._flush()
        record = await to_thread.run_sync(self._store.change, stored, wish)
        await self._tell(record)
        return record

    def _accepts(self, title: str) -> str:
        """What is known without asking it: of one that ships, with parameters, what that does."""
        name = title.partition(",")[0]
        return self._shipped.get(name).info.accepts if name in self._shipped else _ITS_OWN

    def _of_shipped(self, name: str) -> JudgeRecord:
        judge = NamedJudge(name=name)
        given = self._shipped.find(judge)
        return JudgeRecord(
            name=name,
            hash=judge_hash(judge),
            judge=given,
            version=1,
            state=JudgeState.ACTIVE,
            provenance=Provenance(source="shipped"),
        )

    def _check_named(self, judge: NamedJudge) -> None:
        """Whether a judge that is to be kept is one that ships.

        Raises:
            BadRequestError: it is none, or a parameter cannot be.
        """
        try:
            self._shipped.find(judge)
        except BadRequestError as error:
            error.field = f"judge.{error.field}"
            raise

    # --- the cache -------------------------------------------------------------------------------

    def _entry(self, judge: NamedJudge) -> _Entry | None:
        """What is known of a judge of the store; None: it ships."""
        name = parse(judge.name)
        if name is None:
            return None
        if judge.parameters:
            raise BadRequestError("a judge of the store has no parameters", field="parameters")
        if self._generation != self._store.generation:
            self._generation = self._store.generation
            self._cache.clear()
            self._cached_bytes = 0
        key = str(name)
        entry = self._cache.get(key)
        if entry is None:
            entry = self._load(name)
            self._cache[key] = entry
            self._cached_bytes += entry.size_bytes
            while self._cached_bytes > _CACHE_BYTES and len(self._cache) > 1:
                self._cached_bytes -= self._cache.popitem(last=False)[1].size_bytes
        self._cache.move_to_end(key)
        return entry

    def _load(self, name: StoreName) -> _Entry:
        found = self._store.lookup(name)
        row, judge = found.row, found.judge
        if row.state == JudgeState.RETIRED:
            why = f": {found.last.reason}" if found.last.reason else ""
            raise UnknownJudgeError(
                f"the judge {row.name} is retired since {found.last.date}{why}; name another one, "
                "or promote it again",
                field="name",
            )
        serving = self._servings.get(row.id)
        if serving is None:
            serving = Serving(row, found.last, self._threshold, self._touch)
            self._servings[row.id] = serving
        else:
            serving.refresh(row, found.last)
        given = self._shipped.find(judge) if isinstance(judge, NamedJudge) else judge
        return _Entry(given, serving, found.size_bytes + _ENTRY_BYTES)

    async def _tell(self, record: JudgeRecord) -> None:
        """Let the judgements at hand know how the judge is now, if it is in service."""
        name = parse(record.name)
        assert name is not None
        found = await to_thread.run_sync(self._store.lookup, name)
        if (serving := self._servings.get(found.row.id)) is not None:
            serving.refresh(found.row, found.last)

    # --- counts ----------------------------------------------------------------------------------

    def _touch(self, serving: Serving, urgent: bool) -> None:
        self._touched.add(serving)
        if urgent:
            self._urgent.set()

    async def _keep(self) -> None:
        while True:
            with anyio.move_on_after(FLUSH_S):
                await self._urgent.wait()
            self._urgent.clear()
            await self._flush()

    async def _flush(self) -> None:
        """Have counts written, and see whether another daemon has written something.

        What cannot be written is kept, and tried again.
        """
        async with self._flushing:
            taken = [(serving, serving.take()) for serving in self._touched]
            self._touched.clear()
            #: Empty when the thread has taken them.
            waiting = [[count for _, count in taken]]
            try:
                rows = await to_thread.run_sync(self._write, waiting)
            except asyncio.CancelledError:
                # Who asked does not wait any more.  A thread that has begun goes on.
                if _took(waiting) is None:
                    for serving, count in taken:
                        serving.written(count)
                else:
                    self._give_back(taken)
                raise
            except Exception as error:
                # The disk is full, or there is not even a thread to be had: later, then.
                _took(waiting)
                self._give_back(taken)
                if not self._failing:
                    log.warning("counts of judges cannot be written", reason=str(error))
                self._failing = True
                return
        self._failing = False
        for (serving, count), row in zip(taken, rows, strict=True):
            serving.written(count, row)
            if count.quarantine:
                log.warning("judge quarantined", judge=row.name, reason=count.quarantine)

    def _give_back(self, taken: list[tuple[Serving, Count]]) -> None:
        for serving, count in taken:
            serving.give_back(count)
            self._touched.add(serving)

    def _write(self, waiting: list[list[Count]]) -> list[Row]:
        """In a worker thread, if nobody has taken back what is to be written."""
        self._store.look()
        counts = _took(waiting)
        return self._store.count(counts) if counts else []


def _took(waiting: list[list[Count]]) -> list[Count] | None:
    """What waits, for the first who asks; None: another was faster."""
    try:
        return waiting.pop()
    except IndexError:
        return None
