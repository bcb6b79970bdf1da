"""CodeContests and CodeContests+: problems of several sites, with tests, limits and solutions.

CodeContests' rows are those of deepmind/code_contests: google-deepmind/code_contests:
contest_problem.proto, in which lists of messages may be given as they are or as an object of lists.
Outputs are compared as execution/tester_sandboxer.cc there does (`OutputsMatch`): token by token,
whatever the case of letters, numbers within 1e-5.  Rows of SandboxFusion's sample of it
(bytedance/SandboxFusion:sandbox/tests/datasets/samples/code_eval_code_contests.jsonl) are read too.

CodeContests+'s are those of ByteDance-Seed/Code-Contests-Plus (arXiv 2506.05817): the same problems
with generated tests (`1x` to `5x`, 46 GB and more), and a checker in C++ with testlib.

A canonical solution is the first right one in the language of the run.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from scalebox.model import Judge, StdioTests
from scalebox.suite import rows
from scalebox.suite.benchmarks.contests import (
    Contest,
    LeftOutError,
    Material,
    comparison_within,
    identity,
    limits_in,
    pairs_of,
    with_checker,
)
from scalebox.suite.benchmarks.joining import text_field
from scalebox.suite.errors import SuiteError
from scalebox.suite.rows import Hub, Row
from scalebox.suite.spool import value_of
from scalebox.suite.tasks import Task

_TOLERANCE = 1e-5
_TESTS = ("public_tests", "private_tests", "generated_tests")
#: Enumerations of contest_problem.proto.
_LANGUAGES = {1: "PYTHON", 2: "CPP", 3: "PYTHON3", 4: "JAVA"}
_SOURCES = {
    1: "CODECHEF",
    2: "CODEFORCES",
    3: "HACKEREARTH",
    4: "CODEJAM",
    5: "ATCODER",
    6: "AIZU",
}
_NO_DIFFICULTY = (0, "UNKNOWN_DIFFICULTY")
#: `Difficulty` of contest_problem.proto, from 1.
_DIFFICULTIES = (
    *("EASY", "MEDIUM", "HARD", "HARDER", "HARDEST", "EXTERNAL"),
    *"ABCDEFGHIJKLMNOPQRSTUV",
)
#: Words of the data → languages as daemons name them.
_OURS = {
    "python3": "python",
    "py3": "python",
    "python": "python2",
    "py2": "python2",
    "python2": "python2",
    "cpp": "cpp",
    "c++": "cpp",
    "java": "java",
}


class CodeContests(Contest):
    name: ClassVar[str] = "codecontests"
    title: ClassVar[str] = "CodeContests"
    source: ClassVar[str] = (
        "hf download deepmind/code_contests --repo-type dataset gets its files (data/*.parquet)"
    )
    hub: ClassVar[Hub | None] = Hub(
        "deepmind/code_contests",
        "802411c3010cb00d1b05bad57ca77365a3c699d6",
        ("data/*.parquet",),
        split="test",
    )
    aside: ClassVar[tuple[str, ...]] = (*_TESTS, "test")
    skip: ClassVar[tuple[str, ...]] = ("incorrect_solutions",)

    def comparison_of(self, answer: str) -> Judge:
        return comparison_within(_TOLERANCE)

    def task(self, row: Row, place: str) -> Task:
        if "content" in row:
            return self._sample_task(row, place)
        tests = {name: row[name] for name in _TESTS if row.get(name)}
        if not any(_has_cases(one) for one in tests.values()):
            raise LeftOutError("it has no tests")
        files, words = self.files(row, place)
        time = row.get("time_limit")
        return Task(
            id=text_field(row, "name", place),
            groups=_groups(row),
            canonical=first_solution(row.get("solutions"), self.language, place),
            row=Material(
                tests=tests,
                limits=limits_in(
                    place, time_s=_seconds(time, place), memory_bytes=row.get("memory_limit_bytes")
                ),
                files=files,
            ),
            **self.ask(text_field(row, "description", place), files=words),
        )

    def files(self, row: Row, place: str) -> tuple[tuple[str, str] | None, str]:
        """The files that a problem's program reads and writes, and words for that.

        Raises:
            LeftOutError: there are some, and programs are not in Python.
        """
        names = (row.get("input_file") or "", row.get("output_file") or "")
        if names == ("", ""):
            return None, ""
        return file_names(*names, self.language, place)

    def tests(self, task: Task) -> StdioTests:
        given = {name: value_of(one) for name, one in task.row.tests.items()}
        if "test" in given:
            return self.stdio(task, _sample_pairs(given["test"], task.id))
        pairs = [pair for one in given.values() for pair in pairs_of(one, task.id)]
        return self.stdio(task, pairs)

    def _sample_task(self, row: Row, place: str) -> Task:
        try:
            labels = json.loads(text_field(row, "labels", place))
            groups = {name: str(labels[name]) for name in ("difficulty", "source")}
            name = str(labels["name"])
        except (KeyError, TypeError, ValueError) as error:
            raise SuiteError(f"{place}: its labels are not as they should be: {error!r}") from None
        if not row.get("test"):
            raise LeftOutError("it has no tests")
        return Task(
            id=name,
            groups=groups,
            row=Material(tests={"test": row["test"]}),
            **self.ask(text_field(row, "content", place)),
        )


class CodeContestsPlus(Contest):
    name: ClassVar[str] = "codecontests+"
    title: ClassVar[str] = "CodeContests+"
    source: ClassVar[str] = (
        "hf download ByteDance-Seed/Code-Contests-Plus --repo-type dataset --include "
        "'ccplus_1x/*' gets its files"
    )
    hub: ClassVar[Hub | None] = Hub(
        "ByteDance-Seed/Code-Contests-Plus",
        "96c850540fade31d384a25766461e0da6b08f5fc",
        ("*.parquet",),
        subset="ccplus_1x",
    )
    aside: ClassVar[tuple[str, ...]] = ("test_cases",)
    skip: ClassVar[tuple[str, ...]] = (
        *("incorrect_submissions", "validator", "generator", "generator_cmd"),
    )

    def comparison_of(self, answer: str) -> Judge:
        return comparison_within(_TOLERANCE)

    def rows(self) -> Iterable[tuple[str, Row]]:
        config, subset = self.config, self.config.subset
        if subset and not subset.startswith("ccplus_"):
            config = msgspec.structs.replace(config, subset=f"ccplus_{subset}")
        return rows.stream(
            config,
            self.hub,
            self.source,
            self.data_sha256,
            aside=self.aside,
            skip=self.skip,
        )

    def task(self, row: Row, place: str) -> Task:
        if "test_cases" not in row:
            raise SuiteError(
                f"{place}: it has no test_cases; those of the data set's default part have none, "
                'say subset = "1x"'
            )
        if not row["test_cases"]:
            raise LeftOutError("it has no tests")
        source = row.get("source")
        return Task(
            id=identity(row, "id", place),
            groups={"source": source} if isinstance(source, str) and source else {},
            canonical=first_solution(row.get("correct_submissions"), self.language, place),
            row=with_checker(row, place),
            **self.ask(text_field(row, "description", place)),
        )

    def tests(self, task: Task) -> StdioTests:
        return self.stdio(task, pairs_of(value_of(task.row.tests), task.id))


def first_solution(solutions: Any, language: str, place: str) -> str | None:
    """The first solution in a language; None: there is none.

    Parameters:
        solutions: `[{"language", "solution" or "code"}, …]`, or an object of lists.

    Raises:
        SuiteError: it is neither.
    """
    try:
        if isinstance(solutions, Mapping):
            found = list(zip(solutions["language"], solutions["solution"], strict=True))
        else:
            found = [
                (one["language"], one["code"] if "code" in one else one["solution"])
                for one in solutions or ()
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise SuiteError(f"{place}: its solutions cannot be read: {error!r:.200}") from None
    bare = "cpp" if language.startswith("cpp") else language
    for word, code in found:
        if _OURS.get(str(_LANGUAGES.get(word, word)).lower()) == bare and isinstance(code, str):
            return code
    return None


def file_names(
    given: Any, written: Any, language: str, place: str
) -> tuple[tuple[str, str] | None, str]:
    """The files in the place of standard input and output, and words for a prompt.

    Raises:
        SuiteError: one is no name.
        LeftOutError: programs are not in Python.
    """
    names = (given or "input.txt", written or "output.txt")
    for name in names:
        if not isinstance(name, str) or "/" in name or "\0" in name or len(name) > 100:
            raise SuiteError(f"{place}: {name!r:.100} is no name of a file")
    if not language.startswith("python"):
        raise LeftOutError(
            f"its programs read {names[0]} and write {names[1]}, which is done for Python alone"
        )
    return names, f"reads the file {names[0]} and writes to the file {names[1]}"


def _has_cases(tests: Any) -> bool:
    # What was put aside is large, and has some.
    return bool(tests.get("input") if isinstance(tests, Mapping) else tests)


def _seconds(time: Any, place: str) -> float | None:
    """`google.protobuf.Duration`."""
    if time is None:
        return None
    try:
        return float(time.get("seconds") or 0) + float(time.get("nanos") or 0) * 1e-9
    except (AttributeError, TypeError, ValueError) as error:
        raise SuiteError(f"{place}: time_limit is no duration: {error!r:.100}") from None


def _groups(row: Row) -> dict[str, str]:
    groups = {}
    source, difficulty = row.get("source"), row.get("difficulty")
    if name := _SOURCES.get(source, "") if isinstance(source, int) else source:
        groups["source"] = str(name)
    if difficulty not in (None, "", *_NO_DIFFICULTY):
        known = isinstance(difficulty, int) and 0 < difficulty <= len(_DIFFICULTIES)
        groups["difficulty"] = _DIFFICULTIES[difficulty - 1] if known else str(difficulty)
    return groups


def _sample_pairs(tests: Any, place: str) -> list[tuple[str, str]]:
    try:
        found = json.loads(tests) if isinstance(tests, str) else tests
        return [(one["input"]["stdin"], one["output"]["stdout"]) for one in found]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise SuiteError(f"{place}: its tests cannot be read: {error!r:.200}") from None


def day_of(seconds: Any) -> str:
    """Seconds since 1970 as 2024-05-31; empty: they are none."""
    try:
        return datetime.datetime.fromtimestamp(float(seconds), datetime.UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
