"""Programs of ours that run inside the sandbox, in the process of what they try out.

They are sent as one text each (`program_of`), so that a daemon compiles it once however often it is
run.  They use the standard library only, and say what came of each test in lines of JSON
(`..inprocess` reads them).  Expected values are never there, so that a submission that writes such
lines itself can only say what it could have answered anyway.  They never name a third-party package
literally: a slot preloads packages whose names occur in a source, and with one of thirty megabytes
each of its runs costs three milliseconds more.
"""

from __future__ import annotations

import ast
import functools
from importlib import resources

from scalebox.syntax import parsed

#: What the others import, and the files that they are, each before those that import it.
BESIDE = {"scalebox_common": "common.py", "scalebox_values": "values.py"}


def text_of(name: str) -> str:
    """The text of a file of this folder.

    Raises:
        OSError: there is none.
    """
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@functools.cache
def program_of(name: str) -> str:
    """A program of this folder with what it imports of ours before it, in one module.

    Raises:
        OSError: there is none.
        ValueError: two of the files define the same name.
    """
    owners: dict[str, str] = {}
    texts = []
    for file in (*BESIDE.values(), name):
        text = text_of(file)
        tree = parsed(text)
        for defined in _names(tree):
            if owners.setdefault(defined, file) != file:
                raise ValueError(f"{defined} is in {owners[defined]} and in {file}")
        texts.append(_without_ours(text, tree))
    return "\n\n".join(texts)


def _names(tree: ast.Module) -> set[str]:
    """What a module defines, imports left aside."""
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        else:
            names = (one for one in ast.walk(node) if isinstance(one, ast.Name))
            found |= {one.id for one in names if isinstance(one.ctx, ast.Store)}
    return found


def _without_ours(text: str, tree: ast.Module) -> str:
    lines = text.splitlines()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in BESIDE:
            for number in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[number] = ""
    return "\n".join(lines)
