"""Polygon packages: `problem.xml`, `tests/`, and checkers and interactors made with testlib.

The layout is that of packages that Codeforces Polygon exports (2026-11).  A checker runs from its
source, also a standard one: none of them is exactly a `model.Comparison`.  `wcmp` is nearest, but
takes form feeds and vertical tabs for parts of a word; `lcmp` compares words within lines, `fcmp`
lines with the spaces at their ends; `ncmp`, `icmp`, `yesno` and the rest refuse what is no number
or no yes.

After an interactor a checker looks at the file that it wrote (`tout`).  Two judges of one
conversation cannot be had here: an interactor that has a use for `tout` is refused, the others
decide alone.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from scalebox.client.folders import ProblemFileError, convert
from scalebox.client.packages.documents import read_xml
from scalebox.client.packages.files import PackageFiles, printable
from scalebox.client.packages.programs import RowSubmission
from scalebox.model import (
    Data,
    InteractiveCase,
    InteractiveTests,
    Limits,
    Problem,
    ProgramJudge,
    StdioCase,
    StdioTests,
    Submission,
)

_FILE = "problem.xml"
_PATTERN = re.compile(r"%(0[1-9])?d")
_HEADERS = (".h", ".hpp", ".hh")
#: The daemon has its own.
_TESTLIB = "testlib.h"
#: A source's type begins with one of these → language.
_LANGUAGES = (
    ("cpp.", "cpp"),
    ("c.", "c"),
    ("python.2", "python2"),
    ("python.pypy2", "python2"),
    ("python.", "python"),
    ("java", "java"),
    ("kotlin", "kotlin"),
    ("csharp", "csharp"),
    ("pas.", "pascal"),
    ("go", "go"),
    ("rust", "rust"),
)
#: Names of standard input and output, in place of a file's.
_STANDARD = ("", "stdin", "stdout", "standard input", "standard output")
_TOUT = re.compile(r"\btout\b")
_MAX_TESTS = 10_000


def read(files: PackageFiles) -> Problem:
    """The package's problem.

    Raises:
        ProblemFileError: it cannot be read, or needs what cannot be judged.
    """
    root = _root(files)
    judging = _child(files, root, "judging")
    for key in ("input-file", "output-file"):
        name = judging.get(key, "").strip()
        if name.lower() not in _STANDARD:
            raise ProblemFileError(
                f"{files.where(_FILE)}, judging: {key} is {printable(name)!r}; programs that read "
                "or write files of a given name cannot be judged here, only standard input and "
                "output"
            )
    if judging.get("run-count", "1").strip() not in ("", "1"):
        raise ProblemFileError(
            f"{files.where(_FILE)}, judging: run-count is not 1; problems of several passes "
            "cannot be had here yet"
        )
    testset = _testset(files, judging)
    pairs = _pairs(files, testset)
    limits = _limits(files, testset)
    name = _name(files, root)
    interactor = root.find("assets/interactor")
    if interactor is not None:
        judge = _program(files, interactor, "assets/interactor")
        if _TOUT.search(str(judge.source)):
            raise ProblemFileError(
                f"{files.where(_FILE)}, assets/interactor: it writes to `tout`, which a checker "
                "decides about afterwards; two judges of one conversation cannot be had here. If "
                "the checker has no part in it, remove `tout` from the interactor"
            )
        conversations = [
            InteractiveCase(
                input=files.data(given),
                answer=files.data(answer) if files.is_file(answer) else "",
                name=number,
            )
            for number, given, answer in pairs
        ]
        return Problem(
            tests=InteractiveTests(cases=conversations, judge=judge), limits=limits, name=name
        )
    checker = root.find("assets/checker")
    if checker is None:
        raise ProblemFileError(f"{files.where(_FILE)} has no assets/checker")
    kind = checker.get("type", "testlib")
    if kind != "testlib":
        raise ProblemFileError(
            f"{files.where(_FILE)}, assets/checker: type {printable(kind)!r} is not known; "
            "known: testlib"
        )
    cases = [
        StdioCase(input=files.data(given), answer=files.data(answer), name=number)
        for number, given, answer in pairs
    ]
    judge = _program(files, checker, "assets/checker")
    return Problem(tests=StdioTests(cases=cases, judge=judge), limits=limits, name=name)


def submissions(files: PackageFiles) -> list[RowSubmission]:
    """The programs of assets/solutions, labelled with their tag; in known languages.

    Raises:
        ProblemFileError: one cannot be read.
    """
    found = []
    for solution in _root(files).iterfind("assets/solutions/solution"):
        source = solution.find("source")
        path = "" if source is None else source.get("path", "")
        language = "" if source is None else _language(source.get("type", ""))
        if path and language:
            tag = solution.get("tag", "")
            label = "accepted" if tag == "main" else tag.replace("-", "_")
            submission = Submission(language=language, source=files.text(path))
            found.append(RowSubmission(path, label, "", submission))
    return found


def _root(files: PackageFiles) -> Element:
    root = read_xml(files.bytes(_FILE, _MAX_XML_BYTES), files.where(_FILE))
    if root.tag != "problem":
        raise ProblemFileError(
            f"{files.where(_FILE)}: the root is <{printable(root.tag)}>, not <problem>"
        )
    return root


#: Some packages list thousands of tests, each with its command.
_MAX_XML_BYTES = 8 << 20


def _child(files: PackageFiles, parent: Element, path: str) -> Element:
    found = parent.find(path)
    if found is None:
        raise ProblemFileError(f"{files.where(_FILE)}: <{printable(parent.tag)}> has no <{path}>")
    return found


def _testset(files: PackageFiles, judging: Element) -> Element:
    """The one named `tests`, else the only one."""
    every = judging.findall("testset")
    for one in every:
        if one.get("name") == "tests":
            return one
    if len(every) != 1:
        raise ProblemFileError(
            f"{files.where(_FILE)}, judging: {len(every)} testsets, and none is named `tests`"
        )
    return every[0]


def _pairs(files: PackageFiles, testset: Element) -> list[tuple[str, str, str]]:
    """(name, path of the input, path of the answer) of each test."""
    where = f"{files.where(_FILE)}, judging/testset"
    patterns = []
    for tag in ("input-path-pattern", "answer-path-pattern"):
        pattern = (_child(files, testset, tag).text or "").strip()
        if len(_PATTERN.findall(pattern)) != 1 or pattern.count("%") != 1:
            raise ProblemFileError(
                f"{where}: {tag} is {printable(pattern)!r}; it must have one number, as in "
                "tests/%02d"
            )
        patterns.append(pattern)
    listed = len(testset.findall("tests/test"))
    said = testset.findtext("test-count", "").strip()
    count = int(said) if said.isdecimal() and len(said) < 9 else listed
    if not 0 < count <= _MAX_TESTS:
        raise ProblemFileError(f"{where}: {count} tests; from 1 to {_MAX_TESTS} are read")
    pairs = []
    for number in range(1, count + 1):
        given, answer = (_numbered(pattern, number) for pattern in patterns)
        pairs.append((str(number), given, answer))
    if not files.is_file(pairs[0][1]):
        raise ProblemFileError(
            f"{files.where(pairs[0][1])} is not there: tests that are made by generators are in "
            "Polygon's full packages only; download that"
        )
    return pairs


def _numbered(pattern: str, number: int) -> str:
    """Such as `tests/%02d` with its number."""
    return _PATTERN.sub(lambda found: str(number).zfill(int(found[1] or 0)), pattern)


def _limits(files: PackageFiles, testset: Element) -> Limits:
    where = f"{files.where(_FILE)}, judging/testset"
    given: dict[str, float] = {}
    for tag, field in (("time-limit", "cpu_time_s"), ("memory-limit", "memory_bytes")):
        text = testset.findtext(tag, "").strip()
        if not text:
            continue
        if not text.isdecimal() or len(text) > 18:
            raise ProblemFileError(f"{where}: {tag} is {printable(text)!r}, not a whole number")
        # Milliseconds, and bytes.
        given[field] = int(text) / 1000 if tag == "time-limit" else int(text)
    limits: Limits = convert(given, Limits, where)
    return limits


def _program(files: PackageFiles, asset: Element, place: str) -> ProgramJudge:
    """A checker or an interactor, with the headers that come with the package."""
    where = f"{files.where(_FILE)}, {place}"
    source = asset.find("source")
    path = "" if source is None else source.get("path", "")
    if source is None or not path:
        raise ProblemFileError(f"{where} has no <source path=…>")
    kind = source.get("type", "cpp." if path.endswith((".cpp", ".cc")) else "")
    language = _language(kind)
    if language != "cpp":
        raise ProblemFileError(
            f"{where}: {printable(path)} is of type {printable(kind)!r}; testlib is for C++ here"
        )
    return ProgramJudge(
        contract="testlib", language=language, source=files.text(path), files=_headers(files)
    )


def _headers(files: PackageFiles) -> dict[str, Data]:
    """Headers among the package's files, by name: programs are compiled beside them."""
    paths = [f"files/{name}" for name in files.names("files") if name.endswith(_HEADERS)]
    return {
        path.rsplit("/", 1)[-1]: files.text(path)
        for path in paths
        if path.rsplit("/", 1)[-1] != _TESTLIB and files.is_file(path)
    }


def _language(kind: str) -> str:
    """The language of a type such as `cpp.g++17`; empty: it is not known."""
    return next((name for start, name in _LANGUAGES if kind.startswith(start)), "")


def _name(files: PackageFiles, root: Element) -> str:
    names = root.findall("names/name")
    for name in sorted(names, key=lambda name: name.get("language") != "english"):
        if value := name.get("value"):
            return value
    return root.get("short-name") or files.folder.resolve().name
