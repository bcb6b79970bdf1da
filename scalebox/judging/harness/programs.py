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


IDLE_WORDS = (
    "the test program runs no test (at most it defines some), so that anything would pass: call "
    "them there, or, where it defines `check`, say in `entry_point` which function that is for"
)
#: Function of the test program's that is called with the entry point.
_CHECK = "check"
_FUNCTIONS = (_ast.FunctionDef, _ast.AsyncFunctionDef)
#: Of constants they make others.
_CONSTRUCTORS = frozenset(("bytes", "complex", "dict", "float", "frozenset", "int", "set", "str"))
_INERT = (_ast.Import, _ast.ImportFrom, _ast.Pass, _ast.Global)


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
    if isinstance(statement, _FUNCTIONS):
        defaults = [*statement.args.defaults, *filter(None, statement.args.kw_defaults)]
        values = any(map(_loads, [*statement.decorator_list, *defaults]))
        return statement.name != checked and not values
    if isinstance(statement, _ast.ClassDef):
        body = all(_decides_nothing(node, None) for node in statement.body)
        return statement.name != checked and body and not statement.decorator_list
    if isinstance(statement, _ast.Assign):
        bound = {node.id for node in _nodes(statement) if isinstance(node, _ast.Name)}
        return checked not in bound and not _loads(statement)
    if isinstance(statement, _ast.Expr):
        return isinstance(statement.value, _ast.Constant)
    return isinstance(statement, _INERT)


def _loads(tree: _ast.AST) -> bool:
    """Whether a name is looked up, those that make constants left aside."""
    return not _used(tree) <= _CONSTRUCTORS


def names_from_candidate(program: str, entry_point: str | None) -> frozenset[str]:
    """Built-in names that mean the submission's own when it defines them.

    A submission may define `sum` because the task says so, but must not replace the `sorted` with
    which the test prepares what it compares.  So built-in names are the interpreter's, except the
    entry point's; and if the test leaves no other name to the submission, those it uses.
    """
    if entry_point is not None:
        return frozenset([entry_point])
    free = _used(_tree(program)) - _bound(program)
    if all(hasattr(builtins, name) for name in free):
        return frozenset(free)
    return frozenset()


def _used(tree: _ast.AST) -> set[str]:
    names = (node for node in _nodes(tree) if isinstance(node, _ast.Name))
    return {node.id for node in names if isinstance(node.ctx, _ast.Load)}


def _bound(program: str) -> set[str]:
    """Names that a test program gives to something, wherever."""
    found: set[str] = set()
    for node in _nodes(_tree(program)):
        if isinstance(node, _ast.Name) and not isinstance(node.ctx, _ast.Load):
            found.add(node.id)
        elif isinstance(node, _ast.arg):
            found.add(node.arg)
        elif isinstance(node, (*_FUNCTIONS, _ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, _ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, _ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


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


def names_in_classes(program: str) -> set[str]:
    """Names of the submission's that are looked up while bodies of a test program's classes are
    executed: there the interpreter asks the dictionary of globals itself, and not what stands in
    for it.
    """
    found: set[str] = set()
    for node in _nodes(_tree(program)):
        if isinstance(node, _ast.ClassDef):
            todo: list[Any] = list(node.body)
            while todo:
                one = todo.pop()
                if isinstance(one, _ast.Name) and isinstance(one.ctx, _ast.Load):
                    found.add(one.id)
                todo += _children(one)
                if isinstance(one, (*_FUNCTIONS, _ast.Lambda)):
                    # What is inside of functions is looked up later, by another rule.
                    inside = one.body if isinstance(one.body, list) else [one.body]
                    todo = [child for child in todo if child not in inside]
    return found - _bound(program)


def _nodes(tree: _ast.AST) -> Iterator[_ast.AST]:
    # `ast.walk`, without the two milliseconds that importing `ast` takes.
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        todo += _children(node)


def _children(node: _ast.AST) -> list[_ast.AST]:
    found = []
    for name in node._fields:
        value = getattr(node, name, None)
        items = value if isinstance(value, list) else [value]
        found += [item for item in items if isinstance(item, _ast.AST)]
    return found


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
