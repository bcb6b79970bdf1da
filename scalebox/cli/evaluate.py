"""`scalebox eval`: models on benchmarks, by one configuration file.

The suite is loaded where one of these commands is run: no other command waits for it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

_CONFIG = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_RUN = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group("eval")
def evaluate() -> None:
    """Evaluate models on benchmarks, as a configuration file says.

    `run` does all of it; `sample`, `judge` and `report` are its steps.  All of them go on where
    they were left, and may be interrupted at any moment.
    """


@evaluate.command("run")
@_CONFIG
@click.option("--again", is_flag=True, help="Judge all samples anew.")
def run_command(file: Path, again: bool) -> None:
    """Sample, judge and report what FILE describes.

    Exits with 0 if every number is there, with 2 if something is missing.
    """
    from scalebox.cli import evaluation

    evaluation.evaluate(file, sample=True, judge=True, again=again)


@evaluate.command()
@_CONFIG
def sample(file: Path) -> None:
    """Draw the answers that FILE describes, and judge nothing."""
    from scalebox.cli import evaluation

    evaluation.evaluate(file, sample=True, judge=False)


@evaluate.command()
@_CONFIG
@click.option("--again", is_flag=True, help="Judge all samples anew.")
def judge(file: Path, again: bool) -> None:
    """Judge the answers that are there, and draw none."""
    from scalebox.cli import evaluation

    evaluation.evaluate(file, sample=False, judge=True, again=again)


@evaluate.command("report")
@_RUN
def report_command(folder: Path) -> None:
    """Write the report of the run in FOLDER from its results: report.html and report.md."""
    from scalebox.suite import report

    for path in report.write(folder):
        click.echo(path)


@evaluate.command()
@click.argument("one", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("other", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("comparison"),
    show_default=True, help="Folder of the report.",
)  # fmt: skip
@click.option("--any-data", is_flag=True, help="Also where their data differs.")
def compare(one: Path, other: Path, out: Path, any_data: bool) -> None:
    """Compare the runs in ONE and OTHER, task by task."""
    from scalebox.suite import comparison, report

    found = comparison.compare(
        comparison.open_run(one), comparison.open_run(other), anyway=any_data
    )
    click.echo(found.headline)
    for path in report.write_comparison(one, other, out, anyway=any_data):
        click.echo(path)


@evaluate.command("verify")
@_RUN
@click.option(
    "--daemon", metavar="ADDRESS",
    help="Judge there: an address, or `private` for one of its own; else where the run was judged.",
)  # fmt: skip
@click.option(
    "--isolation", type=click.Choice(["auto", "full", "user", "minimal", "strict"]), default="auto",
    help="Of a private daemon.",
)  # fmt: skip
def verify_command(folder: Path, daemon: str | None, isolation: str) -> None:
    """Judge the samples of the run in FOLDER anew, and compare every verdict.

    Exits with 0 if none differs, with 1 if one does, with 2 if one could not be judged.
    """
    if isolation != "auto" and daemon is None:
        daemon = "private"
    from scalebox.cli import evaluation

    found = evaluation.verify_run(folder, daemon, isolation)
    sys.exit(1 if found.flips else 2 if found.undecided else 0)


@evaluate.command()
def benchmarks() -> None:
    """List the benchmarks, and where their data comes from."""
    from scalebox.cli import evaluation

    evaluation.print_benchmarks()
