"""Compilations: once for all who ask, kept, bounded, and never a slot's end."""

from __future__ import annotations

import asyncio
import os
from itertools import pairwise
from pathlib import Path

import pytest

from scalebox.engine import builder as building
from scalebox.engine.builder import Artifact
from scalebox.engine.service import Engine
from scalebox.errors import InternalError
from scalebox.model import CompileResult, Data, Limits, RunRequest, RunResult, RunStatus, Submission
from scalebox.sandbox.slot import Slot
from scalebox.sandbox.spec import RunSpec
from scalebox.sandbox.zygote import wire

from .conftest import StartsEngine, stdio, until, verdicts

HELLO = '#include <stdio.h>\nint main(){puts("hello");}'


def hello(language: str = "c", **more: object) -> Submission:
    return stdio(HELLO, [("", "hello")], language=language, **more)


def compilations(engine: Engine) -> int:
    return int(engine.status().counters["compilations"])


# --- once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["python", "c"])
async def test_identical_submissions_in_flight_are_compiled_once(
    engine: Engine, language: str
) -> None:
    submission = stdio("print('hello')", [("", "hello")] * 2) if language == "python" else hello()
    reports = await asyncio.gather(*(engine.judge(submission, client=str(n)) for n in range(30)))
    assert all(report.accepted for report in reports)
    assert compilations(engine) == 1
    (report,) = await asyncio.gather(engine.judge(submission, client="later"))
    assert report.compile is not None
    assert report.compile.cached
    assert compilations(engine) == 1
    assert engine.status().counters["artifact_cache_hits"] == 1


async def test_what_differs_is_compiled_apart(engine: Engine) -> None:
    different = [
        hello(),
        hello("cpp"),
        hello("c99"),
        hello("cpp20"),
        stdio(HELLO + "\n", [("", "hello")], language="c"),
        stdio(HELLO, [("", "hello")], language="c", files={"a.h": ""}),
        stdio(HELLO, [("", "hello")], language="c", files={"a.h": " "}),
        stdio(HELLO, [("", "hello")], language="c", files={"b.h": ""}),
    ]
    for submission in different:
        assert (await engine.judge(submission, client="t")).accepted
    assert compilations(engine) == len(different)


async def test_programs_are_kept_over_a_restart(start_engine: StartsEngine) -> None:
    async with start_engine() as engine:
        assert (await engine.judge(hello(), client="t")).accepted
    async with start_engine() as engine:
        report = await engine.judge(hello(), client="t")
        assert report.accepted
        assert report.compile == CompileResult(ok=True, cached=True)
        assert compilations(engine) == 0


@pytest.mark.parametrize("static", [False, True])
async def test_a_damaged_program_is_compiled_again(
    start_engine: StartsEngine, tmp_path: Path, static: bool
) -> None:
    # Linked statically it is large enough to be checked in a worker thread.
    settings = {"languages": {"cpp": {"static": static}}}
    async with start_engine(**settings) as engine:
        assert (await engine.judge(hello(), client="t")).accepted
    (path,) = (tmp_path / "store" / "artifacts").iterdir()
    assert (path.stat().st_size > 100_000) is static
    path.chmod(0o755)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 64)
    async with start_engine(**settings) as engine:
        assert (await engine.judge(hello(), client="t")).accepted
        assert compilations(engine) == 1


async def test_programs_pushed_out_are_compiled_again(start_engine: StartsEngine) -> None:
    async with start_engine(store={"artifacts_bytes": 40_000}) as engine:
        sources = [HELLO.replace("hello", f"hello{n}") for n in range(5)]
        for _ in range(2):
            # All at once: what is evicted before it could run must not be missed.
            reports = await asyncio.gather(
                *(
                    engine.judge(stdio(source, [("", f"hello{n}")], language="c"), client="t")
                    for n, source in enumerate(sources)
                )
            )
            assert all(report.accepted for report in reports)
        assert compilations(engine) > 5


async def test_a_full_disk_does_not_make_programs_wrong(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(engine._room.builder._cache, "store", full)
    for _ in range(2):
        assert (await engine.judge(hello(), client="t")).accepted
    assert compilations(engine) == 2


# --- what does not compile ------------------------------------------------------------------------


async def test_who_gives_a_compiler_less_time_fails_nobody_else(engine: Engine) -> None:
    source = "#include <iostream>\n#include <regex>\nint main() { std::cout << 1; }\n"

    async def run(cpu_time_s: float | None) -> RunResult:
        request = RunRequest(language="cpp", source=source, compile_cpu_time_s=cpu_time_s)
        return await engine.run(request, client="t")

    # At once: one flight for each bound.
    short, whole, *_ = await asyncio.gather(run(0.02), run(None), run(0.02), run(None))
    assert compilations(engine) == 2
    assert (whole.status, whole.stdout) == (RunStatus.FINISHED, b"1")
    assert short.status is RunStatus.COMPILE_ERROR
    assert short.compile is not None
    assert (short.compile.timed_out, short.compile.cached) == (True, False)
    again = await run(0.02)
    assert again.compile is not None
    assert (again.compile.timed_out, again.compile.cached) == (True, True)
    assert (await run(10_000)).status is RunStatus.FINISHED
    assert compilations(engine) == 2


async def test_compile_errors_are_kept_and_bounded(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = stdio("int main(){return x;}", [("", "")], language="c")
    first = await engine.judge(broken, client="t")
    again = await engine.judge(broken, client="t")
    assert first.compile is not None
    assert again.compile is not None
    assert "undeclared" in first.compile.message
    assert again.compile.message == first.compile.message
    assert (first.compile.cached, again.compile.cached) == (False, True)
    assert compilations(engine) == 1
    monkeypatch.setattr(building, "_KEPT_ERRORS", 3)
    for number in range(5):
        source = f"int main(){{return x{number};}}"
        await engine.judge(stdio(source, [("", "")], language="c"), client="t")
    assert len(engine._room.builder._errors) == 3
    await engine.judge(broken, client="t")
    assert compilations(engine) == 7


async def test_codes_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_CODE_CACHE_BYTES", 2_000)
    builder = engine._room.builder
    for number in range(20):
        source = f"print({number})\n" * 10
        report = await engine.judge(stdio(source, [("", f"{number}\n" * 10)] * 2), client="t")
        assert report.accepted
        counted = sum(len(code) + building._CODE_ENTRY_BYTES for code in builder._codes.values())
        assert builder._codes_bytes == counted <= 2_000


COMPILE_LIMITS = {
    "compile_cpu_time_s": 3.0,
    "compile_memory_bytes": 256 << 20,
    "compile_file_bytes": 16 << 20,
    "compile_output_bytes": 64 << 10,
}
BOMBS = {
    "template recursion": ("cpp", "template<int N> int f() { return f<N + 1>() + f<N + 2>(); }\n"
                           "int main(){ return f<0>(); }"),
    "constant expression": ("cpp", "constexpr long f(long n) { long s = 0;\n"
                            " for (long i = 0; i < n; i++) s += i; return s; }\n"
                            "constexpr long a = f(100000), b = f(1000000000000);\nint main(){}"),
    "a huge array": ("c", "int a[1 << 28] = {1};\nint main(){}"),
    "the zero device": ("c", '#include "/dev/zero"\nint main(){}'),
    "the random device": ("c", '#include "/dev/urandom"\nint main(){}'),
    "its own standard input": ("c", '#include "/dev/stdin"\nint main(){return x;}'),
    "itself": ("c", '#include "solution.c"'),
    "endless macros": ("c", "#define A B B B B B B B B\n" + "".join(
        f"#define {b} {(c + ' ') * 12}\n" for b, c in pairwise("BCDEFGHIJ")) + "int a[] = {A};"),
    "endless errors": ("c", "int main(){\n" + "x;y;z;\n" * 20_000 + "}"),
    "an incbin of everything": ("c", '__asm__(".incbin \\"/dev/zero\\"");\nint main(){}'),
    "an assembler loop": ("c", '__asm__(".rept 100000000\\n.quad 1\\n.endr");\nint main(){}'),
    "deep parentheses": ("c", "int main(){return " + "(" * 200_000 + "1" + ")" * 200_000 + ";}"),
    "deep parentheses in Python": ("python", "x = " + "(" * 100_000),
    "nested calls in Python": ("python", "f(" * 5_000 + ")" * 5_000),
    "a null byte in Python": ("python", "print(1)\0"),
    "constants in Python": ("python", "x = " + "-" * 1_000_000 + "1"),
}  # fmt: skip


@pytest.mark.parametrize("language", ["c", "cpp", "python"])
async def test_compile_bombs_are_compile_errors_and_leave_the_slot_as_it_was(
    start_engine: StartsEngine, language: str
) -> None:
    async with start_engine(limits=COMPILE_LIMITS, sandbox={"slots": 1}) as engine:
        for name, (its_language, source) in BOMBS.items():
            if its_language != language:
                continue
            submission = stdio(source, [("", "")] * 2, language=language)
            report = await engine.judge(submission, client="t")
            assert report.verdict == "compile_error", (name, report.message[:500])
            assert verdicts(report) == ["skipped"] * 2
            assert report.message
            assert len(report.message) <= 4096 + 200
            assert (await engine.judge(hello(), client="t")).accepted, name
        (slot,) = engine.status().slots
        assert slot.restarts == 0


async def test_a_compiler_that_something_killed_is_asked_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, killed = Slot.run, []

    def kills_the_first(slot: Slot, spec: RunSpec, done) -> None:
        def ended(outcome) -> None:
            if spec.program == wire.EXECUTE and spec.fetch and not killed:
                killed.append(spec)
                outcome.close()
                outcome.status, outcome.files = 9, {}
            done(outcome)

        run(slot, spec, ended)

    monkeypatch.setattr(Slot, "run", kills_the_first)
    assert (await engine.judge(hello(), client="t")).accepted
    assert killed


async def test_a_source_that_claims_so_is_a_compile_error_in_the_end(engine: Engine) -> None:
    for words in (
        "Killed signal terminated program cc1",
        "vfork: Resource temporarily unavailable",
    ):
        runs = engine.status().counters["runs"]
        source = f"#error {words}\nint main(){{}}"
        report = await engine.judge(stdio(source, [("", "")], language="c"), client="t")
        assert report.verdict == "compile_error"
        # Three times, and once something that compiles wherever a compiler works.
        assert engine.status().counters["runs"] == runs + 4


async def test_where_nothing_compiles_no_source_is_to_blame(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Slot.run

    def without_processes(slot: Slot, spec: RunSpec, done) -> None:
        def ended(outcome) -> None:
            if spec.program == wire.EXECUTE and spec.fetch:
                outcome.close()
                outcome.status, outcome.files = 1 << 8, {}
                outcome.stderr = b"gcc: fatal error: cc1: vfork: Resource temporarily unavailable"
            done(outcome)

        run(slot, spec, ended)

    with monkeypatch.context() as patch:
        patch.setattr(Slot, "run", without_processes)
        with pytest.raises(InternalError, match="compiler does not work"):
            await engine.judge(hello(), client="t")
    assert engine.status().counters["compilations_repeated"] == 3
    assert (await engine.judge(hello(), client="t")).accepted


async def test_a_compilation_too_large_for_the_host_is_bounded_by_it(
    start_engine: StartsEngine,
) -> None:
    # A small host: its memory is less than what a compilation may have elsewhere.
    async with start_engine(engine={"memory_bytes": 512 << 20}) as engine:
        limits = Limits(memory_bytes=64 << 20)
        assert (await engine.judge(hello(limits=limits), client="t")).accepted


# --- files ----------------------------------------------------------------------------------------


async def test_several_files_make_one_program(engine: Engine) -> None:
    submission = Submission(
        language="cpp",
        source='#include "lib/twice.hpp"\n#include <iostream>\n'
        "int main(){ int n; std::cin >> n; std::cout << twice(n); }",
        files={
            "lib/twice.hpp": "int twice(int);",
            "lib/twice.cpp": '#include "twice.hpp"\nint twice(int n) { return 2 * n; }',
            "lib/notes.txt": "not C++",
        },
        tests=stdio("", [("21", "42")]).tests,
    )
    report = await engine.judge(submission, client="t")
    assert report.accepted, report.message


NAMES = [
    "-o other.cpp",
    "-DX.cpp",
    "@args.cpp",
    "a b.cpp",
    "$(touch x).cpp",
    "ü;.cpp",
    "\n.cpp",
    "'.cpp",
]


async def test_file_names_are_only_names(engine: Engine) -> None:
    source = 'int f();\n#include <cstdio>\nint main(){ printf("%d", f()); }'
    for name in NAMES:
        files = {name: "int f() { return 7; }"}
        submission = stdio(source, [("", "7")], language="cpp", files=files)
        report = await engine.judge(submission, client="t")
        assert report.accepted, (name, report.message)


async def test_further_files_are_there_at_run_time(engine: Engine) -> None:
    submission = stdio(
        "import helper\nprint(helper.x, open('data/in.txt').read())", [("", "5 text")] * 2,
        files={"helper.py": "x = 5", "data/in.txt": "text"},
    )  # fmt: skip
    assert (await engine.judge(submission, client="t")).accepted


# --- results --------------------------------------------------------------------------------------


async def test_a_plain_run_says_what_compiled(engine: Engine) -> None:
    result = await engine.run(RunRequest(language="c", source=HELLO), client="t")
    assert result.stdout == b"hello\n"
    assert result.compile is not None
    assert result.compile.ok
    result = await engine.run(RunRequest(language="c", source="int main("), client="t")
    assert result.status == "compile_error"
    assert "expected" in result.message


async def test_an_artifacts_copy_is_another_owners() -> None:
    fd = os.memfd_create("x")
    artifact = Artifact(CompileResult(ok=True), fd=fd)
    copy = artifact.copy()
    artifact.close()
    os.fstat(copy.fd)
    copy.close()
    copy.close()


async def test_engines_end_with_compilations_in_flight(start_engine: StartsEngine) -> None:
    source = "#include <bits/stdc++.h>\nint main(){}"
    async with start_engine() as engine:
        judging = asyncio.create_task(
            engine.judge(stdio(source, [("", "")], language="cpp"), client="t")
        )
        await until(lambda: engine.status().running_cases > 0)
    # Whoever still waits is told, and does not wait for ever.
    done, _ = await asyncio.wait({judging}, timeout=10)
    assert done
    assert judging.cancelled() or judging.exception() is not None


# --- files of plain runs --------------------------------------------------------------------------


async def test_a_program_that_is_given_other_data_is_compiled_once(engine: Engine) -> None:
    source = '#include "own.h"\nint main(int n, char **v) { return show(v[1]); }'
    header = (
        "#include <stdio.h>\n"
        "static int show(char *path) {\n"
        '    FILE *f = fopen(path, "r"); int c;\n'
        "    while ((c = fgetc(f)) != EOF) putchar(c);\n"
        "    return 0;\n}\n"
    )
    for number in range(3):
        files: dict[str, Data] = {"own.h": header, "data.txt": str(number)}
        request = RunRequest(language="c", source=source, files=files, args=["data.txt"])
        assert (await engine.run(request, client="t")).stdout == b"%d" % number
    assert compilations(engine) == 1


@pytest.mark.parametrize(
    "source",
    [
        '#include <stdio.h>\nint main(void) { return printf("%d",\n#include "data.txt"\n) == 0; }',
        "#include <stdio.h>\nint main(void) {\n"
        '#if __has_include("data.txt")\n  printf("%d",\n#include "data.txt"\n);\n#endif\n}',
    ],
    ids=["read", "asked for"],
)
async def test_what_a_program_is_compiled_from_is_there(engine: Engine, source: str) -> None:
    for number in range(2):
        request = RunRequest(language="c", source=source, files={"data.txt": str(number)})
        assert (await engine.run(request, client="t")).stdout == b"%d" % number


# --- plain runs of Python -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("import sys\nprint(__name__, __file__, sys.argv)", RunStatus.FINISHED),
        ("def f():\n    return 1 / 0\n\nf()", RunStatus.RUNTIME_ERROR),
        ("raise SystemExit(3)", RunStatus.RUNTIME_ERROR),
        ("def f(:", RunStatus.COMPILE_ERROR),
    ],
)
async def test_a_source_that_is_run_again_and_again_is_compiled_once(
    engine: Engine, source: str, status: RunStatus
) -> None:
    request = RunRequest(language="python", source=source)
    results = [await engine.run(request, client="t") for _ in range(6)]
    assert compilations(engine) == 1
    for result in results:
        assert (result.status, result.compile) == (status, None)
        # Nothing that it says tells one way from the other.
        assert (result.stdout, result.stderr) == (results[0].stdout, results[0].stderr)
        assert (result.exit_code, result.signal) == (results[0].exit_code, results[0].signal)


async def test_a_source_that_is_slow_to_compile_is_slow_however_often_it_is_run(
    engine: Engine,
) -> None:
    # Folding constants: each line is megabytes, made anew.
    source = "\n".join(f"x{n} = b'{n}' * 4000 * 1" for n in range(40_000))
    request = RunRequest(language="python", source=source, limits=Limits(cpu_time_s=0.05))
    for _ in range(4):
        result = await engine.run(request, client="t")
        assert result.status is RunStatus.TIME_LIMIT_EXCEEDED


async def test_only_so_many_sources_are_remembered(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "_REMEMBERED_SOURCES", 2)
    for _ in range(5):
        for number in range(3):
            request = RunRequest(language="python", source=f"print({number})")
            assert (await engine.run(request, client="t")).status is RunStatus.FINISHED
    assert len(engine._room.builder._asked) == 2
    assert compilations(engine) == 0
