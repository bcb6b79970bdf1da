"""What the engine takes in: every bound that a request can be over, and what it holds meanwhile.

A request is refused here, with the place and the bound, or it holds its share of the queue, of the
bytes that may wait, and of uploaded blobs until it is answered.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence

from scalebox.config import Config
from scalebox.engine.blobs import BlobStore
from scalebox.engine.inputs import Inputs, blob_hashes
from scalebox.engine.scheduler import Scheduler
from scalebox.errors import BadRequestError, QueueFullError, TooLargeError
from scalebox.model import Data
from scalebox.sandbox.zygote import wire

_MAX_FILES = 1_000
_LONGEST_PATH_BYTES = 1_000
_LONGEST_NAME_BYTES = 255
#: The kernel takes no argument of more than 128 KiB, and all of them share the stack's limit.
_MAX_ARGUMENT_BYTES = 64 << 10


class Admission:
    """What one request holds.

    Parameters:
        gate: which counts it.
        cases: how many results it waits for.
    """

    def __init__(self, gate: Gate, cases: int) -> None:
        self._gate = gate
        self._cases = cases
        self._bytes = 0

    def hold(self, size_bytes: int) -> None:
        """Test data of this request stays in memory until it is answered.

        Raises:
            QueueFullError: too much is waiting.
        """
        self._gate.hold(size_bytes, self._cases)
        self._bytes += size_bytes

    def settle(self) -> None:
        """One of its cases has its result."""
        if self._cases:
            self._cases -= 1
            self._gate.scheduler.settle(1)

    def close(self) -> None:
        """The request is answered, or nobody waits for the answer."""
        self._gate.scheduler.settle(self._cases)
        self._gate.let_go(self._bytes)
        self._cases = self._bytes = 0


class Gate:
    """The way in.

    Parameters:
        config: the bounds.
        scheduler: whose queue is bounded.
        blobs: what is referred to stays there.
        inputs: knows the size of test data.
    """

    def __init__(
        self, config: Config, scheduler: Scheduler, blobs: BlobStore, inputs: Inputs
    ) -> None:
        self.scheduler = scheduler
        self._config = config
        self._blobs = blobs
        self._inputs = inputs
        self._active = 0
        #: Test data of requests at hand.
        self.held_bytes = 0

    @contextlib.contextmanager
    def admitted(
        self,
        source: str,
        files: dict[str, Data],
        data: Sequence[Data],
        memory_bytes: int,
        cases: int,
    ) -> Iterator[Admission]:
        """Check every bound, hold what the work needs, and let go of it at the end.

        Parameters:
            source, files: the program.
            data: what comes with it: test data, arguments.
            memory_bytes: the most that one of its runs may use.
            cases: how many results it waits for.

        Raises:
            TooLargeError: the program is over its bound.
            QueueFullError: too much is waiting.
            BadRequestError: a run wants more memory than there is, or a blob is not here.
        """
        most = self._config.engine.max_source_bytes
        size = self._inputs.size
        own = size(source) + sum(map(size, files.values()))
        if own > most:
            raise TooLargeError(
                f"source and files are {own} bytes; at most {most} (engine.max_source_bytes)",
                field="source",
            )
        with self._blobs.pinned(blob_hashes([*files.values(), *data])):
            self.scheduler.admit(cases, memory_bytes)
            admission = Admission(self, cases)
            self._active += 1
            try:
                admission.hold(own + sum(map(size, data)))
                yield admission
            finally:
                self._active -= 1
                admission.close()

    def hold(self, size_bytes: int, cases: int) -> None:
        """See `Admission.hold`.  What is over the bound alone is taken when nothing else is."""
        most = self._config.engine.max_queued_bytes
        if self._active > 1 and self.held_bytes + size_bytes > most:
            raise QueueFullError(
                f"{self.held_bytes} bytes of test data are waiting and the bound is {most} "
                "(engine.max_queued_bytes); try again later",
                retry_after_s=self.scheduler.seconds_until_room(cases),
            )
        self.held_bytes += size_bytes

    def let_go(self, size_bytes: int) -> None:
        """Test data is not held any more."""
        self.held_bytes -= size_bytes


def check_files(files: dict[str, Data], taken: Sequence[str]) -> None:
    """Whether a program's further files can be laid out in its folder.

    Parameters:
        taken: names of files that are put there besides.

    Raises:
        TooLargeError: there are too many.
        BadRequestError: a path leads elsewhere, is no file name, or is in another one's way.
    """
    if len(files) > _MAX_FILES:
        raise TooLargeError(f"{len(files)} files; at most {_MAX_FILES}", field="files")
    for path in files:
        if not _is_relative_path(path):
            raise _bad_path(path, "is not a relative path inside the program's folder")
        if path in taken:
            raise _bad_path(path, "is the name of the program's own source")
    # In this order whatever is inside a folder comes right after that folder's name.
    ordered = sorted(path.split("/") for path in (*files, *taken))
    for one, other in itertools.pairwise(ordered):
        if other[: len(one)] == one:
            raise _bad_path("/".join(one), "is a file, and the folder of another one")


def _bad_path(path: str, why: str) -> BadRequestError:
    shown = path[:100].encode("utf-8", "backslashreplace").decode()
    return BadRequestError(f"{shown!r} {why}", field=f"files.{shown}")


def _is_relative_path(path: str) -> bool:
    try:
        raw = path.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate is in no file's name
        return False
    return b"\0" not in raw and len(raw) <= _LONGEST_PATH_BYTES and all(
        part not in (b"", b".", b"..") and len(part) <= _LONGEST_NAME_BYTES
        for part in raw.split(b"/")
    )  # fmt: skip


def check_arguments(args: Sequence[str], fetch: Sequence[str]) -> None:
    """Whether a program can be given these arguments, and these files taken from it.

    Raises:
        TooLargeError: they are too long, or too many.
        BadRequestError: the kernel could not pass one on.
    """
    size = 0
    for index, word in enumerate(args):
        try:
            raw = word.encode("utf-8")
        except UnicodeEncodeError:
            raw = b"\0"
        if b"\0" in raw:
            raise BadRequestError(
                "an argument is text without NUL characters and lone surrogates",
                field=f"args[{index}]",
            )
        size += len(raw) + 1
    if size > _MAX_ARGUMENT_BYTES:
        raise TooLargeError(
            f"arguments of {size} bytes; at most {_MAX_ARGUMENT_BYTES} together "
            "(standard input and files take more)", field="args",
        )  # fmt: skip
    if len(fetch) > wire.MAX_FETCHED_FILES:
        raise TooLargeError(
            f"{len(fetch)} files to fetch; at most {wire.MAX_FETCHED_FILES}", field="fetch"
        )
    for index, path in enumerate(fetch):
        if not _is_relative_path(path):
            raise BadRequestError(
                "is not a relative path inside the program's folder", field=f"fetch[{index}]"
            )
    size = sum(len(path.encode()) + wire.FILE_REPLY.size for path in fetch)
    if size > wire.LISTING_BYTES:
        raise TooLargeError(
            f"paths of {size} bytes to fetch; at most {wire.LISTING_BYTES} together", field="fetch"
        )
