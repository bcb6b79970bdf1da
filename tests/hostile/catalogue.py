"""The attacks: their files, their headers, and what must be seen of each.

A header is TOML in the first lines of the file, each after `#|` or `//|`:

    what      what it does, in a sentence
    covers    which of the `SUBJECTS` it is an attack of
    verdict   what it may get; anything else is a surprise
    test      "stdio" (default): the program gets one line of JSON, see `stage.Planted`, tries, and
              prints `contained` if nothing got through, else what did
              "assert": `tests` is the test program, `entry_point` as in HumanEval
              "call": `function` is called with each of `calls`, a list of {args, expected}
              "function": the same `function` and `calls`, put to it in every one of `WAYS`
              "run": as stdio, by `POST /v1/run`, which is asked for the files `fetch`; exactly
              those of `fetched` (name to content) may come back
    stages    of stdio: one case each, in this order, in the same slot; the stage's name is in the
              JSON.  What the first leaves the second must not find
    blob      whether the line of JSON is an uploaded blob, followed by a megabyte of empty lines
    files     further files of the submission; those of `programs/common/` are there without asking
    refused   names; a request to run with, or to fetch, a file of such a name must be refused
    limits    as in a submission
    at        table of exceptions, by level ("minimal"), enforcement ("rlimit"), or both
              ("minimal+rlimit", "minimal+root"), or, wherever it is, by way of testing ("weak",
              "assert"): `verdict`, `stopped = false` with `why`

Whatever the header says, what is accepted as a call or by asserts must be called `weak`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from scalebox.model import (
    AssertCase,
    AssertTests,
    CallCase,
    CallTests,
    Data,
    Limits,
    StdioCase,
    StdioTests,
    Submission,
    Verdict,
)

PROGRAMS = Path(__file__).with_name("programs")
KINDS = ("resources", "escape", "hacking")
#: By language: what attacks share, there under its own name in every submission.
_COMMON = {"python": "attack.py", "c": "attack.h", "cpp": "attack.h"}
_LANGUAGES = {".py": "python", ".c": "c", ".cpp": "cpp", ".sh": "sh"}
_MARKS = {".py": "#|", ".sh": "#|", ".c": "//|", ".cpp": "//|"}
CONTAINED = "contained\n"
#: The answer of every case: equal in tokens to `CONTAINED`, and to be found in no program.
ANSWER = CONTAINED + " \t \t\t \n\t \n"

#: How a function is tested: by calls, by bare asserts, by `check(candidate)`, and by asserts that
#: need the submission's process.
WAYS = ("call", "assert", "check", "weak")
_LEVELS = ("full", "user", "minimal")
_SORTING = (
    {"args": [[3, 1, 2]], "expected": [1, 2, 3]},
    {"args": [[5, 5, -1, 0]], "expected": [-1, 0, 5, 5]},
    {"args": [list(range(40, 0, -3))], "expected": list(range(1, 41, 3))},
)
#: Only a process that holds both can say what an object of the submission's is less than.
_NEEDS_ONE_PROCESS = """try:
    {0} < {0}
except TypeError:
    pass
"""

#: Starts a shell program, which is not among the languages.
_SHELL = """#include <unistd.h>
int main(void) { execl("/bin/sh", "sh", "attack.sh", (char *)0); return 127; }
"""

#: What untrusted programs do; every subject must be covered.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "resources": (
        "fork bomb", "double fork daemon", "orphan", "thread bomb", "memory touched",
        "memory not touched", "mmap", "shared memory", "tmpfs files", "pipe buffers",
        "socket buffers", "managed heap", "huge static array", "deep recursion", "stdout flood",
        "stderr flood", "endless unread stdout", "sparse file", "file size", "inodes",
        "directory depth", "descriptors", "sleep", "spin", "slow drip", "CPU in children",
        "CPU in threads", "SIGSTOP", "SIGTERM ignored", "core dump", "timers", "nice",
        "affinity",
    ),
    "escape": (
        "answers", "other submissions", "configuration", "environment", "keys", "/proc of others",
        "/proc/1", "/proc of the daemon", "/sys", "ptrace", "process_vm_readv", "pidfd_getfd",
        "signals to pid 1", "signals to the daemon", "kill(-1)", "prlimit of pid 1", "setuid",
        "user namespace", "mount", "chroot", "links in fetched files",
        "special files in fetched files", "leftover files", "/dev/shm", "SysV IPC",
        "POSIX queues", "abstract sockets", "pathname sockets", "keyrings", "file locks",
        "io_uring", "userfaultfd", "vsock", "BPF", "perf_event_open", "inherited descriptors",
        "writable inputs", "loopback", "host network", "metadata addresses", "DNS",
        "harness files", "compile-time reading", "compile-time bomb", "hostile file names",
        "masked /proc",
    ),
    "hacking": (
        "early exit", "exit in a constructor", "always equal", "patched builtins",
        "patched unittest", "patched pytest", "patched math", "patched json", "patched stdout",
        "patched time", "conftest.py", "sitecustomize.py", ".pth", "frames", "gc", "test file",
        "/proc/self/mem", "inherited channel", "success marker", "forged result", "SystemExit",
        "proxy object", "generator", "swallowed time-out", "background thread",
        "hard-coded samples",
    ),
}  # fmt: skip


class Exception_(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is different at some level or enforcement."""

    verdict: tuple[Verdict, ...] | None = None
    stopped: bool = True
    why: str = ""


class Header(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a program says of itself; see the head of this file."""

    what: str
    covers: tuple[str, ...]
    verdict: tuple[Verdict, ...]
    test: Literal["stdio", "assert", "call", "function", "run"] = "stdio"
    stages: tuple[str, ...] = ("only",)
    limits: dict[str, Any] = {}
    tests: str = ""
    entry_point: str = ""
    function: str = ""
    calls: tuple[dict[str, Any], ...] = _SORTING
    files: dict[str, str] = {}
    blob: bool = False
    fetch: tuple[str, ...] = ()
    fetched: dict[str, str] = {}
    refused: tuple[str, ...] = ()
    at: dict[str, Exception_] = {}


class Program(Struct, frozen=True):
    """One attack.

    Attributes:
        name: its file below `programs/`, without the ending.
        kind: one of `KINDS`.
        language: `python`, `c`, `cpp` or `sh`.
        source: its text, header included.
        header: what it says of itself.
    """

    name: str
    kind: str
    language: str
    source: str
    header: Header

    def each_way(self) -> dict[str, Program]:
        """It in each way of testing that it is put to, with what must be seen there."""
        header = self.header
        ways = WAYS if header.test == "function" else (header.test,)
        return {way: msgspec.structs.replace(self, header=_in_one_way(header, way)) for way in ways}

    def expected(self, level: str, enforcement: str, root: bool) -> Exception_:
        """What must be seen there; its `verdict` is set."""
        names = (f"{level}+root",) if root else ()
        for name in (*names, f"{level}+{enforcement}", level, enforcement):
            found = self.header.at.get(name)
            if found is not None:
                return Exception_(
                    verdict=found.verdict or self.header.verdict,
                    stopped=found.stopped,
                    why=found.why,
                )
        return Exception_(verdict=self.header.verdict)

    def sent(self) -> tuple[str, str, dict[str, Data]]:
        """Language, source and files of the submission."""
        files: dict[str, Data] = dict(self.header.files)
        if self.language == "sh":
            return "c", _SHELL, {**files, "attack.sh": self.source}
        name = _COMMON[self.language]
        return self.language, self.source, {name: _common(name), **files}

    def lines(self, planted: dict[str, Any]) -> list[str]:
        """What the standard input of each stage is."""
        return [
            msgspec.json.encode({**planted, "stage": stage}).decode() + "\n"
            for stage in self.header.stages
        ]

    def submission(self, planted: dict[str, Any]) -> Submission:
        """What is sent to the daemon.

        Parameters:
            planted: what stdio programs are told.
        """
        language, source, files = self.sent()
        return Submission(
            language=language,
            source=source,
            files=files,
            tests=self._tests(planted),
            limits=msgspec.convert(self.header.limits, Limits),
            stop="never",
            return_output="all",
            id=self.name,
        )

    def _tests(self, planted: dict[str, Any]) -> StdioTests | CallTests | AssertTests:
        header = self.header
        if header.test == "assert":
            return AssertTests(
                cases=[AssertCase(program=header.tests)], entry_point=header.entry_point or None
            )
        if header.test == "call":
            cases = [
                CallCase(args=case["args"], expected=case["expected"]) for case in header.calls
            ]
            return CallTests(function=header.function, cases=cases)
        return StdioTests(
            cases=[StdioCase(input=line, answer=ANSWER) for line in self.lines(planted)]
        )


@cache
def _common(name: str) -> str:
    return (PROGRAMS / "common" / name).read_text(encoding="utf-8")


def _in_one_way(header: Header, way: str) -> Header:
    """The header of an attack that is put to one way of testing."""
    exception = header.at.get(way)
    if exception is not None:
        header = msgspec.structs.replace(header, at=dict.fromkeys(_LEVELS, exception))
    if header.test != "function":
        return header
    if way == "call":
        return msgspec.structs.replace(header, test="call")
    name = "candidate" if way == "check" else header.function
    lines = [f"assert {name}(*{case['args']!r}) == {case['expected']!r}" for case in header.calls]
    if way == "check":
        lines = ["def check(candidate):", *("    " + line for line in lines)]
    elif way == "weak":
        lines.insert(0, _NEEDS_ONE_PROCESS.format(name))
    return msgspec.structs.replace(
        header,
        test="assert",
        tests="\n".join(lines) + "\n",
        entry_point=header.function if way == "check" else "",
    )


class HeaderError(ValueError):
    """A program's header is not as it must be; names the file."""


def read(path: Path) -> Program:
    """One program.

    Raises:
        HeaderError: the header is not valid.
    """
    source = path.read_text(encoding="utf-8")
    mark = _MARKS[path.suffix]
    lines = []
    for line in source.splitlines():
        if not line.startswith(mark):
            break
        lines.append(line[len(mark) :].removeprefix(" "))
    kind = path.parent.name
    try:
        header = msgspec.convert(tomllib.loads("\n".join(lines)), Header)
    except (ValueError, msgspec.ValidationError) as error:
        raise HeaderError(f"{path}: {error}") from error
    unknown = set(header.covers) - set(SUBJECTS[kind])
    if unknown or not header.covers:
        raise HeaderError(f"{path}: `covers` names {sorted(unknown) or 'nothing'}")
    for name, exception in header.at.items():
        if not exception.stopped and not exception.why:
            raise HeaderError(f"{path}: at.{name}: say why it is not stopped")
    return Program(f"{kind}/{path.stem}", kind, _LANGUAGES[path.suffix], source, header)


def programs() -> list[Program]:
    """All of them, by kind and name.

    Raises:
        HeaderError: a header is not valid, or two programs have one name.
    """
    found: dict[str, Program] = {}
    for kind in KINDS:
        for path in sorted((PROGRAMS / kind).iterdir()):
            if path.suffix in _LANGUAGES:
                program = read(path)
                if program.name in found:
                    raise HeaderError(f"{path}: another program has this name")
                found[program.name] = program
    return list(found.values())
