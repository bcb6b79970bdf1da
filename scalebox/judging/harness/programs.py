"""Test programs made of asserts: which names they leave to the submission, and how they fail."""

from __future__ import annotations

import _ast
import builtins
from typing import Iterator

from scalebox.judging.harness.common import describe, dumps

TEST_FILE = "<test>"
#: After the words about an exception that the submission's own text raised.
LOADING = " (while the submission was loaded)"


class NoSuchNameError(Exception):
    """The submission does not define a name."""


def names_from_candidate(program: str, entry_point: str | None) -> frozenset[str]:
    """Built-in names that mean the submission's own when it defines them.

    A submission may define `sum` because the task says so, but must not replace the `sorted` with
    which the test prepares what it compares.  So built-in names are the interpreter's, except the
    entry point's; and if the test leaves no other name to the submission, those it uses.
    """
    if entry_point is not None:
        return frozenset([entry_point])
    used: set[str] = set()
    bound: set[str] = set()
    for node in _nodes(compile(program, TEST_FILE, "exec", _ast.PyCF_ONLY_AST, True)):
        if isinstance(node, _ast.Name):
            (used if isinstance(node.ctx, _ast.Load) else bound).add(node.id)
        elif isinstance(node, _ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, _ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, _ast.ExceptHandler) and node.name:
            bound.add(node.name)
    free = used - bound
    if all(hasattr(builtins, name) for name in free):
        return frozenset(free)
    return frozenset()


def attributes_used(program: str) -> dict[str, set[str]]:
    """Name → the attributes of it that a test program uses, as in `name.attribute`."""
    found: dict[str, set[str]] = {}
    for node in _nodes(compile(program, TEST_FILE, "exec", _ast.PyCF_ONLY_AST, True)):
        if isinstance(node, _ast.Attribute) and isinstance(node.value, _ast.Name):
            found.setdefault(node.value.id, set()).add(node.attr)
    return found


def _nodes(tree: _ast.AST) -> Iterator[_ast.AST]:
    # `ast.walk`, without the two milliseconds that importing `ast` takes.
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        for name in node._fields:
            value = getattr(node, name, None)
            items = value if isinstance(value, list) else [value]
            todo += [item for item in items if isinstance(item, _ast.AST)]


def explain(error: BaseException, program: str) -> tuple[str, str]:
    """(state, message) of a test program that ended with an exception."""
    where = _where(error, program)
    remote = getattr(error, "scalebox_remote", None)
    if isinstance(remote, str):
        return "error", ("the submission raised %s%s" % (remote, where))[:500]
    if isinstance(error, AssertionError):
        text = describe(error)
        return "failed", (text if text != "AssertionError" else "assertion failed") + where
    if isinstance(error, SystemExit):
        return "error", "the program exited before the test ended" + where
    if isinstance(error, NameError):
        return "error", describe(error) + where
    return "failed", describe(error) + where


def _where(error: BaseException, program: str) -> str:
    line = 0
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == TEST_FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    if not line:
        return ""
    lines = program.splitlines()
    text = lines[line - 1].strip()[:200] if line <= len(lines) else ""
    return " (test line %d: %s)" % (line, text)


def result_record(nonce: str, state: str, message: str, trusting: bool = False) -> str:
    """The line that the host reads.

    Parameters:
        trusting: the test took the submission's word for something.
    """
    record = {
        "nonce": nonce,
        "state": state,
        "message": message[:800] if type(message) is str else "",
        "trusting": trusting,
    }
    return dumps(record)[5:-1] + "\n"
