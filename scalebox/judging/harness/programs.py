"""Test programs made of asserts: whether they run any test, which names they leave to the
submission, and how they fail.
"""

from __future__ import annotations

import _ast
import builtins
from typing import Any, Iterator

from scalebox.judging.harness.common import describe, dumps

TEST_FILE = "<test>"
#: After the words about an exception that the submission's own text raised.
LOADING = " (while the submission was loaded)"


IDLE = (
    "the test program only defines tests and runs none of them, so that anything would pass: call "
    "them there, or, where it defines `check`, say in `entry_point` which function that is for"
)
#: Function of the test program's that is called with the entry point.
_CHECK = "check"
_DEFINITIONS = (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef)
_ASSIGNMENTS = (_ast.Assign, _ast.AnnAssign, _ast.AugAssign)
_IDLE = (_ast.Import, _ast.ImportFrom, _ast.Pass, _ast.Global)


class NoSuchNameError(Exception):
    """The submission does not define a name."""


def is_idle(program: str, entry_point: str | None) -> bool:
    """Whether nothing in a test program, which compiles, is run that could fail: everything would
    pass it.
    """
    if entry_point is not None and "def %s(" % _CHECK in program:
        return False  # rarely wrong, and most are spared a parser's work
    checked = None if entry_point is None else _CHECK
    return all(_decides_nothing(node, checked) for node in _tree(program).body)


def _decides_nothing(statement: _ast.AST, checked: str | None) -> bool:
    if isinstance(statement, _DEFINITIONS):
        return statement.name != checked and not statement.decorator_list
    if isinstance(statement, _ASSIGNMENTS):
        for node in _nodes(statement):
            if isinstance(node, _ast.Call) and not (
                isinstance(node.func, _ast.Name) and hasattr(builtins, node.func.id)
            ):
                return False
            if isinstance(node, _ast.Name) and node.id == checked:
                return False
        return True
    if isinstance(statement, _ast.Expr):
        return isinstance(statement.value, _ast.Constant)
    return isinstance(statement, _IDLE)


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
    for node in _nodes(_tree(program)):
        if isinstance(node, _ast.Name):
            (used if isinstance(node.ctx, _ast.Load) else bound).add(node.id)
        elif isinstance(node, _ast.arg):
            bound.add(node.arg)
        elif isinstance(node, _DEFINITIONS):
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
    for node in _nodes(_tree(program)):
        if isinstance(node, _ast.Attribute) and isinstance(node.value, _ast.Name):
            found.setdefault(node.value.id, set()).add(node.attr)
    return found


#: The program that was asked about last, and its tree.
_last: list[tuple[str, Any]] = []


def _tree(program: str) -> Any:
    if not _last or _last[0][0] != program:
        _last[:] = [(program, compile(program, TEST_FILE, "exec", _ast.PyCF_ONLY_AST, True))]
    return _last[0][1]


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
