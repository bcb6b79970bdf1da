"""DMOJ's problem folders: `init.yml`, and files beside it or in a zip archive.

Read from DMOJ's documentation and judge-server (github.com/DMOJ/docs, github.com/DMOJ/judge-server,
2026-11).  What a case does not say is said by its batch, else by the whole.  Points are not added
up: all cases must be accepted.  Time and memory limits are the site's, not the package's.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scalebox.client.folders import ProblemFileError, convert
from scalebox.client.packages.archives import Archive
from scalebox.client.packages.dmoj_checkers import judge_of
from scalebox.client.packages.documents import Table, as_table, read_yaml
from scalebox.client.packages.files import PackageFiles, as_data, printable
from scalebox.client.packages.programs import RowSubmission, language_of
from scalebox.model import (
    Blob,
    Data,
    FunctionJudge,
    InteractiveCase,
    InteractiveTests,
    Judge,
    Limits,
    Problem,
    ProgramJudge,
    StdioCase,
    StdioTests,
)

_FILE = "init.yml"
#: Keys of init.yml and of its cases: those that are read here, and those that are not.
_KEYS = frozenset((
    "archive", "batched", "binary_data", "checker", "custom_judge", "file_io", "generator",
    "generator_args", "grader", "in", "interactive", "io_redirects", "out", "output_limit_length",
    "signature_grader", "symlinks", "test_cases", "unbuffered",
))  # fmt: skip
_OTHER_KEYS = frozenset((
    "dependencies", "hints", "meta", "output_prefix_length", "points", "pretest_test_cases",
    "short_circuit", "wall_time_factor",
))  # fmt: skip
#: What is done by programs or in ways that cannot be had here.
_REFUSED = (
    ("custom_judge", "a grader of the package's own runs inside DMOJ's judge"),
    ("grader", "a grader of the package's own runs inside DMOJ's judge"),
    ("signature_grader", "the submission is joined with the grader's source"),
    ("generator", "a program makes the tests; run it, and name its files with `in` and `out`"),
    ("generator_args", "a program makes the tests; run it, and name its files with `in` and `out`"),
    ("io_redirects", "programs read and write files of given names"),
    ("file_io", "programs read and write files of given names"),
    ("symlinks", "programs get files of their own"),
)
_CPP = re.compile(r"CPP(11|14|17|20|23)?", re.I)
_LANGUAGES = {"C": "c", "C11": "c11", "PY3": "python"}
#: The daemon has its own.
_TESTLIB = "testlib.h"
_MAX_CASES = 10_000


@dataclass(frozen=True, slots=True)
class _Case:
    """A case and what is around it.

    Attributes:
        name: its number, and its number in its batch.
        levels: its own table, its batch's, the whole's.
    """

    name: str
    levels: tuple[Table, ...]

    def level(self, key: str) -> Table:
        """The nearest table that has the key; one without it if none has."""
        return next((table for table in self.levels if key in table), self.levels[0])


def read(files: PackageFiles) -> Problem:
    """The package's problem.

    Raises:
        ProblemFileError: it cannot be read, or needs what cannot be judged.
    """
    whole = read_yaml(files.text(_FILE), files.where(_FILE))
    cases = list(_cases(whole))
    if not cases:
        raise ProblemFileError(f"{whole.where}: `test_cases` is empty")
    if len(cases) > _MAX_CASES:
        raise ProblemFileError(f"{whole.where}: more than {_MAX_CASES} test cases")
    limits: Limits = convert(_output_limit(whole), Limits, whole.where)
    with _Reader(files, whole) as reader:
        tests = (
            _conversations(reader, whole, cases)
            if "interactive" in whole
            else _stdio(reader, whole, cases)
        )
    return Problem(tests=tests, limits=limits, name=files.folder.resolve().name)


def submissions(files: PackageFiles) -> list[RowSubmission]:
    """None: such folders hold no programs."""
    return []


def _cases(whole: Table) -> Iterator[_Case]:
    _check_level(whole)
    if not isinstance(whole.values.get("test_cases"), list):
        raise ProblemFileError(
            f"{whole.where}: `test_cases` must be a list; cases that are found by patterns are not "
            "looked for here: write them out, with `in` and `out`"
        )
    for number, table in enumerate(whole.tables("test_cases"), start=1):
        _check_level(table)
        if "batched" not in table:
            yield _Case(str(number), (table, whole))
            continue
        for index, inner in enumerate(table.tables("batched"), start=1):
            _check_level(inner)
            if "batched" in inner:
                raise ProblemFileError(f"{inner.where}: a batch in a batch")
            yield _Case(f"{number}.{index}", (inner, table, whole))


def _check_level(table: Table) -> None:
    """Refuse what cannot be judged, and what is misspelt."""
    table.refuse_misspelt(_KEYS, _OTHER_KEYS)
    for key, why in _REFUSED:
        if key in table:
            raise ProblemFileError(f"{table.where}: `{key}` cannot be had here: {why}")


def _output_limit(whole: Table) -> dict[str, int]:
    size = whole.number("output_limit_length")
    return {} if size is None else {"output_bytes": int(size)}


# --- data -----------------------------------------------------------------------------------------


class _Reader:
    """A package's files, and those in its archive; a context.

    Parameters:
        files: the folder.
        whole: names the archive.
    """

    def __init__(self, files: PackageFiles, whole: Table) -> None:
        self.files = files
        self._name = whole.text("archive")
        self._stack = contextlib.ExitStack()
        self._archive: Archive | None = None

    def __enter__(self) -> _Reader:
        if self._name:
            self._archive = self._stack.enter_context(Archive(self.files, self._name))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def data(self, case: _Case, key: str) -> Data:
        """A case's input or answer; empty where it names none."""
        table = case.levels[0]
        name = table.text(key)
        if not name:
            return ""
        if self.files.is_file(name):
            raw = self.files.bytes(name)
        elif self._archive is not None and name in self._archive:
            raw = self._archive.bytes(name)
        else:
            place = f" nor in {printable(self._name)}" if self._name else ""
            raise ProblemFileError(
                f"{table.where}: `{key}` is {printable(name)!r}, which is not in the folder{place}"
            )
        if not case.level("binary_data").flag("binary_data"):
            # As the judge does with all data that is text.
            raw = raw.replace(b"\r\n", b"\r").replace(b"\r", b"\n")
        return as_data(raw)


# --- judges ---------------------------------------------------------------------------------------


def _stdio(reader: _Reader, whole: Table, cases: Sequence[_Case]) -> StdioTests:
    usual = _checker(reader.files, whole)
    # A batch's is that of many cases.
    known = {id(whole): usual}
    found = []
    for case in cases:
        level = case.level("checker")
        if "checker" not in level:
            level = whole
        if id(level) not in known:
            known[id(level)] = _checker(reader.files, level)
        judge = known[id(level)]
        if judge != usual and isinstance(judge, ProgramJudge):
            # Each case that differs holds its judge.
            sources = [judge.source, *judge.files.values()]
            reader.files.count_bytes(sum(len(one) for one in sources if isinstance(one, str)))
        answer = reader.data(case, "out")
        if not isinstance(judge, ProgramJudge) and "out" not in case.levels[0]:
            raise ProblemFileError(f"{case.levels[0].where} has no `out` to compare with")
        if isinstance(judge, FunctionJudge):
            _check_text(case, answer)
        found.append(
            StdioCase(
                input=reader.data(case, "in"),
                answer=answer,
                name=case.name,
                judge=None if judge == usual else judge,
            )
        )
    return StdioTests(cases=found, judge=usual)


def _check_text(case: _Case, answer: Data) -> None:
    """Functions get texts, in which bytes that are none look alike."""
    if isinstance(answer, Blob) or "\ufffd" in answer:
        raise ProblemFileError(
            f"{case.levels[0].where}: the answer is no UTF-8 text; only the checkers `identical` "
            "and `bridged` can decide about such"
        )


def _checker(files: PackageFiles, table: Table) -> Judge:
    """The checker that a level names; `standard` where it names none."""
    value = table.values.get("checker")
    where = f"{table.where}, checker"
    if "checker" not in table:
        return judge_of("standard", Table({}, where))
    if isinstance(value, str):
        return judge_of(value, Table({}, where))
    checker = as_table(value, where)
    name, args = checker.text("name"), checker.table("args")
    if name == "bridged":
        return _testlib(files, args, "checker")
    return judge_of(name, args)


def _conversations(reader: _Reader, whole: Table, cases: Sequence[_Case]) -> InteractiveTests:
    if whole.flag("unbuffered"):
        raise ProblemFileError(
            f"{whole.where}: `unbuffered` spares programs their flushing, and cannot be had here; "
            "remove it if they must flush"
        )
    judge = _testlib(reader.files, whole.table("interactive"), "interactor")
    return InteractiveTests(
        cases=[
            InteractiveCase(
                input=reader.data(case, "in"), answer=reader.data(case, "out"), name=case.name
            )
            for case in cases
        ],
        judge=judge,
    )


def _testlib(files: PackageFiles, table: Table, what: str) -> ProgramJudge:
    """A checker or an interactor that is a program."""
    kind = table.text("type", "default")
    if kind != "testlib":
        raise ProblemFileError(
            f"{table.where}: a {what} of type {printable(kind)!r} cannot be had here, as its exit "
            "codes mean other things than those of testlib; known: testlib"
        )
    for key in ("flags", "args"):
        if table.words(key):
            raise ProblemFileError(
                f"{table.where}: `{key}` of a {what} cannot be had here; remove it if the program "
                "does without"
            )
    names = table.words("files")
    if not names:
        raise ProblemFileError(f"{table.where}: `files` is missing; it names the {what}'s sources")
    texts = {name: files.text(name) for name in names if name.rsplit("/", 1)[-1] != _TESTLIB}
    main = next((name for name in texts if language_of({name: ""}) is not None), None)
    if main is None:
        raise ProblemFileError(f"{table.where}: `files` names no source in a known language")
    language = _language(table, texts, what)
    memory_kib = table.number("memory_limit")
    given = {
        "cpu_time_s": table.number("time_limit"),
        "memory_bytes": None if memory_kib is None else int(memory_kib * 1024),
    }
    given = {name: value for name, value in given.items() if value is not None}
    limits: Limits = convert(given, Limits, table.where)
    return ProgramJudge(
        contract="testlib",
        language=language,
        source=texts.pop(main),
        # Beside each other, as they are compiled there.
        files={name.rsplit("/", 1)[-1]: text for name, text in texts.items()},
        limits=limits,
    )


def _language(table: Table, texts: dict[str, str], what: str) -> str:
    """The language that is named, else that of the files."""
    named = table.text("lang")
    if not named:
        found = language_of(texts, ("cpp", "c", "python"))
    elif match := _CPP.fullmatch(named):
        found = f"cpp{match[1] or ''}"
    else:
        found = _LANGUAGES.get(named.upper())
    if found is None:
        raise ProblemFileError(
            f"{table.where}: a {what} in {printable(named) or 'an unknown language'} cannot be had "
            "here; C++, C and Python can"
        )
    return found
