"""Judging by a class of unittest's, in one module with the program: BigCodeBench's way.

Such tests replace functions that the program calls (`unittest.mock.patch`), so both are in one
process, and whatever it says is weak.  What runs there is `integrations/inside/unittests.py`; here
is what it is sent, and what is made of its records.
"""

from __future__ import annotations

import ast
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scalebox.client.aio import AsyncClient
from scalebox.errors import InternalError
from scalebox.integrations.inprocess import records_of, run_request
from scalebox.model import Integrity, Limits, RunRequest, RunResult, RunStatus, Verdict
from scalebox.suite.errors import SuiteError
from scalebox.suite.tasks import FailingCase, Grade, cut
from scalebox.syntax import parsed

#: What a test program writes beside its records, and all records together.
_RECORD_CHARS = 20_000
_OVER = {
    RunStatus.TIME_LIMIT_EXCEEDED: Verdict.TIME_LIMIT_EXCEEDED,
    RunStatus.MEMORY_LIMIT_EXCEEDED: Verdict.MEMORY_LIMIT_EXCEEDED,
    RunStatus.OUTPUT_LIMIT_EXCEEDED: Verdict.OUTPUT_LIMIT_EXCEEDED,
}
#: Prints which of the names on standard input are no modules.
_ASKED = """import importlib.util, json, sys
def has(name):
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
print(json.dumps([name for name in json.load(sys.stdin) if not has(name)]))
"""
_STATES = {"failed": Verdict.WRONG_ANSWER, "error": Verdict.RUNTIME_ERROR}
_BROKEN = {"source": Verdict.COMPILE_ERROR}


@dataclass(frozen=True, slots=True)
class TestClass:
    """The tests of a task.

    Attributes:
        program: defines the class.
        name: the class's.
        sources: of its tests, by their names, for people.
    """

    program: str
    name: str
    sources: Mapping[str, str]


def read_tests(program: str, name: str, place: str) -> TestClass:
    """Find the tests in a program.

    Parameters:
        program: Python with a class derived from `unittest.TestCase`.
        name: the class's.
        place: of the program, for messages.

    Raises:
        SuiteError: it does not compile, or the class is missing or has no test.
    """
    try:
        tree = parsed(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise SuiteError(f"{place}: the tests do not compile: {error}") from error
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    if name not in classes:
        raise SuiteError(f"{place}: the tests have no class {name}")
    lines = program.splitlines(keepends=True)
    found = {
        node.name: "".join(lines[node.lineno - 1 : node.end_lineno])
        for node in _functions(name, classes, set())
        if node.name.startswith("test")
    }
    if not found:
        raise SuiteError(f"{place}: class {name} has no test")
    return TestClass(program, name, found)


def _functions(
    name: str, classes: Mapping[str, ast.ClassDef], met: set[str]
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Of a class, those that it inherits first."""
    if name in met or name not in classes:
        return
    met.add(name)
    for base in classes[name].bases:
        if isinstance(base, ast.Name):
            yield from _functions(base.id, classes, met)
    for node in classes[name].body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(program: str) -> set[str]:
    """Top names of what a program imports when it is loaded; none of one that does not compile."""
    try:
        tree = parsed(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


async def missing_modules(client: AsyncClient, programs: Iterable[str]) -> list[str]:
    """What programs import and the judge's Python does not have.

    Raises:
        InternalError: that Python does not say what it has.
        ScaleboxError: the daemon cannot be asked.
    """
    names = sorted(set().union(*map(imported, programs)))
    asked = RunRequest(
        language="python", source=_ASKED, stdin=json.dumps(names), limits=Limits(cpu_time_s=60.0)
    )
    done = await client.run(asked)
    try:
        return [str(name) for name in json.loads(done.stdout)]
    except ValueError as error:
        words = done.stderr.decode("utf-8", "replace")[-500:] or done.message
        raise InternalError(f"the judge's Python does not say what it has: {words}") from error


async def judge(
    client: AsyncClient, tests: TestClass, program: str, limits: Limits, *, stop_early: bool
) -> Grade:
    """Run all tests beside a program, in one process.

    Parameters:
        limits: of all tests together; the CPU time must be stated.
        stop_early: run none after the first that fails.

    Raises:
        ScaleboxError: it could not be judged, which says nothing about the program.
    """
    nonce = secrets.token_hex(16)
    job = {
        "nonce": nonce,
        "code": program,
        "tests": tests.program,
        "class": tests.name,
        "stop_early": stop_early,
    }
    request = run_request(
        "unittests.py",
        job,
        cpu_time_s=limits.cpu_time_s or 0.0,
        limits=limits,
        expected_chars=_RECORD_CHARS * (len(tests.sources) + 1),
    )
    result = await client.run(request)
    heard = _Heard()
    for record in records_of(result):
        if record.get("nonce") == nonce:
            heard.hear(record)
    return _grade(result, heard, tests)


@dataclass(slots=True)
class _Heard:
    """What the records say.

    Attributes:
        total: tests that there are; None: nobody said.
        ended: test → its state and trace, in the order in which they ended.
        running: the test that has begun and not ended.
        broken: what is in the way of all tests, and why.
        outside: what failed outside of every test.
        done: whether the last test was reached.
    """

    total: int | None = None
    ended: dict[str, tuple[str, str]] = field(default_factory=dict)
    running: str = ""
    broken: tuple[str, str] | None = None
    outside: str = ""
    done: bool = False

    def hear(self, record: Mapping[str, Any]) -> None:
        match record:
            case {"total": int() as total}:
                self.total = total
            case {"begun": str() as name}:
                self.running = name
            case {"ended": str() as name, "state": str() as state, "trace": str() as trace}:
                self.running = ""
                self.ended.setdefault(name, (state, trace))
            case {"broken": str() as what, "error": str() as words}:
                self.broken = what, words
            case {"done": True, "outside": str() as outside}:
                self.done, self.outside = True, outside


def _grade(result: RunResult, heard: _Heard, tests: TestClass) -> Grade:
    failing = _failing(result, heard, tests)
    total = len(tests.sources) if heard.total is None else heard.total
    passed = sum(state == "passed" for state, _ in heard.ended.values())
    return Grade(
        verdict=Verdict.ACCEPTED if failing is None else failing.verdict,
        passed=passed,
        total=max(total, passed),
        integrity=Integrity.WEAK if failing is None else Integrity.STRONG,
        isolation=result.isolation,
        enforcement=result.enforcement,
        toolchain=result.toolchain,
        failing=failing,
        message=cut(failing.message) or "" if failing else "",
        cpu_time_s=result.cpu_time_s,
        wall_time_s=result.wall_time_s,
    )


def _failing(result: RunResult, heard: _Heard, tests: TestClass) -> FailingCase | None:
    """The first test that is not passed; None: all are, to the end."""
    for name, (state, trace) in heard.ended.items():
        if state != "passed":
            return _case(name, tests, _STATES.get(state, Verdict.RUNTIME_ERROR), trace)
    if heard.broken is not None:
        what, words = heard.broken
        return _case(heard.running, tests, _BROKEN.get(what, Verdict.RUNTIME_ERROR), words)
    if heard.outside:
        return _case("", tests, Verdict.RUNTIME_ERROR, heard.outside)
    if heard.done and heard.total and len(heard.ended) == heard.total:
        return None
    verdict = _OVER.get(result.status, Verdict.RUNTIME_ERROR)
    words = result.message or "the program ended before the tests did"
    return _case(heard.running, tests, verdict, words)


def _case(name: str, tests: TestClass, verdict: Verdict, trace: str) -> FailingCase:
    lines = trace.strip().splitlines()
    return FailingCase(
        name=name or tests.name,
        verdict=verdict,
        message=cut(lines[-1] if lines else "") or "",
        input=cut(tests.sources.get(name)),
        error_output=cut(trace),
    )
