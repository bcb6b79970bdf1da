"""Precompiled headers: made in a slot on a language's first use, and read by later compilations.

A file is complete and on the disk before it has its name, and has the tool chain and the flags in
its address, so a compiler only ever finds one that it made itself, whole.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

import anyio.to_thread
import structlog
from anyio.abc import TaskGroup

from scalebox.engine.execution import execute
from scalebox.engine.scheduler import Scheduler
from scalebox.errors import InternalError
from scalebox.languages import build
from scalebox.languages.toolchains import Language
from scalebox.sandbox.spec import RunLimits, read_output

_COPY_BYTES = 1 << 22

log = structlog.get_logger(__name__)


class Headers:
    """The folder of precompiled headers.

    Parameters:
        folder: readable inside slots.
        scheduler: where precompiling queues.
        limits: of a compilation.
        retries: after failures of ours.
        tasks: the group that precompiling belongs to.
    """

    def __init__(
        self,
        folder: Path,
        scheduler: Scheduler,
        limits: RunLimits,
        retries: int,
        tasks: TaskGroup,
    ) -> None:
        self._folder = folder
        self._scheduler = scheduler
        self._limits = limits
        self._retries = retries
        self._tasks = tasks
        self._seen: set[str] = set()

    def folder(self, language: Language) -> Path | None:
        """Where a compilation finds this language's header, if it has one.

        The first one asked starts precompiling it, and does not wait for that.
        """
        plan = build.header_plan(language, self._limits)
        if plan is None:
            return None
        if language.identity not in self._seen:
            self._seen.add(language.identity)
            compiled = self._folder / plan.address
            if not (compiled.exists() and compiled.with_suffix("").exists()):
                self._tasks.start_soon(self._precompile, plan)
        return self._folder

    async def _precompile(self, plan: build.HeaderPlan) -> None:
        try:
            outcome = await execute(
                self._scheduler,
                lambda: plan.spec,
                client="scaleboxd",
                priority=0,
                memory_bytes=plan.spec.limits.memory_bytes,
                retries=self._retries,
            )
        except InternalError as error:
            log.warning("no precompiled header", reason=str(error))
            return
        try:
            fd = outcome.files.get(plan.fetch)
            if outcome.status != 0 or fd is None:
                text = read_output(outcome.stderr, 500).decode("utf-8", "replace")
                log.warning("no precompiled header", reason=text)
                return
            # The first part is the tool chain's, the rest what programs call it, compiled.
            name = Path(*plan.address.parts[1:]).with_suffix("")
            await anyio.to_thread.run_sync(_write_header, self._folder / plan.address, name, fd)
        except OSError as error:
            log.warning("no precompiled header", reason=str(error))
        finally:
            outcome.close()


def remove_stale(folder: Path, identities: Collection[str]) -> None:
    """Remove the headers of tool chains and flags that this daemon does not use any more, and what
    a killed one had half written."""
    for entry in folder.iterdir():
        if entry.name not in identities:
            shutil.rmtree(entry, ignore_errors=True)
        for partial in entry.rglob("*.partial"):
            partial.unlink(missing_ok=True)


def _write_header(path: Path, name: Path, source_fd: int) -> None:
    """The compiled header, and beside it what stands for its text.

    A compiler that has used it once looks for the text where the same header is included again.
    """
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    text = path.with_suffix("")
    draft = text.with_suffix(f".{os.getpid()}.partial")
    draft.write_text(f"#include_next <{name}>\n", encoding="ascii")
    draft.chmod(0o444)
    draft.rename(text)
    _write_file(path, source_fd)


def _write_file(path: Path, source_fd: int) -> None:
    """A file that programs may read, complete or not there."""
    partial = path.with_suffix(f".{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            offset = 0
            while count := os.sendfile(file.fileno(), source_fd, offset, _COPY_BYTES):
                offset += count
            os.fchmod(file.fileno(), 0o444)
            os.fdatasync(file.fileno())
        partial.rename(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
