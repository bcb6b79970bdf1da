"""Problems of the project's own making, with programs whose verdicts are known.

Each folder is a problem as `client.folders` reads it; its `problem.toml` also holds the `statement`
and a list `submissions` of `{file, language, expected, note}`.  The demo judges them all, and the
tests hold the verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import msgspec

from scalebox.client.folders import read_folder, read_table
from scalebox.model import Enforcement, Report, Submission, Verdict


@dataclass(frozen=True, slots=True)
class Example:
    """One program and what is known of it.

    Attributes:
        problem_name: the problem's title.
        submission: ready to judge; its id is `folder/file`.
        expected: the verdict.
        note: why, in words.
    """

    problem_name: str
    submission: Submission
    expected: Verdict
    note: str

    def matches(self, report: Report) -> bool:
        """Whether the report says what is expected.

        Where only rlimits enforce memory, a program over its limit is told so by a failing
        allocation and may crash of it: not accepted either way, but the reason is less exact.
        """
        if report.verdict is self.expected:
            return True
        return (
            self.expected is Verdict.MEMORY_LIMIT_EXCEEDED
            and report.verdict is Verdict.RUNTIME_ERROR
            and report.enforcement is Enforcement.RLIMIT
        )


class _Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    language: str
    expected: Verdict
    note: str


def load_examples() -> list[Example]:
    """All examples, problem by problem."""
    found = []
    root = resources.files(__name__)
    for folder in sorted(root.iterdir(), key=lambda entry: entry.name):
        table = read_table(folder) if folder.is_dir() else {}
        if "submissions" not in table:
            continue
        problem = read_folder(folder)
        for listed in msgspec.convert(table["submissions"], list[_Listed]):
            submission = Submission(
                language=listed.language,
                source=(folder / listed.file).read_text(encoding="utf-8"),
                tests=problem.tests,
                limits=problem.limits,
                id=f"{folder.name}/{listed.file}",
            )
            name = problem.name or folder.name
            found.append(Example(name, submission, listed.expected, listed.note))
    return found
