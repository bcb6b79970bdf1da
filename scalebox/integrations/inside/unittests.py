"""Runs a `unittest.TestCase` class beside a solution, inside the sandbox, in one process and one
module with it: such tests replace functions under the solution's feet.

Written from what bigcode-project/bigcodebench:bigcodebench/eval/__init__.py (`unsafe_execute`) and
eval/utils.py do.  What holds against a solution that would rather not be tested: a record counts
only with the nonce that was gone from standard input before it was loaded; unittest and the
built-in names are put back as they were before its tests are loaded; a value that says of itself
what it equals is not equal to one that does not.  A solution that searches this process's memory
can cheat, so what is said here is weak.

Reads one JSON object: `nonce`, `code`, `tests`, `class`, `stop_early`.
"""

import builtins
import functools
import os
import subprocess
import sys
import time
import types
import unittest
import unittest.mock
from typing import Any, Callable

from scalebox_common import Channel, read_job, swallowed

MODULE = "__test__"
SOLUTION_FILE = "__solution__.py"
_TRACE_CHARS = 4000
_MOST_VISITED = 10_000
_ASSERTIONS = (
    "Equal AlmostEqual NotAlmostEqual ListEqual TupleEqual SetEqual DictEqual SequenceEqual "
    "CountEqual MultiLineEqual"
)
_ANY: Any = type(unittest.mock.ANY)


def surround() -> None:
    """What the benchmark's harness sets, and takes away, before it loads anything."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
    names: Any = builtins
    names.exit = names.quit = None
    patched: Any = subprocess
    patched.Popen = _piped(subprocess.Popen)
    patched.run = _piped(subprocess.run)


def _piped(original: Callable[..., Any]) -> Callable[..., Any]:
    """What a program that is started writes goes to whoever started it."""

    @functools.wraps(original, updated=())
    def started(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("capture_output"):
            kwargs.pop("stdout", None)
            kwargs.pop("stderr", None)
        else:
            kwargs.setdefault("stdout", subprocess.PIPE)
            kwargs.setdefault("stderr", subprocess.PIPE)
        return original(*args, **kwargs)

    return started


class Kept:
    """Modules, and the classes in them, as they are now."""

    def __init__(self, *names: str) -> None:
        self._modules = []
        self._classes = []
        for name, module in list(sys.modules.items()):
            if name not in names and name.partition(".")[0] not in names:
                continue
            members = vars(module)
            self._modules.append((name, module, dict(members)))
            for value in members.values():
                if isinstance(value, type) and value.__module__ == name:
                    self._classes.append((value, dict(vars(value))))

    def intact(self) -> bool:
        """Whether nothing has been changed."""
        for _, module, before in self._modules:
            now = vars(module)
            if any(now.get(name) is not value for name, value in before.items()):
                return False
        return not any(
            type.__getattribute__(kind, "__dict__").get(name) is not value
            for kind, before in self._classes
            for name, value in before.items()
        )

    def restore(self) -> None:
        """Undo what has been changed."""
        for name, module, before in self._modules:
            sys.modules[name] = module
            vars(module).update(before)
        for kind, before in self._classes:
            now = type.__getattribute__(kind, "__dict__")
            for name, value in before.items():
                if now.get(name) is not value and value is not None:
                    _put_back(kind, name, value)


def _put_back(kind: type, name: str, value: Any) -> None:
    try:
        type.__setattr__(kind, name, value)
    except (AttributeError, TypeError):
        pass  # a class of the interpreter's own: nobody could change it


class Result(unittest.TestResult):
    """Says what came of each test as soon as it is known.

    Parameters:
        say: writes a record.
        kept: what a test passes by, and must not have changed.
    """

    def __init__(self, say: Callable[..., None], kept: "Kept") -> None:
        super().__init__()
        self._say = say
        self._kept = kept
        self._seen = 0, 0

    def startTest(self, test: Any) -> None:
        super().startTest(test)
        self._say(begun=str(test.id()).rpartition(".")[2])
        self._seen = len(self.failures), len(self.errors)

    def stopTest(self, test: Any) -> None:
        failures, errors = self._seen
        own = self.failures[failures:], self.errors[errors:]
        super().stopTest(test)
        found = [trace for kind in own for _, trace in kind]
        state = "error" if own[1] else "failed" if own[0] else "passed"
        trace = found[0][-_TRACE_CHARS:] if found else ""
        if not self._kept.intact():
            state, trace = "error", "unittest is not as it was before the test"
        self._say(ended=str(test.id()).rpartition(".")[2], state=state, trace=trace)

    def outside(self) -> str:
        """What went wrong outside of every test: in `setUpClass`, say."""
        for test, trace in self.errors:
            if not isinstance(test, unittest.TestCase) and not hasattr(test, "test_case"):
                return trace[-_TRACE_CHARS:]
        return ""


def distrust_equality(tests: str) -> None:
    """Make the assertions refuse a value whose equality is the solution's doing."""
    any_is_foreign = "ANY" not in tests

    def checked(original: Any) -> Any:
        @functools.wraps(original)
        def assertion(self: Any, first: Any, second: Any, *args: Any, **kwargs: Any) -> Any:
            if _is_foreign(first, any_is_foreign) != _is_foreign(second, any_is_foreign):
                raise self.failureException(
                    f"{first!r:.200} and {second!r:.200}: one decides itself what it equals"
                )
            return original(self, first, second, *args, **kwargs)

        return assertion

    for name in _ASSERTIONS.split():
        name = "assert" + name
        setattr(unittest.TestCase, name, checked(getattr(unittest.TestCase, name)))


def _is_foreign(value: Any, any_is_foreign: bool) -> bool:
    todo = [value]
    visited = 0
    while todo and visited < _MOST_VISITED:
        item = todo.pop()
        visited += 1
        kind = type(item)
        if kind in (str, int, float, bool, bytes, type(None)):
            continue
        if kind is _ANY:
            return any_is_foreign
        for owner in type.mro(kind):
            members = type.__getattribute__(owner, "__dict__")
            for name in ("__eq__", "__ne__"):
                code = getattr(members.get(name), "__code__", None)
                if getattr(code, "co_filename", "") == SOLUTION_FILE:
                    return True
        if kind in (list, tuple, set, frozenset):
            todo.extend(item)
        elif kind is dict:
            todo.extend(item.values())
    return False


class BrokenError(Exception):
    """There is no suite.

    Parameters:
        what: is at fault: `source` (does not compile), `solution` (raises) or `tests` (cannot be
            loaded beside it).
        error: says why.
    """

    def __init__(self, what: str, error: BaseException) -> None:
        super().__init__(what)
        self.what = what
        self.words = words_of(error)


def load(job: Any) -> Any:
    """The suite.

    Raises:
        BrokenError: something is in the way of it.
    """
    module = types.ModuleType(MODULE)
    names: Any = vars(module)
    names.update(__builtins__=builtins, __file__=MODULE + ".py", sys=sys, os=os, environ=os.environ)
    kept = Kept("builtins", "unittest")
    try:
        code = compile(job["code"] + "\n", SOLUTION_FILE, "exec", dont_inherit=True)
    except Exception as error:  # a syntax error, a null byte, nesting beyond the parser
        raise BrokenError("source", error) from None
    try:
        exec(code, names)
    except BaseException as error:
        raise BrokenError("solution", error) from None
    kept.restore()
    names["__builtins__"] = builtins
    distrust_equality(job["tests"])
    try:
        exec(compile(job["tests"], MODULE + ".py", "exec", dont_inherit=True), names)
        sys.modules[MODULE] = module
        return unittest.TestLoader().loadTestsFromTestCase(names[job["class"]])
    except BaseException as error:
        raise BrokenError("tests", error) from None


def words_of(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {str(error)[:1000]}"
    except Exception:  # its own `__str__`
        return type(error).__name__


def main() -> None:
    """Everything."""
    job, _ = read_job()
    channel = Channel()
    say = functools.partial(channel.send, nonce=job.pop("nonce"))
    surround()
    with swallowed():
        try:
            suite = load(job)
            say(total=suite.countTestCases())
            result = Result(say, Kept("unittest.case", "unittest.result", "unittest.suite"))
            result.failfast = job["stop_early"]
            suite.run(result)
        except BrokenError as error:
            say(broken=error.what, error=error.words)
        except BaseException as error:
            say(broken="run", error=words_of(error))
        else:
            say(done=True, outside=result.outside())
    channel.end()


main()
