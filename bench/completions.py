"""MultiPL-E's tasks as submissions: a model's answer without what the test program brings itself.

A model's answer is a chat message with a whole program in it; the tasks ask for a function, and the
test program of half of the languages closes that function.  What is cut off here is the message
around the program, its own beginning (`main`), and the last braces.  A hollow submission is the
same with a first statement that returns a constant, whatever the function was given.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """How a language's tasks look.

    Attributes:
        language: as submissions name it.
        main: pattern of the header of a program's beginning; empty: it may stay.
        closed: how many braces at the end the test program brings.
        header: pattern of the function's header, `{name}` being its name; up to where its first
            statement may stand.
        hollow: that statement; `{type}` is what `result` found in the prompt's header.
        result: pattern of the type that the function returns.
        zeros: values of types that have no value in common.
    """

    language: str
    main: str = ""
    closed: int = 0
    header: str = r"\b{name}\b.*?\{{[ \t]*(?=\n|//|#)"
    hollow: str = ""
    result: str = ""
    zeros: tuple[tuple[str, str], ...] = ()


_JAVA_ZEROS = (
    ("long", "0L"), ("int", "0"), ("float", "0f"), ("double", "0d"), ("boolean", "false"),
    ("String", '""'),
)  # fmt: skip
_JAVA_RESULT = r"static\s+(.+?)\s+\w+\("
#: In no comment.
_HEADER = r"(?m)^(?![ \t]*(?://|\*|/\*))[^\n]*\b{name}\s*\([^;]*?\{{"
#: The file's ending → how it looks.
SHAPES = {
    "cpp": Shape("cpp", r"\bint\s+main\s*\([^)]*\)\s*\{", 1, hollow="return {{}};"),
    "cs": Shape(
        "csharp", r"(?:public\s+|private\s+)?static\s+(?:async\s+)?\w+\s+Main\s*\([^)]*\)\s*\{", 2,
        header=_HEADER, hollow="if (true) return default({type});",
        result=_JAVA_RESULT,
    ),
    "d": Shape(
        "d", r"\b(?:void|int)\s+main\s*\([^)]*\)\s*\{", 0,
        header=_HEADER, hollow="if (true) return typeof(return).init;",
    ),
    "go": Shape(
        "go", r"\bfunc\s+(?:main|Test\w*|Example\w*)\s*\([^)]*\)\s*\{",
        hollow="if true {{ var none {type}; return none }}",
        result=r"func\s+\w+\(.*\)\s*(.+?)\s*\{",
    ),
    "java": Shape(
        "java", r"public\s+static\s+void\s+main\s*\([^)]*\)\s*(?:throws[\w\s,]+)?\{", 2,
        hollow="if (true) return {type};", result=_JAVA_RESULT, zeros=_JAVA_ZEROS,
    ),
    "jl": Shape("julia", header=r"function\s+{name}\b[^\n]*", hollow="return nothing"),
    "js": Shape("javascript", hollow="return null;"),
    "lua": Shape("lua", header=r"function\s+{name}\b[^\n]*?\)", hollow="do return nil end"),
    "php": Shape("php", header=r"\b{name}\b[^;]*?\{{", hollow="return null;"),
    "pl": Shape("perl", header=r"sub\s+{name}\s*\{{", hollow="return undef;"),
    "r": Shape("r", header=r"\b{name}\s*<-\s*function\s*\(.*?\)\s*\{{", hollow="return(NULL)"),
    "rb": Shape("ruby", header=r"def\s+{name}\b[^\n]*", hollow="return nil"),
    "rkt": Shape(
        "racket", header=r"(?=\(define\s+\({name}[\s)])",
        hollow="(define ({name} . given) (void))\n(define hollow-{name} '())\n#;",
    ),
    "rs": Shape(
        "rust", r"\bfn\s+main\s*\(\s*\)\s*(?:->[^{]+)?\{", 1,
        hollow="if true {{ return Default::default(); }}",
    ),
    "scala": Shape(
        "scala", r"def\s+main\s*\([^)]*\)[^{\n]*\{", 2, header=r"\b{name}\b[^\n]*?=\s*\{{",
        hollow="if (true) return null.asInstanceOf[{type}];", result=r"\)\s*:\s*(.+?)\s*=\s*\{",
    ),
    "sh": Shape("bash", closed=1, hollow="return 0"),
    "ts": Shape("typescript", hollow="return null as any;"),
}  # fmt: skip
_BLOCK = re.compile(r"```[\w#+-]*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
#: What braces mean nothing in.
_SKIPPED = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'|[{}]""", re.DOTALL
)
_IMPORT = re.compile(r"(?m)^(?:using .*;|import .*[^(\n]|#include.*)$")
_GO_IMPORT = re.compile(r'(?m)^(?:import )?[ \t]*"([\w/]+)"\n')
_PACKAGE = re.compile(r"(?m)^package \w+$")
_GO_IMPORTS = re.compile(r"(?m)^import \(([^)]*)\)")
_FUNCTION = re.compile(r"(?:(\w+)\s*<-\s*function|\(define\s+\((\w+)|(\w+)\s*\()(?!.*\bfunction\b)")


@dataclass(frozen=True, slots=True)
class Task:
    """One row.

    Attributes:
        name: of the row.
        language: as submissions name it.
        source: a model's answer, ready to be joined with the test program.
        hollow: the same, broken; empty: nobody knows how.
        tests: the test program.
    """

    name: str
    language: str
    source: str
    hollow: str
    tests: str


def read(path: Path) -> Iterator[Task]:
    """The tasks of a file of MultiPL-E's, whose name ends in the language."""
    shape = SHAPES[path.name.partition(".")[0].rpartition("-")[2]]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield _task(json.loads(line), shape)


def _task(row: dict[str, Any], shape: Shape) -> Task:
    name = function_name(row["prompt"])
    code = program_of(row["gpt_solution"], name)
    if name not in code:
        code = row["prompt"] + code  # the function's body alone
    source = with_imports(without_end(code, shape, name), row["prompt"])
    if shape.language == "go":
        source = without_idle_imports(source, code, row["tests"])
    return Task(
        name=row["name"],
        language=shape.language,
        source=source,
        hollow=hollow(source, shape, name, row["prompt"]),
        tests=row["tests"],
    )


def function_name(prompt: str) -> str:
    """The function that a prompt ends in the header of (in Perl, with its first statement)."""
    if subs := re.findall(r"(?m)^sub\s+(\w+)", prompt):
        return str(subs[-1])
    for line in reversed(prompt.splitlines()):
        if found := _FUNCTION.search(line):
            return next(group for group in found.groups() if group)
    return ""


def program_of(message: str, name: str) -> str:
    """The program in a message: the first block of code with the function, else the message."""
    blocks = [found[1] for found in _BLOCK.finditer(message)]
    return next((block for block in blocks if name in block), blocks[0] if blocks else message)


def with_imports(code: str, prompt: str) -> str:
    """A program with what its prompt has included: the test program takes it to be there."""
    lacking = [line for line in _IMPORT.findall(prompt) if line not in code]
    if (package := _PACKAGE.search(code)) is not None:  # which comes first
        names = [name for block in _GO_IMPORTS.findall(prompt) for name in block.split()]
        lacking += [f"import {name}" for name in names if name not in code]
        start = package.end() + 1
        return code[:start] + "".join(f"{line}\n" for line in lacking) + code[start:]
    return "".join(f"{line}\n" for line in lacking) + code


def without_idle_imports(source: str, whole: str, tests: str) -> str:
    """A Go program without the imports that only what was cut off it has used."""

    def uses(text: str, name: str) -> bool:
        return re.search(rf"\b{re.escape(name)}\.", text) is not None

    def kept(found: re.Match[str]) -> str:
        name = found[1].rpartition("/")[2]
        idle = uses(whole, name) and not uses(source + tests, name)
        return "" if idle else found[0]

    return _GO_IMPORT.sub(kept, source)


def without_end(code: str, shape: Shape, name: str) -> str:
    """A program without its beginning, and without the braces that the test program brings."""
    if shape.main:
        while (found := re.search(shape.main, code)) is not None:
            code = code[: found.start()] + code[end_of_block(code, found.end()) :]
    if shape.closed == 2:
        unit = re.search(r"\b(?:class|object)\s+Problem\b[^{]*\{", code)
        if unit is not None:
            code = code[: end_of_block(code, unit.end()) - 1]
            return code[: code.rfind("}")]
    lines = code.splitlines(keepends=True)
    for number in range(len(lines) - 1, -1, -1):
        if shape.closed and lines[number].startswith("}"):
            return "".join(lines[:number])
    return code


def end_of_block(code: str, start: int) -> int:
    """Behind the brace that closes the block whose first character is at `start`."""
    depth = 1
    for found in _SKIPPED.finditer(code, start):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return len(code)


def hollow(source: str, shape: Shape, name: str, prompt: str) -> str:
    """The program whose function returns a constant at once; empty: nobody knows how."""
    header = re.compile(shape.header.format(name=re.escape(name)), re.DOTALL)
    found = header.search(source)
    result = re.findall(shape.result, prompt) if shape.result else [""]
    if found is None or not shape.hollow or not result:
        return ""
    kind = dict(shape.zeros).get(result[-1], "null") if shape.zeros else result[-1]
    line = shape.hollow.format(type=kind, name=name)
    return f"{source[: found.end()]}\n{line}\n{source[found.end() :]}"
