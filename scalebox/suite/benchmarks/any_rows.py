"""Rows of any data set, by a mapping of fields.

For what no other benchmark reads: the configuration's `fields` say which column has what.  What is
not mapped is looked for under the customary names, and tests in all forms that
`formats.truths.truth_of` and the readers of problem packages (`client.problems`) know.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from scalebox.client.problems import ProblemFileError, ProblemRow
from scalebox.errors import BadRequestError
from scalebox.extraction import extract_code
from scalebox.formats.truths import truth_in_row, truth_of
from scalebox.model import (
    AssertTests,
    CallTests,
    Limits,
    NamedJudge,
    Problem,
    StdioTests,
    Tests,
)
from scalebox.suite.benchmarks import asking
from scalebox.suite.benchmarks.contests import (
    Contest,
    Material,
    limits_in,
    testlib,
)
from scalebox.suite.benchmarks.joining import joined, until_stop
from scalebox.suite.config import BenchmarkConfig, JudgeConfig
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Row
from scalebox.suite.spool import Spool, value_of
from scalebox.suite.tasks import Sample, Task

#: Ours → the customary names of columns.
_CUSTOMARY = {
    "id": ("id", "task_id", "problem_id", "question_id", "name"),
    "prompt": (
        *("prompt", "question", "problem", "description", "question_content", "statement"),
        *("content", "text"),
    ),
    "canonical": (
        "canonical_solution",
        "canonical",
        "reference_solution",
        "gold_standard_solution",
    ),
    "starter": ("starter_code",),
    "date": ("date", "contest_date"),
    "difficulty": ("difficulty",),
}
#: Those that hold tests: given to `truth_of` by these names.
_TESTS = (
    *("tests", "inputs", "outputs", "fn_name", "input_output", "test_cases", "assert_case"),
    *("test", "entry_point", "test_list", "test_setup_code", "test_imports"),
)
_OTHERS = ("instruction", "language", "ground_truth", "checker", "time_limit_s", "memory_limit_mb")
_GROUP = "group."
_PACKAGE = frozenset({"judge", "tests", "submissions"})
_FUNCTION = "Write this function. Answer with all of it in one code block.\n\n"


class AnyRows(Contest):
    """Rows of JSONL, JSON or Parquet files.

    Keys of `fields`, each with the name of a column, or of what is in one (`metadata.tests`):

    - `id`, `prompt` (a text, or messages of a chat), `canonical` (a whole program), `starter` (code
      that the solution begins with), `date`, `difficulty`: unmapped, the first of the customary
      columns that there is.  A row without an id has its place for one.
    - `language`: of the row's programs; unmapped, the configuration's language, else a column of
      that name, else Python.
    - `instruction`: what a chat model is asked, word for word; unmapped, the prompt with a sentence
      about the form of the answer.
    - `tests`, `inputs`, `outputs`, `fn_name`, `input_output`, `test_cases`, `assert_case`, `test`,
      `entry_point`, `test_list`, `test_setup_code`, `test_imports`: tests, in the forms that
      `truth_of` describes; `ground_truth`: a column that is one as a whole.
    - `checker`: a checker in C++ with testlib; `time_limit_s`, `memory_limit_mb`: numbers.
    - `group.NAME`: a group NAME, by which numbers are split.
    """

    name: ClassVar[str] = "rows"
    options = Contest.options | {"fields"}
    title: ClassVar[str] = "Rows"
    source: ClassVar[str] = "`hub` names a data set, `path` a file or a folder of JSONL or Parquet"

    def __init__(self, config: BenchmarkConfig, judge: JudgeConfig) -> None:
        super().__init__(config, judge)
        self._spool = Spool()

    def load(self) -> None:
        known = (*_CUSTOMARY, *_TESTS, *_OTHERS)
        for key in self.config.fields:
            if key not in known and not (key.startswith(_GROUP) and len(key) > len(_GROUP)):
                close = difflib.get_close_matches(key, known, n=1)
                meant = f"; is {close[0]!r} meant?" if close else f"; there are {', '.join(known)}"
                raise SuiteError(
                    f"[benchmark] fields has no {key!r}{meant} (a group is {_GROUP}NAME)"
                )
        super().load()

    def task(self, row: Row, place: str) -> Task:
        raw, is_package = self._raw(row, place)
        tests, limits, _ = _read(raw, is_package, place)
        language = self._language(row, place)
        date = str(self._found(row, "date", place) or "")[:10]
        date = date if re.fullmatch(r"\d{4}-\d\d-\d\d", date) else ""
        own = limits_in(
            place,
            time_s=self._mapped(row, "time_limit_s", place),
            memory_bytes=_times(self._mapped(row, "memory_limit_mb", place), 1 << 20),
        )
        return Task(
            id=str(self._found(row, "id", place) or place),
            groups=self._groups(row, date, place),
            date=date,
            language=language,
            canonical=_text(self._found(row, "canonical", place), "canonical", place),
            row=Material(
                tests={"raw": self._spool.aside(raw), "is_package": is_package},
                function=(tests.entry_point or "") if isinstance(tests, AssertTests) else "",
                limits=Limits(
                    cpu_time_s=own.cpu_time_s or limits.cpu_time_s,
                    memory_bytes=own.memory_bytes or limits.memory_bytes,
                ),
                checker=testlib(self._mapped(row, "checker", place), place),
            ),
            **self._asked(row, tests, language, place),
        )

    def program(self, task: Task, sample: Sample) -> str | None:
        function = task.row.function
        if sample.kind == "solution":
            return sample.text
        if sample.kind == "completion":
            text = until_stop(sample.text, task.stop)
            return task.prompt + text if function else extract_code(text, language=task.language)
        code = extract_code(sample.text, language=task.language)
        if code is None or not function or task.language != "python":
            return code
        return joined(task.prompt, code, function)

    def tests(self, task: Task) -> Tests:
        given = task.row.tests
        tests: Tests
        tests, _, plain = _read(value_of(given["raw"]), given["is_package"], task.id)
        if not isinstance(tests, StdioTests):
            return tests
        judge = self.judge_of_task(task)
        if plain or self.config.judges == "comparison":
            return self.stdio(task, [(str(one.input), str(one.answer)) for one in tests.cases])
        if task.row.checker is None and not isinstance(judge, NamedJudge):
            return tests
        cases = [msgspec.structs.replace(one, judge=None) for one in tests.cases]
        return StdioTests(cases=cases, judge=judge or tests.judge)

    def _language(self, row: Row, place: str) -> str:
        """Of a column that is named; else the configuration's; else of a column of that name."""
        named = self._mapped(row, "language", place)
        return str(named or self.config.language or row.get("language") or "python").lower()

    def _asked(self, row: Row, tests: Any, language: str, place: str) -> dict[str, Any]:
        text = self._found(row, "prompt", place)
        if text is None:
            raise SuiteError(
                f"{place}: which column is the prompt? Say `prompt` in fields (there are "
                f"{', '.join(row)})"
            )
        prompt = _conversation(text, place)
        own = self._mapped(row, "instruction", place)
        if own is not None:
            return {"prompt": prompt, "instruction": _conversation(own, place)}
        if isinstance(tests, AssertTests):
            return {"prompt": prompt, "instruction": f"{_FUNCTION}{prompt.strip()}\n"}
        starter = _text(self._found(row, "starter", place), "starter", place) or ""
        if isinstance(tests, CallTests) and not starter:
            starter = f"def {tests.function}(...):\n    ..."
        starter = starter if isinstance(tests, CallTests) else ""
        words = asking.instruction(prompt, language, starter=starter)
        return {"prompt": prompt, "instruction": words}

    def _groups(self, row: Row, date: str, place: str) -> dict[str, str]:
        groups = {}
        if (difficulty := self._found(row, "difficulty", place)) not in (None, ""):
            groups["difficulty"] = str(difficulty)
        if date:
            groups["month"] = date[:7]
        for key in self.config.fields:
            if key.startswith(_GROUP) and (value := self._mapped(row, key, place)) is not None:
                groups[key.removeprefix(_GROUP)] = str(value)
        return groups

    def _raw(self, row: Row, place: str) -> tuple[Any, bool]:
        """What the tests are read from, and whether that is a problem package."""
        if "ground_truth" in self.config.fields:
            return self._mapped(row, "ground_truth", place), False
        mapped = {name: self._mapped(row, name, place) for name in _TESTS}
        found = {name: value for name, value in mapped.items() if value is not None}
        if found:
            return found, False
        if row.keys() >= _PACKAGE:
            limits = ("time_limit_s", "memory_limit_mb")
            return {name: row.get(name) for name in (*_PACKAGE, *limits)}, True
        return truth_in_row(row), False

    def _mapped(self, row: Row, key: str, place: str) -> Any:
        column = self.config.fields.get(key)
        if column is None:
            return None
        value: Any = row
        for name in (column,) if column in row else column.split("."):
            if not isinstance(value, Mapping) or name not in value:
                raise SuiteError(
                    f"{place}: there is no column {column!r}, which fields.{key} names (there are "
                    f"{', '.join(row)})"
                )
            value = value[name]
        return value

    def _found(self, row: Row, key: str, place: str) -> Any:
        if key in self.config.fields:
            return self._mapped(row, key, place)
        values = (row.get(name) for name in _CUSTOMARY[key])
        return next((value for value in values if value is not None), None)


def _read(raw: Any, is_package: bool, place: str) -> tuple[Any, Limits, bool]:
    """Tests, limits, and whether the tests say nothing of a judge.

    Raises:
        SuiteError: there are none, or they cannot be read.
    """
    if raw is None or raw in ("", [], {}):
        raise SuiteError(
            f"{place}: it has no tests; say in fields which columns have them (inputs and outputs, "
            "tests, input_output, ground_truth, …)"
        )
    try:
        if is_package:
            problem: Problem = ProblemRow(place, raw, place).problem()
            return problem.tests, problem.limits, False
        truth = truth_of(raw)
    except (BadRequestError, ProblemFileError) as error:
        raise SuiteError(f"{place}: {error.message}") from error
    if truth.tests is None:
        raise SuiteError(f"{place}: its tests are no more than a name, {truth.problem!r:.100}")
    return truth.tests, truth.limits, truth.plain


def _conversation(given: Any, place: str) -> str:
    """A text; of a chat's messages all that is said, in their order."""
    if isinstance(given, str):
        return given
    if isinstance(given, list) and given:
        said = [one.get("content") if isinstance(one, Mapping) else None for one in given]
        if all(isinstance(one, str) for one in said):
            return "\n\n".join(map(str, said))
    raise SuiteError(f"{place}: the prompt is {type(given).__name__}, neither a text nor messages")


def _text(given: Any, key: str, place: str) -> str | None:
    if given is None or isinstance(given, str):
        return given
    raise SuiteError(f"{place}: {key} is {type(given).__name__}, not a text")


def _times(given: Any, factor: int) -> Any:
    plain = isinstance(given, int | float) and not isinstance(given, bool)
    return given * factor if plain else given
