"""Kattis and ICPC problem packages: `problem.yaml`, `data/`, `output_validator(s)/`.

Formats `legacy` (also `legacy-icpc`), `2023-07` and `2025-09` with their drafts, read from their
specifications (github.com/Kattis/problem-package-format, 2026-11).  What differs between them:

- the judge is told by `validation` and lies in `output_validators/` in the legacy format; in the
  newer ones an `output_validator/` is used if it is there, and `type` says whether it talks.  Both
  folders are looked at in both, as packages between the versions have either.
- its flags are `validator_flags` and, from `testdata.yaml` of a group, `output_validator_flags`,
  one text each, given together (as problemtools does); in the newer ones a list
  `output_validator_args` from `test_group.yaml` of a group, or `NAME.yaml` of a case.  A group
  that does not say has those of the group around it.

Problems of several passes (`multi-pass` in `type`, and in `validation` as DOMjudge reads legacy
packages) have a validator of their own, which may run the program `limits.validation_passes` times.

Groups are read as cases: all must be accepted.  What a scoring problem's groups are worth is not
added up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from scalebox.client.folders import ProblemFileError, convert
from scalebox.client.packages.documents import Table, read_yaml
from scalebox.client.packages.files import MAX_TEXT_BYTES, PackageFiles, located, printable
from scalebox.client.packages.programs import (
    DEFAULT_PASSES,
    PackageCase,
    RowSubmission,
    comparison_of_flags,
    language_of,
    submission_of,
    tests_of,
    validator_of_files,
)
from scalebox.model import Comparison, Limits, Problem, ProgramJudge
from scalebox.model.judges import MAX_PASSES

_LEGACY = ("legacy", "legacy-icpc")
_VERSIONS = (*_LEGACY, "2023-07-draft", "2023-07", "2025-09-draft", "2025-09", "draft")
#: Keys of problem.yaml: those that are read here, and those that are not.
_KEYS = frozenset((
    "constants", "limits", "name", "problem_format_version", "type", "validation",
    "validator_flags",
))  # fmt: skip
_OTHER_KEYS = frozenset((
    "allow_file_writing", "author", "authors", "credits", "embargo_until", "input_validator_flags",
    "keywords", "languages", "libraries", "license", "rights_owner", "scoring", "source",
    "source_url", "uuid", "version",
))  # fmt: skip
_LIMITS = frozenset((
    "memory", "output", "time_limit", "validation_memory", "validation_output", "validation_passes",
    "validation_time",
))  # fmt: skip
_OTHER_LIMITS = frozenset((
    "code", "compilation_memory", "compilation_output", "compilation_time", "time_multiplier",
    "time_multipliers", "time_resolution", "time_safety_margin",
))  # fmt: skip
_TYPES = frozenset(("pass-fail", "scoring", "interactive", "multi-pass", "submit-answer"))
_VALIDATION = frozenset(("default", "custom", "score", "interactive", "multi-pass", "multipass"))
#: As many as a daemon passes to a program.
_MAX_FLAGS_BYTES = 64 << 10
#: What a word takes in a list of them.
_WORD_BYTES = 8
_FOLDERS = ("output_validators", "output_validator")
_CONSTANT = re.compile(r"\{\{([a-zA-Z_][a-zA-Z0-9_]*)\}\}")
#: Of a contest system's own file beside the package (DOMjudge).
_INI_TIME = re.compile(r"^[ \t]*timelimit[ \t]*=[ \t]*['\"]?([0-9.]+)['\"]?[ \t]*$", re.M)


@dataclass(frozen=True, slots=True)
class _Package:
    """What `problem.yaml` says."""

    files: PackageFiles
    table: Table
    legacy: bool
    constants: dict[str, str]

    def with_constants(self, text: str) -> str:
        """A text with `{{name}}` replaced (format 2025-09, "Constants").

        Raises:
            ProblemFileError: it becomes too large.
        """
        if not self.constants:
            return text
        size = len(text)
        for found in _CONSTANT.finditer(text):
            size += len(self.constants.get(found[1], ""))
            if size > MAX_TEXT_BYTES:
                raise ProblemFileError(
                    f"{self.table.where}: with its constants put in, a text has more than "
                    f"{MAX_TEXT_BYTES} bytes"
                )
        return _CONSTANT.sub(lambda found: self.constants.get(found[1], found[0]), text)

    def program(self, path: str) -> dict[str, str]:
        """The texts of a program."""
        texts = self.files.program(path)
        return {name: self.with_constants(text) for name, text in texts.items()}


def read(files: PackageFiles) -> Problem:
    """The package's problem.

    Raises:
        ProblemFileError: it cannot be read, or needs what cannot be judged.
    """
    package = _open(files)
    words = _words(package)
    for folder, why in _REFUSED_FOLDERS:
        if files.names(folder):
            raise ProblemFileError(f"{files.where(folder)}: {why}")
    flags = package.table.text("validator_flags").split()
    _check_size(flags, package.table.where)
    judge = _judge(package, words, flags)
    cases = _cases(package, flags)
    if not cases:
        raise ProblemFileError(
            f"{files.where('data')} has no tests: expected `sample` and `secret` with `*.in` files "
            "and `*.ans` beside them"
        )
    with located(files.where("data")):
        tests = tests_of(cases, judge, flags, "interactive" in words)
    return Problem(tests=tests, limits=_limits(package), name=_name(package))


#: What lies in such a folder takes part in judging, and cannot here.
_REFUSED_FOLDERS = (
    (
        "include",
        "files that are added to every submission cannot be had here; "
        "put them into the submissions' `files`, and remove the folder",
    ),
    (
        "static_validator",
        "a validator of the source text cannot be had here; remove the folder to do without",
    ),
)


def submissions(files: PackageFiles) -> list[RowSubmission]:
    """The programs below `submissions/`, labelled with the name of their folder.

    `submissions.yaml` is not read; files whose ending names no language are left out.

    Raises:
        ProblemFileError: one cannot be read.
    """
    package = _open(files)
    found = []
    for label in files.names("submissions"):
        for name in files.names(f"submissions/{label}"):
            program = package.files.is_file(f"submissions/{label}/{name}")
            if program and language_of({name: ""}) is None:
                continue
            texts = package.program(f"submissions/{label}/{name}")
            language = language_of(texts)
            if language is not None:
                submission = submission_of(texts, language)
                found.append(RowSubmission(f"{label}/{name}", label, "", submission))
    return found


def _open(files: PackageFiles) -> _Package:
    where = files.where("problem.yaml")
    table = read_yaml(files.text("problem.yaml"), where)
    table.refuse_misspelt(_KEYS, _OTHER_KEYS)
    version = table.text("problem_format_version", "legacy")
    if version not in _VERSIONS:
        raise ProblemFileError(
            f"{where}: format {printable(version)!r} is not known; known: {', '.join(_VERSIONS)}"
        )
    legacy = version in _LEGACY
    constants = Table({}, where) if legacy else table.table("constants")
    texts = {key: constants.text(key) for key in constants.values}
    return _Package(files, table, legacy, texts)


def _words(package: _Package) -> set[str]:
    """What `validation` and `type` say.

    Raises:
        ProblemFileError: an unknown word, or what cannot be judged.
    """
    table = package.table
    words: set[str] = set()
    for key, given, known in (
        ("validation", table.text("validation").split(), _VALIDATION),
        ("type", table.words("type"), _TYPES),
    ):
        for word in given:
            if word not in known:
                raise ProblemFileError(
                    f"{table.where}: `{key}` has the unknown word {printable(word)!r}; "
                    f"known: {', '.join(sorted(known))}"
                )
        words.update(given)
    if "submit-answer" in words:
        raise ProblemFileError(
            f"{table.where}: answers that are submitted without a program cannot be judged here"
        )
    return words


def _judge(package: _Package, words: set[str], flags: list[str]) -> Comparison | ProgramJudge:
    files, where = package.files, package.table.where
    order = _FOLDERS if package.legacy else _FOLDERS[::-1]
    folder = next((one for one in order if files.names(one)), None)
    passes = _passes(package, words)
    custom = "custom" in words or "interactive" in words or passes > 1
    # In the newer formats the folder's being there is what says so.
    custom = custom or (not package.legacy and folder is not None and "default" not in words)
    if not custom:
        with located(where):
            return comparison_of_flags(" ".join(flags))
    if folder is None:
        raise ProblemFileError(
            f"{where} asks for an output validator, but there is none in {files.where(order[0])}"
        )
    with located(files.where(folder)):
        judge = validator_of_files(package.program(folder), folder, flags)
    return msgspec.structs.replace(judge, passes=passes, limits=_judge_limits(package))


def _passes(package: _Package, words: set[str]) -> int:
    """How often the validator may have the program run in a case."""
    if not words & {"multi-pass", "multipass"}:
        return 1
    limits = package.table.table("limits")
    number = limits.number("validation_passes")
    if number is None:
        return DEFAULT_PASSES
    if number != int(number) or not 2 <= number <= MAX_PASSES:
        raise limits.wrong("validation_passes", f"a whole number from 2 to {MAX_PASSES}")
    return int(number)


def _limits(package: _Package) -> Limits:
    table = package.table.table("limits")
    table.refuse_misspelt(_LIMITS, _OTHER_LIMITS)
    time_s = table.number("time_limit")
    return _as_limits(
        table,
        cpu_time_s=_time_beside(package.files) if time_s is None else time_s,
        memory_bytes=_mebibytes(table, "memory"),
        output_bytes=_mebibytes(table, "output"),
    )


def _judge_limits(package: _Package) -> Limits:
    table = package.table.table("limits")
    return _as_limits(
        table,
        cpu_time_s=table.number("validation_time"),
        memory_bytes=_mebibytes(table, "validation_memory"),
        output_bytes=_mebibytes(table, "validation_output"),
    )


def _as_limits(table: Table, **values: float | None) -> Limits:
    given = {name: value for name, value in values.items() if value is not None}
    limits: Limits = convert(given, Limits, table.where)
    return limits


def _mebibytes(table: Table, key: str) -> int | None:
    value = table.number(key)
    return None if value is None else int(value * (1 << 20))


def _time_beside(files: PackageFiles) -> float | None:
    """The time limit in a file of a contest system's own: `.timelimit`, `domjudge-problem.ini`."""
    if files.is_file(".timelimit"):
        text = files.text(".timelimit").strip()
        return Table({"it": text}, files.where(".timelimit")).number("it")
    if files.is_file("domjudge-problem.ini"):
        found = _INI_TIME.search(files.text("domjudge-problem.ini"))
        if found:
            table = Table({"timelimit": found[1]}, files.where("domjudge-problem.ini"))
            return table.number("timelimit")
    return None


def _name(package: _Package) -> str:
    """The problem's name, in English if it has several."""
    value = package.table.values["name"] if "name" in package.table else ""
    if isinstance(value, dict) and value:
        value = value.get("en", next(iter(value.values())))
    return value if isinstance(value, str) and value else package.files.folder.resolve().name


# --- test data ------------------------------------------------------------------------------------

_GROUP_KEYS = frozenset(("args", "output_validator_args", "output_validator_flags"))
_OTHER_GROUP_KEYS = frozenset((
    "accept_score", "description", "full_feedback", "grader_flags", "grading", "hint",
    "input_validator_args", "input_validator_flags", "input_visualizer_args", "max_score",
    "on_reject", "output_visualizer_args", "range", "reject_score", "require_pass",
    "score_aggregation", "scoring", "static_validation", "static_validation_score",
    "static_validator_args",
))  # fmt: skip


def _cases(package: _Package, flags: list[str]) -> list[PackageCase]:
    """The cases of `sample` and `secret`, in lexicographical order of their base names."""
    args = _args(package, "data", [])
    found: list[PackageCase] = []
    for part in ("sample", "secret"):
        found += _group(package, part, flags, args)
    return found


def _group(
    package: _Package, group: str, flags: list[str], inherited: list[str]
) -> Iterator[PackageCase]:
    """The cases of a group and of those in it.

    Parameters:
        group: its path below `data/`.
        flags: what the judge is called with in all cases.
        inherited: and besides, unless the group has its own.
    """
    files, folder = package.files, f"data/{group}"
    args = _args(package, folder, inherited)
    names = files.names(folder)
    there = set(names)
    for name in sorted(names, key=lambda name: name.removesuffix(".in")):
        if name.endswith(".in"):
            yield _case(package, f"{group}/{name.removesuffix('.in')}", there, flags, args)
        elif not name.endswith(".files") and files.is_folder(f"{folder}/{name}"):
            yield from _group(package, f"{group}/{name}", flags, args)


def _case(
    package: _Package, name: str, there: set[str], flags: list[str], inherited: list[str]
) -> PackageCase:
    """A case.

    Parameters:
        name: its path below `data/`, without ending.
        there: the names of the files in its folder.
        flags, inherited: as in `_group`.
    """
    files, path, base = package.files, f"data/{name}", name.rsplit("/", 1)[-1]
    if f"{base}.ans" not in there:
        raise ProblemFileError(
            f"{files.where(path + '.in')} has no answer beside it ({printable(base)}.ans)"
        )
    for ending, what in ((".files", "files"), (".args", "arguments")):
        if base + ending in there:
            raise ProblemFileError(
                f"{files.where(path + ending)}: a program of a case gets {what} of its own, "
                "which cannot be had here; it has standard input"
            )
    args = inherited
    if f"{base}.yaml" in there and not package.legacy:
        args = _args_of(package, f"{path}.yaml", files.text(f"{path}.yaml"), inherited)
    every = [*flags, *args]
    # One description may speak for many cases, and each of them holds what it says.
    files.count_bytes(sum(map(len, every)) + _WORD_BYTES * len(every))
    return PackageCase(name, files.data(f"{path}.in"), files.data(f"{path}.ans"), every)


def _args(package: _Package, folder: str, inherited: list[str]) -> list[str]:
    """What a group's description says that its judge is called with."""
    descriptions = ("testdata.yaml",) if package.legacy else ("test_group.yaml", "testdata.yaml")
    for name in descriptions:
        path = f"{folder}/{name}"
        if package.files.is_file(path):
            text = package.with_constants(package.files.text(path))
            return _args_of(package, path, text, inherited)
    return inherited


def _args_of(package: _Package, path: str, text: str, inherited: list[str]) -> list[str]:
    table = read_yaml(text, package.files.where(path))
    table.refuse_misspelt(_GROUP_KEYS, _OTHER_GROUP_KEYS)
    if table.words("args"):
        raise ProblemFileError(
            f"{table.where}: `args`: a program with arguments of its own cannot be had here; "
            "it has standard input"
        )
    if "output_validator_args" in table.values:
        args = table.words("output_validator_args")
    elif isinstance(table.values.get("output_validator_flags"), dict):
        # It names the validator, too; there is only one.
        args = table.table("output_validator_flags").text("flags").split()
    elif "output_validator_flags" in table.values:
        args = table.text("output_validator_flags").split()
    else:
        return inherited
    _check_size(args, table.where)
    return args


def _check_size(flags: list[str], where: str) -> None:
    if sum(map(len, flags)) + len(flags) > _MAX_FLAGS_BYTES:
        raise ProblemFileError(
            f"{where}: the judge's flags have more than {_MAX_FLAGS_BYTES} bytes"
        )
