"""docs/languages.md names every language, with all of its names and what it needs."""

from __future__ import annotations

import re
from pathlib import Path

from scalebox.engine.service import Engine
from scalebox.languages import selftest, table
from scalebox.languages.table import LanguageEntry
from tests.engine.conftest import StartsEngine

PAGE = (Path(__file__).parents[2] / "docs" / "languages.md").read_text(encoding="utf-8")


def row(entry: LanguageEntry) -> str:
    """As the page's table must have it."""

    def code(words: object) -> str:
        return " ".join(f"`{word}`" for word in words)  # type: ignore[attr-defined]

    tools = code([entry.tool, *entry.tools.values()])
    cells = [f"`{entry.name}`", code(entry.aliases), code(entry.variants), tools]
    return "| " + " | ".join(cells).replace("|  |", "| |") + f": {entry.package} |"


def test_every_language_is_in_the_table() -> None:
    rows = [
        line for line in PAGE.splitlines() if re.match(r"\| `\w+` \| .*\| `[^|]+`: \S+ \|$", line)
    ]
    assert rows == [row(entry) for entry in table.load([])]


def test_every_field_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", PAGE))
    own = {"precompiled_header", "precompile", "assert_flags"}  # of C and C++ alone
    assert set(LanguageEntry.__struct_fields__) - own <= explained


async def test_the_example_works(start_engine: StartsEngine, tmp_path: Path) -> None:
    example = re.search(r"```ini\n(name = .*?)```", PAGE, re.DOTALL)
    assert example is not None
    (tmp_path / "awk.toml").write_text(example[1])
    settings = {"languages": {"directories": [str(tmp_path)]}}
    async with start_engine(**settings) as engine:
        await _shows_that_it_works(engine, "awk")


async def _shows_that_it_works(engine: Engine, name: str) -> None:
    tests = [one for one in engine.language_tests() if one.language == name]
    assert {one.kind for one in tests} >= selftest.VERDICTS.keys() - {"compile_error"}
    for one in tests:
        report = await engine.judge(one.submission, client="t")
        assert report.verdict is one.verdict, (one.kind, report)
