"""The command group: what `scalebox` knows, and how its errors look.

Exit codes: 0 yes, 1 no (the program is not accepted, a verdict is not the expected one), 2 an error
of the call, of the daemon or of ours, 130 interrupted.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import click

from scalebox import __version__
from scalebox.cli.demo import demo
from scalebox.cli.evaluate import evaluate
from scalebox.cli.inspect import cluster, doctor, languages, status
from scalebox.cli.judge import judge
from scalebox.cli.judges import judges
from scalebox.cli.mcp import mcp
from scalebox.cli.run import run
from scalebox.errors import ConnectionFailedError, RemoteError, ScaleboxError

#: As a shell reports a program that SIGINT ended.
_EXIT_INTERRUPTED = 130


class _Failure(click.ClickException):
    exit_code = 2


class _Group(click.Group):
    """Turns the package's errors into sentences."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RemoteError as error:
            where = f" (at {error.field})" if error.field else ""
            raise _Failure(f"the daemon refused this{where}: {error.message}") from error
        except ConnectionFailedError as error:
            raise _Failure(
                f"{error.message}. On the command line: --socket PATH or --url URL says where it "
                "is, --local uses a private one for this command"
            ) from error
        except ScaleboxError as error:
            raise _Failure(error.message) from error
        except OSError as error:
            raise _Failure(str(error)) from error
        except KeyboardInterrupt:
            click.echo("\ninterrupted", err=True)
            ctx.exit(_EXIT_INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="scalebox")
def main() -> None:
    """Decide whether code is right, with the help of scaleboxd.

    The daemon is found at $SCALEBOX_SOCKET or the default socket; --socket, --url and --local say
    otherwise.
    """
    for stream in (sys.stdout, sys.stderr):
        # Programs' words and our own go beyond what the user's encoding can say.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


for _command in (judge, run, evaluate, status, cluster, doctor, languages, judges, mcp, demo):
    main.add_command(_command)
