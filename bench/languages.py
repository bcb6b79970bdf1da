"""Does every language work, at every level of isolation, four programs at a time?

The self-tests of the table (`scalebox languages --test`) against daemons of their own.  A language
whose tool chain is missing is listed, and counts among `languages` but not among `tested`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import uvloop

from bench import results
from bench.results import Promise, none_of
from scalebox.client.aio import AsyncClient
from scalebox.errors import ScaleboxError
from scalebox.model import LanguageInfo, LanguageTest, Report
from tests.daemons import Kind, Place, kinds, place

SLOTS = 4


async def _ask(address: str) -> tuple[list[LanguageInfo], list[LanguageTest], list[Report]]:
    async with AsyncClient(address) as client:
        tests = await client.language_tests()
        reports = await client.judge_all([one.submission for one in tests])
        return await client.languages(), tests, reports


async def _measure(where: Place, level: str) -> tuple[list[LanguageInfo], list[dict[str, Any]]]:
    where.begin(sandbox={"slots": SLOTS}).when_ready()
    languages, tests, reports = await _ask(str(where.socket))
    rows = [
        {
            "level": level,
            "language": test.language,
            "kind": test.kind,
            "expected": test.verdict.value,
            "found": report.verdict.value,
            "wall_s": report.wall_time_s,
            "message": report.message or next((c.message for c in report.cases if c.message), ""),
        }
        for test, report in zip(tests, reports, strict=True)
    ]
    return languages, rows


async def run(wanted: Sequence[Kind]) -> int:
    """Measure, print, write; returns the exit status."""
    rows: list[dict[str, Any]] = []
    languages: list[LanguageInfo] = []
    for kind in wanted:
        level = str(kind)
        with place(kind, Place) as where:
            languages, found = await _measure(where, level)
        rows += found
        names = {row["language"] for row in found}
        print(f"{level}: {len(found)} programs in {len(names)} languages")
    wrong = [row for row in rows if row["found"] != row["expected"]]
    failing = {row["language"] for row in wrong}
    tested = {row["language"] for row in rows}
    figures = {
        "languages": len(languages),
        "tested": len(tested),
        "passed": len(tested - failing),
        "programs": len(rows),
        "levels": len(wanted),
    }
    kept: list[Promise] = [
        none_of(
            "every program comes to its verdict, at every level",
            [
                f"{row['level']}, {row['language']}, {row['kind']}: {row['found']} "
                f"({row['message'][:200]})"
                for row in wrong
            ],
        )
    ]
    results.write("languages-test", figures, rows, promises=kept)
    results.show(
        "Languages",
        [
            {
                "language": one.name,
                "works": "FAILS" if one.name in failing else "yes" if one.available else "-",
                "tool chain": one.toolchain if one.available else one.missing,
            }
            for one in languages
        ],
    )
    results.show("Self-tests", [{"figure": key, "value": value} for key, value in figures.items()])
    return results.conclude(kept)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `python -m bench.languages`."""
    parser = argparse.ArgumentParser(prog="python -m bench.languages", description=__doc__)
    parser.parse_args(arguments)
    try:
        return uvloop.run(run(kinds()))
    except ScaleboxError as error:
        print(f"languages-test: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
