#| what = "Changes everything of itself that children inherit, for the next run to inherit from pid 1"
#| covers = ["prlimit of pid 1", "environment"]
#| verdict = ["accepted"]
#| stages = ["first", "second"]
import ctypes
import locale
import os
import resource
import signal
import sys

from attack import end, got, quietly, told

libc = ctypes.CDLL(None, use_errno=True)


def state():
    umask = os.umask(0o022)
    return {
        "umask": umask,
        "limits": [resource.getrlimit(which) for which in range(16) if which != resource.RLIMIT_CPU],
        "SIGINT": str(signal.getsignal(signal.SIGINT)),
        "SIGHUP": signal.getsignal(signal.SIGHUP),
        "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "personality": libc.personality(0xFFFFFFFF),
        "slack": libc.prctl(30, 0, 0, 0, 0),
        "dumpable": libc.prctl(3, 0, 0, 0, 0),
        "scheduler": os.sched_getscheduler(0),
        "keep capabilities": libc.prctl(7, 0, 0, 0, 0),
        "variable": os.environ.get("LEFT"),
        "path": [path for path in sys.path if "left" in path],
        "timer": signal.getitimer(signal.ITIMER_REAL),
        "locale": locale.setlocale(locale.LC_ALL),
        "recursion": sys.getrecursionlimit(),
        "hook": sys.excepthook is sys.__excepthook__,
    }


if told["stage"] == "first":
    os.nice(5)
    os.umask(0o777)
    for which, value in ((resource.RLIMIT_NOFILE, 10), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, 1 << 32)):
        quietly(resource.setrlimit, which, (value, value))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])
    libc.personality(0x0040000)
    libc.prctl(29, 12345, 0, 0, 0)
    libc.prctl(4, 0, 0, 0, 0)
    quietly(os.sched_setscheduler, 0, os.SCHED_BATCH, os.sched_param(0))
    os.environ["LEFT"] = "left"
    libc.setenv(b"LEFT", b"left", 1)
    sys.path.insert(0, "/tmp/left")
    signal.setitimer(signal.ITIMER_REAL, 3600)
    sys.setrecursionlimit(12345)
    sys.excepthook = print
else:
    found = state()
    expected = {
        "umask": 0o022, "mask": [], "personality": 0, "scheduler": 0, "variable": None,
        "path": [], "timer": (0.0, 0.0), "hook": True, "keep capabilities": 0, "recursion": 1000,
        "slack": 50000,
    }  # fmt: skip
    for name, value in expected.items():
        if found[name] != value:
            got(name, found[name])
    if "default_int_handler" not in found["SIGINT"] or found["SIGHUP"] != signal.SIG_DFL:
        got("handlers", found["SIGINT"], found["SIGHUP"])
end()
