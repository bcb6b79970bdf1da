"""ScaleBox as tools of an agent: a server of the Model Context Protocol over standard input.

Three tools: `run` a program, `judge` one, and which `languages` there are.  What they take and give
are structures with JSON schemas; what they give is cut, since a model has to read it.  A refusal
and a failure of ScaleBox's own are told as errors; a verdict about the program is none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

try:
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server
    from mcp.types import (
        CallToolRequestParams,
        CallToolResult,
        ListToolsResult,
        PaginatedRequestParams,
        TextContent,
        ToolAnnotations,
    )
    from mcp.types import Tool as ToolInfo
except ImportError as error:
    raise ImportError(
        f"scalebox mcp needs the package mcp: pip install 'scalebox[mcp]' ({error})"
    ) from error

from scalebox import __version__
from scalebox.client.aio import AsyncClient
from scalebox.errors import BadRequestError, RemoteError, ScaleboxError
from scalebox.model import (
    AssertTests,
    CallTests,
    Comparison,
    CompileResult,
    LanguageInfo,
    Limits,
    NamedJudge,
    Report,
    RunRequest,
    RunResult,
    RunStatus,
    StdioCase,
    StdioTests,
    Submission,
    Tests,
    Verdict,
)

#: Of each output of a plain run, and of a compiler.
OUTPUT_CHARS = 10_000
#: Of each output, and each message, of a case that was not accepted.
CASE_CHARS = 2_000
#: Cases that were not accepted, of which more is told than that there were so many.
SHOWN_CASES = 5
#: A character takes four bytes at most.
_CHAR_BYTES = 4

_INSTRUCTIONS = (
    "Runs untrusted programs in a sandbox, under limits of CPU time and memory, and judges whether "
    "they are right. The sandbox has no network, and keeps no files from one call to the next. "
    "An error means that nothing was found out about the program."
)

Language = Annotated[str, Meta(max_length=64, description="a name from the tool `languages`")]
Source = Annotated[str, Meta(description="text of the program's main file")]
Files = Annotated[
    dict[str, str], Meta(description="further text files beside the program, by relative path")
]


class RunArguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `run` takes."""

    source: Source
    language: Language = "python"
    stdin: Annotated[str, Meta(description="standard input")] = ""
    args: Annotated[list[str], Meta(description="command-line arguments")] = []
    files: Files = {}
    limits: Limits = Limits()


class Ran(Struct, frozen=True, kw_only=True):
    """What `run` gives."""

    status: RunStatus
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    signal: int | None = None
    cpu_time_s: float = 0.0
    wall_time_s: float = 0.0
    memory_bytes: int = 0
    compiler: str = ""
    message: str = ""


class StdioPair(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the program reads, and what it must write."""

    input: str = ""
    answer: str = ""


class StdioPairs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="stdio"):
    """The program reads standard input and writes standard output."""

    cases: list[StdioPair]
    judge: Comparison | NamedJudge = Comparison()


class JudgeArguments(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `judge` takes: the tests, or the id of a problem that the daemon has."""

    source: Source
    language: Language = "python"
    tests: StdioPairs | CallTests | AssertTests | None = None
    problem: Annotated[str, Meta(max_length=200, description="in place of tests")] | None = None
    files: Files = {}
    limits: Limits = Limits()


class Failed(Struct, frozen=True, kw_only=True):
    """A case that was not accepted."""

    name: str
    verdict: Verdict
    message: str = ""
    output: str = ""
    error_output: str = ""
    cpu_time_s: float = 0.0
    memory_bytes: int = 0


class Judged(Struct, frozen=True, kw_only=True):
    """What `judge` gives; of the cases that were not accepted, the first few.

    Integrity is `weak` where the program could have forged the result.
    """

    verdict: Verdict
    accepted: bool
    passed: int
    total: int
    integrity: str
    failed: list[Failed] = []
    compiler: str = ""
    message: str = ""


class NoArguments(Struct, frozen=True, forbid_unknown_fields=True):
    """What `languages` takes."""


class Languages(Struct, frozen=True, kw_only=True):
    """What `languages` gives: those whose tool chain is there."""

    languages: list[LanguageInfo]


@dataclass(frozen=True)
class _Tool:
    """One tool.

    Attributes:
        description: for the model.
        takes, gives: structures.
        work: from one to the other, and whether it is a failure that says nothing of the program.
    """

    description: str
    takes: type[Struct]
    gives: type[Struct]
    work: Callable[[AsyncClient, Any], Awaitable[tuple[Struct, bool]]]

    def info(self, name: str) -> ToolInfo:
        return ToolInfo(
            name=name,
            description=self.description,
            input_schema=_schema(self.takes),
            output_schema=_schema(self.gives),
            # Whatever a program does, it does in a sandbox that is emptied afterwards.
            annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False),
        )


def _schema(kind: type[Struct]) -> dict[str, Any]:
    """Its JSON schema, an object at the top as the protocol wants it."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    name = schema["$ref"].rpartition("/")[2]
    return {**components.pop(name), "$defs": components}


async def _run(client: AsyncClient, wanted: RunArguments) -> tuple[Ran, bool]:
    result = await client.run(
        RunRequest(
            language=wanted.language,
            source=wanted.source,
            stdin=wanted.stdin,
            args=wanted.args,
            files=dict(wanted.files),
            limits=wanted.limits,
        )
    )
    failed = result.status in (RunStatus.INTERNAL_ERROR, RunStatus.CANCELLED)
    return _ran(result), failed


def _ran(result: RunResult) -> Ran:
    return Ran(
        status=result.status,
        stdout=_text(result.stdout),
        stderr=_text(result.stderr),
        exit_code=result.exit_code,
        signal=result.signal,
        cpu_time_s=result.cpu_time_s,
        wall_time_s=result.wall_time_s,
        memory_bytes=result.memory_bytes,
        compiler=_compiler(result.compile),
        message=_cut(result.message, OUTPUT_CHARS),
    )


async def _judge(client: AsyncClient, wanted: JudgeArguments) -> tuple[Judged, bool]:
    report = await client.judge(
        Submission(
            language=wanted.language,
            source=wanted.source,
            tests=_tests(wanted.tests),
            problem=wanted.problem,
            files=dict(wanted.files),
            limits=wanted.limits,
            stop="never",
            return_output="failed",
        )
    )
    return _judged(report), not report.verdict.is_about_the_program


def _tests(given: StdioPairs | CallTests | AssertTests | None) -> Tests | None:
    if isinstance(given, StdioPairs):
        cases = [StdioCase(input=case.input, answer=case.answer) for case in given.cases]
        return StdioTests(cases=cases, judge=given.judge)
    return given


def _judged(report: Report) -> Judged:
    failed = [
        Failed(
            name=case.name,
            verdict=case.verdict,
            message=_cut(case.message, CASE_CHARS),
            output=_cut(case.output or "", CASE_CHARS),
            error_output=_cut(case.error_output or "", CASE_CHARS),
            cpu_time_s=case.cpu_time_s,
            memory_bytes=case.memory_bytes,
        )
        for case in report.cases
        if case.verdict is not Verdict.ACCEPTED
    ]
    return Judged(
        verdict=report.verdict,
        accepted=report.accepted,
        passed=report.passed,
        total=report.total,
        integrity=report.integrity,
        failed=failed[:SHOWN_CASES],
        compiler=_compiler(report.compile),
        message=_cut(report.message, OUTPUT_CHARS),
    )


async def _languages(client: AsyncClient, _: NoArguments) -> tuple[Languages, bool]:
    return Languages(languages=[one for one in await client.languages() if one.available]), False


def _compiler(compiled: CompileResult | None) -> str:
    return "" if compiled is None else _cut(compiled.message, OUTPUT_CHARS)


def _text(data: bytes) -> str:
    """Output as text; of megabytes, only its two ends are looked at."""
    most = OUTPUT_CHARS * _CHAR_BYTES
    if len(data) <= 2 * most:
        return _cut(data.decode("utf-8", "replace"), OUTPUT_CHARS)
    ends = (data[:most].decode("utf-8", "replace"), data[-most:].decode("utf-8", "replace"))
    half = OUTPUT_CHARS // 2
    return f"{ends[0][:half]}\n[... of {len(data)} bytes ...]\n{ends[1][-half:]}"


def _cut(text: str, most: int) -> str:
    """Text with its middle left out, if it is long."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters ...]\n{text[-half:]}"


TOOLS: dict[str, _Tool] = {
    "run": _Tool(
        "Run a program in a sandbox with the given standard input, and get its output. The middle "
        "of long output is left out.",
        RunArguments,
        Ran,
        _run,
    ),
    "judge": _Tool(
        "Decide whether a program is right: by pairs of standard input and expected output, by "
        "calls of a function of it, by test programs made of asserts, or by a problem that is "
        "registered.",
        JudgeArguments,
        Judged,
        _judge,
    ),
    "languages": _Tool(
        "Which programming languages can be run, and by which compiler or interpreter.",
        NoArguments,
        Languages,
        _languages,
    ),
}


def make_server(client: AsyncClient) -> Server[dict[str, Any]]:
    """A server whose tools ask a daemon.

    Parameters:
        client: of the daemon; open for as long as the server runs.
    """

    async def list_tools(_: Any, __: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[tool.info(name) for name, tool in TOOLS.items()])

    async def call_tool(_: Any, params: CallToolRequestParams) -> CallToolResult:
        try:
            given, failed = await _call(client, params.name, params.arguments or {})
        except ScaleboxError as error:
            return CallToolResult(content=[_words(_explained(error))], is_error=True)
        document = msgspec.to_builtins(given)
        text = msgspec.json.encode(given).decode()
        return CallToolResult(content=[_words(text)], structured_content=document, is_error=failed)

    return Server(
        "scalebox",
        version=__version__,
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _call(client: AsyncClient, name: str, arguments: dict[str, Any]) -> tuple[Struct, bool]:
    tool = TOOLS.get(name)
    if tool is None:
        raise BadRequestError(f"no tool {name!r:.80}; there are {', '.join(TOOLS)}")
    try:
        wanted = msgspec.convert(arguments, tool.takes)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadRequestError(f"the arguments do not fit: {error}") from error
    return await tool.work(client, wanted)


def _words(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def _explained(error: ScaleboxError) -> str:
    where = f" (at {error.field})" if isinstance(error, RemoteError) and error.field else ""
    return _cut(f"{error.message}{where}", CASE_CHARS)


async def serve(client: AsyncClient) -> None:
    """Answer on standard output what is asked on standard input, until that ends.

    Parameters:
        client: of the daemon.
    """
    server = make_server(client)
    async with stdio_server() as (asked, answered):
        await server.run(asked, answered, server.create_initialization_options())
