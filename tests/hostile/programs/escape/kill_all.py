#| what = "Kills everybody: kill(-1) with every signal, then its process group, then its parent"
#| covers = ["kill(-1)", "signals to pid 1"]
#| verdict = ["accepted"]
#| stages = ["first", "second"]
import os
import signal

from attack import end, quietly

parent = os.getppid()
for number in range(1, signal.NSIG):
    if number not in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            continue
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGSTOP, signal.SIGKILL):
    quietly(os.kill, -1, number)
    quietly(os.kill, parent, number)
    quietly(os.killpg, 1, number)
    if os.getpgrp() != os.getpid():
        quietly(os.killpg, 0, number)
end()
