"""Inside the sandbox, trusted side: execute a test program against a submission in another process.

Standard input holds the test program.  Descriptor 3 brings answers from the process that holds the
submission (`candidate.py`), 4 takes requests, and 5, which that process has not, takes the result.
Names that the test program does not define come from the submission: plain data as copies,
everything else as a `Remote` that forwards calls.  What the test compares is compared here: a
remote object is never equal to plain data, whatever its `__eq__` says.

What the submission must not be able to choose is that its test is run in one process with it: so a
value that cannot be sent is a wrong one, and only what the test does can be `unproxiable`.  Where
the test takes the submission's word for something (see `Link.trusting`), the result says so.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from typing import Any, NoReturn

from scalebox.judging.harness.common import (
    LineReader,
    MalformedError,
    UncompilableError,
    UnserialisableError,
    decode,
    describe,
    dumps,
    loads,
    read_stdin,
    write_all,
)
from scalebox.judging.harness.frameworks import are_used, main_module, note_failures
from scalebox.judging.harness.programs import (
    IDLE_WORDS,
    LOADING,
    TEST_FILE,
    NoSuchNameError,
    attributes_used,
    explain,
    is_idle,
    names_from_candidate,
    names_in_classes,
    result_record,
)
from scalebox.judging.harness.remote import Remote, UnproxiableError
from scalebox.judging.harness.rich import (
    MESSAGE_BYTES,
    mutable_copy_target,
    reader,
    writer,
)

ANSWERS, REQUESTS, CHANNEL = 3, 4, 5


class EndedError(BaseException):
    """The submission's process ended, or broke the protocol; nothing can pass any more."""


class UnsendableError(BaseException):
    """The submission made a value that is no data, nor an object to be asked."""


class Link:
    """The connection to the submission's process.

    Attributes:
        broken: the first error that decides the whole run, even if the test program swallows it.
        trusting: whether the test may have been decided by the submission itself: it looked twice
            at an object that is free to be another one each time, asked it what it is equal to, or
            used a function beside the one under test.
        stops: whether the test knows StopIteration; if not, one raised by a call would only end an
            iteration of the test's, over its cases say, too early.
    """

    def __init__(self, program: str = "") -> None:
        self.broken: BaseException | None = None
        self.trusting = False
        self.stops = "StopIteration" in program or "StopAsyncIteration" in program
        # Only a true coroutine is taken by `asyncio.run`.
        self._awaits = "async" in program
        self._coroutine = False
        #: Answers that are being read: what they make of an object is the submission's doing.
        self._reading = 0
        self.exceptions: dict[str, Any] = {}
        self._answers = LineReader(ANSWERS, MESSAGE_BYTES)
        self._other = writer(self._write_remote)
        self._read = reader(self._read_special)
        self._remotes: dict[int, Remote] = {}

    def hello(self) -> None:
        """Wait until the submission is loaded."""
        tree = self._receive()
        if "c" in tree:
            self.fail(UncompilableError(str(tree["c"])))
        if "v" not in tree:
            self.fail(EndedError(str(tree.get("e")) + LOADING))

    def ask(self, operation: str, target: int | None, *args: Any, **kwargs: Any) -> Any:
        """One request and its answer.

        Raises:
            whatever the submission raised, as the built-in exception of the same name.
            EndedError, UnproxiableError, UnsendableError: nothing can be said any more.
        """
        if self.broken is not None:
            raise self.broken
        try:
            text = dumps([operation, target])[:-1] + "," + self._arguments(args, kwargs) + "]\n"
        except UnserialisableError as error:
            self.fail(UnproxiableError("an argument cannot be sent: %s" % error))
        try:
            write_all(REQUESTS, text)
        except OSError:
            self.fail(EndedError(_ENDED))
        tree = self._receive()
        self._reading += 1
        try:
            if "u" in tree:
                self.fail(UnsendableError("a value cannot be sent: " + str(tree["u"])[:300]))
            for place, changed in tree.get("a", ()):
                _write_back(args[place], decode(changed, self._read))
            if "e" not in tree:
                return self._value(tree["v"])
            bases, text, raised = tree["e"]
            values = None if raised is None else decode(raised)
            raised_here = self._exception(operation, bases, str(text), values)
        except NoSuchNameError:
            raise
        except Exception as error:  # whatever a forged answer makes a type's constructor raise
            self.fail(EndedError("the submission wrote something else than answers: %s" % error))
        finally:
            self._reading -= 1
        raise raised_here

    def fail(self, error: BaseException) -> NoReturn:
        """Raise, now and at every further request."""
        if self.broken is None:
            if self._reading and type(error) is UnproxiableError and not self._coroutine:
                error = EndedError("the submission wrote something else than answers: %s" % error)
            self.broken = error
        raise self.broken

    def _value(self, tree: Any) -> Any:
        value = decode(tree, self._read)
        if self._coroutine:
            self.fail(UnproxiableError("a coroutine of the submission"))
        return value

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        texts = [dumps(arg, self._other) for arg in args]
        pairs = [dumps(name) + ":" + dumps(arg, self._other) for name, arg in kwargs.items()]
        return "[%s],{%s}" % (",".join(texts), ",".join(pairs))

    def _receive(self) -> dict[str, Any]:
        try:
            line = self._answers.line()
            tree = None if line is None else loads(line)
        except (MalformedError, MemoryError) as error:
            self.fail(EndedError("the submission wrote something else than answers: %s" % error))
        if line is None:
            self.fail(EndedError(_ENDED))
        if type(tree) is not dict:
            self.fail(EndedError("the submission wrote something else than answers"))
        return tree

    def _write_remote(self, value: Any) -> tuple[str, Any]:
        if type(value) is Remote:
            return "o", object.__getattribute__(value, "_scalebox_number")
        raise UnserialisableError("a %s" % type(value).__name__)

    def _read_special(self, tag: str, body: Any) -> Any:
        if tag == "o":
            number, name = body
            self._coroutine |= self._awaits and name == "coroutine"
            remote = self._remotes.get(number)
            if remote is None:
                remote = self._remotes[int(number)] = Remote(self, number, str(name))
            return remote
        if tag == "A":
            raise NoSuchNameError
        if tag == "M":
            return _ModuleName(str(body))
        if tag == "L":
            home, name = body
            if home in ("collections", "datetime", "decimal", "fractions", "typing"):
                found = getattr(importlib.import_module(home), name)
                if isinstance(found, type):
                    return found
        if tag == "E":
            return self._exception_class(body)
        raise MalformedError("an unknown tag")

    def module(self, name: str, real_name: str) -> Any:
        """The module that the submission imported under a name: ours, not the submission's.

        Its own name must be that name or customary for it: the test says what it wants, and a
        submission must not choose what this process imports.
        """
        if real_name in (name, _CUSTOMARY.get(name)) or real_name.endswith("." + name):
            try:
                return importlib.import_module(real_name)
            except Exception:
                self.fail(UnproxiableError("the module %s is not here" % real_name[:100]))
        self.fail(UnproxiableError("%s is the module %s" % (name, real_name[:100])))
        return None

    def _exception_class(self, bases: Any) -> Any:
        """A class to catch: one of the interpreter's, or made here for the submission's own."""
        module, name = bases[0]
        if module == "builtins" or len(bases) == 1:
            known = getattr(builtins, name, Exception)
            return known if _is_exception(known) else Exception
        # Only where it is loaded already: a submission does not choose what is imported here.
        known = getattr(sys.modules.get(module), name, None)
        if _is_exception(known) and module.split(".")[0] not in _WITH_SIGNALS:
            return known
        known = self.exceptions.get(name)
        if known is None:
            known = type(name, (self._exception_class(bases[1:]),), {})
            self.exceptions[name] = known
        return known

    def _exception(self, operation: str, bases: Any, text: str, values: Any) -> BaseException:
        if ["builtins", "Exception"] not in bases:
            self.fail(EndedError("the submission raised " + text))
        kind = self._exception_class(bases)
        if issubclass(kind, _STOPS) and operation != "next" and not self.stops:
            kind, values = RuntimeError, None
        try:
            error = kind(*([text] if values is None else values))
        except Exception:
            error = kind.__new__(kind, text)
        error.scalebox_remote = text
        assert isinstance(error, BaseException)
        return error


_STOPS = (StopIteration, StopAsyncIteration)
#: Whose exceptions tell a framework what to do: to skip a test is not the submission's to say.
_WITH_SIGNALS = ("unittest", "_pytest")


def _is_exception(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Exception)


class _ModuleName:
    """The submission says that a name is a module."""

    def __init__(self, name: str) -> None:
        self.name = name


#: Names under which modules are customarily imported (split: see the package's docstring).
_CUSTOMARY = {
    "np": "num%s" % "py",
    "pd": "pan%s" % "das",
    "plt": "matplotlib.pyplot",
    "dt": "datetime",
    "it": "itertools",
}
_ENDED = "the submission's process ended before it answered"


def _write_back(target: Any, now: Any) -> None:
    kind = mutable_copy_target(target)
    if kind is None or type(now) is not kind:
        raise MalformedError("a changed argument of another type")
    if kind in (list, bytearray):
        target[:] = now
    else:
        target.clear()
        target.update(now)


class Names(dict):  # type: ignore[type-arg]
    """The test program's globals: what it does not define is asked of the submission."""

    def __init__(self, link: Link, program: str, entry_point: str | None) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins)
        self._link = link
        self._program = program
        self._entry_point = entry_point
        self._before_builtins = names_from_candidate(program, entry_point)
        self._replaced: set[str] = set()
        #: What the submission was asked for and had not.
        self._lacking: set[str] = set()
        self._used: dict[str, set[str]] | None = None

    def __missing__(self, name: str) -> Any:
        is_built_in = hasattr(builtins, name)
        if is_built_in and name not in self._before_builtins:
            raise KeyError(name)
        if name.startswith("__"):
            raise KeyError(name)
        try:
            value = self._link.ask("name", None, name)
        except NoSuchNameError:
            self._lacking.add(name)
            raise KeyError(name) from None
        value = self._module(name, value)
        if type(value) is Remote:
            self._weigh(name, value, is_built_in)
            self[name] = value
        elif self._entry_point not in (None, name) and not isinstance(value, (type, _module_type)):
            self._link.trusting = True
        return value

    def __contains__(self, name: object) -> bool:
        return self.get(name, self) is not self

    def get(self, name: Any, default: Any = None) -> Any:
        """As `globals().get` is meant."""
        if type(name) is not str:
            return dict.get(self, name, default)
        try:
            return self[name]
        except KeyError:
            return default

    def copy(self) -> Names:
        """Another one, which doctest makes for each of its tests."""
        made = Names(self._link, self._program, self._entry_point)
        made._lacking = self._lacking
        dict.update(made, self)
        return made

    def fetch(self, wanted: set[str]) -> None:
        """Have what the submission has under these names, for those who do not ask for them."""
        for name in sorted(wanted):
            try:
                value = self[name]
            except KeyError:
                continue
            dict.setdefault(self, name, value)

    def has_what_was_missing(self, error: BaseException) -> bool:
        """Whether a name that the test did not find is there: `eval` in a function, say, asks the
        dictionary itself, as the bodies of classes do.

        A submission that was asked, and brings the name later, would choose to be run in one
        process with its test.
        """
        name = getattr(error, "name", None)
        if not isinstance(error, NameError) or hasattr(error, "scalebox_remote") or not name:
            return False
        if name in self._lacking:
            return False
        try:
            self[name]
        except Exception:
            return False
        return True

    def _module(self, name: str, value: Any) -> Any:
        """What is there under a name, or the module that the test means by it."""
        known = type(value) is _ModuleName
        if not known and name not in _LIBRARY and name not in _CUSTOMARY:
            return value
        if self._used is None:
            self._used = attributes_used(self._program)
        attributes = self._used.get(name)
        if not attributes:
            return value
        if known:
            value = self._link.module(name, value.name)
        else:
            # A test that says `math.isclose` means the library's, not one that answers for it.
            try:
                module = importlib.import_module(_CUSTOMARY.get(name, name))
            except Exception:
                return value
            if not all(hasattr(module, attribute) for attribute in attributes):
                return value
            value = module
        self[name] = value
        return value

    def _weigh(self, name: str, value: Remote, is_built_in: bool) -> None:
        """Whether the test is about this name; if not, it trusts in what is behind it."""
        if is_built_in:
            self._replaced.add(name)
        if self._entry_point not in (None, name) or len(self._replaced) > 1:
            object.__setattr__(value, "_scalebox_beside", True)


_module_type = type(sys)
#: Modules that a test may name without importing them (before Python 3.10: those most often met).
_LIBRARY = getattr(
    sys,
    "stdlib_module_names",
    frozenset("cmath collections copy datetime itertools math operator random re string".split()),
)


#: What broke the link -> what that makes of the test.
_STATES = {
    UnproxiableError: "unproxiable",
    UncompilableError: "uncompilable",
    UnsendableError: "failed",
}


def run(program: str, entry_point: str | None, link: Link) -> tuple[str, str]:
    """Execute the test program; (state, message)."""
    try:
        code = compile(program, TEST_FILE, "exec", 0, True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return "invalid", "the test program does not compile: " + describe(error)
    if is_idle(program, entry_point):
        return "invalid", IDLE_WORDS
    names = Names(link, program, entry_point)
    failures: list[tuple[str, str]] = []
    try:
        link.hello()
        if "class " in program:
            names.fetch(names_in_classes(program))
        sys.modules["__main__"] = main_module(names, program)
        if are_used(program):
            failures = note_failures(program)
        exec(code, names)
        if entry_point is not None and dict.__contains__(names, "check"):
            try:
                candidate = names[entry_point]
            except KeyError:
                return "error", "the submission does not define " + entry_point
            names["check"](candidate)
    except BaseException as error:
        if link.broken is None:
            if names.has_what_was_missing(error):
                return "unproxiable", "the test looks names up in another way than by using them"
            if not isinstance(error, SystemExit) or hasattr(error, "scalebox_remote"):
                return explain(error, program)
            # The test's own wish, and nothing that the submission did when it was called.
            if error.code not in (None, 0):
                return "failed", "the test exits with %.200r" % (error.code,)
    if link.broken is not None:
        state = _STATES.get(type(link.broken), "error")
        return state, str(link.broken)[:500]
    return failures[0] if failures else ("passed", "")


def main() -> None:
    """The whole run; never returns."""
    task = loads(read_stdin().decode("ascii"))
    # The slot's own folder: nothing is imported from where a submission could write.
    del sys.path[:1]
    link = Link(task["program"])
    state, message = run(task["program"], task["entry_point"], link)
    write_all(CHANNEL, result_record(task["nonce"], state, message, link.trusting))
    os._exit(0)


if __name__ == "__main__":
    main()
