"""unittest and doctest inside of test programs: what fails there fails the program.

Both only print failures unless they are asked, and look for tests in the module `__main__`, which
here is none of a file.  Nothing of them is loaded for a program that does not name them.
"""

from __future__ import annotations

import sys
from typing import Any, Callable, List, Tuple

from scalebox.judging.harness.programs import explain

#: (state, message) of each test that failed.
Failures = List[Tuple[str, str]]
_NO_TESTS = ("invalid", "`unittest.main` finds no test in the test program")
_module_kind = type(sys)


def are_used(program: str) -> bool:
    """Whether a test program names one of them."""
    return "unittest" in program or "doctest" in program


def note_failures(program: str) -> Failures:
    """From now on, what fails is put into the list that is returned; `unittest.main` does not exit
    any more.
    """
    failures: Failures = []
    # `unittest.main` reads them.
    del sys.argv[1:]
    if "unittest" in program:
        _note_of_unittest(program, failures)
    if "doctest" in program:
        _note_of_doctest(failures)
    return failures


def _note_of_unittest(program: str, failures: Failures) -> None:
    import unittest

    def noting(add: Callable[..., None]) -> Callable[..., None]:
        def add_and_note(result: Any, test: Any, *more: Any) -> None:
            error = more[-1] if more else ()
            if error:
                failures.append(explain(error[1], program))
            elif error is not None:  # that would be a part of a test that passed
                failures.append(("failed", "%s passes, and is expected to fail" % test))
            add(result, test, *more)

        return add_and_note

    kind: Any = unittest.TestResult
    for name in ("addError", "addFailure", "addSubTest", "addUnexpectedSuccess"):
        setattr(kind, name, noting(getattr(kind, name)))
    skip = kind.addSkip

    def skip_and_note(result: Any, test: Any, reason: Any) -> None:
        # A test that speaks of no such thing was skipped by the submission.
        if "skip" not in program.lower():
            failures.append(("failed", "%s was skipped: %s" % (test, reason)))
        skip(result, test, reason)

    kind.addSkip = skip_and_note
    program_kind: Any = unittest.TestProgram
    run_tests = program_kind.runTests

    def run_and_stay(self: Any) -> None:
        self.exit = False
        run_tests(self)
        if not self.result.testsRun:
            failures.append(_NO_TESTS)

    program_kind.runTests = run_and_stay


def _note_of_doctest(failures: Failures) -> None:
    import doctest

    def noting(report: Callable[..., None]) -> Callable[..., None]:
        def report_and_note(self: Any, out: Any, test: Any, example: Any, got: Any) -> None:
            failures.append(("failed", "doctest of %s: %s" % (test.name, example.source.strip())))
            report(self, out, test, example, got)

        return report_and_note

    kind: Any = doctest.DocTestRunner
    for name in ("report_failure", "report_unexpected_exception"):
        setattr(kind, name, noting(getattr(kind, name)))


def main_module(names: Any, program: str) -> Any:
    """A module `__main__` of what a test program's globals are.

    Parameters:
        names: a dictionary, which may know more than is in it.
        program: of what is not in it, only names are asked for that stand there: what unittest
            looks for besides is not the submission's to give.
    """

    class Main(_module_kind):  # type: ignore[misc, valid-type]
        __dict__ = property(lambda self: names)

        def __getattr__(self, name: str) -> Any:
            if dict.__contains__(names, name) or name in program:
                try:
                    return names[name]
                except KeyError:
                    pass
            raise AttributeError("module '__main__' has no attribute %r" % name)

        def __setattr__(self, name: str, value: Any) -> None:
            names[name] = value

        def __dir__(self) -> list[str]:
            return list(names)

    return Main("__main__")
