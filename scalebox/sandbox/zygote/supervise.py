"""Pid 1 of a slot: receive a run, fork it, watch it, clean up, report; for ever.

It runs nothing untrusted itself, and trusts nothing that a program could have touched: it ignores
signals (as pid 1 with default handlers the kernel drops those from inside), reads only descriptors
that it opened, and reports what the kernel says.

Where `native` is there, it carries out most runs, and comes here for the rest.
"""

from __future__ import annotations

import functools
import marshal
import mmap
import os
import signal
import time

from . import child, ending, kernel, meter, native, wire
from .box import Box
from .report import Ending, Reporter, Run
from .request import Inbox, Request, strings, variables
from .watch import CPU_STOP_FACTOR, Watch

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` itself is not worth its pages
    import types
    from collections.abc import Callable
    from typing import NoReturn, Tuple

    #: Code to execute as `__main__`, and its traits; only ever in a forked child.
    Program = Tuple[types.CodeType, int]


class Settings:
    """What the daemon decided about this slot, as it arrives (JSON)."""

    def __init__(self, raw: dict) -> None:  # type: ignore[type-arg]
        self.level = raw["level"]
        self.uid = raw["uid"]
        self.driver_uid = raw["driver_uid"]
        self.cpus = raw["cpus"]
        self.binds = raw["binds"]
        self.staging = raw["staging"]
        self.preload = raw["preload"]
        self.preload_on_demand = raw["preload_on_demand"]
        self.cgroup_procs = raw["cgroup_procs"]
        self.cgroup_files = raw["cgroup_files"]
        self.cgroup_version = raw["cgroup_version"]
        self.peak_resets = raw["peak_resets"]
        self.env = raw["env"]
        self.native = raw["native"]
        #: Paths below /tmp that each run's own /tmp would hide → where they are.
        self.hidden = {}  # type: dict[str, str]


#: At this place of the page pid 1 says that its own OOM score is back: until then the kernel could
#: choose it as well as its children.
_GO_PLACE = 4095
#: Without namespaces and cgroups RLIMIT_NPROC counts all that the user has on this host: a run may
#: have as many as there are when it begins, its own, and these: others may start some meanwhile.
_TASKS_OF_OTHERS = 64
#: For so long the count is good.
_RECOUNT_NS = 250_000_000
#: Why pid 1, or the kernel for it, may have ended a program.
_ENDED_BY_US = (
    wire.CPU_EXCEEDED | wire.WALL_EXCEEDED | wire.OUT_OF_MEMORY | wire.OUTPUT_EXCEEDED
    | wire.CANCELLED
)  # fmt: skip


class Supervisor:
    """The loop of pid 1.

    Parameters:
        control: the socket to the daemon.
        settings: of this slot.
        gauge: measures runs.
        identity, driver_identity: who the program, and the trusted program beside it, are.
        own_namespaces: whether there is a pid and a mount namespace of ours.
        oom_score: descriptor of this process's oom_score_adj; -1: not to be changed.
        library: carries out most runs, or None; `prepare`d here.
        network: the slot's own, or None.
    """

    def __init__(  # type: ignore[no-untyped-def]
        self, control, settings, gauge, identity, driver_identity, own_namespaces, oom_score,
        library=None, network=None,
    ):  # fmt: skip
        self._control = control
        self._settings = settings
        self._meter = gauge
        self._identity = identity
        self._driver_identity = driver_identity
        self._own_namespaces = own_namespaces
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._on_demand = [name.encode() for name in settings.preload_on_demand]
        uid = settings.uid if settings.uid is not None else os.getuid()
        self._box = Box(own_namespaces, settings.staging, settings.hidden, uid)
        # The kernel must choose a program, never pid 1: programs are born with a higher score.  The
        # launcher has spared this process, if it could; here it is never lowered further, as an
        # ordinary user's child could lower its own as far.
        self._oom_score = oom_score
        self._own_oom_score = os.pread(oom_score, 16, 0).strip() if oom_score >= 0 else b""
        self._watch = Watch(control, gauge, max(1, len(settings.cpus)))
        self._reporter = Reporter(control, self._page, self._box)
        self._inbox = Inbox(control)
        self._daemon_is_gone = False
        self._tasks_of_others = 0
        self._counted_ns = 0
        if library is None:
            __import__("resource")  # here rather than in each child; before `sys.path` is theirs
        #: Of the `__main__` that a program is executed as.
        self.namespace = child.prepare_main(self._box.folder)
        self._native = library
        self._network = network
        child.take_interrupts()
        if library is None:
            # Back to none at the level of the system, which is what counts for pid 1.
            kernel.drop_handler(signal.SIGINT)
        else:
            library.prepare(
                settings, control.fileno(), self._page, gauge.files(), gauge.poll_interval_ms,
                oom_score, -1 if identity.uid is None else identity.uid,
                -1 if driver_identity.uid is None else driver_identity.uid,
                identity.drop_capabilities, self._on_demand,
            )  # fmt: skip

    def server(self) -> tuple[Callable[[object], object], object]:
        """What to call with what, again and again, in pid 1.

        It returns in a forked child, with the code to execute there; all else is for `go_on`.
        """
        if self._native is not None:
            return self._native.serve, self._native.place
        return self._serve_one, None

    def _serve_one(self, _: object) -> object:
        request = self._inbox.receive()
        if request is None:
            return native.CLOSED
        program = self._carry_out(request)
        if program is None:
            request.close()
            self._inbox.forget()
        return program

    def go_on(self, what: object) -> Program | None:
        """Do what is left of a run; in a forked child, return what to execute.

        Parameters:
            what: came back from the server: one of `native`'s words, or a program.
        """
        if type(what) is tuple:
            if what[1] & child.MAY_USE_RANDOM:
                child.prepare_random()
            return what
        library = self._native
        if what == native.CLOSED:
            os._exit(0)
        if library is not None:
            if what == native.IN_CHILD:
                return self._become_launched(library)
            request = Request(library.buffer, library.descriptors())
            if what == native.LAUNCHED:
                self._see_through(request, library.state)
            else:
                program = self._carry_out(request)
                if program is not None:
                    return program
            del request
            library.forget()
        if self._daemon_is_gone:
            os._exit(0)
        return None

    def does_not_compile(self, error: BaseException) -> NoReturn:
        """In a child, whose source does not compile: say so, and exit."""
        child.compile_failed(error, self._page)

    # --- one run ---------------------------------------------------------------------------------

    def _carry_out(self, request: Request) -> Program | None:
        if self._network is not None:
            self._network.renew_if_used()
        self._preload_for(request)
        # After a fork every page that either side writes is copied: what can be done before it, or
        # after the child's end, is.
        self._meter.begin(request.memory, request.processes)
        self._box.make(request.file_bytes)
        if not self._own_namespaces and "pids_max" not in self._meter.files():
            self._count_others()
        run = Run(
            request,
            _open_stdin(request),
            os.memfd_create("stdout", os.MFD_CLOEXEC),
            os.memfd_create("stderr", os.MFD_CLOEXEC),
        )
        if request.flags & wire.CHANNEL:
            run.channel, run.channel_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
            os.set_blocking(run.channel_end, True)
        self._page[0] = child.SETUP
        self._page[_GO_PLACE] = 0
        if self._oom_score >= 0:
            os.pwrite(self._oom_score, b"800", 0)
        run.started_ns = time.monotonic_ns()
        program = self._fork_pair(run) if request.flags & wire.DRIVER else self._fork(run)
        if program is not None:
            return program
        if self._oom_score >= 0:
            os.pwrite(self._oom_score, self._own_oom_score, 0)
        if request.pipes:
            request.close_pipes()
            if self._native is not None:
                self._native.forget_last(2)
        self._page[_GO_PLACE] = 1
        self._end(run, waited=False)
        return None

    def _most_tasks(self, request: Request) -> int:
        """What the kernel's limit on the user's tasks is to be; 0: a cgroup counts the run's."""
        if "pids_max" in self._meter.files():
            return 0
        return int(request.processes + self._tasks_of_others)

    def _count_others(self) -> None:
        now = time.monotonic_ns()
        if not self._counted_ns or now - self._counted_ns > _RECOUNT_NS:
            self._tasks_of_others = meter.tasks_of_user() + _TASKS_OF_OTHERS
            self._counted_ns = now

    def _see_through(self, request: Request, state: native.Zygote) -> None:
        """A run that the library has launched, and that is more than it knows."""
        run = Run(request, state.in_, state.out, state.err)
        run.channel, run.channel_end = state.channel, state.channel_end
        run.main, run.started_ns = state.main_pid, state.started_ns
        if state.peer_pid:
            run.peer = state.peer_pid
        self._meter.adopt(request.memory, request.processes)
        # It has waited for the first limit, unless the run is one that it never waits for.
        waited = not (request.flags & wire.CHANNEL or request.section(wire.FETCH))
        self._end(run, waited)

    def _preload_for(self, request: Request) -> None:
        for name in self._on_demand[:]:
            if request.names(name):
                self._on_demand.remove(name)
                self._box.with_hidden(functools.partial(preload, [name.decode()]))
                self.namespace = child.prepare_main(self._box.folder)
                child.forget_folder(self._box.folder)
                if self._native is not None:
                    self._native.wait_for(self._on_demand)

    def _fork(self, run: Run) -> Program | None:
        run.main = os.fork()
        if run.main:
            return None
        wires = [*(run.request.pipes or (run.stdin, run.out)), run.err]
        if run.channel_end >= 0:
            wires += [-1, -1, run.channel_end]
        return self._become_program(run.request, wires)

    def _fork_pair(self, run: Run) -> Program | None:
        """The trusted program, which decides, and the one under test."""
        request = run.request
        to_program, to_driver = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
        driver_in = _reopened(request.driver_stdin_fd)
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        run.main = os.fork()
        if run.main == 0:
            return self._become_driver(
                request,
                [driver_in, null, run.err, to_driver[0], to_program[1], run.channel_end],
            )
        os.close(driver_in)
        os.close(null)
        run.peer = os.fork()
        if run.peer == 0:
            return self._become_program(
                request, [run.stdin, run.out, run.err, to_program[0], to_driver[1]]
            )
        # Each must see the other's end of file.
        for fd in (*to_program, *to_driver):
            os.close(fd)
        return None

    def _become_program(self, request: Request, wires: list[int]) -> Program:
        try:
            program_fd = -1
            if request.program_fd >= 0:
                program_fd = child.FIRST_PRIVATE_FD
                wires = wires + [-1] * (program_fd - len(wires)) + [request.program_fd]
            self._wait_for_go()
            os.setpgid(0, 0)
            child.connect(wires)
            if program_fd >= 0:
                os.set_inheritable(program_fd, False)
            self._identity.become(dumpable=True)
            self._box.enter(request)
            cpu_ns = int(request.cpu_ns * CPU_STOP_FACTOR)
            if request.flags & wire.CHANNEL:
                cpu_ns *= request.records + 1  # the limit is for each record
            child.limit(
                min(cpu_ns // 1_000_000_000 + 2, 1 << 30),
                max(request.output + 4096, request.file_bytes),
                request.open_files, self._most_tasks(request), request.stack,
            )  # fmt: skip
            argv = strings(request.section(wire.ARGV))
            added = variables(request.section(wire.ENVIRONMENT))
            if request.program == wire.EXECUTE:
                child.execute(argv, {**self._settings.env, **added}, program_fd, self._page)
            child.take_interrupts()
            return self._load(request.program, request.section)
        except Exception as error:
            self._setup_failed(error)

    def _become_launched(self, library: native.Native) -> Program:
        """In a child that the library has forked, and made the program's user."""
        try:
            return self._load(library.program(), library.section)
        except Exception as error:
            self._setup_failed(error)

    def _load(self, program: int, section: Callable[[int], bytes]) -> Program:
        """Python text or code, ready to be executed."""
        source, code, files = section(wire.SOURCE), section(wire.CODE), section(wire.FILES)
        if program == wire.PYTHON_COMPILE:
            child.compile_only(source, self._page)
        os.environ.update(variables(section(wire.ENVIRONMENT)))
        child.add_arguments(strings(section(wire.ARGV)))
        traits = child.traits_of(lambda word: word in source or word in files)
        if traits & child.MAY_USE_RANDOM:
            child.prepare_random()
        loaded = child.load_code(source, code, self._page)
        self._page[0] = child.RUNNING
        self._close_page()
        return loaded, traits

    def _become_driver(self, request: Request, wires: list[int]) -> Program:
        try:
            self._wait_for_go()
            os.setpgid(0, 0)
            child.connect(wires)
            # Not dumpable: where both have one uid, the program cannot look into this process.
            self._driver_identity.become(dumpable=False)
            child.take_interrupts()
            child.prepare_random()
            code = marshal.loads(request.section(wire.DRIVER_CODE))
        except Exception as error:
            self._setup_failed(error)
        self._close_page()
        return code, 0

    def _wait_for_go(self) -> None:
        while not self._page[_GO_PLACE]:
            os.sched_yield()

    def _close_page(self) -> None:
        """A program must not change what pid 1 reads there."""
        if self._native is not None:
            self._native.close_page()
        else:
            self._page.close()

    def _setup_failed(self, error: Exception) -> NoReturn:
        message = ("%s: %s" % (type(error).__name__, error)).encode()[:1000]
        self._page[1 : 1 + len(message)] = message
        os._exit(126)

    def end_program(self, scope: dict[str, object], traits: int) -> NoReturn:
        """In a child: end as the interpreter ends; see `ending.end`."""
        del self.namespace
        ending.end(scope, traits)

    # --- the end of a run ------------------------------------------------------------------------

    def _end(self, run: Run, waited: bool) -> None:
        """Watch a run, clean up after it, and report."""
        watch = self._watch
        watch.begin(run.request, run.channel, run.out, run.err, run.started_ns)
        flags = watch.until_exit(run.main, self._live, waited)
        if watch.daemon_is_gone:
            self._daemon_is_gone = True
        peer_status = -1
        if run.peer >= 0:
            reaped, status, usage = os.wait4(run.peer, os.WNOHANG)
            if reaped:
                peer_status = status
                self._meter.reaped(usage)
        status = self._kill_and_reap(run.main)
        wall_ns = time.monotonic_ns() - run.started_ns
        os.close(run.stdin)
        channel = -1
        if run.channel >= 0:
            os.close(run.channel_end)
            channel = watch.drain_channel()
            flags |= watch.flags
            os.close(run.channel)
        cpu_ns, peak, out_of_memory, processes_hit = self._meter.finish()
        if out_of_memory:
            flags |= wire.OUT_OF_MEMORY
        if processes_hit:
            flags |= wire.PROCESSES_EXCEEDED
        # A limit may end a program before it begins: that is no failure of ours.
        if not (flags & _ENDED_BY_US and self._page[0] == child.SETUP):
            flags |= self._stage_flags()
        ending = Ending(flags, status, peer_status, watch.kept_ns, cpu_ns, wall_ns, peak)
        self._reporter.send(run, ending, channel, watch.channel_size, watch.record_ns)
        self._box.drop()

    def _live(self) -> list[int]:
        return meter.live_pids(os.getpid(), self._own_namespaces)

    def _kill_and_reap(self, main: int) -> int:
        """Kill what is left and wait for all of it; the wait status of `main`."""
        main_status = 0
        waited = False
        while True:
            # Without a namespace finding the living is slow; the first wait tells if there are any
            # (whoever loses its parent becomes our child).
            if self._own_namespaces or waited:
                self._kill_all()
            try:
                while True:
                    pid, status, usage = os.wait4(-1, 0 if self._own_namespaces else os.WNOHANG)
                    waited = True
                    if pid == 0:
                        break
                    self._meter.reaped(usage)
                    if pid == main:
                        main_status = status
            except ChildProcessError:
                return main_status
            except InterruptedError:
                continue
            time.sleep(0.0005)

    def _kill_all(self) -> None:
        if self._own_namespaces:
            # Only as pid 1 of a namespace of ours: anywhere else -1 is the user's whole session.
            if os.getpid() == 1:
                try:
                    os.kill(-1, signal.SIGKILL)
                except ProcessLookupError:
                    return
            return
        for pid, born in meter.descendants(os.getpid()).items():
            meter.send_signal(pid, born, signal.SIGKILL)

    def _stage_flags(self) -> int:
        stage = self._page[0]
        if stage == child.RUNNING:
            return 0
        if stage in (child.COMPILE_ERROR, child.COMPILING):
            return wire.COMPILE_FAILED
        return wire.EXEC_FAILED if stage == child.EXEC_ERROR else wire.SETUP_FAILED


def _open_stdin(request: Request) -> int:
    if request.stdin_fd < 0:
        with request.view(wire.STDIN) as content:
            return kernel.sealed_memfd(content)
    return _reopened(request.stdin_fd)


def _reopened(given: int) -> int:
    """The same file opened afresh: a passed descriptor shares its offset with every other run."""
    try:
        return os.open("/proc/self/fd/%d" % given, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        size = os.fstat(given).st_size
        if not size:
            return kernel.sealed_memfd(memoryview(b""))
        content = mmap.mmap(given, size, mmap.MAP_PRIVATE, mmap.PROT_READ)
        with content, memoryview(content) as view:
            return kernel.sealed_memfd(view)


def preload(names: list[str]) -> list[str]:
    """Import modules into this process for all later runs; returns those that are not there."""
    import gc
    import importlib

    missing = []
    with child.WithoutReseeding():
        for name in names:
            try:
                importlib.import_module(name)
            except Exception:
                missing.append(name)
    # The first compile() builds the AST types, 1.5 ms that every child would pay again.
    compile("pass", "", "exec")
    gc.collect()
    gc.freeze()
    return missing
