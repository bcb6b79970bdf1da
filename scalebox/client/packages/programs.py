"""The programs that come with a problem: submissions, and judges of the ICPC format.

Which language a set of files is in, which of them is the main one, what a validator and its flags
are as a `model.Judge`, and cases with such a judge as `model.Tests`.  Shared by the readers of
folders and of rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scalebox.client.folders import ProblemFileError
from scalebox.client.packages.files import printable
from scalebox.model import (
    Comparison,
    Data,
    InteractiveCase,
    InteractiveTests,
    ProgramJudge,
    StdioCase,
    StdioTests,
    Submission,
)

#: File name endings by which a program's language is told (problem package format 2025-09,
#: appendix on languages), in the order in which languages are looked for where there are several.
ENDINGS: dict[str, tuple[str, ...]] = {
    "cpp": (".cpp", ".cc", ".cxx", ".c++", ".C"),
    "c": (".c",),
    "python": (".py", ".py3"),
    "python2": (".py2",),
    "java": (".java",),
    "kotlin": (".kt",),
    "csharp": (".cs",),
    "go": (".go",),
    "rust": (".rs",),
    "haskell": (".hs",),
    "javascript": (".js",),
    "ocaml": (".ml",),
    "pascal": (".pas",),
    "php": (".php",),
    "prolog": (".pl",),
    "ruby": (".rb",),
    "scala": (".scala",),
    "lisp": (".lisp", ".cl"),
}
#: Of a problem of several passes that does not say how many (format 2025-09, "Limits").
DEFAULT_PASSES = 2
#: Validators are in one of these.
_JUDGE_LANGUAGES = ("cpp", "c", "python")
_PYTHON2 = re.compile(r"#!.*python2")
_MAIN = ("main", "__main__")
#: Scripts that build and start a program themselves (problem package format, "Programs").
_SCRIPTS = ("build", "run")


@dataclass(frozen=True, slots=True)
class RowSubmission:
    """A submission that came with a problem.

    Attributes:
        name: as in the row or the folder.
        label: what its authors say: `accepted`, `wrong_answer`, …
        label_check: whether someone ran it: `ok`, `not run`, …; empty: not said.
        submission: ready to judge, if given tests.
    """

    name: str
    label: str
    label_check: str
    submission: Submission


@dataclass(frozen=True, slots=True)
class PackageCase:
    """A test case of the ICPC format.

    Attributes:
        flags: all that its judge is called with; None: the same as for the others.
    """

    name: str
    input: Data
    answer: Data
    flags: list[str] | None = None


def language_of(files: Mapping[str, str], known: Iterable[str] = ENDINGS) -> str | None:
    """The language of a program's files: the first known one that has a source among them.

    C beside C++ is taken for C++.
    """
    for language in known:
        sources = [name for name in files if name.endswith(ENDINGS[language])]
        if sources:
            if language == "python" and _PYTHON2.match(files[main_file(files, None, language)]):
                return "python2"
            return language
    return None


def main_file(files: Mapping[str, str], entry: str | None, language: str) -> str:
    """Which file is the main one: the entry that is named, else `main`, else the first source."""
    if entry is not None and entry in files:
        return entry
    endings = ENDINGS.get(language, ())
    if language == "python2":
        endings = (*endings, ".py")
    sources = sorted(name for name in files if name.endswith(endings)) or sorted(files)
    for name in sources:
        if name.rsplit("/", 1)[-1].rsplit(".", 1)[0].lower() in _MAIN:
            return name
    return sources[0]


def submission_of(files: Mapping[str, str], language: str, entry: str | None = None) -> Submission:
    """A program without tests."""
    rest = dict(files)
    source = rest.pop(main_file(files, entry, language))
    return Submission(language=language, source=source, files=dict(rest))


def validator_of_files(files: Mapping[str, str], folder: str, flags: Sequence[str]) -> ProgramJudge:
    """The output validator of a problem package (ICPC problem package format).

    Parameters:
        files: relative path → text, below `folder`.
        folder: `output_validators`, each entry of which is a validator; or `output_validator`,
            which is one.
        flags: what it is called with besides.

    Raises:
        ProblemFileError: there is none, there are several, it is in a language that is not known,
            or it has a script that builds or starts it.
    """
    entries = sorted({path.split("/")[0] for path in files})
    if folder == "output_validators" and len(entries) != 1:
        raise ProblemFileError(
            f"{len(entries)} output validators: {', '.join(map(printable, entries))}; leave one"
        )
    if len(entries) == 1 and entries[0] not in files:
        files = {path.removeprefix(entries[0] + "/"): text for path, text in files.items()}
    for script in _SCRIPTS:
        if script in files:
            raise ProblemFileError(
                f"an output validator that is built or started by a script of its own (`{script}`);"
                " leave its sources, in C, C++ or Python"
            )
    language = language_of(files, _JUDGE_LANGUAGES)
    if language is None:
        names = ", ".join(map(printable, files))
        raise ProblemFileError(f"an output validator in an unknown language: {names}")
    rest = dict(files)
    source = rest.pop(main_file(files, None, language))
    return ProgramJudge(
        contract="icpc", language=language, source=source, files=dict(rest), flags=list(flags)
    )


def comparison_of_flags(flags: str) -> Comparison:
    """The default output validator's flags (ICPC problem package format) as a comparison.

    Raises:
        ProblemFileError: an unknown flag, or one without its number.
    """
    words = iter(flags.split())
    fields: dict[str, Any] = {}
    for word in words:
        match word:
            case "case_sensitive":
                fields["case_sensitive"] = True
            case "space_change_sensitive":
                fields["space_sensitive"] = True
            case "float_tolerance" | "float_absolute_tolerance" | "float_relative_tolerance":
                value = _tolerance(word, next(words, ""))
                if word != "float_relative_tolerance":
                    fields["float_absolute_tolerance"] = value
                if word != "float_absolute_tolerance":
                    fields["float_relative_tolerance"] = value
            case _:
                raise ProblemFileError(
                    f"unknown judge flag {printable(word)!r} in {printable(flags)!r}"
                )
    return Comparison(**fields)


def _tolerance(flag: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise ProblemFileError(f"the judge flag {flag} lacks its number") from error
    if not 0 <= value < float("inf"):
        raise ProblemFileError(f"the judge flag {flag} has {printable(text)}, not a tolerance")
    return value


def tests_of(
    cases: Iterable[PackageCase],
    judge: Comparison | ProgramJudge,
    flags: Sequence[str],
    talks: bool,
) -> StdioTests | InteractiveTests:
    """Cases with an output validator.

    Parameters:
        judge: the default one as a comparison, or the package's own.
        flags: the judge's own, for cases that have none.
        talks: whether the judge talks with the program.

    Raises:
        ProblemFileError: flags of a case that the default validator does not know.
    """
    different = [
        (case, None if case.flags is None or case.flags == list(flags) else case.flags)
        for case in cases
    ]
    if talks and isinstance(judge, ProgramJudge):
        conversations = [
            InteractiveCase(input=case.input, answer=case.answer, name=case.name, judge_flags=own)
            for case, own in different
        ]
        return InteractiveTests(cases=conversations, judge=judge)
    compares = isinstance(judge, Comparison)
    return StdioTests(
        cases=[
            StdioCase(
                input=case.input,
                answer=case.answer,
                name=case.name,
                judge=comparison_of_flags(" ".join(own)) if own is not None and compares else None,
                judge_flags=None if compares else own,
            )
            for case, own in different
        ],
        judge=judge,
    )
