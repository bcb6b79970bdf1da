"""APPS and TACO: Python problems with tests as one JSON text.

Rows are those of codeparrot/apps and BAAI/TACO: `question`, `starter_code`, `difficulty`,
`solutions` (JSON, a list of programs) and `input_output` (JSON, `inputs` and `outputs`, and
`fn_name` where a function is called).  TACO's say `time_limit` ("2.0 seconds"), `memory_limit`
("256.0 megabytes"), `source` and `date` besides.  What a called function's outputs mean is said in
`formats.truths.truth_of`.  Rows without tests are left out: both data sets have some.

The sites' comparisons are not in the data.  Ours is exact for words and integers (see `Contest`),
where the data sets' own code (hendrycks/apps:eval/testing_util.py) tries a dozen ways.
"""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar

from scalebox.errors import BadRequestError
from scalebox.formats.truths import truth_of
from scalebox.model import CallTests, StdioTests
from scalebox.suite.benchmarks.contests import Contest, LeftOutError, Material, limits_in
from scalebox.suite.benchmarks.joining import text_field
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub, Row
from scalebox.suite.spool import value_of
from scalebox.suite.tasks import Task

_MEASURE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)")
_UNITS = {
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("byte", "bytes"), 1.0),
    **dict.fromkeys(("kb", "kilobyte", "kilobytes"), 1024.0),
    **dict.fromkeys(("mb", "megabyte", "megabytes"), 1024.0**2),
    **dict.fromkeys(("gb", "gigabyte", "gigabytes"), 1024.0**3),
}


class Apps(Contest):
    name: ClassVar[str] = "apps"
    title: ClassVar[str] = "APPS"
    source: ClassVar[str] = (
        "hf download codeparrot/apps test.jsonl --repo-type dataset gets its test split"
    )
    hub: ClassVar[Hub | None] = Hub(
        "codeparrot/apps", "21e74ddf8de1a21436da12e3e653065c5213e9d1", ("*.jsonl",), split="test"
    )
    aside: ClassVar[tuple[str, ...]] = ("input_output",)

    def identity(self, row: Row, place: str) -> str:
        """The id of a row's task."""
        name = row.get("problem_id", row.get("id"))
        if name is None or isinstance(name, bool) or not isinstance(name, int | str):
            raise SuiteError(f"{place}: problem_id is {name!r:.50}, no number")
        return str(name)

    def task(self, row: Row, place: str) -> Task:
        if not row.get("input_output"):
            raise LeftOutError("it has no tests")
        parsed = _parsed(value_of(row["input_output"]), place)
        if not parsed.get("inputs"):
            raise LeftOutError("it has no tests")
        function = parsed.get("fn_name") or ""
        if not isinstance(function, str):
            raise SuiteError(f"{place}: fn_name is no text")
        starter = row.get("starter_code") or ""
        statement = text_field(row, "question", place)
        if function and not starter:
            starter = f"def {function.removeprefix('Solution().')}(...):\n    ..."
        groups = {
            name: str(row[name])
            for name in ("difficulty", "source")
            if isinstance(row.get(name), str) and row[name]
        }
        date = str(row.get("date") or "")[:10]
        return Task(
            id=self.identity(row, place),
            groups=groups,
            date=date if re.fullmatch(r"\d{4}-\d\d-\d\d", date) else "",
            canonical=_first(row.get("solutions"), place) if self.language == "python" else None,
            row=Material(
                tests=row["input_output"],
                function=function,
                limits=limits_in(
                    place,
                    time_s=_measure(row.get("time_limit"), place),
                    memory_bytes=_measure(row.get("memory_limit"), place),
                ),
            ),
            # Of problems that read standard input a starter code is no more than a hint.
            **self.ask(statement, starter=starter if function else ""),
        )

    def tests(self, task: Task) -> StdioTests | CallTests:
        try:
            found = truth_of(_parsed(value_of(task.row.tests), task.id)).tests
        except BadRequestError as error:
            raise SuiteError(f"task {task.id}: {error.message}") from error
        if isinstance(found, StdioTests):
            return self.stdio(task, [(str(one.input), str(one.answer)) for one in found.cases])
        assert isinstance(found, CallTests)
        return found


class Taco(Apps):
    name: ClassVar[str] = "taco"
    title: ClassVar[str] = "TACO"
    source: ClassVar[str] = (
        "hf download BAAI/TACO --repo-type dataset --include 'ALL/*' gets its files"
    )
    hub: ClassVar[Hub | None] = Hub(
        "BAAI/TACO",
        "d593ed0a2becbbc952230bb89be09189bf1056dc",
        ("*.parquet",),
        subset="ALL",
        split="test",
    )

    def identity(self, row: Row, place: str) -> str:
        """Rows have no id: it is the number of the row in the file, and the file's name."""
        if "problem_id" in row or "id" in row:
            return super().identity(row, place)
        return place.rpartition("/")[2]


def _parsed(text: Any, place: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{place}: input_output is no JSON: {error!s:.200}") from None
    if not isinstance(found, dict):
        raise SuiteError(f"{place}: input_output is no object")
    return found


def _first(solutions: Any, place: str) -> str | None:
    if not solutions:
        return None
    try:
        found = json.loads(solutions) if isinstance(solutions, str) else solutions
    except (ValueError, RecursionError) as error:
        raise SuiteError(f"{place}: solutions is no JSON: {error!s:.200}") from None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise SuiteError(f"{place}: solutions is no list of programs")
    return found[0] if found else None


def _measure(given: Any, place: str) -> Any:
    """ "2.0 seconds", "256.0 megabytes"; numbers as they are."""
    if not isinstance(given, str) or not given.strip() or given.strip().lower() == "none":
        return given if isinstance(given, int | float) else None
    match = _MEASURE.match(given.lower())
    unit = _UNITS.get(match[2]) if match else None
    if match is None or unit is None:
        raise SuiteError(f"{place}: {given!r:.50} is no limit like '2.0 seconds'")
    return float(match[1]) * unit
