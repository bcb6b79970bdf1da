"""Do verdicts agree with the labels that authors of real problems gave to their submissions?

Judges the submissions of the problems in `problems.jsonl.gz` in every language that is here, by
comparison, by the package's own output validator, or in conversation with it: an `accepted` one
must be accepted, and any other must fail at least one case.  The first promise covers those whose
label someone has checked (`label_check` `ok`).  The rest are listed: the second promise is that
each that disagrees with its label has a reason in `unchecked_labels.toml`.
The canonical solutions of HumanEval and MBPP, where their files are there, must be accepted, and
hollow ones must not (`asserted`).
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import Progress

from bench import asserted, results
from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local
from scalebox.client.problems import read_rows
from scalebox.model import Limits, Report, Submission, Verdict

FILE = "problems.jsonl.gz"
#: What can be judged wherever ScaleBox runs.
LANGUAGES = frozenset({"python", "c", "cpp"})
#: Of judges, as the data calls them.
KINDS = ("default", "custom", "interactive")
#: Where the data states no limit (DESIGN: the data's own, else 10 s of CPU).
DEFAULT_CPU_TIME_S = 10.0
#: Where the data states none: the memory under which its labels were checked (its README).
DEFAULT_MEMORY_BYTES = 3 << 30
DOCUMENT = results.ROOT / "docs" / "labels.md"
#: Why labels that nobody had checked are not contradicted by a verdict that disagrees with them.
EXPLANATIONS = Path(__file__).with_name("unchecked_labels.toml")
_MESSAGE_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Labelled:
    """A submission and what its authors say about it."""

    problem: str
    name: str
    label: str
    label_check: str
    submission: Submission
    kind: str = KINDS[0]

    @property
    def is_checked(self) -> bool:
        """Whether someone has run it and found the label to be right."""
        return self.label_check == "ok"

    @property
    def key(self) -> str:
        """Names it in `unchecked_labels.toml`."""
        return f"{self.problem}/{self.name}"

    def agrees(self, report: Report) -> bool:
        """`accepted` with accepted; any other label with at least one case that failed.

        A report that says nothing about the program agrees with no label.
        """
        if not report.verdict.is_about_the_program:
            return False
        return report.accepted == (self.label == "accepted")


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled submission and its report.

    Attributes:
        explanation: why its label, which nobody had checked, may be right although the verdict
            disagrees; empty if nobody says.
    """

    labelled: Labelled
    report: Report
    explanation: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the report agrees with the label."""
        return self.labelled.agrees(self.report)

    @property
    def why(self) -> str:
        """The explanation, where one is due: the label is unchecked and the verdict disagrees.

        It is due only to a program that passes everything: no explanation excuses a failure here
        of one that its authors call right, or a verdict that is not about the program.
        """
        is_due = not self.labelled.is_checked and not self.agrees and self.report.accepted
        return self.explanation if is_due else ""

    def row(self) -> dict[str, Any]:
        """For tables and files."""
        labelled, report = self.labelled, self.report
        return {
            "problem": labelled.problem,
            "submission": labelled.name,
            "judge": labelled.kind,
            "language": labelled.submission.language,
            "label": labelled.label,
            "label_check": labelled.label_check,
            "verdict": report.verdict.value,
            "passed": f"{report.passed}/{report.total}",
            "reason": reason(report),
            "why": self.why,
        }


def data_directory() -> Path:
    """`$SCALEBOX_DATA`, else `shared/data` beside the project."""
    return Path(os.environ.get("SCALEBOX_DATA") or results.ROOT.parent / "shared" / "data")


def explanations(path: Path = EXPLANATIONS) -> dict[str, str]:
    """Submission (`Labelled.key`) → why its label is not contradicted, with what was shown.

    Raises:
        ValueError: an entry is not `why` and `shown`, or gives no reason.
    """
    found: dict[str, str] = {}
    for key, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
        if not isinstance(entry, dict) or set(entry) != {"why", "shown"}:
            raise ValueError(f"{path.name}: {key}: wants why and shown, and nothing else")
        why, shown = (" ".join(str(entry[name]).split()) for name in ("why", "shown"))
        if not why:
            raise ValueError(f"{path.name}: {key}: no reason is given")
        found[key] = f"{why}. " + (
            f"Shown: {shown}." if shown else "Read in its source, not shown."
        )
    return found


def unexplained(judged: Iterable[Judged]) -> list[Judged]:
    """Those whose label nobody had checked, and that disagree with it for no reason given."""
    return [one for one in judged if _is_unchecked_and_disagrees(one) and not one.why]


def stale(judged: Iterable[Judged], explained: Mapping[str, str]) -> list[str]:
    """Explanations of submissions that were judged and need none, or not any more."""
    needed = {one.labelled.key: bool(one.why) for one in judged}
    return [key for key in explained if not needed.get(key, True)]


def _is_unchecked_and_disagrees(one: Judged) -> bool:
    return not one.labelled.is_checked and not one.agrees


def reason(report: Report) -> str:
    """Why the verdict is not `accepted`: the first such case, in words."""
    if report.compile is not None and not report.compile.ok:
        return _short(f"does not compile: {report.compile.message}")
    for case in report.cases:
        if case.verdict not in (Verdict.ACCEPTED, Verdict.SKIPPED):
            return _short(f"{case.name}: {case.verdict.value}: {case.message}")
    return _short(report.message or f"all {report.total} cases are right")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MESSAGE_SHOWN else text[: _MESSAGE_SHOWN - 1] + "…"


def read(
    path: Path, kinds: Sequence[str] = KINDS, languages: Collection[str] = LANGUAGES
) -> Iterator[Labelled]:
    """The submissions to judge, ready to be sent.

    Parameters:
        kinds: of the judges of their problems.
        languages: of the submissions.

    Raises:
        ProblemFileError: the file is not there, or not as its README says.
    """
    for row in read_rows(path):
        kind = row.data["judge"]["kind"]
        if kind not in kinds:
            continue
        for found in row.submissions():
            submission = found.submission
            if submission.language not in languages:
                continue
            limits = Limits(
                cpu_time_s=submission.limits.cpu_time_s or DEFAULT_CPU_TIME_S,
                memory_bytes=submission.limits.memory_bytes or DEFAULT_MEMORY_BYTES,
            )
            yield Labelled(
                row.id,
                found.name,
                found.label,
                found.label_check,
                msgspec.structs.replace(submission, limits=limits, stop="first_failure"),
                kind,
            )


async def judge(
    client: AsyncClient, labelled: Sequence[Labelled], explained: Mapping[str, str] | None = None
) -> list[Judged]:
    """Judge all, with a progress bar; in the order given.

    Parameters:
        explained: as from `explanations`.
    """
    reports: dict[int, Report] = {}
    with Progress(console=results.new_console(), transient=True) as bar:
        task = bar.add_task("judging", total=len(labelled))
        stream = client.judge_many([one.submission for one in labelled])
        async with aclosing(stream):
            async for index, report in stream:
                reports[index] = report
                bar.advance(task)
    return [
        Judged(one, reports[index], (explained or {}).get(one.key, ""))
        for index, one in enumerate(labelled)
    ]


def document(judged: Iterable[Judged], host: dict[str, Any]) -> str:
    """`docs/labels.md`: what disagrees, and why."""
    every = list(judged)
    checked = [one for one in every if one.labelled.is_checked]
    agree = sum(one.agrees for one in checked)
    lines = [
        "# Labels and verdicts",
        "",
        "`make labels` judges the submissions of the problems in `problems.jsonl.gz` in every",
        "language that is there, by comparison (`default`), by the package's own output validator",
        "(`custom`) or in conversation with it (`interactive`). An `accepted` one must be",
        "accepted; any other must fail at least one case. This page is written by",
        "`python -m bench.labels --write-docs`.",
        "",
        f"Host: {host['cpu']}, {host['cores']} cores, Linux {host['kernel']}, Python "
        f"{host['python']}; {host['date']}.",
        "",
        f"Languages: {', '.join(_by_language(every))}.",
        "",
        f"Of {len(checked)} submissions whose label was checked, {agree} agree"
        f" ({', '.join(f'{kind}: {count}' for kind, count in _by_kind(checked).items())}).",
        f"{len(every) - len(checked)} more were never checked by those who collected the data",
        f"(`not run`, or not run to the end); {sum(one.agrees for one in every) - agree} of them",
        "agree. Programs for Python 2, in Prolog and in Lisp are not judged.",
        "Limits are the data's own, else those under which its labels were checked: "
        f"{DEFAULT_CPU_TIME_S:g} s of CPU,",
        f"{DEFAULT_MEMORY_BYTES >> 30} GiB.",
        "",
        "## Checked labels that disagree",
        "",
        *_table(one for one in checked if not one.agrees),
        "",
        "## Labels that nobody had checked, and that disagree",
        "",
        *_table((one for one in every if _is_unchecked_and_disagrees(one)), "why"),
        "",
        "24 problems hold only part of their tests: the large ones were left out for their size.",
        "Why a label is not contradicted by a program that passes what is left is in",
        "`bench/unchecked_labels.toml`; what is shown was seen when the program was run on an",
        f"input made by the statement's limits. {len(unexplained(every))} have no explanation.",
    ]
    return "\n".join(lines) + "\n"


def _by_language(judged: Iterable[Judged]) -> list[str]:
    counts = Counter(one.labelled.submission.language for one in judged)
    return [f"{language} ({count})" for language, count in counts.most_common()]


def _by_kind(judged: Iterable[Judged]) -> Counter[str]:
    return Counter(one.labelled.kind for one in judged)


def _table(judged: Iterable[Judged], *more: str) -> list[str]:
    rows = [one.row() for one in judged]
    if not rows:
        return ["None."]
    columns = ("problem", "submission", "judge", "label", "verdict", "passed", "reason", *more)
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    for row in rows:
        cells = (str(row[column]).replace("|", r"\|").replace("<", "&lt;") for column in columns)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


async def run(
    *, write_docs: bool, only: str | None, kinds: Sequence[str], languages: Collection[str]
) -> int:
    """Judge, print, write; returns the exit status.

    Parameters:
        languages: only these; none: all that are here.
    """
    explained = explanations()
    whole = only is None and len(kinds) == len(KINDS) and not languages
    async with async_local() as client:
        if not languages:
            here = [one for one in await client.languages() if one.available]
            languages = {name for one in here for name in (one.name, *one.aliases)}
        labelled = [
            one
            for one in read(data_directory() / FILE, kinds, languages)
            if only is None or only in f"{one.problem}/{one.name}"
        ]
        judged = await judge(client, labelled, explained)
        sets = [
            await asserted.judge(client, name, data_directory() / file)
            for name, file in asserted.SETS.items()
            if whole and (data_directory() / file).is_file()
        ]
        status = await client.status()
    checked = [one for one in judged if one.labelled.is_checked]
    unchecked = [one for one in judged if not one.labelled.is_checked]
    figures: dict[str, float] = {
        "submissions": len(checked),
        "agree": sum(one.agrees for one in checked),
        "disagree": sum(not one.agrees for one in checked),
        "unchecked_submissions": len(unchecked),
        "unchecked_agree": sum(one.agrees for one in unchecked),
        "unchecked_disagree": sum(not one.agrees for one in unchecked),
        "unchecked_unexplained": len(unexplained(judged)),
    }
    promises = [
        results.at_least("submissions", figures["submissions"], 1),
        results.at_most("disagree", figures["disagree"], 0),
        results.at_most("unchecked_unexplained", figures["unchecked_unexplained"], 0),
    ]
    for one_set in sets:
        figures |= one_set.figures()
        promises += one_set.promises()
        if wrong := one_set.wrong():
            results.show(
                f"{one_set.name}: canonical solutions refused, hollow ones accepted", wrong
            )
    host = {"isolation": status.isolation.value, "enforcement": status.enforcement.value}
    figures |= {f"submissions_{kind}": count for kind, count in _by_kind(checked).items()}
    print("judged: " + ", ".join(_by_language(judged)))
    if whole:
        path = results.write(
            "labels", figures, [one.row() for one in judged], promises=promises, host=host
        )
        print(f"wrote {path.name}")
    if disagreeing := [one.row() for one in (*checked, *unchecked) if not one.agrees]:
        results.show("Verdicts that disagree with their label", disagreeing)
    if old := stale(judged, explained):
        results.show(
            f"{EXPLANATIONS.name}: not needed by this run", [{"submission": key} for key in old]
        )
    results.show("Labels", [{"figure": name, "value": value} for name, value in figures.items()])
    if write_docs:
        date = datetime.datetime.now(datetime.UTC).date().isoformat()
        DOCUMENT.parent.mkdir(exist_ok=True)
        DOCUMENT.write_text(
            document(judged, {**results.host_facts(), "date": date}), encoding="utf-8"
        )
        print(f"wrote docs/{DOCUMENT.name}")
    return results.conclude(promises)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.labels`."""
    parser = argparse.ArgumentParser(prog="python -m bench.labels", description=__doc__)
    parser.add_argument("--write-docs", action="store_true", help="write docs/labels.md")
    parser.add_argument("--only", metavar="TEXT", help="only what has TEXT in problem/submission")
    parser.add_argument(
        "--language", action="append", metavar="NAME", help="only this one; may be repeated"
    )
    parser.add_argument("--kind", choices=KINDS, help="only problems with such a judge")
    options = parser.parse_args(arguments)
    kinds = [options.kind] if options.kind else list(KINDS)
    file = data_directory() / FILE
    if not file.is_file():
        parser.error(f"there is no {FILE} in the data directory; name it in $SCALEBOX_DATA")
    return asyncio.run(
        run(
            write_docs=options.write_docs,
            only=options.only,
            kinds=kinds,
            languages=options.language or (),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
