"""`scalebox mcp`: the daemon as tools of an agent, over standard input and output."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from scalebox.cli.options import async_connected, daemon_options
from scalebox.errors import ScaleboxError


@click.command()
@daemon_options
def mcp(socket: Path | None, url: str | None, token: str | None, private: bool) -> None:
    """Serve the Model Context Protocol on standard input and output, for agents.

    Its tools run programs, judge them, and say which languages there are.  Ends with its input.
    """
    try:
        from scalebox.integrations.mcp import serve
    except ImportError as error:
        raise ScaleboxError(str(error)) from error

    async def answer() -> None:
        async with async_connected(socket, url, token, private) as client:
            await serve(client)

    asyncio.run(answer())
