"""Archives of the classes that compilers on the Java virtual machine load: half their time.

The table's own commands are run once, with the option that reads an archive made the one that
writes it; a virtual machine that is not the archive's passes it over.  Needs Python's standard
library only.
"""

from __future__ import annotations

import subprocess
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ENTRIES = Path(__file__).resolve().parent.parent.parent / "scalebox" / "languages"
LANGUAGES = ("java", "kotlin", "scala")
PATH = "/usr/local/bin:/usr/bin:/bin"
_READS, _WRITES = "-XX:SharedArchiveFile=", "-XX:ArchiveClassesAtExit="
_TIMEOUT_S = 300


def make(home: Path) -> Iterator[str]:
    """Make the archives that are missing or older than their compilers.

    Parameters:
        home: where the jars are, and the archives go.

    Returns:
        a line for each language: what was done, or why nothing was.
    """
    for language in LANGUAGES:
        entry = tomllib.loads((ENTRIES / f"{language}.toml").read_text(encoding="utf-8"))
        folder = home / language
        archive = folder / "compiler.jsa"
        if not all(Path(need.format(home=home)).exists() for need in entry.get("needs", ())):
            yield f"{language}: the compiler is not there"
        elif not _is_outdated(archive, folder):
            yield f"{language}: {archive} is up to date"
        else:
            folder.mkdir(parents=True, exist_ok=True)
            archive.unlink(missing_ok=True)
            _compile(entry, home)
            done = "made" if archive.exists() else "could not be made, which costs time only"
            yield f"{language}: {archive} {done}"


def _is_outdated(archive: Path, folder: Path) -> bool:
    if not archive.exists():
        return True
    runtime = Path(PATH.split(":")[1]) / "java"
    made_of = [runtime.resolve(), *folder.glob("*.jar")]
    return any(file.exists() and file.stat().st_mtime > archive.stat().st_mtime for file in made_of)


def _compile(entry: dict[str, object], home: Path) -> None:
    """What the entry does with a source, and the archive besides."""
    test, command = entry["test"], entry["compile"]
    assert isinstance(test, dict)
    assert isinstance(command, list)
    main = str(entry["main_file"])
    values = {"{tool}": [str(entry["tool"])], "{sources}": [main], "{flags}": []}
    words: list[str] = []
    for word in command:
        text = word.replace("{home}", str(home)).replace("{program}", "a.out")
        words += values.get(word, [text.replace(_READS, _WRITES)])
    with tempfile.TemporaryDirectory() as folder:
        # Unlike `accepted`, it goes into the main file whatever it is called.
        (Path(folder) / main).write_text(test["wrong"], encoding="utf-8")
        environment = {"PATH": PATH, "HOME": folder, "LANG": "C.UTF-8", "TMPDIR": folder}
        subprocess.run(
            words, cwd=folder, env=environment, timeout=_TIMEOUT_S, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
