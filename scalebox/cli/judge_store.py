"""`scalebox judges …` for the daemon's store: one in full, states, and folders that live in git."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console, JustifyMethod
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from scalebox.cli.options import connected, daemon_options
from scalebox.cli.render import first_line, printable
from scalebox.client.sync import Client
from scalebox.errors import RemoteError, UnknownJudgeError
from scalebox.judges.exchange import read_records, write_records
from scalebox.model import (
    Comparison,
    JudgeInfo,
    JudgeRecord,
    JudgeState,
    NamedJudge,
    NewJudge,
    ProgramJudge,
    judge_hash,
)

STATES = click.Choice([state.value for state in JudgeState])
_STYLES = {
    JudgeState.ACTIVE: "green",
    JudgeState.QUARANTINED: "red",
    JudgeState.RETIRED: "dim",
}
#: Of a hash, as much as tells judges apart; what is typed may be shorter.
_SHOWN_DIGITS = 12
_PART_OF_HASH = re.compile(r"(?:sha256:)?([0-9a-f]{8,64})")


def is_stored_name(name: str) -> bool:
    """Whether this can only name a judge of the store: by problem, or by (a part of) its hash."""
    return name.startswith("problem:") or _PART_OF_HASH.fullmatch(name) is not None


def stored_table(infos: Iterable[JudgeInfo]) -> Table:
    """Judges of the store, one a row."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("judge", "hash", "state", "source", "proof", "decided", "failed", "what"):
        justify: JustifyMethod = "right" if name in ("decided", "failed") else "left"
        table.add_column(name, justify=justify, no_wrap=name == "judge", overflow="fold")
    for info in infos:
        stored = info.stored
        assert stored is not None
        table.add_row(
            Text(f"problem:{stored.problem}#{stored.version}" if stored.problem else "any problem"),
            stored.hash[:_SHOWN_DIGITS],
            Text(stored.state.value, style=_STYLES.get(stored.state, "")),
            stored.source,
            "yes" if stored.proven else "no",
            f"{stored.decided:,}",
            f"{stored.failed:,}",
            Text(printable(info.title)),
        )
    return table


def show_record(client: Client, name: str) -> None:
    """Print all that the daemon knows of a judge."""
    record = client.judge_record(_whole_name(client, name))
    click.secho(f"{record.name}\n", bold=True)
    # Not by way of the console, which would break their lines.
    for text in (*_texts(record), "" if record.proof is None else _laid_out(record.proof)):
        if text:
            click.echo(f"{printable(text.strip())}\n")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("date", "state", "decided", "failed", "reason"):
        table.add_column(column, overflow="fold")
    for change in record.history:
        style = _STYLES.get(change.state, "")
        table.add_row(
            change.date,
            Text(change.state.value, style=style),
            str(change.decided),
            str(change.failed),
            Text(printable(change.reason)),
        )
    Console().print(table)


def _texts(record: JudgeRecord) -> list[str]:
    """What a judge is, and its source and files."""
    facts: dict[str, object] = {
        "hash": record.hash,
        "state": record.state,
        "provenance": record.provenance,
        "decided": record.decided,
        "failed": record.failed,
    }
    judge = record.judge
    if isinstance(judge, Comparison | NamedJudge):
        return [_laid_out({**facts, "judge": judge})]
    if isinstance(judge, ProgramJudge):
        facts |= {"contract": judge.contract, "language": judge.language, "flags": judge.flags}
    texts = [_laid_out({**facts, "limits": judge.limits}), str(judge.source)]
    return texts + [f"{path}:\n{content}" for path, content in judge.files.items()]


def _laid_out(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _whole_name(client: Client, name: str) -> str:
    """A name in full, of which a part of a hash may have been typed.

    Raises:
        UnknownJudgeError: no judge, or several, have a hash that begins so.
    """
    part = _PART_OF_HASH.fullmatch(name)
    if part is None or len(part[1]) == 64:
        return name
    stored = [info.stored for info in client.judges() if info.stored is not None]
    hashes = sorted({one.hash for one in stored if one.hash.startswith(part[1])})
    if len(hashes) == 1:
        return f"sha256:{hashes[0]}"
    there = ", ".join(digest[: len(part[1]) + 4] + "…" for digest in hashes[:5])
    raise UnknownJudgeError(
        f"{len(hashes)} judges have a hash that begins with {part[1]}"
        + (f": {there}" if there else "; `scalebox judges list` says which there are")
    )


@click.command("promote")
@click.argument("name")
@click.option("--reason", default="", help="Why; asked for where it was retired or quarantined.")
@click.option("--force", is_flag=True, help="Although there is no proof.")
@daemon_options
def promote(
    name: str,
    reason: str,
    force: bool,
    socket: Path | None,
    url: str | None,
    token: str | None,
    private: bool,
) -> None:
    """Make the judge NAME the active one of its problem, and retire the former.

    NAME is problem:ID#VERSION, or a judge's hash or its first 8 digits.
    """
    with connected(socket, url, token, private) as client:
        _set_state(client, name, JudgeState.ACTIVE, reason, force=force)


@click.command("retire")
@click.argument("name")
@click.option("--reason", default="", help="Why.")
@daemon_options
def retire(
    name: str,
    reason: str,
    socket: Path | None,
    url: str | None,
    token: str | None,
    private: bool,
) -> None:
    """Take the judge NAME out of use.

    NAME is problem:ID, problem:ID#VERSION, or a judge's hash or its first 8 digits.
    """
    with connected(socket, url, token, private) as client:
        _set_state(client, name, JudgeState.RETIRED, reason)


def _set_state(
    client: Client, name: str, state: JudgeState, reason: str, *, force: bool = False
) -> None:
    whole = _whole_name(client, name)
    record = client.set_judge_state(whole, state, reason=reason, force=force)
    click.echo(f"{record.name} is {record.state}")


@click.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--state", type=STATES, multiple=True, help="Only those in this state.")
@daemon_options
def export_judges(
    folder: Path,
    state: tuple[str, ...],
    socket: Path | None,
    url: str | None,
    token: str | None,
    private: bool,
) -> None:
    """Lay the judges of the daemon's store out in FOLDER, which can live in git."""
    with connected(socket, url, token, private) as client:
        names = [
            info.name
            for info in client.judges()
            if info.stored is not None and (not state or info.stored.state in state)
        ]
        with _progress("exporting") as bar:
            count = write_records(folder, map(client.judge_record, bar.track(names)))
    click.echo(f"{count} judges are in {folder}")


@click.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@daemon_options
def import_judges(
    folder: Path, socket: Path | None, url: str | None, token: str | None, private: bool
) -> None:
    """Put the judges in FOLDER into the daemon's store.

    Nothing is, if one of them is not what it says.  Exits with 1 if the daemon refuses one.
    """
    found = read_records(folder)
    with connected(socket, url, token, private) as client:
        there = {(info.stored.hash, info.stored.problem) for info in client.judges() if info.stored}
        with _progress("importing") as bar:
            outcomes = [_register(client, new) for new in bar.track(found)]
    new_ones = sum((judge_hash(new.judge), new.problem) not in there for new in found)
    refused = sum(isinstance(outcome, RemoteError) for outcome in outcomes)
    for line in _differences(found, outcomes):
        click.echo(line)
    click.echo(f"{len(found)} judges, of which {new_ones} were not here; {refused} refused")
    if refused:
        sys.exit(1)


def _register(client: Client, new: NewJudge) -> JudgeRecord | RemoteError:
    state = new.state
    if state in (JudgeState.PROVEN, JudgeState.ACTIVE) and new.proof is None:
        state = JudgeState.CANDIDATE  # it was forced there, and may be again
    try:
        return client.add_judge(
            new.judge,
            provenance=new.provenance,
            problem=new.problem,
            proof=new.proof,
            state=state,
            reason=new.reason,
        )
    except RemoteError as error:
        return error


def _differences(
    found: Sequence[NewJudge], outcomes: Sequence[JudgeRecord | RemoteError]
) -> Iterable[str]:
    """What is not as the folder has it."""
    for new, outcome in zip(found, outcomes, strict=True):
        if isinstance(outcome, RemoteError):
            name = f"{new.problem or 'any problem'}, {judge_hash(new.judge)[:_SHOWN_DIGITS]}"
            yield f"refused: {name}: {first_line(outcome.message)}"
        elif outcome.state != new.state:
            why = "" if outcome.proof else " (there is no proof)"
            yield f"{outcome.name} is {outcome.state} here, and {new.state} in the folder{why}"


def _progress(words: str) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn(words), BarColumn(), MofNCompleteColumn(), console=console, transient=True
    )
