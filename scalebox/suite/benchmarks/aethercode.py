"""AetherCode: problems of programming contests, with the experts' checkers.

Rows are those of m-a-p/AetherCode: `id`, `description`, `test_cases` of inputs and outputs,
`checker` (C++ with testlib; empty: outputs are compared), `time_limit` in milliseconds,
`memory_limit`, `difficulty`, `contest_category`, `contest_name`, `date` as 2024/11/17, `year`
(arXiv 2508.16402; the fields as read by public evaluators, among them Themis's catalogue and its
recorded rows).  All but id, description and test_cases may be missing.  The tests are 12 GB.
"""

from __future__ import annotations

import re
from typing import ClassVar

from scalebox.model import StdioTests
from scalebox.suite.benchmarks.contests import (
    Contest,
    identity,
    pairs_of,
    with_checker,
)
from scalebox.suite.benchmarks.joining import text_field
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub, Row
from scalebox.suite.spool import value_of
from scalebox.suite.tasks import Task

_GROUPS = ("difficulty", "contest_category", "year")


class AetherCode(Contest):
    name: ClassVar[str] = "aethercode"
    title: ClassVar[str] = "AetherCode"
    source: ClassVar[str] = (
        "hf download m-a-p/AetherCode --repo-type dataset gets its files (v1_2024/*.parquet)"
    )
    # No revision of it was seen: `main`, unless the configuration names one.
    hub: ClassVar[Hub | None] = Hub(
        "m-a-p/AetherCode", "main", ("*.parquet",), subset="v1_2024", split="test"
    )
    aside: ClassVar[tuple[str, ...]] = ("test_cases",)

    def task(self, row: Row, place: str) -> Task:
        if not row.get("test_cases"):
            raise SuiteError(f"{place}: it has no test_cases")
        day = re.match(r"(\d{4})[-/](\d\d)[-/](\d\d)", str(row.get("date") or ""))
        return Task(
            id=identity(row, "id", place),
            groups={name: str(row[name]) for name in _GROUPS if row.get(name) not in (None, "")},
            date="-".join(day.groups()) if day else "",
            row=with_checker(row, place),
            **self.ask(text_field(row, "description", place)),
        )

    def tests(self, task: Task) -> StdioTests:
        return self.stdio(task, pairs_of(value_of(task.row.tests), task.id))
