"""What runs leave is let go of: descriptors, memory, and the queue's account of both."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import itertools
import weakref

import pytest

from scalebox.engine import aside
from scalebox.engine import scheduler as scheduling
from scalebox.engine.judgement import Judgement
from scalebox.engine.service import Engine
from scalebox.model import Blob, Comparison, Limits, RunRequest, StdioCase, StdioTests, Submission

from ..descriptors import open_descriptors
from .conftest import LEVELS, StartsEngine, asserted, calls, stdio, until, verdicts

LARGE = "print('x' * 200_000)"
EXACT = Comparison(mode="exact")
NUMBERS = itertools.count()


async def everything(engine: Engine) -> None:
    """Some of every kind of request; large outputs, failures and requests that are given up."""
    data = b"blob " * 100_000
    blob = Blob(sha256=hashlib.sha256(data).hexdigest())
    await engine.blobs.put(blob.sha256 or "", data)
    echo = "import sys; sys.stdout.write(sys.stdin.read()); sys.stderr.write('e' * 100_000)"
    tests = StdioTests(cases=[StdioCase(input=blob, answer=blob)] * 4, judge=EXACT)
    submissions = [
        stdio("print(1)", [("", "1")] * 5),
        stdio(LARGE, [("", "x" * 200_000)] * 5),
        stdio(LARGE, [("", "y" * 200_000)] * 5, stop="never", return_output="all"),
        stdio("print('x' * 10**7)", [("", "")] * 2, limits=Limits(output_bytes=1 << 20)),
        Submission(language="python", source=echo, tests=tests),
        stdio(f"int main(){{}} // {next(NUMBERS)}", [("", "")] * 3, language="c"),
        stdio("import sys; print(1); sys.stderr.write('e' * 100_000)", [("", "1")] * 3),
        stdio("int main(", [("", "")] * 3, language="c"),
        stdio("import os; os.kill(os.getpid(), 9)", [("", "")] * 3, stop="never"),
        stdio("import time; time.sleep(60)", [("", "")] * 3, deadline_s=0.2),
        calls("def f(n): return 'x' * n", [([200_000], "x" * 200_000), ([1], "y")]),
        asserted("def f(): return 1", "assert f() == 1", "assert f() == 2"),
    ]
    runs = [
        RunRequest(language="python", source=LARGE + "\nopen('f', 'w').write('x')", fetch=["f"]),
        RunRequest(language="python", source="import time; time.sleep(60)", deadline_s=0.2),
    ]
    judged = [engine.judge(submission, client="t") for submission in submissions]
    await asyncio.gather(*judged, *(engine.run(request, client="t") for request in runs))
    given_up = [
        asyncio.create_task(engine.judge(submission, client="t")) for submission in submissions
    ]
    for steps, task in enumerate(given_up):
        for _ in range(steps):
            await asyncio.sleep(0.002)
        task.cancel()
    await asyncio.wait(given_up)


async def idle(engine: Engine) -> None:
    scheduler = engine._room.scheduler
    await until(lambda: not scheduler.running and not scheduler.queued)
    await until(lambda: not scheduler._result_bytes)
    # A few of the newest programs stay open on purpose.
    engine._room.builder._cache.close()


@pytest.mark.parametrize("level", LEVELS)
async def test_nothing_is_left_open(start_engine: StartsEngine, level: str) -> None:
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        await everything(engine)
        await idle(engine)
        gc.collect()
        before = open_descriptors()
        for _ in range(3):
            await everything(engine)
        await idle(engine)
        gc.collect()
        after = open_descriptors()
        left = {after[fd] for fd in after if before.get(fd) != after[fd]}
        assert len(after) <= len(before), left
        assert engine._room.scheduler.admitted == 0
        assert engine._gate.held_bytes == 0


async def test_a_judgement_goes_with_its_request(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[Judgement]] = []  # type: ignore[type-arg]
    start = Judgement.__init__

    def noted(self, *args, **kwargs) -> None:
        start(self, *args, **kwargs)
        made.append(weakref.ref(self))

    monkeypatch.setattr(Judgement, "__init__", noted)
    gc.collect()
    gc.disable()
    try:
        for _ in range(20):
            assert (await engine.judge(stdio("print(1)", [("", "1")] * 5), client="t")).accepted
        await asyncio.sleep(0)
        # No cycle keeps test data until the collector happens to come.
        assert sum(ref() is not None for ref in made) <= 1
    finally:
        gc.enable()


async def test_outputs_do_not_pile_up_faster_than_they_are_compared(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "MAX_RESULT_BYTES", 3 << 20)
    scheduler = engine._room.scheduler
    gate, most, compared = asyncio.Event(), 0, 0
    call = aside.Aside.call

    async def held_up(self, function):
        nonlocal most, compared
        await gate.wait()
        most = max(most, scheduler._result_bytes)
        compared += 1
        return await call(self, function)

    monkeypatch.setattr(aside.Aside, "call", held_up)
    source = "import sys; sys.stdout.write('x' * (1 << 20))"
    submission = stdio(source, [("", "x" * (1 << 20))] * 30, judge=EXACT)
    judging = asyncio.create_task(engine.judge(submission, client="t"))
    await until(lambda: scheduler._result_bytes > 3 << 20)
    await until(lambda: scheduler.running == 0)
    assert scheduler.queued > 20, "no run starts while so much waits"
    gate.set()
    assert (await judging).accepted
    assert compared == 30
    # One more a slot may have been under way when the bound was reached.
    assert most <= (3 + 1 + 2) << 20
    assert scheduler._result_bytes == 0


async def test_a_comparison_with_a_defect_is_our_failure_and_nobody_elses(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scalebox.engine import stdio as module

    def defect(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(module, "compare", defect)
    monkeypatch.setattr(module, "compare_quickly", defect)
    for source in ("print(1)", LARGE):
        report = await engine.judge(stdio(source, [("", "1")] * 3, stop="never"), client="t")
        assert verdicts(report) == ["internal_error"] * 3
        assert "a defect" in report.message
    monkeypatch.undo()
    assert (await engine.judge(stdio("print(1)", [("", "1")] * 4), client="t")).accepted


@pytest.mark.parametrize("level", LEVELS)
async def test_programs_cannot_change_what_others_read(
    start_engine: StartsEngine, level: str
) -> None:
    data = b"original " * 100_000
    blob = Blob(sha256=hashlib.sha256(data).hexdigest())
    source = """
import os
def tries(change):
    try: change()
    except (OSError, ValueError): pass
tries(lambda: os.ftruncate(0, 0))
tries(lambda: os.pwrite(0, b'changed', 0))
tries(lambda: os.fchmod(0, 0o777))
tries(lambda: open('/proc/self/fd/0', 'r+b').write(b'changed'))
tries(lambda: open('/proc/self/exe', 'r+b').write(b'changed'))
tries(lambda: open('/dev/stdin', 'wb'))
print(hash(os.read(0, 8)) == hash(b'original'), os.lseek(0, 0, os.SEEK_CUR))
"""
    tests = StdioTests(cases=[StdioCase(input=blob, answer="True 8")] * 6)
    async with start_engine(sandbox={"slots": 2, "isolation": level}) as engine:
        await engine.blobs.put(blob.sha256 or "", data)
        report = await engine.judge(
            Submission(language="python", source=source, tests=tests), client="t"
        )
        assert report.accepted, report.message
        assert engine.blobs.read(blob.sha256 or "") == data


async def test_a_plain_run_hands_over_large_outputs_and_files(engine: Engine) -> None:
    source = (
        "import sys\nsys.stdout.write('o' * 3_000_000)\nsys.stderr.write('e' * 300_000)\n"
        "open('file', 'wb').write(bytes(range(256)) * 10_000)\nsys.exit(3)"
    )
    request = RunRequest(language="python", source=source, fetch=["file"])
    result = await engine.run(request, client="t")
    assert result.status == "runtime_error"
    assert (len(result.stdout), len(result.stderr)) == (3_000_000, 300_000)
    assert result.files["file"] == bytes(range(256)) * 10_000
    assert result.exit_code == 3
    assert result.cpu_time_s > 0
    assert engine.status().counters["run_runtime_error"] == 1


async def test_a_plain_run_over_its_limits_hands_over_what_there_is(engine: Engine) -> None:
    source = "import sys\nprint('first', flush=True)\nwhile True: print('x' * 1000)"
    request = RunRequest(language="python", source=source, limits=Limits(output_bytes=50_000))
    result = await engine.run(request, client="t")
    assert result.status == "output_limit_exceeded"
    assert result.stdout.startswith(b"first\n")
    assert len(result.stdout) == 50_000
