"""What the programs of a problem write: run once, kept, and looked at by every later step.

A program that does not end well on a test has no output there, and is not run on the tests after
it: it costs too much, and says nothing about judges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from scalebox.client.aio import AsyncClient
from scalebox.errors import InternalError, RemoteError
from scalebox.model import Blob, Limits, RunRequest, RunStatus
from scalebox.specialjudges.deciding import Question
from scalebox.specialjudges.material import Material, Program

#: Of one problem; programs that come later are left out.
_MOST_BYTES = 256 << 20
_MOST_OUTPUT_BYTES = 4 << 20
#: Where the data states no limit (the README of the labelled problems: 10 s, 3 GB).
_CPU_TIME_S = 10.0
_MEMORY_BYTES = 3 << 30
#: Programs of other labels end badly on purpose.
_LABELS = ("accepted", "wrong_answer", "partially_accepted", "run_time_error")
_AT_ONCE = 8


class Written(Struct, frozen=True, kw_only=True):
    """What one program wrote.

    Attributes:
        name, is_right: the program's.
        outputs: by the tests' numbers, from 0 on without a gap.
        stopped: why there are not as many outputs as tests; empty: there are.
    """

    name: str
    is_right: bool
    outputs: list[bytes]
    stopped: str = ""


class Evidence(Struct, frozen=True, kw_only=True):
    """What all programs wrote."""

    programs: list[Written]

    def of_right(self, test: int) -> list[bytes]:
        """Different outputs of programs that are right."""
        return _unique(self.programs, test, is_right=True)

    def right_questions(self, tests: int) -> list[Question]:
        """All different outputs of programs that are right, of all tests."""
        return [Question(test, output) for test in range(tests) for output in self.of_right(test)]

    def wrong_programs(self, tests: int) -> Iterator[Written]:
        """Those that are said to be wrong and ended well on every test: a judge has to see it."""
        for program in self.programs:
            if not program.is_right and len(program.outputs) == tests:
                yield program


def _unique(programs: Sequence[Written], test: int, *, is_right: bool) -> list[bytes]:
    found = (
        program.outputs[test]
        for program in programs
        if program.is_right is is_right and test < len(program.outputs)
    )
    return list(dict.fromkeys(found))


async def gather(client: AsyncClient, material: Material, languages: frozenset[str]) -> Evidence:
    """Run a problem's programs on its tests.

    Parameters:
        client: of the daemon that runs them.
        material: not of an interactive problem, whose programs write nothing by themselves.
        languages: that the daemon has; programs in others are left out.

    Raises:
        InternalError: the daemon failed.
    """
    turn = asyncio.Semaphore(_AT_ONCE)
    held = 0

    async def written(program: Program) -> Written:
        nonlocal held
        outputs: list[bytes] = []
        stopped = ""
        async with turn:
            for test in material.tests:
                if held > _MOST_BYTES:
                    stopped = "too much output of this problem's programs is held already"
                    break
                output = await _run(client, material, program, test.input)
                if isinstance(output, str):
                    stopped = f"test {test.name}: {output}"
                    break
                held += len(output)
                outputs.append(output)
        return Written(
            name=program.name, is_right=program.is_right, outputs=outputs, stopped=stopped
        )

    chosen = [
        program
        for program in material.programs
        if program.label in _LABELS and program.submission.language in languages
    ]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(written(program)) for program in chosen]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return Evidence(programs=[task.result() for task in tasks])


async def _run(
    client: AsyncClient, material: Material, program: Program, given: bytes
) -> bytes | str:
    """Its output, or why there is none.

    Raises:
        InternalError: the daemon failed.
    """
    request = RunRequest(
        language=program.submission.language,
        source=program.submission.source,
        files=program.submission.files,
        stdin=Blob(data=given),
        limits=msgspec.structs.replace(limits_of(material), output_bytes=_MOST_OUTPUT_BYTES),
    )
    try:
        result = await client.run(request)
    except RemoteError as error:
        if 400 <= (error.http_status or 0) < 500:
            return f"refused: {error.message}"
        raise
    if result.status is RunStatus.INTERNAL_ERROR:
        raise InternalError(f"the daemon failed to run a program: {result.message}")
    if result.status is not RunStatus.FINISHED:
        return f"{result.status.value}: {result.message}"[:300]
    return result.stdout


def limits_of(material: Material) -> Limits:
    """Of its programs, with what stands in for those that nobody states."""
    limits = material.limits
    return msgspec.structs.replace(
        limits,
        cpu_time_s=limits.cpu_time_s or _CPU_TIME_S,
        memory_bytes=limits.memory_bytes or _MEMORY_BYTES,
    )
