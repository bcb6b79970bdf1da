"""Rows of `problems.jsonl.gz` were packages: laid out as such, they read back as the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from scalebox.client.problems import (
    ProblemRow,
    RowSubmission,
    load_problem,
    read_rows,
    submissions_of_folder,
    submissions_of_row,
)
from scalebox.model import InteractiveTests, Problem, StdioTests
from tests.client.laid import lay_row
from tests.judging.datasets import data_folder

FILE = "problems.jsonl.gz"
OWN: dict[str, Any] = {
    "id": "own",
    "name": "Öwn 'problem': \\emph{two}",
    "time_limit_s": 1.5,
    "memory_limit_mb": 64,
    "judge": {
        "kind": "custom",
        "flags": "",
        "folder": "output_validators",
        "files": {"v/check.cc": "main", "v/check.h": "head"},
    },
    "tests": [
        {"name": "sample/1", "input": "1\r\n", "answer": "", "flags": None},
        {"name": "secret/a/1", "input": "2", "answer": "é", "flags": "x=1 y"},
        {"name": "secret/b/1", "input": "3", "answer": "", "flags": None},
    ],
    "submissions": [
        {
            "name": "accepted/one.py",
            "label": "accepted",
            "language": "python",
            "files": {"one.py": "print(1)"},
        },
        {
            "name": "wrong_answer/two",
            "label": "wrong_answer",
            "language": "cpp",
            "files": {"b.cpp": "b", "main.cpp": "m", "b.h": "h"},
        },
    ],
}
INTERACTIVE = {**OWN, "id": "talks", "judge": {**OWN["judge"], "kind": "interactive"}}
DEFAULT = {
    **OWN,
    "id": "default",
    "judge": {"kind": "default", "flags": "float_tolerance 1e-6", "folder": None, "files": None},
    "tests": [{**test, "flags": None} for test in OWN["tests"]],
}


def sources() -> list[str]:
    """Our own rows, and the data's where they are here."""
    return ["own", *([FILE] if (data_folder() / FILE).is_file() else [])]


def rows_of(source: str) -> list[ProblemRow]:
    if source == "own":
        return [ProblemRow(str(row["id"]), row, "own") for row in (OWN, INTERACTIVE, DEFAULT)]
    return list(read_rows(data_folder() / source))


def in_order(problem: Problem) -> Problem:
    """Cases by their names: rows have theirs in another order than packages."""
    tests = problem.tests
    assert isinstance(tests, StdioTests | InteractiveTests)
    ordered = sorted(tests.cases, key=lambda case: case.name or "")
    return msgspec.structs.replace(problem, tests=msgspec.structs.replace(tests, cases=ordered))


def by_name(found: list[RowSubmission]) -> dict[str, tuple[str, str, object]]:
    """What is to be equal: but for Python 2, which people tell by more than the file."""
    return {
        one.name: (
            one.label,
            one.submission.language.removesuffix("2"),
            (one.submission.source, one.submission.files),
        )
        for one in found
    }


@pytest.mark.parametrize("source", sources())
def test_rows_laid_out_as_folders_read_back_as_the_same_problem(
    tmp_path: Path, source: str
) -> None:
    rows = rows_of(source)
    assert rows
    for number, row in enumerate(rows):
        folder = lay_row(tmp_path / str(number), row.data)
        assert in_order(load_problem(folder)) == in_order(row.problem()), row.id


@pytest.mark.parametrize("source", sources())
def test_their_submissions_do_too(tmp_path: Path, source: str) -> None:
    for number, row in enumerate(rows_of(source)):
        row.data["tests"] = row.data["tests"][:1]
        folder = lay_row(tmp_path / str(number), row.data)
        assert by_name(submissions_of_folder(folder)) == by_name(submissions_of_row(row.data))
