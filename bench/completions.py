"""MultiPL-E's tasks as submissions: a model's answer, and the same made hollow.

How an answer is joined with its test program is the suite's (`multipl_e_answers`).  A hollow
submission is the same with a first statement that returns a constant, whatever the function was
given.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scalebox.suite.benchmarks import multipl_e_answers
from scalebox.suite.benchmarks.multipl_e_answers import function_name, joined_answer


@dataclass(frozen=True, slots=True)
class Shape:
    """How a language's functions are made hollow.

    Attributes:
        language: as submissions name it.
        header: pattern of the function's header, `{name}` being its name; up to where its first
            statement may stand.
        hollow: that statement; `{type}` is what `result` found in the prompt's header.
        result: pattern of the type that the function returns.
        zeros: values of types that have no value in common.
    """

    language: str
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
#: The file's ending → how it is made hollow.
SHAPES = {
    "cpp": Shape("cpp", hollow="return {{}};"),
    "cs": Shape(
        "csharp", header=_HEADER, hollow="if (true) return default({type});", result=_JAVA_RESULT
    ),
    "d": Shape("d", header=_HEADER, hollow="if (true) return typeof(return).init;"),
    "go": Shape(
        "go", hollow="if true {{ var none {type}; return none }}",
        result=r"func\s+\w+\(.*\)\s*(.+?)\s*\{",
    ),
    "java": Shape(
        "java", hollow="if (true) return {type};", result=_JAVA_RESULT, zeros=_JAVA_ZEROS
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
    "rs": Shape("rust", hollow="if true {{ return Default::default(); }}"),
    "scala": Shape(
        "scala", header=r"\b{name}\b[^\n]*?=\s*\{{",
        hollow="if (true) return null.asInstanceOf[{type}];", result=r"\)\s*:\s*(.+?)\s*=\s*\{",
    ),
    "sh": Shape("bash", hollow="return 0"),
    "ts": Shape("typescript", hollow="return null as any;"),
}  # fmt: skip


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
    ending = path.name.partition(".")[0].rpartition("-")[2]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield _task(json.loads(line), ending)


def _task(row: dict[str, Any], ending: str) -> Task:
    shape = SHAPES[ending]
    source = joined_answer(
        row["gpt_solution"], row["prompt"], row["tests"], multipl_e_answers.SHAPES[ending]
    )
    return Task(
        name=row["name"],
        language=shape.language,
        source=source,
        hollow=hollow(source, shape, function_name(row["prompt"]), row["prompt"]),
        tests=row["tests"],
    )


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
