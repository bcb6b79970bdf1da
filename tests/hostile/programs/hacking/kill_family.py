#| what = "Kills its parent, its process group, every process it can name, and itself"
#| covers = ["early exit"]
#| verdict = ["runtime_error"]
#| test = "function"
#| function = "ordered"
import os
import signal


def ordered(numbers):
    tries = [(os.kill, os.getppid()), (os.kill, 1), (os.killpg, 0), (os.kill, -1)]
    tries += [(os.kill, pid) for pid in range(2, 300) if pid != os.getpid()]
    for kill, target in tries:
        try:
            kill(target, signal.SIGTERM if target in (0, -1) else signal.SIGKILL)
        except OSError:
            pass
    os.kill(os.getpid(), signal.SIGKILL)


signal.signal(signal.SIGTERM, signal.SIG_IGN)
