"""Inside the sandbox, weak form: the submission, then the test program, in one process.

What is certain here: the record is written after the last statement of the test program and by
nothing that ends the process earlier (`sys.exit`, `os._exit`, an exception, `atexit`); descriptor 5
takes forged records, but they lack the nonce, which is read and gone from standard input before the
submission runs.  What is made hard, not impossible: built-in functions and modules that the test
uses are as they were before the submission ran, and an object with an `__eq__` of the submission's
is never equal to plain data.  A submission that searches this process's memory can cheat; hence
`weak`.
"""

from __future__ import annotations

import _weakref
import ast
import builtins
import importlib
import os
import sys
import types
from collections import UserDict, UserList, UserString, deque
from typing import Any, Callable

from scalebox.judging.harness.common import (
    CANDIDATE_NAME,
    UncompilableError,
    describe,
    flush_output,
    load_candidate,
    loads,
    read_stdin,
    write_all,
)
from scalebox.judging.harness.frameworks import are_used, main_module, note_failures
from scalebox.judging.harness.programs import (
    IDLE_WORDS,
    LOADING,
    TEST_FILE,
    explain,
    is_idle,
    names_from_candidate,
    result_record,
)

CHANNEL = 5
_COMPARE = "__scalebox_compare__"
_MOST_VISITED = 100_000
_exit = os._exit
_function_type = types.FunctionType
_HEAP_TYPE = 1 << 9
#: The submission's names, once it is loaded: the functions that it defines are known by them.
_loaded: list[dict[str, Any]] = []


_OPERATORS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}


class _Comparisons(ast.NodeTransformer):
    """Makes `a == b`, `a != b`, `a in b` and `a not in b` ask `_compare`."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        operator = _OPERATORS.get(type(node.ops[0]))
        if operator is None or len(node.ops) > 1:
            return node
        call = ast.Call(
            func=ast.Name(id=_COMPARE, ctx=ast.Load()),
            args=[ast.Constant(value=operator, kind=None), node.left, node.comparators[0]],
            keywords=[],
        )
        return ast.copy_location(call, node)


def _compare(operator: str, left: Any, right: Any) -> Any:
    if _has_own_equality(left) != _has_own_equality(right):
        return operator in ("!=", "not in")
    if operator == "==":
        return left == right
    if operator == "!=":
        return left != right
    return (left in right) is (operator == "in")


def _has_own_equality(value: Any) -> bool:
    """Whether somewhere in it an `__eq__` of the submission's could decide."""
    todo = [value]
    visited = 0
    while todo and visited < _MOST_VISITED:
        item = todo.pop()
        visited += 1
        kind = type(item)
        if kind in _HARMLESS:
            continue
        if _is_foreign(kind):
            return True
        if kind not in _PLAIN:
            bases = type.mro(kind)
            kind = next((base for base in _CONTAINERS if base in bases), kind)
            if _WRAPPERS.intersection(bases):
                todo.append(object.__getattribute__(item, "__dict__").get("data"))
        items = _CONTAINERS.get(kind)
        if items is not None:
            todo.extend(items(item))
    return False


_HARMLESS = frozenset((int, str, float, bool, type(None), bytes, complex))
#: What compares by comparing its items -> what gives them, whatever a subclass says.
_CONTAINERS: dict[type, Callable[[Any], Any]] = {
    list: list.__iter__,
    tuple: tuple.__iter__,
    set: set.__iter__,
    frozenset: frozenset.__iter__,
    dict: lambda item: [part for pair in dict.items(item) for part in pair],
    deque: deque.__iter__,
}
_PLAIN = frozenset(_CONTAINERS)
#: Compare as what is in their attribute `data`.
_WRAPPERS = frozenset((UserDict, UserList, UserString))
#: Built-in types that compare as what they stand for, which may be the submission's.
_PROXIES = frozenset((types.MappingProxyType, _weakref.ProxyType, _weakref.CallableProxyType))
#: Where objects that are equal to everything can be had.
_MOCKS = "unittest.mock"


def _is_foreign(kind: type) -> bool:
    if kind in _PROXIES:
        return True
    for owner in type.mro(kind):
        members = type.__getattribute__(owner, "__dict__")
        if "__eq__" not in members:
            continue
        if not type.__getattribute__(owner, "__flags__") & _HEAP_TYPE:
            return False
        equality = members["__eq__"]
        if type(equality) is _function_type and any(
            equality.__globals__ is names for names in _loaded
        ):
            return True  # put into a class of somebody else's
        home = members.get("__module__")
        if home in (CANDIDATE_NAME, "__main__", _MOCKS) or type(home) is not str:
            return True
        known = getattr(sys.modules.get(home), type.__getattribute__(owner, "__name__"), None)
        return known is not owner
    return False


def _modules_of(tree: ast.AST) -> dict[str, tuple[Any, dict[str, Any]]]:
    """The modules that a test program imports, and what they hold before the submission runs.

    One that is not here is None: nor may the submission put it there.
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    names.discard(CANDIDATE_NAME)
    found: dict[str, tuple[Any, dict[str, Any]]] = {}
    for name in names:
        try:
            module = importlib.import_module(name)
        except Exception:
            found[name] = (None, {})
        else:
            found[name] = (module, dict(vars(module)))
    return found


class _Companions:
    """What the test's imports have brought with them, as it was before the submission ran.

    A function that a test uses looks up its own helpers where they are, and compares by the methods
    of its own classes.

    Parameters:
        known: names of the modules that were there before.
    """

    def __init__(self, known: frozenset[str]) -> None:
        self._modules: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._classes: list[tuple[type, dict[str, Any]]] = []
        for name, module in list(sys.modules.items()):
            if name in known or type(module) is not types.ModuleType:
                continue
            members = vars(module)
            self._modules.append((members, dict(members)))
            for value in members.values():
                if isinstance(value, type) and value.__module__ == name:
                    self._classes.append((value, dict(type.__getattribute__(value, "__dict__"))))

    def restore(self) -> None:
        """Undo what the submission has changed."""
        for members, before in self._modules:
            members.update(before)
        for kind, before in self._classes:
            now = type.__getattribute__(kind, "__dict__")
            for name, value in before.items():
                if now.get(name) is not value:
                    type.__setattr__(kind, name, value)


def _run(program: str, entry_point: str | None) -> tuple[str, str]:
    try:
        tree = ast.parse(program, TEST_FILE)
        tests = ast.fix_missing_locations(_Comparisons().visit(ast.parse(program, TEST_FILE)))
        code = compile(tests, TEST_FILE, "exec", 0, True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return "invalid", "the test program does not compile: " + describe(error)
    if is_idle(program, entry_point):
        return "invalid", IDLE_WORDS
    own = names_from_candidate(program, entry_point)
    known = frozenset(sys.modules)
    kept = _modules_of(tree)
    failures = note_failures(program) if are_used(program) else []
    companions = _Companions(known)
    clean = dict(vars(builtins))
    try:
        module = load_candidate()
    except UncompilableError as error:
        return "uncompilable", str(error)
    except BaseException as error:
        return "error", describe(error) + LOADING
    _loaded.append(vars(module))
    companions.restore()
    for name, (imported, members) in kept.items():
        sys.modules[name] = imported
        if imported is not None:
            vars(imported).update(members)
    names = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("__") and (name not in clean or name in own)
    }
    names.update(__name__="__main__", __builtins__=clean)
    names[_COMPARE] = _compare
    if are_used(program):
        sys.modules["__main__"] = main_module(names, program)
    try:
        exec(code, names)
        if entry_point is not None and "check" in names:
            if entry_point not in names:
                return "error", "the submission does not define " + entry_point
            names["check"](names[entry_point])
    except BaseException as error:
        return explain(error, program)
    return failures[0] if failures else ("passed", "")


def main() -> None:
    """The whole run; never returns."""
    task = loads(read_stdin().decode("ascii"))
    sys.modules["__main__"] = type(sys)("__main__")
    state, message = _run(task["program"], task["entry_point"])
    flush_output()
    write_all(CHANNEL, result_record(task["nonce"], state, message))
    _exit(0)


if __name__ == "__main__":
    main()
