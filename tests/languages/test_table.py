"""The table of languages: what is wrong with an entry is said with its file and field."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from scalebox.errors import ConfigError
from scalebox.languages import table

GOOD = """
name = "tiny"
aliases = ["tc"]
main_file = "main.c"
runner = "native"
tool = "tcc"
package = "tcc"
compile = ["{tool}", "{flags}", "-o", "{program}", "{sources}"]
"""


def load(tmp_path: Path, *texts: str) -> dict[str, table.LanguageEntry]:
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.toml").write_text(text)
    return {entry.name: entry for entry in table.load([str(tmp_path)])}


def test_the_languages_that_ship() -> None:
    entries = {entry.name: entry for entry in table.load([])}
    shipped = resources.files("scalebox.languages").iterdir()
    assert list(entries) == sorted(one.name[:-5] for one in shipped if one.name.endswith(".toml"))
    for entry in entries.values():
        assert entry.test is not None, f"{entry.name} cannot show that it works"
        assert bool(entry.test.compile_error) == entry.compiles, entry.name
    assert "c++" in entries["cpp"].aliases
    assert "cpp20" in entries["cpp"].variants


def test_an_entry_of_ones_own_joins_them(tmp_path: Path) -> None:
    entries = load(tmp_path, GOOD)
    assert entries.keys() - {entry.name for entry in table.load([])} == {"tiny"}
    assert entries["tiny"].aliases == ("tc",)


def test_an_entry_of_the_same_name_replaces_the_one_that_ships(tmp_path: Path) -> None:
    entries = load(tmp_path, GOOD.replace('"tiny"', '"c"'))
    assert entries["c"].tool == "tcc"
    assert len(entries) == len(table.load([]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('name = "tiny"', ""), "`name`"),
        (('name = "tiny"', 'name = ""'), "`name` is empty"),
        (('name = "tiny"', "name = 7"), "$.name"),
        (('name = "tiny"', 'name = "Tiny"'), "'Tiny' must be in lower case"),
        (('aliases = ["tc"]', 'aliases = "tc"'), "$.aliases"),
        (('aliases = ["tc"]', 'colour = "red"'), "`colour`"),
        (('"native"', '"jvm"'), "$.runner"),
        (('"native"', '"warm_python"'), "`tool` must be 'python'"),
        (('"main.c"', '"../main.c"'), "`main_file`"),
        (('"main.c"', '"-o"'), "`main_file`"),
        (('"tcc"\npackage', '""\npackage'), "`tool` is empty"),
        (('"{sources}"', '"main.c"'), "'{sources}'"),
        (('"{program}"', '"a.out"'), "'{program}'"),
        (('"{flags}"', '"{flag}"'), "'{flag}'"),
        (('"{flags}"', '"-x{flags}"'), "'-x{flags}'"),
        (('aliases = ["tc"]', 'precompiled_header = "x.h"'), "go together"),
        (('aliases = ["tc"]', "aliases = ["), "at line"),
        (('aliases = ["tc"]', 'asserts = { run = ["{tol}"] }'), "`asserts.run`: '{tol}'"),
        (('aliases = ["tc"]', 'asserts = { compile = ["-{sources}"] }'), "`asserts.compile`"),
        (('aliases = ["tc"]', 'variants = { "TC9" = [] }'), "'TC9'"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_field(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, GOOD.replace(*change))
    assert str(tmp_path / "0.toml") in str(caught.value)
    assert words in str(caught.value)


def test_a_name_has_one_meaning(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'tc' is claimed by") as caught:
        load(tmp_path, GOOD, GOOD.replace('"tiny"', '"other"'))
    assert "0.toml" in str(caught.value)
    assert "1.toml" in str(caught.value)


def test_two_entries_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"1\.toml.*'tiny' is already in .*0\.toml"):
        load(tmp_path, GOOD, GOOD)


def test_an_alias_that_ships_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'gcc' is claimed by"):
        load(tmp_path, GOOD.replace('"tc"', '"gcc"'))


def test_unreadable_tables_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"languages\.directories: .*nowhere"):
        table.load([str(tmp_path / "nowhere")])
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    with pytest.raises(ConfigError, match=r"latin\.toml"):
        table.load([str(tmp_path)])
    (tmp_path / "latin.toml").unlink()
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ConfigError, match=r"folder\.toml"):
        table.load([str(tmp_path)])
