"""The options that commands share: which daemon, and which language a file is in."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from scalebox.client.aio import AsyncClient
from scalebox.client.local import async_local, local
from scalebox.client.sync import Client

F = TypeVar("F", bound=Callable[..., Any])

#: A person waits: a daemon that restarts is worth two seconds, not fifteen.
_RETRIES = 4

#: Where `--ca` is kept for `connected`: commands have nothing to do with it.
_CA = "scalebox.ca"

_ENDINGS = {
    ".py": "python",
    ".c": "c",
    ".cpp": "cpp",
    ".cc": "cpp",
    ".cxx": "cpp",
    ".c++": "cpp",
    ".cs": "csharp",
    ".d": "d",
    ".go": "go",
    ".hs": "haskell",
    ".java": "java",
    ".jl": "julia",
    ".js": "javascript",
    ".kt": "kotlin",
    ".lua": "lua",
    ".ml": "ocaml",
    ".pas": "pascal",
    ".php": "php",
    ".pl": "perl",
    ".r": "r",
    ".rb": "ruby",
    ".rkt": "racket",
    ".rs": "rust",
    ".scala": "scala",
    ".sh": "bash",
    ".swift": "swift",
    ".ts": "typescript",
    ".v": "verilog",
}


def daemon_options(command: F) -> F:
    """Adds --socket, --url, --token, --ca and --local."""
    for option in (
        click.option(
            "--local", "private", is_flag=True, help="Start a private daemon for this command."
        ),
        click.option("--token", envvar="SCALEBOX_TOKEN", help="For --url; else $SCALEBOX_TOKEN."),
        click.option(
            "--ca",
            envvar="SCALEBOX_CA",
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=False,
            callback=_keep_ca,
            help="For an https:// --url: PEM file of the authorities to trust; else $SCALEBOX_CA.",
        ),
        click.option(
            "--url",
            help="The daemon's TCP address, as http(s)://host:port; several with commas, of which "
            "the first that answers is asked.",
        ),
        click.option(
            "--socket",
            type=click.Path(path_type=Path),
            help="The daemon's Unix socket.",
        ),
    ):
        command = option(command)
    return command


def _keep_ca(context: click.Context, _: click.Parameter, value: Path | None) -> Path | None:
    context.meta[_CA] = value
    return value


def _ca(url: str | None) -> Path | None:
    """The file of `--ca`, where TLS is spoken."""
    if url is None or "https://" not in url:
        return None
    kept: Path | None = click.get_current_context().meta.get(_CA)
    return kept


@contextlib.contextmanager
def connected(
    socket: Path | None, url: str | None, token: str | None, private: bool
) -> Iterator[Client]:
    """A client of the daemon that the options name.

    Raises:
        click.UsageError: they name more than one.
    """
    _check_one(socket, url, private)
    if private:
        with local() as client:
            yield client
        return
    with Client(url or socket, token=token, ca=_ca(url), retries=_RETRIES) as client:
        yield client


@contextlib.asynccontextmanager
async def async_connected(
    socket: Path | None, url: str | None, token: str | None, private: bool
) -> AsyncIterator[AsyncClient]:
    """As `connected`, for commands that ask for much at a time."""
    _check_one(socket, url, private)
    if private:
        async with async_local() as client:
            yield client
        return
    async with AsyncClient(url or socket, token=token, ca=_ca(url), retries=_RETRIES) as client:
        yield client


def _check_one(socket: Path | None, url: str | None, private: bool) -> None:
    if sum((socket is not None, url is not None, private)) > 1:
        raise click.UsageError("--socket, --url and --local exclude each other; give one")


def language_of(file: Path, given: str | None) -> str:
    """The language, given or by the file's ending.

    Raises:
        click.UsageError: the ending tells nothing.
    """
    if given:
        return given
    language = _ENDINGS.get(file.suffix.lower())
    if language is None:
        raise click.UsageError(
            f"cannot tell the language of {file.name} by its ending (known: "
            f"{', '.join(_ENDINGS)}); say it with --language"
        )
    return language


def read_source(file: Path) -> str:
    """The file's text.

    Raises:
        click.UsageError: it is not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"{file} is not UTF-8 text: {error}") from error
