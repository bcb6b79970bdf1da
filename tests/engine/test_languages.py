"""Languages by configuration, from the table to a verdict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scalebox.engine.service import Engine
from scalebox.errors import ConfigError, UnknownLanguageError
from scalebox.model import RunRequest

from .conftest import LEVELS, StartsEngine, asserted, calls, stdio

DIALECT = """
name = "cstrict"
aliases = ["c-strict"]
main_file = "strict.c"
runner = "native"
tool = "gcc"
package = "gcc"
source_suffixes = [".c"]
compile = ["{tool}", "-std=c99", "-pedantic-errors", "{flags}", "-o", "{program}", "{sources}"]
[variants]
cstrict-fast = ["-O3", "-DFAST"]
"""
#: Nested functions are an extension of the usual dialect.
EXTENSION = (
    '#include <stdio.h>\nint main(){ int f(void) { return 1; } printf("%d", f()); return 0; }'
)
PLAIN = "#include <stdio.h>\nint main(void){ puts(__FILE__); return 0; }"


async def test_a_dialect_of_ones_own(start_engine: StartsEngine, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "strict.toml").write_text(DIALECT)
    settings = {"languages": {"directories": [str(tmp_path / "tables")]}}
    async with start_engine(**settings) as engine:
        assert "cstrict" in [info.name for info in engine.languages()]

        async def verdict(source: str, answer: str, language: str) -> str:
            report = await engine.judge(
                stdio(source, [("", answer)], language=language), client="t"
            )
            return report.verdict.value

        assert await verdict(EXTENSION, "1", "c") == "accepted"
        assert await verdict(EXTENSION, "1", "cstrict") == "compile_error"
        for name in ("cstrict", "c-strict", "C-Strict", "cstrict-fast"):
            assert await verdict(PLAIN, "strict.c", name) == "accepted"
        fast = "#ifdef FAST\n" + PLAIN + "\n#endif\n"
        assert await verdict(fast, "strict.c", "cstrict-fast") == "accepted"
        assert await verdict(fast, "strict.c", "cstrict") == "compile_error"


async def test_a_wrong_table_stops_the_start_with_its_name(tmp_path: Path, start_engine) -> None:
    (tmp_path / "bad.toml").write_text("name = 3")
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        async with start_engine(languages={"directories": [str(tmp_path)]}):
            pass


async def test_a_missing_compiler_is_named_and_the_rest_works(start_engine: StartsEngine) -> None:
    async with start_engine(languages={"cpp": {"cxx": "g++-of-tomorrow"}}) as engine:
        for language in ("cpp", "cpp20"):
            with pytest.raises(UnknownLanguageError, match=r"g\+\+-of-tomorrow"):
                await engine.judge(stdio("", [("", "")], language=language), client="t")
            with pytest.raises(UnknownLanguageError):
                await engine.run(RunRequest(language=language, source=""), client="t")
        assert (
            await engine.judge(stdio(PLAIN, [("", "solution.c")], language="c"), client="t")
        ).accepted


async def every_way(engine: Engine, expression: str, value: str) -> None:
    """The expression has that value in every way of running Python."""
    source = f"import own_module, sys\nprint({expression})"
    assert (await engine.judge(stdio(source, [("", value)] * 2), client="t")).accepted
    function = f"import own_module, sys\ndef f(): return {expression}"
    assert (await engine.judge(calls(function, [([], value)]), client="t")).accepted
    report = await engine.judge(asserted(function, f"assert f() == {value!r}"), client="t")
    assert report.accepted, report.message


@pytest.mark.parametrize("level", LEVELS)
async def test_an_environment_of_ones_own_is_the_judges_python(
    start_engine: StartsEngine, tmp_path: Path, level: str
) -> None:
    home = tmp_path / "environment"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", home], check=True)
    (packages,) = home.glob("lib/python3*/site-packages")
    (packages / "own_module.py").write_text("value = 'from the environment'")
    tmp_path.chmod(0o755)
    settings = {
        "languages": {"python": {"interpreter": str(home / "bin" / "python")}},
        "sandbox": {"slots": 1, "isolation": level},
    }
    async with start_engine(**settings) as engine:
        await every_way(engine, "own_module.value", "from the environment")
        prefix = f"import sys\nprint(sys.prefix == {str(home)!r})"
        assert (await engine.judge(stdio(prefix, [("", "True")]), client="t")).accepted


async def test_the_interpreter_of_these_tests_can_be_the_judges(start_engine: StartsEngine) -> None:
    settings = {"languages": {"python": {"interpreter": sys.executable}}}
    async with start_engine(**settings) as engine:
        source = "import sys\nprint(*sys.version_info[:3])"
        version = " ".join(map(str, sys.version_info[:3]))
        report = await engine.judge(stdio(source, [("", version)] * 2), client="t")
        assert report.accepted, report.message
        assert report.toolchain == "Python " + version.replace(" ", ".")


async def test_modules_loaded_beforehand_are_there(start_engine: StartsEngine) -> None:
    settings = {"languages": {"python": {"preload": ["colorsys", "no_such_module"]}}}
    async with start_engine(**settings) as engine:
        source = "import sys\nprint('colorsys' in sys.modules)"
        assert (await engine.judge(stdio(source, [("", "True")]), client="t")).accepted
        assert any("no_such_module" in note for note in engine.status().notes)
