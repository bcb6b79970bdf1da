"""MultiPL-E's tasks joined with answers: what of an answer is brought by the test program itself.

A test program stands behind the function that its prompt has begun, and closes it in half of the
languages (nuprl/MultiPL-E: a row's `tests`).  A base model continues the prompt up to a stop token;
a chat model's answer is a message with a whole program in it, of which the message around it, the
program's own beginning (`main`) and the last braces are cut off here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """How a language's programs look.

    Attributes:
        language: as submissions name it.
        main: pattern of the header of a program's beginning; empty: it may stay.
        closed: how many braces at the end the test program brings.
    """

    language: str
    main: str = ""
    closed: int = 0


#: A file's ending, as MultiPL-E names languages → how its programs look.
SHAPES = {
    "cpp": Shape("cpp", r"\bint\s+main\s*\([^)]*\)\s*\{", 1),
    "cs": Shape(
        "csharp", r"(?:public\s+|private\s+)?static\s+(?:async\s+)?\w+\s+Main\s*\([^)]*\)\s*\{", 2
    ),
    "d": Shape("d", r"\b(?:void|int)\s+main\s*\([^)]*\)\s*\{"),
    "go": Shape("go", r"\bfunc\s+(?:main|Test\w*|Example\w*)\s*\([^)]*\)\s*\{"),
    "java": Shape("java", r"public\s+static\s+void\s+main\s*\([^)]*\)\s*(?:throws[\w\s,]+)?\{", 2),
    "jl": Shape("julia"),
    "js": Shape("javascript"),
    "lua": Shape("lua"),
    "php": Shape("php"),
    "pl": Shape("perl"),
    "r": Shape("r"),
    "rb": Shape("ruby"),
    "rkt": Shape("racket"),
    "rs": Shape("rust", r"\bfn\s+main\s*\(\s*\)\s*(?:->[^{]+)?\{", 1),
    "scala": Shape("scala", r"def\s+main\s*\([^)]*\)[^{\n]*\{", 2),
    "sh": Shape("bash", closed=1),
    "ts": Shape("typescript"),
}
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


def joined_answer(message: str, prompt: str, tests: str, shape: Shape) -> str:
    """A model's message as a submission, ready to be joined with the test program.

    Parameters:
        message: with a program in it, or nothing else.
        prompt, tests: of the task.
        shape: of its language.
    """
    name = function_name(prompt)
    code = program_of(message, name)
    if name not in code:
        code = prompt + code  # the function's body alone
    source = with_imports(without_end(code, shape), prompt)
    if shape.language == "go":
        source = without_idle_imports(source, code, tests)
    return source


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


def without_end(code: str, shape: Shape) -> str:
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
