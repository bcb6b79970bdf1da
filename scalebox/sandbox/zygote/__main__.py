"""The launcher: builds a slot's walls, forks its pid 1, and leaves.

At level `minimal`, where there is no pid namespace, it stays as the slot's keeper.

Descriptor 3 is the control socket.  The first packet on it is the slot's settings; the launcher
answers with pid 1's host pid, pid 1 with `ready`, or either with `failed` and the reason.
"""

from __future__ import annotations

# The bare module: what `socket` adds is pages that every fork copies.
import _socket as socket
import atexit
import marshal
import os
import select
import signal
import stat
import sys

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
CONTROL_FD = 3
#: By how many levels of recursion a program is deeper here than it is by itself: the frame below
#: it, and `exec`.  By interpreter; others are not known.
_OUR_LEVELS = {(3, 11): 2}


def main():  # type: ignore[no-untyped-def]
    """Build the slot; what this process, its pid 1, has to do from now on."""
    sys.path[0] = os.path.dirname(_PACKAGE)
    from zygote import child, kernel, rootfs, supervise

    sys.path[0] = rootfs.BOX
    os.environ.pop("LD_BIND_NOW", None)  # was for this process alone

    control = socket.socket(fileno=_move_up(CONTROL_FD))
    null = _move_up(os.open("/dev/null", os.O_RDWR))
    for place in range(CONTROL_FD, child.RESERVED_FDS):
        os.dup2(null, place, inheritable=False)
    settings = supervise.Settings(marshal.loads(control.recv(1 << 16)))
    try:
        supervisor = _start(control, settings, kernel, supervise)
    except Exception as error:
        _tell(control, "failed", "%s: %s" % (type(error).__name__, error))
        os._exit(1)
    for name in [name for name in sys.modules if name.split(".")[0] == "zygote"]:
        del sys.modules[name]
    _forget_our_levels()
    return supervisor


def _forget_our_levels():  # type: ignore[no-untyped-def]
    import ctypes

    for _ in range(_OUR_LEVELS.get(sys.version_info[:2], 0)):
        ctypes.pythonapi.Py_LeaveRecursiveCall()


def _start(control, settings, kernel, supervise):  # type: ignore[no-untyped-def]
    from zygote import child, filters, network, rootfs

    own_namespaces = settings.level != "minimal"
    if own_namespaces:
        _join(settings.cgroup_procs)
    cgroup_files = {name: _opened(name, path) for name, path in settings.cgroup_files.items()}
    notes = []  # type: list[str]
    if "limit" in cgroup_files:
        _spare()
    if own_namespaces:
        flags = (
            kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC
            | kernel.CLONE_NEWUTS
        )  # fmt: skip
        if settings.level == "user":
            outside = os.getuid(), os.getgid()
            kernel.unshare(flags | kernel.CLONE_NEWUSER)
            _map_ids(settings.uid, *outside)
        else:
            kernel.unshare(flags)
        _fork_pid_1(control, kernel)
    else:
        _fork_kept(control, kernel)
        _join(settings.cgroup_procs)
    for number in range(1, signal.NSIG):
        if number in (signal.SIGKILL, signal.SIGSTOP) or 32 <= number < 34:
            continue
        if number in (signal.SIGPIPE, signal.SIGXFSZ):
            continue  # ignored, as in any Python
        signal.signal(number, signal.SIG_DFL)
    # From here on this is the slot's pid 1, or at level `minimal` its subreaper.
    os.setsid()
    os.umask(0o022)
    if settings.cpus:
        os.sched_setaffinity(0, settings.cpus)
    # Kept open: inside, /proc is another one and read-only.
    oom_score = _move_up(os.open("/proc/self/oom_score_adj", os.O_RDWR))
    library = None
    if own_namespaces:
        # Outside is where the library's file is.
        library = _load_native(settings.native, notes)
        uids = [settings.uid, settings.driver_uid]
        os_uids = [uid for uid in uids if uid is not None]
        build_notes, settings.hidden = rootfs.build(
            settings.staging, settings.binds, os_uids, settings.level == "full"
        )
        notes += build_notes
        rootfs.bring_up_loopback()
        socket.sethostname("sandbox")
    else:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    if settings.level == "full":
        os.setgroups([])
        kernel.drop_bounding_set()
    missing = supervise.preload(settings.preload)
    if missing:
        notes.append("modules to preload that this Python lacks: " + ", ".join(missing))
    child.limit_cores()
    kernel.install_filter(filters.slot_filter(own_namespaces))
    identity, driver_identity = _identities(settings, own_namespaces, kernel, child, notes)
    own_network = network.Network(library) if own_namespaces else None
    if own_network is not None and not own_network.is_watched():
        notes.append(
            "ports that a run used may be taken in the next one: without /proc it is not seen"
        )
    supervisor = supervise.Supervisor(
        control,
        settings,
        _meter(settings, cgroup_files, own_namespaces, library),
        identity,
        driver_identity,
        own_namespaces,
        oom_score if "limit" in cgroup_files else -1,
        library,
        own_network,
    )
    _tell(control, "ready", sys.version.split()[0], *notes)
    return supervisor


def _fork_pid_1(control, kernel):  # type: ignore[no-untyped-def]
    """Return in a child that dies with the daemon; the launcher ends here."""
    launcher = kernel.pidfd_open(os.getpid())
    pid = os.fork()
    if pid:
        _tell(control, "pid", str(pid))
        os._exit(0)
    # The parent whose death is told is the daemon only once the launcher is gone.
    select.select([launcher], [], [])
    os.close(launcher)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)


def _fork_kept(control, kernel):  # type: ignore[no-untyped-def]
    """Return in a child that dies with its keeper, which the launcher becomes."""
    from zygote import keeper

    daemon = keeper.watched_parent()
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    own = os.getpid()
    pid = os.fork()
    if pid:
        _tell(control, "pid", str(pid))
        keeper.keep(pid, daemon)
    os.close(daemon)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != own:
        os._exit(1)


def _opened(name, path):  # type: ignore[no-untyped-def]
    writable = name in ("limit", "peak", "pids_max")
    return _move_up(os.open(path, os.O_RDWR if writable else os.O_RDONLY))


def _spare():  # type: ignore[no-untyped-def]
    """Keep the kernel from killing the slot for the memory of a program that is dead already, and
    still counted; programs are born with another score."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("-1000")
    except OSError:
        pass  # an ordinary user may not


def _join(cgroup_procs):  # type: ignore[no-untyped-def]
    for procs in cgroup_procs:
        with open(procs, "w") as file:
            file.write("0")


def _load_native(path, notes):  # type: ignore[no-untyped-def]
    from zygote import native

    if not path:
        return None
    try:
        return native.Native(path)
    except (OSError, AttributeError) as error:
        notes.append("runs are carried out in Python, at twice the cost: %s" % error)
        return None


def _meter(settings, cgroup_files, own_namespaces, library):  # type: ignore[no-untyped-def]
    from zygote import meter

    if not cgroup_files:
        return meter.ProcessMeter(os.getpid(), own_namespaces)
    state = meter.State() if library is None else library.state
    return meter.CgroupMeter(cgroup_files, settings.peak_resets, settings.cgroup_version, state)


def _identities(settings, own_namespaces, kernel, child, notes):  # type: ignore[no-untyped-def]
    from zygote import rootfs

    landlock = None
    own_signals_only = False
    if not own_namespaces:
        abi = kernel.landlock_abi()
        if abi:
            devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"]
            # Elsewhere a device is its driver's to guard, whatever is mounted read-only: here, too.
            devices += [path for path in settings.binds if _is_device(path)]
            readable = [*settings.binds, *rootfs.settings_of_tools()]
            landlock = readable, [settings.staging, *devices], abi
        else:
            notes.append("no Landlock on this kernel: programs can read what the daemon's user can")
        # From ABI 6 on Landlock keeps signals inside; before, only a program's own pid is allowed.
        own_signals_only = abi < 6
    drop = settings.level != "full"
    uid, driver_uid = settings.uid, settings.driver_uid
    if settings.level != "full":
        uid = driver_uid = None
    return (
        child.Identity(uid, uid, drop, landlock, own_signals_only, not own_namespaces),
        child.Identity(
            driver_uid, driver_uid, drop, landlock, own_signals_only, not own_namespaces
        ),
    )


def _is_device(path):  # type: ignore[no-untyped-def]
    try:
        return stat.S_ISCHR(os.stat(path).st_mode)
    except OSError:
        return False


def _map_ids(inside, uid, gid):  # type: ignore[no-untyped-def]
    for path, text in (
        ("/proc/self/uid_map", "%d %d 1" % (inside, uid)),
        ("/proc/self/setgroups", "deny"),
        ("/proc/self/gid_map", "%d %d 1" % (inside, gid)),
    ):
        with open(path, "w") as file:
            file.write(text)


def _move_up(fd):  # type: ignore[no-untyped-def]
    """Away from the low numbers, which belong to programs."""
    import fcntl

    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 64)
    os.close(fd)
    return moved


def _tell(control, *texts):  # type: ignore[no-untyped-def]
    control.send("\0".join(texts).encode("utf-8", "backslashreplace"))


if __name__ == "__main__":
    supervisor = main()
    # All that follows is done in every child.  At module level, in few and simple steps: the fewer
    # frames of ours below the program's, the closer to the real thing; and each object that is
    # touched is a page copied.
    namespace = supervisor.namespace
    serve, place = supervisor.server()
    code_type = type(main.__code__)
    modules, exit_callbacks = sys.modules, atexit._ncallbacks
    stdout, stderr = sys.stdout, sys.stderr
    traits = 0
    code = program = uncaught = None  # here, so that the module's dictionary need not grow there
    while True:
        try:
            code = serve(place)
        except BaseException as error:
            supervisor.does_not_compile(error)
        if type(code) is code_type:
            break
        program = supervisor.go_on(code)
        namespace = supervisor.namespace  # a new one where modules were imported meanwhile
        if program is not None:
            code, traits = program
            break
    try:
        # By a tuple: CPython 3.11 makes an `exec(code, namespace)` that it has met often in another
        # way, which is a level of recursion less deep.
        exec(*(code, namespace))
    except BaseException as error:
        uncaught = error
    # Out here it is not "being handled" any more, as for the interpreter's own report.
    if (
        uncaught is None
        and not traits
        and "threading" not in modules
        and sys.stdout is stdout
        and sys.stderr is stderr
        and not exit_callbacks()
    ):
        # Twice, as the interpreter does: at the end of the file, and at its own.
        try:
            stderr.flush()
            stdout.flush()
            stdout.flush()
            stderr.flush()
            os._exit(0)
        except BaseException:
            pass  # what flushes again will say it
    supervisor.end_program(globals(), traits)
