"""From a fresh fork to the program: everything that happens in the child, in order.

The warm path executes Python text as `__main__` so that it cannot be told from
`python3 solution.py`; the other path is `execve`.  A page shared with pid 1 says how far the child
came, so that a failure of ours before the program's first instruction is never the program's fault.
"""

from __future__ import annotations

import _signal
import gc
import marshal
import mmap
import os
import signal
import sys
import types
from importlib.machinery import SourceFileLoader

from . import filters, kernel

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself is not worth its pages
    from collections.abc import Callable
    from typing import NoReturn

# Stages, in the first byte of the shared page.
SETUP = 0
COMPILING = 1
RUNNING = 2
EXEC_ERROR = 3
COMPILE_ERROR = 4

#: Descriptors of a program: 3 and 4 lead to its peer, 5 to pid 1.
CHANNEL_FD = 5
FIRST_PRIVATE_FD = 10
#: Pid 1 keeps its own descriptors above this, so that placing a child's never overwrites one.
RESERVED_FDS = 16

MAIN_FILE = "solution.py"


class Identity:
    """Who the program is.

    Parameters:
        uid, gid: what to become; None where pid 1 has no second user to give.
        drop_capabilities: whether capabilities must be dropped by hand (inside a user namespace).
        landlock: paths to read, paths to write, and the kernel's ABI; or None.
        own_signals_only: whether to install the filter that keeps signals to oneself.
        among_others: there are no namespaces: files and processes of others are in sight, and pid 1
            must be died with.
    """

    def __init__(
        self,
        uid: int | None,
        gid: int | None,
        drop_capabilities: bool,
        landlock: tuple[list[str], list[str], int] | None,
        own_signals_only: bool,
        among_others: bool,
    ) -> None:
        self.uid = uid
        self.gid = gid
        self.drop_capabilities = drop_capabilities
        self.landlock = landlock
        self.own_signals_only = own_signals_only
        self.among_others = among_others

    def become(self, dumpable: bool) -> None:
        """Give up every privilege; nothing after this can get one back."""
        if self.among_others:
            kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if self.uid is not None and self.gid is not None:
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)
        if self.drop_capabilities:
            kernel.drop_capabilities()
        if self.landlock is not None:
            readable, writable, abi = self.landlock
            # Made per run: /proc/self is this process's own folder, and nobody else's.
            kernel.landlock_restrict(
                kernel.landlock_ruleset([*readable, "/proc/self"], writable, abi)
            )
        if self.own_signals_only:
            kernel.install_filter(filters.own_signals_only_filter(os.getpid()))
        if self.among_others:
            kernel.install_filter(filters.files_of_others_filter())
        if dumpable:
            # Changing the uid cleared it, and /dev/stdin and /proc/self would be closed to us.
            kernel.prctl(kernel.PR_SET_DUMPABLE, 1)


def connect(descriptors: list[int]) -> None:
    """Put the given descriptors at 0, 1, 2, …; -1 leaves a place closed; close all others."""
    for place, fd in enumerate(descriptors):
        if fd >= 0:
            os.dup2(fd, place)
        elif place > 2:
            try:
                os.close(place)
            except OSError:
                continue
    os.closerange(len(descriptors), 1 << 16)


def limit_cores() -> None:
    """In pid 1, for all programs: no core file.

    Of this size alone, one byte, the kernel also starts no handler (`|program` in core_pattern),
    which would be a process of the host's for each crash, outside of every limit.
    """
    import resource

    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    size = 1 if most == resource.RLIM_INFINITY else min(most, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (size, size))


def limit(cpu_s: int, file_bytes: int, open_files: int, processes: int, stack_bytes: int) -> None:
    """Backstops behind pid 1's and the cgroup's limits, inherited by all descendants.

    Parameters:
        processes: which counts all that the user has on this host, in slots of other daemons, too;
            0: a cgroup counts.
    """
    import resource  # here, where `native` is not: a library less for every fork

    for which, soft, hard in (
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_FSIZE, file_bytes, file_bytes),
        (resource.RLIMIT_NOFILE, open_files, open_files),
        (resource.RLIMIT_STACK, stack_bytes, stack_bytes),
        (resource.RLIMIT_NPROC, processes, processes),
    ):
        if which == resource.RLIMIT_NPROC and not processes:
            continue
        # Where this host's own hard limit is below, that one holds.
        most = resource.getrlimit(which)[1]
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(which, (soft, hard))


def execute(argv: list[str], env: dict[str, str], program: int, page: mmap.mmap) -> None:
    """Become another program; returns only by exiting, with the reason in the page.

    Parameters:
        program: descriptor of the executable, or -1 to look argv[0] up on PATH.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    page[0] = RUNNING
    try:
        if program >= 0:
            os.execve(program, argv, env)
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        page[0] = EXEC_ERROR
        message = ("cannot execute %s: %s" % (argv[0], error.strerror)).encode()[:1000]
        page[1 : 1 + len(message)] = message
    os._exit(127)


def compile_only(source: bytes, page: mmap.mmap) -> None:
    """Write the marshalled code of the source to standard output, and exit."""
    page[0] = COMPILING
    code = _compile(source, page)
    sys.stdout.buffer.write(marshal.dumps(code))
    sys.stdout.flush()
    page[0] = RUNNING
    os._exit(0)


def _compile(source: bytes, page: mmap.mmap) -> types.CodeType:
    try:
        return compile(source, os.path.join(os.getcwd(), MAIN_FILE), "exec", 0, True)
    except BaseException as error:
        compile_failed(error, page)


def compile_failed(error: BaseException, page: mmap.mmap) -> NoReturn:
    """Say what the interpreter says of a program that does not compile, and exit."""
    page[0] = COMPILE_ERROR
    error.__traceback__ = None  # ours, not the program's
    sys.__excepthook__(type(error), error, None)
    sys.stderr.flush()
    os._exit(1)


def prepare_main(folder: str) -> dict[str, object]:
    """A `__main__` as the interpreter itself makes it for `python3 solution.py`.

    Done in pid 1, which never uses it: every child has its own copy from the fork.  After
    `gc.freeze`, so that a child can have it collected.
    """
    path = os.path.join(folder, MAIN_FILE)
    main = type(sys)("__main__")
    namespace = main.__dict__
    namespace.update(
        __builtins__=sys.modules["builtins"],
        __annotations__={},
        __loader__=SourceFileLoader("__main__", path),
        __file__=path,
        __cached__=None,
    )
    sys.modules["__main__"] = main
    sys.argv[:] = [MAIN_FILE]
    sys.path[0] = folder
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = [sys.orig_argv[0], MAIN_FILE]
    forget_folder(folder)
    return namespace


def forget_folder(folder: str) -> None:
    """Pid 1 may have looked for modules there when there was no folder, and remembered it."""
    sys.path_importer_cache.pop(folder, None)


def take_interrupts() -> None:
    """SIGINT raises KeyboardInterrupt, as in any Python; pid 1 itself has no handlers."""
    _signal.signal(signal.SIGINT, signal.default_int_handler)


# Traits of a program's text: what it may do that others need not pay for.
MAY_USE_RANDOM = 1
LEAVES_SOMETHING = 2
MAY_USE_C_STREAMS = 4

#: Text without any of these uses no generator of random numbers that was made before the fork.
RANDOM_WORDS = (b"random", b"statistics")
#: Text without any of these leaves nothing behind whose end could be seen from outside: no file to
#: flush, no destructor, no suspended generator.
LEAVING_WORDS = (b"open", b"__del__", b"yield", b"weakref", b"async", b"Wrapper", b"Buffered",
                 b"tempfile")  # fmt: skip
STREAM_WORDS = (b"ctypes", b"cffi", b"numpy")


def traits_of(names: Callable[[bytes], bool]) -> int:
    """The traits of a program.

    Parameters:
        names: whether the program's text holds a word.
    """
    found = 0
    for trait, words in (
        (MAY_USE_RANDOM, RANDOM_WORDS),
        (LEAVES_SOMETHING, LEAVING_WORDS),
        (MAY_USE_C_STREAMS, STREAM_WORDS),
    ):
        if any(names(word) for word in words):
            found |= trait
    return found


#: What puts the module `random` into a state of its own, and the module itself, which is there for
#: programs whose text names it.  Whoever gets to it on another way imports it anew.
_seeds = []  # type: list[Callable[[], None]]
_random = []  # type: list[types.ModuleType]

#: Whose hooks do nothing but repair what a fork beside other threads breaks; pid 1 has one thread.
_REPAIRS_AFTER_THREADS = ("logging", "threading")
#: Interpreters whose own care after a fork was read and found to be of that kind, too.
_READ_INTERPRETERS = ((3, 11),)


def _sentinel() -> None:
    pass


def _fork_hooks() -> list[list[Callable[[], None]]]:
    """The interpreter's own lists of hooks, which it shows nobody."""
    os.register_at_fork(before=_sentinel, after_in_child=_sentinel, after_in_parent=_sentinel)
    return [found for found in gc.get_referrers(_sentinel) if type(found) is list]


_hooks = _fork_hooks()


def nobody_hears_of_forks() -> bool:
    """Whether a child need not be told that it is one: that costs thirty page faults."""
    owners = {getattr(hook, "__module__", None) for hooks in _hooks for hook in hooks}
    return (
        sys.version_info[:2] in _READ_INTERPRETERS
        and len(_hooks) == 3
        and owners <= {_sentinel.__module__, *_REPAIRS_AFTER_THREADS}
    )


class WithoutReseeding:
    """While modules are preloaded: keep `random` from seeding itself anew in every child.

    It costs a fifth of a millisecond; `prepare_random` does it where a program may notice.
    """

    def __enter__(self) -> None:
        if _random:
            sys.modules["random"] = _random[0]
        self._register = os.register_at_fork
        os.register_at_fork = self._note  # type: ignore[assignment]

    def __exit__(self, *_: object) -> None:
        os.register_at_fork = self._register
        module = sys.modules.pop("random", None)
        if module is not None:
            _random[:] = [module]

    def _note(self, **hooks: Callable[[], None]) -> None:
        hook = hooks.get("after_in_child")
        if type(getattr(hook, "__self__", None)).__module__ == "random":
            _seeds.append(hooks.pop("after_in_child"))
        if hooks:
            self._register(**hooks)


def prepare_random() -> None:
    """Random numbers must not repeat those of another child."""
    for module in _random:
        sys.modules["random"] = module
    for seed in _seeds:
        seed()
    arrays = sys.modules.get("numpy.random")
    if arrays is not None:
        arrays.seed()


def add_arguments(arguments: list[str]) -> None:
    """`python3 solution.py ARGUMENTS`."""
    sys.argv += arguments
    if hasattr(sys, "orig_argv"):
        sys.orig_argv += arguments


def load_code(source: bytes, code: bytes, page: mmap.mmap) -> types.CodeType:
    """The code object to run: compiled here, or made by an earlier `compile_only`."""
    if code:
        return marshal.loads(code)
    page[0] = COMPILING
    return _compile(source, page)
