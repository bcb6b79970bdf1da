"""Codeforces problems of open-r1/codeforces, with its tests and its checkers.

Rows are those of its parts `default`, `verifiable` and `verifiable-prompts` (its README.md):
`id`, `title`, `description`, `input_format`, `output_format`, `examples`, `note`, `time_limit` in
seconds, `memory_limit` in MB, `input_mode` (`stdio`, or `file`: input.txt and output.txt),
`official_tests` and whether they are complete, `generated_checker`, `interaction_format`.  The
checkers are Python programs, called with the input, the answer and the output as files, that print
1 or 0 (contract `open-r1`, docs/judging.md).

`version = "official"` takes the official tests, which leave out those that Codeforces shows in part
(group `tests`: `complete` or `partial`).  `generated` takes those of
generated_tests/test_cases_NNNN.parquet (NNNN: the contest) too: with `path` a folder below which
they are, else from the hub; the whole set has 110 GB, so name `tasks`.  Interactive problems are
left out, and so are those without tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from scalebox.model import ProgramJudge, StdioTests
from scalebox.suite import rows
from scalebox.suite.benchmarks.codecontests import day_of, file_names
from scalebox.suite.benchmarks.contests import (
    Contest,
    LeftOutError,
    Material,
    limits_in,
    pairs_of,
)
from scalebox.suite.benchmarks.joining import text_field
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub, Row
from scalebox.suite.spool import Spool, value_of
from scalebox.suite.tasks import Task

_FOLDER = "generated_tests"
_VERSIONS = ("official", "generated")


class Codeforces(Contest):
    name: ClassVar[str] = "codeforces"
    options = Contest.options | {"version"}
    title: ClassVar[str] = "Codeforces (open-r1)"
    source: ClassVar[str] = (
        "hf download open-r1/codeforces --repo-type dataset --include 'verifiable/test-*' gets its "
        "test split"
    )
    hub: ClassVar[Hub | None] = Hub(
        "open-r1/codeforces",
        "fbe3f6e903ee854eec2e69e9d96d0306cde59baf",
        ("*.parquet",),
        subset="verifiable",
        split="test",
    )
    aside: ClassVar[tuple[str, ...]] = ("official_tests",)
    skip: ClassVar[tuple[str, ...]] = ("editorial", "prompt")

    def load(self) -> None:
        version = self.config.version or _VERSIONS[0]
        if version not in _VERSIONS:
            raise SuiteError(
                f"codeforces: there is no version {version!r}; there are {', '.join(_VERSIONS)}"
            )
        self._generated = version == "generated"
        self._contests: dict[str, str] = {}
        super().load()
        if self._generated:
            self._add_generated()

    def task(self, row: Row, place: str) -> Task:
        name = text_field(row, "id", place)
        if row.get("interaction_format"):
            raise LeftOutError("it is interactive")
        generated = self._generated and bool(row.get("generated_tests"))
        if not row.get("official_tests") and not generated:
            raise LeftOutError("it has no tests")
        mode = row.get("input_mode") or "stdio"
        if mode not in ("stdio", "file"):
            raise SuiteError(f"{place}: input_mode is {mode!r:.50}, neither stdio nor file")
        files, words = None, ""
        if mode == "file":
            files, words = file_names(None, None, self.language, place)
        if generated:
            self._contests[name] = text_field(row, "contest_id", place)
        complete = bool(row.get("official_tests_complete"))
        memory = row.get("memory_limit")
        rating = row.get("rating")
        date = day_of(row.get("contest_start")) if row.get("contest_start") else ""
        return Task(
            id=name,
            groups={
                "tests": "complete" if complete else "partial",
                "input_mode": mode,
                **({"rating": str(int(rating))} if isinstance(rating, int | float) else {}),
                **({"month": date[:7]} if date else {}),
            },
            date=date,
            row=Material(
                tests={"official": row.get("official_tests") or []},
                limits=limits_in(
                    place,
                    time_s=row.get("time_limit"),
                    memory_bytes=memory * (1 << 20) if isinstance(memory, int | float) else memory,
                ),
                checker=_checker(row.get("generated_checker"), place),
                files=files,
            ),
            **self.ask(_statement(row, place), files=words),
        )

    def tests(self, task: Task) -> StdioTests:
        given = [value_of(one) for one in task.row.tests.values()]
        pairs = [pair for one in given for pair in pairs_of(one, task.id)]
        # As Piston's script for it does (guipenedo/piston:packages/codeforces/1.0.0/run).
        return self.stdio(
            task, dict.fromkeys((one.replace("\r\n", "\n"), two) for one, two in pairs)
        )

    def _add_generated(self) -> None:
        """Put the generated tests aside, with each task's own."""
        wanted = set(self.config.tasks) or set(self._contests)
        contests = {self._contests[name] for name in wanted if name in self._contests}
        found: dict[str, list[Row]] = {}
        spool = Spool()
        for contest in sorted(contests):
            for row in self._generated_rows(contest):
                if row.get("problem_id") in wanted:
                    found.setdefault(row["problem_id"], []).append(row)
        for place, task in enumerate(self.tasks):
            if cases := found.get(task.id):
                pairs = [{"input": one.get("input"), "output": one.get("output")} for one in cases]
                tests = {**task.row.tests, "generated": spool.aside(pairs)}
                material = msgspec.structs.replace(task.row, tests=tests)
                self.tasks[place] = msgspec.structs.replace(task, row=material)

    def _generated_rows(self, contest: str) -> Iterator[Row]:
        name = f"{_FOLDER}/test_cases_{contest.zfill(4)}.parquet"
        if self.config.path:
            base = Path(self.config.path)
            base = base if base.is_dir() else base.parent
            if not (base / name).is_file():
                raise SuiteError(
                    f"codeforces: there is no {base / name}. hf download open-r1/codeforces {name} "
                    "--repo-type dataset gets it"
                )
        else:
            hub = rows.hub_of(self.config, self.hub, self.source)
            base = rows.fetched(self.config, hub, [name], self.source)
        self.data_sha256[name] = rows.sha256_of(base / name)
        for _, row in rows.rows_of(base / name):
            yield row


def _statement(row: Row, place: str) -> str:
    parts = [text_field(row, "description", place)]
    if isinstance(row.get("title"), str) and row["title"]:
        parts.insert(0, f"# {row['title']}")
    for name, title in (("input_format", "Input"), ("output_format", "Output")):
        if isinstance(row.get(name), str) and row[name]:
            parts.append(f"### {title}\n\n{row[name]}")
    for given, answer in pairs_of(row.get("examples"), place):
        parts.append(f"### Example\n\n```input\n{given.rstrip()}\n```")
        parts.append(f"```output\n{answer.rstrip()}\n```")
    if isinstance(row.get("note"), str) and row["note"]:
        parts.append(f"### Note\n\n{row['note']}")
    return "\n\n".join(part.strip() for part in parts)


def _checker(source: Any, place: str) -> ProgramJudge | None:
    if source is None or source == "":
        return None
    if not isinstance(source, str):
        raise SuiteError(f"{place}: generated_checker is {type(source).__name__}, not a text")
    return ProgramJudge(contract="open-r1", language="python", source=source)
