"""Archives of the classes that tools on the Java virtual machine load: they take half the time.

The table's own commands are run once, with the option that reads an archive made the one that
writes it; a virtual machine that is not the archive's passes it over.  Needs Python's standard
library only.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ENTRIES = Path(__file__).resolve().parent.parent.parent / "scalebox" / "languages"
#: Language → the archive that its commands read, in its folder: of its compiler, or of what runs
#: its programs.
ARCHIVES = {
    "java": "compiler.jsa",
    "kotlin": "compiler.jsa",
    "kotlin_script": "compiler.jsa",
    "scala": "compiler.jsa",
    "junit": "launcher.jsa",
}
PATH = "/usr/local/bin:/usr/bin:/bin"
_READS, _WRITES = "-XX:SharedArchiveFile=", "-XX:ArchiveClassesAtExit="
_TIMEOUT_S = 300


def make(home: Path) -> Iterator[str]:
    """Make the archives that are missing or older than their tools.

    Parameters:
        home: where the jars are, and the archives go.

    Returns:
        a line for each language: what was done, or why nothing was.
    """
    for language, name in ARCHIVES.items():
        entry = tomllib.loads((ENTRIES / f"{language}.toml").read_text(encoding="utf-8"))
        folder = home / language
        archive = folder / name
        if not all(Path(need.format(home=home)).exists() for need in entry.get("needs", ())):
            yield f"{language}: what it needs is not there"
        elif not _is_outdated(archive, folder):
            yield f"{language}: {archive} is up to date"
        else:
            folder.mkdir(parents=True, exist_ok=True)
            archive.unlink(missing_ok=True)
            _compile_and_run(entry, home, archive)
            done = "made" if archive.exists() else "could not be made, which costs time only"
            yield f"{language}: {archive} {done}"


def _is_outdated(archive: Path, folder: Path) -> bool:
    if not archive.exists():
        return True
    runtime = Path(PATH.split(":")[1]) / "java"
    made_of = [runtime.resolve(), *folder.glob("*.jar")]
    return any(file.exists() and file.stat().st_mtime > archive.stat().st_mtime for file in made_of)


def _compile_and_run(entry: dict[str, Any], home: Path, archive: Path) -> None:
    """What the entry does with a source, and the archive besides."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Unlike `accepted`, it goes into the main file whatever it is called.
        (folder / entry["main_file"]).write_text(entry["test"]["wrong"], encoding="utf-8")
        _run(_words(entry, "compile", home, archive), folder)
        if entry.get("leaves") == "folder" and (folder / "a.out").exists():
            with tarfile.open(folder / "a.out") as classes:
                classes.extractall(folder)
        if not archive.exists():
            _run(_words(entry, "run", home, archive), folder)


def _words(entry: dict[str, Any], command: str, home: Path, archive: Path) -> list[str]:
    """A command of the entry; where it would read the archive, it writes it."""
    tools = {"tool": entry["tool"], **entry.get("tools", {})}
    values = {**tools, "home": str(home), "program": "a.out", "memory_mib": "512", "stack_mib": "8"}
    words: list[str] = []
    for word in entry[command]:
        if word in ("{sources}", "{flags}"):
            words += [entry["main_file"]] if word == "{sources}" else []
            continue
        for name, value in values.items():
            word = word.replace(f"{{{name}}}", value)
        words.append(word.replace(f"{_READS}{archive}", f"{_WRITES}{archive}"))
    return words


def _run(words: list[str], folder: Path) -> None:
    environment = {"PATH": PATH, "HOME": str(folder), "LANG": "C.UTF-8", "TMPDIR": str(folder)}
    subprocess.run(
        words, cwd=folder, env=environment, timeout=_TIMEOUT_S, check=False, input=b"3 4\n",
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
