"""`scalebox status`, `languages` and `doctor`: what a daemon does, can run, and is given."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scalebox.cli.options import connected, daemon_options
from scalebox.cli.render import first_line
from scalebox.client.local import daemon_command
from scalebox.client.sync import Client
from scalebox.errors import HostError
from scalebox.model import LanguageInfo, Status


class DoctorCheck(msgspec.Struct, frozen=True):
    """One line of `scaleboxd --doctor --json`.

    Attributes:
        name: what was looked at.
        ok: whether it is as it should be.
        detail: what was found.
        remedy: what to do, if it is not.
    """

    name: str
    ok: bool
    detail: str = ""
    remedy: str = ""


class DoctorReport(msgspec.Struct, frozen=True):
    """What `scaleboxd --doctor --json` prints."""

    isolation: str
    enforcement: str
    checks: list[DoctorCheck]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON.")
@daemon_options
def status(
    as_json: bool, socket: Path | None, url: str | None, token: str | None, private: bool
) -> None:
    """Show the daemon's slots, queue and counters."""
    with connected(socket, url, token, private) as client:
        found = client.status()
        address = client.address
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    console = Console()
    console.print(_status_table(found, address))
    for note in found.notes:
        console.print(Text(f"note: {note}"))
    if found.slots:
        console.print()
        console.print(_slot_table(found))


def _status_table(found: Status, address: str) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    state = "draining" if found.draining else "serving"
    rows = [
        ("daemon", f"scaleboxd {found.version} at {address}, {state}"),
        ("node", found.node or "-"),
        ("up", f"{found.uptime_s:.0f} s"),
        ("isolation", found.isolation),
        ("limits by", found.enforcement),
        (
            "now",
            f"{found.running_cases} cases running, {found.queued_cases} queued "
            f"(at most {found.queue_limit_cases})",
        ),
    ]
    for name, value in found.counters.items():
        rows.append((name.replace("_", " "), f"{value:,.0f}" if value >= 1000 else f"{value:g}"))
    for name, words in rows:
        table.add_row(name, Text(words))
    return table


def _slot_table(found: Status) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("slot", "state", "pid", "runs", "restarts"):
        table.add_column(name, justify="left" if name == "state" else "right")
    for slot in found.slots:
        table.add_row(
            str(slot.index), slot.state, str(slot.pid), str(slot.runs), str(slot.restarts)
        )
    return table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the view as JSON.")
@daemon_options
def cluster(
    as_json: bool, socket: Path | None, url: str | None, token: str | None, private: bool
) -> None:
    """Show the other daemons, as this one sees them."""
    with connected(socket, url, token, private) as client:
        found = client.cluster()
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    console = Console()
    if not found.clustered:
        console.print(
            Text(f"{found.node} is alone: it listens for no peers (cluster.listen is empty)")
        )
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("node", "state", "address", "slots", "free", "backlog", "lent", "borrowed", "ms"):
        left = name in ("node", "state", "address")
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    for one in found.nodes:
        table.add_row(
            Text(one.node),
            "draining" if one.draining else one.state,
            Text(one.address),
            str(one.slots),
            str(one.free_slots),
            f"{one.backlog_cases} ({one.backlog_s:.1f} s)" if one.backlog_cases else "0",
            str(one.lent_cases),
            str(one.borrowed_cases),
            f"{1000 * one.round_trip_s:.1f}" if one.round_trip_s else "-",
        )
    console.print(table)
    for reason, count in sorted(found.refused.items()):
        console.print(Text(f"refused: {count} messages ({reason})"))


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--test", is_flag=True, help="Have each show that it works; these, if there are any.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@daemon_options
def languages(
    names: tuple[str, ...],
    test: bool,
    as_json: bool,
    socket: Path | None,
    url: str | None,
    token: str | None,
    private: bool,
) -> None:
    """Show what the daemon can run, all or some, and whether it works."""
    with connected(socket, url, token, private) as client:
        found = [one for one in client.languages() if not names or _is_meant(one, names)]
        unknown = {one for one in names if not any(_is_meant(other, (one,)) for other in found)}
        if unknown:
            raise click.UsageError(f"no language {', '.join(sorted(unknown))} here")
        tested = self_test(client, found) if test else None
    if tested is not None:
        _show_tested(found, tested, as_json)
        sys.exit(0 if all(one.ok for one in tested) else 1)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("language", "also", "tool chain"):
        table.add_column(name, overflow="fold")
    for language in found:
        table.add_row(language.name, " ".join(language.aliases), _tool_chain(language))
    Console().print(table)


def _is_meant(language: LanguageInfo, names: Sequence[str]) -> bool:
    return any(name.lower() in (language.name, *language.aliases) for name in names)


def _tool_chain(language: LanguageInfo) -> Text:
    if language.available:
        return Text(first_line(language.toolchain))
    return Text(f"missing: {language.missing}", style="yellow")


class Tested(msgspec.Struct, frozen=True):
    """What came of a self-test.

    Attributes:
        language, kind: as in `LanguageTest`.
        expected, found: verdicts.
        ok: whether they are the same.
        message: of the report.
        wall_time_s: from its arrival to its report.
    """

    language: str
    kind: str
    expected: str
    found: str
    ok: bool
    message: str
    wall_time_s: float


def self_test(client: Client, languages: Sequence[LanguageInfo]) -> list[Tested]:
    """Have a daemon run the self-tests of languages, as many at a time as it has slots."""
    wanted = {one.name for one in languages}
    tests = [one for one in client.language_tests() if one.language in wanted]
    reports = client.judge_all([one.submission for one in tests])
    return [
        Tested(
            language=test.language,
            kind=test.kind,
            expected=test.verdict.value,
            found=report.verdict.value,
            ok=report.verdict is test.verdict,
            message=report.message or next((c.message for c in report.cases if c.message), ""),
            wall_time_s=report.wall_time_s,
        )
        for test, report in zip(tests, reports, strict=True)
    ]


def _show_tested(
    languages: Sequence[LanguageInfo], tested: Sequence[Tested], as_json: bool
) -> None:
    if as_json:
        click.echo(msgspec.json.encode(tested))
        return
    console = Console()
    kinds = list(dict.fromkeys(one.kind for one in tested))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("language", *kinds, "tool chain"):
        table.add_column(name.replace("_", " "), overflow="fold")
    for language in languages:
        own = {one.kind: one for one in tested if one.language == language.name}
        words = [Text("-") if kind not in own else _mark(own[kind]) for kind in kinds]
        table.add_row(language.name, *words, _tool_chain(language))
    console.print(table)
    for one in tested:
        if not one.ok:
            console.print(
                Text(f"{one.language}, {one.kind}: {one.found} in place of {one.expected}: ")
                + Text(first_line(one.message))
            )


def _mark(tested: Tested) -> Text:
    return Text("ok") if tested.ok else Text("FAILS", style="bold red")


@click.command()
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The scalebox.toml to check for.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def doctor(config: Path | None, as_json: bool) -> None:
    """Say what this host enforces, what is missing, and what to do about it.

    Exits with 1 if something that the configuration demands is missing.
    """
    command, environment = daemon_command()
    command += ["--doctor", "--json"]
    if config is not None:
        command += ["--config", str(config)]
    ended = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    try:
        found = msgspec.json.decode(ended.stdout, type=DoctorReport)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        said = ended.stderr.decode("utf-8", "replace").strip()[-2000:]
        raise HostError(
            f"`{' '.join(command)}` ended with status {ended.returncode} and no findings"
            + (f"; it said: {said}" if said else "")
        ) from error
    if as_json:
        click.echo(ended.stdout)
    else:
        _show_doctor(found, missing=ended.returncode != 0)
    sys.exit(0 if ended.returncode == 0 else 1)


def _show_doctor(found: DoctorReport, *, missing: bool) -> None:
    console = Console()
    console.print(
        Text.assemble(
            "isolation ", (found.isolation, "bold"), ", limits by ", (found.enforcement, "bold")
        )
    )
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("")
    table.add_column("check")
    table.add_column("found", overflow="fold")
    for check in found.checks:
        mark = Text("ok", style="green") if check.ok else Text("--", style="yellow")
        detail = Text(check.detail)
        if check.remedy and not check.ok:
            detail.append(f"\n→ {check.remedy}", style="yellow")
        table.add_row(mark, Text(check.name), detail)
    console.print(table)
    if missing:
        console.print("something that the configuration demands is missing", style="red")
