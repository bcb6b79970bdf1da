"""What the engine refuses, with the place and the bound, and what a request holds until its end."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import (
    BadRequestError,
    QueueFullError,
    TooLargeError,
    UnknownBlobError,
    UnknownLanguageError,
    UnknownProblemError,
)
from scalebox.model import (
    Blob,
    CallCase,
    CallTests,
    Limits,
    Problem,
    RunRequest,
    StdioCase,
    StdioTests,
    Submission,
)

from .conftest import StartsEngine, calls, stdio, until, verdicts

SLEEPS = "import time\ntime.sleep(600)"
UNKNOWN = Blob(sha256="0" * 64)


async def refused(engine: Engine, submission: Submission | RunRequest) -> Exception:
    """The error, after which nothing of it is left."""
    work = engine.run if isinstance(submission, RunRequest) else engine.judge
    with pytest.raises((BadRequestError, TooLargeError, QueueFullError)) as caught:
        await work(submission, client="t")  # type: ignore[operator]
    assert engine._room.scheduler.admitted == 0
    assert engine._gate.held_bytes == 0
    assert engine.status().running_cases == 0
    return caught.value


REFUSED = [
    (Submission(language="python", source=""), BadRequestError, "tests", "or `problem`"),
    (stdio("", []), BadRequestError, "tests.cases", "no test cases"),
    (stdio("", [("", "")] * 11), TooLargeError, "tests.cases", "11 test cases; at most 10"),
    (stdio("", [("", "")], language="klingon"), UnknownLanguageError, "language", "'klingon'"),
    (stdio("", [("", "")], problem="p"), BadRequestError, "problem", "not both"),
    (
        Submission(language="python", source="", problem="p"), UnknownProblemError,
        "problem", "'p'",
    ),
    (stdio("x" * 2000, [("", "")]), TooLargeError, "source", "2000 bytes; at most 1000"),
    (stdio("é" * 501, [("", "")]), TooLargeError, "source", "1002 bytes"),
    (stdio("", [("", "")], files={"a": "x" * 1001}), TooLargeError, "source", "1001 bytes"),
    (stdio("", [("", "")], files={"a": UNKNOWN}), UnknownBlobError, None, "0000"),
    (
        Submission(
            language="python", source="", tests=StdioTests(cases=[StdioCase(input=UNKNOWN)])
        ),
        UnknownBlobError, None, "PUT /v1/blobs/",
    ),
    (
        stdio("", [("", "")], limits=Limits(cpu_time_s=601.0)), BadRequestError,
        "limits.cpu_time_s", "at most 600",
    ),
    (
        stdio("", [("", "")], limits=Limits(memory_bytes=1 << 31)), BadRequestError,
        "limits.memory_bytes", "engine.memory_bytes",
    ),
]  # fmt: skip


async def test_refusals_name_the_field_and_the_bound(start_engine: StartsEngine) -> None:
    settings = {"max_cases": 10, "max_source_bytes": 1000, "memory_bytes": 1 << 30}
    async with start_engine(engine=settings, sandbox={"slots": 1}) as engine:
        for submission, kind, field, words in REFUSED:
            error = await refused(engine, submission)
            assert type(error) is kind, submission
            assert words in str(error)
            if field is not None:
                assert error.field == field  # type: ignore[attr-defined]


BAD_NAMES = [
    ("../x", "not a relative path"), ("/etc/x", "not a relative path"), ("", "not a relative"),
    ("a//b", "not a relative path"), ("a/", "not a relative path"), ("./a", "not a relative"),
    ("a\0b", "not a relative path"), ("x" * 256, "not a relative path"),
    ("a/" * 500 + "b", "not a relative path"), ("\ud800", "not a relative path"),
    ("solution.py", "the program's own source"), ("solution.py/x", "the folder of another"),
]  # fmt: skip


async def test_file_names_that_cannot_be(engine: Engine) -> None:
    for name, why in BAD_NAMES:
        for work in (
            stdio("", [("", "")], files={name: ""}),
            RunRequest(language="python", source="", files={name: ""}),
        ):
            error = await refused(engine, work)
            assert why in str(error), name
            str(error).encode()
            assert error.field is not None  # type: ignore[attr-defined]
            assert error.field.startswith("files.")  # type: ignore[attr-defined]


async def test_files_in_each_others_way(engine: Engine) -> None:
    for files in ({"a": "", "a/b": ""}, {"a/b/c": "", "a-": "", "a/b": ""}):
        error = await refused(engine, stdio("", [("", "")], files=files))
        assert "folder of another one" in str(error)
    files = {"a/b": "1", "a/c": "2", "a.b": "3", "a/d/e": "4", "ab": ""}
    source = "import os\nprint(sorted(os.listdir('a')), open('a/d/e').read())"
    report = await engine.judge(stdio(source, [("", "['b', 'c', 'd'] 4")], files=files), client="t")
    assert report.accepted


async def test_names_of_harnesses_are_taken_only_where_they_are_used(engine: Engine) -> None:
    error = await refused(engine, calls("def f(): return 1", [([], 1)], files={"candidate.py": ""}))
    assert "own source" in str(error)
    submission = calls("import solution\ndef f(): return solution.x", [([], 1)],
                       files={"solution.py": "x = 1"})  # fmt: skip
    assert (await engine.judge(submission, client="t")).accepted


async def test_a_thousand_files_and_no_more(engine: Engine) -> None:
    files = {f"d{n % 7}/f{n}": str(n) for n in range(1000)}
    source = "import glob\nprint(sum(int(open(p).read()) for p in glob.glob('d*/*')))"
    report = await engine.judge(stdio(source, [("", "499500")], files=files), client="t")
    assert report.accepted, report.message
    error = await refused(engine, stdio("", [("", "")], files={**files, "x": ""}))
    assert "1001 files; at most 1000" in str(error)


BAD_REQUESTS: list[tuple[dict[str, list[str]], str]] = [
    ({"args": ["a", "b\0"]}, "args[1]"), ({"args": ["\ud800"]}, "args[0]"),
    ({"args": ["x" * 70_000]}, "args"), ({"args": ["x"] * 40_000}, "args"),
    ({"fetch": ["ok", "../x"]}, "fetch[1]"), ({"fetch": ["\ud800"]}, "fetch[0]"),
    ({"fetch": ["folder/"]}, "fetch[0]"),
    ({"fetch": ["\0"]}, "fetch[0]"), ({"fetch": [f"f{n}" for n in range(65)]}, "fetch"),
    ({"fetch": [f"{n:02}/{'x' * 250}/{'y' * 250}" for n in range(64)]}, "fetch"),
]  # fmt: skip


async def test_arguments_and_files_to_fetch_that_cannot_be(engine: Engine) -> None:
    for request, field in BAD_REQUESTS:
        for language in ("python", "c"):
            error = await refused(engine, RunRequest(language=language, source="", **request))
            assert error.field == field  # type: ignore[attr-defined]


async def test_arguments_and_files_arrive(engine: Engine) -> None:
    args = ["é", "", "-x", "a b", "y" * 50_000]
    source = (
        "import sys, os\nos.mkdir('d')\nopen('d/out', 'wb').write(b'\\0\\xff')\nprint(sys.argv[1:])"
    )
    result = await engine.run(
        RunRequest(
            language="python", source=source, args=args, fetch=["d/out", "missing", "d/out"]
        ),
        client="t",
    )
    assert result.stdout.decode() == repr(args) + "\n"
    assert result.files == {"d/out": b"\0\xff"}


async def test_limits_that_leave_no_room_for_the_programs_own_files(engine: Engine) -> None:
    # What we put there is not the program's doing.
    source = "#" + "x" * 100_000 + "\nprint(1)\nopen('own', 'w').write('y' * 9000)"
    limits = Limits(file_bytes=10_000)
    submission = stdio(source, [("", "1")] * 2, files={"big": "z" * 50_000}, limits=limits)
    report = await engine.judge(submission, client="t")
    assert report.accepted, report.message
    over = stdio("open('own', 'wb').write(b'y' * 200_000)", [("", "")], limits=limits)
    assert not (await engine.judge(over, client="t")).accepted


async def test_a_large_program_with_little_memory_costs_no_slot(engine: Engine) -> None:
    limits = Limits(memory_bytes=8 << 20)
    for language, source in (("c", "int main(){}"), ("python", "")):
        submission = stdio(source, [("", "")] * 2, language=language, limits=limits,
                           files={"big": "z" * 4_000_000})  # fmt: skip
        report = await engine.judge(submission, client="t")
        assert report.accepted, report.message
    assert [slot.restarts for slot in engine.status().slots] == [0, 0]


# --- the queue ------------------------------------------------------------------------------------


async def test_over_the_bound_of_cases_there_is_a_refusal(start_engine: StartsEngine) -> None:
    async with start_engine(engine={"max_queued_cases": 50}) as engine:
        first = asyncio.create_task(engine.judge(stdio(SLEEPS, [("", "")] * 40), client="a"))
        await until(lambda: engine.status().running_cases == 2)
        assert engine.status().queued_cases == 38
        with pytest.raises(QueueFullError, match="40 cases are waiting") as caught:
            await engine.judge(stdio("", [("", "")] * 11), client="b")
        assert caught.value.retry_after_s > 0
        second = asyncio.create_task(engine.judge(stdio(SLEEPS, [("", "")] * 10), client="b"))
        await until(lambda: engine.status().queued_cases == 48)
        for task in (first, second):
            task.cancel()
        await asyncio.wait({first, second})
        assert engine.status().queued_cases == 0
        assert (await engine.judge(stdio("", [("", "")] * 50), client="b")).accepted


async def test_calls_count_one_by_one(start_engine: StartsEngine) -> None:
    async with start_engine(engine={"max_queued_cases": 50}) as engine:
        with pytest.raises(TooLargeError):
            await engine.judge(
                calls("def f(n): return n", [([n], n) for n in range(51)]), client="t"
            )
        many = calls("def f(n): return n", [([n], n) for n in range(50)])
        for _ in range(3):
            assert (await engine.judge(many, client="t")).accepted


@pytest.mark.parametrize("kind", ["input", "answer", "blob", "arguments", "program"])
async def test_over_the_bound_of_bytes_there_is_a_refusal(
    start_engine: StartsEngine, kind: str
) -> None:
    async with start_engine(engine={"max_queued_bytes": 100_000}) as engine:
        large = "x" * 80_000
        sha256 = hashlib.sha256(large.encode()).hexdigest()
        await engine.blobs.put(sha256, large.encode())
        submission = {
            "input": stdio(SLEEPS, [(large, "")]),
            "answer": stdio(SLEEPS, [("", large)]),
            "blob": Submission(
                language="python", source=SLEEPS,
                tests=StdioTests(cases=[StdioCase(input=Blob(sha256=sha256))]),
            ),
            "arguments": calls(SLEEPS, [([large], 1)]),
            "program": Submission(
                language="python", source="",
                tests=CallTests(function="f", cases=[CallCase(args=[large])]),
            ),
        }[kind]  # fmt: skip
        # One that is over the bound alone is taken when there is nothing else.
        first = asyncio.create_task(engine.judge(stdio(SLEEPS, [(large * 2, "")]), client="a"))
        await until(lambda: engine.status().running_cases == 1)
        with pytest.raises(QueueFullError, match=r"engine\.max_queued_bytes"):
            await engine.judge(submission, client="b")
        first.cancel()
        await asyncio.wait({first})
        assert engine._gate.held_bytes == 0
        assert (await engine.judge(stdio("print(1)", [("", "1")]), client="b")).accepted


async def test_a_blob_in_use_is_not_evicted(start_engine: StartsEngine) -> None:
    async with start_engine(store={"blobs_bytes": 200_000}) as engine:
        data = b"7" * 100_000
        sha256 = hashlib.sha256(data).hexdigest()
        await engine.blobs.put(sha256, data)
        tests = StdioTests(cases=[StdioCase(input=Blob(sha256=sha256), answer="100000")] * 3)
        source = "import sys, time\ntime.sleep(0.2)\nprint(len(sys.stdin.read()))"
        judging = asyncio.create_task(
            engine.judge(Submission(language="python", source=source, tests=tests), client="t")
        )
        await until(lambda: engine.status().running_cases > 0)
        for number in range(5):
            other = str(number).encode() * 100_000
            await engine.blobs.put(hashlib.sha256(other).hexdigest(), other)
        assert (await judging).accepted
        last = b"z" * 150_000
        await engine.blobs.put(hashlib.sha256(last).hexdigest(), last)
        assert not engine.blobs.has(sha256)


# --- problems -------------------------------------------------------------------------------------


async def test_a_problems_limits_hold_unless_a_submission_says_otherwise(engine: Engine) -> None:
    tests = stdio("", [("", "")]).tests
    assert tests is not None
    await engine.problems.put("p", Problem(tests=tests, limits=Limits(cpu_time_s=0.1)))
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    submission = Submission(language="python", source=busy, problem="p")
    assert verdicts(await engine.judge(submission, client="t")) == ["time_limit_exceeded"]
    more = Submission(language="python", source=busy, problem="p", limits=Limits(cpu_time_s=2.0))
    assert (await engine.judge(more, client="t")).accepted
