"""Problems in files → `model.Problem`: a folder, or rows of JSONL.

Knows the row formats of the datasets that the project reads (the fields by which each is told are
in `_READERS`), and turns labelled submissions in them into `model.Submission`.  What a row asks for
that cannot be judged is refused with the reason.  A folder is one of `*.in`/`*.ans`
(`client.folders`) or a problem package (`client.packages`).
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from scalebox.client.folders import ProblemFileError, read_folder
from scalebox.client.packages import format_of, read_package, submissions_of_package
from scalebox.client.packages.programs import (
    DEFAULT_PASSES,
    PackageCase,
    RowSubmission,
    comparison_of_flags,
    submission_of,
    tests_of,
    validator_of_files,
)
from scalebox.model import (
    AssertCase,
    AssertTests,
    Comparison,
    InteractiveTests,
    Limits,
    Problem,
    ProgramJudge,
    StdioCase,
    StdioTests,
    Submission,
)

__all__ = [
    "ProblemFileError",
    "ProblemRow",
    "RowSubmission",
    "comparison_of_flags",
    "load_problem",
    "load_problems",
    "read_rows",
    "submissions_of_folder",
    "submissions_of_row",
    "validator_of_files",
]

Row = Mapping[str, Any]
#: Rows of test data can be large, and all of a batch are in memory at once.
_BATCH_ROWS = 16
_NESTED = ("judge", "submissions", "tests")


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One row of a JSONL file.

    Attributes:
        id: the row's own, else its line number.
        data: the row as it is in the file.
        where: file and line, for messages.
    """

    id: str
    data: dict[str, Any]
    where: str

    def problem(self) -> Problem:
        """The tests, judge and limits.

        Raises:
            ProblemFileError: the format is unknown, or it needs what cannot be judged.
        """
        for name, marks, reader in _READERS:
            if marks <= self.data.keys():
                try:
                    return reader(self.data)
                except ProblemFileError as error:
                    raise ProblemFileError(f"{self.where}: {error.message}") from error
                except (KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
                    raise ProblemFileError(
                        f"{self.where}: this looks like a row of {name}, but cannot be read as "
                        f"one: {type(error).__name__}: {error}"
                    ) from error
        known = "; ".join(f"{name}: {', '.join(sorted(marks))}" for name, marks, _ in _READERS)
        raise ProblemFileError(
            f"{self.where}: no known kind of problem (fields: {', '.join(self.data)}). "
            f"Known kinds, by the fields that they have: {known}"
        )

    def submissions(self) -> list[RowSubmission]:
        """The submissions in the row, with its tests.  Raises as `problem` does."""
        problem = self.problem()
        return [
            RowSubmission(
                found.name,
                found.label,
                found.label_check,
                msgspec.structs.replace(
                    found.submission, tests=problem.tests, limits=problem.limits
                ),
            )
            for found in submissions_of_row(self.data)
        ]


def load_problem(path: str | Path, row: int | str | None = None) -> Problem:
    """Read one problem.

    Parameters:
        path: a folder with `*.in` and `*.ans` (or `*.out`) and perhaps a `problem.toml`; the
            folder of a problem package (Kattis and ICPC, Polygon, DMOJ); or a `.json`, `.jsonl` or
            `.jsonl.gz` file.
        row: of a file: which row, by id or by number from 0; None: its only one.

    Raises:
        ProblemFileError: the file cannot be read or understood, or has no such row; the message
            says what was expected.
    """
    path = Path(path)
    if path.is_dir():
        if row is not None:
            raise ProblemFileError(f"{path} is a folder, which is one problem and has no rows")
        return _problem_of_folder(path)
    if row is not None:
        for position, candidate in enumerate(read_rows(path)):
            if row in (position, str(position), candidate.id):
                return candidate.problem()
        raise ProblemFileError(f"{path} has no row {row!r}; say its id, or its number from 0")
    rows = read_rows(path)
    first = next(rows, None)
    if first is None:
        raise ProblemFileError(f"{path} is empty")
    if next(rows, None) is not None:
        raise ProblemFileError(
            f"{path} has more than one row; say which, by id (such as {first.id!r}) or by number "
            "from 0"
        )
    return first.problem()


def load_problems(path: str | Path) -> list[tuple[str, Problem]]:
    """Read all problems of a file, or of a folder: (id, problem) pairs.

    Raises:
        ProblemFileError: as `load_problem`, for the first that cannot be read (use `read_rows` to
            decide about each).
    """
    path = Path(path)
    if path.is_dir():
        return [(path.name, _problem_of_folder(path))]
    return [(row.id, row.problem()) for row in read_rows(path)]


def _problem_of_folder(path: Path) -> Problem:
    return read_folder(path) if format_of(path) is None else read_package(path)


def submissions_of_folder(path: str | Path) -> list[RowSubmission]:
    """The programs in a problem package's folder, without tests.

    Those of Kattis and ICPC packages are labelled with the name of their folder below
    `submissions/`, those of Polygon with their tag (`main` and `accepted` are `accepted`).  Files
    whose ending names no language are left out.

    Raises:
        ProblemFileError: it is no problem package, or a program cannot be read.
    """
    return submissions_of_package(Path(path))


def read_rows(path: str | Path) -> Iterator[ProblemRow]:
    """The rows of a `.json`, `.jsonl`, `.jsonl.gz` or `.parquet` file, one at a time.

    Raises:
        ProblemFileError: the file cannot be read, or a line is no JSON object; for `.parquet`
            also: pyarrow is not installed.
    """
    path = Path(path)
    if path.suffix == ".parquet":
        yield from _parquet_rows(path)
        return
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig") as file:
            if path.name.removesuffix(".gz").endswith(".json"):
                yield _row(file.read(), path, 0)
                return
            for number, line in enumerate(file):
                if line.strip():
                    yield _row(line, path, number)
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise ProblemFileError(f"cannot read {path}: {reason or error}") from error


def _parquet_rows(path: Path) -> Iterator[ProblemRow]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ProblemFileError(
            f"{path}: Parquet files are read by pyarrow: pip install scalebox[parquet]"
        ) from error
    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                for data in batch.to_pylist():
                    where = f"{path}, row {number + 1}"
                    yield _row_of(_without_text(data, where), where, number)
                    number += 1
    except (OSError, pyarrow.ArrowException) as error:
        raise ProblemFileError(f"cannot read {path}: {error}") from error


def _without_text(data: dict[str, Any], where: str) -> dict[str, Any]:
    """Columns that hold what is nested as JSON text, as many datasets do, in their true form."""
    for name in _NESTED:
        if isinstance(data.get(name), str):
            try:
                data[name] = json.loads(data[name])
            except (ValueError, RecursionError) as error:
                raise ProblemFileError(f"{where}: {name} is not JSON: {error}") from error
    return {name: value for name, value in data.items() if value is not None}


def _row(text: str, path: Path, number: int) -> ProblemRow:
    where = f"{path}, line {number + 1}"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProblemFileError(f"{where} is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise ProblemFileError(f"{where} is a JSON {type(data).__name__}, not an object")
    return _row_of(data, where, number)


def _row_of(data: dict[str, Any], where: str, number: int) -> ProblemRow:
    for key in ("id", "task_id", "problem_id", "question_id"):
        if key in data:
            return ProblemRow(str(data[key]), data, where)
    return ProblemRow(str(number), data, where)


def submissions_of_row(row: Row) -> list[RowSubmission]:
    """The programs in a row, without tests.

    Rows in the problem-package format list theirs; HumanEval and MBPP rows have a canonical
    solution, labelled `accepted`.
    """
    if "canonical_solution" in row and "prompt" in row:
        return [_canonical("python", row["prompt"] + row["canonical_solution"])]
    if "code" in row and "test_list" in row:
        return [_canonical("python", _unix_lines(row["code"]))]
    return [
        RowSubmission(
            entry["name"],
            entry["label"],
            entry.get("label_check", ""),
            submission_of(entry["files"], entry["language"], entry.get("entry")),
        )
        for entry in row.get("submissions", ())
    ]


def _canonical(language: str, source: str) -> RowSubmission:
    submission = Submission(language=language, source=source)
    return RowSubmission("canonical_solution", "accepted", "", submission)


def _unix_lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _native(row: Row) -> Problem:
    fields = {name: row[name] for name in ("tests", "limits", "name") if name in row}
    return msgspec.convert(fields, Problem)


def _package(row: Row) -> Problem:
    """A row of problem packages: tests as a list, a judge by kind and flags."""
    memory = row.get("memory_limit_mb")
    limits = Limits(
        cpu_time_s=row.get("time_limit_s"),
        memory_bytes=None if memory is None else int(memory * (1 << 20)),
    )
    return Problem(tests=_package_tests(row), limits=limits, name=row.get("name"))


def _package_tests(row: Row) -> StdioTests | InteractiveTests:
    kind, flags = row["judge"]["kind"], row["judge"]["flags"] or ""
    passes = DEFAULT_PASSES if row["judge"].get("multi_pass") else 1
    judge: Comparison | ProgramJudge
    if kind != "default":
        judge = validator_of_files(row["judge"]["files"], row["judge"]["folder"], flags.split())
        judge = msgspec.structs.replace(judge, passes=passes)
    elif passes == 1:
        judge = comparison_of_flags(flags)
    else:
        raise ProblemFileError(
            "a problem of several passes, and the default validator, which has a single one"
        )
    cases = [
        PackageCase(
            input=test["input"],
            answer=test["answer"],
            name=test["name"],
            flags=None if test.get("flags") is None else test["flags"].split(),
        )
        for test in row["tests"]
    ]
    return tests_of(cases, judge, flags.split(), kind == "interactive")


def _humaneval(row: Row) -> Problem:
    case = AssertCase(program=row["test"], name=str(row["task_id"]))
    tests = AssertTests(cases=[case], entry_point=row["entry_point"])
    return Problem(tests=tests, name=str(row["task_id"]))


def _mbpp(row: Row) -> Problem:
    imports = "\n".join(row.get("test_imports") or [])
    setup = _unix_lines(row.get("test_setup_code") or "")
    head = "".join(part + "\n" for part in (imports, setup) if part)
    cases = [AssertCase(program=head + _unix_lines(test)) for test in row["test_list"]]
    return Problem(tests=AssertTests(cases=cases), name=f"MBPP/{row['task_id']}")


def _evalplus(row: Row) -> Problem:
    raise ProblemFileError(
        "rows of HumanEval+ and MBPP+ hold inputs without expected values; run the canonical "
        "solution on them first"
    )


def _input_output(row: Row) -> Problem:
    """APPS and TACO: `input_output` is JSON text {inputs, outputs, fn_name?}."""
    data = row["input_output"]
    data = json.loads(data) if isinstance(data, str) else data
    inputs, outputs = data["inputs"], data["outputs"]
    if len(inputs) != len(outputs):
        raise ProblemFileError(f"{len(inputs)} inputs, but {len(outputs)} outputs")
    if data.get("fn_name"):
        # The datasets' own scorers accept both `x` and `[x]` for an output `[x]`; what the value
        # really is cannot be told from the row, and a guess would be a wrong verdict.
        raise ProblemFileError(
            "rows that call a function (fn_name) do not say whether [x] means x or [x]; "
            "convert them to call tests with the values that you mean"
        )
    cases = [
        StdioCase(input=_text(given), answer=_text(answer))
        for given, answer in zip(inputs, outputs, strict=True)
    ]
    return Problem(tests=StdioTests(cases=cases))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "\n".join(str(line) for line in value)


#: (name, fields that tell it, reader), the more particular first.
_READERS: tuple[tuple[str, frozenset[str], Callable[[Row], Problem]], ...] = (
    ("problem packages", frozenset({"judge", "tests", "submissions"}), _package),
    ("EvalPlus", frozenset({"base_input", "plus_input"}), _evalplus),
    ("HumanEval", frozenset({"task_id", "entry_point", "test"}), _humaneval),
    ("MBPP", frozenset({"task_id", "test_list"}), _mbpp),
    ("APPS or TACO", frozenset({"input_output"}), _input_output),
    ("scalebox's own", frozenset({"tests"}), _native),
)
