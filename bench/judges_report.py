"""How right are judges?  The judges that can be had for real problems, beside each other.

Over the problems of `problems.jsonl.gz` with their labelled programs: what exact match, tokens, the
original's rule, the judge that `infer` finds and the package's own judge make of them; whether
`classify` sees which problems need a special judge (each weighed by what the others taught); and
whether `prove` refuses flawed variants of the packages' own judges.  Writes `judges-report.json`
and `judges-report.html`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.progress import Progress

from bench import judges_html, judges_mutants, labels, results
from bench.judges_compare import Compared, compare, kind_of
from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local
from scalebox.client.problems import ProblemFileError
from scalebox.errors import ScaleboxError
from scalebox.judges.directory import shipped
from scalebox.specialjudges import classify
from scalebox.specialjudges.curation import Curator, over
from scalebox.specialjudges.material import Material, read_materials
from scalebox.specialjudges.work import Work

LANGUAGES = frozenset({"python", "c", "cpp"})
_PROBLEMS_AT_ONCE = 2
_COUNTS = results.ROOT / "scalebox" / "specialjudges" / "signs.json"


def read(path: Path, only: str | None) -> list[Material]:
    """The problems.

    Raises:
        ProblemFileError: one cannot be read.
    """
    found = []
    for material in read_materials(path):
        if isinstance(material, ProblemFileError):
            raise material
        if only is None or only in material.id:
            found.append(material)
    return found


async def compare_all(
    client: AsyncClient, curator: Curator, materials: Sequence[Material]
) -> list[Compared]:
    """Every problem, in the order given."""
    found: dict[str, Compared] = {}
    with Progress(console=results.new_console(), transient=True) as bar:
        task = bar.add_task("programs and judges", total=len(materials))
        steps = over(
            materials, lambda one: compare(client, curator, one), at_once=_PROBLEMS_AT_ONCE
        )
        async for material, outcome in steps:
            if isinstance(outcome, ScaleboxError):
                raise outcome
            found[material.id] = outcome
            bar.advance(task)
    return [found[material.id] for material in materials]


def classified(compared: Sequence[Compared]) -> list[classify.Classification]:
    """Each problem by what all others taught."""
    return [
        classify.classify(
            one.signs,
            counts=classify.count(
                [(other.signs, other.needs_judge) for other in compared if other is not one],
                "all other problems",
            ),
        )
        for one in compared
    ]


def figures_of(
    compared: Sequence[Compared], found: Sequence[classify.Classification]
) -> dict[str, float]:
    """The figures about judges, but for those of mutants and labels."""
    said = [one.needs_judge for one in found]
    true = [one.needs_judge for one in compared]
    both = sum(a and b for a, b in zip(said, true, strict=True))
    needing = [one for one in compared if one.kind == "custom"]
    figures: dict[str, float] = {
        "problems": len(compared),
        "needs_judge": sum(true),
        "needs_judge_precision": both / sum(said) if any(said) else 0.0,
        "needs_judge_recall": both / sum(true) if any(true) else 0.0,
        "needs_judge_accuracy": sum(a == b for a, b in zip(said, true, strict=True)) / len(true),
        "never_needing_accuracy": 1 - sum(true) / len(true),
        "solved_by_shipped_judge": sum(one.solved for one in needing) / max(1, len(needing)),
        "default_made_looser": sum(one.made_looser for one in compared),
        "right_programs": sum(one.right for one in compared),
        "wrong_programs": sum(one.wrong for one in compared),
    }
    for rule in ("exact", "tokens", "original_rule", "inferred", "held_out", "own"):
        figures[f"{rule}_false_rejects"] = sum(one.false_rejects.get(rule, 0) for one in compared)
        figures[f"{rule}_false_accepts"] = sum(one.false_accepts.get(rule, 0) for one in compared)
    figures["inferred_false_accepted_outputs"] = sum(one.wrong_outputs_accepted for one in compared)
    return figures


async def run(options: argparse.Namespace) -> int:
    """Measure, print, write; returns the exit status."""
    path = labels.data_directory() / labels.FILE
    materials = read(path, options.only)
    async with async_local() as client:
        with Work(options.work) as work:
            curator = Curator(client, work, shipped(), LANGUAGES)
            compared = await compare_all(client, curator, materials)
            mutants = (
                []
                if options.no_mutants
                else await judges_mutants.try_all(
                    client,
                    curator,
                    [one for one in materials if kind_of(one) == "custom"],
                    at_once=_PROBLEMS_AT_ONCE,
                )
            )
        judged = (
            []
            if options.no_labels
            else await labels.judge(
                client,
                [
                    one
                    for one in labels.read(path, ("custom", "interactive"))
                    if options.only is None or options.only in one.problem
                ],
            )
        )
        status = await client.status()
    found = classified(compared)
    figures = figures_of(compared, found)
    checked = [one for one in judged if one.labelled.is_checked]
    if checked:
        figures["label_agreement"] = sum(one.agrees for one in checked) / len(checked)
    figures |= judges_mutants.figures(mutants)
    promises = [
        results.at_most("default_made_looser", figures["default_made_looser"], 0),
        results.at_most(
            "inferred_false_accepted_outputs", figures["inferred_false_accepted_outputs"], 0
        ),
    ]
    if not options.no_labels:
        promises.append(results.at_least("label_agreement", figures.get("label_agreement"), 1))
    if not options.no_mutants:
        promises += judges_mutants.promises(mutants, figures)
    rows = [
        {**one.row(), "classified": "needs one" if guess.needs_judge else "needs none",
         "kind found": guess.kind, "signs": "; ".join(guess.signs)}
        for one, guess in zip(compared, found, strict=True)
    ]  # fmt: skip
    _show(rows, mutants, figures)
    if options.write_signs:
        counts = classify.count(
            [(one.signs, one.needs_judge) for one in compared],
            f"{len(compared)} problem packages of programming contests (ICPC format), "
            "see docs/special-judges.md",
        )
        _COUNTS.write_bytes(judges_html.pretty(counts))
        print("wrote scalebox/specialjudges/signs.json")
    if options.only is None:
        host = {"isolation": status.isolation.value, "enforcement": status.enforcement.value}
        tried = [{"problem": one.problem, **one.row()} for one in mutants]
        written = results.write(
            "judges-report", figures, [*rows, *tried], promises=promises, host=host
        )
        page = written.with_suffix(".html")
        page.write_text(
            judges_html.page(figures, compared, found, mutants, results.host_facts()),
            encoding="utf-8",
        )
        print(f"wrote {written.name} and {page.name}")
    return results.conclude(promises)


def _show(
    rows: Sequence[dict[str, Any]],
    mutants: Sequence[judges_mutants.Tried],
    figures: dict[str, float],
) -> None:
    short = [{key: row[key] for key in row if key not in ("signs",)} for row in rows]
    results.show("Problems", short)
    if survivors := [one.row() for one in mutants if one.state == "survived"]:
        results.show("Flawed judges that were not refused", survivors)
    results.show("Figures", [{"figure": name, "value": value} for name, value in figures.items()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.judges_report`."""
    parser = argparse.ArgumentParser(prog="python -m bench.judges_report", description=__doc__)
    parser.add_argument("--only", metavar="TEXT", help="only problems whose id has TEXT")
    parser.add_argument("--work", type=Path, metavar="FILE", help="keep finished steps in FILE")
    parser.add_argument("--no-mutants", action="store_true", help="without flawed judges")
    parser.add_argument("--no-labels", action="store_true", help="without judging every program")
    parser.add_argument(
        "--write-signs", action="store_true", help="write scalebox/specialjudges/signs.json"
    )
    options = parser.parse_args(arguments)
    file = labels.data_directory() / labels.FILE
    if not file.is_file():
        parser.error(f"there is no {labels.FILE} in the data directory; name it in $SCALEBOX_DATA")
    return asyncio.run(run(options))


if __name__ == "__main__":
    sys.exit(main())
