"""What a client of several daemons has given to one of them, for the others that may take over.

Answers for: a submission that names a problem or a stored judge which this client registered means
the same at every daemon, and a blob that it uploaded is there.  Problems and judges are told to a
daemon before the first submission that names them goes there, because it might know something else
by that name; blobs, whose name is their content, where one turns out to be missing.  What is kept
is bounded in bytes, and the least recently used goes first.  Of a problem its version is remembered
even then, so that a daemon that knows another problem by that name is not asked about it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from scalebox.client.daemons import Daemon
from scalebox.client.encode import MSGPACK, Encoded, Encoder
from scalebox.client.transport import Answer, Refusal
from scalebox.model import (
    ErrorBody,
    JudgeRecord,
    JudgeState,
    NamedJudge,
    NewJudge,
    NewJudgeState,
    OutputTests,
    StdioTests,
    Submission,
)

#: Refusals of what may only be missing at this daemon.
_MISSING = frozenset({"unknown_blob", "unknown_problem", "unknown_judge"})
#: Problems that are not kept any more, and whose versions are remembered.
_MAX_VERSIONS = 100_000
#: What an entry takes beside its bytes.
_ENTRY_BYTES = 500
#: Why a judge changes its state at a daemon that takes over.
_AS_ELSEWHERE = "as at the daemon that this one takes over from"

#: Of what kind, and its name.
Key = tuple[Literal["blob", "problem", "judge"], str]


class _Registered(msgspec.Struct):
    """Of the answer to a problem's registration, what is needed here."""

    version: str


class _Entry:
    """One thing that is kept.

    Attributes:
        key: what it is.
        encoded: a blob's bytes, a problem's encoding, a judge's record (in msgpack); None: it is
            not kept any more.
        known_to: daemons that have it, as far as is known, and what it is called there.
        aliases: what else it may be called.
        version: of a problem.
        telling: held while a daemon is told.
    """

    __slots__ = ("aliases", "encoded", "key", "known_to", "telling", "version")

    def __init__(
        self,
        key: Key,
        encoded: Encoded,
        daemon: Daemon,
        aliases: Iterable[str],
        version: str,
    ) -> None:
        self.key = key
        self.encoded: Encoded | None = encoded
        self.known_to = {daemon: key[1]}
        self.aliases = tuple(aliases)
        self.version = version
        self.telling = asyncio.Lock()

    @property
    def size(self) -> int:
        return _ENTRY_BYTES + (0 if self.encoded is None else len(self.encoded.data))


class Kept:
    """The things kept.

    Parameters:
        limit_bytes: bound on all of them together; 0: nothing is kept.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        #: Of problems only.
        self._gone: OrderedDict[Key, _Entry] = OrderedDict()
        self._used_bytes = 0
        #: Names of judges, by all that they may be called.
        self._judges: dict[str, list[str]] = {}
        self._encoder = Encoder()

    def blob(self, sha256: str, data: bytes, daemon: Daemon) -> None:
        """Keep a blob that a daemon has."""
        self._keep(("blob", sha256), Encoded(data, "application/octet-stream"), daemon)

    def problem(self, id: str, problem: Encoded, answer: Answer, daemon: Daemon) -> None:
        """Keep a problem that a daemon has registered with this answer."""
        if self._limit_bytes:
            version = answer.decode(_Registered).version
            self._keep(("problem", id), problem, daemon, version=version)

    def judge(self, record: JudgeRecord, daemon: Daemon, *, is_new: bool) -> None:
        """Keep a judge as it is at a daemon now.

        Parameters:
            is_new: if not, nothing is done about one that is not kept.
        """
        key: Key = ("judge", record.name)
        if not is_new and key not in self._entries:
            return
        aliases = {record.name, record.hash, f"sha256:{record.hash}"}
        if record.problem is not None:
            aliases.add(f"problem:{record.problem}")
        self._keep(key, Encoded(msgspec.msgpack.encode(record)), daemon, aliases)

    def named_by(self, submission: Submission) -> tuple[Key, ...]:
        """What of this a submission goes by the name of, blobs apart."""
        if not self._entries:
            return ()
        if submission.problem is not None:
            key: Key = ("problem", submission.problem)
            return (key,) if key in self._entries or key in self._gone else ()
        tests = submission.tests
        if not self._judges or not isinstance(tests, StdioTests | OutputTests):
            return ()
        judges = [tests.judge]
        if isinstance(tests, StdioTests):
            judges += [case.judge for case in tests.cases if case.judge is not None]
        names = {judge.name for judge in judges if isinstance(judge, NamedJudge)}
        return tuple(("judge", name) for name in names if name in self._judges)

    async def tell(self, daemon: Daemon, key: Key) -> None:
        """See to it that a daemon knows a blob, problem or judge as this client means it.

        Raises:
            BrokenConnection, Refusal: it does not.
        """
        for entry in self._called(key):
            if entry.encoded is not None:
                self._entries.move_to_end(entry.key)
            if daemon not in entry.known_to:
                async with entry.telling:
                    if daemon not in entry.known_to:
                        entry.known_to[daemon] = await self._tell(daemon, entry)
            if entry.key == key and (there := entry.known_to[daemon]) != key[1]:
                raise _other_judge(entry, there)

    async def supply(
        self, daemon: Daemon, refusal: Refusal, request: Encoded, done: set[object]
    ) -> bool:
        """Give a daemon what it lacks, if it refused a request for that.

        Parameters:
            daemon: which refused.
            refusal: what it said.
            request: what it refused.
            done: what it has been given on this occasion, for other requests; added to.

        Returns:
            Whether there was something to give, so that asking again may help.

        Raises:
            BrokenConnection, Refusal: it did not take it.
        """
        if not self._entries or not is_missing(refusal):
            return False
        return await self._give(daemon, _names_in(request), done)

    async def _give(self, daemon: Daemon, keys: Iterable[Key], done: set[object]) -> bool:
        given = False
        for key in keys:
            entries = self._called(key)
            given = given or bool(entries)
            if not entries or key in done:
                continue
            done.add(key)
            for entry in entries:
                # It may have been told, and has forgotten.
                entry.known_to.pop(daemon, None)
            await self.tell(daemon, key)
        return given

    def _keep(
        self,
        key: Key,
        encoded: Encoded,
        daemon: Daemon,
        aliases: Iterable[str] = (),
        version: str = "",
    ) -> None:
        if not self._limit_bytes:
            return
        self._forget(key)
        self._gone.pop(key, None)
        entry = self._entries[key] = _Entry(key, encoded, daemon, aliases, version)
        self._used_bytes += entry.size
        for alias in entry.aliases:
            self._judges.setdefault(alias, []).append(key[1])
        if entry.size > self._limit_bytes:
            self._forget(key)
        while self._used_bytes > self._limit_bytes:
            self._forget(next(iter(self._entries)))

    def _forget(self, key: Key) -> None:
        if (entry := self._entries.pop(key, None)) is None:
            return
        self._used_bytes -= entry.size
        for alias in entry.aliases:
            self._judges[alias].remove(key[1])
            if not self._judges[alias]:
                del self._judges[alias]
        if entry.version:
            entry.encoded = None
            self._gone[key] = entry
            if len(self._gone) > _MAX_VERSIONS:
                self._gone.popitem(last=False)

    def _called(self, key: Key) -> list[_Entry]:
        """What a name may mean: of judges one, or all of a problem, or all of a hash."""
        kind, name = key
        names = self._judges.get(name, []) if kind == "judge" else [name]
        found = [self._entries.get((kind, each), self._gone.get((kind, each))) for each in names]
        return [entry for entry in found if entry is not None]

    async def _tell(self, daemon: Daemon, entry: _Entry) -> str:
        """Returns what it is called there."""
        kind, name = entry.key
        if kind == "problem":
            await self._tell_problem(daemon, name, entry)
            return name
        assert entry.encoded is not None
        if kind == "judge":
            return await self._tell_judge(daemon, _record_of(entry.encoded))
        await _put(daemon, blob_path(name), entry.encoded)
        return name

    async def _tell_problem(self, daemon: Daemon, id: str, entry: _Entry) -> None:
        # It may be forgotten meanwhile.
        encoded = entry.encoded
        needed: list[Key] = []
        if encoded is not None:
            needed = [key for key in _names_in(encoded) if key[0] != "problem"]
        for key in needed:
            if key[0] == "judge":
                await self.tell(daemon, key)
        path = problem_path(id)
        if await _version_at(daemon, path) == entry.version:
            return
        if encoded is None:
            raise _forgotten(id)
        try:
            await _put(daemon, path, encoded)
        except Refusal as refusal:
            if not is_missing(refusal) or not await self._give(daemon, needed, set()):
                raise
            await _put(daemon, path, encoded)

    async def _tell_judge(self, daemon: Daemon, kept: JudgeRecord) -> str:
        new = NewJudge(
            judge=kept.judge,  # type: ignore[arg-type]  # the store keeps no other
            problem=kept.problem,
            provenance=kept.provenance,
            proof=kept.proof,
        )
        found = await self._post_judge(daemon, "/v1/judges", new)
        # One that failed there is not put back into service from here.
        if found.state not in (kept.state, JudgeState.QUARANTINED):
            wish = NewJudgeState(
                state=kept.state,
                reason=(kept.history[-1].reason if kept.history else "") or _AS_ELSEWHERE,
                force=kept.state is JudgeState.ACTIVE and kept.proof is None,
                proof=kept.proof,
            )
            await self._post_judge(daemon, f"{judge_path(found.name)}/state", wish)
        return found.name

    async def _post_judge(
        self, daemon: Daemon, path: str, body: NewJudge | NewJudgeState
    ) -> JudgeRecord:
        encoded = self._encoder.encode(body)
        answer = await daemon.transport.call("POST", path, encoded.data, encoded.content_type)
        return answer.decode(JudgeRecord)


def is_missing(refusal: Refusal) -> bool:
    """Whether a daemon refused a request for what only it may lack."""
    return refusal.body.error in _MISSING


def blob_path(sha256: str) -> str:
    """Where a blob is."""
    return f"/v1/blobs/{sha256}"


def problem_path(id: str) -> str:
    """Where a problem is registered."""
    return f"/v1/problems/{quote(id, safe='')}"


def judge_path(name: str) -> str:
    """Where a judge of the store is."""
    return f"/v1/judges/{quote(name, safe='')}"


async def _put(daemon: Daemon, path: str, encoded: Encoded) -> None:
    await daemon.transport.call("PUT", path, encoded.data, encoded.content_type)


async def _version_at(daemon: Daemon, path: str) -> str:
    try:
        return (await daemon.transport.call("HEAD", path)).version
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        return ""


def _record_of(judge: Encoded) -> JudgeRecord:
    return msgspec.msgpack.decode(judge.data, type=JudgeRecord)


def _forgotten(id: str) -> Refusal:
    return Refusal(
        404,
        ErrorBody(
            error="unknown_problem",
            message=f"the problem {id!r} that this client registered elsewhere is not registered "
            "here, or is another one here, and the client no longer has it to tell (see its "
            "kept_bytes); register it again",
            field="problem",
        ),
    )


def _other_judge(entry: _Entry, there: str) -> Refusal:
    assert entry.encoded is not None
    kept = _record_of(entry.encoded)
    return Refusal(
        400,
        ErrorBody(
            error="unknown_judge",
            message=f"the judge {kept.name} is {there} at this daemon, which counts its own "
            f"versions; name it by its hash, sha256:{kept.hash}",
            field="name",
        ),
    )


def _names_in(request: Encoded) -> list[Key]:
    """What a request refers to; in arguments of calls there may be what only looks like it."""
    if request.content_type == MSGPACK:
        return list(dict.fromkeys(_names(msgspec.msgpack.decode(request.data))))
    return list(dict.fromkeys(_names(msgspec.json.decode(request.data))))


def _names(value: Any) -> Iterator[Key]:
    if isinstance(value, list):
        for element in value:
            yield from _names(element)
    elif isinstance(value, dict):
        if isinstance(sha256 := value.get("sha256"), str):
            yield ("blob", sha256)
        if isinstance(problem := value.get("problem"), str):
            yield ("problem", problem)
        if value.get("type") == "named" and isinstance(name := value.get("name"), str):
            yield ("judge", name)
        for element in value.values():
            yield from _names(element)
