"""What this host has: found by trying, identified by what makes programs differ."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.config import CppConfig, LanguagesConfig, PythonConfig
from scalebox.errors import UnknownLanguageError
from scalebox.languages import build, table
from scalebox.languages import toolchains as toolchains_module
from scalebox.languages.toolchains import Language, Toolchains, Versions


def toolchains(directory: Path | None = None, **cpp: Any) -> Toolchains:
    directories = (str(directory),) if directory else ()
    return Toolchains(LanguagesConfig(cpp=CppConfig(**cpp), directories=directories))


def script(path: Path, text: str) -> Path:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_every_name_finds_its_language() -> None:
    tools = toolchains()
    for name in ("cpp", "c++", "CPP", "C++", "g++", "Cxx"):
        assert tools.find(name).entry.name == "cpp"
    assert tools.find("python3").entry.name == "python"
    assert tools.find("cpp20").flags == ("-O2", "-std=gnu++17", "-std=gnu++20")
    infos = {info.name: info for info in tools.infos()}
    assert list(infos) == [entry.name for entry in table.load([])]
    assert "cpp20" in infos["cpp"].aliases
    assert all(infos[name].toolchain for name in ("c", "cpp", "python"))
    assert all(info.available != bool(info.missing) for info in infos.values())


def test_an_unknown_language_is_named_with_those_there_are() -> None:
    with pytest.raises(
        UnknownLanguageError, match=r"no language 'klingon' here; there are: .*c, cpp"
    ) as e:
        toolchains().find("klingon")
    assert e.value.field == "language"


def test_a_missing_compiler_is_named_with_the_remedy() -> None:
    tools = toolchains(cxx="no-such-g++")
    with pytest.raises(UnknownLanguageError, match=r"cpp needs no-such-g\+\+.*package g\+\+") as e:
        tools.find("cpp20")
    assert e.value.code == "unknown_language"
    info = {info.name: info for info in tools.infos()}["cpp"]
    assert not info.available
    assert "no-such-g++" in info.missing
    assert tools.find("c").tool
    assert [one.entry.name for one in tools.all()] == [one.name for one in table.load([])]


@pytest.mark.parametrize(
    ("script_text", "version"),
    [
        ("echo 'tiny 1.2'; echo more", "tiny 1.2"),
        ("echo 'tiny 1.3' >&2", "tiny 1.3"),
        ("exit 1", "tool"),
        ("true", "tool"),
    ],
)
def test_a_tool_need_not_know_how_to_tell_its_version(
    tmp_path: Path, script_text: str, version: str
) -> None:
    tool = script(tmp_path / "tool", script_text)
    language = toolchains(cc=str(tool)).find("c")
    assert language.version == version
    assert not language.missing


def test_a_tool_that_does_not_run_is_missing(tmp_path: Path) -> None:
    broken = tmp_path / "tool"
    broken.write_bytes(b"\x7fELF and no more")
    broken.chmod(0o755)
    with pytest.raises(UnknownLanguageError, match="does not run"):
        toolchains(cc=str(broken)).find("c")


def address(language: Language) -> str:
    return build.artifact_address(language, b"int main(){}", {})


def test_the_identity_changes_with_everything_that_makes_a_program(tmp_path: Path) -> None:
    tool = script(tmp_path / "tool", "echo 'tiny 1'")
    base = address(toolchains(cc=str(tool)).find("c"))
    assert address(toolchains(cc=str(tool)).find("c")) == base
    others = [
        toolchains(cc=str(tool), c_flags=("-O1",)).find("c"),
        toolchains(cc=str(tool), static=True).find("c"),
        toolchains(cc=str(tool)).find("c99"),
    ]
    script(tool, "echo 'tiny 2'")
    others.append(toolchains(cc=str(tool)).find("c"))
    script(tool, "echo 'tiny 1' # the same version, another file")
    others.append(toolchains(cc=str(tool)).find("c"))
    addresses = [base, *map(address, others)]
    assert len(set(addresses)) == len(addresses)


def test_the_identity_changes_with_the_recipe_and_not_with_other_names(tmp_path: Path) -> None:
    text = (
        'name = "x"\naliases = ["y"]\nmain_file = "a.c"\nrunner = "native"\ntool = "cc"\n'
        'package = "p"\ncompile = ["{tool}", "-o", "{program}", "{sources}"]\n'
    )
    identities = []
    for change in [
        ("", ""), ('"y"', '"z"'), ('"p"', '"q"'), ('"a.c"', '"b.c"'), ('"-o"', '"-s", "-o"'),
        ('runner', 'source_suffixes = [".c"]\nrunner'),
    ]:  # fmt: skip
        (tmp_path / "x.toml").write_text(text.replace(*change) if change[0] else text)
        identities.append(toolchains(tmp_path).find("x").identity)
    assert identities[0] == identities[1] == identities[2]
    assert len(set(identities)) == 4


def test_artifact_addresses_cannot_be_made_to_meet() -> None:
    language = toolchains().find("c")
    cases: list[tuple[bytes, dict[str, bytes]]] = [
        (b"ab", {}), (b"a", {"b": b""}), (b"a", {"": b"b"}), (b"", {"a": b"b"}),
        (b"a", {"b": b"c", "d": b""}), (b"a", {"b": b"", "d": b"c"}), (b"a", {"bc": b"d"}),
        (b"a", {"b": b"cd"}), (b"a\0", {"b": b"1 1 x"}),
    ]  # fmt: skip
    addresses = {build.artifact_address(language, source, files) for source, files in cases}
    assert len(addresses) == len(cases)
    one = build.artifact_address(language, b"", {"a": b"1", "b": b"2"})
    assert one == build.artifact_address(language, b"", {"b": b"2", "a": b"1"})


ACCELERATED = """
name = "accelerated"
main_file = "solution.py"
runner = "warm_python"
tool = "python"
package = "python3"
devices = ["{folder}/control", "{folder}/card[0-9]*"]
"""


def test_a_language_that_needs_a_device_is_refused_until_slots_show_it(tmp_path: Path) -> None:
    tables, folder = tmp_path / "tables", tmp_path / "dev"
    tables.mkdir()
    folder.mkdir()
    (tables / "accelerated.toml").write_text(ACCELERATED.format(folder=folder))
    config, versions = LanguagesConfig(directories=(str(tables),)), Versions(None)

    def said(*shown: str) -> str:
        with pytest.raises(UnknownLanguageError) as caught:
            Toolchains(config, versions, shown).find("accelerated")
        return str(caught.value)

    assert f"needs {folder}/control, which only an accelerator and its driver" in said()
    (folder / "control").touch()
    (folder / "card3").touch()
    assert f"{folder}/control, which slots do not show" in said()
    assert "sandbox.read_only_paths" in said()
    assert f"{folder}/card[0-9]*, which slots do not show" in said(f"{folder}/control")
    shown = [f"{folder}/control", f"{folder}/card3"]
    assert Toolchains(config, versions, shown).find("accelerated").tool


def test_a_tool_is_asked_once_as_long_as_it_stays_the_same(tmp_path: Path) -> None:
    asked, file = tmp_path / "asked", tmp_path / "of-the-user" / "toolchains.json"
    first = script(tmp_path / "first", f"echo first >>{asked}; echo one")
    second = script(tmp_path / "second", f"echo second >>{asked}; echo two")

    def said(*tools: Path) -> list[str]:
        versions = Versions(file)
        versions.ask([str(tool), "--version"] for tool in tools)
        versions.keep()
        return [versions.of([str(tool), "--version"]) for tool in tools]

    assert said(first, second) == ["one", "two"]
    assert said(second) == ["two"]
    assert said(first) == ["one"], "what another configuration asks is kept"
    assert sorted(asked.read_text().split()) == ["first", "second"]
    script(first, f"echo first >>{asked}; echo another")
    assert said(first, second) == ["another", "two"]
    assert sorted(asked.read_text().split()) == ["first", "first", "second"]
    assert len(msgspec.json.decode(file.read_bytes())) == 2, "the tool that was is forgotten"


def test_a_tool_that_was_too_slow_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, quick = tmp_path / "toolchains.json", tmp_path / "quick"
    tool = script(tmp_path / "tool", f"test -e {quick} || exec sleep 20; echo well")
    monkeypatch.setattr(toolchains_module, "_PROBE_TIMEOUT_S", 0.2)
    versions = Versions(file)
    assert versions.of([str(tool)]) == ""
    versions.keep()
    quick.touch()
    monkeypatch.undo()
    assert Versions(file).of([str(tool)]) == "well"


def test_a_jar_is_read_once_as_long_as_it_stays_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, jar, opened = tmp_path / "toolchains.json", tmp_path / "compiler.jar", []
    whole = zipfile.ZipFile

    class Opened(zipfile.ZipFile):
        def __init__(self, path: str) -> None:
            opened.append(path)
            super().__init__(path)

    monkeypatch.setattr(toolchains_module.zipfile, "ZipFile", Opened)

    def said() -> str:
        versions = Versions(file)
        found = versions.of_jar(str(jar))
        versions.keep()
        return found

    def made(version: str) -> None:
        held = io.BytesIO()
        with whole(held, "w") as entries:
            entries.writestr("META-INF/MANIFEST.MF", f"Implementation-Version: {version}\n")
        jar.write_bytes(held.getvalue())

    assert said() == ""
    made("1.9")
    assert [said(), said(), said()] == ["1.9"] * 3
    made("2.0.21")
    assert [said(), said()] == ["2.0.21"] * 2
    assert opened == [str(jar)] * 3  # it was missing, it came, it is another


# --- Python ---------------------------------------------------------------------------------------


def python(interpreter: Path | str) -> Toolchains:
    return Toolchains(LanguagesConfig(python=PythonConfig(interpreter=str(interpreter))))


def test_the_configured_interpreter_is_taken_with_what_it_needs(tmp_path: Path) -> None:
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    tools = python(tmp_path / "v" / "bin" / "python")
    assert tools.interpreter.path == str(tmp_path / "v" / "bin" / "python")
    assert str(tmp_path / "v") in tools.interpreter.binds
    assert tools.find("python").version.startswith("Python 3.")


def test_an_interpreter_outside_the_system_is_bound_with_its_library() -> None:
    tools = python(sys.executable)
    real = os.path.dirname(os.path.realpath(sys.executable))
    bound = ("/usr", "/bin", *tools.interpreter.binds)
    for needed in (real, os.path.dirname(os.__file__), sys.prefix):
        assert any(needed == path or needed.startswith(path + "/") for path in bound), needed


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "does not exist"),
        ("exit 3", "does not run"),
        ("echo nonsense", "does not run"),
        ("""echo '["/x", "3.7.1", ["/usr"], [3, 7], {}]'""", "is Python 3.7.1; zygotes need 3.8"),
    ],
)
def test_an_interpreter_that_cannot_be_is_said_to_be_so(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "python"
    if text is not None:
        script(path, text)
    with pytest.raises(UnknownLanguageError, match=words) as caught:
        python(path).find("python")
    assert str(path) in str(caught.value)


def test_the_environment_of_the_daemon_does_not_reach_the_probe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "json.py"))
    assert Toolchains(LanguagesConfig()).find("python").version.startswith("Python 3.")


def test_descriptions_can_be_sent() -> None:
    assert msgspec.json.encode(toolchains(cc="nowhere").infos())
