#| what = "Kills its parent, its process group, every process it can see, and itself"
#| covers = ["early exit"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import os
import signal


def ordered(numbers):
    tries = [(os.kill, os.getppid()), (os.kill, 1), (os.killpg, 0), (os.kill, -1)]
    others = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    tries += [(os.kill, pid) for pid in others if pid != os.getpid()]
    for kill, target in tries:
        try:
            kill(target, signal.SIGTERM if target in (0, -1) else signal.SIGKILL)
        except OSError:
            pass
    os.kill(os.getpid(), signal.SIGKILL)


signal.signal(signal.SIGTERM, signal.SIG_IGN)
