"""Samples → grades: each program is judged once, and again only where we failed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import msgspec

from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local
from scalebox.errors import ConnectionFailedError, ScaleboxError
from scalebox.extraction import with_thinking
from scalebox.integrations.inprocess import sendable
from scalebox.model import Verdict
from scalebox.suite.config import JudgeConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.folder import GradeLine, sha256
from scalebox.suite.tasks import Benchmark, Grade, Sample, Task

PRIVATE = "private"
#: What a model writes beyond it is no program; daemons refuse more than their own bound.
MAX_PROGRAM_BYTES = 1 << 20
_PAUSE_S = 0.5
_KEPT = 4096
_NO_PROGRAM = Grade(
    verdict=Verdict.COMPILE_ERROR, passed=0, total=0, message="there is no program in the answer"
)


@asynccontextmanager
async def connected(config: JudgeConfig) -> AsyncIterator[AsyncClient]:
    """A client of the daemon that a configuration names.

    Raises:
        SuiteError: options for a private daemon are given for another one.
        HostError: the private daemon does not start.
        BadRequestError: the address is none.
    """
    if config.daemon == PRIVATE:
        tables: dict[str, Any] = {"sandbox": {"isolation": config.isolation}}
        if config.store:
            tables["store"] = {"directory": config.store}
        async with async_local(tables) as client:
            yield client
        return
    if config.isolation != "auto" or config.store:
        raise SuiteError(
            f"[judge] isolation and store are of a private daemon; {config.daemon or 'the host'} "
            f'has its own: say daemon = "{PRIVATE}", or leave them out'
        )
    token = os.environ.get("SCALEBOX_TOKEN")
    async with AsyncClient(config.daemon or None, token=token) as client:
        yield client


async def check_languages(client: AsyncClient, languages: set[str]) -> dict[str, str]:
    """The tool chains of languages.

    Raises:
        SuiteError: the daemon does not have one; with what brings it.
    """
    known = {name: info for info in await client.languages() for name in (info.name, *info.aliases)}
    for language in sorted(languages):
        info = known.get(language)
        if info is None or not info.available:
            why = info.missing if info else "it knows no language of that name"
            raise SuiteError(f"the daemon cannot run {language}: {why}")
    return {language: known[language].toolchain for language in sorted(languages)}


class Judging:
    """Grades samples of one benchmark.

    Parameters:
        benchmark: whose tasks they answer.
        client: of the daemon.
        thinking: `keep`: programs are looked for in what a model thought, too.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        client: AsyncClient,
        thinking: Literal["drop", "keep"] = "drop",
    ) -> None:
        self._benchmark = benchmark
        self._thinking = thinking
        self._client = client
        self._config = benchmark.judge
        self._room = asyncio.Semaphore(self._config.in_flight)
        # Models repeat themselves: of equal programs one is judged.
        self._grades: dict[tuple[str, str], asyncio.Future[Grade]] = {}

    async def line(self, task: Task, sample: Sample) -> GradeLine:
        """The grade of one sample.  One that says nothing about the program is not `decided`.

        Raises:
            ConnectionFailedError: the daemon is gone.
        """
        if self._thinking == "keep" and sample.kind == "answer":
            text = with_thinking(f"{sample.reasoning}\n{sample.text}")
            sample = msgspec.structs.replace(sample, text=text)
        program = await asyncio.to_thread(self._benchmark.program, task, sample)
        if program is None or not program.strip():
            return GradeLine(task=task.id, index=sample.index, grade=_NO_PROGRAM)
        program = sendable(program)
        own = sha256(program)
        grade = await self._once(task, program, own)
        return GradeLine(task=task.id, index=sample.index, program_sha256=own, grade=grade)

    async def _once(self, task: Task, program: str, own: str) -> Grade:
        key = task.id, own
        if (former := self._grades.get(key)) is not None:
            return await asyncio.shield(former)
        future = self._grades[key] = asyncio.get_running_loop().create_future()
        try:
            grade = await self._grade(task, program)
        except BaseException as error:
            del self._grades[key]
            if isinstance(error, asyncio.CancelledError):
                future.cancel()
            else:
                future.set_exception(error)
                future.exception()  # somebody may wait for it, nobody must
            raise
        if not is_decided(grade):
            del self._grades[key]
        elif len(self._grades) > _KEPT:
            oldest = next(iter(self._grades))
            if self._grades[oldest].done():
                del self._grades[oldest]
        future.set_result(grade)
        return grade

    async def _grade(self, task: Task, program: str) -> Grade:
        if (size := len(program.encode())) > MAX_PROGRAM_BYTES:
            words = f"the program has {size:,} bytes, more than {MAX_PROGRAM_BYTES:,}"
            return msgspec.structs.replace(_NO_PROGRAM, message=words)
        grade = _NO_PROGRAM
        for attempt in range(self._config.attempts):
            if attempt:
                await asyncio.sleep(_PAUSE_S * 2**attempt)
            async with self._room:
                grade = await self._attempt(task, program)
            if is_decided(grade):
                break
        return grade

    async def _attempt(self, task: Task, program: str) -> Grade:
        try:
            return await self._benchmark.grade(self._client, task, program)
        except ConnectionFailedError:
            raise
        except ScaleboxError as error:
            return Grade(verdict=Verdict.INTERNAL_ERROR, passed=0, total=0, message=error.message)


def is_decided(grade: Grade) -> bool:
    """Whether a grade says something about the program."""
    return grade.verdict.is_about_the_program
