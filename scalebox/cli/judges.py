"""`scalebox judges`: which judges can be named, what is in them, and whether they hold.

What is the store's alone is `judge_store`'s.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from scalebox.cli.curate import classify, generate, infer, prove
from scalebox.cli.judge_store import (
    STATES,
    export_judges,
    import_judges,
    is_stored_name,
    promote,
    retire,
    show_record,
    stored_table,
)
from scalebox.cli.options import connected, daemon_options
from scalebox.cli.render import first_line, printable, reason, verdict_text
from scalebox.client.sync import Client
from scalebox.errors import RemoteError, UnknownJudgeError
from scalebox.judges.directory import Directory, shipped
from scalebox.judges.folder import JudgeExample, JudgeFolder, read_judge
from scalebox.model import Judge, JudgeInfo, NamedJudge, Report

#: Of an example's text, so much is shown.
_SHOWN = 60

Outcome = Report | RemoteError


@dataclass(frozen=True, slots=True)
class _Trial:
    """One example, and who decides about it."""

    judge: str
    example: JudgeExample
    by: Judge


@click.group()
def judges() -> None:
    """The judges that submissions can name: list and test them, find, make and prove others."""


for _command in (
    classify,
    infer,
    generate,
    prove,
    promote,
    retire,
    export_judges,
    import_judges,
):
    judges.add_command(_command)


@judges.command("list")
@click.option("--state", type=STATES, multiple=True, help="Only those of the store in this state.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@daemon_options
def list_judges(
    state: tuple[str, ...],
    as_json: bool,
    socket: Path | None,
    url: str | None,
    token: str | None,
    private: bool,
) -> None:
    """Show the judges that the daemon knows: those that ship, and those of its store."""
    with connected(socket, url, token, private) as client:
        found = client.judges()
    if state:
        found = [info for info in found if info.stored is not None and info.stored.state in state]
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    console = Console()
    if shipping := [info for info in found if info.stored is None]:
        console.print(_shipped_table(shipping))
    if stored := [info for info in found if info.stored is not None]:
        console.print(stored_table(stored))


def _shipped_table(infos: Sequence[JudgeInfo]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("judge", "parameters", "accepts"):
        table.add_column(name, no_wrap=name == "judge", overflow="fold")
    for info in infos:
        table.add_row(info.name, Text(_parameters(info)), Text(info.accepts))
    return table


def _parameters(info: JudgeInfo) -> str:
    return "\n".join(
        f"{parameter.name} = {_plain(parameter.default)}" for parameter in info.parameters
    )


def _plain(value: bool | int | float | str) -> str:
    """As in TOML and JSON."""
    return msgspec.json.encode(value).decode()


@judges.command("show")
@click.argument("name")
@daemon_options
def show_judge(
    name: str, socket: Path | None, url: str | None, token: str | None, private: bool
) -> None:
    """Print what there is of the judge NAME.

    NAME is one of the judges that ship with scalebox, or a judge's folder: judge.toml, source and
    examples.  Or it is one of the daemon's store, as problem:ID, problem:ID#VERSION, or its hash or
    the first 8 digits of that: source, proof and history.
    """
    known = shipped()
    if name not in known and is_stored_name(name):
        with connected(socket, url, token, private) as client:
            show_record(client, name)
    else:
        _show_folder(_folder(known, name))


def _show_folder(judge: JudgeFolder) -> None:
    click.secho(f"{judge.path}\n", bold=True)
    # Not by way of the console, which would break their lines.
    for text in (judge.table, judge.source):
        if text:
            click.echo(f"{printable(text.strip())}\n")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("example", "parameters", "input", "answer", "output"):
        table.add_column(column, overflow="fold")
    for example in judge.examples():
        chosen = "\n".join(f"{key} = {_plain(value)}" for key, value in example.parameters.items())
        texts = (Text(_excerpt(text)) for text in (example.input, example.answer, example.output))
        table.add_row(Text(example.name), Text(chosen), *texts)
    Console().print(table)


def _excerpt(text: bytes) -> str:
    shown = printable(repr(text[:_SHOWN].decode("utf-8", "backslashreplace")))
    return f"{shown} … {len(text):,} bytes" if len(text) > _SHOWN else shown


@judges.command("test")
@click.argument("names", nargs=-1, metavar="[NAME|FOLDER]...")
@daemon_options
def test_judges(
    names: tuple[str, ...],
    socket: Path | None,
    url: str | None,
    token: str | None,
    private: bool,
) -> None:
    """Let a daemon decide every example of the judges named NAME, or in FOLDER.

    Without any: of all that ship with scalebox.  Exits with 1 if one is decided wrongly.
    """
    known = shipped()
    trials: list[_Trial] = []
    for name in names or [info.name for info in known.infos()]:
        judge = _folder(known, name)
        trials += [
            _Trial(
                judge.info.name,
                example,
                NamedJudge(name=judge.info.name, parameters=example.parameters)
                if name in known
                else judge.given(example.parameters),
            )
            for example in judge.examples()
        ]
    with connected(socket, url, token, private) as client:
        outcomes = _decide(client, trials)
    console = Console()
    console.print(_table(trials, outcomes))
    right = sum(map(_is_right, trials, outcomes))
    console.print(
        f"{right} of {len(trials)} examples are decided rightly",
        style="green" if right == len(trials) else "bold red",
    )
    if right != len(trials) or not trials:
        sys.exit(1)


def _folder(known: Directory, name: str) -> JudgeFolder:
    """A judge by name or folder; where both are there, `./NAME` is the folder.

    Raises:
        UnknownJudgeError: neither is there.
        JudgeFolderError: what is there makes no sense.
    """
    if name not in known and (Path(name) / "judge.toml").exists():
        return read_judge(Path(name).resolve())
    try:
        return known.get(name)
    except UnknownJudgeError as error:
        words = f"{error.message}; nor is there a file {Path(name) / 'judge.toml'}"
        raise UnknownJudgeError(words) from None


def _decide(client: Client, trials: Sequence[_Trial]) -> list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    submissions = [trial.example.submission(trial.by) for trial in trials]
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("judging"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    )
    with bar:
        task = bar.add_task("", total=len(trials))
        for index, outcome in client.judge_many(submissions, on_error="return"):
            outcomes[index] = outcome
            bar.advance(task)
    return [outcomes[index] for index in range(len(trials))]


def _table(trials: Sequence[_Trial], outcomes: Sequence[Outcome]) -> Table:
    """One row a judge, and one for each of its examples that is decided wrongly."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("judge", "right", "example", "expected", "decided", "message"):
        table.add_column(
            name, justify="right" if name == "right" else "left", no_wrap=name == "judge"
        )
    pairs = list(zip(trials, outcomes, strict=True))
    for judge in dict.fromkeys(trial.judge for trial in trials):
        own = [pair for pair in pairs if pair[0].judge == judge]
        wrong = [pair for pair in own if not _is_right(*pair)]
        table.add_row(judge, f"{len(own) - len(wrong)}/{len(own)}")
        for trial, outcome in wrong:
            if isinstance(outcome, Report):
                decided, words = verdict_text(outcome.verdict), reason(outcome)
            else:
                decided, words = Text("refused", style="bold red"), first_line(outcome.message)
            expected = verdict_text(trial.example.expected)
            table.add_row("", "", Text(trial.example.name), expected, decided, Text(words))
    return table


def _is_right(trial: _Trial, outcome: Outcome) -> bool:
    return isinstance(outcome, Report) and outcome.verdict is trial.example.expected
