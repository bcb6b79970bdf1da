"""How a submission and the harness that calls its function become one program, by language.

The harnesses are in `harness/calls/`, each in its own language.  They read the lines and write the
records of `judging.call`; none knows what is expected.  What sites that call functions give to a
submission beforehand (imports, node types) is put into its first line, so that messages name the
lines that its author knows.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scalebox.judging import joining, signatures
from scalebox.judging.sources import harness_file

_NAME = re.compile(r"[A-Za-z_$][\w$]*[?!]?", re.ASCII)
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Classes:
    """A harness that is compiled by itself, in another language: the same for every submission."""

    language: str
    source: bytes
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Joint:
    """A program made of a submission and a harness.

    Attributes:
        source: what is compiled, where the language compiles.
        files: compiled together with it.
        flags: for the compiler.
        main: of what is interpreted, the text; of what is compiled, the text in which the name of
            the unit that is started is found.
        beside: further files in the program's folder.
        program_as: the compiled program is no program by itself: it lies there under this name, and
            `main` is in its place.
        classes: laid beside, too.
        header: what the harness is told besides the function's name.
    """

    source: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    main: bytes = b""
    beside: Mapping[str, bytes] = field(default_factory=dict)
    program_as: str = ""
    classes: Classes | None = None
    header: Mapping[str, object] = field(default_factory=dict)


@functools.cache
def harness_text(name: str) -> str:
    """The text of a file of `harness/calls/`.

    Raises:
        FileNotFoundError: there is none.
    """
    folder = importlib.resources.files("scalebox.judging.harness")
    return folder.joinpath("calls", name).read_text(encoding="utf-8")


def _section(name: str, title: str) -> str:
    """A part of such a file, between a line that ends in `--- TITLE` and the next of that kind."""
    found = re.search(rf"^\S+ --- {title}\n(.*?)(?=^\S+ --- |\Z)", harness_text(name), re.M | re.S)
    assert found is not None, f"{name} has no section {title}"
    return found[1]


def join(harness: str, source: bytes, function: str) -> Joint:
    """The program in which a submission's function is called.

    Parameters:
        harness: which one, as the table of languages says.
        source: the submission's.
        function: the name to call.

    Raises:
        ValueError: that is no name.
    """
    if _NAME.fullmatch(function) is None:
        raise ValueError(f"{function[:50]!r} is no name of a function")
    # Bytes that are no text are the compiler's to refuse.
    text = source.decode("utf-8", "surrogateescape").removeprefix(_BOM)
    return HARNESSES[harness](text, function)


def files_taken(harness: str) -> tuple[str, ...]:
    """Names that a submission's further files cannot have."""
    return _TAKEN.get(harness, ())


def compiled_in(harness: str) -> str:
    """The language in which the harness is compiled by itself; empty: it is not."""
    return "java" if harness == "kotlin" else ""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


# --- languages without types of their own --------------------------------------------------------


def _javascript(text: str, function: str) -> Joint:
    return Joint(
        _bytes(text),
        main=_bytes(harness_text("javascript.js")),
        beside={"candidate.js": _bytes(text)},
        header=signatures.node_shapes(text, function),
    )


def _typescript(text: str, function: str) -> Joint:
    # Whatever the compiler wraps a module in, these names are seen from its end.
    names = ", ".join(
        f'{name}: typeof {name} === "undefined" ? undefined : {name}'
        for name in dict.fromkeys((function, "Solution", "TreeNode", "ListNode"))
    )
    return Joint(
        _bytes(f"{text}\n;(globalThis as any).scaleboxNames = {{ {names} }};\n"),
        main=_bytes(harness_text("javascript.js")),
        program_as="candidate.js",
        header=signatures.node_shapes(text, function),
    )


def _php(text: str, function: str) -> Joint:
    if "<?" not in text:
        text = f"<?php {text}"
    return Joint(
        _bytes(text),
        main=_bytes(harness_text("call.php")),
        beside={"candidate.php": _bytes(text)},
        header=signatures.node_shapes(text, function),
    )


def _ruby(text: str, function: str) -> Joint:
    return Joint(
        _bytes(text),
        main=_bytes(harness_text("call.rb")),
        beside={"candidate.rb": _bytes(text)},
        header=signatures.node_shapes(text, function),
    )


# --- languages that are compiled -----------------------------------------------------------------

_JAVA_FILES = ("ScaleboxCall.java", "ScaleboxCallReader.java", "ScaleboxCallWriter.java")
_JAVA_UNIT = b"class ScaleboxCall { static void main(String[] args) {} }"
_JAVA_IMPORTS = "".join(
    f"import java.{name}.*; "
    for name in ("util", "util.function", "util.stream", "math", "io", "time")
)


def _java(text: str, function: str) -> Joint:
    code = signatures.code_of(text)
    package = re.search(r"^[ \t]*package\s+[\w.]+\s*;", text, re.M)
    at = package.end() if package else 0
    files = {name: _bytes(harness_text(name)) for name in _JAVA_FILES}
    for node in signatures.nodes_lacking(code):
        files[f"{node}.java"] = _bytes(_section("nodes.java", node))
    return Joint(
        _bytes(f"{text[:at]} {_JAVA_IMPORTS}{text[at:]}"),
        files=files,
        main=_JAVA_UNIT,
    )


#: What C++'s words mean is not the submission's to say.
_CPP_WORDS = "scalebox_asserts.h"
_OF_STD = re.compile(r"\b(?:vector|string|map|set|pair|queue|stack|deque|unordered_\w+)\b")


def _cpp(text: str, function: str) -> Joint:
    code = signatures.code_of(text)
    before = [harness_text(name) for name in ("reading.hpp", "writing.hpp", "call.hpp")]
    before += [_section("nodes.hpp", node) for node in signatures.nodes_lacking(code)]
    if "std::" not in code and ("#include" not in code or _OF_STD.search(code)):
        before.append("using namespace std;\n")
    if signatures.is_at_top(code, function):
        called = f"run(&::{function})"
    elif re.search(r"\b(?:class|struct)\s+Solution\b", code) and re.search(
        rf"\b{re.escape(function)}\s*\(", code
    ):
        called = f"run(&::Solution::{function})"
    else:
        called = f'missing("{function}")'
    whole = "".join([*before, '#line 1 "solution.cpp"\n', text])
    program = f"int main() {{ return ::scalebox_call::{called}; }}"
    return Joint(
        joining.joined(_bytes(whole), program, main="main", before=f'#include "{_CPP_WORDS}"'),
        files={_CPP_WORDS: harness_file("asserts.h")},
    )


_GO_FILES = ("scalebox_call.go", "scalebox_reading.go", "scalebox_writing.go")
#: What sites import beforehand, as far as a source without imports speaks of it.
_GO_PACKAGES = [
    "bufio",
    "bytes",
    "cmp",
    "container/heap",
    "container/list",
    "errors",
    "fmt",
    "maps",
    "math",
    "math/big",
    "math/bits",
    "math/rand",
    "os",
    "regexp",
    "slices",
    "sort",
    "strconv",
    "strings",
    "sync",
    "time",
    "unicode",
    "unicode/utf8",
]
_GO_USE = re.compile(
    rf"(?<![\w.])({'|'.join(path.rpartition('/')[2] for path in _GO_PACKAGES)})"
    r"\.(?:(?<!list\.)[A-Z]|(?<=list\.)(?:New|List|Element))"
)


def _go(text: str, function: str) -> Joint:
    code = signatures.code_of(text)
    package = re.search(r"^[ \t]*package\s+\w+", code, re.M)
    if package:
        # The package of whatever name is the program here.
        text = re.sub(r"^[ \t]*package\s+\w+", "package main", text, count=1, flags=re.M)
    elif re.search(r"^[ \t]*import\b", code, re.M):
        text = f"package main; {text}"
    else:
        text = f"package main; {_go_imports(code)}{text}"
    text = re.sub(r"^func\s+main\s*\(\s*\)", "func mainOfSubmission()", text, flags=re.M)
    name = re.escape(function)
    method = re.search(rf"^func\s*\(\s*(?:\w+\s+)?\*?\s*(\w+)\s*\)\s*{name}\s*\(", code, re.M)
    if re.search(rf"^func\s+{name}\s*\(", code, re.M):
        called = f"{function}, false"
    else:
        called = f"(*{method[1]}).{function}, true" if method else "nil, false"
    more = [_section("nodes.go", node) for node in signatures.nodes_lacking(code)]
    main = "".join([*more, f"func main() {{ scaleboxCall({called}) }}\n"])
    files = {name: _bytes(harness_text(name)) for name in _GO_FILES}
    return Joint(_bytes(text), files={**files, _GO_MAIN: _bytes(f"package main\n\n{main}")})


_GO_MAIN = "scalebox_main.go"


def _go_imports(code: str) -> str:
    used = set(_GO_USE.findall(code))
    names = []
    for path in _GO_PACKAGES:
        name = path.rpartition("/")[2]
        if name in used and not re.search(rf"\b{name}\b(?:\s*:=|,[^\n]*:=|\s+[\[*\w])", code):
            names.append(f'"{path}"')
    return f"import ({'; '.join(names)}); " if names else ""


def _rust(text: str, function: str) -> Joint:
    code = signatures.code_of(text)
    lacking = signatures.nodes_lacking(code)
    nodes = [_section("nodes.rs", node) for node in lacking]
    nodes += [
        _section("nodes.rs", f"{node} values")
        for node in ("ListNode", "TreeNode")
        if re.search(rf"\b{node}\b", code)
    ]
    solution = ""
    if re.search(r"\bimpl\s+Solution\b", code) and not re.search(r"\bstruct\s+Solution\b", code):
        solution = "struct Solution;\n"
    defined = re.search(rf"\bfn\s+{re.escape(function)}{signatures.GENERIC}\(", code)
    if defined is None:
        main = f'scalebox_call::missing("{function}")'
    else:
        given, _ = signatures.parameters(code, defined.end() - 1)
        of_object = bool(given) and re.search(r"\bself\b", given[0]) is not None
        place = "" if signatures.is_at_top(code, function) else "Solution::"
        place = "Solution {}." if of_object else place
        count = len(given) - of_object
        args = ", ".join(f"scalebox_call::Take::take(&args[{at}])?" for at in range(count))
        main = (
            f"scalebox_call::run({count}, |{'args' if count else '_'}| {{ "
            f"let value = {place}{function}({args}); let mut out = String::new(); "
            "Ok(scalebox_call::Put::put(&value, &mut out, 0).map(|_| out)) })"
        )
    own = re.compile(r"^((?:pub\s+)?fn\s+main)(\s*\()", re.M)
    text = own.sub(r"\1_of_submission\2", text)
    parts = [text, "\n", harness_text("call.rs"), solution, *nodes, f"fn main() {{ {main} }}\n"]
    return Joint(_bytes("".join(parts)))


_CSHARP_FILES = (
    "ScaleboxCall.cs", "ScaleboxCallReader.cs", "ScaleboxCallWriter.cs", "ScaleboxCallReal.cs",
)  # fmt: skip
_CSHARP_NAMES = "".join(
    f"using System{name}; "
    for name in ("", ".Collections", ".Collections.Generic", ".Linq", ".Numerics", ".Text")
)


def _csharp(text: str, function: str) -> Joint:
    files = {name: _bytes(harness_text(name)) for name in _CSHARP_FILES}
    for node in signatures.nodes_lacking(signatures.code_of(text)):
        files[f"{node}.cs"] = _bytes(_section("nodes.cs", node))
    # A submission may have a `Main` of its own.
    return Joint(_bytes(_CSHARP_NAMES + text), files=files, flags=("-main:ScaleboxCall",))


_KOTLIN_MAIN = "ScaleboxCallMain.kt"


def _kotlin(text: str, function: str) -> Joint:
    nodes = signatures.nodes_lacking(signatures.code_of(text))
    files = {f"{node}.kt": _bytes(_section("nodes.kt", node)) for node in nodes}
    files[_KOTLIN_MAIN] = _bytes(harness_text(_KOTLIN_MAIN))
    text = re.sub(r"\bfun\s+main\s*\(", "fun mainOfSubmission(", text)
    harness, *parts = _JAVA_FILES
    classes = Classes(
        compiled_in("kotlin"),
        _bytes(harness_text(harness)),
        {name: _bytes(harness_text(name)) for name in parts},
    )
    return Joint(_bytes(text), files=files, classes=classes)


HARNESSES: dict[str, Callable[[str, str], Joint]] = {
    "javascript": _javascript,
    "typescript": _typescript,
    "java": _java,
    "cpp": _cpp,
    "go": _go,
    "rust": _rust,
    "csharp": _csharp,
    "kotlin": _kotlin,
    "php": _php,
    "ruby": _ruby,
}
_TAKEN = {
    "javascript": ("candidate.js", "candidate.mjs"),
    "typescript": ("candidate.js", "candidate.mjs"),
    "java": (*_JAVA_FILES, "ListNode.java", "TreeNode.java"),
    "cpp": (_CPP_WORDS,),
    "go": (*_GO_FILES, _GO_MAIN),
    "csharp": (*_CSHARP_FILES, "ListNode.cs", "TreeNode.cs"),
    "kotlin": (_KOTLIN_MAIN, "ListNode.kt", "TreeNode.kt"),
    "php": ("candidate.php",),
    "ruby": ("candidate.rb",),
}
