"""What `make toolchains` fetches is what it should be, and is what the table of languages needs."""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from scalebox.languages import table
from scalebox.languages.table import LanguageEntry

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "deploy" / "toolchains"
LIST = tomllib.loads((FOLDER / "toolchains.toml").read_text(encoding="utf-8"))
#: Whose tools neither Debian 12 nor Maven Central nor npm has: docs/languages.md says so.
UNTESTED = {"cuda", "julia", "lean", "python_gpu", "swift"}
#: Python is what everything here runs on; a JDK brings its runtime.
BROUGHT_ALONG = {"python3", "default-jre-headless"}


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("install")


def jar(repository: Path, content: bytes) -> dict[str, str]:
    """A file of a repository, and its line in the list."""
    place = repository / "org" / "example" / "thing" / "1.2"
    place.mkdir(parents=True, exist_ok=True)
    (place / "thing-1.2.jar").write_bytes(content)
    sum_ = hashlib.sha256(content).hexdigest()
    return {"folder": "things", "name": "org.example:thing:1.2", "sha256": sum_}


def test_a_jar_is_fetched_once(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository, home = tmp_path / "repository", tmp_path / "home"
    monkeypatch.setenv("MAVEN_REPOSITORY", repository.as_uri() + "/")
    file = jar(repository, b"classes")
    install.install_maven([file], home)
    assert (home / "things" / "thing.jar").read_bytes() == b"classes"
    assert [path.name for path in home.rglob("*") if path.is_file()] == ["thing.jar"]
    (repository / "org" / "example" / "thing" / "1.2" / "thing-1.2.jar").unlink()
    install.install_maven([file], home)
    # What became of it on the way is noticed, and fetched again.
    (home / "things" / "thing.jar").write_bytes(b"classe")
    with pytest.raises(install.InstallError, match=r"thing-1\.2\.jar.*MAVEN_REPOSITORY"):
        install.install_maven([file], home)


def test_another_file_of_the_same_name_is_refused(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAVEN_REPOSITORY", tmp_path.as_uri())
    file = jar(tmp_path, b"classes")
    jar(tmp_path, b"other classes")
    with pytest.raises(install.InstallError, match="does not have the sum"):
        install.install_maven([file], tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_check_installs_nothing_and_says_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "install.py"), "--check", "--home", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for file in LIST["maven"]:
        place = tmp_path / file["folder"] / (file["name"].split(":")[1] + ".jar")
        assert re.search(rf"^{place} +missing$", done.stdout, re.M), done.stdout
    assert not [*tmp_path.iterdir()]


def needed(entry: LanguageEntry) -> set[str]:
    """What of an entry's tools and files is below home."""
    texts = [entry.tool, *entry.tools.values(), *entry.needs]
    return {text.removeprefix("{home}/") for text in texts if text.startswith("{home}/")}


def test_everything_that_the_table_needs_is_in_the_list() -> None:
    packages = [name for group in LIST["debian"] for name in group["packages"]]
    known = {name.strip() for text in packages for name in text.split("|")} | BROUGHT_ALONG
    files = {f"{file['folder']}/{file['name'].split(':')[1]}.jar" for file in LIST["maven"]}
    # What the script makes itself.
    files |= {"go/cache", "node/bin/esbuild"}
    dependencies = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    files |= {f"node/node_modules/{name}" for name in dependencies}
    entries = table.load([])
    assert {entry.name for entry in entries if entry.package not in known} == UNTESTED
    assert {name for entry in entries for name in needed(entry)} <= files


def test_what_is_fetched_is_pinned() -> None:
    for file in LIST["maven"]:
        assert re.fullmatch(r"[0-9a-f]{64}", file["sha256"]), file
        assert re.fullmatch(r"[\w.-]+:[\w.-]+:\d[\w.-]+", file["name"]), file
    lock: dict[str, Any] = json.loads((FOLDER / "package-lock.json").read_text())
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    locked = {name: package for name, package in lock["packages"].items() if name}
    assert lock["packages"][""]["dependencies"] == wanted
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version
    assert all(package["integrity"].startswith("sha512-") for package in locked.values())


@pytest.mark.parametrize("language", ["java"] if shutil.which("javac") else [])
def test_an_archive_of_classes_is_made_once(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(install.archives, "ARCHIVES", {language: "compiler.jsa"})
    made, again = ([*install.archives.make(tmp_path)] for _ in range(2))
    archive = tmp_path / language / "compiler.jsa"
    assert made == [f"{language}: {archive} made"]
    assert again == [f"{language}: {archive} is up to date"]
    # A virtual machine that must have the archive, and its classes, takes it.
    command = ["javac", "-J-Xshare:on", f"-J-XX:SharedArchiveFile={archive}", "--version"]
    subprocess.run(command, check=True, capture_output=True)
