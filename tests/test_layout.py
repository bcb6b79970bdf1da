"""The tree keeps to its own rules: import arrows, docstrings, sizes, and words that stay out."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "scalebox"
MAX_LINES = 500
# Larger files, and how large they may be: these may shrink, and no other may join them.
LARGER: dict[str, int] = {}
# Texts that are not ours to write.
FOREIGN = {"LICENSE"}
# Folders that hold what was made, not what was written; for a tree without git.
MADE = {"__pycache__", "results", "dist", "build", "node_modules"}


def files_of_the_project() -> list[Path]:
    """What git tracks or would; without a repository (an sdist), what is not a build product."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        names = listed.stdout.splitlines() if (ROOT / ".git").exists() else []
    except (OSError, subprocess.CalledProcessError):
        names = []
    paths = [ROOT / name for name in names] or [
        path
        for path in ROOT.rglob("*")
        if not any(
            part in MADE or (part.startswith(".") and part != ".ci")
            for part in path.relative_to(ROOT).parts
        )
    ]
    return [path for path in paths if path.is_file() and path.name not in FOREIGN]


FILES = files_of_the_project()
TEXTS = {
    path: text for path in FILES if (text := path.read_bytes().decode("utf-8", "replace")).strip()
}
# Programs in the problems' folders are data: some are wrong on purpose, one does not parse.
MODULES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.parent.parent != PACKAGE / "examples"
)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def occurrences(pattern: str, texts: dict[Path, str]) -> list[str]:
    """`file:line: text` of each line in which the pattern is found."""
    return [
        f"{named(path)}:{number}: {line.strip()}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(pattern, line)
    ]


def test_the_tree_was_found() -> None:
    names = {named(path) for path in TEXTS}
    assert {
        "pyproject.toml",
        "Makefile",
        "scalebox/model/__init__.py",
        "tests/test_layout.py",
    } <= names


def test_imports_point_one_way() -> None:
    command = [
        sys.executable, "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        "--no-cache",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_module_says_what_it_answers_for(module: Path) -> None:
    docstring = ast.get_docstring(ast.parse(module.read_text()))
    assert docstring, "no docstring opens this module"
    assert docstring.splitlines()[0].strip()


def test_files_are_small_enough_to_read() -> None:
    sizes = {named(path): len(path.read_text().splitlines()) for path in MODULES}
    too_large = {
        name: lines for name, lines in sizes.items() if lines > LARGER.get(name, MAX_LINES)
    }
    assert not too_large
    assert not {name for name in LARGER if sizes.get(name, 0) <= MAX_LINES}, "not large any more"


# The patterns are put together from parts, so that this file does not hold what it looks for.
@pytest.mark.parametrize(
    "pattern",
    [
        r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b",
        r"(?i)\bfor" + r" now\b",
        r"(?i)\bplace" + r"holder\b",
    ],
)
def test_nothing_is_left_for_later(pattern: str) -> None:
    assert not occurrences(pattern, TEXTS)


def test_no_path_of_one_machine() -> None:
    homes = r"(?<![\w.$}/-])/(wo" + r"rk|ro" + r"ot|home/(?!someone\b)\w+)\b"
    assert not occurrences(homes, TEXTS)


def test_no_test_is_passed_over() -> None:
    tests = {path: text for path, text in TEXTS.items() if named(path).startswith("tests/")}
    ways = r"\b(mark\.(sk" + r"ip|xf" + r"ail)|(sk" + r"ip|xf" + r"ail|importorsk" + r"ip)\()"
    assert not occurrences(ways, {path: text for path, text in tests.items()})


def test_type_checkers_are_told_that_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (PACKAGE / "__init__.py").read_text()
    assert f'__version__ = "{project["version"]}"' in text
