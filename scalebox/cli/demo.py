"""`scalebox demo`: judge the bundled examples and show that every verdict is the expected one."""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from scalebox.cli.options import connected, daemon_options
from scalebox.cli.render import first_line, peak_memory, reason, seconds, size, verdict_text
from scalebox.client.sync import Client
from scalebox.errors import RemoteError
from scalebox.examples import Example, load_examples
from scalebox.model import Report

Outcome = Report | RemoteError

#: A log has no width; this one leaves room for the messages.
_LOG_WIDTH = 140
#: What the columns other than the message take.
_FIXED_WIDTH = 108


@click.command()
@daemon_options
def demo(socket: Path | None, url: str | None, token: str | None, private: bool) -> None:
    """Judge bundled programs: right, wrong, slow, greedy, crashing, not compiling, talkative.

    One of the problems has a judge that allows a tolerance.  Starts a private daemon unless
    --socket or --url names one.  Exits with 1 if a verdict is not the expected one.
    """
    examples = load_examples()
    console = Console()
    if not console.is_terminal:
        console = Console(width=_LOG_WIDTH)
    private = private or (socket is None and url is None)
    if private:
        console.print("starting a private scaleboxd …")
    with connected(socket, url, token, private) as client:
        found = client.status()
        console.print(
            f"scaleboxd {found.version}: {len(found.slots)} slots, isolation {found.isolation}, "
            f"limits by {found.enforcement}"
        )
        started = time.monotonic()
        outcomes = _judge_all(client, examples, console)
        took = time.monotonic() - started
    right = sum(
        _is_expected(example, outcome) for example, outcome in zip(examples, outcomes, strict=True)
    )
    console.print(
        f"{right} of {len(examples)} verdicts are as expected ({took:.1f} s)",
        style="green" if right == len(examples) else "bold red",
    )
    if private:
        console.print("stopped the private scaleboxd")
    if right != len(examples):
        sys.exit(1)


def _judge_all(client: Client, examples: list[Example], console: Console) -> list[Outcome]:
    outcomes: list[Outcome | None] = [None] * len(examples)
    submissions = [example.submission for example in examples]
    bar = Progress(TextColumn("judging"), BarColumn(), MofNCompleteColumn(), console=console)
    task = bar.add_task("", total=len(examples))
    # On a terminal the table fills up as results come; a log gets its last state only.
    with contextlib.ExitStack() as stack:
        live = None
        if console.is_terminal:
            live = stack.enter_context(Live(console=console, transient=True))
        for index, outcome in client.judge_many(submissions, on_error="return"):
            outcomes[index] = outcome
            bar.advance(task)
            if live is not None:
                # The bar first: a low terminal cuts off what is at the end.
                live.update(Group(bar, _table(examples, outcomes, console.width)))
    console.print(_table(examples, outcomes, console.width))
    return [outcome for outcome in outcomes if outcome is not None]


def _table(examples: list[Example], outcomes: list[Outcome | None], width: int) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("problem", "language"):
        table.add_column(name, no_wrap=True)
    for name in ("expected", "verdict"):
        table.add_column(name)
    for name in ("passed", "cpu", "memory"):
        table.add_column(name, justify="right", no_wrap=True)
    left = width - _FIXED_WIDTH
    if left > 0:
        table.add_column("message", no_wrap=True, overflow="ellipsis", max_width=left)
    before = ""
    for example, outcome in zip(examples, outcomes, strict=True):
        folder = (example.submission.id or "").partition("/")[0]
        cells = _cells(example, outcome)
        table.add_row(
            Text("" if folder == before else folder),
            example.submission.language,
            Text(example.expected.value.replace("_", " ")),
            *(cells if left > 0 else cells[:-1]),
        )
        before = folder
    return table


def _cells(example: Example, outcome: Outcome | None) -> tuple[Text, ...]:
    if outcome is None:
        return (Text("…", style="dim"), Text(), Text(), Text(), Text())
    if isinstance(outcome, RemoteError):
        refused = Text("refused", style="bold red")
        return (refused, Text(), Text(), Text(), Text(first_line(outcome.message)))
    verdict = verdict_text(outcome.verdict)
    if not _is_expected(example, outcome):
        verdict = Text(f"{verdict.plain} (unexpected)", style="bold red")
    return (
        verdict,
        Text(f"{outcome.passed}/{outcome.total}"),
        Text(seconds(outcome.cpu_time_s)),
        Text(size(peak_memory(outcome))),
        Text(reason(outcome)),
    )


def _is_expected(example: Example, outcome: Outcome) -> bool:
    return isinstance(outcome, Report) and example.matches(outcome)
