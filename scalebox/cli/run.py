"""`scalebox run`: a program under the sandbox's limits, as if started by hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from scalebox.cli.options import connected, daemon_options, language_of, read_source
from scalebox.cli.render import printable, seconds, size
from scalebox.model import Blob, Limits, RunRequest, RunResult, RunStatus

#: As `timeout(1)` ends for a program that it stopped.
_EXIT_LIMIT = 124


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("args", nargs=-1)
@click.option("--stdin", type=click.File("rb"), help="Its standard input; - for your own.")
@click.option("--language", help="Unless the file's ending tells it.")
@click.option(
    "--cpu",
    "cpu_time_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="CPU time that it may use; else the daemon's default.",
)
@click.option(
    "--memory",
    "memory_mib",
    type=click.IntRange(min=1),
    metavar="MIB",
    help="Memory that it may use; else the daemon's default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
@daemon_options
def run(
    file: Path,
    args: tuple[str, ...],
    stdin: BinaryIO | None,
    language: str | None,
    cpu_time_s: float | None,
    memory_mib: int | None,
    as_json: bool,
    socket: Path | None,
    url: str | None,
    token: str | None,
    private: bool,
) -> None:
    """Run the program in FILE with ARGS (those that look like options after a --).

    Its output goes to yours.  Exits as the program does (128 and the signal's number if one ended
    it), with 124 over a limit, with 2 if it could not be run.
    """
    request = RunRequest(
        language=language_of(file, language),
        source=read_source(file),
        args=list(args),
        stdin="" if stdin is None else Blob(data=stdin.read()),
        limits=Limits(
            cpu_time_s=cpu_time_s,
            memory_bytes=None if memory_mib is None else memory_mib << 20,
        ),
    )
    with connected(socket, url, token, private) as client:
        result = client.run(request)
    if as_json:
        click.echo(msgspec.json.encode(result))
    else:
        click.echo(result.stdout, nl=False)
        click.echo(result.stderr, nl=False, err=True)
        if result.status is not RunStatus.FINISHED:
            click.echo(_explain(result), err=True)
    sys.exit(_exit_code(result))


def _explain(result: RunResult) -> str:
    words = result.status.value.replace("_", " ")
    if result.signal is not None:
        words += f", signal {result.signal}"
    elif result.exit_code:
        words += f", exit status {result.exit_code}"
    if result.compile is not None and not result.compile.ok:
        return f"scalebox: {words}\n{printable(result.compile.message.rstrip())}"
    usage = f"{seconds(result.cpu_time_s)} CPU, {size(result.memory_bytes)}"
    if result.status is RunStatus.COMPILE_ERROR or not result.message:
        # Why, the interpreter has said on the program's standard error.
        return f"scalebox: {words} ({usage})"
    return f"scalebox: {words} ({usage}): {printable(result.message)}"


def _exit_code(result: RunResult) -> int:
    match result.status:
        case RunStatus.FINISHED:
            return 0
        case RunStatus.RUNTIME_ERROR:
            if result.signal is not None:
                return 128 + result.signal
            return result.exit_code or 1
        case RunStatus.COMPILE_ERROR | RunStatus.INTERNAL_ERROR | RunStatus.CANCELLED:
            return 2
        case _:
            return _EXIT_LIMIT
