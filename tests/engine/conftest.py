"""An engine on real slots, with a store of its own; short words for what tests ask of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.config import Config
from scalebox.engine.service import Engine, running
from scalebox.judges.directory import shipped
from scalebox.model import (
    AssertCase,
    AssertTests,
    CallCase,
    CallTests,
    Report,
    StdioCase,
    StdioTests,
    Submission,
)

ROOT = os.geteuid() == 0
#: What this user can have.
LEVELS = ["full", "user", "minimal"] if ROOT else ["user", "minimal"]

#: Tables of scalebox.toml → an engine with these settings.
StartsEngine = Callable[..., AbstractAsyncContextManager[Engine]]


@pytest.fixture
def start_engine(tmp_path: Path) -> StartsEngine:
    """Starts engines, one after the other on the same store."""

    @asynccontextmanager
    async def start(**tables: dict[str, Any]) -> AsyncIterator[Engine]:
        # Precompiling takes seconds of a slot, and has tests of its own.
        languages = {"cpp": {"precompiled_header": False}}
        settings = {"store": {}, "sandbox": {"slots": 2}, "languages": languages, **tables}
        settings["store"] = {"directory": str(tmp_path / "store"), **settings["store"]}
        async with running(msgspec.convert(settings, Config), shipped()) as engine:
            await all_slots_up(engine)
            yield engine

    return start


@pytest.fixture
async def engine(start_engine: StartsEngine) -> AsyncIterator[Engine]:
    """An engine with two slots."""
    up: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
    down = asyncio.Event()

    async def live() -> None:
        # A fixture's two halves run in two tasks; an engine begins and ends in one.
        async with start_engine() as engine:
            up.set_result(engine)
            await down.wait()

    life = asyncio.create_task(live())
    await asyncio.wait({life, up}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield await up if up.done() else await life  # type: ignore[misc]
    finally:
        down.set()
        await life


async def all_slots_up(engine: Engine) -> None:
    """An engine is ready with its first slot; wait for the others."""
    await until(lambda: all(slot.state in ("idle", "busy") for slot in engine.status().slots))


async def until(condition: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.005)


def stdio(source: str, cases: Sequence[tuple[str, str]], **more: Any) -> Submission:
    """A submission over standard streams; Python unless said otherwise."""
    tests = StdioTests(
        cases=[StdioCase(input=given, answer=answer) for given, answer in cases],
        **({"judge": more.pop("judge")} if "judge" in more else {}),
    )
    return Submission(source=source, tests=tests, **{"language": "python", **more})


def calls(source: str, cases: Sequence[tuple[list[Any], Any]], **more: Any) -> Submission:
    """A submission whose function `f` is called; Python unless said otherwise."""
    options = {
        name: more.pop(name)
        for name in ("tuple_equals_list", "float_absolute_tolerance")
        if name in more
    }
    tests = CallTests(
        function=more.pop("function", "f"),
        cases=[CallCase(args=args, expected=expected) for args, expected in cases],
        **options,
    )
    return Submission(source=source, tests=tests, **{"language": "python", **more})


def asserted(
    source: str, *programs: str, entry_point: str | None = None, **more: Any
) -> Submission:
    """A submission with test programs."""
    tests = AssertTests(
        cases=[AssertCase(program=program) for program in programs], entry_point=entry_point
    )
    return Submission(language="python", source=source, tests=tests, **more)


def verdicts(report: Report) -> list[str]:
    """The cases' verdicts, in order."""
    return [case.verdict.value for case in report.cases]
