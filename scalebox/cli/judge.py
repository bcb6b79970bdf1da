"""`scalebox judge`: one program, one problem, a table of cases."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click
import msgspec
from rich.console import Console
from rich.text import Text

from scalebox.cli.options import connected, daemon_options, language_of, read_source
from scalebox.cli.render import case_table, printable, reason, summary
from scalebox.client.problems import load_problem
from scalebox.model import Submission


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--problem",
    "problem_path",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="A folder of *.in and *.ans, a problem package's folder (Kattis, ICPC, Polygon, DMOJ), "
    "or a .json, .jsonl or .jsonl.gz file.",
)
@click.option("--row", help="Which row of the file: its id, or its number from 0.")
@click.option("--language", help="Unless the file's ending tells it.")
@click.option(
    "--stop",
    type=click.Choice(["first_failure", "never"]),
    default="first_failure",
    show_default=True,
    help="Whether cases after a failed one are skipped.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@daemon_options
def judge(
    file: Path,
    problem_path: Path,
    row: str | None,
    language: str | None,
    stop: Literal["first_failure", "never"],
    as_json: bool,
    socket: Path | None,
    url: str | None,
    token: str | None,
    private: bool,
) -> None:
    """Judge the program in FILE.

    Exits with 0 if it is accepted, 1 if not, 2 if that could not be found out.
    """
    problem = load_problem(problem_path, row)
    submission = Submission(
        language=language_of(file, language),
        source=read_source(file),
        tests=problem.tests,
        limits=problem.limits,
        stop=stop,
        return_output="failed",
        id=file.name,
    )
    progress = Console(stderr=True)
    with (
        progress.status(f"judging {file.name} …"),
        connected(socket, url, token, private) as client,
    ):
        report = client.judge(submission)
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        console = Console()
        if report.compile is not None and not report.compile.ok:
            console.print(Text(printable(report.compile.message.rstrip())))
        elif report.cases:
            console.print(case_table(report))
        elif line := reason(report):
            console.print(Text(line))
        console.print(summary(report))
    if not report.accepted:
        sys.exit(1 if report.verdict.is_about_the_program else 2)
