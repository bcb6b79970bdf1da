"""The end of a Python program in a child: what the interpreter does, in its order, as seen outside.

The interpreter's own teardown touches every page of memory that the fork shares, several
milliseconds of page faults; only its visible effects are repeated.  The order is that of
`pyrun_file`, `PyErr_PrintEx` and `Py_FinalizeEx` of CPython 3.11.
"""

from __future__ import annotations

import _weakref
import atexit
import gc
import os
import signal
import sys

from . import child, kernel

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself is not worth its pages
    from typing import NoReturn, TextIO

#: What pid 1 opened for every program; the program may put others in their place.
_STREAMS = (sys.stdout, sys.stderr)
#: What the last exception that nobody caught is remembered by.
_LAST = ("last_type", "last_value", "last_traceback", "last_exc")


def end(scope: dict[str, object], traits: int) -> NoReturn:
    """End the program.

    Parameters:
        scope: names of pid 1's own module; `namespace` and `uncaught` are the program's, and taken
            out, so that nothing of ours keeps its objects alive.
        traits: of the program's text; see `child`.
    """
    scope.pop("namespace")
    uncaught = scope.pop("uncaught")
    _flush_quietly()
    status = 0
    if isinstance(uncaught, BaseException):
        status = _report(uncaught)
    del uncaught
    threading = sys.modules.get("threading")
    if threading is not None:
        try:
            threading._shutdown()
        except BaseException as error:
            _unraisable(error, "threading._shutdown")
    if atexit._ncallbacks():
        atexit._run_exitfuncs()
    status = _flush(status)
    if traits & child.LEAVES_SOMETHING:
        _destroy()
        status = _flush(status)
    for stream in _STREAMS:
        # Closed by its own destructor, whoever else was `sys.stdout`.
        try:
            stream.flush()
        except BaseException:
            continue
    if traits & child.MAY_USE_C_STREAMS:
        kernel.flush_c_streams()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _report(error: BaseException) -> int:
    """What the interpreter does with an exception that nobody caught; the exit status."""
    if isinstance(error, SystemExit):
        return _exit_status(error.code)
    traceback = error.__traceback__
    # Our own frame is not part of the program's traceback.
    stripped = traceback.tb_next if traceback is not None else None
    error.__traceback__ = stripped
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, stripped
    try:
        sys.excepthook(type(error), error, stripped)
    except SystemExit as exit_error:
        return _exit_status(exit_error.code)
    except BaseException as second:
        sys.stderr.write("Error in sys.excepthook:\n")
        _without_our_frame(second)
        sys.__excepthook__(type(second), second, second.__traceback__)
        sys.stderr.write("\nOriginal exception was:\n")
        sys.__excepthook__(type(error), error, stripped)
    return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1


def _without_our_frame(error: BaseException) -> None:
    traceback = error.__traceback__
    error.__traceback__ = traceback.tb_next if traceback is not None else None


def _exit_status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        # Outside the range of a C long the interpreter says -1.
        return code & 0xFF if -(1 << 63) <= code < 1 << 63 else 255
    try:
        sys.stderr.write(str(code) + "\n")
    except BaseException:
        return 1
    return 1


def _flush_quietly() -> None:
    """As after every file that was run: an error comes up again later."""
    for name in ("stderr", "stdout"):
        try:
            getattr(sys, name).flush()
        except BaseException:
            continue


def _flush(status: int) -> int:
    stdout, stderr = sys.stdout, sys.stderr
    try:
        if stdout is not None:
            stdout.flush()
    except BaseException as error:
        if not _is_closed(stdout):
            _unraisable(error, repr(stdout))
            status = 120
    try:
        if stderr is not None:
            stderr.flush()
    except BaseException:
        if not _is_closed(stderr):
            status = 120
    return status


def _is_closed(file: TextIO) -> bool:
    try:
        return file.closed
    except BaseException:
        return False


def _unraisable(error: BaseException, where: str) -> None:
    try:
        sys.stderr.write("Exception ignored in: %s\n" % where)
        _without_our_frame(error)
        sys.__excepthook__(type(error), error, error.__traceback__)
    except BaseException:
        os._exit(120)


def _destroy() -> None:
    """Drop the program's module, so that files flush and destructors speak, also those of objects
    that hold each other; in the interpreter's order."""
    for name in _LAST:
        if hasattr(sys, name):
            setattr(sys, name, None)
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__
    main = sys.modules.pop("__main__", None)
    if main is None:
        return
    kept = _weakref.ref(main)
    del main
    gc.collect()
    main = kept()
    if main is not None:
        # Somebody holds the module: then its names are emptied.
        namespace = main.__dict__
        for name in [n for n in namespace if n.startswith("_") and not n.startswith("__")]:
            namespace[name] = None
        for name in list(namespace):
            if name != "__builtins__":
                namespace[name] = None
        gc.collect()
