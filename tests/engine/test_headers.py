"""Precompiled headers: made once for a tool chain and its flags, and used with nothing else."""

from __future__ import annotations

import struct
import subprocess
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from scalebox.engine.headers import remove_stale
from scalebox.engine.service import Engine

from .conftest import StartsEngine, stdio, until

#: C++ with a header that is quick to compile; what holds for it holds for `bits/stdc++.h`.
QUICK = """
name = "quick"
main_file = "solution.cpp"
runner = "native"
tool = "cxx"
package = "g++"
compile = ["{tool}", "{flags}", "{headers}", "-o", "{program}", "{sources}"]
precompiled_header = "cstdio"
precompile = ["{tool}", "{flags}", "-x", "c++-header", "-o", "{program}", "{sources}"]
[variants]
quick20 = ["-std=gnu++20"]
"""
INCLUDES = '#include <cstdio>\nint main(){ printf("1"); }'
#: Compiles only if the header came precompiled from where `plant` put another one.
NEEDS_PLANTED = '#include <cstdio>\nint main(){ printf("%d", PLANTED); }'


@pytest.fixture
def quick(start_engine: StartsEngine, tmp_path: Path) -> Any:
    """Starts an engine that has the language `quick`."""
    tables = tmp_path / "languages"
    tables.mkdir()
    (tables / "quick.toml").write_text(QUICK)

    def start(**cpp: Any) -> AbstractAsyncContextManager[Engine]:
        return start_engine(languages={"directories": [str(tables)], "cpp": cpp})

    return start


def folder(tmp_path: Path) -> Path:
    return tmp_path / "store" / "headers"


async def verdict(engine: Engine, source: str, language: str = "quick") -> str:
    report = await engine.judge(stdio(source, [("", "1")], language=language), client="t")
    return report.verdict.value


async def precompiled(engine: Engine, tmp_path: Path) -> Path:
    """Let a first use make the header."""
    assert await verdict(engine, INCLUDES) == "accepted"
    path = folder(tmp_path) / engine._tools.find("quick").identity / "cstdio.gch"
    await until(path.exists)
    return path


def plant(path: Path, *flags: str) -> None:
    """Put a header there that says where it is from."""
    text = path.parent / "planted.hpp"
    text.write_text("#include <cstdio>\n#define PLANTED 1\n")
    path.unlink()
    subprocess.run(["g++", *flags, "-x", "c++-header", "-o", path, text], check=True)
    path.chmod(0o444)


async def test_a_header_is_used_with_its_own_flags_only(quick: Any, tmp_path: Path) -> None:
    async with quick() as engine:
        plant(await precompiled(engine, tmp_path), "-O2", "-std=gnu++17")
        assert await verdict(engine, NEEDS_PLANTED) == "accepted"
        assert await verdict(engine, NEEDS_PLANTED, "quick20") == "compile_error"
        assert await verdict(engine, NEEDS_PLANTED, "cpp") == "compile_error"


async def test_a_header_made_with_other_flags_is_not_taken(quick: Any, tmp_path: Path) -> None:
    async with quick() as engine:
        # The compiler looks for itself, whatever stands in the folder.
        plant(await precompiled(engine, tmp_path), "-O2", "-std=gnu++20")
        assert await verdict(engine, INCLUDES + "\n") == "accepted"
        assert await verdict(engine, NEEDS_PLANTED) == "compile_error"


async def test_the_header_of_competition_programs(
    start_engine: StartsEngine, tmp_path: Path
) -> None:
    source = "#include <bits/stdc++.h>\nint main(){ std::cout << 1; }"
    async with start_engine(languages={}) as engine:
        assert await verdict(engine, source, "cpp") == "accepted"
        identity = engine._tools.find("cpp").identity
        await until((folder(tmp_path) / identity / "bits" / "stdc++.h.gch").exists)
        assert await verdict(engine, source + "\n", "cpp") == "accepted"


async def test_programs_can_read_headers_and_not_change_them(quick: Any, tmp_path: Path) -> None:
    async with quick() as engine:
        path = await precompiled(engine, tmp_path)
        before = path.stat().st_mtime_ns
        source = f"""
import os
try:
    os.chmod({str(path)!r}, 0o777)
    with open({str(path)!r}, "r+b") as file: file.write(b"x" * 1000)
except OSError as error:
    print(os.path.exists({str(path)!r}), "kept out")
"""
        report = await engine.judge(stdio(source, [("", "True kept out")]), client="t")
        assert report.accepted, report.cases[0].message
        assert path.stat().st_mtime_ns == before


async def test_headers_are_kept_over_a_restart_while_they_are_of_use(
    quick: Any, tmp_path: Path
) -> None:
    async with quick() as engine:
        path = await precompiled(engine, tmp_path)
        made = path.stat().st_mtime_ns
    (folder(tmp_path) / "of-a-compiler-before" / "bits").mkdir(parents=True)
    async with quick() as engine:
        assert await precompiled(engine, tmp_path) == path
        assert path.stat().st_mtime_ns == made
        assert [entry.name for entry in folder(tmp_path).iterdir()] == [path.parent.name]
    async with quick(cxx_flags=["-O1"]):
        assert not list(folder(tmp_path).iterdir())


async def test_no_header_is_made_where_none_is_wanted(quick: Any, tmp_path: Path) -> None:
    async with quick(precompiled_header=False) as engine:
        assert await verdict(engine, INCLUDES) == "accepted"
        # One compilation, one case: nothing else ran or waits.
        await until(lambda: engine.status().running_cases == 0)
        assert engine.status().counters["runs"] == 2
    assert not list(folder(tmp_path).iterdir())


async def test_flags_that_the_compiler_does_not_take_are_the_compile_error(quick: Any) -> None:
    async with quick(cxx_flags=["--no-such-flag"]) as engine:
        report = await engine.judge(stdio(INCLUDES, [("", "1")], language="quick"), client="t")
        assert report.verdict == "compile_error"
        assert "--no-such-flag" in report.message


@pytest.mark.parametrize("static", [False, True])
async def test_static_programs_need_no_dynamic_linker(quick: Any, static: bool) -> None:
    async with quick(static=static) as engine:
        assert await verdict(engine, INCLUDES) == "accepted"
        assert (
            await verdict(engine, '#include <stdio.h>\nint main(){puts("1");}', "c") == "accepted"
        )
        for program in engine._room.builder._cache._directory.iterdir():
            assert names_an_interpreter(program.read_bytes()) is not static


def names_an_interpreter(elf: bytes) -> bool:
    """Whether a program header of type PT_INTERP (3) is there."""
    (start,) = struct.unpack_from("<Q", elf, 32)
    size, count = struct.unpack_from("<HH", elf, 54)
    return any(
        struct.unpack_from("<I", elf, start + number * size)[0] == 3 for number in range(count)
    )


def test_what_a_killed_daemon_had_half_written_goes_with_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "in use" / "bits"
    folder.mkdir(parents=True)
    (folder / "stdc++.h.gch").write_text("whole")
    (folder / "stdc++.h.123.partial").write_text("half")
    remove_stale(tmp_path, {"in use"})
    assert [path.name for path in folder.iterdir()] == ["stdc++.h.gch"]


async def test_a_header_that_is_included_again_is_found(quick: Any, tmp_path: Path) -> None:
    """As by a source and then by a header of its own."""
    async with quick() as engine:
        await precompiled(engine, tmp_path)
        again = "#include <cstdio>\n#undef EOF\n#include <cstdio>\n" + INCLUDES
        assert await verdict(engine, again) == "accepted"
