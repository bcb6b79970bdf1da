"""`mcp`, the official SDK of the Model Context Protocol: `scalebox mcp`, asked by its client."""

from __future__ import annotations

import os

from bench.clients import Client, Served

CLIENT = Client("mcp", requirement="mcp>=2")


async def check_tools_over_stdio(served: Served) -> None:
    """`Client` over standard input: lists the tools, runs a program, judges a right and a wrong."""
    import mcp

    server = mcp.StdioServerParameters(
        command="scalebox", args=["mcp", "--socket", served.socket], env=dict(os.environ)
    )
    async with mcp.Client(server, read_timeout_seconds=120) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == {"run", "judge", "languages"}, names
        ran = await client.call_tool("run", {"source": "print(int(input()) * 2)", "stdin": "21"})
        assert ran.structured_content["stdout"] == "42\n", ran
        tests = {"type": "stdio", "cases": [{"input": "21", "answer": "42"}]}
        for source, accepted in (("print(42)", True), ("import os; os._exit(0)", False)):
            judged = await client.call_tool("judge", {"source": source, "tests": tests})
            assert judged.structured_content["accepted"] is accepted, judged
        refused = await client.call_tool("run", {"source": "", "language": "no such"})
        assert refused.is_error, refused


async def check_the_handshake_of_older_hosts(served: Served) -> None:
    """`ClientSession` with `initialize`, as hosts before 2026 do it."""
    import mcp

    server = mcp.StdioServerParameters(
        command="scalebox", args=["mcp", "--socket", served.socket], env=dict(os.environ)
    )
    async with mcp.stdio_client(server) as (read, write), mcp.ClientSession(read, write) as session:
        started = await session.initialize()
        assert started.server_info.name == "scalebox", started
        ran = await session.call_tool("run", {"source": "print(6 * 7)"})
        assert ran.structured_content["stdout"] == "42\n", ran
