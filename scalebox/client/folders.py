"""A problem as a folder: `*.in` with `*.ans` (or `*.out`), and perhaps a `problem.toml`.

`problem.toml` may hold `name`, a table `limits` (as `model.Limits`), a table `judge` (as
`model.Judge`), and, in place of the files, a table `tests` (as `model.Tests`, told apart by
its `type`).  Other keys are the reader's own, unless they look like one of these misspelt.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec

from scalebox.errors import BadRequestError
from scalebox.model import Blob, Data, Judge, Limits, Problem, StdioCase, StdioTests, Tests

_KEYS = frozenset({"name", "limits", "judge", "tests"})
#: What is longer is no key that somebody misspelt.
_LONGEST_KEY = 60


class ProblemFileError(BadRequestError):
    """A problem's files cannot be read or do not mean a problem."""

    code = "problem_file"


def read_table(folder: Path | Traversable) -> dict[str, Any]:
    """The folder's `problem.toml`; empty if there is none.

    Raises:
        ProblemFileError: it is not TOML.
    """
    file = folder / "problem.toml"
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProblemFileError(f"{file}: {error}") from error


def read_folder(folder: Path | Traversable) -> Problem:
    """Read the folder's problem.

    Raises:
        ProblemFileError: there are no tests, an answer is missing, or `problem.toml` is wrong.
    """
    table = read_table(folder)
    where = folder / "problem.toml"
    refuse_misspelt(table, _KEYS, str(where))
    limits = convert(table.get("limits", {}), Limits, f"{where}, [limits]")
    name = table.get("name", folder.name)
    tests: Tests
    if "tests" in table:
        tests = convert(table["tests"], Tests, f"{where}, [tests]")
    else:
        judge = convert({"type": "compare", **table.get("judge", {})}, Judge, f"{where}, [judge]")
        tests = StdioTests(cases=_cases(folder), judge=judge)
    return Problem(tests=tests, limits=limits, name=name)


def _cases(folder: Path | Traversable) -> list[StdioCase]:
    try:
        files = {file.name: file for file in folder.iterdir()}
        cases = []
        for name in sorted((n for n in files if n.endswith(".in")), key=natural_key):
            stem = name.removesuffix(".in")
            answer = files.get(f"{stem}.ans") or files.get(f"{stem}.out")
            if answer is None:
                raise ProblemFileError(
                    f"{files[name]} has no answer beside it ({stem}.ans or {stem}.out)"
                )
            case = StdioCase(
                input=_data(files[name].read_bytes()), answer=_data(answer.read_bytes()), name=stem
            )
            cases.append(case)
    except OSError as error:
        raise ProblemFileError(f"cannot read {folder}: {error.strerror}") from error
    if not cases:
        raise ProblemFileError(
            f"{folder} has no tests: expected `*.in` files with `*.ans` or `*.out` beside them, "
            "or a [tests] table in problem.toml"
        )
    return cases


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts `2.in` before `10.in`."""
    parts = re.split(r"(\d+)", name)
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts]


def _data(raw: bytes) -> Data:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return Blob(data=raw)


def refuse_misspelt(keys: Iterable[str], known: Collection[str], where: str) -> None:
    """What looks like a known key is never taken for the reader's own.

    Raises:
        ProblemFileError: one does; the message names `where` and what it is probably meant to be.
    """
    for key in keys:
        if key in known or len(key) > _LONGEST_KEY:
            continue
        if meant := difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.8):
            raise ProblemFileError(f"{where}: `{key}` is probably meant to be `{meant[0]}`")


def convert(value: Any, kind: Any, where: str) -> Any:
    """A value as one of the model's structures.

    Raises:
        ProblemFileError: it is none; the message names `where`.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ProblemFileError(f"{where}: {error}") from error
