"""`scalebox mcp`, asked by the official client as an agent's host asks: over standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

import scalebox
from scalebox import Problem, StdioCase, StdioTests
from scalebox.integrations.mcp import CASE_CHARS, OUTPUT_CHARS, SHOWN_CASES
from tests.daemons import Daemon, Kind, place

DOUBLE = "print(2 * int(input()))"
PAIRS = [{"input": str(n), "answer": str(2 * n)} for n in range(1, 9)]
#: Programs that earn what they do not solve, where a judge looks at the exit status or trusts ==.
HACKS = [
    "import os; os._exit(0)",
    "import sys; sys.exit(0)",
    "print('accepted')",
    "import os\nfor n in os.listdir('/proc/self/fd'): print(os.pread(int(n), 99, 0).decode())",
]


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    kind = Kind("minimal" if os.geteuid() else "full")
    with place(kind) as where, where.start() as started:
        yield started


@asynccontextmanager
async def tools(socket: Path) -> AsyncIterator[Client]:
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "scalebox.cli", "mcp", "--socket", str(socket)]
    )
    async with Client(server, read_timeout_seconds=120) as client:
        yield client


def text_of(result: CallToolResult) -> str:
    [block] = result.content
    assert isinstance(block, TextContent)
    return block.text


async def called(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    """The structured output of a call, which fits its schema."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, text_of(result)
    document: dict[str, Any] = result.structured_content
    listed = await client.list_tools()
    [schema] = [tool.output_schema for tool in listed.tools if tool.name == name]
    jsonschema.validate(document, schema)
    return document


async def refusal(client: Client, name: str, **arguments: Any) -> str:
    """The words of a call that is refused."""
    result = await client.call_tool(name, arguments)
    assert result.is_error
    return text_of(result)


async def test_tools_describe_themselves(daemon: Daemon) -> None:
    async with tools(daemon.place.socket) as client:
        found = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert found.keys() == {"run", "judge", "languages"}
    for tool in found.values():
        assert len(tool.description or "") > 40
        for schema in (tool.input_schema, tool.output_schema):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema is not None
            assert schema["type"] == "object"
    assert found["run"].input_schema["required"] == ["source"]


async def test_a_program_is_run_with_input_arguments_and_files(daemon: Daemon) -> None:
    source = "import sys, a\nprint(input(), sys.argv[1], a.b, file=sys.stderr)\nsys.exit(3)"
    async with tools(daemon.place.socket) as client:
        said = await called(
            client,
            "run",
            source=source,
            stdin="line\n",
            args=["word"],
            files={"a.py": "b = 7"},
        )
    assert (said["status"], said["exit_code"]) == ("runtime_error", 3)
    assert (said["stdout"], said["stderr"]) == ("", "line word 7\n")
    assert said["cpu_time_s"] > 0


async def test_limits_hold(daemon: Daemon) -> None:
    async with tools(daemon.place.socket) as client:
        said = await called(client, "run", source="while True: pass", limits={"cpu_time_s": 0.2})
    assert said["status"] == "time_limit_exceeded"


@pytest.mark.parametrize("size", [3 * OUTPUT_CHARS, 12 << 20])
async def test_long_output_is_cut_in_the_middle(daemon: Daemon, size: int) -> None:
    async with tools(daemon.place.socket) as client:
        said = await called(client, "run", source=f"print('(' + 'é' * {size // 2} + ')')")
        text = said["stdout"]
        assert text.startswith("(éé")
        assert text.endswith("éé)\n")
        assert OUTPUT_CHARS <= len(text) < OUTPUT_CHARS + 100


async def test_a_compiled_language_tells_what_the_compiler_says(daemon: Daemon) -> None:
    async with tools(daemon.place.socket) as client:
        said = await called(client, "run", source="int main() { return x; }", language="cpp")
        assert said["status"] == "compile_error"
        assert "x" in said["compiler"]


async def test_pairs_decide(daemon: Daemon) -> None:
    async with tools(daemon.place.socket) as client:
        tests = {"type": "stdio", "cases": PAIRS}
        right = await called(client, "judge", source=DOUBLE, tests=tests)
        assert (right["verdict"], right["accepted"]) == ("accepted", True)
        assert (right["passed"], right["total"], right["failed"]) == (8, 8, [])
        assert right["integrity"] == "strong"
        wrong = await called(client, "judge", source="print('n' * 50000)", tests=tests)
        assert (wrong["verdict"], wrong["accepted"]) == ("wrong_answer", False)
        assert (wrong["passed"], len(wrong["failed"])) == (0, SHOWN_CASES)
        assert all(len(case["output"]) < CASE_CHARS + 100 for case in wrong["failed"])


async def test_a_judge_can_be_named(daemon: Daemon) -> None:
    async with tools(daemon.place.socket) as client:
        judge = {"type": "compare", "float_absolute_tolerance": 0.01}
        tests = {"type": "stdio", "cases": [{"answer": "3.14159"}], "judge": judge}
        assert (await called(client, "judge", source="print(3.14)", tests=tests))["accepted"]


async def test_calls_and_asserts_decide(daemon: Daemon) -> None:
    async with tools(daemon.place.socket) as client:
        source = "def twice(n): return n * 2"
        calls = {"type": "call", "function": "twice", "cases": [{"args": [4], "expected": 8}]}
        assert (await called(client, "judge", source=source, tests=calls))["accepted"]
        asserts = {"type": "assert", "cases": [{"program": "assert twice(4) == 8"}]}
        assert (await called(client, "judge", source=source, tests=asserts))["accepted"]
        asserts = {"type": "assert", "cases": [{"program": "assert twice(4) == 9"}]}
        assert not (await called(client, "judge", source=source, tests=asserts))["accepted"]


async def test_a_problem_goes_by_its_id(daemon: Daemon) -> None:
    tests = StdioTests(cases=[StdioCase(input="4", answer="8")])
    with scalebox.Client(str(daemon.place.socket)) as registrar:
        registrar.put_problem("mcp/double", Problem(tests=tests))
    async with tools(daemon.place.socket) as client:
        assert (await called(client, "judge", source=DOUBLE, problem="mcp/double"))["accepted"]


async def test_who_does_not_solve_the_task_is_not_accepted(daemon: Daemon) -> None:
    async with tools(daemon.place.socket) as client:
        tests = {"type": "stdio", "cases": PAIRS}
        for source in HACKS:
            said = await called(client, "judge", source=source, tests=tests)
            assert (said["accepted"], said["passed"]) == (False, 0), source


async def test_languages_are_those_that_can_be_run(daemon: Daemon) -> None:
    async with tools(daemon.place.socket) as client:
        said = await called(client, "languages")
        by_name = {one["name"]: one for one in said["languages"]}
        assert {"python", "c", "cpp"} <= by_name.keys()
        assert all(one["toolchain"] for one in by_name.values())


async def test_what_does_not_fit_is_said_with_its_place(daemon: Daemon) -> None:
    async with tools(daemon.place.socket) as client:
        assert "`$.stdin`" in await refusal(client, "run", source="", stdin=7)
        assert "sauce" in await refusal(client, "run", sauce="", source="")
        assert "no tool 'rum'" in await refusal(client, "rum")
        assert "language" in await refusal(client, "run", source="", language="klingon")
        assert "tests" in await refusal(client, "judge", source="")
        limits = {"cpu_time_s": 1e9}
        assert "limits" in await refusal(client, "run", source="", limits=limits)


async def test_a_daemon_that_is_away_is_an_error_and_no_end(tmp_path: Path) -> None:
    async with tools(tmp_path / "nobody") as client:
        for _ in range(2):
            result = await client.call_tool("run", {"source": "print(1)"})
            assert result.is_error
            assert "nobody" in text_of(result)


def test_without_the_package_it_is_said_what_to_install() -> None:
    program = (
        "import sys; sys.modules['mcp'] = None\n"
        "from scalebox.cli import main; main(['mcp', '--local'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'scalebox[mcp]'" in done.stderr
    assert "Traceback" not in done.stderr
