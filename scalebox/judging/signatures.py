"""What a source's text says about a function: where it is defined, and what is a node in it.

No parser: comments and texts are left out, braces are counted.  That is enough to tell a function
from a method, and where it is not, the compiler says so.
"""

from __future__ import annotations

import itertools
import re

from scalebox import asides

_NO_CODE = re.compile(asides.pattern("definitions"), re.DOTALL)
#: What may be between a function's name and its parameters.
GENERIC = r"\s{0,80}(?:<[^(){};]{0,120}>\s{0,80})?"
_NODE = re.compile(r"\b(TreeNode|ListNode)\b")
_NODES = ("ListNode", "TreeNode")
#: What looks like the definition of a function is looked at so often, and a comment or a list of
#: parameters is no longer than so many characters.
_MOST_DEFINED = 20
_LONGEST = 10_000


def code_of(text: str) -> str:
    """A text of C's kin without comments and texts; lines stay where they are."""
    return _NO_CODE.sub(lambda found: '""' + "\n" * found[0].count("\n"), text)


def is_at_top(code: str, name: str) -> bool:
    """Whether a function of this name is declared outside of all braces."""
    depth = 0
    for found in re.finditer(rf"[{{}}]|\b{re.escape(name)}{GENERIC}\(", code):
        if found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
        elif depth <= 0:
            return True
    return False


def parameters(code: str, start: int) -> tuple[list[str], int]:
    """The texts of the parameters after a parenthesis opens at `start`, and where it closes."""
    parts: list[str] = []
    depth, begin = 0, start + 1
    for at in range(start, len(code)):
        unit = code[at]
        if unit in "([{<":
            depth += 1
        elif unit in ")]}" or (unit == ">" and code[at - 1] not in "-="):
            depth -= 1
        if depth == 0 or (depth == 1 and unit == ","):
            parts.append(code[begin:at].strip())
            begin = at + 1
        if depth == 0:
            return ([] if parts == [""] else [part for part in parts if part]), at
    return [], len(code)


def nodes_lacking(code: str) -> list[str]:
    """The customary node types that a source uses and does not define."""
    defined = rf"\b(?:class|struct|type|interface|function)\s+({'|'.join(_NODES)})\b(?!\s*;)"
    found = set(re.findall(defined, code))
    return [name for name in _NODES if re.search(rf"\b{name}\b", code) and name not in found]


def node_shapes(text: str, function: str) -> dict[str, object]:
    """Which arguments of a function are nodes, and whether its result is one, as far as the comment
    before it or its types say so; for languages whose values have no types of their own.

    Returns:
        `args` and `result`, each shape `TreeNode` or `ListNode` with a `[]` for each level of
        lists, or empty; nothing at all where no node is spoken of.
    """
    name = re.escape(function)
    defined = re.compile(
        rf"^(?![ \t]*(?:\*|//|#))[^\n]*?(?:(?<![\w$]){name}[ \t]*[=:](?!=)(?:[^\n]*?(?P<value>\())?"
        rf"|(?<![\w$.]){name}[ \t]*(?P<named>\())|^[ \t]*def[ \t]+(?:self\.)?{name}\b",
        re.MULTILINE,
    )
    for found in itertools.islice(defined.finditer(text), _MOST_DEFINED):
        begin = found.start()
        args, result = _spoken_of(_comment_before(text[max(0, begin - _LONGEST) : begin]))
        opens = max(found.start("value"), found.start("named"))
        if not any(args) and not result and opens >= 0:
            given, end = parameters(text[: opens + _LONGEST], opens)
            args = [_shape(part) for part in given]
            declared = re.match(r"\s*:\s*([^{=\n]*)", text[end + 1 : end + 1 + _LONGEST])
            result = _shape(declared[1]) if declared else ""
        if any(args) or result:
            return {"args": args, "result": result}
    return {}


def _comment_before(text: str) -> str:
    before = text.rstrip()
    if before.endswith("*/"):
        return before[before.rfind("/*") :]
    lines: list[str] = []
    for line in reversed(before.splitlines()):
        if not line.lstrip().startswith(("#", "//")):
            break
        lines.append(line)
    return "\n".join(reversed(lines))


def _spoken_of(comment: str) -> tuple[list[str], str]:
    args = re.findall(r"@param\s+(?:\{([^}\n]*)\}|(\S+))", comment)
    result = re.search(r"@returns?\s+(?:\{([^}\n]*)\}|(\S+))", comment)
    shape = _shape(result[1] or result[2]) if result else ""
    return [_shape(braced or bare) for braced, bare in args], shape


def _shape(declared: str) -> str:
    found = _NODE.search(declared)
    if found is None:
        return ""
    levels = declared.count("[]") + len(re.findall(r"\b(?:Array|list)\s*<", declared))
    return found[1] + "[]" * levels
