"""Registered problems: tests, limits and judge that are sent once and then named by an id.

Answers for: what was registered comes back equal, also after a restart, until newer problems push
out the least recently used.  What a problem means, and whether the blobs that it names are here, is
for others.

On disk: one file a problem, `<directory>/<sha256 of the id>`, a msgpack `_Stored` of id, version
and the encoded problem.  A file that cannot be read back (a torn write before a power failure) is
treated as never registered: the client sends the problem again.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec
from anyio import to_thread

from scalebox.errors import BadRequestError, HostError, TooLargeError, UnknownProblemError
from scalebox.model import Problem, canonical_bytes

#: Bound on the encoded size of the problems that are kept decoded in memory.
CACHE_BYTES = 64 << 20
#: Bound on the encoded size of all problems on disk.
LIMIT_BYTES = 8 << 30

_json_encoder = msgspec.json.Encoder(order="deterministic")
_msgpack_decoder = msgspec.msgpack.Decoder(Problem)
_json_decoder = msgspec.json.Decoder(Problem)


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    id: str
    version: str
    coding: Literal["msgpack", "json"]
    problem: bytes


_stored_decoder = msgspec.msgpack.Decoder(_Stored)


class ProblemRegistry:
    """Problems by id; on disk all of them, in memory those in use."""

    def __init__(
        self,
        directory: Path,
        max_problems: int,
        *,
        cache_bytes: int = CACHE_BYTES,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        """Take over the directory and index the problems that are there.

        Parameters:
            directory: made (0700) if missing; used by this registry alone.
            max_problems: the least recently used go when there are more.
            cache_bytes: bound of the memory cache (encoded size; decoded it is a few times that).
            limit_bytes: bound of the files together.

        Raises:
            HostError: the directory cannot be made or written.
        """
        self._directory = directory
        self._max_problems = max_problems
        self._cache_bytes = cache_bytes
        self._limit_bytes = limit_bytes
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._used_bytes = 0
        self._cache: OrderedDict[str, tuple[Problem, str, int]] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.RLock()
        # Memory and disk must agree on which of two registrations of one id came last.
        self._writing = asyncio.Lock()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chmod(directory, 0o700)
            self._index()
        except OSError as error:
            raise HostError(
                f"cannot keep registered problems in {directory}: {error.strerror}; make it "
                "writable for the daemon's user, or set store.directory to a place that is"
            ) from error

    @property
    def count(self) -> int:
        """Number of problems registered."""
        return len(self._sizes)

    @property
    def cached_bytes(self) -> int:
        """Encoded size of the problems that are in memory now."""
        return self._cached_bytes

    async def put(self, id: str, problem: Problem) -> str:
        """Register a problem, replacing what the id meant before.

        Returns:
            The version: SHA-256 of the problem's canonical encoding.

        Raises:
            BadRequestError: the problem holds values that cannot be stored.
            TooLargeError: it is larger than all problems may be together.
            HostError: the disk refused.
        """
        stored = _store(id, problem)
        data = msgspec.msgpack.encode(stored)
        if len(data) > self._limit_bytes:
            raise TooLargeError(
                f"the problem takes {len(data)} bytes, and all of them together may take "
                f"{self._limit_bytes}; put large inputs into blobs"
            )
        name = _file_name(id)
        async with self._writing:
            try:
                await to_thread.run_sync(self._write, name, data)
            except OSError as error:
                raise HostError(
                    f"cannot store a problem in {self._directory}: {error.strerror}"
                ) from error
            with self._lock:
                self._forget(name)
                self._sizes[name] = len(data)
                self._used_bytes += len(data)
                self._remember(name, problem, stored.version, len(data))
                while len(self._sizes) > 1 and (
                    len(self._sizes) > self._max_problems or self._used_bytes > self._limit_bytes
                ):
                    self._drop(next(iter(self._sizes)))
        return stored.version

    def get(self, id: str) -> Problem:
        """The problem of that id.

        Raises:
            UnknownProblemError: none is registered (or it was pushed out by newer ones).
        """
        return self._load(id)[0]

    def version(self, id: str) -> str:
        """What `put` returned for the problem that the id means now.

        Raises:
            UnknownProblemError: none is registered.
        """
        return self._load(id)[1]

    def _load(self, id: str) -> tuple[Problem, str, int]:
        name = _file_name(id)
        with self._lock:
            if name not in self._sizes:
                raise self._unknown(id)
            self._sizes.move_to_end(name)
            if (cached := self._cache.get(name)) is not None:
                self._cache.move_to_end(name)
                return cached
            path = self._directory / name
            try:
                data = path.read_bytes()
                stored = _stored_decoder.decode(data)
                problem = _restore(stored)
            except (OSError, ValueError, RecursionError):
                self._drop(name)
                raise self._unknown(id) from None
            # The file's time carries the order of use over a restart.
            with suppress(OSError):
                os.utime(path)
            return self._remember(name, problem, stored.version, len(data))

    def _remember(
        self, name: str, problem: Problem, version: str, size: int
    ) -> tuple[Problem, str, int]:
        entry = (problem, version, size)
        if size <= self._cache_bytes:
            self._cache[name] = entry
            self._cached_bytes += size
            while self._cached_bytes > self._cache_bytes:
                _, (_, _, dropped) = self._cache.popitem(last=False)
                self._cached_bytes -= dropped
        return entry

    def _forget(self, name: str) -> None:
        self._used_bytes -= self._sizes.pop(name, 0)
        if (cached := self._cache.pop(name, None)) is not None:
            self._cached_bytes -= cached[2]

    def _drop(self, name: str) -> None:
        self._forget(name)
        with suppress(OSError):
            os.unlink(self._directory / name)

    def _write(self, name: str, data: bytes) -> None:
        descriptor, path = tempfile.mkstemp(dir=self._directory, prefix="incoming-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.rename(path, self._directory / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(path)
            raise

    def _index(self) -> None:
        found: list[tuple[float, str, int]] = []
        for file in os.scandir(self._directory):
            if file.name.startswith("incoming-"):
                os.unlink(file.path)
            elif len(file.name) == 64 and file.is_file(follow_symlinks=False):
                facts = file.stat(follow_symlinks=False)
                found.append((facts.st_mtime, file.name, facts.st_size))
        for _, name, size in sorted(found):
            self._sizes[name] = size
            self._used_bytes += size
        while len(self._sizes) > self._max_problems or self._used_bytes > self._limit_bytes:
            self._drop(next(iter(self._sizes)))

    @staticmethod
    def _unknown(id: str) -> UnknownProblemError:
        return UnknownProblemError(
            f"no problem {id!r} is registered here (or newer ones pushed it out); register it "
            "with PUT /v1/problems/{id} and ask again",
            field="problem",
        )


def _file_name(id: str) -> str:
    return hashlib.sha256(id.encode()).hexdigest()


def _store(id: str, problem: Problem) -> _Stored:
    coding: Literal["msgpack", "json"] = "msgpack"
    try:
        try:
            data = canonical_bytes(problem)
        except OverflowError:
            # Call arguments may be integers beyond 64 bits, which only JSON can say.  What came
            # as JSON holds nothing that JSON cannot say, so nothing is lost.
            coding, data = "json", _json_encoder.encode(problem)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadRequestError(
            f"the problem holds a value that cannot be stored ({error}); arguments and expected "
            "values are JSON data",
            field="tests",
        ) from error
    return _Stored(id, hashlib.sha256(data).hexdigest(), coding, data)


def _restore(stored: _Stored) -> Problem:
    if hashlib.sha256(stored.problem).hexdigest() != stored.version:
        raise ValueError("the file does not hold what was written")
    decoder = _msgpack_decoder if stored.coding == "msgpack" else _json_decoder
    return decoder.decode(stored.problem)
