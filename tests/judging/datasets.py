"""Assert-tested tasks: the public sets where the machine has them, and a few of our own always."""

from __future__ import annotations

import ast
import gzip
import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parent / "examples"
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Task:
    """One task with a right solution."""

    name: str
    solution: str
    program: str
    entry_point: str | None

    @property
    def hollow(self) -> str:
        """The solution with every function's body replaced by `return None`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some public solutions have odd escape sequences
            tree = ast.parse(self.solution)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                node.body = [ast.Return(value=ast.Constant(value=None))]
        return ast.unparse(ast.fix_missing_locations(tree))


def data_folder() -> Path:
    """Where the public sets are: SCALEBOX_DATA, else `shared/data` beside the project."""
    return Path(os.environ.get("SCALEBOX_DATA") or _ROOT.parent / "shared" / "data")


def available() -> list[str]:
    """Names of the sets that can be read here; `examples` always can."""
    names = ["examples"]
    for name, file in (("humaneval", "HumanEval.jsonl.gz"), ("mbpp", "mbpp.jsonl.gz")):
        if (data_folder() / file).is_file():
            names.append(name)
    return names


def tasks(name: str) -> list[Task]:
    """All tasks of a set.

    Raises:
        KeyError: no such set.
        OSError: its file is not here.
    """
    return list({"examples": _examples, "humaneval": _humaneval, "mbpp": _mbpp}[name]())


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _humaneval() -> Iterator[Task]:
    for row in _rows(data_folder() / "HumanEval.jsonl.gz"):
        yield Task(
            name=row["task_id"],
            solution=row["prompt"] + row["canonical_solution"],
            program=row["test"],
            entry_point=row["entry_point"],
        )


def _mbpp() -> Iterator[Task]:
    for row in _rows(data_folder() / "mbpp.jsonl.gz"):
        lines = [row["test_setup_code"], *row["test_list"], *row["challenge_test_list"]]
        yield Task(
            name=f"mbpp/{row['task_id']}",
            solution=row["code"],
            program="\n".join(lines),
            entry_point=None,
        )


def _examples() -> Iterator[Task]:
    for path in sorted(EXAMPLES.glob("*.json")):
        row = json.loads(path.read_text())
        yield Task(
            name=f"examples/{path.stem}",
            solution="\n".join(row["solution"]),
            program="\n".join(row["program"]),
            entry_point=row["entry_point"],
        )
